/**
 * The stash: memory for the records that are aside, by source and file.
 *
 *     leaving ─► room in the share of its source? ─┬─ yes ─► copied, its slab can go
 *                                                  └─ no ──► waits in its slab; its file is read no further
 *
 * Guarantees: each source has a share of its own (`share.ts`), so that one whose records are refused takes no room that
 * another one needs; what waits keeps its order within its file, and delays no records of other files; where memory for
 * reading or sending is short, what waits longest is taken in, beyond its share, one slab after the other; a record that
 * is kept for long does not keep its neighbours; every record that was taken in is given back once, by `settle`.
 */
import type { Origin, Slab } from '../../chunk.ts'
import type { Outcome } from '../../ledger.ts'
import { keyOf, stretches } from '../encoding/files.ts'
import type { FrameRange } from '../encoding/frame-ranges.ts'
import type { Case } from '../outcome/evidence.ts'
import { alone, type Excerpt, excerptOf, settle } from './excerpt.ts'
import { Lane } from './lane.ts'
import { Share } from './share.ts'
import type { WaitGroup } from './wait-group.ts'

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
  readonly share: Share<AsideRecord>
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

/** Frames that leave their slab, all of one file. */
export interface Leaving {
  readonly slab: Slab
  readonly ranges: readonly FrameRange[]
  readonly waitGroup: WaitGroup
  /** When a request with them was refused first. */
  readonly since: number
  readonly booked: boolean
}

/** What is done with records as soon as they are taken in. */
type Use = (records: readonly AsideRecord[]) => void

/** Whether it has happened, or when there is room for it: false if the stash was closed. */
export type Taken = boolean | Promise<boolean>

/** Frames that wait in their slab for room. */
interface Waiting {
  readonly leaving: Leaving
  readonly use: Use
  readonly share: Share<AsideRecord>
  readonly lane: Lane<AsideRecord>
  readonly done: (taken: boolean) => void
}

export class Stash {
  /** By source, in the order in which they have their turns. */
  readonly shares = new Map<string, Share<AsideRecord>>()
  /** Called when a file that is withheld may be so no more. */
  onEased: () => void = () => {}
  readonly #memory: Uint8Array
  readonly #now: () => number
  /** In the order in which they came. */
  #waiting: Waiting[] = []
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

  /** Nothing is in it, and nothing waits. */
  get empty(): boolean {
    return this.shares.size === 0
  }

  /**
   * Copies frames out of their slab, all at once, as soon as there is room for them, and gives them to `use` in the same
   * turn.
   */
  take(leaving: Leaving, use: Use): Taken {
    if (this.#closed) return false
    const { share, lane } = this.#placeOf(leaving)
    if (this.#relieving) this.#admit(waiting => waiting.lane === lane)
    if (this.#relieving || (lane.waiting === 0 && share.admits(lane, leaving.waitGroup))) {
      use(this.#takeIn(leaving, share, lane))
      return true
    }
    const { promise, resolve } = Promise.withResolvers<boolean>()
    lane.waiting++
    this.#waiting.push({ leaving, use, share, lane, done: resolve })
    return promise
  }

  /** Takes in what waits and may be. What came first of a file comes first. */
  #admit(may: (waiting: Waiting) => boolean): void {
    for (let at = 0; at < this.#waiting.length; ) {
      const waiting = this.#waiting[at]!
      if (!may(waiting)) {
        at++
        continue
      }
      this.#waiting.splice(at, 1)
      const { leaving, use, share, lane, done } = waiting
      lane.waiting--
      use(this.#takeIn(leaving, share, lane))
      done(true)
    }
  }

  /** What waits in the slab that waits longest is taken in, so that the slab can go. */
  makeRoom(): void {
    const [first] = this.#waiting
    if (first === undefined) return
    const { slab } = first.leaving
    this.#admit(({ leaving }) => leaving.slab === slab)
    this.onEased()
  }

  #takeIn({ slab, ranges, waitGroup, since, booked }: Leaving, share: Share<AsideRecord>, lane: Lane<AsideRecord>) {
    const records: AsideRecord[] = []
    share.latest = waitGroup
    for (const [chunk, from, to] of stretches(slab, ranges)) {
      const excerpt = excerptOf(slab, this.#memory, chunk, from, to)
      share.grew(lane, costOf(excerpt))
      this.#records += to - from
      lane.records += to - from
      waitGroup.add(to - from)
      for (let index = 0; index < to - from; index++) {
        const place = this.#places++
        const [known, trouble] = [undefined, undefined]
        records.push({ lane, share, waitGroup, excerpt, index, place, since, booked, known, trouble })
      }
    }
    return records
  }

  /** Gives the record an excerpt of its own. */
  part(record: AsideRecord): void {
    if (record.excerpt.ends.length === 1) return
    const own = alone(record)
    record.share.grew(record.lane, costOf(own))
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
    const lane = this.shares.get(origin.source)?.lanes.get(keyOf(origin))
    return lane !== undefined && (lane.size > 0 || lane.doubts > 0 || lane.waiting > 0 || this.#isBad(lane))
  }

  /** No more should be read of this file for now. */
  withholds(origin: Origin): boolean {
    return this.shares.get(origin.source)?.withholds(keyOf(origin)) ?? false
  }

  /** While it is, all that comes is taken in: nothing of what is here can be sent before that has left its slab. */
  relieve(relieving: boolean): void {
    this.#relieving = relieving
    if (relieving) this.makeRoom()
  }

  /** Nothing is taken in any more; those that wait end. */
  close(): void {
    this.#closed = true
    for (const { done } of this.#waiting) done(false)
    this.#waiting = []
  }

  #placeOf({ slab, ranges }: Leaving): { share: Share<AsideRecord>; lane: Lane<AsideRecord> } {
    const { origin } = slab.chunks[slab.chunkAt(ranges[0]!.from)]!
    const key = keyOf(origin)
    let share = this.shares.get(origin.source)
    let lane = share?.lanes.get(key)
    if (share === undefined || lane === undefined) {
      // Lanes are forgotten here, where they become more.
      for (const each of this.shares.values()) this.#forget(each)
      share = this.shares.get(origin.source) ?? new Share(origin.source)
      lane = new Lane<AsideRecord>(key)
      this.shares.set(origin.source, share)
      share.lanes.set(key, lane)
    }
    return { share, lane }
  }

  #forget({ source, lanes }: Share<AsideRecord>): void {
    for (const lane of lanes.values()) {
      if (lane.records === 0 && lane.waiting === 0 && !this.#isBad(lane)) lanes.delete(lane.key)
    }
    if (lanes.size === 0) this.shares.delete(source)
  }

  #isBad({ condemned, condemnedAt }: Lane<AsideRecord>): boolean {
    return condemned >= BAD_FILE.records && this.#now() - condemnedAt < BAD_FILE.for
  }

  #release({ excerpt, lane, share }: AsideRecord): void {
    if (--excerpt.left > 0) return
    share.grew(lane, -costOf(excerpt))
    this.#admit(({ lane, leaving, ...waiting }) => waiting.share === share && share.admits(lane, leaving.waitGroup))
    this.onEased()
  }
}

function costOf({ bytes, ends }: Excerpt): number {
  return bytes.length + RECORD * ends.length
}
