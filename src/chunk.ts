/**
 * Slabs and chunks: log data on its way, as columns instead of objects.
 *
 * A slab is a reusable read buffer in the arena: a table of frame ends, then the window that files are read into.
 * One slab becomes one batch. A chunk is a run of whole frames of one generation inside a slab, together with the
 * range of the file they cover; it is the unit of acknowledgement.
 *
 *     slab   │ ends: u32 per frame │ rows │ window ──────────────────────────────────► capacity
 *     chunks │                     │      │ a.log 0..812 │ b.log 90..4096 │ a.log 812..1900 │ unused
 *                                          frames 0..3    frames 4..21     frames 22..29
 *
 * Frame f of a chunk runs from the byte behind the end of frame f−1 (or the chunk's first byte) to `ends[f]`, which is
 * the address of its line feed. What is trimmed (CR, NULs, a byte order mark) is trimmed when it is rendered, so that
 * addresses and file offsets stay one subtraction apart. Frames that were decoded do not lie in memory as they lie in
 * the file: such a chunk has a column of offsets, behind its last frame in the window.
 *
 * Where records are processed each frame has a row too: what was found in it (time, level, where its fields stand), as
 * the kernel wrote it (kernel/assembly/layout.ts), and a place in a second table of u32, the column. Without processing
 * neither has any bytes.
 *
 * What a policy drops leaves the slab in the turn in which it was read, before anyone holds an address: the frames that
 * are kept move together (`thin`), their offsets go into the column, and a chunk of which nothing is kept is gone. What
 * was dropped between two of them is a gap, which belongs to the frame before it: it is booked at once, and no object is
 * kept for it.
 *
 *     read    │ kept │ dropped │ dropped │ kept │ kept │ dropped │        offsets 0, 40, 80, 120, 160, 200
 *     thinned │ kept │ kept │ kept │                                      offsets 0, 120, 160; gaps 40..120, 200..240
 *
 * Guarantees: a frame settles exactly once, a chunk settles when its last frame does and calls its owner exactly once;
 * settling more than is there throws `ERR_INVARIANT`.
 */
import { type Budget, type Extent, PAGE } from './budget.ts'
import { invariant } from './errors.ts'
import { book, emptyOutcome, type Outcome, type Settled } from './ledger.ts'
import type { RecordPartition } from './partition.ts'

/** Bytes that one turn takes of a file at the most, so that a noisy one starves no others. No window is smaller. */
export const QUANTUM = 256 * 1024

const LINE_FEED = 10
/** Bytes of a row of the table, and of the column. */
const ROW = 4
/** Numbers of a row of gaps. */
const GAP = 4
/**
 * A table takes at most half as much as its window: more rows than that would be for lines of less than eight bytes,
 * and a batch of those is large enough with fewer.
 */
const WINDOW_PER_ROW = 8

/**
 * How an extent is divided: how many frames its tables hold, bytes of what is found in each, bytes of its window, and of
 * all together in whole pages.
 */
export interface SlabLayout {
  readonly frames: number
  readonly row: number
  readonly window: number
  readonly bytes: number
}

/** Bytes of all tables for so many frames: ends, and where records are processed the column and the rows. */
function tables(frames: number, row: number): number {
  return row === 0 ? ROW * frames : (2 * ROW + row) * frames
}

/** What an extent of so many bytes holds, if no more than `maxFrames` frames are wanted. */
export function layoutIn(bytes: number, maxFrames: number, row = 0): SlabLayout {
  // Lines of what is processed are longer: with rows of 60 bytes tables take a third, if all are used.
  const most = Math.floor(bytes / (tables(1, row) + Math.max(WINDOW_PER_ROW, 2 * row)))
  const frames = Math.max(1, Math.min(maxFrames, most))
  return { frames, row, window: bytes - tables(frames, row), bytes }
}

/** The smallest one that has a window of at least so many bytes, if no more than `maxFrames` frames are wanted. */
export function layoutFor(window: number, maxFrames: number, row = 0): SlabLayout {
  const frames = Math.max(1, Math.min(maxFrames, Math.floor(window / Math.max(WINDOW_PER_ROW, 2 * row))))
  return layoutIn(layoutOf(frames, window, row).bytes, maxFrames, row)
}

