/**
 * The sender: frames of a slab → one payload → attempts, until there is a conclusion.
 *
 *     encode ─► enter the circuit ─► send ─► judge ─┬─ retry, unauthorized ─► fail ─► the same bytes again
 *                                                   ├─ something was taken ─► succeed ─► concluded
 *                                                   └─ refused ─► succeed, or fail where all is refused ─► concluded
 *
 * Guarantees: a payload is sent again as the same bytes under the same id until there is a conclusion, which no passing
 * fault is. While nothing at all is taken a refusal is a fault of the address: it is said so and waited for, and what
 * is tried next goes out no sooner than after any other fault. Every extent that was granted here is released here.
 */
import type { Backend, Verdict } from '../backends/backend.ts'
import type { Budget } from '../budget.ts'
import type { Slab } from '../chunk.ts'
import type { Kernel } from '../kernel/kernel.ts'
import type { Room } from './capacity.ts'
import type { Circuit, Pass } from './circuit.ts'
import { Ceiling, FLOOR } from './encoding/ceiling.ts'
import { Compressor } from './encoding/compress.ts'
import { Encoder, type Payload } from './encoding/encoder.ts'
import { Expansion } from './encoding/expansion.ts'
import type { Run } from './encoding/runs.ts'
import { isAhead } from './encoding/stamps.ts'
import type { BatchOptions, Compression, RetryOptions } from './options.ts'
import type { Evidence } from './outcome/evidence.ts'
import type { Refusal, Remarks } from './outcome/remarks.ts'
import type { DeliveryNumbers } from './outcome/stats.ts'
import { backoff, retryAfter } from './retry.ts'
import { type Exchange, isLasting, type Reply, type Transport } from './transport/exchange.ts'

/**
 * A fault of these records, as far as can be told, that may pass. `rejectAs`: under which reason they may be given up.
 * `within`: said inside of a success, in which others would have had answers of their own.
 */
export interface Failing {
  readonly kind: 'failing'
  readonly within: boolean
  readonly reason: string
  readonly detail?: string | undefined
  readonly rejectAs?: string | undefined
}

/** What came of a payload. It has been released: what it says of its frames is still good. */
export interface Concluded {
  readonly kind: 'concluded'
  readonly payload: Payload
  readonly verdict: Exclude<Verdict, { kind: 'retry' | 'unauthorized' }> | Failing
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
 * `apart`: they are sent for their own sake, and what is said of them holds up nobody else. `more`: if they are refused
 * others follow at once, whatever is believed of the destination.
 */
export interface Manner {
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
  readonly numbers: DeliveryNumbers
  readonly circuit: Circuit
  readonly evidence: Evidence
  readonly remarks: Remarks
  readonly room: Room
  readonly random: () => number
  /** As `Date.now`. */
  readonly wall: () => number
  /** A request failed in passing, or was refused. */
  readonly onSetback: ((status: number | undefined) => void) | undefined
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
  async send(slab: Slab, runs: readonly Run[], manner: Manner = {}): Promise<Sent> {
    const payload = await this.#encode(slab, runs)
    if (payload === 'abandoned') return ABANDONED
    if (payload === 'unfit') return { kind: 'unfit' }
    const { numbers } = this.#fields
    numbers.inFlight++
    try {
      const exchange = this.#exchange(payload)
      for (;;) {
        const sent = await this.#attempt(slab, payload, exchange, manner)
        if (sent !== undefined) return sent
      }
    } finally {
      numbers.inFlight--
      this.#encoder.release(payload)
    }
  }

  /** The destination is given time before records are sent again that failed so many times in a row. */
  pause(reason: string, failures: number): void {
    const { circuit, retry, random } = this.#fields
    circuit.fail({ probe: false }, { kind: 'down', reason, after: backoff(failures, retry, random) })
  }

