/**
 * Writes values that were found in a frame, in the way of a backend.
 *
 *     value      as JSON      in a string   bytes      attribute
 *     "a\nb"     "a\nb"       a\nb          a⏎b        string_value
 *     17         17           17            17         int_value, double_value for 1.5
 *     {"a":1}    {"a":1}      {\"a\":1}     {"a":1}    string_value
 *     word       "word"       word          word       string_value       (what is no JSON)
 */
import { escaped, plain } from '../body'
import { AS_BYTES, AS_ID, AS_JSON, AS_QUOTED, AS_STRING, JSON, PAIRS } from '../layout'
import { text, word } from '../object'
import { sequence, wellFormed } from '../repair'
import { unescape } from './unescape'

/** Whether a value stands in quotes, as records of this form have texts. */
export function isQuoted(from: usize, to: usize, form: u32): bool {
  return (form == JSON || form == PAIRS) && to - from >= 2 && load<u8>(from) == 0x22
}

/**
 * Whether a value that stands in no quotes is a number, `true`, `false` or `null`: of an object it is what it looks like, of
 * others it is a text unless it was asked to be a number (`number`), and is one.
 */
export function isBare(from: usize, to: usize, form: u32, number: bool): bool {
  if (from == to) return false
  if (form != JSON && (!number || <u32>load<u8>(from) > 0x39)) return false
  return word(from, to) == to
}

/**
 * Writes [from, to), a value of a record of this form. `number`: one that is no text by its form may be a number. Returns
 * the address behind it, or 0 if it would pass `limit`.
 */
export function write(
  from: usize,
  to: usize,
  form: u32,
  number: bool,
  how: u32,
  out: usize,
  limit: usize,
): usize {
  if (how == AS_JSON) {
    if (form == JSON || isBare(from, to, form, number)) return plain(from, to, out, limit)
    return quoted(from, to, form, out, limit)
  }
  if (how == AS_QUOTED) return quoted(from, to, form, out, limit)
  if (how == AS_STRING) return string(from, to, form, out, limit)
  if (how == AS_BYTES) return bytes(from, to, form, out, limit)
  if (how == AS_ID) return identifier(from, to, form, out, limit)
  return 0
}

/** A JSON string, with its quotes. */
export function quoted(from: usize, to: usize, form: u32, out: usize, limit: usize): usize {
  if (out + 2 > limit) return 0
  store<u8>(out, 0x22)
  out = string(from, to, form, out + 1, limit)
  if (out == 0 || out + 1 > limit) return 0
  store<u8>(out, 0x22)
  return out + 1
}

/** What stands between the quotes of a JSON string. */
function string(from: usize, to: usize, form: u32, out: usize, limit: usize): usize {
  if (!isQuoted(from, to, form)) return escaped(from, to, out, limit)
  // Quotes of pairs may hold escapes that JSON does not have.
  if (form == JSON || text(from, to) == to) return plain(from + 1, to - 1, out, limit)
  return escaped(from + 1, to - 1, out, limit)
}

/** What the value says, as UTF-8. */
export function bytes(from: usize, to: usize, form: u32, out: usize, limit: usize): usize {
  if (!isQuoted(from, to, form)) return plain(from, to, out, limit)
  const end = plain(from + 1, to - 1, out, limit)
  if (end == 0 || end == out || (form != JSON && text(from, to) != to)) return end
  // It only gets shorter, so this may be done where it stands.
  const behind = out + unescape(out, end, out, end - out + 4)
  for (let at = wellFormed(out, behind); at < behind; at = wellFormed(at, behind)) {
    // Half of a surrogate pair, which takes as many bytes as what stands for it.
    const length = <usize>abs(sequence(at, behind))
    if (at + 3 > behind) break
    store<u16>(at, 0xbfef)
    store<u8>(at + 2, 0xbd)
    at += length > 3 ? length : 3
  }
  return behind
}

/** The bytes that hexadecimal digits stand for. */
function identifier(from: usize, to: usize, form: u32, out: usize, limit: usize): usize {
  if (isQuoted(from, to, form)) {
    from++
    to--
  }
  if (out + ((to - from) >> 1) > limit) return 0
  for (let at = from; at + 1 < to; at += 2) {
    store<u8>(out++, <u8>((digit(<u32>load<u8>(at)) << 4) | digit(<u32>load<u8>(at + 1))))
  }
  return out
}

/** Whether a value is so many bytes in hexadecimal digits, not all of them 0 (W3C Trace Context). */
export function isIdentifier(from: usize, to: usize, form: u32, count: usize): bool {
  if (isQuoted(from, to, form)) {
    from++
    to--
  }
  if (to - from != count << 1) return false
  let any: u32 = 0
  for (let at = from; at < to; at++) {
    const value = digit(<u32>load<u8>(at))
    if (value > 15) return false
    any |= value
  }
  return any != 0
}

/** What a hexadecimal digit stands for; above 15 if it is none. */
// @ts-ignore: decorator
@inline
function digit(byte: u32): u32 {
  const value = byte - 0x30
  if (value < 10) return value
  const letter = (byte | 0x20) - 0x61
  return letter < 6 ? letter + 10 : 16
}
