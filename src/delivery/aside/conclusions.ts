/**
 * Conclusions: what an answer means for records that are aside.
 *
 *     accepted ─► settled · refused together ─► search · refused alone ─► a case, or rejected · failing ─► a case
 *
 * Guarantees: every record of a request is settled here, once, or is where it will be retried; it is rejected only if
 * the evidence condemns it, or the backend said so of it in an answer in which it took another one.
 */
import type { Item, Verdict } from '../../backends/backend.ts'
import type { Slab } from '../../chunk.ts'
import { DELIVERED, type Outcome } from '../../ledger.ts'
import type { TapInlet, TapVerdict } from '../../tap.ts'
import type { Payload } from '../encoding/encoder.ts'
import type { DeliveryLog } from '../outcome/delivery-log.ts'
import type { Evidence } from '../outcome/evidence.ts'
import type { Receipts } from '../outcome/receipts.ts'
import type { Settlement } from '../outcome/settlement.ts'
import type { Concluded } from '../sender.ts'
import type { Cases } from './cases.ts'
import { frameOf, offsetOf } from './excerpt.ts'
import { failureOf, type RecordFailure } from './record-failure.ts'
import type { AsideRecord, Stash } from './stash.ts'

type ByItem = Extract<Verdict, { kind: 'items' }>

export interface ConclusionsFields {
  readonly evidence: Evidence
  readonly stash: Stash
  readonly cases: Cases
  readonly settlement: Settlement
  readonly deliveryLog: DeliveryLog
  readonly receipts: Receipts | undefined
  /** As `performance.now`. */
  readonly now: () => number
  /** Books what was mended in a payload that has settled. */
  readonly bookAlterations: (payload: Payload) => void
  /** Records wait in their lanes again. */
  readonly onRestored: () => void
  readonly tap: TapInlet | undefined
}

export class Conclusions {
  readonly #fields: ConclusionsFields

  constructor(fields: ConclusionsFields) {
    this.#fields = fields
  }

  /** Records that have just left the stream, and why they stand apart. `words`: the backend's, if they may be shown. */
  hold(records: readonly AsideRecord[], failure: RecordFailure, words: string | undefined): void {
    for (const record of records) {
      if (this.#mayHold(record, failure)) this.#holdOne(record, failure, words)
      else record.lane.add([record])
    }
  }

  /** Draws the conclusion for the records of one request. Returns whether any was refused. */
  draw(records: readonly AsideRecord[], slab: Slab, { payload, verdict, status }: Concluded): boolean {
    const { deliveryLog, settlement, evidence } = this.#fields
    const listen = (words: string | undefined) => deliveryLog.quotable(words, slab, payload)
    switch (verdict.kind) {
      case 'delivered':
        if (verdict.warning !== undefined) deliveryLog.unreadableAnswer(verdict.warning, payload.records)
        this.#accepted(records)
        this.#delivered(records, payload)
        return false
      case 'pending':
        this.#accepted(records)
        this.#pending(records, verdict.receipt, payload)
        return false
      case 'counted': {
        const good = Math.max(0, records.length - verdict.rejected)
        this.#accepted(records)
        this.#bookAlterations(records, payload)
        for (const record of records.slice(0, good)) this.#settle(record, DELIVERED)
        for (const record of records.slice(good)) this.#settle(record, settlement.outcome(verdict.reason))
        deliveryLog.rejected(verdict.reason, Math.min(verdict.rejected, records.length), listen(verdict.detail))
        return true
      }
      case 'rejected':
        this.#bookAlterations(records, payload)
        this.reject(records, verdict.reason, status, listen(verdict.detail))
        return true
      case 'split':
      case 'bisect':
      case 'failing': {
        // The encoder will cut it the next time: the ceiling has been lowered.
        if (verdict.kind === 'split' && payload.oversize) {
          this.#show(records, 'retried', verdict.reason)
          return true
        }
        const words = verdict.kind === 'split' ? undefined : listen(verdict.detail)
        if (verdict.kind === 'failing' && records[0]!.trouble?.byName) {
          // All of them, in an answer that otherwise names each.
          this.#apart(records, { ...verdict, byName: true, rejectAs: verdict.rejectAs }, words, payload)
          return true
        }
        if (records.length > 1) {
          if (verdict.kind !== 'split') deliveryLog.bisecting(verdict.reason, words)
          this.#show(records, 'retried', verdict.reason)
          this.#together(records)
          return true
        }
        const [record] = records
        this.#bookAlterations(records, payload)
        if (record!.trouble === undefined) record!.lane.refused(records, evidence.tick)
        this.#holdOne(record!, failureOf(verdict, status), words)
        return true
      }
      case 'items':
        return this.#items(records, verdict, status, payload, listen)
    }
  }

  /** Rejects the records, wherever they are. */
  reject(records: readonly AsideRecord[], reason: string, status: number | undefined, words: string | undefined): void {
    const { settlement, deliveryLog, now } = this.#fields
    const [first] = records
    if (first === undefined) return
    deliveryLog.rejected(reason, records.length, words, { origin: first.excerpt.chunk.origin, offset: offsetOf(first) })
    const outcome = settlement.outcome(reason)
    this.#leave(records)
    for (const record of records) {
      const { lane, excerpt } = record
      lane.condemned++
      lane.condemnedAt = now()
      const { chunk } = excerpt
      settlement.report({ chunk, offset: offsetOf(record), frame: frameOf(record), reason: outcome.reason, status })
      this.#settle(record, outcome)
    }
  }

  #items(
    records: readonly AsideRecord[],
    { rejected, retry, unread = [], receipt }: ByItem,
    status: number | undefined,
    payload: Payload,
    listen: (words: string | undefined) => string | undefined,
  ): boolean {
    const named = new Set([...[...rejected, ...retry].map(({ index }) => index), ...unread])
    const accepted = records.filter((_, index) => !named.has(index))
    const of = ({ index }: Item) => records.slice(index, index + 1)
    this.#bookAlterations(records, payload)
    if (accepted.length > 0) {
      this.#accepted(accepted)
      if (receipt === undefined) this.#delivered(accepted, payload)
      else this.#pending(accepted, receipt, payload)
    }
    for (const item of rejected) {
      const { reason } = item
      const words = listen(item.detail)
      if (accepted.length > 0) this.reject(of(item), reason, status, words)
      else this.#apart(of(item), { kind: 'refused', reason, status, byName: true }, words, payload)
    }
    for (const item of retry) {
      const { reason, rejectAs } = item
      const failure = { kind: 'failing', reason, byName: true, rejectAs } as const
      // Those that there is no room for stay in their lanes.
      const own = of(item).filter(record => this.#mayHold(record, failure))
      if (own.length > 0) this.#apart(own, failure, listen(item.detail), payload)
    }
    return rejected.length + retry.length > 0
  }

  /** They were accepted: they are in the queues of their lanes no more. */
  #accepted(records: readonly AsideRecord[]): void {
    let contradicts = records.some(({ known }) => known !== undefined)
    for (const [lane, own] of byLane(records)) if (lane.accepted(own)) contradicts = true
    if (contradicts) this.#fields.evidence.contradicted()
    for (const record of records) this.#fields.cases.close(record)
  }

