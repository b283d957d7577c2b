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
 * Where several lines make one record (`LineForm.rule`) frames are records, and the last one stays in the file like an
 * unfinished line: until the next one begins, or its file has not grown for a while. Where equal records become one
 * (`LineForm.runs`) the last run of them stays there in the same way, so that it is never divided by a read.
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
import { fstatSync } from 'node:fs'
import type { ChunkFields, Slab } from '../../chunk.ts'
import type { Kernel } from '../../kernel/kernel.ts'
import { MARKER_BYTES, type Marker, markerOf, readMarker } from '../files/fingerprint.ts'
import type { Cursor } from '../generation/generation.ts'
import type { Ending, Tailer } from '../generation/tailer.ts'
import { Allowance } from './allowance.ts'
import { dataLength, indexOfUnit, type LineForm, wholeUnits } from './form.ts'
import { Intake, type Piece } from './intake.ts'
import { Lookahead } from './lookahead.ts'
import { GLANCE, hintFor, type Notices } from './notices.ts'
import { endOf, flushOf, MOST_CHUNKS, type Plan, planOf, restOf, type Turn } from './plan.ts'

export { QUANTUM } from './plan.ts'

export type Framing =
  /** Something was taken: there may be more. */
  | 'took'
  /** A long stretch was looked through and nothing taken yet: go on, but let others have a turn first. */
  | 'looked'
  /** As `looked`, but not before `Framer.restMs` have passed. */
  | 'rest'
  /** The last record may go on, until `Framer.restMs` have passed without growth. */
  | 'open'
  /** Nothing can be taken until the file grows. */
  | 'dry'
  /** The slab has too little room left for what comes next. */
  | 'full'
  /** Other content stands where the cursor is: nothing was taken. */
  | 'replaced'
  /** The file cannot be read just now. */
  | 'failed'

/** So many NULs are a hole although the line behind them has no end yet. */
const HOLE = 16 * 1024
/** Milliseconds for which a NUL amid what was just written must stay before it is taken for one that was meant. */
const SETTLED = 100

/** What is to be read, and where to. */
export interface ReadRequest {
  readonly tailer: Tailer
  readonly cursor: Cursor
  readonly slab: Slab
  readonly ending: Ending
  /** Bytes of the slab that should be used at the most: only a first line takes more. */
  readonly target?: number
}

/** What there is to say of a chunk besides where the cursor and the slab stand. */
interface Taken
  extends Pick<ChunkFields, 'start' | 'fileEnd' | 'frames' | 'offsets' | 'cutFrom' | 'partial' | 'continued'> {
  /** The one before its end. */
  readonly marker: Marker
}

export class Framer {
  /** After `rest` and `open`: milliseconds. */
  restMs = 0
  readonly #kernel: Kernel
  readonly #intake: Intake
  readonly #formOf: (source: string) => LineForm
  readonly #allowance: Allowance
  readonly #lookahead: Lookahead
  readonly #notices: Notices | undefined

  /** `formOf` gives the form of a source's lines. `allowance` and `notices` are shared by all framers. */
  constructor(
    kernel: Kernel,
    formOf: (source: string) => LineForm,
    allowance = new Allowance(),
    notices: Notices | undefined = undefined,
  ) {
    this.#notices = notices
    this.#kernel = kernel
    this.#intake = new Intake(kernel)
    this.#formOf = formOf
    this.#allowance = allowance
    this.#lookahead = new Lookahead(allowance)
  }

