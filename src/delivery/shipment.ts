/**
 * A shipment: the frames of one slab on their way, until all have settled.
 *
 *     portions ─► sender ─► concluded ─┬─ delivered, rejected, counted ─► settle ─► next portion
 *       ▲  ▲                           ├─ pending ─► settle when confirmed
 *       │  └── halves ◄────────────────┼─ split; bisect, of several files
 *       └── those to send again ◄──────┼─ items, failing ─┬─► settle the others
 *                                      └─ bisect ────────┴─► aside
 *
 * Guarantees: every frame settles exactly once, goes aside once, or is left unsettled because of a stop; payloads go one
 * after the other, in order, and the next only when the last was settled or accepted. A record that is refused, or fails
 * for itself, goes aside, with those of its file that keep their order by that, and the others go on: also where there is
 * no room for it yet, for which it waits in its slab.
 */
import type { Verdict } from '../backends/backend.ts'
import type { Slab } from '../chunk.ts'
import type { TapInlet } from '../tap.ts'
import type { Aside } from './aside/aside.ts'
import { failureOf, type RecordFailure } from './aside/record-failure.ts'
import type { Taken } from './aside/stash.ts'
import { WaitGroup } from './aside/wait-group.ts'
import type { Payload } from './encoding/encoder.ts'
import { byFile, filesOf, firstOf, keyOf, parted } from './encoding/files.ts'
import { behind, countOf, type FrameRange, pick, upTo } from './encoding/frame-ranges.ts'
import type { RecordTimes } from './encoding/record-times.ts'
import type { DeliveryLog } from './outcome/delivery-log.ts'
import { type Evidence, NEVER } from './outcome/evidence.ts'
import type { Receipts } from './outcome/receipts.ts'
import { others, type Settlement, TOO_LARGE } from './outcome/settlement.ts'
import type { Concluded, Sender } from './sender.ts'

/** So often records are sent again before the stream goes on without them. */
const PATIENCE = 3

/** What a pipeline wants to hear of a slab before all of it has settled. */
export interface ShipEvents {
  /** All has been accepted, or is or waits to be aside, though some may not be confirmed: the next slab may go. */
  readonly onSent?: () => void
  /** Its extent is not needed any more: what has not settled is aside. */
  readonly onFree?: () => void
}

export interface ShipmentParts {
  readonly sender: Sender
  readonly aside: Aside
  readonly settlement: Settlement
  readonly evidence: Evidence
  readonly deliveryLog: DeliveryLog
  readonly recordTimes: RecordTimes
  readonly receipts: Receipts | undefined
  /** As `Date.now`. */
  readonly wall: () => number
  /** Books what was mended in a payload. */
  readonly bookAlterations: (payload: Payload) => void
  readonly onRequestFailed: ((status: number | undefined) => void) | undefined
  readonly tap: TapInlet | undefined
}

/** Frames that are still to be sent, none of them together with frames of another portion. */
interface Portion {
  readonly ranges: readonly FrameRange[]
  /** When a request with them was refused first. */
  readonly since: number
  /** How often all of them failed, one after the other. */
  readonly failures: number
  /** The other half of what was refused: if this one is accepted, that one holds what is at fault. */
  readonly other?: Portion
  /** One of them at least is known to be at fault. */
  tainted: boolean
}

const portionOf = (ranges: readonly FrameRange[], more: Partial<Portion> = {}): Portion => ({
  ...{ ranges, since: NEVER, failures: 0, tainted: false },
  ...more,
})

type Words = string | undefined
type Listen = (words: Words) => Words

export class Shipment {
  readonly #parts: ShipmentParts
  readonly #slab: Slab
  readonly #work: Portion[]
  readonly #waitGroup = new WaitGroup()
  /** For each frame, whether what was mended in it has been booked; made when something was. */
  #booked: Uint8Array | undefined
  /**
   * Requests that were accepted and not confirmed yet, and frames of one file each that go aside once there is room for
   * them; whether one of those was abandoned, and when that changes.
   */
  #awaited = 0
  #abandoned = false
  #changed = Promise.withResolvers<void>()

  constructor(parts: ShipmentParts, slab: Slab, ranges: readonly FrameRange[]) {
    this.#parts = parts
    this.#slab = slab
    this.#work = [portionOf(ranges)]
  }

