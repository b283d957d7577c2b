/**
 * Says that records are not what their source or their backend says: once for each source, and again after an hour if it
 * still happens. An application may write a thousand such lines a second; the metrics count them.
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

/** What a backend does not do for records. */
export interface Limited {
  readonly backend: string
  /** The key that says how many different ones there may be. */
  readonly key: string
  readonly most: number
}

export class UnparsedNotices {
  readonly #log: Logger
  readonly #now: () => number
  /** When each of them may be named again, by the monotonic clock. */
  readonly #quietUntil = new Map<string, number>()

  constructor(log: Logger, now: () => number = () => performance.now()) {
    this.#log = log
    this.#now = now
  }

  say({ source, path }: Origin, event: keyof typeof SENTENCES = 'records_unparsed'): void {
    if (!this.#mayName(`${event} ${source}`)) return
    const { key, sentence } = SENTENCES[event]
    this.#log.warn({ event, source, path, key }, sentence)
  }

  /** Records have more different labels, or names of indices, than there may be. */
  limited({ source, path }: Origin, { backend, key, most }: Limited): void {
    if (!this.#mayName(`cardinality_limited ${source} ${backend}`)) return
    const fields = { event: 'cardinality_limited', backend, source, path, key: `backends[].${key}`, most } as const
    this.#log.warn(fields, 'records have too many different values; others go without labels or an index of their own')
  }

  #mayName(subject: string): boolean {
    const now = this.#now()
    if (now < (this.#quietUntil.get(subject) ?? 0)) return false
    this.#quietUntil.set(subject, now + HOUR)
    return true
  }
}
