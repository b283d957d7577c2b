/**
 * An index of open files by something that they share, a path or a directory.
 *
 * There may be thousands of keys, and nearly always one file for each: only where there are more is there a set.
 */
import type { Tailer } from './tailer.ts'

export class TailerIndex {
  readonly #tailers = new Map<string, Tailer | Set<Tailer>>()

  of(key: string): Tailer[] {
    const entry = this.#tailers.get(key)
    return entry === undefined ? [] : entry instanceof Set ? [...entry] : [entry]
  }

  /** Returns whether it was not there yet. */
  add(key: string, tailer: Tailer): boolean {
    const entry = this.#tailers.get(key)
    if (entry === tailer || (entry instanceof Set && entry.has(tailer))) return false
    if (entry === undefined) this.#tailers.set(key, tailer)
    else if (entry instanceof Set) entry.add(tailer)
    else this.#tailers.set(key, new Set([entry, tailer]))
    return true
  }

  /** Returns whether it was there. */
  delete(key: string, tailer: Tailer): boolean {
    const entry = this.#tailers.get(key)
    if (entry === tailer) return this.#tailers.delete(key)
    if (!(entry instanceof Set) || !entry.delete(tailer)) return false
    const [last] = entry
    if (last === undefined) this.#tailers.delete(key)
    else if (entry.size === 1) this.#tailers.set(key, last)
    return true
  }
}