  #delivered(records: readonly AsideRecord[], payload: Payload): void {
    this.#bookAlterations(records, payload)
    for (const record of records) this.#settle(record, DELIVERED)
  }

  /** They were accepted, and settle when that is confirmed. */
  #pending(records: readonly AsideRecord[], receipt: string, payload: Payload): void {
    const { receipts, deliveryLog } = this.#fields
    receipts!.expect(receipt, fate => {
      if (fate === 'confirmed') this.#delivered(records, payload)
      if (fate !== 'lost') return
      deliveryLog.unconfirmed(records.length)
      this.#show(records, 'retried', 'unconfirmed')
      for (const [lane, own] of byLane(records)) lane.restore(own)
      this.#fields.onRestored()
    })
  }

  /** One at least of them is at fault, and it is not known which. */
  #together(records: readonly AsideRecord[]): void {
    const { evidence, cases } = this.#fields
    const [first] = records
    if (first === undefined) return
    if (first.trouble !== undefined) cases.untold(records)
    else if (first.lane.refused(records, evidence.tick)) evidence.strange()
  }

  /** It stands apart already, or may: so many of a source may fail for themselves. */
  #mayHold({ trouble, share }: AsideRecord, { kind }: RecordFailure): boolean {
    return kind === 'refused' || trouble !== undefined || share.mayFail
  }

  /** Each of them stands apart from now on, or still. */
  #apart(records: readonly AsideRecord[], failure: RecordFailure, words: string | undefined, payload: Payload): void {
    this.#bookAlterations(records, payload)
    this.#leave(records)
    for (const record of records) this.#holdOne(record, failure, words)
  }

  #holdOne(record: AsideRecord, held: RecordFailure, words: string | undefined): void {
    const { stash, cases, deliveryLog } = this.#fields
    const { reason } = held
    const before = record.known !== undefined
    stash.part(record)
    const failing = held.kind === 'failing'
    const given = failing
      ? cases.failed(record, held.byName, held.rejectAs !== undefined)
      : cases.refused(record, held.byName)
    const place = { origin: record.excerpt.chunk.origin, offset: offsetOf(record) }
    if (given) this.reject([record], failing ? held.rejectAs! : reason, failing ? undefined : held.status, words)
    else {
      this.#show([record], 'retried', reason)
      if (failing) deliveryLog.failing(reason, words, place)
      else deliveryLog.refusedAlone(reason, words, place, before)
    }
  }

  /** They are in the queues of their lanes no more, and nothing follows from that. */
  #leave(records: readonly AsideRecord[]): void {
    for (const [lane, own] of byLane(records)) lane.drop(own)
  }

  /** Books what was mended in the records of a payload, once. */
  #bookAlterations(records: readonly AsideRecord[], payload: Payload): void {
    if (records[0]?.booked === false) this.#fields.bookAlterations(payload)
    for (const record of records) record.booked = true
  }

  #settle(record: AsideRecord, outcome: Outcome): void {
    if (outcome.kind === 'delivered') this.#show([record], 'delivered')
    else this.#show([record], outcome.kind, outcome.reason)
    this.#fields.cases.close(record)
    this.#fields.stash.settle(record, outcome)
  }

  #show(records: readonly AsideRecord[], verdict: TapVerdict, reason?: string): void {
    const { tap } = this.#fields
    if (tap === undefined || !tap.open) return
    for (const record of records) tap.record(record.excerpt.chunk, offsetOf(record), frameOf(record), verdict, reason)
  }
}

/** Those that wait in a lane, by their lanes. */
function byLane(records: readonly AsideRecord[]): Map<AsideRecord['lane'], AsideRecord[]> {
  const lanes = new Map<AsideRecord['lane'], AsideRecord[]>()
  for (const record of records) {
    if (record.trouble !== undefined) continue
    const own = lanes.get(record.lane)
    if (own) own.push(record)
    else lanes.set(record.lane, [record])
  }
  return lanes
}
