/**
 * Families: open files by something that they share, a path or a directory.
 *
 * There may be thousands of keys, and nearly always one file for each: only where there are more is there a set.
 */
import type { Tailer } from './tailer.ts'

export class Families {
  readonly #families = new Map<string, Tailer | Set<Tailer>>()

  of(key: string): Tailer[] {
    const family = this.#families.get(key)
    return family === undefined ? [] : family instanceof Set ? [...family] : [family]
  }

  add(key: string, tailer: Tailer): void {
    const family = this.#families.get(key)
    if (family === undefined) this.#families.set(key, tailer)
    else if (family instanceof Set) family.add(tailer)
    else if (family !== tailer) this.#families.set(key, new Set([family, tailer]))
  }

  delete(key: string, tailer: Tailer): void {
    const family = this.#families.get(key)
    if (family === tailer) this.#families.delete(key)
    if (!(family instanceof Set)) return
    family.delete(tailer)
    const [last] = family
    if (last === undefined) this.#families.delete(key)
    else if (family.size === 1) this.#families.set(key, last)
  }
}
