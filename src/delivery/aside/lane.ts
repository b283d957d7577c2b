/**
 * A lane: the records of one file that are sent apart from all others, because a request with them was refused, and the
 * search for those among them that are at fault.
 *
 *     queue    │ r r r r r r r r │ r r r r …          the first eight were refused together
 *              │ r r r r ▲       │                    the first four are tried: accepted, so it is in the others;
 *              │ r r r r │ r r r r r r r r …          refused, so nothing is known of the others, which go with the rest
 *
 * What is known is always about the queue's head: of its first `tainted` records one at least is at fault. So each bad
 * record costs as many requests as its group has bits, and good ones between them travel in groups that grow while they
 * are accepted and shrink while they are refused.
 *
 * Where nothing is accepted, a record that was refused may be as good as all others. So they are tried in rounds: the
 * first of the file once more, and if it is refused again, at once, some that follow, more and more in time. It is the
 * first then that is accepted when the address works again, and many bad ones do not hide a good one.
 *
 * Guarantees: records are tried in the order of the file, but for those that were refused alone; every record is in the
 * queue, or was taken out of it by `accepted`, `refused` or `drop`.
 */
import { NEVER } from '../outcome/evidence.ts'

/** What a lane must know of a record. */
export interface Queued {
  /** Ascends in the order of the file. */
  readonly place: number
  /** When a request with it was refused first. */
  since: number
}

/** Records that are tried together at first, and at the most. */
const WIDTH = 256
const WIDEST = 10_000
/** So many rounds have one record besides the first; those after them have more and more, and so many at the most. */
const SMALL_ROUNDS = 8
const ROUND = 64

export class Lane<R extends Queued = Queued> {
  /** The file's key. */
  readonly key: string
  /** Its records and what they cost in bytes, in the queue or not. */
  records = 0
  bytes = 0
  /** How often records of it wait in a slab for room. */
  waiting = 0
  /** Records that were refused alone, or failed so, and are not decided on. */
  doubts = 0
  /** Records that were found at fault, and when the last one was: milliseconds. */
  condemned = 0
  condemnedAt = Number.NEGATIVE_INFINITY
  #queue: R[] = []
  #tainted = 0
  #width = WIDTH
  /** How many more are tried in this round, and rounds that were begun since something was accepted. */
  #round = 0
  #rounds = 0

  constructor(key: string) {
    this.key = key
  }

  get size(): number {
    return this.#queue.length
  }

  /** The place of the first record, or infinity. */
  get head(): number {
    return this.#queue[0]?.place ?? Number.POSITIVE_INFINITY
  }

  /** `tainted`: one of them at least is at fault, and none is in the queue yet. */
  add(records: readonly R[], tainted = false): void {
    if (tainted && this.#queue.length === 0) this.#tainted = records.length
    this.#queue.push(...records)
  }

  /** They are dealt with elsewhere, and nothing follows from that for the others. */
  drop(records: readonly R[]): void {
    this.#tainted = 0
    this.#remove(records)
  }

  /** Puts records back that were taken out, in their places. */
  restore(records: readonly R[]): void {
    this.#queue = [...this.#queue, ...records].sort((one, other) => one.place - other.place)
    this.#tainted = 0
  }

  /** What to try next, of what lies before `place`. */
  next(place = Number.POSITIVE_INFINITY): readonly R[] {
    const queue = this.#queue
    const most = this.#tainted > 0 ? Math.ceil(this.#tainted / 2) : this.#width
    let count = 0
    while (count < most && count < queue.length && queue[count]!.place < place) count++
    return queue.slice(0, count)
  }

  /** A round begins, with a record that was refused before. Returns whether others follow. */
  begin(): boolean {
    this.#round = Math.min(ROUND, this.#rounds < SMALL_ROUNDS ? 1 : 4 * 2 ** (this.#rounds - SMALL_ROUNDS))
    this.#rounds++
    return this.#queue.length > 0
  }

  /** The next record of the round that was begun, alone, or nothing; and whether others follow. */
  further(): { readonly records: readonly R[]; readonly more: boolean } {
    if (this.#round === 0) return { records: [], more: false }
    // What comes later is for the next round: the first goes before it.
    this.#round = this.#queue.length > 1 ? this.#round - 1 : 0
    return { records: this.#queue.slice(0, 1), more: this.#round > 0 }
  }

  /** They were accepted. Returns whether one of them should have been at fault. */
  accepted(records: readonly R[]): boolean {
    const leading = this.#leading(records)
    const contradicts = this.#tainted > 0 && leading >= this.#tainted
    this.#round = 0
    this.#rounds = 0
    if (this.#tainted > 0) this.#tainted = Math.max(0, this.#tainted - leading)
    else this.#width = Math.min(WIDEST, this.#width * 2)
    this.#remove(records)
    return contradicts
  }

  /** A request with just these was refused, at this tick. One alone leaves the queue. Returns whether that is news of them. */
  refused(records: readonly R[], tick: number): boolean {
    const news = this.#tainted === 0
    for (const record of records) if (record.since === NEVER) record.since = tick
    if (records.length > 1) {
      if (news) this.#width = Math.max(1, this.#width >> 1)
      this.#tainted = records.length
      return news
    }
    this.#tainted = 0
    this.#remove(records)
    return news
  }

  /** How many of them stand at the queue's head. */
  #leading(records: readonly R[]): number {
    let count = 0
    while (count < records.length && records[count] === this.#queue[count]) count++
    return count
  }

  #remove(records: readonly R[]): void {
    const leading = this.#leading(records)
    this.#queue.splice(0, leading)
    if (leading === records.length) return
    const gone = new Set(records)
    this.#queue = this.#queue.filter(record => !gone.has(record))
  }
}
