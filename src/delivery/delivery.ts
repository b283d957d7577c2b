/**
 * Delivery: what stands between full slabs and one backend.
 *
 *     ship ─► shipment, one per slab ─► sender ─► transport
 *                  │                      ▲
 *                  └─► aside ─────────────┘     what was refused or fails for itself: searched and retried
 *
 * Guarantees: every frame settles exactly once, or is left unsettled because `stop` was called. A payload is encoded once
 * and sent again as the same bytes under the same id, unless the times of its records have become such that the backend
 * refuses them. No passing fault ever gives data up, and no record is rejected for another one's sake. Every extent that
 * was granted here is released here. Nothing rejects: `ship` always resolves.
 */
import type { Backend } from '../backends/backend.ts'
import type { Budget } from '../budget.ts'
import type { Origin, Slab } from '../chunk.ts'
import type { Kernel } from '../kernel/kernel.ts'
import type { Logger } from '../log.ts'
import type { TapInlet } from '../tap.ts'
import { Aside } from './aside/aside.ts'
import { Cases } from './aside/cases.ts'
import { Conclusions } from './aside/conclusions.ts'
import { Stash } from './aside/stash.ts'
import { CapacityQueue } from './capacity.ts'
import { Circuit, type Health } from './circuit.ts'
import { blanks } from './encoding/blank.ts'
import type { Payload } from './encoding/encoder.ts'
import type { FrameRange } from './encoding/frame-ranges.ts'
import { RecordTimes } from './encoding/record-times.ts'
import type { DeliveryOptions } from './options.ts'
import { DeliveryLog, type RequestEvent } from './outcome/delivery-log.ts'
import { Evidence } from './outcome/evidence.ts'
import { Receipts } from './outcome/receipts.ts'
import { type RejectedRecord, Settlement, TOO_LARGE } from './outcome/settlement.ts'
import { DeliveryStats } from './outcome/stats.ts'
import { isRefused, isRetryable } from './outcome/verdicts.ts'
import { Sender } from './sender.ts'
import { type ShipEvents, Shipment, type ShipmentParts } from './shipment.ts'
import type { Transport } from './transport/transport.ts'

export interface DeliveryFields {
  /** The backend's configured name, for the log. */
  readonly name: string
  readonly backend: Backend
  readonly transport: Transport
  readonly kernel: Kernel
  readonly budget: Budget
  readonly options: Pick<DeliveryOptions, 'batch' | 'retry' | 'compression'>
  readonly logger: Logger
  /** Bytes on the volume that the backend has not acknowledged, for the log. */
  readonly behind?: (() => number) | undefined
  /** What was counted before, to go on from. */
  readonly stats?: DeliveryStats | undefined
  /** The first refusal of a record alone is the last: for records that were refused before, and are kept when they are again. */
  readonly final?: boolean | undefined
  /** As `Math.random`. */
  readonly random?: () => number
  /** As `performance.now`, and as `Date.now`. */
  readonly now?: (() => number) | undefined
  readonly wall?: () => number
  /** Invalid sequences were replaced in records that have now settled. */
  readonly onRepaired?: (origin: Origin, sequences: number) => void
  /** Records were cut because no payload can hold them, and have now settled. */
  readonly onTruncated?: (origin: Origin, records: number) => void
  /** A record was refused for good and is about to settle. Its bytes are a view that is only good during the call. */
  readonly onRejected?: (record: RejectedRecord) => void
  /** Where verdicts of records are shown to viewers. */
  readonly tap?: TapInlet | undefined
  /** A request failed in passing or was refused: `stats.lastError` says how. `stop` may be called. */
  readonly onRequestFailed?: (status: number | undefined) => void
}

/** `abandoned`: stopped before the end; what has not settled stays in flight. */
export type Shipped = { readonly kind: 'settled' } | { readonly kind: 'abandoned' }

const SETTLED: Shipped = { kind: 'settled' }
const ABANDONED: Shipped = { kind: 'abandoned' }

/** The reason of a line without a character, where the backend refuses those. */
const BLANK = 'blank'

export class Delivery {
  readonly stats: DeliveryStats
  readonly #fields: DeliveryFields
  /** Where payloads wait for memory, and slabs of records that are aside. */
  readonly #payloads = new CapacityQueue()
  readonly #slabs = new CapacityQueue()
  readonly #circuit: Circuit
  readonly #sender: Sender
  readonly #stash: Stash
  readonly #aside: Aside
  readonly #parts: ShipmentParts