  /** Resolves when all frames have settled, or to false when that was abandoned. Called once. */
  async run({ onSent = () => {}, onFree = () => {} }: ShipEvents): Promise<boolean> {
    for (;;) {
      const portion = this.#work.shift()
      if (portion === undefined) {
        onSent()
        if (this.#abandoned) return false
        if (this.#awaited === 0) break
        await this.#changed.promise
      } else if (portion.ranges.length > 0 && !(await this.#send(portion))) {
        // Its extent goes to others: what is confirmed later must not look at the slab.
        this.#abandoned = true
        return false
      }
    }
    onFree()
    return this.#waitGroup.seal()
  }

  /** Sends one payload of the portion. False if that was abandoned. */
  async #send(portion: Portion): Promise<boolean> {
    const { aside, sender, settlement, recordTimes, wall } = this.#parts
    const slab = this.#slab
    const [held, ranges] = aside.empty
      ? [[], portion.ranges]
      : parted(slab, portion.ranges, each => aside.holds(each.origin))
    for (const own of held.length > 0 ? byFile(slab, held) : []) this.#leave(aside.add(this.#leaving(portion, own)))
    if (ranges.length === 0) return true
    if (portion.tainted) {
      this.#search(portion, ranges)
      return true
    }
    const sent = await sender.send(slab, ranges, { fresh: true })
    switch (sent.kind) {
      case 'abandoned':
        return false
      case 'unfit':
        this.#work.unshift({ ...portion, ranges: behind(ranges, 1) })
        settlement.reject(slab, upTo(ranges, 1), TOO_LARGE, undefined)
        return true
      case 'outdated':
        recordTimes.assign(slab, wall())
        this.#work.unshift({ ...portion, ranges })
        return true
      case 'concluded': {
        const rest = behind(ranges, sent.payload.records)
        const { other, since, failures } = portion
        // Only if all of it is accepted does the other half hold what is at fault.
        const clean = sent.verdict.kind === 'delivered' ? other : undefined
        if (rest.length > 0) this.#work.unshift(portionOf(rest, { since, failures, ...(clean && { other: clean }) }))
        else if (clean) clean.tainted = true
        this.#conclude(portionOf(sent.payload.ranges, { since, failures }), sent)
        return true
      }
    }
  }

  #conclude(portion: Portion, { payload, verdict, status }: Concluded): void {
    const { settlement, deliveryLog, evidence, tap } = this.#parts
    const slab = this.#slab
    const { ranges, records } = payload
    const listen: Listen = words => deliveryLog.quotable(words, slab, payload)
    switch (verdict.kind) {
      case 'delivered':
        if (verdict.warning !== undefined) deliveryLog.unreadableAnswer(verdict.warning, records)
        this.#bookAlterations(payload)
        settlement.deliver(slab, ranges)
        return
      case 'pending':
        this.#bookAlterations(payload)
        this.#await(verdict.receipt, ranges)
        return
      case 'counted':
        this.#bookAlterations(payload)
        deliveryLog.rejected(verdict.reason, Math.min(verdict.rejected, records), listen(verdict.detail))
        settlement.count(slab, ranges, records, verdict)
        return
      case 'rejected':
        this.#bookAlterations(payload)
        deliveryLog.rejected(verdict.reason, records, listen(verdict.detail))
        settlement.reject(slab, ranges, verdict.reason, status)
        return
      case 'split':
      case 'bisect':
      case 'failing': {
        const since = portion.since === NEVER ? evidence.tick : portion.since
        const refused = portionOf(ranges, { since })
        const words = verdict.kind === 'split' ? undefined : listen(verdict.detail)
        if (verdict.kind === 'split' && payload.oversize) {
          // The encoder will cut it: the ceiling has been lowered.
          tap?.frames(slab, ranges, 'retried', verdict.reason)
          this.#work.unshift(refused)
          return
        }
        if (records === 1) {
          this.#hold(refused, payload, failureOf(verdict, status), words)
          return
        }
        tap?.frames(slab, ranges, 'retried', verdict.reason)
        if (verdict.kind !== 'split') {
          evidence.strange()
          deliveryLog.bisecting(verdict.reason, words)
          this.#search(refused, ranges)
          return
        }
        const half = Math.ceil(records / 2)
        this.#work.unshift({ ...refused, ranges: upTo(ranges, half) }, { ...refused, ranges: behind(ranges, half) })
        return
      }
      case 'items':
        this.#items(portion, payload, verdict, status, listen)
    }
  }

  /** What is said record by record. */
  #items(
    portion: Portion,
    payload: Payload,
    verdict: Extract<Verdict, { kind: 'items' }>,
    status: number | undefined,
    listen: Listen,
  ): void {
    const { settlement, deliveryLog, tap } = this.#parts
    const slab = this.#slab
    const { ranges, records } = payload
    const { rejected, retry, unread = [], receipt } = verdict
    const accepted = others(ranges, records, verdict)
    this.#bookAlterations(payload)
    const { since, failures } = portion
    if (accepted.length > 0) {
      if (receipt === undefined) settlement.deliver(slab, accepted)
      else this.#await(receipt, accepted)
    }
    if (unread.length > 0) {
      const again = pick(ranges, unread)
      tap?.frames(slab, again, 'retried', 'unread')
      this.#work.unshift(portionOf(again, { since }))
    }
    const [first] = retry
    if (first !== undefined) {
      const again = pick(
        ranges,
        retry.map(({ index }) => index),
      )
      const failure = { kind: 'failing', reason: first.reason, byName: true, rejectAs: first.rejectAs } as const
      const late = portionOf(again, { since, failures })
      this.#again(late, payload, failure, listen(first.detail), status)
    }
    const [bad] = rejected
    if (bad === undefined) return
    if (accepted.length > 0) {
      // It took others with the same answer: these are at fault.
      deliveryLog.rejected(bad.reason, rejected.length, listen(bad.detail))
      for (const { index, reason } of rejected) settlement.reject(slab, pick(ranges, [index]), reason, status)
      return
    }
    for (const { index, reason, detail } of rejected) {
      const one = portionOf(pick(ranges, [index]), { since })
      const failure = { kind: 'refused', reason, status, byName: true } as const
      this.#hold(one, payload, failure, listen(detail))
    }
  }

