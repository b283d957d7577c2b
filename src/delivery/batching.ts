/**
 * When a batch is sent: the one place that says what the options of a batch mean.
 *
 *     requests under way       a batch that is full      one that is not
 *     none                     now                       `linger` after its first line was read
 *     some; one more may start now                       `maxAge` after its first line was read
 *     `concurrency`            as above, once one of them has ended
 *
 * A batch is full when it has `maxRecords` lines, or as many bytes of lines as probably make a payload of `maxBytes`.
 * Only a single record can make a payload that is larger, and goes alone. While the shipper drains every batch counts as
 * full.
 *
 * So `maxAge` is how long a line waits for company where it need not wait for anything else, and `linger` is the same
 * for an idle backend; it is never more than `maxAge`. With `concurrency: 1` a batch gathers for as long as the request
 * before it takes, and has then waited: it goes at once, or when `linger` is over.
 */

/** A batch as it stands. */
export interface Gathered {
  readonly full: boolean
  /** When its first line was read: milliseconds of the clock that `now` is read from. */
  readonly since: number
}

export interface BatchingRules {
  readonly concurrency: number
  /** Milliseconds. */
  readonly batch: { readonly maxAge: number; readonly linger: number }
}

/** `at`: not before that time, unless something changes. `on-release`: not before a request has ended. */
export type When = 'now' | 'on-release' | { readonly at: number }

/** When it goes, with so many requests under way. */
export function when(
  { full, since }: Gathered,
  sending: number,
  now: number,
  { concurrency, batch }: BatchingRules,
): When {
  if (sending >= concurrency) return 'on-release'
  if (full) return 'now'
  const at = since + (sending === 0 ? batch.linger : batch.maxAge)
  return now >= at ? 'now' : { at }
}
