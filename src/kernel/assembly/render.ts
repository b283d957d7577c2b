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
import { encode } from './base64'
import { copy } from './copy'
import { headOf } from './cut'
import { beginRecord, escaped, isRepairing, plain, repairIf, repairs } from './body'
import {
  AS_STRING,
  BASE64,
  BASE64_BEGIN,
  COMMA,
  COUNTER,
  FIELDS,
  FIXED64,
  HAS_ID_16,
  HAS_LEVEL,
  HAS_NO_PARTITION,
  HAS_NO_PIECE,
  HAS_OTHER_16,
  HAS_REPEATED,
  HAS_SAMPLED,
  HAS_TIME,
  HAS_VALUE,
  LENGTH,
  LENGTH_BYTES,
  LEVEL,
  LITERAL,
  MEMBERS,
  MESSAGE,
  NO_TIME,
  OFFSET,
  OFFSET_DIGITS,
  PARTITION,
  PROGRAM,
  RANGE,
  RANGE_DIGITS,
  RANGE_IN,
  RAW,
  REPEATED,
  REPEATED_VARINT,
  SCRATCH,
  STEP,
  TEXT_VALUE,
  TIME,
  VALUE,
  WHEN,
} from './layout'
import { first as firstMember, isObject, last as brace } from './object'
import {
  atFileStart,
  bare,
  count,
  counts,
  cut,
  encloses,
  ends,
  first,
  limit,
  measures,
  messageBytes,
  messageSlot,
  opened,
  out,
  recordBytes,
  repair,
  rows,
  rowBytes,
  start,
  steps,
  trim,
} from './parameters'
import { length, varint } from './process/attribute'
import { beginFields, tooMuch } from './process/field'
import { fields } from './process/fields'
import { decimal, moment } from './process/moment'
import { isEmpty, piece, wholeText } from './process/partition-text'
import {
  beginRow,
  displaced,
  find,
  findMessage,
  form,
  from as valueFrom,
  level,
  partition,
  repeated,
  sampling,
  time,
  to as valueEnd,
} from './process/row'
import { severity } from './process/severity'
import { isIdentifier, write } from './process/value'
import { wellFormed } from './repair'

/** The address behind the last byte of the last whole record. */
export let end: usize = 0
/** How many U+FFFD stand in the records of the last call for something that was not UTF-8. */
export let repaired: u32 = 0
/** Where the message of the first frame was cut: the first byte that is left out. 0 if the call was not to cut. */
export let cutAt: usize = 0
/** How many records of the last call are their frames, because their fields are more than may be. */
export let bared: u32 = 0
/** How many have a time that was not used, since it is outside of what may be. */
export let retimed: u32 = 0
/** The partition of the last record. */
export let partitioned: u32 = 0

// Behind the last step.
let last: usize = PROGRAM
// Where what is to be encoded begins.
let plainFrom: usize = 0
// How many records the call at hand has rendered: so much is added to numbers that count up.
let done: i64 = 0
// Where the row of the frame at hand is in a table that has one for each: see `offset`.
let row: usize = 0

/**
 * Renders the frames that the parameters name, by the program that lies in the room; stops before the first whose record
 * would pass `limit`, or is longer than it may be. Returns how many.
 */
export function render(): u32 {
  const table = ends + (<usize>first << 2)
  const frames = count
  const edge = limit
  last = PROGRAM + <usize>steps * STEP
  repairIf(trim && repair)
  end = out
  repaired = 0
  cutAt = 0
  bared = 0
  retimed = 0
  partitioned = opened
  done = 0
  const hasDigits = counts && hasCounters()
  let from = start
  let frame: u32 = 0
  while (frame < frames) {
    const to = <usize>load<u32>(table + (<usize>frame << 2))
    row = (<usize>first + <usize>frame) << 2
    const found: usize = rowBytes == 0 ? <usize>0 : rows + (<usize>first + <usize>frame) * rowBytes
    let alone = frame == 0 && (cut || bare)
    let begin = end
    if (encloses) {
      beginRow(found, from, alone)
      if (partition() != partitioned) begin = enclosed(end, edge)
    }
    if (begin == 0) break
    const stop = edge > begin && edge - begin > recordBytes ? begin + recordBytes : edge
    let behind: usize = 0
    while (true) {
      beginRecord()
      beginRow(found, from, alone)
      beginFields()
      behind = record(from, to, begin, stop, frame == 0)
      if (behind != 0 || alone || !tooMuch) break
      alone = true
    }
    if (behind == 0) break
    partitioned = partition()
    end = behind
    repaired += repairs
    if (displaced) retimed++
    if (alone && !cut) bared++
    if (hasDigits) advance()
    done++
    from = to + 1
    frame++
  }
  if (counts) goOn()
  return frame
}

