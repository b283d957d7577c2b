/**
 * Says that records are not what their source says: once for each source, and again after an hour if it still happens. An
 * application may write a thousand such lines a second; the metric counts them.
 */
import type { Origin } from '../chunk.ts'
import type { Logger } from '../log.ts'

const HOUR = 3_600_000

export class UnparsedNotices {
  readonly #log: Logger
  readonly #now: () => number
  /** When each source may be named again, by the monotonic clock. */
  readonly #quietUntil = new Map<string, number>()

  constructor(log: Logger, now: () => number = () => performance.now()) {
    this.#log = log
    this.#now = now
  }

  say({ source, path }: Origin): void {
    const now = this.#now()
    if (now < (this.#quietUntil.get(source) ?? 0)) return
    this.#quietUntil.set(source, now + HOUR)
    const sentence = 'records are in none of the formats that parse of their source names; they go without fields'
    this.#log.warn({ event: 'records_unparsed', source, path, key: 'sources[].parse' }, sentence)
  }
}
