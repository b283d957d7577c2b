/**
 * The cutter: makes records of the bytes of a file, or of a sample of one, as a shipper does that reads it from there on.
 *
 *     bytes ─► windows ─► ends of lines, or of records of several lines (kernel) ─► text in UTF-8, cut where it is too long
 *
 * It is for looking at records one by one, so it costs an object for each. Nothing is kept but one window.
 *
 * Guarantees: records are those of the same loops in the kernel that cut them on the way to a backend; every byte belongs
 * to one of them, or is padding; a line of any length takes no more memory than its limit.
 */
import type { Encoding, Kernel, RecordRule } from '../../kernel/kernel.ts'

/** How lines are written: the form of a source's lines. */
export interface TextForm {
  /** Bytes of text that a line may have. */
  readonly maxBytes: number
  readonly encoding: Encoding | undefined
  /** Bytes of a character of the line end, and that character. */
  readonly unit: 1 | 2
  readonly end: number
}

export interface FileRecord {
  /** Where it begins in the file, and where what follows it does. */
  readonly from: number
  readonly to: number
  /** Its lines, counted from 1. */
  readonly firstLine: number
  readonly lastLine: number
  /** Its text in UTF-8, without its line end. */
  readonly text: Buffer
  /** Bytes it has in the file if it was cut; else 0. */
  readonly cutFrom: number
  /** It has no line end. */
  readonly partial: boolean
  /** It goes on with what stands before it, which had to end. */
  readonly continued: boolean
  /** What is written next may still belong to it. */
  readonly open: boolean
}

/** Reads up to `bytes` bytes at a position: fewer only where they end. */
export type Read = (position: number, bytes: number) => Buffer

/** A record of several lines is never longer than this. */
const WINDOW = 256 * 1024
const ROWS = 4096
const BYTE_ORDER_MARKS: Partial<Record<Encoding, number>> = { 'utf-16le': 0xfeff, 'utf-16be': 0xfffe }

/** Ends that were found in a window: each is where what follows a record begins. */
interface Ends {
  readonly at: readonly number[]
  readonly continued: boolean
  /** Where a record begins that is not complete yet. */
  readonly openFrom: number | undefined
}

export class Cutter {
  readonly #kernel: Kernel
  readonly #form: TextForm
  readonly #rule: RecordRule | undefined
  readonly #window: number
  readonly #table: number
  readonly #text: number

  constructor(kernel: Kernel, form: TextForm, rule: RecordRule | undefined) {
    this.#kernel = kernel
    this.#form = form
    this.#rule = rule
    this.#window = kernel.reserve(encodedBytes(form))
    this.#table = kernel.reserve(4 * ROWS)
    this.#text = kernel.reserve(decodedBytes(form))
  }

  /** Bytes that it takes in a kernel, beside the tables. */
  static bytes(form: TextForm): number {
    return encodedBytes(form) + 4 * ROWS + decodedBytes(form) + 64
  }