  /** Records failed, each named in the answer: they go again first, and where that does not help the others go on. */
  #again(
    portion: Portion,
    payload: Payload,
    failure: Extract<RecordFailure, { kind: 'failing' }>,
    words: Words,
    status: number | undefined,
  ): void {
    const { sender, deliveryLog, onRequestFailed, tap } = this.#parts
    const failures = portion.failures + 1
    const records = countOf(portion.ranges)
    if (failures >= PATIENCE) {
      this.#hold(portion, payload, failure, words)
      return
    }
    deliveryLog.retrying(failure.reason, words, records)
    tap?.frames(this.#slab, portion.ranges, 'retried', failure.reason)
    onRequestFailed?.(status)
    sender.pause(failure.reason, failures)
    this.#work.unshift({ ...portion, failures })
  }

  /**
   * A request with these frames was refused, or would be: source by source and file by file if there are several, and
   * then aside.
   */
  #search(portion: Portion, ranges: readonly FrameRange[]): void {
    const { aside, evidence } = this.#parts
    const files = filesOf(this.#slab, ranges)
    if (files.size === 1) {
      evidence.refused()
      this.#leave(aside.add(this.#leaving(portion, ranges), true))
      return
    }
    const first = firstOf(files, source => aside.suspects(source))
    const [one, rest] = parted(this.#slab, ranges, ({ origin }) => first.has(keyOf(origin)))
    const { since } = portion
    const other = portionOf(rest, { since })
    this.#work.unshift(portionOf(one, { since, other }), other)
  }

  #hold(portion: Portion, payload: Payload, failure: RecordFailure, words: Words): void {
    this.#bookAlterations(payload)
    for (const own of byFile(this.#slab, portion.ranges)) {
      this.#leave(this.#parts.aside.hold(this.#leaving(portion, own, true), failure, words))
    }
  }

  /** Frames go aside, now or once there is room for them: the others do not wait for that. */
  #leave(taken: Taken): void {
    if (typeof taken === 'boolean') {
      if (!taken) this.#abandoned = true
      return
    }
    this.#awaited++
    void taken.then(whole => {
      this.#awaited--
      this.#leave(whole)
      this.#change()
    })
  }

  /** `booked`: what was mended in them has been booked. */
  #leaving({ since }: Portion, ranges: readonly FrameRange[], booked = this.#isBooked(ranges)) {
    return { slab: this.#slab, waitGroup: this.#waitGroup, ranges, since, booked }
  }

  /** These frames settle when the backend confirms that it stored them, and are sent again if it does not. */
  #await(receipt: string, ranges: readonly FrameRange[]): void {
    const { receipts, settlement, deliveryLog, tap } = this.#parts
    this.#awaited++
    receipts!.expect(receipt, fate => {
      if (this.#abandoned) return
      this.#awaited--
      switch (fate) {
        case 'confirmed':
          settlement.deliver(this.#slab, ranges)
          break
        case 'lost':
          deliveryLog.unconfirmed(countOf(ranges))
          tap?.frames(this.#slab, ranges, 'retried', 'unconfirmed')
          this.#work.push(portionOf(ranges))
          break
        case 'abandoned':
          this.#abandoned = true
      }
      this.#change()
    })
  }

  #change(): void {
    this.#changed.resolve()
    this.#changed = Promise.withResolvers()
  }

  /** Books what was mended in a payload, once: its frames may be sent again, in other payloads. */
  #bookAlterations(payload: Payload): void {
    if (payload.alterations.length === 0 || this.#isBooked(payload.ranges)) return
    this.#booked ??= new Uint8Array(this.#slab.frames)
    for (const { from, to } of payload.ranges) this.#booked.fill(1, from, to)
    this.#parts.bookAlterations(payload)
  }

  /** Frames that are sent together have been booked together. */
  #isBooked([first]: readonly FrameRange[]): boolean {
    return this.#booked?.[first!.from] === 1
  }
}