  /** Reads one turn's worth of `tailer` at `cursor` into `slab`. */
  read({ tailer, cursor, slab, ending, target = slab.capacity }: ReadRequest): Framing {
    const form = this.#formOf(tailer.generation.origin.source)
    const turn: Turn = { tailer, cursor, slab, form, ending }
    try {
      const plan = planOf(turn, target, this.#allowance.now())
      switch (plan.kind) {
        case 'dry':
        case 'full':
          return plan.kind
        case 'wait':
          this.restMs = plan.ms
          return 'open'
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
  #read(turn: Turn, { want, all, cramped, whole, over }: Plan & { kind: 'read' }): Framing {
    const { tailer, cursor, form } = turn
    const { ahead, read } = cursor
    const { due } = ahead
    // What lies on the volume is looked at first: a record is not cut because our look at it is late.
    if (whole === 'quiet' && fstatSync(tailer.fd).size > tailer.size) {
      this.restMs = flushOf(form)
      return 'open'
    }
    const piece = this.#intake.piece(turn, want, whole !== 'no', over)
    const { bytes, address } = piece
    if (!tailer.intact(cursor)) return 'replaced'
    if (!tailer.generation.examined) this.#examine(turn, piece)
    const lines = this.#whole(turn, piece)
    if (lines === 'torn') return 'rest'
    if (lines > 0) {
      this.#take(turn, form.encoding ? this.#intake.decode(turn, { ...piece, lines }) : { ...piece, lines })
      const rest = bytes.subarray(cursor.read - read)
      // Room that is set aside begins behind the last line: it is looked for no further than it was known to reach.
      if (rest.length > 0 && dataLength(rest, form) === 0) ahead.looked(cursor.read, read + bytes.length, cursor.read)
      return 'took'
    }
    if (piece.crowded) return 'full'
    const padding = wholeUnits(this.#intake.nuls(address, bytes.length), form)
    // NULs with nothing behind them may be room that a writer has set aside: they are a hole only once text follows.
    if (padding >= HOLE && padding < bytes.length) return this.#skip(turn, address, read + padding)
    ahead.looked(read, read + bytes.length, read + dataLength(bytes, form))
    if (piece.open) {
      ahead.open = true
      if (!all && cramped) return 'full'
      const now = this.#allowance.now()
      ahead.openSince ??= now
      this.restMs = restOf(turn, now)
      return 'open'
    }
    if (bytes.length < want) return 'dry'
    if (!all && cramped) return 'full'
    // A read that ends amid room that was set aside, in front of where something may have been written, shows nothing new:
    // the next one would be the same.
    if (!all) return ahead.due > due ? 'looked' : this.#lookAhead(turn)
    return this.#atEnd(turn)
  }

  /** Looks at the beginning of a file for what its source might have to say of its form. */
  #examine({ tailer: { generation }, form }: Turn, { bytes, base, lines }: Piece): void {
    const hint = hintFor(bytes.subarray(0, GLANCE.most), base, lines > 0, form)
    if (hint) this.#notices?.say(generation.origin, hint)
    // While there is no line there may be other line ends: what is unfinished is looked at again with what was added.
    generation.examined = hint !== undefined || (lines > 0 && base + bytes.length >= GLANCE.least)
  }

  /** Looks for the end of what is longer than one read, and takes it once that is known. */
  #lookAhead(turn: Turn): Framing {
    const { tailer, cursor, form, ending } = turn
    const end = endOf(turn)
    for (const sibling of tailer.generation.cursors) if (sibling !== cursor) cursor.ahead.adopt(sibling.ahead)
    const found = this.#lookahead.look({ fd: tailer.fd, form, ahead: cursor.ahead, end, urgent: ending !== 'open' })
    switch (found.kind) {
      case 'line end':
        return this.#takeLong(turn, found.at, found.at + form.unit)
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
    const { tailer, cursor, form, ending } = turn
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
    const data = ahead.extent(tailer.size) - read
    if (data > 0) return this.#takeLast(turn, Math.min(tailer.size, read + wholeUnits(data + form.unit - 1, form)))
    return ending === 'quiet' ? this.#skip(turn, 0, tailer.size) : 'dry'
  }

  /**
   * How many of the lines of a piece may be taken. What was written where there were NULs may be seen half written, and
   * then has NULs in it: the lines before those are whole, theirs must stay as it is for a while.
   */
  #whole(turn: Turn, piece: Piece): number | 'torn' {
    const { slab, form } = turn
    const { base, bytes, lines } = piece
    const { ahead } = turn.cursor
    const { from, to } = ahead.zeros
    const next = (n: number): number => this.#intake.behind(turn, piece, slab.frames, n)
    const end = lines === 0 ? bytes.length : next(lines) - form.unit
    const begin = Math.max(0, from - base) + (Math.max(0, from - base) % form.unit)
    const room = bytes.subarray(begin, Math.max(begin, Math.min(end, to - base)))
    const nul = indexOfUnit(room.subarray(0, dataLength(room, form)), form, 0)
    if (nul < 0 || form.end === 0 || (lines === 0 && begin + nul > 0)) return lines
    const at = begin + nul
    const before = (offset: number): number => {
      let n = 0
      while (n < lines && next(n + 1) <= offset) n++
      return n
    }
    const now = this.#allowance.now()
    if (ahead.torn === undefined || ahead.torn.to <= base + at) {
      ahead.torn = { to: Math.max(ahead.reach, base + at + 1), since: now }
    }
    const { to: settling, since } = ahead.torn
    if (now - since >= SETTLED) return Math.max(before(settling - base), Math.min(1, lines))
    const whole = before(at)
    if (whole > 0) return whole
    this.restMs = Math.ceil(since + SETTLED - now)
    return 'torn'
  }

  /**
   * Makes chunks of the lines of a piece, which begin at the end of the slab's used part. A chunk ends where NULs stand
   * before a line, which are padding, and where a line is over the limit, which is cut and alone.
   */
  #take(turn: Turn, piece: Piece): void {
    const { tailer, cursor, slab, form } = turn
    const { bytes } = this.#kernel
    const { base, table } = piece
    const first = slab.frames
    let end = first + piece.lines
    let begin = slab.window + slab.used
    const long = slab.endOf(end - 1) - begin > form.maxBytes
    while (slab.frames < end && slab.chunks.length < MOST_CHUNKS) {
      const frame = slab.frames
      if (form.end === 0 && slab.endOf(frame) === begin) {
        const empty = this.#dropEmpty(turn, piece, { at: frame - first, lines: end - first, begin })
        end -= empty
        begin += empty
        continue
      }
      const line = slab.endOf(frame)
      const padding = this.#intake.nuls(begin, line - begin)
      if (padding > 0) this.#skip(turn, piece.address + cursor.read - base, cursor.read + padding * form.unit)
      begin += padding
      const over = line - begin > form.maxBytes
      let next = frame + 1
      if (!over) {
        const padded = this.#kernel.padded(slab.ends, next, end, line + 1)
        next = long ? longer(slab, next, padded, form.maxBytes) : padded
        if (form.rule?.alone) next = Math.max(frame + 1, this.#kernel.divided(slab.ends, frame, next, begin))
      }
      const stop = slab.endOf(next - 1) + 1
      const fileEnd = base + this.#intake.behind(turn, piece, first, next - first)
      const cutFrom = over ? fileEnd - form.unit - cursor.read : 0
      tailer.generation.identify(bytes.subarray(begin, form.rule ? firstLine(bytes, begin, line, form) : line))
      if (over) slab.setEnd(frame, this.#intake.cut(begin, begin + form.maxBytes))
      const column = table + 4 * (frame - first)
      if (table > 0) bytes.writeUInt32LE(cursor.read - base, column)
      const offsets = table > 0 ? { table: column, base } : undefined
      const marker = this.#markerBehind(turn, piece.address + cursor.read - base, fileEnd - cursor.read, fileEnd)
      const continued = piece.continued && frame === first
      const taken = { start: begin, fileEnd, frames: next - frame, offsets, cutFrom, partial: false, continued, marker }
      this.#addChunk(turn, taken)
      begin = stop
      slab.used = begin - slab.window
    }
    if (table > 0 && slab.frames > first) slab.used = table + 4 * (piece.lines + 1) - slab.window
    tailer.growHead()
  }

  /**
   * Where NULs end lines an empty one is padding: takes those that follow `at` lines of a piece out of the tables, which
   * have `lines`; returns how many they are. The first of them lies at `begin`.
   */
  #dropEmpty(
    turn: Turn,
    { base, address, table }: Piece,
    { at, lines, begin }: { readonly at: number; readonly lines: number; readonly begin: number },
  ): number {
    const { cursor, slab, form } = turn
    const { bytes } = this.#kernel
    const ends = slab.ends + 4 * slab.frames
    let empty = 1
    while (at + empty < lines && slab.endOf(slab.frames + empty) === begin + empty) empty++
    this.#skip(turn, address + cursor.read - base, cursor.read + empty * form.unit)
    bytes.copyWithin(ends, ends + 4 * empty, ends + 4 * (lines - at))
    if (table > 0) bytes.copyWithin(table + 4 * at, table + 4 * (at + empty), table + 4 * (lines + 1))
    return empty
  }

  /** The last line of the file, up to `stop`: it has no line end and will get none. */
  #takeLast(turn: Turn, stop: number): Framing {
    return this.#takeLong(turn, stop, stop)
  }

  /** The line between the cursor and `stop`, of which only the head need fit; `fileEnd` is where the next one begins. */
  #takeLong(turn: Turn, stop: number, fileEnd: number): Framing {
    const { tailer, cursor, slab, form } = turn
    const { maxBytes } = form
    const length = stop - cursor.read
    const start = slab.window + slab.used
    const got = this.#intake.head(turn, stop)
    if (got === undefined) return 'full'
    if (!tailer.intact(cursor)) return 'replaced'
    if (got < 0) return 'dry'
    const keep = Math.min(got, maxBytes)
    const padding = this.#intake.nuls(start, keep)
    if (padding > 0) return this.#skip(turn, 0, cursor.read + padding * form.unit)
    // There was nothing but a byte order mark.
    if (got === 0 && stop === fileEnd) return this.#skip(turn, 0, stop)
    const text = this.#kernel.bytes.subarray(start, start + keep)
    tailer.generation.identify(text)
    slab.setEnd(slab.frames, got > maxBytes ? this.#intake.cut(start, start + keep) : start + keep)
    const cutFrom = got > maxBytes ? length : 0
    const marker = readMarker(tailer.fd, fileEnd) ?? markerOf(text.subarray(-MARKER_BYTES))
    const continued = form.rule !== undefined && this.#kernel.goesOn(start, start + keep, form.rule)
    this.#addChunk(turn, { start, fileEnd, frames: 1, cutFrom, partial: stop === fileEnd, continued, marker })
    slab.used = start + keep - slab.window
    tailer.growHead()
    return 'took'
  }

  /** Adds a chunk that begins at the cursor: the one place where what was read becomes one. */
  #addChunk(turn: Turn, { marker, ...taken }: Taken): void {
    const { tailer, cursor, slab, form } = turn
    const { origin } = tailer.generation
    const isApart = cursor.apart && cursor.read > 0
    const before = form.lookBack && isApart ? this.#intake.before(turn, form.lookBack) : undefined
    const place = { fileStart: cursor.read, firstFrame: slab.frames, joined: form.rule !== undefined, before }
    cursor.took(slab.add({ ...taken, ...place, owner: cursor, origin, readAt: Date.now() }), marker)
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
}

/** Where the first line of a record ends. */
function firstLine(bytes: Buffer, begin: number, end: number, { end: lineEnd }: LineForm): number {
  const at = bytes.subarray(begin, end).indexOf(lineEnd)
  return at < 0 ? end : begin + at
}

/** The first of the frames [frame, end) that is over the limit, or `end`; there is a frame before it. */
function longer(slab: Slab, frame: number, end: number, maxLine: number): number {
  let at = frame
  while (at < end && slab.endOf(at) - slab.endOf(at - 1) - 1 <= maxLine) at++
  return at
}
