/**
 * What becomes of frames: the one place where an outcome is given to them and a rejected record is reported.
 *
 * Guarantees: a record that is rejected is reported with its reason before it settles; reasons are a bounded set of names.
 */
import type { Verdict } from '../../backends/backend.ts'
import type { Chunk, Slab } from '../../chunk.ts'
import type { Kernel } from '../../kernel/kernel.ts'
import { DELIVERED, type Outcome } from '../../ledger.ts'
import type { TapInlet } from '../../tap.ts'
import { behind, type FrameRange, pick, upTo } from '../encoding/frame-ranges.ts'

/** A record that was refused for good. */
export interface RejectedRecord {
  readonly chunk: Chunk
  /** Offset of the frame in its file. */
  readonly offset: number
  /** A view, good only during the call. */
  readonly frame: Buffer
  readonly reason: string
  /** Of the answer, if there was one. */
  readonly status: number | undefined
}

type ByItem = Extract<Verdict, { kind: 'items' }>
type Counted = Extract<Verdict, { kind: 'counted' }>

/** The reason of a record that no request can hold. */
export const TOO_LARGE = 'too_large'

/** Reasons become keys of metrics and of the ledger. */
const MAX_REASONS = 64

export class Settlement {
  readonly #kernel: Kernel
  readonly #onRejected: ((record: RejectedRecord) => void) | undefined
  readonly #tap: TapInlet | undefined
  readonly #reasons = new Set<string>()

  constructor(kernel: Kernel, onRejected: ((record: RejectedRecord) => void) | undefined, tap?: TapInlet) {
    this.#kernel = kernel
    this.#onRejected = onRejected
    this.#tap = tap
  }

  deliver(slab: Slab, ranges: readonly FrameRange[]): void {
    this.#tap?.frames(slab, ranges, 'delivered')
    for (const { from, to } of ranges) slab.settle(from, to, DELIVERED)
  }

  reject(slab: Slab, ranges: readonly FrameRange[], reason: string, status: number | undefined): void {
    const outcome = this.outcome(reason)
    this.#tap?.frames(slab, ranges, 'rejected', outcome.reason)
    for (const { from, to } of ranges) {
      if (this.#onRejected) this.#reportAll(slab, from, to, outcome.reason, status)
      slab.settle(from, to, outcome)
    }
  }

  /** So many were refused, and which ones is not known: the lines are right, and their bytes are those of the last ones. */
  count(slab: Slab, ranges: readonly FrameRange[], records: number, { rejected, reason }: Counted): void {
    const good = Math.max(0, records - rejected)
    this.deliver(slab, upTo(ranges, good))
    const outcome = this.outcome(reason)
    const bad = behind(ranges, good)
    this.#tap?.frames(slab, bad, 'rejected', outcome.reason)
    for (const { from, to } of bad) slab.settle(from, to, outcome)
  }

  /** A record that is about to settle as rejected. */
  report(record: RejectedRecord): void {
    this.#onRejected?.(record)
  }

  /** Reasons may come from answers: there are only so many of them, and they look like names. */
  outcome(reason: string): Extract<Outcome, { kind: 'rejected' }> {
    const named = /^[A-Za-z0-9_.-]{1,64}$/.test(reason)
    const known = named && (this.#reasons.has(reason) || this.#reasons.size < MAX_REASONS)
    if (known) this.#reasons.add(reason)
    return { kind: 'rejected', reason: known ? reason : 'other' }
  }

  #reportAll(slab: Slab, from: number, to: number, reason: string, status: number | undefined): void {
    for (const chunk of slab.chunks) {
      const stop = Math.min(to, chunk.firstFrame + chunk.frames)
      for (let index = Math.max(from, chunk.firstFrame); index < stop; index++) {
        const frame = this.#kernel.bytes.subarray(slab.startOf(chunk, index), slab.endOf(index))
        this.report({ chunk, offset: slab.offsetOf(chunk, index), frame, reason, status })
      }
    }
  }
}

/** The records that an answer item by item does not name: they were accepted. */
export function others(
  ranges: readonly FrameRange[],
  records: number,
  { rejected, retry, unread = [] }: ByItem,
): FrameRange[] {
  const named = new Set([...[...rejected, ...retry].map(({ index }) => index), ...unread])
  const places: number[] = []
  for (let index = 0; index < records; index++) if (!named.has(index)) places.push(index)
  return pick(ranges, places)
}
