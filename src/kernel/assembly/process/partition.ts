/**
 * Tells records apart by values that were found in them: writes to each row the number of its partition, which is a set of
 * labels or the name of an index to its backend.
 *
 *     plan    parts u32 │ place of the number in a row u32 │ nanoseconds of a period i64
 *             │ of each part: its slot, or LEVEL_PART, or TIME_PART, or NO_PART u32
 *     book    mask u32 │ bytes used u32 │ bytes there are u32 │ entries u32 │ places: offset of an entry, or 0 u32 … │ entries
 *     entry   hash u32 │ number u32 │ form u16 │ of each part: bytes u16 │ the value, as it was written
 *
 * A time is the number of its period since the epoch, four bytes; one of the period in which the record was read says
 * nothing, as does a record without a time of its own.
 *
 * Which number a record gets is the host's decision, made once for each combination of values: `partition` stops at a
 * record whose combination is not in the book, and `enlist` puts it there. Once the book is closed those are all number 0, as
 * are records without any of the values, and ones with a longer value than there may be, or a combination without a number.
 * A number with BEYOND in it is not the record's own.
 */
import { ABSENT, JSON, NO_TIME, PAIRS, ROW_FORM, ROW_LEVEL, ROW_SLOTS, ROW_TIME, SLOT } from '../layout'
import { count, ends, first, rowBytes, rows, start } from '../parameters'
import { hash } from './hash'
import { equal } from './texts'

export const TIME_PART: u32 = 0xfffd
export const LEVEL_PART: u32 = 0xfffe
export const NO_PART: u32 = 0xffff
export const PARTS: usize = 16
/** The place of the nanoseconds of a period in a plan. */
export const PERIOD: usize = 8
export const BOOK_HEAD: usize = 16
/** Bytes of a value, as it is written, that may be one of a partition. */
export const MOST_PART: usize = 256
/** With a number: that of other values stands for this combination, for it has none of its own. */
export const BEYOND: u32 = 0x80000000

/** How many records of the last call have values and not a number of their own. */
export let beyond: u32 = 0

const ENTRY: usize = 10
const NOTHING: u64 = 0x9e3779b97f4a7c15

// The value of the part at hand.
let from: usize = 0
let to: usize = 0
/** Where the number of a period stands, to be read as a value is. */
const STAMP = memory.data(4)
/** The period in which the records were read. */
let present: i64 = 0
// Of the record at hand: its hash, and whether it has any of the values.
let hashed: u64 = 0
let says: bool = false

/** Whether a value says nothing: it is empty, or `null`. */
export function saysNothing(from: usize, to: usize, form: u32): bool {
  const bytes = to - from
  if (bytes == 0) return true
  if (bytes == 2) return (form == JSON || form == PAIRS) && load<u16>(from) == 0x2222
  return bytes == 4 && form == JSON && load<u32>(from) == 0x6c6c756e
}

/** Gives numbers to the frames, which were read at that time, up to one that is in no book; returns how many. */
export function partition(plan: usize, book: usize, closed: bool, readNanos: i64): u32 {
  const place = <usize>load<u32>(plan, 4)
  beyond = 0
  present = periodOf(plan, readNanos)
  let begin = start
  for (let n: u32 = 0; n < count; n++) {
    const frame = <usize>(first + n)
    const row = rows + frame * rowBytes
    let number: u32 = 0
    if (!read(plan, row, begin)) beyond++
    else if (says) {
      const entry = find(plan, book, row, begin)
      if (entry == 0 && !closed) return n
      number = entry == 0 ? BEYOND : load<u32>(entry, 4)
      if ((number & BEYOND) != 0) {
        number ^= BEYOND
        beyond++
      }
    }
    store<u32>(row + place, number)
    begin = <usize>load<u32>(ends + (frame << 2)) + 1
  }
  return count
}

