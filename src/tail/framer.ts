/**
 * The framer: decides where frames end, and reads them into a slab as chunks.
 *
 * No file keeps bytes in memory. A read begins at the cursor, which always is a frame boundary; what follows the last
 * line feed of a read is read again when more is there. Only for a line, or a hole, that is longer than one read does the
 * framer look ahead (lookahead.ts) without keeping anything:
 *
 *       read                due                size
 *        │ no line feed here   │ not seen yet    │
 *        ├─────────────────────┼─────────────────┤
 *
 * A turn is planned from what is known of the file and the slab, and then carried out.
 *
 * Guarantees: a chunk holds whole frames of one generation; bytes are accepted only after the fingerprint was checked
 * once more behind the read, so that a truncation in the middle never mixes two generations; no frame begins with a NUL:
 * those at a line's head are padding, which is read and dropped at once, whatever their number; NULs at the end of a file
 * are room that was set aside, and are left there until the file has come to its end; what was written there is taken
 * once it has stayed as it is, for it may be seen half written; a line over the limit is cut on a UTF-8 boundary, its
 * original length kept; the last line without a line end is taken only at the file's end.
 */
import { readSync } from 'node:fs'
import type { ChunkFields, Slab } from '../chunk.ts'
import type { Kernel } from '../kernel/kernel.ts'
import { SHORT } from './ahead.ts'
import { Allowance } from './allowance.ts'
import { MARKER_BYTES, type Marker, markerOf, readMarker } from './fingerprint.ts'
import type { Cursor } from './generation.ts'
import { Lookahead, trailingZeros } from './lookahead.ts'
import type { Ending, Tailer } from './tailer.ts'

export type Framing =
  /** Something was taken: there may be more. */
  | 'took'
  /** A long stretch was looked through and nothing taken yet: go on, but let others have a turn first. */
  | 'looked'
  /** As `looked`, but not before `Framer.restMs` have passed. */
  | 'rest'
  /** Nothing can be taken until the file grows. */
  | 'dry'
  /** The slab has too little room left for what comes next. */
  | 'full'
  /** Other content stands where the cursor is: nothing was taken. */
  | 'replaced'
  /** The file cannot be read just now. */
  | 'failed'

/** Bytes that one turn takes at the most, so that one noisy file does not starve the others. */
export const QUANTUM = SHORT
/** A slab with less room than this is full: reads would get too small. */
const SMALLEST_READ = 32 * 1024
/** Chunks are objects: a file in which NULs stand before every line must not make as many as it has lines. */
const MOST_CHUNKS = 1024
/** Milliseconds for which a NUL amid what was just written must stay before it is taken for one that was meant. */
const SETTLED = 100

/** One turn: whose it is, where it goes, and what the end of the file means. */
interface Turn {
  readonly tailer: Tailer
  readonly cursor: Cursor
  readonly slab: Slab
  readonly ending: Ending
  /** The longest line, without its end. */
  readonly maxLine: number
}

type Plan =
  | { readonly kind: 'dry' | 'full' | 'look ahead' }
  /** Everything up to the file's end was looked at, and there it ends. */
  | { readonly kind: 'end' }
  /** What has settled up to here is passed over. */
  | { readonly kind: 'pass'; readonly end: number }
  /** Read so many bytes; `all`: up to the end of the file, or to what has settled. */
  | { readonly kind: 'read'; readonly want: number; readonly all: boolean; readonly room: number }

/** What a chunk is made of, besides what the turn says. */
type Piece = Pick<ChunkFields, 'start' | 'fileStart' | 'fileEnd' | 'frames' | 'cutFrom' | 'partial'>

export class Framer {
  /** After `rest`: milliseconds. */
  restMs = 0
  readonly #kernel: Kernel
  readonly #maxLine: (source: string) => number
  readonly #allowance: Allowance
  readonly #lookahead: Lookahead

  /** `maxLine` tells the largest line of a source, in bytes without the line end. `allowance` is shared by all framers. */
  constructor(kernel: Kernel, maxLine: (source: string) => number, allowance = new Allowance()) {
    this.#kernel = kernel
    this.#maxLine = maxLine
    this.#allowance = allowance
    this.#lookahead = new Lookahead(allowance)
  }

