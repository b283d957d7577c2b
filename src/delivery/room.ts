/**
 * The door at which an encoder waits for a free place in the arena. Whoever owns the budget opens it at every release;
 * who waited looks again, and may have to wait again.
 */
export class Room {
  #waiting: PromiseWithResolvers<void> | undefined

  /** Resolves at the next `open`. */
  wait(): Promise<void> {
    this.#waiting ??= Promise.withResolvers()
    return this.#waiting.promise
  }

  open(): void {
    this.#waiting?.resolve()
    this.#waiting = undefined
  }
}
