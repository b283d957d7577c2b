/**
 * A value that ends after a time, obtained by an exchange and renewed before its end. The same machine for all identities.
 *
 *     none ──► obtained, once for all who wait ──► held ─┬─ soon over ──► obtained anew beside it, held meanwhile
 *      ▲                                                 ├─ over ─┐
 *      └─────────────────────────────────────────────────┴─ refused, though it had been accepted
 *
 * Guarantees: at most one exchange is under way; none is waited for while the value still holds; after a failure, or
 * a new value that was refused, there is none for a time that is random and doubles, however many requests ask; a value
 * that has run out, or was refused after it had been accepted, is not given again. Never rejects.
 */
import type { RetryOptions } from '../options.ts'
import { backoff } from '../retry.ts'

/**
 * A value is renewed when this share of its life is over, drawn for each: so many pods that started together do not ask
 * together, and a server that gives out the same value until shortly before its end is asked a few times more.
 */
const RENEWED = { from: 0.7, to: 0.9 }

/** No more than two exchanges succeed within so many milliseconds. */
const APART = 20_000

const RETRY: RetryOptions = { initial: 1_000, max: 60_000 }

/**
 * What an exchange came to. `life`: milliseconds from when it was asked for, infinite if it does not end. `again`: after
 * how many of them there may be another one all the same.
 */
export type Exchanged<T> =
  | { readonly kind: 'value'; readonly value: T; readonly life: number; readonly again?: number }
  /** `code` is bounded. */
  | { readonly kind: 'failure'; readonly code: string }

export type Current<T> =
  | { readonly kind: 'value'; readonly value: T }
  | { readonly kind: 'failure'; readonly code: string }

interface Held<T> {
  readonly value: T
  /** Monotonic milliseconds. */
  renew: number
  readonly end: number
  worked: boolean
}

export interface RenewalOptions<T> {
  /** Never rejects. `held`: there is a value that still holds, so that a failure is no trouble yet. */
  readonly exchange: (held: boolean) => Promise<Exchanged<T>>
  /** Monotonic milliseconds. */
  readonly now?: () => number
  /** As `Math.random`. */
  readonly random?: () => number
}

export class Renewal<T extends object> {
  readonly #exchange: RenewalOptions<T>['exchange']
  readonly #now: () => number
  readonly #random: () => number
  #held: Held<T> | undefined
  /** Those that were refused after they had been accepted. */
  readonly #dropped = new WeakSet<T>()
  #exchanging: Promise<Current<T>> | undefined
  /** Failures and refusals of new values, in a row; no exchange begins before `next`. */
  #failures = 0
  #next = Number.NEGATIVE_INFINITY
  /** When the last exchange that succeeded began. */
  #begun = Number.NEGATIVE_INFINITY
  #code = 'unavailable'

  constructor({ exchange, now = () => performance.now(), random = Math.random }: RenewalOptions<T>) {
    this.#exchange = exchange
    this.#now = now
    this.#random = random
  }

  async current(): Promise<Current<T>> {
    const now = this.#now()
    const held = this.#held
    if (held !== undefined && now < held.end) {
      if (now >= held.renew && now >= this.#next) void this.#obtain(true)
      return { kind: 'value', value: held.value }
    }
    if (this.#exchanging === undefined && now < this.#next) return { kind: 'failure', code: this.#code }
    return this.#obtain(false)
  }

  /** A request with this value was not refused. */
  worked(value: T): void {
    if (this.#held?.value !== value || this.#held.worked) return
    this.#held.worked = true
    this.#failures = 0
  }

  /** It was. Returns whether there is, or may be had at once, another one that may well be accepted. */
  refused(value: T): boolean {
    const held = this.#held
    // Several requests may have gone out with it.
    if (held?.value !== value) return held !== undefined || this.#dropped.has(value)
    if (held.worked) {
      this.#dropped.add(value)
      this.#held = undefined
      this.#code = 'refused'
      return this.#now() >= this.#next
    }
    // A new one is refused: another would be as well, most likely. It is asked for, but not with every request.
    if (held.renew > this.#now()) {
      held.renew = this.#now()
      this.#failed()
    }
    return false
  }

  #obtain(held: boolean): Promise<Current<T>> {
    this.#exchanging ??= this.#exchanged(held).finally(() => {
      this.#exchanging = undefined
    })
    return this.#exchanging
  }

  async #exchanged(held: boolean): Promise<Current<T>> {
    const begun = this.#now()
    const got = await this.#exchange(held)
    if (got.kind === 'failure') {
      this.#code = got.code
      this.#failed()
      return got
    }
    const { value, life, again } = got
    const { from, to } = RENEWED
    const renew = begun + (again ?? life * (from + this.#random() * (to - from)))
    this.#held = { value, renew, end: begun + life, worked: false }
    this.#next = Math.max(this.#next, this.#begun + APART)
    this.#begun = begun
    return { kind: 'value', value }
  }

  #failed(): void {
    this.#failures++
    this.#next = this.#now() + backoff(this.#failures, RETRY, this.#random)
  }
}
