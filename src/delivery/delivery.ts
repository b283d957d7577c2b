/**
 * Delivery: the frames of a slab, sent to one destination and settled.
 *
 *     ship ─► encode ─► send ─► judge ─┬─ delivered, rejected, counted ─► settle ─► next payload
 *               ▲         ▲            ├─ retry, unauthorized ─► wait at the circuit ─┐
 *               │         └────────────┼──────────────────────── the same bytes ◄─────┘
 *               ├── halves ◄───────────┼─ split, suspect
 *               ├── those to retry ◄───┼─ items ─► settle the others
 *               └── what was lost ◄────┴─ pending ─► settle when confirmed
 *
 * Guarantees: every frame settles exactly once, or is left unsettled because `stop` was called; within one `ship`
 * payloads go one after the other, in order, and the next only when the last was settled or accepted. A payload is
 * encoded once and sent again as the same bytes under the same id, unless its records have become too old for the
 * backend. No passing fault ever gives data up. A record that is at fault never takes its neighbours with it. Every
 * extent that was granted here is released here. Nothing rejects: `ship` always resolves.
 */
import type { Answer, Backend, Item, Verdict } from '../backends/backend.ts'
import type { Budget } from '../budget.ts'
import type { Origin, Slab } from '../chunk.ts'
import type { Kernel } from '../kernel/kernel.ts'
import { type Logger, rateLimited } from '../log.ts'
import { blanks } from './blank.ts'
import { Circuit, type Health, type Pass } from './circuit.ts'
import { Compressor } from './compress.ts'
import { Encoder, type Payload } from './encoder.ts'
import { type Exchange, isLasting, type Reply, type Transport } from './exchange.ts'
import { DeliveryNumbers } from './numbers.ts'
import type { DeliveryOptions } from './options.ts'
import { quote } from './quote.ts'
import { Receipts } from './receipts.ts'
import { retryAfter } from './retry.ts'
import { Room } from './room.ts'
import { behind, countOf, type Run, upTo } from './runs.ts'
import { type Final, type RejectedRecord, Settlement, TOO_LARGE } from './settlement.ts'
import { Stamps } from './stamps.ts'

export interface DeliveryFields {
  /** The backend's configured name, for the log. */
  readonly name: string
  readonly backend: Backend
  readonly transport: Transport
  readonly kernel: Kernel
  readonly budget: Budget
  readonly options: Pick<DeliveryOptions, 'batch' | 'retry' | 'compression'>
  readonly logger: Logger
  /** As `Math.random`. */
  readonly random?: () => number
  /** Invalid sequences were replaced in records that have now settled. */
  readonly onRepaired?: (origin: Origin, sequences: number) => void
  /** Records were cut because no payload can hold them, and have now settled. */
  readonly onTruncated?: (origin: Origin, records: number) => void
  /** A record was refused for good and is about to settle. Its bytes are a view that is only good during the call. */
  readonly onRejected?: (record: RejectedRecord) => void
}

/** `abandoned`: stopped before the end; what has not settled stays in flight. */
export type Shipped = { readonly kind: 'settled' } | { readonly kind: 'abandoned' }

/** What came of a payload that needs no waiting any more. */
type Conclusion =
  | Final
  | Extract<Verdict, { kind: 'pending' }>
  /** Its records are older than the backend takes. */
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

/** The log says the same thing about a destination once a minute. */
const SAY_AGAIN = 60_000

/** A backend's words are looked at no more often: milliseconds. Comparing them with the frames costs time. */
const LISTEN_AGAIN = 1_000

/** The reason of a line without a character, where the backend refuses those. */
const BLANK = 'blank'

/** What was learned from "too large" is doubted after so many payloads, and then raised by half. */
const DOUBT = 64
const LEAST_LEARNED = 1024

export class Delivery {
  /** Open it whenever the budget has released something. */
  readonly room = new Room()
  readonly numbers = new DeliveryNumbers()
  readonly #fields: DeliveryFields
  readonly #log: Logger
  readonly #encoder: Encoder
  readonly #circuit: Circuit
  readonly #compressor: Compressor
  /** The largest payload that the backend is believed to take, and how many it took since that was last corrected. */
  #learned = Number.POSITIVE_INFINITY
  #taken = 0
  #listened = Number.NEGATIVE_INFINITY
  readonly #stamps: Stamps
  readonly #settlement: Settlement
  readonly #receipts: Receipts | undefined

