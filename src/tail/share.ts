/**
 * Shares: a limit that several sources have together.
 *
 * Half of it is divided evenly and kept for each; the other half is for those that come first. So one source can take most
 * of it, and none can be kept out by another.
 */

export class Shares {
  readonly limit: number
  readonly #kept: number
  readonly #used: number[]
  /** What all of them use. */
  used = 0
  /** What is used beyond what is kept for each. */
  #common = 0

  constructor(limit: number, sources: number) {
    this.limit = limit
    this.#kept = Math.max(1, Math.floor(limit / 2 / Math.max(1, sources)))
    this.#used = new Array<number>(sources).fill(0)
  }

  /** Whether there is one more for the source. */
  hasRoom(source: number): boolean {
    return this.#used[source]! < this.#kept || this.#common < this.limit - this.#kept * this.#used.length
  }

  /** Takes one for the source, if there is one. */
  take(source: number): boolean {
    if (!this.hasRoom(source)) return false
    if (this.#used[source]!++ >= this.#kept) this.#common++
    this.used++
    return true
  }

  give(source: number): void {
    if (--this.#used[source]! >= this.#kept) this.#common--
    this.used--
  }
}
