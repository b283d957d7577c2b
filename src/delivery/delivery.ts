/**
 * Delivery: the frames of a slab, sent to one destination and settled.
 *
 *     ship ─► encode ─► send ─► judge ─┬─ delivered, rejected ─► settle ─► next payload
 *               ▲         ▲            ├─ retry, unauthorized ─► wait at the circuit ─┐
 *               │         └────────────┼──────────────────────── the same bytes ◄─────┘
 *               └── fewer frames ◄─────┴─ split
 *
 * Guarantees: every frame settles exactly once, or is left unsettled because `stop` was called; within one `ship`
 * payloads go one after the other, in order, and the next only when the last has settled. A payload is encoded once and
 * sent again as the same bytes under the same id. No passing fault ever gives data up. Every extent that was granted
 * here is released here. Nothing rejects: `ship` always resolves.
 */
import type { Answer, Backend, Verdict } from '../backends/backend.ts'
import type { Budget } from '../budget.ts'
import type { Origin, Slab } from '../chunk.ts'
import type { Kernel } from '../kernel/kernel.ts'
import { DELIVERED } from '../ledger.ts'
import { type Logger, rateLimited } from '../log.ts'
import { Circuit, type Health, type Pass } from './circuit.ts'
import { compress } from './compress.ts'
import { Encoder, type Payload } from './encoder.ts'
import type { Exchange, Reply, Transport } from './exchange.ts'
import { DeliveryNumbers } from './numbers.ts'
import type { DeliveryOptions } from './options.ts'
import { quote } from './quote.ts'
import { retryAfter } from './retry.ts'
import { Room } from './room.ts'

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
}

/** `abandoned`: stopped before the end; what has not settled stays in flight. */
export type Shipped = { readonly kind: 'settled' } | { readonly kind: 'abandoned' }

type Conclusion = Extract<Verdict, { kind: 'delivered' | 'rejected' | 'split' }> | { readonly kind: 'abandoned' }

const SETTLED: Shipped = { kind: 'settled' }
const ABANDONED: Shipped = { kind: 'abandoned' }
/** The reason of a record that no request can hold. */
const TOO_LARGE = 'too_large'

/** The log says the same thing about a destination once a minute. */
const SAY_AGAIN = 60_000

/** A backend's words are looked at no more often: milliseconds. Comparing them with the frames costs time. */
const LISTEN_AGAIN = 1_000

/** What was learned from "too large" is doubted after so many payloads, and then raised by half. */
const DOUBT = 64
const LEAST_LEARNED = 1024

/** Faults that no waiting will mend: someone has to look at the configuration. */
const MISCONFIGURED = new Set(['redirect', 'unexpected_html', 'CREDENTIALS_UNREADABLE'])

export class Delivery {
  /** Open it whenever the budget has released something. */
  readonly room = new Room()
  readonly numbers = new DeliveryNumbers()
  readonly #fields: DeliveryFields
  readonly #log: Logger
  readonly #encoder: Encoder
  readonly #circuit: Circuit
  /** The largest payload that the backend is believed to take, and how many it took since that was last corrected. */
  #learned = Number.POSITIVE_INFINITY
  #taken = 0
  #listened = Number.NEGATIVE_INFINITY

  constructor(fields: DeliveryFields) {
    const { kernel, budget, backend, options, logger, random } = fields
    this.#fields = fields
    this.#log = rateLimited(logger, SAY_AGAIN)
    const { maxBytes, maxRecords } = options.batch
    this.#encoder = new Encoder({ kernel, budget, backend, maxBytes, maxRecords })
    this.#circuit = new Circuit(options.retry, random)
  }

  get health(): Health {
    return this.#circuit.health
  }

