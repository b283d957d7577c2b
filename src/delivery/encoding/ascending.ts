/**
 * Times that ascend within a payload, for backends that refuse one in which they do not.
 *
 *     11:00:00.200  11:00:00.180  11:00:00.300        10:42:07.000
 *                   shown as .200                     begins another payload
 *
 * Lines of several threads stand a few milliseconds out of order in their file; sorting them would need all of them at
 * once, and a payload for each would be a request per line.
 *
 * Guarantees: no time is shown later than it is by more than a second; what lies farther back, or would make a payload
 * span more than the backend takes, is for the next payload.
 */
import type { Chunk, Slab } from '../../chunk.ts'
import { NO_TIME } from '../../kernel/kernel.ts'
import { LAYOUT } from '../../kernel/module.ts'

const MILLISECOND = 1_000_000n

/** How far back a time may lie and be shown as the one before it: milliseconds. */
const SLACK = 1_000n

/** `from` may be rendered as they are; `raised`: one record, at that time; `stop`: nothing more in this payload. */
export type Run =
  | { readonly kind: 'run'; readonly frames: number }
  | { readonly kind: 'raised'; readonly milliseconds: bigint }
  | { readonly kind: 'stop' }

/** The times that records of their own have are believed in these bounds alone, as the kernel does: nanoseconds. */
export interface Believed {
  readonly oldest?: bigint
  readonly newest?: bigint
}

/** One payload's times. */
export class Ascending {
  readonly #rows: DataView
  /** Milliseconds. */
  readonly #span: bigint
  #first: bigint | undefined
  #last = 0n

  constructor(memory: ArrayBufferLike, span: number) {
    this.#rows = new DataView(memory)
    this.#span = BigInt(span)
  }

  /** What may follow of the frames [at, to) of a chunk. */
  next(slab: Slab, chunk: Chunk, at: number, to: number, believed: Believed): Run {
    const time = this.#time(slab, chunk, at, believed)
    if (this.#first !== undefined && time < this.#last) {
      return this.#last - time <= SLACK ? { kind: 'raised', milliseconds: this.#last } : { kind: 'stop' }
    }
    let last = time
    let end = at
    const first = this.#first ?? time
    for (let next = time; next >= last && next - first <= this.#span; ) {
      last = next
      if (++end === to) break
      next = this.#time(slab, chunk, end, believed)
    }
    return end === at ? { kind: 'stop' } : { kind: 'run', frames: end - at }
  }

  /** So many frames were rendered. */
  took(slab: Slab, chunk: Chunk, at: number, frames: number, believed: Believed): void {
    this.#first ??= this.#time(slab, chunk, at, believed)
    const last = this.#time(slab, chunk, at + frames - 1, believed)
    if (last > this.#last) this.#last = last
  }

  #time({ rows, row }: Slab, { shape, recordTimeNanos, firstFrame }: Chunk, frame: number, believed: Believed): bigint {
    const read = recordTimeNanos + BigInt(frame - firstFrame)
    if (!shape?.timed) return read / MILLISECOND
    const own = this.#rows.getBigInt64(rows + frame * row + LAYOUT.ROW_TIME, true)
    const { oldest, newest } = believed
    if (own === NO_TIME || (oldest !== undefined && own < oldest) || (newest !== undefined && own > newest)) {
      return read / MILLISECOND
    }
    return own / MILLISECOND
  }
}
