/**
 * The kernel's door: the loops that touch every byte, over one fixed linear memory.
 *
 *     0        128 KiB                                                         end
 *     │ room   │ tables │ arena: slabs and payloads, dealt out by a budget │ one page of slack │
 *
 * Files are read into the arena, frames are found and rendered there, and views of it go to the HTTP client: log data
 * is never copied out and never becomes a string. The loops are WebAssembly (assembly/), compiled into module.ts.
 *
 * Guarantees: the memory is as large as it was made and is never grown, so no view of it is ever detached; nothing is
 * allocated per frame; nothing is written at `limit` or behind it; a record is rendered whole or not at all. Addresses
 * are not checked against the budget: the caller owns the extents that it names.
 */
import { isUtf8 } from 'node:buffer'
import { PAGE } from '../budget.ts'
import { invariant } from '../errors.ts'
import type { Partitions } from '../partition.ts'
import type { Exports, Rendering } from './exports.ts'
import { LAYOUT, MODULE } from './module.ts'
import { type Segment, write } from './template.ts'

/** What can be made UTF-8. */
const ENCODINGS = {
  'utf-16le': LAYOUT.UTF_16LE,
  'utf-16be': LAYOUT.UTF_16BE,
  'latin-1': LAYOUT.LATIN_1,
  'windows-1252': LAYOUT.WINDOWS_1252,
} as const
export type Encoding = keyof typeof ENCODINGS

const LINE_FEED = 10

/** What a record may be. */
export interface RecordLimits {
  /** Bytes that a message (a trimmed, repaired frame) and a whole record may have. */
  readonly messageBytes: number
  readonly recordBytes: number
  /** The first and the last time that a record may have of its own: others are none. Default: any. */
  readonly oldest?: bigint
  readonly newest?: bigint
}

const UNLIMITED = { messageBytes: 0xffffffff, recordBytes: 0xffffffff }

/** When a run of equal records has ended: milliseconds. */
export interface RunRule {
  /** Its file has not grown for so long. */
  readonly flush: number
  /** It was seen to begin so long ago. */
  readonly window: number
}

/** How lines become records. */
export interface RecordRule {
  /** Address of the machines that say it: see assembly/process/records.ts. */
  readonly table: number
  /** Lines and bytes that a record may have; 0 lines: any number. A line that would pass these begins another record. */
  readonly maxLines: number
  readonly maxBytes: number
  /** Milliseconds without growth of the file after which its last record is complete. */
  readonly flush: number
  /** A record of several lines is the only one of its chunk, for it is joined there. */
  readonly alone?: boolean | undefined
}

/** The frames of a chunk while they are processed: addresses, but for `first`, `count` and the bytes of a `row`. */
export interface Frames {
  /** The table of frames, the row of the first one, how many there are, and where that one begins. */
  readonly ends: number
  readonly first: number
  readonly count: number
  readonly start: number
  /** A table of u32 and a table of rows with one for each row of the table of frames: see assembly/layout.ts. */
  readonly column: number
  readonly rows: number
  readonly row: number
}

/** How a sample is taken. */
export interface Sampling {
  /** Records with hashes below it are kept: of 2^32. */
  readonly threshold: number
  /** The slot of the value that decides. Records without one are told apart by generation and offset. */
  readonly key: number | undefined
  /** Records of this level or a higher one are kept in any case. */
  readonly keepLevel: number
  /** The flag that is set in the row of a record that was chosen. */
  readonly flag: number
  /** Keeps two samplings of the same records apart. */
  readonly salt: bigint
}

/** A bucket that is filled by time and emptied by records; `filledAt` in milliseconds. 0 a millisecond: no such limit. */
export interface Bucket {
  bytes: number
  records: number
  filledAt: number
  readonly bytesPerMs: number
  readonly recordsPerMs: number
}

/** Where frames stand in their file, and where those that are kept go. */
export interface Thinning {
  /** The row of the first one that is kept, and where its first byte goes: neither behind where it is. */
  readonly to: number
  readonly out: number
  /** Bytes from the chunk's first one in the file to the first frame, and to what follows the last one. */
  readonly head: number
  readonly tail: number
  /** The column that the chunk has already, from its row for the first frame on (0: none), and what it counts from less. */
  readonly source: number
  readonly origin: number
  /** Where gaps are written: 16 bytes for each frame. */
  readonly gaps: number
}

