/**
 * The door at which payloads wait for a place in the arena. Whoever owns the budget opens it at every release.
 *
 * Guarantees: who came first has a place first, and whoever comes meanwhile waits behind. So one that needs a large
 * place is not overtaken for ever by those that need a small one.
 */
export class Room {
  readonly #waiting: (() => void)[] = []

  /** Tries until something comes of it: at once, and when the door has opened and nobody waits in front any more. */
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
      // Only now: an attempt that fails may have opened the door itself, by giving back what was too small.
      turn = Promise.withResolvers()
      if (found === undefined) continue
      this.#waiting.shift()
      // What was released may be enough for the next one too.
      this.open()
      return found
    }
  }

  /** Something was released. */
  open(): void {
    this.#waiting[0]?.()
  }
}
