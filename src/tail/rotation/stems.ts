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

/** Beginnings of stems are told by a table of so many places. */
const PLACES = 4096

export class Stems {
  /** By stem. */
  readonly #names = new Map<string, string[]>()
  /** Of all stems, the longest first. */
  readonly #lengths: readonly number[]
  /** By two characters: whether a stem may begin so. Most parts of most names begin in another way. */
  readonly #begins = new Uint8Array(PLACES)

  /** `names`: those in a directory; `originals`: what is asked for. */
  constructor(names: Iterable<string>, originals: Iterable<string>) {
    for (const original of originals) {
      const stem = stemOf(basename(original))
      this.#names.set(stem, [])
      if (stem.length > 1) this.#begins[placeOf(stem, 0)] = 1
      else this.#begins.fill(1)
    }
    this.#lengths = [...new Set([...this.#names.keys()].map(({ length }) => length))].sort((a, b) => b - a)
    for (const name of names) this.add(name)
  }

  /** The names that have the stem of an original in them, in their order. */
  of(original: string): readonly string[] {
    return this.#names.get(stemOf(basename(original))) ?? NONE
  }

  /** Whether an original is among what is asked for. */
  has(original: string): boolean {
    return this.#names.has(stemOf(basename(original)))
  }

  /** Another name of the directory. */
  add(name: string): void {
    const places: number[] = []
    for (let at = 0; at < name.length; at++) if (this.#begins[placeOf(name, at)] === 1) places.push(at)
    if (places.length === 0) return
    let parts = 0
    let originals = 0
    for (const length of this.#lengths) {
      for (const at of places) {
        if (at + length > name.length) break
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

/** Where the table has the two characters that begin there. */
function placeOf(text: string, at: number): number {
  return ((text.charCodeAt(at) << 6) ^ text.charCodeAt(at + 1)) & (PLACES - 1)
}

const NONE: readonly string[] = []
