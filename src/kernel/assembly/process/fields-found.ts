/**
 * Writes the values that an expression or a line of a known format has, each under the name that was given to it.
 *
 *     slot 3   status   200            ,"status":200
 *     slot 5   agent    say "hi"       ,"agent":"say \"hi\""
 *
 * A name lies there as it is written, between a comma and the quote of a text: most are one step of 16 bytes, and so are
 * most values. What has room for whole steps is written in them; what is longer than it is goes over by what follows.
 */
import { isRepairing } from '../body'
import { copy } from '../copy'
import { escape, escapes } from '../escape'
import { ABSENT, AS_JSON, JSON, VALUES } from '../layout'
import { wellFormed } from '../repair'
import { fits, one } from './field'
import { isHidden } from './hidden'
import { frameAt, slotsAt } from './row'
import { isBounded, MOST_NAME, NAME_FROM, NAME_TO, NAMED, NAMED_COUNT, namedOf } from './rules'
import { isBare } from './value'

/** A name, and what of a value is looked at together, have so many bytes at the most. */
const SHORT: usize = 32
/** Room for both in whole steps, a comma and a quote. */
const SHORT_ROOM: usize = 80

/** Writes what was found in the frame [from, to). */
export function values(names: usize, how: u32, from: usize, to: usize, out: usize, limit: usize): usize {
  const bounded = isBounded(names)
  const asText = how == AS_JSON && (!isRepairing() || wellFormed(from, to) == to)
  const slots = slotsAt()
  const frame = frameAt()
  let at = namedOf(names)
  for (let n = <u32>load<u16>(names, NAMED_COUNT); n > 0; n--) {
    const name = at + NAMED
    const bytes = <usize>load<u16>(at, 2)
    const place = load<u32>(slots + (<usize>load<u8>(at) << 2))
    const number = load<u8>(at, 1) != 0
    at = name + bytes
    const length = <usize>(place >> 16)
    if (bytes == 0 || (place & 0xffff) == ABSENT || length == 0) continue
    const value = frame + <usize>(place & 0xffff)
    if (isHidden(value, value + length)) continue
    if (bounded && !fits(names + MOST_NAME, 0, bytes - NAME_FROM - NAME_TO - 2, 0, length, how)) return 0
    out = asText
      ? text(name, bytes, value, length, number, out, limit)
      : one(name + NAME_FROM, at - NAME_TO, JSON, false, value, value + length, VALUES, number, how, out, limit)
    if (out == 0) return 0
  }
  return out
}

/** Writes a value that is a text, or may be a `number`, behind its name, both well-formed UTF-8. */
// @ts-ignore: decorator
@inline
function text(name: usize, bytes: usize, value: usize, length: usize, number: bool, out: usize, limit: usize): usize {
  // A comma, unless an object begins before it.
  const lead: usize = load<u8>(out - 1) == 0x7b ? NAME_FROM : 0
  if (bytes > SHORT || out + SHORT_ROOM > limit) return long(name + lead, bytes - lead, value, length, number, out, limit)
  v128.store(out, v128.load(name + lead))
  if (bytes > 16) v128.store(out, v128.load(name + lead, 16), 16)
  out += bytes - lead
  const a = v128.load(value)
  if (number && isNumber(a, value, length)) {
    v128.store(out - 1, a)
    return length > 16 ? copy(value, value + length, out - 1, limit) : out - 1 + length
  }
  if (length <= SHORT) {
    const b = v128.load(value, 16)
    const marks = <u64>(<u32>i8x16.bitmask(escapes(a)) | (<u32>i8x16.bitmask(escapes(b)) << 16))
    if (marks << (64 - <u64>length) == 0) {
      v128.store(out, a)
      v128.store(out, b, 16)
      store<u8>(out + length, 0x22)
      return out + length + 1
    }
  }
  out = escape(value, value + length, out, limit)
  if (out == 0 || out >= limit) return 0
  store<u8>(out, 0x22)
  return out + 1
}

/** Whether a value is a number of JSON. `a`: its first 16 bytes. */
// @ts-ignore: decorator
@inline
function isNumber(a: v128, value: usize, length: usize): bool {
  // Digits, of which the first is no zero.
  const others = <u32>i8x16.bitmask(i8x16.gt_u(i8x16.sub(a, i8x16.splat(0x30)), i8x16.splat(9)))
  if (others << (32 - <u32>length) == 0 && length <= 16 && load<u8>(value) != 0x30) return true
  return isBare(value, value + length, VALUES, true)
}

/** The same for long ones, or near `limit`. */
function long(name: usize, bytes: usize, value: usize, length: usize, number: bool, out: usize, limit: usize): usize {
  const isText = !number || !isBare(value, value + length, VALUES, true)
  out = copy(name, isText ? name + bytes : name + bytes - 1, out, limit)
  if (out == 0) return 0
  out = isText ? escape(value, value + length, out, limit) : copy(value, value + length, out, limit)
  if (out == 0 || !isText) return out
  if (out >= limit) return 0
  store<u8>(out, 0x22)
  return out + 1
}
