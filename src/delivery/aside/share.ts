/**
 * A share: what one source may have aside, and how that is divided among its files.
 *
 *     here, of the source          more of a file that has much here     of one that has little
 *     less than a mebibyte         is taken in                           is taken in
 *     more, most of it one file’s  waits                                 is taken in
 *     a mebibyte of the others     waits                                 waits, and no file is read
 *
 * Guarantees: one file that is refused from end to end takes no room from the others of its source; all of them together
 * have a bounded one, two mebibytes and what two slabs have. So many records of a source may fail for themselves at the
 * same time; while they do, its other records that are here wait in the lanes of their files.
 */
import type { Lane, Queued } from './lane.ts'

/** Bytes that a source may have here, beside its largest file too; and of which one file has much. */
const FULL = 1024 * 1024
const LANE_FULL = 128 * 1024
/** Records of a source that may fail for themselves at the same time. */
const MOST_FAILING = 64

export class Share<R extends Queued = Queued> {
  readonly source: string
  /** By file, in the order in which they have their turns. */
  readonly lanes = new Map<string, Lane<R>>()
  /** The wait group of the slab of which something was taken in last: the rest of it may follow, so that it can go. */
  latest: object | undefined
  /** Records of it that fail for themselves. */
  failing = 0
  #bytes = 0
  /** Bytes of all files but the largest; undefined: to be reckoned anew. */
  #others: number | undefined

  constructor(source: string) {
    this.source = source
  }

  /** So many bytes more are kept of this file. */
  grew(lane: Lane<R>, bytes: number): void {
    lane.bytes += bytes
    this.#bytes += bytes
    this.#others = undefined
  }

  /** There is room for more of this file, from the slab of this wait group. */
  admits({ bytes }: Lane<R>, waitGroup: object): boolean {
    return this.#bytes < FULL || this.latest === waitGroup || (bytes < LANE_FULL && !this.#crowded)
  }

  /** One more of its records may fail for itself. */
  get mayFail(): boolean {
    return this.failing < MOST_FAILING
  }

  /** No more should be read of this file for now: much of it is here or waits, or much is here of many files. */
  withholds(key: string): boolean {
    const lane = this.lanes.get(key)
    if (lane !== undefined && (lane.waiting > 0 || (lane.size > 0 && lane.bytes >= LANE_FULL))) return true
    return this.#crowded
  }

  get #crowded(): boolean {
    if (this.#bytes < FULL) return false
    if (this.#others === undefined) {
      let largest = 0
      for (const { bytes } of this.lanes.values()) largest = Math.max(largest, bytes)
      this.#others = this.#bytes - largest
    }
    return this.#others >= FULL
  }
}
