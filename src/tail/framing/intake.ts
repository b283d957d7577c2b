/**
 * The intake: reads a file into a slab, and makes UTF-8 of it where it is none.
 *
 *     UTF-8    window │ used │ read here, and left here                                          │
 *     others   window │ used │ lines, decoded │ their offsets │ …          │ as it was read │ where its lines begin │
 *
 * Guarantees: nothing is written outside the free part of the slab's window; what was read is still there as it stands in
 * the file when its lines are taken; a line that was decoded is the same whichever way it was read.
 */
import { readSync } from 'node:fs'
import { invariant } from '../../errors.ts'
import type { Encoding, Kernel } from '../../kernel/kernel.ts'
import { LAYOUT } from '../../kernel/module.ts'
import type { Tailer } from '../generation/tailer.ts'
import { dataLength, type LookBack, wholeUnits } from './form.ts'
import { PIECE, PIECE_LINES, type Turn, WORKROOM } from './plan.ts'

const BYTE_ORDER_MARKS: Partial<Record<Encoding, number>> = { 'utf-16le': 0xfeff, 'utf-16be': 0xfffe }

/** So many bytes without a line end are of no record that is part of a run. */
const LONGEST_OPEN = LAYOUT.LONGEST_REPEATED + 1

/** What a read brought: its bytes as they stand in the file, and where its lines end there. */
export interface Piece {
  /** Offset in the file of the first byte, and its address. */
  readonly base: number
  readonly address: number
  readonly bytes: Buffer
  /** Lines that end in it. */
  readonly lines: number
  /** A record of several lines begins at its end which is not complete; the first one goes on with what stands before. */
  readonly open: boolean
  readonly continued: boolean
  /** It ends with what is open because the slab's table has no room for more. */
  readonly crowded: boolean
  /**
   * Address of a table of u32: 0, and behind it for each line where the next one begins. 0 where lines lie in memory as
   * they lie in the file, and the slab's table says it.
   */
  readonly table: number
}

/** Each line is a record, and lies in memory as it lies in the file. */
const LINES = { open: false, continued: false, crowded: false, table: 0 } as const

export class Intake {
  readonly #kernel: Kernel

  constructor(kernel: Kernel) {
    this.#kernel = kernel
  }