  /**
   * Reads one turn's worth of `tailer` at `cursor` into `slab`, of which not more than `target` bytes should be used: only
   * a first line takes more.
   */
  read(tailer: Tailer, cursor: Cursor, slab: Slab, ending: Ending, target = slab.capacity): Framing {
    const maxLine = this.#maxLine(tailer.generation.origin.source)
    const turn: Turn = { tailer, cursor, slab, ending, maxLine }
    try {
      const plan = planOf(turn, target)
      switch (plan.kind) {
        case 'dry':
        case 'full':
          return plan.kind
        case 'pass':
          return this.#pass(turn, plan.end)
        case 'end':
          return this.#atEnd(turn)
        case 'look ahead':
          return this.#lookAhead(turn)
        case 'read':
          return this.#read(turn, plan)
      }
    } catch (error) {
      if (typeof (error as { syscall?: unknown }).syscall === 'string') return 'failed'
      throw error
    }
  }

  /** Passes over what has settled up to `end`. Where the file does not reach so far it is not the one that was read. */
  #pass({ tailer, cursor }: Turn, end: number): Framing {
    const marker = readMarker(tailer.fd, end)
    if (marker === undefined || !tailer.intact(cursor)) return 'replaced'
    cursor.passed(marker)
    return 'took'
  }

  /** One read at the cursor: takes the lines that end in it. */
  #read(turn: Turn, { want, all, room }: Plan & { kind: 'read' }): Framing {
    const { tailer, cursor, slab } = turn
    const { ahead, read } = cursor
    const start = slab.window + slab.used
    const got = this.#fill(tailer, start, want, read)
    if (!tailer.intact(cursor)) return 'replaced'
    const bytes = this.#kernel.bytes.subarray(start, start + got)
    const known = this.#kernel.frames(start, start + got, slab.ends + 4 * slab.frames, slab.maxFrames - slab.frames)
    const frames = this.#whole(turn, bytes, known)
    if (frames === 'torn') return 'rest'
    if (frames > 0) {
      this.#take(turn, frames)
      const rest = bytes.subarray(cursor.read - read)
      // Room that is set aside begins behind the last line: it is looked for no further than it was known to reach.
      if (rest[0] === 0 && trailingZeros(rest) === rest.length) ahead.looked(cursor.read, read + got, cursor.read)
      return 'took'
    }
    const padding = this.#padding(start, got)
    // NULs with nothing behind them may be room that a writer has set aside: they are a hole only once text follows.
    if (padding >= SMALLEST_READ && padding < got) return this.#skip(turn, start, read + padding)
    ahead.looked(read, read + got, read + got - trailingZeros(bytes))
    if (got < want) return 'dry'
    if (!all) return slab.frames > 0 && want === room ? 'full' : 'looked'
    return this.#atEnd(turn)
  }

  /** Looks for the end of what is longer than one read, and takes it once that is known. */
  #lookAhead(turn: Turn): Framing {
    const { tailer, cursor, ending } = turn
    const end = endOf(turn)
    for (const sibling of tailer.generation.cursors) if (sibling !== cursor) cursor.ahead.adopt(sibling.ahead)
    const found = this.#lookahead.look(tailer.fd, cursor.read, cursor.ahead, end, ending !== 'open')
    switch (found.kind) {
      case 'line end':
        return this.#takeLong(turn, found.at, found.at + 1)
      case 'content':
        return this.#skip(turn, 0, found.at)
      case 'more':
        return 'looked'
      case 'rest':
        this.restMs = found.ms
        return 'rest'
      case 'end':
        return this.#atEnd(turn)
    }
  }

  /** No line end stands between the cursor and the end of the file: what becomes of what does. */
  #atEnd(turn: Turn): Framing {
    const { tailer, cursor, ending } = turn
    const { ahead, read } = cursor
    if (!tailer.intact(cursor)) return 'replaced'
    tailer.generation.size = tailer.extent
    // What stands in front of what has settled was read to there before: as a last line, if it has no end.
    if (cursor.island) return this.#takeLast(turn, cursor.island.from)
    if (ending === 'open') return 'dry'
    if (ahead.stale) {
      ahead.restart()
      return 'looked'
    }
    const extent = Math.min(tailer.size, ahead.extent(tailer.size))
    if (extent > read) return this.#takeLast(turn, extent)
    return ending === 'quiet' ? this.#skip(turn, 0, tailer.size) : 'dry'
  }

  /**
   * How many of the `frames` that a read holds may be taken. What was written where there were NULs may be seen half
   * written, and then has NULs in it: the lines before those are whole, theirs must stay as it is for a while.
   */
  #whole({ cursor: { ahead, read }, slab }: Turn, bytes: Buffer, frames: number): number | 'torn' {
    const { from, to } = ahead.zeros
    const start = slab.window + slab.used
    const end = frames === 0 ? bytes.length : slab.endOf(slab.frames + frames - 1) - start
    const begin = Math.max(0, from - read)
    const room = bytes.subarray(begin, Math.max(begin, Math.min(end, to - read)))
    const written = room.length - trailingZeros(room)
    const nul = written === 0 ? -1 : room.subarray(0, written).indexOf(0)
    if (nul < 0 || (frames === 0 && begin + nul > 0)) return frames
    const at = begin + nul
    const before = (offset: number): number => {
      let n = 0
      while (n < frames && slab.endOf(slab.frames + n) - start < offset) n++
      return n
    }
    const now = this.#allowance.now()
    if (ahead.torn === undefined || ahead.torn.to <= read + at) {
      ahead.torn = { to: Math.max(ahead.reach, read + at + 1), since: now }
    }
    const { to: settling, since } = ahead.torn
    if (now - since >= SETTLED) return Math.max(before(settling - read), Math.min(1, frames))
    const whole = before(at)
    if (whole > 0) return whole
    this.restMs = Math.ceil(since + SETTLED - now)
    return 'torn'
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
  #take(turn: Turn, frames: number): void {
    const { cursor, slab, maxLine } = turn
    const end = slab.frames + frames
    let begin = slab.window + slab.used
    const base = cursor.read - begin
    const long = slab.endOf(end - 1) - begin > maxLine
    while (slab.frames < end && slab.chunks.length < MOST_CHUNKS) {
      const first = slab.frames
      const line = slab.endOf(first)
      const padding = this.#padding(begin, line - begin)
      if (padding > 0) {
        this.#skip(turn, begin, base + begin + padding)
        begin += padding
      }
      const cutFrom = line - begin > maxLine ? line - begin : 0
      let next = first + 1
      if (cutFrom === 0) {
        const padded = this.#kernel.padded(slab.ends, next, end, line + 1)
        next = long ? longer(slab, next, padded, maxLine) : padded
      }
      const stop = slab.endOf(next - 1) + 1
      turn.tailer.generation.identify(this.#kernel.bytes.subarray(begin, line))
      if (cutFrom > 0) slab.setEnd(first, this.#cut(begin, begin + maxLine))
      const piece = { start: begin, fileStart: base + begin, fileEnd: base + stop, frames: next - first }
      this.#add(turn, { ...piece, cutFrom, partial: false }, this.#markerBehind(turn, begin, stop - begin, base + stop))
      slab.used = stop - slab.window
      begin = stop
    }
    turn.tailer.growHead()
  }

  /** The last line of the file, up to `stop`: it has no line end and will get none. */
  #takeLast(turn: Turn, stop: number): Framing {
    return this.#takeLong(turn, stop, stop)
  }

  /** The line between the cursor and `stop`, of which only the head need fit; `fileEnd` is where the next one begins. */
  #takeLong(turn: Turn, stop: number, fileEnd: number): Framing {
    const { tailer, cursor, slab, maxLine } = turn
    const length = stop - cursor.read
    // One byte more, if there is one: it tells whether the cut goes through a UTF-8 sequence.
    const want = Math.min(length, maxLine + 1)
    if (slab.capacity - slab.used < want) return 'full'
    const start = slab.window + slab.used
    const got = this.#fill(tailer, start, want, cursor.read)
    if (!tailer.intact(cursor)) return 'replaced'
    if (got < want) return 'dry'
    const padding = this.#padding(start, Math.min(length, maxLine))
    if (padding > 0) return this.#skip(turn, start, cursor.read + padding)
    const keep = Math.min(length, maxLine)
    const cutFrom = length > maxLine ? length : 0
    tailer.generation.identify(this.#kernel.bytes.subarray(start, start + keep))
    slab.setEnd(slab.frames, cutFrom > 0 ? this.#cut(start, start + keep) : start + keep)
    const piece = { start, fileStart: cursor.read, fileEnd, frames: 1, cutFrom, partial: stop === fileEnd }
    this.#add(turn, piece, readMarker(tailer.fd, fileEnd) ?? this.#markerBehind(turn, start, keep, fileEnd))
    slab.used = start + keep - slab.window
    tailer.growHead()
    return 'took'
  }

  #add({ tailer, cursor, slab }: Turn, piece: Piece, marker: Marker): void {
    const { origin } = tailer.generation
    const chunk = slab.add({ ...piece, owner: cursor, origin, firstFrame: slab.frames, readAt: Date.now() })
    cursor.took(chunk, marker)
  }

  /** Passes over the NULs between the cursor and `end`. They lie in the arena at `address`, unless that is 0. */
  #skip(turn: Turn, address: number, end: number): Framing {
    const { tailer, cursor } = turn
    const bytes = end - cursor.read
    const marker = address > 0 ? this.#markerBehind(turn, address, bytes, end) : readMarker(tailer.fd, end)
    if (marker === undefined || (address === 0 && !tailer.intact(cursor))) return 'replaced'
    cursor.skipped(bytes, marker)
    return 'took'
  }

  /** The marker before the file offset `end`, where the `length` bytes before it lie in the arena at `address`. */
  #markerBehind({ tailer }: Turn, address: number, length: number, end: number): Marker {
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

