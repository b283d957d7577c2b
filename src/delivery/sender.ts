/**
 * The sender: frames of a slab → one payload → attempts, until there is a conclusion.
 *
 *     encode ─► enter the circuit ─► attempt ─┬─ retry, unauthorized ─► fail ─► the same bytes again
 *                                             ├─ something was accepted ─► succeed ─► concluded
 *                                             └─ refused ─► succeed, or fail where all is refused ─► concluded
 *
 * Guarantees: a payload is sent again as the same bytes under the same id until there is a conclusion, which no passing
 * fault is. While nothing at all is accepted a refusal is a fault of the address: it is said so and waited for, and
 * what is tried next goes out no sooner than after any other fault. Every extent that was granted here is released
 * here.
 */
import type { Backend, Verdict } from '../backends/backend.ts'
import type { Budget } from '../budget.ts'
import type { Slab } from '../chunk.ts'
import type { Kernel } from '../kernel/kernel.ts'
import { attempt } from './attempt.ts'
import type { CapacityQueue } from './capacity.ts'
import type { Circuit, Pass } from './circuit.ts'
import { Ceiling, FLOOR } from './encoding/ceiling.ts'
import { Compressor } from './encoding/compress.ts'
import { Encoder, type Payload } from './encoding/encoder.ts'
import { Expansion } from './encoding/expansion.ts'
import type { FrameRange } from './encoding/frame-ranges.ts'
import { isAhead, patience } from './encoding/record-times.ts'
import type { BatchOptions, Compression, RetryOptions } from './options.ts'
import type { CircuitChange, RequestEvent } from './outcome/delivery-log.ts'
import type { Evidence } from './outcome/evidence.ts'
import type { DeliveryStats } from './outcome/stats.ts'
import {
  type Conclusion,
  isAccepted,
  isRefused,
  isRetryable,
  type RetryableFailure,
  refusalOf,
} from './outcome/verdicts.ts'
import { backoff } from './retry.ts'
import type { HttpRequest, Transport } from './transport/transport.ts'

/** What came of a payload. It has been released: what it says of its frames is still good. */
export interface Concluded {
  readonly kind: 'concluded'
  readonly payload: Payload
  readonly verdict: Conclusion
  readonly status: number | undefined
}

export type Sent =
  | Concluded
  /** The first frame cannot be sent at all. */
  | { readonly kind: 'unfit' }
  /** The backend does not take the times of the records, as they are or as the clock is by now. */
  | { readonly kind: 'outdated' }
  | { readonly kind: 'abandoned' }

/**
 * `apart`: they are sent for their own sake, and what is said of them holds up no others. `more`: if they are refused
 * others follow at once, whatever is believed of the backend. `fresh`: nothing is known of them.
 */
export interface Manner {
  readonly fresh?: boolean
  readonly apart?: boolean
  readonly more?: boolean
}

export interface SenderFields {
  readonly backend: Backend
  readonly transport: Transport
  readonly kernel: Kernel
  readonly budget: Budget
  readonly batch: BatchOptions
  readonly retry: RetryOptions
  readonly compression: Compression
  readonly stats: DeliveryStats
  readonly circuit: Circuit
  readonly evidence: Evidence
  /** Where payloads wait for memory. */
  readonly payloads: CapacityQueue
  readonly random: () => number
  /** As `Date.now`. */
  readonly wall: () => number
  /** Called for every attempt that has a verdict, after it has been given to all parts of delivery. */
  readonly onRequest: (event: RequestEvent) => void
}

/** What is known of a request when its answer has been judged. */
interface Request {
  readonly status: number | undefined
  readonly payload: Payload
  /** Bytes that went out. */
  readonly sent: number
  readonly manner: Manner
}

const ABANDONED: Sent = { kind: 'abandoned' }
const OUTDATED: Sent = { kind: 'outdated' }

export class Sender {
  readonly #fields: SenderFields
  readonly #encoder: Encoder
  readonly #compressor: Compressor
  readonly #ceiling: Ceiling
  readonly #expansion = new Expansion()

  constructor(fields: SenderFields) {
    this.#fields = fields
    const { kernel, budget, backend, batch, compression } = fields
    const { maxBytes, maxRecords } = batch
    this.#encoder = new Encoder({ kernel, budget, backend, maxBytes, maxRecords })
    this.#compressor = new Compressor(compression)
    this.#ceiling = new Ceiling(this.#encoder.maxBytes, this.#encoder.mostBytes)
  }

  /** Why compression is not what it should be. */
  get trouble(): unknown {
    return this.#compressor.trouble
  }

  /** How many bytes of frames probably make one full payload. */
  get wanted(): number {
    return this.#expansion.framesFor(Math.min(this.#encoder.maxBytes, this.#ceiling.bytes))
  }

  /** Sends the first of these frames, as many as fit into a payload. */
  async send(slab: Slab, ranges: readonly FrameRange[], manner: Manner = {}): Promise<Sent> {
    const payload = await this.#encode(slab, ranges)
    if (payload === 'abandoned') return ABANDONED
    if (payload === 'unfit') return { kind: 'unfit' }
    const { stats } = this.#fields
    stats.inFlight++
    try {
      return await this.#retrying(slab, payload, this.#request(payload), manner)
    } finally {
      stats.inFlight--
      this.#encoder.release(payload)
    }
  }

  /** The backend is given time before records are sent again that failed so many times in a row. */
  pause(reason: string, failures: number): void {
    const { circuit, retry, random } = this.#fields
    circuit.fail({ probe: false }, { kind: 'down', reason, after: backoff(failures, retry, random) })
  }

