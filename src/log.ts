/**
 * What the parts see of the logger: an event with fields, and a sentence about it. `main` builds the real one; nothing
 * else knows which library writes it. Logging never blocks and never fails. Neither the sentence nor a field may hold
 * log content or a secret.
 *
 * The level is the event's (`events.ts`): a call at another level does not compile. How often an event is logged is not
 * the caller's concern: there is one limiter, at the root (`limiter.ts`), and its rule stands beside the event.
 */

import type { Level } from './events/rule.ts'
import type { LogEvent, LogEventAt } from './events.ts'

export interface Fields<E extends LogEvent = LogEvent> {
  /** What happened: the name stays when the sentence is reworded. */
  readonly event: E
  readonly [field: string]: unknown
}

/** Where lines go: a library's logger, which takes any event at any level. */
export type Lines = { [L in Level]: (fields: Fields, sentence: string) => void }

export type Logger = {
  [L in Level]: (fields: Fields<LogEventAt<L>>, sentence: string) => void
}

/** A logger whose lines carry `more`: which backend they are about, for example. */
export function withFields(logger: Logger, more: Readonly<Record<string, unknown>>): Logger {
  return {
    error: (fields, sentence) => logger.error({ ...more, ...fields }, sentence),
    warn: (fields, sentence) => logger.warn({ ...more, ...fields }, sentence),
    info: (fields, sentence) => logger.info({ ...more, ...fields }, sentence),
    debug: (fields, sentence) => logger.debug({ ...more, ...fields }, sentence),
  }
}