/** The one that has exactly so many frames: for lines that are known already. */
export function layoutOf(frames: number, window: number, row = 0): SlabLayout {
  const bytes = Math.ceil((tables(frames, row) + window) / PAGE) * PAGE
  return { frames, row, window: bytes - tables(frames, row), bytes }
}

/** Where a chunk's frames come from. One object per generation, shared by all its chunks. */
export interface Origin {
  /** The configured name of the source. */
  readonly source: string
  /** The file's absolute path when its generation began. */
  readonly path: string
  /** The generation's id: 16 hexadecimal digits, the same after a restart. */
  readonly generation: string
  /** The source's labels. */
  readonly labels: Readonly<Record<string, string>>
}

/** The frames [from, to) of a slab. */
export interface FrameRange {
  readonly from: number
  readonly to: number
}

/** A stretch of a file, from one frame boundary to another, that has settled although something before it has not. */
export interface Island {
  readonly from: number
  readonly to: number
  readonly outcome: Settled
}

/**
 * What was dropped of a chunk: rows of four numbers, as the kernel wrote them, in the order of the file. Each is frames that
 * follow each other and were dropped for the same reason: where they begin, from the chunk's first byte in its file; their
 * bytes there; how many they are; the index of the reason.
 */
export interface Gaps {
  readonly rows: Uint32Array
  readonly reasons: readonly string[]
}

/** Called once, when the last frame of a chunk has settled. */
export interface ChunkOwner {
  settled(chunk: Chunk): void
}

/** Where the frames of a chunk begin in the file: a table of u32, one for each, to which `base` is added. */
export interface Offsets {
  readonly table: number
  readonly base: number
}

export interface ChunkFields {
  readonly owner: ChunkOwner
  readonly origin: Origin
  /** Address of the chunk's first byte. */
  readonly start: number
  /** Offset in the file of the chunk's first byte. */
  readonly fileStart: number
  /** Offset in the file behind the chunk's last byte: the next chunk begins here. */
  readonly fileEnd: number
  /** Of a chunk whose frames lie otherwise in memory than in the file. */
  readonly offsets?: Offsets | undefined
  /** Index in the slab's table of its first frame, and how many there are (at least one). */
  readonly firstFrame: number
  readonly frames: number
  /** When it was read: milliseconds since the epoch. */
  readonly readAt: number
  /** Bytes the line had before it was cut to the size limit; 0 if it was not. Such a chunk has one frame. */
  readonly cutFrom: number
  /** The last line of a file, shipped although it has no line end. Such a chunk has one frame. */
  readonly partial: boolean
  /** A frame may be several lines: ids name a range, for the same line may begin records of different lengths. */
  readonly joined?: boolean
  /** Its one frame goes on where another record ended, which was cut or sent before all of it was there. */
  readonly continued?: boolean
  /** What stands before it in the file, where that was asked for and the chunk before it is not at hand. */
  readonly before?: Buffer | undefined
}

/** A chunk of lines that do not come from a read: the rest follows from them. */
export interface WrittenChunk extends Omit<ChunkFields, 'start' | 'fileEnd' | 'firstFrame' | 'frames' | 'offsets'> {
  readonly lines: readonly Uint8Array[]
}

export interface Chunk extends ChunkFields {
  start: number
  firstFrame: number
  /** Those that are in the slab: what was dropped is not. */
  frames: number
  offsets?: Offsets | undefined
  /** What was dropped of it. */
  gaps?: Gaps | undefined
  /** Frames that have not settled yet. */
  unsettled: number
  /** What became of the others. */
  readonly outcome: Settled
  /**
   * Where those lie, as long as not all have settled: in the order in which they settled. What was dropped beside them is
   * in it; what was dropped elsewhere may be read again, and is judged again.
   */
  readonly islands: Island[]
  /**
   * The time of its first record, nanoseconds since the epoch; each further record is one later. Set by delivery, so
   * that no two records of a pipeline have the same.
   */
  recordTimeNanos: bigint
  /** What may be found in its records; undefined: they are lines, and have no rows. Set by the stage. */
  shape?: RecordShape | undefined
}

