/**
 * Aside: records that left the stream, so that it goes on without them.
 *
 *     a request was refused ─► the records of its file ─► lane, searched ─┬─► delivered
 *     refused alone, or failing for itself ─► case, retried ──────────────┴─► rejected
 *
 * Guarantees: the records of a file keep their order, but for those that were refused or failed alone; no record is
 * rejected for another one's sake; what is aside has a bound in bytes for each source, beyond which its records wait and
 * the stream goes on; what is refused costs at most half of the time, and two hundred requests a second; sources, files
 * and records that fail for themselves have turns. Records use the arena only while they are sent.
 */
import type { Budget } from '../../budget.ts'
import type { Origin, Slab } from '../../chunk.ts'
import type { Kernel } from '../../kernel/kernel.ts'
import type { CapacityQueue } from '../capacity.ts'
import type { RecordTimes } from '../encoding/record-times.ts'
import type { Evidence } from '../outcome/evidence.ts'
import { TOO_LARGE } from '../outcome/settlement.ts'
import type { Sender } from '../sender.ts'
import { type Cases, companions } from './cases.ts'
import type { Conclusions } from './conclusions.ts'
import { slabOf } from './excerpt.ts'
import type { Lane } from './lane.ts'
import type { RecordFailure } from './record-failure.ts'
import type { AsideRecord, Leaving, Stash, Taken } from './stash.ts'
import type { WaitGroup } from './wait-group.ts'

/** After a refusal the search rests for as long as that took, and at least so long: milliseconds. */
const REST = 5

/** So many records that were refused alone are tried alone again; more are searched. */
const FEW = 4

/** Records that are sent together. `more`: others follow at once, if these are refused. */
interface Trial {
  readonly records: readonly AsideRecord[]
  readonly more: boolean
}

export interface AsideFields {
  readonly kernel: Kernel
  readonly budget: Budget
  readonly sender: Sender
  readonly evidence: Evidence
  readonly stash: Stash
  readonly cases: Cases
  readonly conclusions: Conclusions
  readonly recordTimes: RecordTimes
  /** Where slabs wait for memory. */
  readonly slabs: CapacityQueue
  /** As `performance.now`, and as `Date.now`. */
  readonly now: () => number
  readonly wall: () => number
}

export class Aside {
  readonly #fields: AsideFields
  readonly #waitGroups = new Set<WaitGroup>()
  #running = false
  #stopped = false
  #hurried = false
  #filesFirst = true
  /** Resolved when something has changed that may be reason to try something. */
  #changed = Promise.withResolvers<void>()
  readonly #ended = Promise.withResolvers<void>()

  constructor(fields: AsideFields) {
    this.#fields = fields
    fields.evidence.onAccepted = () => this.look()
  }

  /** Records of this file must not pass those that are here, or spoil the requests of others. */
  holds(origin: Origin): boolean {
    return this.#fields.stash.holds(origin)
  }

  /** Something of this source is here, or was a while ago. */
  suspects(source: string): boolean {
    return this.#fields.stash.shares.has(source)
  }

  get empty(): boolean {
    return this.#fields.stash.empty
  }

  /** Memory for reading is short: what waits to be taken in is. */
  makeRoom(): void {
    this.#fields.stash.makeRoom()
  }

