/**
 * What one pipeline believes of its backend, shared by all its requests.
 *
 *        ┌────┐  fail   ┌──────────────────────┐
 *        │ up │ ──────► │ down or unauthorized │ ◄─┐ the probe failed: a longer wait
 *        └────┘ ◄────── └──────────────────────┘ ──┘
 *               succeed
 *
 * Guarantees: while the backend is not up there is at most one request under way that began after it went down
 * (the probe), and it begins no earlier than `nextAttemptAt`; all others wait. There is no last attempt: only
 * `stop` ends the waiting.
 *
 * Where it answers, and is only believed to be down because it refuses what it is sent, that may be for what is sent. So
 * a request with other records goes early, a quarter of a second after the last one at the latest; if it is refused too that changes
 * nothing for the others.
 */
import type { RetryOptions } from './options.ts'
import { backoff, SHORTEST_WAIT } from './retry.ts'

export type Health =
  | { readonly kind: 'up' }
  | {
      readonly kind: 'down' | 'unauthorized'
      /** When it began and when the next attempt is due: milliseconds since the epoch. */
      readonly since: number
      readonly nextAttemptAt: number
      /** The latest failure's reason, and how many failed in a row. */
      readonly reason: string
      readonly attempts: number
    }

/** Leave to send one request. Give it back with what came of it. */
export interface Pass {
  readonly probe: boolean
  /** It goes before the next attempt is due, for nothing is known of its records. */
  readonly early?: boolean
}

/** A failed attempt: `after` is the wait in milliseconds that the backend asked for. */
export interface Fault {
  readonly kind: 'down' | 'unauthorized'
  readonly reason: string
  readonly after?: number | undefined
  /** It refused what it was sent. */
  readonly refused?: boolean | undefined
}

/** The longest wait of a request with other records than those that are refused: milliseconds. */
const EARLY_WAIT = 250

/** The longest wait once there is a hurry: milliseconds. */
const HURRIED_WAIT = 1000

export class Circuit {
  readonly #options: RetryOptions
  readonly #random: () => number
  #health: Health = { kind: 'up' }
  #probing = false
  #hurried = false
  #stopped = false
  /** Monotonic twin of `nextAttemptAt`: the wall clock may jump. */
  #due = 0
  /** And when one is that has other records than those that were refused. */
  #earlyDue = 0
  #changed = Promise.withResolvers<void>()

  constructor(options: RetryOptions, random: () => number = Math.random) {
    this.#options = options
    this.#random = random
  }

  get health(): Health {
    return this.#health
  }

  get stopped(): boolean {
    return this.#stopped
  }

  /** Resolves when a request may go out, or to `undefined` after `stop`. `fresh`: nothing is known of its records. */
  async enter(fresh = false): Promise<Pass | undefined> {
    for (;;) {
      if (this.#stopped) return undefined
      if (this.#health.kind === 'up') return { probe: false }
      if (this.#probing) {
        await this.#changed.promise
        continue
      }
      const now = performance.now()
      const due = fresh ? this.#earlyDue : this.#due
      if (now >= due) {
        this.#probing = true
        return now < this.#due ? { probe: true, early: true } : { probe: true }
      }
      // Whatever wakes it, it looks again: it may be up, stopped, due sooner than it was, or another one may be the probe.
      await this.#sleep(due - now)
    }
  }

  /** The backend answered. Returns how long it had been down, in milliseconds, if it had. */
  succeed(pass: Pass): number | undefined {
    if (pass.probe) this.#probing = false
    if (this.#health.kind === 'up') return undefined
    const downFor = Date.now() - this.#health.since
    this.#health = { kind: 'up' }
    this.#wake()
    return downFor
  }

  /** The request was not sent after all. */
  leave(pass: Pass): void {
    if (!pass.probe) return
    this.#probing = false
    this.#wake()
  }

  /** The request failed in passing. Returns whether the backend was up (or out for another cause) until now. */
  fail(pass: Pass, { kind, reason, after, refused = false }: Fault): boolean {
    const before = this.#health
    if (pass.early && refused) {
      this.#earlyDue = performance.now() + EARLY_WAIT
      this.leave(pass)
      return false
    }
    // A request that was under way when another one failed says nothing new, and must not lengthen the wait.
    if (before.kind !== 'up' && !pass.probe) return false
    const attempts = before.kind === 'up' ? 1 : before.attempts + 1
    let wait = backoff(attempts, this.#options, this.#random)
    // Not before the time it asked for, and not all at that same time.
    if (after !== undefined) wait = Math.max(SHORTEST_WAIT, after + this.#random() * this.#options.initial)
    if (this.#hurried) wait = Math.min(wait, HURRIED_WAIT)
    this.#due = performance.now() + wait
    this.#earlyDue = refused ? Math.min(this.#due, performance.now() + EARLY_WAIT) : this.#due
    this.#health = {
      kind,
      since: before.kind === 'up' ? Date.now() : before.since,
      nextAttemptAt: Date.now() + wait,
      reason,
      attempts,
    }
    if (pass.probe) this.#probing = false
    this.#wake()
    return before.kind !== kind
  }

  /** The draining has begun: waits are cut short and stay short. */
  hurry(): void {
    this.#hurried = true
    this.#due = Math.min(this.#due, performance.now() + SHORTEST_WAIT)
    this.#earlyDue = Math.min(this.#earlyDue, this.#due)
    this.#wake()
  }

  /** No request may go out any more; those that wait end. */
  stop(): void {
    this.#stopped = true
    this.#wake()
  }

  #wake(): void {
    this.#changed.resolve()
    this.#changed = Promise.withResolvers()
  }

  async #sleep(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, ms)
    void this.#changed.promise.then(resolve)
    await promise
    clearTimeout(timer)
  }
}
