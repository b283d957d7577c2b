/**
 * Delivery: the frames of a slab, sent to one destination and settled.
 *
 *     ship ─► encode ─► send ─► judge ─┬─ delivered, rejected, counted ─► settle ─► next payload
 *               ▲         ▲            ├─ retry, unauthorized ─► wait at the circuit ─┐
 *               │         └────────────┼──────────────────────── the same bytes ◄─────┘
 *               ├── halves, or cut ◄───┼─ split, suspect
 *               ├── those to retry ◄───┼─ items ─► settle the others
 *               └── what was lost ◄────┴─ pending ─► settle when confirmed
 *
 * Guarantees: every frame settles exactly once, or is left unsettled because `stop` was called; within one `ship`
 * payloads go one after the other, in order, and the next only when the last was settled or accepted. A payload is
 * encoded once and sent again as the same bytes under the same id, unless the times of its records have become such that
 * the backend refuses them. No passing fault ever gives data up. A record that is at fault never takes its neighbours
 * with it; one that is too large for the backend is sent again cut, down to the size of a batch, before it is given up. Every
 * extent that was granted here is released here. Nothing rejects: `ship` always resolves.
 */
import type { Backend, Verdict } from '../backends/backend.ts'
import type { Budget } from '../budget.ts'
import type { Origin, Slab } from '../chunk.ts'
import type { Kernel } from '../kernel/kernel.ts'
import type { Logger } from '../log.ts'
import { blanks } from './blank.ts'
import { Ceiling } from './ceiling.ts'
import { Circuit, type Health, type Pass } from './circuit.ts'
import { Compressor } from './compress.ts'
import { Encoder, type Payload } from './encoder.ts'
import { type Exchange, isLasting, type Reply, type Transport } from './exchange.ts'
import { Expansion } from './expansion.ts'
import { DeliveryNumbers } from './numbers.ts'
import type { DeliveryOptions } from './options.ts'
import { Receipts } from './receipts.ts'
import { Remarks } from './remarks.ts'
import { retryAfter } from './retry.ts'
import { Room } from './room.ts'
import { behind, countOf, type Run, upTo } from './runs.ts'
import { type Final, type RejectedRecord, Settlement, TOO_LARGE } from './settlement.ts'
import { isAhead, Stamps } from './stamps.ts'

export interface DeliveryFields {
  /** The backend's configured name, for the log. */
  readonly name: string
  readonly backend: Backend
  readonly transport: Transport
  readonly kernel: Kernel
  readonly budget: Budget
  readonly options: Pick<DeliveryOptions, 'batch' | 'retry' | 'compression'>
  readonly logger: Logger
  /** Bytes on the volume that the destination has not acknowledged, for the log. */
  readonly behind?: (() => number) | undefined
  /** Monotonic milliseconds, for the log. */
  readonly now?: (() => number) | undefined
  /** What was counted before, to go on from. */
  readonly numbers?: DeliveryNumbers | undefined
  /** As `Math.random`. */
  readonly random?: () => number
  /** As `Date.now`. */
  readonly wall?: () => number
  /** Invalid sequences were replaced in records that have now settled. */
  readonly onRepaired?: (origin: Origin, sequences: number) => void
  /** Records were cut because no payload can hold them, and have now settled. */
  readonly onTruncated?: (origin: Origin, records: number) => void
  /** A record was refused for good and is about to settle. Its bytes are a view that is only good during the call. */
  readonly onRejected?: (record: RejectedRecord) => void
  /** A request failed in passing, `numbers.lastError` says how, and it is about to be waited for. `stop` may be called. */
  readonly onSetback?: (status: number | undefined) => void
}

/** `abandoned`: stopped before the end; what has not settled stays in flight. */
export type Shipped = { readonly kind: 'settled' } | { readonly kind: 'abandoned' }

/** What came of a payload that needs no waiting any more. */
type Conclusion =
  | Final
  | Extract<Verdict, { kind: 'pending' }>
  /** The backend does not take the times of its records, as they are or as the clock is by now. */
  | { readonly kind: 'outdated' }
  | { readonly kind: 'abandoned' }

/** Frames that are still to be sent, none of them together with frames of another portion. */
interface Portion {
  readonly runs: readonly Run[]
  /** What was mended in them has been booked. */
  readonly noted: boolean
}