/** Of a template: records are told apart. */
export interface Partitioned {
  readonly partitions: Partitions
  /**
   * Records of each partition have a group of their own. Between two of them, in the place of a separator, stands `close`,
   * the text of the next one's partition, and `open`.
   */
  readonly between?: { readonly close: Uint8Array; readonly open: Uint8Array } | undefined
}

/** Frames of one chunk in which values are to be found, and where the rows of their slab begin. */
export interface Extraction {
  /** Address of what the records may be (assembly/process/extract.ts), or 0: nothing is found in them. */
  readonly table: number
  /** The table of frames, the row of the first one, how many there are, and where that one begins. */
  readonly ends: number
  readonly first: number
  readonly count: number
  readonly start: number
  /** Where rows begin, and bytes of each: a multiple of 8. */
  readonly rows: number
  readonly row: number
  /** The first frame is the head of a file, where a byte order mark is passed over. */
  readonly atFileStart: boolean
  /** Address of room for what expressions find, if there are some in the table: `CAPTURE_ROOM` bytes. */
  readonly spans?: number
}

/** What to decode, and where to. */
export interface Decoding {
  readonly encoding: Encoding
  readonly from: number
  readonly to: number
  readonly out: number
  /** The first byte that may not be written. */
  readonly limit: number
  /** Nothing follows: a character of which the rest is missing is none. */
  readonly last: boolean
}

/** The frames of a chunk whose rows are filled, as `Extraction` has them. */
export type Filling = Pick<Extraction, 'ends' | 'first' | 'count' | 'start' | 'rows' | 'row'>

/** Whose records they are, and what the digits are made of that their times do not have. */
export interface Timing {
  /** What must be added to an address to get an offset in the file; or to a row of the table of u32 at `column`. */
  readonly base: number
  readonly column: number
  /** A hash of the generation, below 2^32. */
  readonly salt: number
  /** When they were read: milliseconds since the epoch. */
  readonly readAt: number
}

/** Records without a time of their own: it was not there, or no time, or before 1990, or more than a day ahead. */
export interface Untimed {
  readonly missing: number
  readonly unreadable: number
  readonly old: number
  readonly ahead: number
}

/** Records without a level: it was not there, or is not known. */
export interface Unlevelled {
  readonly missing: number
  readonly unknown: number
}

/** A row's time if the record has none of its own. */
export const NO_TIME = -(2n ** 63n)

/** What to redact: frames that follow each other. Numbers are addresses but for `count`, `how` and `open`. */
export interface Redaction {
  /** The table of rules. */
  readonly table: number
  /** Where the first frame begins, the row of the table of ends that says where it ends, and how many there are. */
  readonly from: number
  readonly ends: number
  readonly count: number
  /** Nothing before this is written: what stands there is a context. */
  readonly wall: number
  /** Whether the record is all there (`REDACT_WHOLE`), is written no further yet (`PARTIAL`), or is cut (`CUT`). */
  readonly how: number
  /** Bytes that a private key which is open before the frames may still have; 0: none is. */
  readonly open: number
  /** They stand at the beginning of a file. */
  readonly head: boolean
  /** The expressions of the table (assembly/process/own.ts), and room for what they find; 0: there are none. */
  readonly own: number
  readonly room: number
}

/** What a rule of redaction has masked: its number, and the addresses [from, to). */
export interface Mask {
  readonly rule: number
  readonly from: number
  readonly to: number
  /** It could not be said what stands there. */
  readonly gaveUp: boolean
}

export const NOTE_BYTES = LAYOUT.REDACT_NOTE

const ANY_TIME = { oldest: -(2n ** 63n), newest: 2n ** 63n - 1n }

/** Nanoseconds of a time in milliseconds. */
function nanosOf(ms: number): bigint {
  return BigInt(Math.floor(ms)) * 1_000_000n
}

let compiled: WebAssembly.Module | undefined

export class Kernel {
  readonly memory: WebAssembly.Memory
  /** The whole memory; its indices are addresses. */
  readonly bytes: Buffer
  /** Address of the first byte of the arena, a multiple of 64 KiB, and how many bytes it has. */
  readonly arena: number
  readonly arenaBytes: number
  readonly #loops: Exports
  readonly #view: DataView
  /** The texts of partitions that are laid down, and how many of them. */
  #texts: { readonly of: Partitions['texts']; readonly count: number } | undefined
  /** Where the next table goes. */
  #tables: number = LAYOUT.ROOM_END

