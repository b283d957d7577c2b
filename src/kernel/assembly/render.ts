/**
 * Renders records: follows the program that was laid down in the room (see layout.ts), once per frame.
 *
 *     program   literal {"message":"   message   literal ","offset":"   offset   literal "}⏎
 *     frame                            said "hi"
 *     record            {"message":"said \"hi\"","offset":"00000000002a"}⏎
 *
 * A record is written whole or not at all: nothing counts until its last step has fitted.
 *
 * A length stands before what it measures, so it is written last: always five bytes, a varint with leading groups that
 * say nothing (Protocol Buffers: a decoder takes any varint of up to ten bytes).
 *
 *     0x12 [ length ] 09 … 2a [ length ] 0a [ length ] message
 *            └──────────────── to the end of the record ────┘
 */
import { copy } from './copy'
import { headOf } from './cut'
import { escape } from './escape'
import {
  COUNTER,
  FIXED64,
  LENGTH,
  LENGTH_BYTES,
  LITERAL,
  MEMBERS,
  MESSAGE,
  OFFSET,
  OFFSET_DIGITS,
  PROGRAM,
  RANGE,
  RANGE_DIGITS,
  RAW,
  SCRATCH,
  STEP,
} from './layout'
import { first as firstMember, isObject, last as brace } from './object'
import {
  atFileStart,
  count,
  counts,
  cut,
  ends,
  first,
  limit,
  measures,
  messageBytes,
  out,
  recordBytes,
  repair,
  start,
  steps,
  trim,
} from './parameters'
import { sequence, wellFormed } from './repair'

/** The address behind the last byte of the last whole record. */
export let end: usize = 0
/** How many U+FFFD stand in the records of the last call for something that was not UTF-8. */
export let repaired: u32 = 0
/** Where the message of the first frame was cut: the first byte that is left out. 0 if the call was not to cut. */
export let cutAt: usize = 0

// Behind the last step.
let last: usize = PROGRAM
// Where the row of the frame at hand is in a table that has one for each: see `offset`.
let row: usize = 0
// Whether this call replaces what is not UTF-8, and how often it did so in the record at hand.
let repairing: bool = false
let repairs: u32 = 0

/**
 * Renders the frames that the parameters name, by the program that lies in the room; stops before the first whose record
 * would pass `limit`, or is longer than it may be. Returns how many.
 */
export function render(): u32 {
  const table = ends + (<usize>first << 2)
  const frames = count
  const edge = limit
  last = PROGRAM + <usize>steps * STEP
  repairing = trim && repair
  end = out
  repaired = 0
  cutAt = 0
  let from = start
  let frame: u32 = 0
  while (frame < frames) {
    const to = <usize>load<u32>(table + (<usize>frame << 2))
    repairs = 0
    row = (<usize>first + <usize>frame) << 2
    const behind = record(from, to, end, edge > end && edge - end > recordBytes ? end + recordBytes : edge, frame == 0)
    if (behind == 0) break
    end = behind
    repaired += repairs
    if (counts) advance()
    from = to + 1
    frame++
  }
  return frame
}

/** Writes one record. Returns the address behind it, or 0 if it would pass `limit`. */
// @ts-ignore: decorator
@inline
function record(start: usize, stop: usize, out: usize, limit: usize, head: bool): usize {
  let from = start
  let to = stop
  if (trim) {
    if (to > from && load<u8>(to - 1) == 13) to-- // CR LF
    while (from < to && load<u8>(from) == 0) from++ // holes that a truncation left
    if (head && atFileStart && to - from >= 3 && load<u16>(from) == 0xbbef && load<u8>(from + 2) == 0xbf) from += 3
  }
  if (head && cut) {
    to = headOf(from, to, limit > out ? limit - out : 0, last, repairing)
    if (to == 0) return 0
    cutAt = to
  }
  if (to - from > messageBytes) return 0
  for (let step = PROGRAM; step < last; step += STEP) {
    const kind = load<u32>(step)
    if (kind == LITERAL) {
      const address = <usize>load<u32>(step, 8)
      out = copy(address, address + <usize>load<u32>(step, 4), out, limit)
    } else if (kind == MESSAGE) {
      out = repairing ? repairedBody(from, to, out, limit, true) : escape(from, to, out, limit)
    } else if (kind == RAW) {
      out = repairing ? repairedBody(from, to, out, limit, false) : copy(from, to, out, limit)
    } else if (kind == MEMBERS) {
      out = members(from, to, <usize>load<u32>(step, 8), <usize>load<u32>(step, 4), out, limit)
    } else if (kind == OFFSET) {
      const table = <usize>load<u32>(step, 4)
      hexadecimal(load<i64>(step, 8) + <i64>(table == 0 ? start : <usize>load<u32>(table + row)))
      out = copy(SCRATCH, SCRATCH + OFFSET_DIGITS, out, limit)
    } else if (kind == RANGE) {
      // Where the frame was cut its length in the file is another one.
      const bytes = <usize>load<u32>(step, 4)
      hexadecimal(<i64>(bytes == 0 ? stop - start : bytes))
      v128.store(SCRATCH + 8, v128.load(SCRATCH))
      hexadecimal(load<i64>(step, 8) + <i64>start)
      store<u8>(SCRATCH + OFFSET_DIGITS, 0x2d)
      out = copy(SCRATCH, SCRATCH + RANGE_DIGITS, out, limit)
    } else if (kind == FIXED64) {
      out = copy(step + 8, step + 16, out, limit)
    } else if (kind == LENGTH) {
      store<u32>(step, <u32>out, 4)
      out = out + LENGTH_BYTES > limit ? 0 : out + LENGTH_BYTES
    } else {
      const behind = <usize>load<u32>(step, 8)
      out = copy(behind - <usize>load<u32>(step, 4), behind, out, limit)
    }
    if (out == 0) return 0
  }
  // Each replacement is up to two bytes longer than what it stands for.
  if (to - from + 2 * <usize>repairs > messageBytes) return 0
  if (measures) fillIn(out)
  return out
}

