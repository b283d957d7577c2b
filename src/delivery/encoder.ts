/**
 * Frames of a slab → one payload in the arena.
 *
 *     slab     │ a.log: frames 0..3 │ b.log: frames 4..21 │
 *                  │ template of a.log    │ template of b.log
 *     payload  │ prefix │ record , record , … , record │ suffix │
 *
 * Guarantees: a payload holds whole records of consecutive frames, at least one, and at most what the limits say; what
 * does not fit is for the next payload. A record that is too large even alone is cut on a character's edge and says so;
 * it is never left out in silence. The same frames give the same bytes and the same id, so a payload can be made again
 * from the slab. The slab is as it was when `encode` returns.
 */
import { createHash } from 'node:crypto'
import type { Backend } from '../backends/backend.ts'
import { type Budget, type Extent, PAGE } from '../budget.ts'
import type { Chunk, Origin, Slab } from '../chunk.ts'
import type { Kernel, Segment } from '../kernel/kernel.ts'

/** What happened to the frames of one origin on the way; booked when they settle, for they may be encoded again. */
export interface Note {
  readonly origin: Origin
  /** Sequences replaced by U+FFFD. */
  readonly repaired: number
  /** Records cut to fit. */
  readonly cut: number
}

export interface Payload {
  readonly kind: 'payload'
  /** The frames [from, to) of the slab. */
  readonly from: number
  readonly to: number
  readonly extent: Extent
  /** The encoded bytes, a view of the arena. */
  readonly view: Buffer
  readonly id: string
  readonly notes: readonly Note[]
}

export type Encoded =
  | Payload
  /** No place in the arena now: try again when something was released. */
  | { readonly kind: 'no room' }
  /** The frame `from` cannot be sent at all: its template alone is larger than a payload may be. */
  | { readonly kind: 'unfit' }

/** One record may pass the configured size by this much before it is cut: the default line limit is the default size. */
const MARGIN = PAGE

/** The edge of a cut is searched to this many bytes. */
const CUT_PRECISION = 1024

export interface EncoderOptions {
  readonly kernel: Kernel
  readonly budget: Budget
  readonly backend: Backend
  readonly maxBytes: number
  readonly maxRecords: number
}

export class Encoder {
  readonly #kernel: Kernel
  readonly #budget: Budget
  readonly #backend: Backend
  readonly #maxBytes: number
  readonly #maxRecords: number
  /** Bytes that one payload can ever have. */
  readonly #full: number
  #held = 0

  constructor({ kernel, budget, backend, maxBytes, maxRecords }: EncoderOptions) {
    this.#kernel = kernel
    this.#budget = budget
    this.#backend = backend
    this.#maxBytes = Math.min(maxBytes, backend.limits.payloadBytes)
    this.#maxRecords = Math.min(maxRecords, backend.limits.records)
    this.#full = Math.min(maxBytes + MARGIN, backend.limits.payloadBytes)
  }