/** What is found in the records of one source, and where: one object per source. */
export interface RecordShape {
  /** Values by name that have a slot of their own; more than those may stand in a record that is an object or pairs. */
  readonly slots: readonly SlotName[]
  /** Slots of the values that have a place of their own in a record: undefined if there is no such value. */
  readonly message: number | undefined
  readonly time?: number | undefined
  /** The level as it was written. */
  readonly level: number | undefined
  readonly traceId: number | undefined
  readonly spanId: number | undefined
  /** Which of the others are sent, and under which names: one choice after the other. */
  readonly choices?: readonly FieldChoice[] | undefined
  /** Records have times and levels of their own, where one was found. */
  readonly timed: boolean
  readonly levelled: boolean
  /**
   * Shares of records that sampling keeps: the source's, the backend's. A row's flags SAMPLED and RESAMPLED say which of
   * them chose the record; it stands for 1 / (product of those) records. A record without either was kept for itself.
   */
  readonly sampled?: readonly [source: number, backend: number] | undefined
  /** What tells its records apart: see partition.ts. */
  readonly partition?: RecordPartition | undefined
  /** Rows say how many equal records one stands for (ROW_REPEATED), where that is more than one. */
  readonly repeats?: boolean | undefined
}

/** Of records in which nothing was looked for. */
export const PLAIN_SHAPE: RecordShape = {
  slots: [],
  message: undefined,
  level: undefined,
  traceId: undefined,
  spanId: undefined,
  timed: false,
  levelled: false,
}

/** Which values are sent, by the names that they have until then. */
export interface FieldChoice {
  readonly rename: Readonly<Record<string, string>>
  readonly drop: readonly string[]
  /** Only these, and those that are renamed; none: all. */
  readonly keep: readonly string[]
  /** Members of objects are values of their own. */
  readonly flatten?: boolean
}

/** A value's name, as it is sent, and its slot. */
export interface SlotName {
  readonly name: string
  readonly slot: number
  /** Where an expression found it: it is a number if it can be one. Values of objects say what they are. */
  readonly number: boolean
}

export class Slab {
  readonly extent: Extent
  /** Address of the window, and how many bytes it has. */
  readonly window: number
  readonly capacity: number
  /** Address of the table of frame ends, and how many it can hold. */
  readonly ends: number
  readonly maxFrames: number
  /** Where records are processed: address of a table of u32 with one for each frame. */
  readonly column: number
  /** Address of the rows, and how many bytes each has. */
  readonly rows: number
  readonly row: number
  readonly chunks: Chunk[] = []
  /** Frames that are to be sent, in order; undefined: all. The others have settled. */
  kept: FrameRange[] | undefined
  /** Bytes of the window and rows of the table in use. */
  used = 0
  frames = 0
  readonly #ends: Uint32Array
  readonly #memory: DataView

  /** `extent` must hold the tables of `maxFrames` frames and the window; `memory` is the arena it lies in. */
  constructor(memory: ArrayBufferLike, extent: Extent, maxFrames: number, row = 0) {
    this.extent = extent
    this.maxFrames = maxFrames
    this.row = row
    this.ends = extent.address
    this.column = extent.address + ROW * maxFrames
    this.window = extent.address + tables(maxFrames, row)
    this.rows = this.window - row * maxFrames
    this.capacity = extent.bytes - tables(maxFrames, row)
    invariant(this.capacity > 0, 'a slab has no window')
    this.#ends = new Uint32Array(memory, extent.address, maxFrames)
    this.#memory = new DataView(memory)
  }

  /** A slab in this extent, for no more than `maxFrames` frames. */
  static within(memory: ArrayBufferLike, extent: Extent, maxFrames: number, row = 0): Slab {
    return new Slab(memory, extent, layoutIn(extent.bytes, maxFrames, row).frames, row)
  }

  /** A slab with these chunks in it and room for no others, or `undefined` if there is no place for it now. */
  static holding(memory: ArrayBufferLike, budget: Budget, chunks: readonly WrittenChunk[], row = 0): Slab | undefined {
    const frames = chunks.reduce((sum, { lines }) => sum + lines.length, 0)
    const slab = Slab.take(
      memory,
      budget,
      layoutOf(
        frames,
        chunks.reduce((sum, chunk) => sum + lengthOf(chunk), 0),
        row,
      ),
    )
    for (const chunk of slab ? chunks : []) slab!.#write(chunk)
    return slab
  }

  /** A slab of this layout, or `undefined` if there is no place for it now. */
  static take(memory: ArrayBufferLike, budget: Budget, layout: SlabLayout): Slab | undefined {
    const extent = budget.grant(layout.bytes)
    return extent && new Slab(memory, extent, layout.frames, layout.row)
  }