/** What to do in a turn, from what is known of the file and of the slab. */
function planOf(turn: Turn, target: number): Plan {
  const { tailer, cursor, slab, ending } = turn
  const { island, read, ahead } = cursor
  if (island?.from === read) return { kind: 'pass', end: island.to }
  const end = endOf(turn)
  const unread = end - read
  if (unread <= 0) return { kind: 'dry' }
  if (island === undefined && ahead.due >= end) return { kind: ending === 'open' ? 'dry' : 'end' }
  const room = (slab.frames > 0 ? Math.min(target, slab.capacity) : slab.capacity) - slab.used
  if (slab.chunks.length >= MOST_CHUNKS || slab.frames >= slab.maxFrames) return { kind: 'full' }
  if (slab.frames > 0 && room < Math.min(unread, SMALLEST_READ)) return { kind: 'full' }
  if (ahead.due - read >= QUANTUM) return { kind: 'look ahead' }
  // A cursor that has seen part of a line reads it again, with what was added since; where room is set aside, with not
  // much more than what was written into it.
  const seen = ahead.scanned - read
  const much = seen < QUANTUM ? Math.max(QUANTUM, 2 * seen) : QUANTUM
  const aside = island === undefined && ahead.again === undefined && ahead.extent(tailer.size) < tailer.size
  const want = Math.min(unread, room, aside ? Math.min(much, ahead.reach - read + SMALLEST_READ) : much)
  return { kind: 'read', want, all: want === unread, room }
}

/** Where reading ends: at the end of the file, or in front of what has settled. */
function endOf({ tailer, cursor }: Turn): number {
  return Math.min(tailer.size, cursor.island?.from ?? tailer.size)
}

/** The first of the frames [frame, end) that is over the limit, or `end`; there is a frame before it. */
function longer(slab: Slab, frame: number, end: number, maxLine: number): number {
  let at = frame
  while (at < end && slab.endOf(at) - slab.endOf(at - 1) - 1 <= maxLine) at++
  return at
}