  /** The records from the first byte on. */
  *records(read: Read): Generator<FileRecord> {
    const { unit } = this.#form
    let at = 0
    let line = 1
    for (;;) {
      const window = read(at, WINDOW)
      if (window.length < unit) return
      const last = window.length < WINDOW
      const { at: ends, continued, openFrom } = this.#ends(window, last)
      if (ends.length === 0) {
        const to = last ? undefined : this.#lineEnd(read, at + WINDOW)
        const stop = to === undefined ? sizeFrom(read, at) : to - unit
        const text = read(at, Math.min(stop - at, encodedBytes(this.#form)))
        yield* this.#record(text, { from: at, to: to ?? stop, length: stop - at, line, partial: to === undefined })
        if (to === undefined) return
        at = to
        line++
        continue
      }
      let begin = 0
      for (const [index, end] of ends.entries()) {
        const bytes = window.subarray(begin, end - unit)
        const place = { from: at + begin, to: at + end, length: end - unit - begin, line, partial: false }
        const open = openFrom === begin
        for (const record of this.#record(bytes, place)) {
          yield { ...record, continued: continued && index === 0, open }
          line = record.lastLine
        }
        line++
        begin = end
      }
      at += begin
    }
  }

  *#record(
    bytes: Buffer,
    { from, to, length, line, partial }: { from: number; to: number; length: number; line: number; partial: boolean },
  ): Generator<FileRecord> {
    const { maxBytes, unit, end } = this.#form
    const whole = this.#decoded(bytes, from)
    // NULs before a line are padding, and those behind the last one are room that was set aside.
    let padding = 0
    while (padding < whole.length && whole[padding] === 0) padding++
    let stop = whole.length
    while (partial && stop > padding && whole[stop - 1] === 0) stop--
    if (stop === padding && (partial || padding > 0)) return
    const text = whole.subarray(padding, stop)
    const cut = text.length > maxBytes
    const lines = this.#rule ? count(text, end) : 0
    yield {
      from: from + padding * unit,
      to,
      firstLine: line,
      lastLine: line + lines,
      text: Buffer.from(cut ? text.subarray(0, characterEnd(text, maxBytes)) : text),
      cutFrom: cut ? length - padding * unit : 0,
      partial,
      continued: false,
      open: partial,
    }
  }

  #ends(window: Buffer, last: boolean): Ends {
    const kernel = this.#kernel
    const { encoding, end } = this.#form
    const [from, table] = [this.#window, this.#table]
    window.copy(kernel.bytes, from)
    const to = from + window.length
    const at = (count: number, base: number): number[] =>
      Array.from({ length: count }, (_, row) => kernel.bytes.readUInt32LE(table + 4 * row) - base)
    const none = { continued: false, openFrom: undefined }
    if (encoding !== undefined) return { at: at(kernel.lineEnds(encoding, from, to, table, ROWS, end), 0), ...none }
    if (this.#rule === undefined) return { at: at(kernel.frames(from, to, table, ROWS, end), from - 1), ...none }
    let records = kernel.records(from, to, table, ROWS, end, this.#rule, false)
    const open = kernel.openAt
    if (records === 0 && open > 0 && last) records = kernel.records(from, to, table, ROWS, end, this.#rule, true)
    return { at: at(records, from - 1), continued: kernel.continued, openFrom: open > 0 ? open - from : undefined }
  }

  /** Where what follows the first line end behind `from` begins; undefined: there is none. */
  #lineEnd(read: Read, from: number): number | undefined {
    const { encoding, end } = this.#form
    for (let at = from; ; at += WINDOW) {
      const window = read(at, WINDOW)
      window.copy(this.#kernel.bytes, this.#window)
      const to = this.#window + window.length
      const found =
        encoding === undefined
          ? this.#kernel.frames(this.#window, to, this.#table, 1, end)
          : this.#kernel.lineEnds(encoding, this.#window, to, this.#table, 1, end)
      if (found > 0) {
        const place = this.#kernel.bytes.readUInt32LE(this.#table)
        return at + (encoding === undefined ? place + 1 - this.#window : place)
      }
      if (window.length < WINDOW) return undefined
    }
  }

  /** The bytes as UTF-8: not much more of them than a line may have. */
  #decoded(bytes: Buffer, from: number): Buffer {
    const { encoding, maxBytes, unit } = this.#form
    if (encoding === undefined) return bytes
    const kernel = this.#kernel
    bytes.copy(kernel.bytes, this.#window)
    const mark = from === 0 && bytes.length >= 2 && bytes.readUInt16LE(0) === BYTE_ORDER_MARKS[encoding] ? unit : 0
    const [out, limit] = [this.#text, this.#text + maxBytes + 4]
    const begin = this.#window + mark
    const stop = kernel.decode({ encoding, from: begin, to: this.#window + bytes.length, out, limit, last: true })
    return Buffer.from(kernel.bytes.subarray(out, stop))
  }
}

/** Bytes of the file of which a text is made that is too long, or of a window. */
function encodedBytes({ maxBytes, unit }: TextForm): number {
  return Math.max(WINDOW, unit * (maxBytes + 4))
}

function decodedBytes({ maxBytes, encoding }: TextForm): number {
  return encoding === undefined ? 0 : maxBytes + 64
}

function sizeFrom(read: Read, from: number): number {
  let at = from
  for (;;) {
    const { length } = read(at, WINDOW)
    at += length
    if (length < WINDOW) return at
  }
}

function count(text: Buffer, byte: number): number {
  let times = 0
  for (let at = text.indexOf(byte); at >= 0; at = text.indexOf(byte, at + 1)) times++
  return times
}

/** The largest end up to `end` that does not cut a UTF-8 sequence in two. */
function characterEnd(text: Buffer, end: number): number {
  let at = end
  while (at > 0 && end - at < 3 && (text[at]! & 0xc0) === 0x80) at--
  return (text[at]! & 0xc0) === 0x80 ? end : at
}
