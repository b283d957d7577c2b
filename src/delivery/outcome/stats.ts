/**
 * What delivery counts about one backend. Every map has a bounded number of keys, for each may become a label.
 */
import type { Verdict } from '../../backends/backend.ts'

/** Upper bounds of the buckets of request durations, in seconds; the last bucket has none. */
export const DURATION_BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30] as const

/** And of request bodies as they are sent, in bytes. */
export const SIZE_BOUNDS = [10, 12, 14, 16, 18, 20, 22, 24].map(power => 2 ** power)

/** `none`: there was no answer. */
export type StatusClass = '1xx' | '2xx' | '3xx' | '4xx' | '5xx' | 'none'

export interface RequestCount {
  readonly status: StatusClass
  readonly verdict: Verdict['kind']
  count: number
}

export interface LastError {
  readonly reason: string
  /** The backend's own words, where they may be repeated. */
  readonly detail: string | undefined
  /** What to correct, as the backend's judge knows it: `detail` is the same. */
  readonly advice?: string
  /** Milliseconds since the epoch. */
  readonly at: number
}

const MAX_REASONS = 64

export class DeliveryStats {
  readonly #requests = new Map<string, RequestCount>()
  readonly #retries = new Map<string, number>()
  /** Requests per bucket of `DURATION_BOUNDS`, not cumulated, and one more for the rest. */
  readonly durations: number[] = new Array(DURATION_BOUNDS.length + 1).fill(0)
  durationSeconds = 0
  /** The same, of `SIZE_BOUNDS`. */
  readonly sizes: number[] = new Array(SIZE_BOUNDS.length + 1).fill(0)
  sizeBytes = 0
  /** Bytes of payloads as they were encoded and as they went out, once per payload that was delivered. */
  payloadBytes = 0
  wireBytes = 0
  /** Payloads under way or waiting to be sent again. */
  inFlight = 0
  repairedSequences = 0
  truncatedRecords = 0
  /** Records sent as their line, or with the time of reading, for the backend does not take their fields, or their time. */
  baredRecords = 0
  retimedRecords = 0
  /** Milliseconds since the epoch. */
  lastDeliveredAt: number | undefined
  lastError: LastError | undefined

  get requests(): Iterable<Readonly<RequestCount>> {
    return this.#requests.values()
  }

  /** Attempts that will be repeated, by reason. */
  get retries(): ReadonlyMap<string, number> {
    return this.#retries
  }

  request(status: number | undefined, verdict: Verdict['kind'], seconds: number, bytes: number): void {
    const class_ = statusClass(status)
    const key = `${class_} ${verdict}`
    let row = this.#requests.get(key)
    if (row === undefined) {
      row = { status: class_, verdict, count: 0 }
      this.#requests.set(key, row)
    }
    row.count++
    this.durations[bucketOf(DURATION_BOUNDS, seconds)]!++
    this.durationSeconds += seconds
    this.sizes[bucketOf(SIZE_BOUNDS, bytes)]!++
    this.sizeBytes += bytes
  }

  /** A payload of so many bytes, and so many on the wire, was accepted. */
  accepted(payloadBytes: number, wireBytes: number): void {
    this.lastDeliveredAt = Date.now()
    this.payloadBytes += payloadBytes
    this.wireBytes += wireBytes
  }

  retry(reason: string): void {
    const key = this.#retries.has(reason) || this.#retries.size < MAX_REASONS ? reason : 'other'
    this.#retries.set(key, (this.#retries.get(key) ?? 0) + 1)
  }
}

function bucketOf(bounds: readonly number[], value: number): number {
  const bucket = bounds.findIndex(bound => value <= bound)
  return bucket === -1 ? bounds.length : bucket
}

function statusClass(status: number | undefined): StatusClass {
  if (status === undefined) return 'none'
  return (['1xx', '2xx', '3xx', '4xx', '5xx'] as const)[Math.floor(status / 100) - 1] ?? '5xx'
}
