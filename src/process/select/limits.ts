/**
 * Limits of so much a second: a bucket for each file, or for a source, and which files wait until theirs has something.
 *
 * Guarantees: what waits is in its file, and nowhere else; buckets that are full again are forgotten, so there are never
 * many more than files that were read in the last seconds.
 */
import type { Origin } from '../../chunk.ts'
import type { Bucket } from '../../kernel/kernel.ts'

/** Buckets that may be kept before full ones are looked for. */
const MOST = 256
/** Milliseconds in which any bucket that owes nothing is full. */
const FILLED = 1000

export interface LimitStep {
  readonly bytes: number
  readonly records: number
  readonly per: 'file' | 'source'
}

/** The buckets of one limit. */
export class Buckets {
  readonly #step: LimitStep
  readonly #buckets = new Map<string, Bucket>()
  #most = MOST

  constructor(step: LimitStep) {
    this.#step = step
  }

  /** The bucket of a file, or of all files of its source. */
  of({ source, path }: Origin, now: number): Bucket {
    const key = this.#step.per === 'file' ? path : source
    const known = this.#buckets.get(key)
    if (known !== undefined) return known
    if (this.#buckets.size >= this.#most) this.#forget(now)
    const { bytes, records } = this.#step
    // The first record fills it: at no time has it been filled.
    const bucket: Bucket = { bytes, records, filledAt: 0, bytesPerMs: bytes / 1000, recordsPerMs: records / 1000 }
    this.#buckets.set(key, bucket)
    return bucket
  }

  /** Milliseconds until the bucket of this file has something in it. */
  waitOf({ source, path }: Origin, now: number): number {
    const bucket = this.#buckets.get(this.#step.per === 'file' ? path : source)
    return bucket === undefined ? 0 : Math.max(0, bucket.filledAt + owes(bucket) - now)
  }

  #forget(now: number): void {
    for (const [key, bucket] of this.#buckets) {
      if (bucket.filledAt + owes(bucket) + FILLED < now) this.#buckets.delete(key)
    }
    this.#most = Math.max(MOST, 2 * this.#buckets.size)
  }
}

/** Milliseconds of filling after which a bucket owes nothing. */
function owes({ bytes, records, bytesPerMs, recordsPerMs }: Bucket): number {
  const forBytes = bytesPerMs > 0 && bytes <= 0 ? (1 - bytes) / bytesPerMs : 0
  const forRecords = recordsPerMs > 0 && records <= 0 ? (1 - records) / recordsPerMs : 0
  return Math.max(forBytes, forRecords)
}