  private constructor(memory: WebAssembly.Memory, arena: number, arenaBytes: number, loops: Exports) {
    this.memory = memory
    this.bytes = Buffer.from(memory.buffer)
    this.arena = arena
    this.arenaBytes = arenaBytes
    this.#loops = loops
    this.#view = new DataView(memory.buffer)
  }

  /**
   * A kernel with an arena of `arenaBytes` bytes and room for tables of `tableBytes`, each rounded up to pages of 64 KiB.
   * Throws a `RangeError` if that cannot be had.
   */
  static create(arenaBytes: number, tableBytes = 0): Kernel {
    compiled ??= new WebAssembly.Module(Buffer.from(MODULE, 'base64'))
    const arena = Math.max(1, Math.ceil(arenaBytes / PAGE))
    const before = LAYOUT.ROOM_END / PAGE + Math.ceil(tableBytes / PAGE)
    const pages = before + arena + 1
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages })
    const { exports } = new WebAssembly.Instance(compiled, { env: { memory } })
    return new Kernel(memory, before * PAGE, arena * PAGE, exports as unknown as Exports)
  }

  /** Lays down a table, whose offsets are relative to its beginning; returns its address, a multiple of 16. */
  lay(table: Uint8Array): number {
    const address = this.reserve(table.length)
    this.bytes.set(table, address)
    return address
  }

  /** Sets room for so many bytes aside beside the tables; returns its address, a multiple of 16. */
  reserve(bytes: number): number {
    const address = this.#tables
    invariant(address + bytes <= this.arena, 'tables take more than was set aside for them')
    this.#tables += Math.ceil(bytes / 16) * 16
    return address
  }

  /** Address behind the last byte that the last `render` wrote for a whole record; its `out` if there was none. */
  get end(): number {
    return this.#loops.end.value
  }

  /** How many U+FFFD the last `render` put into its records for what was not UTF-8. */
  get repaired(): number {
    return this.#loops.repaired.value
  }

  /** Where the last `render` cut its first frame: the first byte that is left out. 0 if it was not to cut. */
  get cutAt(): number {
    return this.#loops.cutAt.value
  }

  /** How many records of the last `render` are their frames, because they have more fields than may be, or are `bare`. */
  get bared(): number {
    return this.#loops.bared.value
  }

  /** How many records of the last `render` have a time of their own that they may not have. */
  get retimed(): number {
    return this.#loops.retimed.value
  }

  /** The partition of the last record of the last `render`; what was `opened` if it had none. */
  get partitioned(): number {
    return this.#loops.partitioned.value
  }

  /**
   * Writes the number of its partition to the row of each frame, by the plan and the book at these addresses
   * (assembly/process/partition.ts), up to one that is not in the book; returns how many. They were read at `readAt`,
   * milliseconds since the epoch. `beyond` says the rest.
   */
  partition(frames: Frames, plan: number, book: number, closed: boolean, readAt: number): number {
    this.#look(frames)
    return this.#loops.partition(plan, book, closed, nanosOf(readAt))
  }

  /** To how many records the last `partition` gave no number of their own, although they have values. */
  get beyond(): number {
    return this.#loops.beyond.value
  }

  /**
   * Puts the values of the first of these frames into the book, under a number, with `PARTITION_BEYOND` in it if it is that
   * of others. False if there is no room.
   */
  enlist(frames: Frames, plan: number, book: number, number: number, readAt: number): boolean {
    this.#look(frames)
    return this.#loops.enlist(plan, book, number, nanosOf(readAt)) !== 0
  }

  /** Lays down the texts of partitions that are not there yet. */
  #layTexts({ texts, address }: Partitions): void {
    const known = this.#texts?.of === texts ? this.#texts.count : 0
    if (known === texts.length) return
    for (let number = known; number < texts.length; number++) {
      const { at, bytes } = texts[number]!
      this.#view.setUint32(address + 8 * number, at, true)
      this.#view.setUint32(address + 8 * number + 4, bytes.length, true)
      this.bytes.set(bytes, address + at)
    }
    this.#texts = { of: texts, count: texts.length }
  }

  /**
   * Writes the address of each line feed, or of each `lineEnd`, in [from, to) to the table of u32 at `ends`, at most
   * `max`; returns how many.
   */
  frames(from: number, to: number, ends: number, max: number, lineEnd: number = LINE_FEED): number {
    return this.#loops.frames(from, to, ends, max, lineEnd)
  }

  /**
   * Writes the address of the last line end of each record in [from, to), which begins with one, to the table of u32 at
   * `ends`, at most `max`; returns how many are complete. `final`: nothing will follow, so the last one is too. A record
   * that goes on where another had to end (`continued`) is alone in its call.
   */
  records(
    from: number,
    to: number,
    ends: number,
    max: number,
    lineEnd: number,
    rule: RecordRule,
    final: boolean,
  ): number {
    const { table, maxLines, maxBytes } = rule
    return this.#loops.records(from, to, ends, max, lineEnd, table, maxLines, maxBytes, final)
  }

  /** Whether a line that lies in [from, to), or its head, goes on with what stands before it. */
  goesOn(from: number, to: number, { table }: RecordRule): boolean {
    return this.#loops.goesOn(table, from, to) !== 0
  }

  /** Where the last `records` found a record that is not complete; 0 if it found none. */
  get openAt(): number {
    return this.#loops.openAt.value
  }

  /** The first record of the last `records` begins with a line that goes on with what stands before it. */
  get continued(): boolean {
    return this.#loops.continued.value !== 0
  }

  /** None of the frames has a verdict. A verdict is 1 + the number of a reason, up to 255. */
  acquit(frames: Frames): void {
    this.#look(frames)
    this.#loops.acquit()
  }

  /** Gives the verdicts of the filter at `table` (assembly/process/select.ts) to frames that have none; returns to how many. */
  filter(frames: Frames, table: number): number {
    this.#look(frames)
    return this.#loops.filter(table)
  }

  /**
   * Gives `verdict` to the frames that have none and are not in the sample; returns to how many. `seed` stands for their
   * generation; `base` and `table` as those of the segment `offset`, but that `table` has a row for the first frame first.
   */
  sample(
    frames: Frames,
    verdict: number,
    { threshold, key, keepLevel, flag, salt }: Sampling,
    { seed, base, table }: { readonly seed: bigint; readonly base: number; readonly table: number },
  ): number {
    this.#look(frames)
    const loops = this.#loops
    loops.threshold.value = threshold
    loops.key.value = key ?? -1
    loops.keepLevel.value = keepLevel
    loops.chosen.value = flag
    loops.salt.value = salt
    loops.seed.value = seed
    loops.base.value = BigInt(base)
    loops.offsets.value = table
    return loops.sample(verdict)
  }

  /**
   * Notes which frames go on with the run of equal records of the one before them: before anything is written into them.
   * `repeats` goes by it.
   */
  link(frames: Frames): void {
    this.#look(frames)
    this.#loops.link()
  }

  /** Puts what `link` has noted into the rows: what else is noted of frames (`acquit`) has its place. */
  unlink(frames: Frames): void {
    this.#look(frames)
    this.#loops.unlink()
  }

  /** The first of the frames [first, count) that holds a line feed, or `count`; frame `first` begins at `start`. */
  divided(ends: number, first: number, count: number, start: number): number {
    return this.#loops.divided(ends, first, count, start)
  }

  /** Joins the parts of a line of CRI, which are the lines in [from, to); returns where they end now. */
  joinParts(from: number, to: number): number {
    return this.#loops.joinParts(from, to)
  }

  /** How many of the frames in [from, …) stand before the run of equal records with which what follows may go on. */
  beforeRun(from: number, ends: number, frames: number): number {
    return this.#loops.beforeRun(from, ends, frames)
  }

  /**
   * Gives `verdict` to all frames of a run of equal records but the last one, whose row says how many they are; returns to
   * how many. `window`: nanoseconds after which a run ends, where records have times.
   */
  repeats(frames: Frames, verdict: number, window: bigint): number {
    this.#look(frames)
    return this.#loops.repeats(verdict, window)
  }

  /**
   * Takes the frames that have no verdict out of the bucket, and gives `verdict` to those for which it has nothing left;
   * returns to how many. 0: to none, and it may owe any number. `timed`: it is filled by the times of records, where they
   * have some, else by `now`.
   */
  limit(frames: Frames, verdict: number, bucket: Bucket, now: number, timed: boolean): number {
    this.#look(frames)
    const loops = this.#loops
    loops.bytesLeft.value = bucket.bytes
    loops.recordsLeft.value = bucket.records
    loops.filledAt.value = bucket.filledAt
    loops.bytesPerMs.value = bucket.bytesPerMs
    loops.recordsPerMs.value = bucket.recordsPerMs
    const dropped = loops.curb(verdict, now, timed)
    bucket.bytes = loops.bytesLeft.value
    bucket.records = loops.recordsLeft.value
    bucket.filledAt = loops.filledAt.value
    return dropped
  }

  /**
   * Takes the frames that have a verdict out of their slab, and moves the others together: bytes, ends and rows, with their
   * offsets in the column. Returns how many are kept; `stop` and `written` say the rest.
   */
  thin(frames: Frames, { to, out, head, tail, source, origin, gaps }: Thinning): number {
    this.#look(frames)
    const loops = this.#loops
    loops.head.value = head
    loops.tail.value = tail
    loops.source.value = source
    loops.origin.value = origin
    loops.gaps.value = gaps
    return loops.thin(to, out)
  }

  /** Address behind the last byte that the last `thin` moved. */
  get stop(): number {
    return this.#loops.stop.value
  }

  /** How many gaps the last `thin` wrote: see `Gaps` in chunk.ts. */
  get written(): number {
    return this.#loops.written.value
  }

  #look({ ends, first, count, start, column, rows, row }: Frames): void {
    const loops = this.#loops
    loops.ends.value = ends
    loops.first.value = first
    loops.count.value = count
    loops.start.value = start
    loops.column.value = column
    loops.rows.value = rows
    loops.rowBytes.value = row
  }

  /**
   * Fills the rows of frames anew: what each is, and where the values stand that have a slot. Returns how many no parser
   * took; blank ones do not count. Of a line of docker the line feed at its end is overwritten.
   */
  extract({ table, ends, first, count, start, rows, row, atFileStart, spans = 0 }: Extraction): number {
    return this.#loops.extract(table, ends, first, count, start, rows, row, atFileStart, spans)
  }

  /**
   * Finds the times of records by the table at `plan` (process/time/compile.ts) and writes them to their rows, which are
   * filled but for that; returns how many have none.
   */
  times(plan: number, { ends, first, count, start, rows, row }: Filling, timing: Timing): Untimed {
    const loops = this.#loops
    const { base, column, salt, readAt } = timing
    loops.times(plan, ends, first, count, start, rows, row, base, column, salt, readAt)
    const { timesMissing, timesUnreadable, timesOld, timesAhead } = loops
    return {
      missing: timesMissing.value,
      unreadable: timesUnreadable.value,
      old: timesOld.value,
      ahead: timesAhead.value,
    }
  }

  /** Finds the levels of records, as `times` their times, by the table at `plan` (process/level/compile.ts). */
  levels(plan: number, { ends, first, count, start, rows, row }: Filling): Unlevelled {
    const loops = this.#loops
    loops.levels(plan, ends, first, count, start, rows, row)
    return { missing: loops.levelsMissing.value, unknown: loops.levelsUnknown.value }
  }

  /**
   * Writes over what the rules of a table find in frames: see assembly/process/redact.ts. Returns how many bytes a private
   * key may still have that is open behind them; 0: none is.
   */
  redact({ table, from, ends, count, wall, how, open, head, own, room }: Redaction): number {
    return own === 0
      ? this.#loops.redact(table, from, ends, count, wall, how, open, head)
      : this.#loops.redactOwn(table, from, ends, count, wall, how, open, head, own, room)
  }

  /**
   * Notes from now on what `redact` masks, at `address`, where there is room for `most` notes of `NOTE_BYTES`; those that
   * were noted before are forgotten. `masks` reads them.
   */
  noteMasks(address: number, most: number): void {
    const loops = this.#loops
    loops.notes.value = address
    loops.mostNotes.value = most
    loops.noted.value = 0
  }

  /** For how many records the record stands whose row is at an address. */
  repeatedAt(row: number): number {
    return Math.max(1, this.#view.getUint32(row + LAYOUT.ROW_REPEATED, true))
  }

  /** What was masked since the last `noteMasks`, in the order in which it was. */
  masks(): Mask[] {
    const { notes, noted } = this.#loops
    return Array.from({ length: noted.value }, (_, index) => {
      const at = notes.value + NOTE_BYTES * index
      const u32 = (offset: number) => this.#view.getUint32(at + offset, true)
      return { rule: u32(0), from: u32(4), to: u32(8), gaveUp: u32(12) !== 0 }
    })
  }

  /**
   * Makes UTF-8 of [from, to) at `out`; stops before what would pass `limit`, and before a character of which the rest is
   * missing, unless there is none (`last`). Returns the address behind the last byte written; `consumed` and `replaced`
   * say the rest. A line end becomes one byte, and nothing else becomes that byte.
   */
  decode({ encoding, from, to, out, limit, last }: Decoding): number {
    return this.#loops.decode(ENCODINGS[encoding], from, to, out, limit, last)
  }

  /** The address behind the last byte that the last `decode` took. */
  get consumed(): number {
    return this.#loops.consumed.value
  }

  /** How many U+FFFD the last `decode` wrote for what was no character. */
  get replaced(): number {
    return this.#loops.replaced.value
  }

  /**
   * Writes, for each `lineEnd` in the encoded text [from, to), how far from `from` what follows it lies to the table of
   * u32 at `table`, at most `max`; returns how many.
   */
  lineEnds(encoding: Encoding, from: number, to: number, table: number, max: number, lineEnd: number): number {
    return this.#loops.lineEnds(ENCODINGS[encoding], from, to, table, max, lineEnd)
  }

  /**
   * The first of the frames [first, count) of the table at `ends` that begins with a NUL, or `count`; frame `first` begins
   * at `start`.
   */
  padded(ends: number, first: number, count: number, start: number): number {
    return this.#loops.padded(ends, first, count, start)
  }

  /** Whether the bytes in [from, to) are well-formed UTF-8. If not, they must be rendered with `repair`. */
  validUtf8(from: number, to: number): boolean {
    return isUtf8(this.bytes.subarray(from, to))
  }

  /**
   * Lays down how the next records look, each with `separator` behind it; counters start anew.
   *
   * Under `text` a frame loses one CR at its end and the NULs at its head before it is rendered; `bytes` takes it as it
   * is. `limits` are for one record. Throws `ERR_INVARIANT`, and keeps the last template, if segments and separator need
   * more than the room has, which is a little over 100 KiB.
   */
  template(
    segments: readonly Segment[],
    treatment: 'text' | 'bytes',
    separator: Uint8Array,
    limits: RecordLimits = UNLIMITED,
    told?: Partitioned,
  ): void {
    const { between } = told ?? {}
    const behind = between ? [between.close, between.open] : []
    const written = write(this.bytes, this.#view, segments, [separator, ...behind])
    const loops = this.#loops
    if (told) this.#layTexts(told.partitions)
    loops.partitionAt.value = told?.partitions.at ?? 0
    loops.partitionTexts.value = told?.partitions.address ?? 0
    loops.encloses.value = Number(between !== undefined)
    // What stands between groups is no part of a record.
    loops.steps.value = written.steps - behind.length
    loops.trim.value = Number(treatment === 'text')
    loops.counts.value = Number(written.counts)
    loops.measures.value = Number(written.measures)
    loops.messageSlot.value = written.messageSlot
    loops.refusesBlank.value = Number(written.refusesBlank)
    loops.oldest.value = limits.oldest ?? ANY_TIME.oldest
    loops.newest.value = limits.newest ?? ANY_TIME.newest
    loops.messageBytes.value = Math.min(limits.messageBytes, UNLIMITED.messageBytes)
    loops.recordBytes.value = Math.min(limits.recordBytes, UNLIMITED.recordBytes)
  }

  /**
   * Renders frames by the last template; stops before the first whose record would reach past `limit`, or is longer than
   * it may be. Returns how many it rendered; `end`, `repaired` and `cutAt` say the rest. Bytes between `end` and `limit`
   * hold nothing of worth afterwards. `repair` and `atFileStart` mean nothing under `bytes`.
   */
  render(rendering: Rendering): number {
    const { ends, first, count, start, out, limit, repair = false, atFileStart = false } = rendering
    const { bare = false, cut = false, opened = 0 } = rendering
    const loops = this.#loops
    loops.rows.value = rendering.rows ?? 0
    loops.rowBytes.value = rendering.rowBytes ?? 0
    loops.ends.value = ends
    loops.first.value = first
    loops.count.value = count
    loops.start.value = start
    loops.out.value = out
    loops.limit.value = limit
    loops.repair.value = Number(repair)
    loops.atFileStart.value = Number(atFileStart)
    loops.bare.value = Number(bare)
    loops.cut.value = Number(cut)
    loops.opened.value = opened
    return loops.render()
  }
}