/** Puts the first of the frames, read at that time, into the book, under a number; false if it has no room. */
export function enlist(plan: usize, book: usize, number: u32, readNanos: i64): bool {
  const row = rows + <usize>first * rowBytes
  present = periodOf(plan, readNanos)
  if (!read(plan, row, start)) return false
  const mask = load<u32>(book)
  const entries = load<u32>(book, 12)
  const used = <usize>load<u32>(book, 4)
  const parts = load<u32>(plan)
  const most = used + ENTRY + <usize>parts * (2 + MOST_PART) + 4
  // Half of the places are free, so that a search is short.
  if (most > <usize>load<u32>(book, 8) || entries + 1 > mask >> 1) return false
  let at = <usize>hashed & <usize>mask
  while (load<u32>(book + BOOK_HEAD + (at << 2)) != 0) at = (at + 1) & <usize>mask
  store<u32>(book + BOOK_HEAD + (at << 2), <u32>used)
  let out = book + used
  store<u32>(out, <u32>hashed)
  store<u32>(out, number, 4)
  store<u16>(out, <u16>load<u8>(row, ROW_FORM), 8)
  out += ENTRY
  for (let n: u32 = 0; n < parts; n++) {
    const bytes = part(plan, n, row, start)
    store<u16>(out, <u16>bytes)
    out += 2
    if (bytes == NO_PART || isLevel(plan, n)) continue
    memory.copy(out, from, to - from)
    out += to - from
  }
  store<u32>(book, <u32>((out - book + 3) & ~3), 4)
  store<u32>(book, entries + 1, 12)
  return true
}

/** Where a record's combination is in the book; 0: it is not. */
function find(plan: usize, book: usize, row: usize, frame: usize): usize {
  const mask = <usize>load<u32>(book)
  let at = <usize>hashed & mask
  let offset = <usize>load<u32>(book + BOOK_HEAD + (at << 2))
  while (offset != 0) {
    if (load<u32>(book + offset) == <u32>hashed && same(plan, book + offset, row, frame)) return book + offset
    at = (at + 1) & mask
    offset = <usize>load<u32>(book + BOOK_HEAD + (at << 2))
  }
  return 0
}

function same(plan: usize, entry: usize, row: usize, frame: usize): bool {
  if (<u32>load<u16>(entry, 8) != <u32>load<u8>(row, ROW_FORM)) return false
  const parts = load<u32>(plan)
  let at = entry + ENTRY
  for (let n: u32 = 0; n < parts; n++) {
    const bytes = part(plan, n, row, frame)
    if (<u32>load<u16>(at) != bytes) return false
    at += 2
    if (bytes == NO_PART || isLevel(plan, n)) continue
    if (!equal(at, from, <usize>bytes)) return false
    at += <usize>bytes
  }
  return true
}

/** Reads a record: its hash, and whether it says anything. False if a value is longer than may be. */
function read(plan: usize, row: usize, frame: usize): bool {
  const parts = load<u32>(plan)
  says = false
  hashed = <u64>load<u8>(row, ROW_FORM)
  for (let n: u32 = 0; n < parts; n++) {
    const bytes = part(plan, n, row, frame)
    if (bytes != NO_PART) {
      if (bytes > <u32>MOST_PART) return false
      says = true
      hashed = isLevel(plan, n) ? rotl<u64>((hashed ^ <u64>bytes) * NOTHING, 31) : hash(from, to, hashed)
    } else hashed = rotl<u64>(hashed * NOTHING + 1, 27)
  }
  hashed ^= hashed >> 32
  return true
}

// @ts-ignore: decorator
@inline
function isLevel(plan: usize, n: u32): bool {
  return load<u32>(plan + PARTS + (<usize>n << 2)) == LEVEL_PART
}

// @ts-ignore: decorator
@inline
function periodOf(plan: usize, nanos: i64): i64 {
  const period = load<i64>(plan, PERIOD)
  return period == 0 ? 0 : nanos / period
}

/** Bytes of a part, which then stands in [from, to); of a level which of the six it is; NO_PART without a value. */
function part(plan: usize, n: u32, row: usize, frame: usize): u32 {
  const slot = load<u32>(plan + PARTS + (<usize>n << 2))
  if (slot == NO_PART) return NO_PART
  if (slot == LEVEL_PART) {
    const level = <u32>load<u8>(row, ROW_LEVEL)
    return level == 0 ? NO_PART : (level + 3) >> 2
  }
  if (slot == TIME_PART) {
    const time = load<i64>(row, ROW_TIME)
    if (time == NO_TIME) return NO_PART
    const period = periodOf(plan, time)
    if (period == present) return NO_PART
    store<u32>(STAMP, <u32>period)
    from = STAMP
    to = from + 4
    return 4
  }
  const at = row + ROW_SLOTS + SLOT * <usize>slot
  const place = <u32>load<u16>(at)
  if (place == ABSENT) return NO_PART
  from = frame + <usize>place
  to = from + <usize>load<u16>(at, 2)
  return saysNothing(from, to, <u32>load<u8>(row, ROW_FORM)) ? NO_PART : <u32>(to - from)
}