/** Writes every length of the record that ends at `stop`. */
function fillIn(stop: usize): void {
  for (let step = PROGRAM; step < last; step += STEP) {
    if (load<u32>(step) != LENGTH) continue
    const at = <usize>load<u32>(step, 4)
    const bytes = <u32>(stop - at - LENGTH_BYTES)
    store<u8>(at, <u8>(bytes | 0x80))
    store<u8>(at, <u8>((bytes >> 7) | 0x80), 1)
    store<u8>(at, <u8>((bytes >> 14) | 0x80), 2)
    store<u8>(at, <u8>((bytes >> 21) | 0x80), 3)
    store<u8>(at, <u8>(bytes >> 28), 4)
  }
}

/**
 * Writes the members of an object as they are; of anything else `bytes` bytes from `name`, the frame for a JSON string, and
 * a quote.
 *
 *     {"level":"info"}    →    "level":"info"
 *     said "hi"           →    "message":"said \"hi\""
 */
function members(from: usize, to: usize, name: usize, bytes: usize, out: usize, limit: usize): usize {
  if ((!repairing || wellFormed(from, to) == to) && isObject(from, to)) return copy(firstMember, brace, out, limit)
  out = copy(name, name + bytes, out, limit)
  if (out == 0) return 0
  out = repairing ? repairedBody(from, to, out, limit, true) : escape(from, to, out, limit)
  if (out == 0 || out + 1 > limit) return 0
  store<u8>(out, 0x22)
  return out + 1
}

/** Writes [from, to) in runs of well-formed text, with U+FFFD for what lies between them. */
function repairedBody(from: usize, to: usize, out: usize, limit: usize, escaped: bool): usize {
  while (true) {
    const good = wellFormed(from, to)
    out = escaped ? escape(from, good, out, limit) : copy(from, good, out, limit)
    if (out == 0 || good == to) return out
    if (out + 3 > limit) return 0
    store<u16>(out, 0xbfef)
    store<u8>(out + 2, 0xbd)
    out += 3
    repairs++
    from = good - sequence(good, to)
  }
}

/** Writes the 12 low hexadecimal digits of `value` to the scratch, and four bytes that mean nothing. */
// @ts-ignore: decorator
@inline
function hexadecimal(value: i64): void {
  // The six bytes, highest first; each is halved, the halves are laid side by side, and each half picks its digit.
  const bytes = i64x2.splat(bswap<i64>(value << 16))
  const high = i8x16.shr_u(bytes, 4)
  const low = v128.and(bytes, i8x16.splat(15))
  const halves = i8x16.shuffle(high, low, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
  const digits = i8x16(48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 97, 98, 99, 100, 101, 102)
  v128.store(SCRATCH, i8x16.swizzle(digits, halves))
}

/** Adds one to every counter, in its digits: carrying is rare, dividing by ten for every digit of every record is not cheap. */
function advance(): void {
  for (let step = PROGRAM; step < last; step += STEP) {
    if (load<u32>(step) == FIXED64) store<u64>(step, load<u64>(step, 8) + 1, 8)
    if (load<u32>(step) != COUNTER) continue
    const behind = <usize>load<u32>(step, 8)
    const head = behind - <usize>load<u32>(step, 4)
    let at = behind - 1
    while (at >= head && load<u8>(at) == 57) store<u8>(at--, 48)
    if (at >= head) {
      store<u8>(at, load<u8>(at) + 1)
    } else {
      store<u8>(at, 49)
      store<u32>(step, load<u32>(step, 4) + 1, 4)
    }
  }
}
