/**
 * The allowance: the time that looking ahead may take, for all files and pipelines together.
 *
 * A hole or a line may be as long as a file system allows, and nothing of it can be shipped before its end is known. So
 * looking ahead has two purses that fill as time passes: `fresh` for what was never looked at, `again` for what was
 * looked through and may have changed since, which it hardly ever has. A purse may be overdrawn by one turn.
 *
 * Time is that of the clock, not of the CPU: it bounds both.
 */
export type Purse = keyof typeof PURSES

/** `most`: milliseconds that a purse holds; `share`: milliseconds that it gains in one. */
const PURSES = {
  fresh: { most: 1000, share: 0.25 },
  again: { most: 50, share: 0.01 },
} as const

export class Allowance {
  /** Milliseconds of the monotonic clock. */
  readonly now: () => number
  readonly #purses: Record<Purse, { left: number; at: number }>

  constructor(now: () => number = () => performance.now()) {
    this.now = now
    const at = now()
    this.#purses = { fresh: { left: PURSES.fresh.most, at }, again: { left: PURSES.again.most, at } }
  }

  /** Milliseconds until something is left in the purse; 0 if there is now. */
  wait(purse: Purse): number {
    const { most, share } = PURSES[purse]
    const entry = this.#purses[purse]
    const now = this.now()
    entry.left = Math.min(most, entry.left + (now - entry.at) * share)
    entry.at = now
    return entry.left > 0 ? 0 : Math.ceil(-entry.left / share) + 1
  }

  spend(purse: Purse, ms: number): void {
    this.#purses[purse].left -= ms
  }
}
