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

  /** Returns whether it was not there yet. */
  add(key: string, tailer: Tailer): boolean {
    const family = this.#families.get(key)
    if (family === tailer || (family instanceof Set && family.has(tailer))) return false
    if (family === undefined) this.#families.set(key, tailer)
    else if (family instanceof Set) family.add(tailer)
    else this.#families.set(key, new Set([family, tailer]))
    return true
  }

  /** Returns whether it was there. */
  delete(key: string, tailer: Tailer): boolean {
    const family = this.#families.get(key)
    if (family === tailer) return this.#families.delete(key)
    if (!(family instanceof Set) || !family.delete(tailer)) return false
    const [last] = family
    if (last === undefined) this.#families.delete(key)
    else if (family.size === 1) this.#families.set(key, last)
    return true
  }
}