  constructor(fields: DeliveryFields) {
    const { name, kernel, budget, backend, transport, options, logger, behind, onRequestFailed, tap } = fields
    const { random = Math.random, wall = Date.now, now = () => performance.now(), final = false } = fields
    const { batch, retry, compression } = options
    this.#fields = fields
    this.stats = fields.stats ?? new DeliveryStats()
    const { stats } = this
    const [payloads, slabs] = [this.#payloads, this.#slabs]
    const bookAlterations = (payload: Payload) => this.#bookAlterations(payload)
    const circuit = new Circuit(retry, random)
    const deliveryLog = new DeliveryLog({ name, kernel, stats, logger, health: () => circuit.health, behind, now })
    const evidence = new Evidence({ now, final })
    const settlement = new Settlement(kernel, fields.onRejected, tap)
    const recordTimes = new RecordTimes(random, wall)
    const { confirmation } = backend
    const receipts = confirmation && new Receipts(confirmation, transport)
    const onRequest = (event: RequestEvent) => {
      deliveryLog.request(event)
      const { verdict, payload, status, slab } = event
      if (isRetryable(verdict)) tap?.frames(slab, payload.ranges, 'retried', verdict.reason)
      if (isRetryable(verdict) || isRefused(verdict, payload.records)) onRequestFailed?.(status)
    }
    const sender = new Sender({
      ...{ backend, transport, kernel, budget, batch, retry, compression, stats, circuit, evidence, payloads },
      ...{ random, wall, onRequest },
    })
    const stash = new Stash(kernel.bytes, now)
    const cases = new Cases({ evidence, retry, random, now })
    const onRestored = () => aside.look()
    const conclusions = new Conclusions({
      ...{ evidence, stash, cases, settlement, deliveryLog, receipts, now, bookAlterations, onRestored, tap },
    })
    const aside = new Aside({
      ...{ kernel, budget, sender, evidence, stash, cases, conclusions, recordTimes, slabs, now, wall },
    })
    this.#circuit = circuit
    this.#sender = sender
    this.#stash = stash
    this.#aside = aside
    this.#parts = {
      sender,
      aside,
      settlement,
      evidence,
      deliveryLog,
      recordTimes,
      receipts,
      wall,
      bookAlterations,
      onRequestFailed,
      tap,
    }
    if (sender.trouble) {
      const fields = { event: 'gzip_fallback', backend: name, error: String(sender.trouble) } as const
      logger.warn(fields, 'WebAssembly gzip is unavailable, falling back to zlib (about twice the CPU time)')
    }
  }

  /** Reasons that it refuses records for itself. */
  static rejectReasons({ limits }: Backend): string[] {
    return limits.blank === undefined ? [TOO_LARGE] : [TOO_LARGE, BLANK]
  }

  get health(): Health {
    return this.#circuit.health
  }

  /** Called when a file that is withheld may have become readable. */
  set onEased(listener: () => void) {
    this.#stash.onEased = listener
  }

  /** No more should be read of this file for now: what was read of it is being searched. */
  withholds(origin: Origin): boolean {
    return this.#stash.withholds(origin)
  }

  /** Sends and settles the frames of `slab` that are to be sent. Its extent stays the caller's, and must stay as it is until it is free. */
  async ship(slab: Slab, events: ShipEvents = {}): Promise<Shipped> {
    this.#parts.recordTimes.assign(slab)
    return (await new Shipment(this.#parts, slab, this.#sendable(slab)).run(events)) ? SETTLED : ABANDONED
  }

  /** The draining has begun: waits are at most a second, and the present one ends now. */
  hurry(): void {
    this.#circuit.hurry()
    this.#aside.hurry()
  }

  /** No request is begun any more. A `ship` with one under way resolves after its answer, the others now. */
  halt(): void {
    this.#circuit.stop()
    this.#aside.stop()
    this.released()
  }

  /** To be called whenever the budget has released something: what waits for memory looks again. */
  released(): void {
    this.#payloads.released()
    this.#slabs.released()
  }

  /** The deadline: whatever is not settled is abandoned, and every `ship` resolves. */
  stop(): void {
    this.halt()
    this.#parts.receipts?.stop()
    this.#fields.transport.abort()
  }

  /** Memory for reading is short: what keeps a slab only because it waits to go aside gives it up. */
  makeRoom(): void {
    this.#aside.makeRoom()
  }

  /** How many bytes of frames probably make one full payload. */
  get wanted(): number {
    return this.#sender.wanted
  }

  /** Records that left the stream and have not settled. */
  get aside(): number {
    return this.#stash.records
  }

  /** All frames, but for those that the backend is known to refuse. */
  #sendable(slab: Slab): readonly FrameRange[] {
    if (this.#fields.backend.limits.blank === undefined) return slab.sendable
    const { blank, others } = blanks(slab, this.#fields.kernel.bytes)
    this.#parts.settlement.reject(slab, blank, BLANK, undefined)
    return others
  }

  #bookAlterations({ alterations }: Payload): void {
    for (const { origin, repaired, cut, bared, retimed } of alterations) {
      this.stats.repairedSequences += repaired
      this.stats.truncatedRecords += cut
      this.stats.baredRecords += bared
      this.stats.retimedRecords += retimed
      if (repaired > 0) this.#fields.onRepaired?.(origin, repaired)
      if (cut > 0) this.#fields.onTruncated?.(origin, cut)
    }
  }
}
