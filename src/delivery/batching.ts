/**
 * When a batch is sent: the one place that says what the options of a batch mean.
 *
 *     requests under way       a batch that is full      one that is not
 *     fewer than `concurrency` now                       `interval` after the last request was begun; at once if that is past
 *     `concurrency`            as above, once one of them has ended
 *
 * A batch is full when it has `maxRecords` lines, or as many bytes of lines as probably make a payload of `maxBytes`.
 * Only a single record can make a payload that is larger, and goes alone. While the shipper drains every batch counts as
 * full.
 *
 * So a line after silence goes at once, a backlog as fast as the backend takes it, and what comes in between gathers:
 * no line waits longer than `interval` for a request that may start. 0: nothing waits for company. With
 * `concurrency: 1` a batch gathers for as long as the request before it takes, whatever `interval` is.
 *
 * Files are looked at when a request may start (`tail/following/scheduler.ts`), and no timer is that exact: what a look
 * finds may go up to an eighth of `interval` early, or each look would be followed by a wait for the rest.
 */

export interface BatchingRules {
  readonly concurrency: number
  /** Milliseconds. */
  readonly batch: { readonly interval: number }
}

/** `at`: not before that time, unless something changes. `on-release`: not before a request has ended. */
export type When = 'now' | 'on-release' | { readonly at: number }

/** Before the first request. */
export const NEVER_BEGUN = Number.NEGATIVE_INFINITY

/** By how much of `interval` a batch may be early. */
export const EARLY = 1 / 8

/**
 * When it goes, with so many requests under way of which the last was begun at `begun`: milliseconds of the clock that
 * `now` is read from.
 */
export function when(
  full: boolean,
  sending: number,
  begun: number,
  now: number,
  { concurrency, batch: { interval } }: BatchingRules,
): When {
  if (sending >= concurrency) return 'on-release'
  if (full || now >= begun + interval * (1 - EARLY)) return 'now'
  return { at: begun + interval }
}