  /** Sends and settles all frames of `slab`. Its extent stays the caller's, and must stay as it is meanwhile. */
  async ship(slab: Slab): Promise<Shipped> {
    let from = 0
    let most = Number.POSITIVE_INFINITY
    while (from < slab.frames) {
      const payload = await this.#encode(slab, from, Math.min(slab.frames, from + most))
      if (payload === 'abandoned') return ABANDONED
      if (payload === 'unfit') {
        this.#giveUp(slab, from, from + 1, TOO_LARGE)
        from++
        continue
      }
      const records = payload.to - payload.from
      const conclusion = await this.#conclude(slab, payload)
      if (conclusion.kind === 'abandoned') return ABANDONED
      if (conclusion.kind === 'split' && records > 1) {
        most = Math.ceil(records / 2)
        continue
      }
      for (const { origin, repaired, cut } of payload.notes) {
        this.numbers.repairedSequences += repaired
        this.numbers.truncatedRecords += cut
        if (repaired > 0) this.#fields.onRepaired?.(origin, repaired)
        if (cut > 0) this.#fields.onTruncated?.(origin, cut)
      }
      if (conclusion.kind === 'delivered') slab.settle(payload.from, payload.to, DELIVERED)
      else {
        const reason = conclusion.kind === 'split' ? TOO_LARGE : conclusion.reason
        this.#giveUp(slab, payload.from, payload.to, reason)
      }
      from = payload.to
      most = Number.POSITIVE_INFINITY
    }
    return SETTLED
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
    this.#fields.transport.abort()
  }

  async #encode(slab: Slab, from: number, to: number): Promise<Payload | 'unfit' | 'abandoned'> {
    for (;;) {
      if (this.#circuit.stopped) return 'abandoned'
      const encoded = this.#encoder.encode(slab, from, to, this.#learned)
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
        const before = performance.now()
        const reply = await this.#fields.transport.send(exchange)
        const verdict = this.#judge(reply)
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
        if (verdict.kind === 'delivered') {
          this.numbers.lastDeliveredAt = Date.now()
          this.numbers.payloadBytes += size
          this.numbers.wireBytes += exchange.body.length
          this.#took()
        } else this.#refused(verdict, size, slab, payload)
        return verdict
      }
    } finally {
      this.numbers.inFlight--
      this.#encoder.release(payload)
    }
  }

  /** The request, made once. The compressed body takes the encoded one's place, and gives back what that leaves free. */
  #exchange(payload: Payload): Exchange {
    const { backend, kernel, budget, options } = this.#fields
    const head = backend.request({ id: payload.id, records: payload.to - payload.from })
    const { contentType } = backend.format
    const { compression } = options
    const compressed = compress(payload.view, compression)
    if (compressed === undefined || compression === 'none') {
      return { head, contentType, encoding: undefined, body: payload.view }
    }
    const { address } = payload.extent
    kernel.bytes.set(compressed, address)
    budget.shrink(payload.extent, compressed.length)
    return {
      head,
      contentType,
      encoding: compression,
      body: kernel.bytes.subarray(address, address + compressed.length),
    }
  }

  #judge(reply: Reply): Verdict {
    if (reply.kind === 'failure') return { kind: 'retry', reason: reply.code }
    let verdict: Verdict
    try {
      verdict = this.#fields.backend.judge(reply.answer)
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
    if (MISCONFIGURED.has(reason)) {
      this.#log.error({ ...fields, about: reason }, 'destination is misconfigured')
    } else if (news) logger.warn(fields, 'destination is down')
  }

  #refused(verdict: Extract<Verdict, { kind: 'rejected' | 'split' }>, size: number, slab: Slab, payload: Payload) {
    const { name } = this.#fields
    const { reason } = verdict
    if (verdict.kind === 'rejected') {
      const detail = this.#listen(verdict.detail, slab, payload)
      this.numbers.lastError = { reason, detail, at: Date.now() }
      const fields = { backend: name, reason, records: payload.to - payload.from, about: reason }
      this.#log.error(detail === undefined ? fields : { ...fields, detail }, 'records were rejected')
      return
    }
    this.numbers.retry(reason)
    this.numbers.lastError = { reason, detail: undefined, at: Date.now() }
    // One record alone says nothing about how many small ones would pass.
    if (payload.to - payload.from === 1) {
      this.#log.error({ backend: name, reason: TOO_LARGE, bytes: size }, 'a record was too large')
      return
    }
    this.#learned = Math.max(LEAST_LEARNED, Math.min(this.#learned, Math.floor(size / 2)))
    this.#taken = 0
    this.#log.warn({ backend: name, reason, bytes: size }, 'payload was too large, sending halves')
  }

  #giveUp(slab: Slab, from: number, to: number, reason: string): void {
    slab.settle(from, to, { kind: 'rejected', reason })
  }

  #took(): void {
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
    const first = slab.chunks.find(chunk => payload.from < chunk.firstFrame + chunk.frames)!
    const frames = this.#fields.kernel.bytes.subarray(slab.startOf(first, payload.from), slab.endOf(payload.to - 1))
    return quote(detail, frames)
  }
}