  /**
   * Takes frames of one file in, once there is room for them. `tainted`: one of them at least is at fault. False if that
   * was abandoned.
   */
  add(leaving: Leaving, tainted = false): Taken {
    return this.#take(leaving, records => {
      const [{ lane }] = records as [AsideRecord]
      if (tainted) lane.add(records, true)
      else for (const record of records) lane.add([record])
    })
  }

  /** Takes frames of one file in that stand apart, once there is room for them. False if that was abandoned. */
  hold(leaving: Leaving, failure: RecordFailure, words: string | undefined): Taken {
    return this.#take(leaving, records => this.#fields.conclusions.hold(records, failure, words))
  }

  /** Waits are cut short and stay short. */
  hurry(): void {
    this.#hurried = true
    this.#fields.cases.hurry()
    this.look()
  }

  /** No request is begun any more; what has not settled is abandoned. */
  stop(): void {
    this.#stopped = true
    this.#ended.resolve()
    this.#fields.stash.close()
    this.look()
    if (!this.#running) this.#abandon()
  }

  /** Something has changed that may be reason to try something. */
  look(): void {
    this.#changed.resolve()
    this.#changed = Promise.withResolvers()
  }

  #abandon(): void {
    for (const waitGroup of this.#waitGroups) waitGroup.abandon()
    this.#waitGroups.clear()
  }

  #take(leaving: Leaving, use: (records: readonly AsideRecord[]) => void): Taken {
    const { waitGroup } = leaving
    if (this.#stopped) return false
    if (!this.#waitGroups.has(waitGroup)) {
      this.#waitGroups.add(waitGroup)
      void waitGroup.done.then(() => this.#waitGroups.delete(waitGroup))
    }
    return this.#fields.stash.take(leaving, records => {
      use(records)
      if (!this.#running) {
        this.#running = true
        void this.#run()
      }
      this.look()
    })
  }

  async #run(): Promise<void> {
    const { now, cases, stash } = this.#fields
    while (!this.#stopped && stash.records > 0) {
      const changed = this.#changed.promise
      const trial = this.#choose()
      if (trial === undefined) {
        const due = cases.due()
        await until(changed, due === undefined ? undefined : due - now())
        continue
      }
      const began = performance.now()
      const refused = await this.#try(trial)
      // A file of which nothing waits any more is withheld no more, even if all of what it has here stays.
      stash.onEased()
      if (refused && !trial.more) await until(this.#ended.promise, Math.max(REST, performance.now() - began))
    }
    this.#running = false
    if (this.#stopped) this.#abandon()
  }

  /** What to try next: what fails for itself and is due, and the files, in turns. */
  #choose(): Trial | undefined {
    this.#filesFirst = !this.#filesFirst
    return this.#filesFirst ? (this.#ofFiles() ?? this.#failing()) : (this.#failing() ?? this.#ofFiles())
  }

  #failing(): Trial | undefined {
    const records = this.#fields.cases.failing()
    return records.length > 0 ? { records, more: false } : undefined
  }

  /** Of the files, source by source. */
  #ofFiles(): Trial | undefined {
    const { stash } = this.#fields
    for (const share of stash.shares.values()) {
      for (const lane of share.lanes.values()) {
        const trial = this.#of(lane, share.mayFail)
        if (trial === undefined) continue
        // The next time the other sources come first, and the other files of this one.
        if (!trial.more) {
          toEnd(share.lanes, lane.key, lane)
          toEnd(stash.shares, share.source, share)
        }
        return trial
      }
    }
    return undefined
  }

  /** What to try next of one file. `mayFail`: there is room for what fails for itself. */
  #of(lane: Lane<AsideRecord>, mayFail: boolean): Trial | undefined {
    const { evidence, cases, now } = this.#fields
    let proven = cases.proven(lane, Number.POSITIVE_INFINITY)
    if (proven.length > FEW && !proven[0]!.trouble!.byName) {
      // Most of them were refused for nothing: they are searched like others, and what is known of them stays known.
      for (const record of proven) cases.close(record)
      lane.restore(proven)
      proven = []
    }
    const [first] = proven
    if (first && first.place < lane.head) {
      return { records: companions(proven.filter(({ place }) => place < lane.head)), more: false }
    }
    const doubted = cases.unproven(lane)
    if (doubted === undefined || (doubted.known && evidence.pointsToRecord(doubted.known))) {
      const records = mayFail ? lane.next(first?.place) : []
      if (records.length > 0) return { records, more: false }
    } else if (mayFail && lane.size > 0 && (!evidence.doubting || evidence.stubborn || this.#hurried)) {
      const { records, more } = lane.further()
      return records.length > 0 ? { records, more } : { records: [doubted], more: lane.begin() }
    }
    const due = doubted && (evidence.doubting || doubted.trouble!.due <= now())
    return due ? { records: [doubted], more: false } : undefined
  }

  /** Sends the records, or as many of the first as there is room for. Returns whether something was refused. */
  async #try({ records: wanted, more }: Trial): Promise<boolean> {
    const { budget, sender, recordTimes, wall, conclusions } = this.#fields
    const slab = await this.#slab(wanted)
    if (slab === 'stopped') return false
    const records = wanted.slice(0, slab.frames)
    try {
      const apart = records[0]!.trouble !== undefined
      const sent = await sender.send(slab, [{ from: 0, to: slab.frames }], { apart, more })
      switch (sent.kind) {
        case 'abandoned':
          return false
        case 'unfit':
          conclusions.reject(records.slice(0, 1), TOO_LARGE, undefined, undefined)
          return false
        case 'outdated':
          for (const excerpt of new Set(records.map(({ excerpt }) => excerpt))) {
            excerpt.recordTimeNanos = recordTimes.next(excerpt.ends.length, wall())
          }
          return false
        case 'concluded':
          return conclusions.draw(records.slice(0, sent.payload.records), slab, sent)
      }
    } finally {
      budget.release(slab.extent)
    }
  }

  /**
   * A slab of the first of these records. If there is no place for one, slabs of the stream have it, which may themselves
   * wait for room in the stash: then it takes in what it would not.
   */
  async #slab(records: readonly AsideRecord[]): Promise<Slab | 'stopped'> {
    const { kernel, budget, slabs, stash } = this.#fields
    try {
      return await slabs.enter(() => {
        if (this.#stopped) return 'stopped'
        const slab = slabOf(records, kernel, budget)
        if (slab === undefined) stash.relieve(true)
        return slab
      })
    } finally {
      stash.relieve(false)
    }
  }
}

function toEnd<K, V>(map: Map<K, V>, key: K, value: V): void {
  map.delete(key)
  map.set(key, value)
}

/** Waits for the event, but no longer than so many milliseconds. */
async function until(event: Promise<void>, ms: number | undefined): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = ms === undefined ? undefined : setTimeout(resolve, Math.max(1, ms))
  void event.then(resolve)
  await promise
  clearTimeout(timer)
}