  /** Bytes of the extent that are in use: what may be kept when the slab is sealed. */
  get footprint(): number {
    return tables(this.maxFrames, this.row) + this.used
  }

  /** The frames that are to be sent. */
  get sendable(): readonly FrameRange[] {
    return this.kept ?? [{ from: 0, to: this.frames }]
  }

  /** Adds a chunk whose bytes and frame ends are already in place. */
  add(fields: ChunkFields): Chunk {
    invariant(fields.frames > 0 && fields.firstFrame === this.frames, 'a chunk must follow the frames before it')
    const chunk: Chunk = {
      ...fields,
      unsettled: fields.frames,
      outcome: emptyOutcome(),
      islands: [],
      recordTimeNanos: 0n,
    }
    this.chunks.push(chunk)
    this.frames += fields.frames
    return chunk
  }

  /** Puts lines behind what is there, as one chunk. A line feed stands behind each, unless it is `partial`. */
  #write(chunk: WrittenChunk): void {
    const { lines, ...fields } = chunk
    const length = lengthOf(chunk)
    const bytes = new Uint8Array(this.#ends.buffer)
    const start = this.window + this.used
    let at = start
    for (const [index, line] of lines.entries()) {
      bytes.set(line, at)
      at += line.length
      this.setEnd(this.frames + index, at)
      if (!fields.partial) bytes[at++] = LINE_FEED
    }
    this.used += length
    const fileEnd = fields.fileStart + length
    this.add({ ...fields, start, fileEnd, firstFrame: this.frames, frames: lines.length })
  }

  /** Takes the chunks from index `first` on out, to be put back by `keep` one after the other. */
  lift(first: number): Chunk[] {
    const lifted = this.chunks.splice(first)
    const [next] = lifted
    if (next !== undefined) {
      this.frames = next.firstFrame
      this.used = next.start - this.window
    }
    return lifted
  }

  /**
   * Puts a chunk back that was lifted, and of which `frames` frames were kept: they lie at the end of the slab's used part,
   * their ends and rows behind those that are there. `dropped` frames have settled, and `gaps` says which.
   */
  keep(chunk: Chunk, frames: number, gaps: Gaps | undefined): void {
    const { offsets, fileStart } = chunk
    if (gaps !== undefined) drop(chunk, gaps)
    if (frames > 0) {
      const start = this.window + this.used
      if (offsets !== undefined || gaps !== undefined) {
        chunk.offsets = { table: this.column + ROW * this.frames, base: offsets?.base ?? fileStart }
      }
      chunk.start = start
      chunk.firstFrame = this.frames
      chunk.frames = frames
      this.chunks.push(chunk)
      this.frames += frames
      this.used = Math.min(this.capacity, this.#ends[this.frames - 1]! + 1 - this.window)
    }
    invariant(chunk.unsettled === frames, 'a frame was neither kept nor dropped')
    if (frames === 0) chunk.owner.settled(chunk)
  }

  /** Address of the row of a frame. */
  rowOf(frame: number): number {
    return this.rows + this.row * frame
  }

  setEnd(frame: number, address: number): void {
    this.#ends[frame] = address
  }

  /** Address behind the frame's last byte: its line feed, if it has one. */
  endOf(frame: number): number {
    return this.#ends[frame]!
  }

  /** Address of the frame's first byte. */
  startOf(chunk: Chunk, frame: number): number {
    return frame === chunk.firstFrame ? chunk.start : this.#ends[frame - 1]! + 1
  }

  /** Offset in the file of the frame's first byte. */
  offsetOf(chunk: Chunk, frame: number): number {
    const { offsets, firstFrame } = chunk
    if (offsets) return offsets.base + this.#memory.getUint32(offsets.table + 4 * (frame - firstFrame), true)
    return chunk.fileStart + this.startOf(chunk, frame) - chunk.start
  }

  /** Index of the chunk that holds the frame. */
  chunkAt(frame: number): number {
    let low = 0
    let high = this.chunks.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (this.chunks[middle]!.firstFrame <= frame) low = middle
      else high = middle - 1
    }
    return low
  }

