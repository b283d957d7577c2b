/**
 * Shares: a limit that several sources have together.
 *
 * Half of it is divided evenly and kept for each; the other half is for those that come first. So one source can take most
 * of it, and none can be kept out by another.
 */

/** A path of more characters than this takes the room of several: each is held in memory, and stands in the checkpoint. */
const PART = 256

/** How much of a limit one takes that is called so. */
export function weightOf(path: string): number {
  return Math.ceil(path.length / PART)
}

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

  /** Whether there is one more for the source, or as much as `weight` says. */
  hasRoom(source: number, weight = 1): boolean {
    const more = this.#beyond(source, weight) - this.#beyond(source)
    return more === 0 || this.#common + more <= this.limit - this.#kept * this.#used.length
  }

  /** Takes it, if there is so much. */
  take(source: number, weight = 1): boolean {
    if (!this.hasRoom(source, weight)) return false
    this.#change(source, weight)
    return true
  }

  give(source: number, weight = 1): void {
    this.#change(source, -weight)
  }

  #change(source: number, weight: number): void {
    this.#common += this.#beyond(source, weight) - this.#beyond(source)
    this.#used[source]! += weight
    this.used += weight
  }

  /** What a source uses beyond what is kept for it, once it uses so much more. */
  #beyond(source: number, more = 0): number {
    return Math.max(0, this.#used[source]! + more - this.#kept)
  }
}
