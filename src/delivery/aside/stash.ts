/**
 * The stash: memory for the records that are aside, by file.
 *
 * Guarantees: it takes no more in once it holds a mebibyte, so it never holds more than that and what one slab has; a record that is
 * kept for long does not keep its neighbours; every record that was taken in is given back once, by `settle`.
 */
import type { Origin, Slab } from '../../chunk.ts'
import type { Outcome } from '../../ledger.ts'
import { CapacityQueue } from '../capacity.ts'
import { keyOf, stretches } from '../encoding/files.ts'
import type { FrameRange } from '../encoding/frame-ranges.ts'
import type { Case } from '../outcome/evidence.ts'
import { alone, type Excerpt, excerptOf, settle } from './excerpt.ts'
import { Lane } from './lane.ts'
import type { WaitGroup } from './wait-group.ts'

/** Bytes beyond which nothing more is taken in, and beyond which no more should be read of one file. */
const FULL = 1024 * 1024
const LANE_FULL = 128 * 1024

/** What a record costs besides its bytes. */
const RECORD = 100

/** A file is sent apart while so many of its records were found at fault, the last not longer ago: milliseconds. */
const BAD_FILE = { records: 3, for: 30_000 }

/** Why a record stands apart from those of its file. */
export type Trouble =
  /** It was refused alone. `byName`: among others. */
  | {
      readonly kind: 'refused'
      readonly byName: boolean
      /** When it is retried at the latest: milliseconds. */
      due: number
    }
  /** It fails for itself, as far as is known. */
  | {
      readonly kind: 'failing'
      readonly since: number
      attempts: number
      /** When it failed last, in the time of the evidence. */
      latest: number
      readonly byName: boolean
      /** Nothing had been accepted when it failed last: it may be the address. */
      doubt: boolean
      due: number
    }

export interface AsideRecord {
  readonly lane: Lane<AsideRecord>
  readonly waitGroup: WaitGroup
  excerpt: Excerpt
  index: number
  readonly place: number
  since: number
  /** What was mended in it has been booked. */
  booked: boolean
  /** What is known of it from refusals of it alone. */
  known: Case | undefined
  trouble: Trouble | undefined
}

/** Frames that leave their slab. */
export interface Leaving {
  readonly slab: Slab
  readonly ranges: readonly FrameRange[]
  readonly waitGroup: WaitGroup
  /** When a request with them was refused first. */
  readonly since: number
  readonly booked: boolean
}

export class Stash {
  readonly lanes = new Map<string, Lane<AsideRecord>>()
  /** Called when a file that is withheld may be so no more. */
  onEased: () => void = () => {}
  readonly #memory: Uint8Array
  readonly #now: () => number
  /** What waits until it holds less. */
  readonly #queue = new CapacityQueue()
  #bytes = 0
  #records = 0
  #places = 0
  #relieving = false
  #closed = false

  /** `now` as `performance.now`. */
  constructor(memory: Uint8Array, now: () => number) {
    this.#memory = memory
    this.#now = now
  }

  /** Records in it. */
  get records(): number {
    return this.#records
  }

  get full(): boolean {
    return this.#bytes >= FULL
  }

  /** Copies frames out of their slab, all at once, as soon as it is not full; `undefined` if it was closed meanwhile. */
  async take(leaving: Leaving): Promise<AsideRecord[] | undefined> {
    const taken = await this.#queue.enter(() => {
      if (this.#closed) return 'closed'
      return this.full && !this.#relieving ? undefined : this.#takeIn(leaving)
    })
    return taken === 'closed' ? undefined : taken
  }

  #takeIn({ slab, ranges, waitGroup, since, booked }: Leaving): AsideRecord[] {
    const records: AsideRecord[] = []
    for (const [chunk, from, to] of stretches(slab, ranges)) {
      const lane = this.#lane(chunk.origin)
      const excerpt = excerptOf(slab, this.#memory, chunk, from, to)
      this.#grew(lane, costOf(excerpt))
      this.#records += to - from
      lane.records += to - from
      waitGroup.add(to - from)
      for (let index = 0; index < to - from; index++) {
        records.push({
          lane,
          waitGroup,
          excerpt,
          index,
          place: this.#places++,
          since,
          booked,
          known: undefined,
          trouble: undefined,
        })
      }
    }
    return records
  }

  /** Gives the record an excerpt of its own. */
  part(record: AsideRecord): void {
    if (record.excerpt.ends.length === 1) return
    const own = alone(record)
    this.#grew(record.lane, costOf(own))
    this.#release(record)
    record.excerpt = own
    record.index = 0
  }

  /** The record has settled, and is gone. */
  settle(record: AsideRecord, outcome: Outcome): void {
    settle(record, outcome)
    this.#records--
    record.lane.records--
    this.#release(record)
    record.waitGroup.settle()
  }

  /** Records of this file must not pass those that are here, or spoil the requests of others. */
  holds(origin: Origin): boolean {
    const lane = this.lanes.get(keyOf(origin))
    return lane !== undefined && (lane.size > 0 || lane.doubts > 0 || this.#isBad(lane))
  }

  /** No more should be read of this file for now. */
  withholds(origin: Origin): boolean {
    const lane = this.lanes.get(keyOf(origin))
    return lane !== undefined && lane.size > 0 && (this.full || lane.bytes >= LANE_FULL)
  }

  /** While it is, all is taken in: nothing of what is here can be sent before what waits has left its slab. */
  relieve(relieving: boolean): void {
    this.#relieving = relieving
    if (relieving) this.#queue.released()
  }

  /** Nothing is taken in any more; those that wait end. */
  close(): void {
    this.#closed = true
    this.#queue.released()
  }

  #lane(origin: Origin): Lane<AsideRecord> {
    const key = keyOf(origin)
    const known = this.lanes.get(key)
    if (known) return known
    // Lanes are forgotten here, where they become more.
    for (const lane of this.lanes.values()) if (lane.records === 0 && !this.#isBad(lane)) this.lanes.delete(lane.key)
    const lane = new Lane<AsideRecord>(key)
    this.lanes.set(key, lane)
    return lane
  }

  #isBad({ condemned, condemnedAt }: Lane<AsideRecord>): boolean {
    return condemned >= BAD_FILE.records && this.#now() - condemnedAt < BAD_FILE.for
  }

  #release({ excerpt, lane }: AsideRecord): void {
    if (--excerpt.left > 0) return
    this.#grew(lane, -costOf(excerpt))
    this.#queue.released()
    this.onEased()
  }

  #grew(lane: Lane<AsideRecord>, bytes: number): void {
    lane.bytes += bytes
    this.#bytes += bytes
  }
}

function costOf({ bytes, ends }: Excerpt): number {
  return bytes.length + RECORD * ends.length
}