  constructor(fields: DeliveryFields) {
    const { kernel, budget, backend, options, logger, random } = fields
    this.#fields = fields
    this.#log = rateLimited(logger, SAY_AGAIN)
    const { maxBytes, maxRecords } = options.batch
    this.#encoder = new Encoder({ kernel, budget, backend, maxBytes, maxRecords })
    this.#circuit = new Circuit(options.retry, random)
    this.#stamps = new Stamps(random)
    this.#settlement = new Settlement(kernel, fields.onRejected)
    const { confirmation } = backend
    this.#receipts = confirmation && new Receipts(confirmation, fields.transport)
    this.#compressor = new Compressor(options.compression)
    const { trouble } = this.#compressor
    if (trouble)
      logger.warn({ backend: fields.name, error: String(trouble) }, 'gzip is left to zlib, at twice the cost')
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
        this.#stamps.give(slab, Date.now())
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
      this.numbers.retry('unconfirmed')
      this.#log.warn(
        { backend: this.#fields.name, records: countOf(runs) },
        'an accepted request was never confirmed; it is sent again',
      )
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

  async #encode(slab: Slab, runs: readonly Run[]): Promise<Payload | 'unfit' | 'abandoned'> {
    for (;;) {
      if (this.#circuit.stopped) return 'abandoned'
      const encoded = this.#encoder.encode(slab, runs, this.#learned)
      if (encoded.kind === 'payload') return encoded
      if (encoded.kind === 'unfit') return 'unfit'
      await this.room.wait()
    }
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
          continue
        }
        const away = this.#circuit.succeed(pass)
        if (away !== undefined) this.#fields.logger.info({ backend: this.#fields.name, away }, 'destination is back')
        if (verdict.kind === 'split') this.#tooLarge(verdict.reason, size, payload)
        else {
          this.#took(size, exchange.body.length, verdict.kind)
          this.#complain(verdict, slab, payload)
        }
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
    const { name, logger, transport } = this.#fields
    const { reason } = verdict
    this.numbers.retry(reason)
    // Answers to refused credentials are not quoted: they may echo the credentials.
    const detail = verdict.kind === 'retry' ? this.#listen(verdict.detail, slab, payload) : undefined
    this.numbers.lastError = { reason, detail, at: Date.now() }
    const fields = { backend: name, reason, ...(detail === undefined ? {} : { detail }) }
    if (verdict.kind === 'unauthorized') {
      // New credentials deserve an attempt at once. It cannot turn into a storm: they are new only once.
      const after = transport.reload() ? { after: 0 } : {}
      this.#circuit.fail(pass, { kind: 'unauthorized', reason, ...after })
      this.#log.error({ ...fields, about: reason }, 'credentials are refused')
      return
    }
    const news = this.#circuit.fail(pass, { kind: 'down', reason, after: verdict.after })
    if (verdict.kind === 'retry' && verdict.misconfigured) {
      this.#log.error({ ...fields, about: reason }, 'destination is misconfigured')
    } else if (news) logger.warn(fields, 'destination is down')
  }

  #tooLarge(reason: string, size: number, payload: Payload): void {
    const { name } = this.#fields
    this.numbers.retry(reason)
    this.numbers.lastError = { reason, detail: undefined, at: Date.now() }
    // One record alone says nothing about how many small ones would pass.
    if (payload.records === 1) {
      this.#log.error({ backend: name, reason: TOO_LARGE, bytes: size }, 'a record was too large')
      return
    }
    this.#learned = Math.max(LEAST_LEARNED, Math.min(this.#learned, Math.floor(size / 2)))
    this.#taken = 0
    this.#log.warn({ backend: name, reason, bytes: size }, 'payload was too large, sending halves')
  }

  /** Says what was refused, and why. What is told item by item is said once, in the words about the first. */
  #complain(verdict: Final | Extract<Verdict, { kind: 'pending' }>, slab: Slab, payload: Payload): void {
    const { name } = this.#fields
    const say = (reason: string, words: string | undefined, records: number, message: string): void => {
      const detail = this.#listen(words, slab, payload)
      this.numbers.lastError = { reason, detail, at: Date.now() }
      const fields = { backend: name, reason, records, about: reason }
      this.#log.error(detail === undefined ? fields : { ...fields, detail }, message)
    }
    switch (verdict.kind) {
      case 'rejected':
        say(verdict.reason, verdict.detail, payload.records, 'records were rejected')
        break
      case 'suspect':
        if (payload.records === 1 || !this.#settlement.hopeful) {
          say(verdict.reason, verdict.detail, payload.records, 'records were rejected')
        } else this.numbers.retry(verdict.reason)
        break
      case 'counted':
        say(verdict.reason, verdict.detail, verdict.rejected, 'records were rejected')
        break
      case 'items': {
        const [refused] = verdict.rejected
        if (refused) say(refused.reason, refused.detail, verdict.rejected.length, 'records were rejected')
        const [held] = verdict.retry
        if (held) this.#holdBack(held, verdict.retry.length, slab, payload)
        break
      }
    }
  }

  /** Some records of a request were turned away in passing: the destination is given time before they are sent again. */
  #holdBack({ reason, detail }: Item, records: number, slab: Slab, payload: Payload): void {
    const words = this.#listen(detail, slab, payload)
    this.numbers.retry(reason)
    this.numbers.lastError = { reason, detail: words, at: Date.now() }
    const fields = { backend: this.#fields.name, reason, records, about: reason }
    this.#log.warn(words === undefined ? fields : { ...fields, detail: words }, 'records are sent again')
    this.#circuit.fail({ probe: false }, { kind: 'down', reason })
  }

  #outdated(slab: Slab): boolean {
    const { age } = this.#fields.backend.limits
    if (age === undefined) return false
    return Number(slab.chunks[0]!.stamp / 1_000_000n) < Date.now() - age
  }

  #took(size: number, sent: number, kind: Verdict['kind']): void {
    if (kind === 'rejected' || kind === 'suspect') return
    this.numbers.lastDeliveredAt = Date.now()
    this.numbers.payloadBytes += size
    this.numbers.wireBytes += sent
    if (this.#learned === Number.POSITIVE_INFINITY || ++this.#taken < DOUBT) return
    this.#taken = 0
    this.#learned *= 1.5
    if (this.#learned >= this.#fields.options.batch.maxBytes) this.#learned = Number.POSITIVE_INFINITY
  }

  /** The backend's words, where they may be repeated and were not just heard. */
  #listen(detail: Answer['body'] | undefined, slab: Slab, payload: Payload): string | undefined {
    const now = performance.now()
    if (detail === undefined || now - this.#listened < LISTEN_AGAIN) return undefined
    this.#listened = now
    const { from } = payload.runs[0]!
    const first = slab.chunks.find(chunk => from < chunk.firstFrame + chunk.frames)!
    const last = payload.runs.at(-1)!.to - 1
    const frames = this.#fields.kernel.bytes.subarray(slab.startOf(first, from), slab.endOf(last))
    return quote(detail, frames)
  }
}
