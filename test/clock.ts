/** A clock that moves when the test says so. */
import type { Clock } from '../src/clock.ts'

export class HandClock implements Clock {
  #now = 0
  readonly #calls = new Map<object, { readonly at: number; readonly run: () => void }>()

  now(): number {
    return this.#now
  }

  after(ms: number, run: () => void): () => void {
    const key = {}
    this.#calls.set(key, { at: this.#now + ms, run })
    return () => this.#calls.delete(key)
  }

  /** How many calls are still to come. */
  get waiting(): number {
    return this.#calls.size
  }

  /** Lets time pass, and calls what becomes due in its order. */
  pass(ms: number): void {
    const until = this.#now + ms
    for (;;) {
      const [first] = [...this.#calls].sort(([, one], [, other]) => one.at - other.at)
      if (first === undefined || first[1].at > until) break
      this.#calls.delete(first[0])
      this.#now = Math.max(this.#now, first[1].at)
      first[1].run()
    }
    this.#now = until
  }
}