/** Writes one record. Returns the address behind it, or 0 if it would pass `limit` or its fields are more than may be. */
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
    to = headOf(from, to, limit > out ? limit - out : 0, last, isRepairing())
    if (to == 0) return 0
    cutAt = to
  }
  const own = findMessage(messageSlot)
  const message = own ? valueEnd - valueFrom : to - from
  if (message > messageBytes) return 0
  for (let step = PROGRAM; step < last; step += STEP) {
    const kind = load<u32>(step)
    if (kind == LITERAL) {
      const address = <usize>load<u32>(step, 8)
      out = copy(address, address + <usize>load<u32>(step, 4), out, limit)
    } else if (kind < WHEN || kind == RANGE_IN) {
      // What a frame is, and where it stands.
      if (kind == MESSAGE) {
        out = escaped(from, to, out, limit)
      } else if (kind == OFFSET) {
        const table = <usize>load<u32>(step, 4)
        const place = load<i64>(step, 8) + <i64>(table == 0 ? start : <usize>load<u32>(table + row))
        out = put(hexadecimal(place), OFFSET_DIGITS, out, limit)
      } else if (kind == RANGE || kind == RANGE_IN) {
        const given = <usize>load<u32>(step, 4)
        // Where the frame was cut its length in the file is another one.
        const length = hexadecimal(<i64>(kind == RANGE_IN || given == 0 ? stop - start : given))
        const place = load<i64>(step, 8) + <i64>(kind == RANGE ? start : <usize>load<u32>(given + row))
        if (out + RANGE_DIGITS > limit) return 0
        out = put(hexadecimal(place), OFFSET_DIGITS, out, limit)
        store<u8>(out, 0x2d)
        // The last eight of its twelve digits.
        v128.store64_lane(out + 1, i8x16.shuffle(length, length, 4, 5, 6, 7, 8, 9, 10, 11, 0, 0, 0, 0, 0, 0, 0, 0), 0)
        out += RANGE_DIGITS - OFFSET_DIGITS
      } else if (kind == RAW) {
        out = plain(from, to, out, limit)
      } else if (kind == MEMBERS) {
        out = members(from, to, <usize>load<u32>(step, 8), <usize>load<u32>(step, 4), out, limit)
      } else if (kind == FIXED64) {
        if (out + 8 > limit) return 0
        store<i64>(out, load<i64>(step, 8) + done)
        out += 8
      } else if (kind == LENGTH) {
        store<u32>(step, <u32>out, 4)
        out = out + LENGTH_BYTES > limit ? 0 : out + LENGTH_BYTES
      } else if (kind == COUNTER) {
        const behind = <usize>load<u32>(step, 8)
        out = copy(behind - <usize>load<u32>(step, 4), behind, out, limit)
      }
    } else if (kind == WHEN) {
      if (!has(load<u32>(step, 4), load<u32>(step, 8))) step += <usize>load<u32>(step, 12)
    } else if (kind == TIME) {
      const found = time()
      out = moment(found == NO_TIME ? load<i64>(step, 8) + done : found, load<u32>(step, 4), out, limit)
    } else if (kind == TEXT_VALUE) {
      out = findMessage(load<u32>(step, 8))
        ? write(valueFrom, valueEnd, form(), false, load<u32>(step, 4), out, limit)
        : load<u32>(step, 4) == AS_STRING
          ? escaped(from, to, out, limit)
          : plain(from, to, out, limit)
    } else if (kind == VALUE) {
      if (find(load<u32>(step, 8))) {
        const more = load<u32>(step, 12)
        out = valueIn(more >> 8, (more & 1) != 0, load<u32>(step, 4), out, limit)
      }
    } else if (kind == LEVEL) {
      out = severity(load<u32>(step, 4), load<u32>(step, 8), out, limit)
    } else if (kind == FIELDS) {
      out = fields(<usize>load<u32>(step, 8), load<u32>(step, 4), from, to, out, limit)
    } else if (kind == REPEATED) {
      if (out + 20 > limit) return 0
      out = load<u32>(step, 4) == REPEATED_VARINT ? varint(repeated(), out) : decimal(<u64>repeated(), out)
    } else if (kind == PARTITION) {
      out = piece(load<u32>(step, 4), out, limit)
    } else if (kind == COMMA) {
      if (load<u8>(out - 1) != 0x7b) {
        if (out >= limit) return 0
        store<u8>(out++, 0x2c)
      }
    } else if (kind == BASE64) {
      if (load<u32>(step, 4) == BASE64_BEGIN) plainFrom = out
      else out = encode(plainFrom, out, limit)
    }
    if (out == 0) return 0
  }
  // Each replacement is up to two bytes longer than what it stands for.
  if (message + 2 * <usize>repairs > messageBytes) return 0
  if (measures) fillIn(out)
  return out
}

