/**
 * When a state that lasts is logged again: 1, 5 and 15 minutes after it began, and from then on every 15. So the last
 * hour of a log shows it, and a long outage does not fill the log.
 */
const MINUTE = 60_000
const FIRST = [MINUTE, 5 * MINUTE, 15 * MINUTE] as const
const EVERY = 15 * MINUTE

export class Reminder {
  readonly began: number
  #next = 0

  /** `began`: monotonic milliseconds. */
  constructor(began: number) {
    this.began = began
  }

  /** Whether it is time, once for however many times have passed since it was asked last. */
  due(now: number): boolean {
    const passed = now - this.began
    if (passed < this.#after) return false
    while (passed >= this.#after) this.#next++
    return true
  }

  get #after(): number {
    return FIRST[this.#next] ?? FIRST[2] + EVERY * (this.#next - 2)
  }
}
