/**
 * A queue for capacity: attempts that wait until there is enough of something for them. Its owner calls `released`
 * whenever there is more.
 *
 * Guarantees: the first to come is the first to get, and those that come meanwhile wait behind it. So one that needs much
 * is not overtaken for ever by those that need little.
 */
export class CapacityQueue {
  readonly #waiting: (() => void)[] = []

  /** Attempts until something comes of it: at once, and after each release once it is the first in the queue. */
  async enter<T>(attempt: () => T | undefined): Promise<T> {
    if (this.#waiting.length === 0) {
      const found = attempt()
      if (found !== undefined) return found
    }
    let turn = Promise.withResolvers<void>()
    this.#waiting.push(() => turn.resolve())
    for (;;) {
      await turn.promise
      const found = attempt()
      // Only now: an attempt that fails may have released something itself, by giving back what was too small.
      turn = Promise.withResolvers()
      if (found === undefined) continue
      this.#waiting.shift()
      // What was released may be enough for the next one too.
      this.released()
      return found
    }
  }

  /** Something was released. */
  released(): void {
    this.#waiting[0]?.()
  }
}
