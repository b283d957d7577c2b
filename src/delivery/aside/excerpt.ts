/**
 * Excerpts: records that were copied out of a slab, so that the slab can go.
 *
 *     slab     │ a.log: frames 0..99 │
 *     excerpt     frames 3..5 ───────► bytes, ends, offsets in the file ───► a small slab of their own, whenever they are sent
 *
 * Guarantees: a record that is sent from an excerpt is the same bytes as from its slab, with the same offset in its file
 * and the same time; it settles in the chunk that it was read into.
 */
import type { Budget } from '../../budget.ts'
import { type Chunk, layoutOf, Slab, settleFrames } from '../../chunk.ts'
import type { Kernel } from '../../kernel/kernel.ts'
import type { Outcome } from '../../ledger.ts'

export interface Excerpt {
  /** The chunk that its records belong to. */
  readonly chunk: Chunk
  /** Frames with what stands between them. */
  readonly bytes: Buffer
  /** Where each ends in `bytes`, and where it begins in the file. */
  readonly ends: Uint32Array
  readonly offsets: Float64Array
  /** What was found in each, as the rows of the slab say it. */
  readonly rows: Buffer
  /** Offset in the file behind the last record. */
  readonly fileEnd: number
  /** The time of its first record; each further one is a nanosecond later. */
  recordTimeNanos: bigint
  /** Records of it that are still needed. */
  left: number
}

/** One record of an excerpt. */
export interface Extract {
  readonly excerpt: Excerpt
  readonly index: number
}

/** Bytes of a row of a column of offsets. */
const ROW = 4

/** The frames [from, to) of one chunk of the slab. */
export function excerptOf(slab: Slab, memory: Uint8Array, chunk: Chunk, from: number, to: number): Excerpt {
  const start = slab.startOf(chunk, from)
  const frames = { length: to - from }
  return {
    chunk,
    bytes: Buffer.from(memory.subarray(start, slab.endOf(to - 1))),
    ends: Uint32Array.from(frames, (_, index) => slab.endOf(from + index) - start),
    offsets: Float64Array.from(frames, (_, index) => slab.offsetOf(chunk, from + index)),
    rows: Buffer.from(memory.subarray(slab.rowOf(from), slab.rowOf(to))),
    fileEnd: to === chunk.firstFrame + chunk.frames ? chunk.fileEnd : slab.offsetOf(chunk, to),
    recordTimeNanos: chunk.recordTimeNanos + BigInt(from - chunk.firstFrame),
    left: to - from,
  }
}

/** The record alone, so that the others need not be kept for its sake. */
export function alone(extract: Extract): Excerpt {
  const { excerpt, index } = extract
  const bytes = Buffer.from(frameOf(extract))
  return {
    chunk: excerpt.chunk,
    bytes,
    ends: Uint32Array.of(bytes.length),
    offsets: Float64Array.of(offsetOf(extract)),
    rows: Buffer.from(rowsOf(excerpt, index, 1)),
    fileEnd: endOf(extract),
    recordTimeNanos: excerpt.recordTimeNanos + BigInt(index),
    left: 1,
  }
}

/** The record's bytes, a view. */
export function frameOf({ excerpt, index }: Extract): Buffer {
  return excerpt.bytes.subarray(startOf(excerpt, index), excerpt.ends[index])
}

export function offsetOf({ excerpt, index }: Extract): number {
  return excerpt.offsets[index]!
}

export function settle(extract: Extract, outcome: Outcome): void {
  settleFrames(extract.excerpt.chunk, offsetOf(extract), endOf(extract), 1, outcome)
}

/**
 * As many of these records as go, at least one, in a slab of their own; `undefined` if there is no place for it now. Its
 * chunks settle nowhere.
 */
export function slabOf(extracts: readonly Extract[], kernel: Kernel, budget: Budget): Slab | undefined {
  const [first] = extracts
  const row = first === undefined ? 0 : first.excerpt.rows.length / first.excerpt.ends.length
  for (let count = extracts.length; count > 0; count = Math.floor(count / 2)) {
    const some = extracts.slice(0, count)
    const layout = layoutOf(
      count,
      some.reduce((sum, extract) => sum + room(extract), 0),
      row,
    )
    if (layout.bytes > budget.slabs && count > 1) continue
    const slab = Slab.take(kernel.memory.buffer, budget, layout)
    if (slab !== undefined) return filled(slab, some, kernel)
  }
  return undefined
}

/** Bytes that a record takes in a window, with its line feed and its row of the offsets, if it has one. */
function room(extract: Extract): number {
  return frameOf(extract).length + 1 + (extract.excerpt.chunk.offsets ? ROW : 0)
}

function filled(slab: Slab, extracts: readonly Extract[], kernel: Kernel): Slab {
  for (let at = 0; at < extracts.length; ) {
    const { excerpt, index } = extracts[at]!
    let count = 1
    while (extracts[at + count]?.excerpt === excerpt && extracts[at + count]!.index === index + count) count++
    place(slab, kernel, excerpt, index, count)
    at += count
  }
  return slab
}

const NOWHERE = { settled: () => {} }

function place(slab: Slab, { bytes: memory }: Kernel, excerpt: Excerpt, from: number, count: number): void {
  const { chunk, ends, bytes, offsets } = excerpt
  const first = startOf(excerpt, from)
  const start = slab.window + slab.used
  memory.set(bytes.subarray(first, ends[from + count - 1]), start)
  for (let n = 0; n < count; n++) slab.setEnd(slab.frames + n, start + ends[from + n]! - first)
  memory.set(rowsOf(excerpt, from, count), slab.rowOf(slab.frames))
  slab.used += ends[from + count - 1]! - first + 1
  const base = offsets[from]!
  let column: number | undefined
  // Decoded records do not lie in memory as they lie in the file.
  if (chunk.offsets) {
    column = slab.window + slab.used
    for (let n = 0; n < count; n++) memory.writeUInt32LE(offsets[from + n]! - base, column + ROW * n)
    slab.used += ROW * count
  }
  const { origin, readAt, cutFrom, partial, joined = false, continued = false } = chunk
  const added = slab.add({
    ...{
      owner: NOWHERE,
      origin,
      readAt,
      cutFrom,
      partial,
      joined,
      continued,
      start,
      firstFrame: slab.frames,
      frames: count,
    },
    ...{ fileStart: base, fileEnd: endOf({ excerpt, index: from + count - 1 }) },
    ...(column !== undefined && { offsets: { table: column, base } }),
  })
  added.recordTimeNanos = excerpt.recordTimeNanos + BigInt(from)
  added.shape = chunk.shape
}

/** The rows of so many records, a view. */
function rowsOf({ rows, ends }: Excerpt, from: number, count: number): Buffer {
  const row = rows.length / ends.length
  return rows.subarray(row * from, row * (from + count))
}

function startOf({ ends }: Excerpt, index: number): number {
  return index === 0 ? 0 : ends[index - 1]! + 1
}

/** Offset in the file behind the record. */
function endOf({ excerpt, index }: Extract): number {
  return excerpt.offsets[index + 1] ?? excerpt.fileEnd
}
