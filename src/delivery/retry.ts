/**
 * How long to wait before the next attempt.
 *
 * Full jitter: the wait is drawn evenly from zero to a bound that doubles with every failed attempt, so that a thousand
 * pods that lost their backend together do not come back together.
 */
import type { RetryOptions } from './options.ts'

/** No wait is shorter, whatever was drawn: milliseconds. */
export const SHORTEST_WAIT = 50

/** The longest wait that a backend may ask for: milliseconds. */
export const LONGEST_RETRY_AFTER = 5 * 60_000

/** Milliseconds to wait after the `attempts`-th failed attempt in a row (from 1); `random` is as `Math.random`. */
export function backoff(attempts: number, { initial, max }: RetryOptions, random: () => number): number {
  const bound = Math.min(max, initial * 2 ** Math.min(attempts - 1, 30))
  return Math.max(SHORTEST_WAIT, random() * bound)
}

/**
 * The `Retry-After` field (RFC 9110 §10.2.3), a number of seconds or a date, as milliseconds from `now` (milliseconds
 * since the epoch); `undefined` if there is none or it cannot be read. Never negative, never over five minutes: a
 * typing error in someone's proxy must not stop a log for a day.
 */
export function retryAfter(field: string | undefined, now: number): number | undefined {
  const text = field?.trim()
  if (!text) return undefined
  const wait = /^\d+$/.test(text) ? Number(text) * 1000 : httpDate(text) - now
  return Number.isNaN(wait) ? undefined : Math.min(Math.max(wait, 0), LONGEST_RETRY_AFTER)
}

// `Date.parse` alone would take far more than the three forms of RFC 9110 §5.6.7 (a bare "12-3", say). All three begin
// with the day's name; the asctime form says no zone and means GMT.
function httpDate(text: string): number {
  if (!/^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? /.test(text)) return Number.NaN
  return Date.parse(text.endsWith('GMT') ? text : `${text} GMT`)
}