/**
 * Closes the group of the record that ends at `out`, whose separator is taken away, and opens one for the partition of the
 * record at hand; returns the address behind that, or 0 if it would pass `limit`.
 */
function enclosed(out: usize, limit: usize): usize {
  out = literal(last, out - <usize>load<u32>(last - STEP, 4), limit)
  if (out != 0) out = wholeText(partition(), out, limit)
  return out == 0 ? 0 : literal(last + STEP, out, limit)
}

function literal(step: usize, out: usize, limit: usize): usize {
  const address = <usize>load<u32>(step, 8)
  return copy(address, address + <usize>load<u32>(step, 4), out, limit)
}

/** Writes the value that was found; with a tag it is a field of Protocol Buffers, its length in five bytes. */
function valueIn(tag: u32, number: bool, how: u32, out: usize, limit: usize): usize {
  if (tag == 0) return write(valueFrom, valueEnd, form(), number, how, out, limit)
  if (out + 1 + LENGTH_BYTES > limit) return 0
  store<u8>(out, <u8>tag)
  const behind = write(valueFrom, valueEnd, form(), number, how, out + 1 + LENGTH_BYTES, limit)
  if (behind != 0) length(out + 1, behind)
  return behind
}

/** Whether the row at hand has what a step asks for. */
function has(what: u32, slot: u32): bool {
  if (what == HAS_TIME) return time() != NO_TIME
  if (what == HAS_LEVEL) return level() != 0
  if (what == HAS_REPEATED) return repeated() > 1
  if (what == HAS_SAMPLED) return sampling() == slot
  if (what == HAS_NO_PARTITION) return partition() == 0
  if (what == HAS_NO_PIECE) return isEmpty(slot)
  if (!find(slot)) return false
  if (what == HAS_VALUE) return true
  if (what == HAS_OTHER_16) return !isIdentifier(valueFrom, valueEnd, form(), 16)
  return isIdentifier(valueFrom, valueEnd, form(), what == HAS_ID_16 ? 16 : 8)
}

/** Writes every length of the record that ends at `stop`. */
function fillIn(stop: usize): void {
  for (let step = PROGRAM; step < last; step += STEP) {
    if (load<u32>(step) != LENGTH) continue
    length(<usize>load<u32>(step, 4), stop)
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
  if ((!isRepairing() || wellFormed(from, to) == to) && isObject(from, to)) return copy(firstMember, brace, out, limit)
  out = copy(name, name + bytes, out, limit)
  if (out == 0) return 0
  out = escaped(from, to, out, limit)
  if (out == 0 || out + 1 > limit) return 0
  store<u8>(out, 0x22)
  return out + 1
}

/** The 12 low hexadecimal digits of `value`, and four bytes that mean nothing. */
// @ts-ignore: decorator
@inline
function hexadecimal(value: i64): v128 {
  // The six bytes, highest first; each is halved, the halves are laid side by side, and each half picks its digit.
  const bytes = i64x2.splat(bswap<i64>(value << 16))
  const high = i8x16.shr_u(bytes, 4)
  const low = v128.and(bytes, i8x16.splat(15))
  const halves = i8x16.shuffle(high, low, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
  const digits = i8x16(48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 97, 98, 99, 100, 101, 102)
  return i8x16.swizzle(digits, halves)
}

/** Writes the first `bytes` bytes of 16. Returns the address behind them, or 0 if it would pass `limit`. */
// @ts-ignore: decorator
@inline
function put(v: v128, bytes: usize, out: usize, limit: usize): usize {
  if (out + 16 > limit) {
    v128.store(SCRATCH, v)
    return copy(SCRATCH, SCRATCH + bytes, out, limit)
  }
  v128.store(out, v)
  return out + bytes
}

/** Whether something counts up in digits. */
function hasCounters(): bool {
  for (let step = PROGRAM; step < last; step += STEP) if (load<u32>(step) == COUNTER) return true
  return false
}

/** Numbers that count up go on behind the last record of this call. */
function goOn(): void {
  for (let step = PROGRAM; step < last; step += STEP) {
    const kind = load<u32>(step)
    if (kind == FIXED64 || kind == TIME) store<i64>(step, load<i64>(step, 8) + done, 8)
  }
}

/** Adds one to every counter in digits: carrying is rare, dividing by ten for every digit of every record is not cheap. */
function advance(): void {
  for (let step = PROGRAM; step < last; step += STEP) {
    const kind = load<u32>(step)
    if (kind != COUNTER) continue
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
