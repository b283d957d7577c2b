/**
 * Says that records are not what their source says: once for each source, and again after an hour if it still happens. An
 * application may write a thousand such lines a second; the metrics count them.
 */
import type { Origin } from '../chunk.ts'
import type { Logger } from '../log.ts'

const HOUR = 3_600_000

/** What is not as its source says. */
const SENTENCES = {
  records_unparsed: {
    key: 'sources[].parse',
    sentence: 'records are in none of the formats that parse of their source names; they go without fields',
  },
  times_unread: {
    key: 'sources[].time',
    sentence: 'times of records cannot be read, or cannot be right; they have the time at which they were read',
  },
} as const

export class UnparsedNotices {
  readonly #log: Logger
  readonly #now: () => number
  /** When each source may be named again, by the monotonic clock. */
  readonly #quietUntil = new Map<string, number>()

  constructor(log: Logger, now: () => number = () => performance.now()) {
    this.#log = log
    this.#now = now
  }

  say({ source, path }: Origin, event: keyof typeof SENTENCES = 'records_unparsed'): void {
    const now = this.#now()
    const subject = `${event} ${source}`
    if (now < (this.#quietUntil.get(subject) ?? 0)) return
    this.#quietUntil.set(subject, now + HOUR)
    const { key, sentence } = SENTENCES[event]
    this.#log.warn({ event, source, path, key }, sentence)
  }
}