const SETTLED: Shipped = { kind: 'settled' }
const ABANDONED: Shipped = { kind: 'abandoned' }

/** The reason of a line without a character, where the backend refuses those. */
const BLANK = 'blank'

export class Delivery {
  /** Open it whenever the budget has released something. */
  readonly room = new Room()
  readonly numbers: DeliveryNumbers
  readonly #expansion = new Expansion()
  readonly #fields: DeliveryFields
  readonly #wall: () => number
  readonly #encoder: Encoder
  readonly #circuit: Circuit
  readonly #compressor: Compressor
  readonly #ceiling: Ceiling
  readonly #remarks: Remarks
  readonly #stamps: Stamps
  readonly #settlement: Settlement
  readonly #receipts: Receipts | undefined

  constructor(fields: DeliveryFields) {
    const { kernel, budget, backend, options, logger, random, wall = Date.now } = fields
    this.#fields = fields
    this.#wall = wall
    this.numbers = fields.numbers ?? new DeliveryNumbers()
    const { maxBytes, maxRecords } = options.batch
    this.#encoder = new Encoder({ kernel, budget, backend, maxBytes, maxRecords })
    this.#circuit = new Circuit(options.retry, random)
    this.#ceiling = new Ceiling(this.#encoder.maxBytes, this.#encoder.mostBytes)
    this.#remarks = new Remarks({
      name: fields.name,
      kernel,
      numbers: this.numbers,
      logger,
      health: () => this.#circuit.health,
      behind: fields.behind,
      now: fields.now,
    })
    this.#stamps = new Stamps(random, wall)
    this.#settlement = new Settlement(kernel, fields.onRejected)
    const { confirmation } = backend
    this.#receipts = confirmation && new Receipts(confirmation, fields.transport)
    this.#compressor = new Compressor(options.compression)
    const { trouble } = this.#compressor
    if (trouble)
      logger.warn(
        { event: 'gzip_fallback', backend: fields.name, error: String(trouble) },
        'gzip is left to zlib, at twice the cost',
      )
  }

  /** Reasons that it refuses records for itself. */
  static refusals({ limits }: Backend): string[] {
    return limits.blank === undefined ? [TOO_LARGE] : [TOO_LARGE, BLANK]
  }

  get health(): Health {
    return this.#circuit.health
  }

  /**
   * Sends and settles all frames of `slab`. Its extent stays the caller's, and must stay as it is meanwhile.
   * `onSent` is called when all of it has been accepted, though some may not be confirmed: the next slab may go.
   */
  async ship(slab: Slab, onSent: () => void = () => {}): Promise<Shipped> {
    this.#stamps.give(slab)
    const work: Portion[] = [{ runs: this.#sendable(slab), noted: false }]
    const unconfirmed = new Map<Promise<unknown>, readonly Run[]>()
    for (;;) {
      const portion = work.shift()
      if (portion?.runs.length === 0) continue
      if (portion === undefined) {
        onSent()
        if (unconfirmed.size === 0) return SETTLED
        if (!(await this.#confirm(slab, unconfirmed, work))) return ABANDONED
        continue
      }
      const payload = await this.#encode(slab, portion.runs)
      if (payload === 'abandoned') return ABANDONED
      const taken = payload === 'unfit' ? 1 : payload.records
      const rest = behind(portion.runs, taken)
      if (rest.length > 0) work.unshift({ ...portion, runs: rest })
      if (payload === 'unfit') {
        this.#settlement.reject(slab, upTo(portion.runs, 1), TOO_LARGE, undefined)
        continue
      }
      const conclusion = await this.#conclude(slab, payload)
      if (conclusion.kind === 'abandoned') return ABANDONED
      if (conclusion.kind === 'outdated') {
        this.#stamps.give(slab, this.#wall())
        work.unshift({ ...portion, runs: payload.runs })
        continue
      }
      let again: (readonly Run[])[] = []
      if (conclusion.kind === 'pending') {
        unconfirmed.set(this.#receipts?.await(conclusion.receipt) ?? Promise.resolve('confirmed'), payload.runs)
      } else {
        again = this.#settlement.settle(slab, payload, conclusion)
        if (conclusion.kind === 'items' && conclusion.receipt !== undefined) {
          const others = this.#settlement.others(payload, conclusion)
          if (others.length > 0) unconfirmed.set(this.#receipts!.await(conclusion.receipt), others)
        }
      }
      const through = again.length === 0 || conclusion.kind === 'items'
      if (through && !portion.noted) this.#note(payload)
      work.unshift(...again.map(runs => ({ runs, noted: portion.noted || through })))
    }
  }

  /** The draining has begun: waits are at most a second, and the present one ends now. */
  hurry(): void {
    this.#circuit.hurry()
  }

  /** No request is begun any more. A `ship` with one under way resolves after its answer, the others now. */
  halt(): void {
    this.#circuit.stop()
    this.room.open()
  }

  /** The deadline: whatever is not settled is abandoned, and every `ship` resolves. */
  stop(): void {
    this.halt()
    this.#receipts?.stop()
    this.#fields.transport.abort()
  }

  /** How many bytes of frames probably make one full payload. */
  get wanted(): number {
    return this.#expansion.framesFor(Math.min(this.#encoder.maxBytes, this.#ceiling.bytes))
  }

  /** Requests that were accepted and not yet confirmed. */
  get unconfirmed(): number {
    return this.#receipts?.size ?? 0
  }

  /** Waits for one of the requests to be confirmed or lost. Returns false if that was abandoned. */
  async #confirm(slab: Slab, unconfirmed: Map<Promise<unknown>, readonly Run[]>, work: Portion[]): Promise<boolean> {
    const [fate, ended] = await Promise.race(
      [...unconfirmed.keys()].map(async promise => [await promise, promise] as const),
    )
    const runs = unconfirmed.get(ended)!
    unconfirmed.delete(ended)
    if (fate === 'abandoned') return false
    if (fate === 'confirmed') this.#settlement.deliver(slab, runs)
    else {
      this.#remarks.unconfirmed(countOf(runs))
      work.push({ runs, noted: true })
    }
    return true
  }

  /** All frames, but for those that the backend is known to refuse. */
  #sendable(slab: Slab): readonly Run[] {
    if (this.#fields.backend.limits.blank === undefined) return [{ from: 0, to: slab.frames }]
    const { blank, others } = blanks(slab, this.#fields.kernel.bytes)
    this.#settlement.reject(slab, blank, BLANK, undefined)
    return others
  }

  #note({ notes }: Payload): void {
    for (const { origin, repaired, cut } of notes) {
      this.numbers.repairedSequences += repaired
      this.numbers.truncatedRecords += cut
      if (repaired > 0) this.#fields.onRepaired?.(origin, repaired)
      if (cut > 0) this.#fields.onTruncated?.(origin, cut)
    }
  }

  #encode(slab: Slab, runs: readonly Run[]): Promise<Payload | 'unfit' | 'abandoned'> {
    return this.room.enter(() => {
      if (this.#circuit.stopped) return 'abandoned'
      const encoded = this.#encoder.encode(slab, runs, this.#ceiling.bytes, this.#ceiling.alone)
      switch (encoded.kind) {
        case 'payload':
          this.#expansion.learn(encoded.frameBytes, encoded.view.length)
          return encoded
        case 'unfit':
          return 'unfit'
        case 'no room':
          return undefined
      }
    })
  }

  /** Sends the payload until there is a conclusion, and releases it. */
  async #conclude(slab: Slab, payload: Payload): Promise<Conclusion> {
    const size = payload.view.length
    this.numbers.inFlight++
    try {
      const exchange = this.#exchange(payload)
      for (;;) {
        const pass = await this.#circuit.enter()
        if (pass === undefined) return { kind: 'abandoned' }
        if (this.#outdated(slab)) {
          this.#circuit.leave(pass)
          return { kind: 'outdated' }
        }
        const before = performance.now()
        const reply = await this.#fields.transport.send(exchange)
        const verdict = this.#judge(reply, payload)
        // A request that was dropped by `stop` says nothing about the destination.
        if (reply.kind === 'failure' && this.#circuit.stopped) return { kind: 'abandoned' }
        const status = reply.kind === 'answer' ? reply.answer.status : undefined
        this.numbers.request(status, verdict.kind, (performance.now() - before) / 1000)
        if (verdict.kind === 'retry' || verdict.kind === 'unauthorized') {
          this.#wait(pass, verdict, slab, payload)
          this.#fields.onSetback?.(status)
          continue
        }
        const away = this.#circuit.succeed(pass)
        if (away !== undefined) this.#remarks.back(away)
        this.#took(size, exchange.body.length, verdict.kind)
        this.#say(verdict, size, slab, payload)
        if (verdict.kind === 'items' && verdict.retry.length > 0) this.#fields.onSetback?.(status)
        return verdict.kind === 'pending' ? verdict : { ...verdict, status }
      }
    } finally {
      this.numbers.inFlight--
      this.#encoder.release(payload)
    }
  }

  /** The request, made once. The compressed body takes the encoded one's place, and gives back what that leaves free. */
  #exchange(payload: Payload): Exchange {
    const { backend, budget } = this.#fields
    const head = backend.request({ id: payload.id, records: payload.records })
    const { contentType } = backend.format
    const compressed = this.#compressor.compress(payload.view)
    if (compressed === undefined) return { head, contentType, encoding: undefined, body: payload.view }
    budget.shrink(payload.extent, compressed.length)
    return { head, contentType, encoding: this.#compressor.encoding, body: compressed }
  }

  #judge(reply: Reply, { id, records }: Payload): Verdict {
    if (reply.kind === 'failure') return { kind: 'retry', reason: reply.code, misconfigured: isLasting(reply.code) }
    let verdict: Verdict
    try {
      verdict = this.#fields.backend.judge(reply.answer, { id, records })
    } catch {
      // No answer may end the process. What a judge stumbles over is not a delivery.
      return { kind: 'retry', reason: 'unreadable_answer' }
    }
    if (verdict.kind !== 'retry' || verdict.after !== undefined) return verdict
    const after = retryAfter(reply.answer.headers['retry-after'], Date.now())
    return after === undefined ? verdict : { ...verdict, after }
  }

  #wait(pass: Pass, verdict: Extract<Verdict, { kind: 'retry' | 'unauthorized' }>, slab: Slab, payload: Payload): void {
    const { kind, reason } = verdict
    let news: boolean
    if (kind === 'unauthorized') {
      // New credentials deserve an attempt at once. It cannot turn into a storm: they are new only once.
      const after = this.#fields.transport.reload() ? { after: 0 } : {}
      news = this.#circuit.fail(pass, { kind, reason, ...after })
    } else news = this.#circuit.fail(pass, { kind: 'down', reason, after: verdict.after })
    this.#remarks.away(verdict, news, slab, payload)
  }

  #say(verdict: Conclusion, size: number, slab: Slab, payload: Payload): void {
    switch (verdict.kind) {
      case 'pending':
      case 'outdated':
      case 'abandoned':
        return
      case 'split':
        this.#remarks.tooLarge(verdict.reason, size, payload.records)
        // One record alone says nothing about how many small ones would pass.
        if (payload.records > 1) this.#ceiling.lower(size)
        else if (payload.oversize) this.#ceiling.lowerAlone(size)
        return
      case 'delivered':
        if (verdict.remark !== undefined) this.#remarks.oddly(verdict.remark, payload.records)
        return
    }
    this.#remarks.refused(verdict, this.#settlement.hopeful, slab, payload)
    const held = verdict.kind === 'items' ? verdict.retry[0] : undefined
    if (held === undefined || verdict.kind !== 'items') return
    this.#remarks.heldBack(held, verdict.retry.length, slab, payload)
    // The destination is given time before they are sent again.
    this.#circuit.fail({ probe: false }, { kind: 'down', reason: held.reason })
  }

  /** Its times are outside what the backend takes: too old by now, or ahead of a clock that was set right meanwhile. */
  #outdated(slab: Slab): boolean {
    const { age } = this.#fields.backend.limits
    if (age === undefined) return false
    const now = this.#wall()
    const oldest = slab.chunks[0]!.stamp / 1_000_000n
    return oldest < now - age || slab.chunks.some(({ stamp }) => isAhead(stamp, now))
  }

  #took(size: number, sent: number, kind: Verdict['kind']): void {
    if (kind === 'rejected' || kind === 'suspect' || kind === 'split') return
    this.numbers.lastDeliveredAt = Date.now()
    this.numbers.payloadBytes += size
    this.numbers.wireBytes += sent
    this.#ceiling.took()
  }
}
