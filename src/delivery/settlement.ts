/**
 * What becomes of a payload's frames: the one place where a conclusion turns into settled frames.
 *
 * Guarantees: every frame of the payload is either settled here, once, or among those that are returned to be sent
 * again; a record that is refused is reported with its reason before it settles; reasons are a bounded set of names.
 */
import type { Verdict } from '../backends/backend.ts'
import type { Chunk, Slab } from '../chunk.ts'
import type { Kernel } from '../kernel/kernel.ts'
import { DELIVERED, type Outcome } from '../ledger.ts'
import type { Payload } from './encoder.ts'
import { behind, pick, type Run, upTo } from './runs.ts'

/** A record that was refused for good. */
export interface RejectedRecord {
  readonly chunk: Chunk
  /** Offset of the frame in its file. */
  readonly offset: number
  /** A view of the arena, good only during the call. */
  readonly frame: Buffer
  readonly reason: string
  /** Of the answer, if there was one. */
  readonly status: number | undefined
}

/** Verdicts that need no waiting. `status` is that of the answer. */
export type Final = Extract<Verdict, { kind: 'delivered' | 'rejected' | 'suspect' | 'items' | 'counted' | 'split' }> & {
  readonly status?: number | undefined
}

type ByItem = Extract<Verdict, { kind: 'items' }>

/** The reason of a record that no request can hold. */
export const TOO_LARGE = 'too_large'

/** After so many rejected records in a row it is not the records: what is refused is refused as a whole. */
const HOPELESS = 32
/** Reasons become keys of metrics and of the ledger. */
const MAX_REASONS = 64

export class Settlement {
  readonly #kernel: Kernel
  readonly #onRejected: ((record: RejectedRecord) => void) | undefined
  readonly #reasons = new Set<string>()
  /** Single records that were found at fault since something was last delivered. */
  #refusals = 0

  constructor(kernel: Kernel, onRejected: ((record: RejectedRecord) => void) | undefined) {
    this.#kernel = kernel
    this.#onRejected = onRejected
  }

  /** A request that was refused is worth looking through for the records that are at fault. */
  get hopeful(): boolean {
    return this.#refusals < HOPELESS
  }

  /** Settles what `verdict` says; returns what must be sent again, apart from each other. */
  settle(slab: Slab, { runs, records, oversize }: Payload, verdict: Final): (readonly Run[])[] {
    switch (verdict.kind) {
      case 'delivered':
        this.deliver(slab, runs)
        return []
      case 'split':
        if (records > 1) return halves(runs, records)
        // The encoder will make it smaller: the ceiling has been lowered.
        if (oversize) return [runs]
        this.reject(slab, runs, TOO_LARGE, verdict.status)
        return []
      case 'suspect':
        if (records > 1 && this.hopeful) return halves(runs, records)
        if (records === 1) this.#refusals++
        this.reject(slab, runs, verdict.reason, verdict.status)
        return []
      case 'rejected':
        this.reject(slab, runs, verdict.reason, verdict.status)
        return []
      case 'counted': {
        const good = Math.max(0, records - verdict.rejected)
        this.deliver(slab, upTo(runs, good))
        // Which ones they were nobody knows: the lines are right, and their bytes are those of the last ones.
        for (const { from, to } of behind(runs, good)) slab.settle(from, to, this.#outcome(verdict.reason))
        return []
      }
      case 'items': {
        const { rejected, retry } = verdict
        for (const { index, reason } of rejected) this.reject(slab, pick(runs, [index]), reason, verdict.status)
        if (verdict.receipt === undefined) this.deliver(slab, this.others({ runs, records }, verdict))
        const places = retry.map(({ index }) => index)
        return places.length > 0 ? [pick(runs, places)] : []
      }
    }
  }

  /** The records that an answer item by item does not name: they were taken. */
  others({ runs, records }: Pick<Payload, 'runs' | 'records'>, { rejected, retry }: ByItem): Run[] {
    const named = new Set([...rejected, ...retry].map(({ index }) => index))
    const places: number[] = []
    for (let index = 0; index < records; index++) if (!named.has(index)) places.push(index)
    return pick(runs, places)
  }

  deliver(slab: Slab, runs: readonly Run[]): void {
    if (runs.length > 0) this.#refusals = 0
    for (const { from, to } of runs) slab.settle(from, to, DELIVERED)
  }

  reject(slab: Slab, runs: readonly Run[], reason: string, status: number | undefined): void {
    const outcome = this.#outcome(reason)
    for (const { from, to } of runs) {
      if (this.#onRejected) this.#report(slab, from, to, outcome.reason, status)
      slab.settle(from, to, outcome)
    }
  }

  #report(slab: Slab, from: number, to: number, reason: string, status: number | undefined): void {
    for (const chunk of slab.chunks) {
      const stop = Math.min(to, chunk.firstFrame + chunk.frames)
      for (let index = Math.max(from, chunk.firstFrame); index < stop; index++) {
        const frame = this.#kernel.bytes.subarray(slab.startOf(chunk, index), slab.endOf(index))
        this.#onRejected?.({ chunk, offset: slab.offsetOf(chunk, index), frame, reason, status })
      }
    }
  }

  /** Reasons may come from answers: there are only so many of them, and they look like names. */
  #outcome(reason: string): Extract<Outcome, { kind: 'rejected' }> {
    const named = /^[A-Za-z0-9_.-]{1,64}$/.test(reason)
    const known = named && (this.#reasons.has(reason) || this.#reasons.size < MAX_REASONS)
    if (known) this.#reasons.add(reason)
    return { kind: 'rejected', reason: known ? reason : 'other' }
  }
}

function halves(runs: readonly Run[], records: number): Run[][] {
  const half = Math.ceil(records / 2)
  return [upTo(runs, half), behind(runs, half)]
}