  /**
   * A payload of the frames from `from` on, at most up to `to` and `bytes` long; a first record that is longer than
   * `bytes` goes alone. Give it back with `release`.
   */
  encode(slab: Slab, from: number, to: number, bytes: number): Encoded {
    const end = Math.min(to, from + this.#maxRecords)
    const estimate = this.#estimate(slab, from, end)
    for (const want of estimate < this.#full ? [estimate, this.#full] : [this.#full]) {
      const extent = this.#grant(want)
      if (extent === undefined) return { kind: 'no room' }
      const payload = this.#fill(slab, from, end, Math.min(bytes, this.#maxBytes), extent)
      if (payload !== undefined) {
        this.#held++
        this.#budget.shrink(extent, payload.view.length)
        return payload
      }
      const whole = extent.bytes >= this.#full
      this.#budget.release(extent)
      if (whole) return { kind: 'unfit' }
    }
    // The arena has pieces, but none large enough for this one record.
    return { kind: 'no room' }
  }

  release(payload: Payload): void {
    this.#held--
    this.#budget.release(payload.extent)
  }

  #fill(slab: Slab, from: number, to: number, bytes: number, extent: Extent): Payload | undefined {
    const { prefix, separator, suffix, treatment } = this.#backend.format
    const kernel = this.#kernel
    const begin = extent.address
    const limit = begin + Math.min(bytes, extent.bytes) - suffix.length
    const hash = createHash('sha256')
    const notes: Note[] = []
    kernel.bytes.set(prefix, begin)
    let out = begin + prefix.length
    let at = from
    for (const chunk of slab.chunks) {
      const stop = Math.min(to, chunk.firstFrame + chunk.frames)
      if (at < chunk.firstFrame || at >= stop) continue
      const start = slab.startOf(chunk, at)
      const repair = treatment === 'text' && !kernel.validUtf8(start, slab.endOf(stop - 1))
      const fileStart = slab.offsetOf(chunk, at)
      kernel.template(this.#backend.segments(chunk), treatment, separator)
      let count = kernel.render(slab.ends, at, stop - at, start, out, limit, repair, fileStart === 0)
      let cut = 0
      if (count === 0 && at === from) {
        const last = begin + Math.min(this.#full, extent.bytes) - suffix.length
        count = kernel.render(slab.ends, at, 1, start, out, last, repair, fileStart === 0)
        if (count === 0 && extent.bytes >= this.#full) {
          count = this.#cut(slab, chunk, at, out, last, repair)
          cut = count
        }
      }
      if (count === 0) break
      out = kernel.end
      if (kernel.repaired + cut > 0) notes.push({ origin: chunk.origin, repaired: kernel.repaired, cut })
      at += count
      const fileEnd = at === chunk.firstFrame + chunk.frames ? chunk.fileEnd : slab.offsetOf(chunk, at)
      hash.update(`${chunk.origin.generation} ${fileStart} ${fileEnd}\n`)
      if (at < stop || cut > 0) break
    }
    if (at === from) return undefined
    out -= separator.length
    kernel.bytes.set(suffix, out)
    out += suffix.length
    const view = kernel.bytes.subarray(begin, out)
    return { kind: 'payload', from, to: at, extent, view, id: this.#id(slab, from, at, hash.digest('hex')), notes }
  }

  /**
   * Renders the longest head of the frame whose record ends before `limit`. The template says that it was cut, and how
   * long it was. The table's entry is lowered only meanwhile: the next frame begins behind it.
   */
  #cut(slab: Slab, chunk: Chunk, frame: number, out: number, limit: number, repair: boolean): number {
    const { kernel, format, backend } = { kernel: this.#kernel, format: this.#backend.format, backend: this.#backend }
    const start = slab.startOf(chunk, frame)
    const end = slab.endOf(frame)
    const cutFrom = chunk.cutFrom || end - start
    kernel.template(backend.segments({ ...chunk, cutFrom }), format.treatment, format.separator)
    const render = (edge: number): number => {
      slab.setEnd(frame, edge)
      return kernel.render(slab.ends, frame, 1, start, out, limit, repair, slab.offsetOf(chunk, frame) === 0)
    }
    try {
      let fits = start
      let over = end
      while (over - fits > CUT_PRECISION) {
        const middle = Math.floor((fits + over) / 2)
        if (render(middle) === 1) fits = middle
        else over = middle
      }
      // A continuation byte is 10xxxxxx: step back to the byte that begins its character.
      for (let step = 0; step < 3 && fits > start && (kernel.bytes[fits]! & 0xc0) === 0x80; step++) fits--
      return render(fits)
    } finally {
      slab.setEnd(frame, end)
    }
  }

  /** Bytes that the frames [from, to) will probably take: a quarter more than they have, and the template for each. */
  #estimate(slab: Slab, from: number, to: number): number {
    let bytes = PAGE / 16
    let perRecord: number | undefined
    for (const chunk of slab.chunks) {
      const first = Math.max(from, chunk.firstFrame)
      const stop = Math.min(to, chunk.firstFrame + chunk.frames)
      if (first >= stop) continue
      perRecord ??= length(this.#backend.segments(chunk)) + this.#backend.format.separator.length
      bytes += (stop - first) * perRecord + 1.25 * (slab.endOf(stop - 1) - slab.startOf(chunk, first))
      if (bytes >= this.#full) return this.#full
    }
    return Math.ceil(bytes)
  }

  /** A smaller place will do when none of ours is in flight: then nothing of ours will ever make a larger one free. */
  #grant(want: number): Extent | undefined {
    const extent = this.#budget.grant(want)
    if (extent !== undefined || this.#held > 0) return extent
    for (let less = want / 2; less >= PAGE / 2; less /= 2) {
      const smaller = this.#budget.grant(less)
      if (smaller !== undefined) return smaller
    }
    return undefined
  }

  /**
   * The generation and offset of the first record and the number of records, for humans; and a digest of every file
   * range in it, for those would not tell apart two payloads that begin alike and go on with different files.
   */
  #id(slab: Slab, from: number, to: number, digest: string): string {
    const chunk = slab.chunks.find(({ firstFrame, frames }) => from >= firstFrame && from < firstFrame + frames)!
    const offset = slab.offsetOf(chunk, from).toString(16).padStart(12, '0')
    return `${chunk.origin.generation}-${offset}-${to - from}-${digest.slice(0, 16)}`
  }
}

/** Bytes of a record around an empty frame; numbers are taken at their longest. */
function length(segments: readonly Segment[]): number {
  return segments.reduce((sum, segment) => sum + (segment.kind === 'literal' ? segment.bytes.length : 16), 0)
}
