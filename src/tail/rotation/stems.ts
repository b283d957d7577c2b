/**
 * Stems: which of many names may be those of rotations of which originals.
 *
 * The stem of a name is part of the name of each of its rotations, unless they are known to be called otherwise. Asked
 * for each of thousands of originals, all names would be looked through as often; so the parts of each name are looked
 * up among the stems, once.
 *
 * Guarantees: a bounded number of lookups for each name, and of originals that it is told of, those with the longest
 * stem first.
 */
import { basename } from 'node:path'
import { stemOf } from '../files/names.ts'

/** Parts of a name that are looked up at the most; and originals that one name may come from. */
const MOST_PARTS = 4096
const MOST_ORIGINALS = 16

export class Stems {
  /** By stem. */
  readonly #names = new Map<string, string[]>()

  /** `names`: those in a directory; `originals`: what is asked for. */
  constructor(names: Iterable<string>, originals: Iterable<string>) {
    for (const original of originals) this.#names.set(stemOf(basename(original)), [])
    const lengths = [...new Set([...this.#names.keys()].map(({ length }) => length))].sort((a, b) => b - a)
    for (const name of names) this.#place(name, lengths)
  }

  /** The names that have the stem of an original in them, in their order. */
  of(original: string): readonly string[] {
    return this.#names.get(stemOf(basename(original))) ?? NONE
  }

  #place(name: string, lengths: readonly number[]): void {
    let parts = 0
    let originals = 0
    for (const length of lengths) {
      for (let at = 0; at + length <= name.length; at++) {
        if (++parts > MOST_PARTS) return
        const names = this.#names.get(name.slice(at, at + length))
        // It may have the same part twice.
        if (names === undefined || names.at(-1) === name) continue
        names.push(name)
        if (++originals === MOST_ORIGINALS) return
      }
    }
  }
}

const NONE: readonly string[] = []