  #encode(slab: Slab, runs: readonly Run[]): Promise<Payload | 'unfit' | 'abandoned'> {
    const { circuit, room } = this.#fields
    return room.enter(() => {
      if (circuit.stopped) return 'abandoned'
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

  /** One attempt; `undefined` if it failed in passing and was waited for. */
  async #attempt(slab: Slab, payload: Payload, exchange: Exchange, manner: Manner): Promise<Sent | undefined> {
    const { circuit, evidence, transport, numbers, onSetback } = this.#fields
    const pass = await circuit.enter()
    if (pass === undefined) return ABANDONED
    if (this.#outdated(slab)) {
      circuit.leave(pass)
      return OUTDATED
    }
    const begun = evidence.begin()
    const before = performance.now()
    const reply = await transport.send(exchange)
    const said = this.#judge(reply, payload)
    // A request that was dropped by a stop says nothing about the destination.
    if (reply.kind === 'failure' && circuit.stopped) return ABANDONED
    const status = reply.kind === 'answer' ? reply.answer.status : undefined
    numbers.request(status, said.kind, (performance.now() - before) / 1000)
    const verdict = this.#told(said, status, payload, exchange.body.length, manner)
    if (verdict.kind === 'retry' || verdict.kind === 'unauthorized') {
      this.#wait(pass, verdict, slab, payload)
      onSetback?.(status)
      return undefined
    }
    this.#answered(pass, begun, verdict, status, slab, payload, exchange.body.length, manner)
    return { kind: 'concluded', payload, verdict, status }
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

  /** What the verdict means for these records, which may be less than it means for a stream of them. */
  #told(
    verdict: Verdict,
    status: number | undefined,
    { view, records }: Payload,
    sent: number,
    { apart = false }: Manner,
  ): Verdict | Failing {
    if (verdict.kind === 'split' && !this.#fields.evidence.final) {
      // What is smaller than any limit there is, or much smaller than what was taken before, is not too large.
      const small = view.length <= FLOOR
      if (small) this.#ceiling.forget()
      if (small || (records === 1 && this.#ceiling.took(view.length * 2, sent * 2))) {
        return { kind: 'failing', within: false, reason: verdict.reason, rejectAs: verdict.reason }
      }
    }
    const within = status !== undefined && status < 300
    if (verdict.kind === 'retry' && apart && within) {
      return { kind: 'failing', within, reason: verdict.reason, detail: verdict.detail }
    }
    return verdict
  }

  #wait(pass: Pass, verdict: Extract<Verdict, { kind: 'retry' | 'unauthorized' }>, slab: Slab, payload: Payload): void {
    const { circuit, transport, remarks } = this.#fields
    const { kind, reason } = verdict
    let news: boolean
    if (kind === 'unauthorized') {
      // New credentials deserve an attempt at once. It cannot turn into a storm: they are new only once.
      const after = transport.reload() ? { after: 0 } : {}
      news = circuit.fail(pass, { kind, reason, ...after })
    } else news = circuit.fail(pass, { kind: 'down', reason, after: verdict.after })
    remarks.away(verdict, news, slab, payload)
  }

  #answered(
    pass: Pass,
    begun: number,
    verdict: Concluded['verdict'],
    status: number | undefined,
    slab: Slab,
    payload: Payload,
    sent: number,
    { more = false }: Manner,
  ): void {
    const { circuit, evidence, remarks, onSetback } = this.#fields
    const { records, view } = payload
    const size = view.length
    const took = taken(verdict, records)
    if (took) evidence.taken(begun)
    const refused = !took && verdict.kind !== 'rejected' && verdict.kind !== 'counted'
    if ((verdict.kind === 'failing' && verdict.within) || (refused && more)) circuit.leave(pass)
    else if (refused && evidence.doubting) {
      const { reason, detail } = words(verdict)
      const news = circuit.fail(pass, { kind: 'down', reason })
      remarks.away({ kind: 'retry', reason, ...(detail && { detail }), misconfigured: true }, news, slab, payload)
    } else {
      const away = circuit.succeed(pass)
      if (away !== undefined) remarks.back(away)
    }
    if (verdict.kind === 'split') {
      remarks.tooLarge(verdict.reason, size, records)
      // One record alone says nothing about how many small ones would pass.
      if (records > 1) this.#ceiling.lower(size)
      else if (payload.oversize) this.#ceiling.lowerAlone(size)
    }
    if (took) this.#took(size, sent)
    if (!refused) return
    if (verdict.kind !== 'split') remarks.heard(words(verdict), slab, payload)
    onSetback?.(status)
  }

  #took(size: number, sent: number): void {
    const { numbers } = this.#fields
    numbers.lastDeliveredAt = Date.now()
    numbers.payloadBytes += size
    numbers.wireBytes += sent
    this.#ceiling.raise(size, sent)
  }

  /** Its times are outside what the backend takes: too old by now, or ahead of a clock that was set right meanwhile. */
  #outdated(slab: Slab): boolean {
    const { age } = this.#fields.backend.limits
    if (age === undefined) return false
    const now = this.#fields.wall()
    const oldest = slab.chunks[0]!.stamp / 1_000_000n
    return oldest < now - age || slab.chunks.some(({ stamp }) => isAhead(stamp, now))
  }
}

/** Whether something of the request was taken. */
function taken(verdict: Concluded['verdict'], records: number): boolean {
  switch (verdict.kind) {
    case 'delivered':
    case 'pending':
      return true
    case 'counted':
      return verdict.rejected < records
    case 'items':
      return verdict.rejected.length + verdict.retry.length + (verdict.unread?.length ?? 0) < records
    case 'rejected':
    case 'suspect':
    case 'split':
    case 'failing':
      return false
  }
}

function words(verdict: Concluded['verdict']): Refusal {
  switch (verdict.kind) {
    case 'items':
      return verdict.rejected[0] ?? verdict.retry[0] ?? { reason: 'refused' }
    case 'delivered':
    case 'pending':
      return { reason: 'refused' }
    default:
      return verdict
  }
}
