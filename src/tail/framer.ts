/**
 * The framer: decides where frames end, and reads them into a slab as chunks.
 *
 * No file keeps bytes in memory. A read begins at the cursor, which always is a frame boundary; what follows the last
 * line feed of a read is read again when more is there. Only for a line that is longer than one read does the framer
 * look ahead (`scanned`) without keeping anything:
 *
 *       read                scanned            size
 *        │ no line feed here   │ not seen yet    │
 *        ├─────────────────────┼─────────────────┤
 *
 * Guarantees: a chunk holds whole frames of one generation; bytes are accepted only after the fingerprint was checked
 * once more behind the read, so that a truncation in the middle never mixes two generations; no frame begins with a NUL:
 * those at a line's head are padding, which is read and dropped at once, whatever their number; a line over the limit is
 * cut on a UTF-8 boundary, its original length kept; the last line without a line end is taken only when `final`.
 */
import { readSync } from 'node:fs'
import type { Slab } from '../chunk.ts'
import type { Kernel } from '../kernel/kernel.ts'
import { MARKER_BYTES, type Marker, markerOf, readMarker } from './fingerprint.ts'
import type { Cursor } from './generation.ts'
import type { Tailer } from './tailer.ts'

export type Framing =
  /** Something was taken: there may be more. */
  | 'took'
  /** A long stretch was looked through and nothing taken yet: go on, but let others have a turn first. */
  | 'looked'
  /** Nothing can be taken until the file grows. */
  | 'dry'
  /** The slab has too little room left for what comes next. */
  | 'full'
  /** Other content stands where the cursor is: nothing was taken. */
  | 'replaced'
  /** The file cannot be read just now. */
  | 'failed'

/** Bytes that one turn takes at the most, so that one noisy file does not starve the others. */
export const QUANTUM = 256 * 1024
/** A slab with less room than this is full: reads would get too small. */
const SMALLEST_READ = 32 * 1024
/** Chunks are objects: a file in which NULs stand before every line must not make as many as it has lines. */
const MOST_CHUNKS = 1024
const LINE_FEED = 10
/** Looking ahead for the end of a long line goes through this; nothing is kept in it. */
const lookahead = Buffer.alloc(128 * 1024)
const LOOKAHEAD_TURNS = 8

export class Framer {
  readonly #kernel: Kernel
  readonly #maxLine: (source: string) => number

  /** `maxLine` tells the largest line of a source, in bytes without the line end. */
  constructor(kernel: Kernel, maxLine: (source: string) => number) {
    this.#kernel = kernel
    this.#maxLine = maxLine
  }

  /**
   * Reads one turn's worth of `tailer` at `cursor` into `slab`, of which not more than `target` bytes should be used: only
   * a first line takes more.
   */
  read(tailer: Tailer, cursor: Cursor, slab: Slab, final: boolean, target = slab.capacity): Framing {
    try {
      return this.#read(tailer, cursor, slab, final, target)
    } catch (error) {
      if (typeof (error as { syscall?: unknown }).syscall === 'string') return 'failed'
      throw error
    }
  }

  #read(tailer: Tailer, cursor: Cursor, slab: Slab, final: boolean, target: number): Framing {
    const { island } = cursor
    if (island?.from === cursor.read) return this.#pass(tailer, cursor, island.to)
    const unread = Math.min(tailer.size, island?.from ?? tailer.size) - cursor.read
    if (unread <= 0) return 'dry'
    const room = (slab.frames > 0 ? Math.min(target, slab.capacity) : slab.capacity) - slab.used
    if (slab.chunks.length >= MOST_CHUNKS) return 'full'
    if (slab.frames >= slab.maxFrames || (slab.frames > 0 && room < Math.min(unread, SMALLEST_READ))) return 'full'
    if (cursor.scanned - cursor.read >= QUANTUM) return this.#readLong(tailer, cursor, slab, final)
    // A cursor that has seen part of a line reads it again, with what was added since.
    const want = Math.min(unread, room, Math.max(QUANTUM, 2 * (cursor.scanned - cursor.read)))
    const start = slab.window + slab.used
    const got = this.#fill(tailer, start, want, cursor.read)
    if (!tailer.intact(cursor)) return 'replaced'
    const frames = this.#kernel.frames(start, start + got, slab.ends + 4 * slab.frames, slab.maxFrames - slab.frames)
    if (frames > 0) return this.#take(tailer, cursor, slab, frames)
    const padding = this.#padding(start, got)
    // NULs with nothing behind them may be room that a writer has set aside: they are a hole only once text follows.
    const hole = padding >= SMALLEST_READ && padding < got
    if (hole || (padding > 0 && final && cursor.read + got >= tailer.size)) {
      cursor.skipped(padding, this.#markerBehind(tailer, start, padding, cursor.read + padding))
      return 'took'
    }
    cursor.scanned = Math.max(cursor.scanned, cursor.read + got)
    if (got < unread) {
      if (got < want) return 'dry'
      return slab.frames > 0 && want === room ? 'full' : 'looked'
    }
    // What stands in front of an island was read to there before: as a last line, if it has no end.
    return final || island ? this.#takeLast(tailer, cursor, slab, start, got) : 'dry'
  }

