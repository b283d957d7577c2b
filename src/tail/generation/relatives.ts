/**
 * Relatives: the open files that a file may be a rotation of, by name.
 *
 * The stem of a file's name is part of the name of each of its rotations. So they are looked up by the parts of a name,
 * which takes as long for ten thousand files of a directory as for two.
 *
 * Guarantees: a bounded number of lookups and of answers, those with the longest stem first: what the application calls
 * its files must not make each of them be compared with all others.
 */
import { basename, dirname } from 'node:path'
import { isRelated, stemOf } from '../files/names.ts'
import type { Tailer } from './tailer.ts'
import { TailerIndex } from './tailer-index.ts'

/** Files that one is compared with at the most; and parts of a name that are looked up. */
const MOST = 16
const MOST_PARTS = 4096

export class Relatives {
  readonly #byStem = new TailerIndex()
  /** How many stems are so long: characters. */
  readonly #lengths = new Map<number, number>()

  add(path: string, tailer: Tailer): void {
    const { length } = stemOf(basename(path))
    if (this.#byStem.add(keyOf(path), tailer)) this.#lengths.set(length, (this.#lengths.get(length) ?? 0) + 1)
  }

  delete(path: string, tailer: Tailer): void {
    if (!this.#byStem.delete(keyOf(path), tailer)) return
    const { length } = stemOf(basename(path))
    const left = (this.#lengths.get(length) ?? 1) - 1
    if (left > 0) this.#lengths.set(length, left)
    else this.#lengths.delete(length)
  }

  /** Those that a file may be a rotation of which is called `path`, as the path of their origin or the followed one tells. */
  of(path: string): Tailer[] {
    const name = basename(path)
    const directory = dirname(path)
    const found = new Set<Tailer>()
    let parts = 0
    for (const length of [...this.#lengths.keys()].sort((a, b) => b - a)) {
      for (let at = 0; at + length <= name.length; at++) {
        if (++parts > MOST_PARTS) return [...found]
        for (const tailer of this.#byStem.of(`${directory}/${name.slice(at, at + length)}`)) {
          if (!isRelated(path, tailer.path) && !isRelated(path, tailer.generation.origin.path)) continue
          found.add(tailer)
          if (found.size === MOST) return [...found]
        }
      }
    }
    return [...found]
  }
}

function keyOf(path: string): string {
  return `${dirname(path)}/${stemOf(basename(path))}`
}