  /**
   * Reads `want` bytes at the cursor, and finds the lines, or the records, that end in them. `whole`: the last record is
   * complete. `over`: and so is a run of equal records.
   */
  piece({ tailer, cursor, slab, form }: Turn, want: number, whole: boolean, over: boolean): Piece {
    const base = cursor.read
    const kernel = this.#kernel
    const ends = slab.ends + 4 * slab.frames
    const rows = slab.maxFrames - slab.frames
    const workroom = slab.window + slab.capacity - WORKROOM
    const address = form.encoding ? workroom - (workroom % 4) : slab.window + slab.used
    const bytes = kernel.bytes.subarray(address, address + this.#fill(tailer, address, want, base))
    // Where NULs end lines those behind the last one end none.
    const to = address + (form.end === 0 ? Math.min(bytes.length, dataLength(bytes, form) + form.unit) : bytes.length)
    if (form.end === 0 && dataLength(bytes, form) === 0) return { ...LINES, base, address, bytes, lines: 0 }
    if (form.encoding === undefined) {
      const { rule, runs } = form
      const lines =
        rule === undefined
          ? kernel.frames(address, to, ends, rows, form.end)
          : kernel.records(address, to, ends, rows, form.end, rule, whole)
      const ending = rule === undefined ? undefined : { open: kernel.openAt > 0, continued: kernel.continued }
      const piece = { ...LINES, ...ending, base, address, bytes, lines }
      if (runs === undefined || over || lines === 0) return piece
      const isFull = lines === rows
      // A run ends before what is too long for one, and before a record that goes on where another had to end.
      const rest = bytes.subarray(kernel.bytes.readUInt32LE(ends + 4 * (lines - 1)) + 1 - address)
      if (!isFull && (rest.length > LONGEST_OPEN || (!piece.open && rest.includes(form.end)))) return piece
      const before = kernel.beforeRun(address, ends, lines)
      if (before === lines) return piece
      // And where it takes all of an empty table.
      if (before === 0 && isFull && slab.frames === 0) return piece
      return { ...piece, lines: before, open: true, crowded: before === 0 && isFull }
    }
    const table = address + PIECE
    kernel.bytes.writeUInt32LE(0, table)
    const most = Math.min(rows, PIECE_LINES)
    const lines = kernel.lineEnds(form.encoding, address, to, table + 4, most, form.end)
    return { ...LINES, base, address, bytes, lines, table }
  }

  /** Makes UTF-8 of the lines of a piece, at the end of the slab's used part, and puts its table behind them. */
  decode({ cursor, slab, form }: Turn, piece: Piece): Piece {
    const kernel = this.#kernel
    const { bytes } = kernel
    const encoding = form.encoding!
    const start = slab.window + slab.used
    const from = piece.address + (piece.base === 0 && isMark(piece.bytes, encoding) ? form.unit : 0)
    const to = piece.address + bytes.readUInt32LE(piece.table + 4 * piece.lines)
    const stop = kernel.decode({ encoding, from, to, out: start, limit: piece.address, last: true })
    const frames = kernel.frames(start, stop, slab.ends + 4 * slab.frames, piece.lines, form.end)
    invariant(kernel.consumed === to && frames === piece.lines, 'decoded text has other lines than what it was made of')
    if (kernel.replaced > 0) cursor.account.repaired(kernel.replaced)
    const table = stop + ((4 - (stop % 4)) % 4)
    bytes.copyWithin(table, piece.table, piece.table + 4 * (piece.lines + 1))
    return { ...piece, table }
  }

  /** Where the line behind the first `n` of a piece begins in it; `first` is the row of its first line in the slab's table. */
  behind({ slab }: Turn, { table, address }: Piece, first: number, n: number): number {
    return table > 0 ? this.#kernel.bytes.readUInt32LE(table + 4 * n) : slab.endOf(first + n - 1) + 1 - address
  }

  /**
   * Reads the text from the cursor to `stop` to the end of the slab's used part, or as much of it as says that it is too
   * long; returns how many bytes that is, −1 if the file does not reach so far, or undefined if the slab has no room.
   */
  head(turn: Turn, stop: number): number | undefined {
    const { tailer, cursor, slab, form } = turn
    const room = slab.capacity - slab.used
    // One character more, if there is one: it shows that the line is longer, and whether the cut goes through a sequence.
    const most = form.maxBytes + 4
    if (form.encoding) return room < most + WORKROOM ? undefined : this.#decodeHead(turn, form.encoding, stop)
    const want = Math.min(stop - cursor.read, form.maxBytes + 1)
    if (room < want) return undefined
    return this.#fill(tailer, slab.window + slab.used, want, cursor.read) < want ? -1 : want
  }

  #decodeHead({ tailer, cursor, slab, form }: Turn, encoding: Encoding, stop: number): number {
    const kernel = this.#kernel
    const start = slab.window + slab.used
    const address = slab.window + slab.capacity - WORKROOM
    const limit = start + form.maxBytes + 4
    let out = start
    let replaced = 0
    for (let at = cursor.read; at < stop; at += kernel.consumed - address) {
      const got = this.#fill(tailer, address, Math.min(PIECE, stop - at), at)
      if (got === 0) return -1
      const mark = at === 0 && isMark(kernel.bytes.subarray(address, address + got), encoding) ? form.unit : 0
      const last = at + got === stop
      out = kernel.decode({ encoding, from: address + mark, to: address + got, out, limit, last })
      replaced += kernel.replaced
      if (out > start + form.maxBytes || kernel.consumed === address) break
    }
    if (replaced > 0) cursor.account.repaired(replaced)
    return out - start
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

  /** What a chunk at the cursor has to know of the file before it. */
  before({ tailer, cursor, form }: Turn, { bytes, of }: LookBack): Buffer | undefined {
    const want = wholeUnits(Math.min(bytes, cursor.read), form)
    const raw = Buffer.allocUnsafe(want)
    const got = readSync(tailer.fd, raw, 0, want, cursor.read - want)
    const text = form.encoding ? toUtf8(raw.subarray(0, got), form.encoding) : raw.subarray(0, got)
    const part = of(text, form.end)
    // What it is part of is not to be kept for it.
    return part && Buffer.from(part)
  }

  /** How many of the `length` bytes at `address` are leading NULs. */
  nuls(address: number, length: number): number {
    const { bytes } = this.#kernel
    let n = 0
    while (n < length && bytes[address + n] === 0) n++
    return n
  }

  /** The largest end up to `end` that does not cut a UTF-8 sequence in two (RFC 3629 §3). */
  cut(start: number, end: number): number {
    const { bytes } = this.#kernel
    let at = end
    // The byte at `at` is the first that is left out: it must not be a continuation byte.
    while (at > start && end - at < 3 && (bytes[at]! & 0xc0) === 0x80) at--
    return (bytes[at]! & 0xc0) === 0x80 ? end : at
  }
}

/** Text in another encoding, of a size that may be made at once. */
function toUtf8(bytes: Buffer, encoding: Encoding): Buffer {
  const text = encoding === 'latin-1' ? bytes.toString('latin1') : new TextDecoder(encoding).decode(bytes)
  return Buffer.from(text)
}

/** Whether the bytes begin with a byte order mark. */
function isMark(bytes: Buffer, encoding: Encoding): boolean {
  return bytes.length >= 2 && bytes.readUInt16LE(0) === BYTE_ORDER_MARKS[encoding]
}