  #encode(slab: Slab, ranges: readonly FrameRange[]): Promise<Payload | 'unfit' | 'abandoned'> {
    const { circuit, payloads } = this.#fields
    return payloads.enter(() => {
      if (circuit.stopped) return 'abandoned'
      const encoded = this.#encoder.encode(slab, ranges, this.#ceiling.bytes, this.#ceiling.alone)
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

  /** The request, made once. The compressed body takes the encoded one's place, and gives back what that leaves free. */
  #request(payload: Payload): HttpRequest {
    const { backend, budget } = this.#fields
    const { id, records, time } = payload
    const { contentType } = backend.format
    const compressed = this.#compressor.compress(payload.view)
    const encoding = compressed === undefined ? undefined : this.#compressor.encoding
    const head = backend.request({ id, records, time, encoding })
    if (compressed === undefined) return { head, contentType, encoding, body: payload.view }
    budget.shrink(payload.extent, compressed.length)
    return { head, contentType, encoding, body: compressed }
  }

  /** One attempt after the other, with waits between them. */
  async #retrying(slab: Slab, payload: Payload, request: HttpRequest, manner: Manner): Promise<Sent> {
    const { backend, transport, stats, circuit, evidence, onRequest } = this.#fields
    const parts = { backend, transport, stats, stopped: () => circuit.stopped }
    const { id, records } = payload
    const sent = request.body.length
    for (;;) {
      const pass = await circuit.enter(manner.fresh)
      if (pass === undefined) return ABANDONED
      if (this.#outdated(slab)) {
        circuit.leave(pass)
        return OUTDATED
      }
      const begun = evidence.begin()
      const attempted = await attempt(parts, request, { id, records })
      if (attempted === undefined) return ABANDONED
      const { status } = attempted
      const verdict = this.#meant(attempted.verdict, { status, payload, sent, manner })
      if (!isRetryable(verdict)) {
        if (isAccepted(verdict, records)) evidence.accepted(begun)
        this.#learn(verdict, payload, sent)
      }
      const change = isRetryable(verdict) ? this.#fail(pass, verdict) : this.#leave(pass, verdict, payload, manner)
      onRequest({ slab, payload, verdict, status, sent, change })
      if (isRetryable(verdict)) continue
      return { kind: 'concluded', payload, verdict, status }
    }
  }

  /** What a verdict means for these records, which may be less than it means for a stream of them. */
  #meant(
    verdict: Verdict,
    { status, payload: { view, records }, sent, manner: { apart = false } }: Request,
  ): RetryableFailure | Conclusion {
    if (verdict.kind === 'split' && !this.#fields.evidence.final) {
      // What is smaller than any limit there is, or much smaller than what was accepted before, is not too large.
      const small = view.length <= FLOOR
      if (small) this.#ceiling.forget()
      if (small || (records === 1 && this.#ceiling.hasAccepted(view.length * 2, sent * 2))) {
        return { kind: 'failing', within: false, reason: verdict.reason, rejectAs: verdict.reason }
      }
    }
    const within = status !== undefined && status < 300
    if (verdict.kind === 'retry' && apart && within) {
      return { kind: 'failing', within, reason: verdict.reason, detail: verdict.detail }
    }
    return verdict
  }

  /** The attempt failed in passing. */
  #fail(pass: Pass, failure: RetryableFailure): CircuitChange {
    const { circuit, transport } = this.#fields
    const { kind, reason } = failure
    if (kind === 'retry') {
      return { kind: 'failed', failure, news: circuit.fail(pass, { kind: 'down', reason, after: failure.after }) }
    }
    // New credentials deserve an attempt at once. It cannot turn into a storm: they are new only once.
    const after = transport.reload() ? { after: 0 } : {}
    return { kind: 'failed', failure, news: circuit.fail(pass, { kind, reason, ...after }) }
  }

  /** There is a conclusion: what it says of the backend. */
  #leave(pass: Pass, conclusion: Conclusion, { records }: Payload, { more = false }: Manner): CircuitChange {
    const { circuit, evidence } = this.#fields
    const refused = isRefused(conclusion, records)
    if ((conclusion.kind === 'failing' && conclusion.within) || (refused && more)) {
      circuit.leave(pass)
      return { kind: 'none' }
    }
    if (refused && evidence.doubting) {
      const { reason, detail } = refusalOf(conclusion)
      const failure = { kind: 'retry', reason, ...(detail && { detail }), misconfigured: true } as const
      return { kind: 'failed', failure, news: circuit.fail(pass, { kind: 'down', reason, refused }) }
    }
    const away = circuit.succeed(pass)
    return away === undefined ? { kind: 'none' } : { kind: 'recovered', away }
  }

  /** What a conclusion says of sizes that the backend takes. */
  #learn(conclusion: Conclusion, { view, records, oversize }: Payload, sent: number): void {
    if (isAccepted(conclusion, records)) this.#ceiling.raise(view.length, sent)
    if (conclusion.kind !== 'split') return
    // One record alone says nothing about how many small ones would pass.
    if (records > 1) this.#ceiling.lower(view.length)
    else if (oversize) this.#ceiling.lowerAlone(view.length)
  }

  /** Its times are outside what the backend takes: too old by now, or ahead of a clock that was set right meanwhile. */
  #outdated(slab: Slab): boolean {
    const { age } = this.#fields.backend.limits
    if (age === undefined) return false
    const now = this.#fields.wall()
    const oldest = slab.chunks[0]!.recordTimeNanos / 1_000_000n
    const timed = slab.chunks.some(({ shape }) => shape?.timed === true)
    return (
      oldest < now - patience(age, timed) || slab.chunks.some(({ recordTimeNanos }) => isAhead(recordTimeNanos, now))
    )
  }
}
