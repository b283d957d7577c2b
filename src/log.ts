/**
 * What the rooms see of the logger: an event with fields, and a sentence about it. `main` builds the real one; nothing
 * else knows which library writes it. Saying something never blocks and never fails. Neither the sentence nor a field may
 * hold log content or a secret.
 *
 * Levels by consequence: `error` data was lost or a human is needed · `warn` something is wrong, no data has been
 * lost · `info` a turn in the life of the process · `debug` for us.
 *
 * How often the same is said is nobody's affair who says it: there is one limiter, at the root (`limiter.ts`), and what
 * it does with an event stands in `events.ts`.
 */
import type { Event } from './events.ts'

export interface Fields {
  /** What happened: the name stays when the sentence is reworded. */
  readonly event: Event
  readonly [field: string]: unknown
}

export interface Logger {
  error(fields: Fields, sentence: string): void
  warn(fields: Fields, sentence: string): void
  info(fields: Fields, sentence: string): void
  debug(fields: Fields, sentence: string): void
}

export type Level = keyof Logger

/** A logger whose lines carry `more`: which backend they are about, for example. */
export function withFields(logger: Logger, more: Readonly<Record<string, unknown>>): Logger {
  const saying = (level: Level) => (fields: Fields, sentence: string) => logger[level]({ ...more, ...fields }, sentence)
  return { error: saying('error'), warn: saying('warn'), info: saying('info'), debug: saying('debug') }
}