  /** Passes over what has settled up to `end`. Where the file does not reach so far it is not the one that was read. */
  #pass(tailer: Tailer, cursor: Cursor, end: number): Framing {
    const marker = readMarker(tailer.fd, end)
    if (marker === undefined || !tailer.intact(cursor)) return 'replaced'
    cursor.passed(marker)
    return 'took'
  }

  /** Reads `want` bytes at `position` into the arena at `address`; less only at the end of the file. */
  #fill(tailer: Tailer, address: number, want: number, position: number): number {
    let got = 0
    while (got < want) {
      const n = readSync(tailer.fd, this.#kernel.bytes, address + got, want - got, position + got)
      if (n === 0) break
      got += n
    }
    return got
  }

  /**
   * Makes chunks of the next `frames` rows of the table, which begin at the end of the slab's used part. A chunk ends
   * where NULs stand before a line, which are padding, and where a line is over the limit, which is cut and alone.
   */
  #take(tailer: Tailer, cursor: Cursor, slab: Slab, frames: number): Framing {
    const maxLine = this.#maxLine(tailer.generation.origin.source)
    const end = slab.frames + frames
    let begin = slab.window + slab.used
    const base = cursor.read - begin
    const long = slab.endOf(end - 1) - begin > maxLine
    while (slab.frames < end && slab.chunks.length < MOST_CHUNKS) {
      const first = slab.frames
      const line = slab.endOf(first)
      const padding = this.#padding(begin, line - begin)
      if (padding > 0) {
        cursor.skipped(padding, this.#markerBehind(tailer, begin, padding, base + begin + padding))
        begin += padding
      }
      const cutFrom = line - begin > maxLine ? line - begin : 0
      let next = first + 1
      if (cutFrom === 0) {
        const padded = this.#kernel.padded(slab.ends, next, end, line + 1)
        next = long ? this.#longer(slab, next, padded, maxLine) : padded
      }
      const stop = slab.endOf(next - 1) + 1
      tailer.generation.identify(this.#kernel.bytes.subarray(begin, line))
      if (cutFrom > 0) slab.setEnd(first, this.#cut(begin, begin + maxLine))
      const chunk = slab.add({
        owner: cursor,
        origin: tailer.generation.origin,
        start: begin,
        fileStart: base + begin,
        fileEnd: base + stop,
        firstFrame: first,
        frames: next - first,
        readAt: Date.now(),
        cutFrom,
        partial: false,
      })
      slab.used = stop - slab.window
      cursor.took(chunk, this.#markerBehind(tailer, begin, stop - begin, base + stop))
      begin = stop
    }
    tailer.growHead()
    return 'took'
  }

  /** The first of the frames [frame, end) that is over the limit, or `end`; there is a frame before it. */
  #longer(slab: Slab, frame: number, end: number, maxLine: number): number {
    let at = frame
    while (at < end && slab.endOf(at) - slab.endOf(at - 1) - 1 <= maxLine) at++
    return at
  }

  /** The last line of the file, which has no line end and will get none. */
  #takeLast(tailer: Tailer, cursor: Cursor, slab: Slab, start: number, length: number): Framing {
    const maxLine = this.#maxLine(tailer.generation.origin.source)
    const cutFrom = length > maxLine ? length : 0
    return this.#takeOne(tailer, cursor, slab, start, Math.min(length, maxLine), cursor.read + length, cutFrom, true)
  }

  /** A line that is longer than one read: looks for its end, and takes it once that is known. */
  #readLong(tailer: Tailer, cursor: Cursor, slab: Slab, final: boolean): Framing {
    const maxLine = this.#maxLine(tailer.generation.origin.source)
    const end = this.#lookAhead(tailer, cursor)
    if (end === undefined && cursor.scanned < tailer.size) return 'looked'
    if (end === undefined && !final) return tailer.intact(cursor) ? 'dry' : 'replaced'
    const stop = end ?? tailer.size
    const length = stop - cursor.read
    const keep = Math.min(length, maxLine)
    // One byte more, if there is one: it tells whether the cut goes through a UTF-8 sequence.
    const want = Math.min(length, maxLine + 1)
    if (slab.capacity - slab.used < want) return 'full'
    const start = slab.window + slab.used
    const got = this.#fill(tailer, start, want, cursor.read)
    if (!tailer.intact(cursor)) return 'replaced'
    if (got < want) return 'dry'
    const padding = this.#padding(start, keep)
    if (padding > 0) {
      cursor.skipped(padding, this.#markerBehind(tailer, start, padding, cursor.read + padding))
      return 'took'
    }
    const fileEnd = end === undefined ? stop : stop + 1
    return this.#takeOne(tailer, cursor, slab, start, keep, fileEnd, length > maxLine ? length : 0, end === undefined)
  }

  #takeOne(
    tailer: Tailer,
    cursor: Cursor,
    slab: Slab,
    start: number,
    length: number,
    fileEnd: number,
    cutFrom: number,
    partial: boolean,
  ): Framing {
    const frame = slab.frames
    tailer.generation.identify(this.#kernel.bytes.subarray(start, start + length))
    slab.setEnd(frame, cutFrom > 0 ? this.#cut(start, start + length) : start + length)
    const chunk = slab.add({
      owner: cursor,
      origin: tailer.generation.origin,
      start,
      fileStart: cursor.read,
      fileEnd,
      firstFrame: frame,
      frames: 1,
      readAt: Date.now(),
      cutFrom,
      partial,
    })
    slab.used = start + length - slab.window
    cursor.took(chunk, readMarker(tailer.fd, fileEnd) ?? this.#markerBehind(tailer, start, length, fileEnd))
    tailer.growHead()
    return 'took'
  }

  /** The offset of the next line feed behind `scanned`, looked for over a bounded stretch. */
  #lookAhead(tailer: Tailer, cursor: Cursor): number | undefined {
    for (let turn = 0; turn < LOOKAHEAD_TURNS && cursor.scanned < tailer.size; turn++) {
      const got = readSync(tailer.fd, lookahead, 0, lookahead.length, cursor.scanned)
      if (got === 0) return undefined
      const at = lookahead.subarray(0, got).indexOf(LINE_FEED)
      if (at >= 0) return cursor.scanned + at
      cursor.scanned += got
    }
    return undefined
  }

  /** The marker before the file offset `end`, where the `length` bytes before it lie in the arena at `address`. */
  #markerBehind(tailer: Tailer, address: number, length: number, end: number): Marker {
    if (length < MARKER_BYTES && end > length) {
      const marker = readMarker(tailer.fd, end)
      if (marker) return marker
    }
    const bytes = Math.min(length, MARKER_BYTES)
    return markerOf(this.#kernel.bytes.subarray(address + length - bytes, address + length))
  }

  /** How many of the `length` bytes at `address` are leading NULs. */
  #padding(address: number, length: number): number {
    const { bytes } = this.#kernel
    let n = 0
    while (n < length && bytes[address + n] === 0) n++
    return n
  }

  /** The largest end up to `end` that does not cut a UTF-8 sequence in two (RFC 3629 §3). */
  #cut(start: number, end: number): number {
    const { bytes } = this.#kernel
    let at = end
    // The byte at `at` is the first that is left out: it must not be a continuation byte.
    while (at > start && end - at < 3 && (bytes[at]! & 0xc0) === 0x80) at--
    return (bytes[at]! & 0xc0) === 0x80 ? end : at
  }
}
