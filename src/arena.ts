/**
 * The arena of a pipeline: how many bytes it needs for what is configured, and how those that it has are divided.
 *
 *     ├─────────────── slabs ──────────────┬───────── payloads ─────────┤
 *     │ under way … │ being filled │ free  │ in flight … │ free         │
 *
 * All that reckon with it ask here: the configuration (is the budget enough, how large is it by default), the
 * destination (where slabs end and payloads begin) and the pipeline (how large a slab is).
 *
 * Guarantees: an arena of `required` bytes holds a slab with the longest line of any source beside a payload with a
 * full batch, or with that line as it is. So a pipeline that can be built can always move. In one of `wanted` bytes as
 * many batches are under way as may be, and no line is cut for want of memory, whatever has to be escaped in it.
 */
import { PAGE } from './budget.ts'
import { type Chunk, layoutFor, QUANTUM, type SlabLayout } from './chunk.ts'
import { invariant } from './errors.ts'
import { emptyOutcome } from './ledger.ts'

/** Batches that wait for a confirmation keep their slabs, and more of them must not keep others from being sent. */
const UNCONFIRMED = 8

/** What may be in a payload besides the line of its one record: the template, its group, what encloses all. */
const AROUND = PAGE

/** Members of a record that is parsed, and bytes that a backend may write around one: OTLP as JSON takes 40. */
const MOST_FIELDS = 1000
const AROUND_FIELD = 48
export const FIELDS_AROUND = MOST_FIELDS * AROUND_FIELD

/** Addresses come from the kernel as signed numbers of 32 bits; it has two pages before the arena and one behind it. */
const MOST = 2 ** 31 - 3 * PAGE

/** What is asked of a backend, as far as memory depends on it. */
interface Shape {
  readonly format: { readonly treatment: 'text' | 'bytes' }
  readonly limits: {
    readonly payloadBytes: number
    readonly records: number
    readonly recordBytes?: number
    readonly messageBytes?: number
  }
  readonly confirmation?: object
  segments(chunk: Chunk): readonly { readonly kind: string }[]
}

export interface SizingInput {
  readonly batch: { readonly maxBytes: number; readonly maxRecords: number }
  readonly concurrency: number
  /** The longest line that any of its sources may have: bytes without the line end. */
  readonly longestLine: number
  /** Bytes of what is found in each record. Default: 0. */
  readonly row?: number
  readonly backend: Shape
}

/** Sizes of slabs. `full` makes a full batch, `longest` holds any line, `small` any that is not very long. */
export interface SlabSizes {
  readonly full: SlabLayout
  readonly longest: SlabLayout
  readonly small: SlabLayout
  /** Frames of a batch at the most: rows of no table are more. */
  readonly maxFrames: number
  /** Bytes of what is found in each record. */
  readonly row: number
}

/** Bytes. */
export interface Need {
  readonly slab: SlabSizes
  /** Slabs that are filled or under way at the same time, if there is memory for that. */
  readonly slabs: number
  /** A payload: at the least; with a record of twice the bytes of its line; with one of as many as it can have. */
  readonly payload: { readonly least: number; readonly usual: number; readonly most: number }
  readonly required: number
  readonly wanted: number
}

export function needOf({ batch, concurrency, longestLine, row = 0, backend }: SizingInput): Need {
  const { payloadBytes, records, messageBytes = longestLine, recordBytes = Number.MAX_SAFE_INTEGER } = backend.limits
  const maxFrames = Math.min(batch.maxRecords, records)
  const full = Math.min(batch.maxBytes, payloadBytes)
  const growth = growthOf(backend)
  const slabFor = (window: number): SlabLayout => layoutFor(Math.max(window, QUANTUM), maxFrames, row)
  const slab: SlabSizes = {
    full: slabFor(Math.max(full, longestLine + 1)),
    longest: slabFor(longestLine + 1),
    small: slabFor(QUANTUM),
    maxFrames,
    row,
  }
  const underWay = backend.confirmation === undefined ? concurrency : Math.max(concurrency, UNCONFIRMED)
  // One more to fill meanwhile. Where records are larger than their lines, less makes a full batch.
  const slabs = underWay * slab.full.bytes + slabFor(growth > 1 ? 0.75 * full : full).bytes
  const payloadFor = (factor: number): number => {
    const record =
      Math.min(factor * Math.min(longestLine, messageBytes), recordBytes) + AROUND + (row > 0 ? FIELDS_AROUND : 0)
    return pages(Math.max(full, Math.min(record, payloadBytes)))
  }
  const payload = { least: payloadFor(1), usual: payloadFor(Math.min(2, growth)), most: payloadFor(growth) }
  return { slab, slabs, payload, required: slab.longest.bytes + payload.least, wanted: slabs + payload.most }
}

/** Bytes of each part of an arena of `bytes` bytes. */
export function divide({ slab, slabs, payload, required }: Need, bytes: number): { slabs: number; payloads: number } {
  invariant(bytes >= required, 'an arena is smaller than what it must hold')
  // What slabs do not want goes to the payloads; where there is too little for both, the batches get smaller.
  const payloads = Math.min(Math.min(payload.most, Math.max(payload.usual, bytes - slabs)), bytes - slab.longest.bytes)
  return { slabs: bytes - payloads, payloads }
}

/** The equal part of one of so many backends: whole pages. */
export function partOf(budget: number, backends: number): number {
  return Math.min(MOST, Math.floor(budget / backends / PAGE) * PAGE)
}

/**
 * How many bytes one of a line can become in its record. In JSON a control character has six (`\u0001`); elsewhere what
 * is not UTF-8 has three (U+FFFD), unless bytes go out as they are.
 */
function growthOf(backend: Shape): number {
  const sum = backend.segments(SAMPLE).reduce((all, { kind }) => {
    if (kind === 'message' || kind === 'members') return all + 6
    if (kind === 'raw') return all + (backend.format.treatment === 'text' ? 3 : 1)
    return all
  }, 0)
  return Math.max(1, sum)
}

const SAMPLE: Chunk = {
  owner: { settled: () => {} },
  origin: { source: 'app', path: '/app.log', generation: '0'.repeat(16), labels: {} },
  start: 0,
  fileStart: 0,
  fileEnd: 1,
  firstFrame: 0,
  frames: 1,
  readAt: 0,
  cutFrom: 0,
  partial: false,
  unsettled: 1,
  outcome: emptyOutcome(),
  islands: [],
  recordTimeNanos: 0n,
}

function pages(bytes: number): number {
  return Math.ceil(bytes / PAGE) * PAGE
}