  /** Settles the frames `from` up to, not including, `to` of the whole slab, which may cross chunks. */
  settle(from: number, to: number, outcome: Outcome): void {
    if (from === to) return
    for (let index = this.chunkAt(from); index < this.chunks.length; index++) {
      const chunk = this.chunks[index]!
      if (chunk.firstFrame >= to) break
      const first = Math.max(from, chunk.firstFrame)
      const end = chunk.firstFrame + chunk.frames
      const last = Math.min(to, end)
      if (first >= last) continue
      const stop = last === end ? chunk.fileEnd : this.offsetOf(chunk, last)
      settleFrames(chunk, this.offsetOf(chunk, first), stop, last - first, outcome)
    }
  }
}

/** Bytes of its lines, with their ends. */
function lengthOf({ lines, partial }: WrittenChunk): number {
  return lines.reduce((sum, line) => sum + line.length, partial ? 0 : lines.length)
}

/**
 * Settles so many frames of a chunk, from one that begins at `from` in its file up to one that begins at `to`, or to the
 * chunk's end. Its slab may be gone.
 */
export function settleFrames(chunk: Chunk, from: number, to: number, frames: number, outcome: Outcome): void {
  invariant(chunk.unsettled >= frames, 'a frame settled twice')
  const { gaps, fileStart } = chunk
  // What was dropped before the first frame goes with it.
  const begin = gaps !== undefined && from - fileStart === headOf(gaps) ? fileStart : from
  const bytes = to - begin - (gaps ? droppedWithin(chunk, gaps, begin, to) : 0)
  chunk.unsettled -= frames
  book(chunk.outcome, outcome, frames, bytes)
  if (chunk.unsettled === 0) chunk.owner.settled(chunk)
  else note(chunk, begin, to, outcome, frames, bytes)
}

/** Books what was dropped of a chunk, all of it at once. */
function drop(chunk: Chunk, gaps: Gaps): void {
  chunk.gaps = gaps
  chunk.unsettled -= bookGaps(chunk.outcome, gaps, 0, gaps.rows.length)
}

/** Books the gaps in [from, to), places in their rows; returns how many frames they are. */
function bookGaps(into: Settled, { rows, reasons }: Gaps, from: number, to: number): number {
  // By reason first: there may be as many gaps as frames.
  const sums = new Float64Array(2 * reasons.length)
  for (let at = from; at < to; at += GAP) {
    const sum = 2 * rows[at + 3]!
    sums[sum]! += rows[at + 2]!
    sums[sum + 1]! += rows[at + 1]!
  }
  let frames = 0
  for (const [index, reason] of reasons.entries()) {
    const dropped = sums[2 * index]!
    if (dropped === 0) continue
    frames += dropped
    book(into, { kind: 'dropped', reason }, dropped, sums[2 * index + 1]!)
  }
  return frames
}

/** Where the first frame begins that is kept, from the chunk's first byte. */
function headOf({ rows }: Gaps): number {
  let head = 0
  for (let at = 0; at < rows.length && rows[at] === head; at += GAP) head += rows[at + 1]!
  return head
}

/** The place of the first gap that begins at `offset` in the file, or behind it. */
function gapAt({ fileStart }: Chunk, { rows }: Gaps, offset: number): number {
  let low = 0
  let high = rows.length / GAP
  while (low < high) {
    const middle = (low + high) >> 1
    if (fileStart + rows[GAP * middle]! < offset) low = middle + 1
    else high = middle
  }
  return GAP * low
}

function droppedWithin(chunk: Chunk, gaps: Gaps, from: number, to: number): number {
  const end = gapAt(chunk, gaps, to)
  let bytes = 0
  for (let at = gapAt(chunk, gaps, from); at < end; at += GAP) bytes += gaps.rows[at + 1]!
  return bytes
}

/** Payloads mostly settle one behind the other: then the last island grows. */
function note(chunk: Chunk, from: number, to: number, outcome: Outcome, frames: number, bytes: number): void {
  const { islands, gaps } = chunk
  const last = islands.at(-1)
  const into = last?.to === from ? last.outcome : emptyOutcome()
  book(into, outcome, frames, bytes)
  if (gaps) bookGaps(into, gaps, gapAt(chunk, gaps, from), gapAt(chunk, gaps, to))
  if (last?.to === from) islands[islands.length - 1] = { from: last.from, to, outcome: into }
  else islands.push({ from, to, outcome: into })
}
