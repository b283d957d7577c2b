/**
 * Writes attributes of OTLP: opentelemetry/proto/common/v1/common.proto, KeyValue and AnyValue.
 *
 *     0x32 [ length ] 0x0a [ length ] name 0x12 [ length ] value        lengths are varints of five bytes
 *
 * A number that a double holds as it is written is one; of others the digits are kept, as a text, and so are objects,
 * arrays and all texts.
 */
import { plain } from '../body'
import { LENGTH_BYTES, SCRATCH } from '../layout'
import { bytes, isBare, isQuoted, quoted } from './value'

/** Field 6 of a LogRecord. */
const ATTRIBUTE: u8 = 0x32
/** The most that stands around a name and a value. */
const AROUND: usize = 32

/** Significant digits, and powers of ten, with which a double is exact. */
const EXACT_DIGITS: u32 = 15
const EXACT_POWER: i32 = 22

/** Writes an attribute; returns the address behind it, or 0 if it would pass `limit`. */
export function attribute(
  name: usize,
  nameEnd: usize,
  nameForm: u32,
  from: usize,
  to: usize,
  form: u32,
  number: bool,
  out: usize,
  limit: usize,
): usize {
  if (out + AROUND > limit) return 0
  store<u8>(out, ATTRIBUTE)
  const whole = out + 1
  store<u8>(whole + LENGTH_BYTES, 0x0a)
  const key = whole + LENGTH_BYTES + 1
  out = bytes(name, nameEnd, nameForm, key + LENGTH_BYTES, limit)
  if (out == 0 || out + AROUND > limit) return 0
  length(key, out)
  store<u8>(out, 0x12)
  const value = out + 1
  out = any(from, to, form, number, value + LENGTH_BYTES, limit)
  if (out == 0) return 0
  length(value, out)
  length(whole, out)
  return out
}

/** Writes a varint of five bytes at `at`: how many bytes stand between it and `end`. */
export function length(at: usize, end: usize): void {
  varint(<u32>(end - at - LENGTH_BYTES), at)
}

/** Writes a number as a varint of five bytes, whatever its value; returns the address behind it. */
export function varint(count: u32, at: usize): usize {
  store<u8>(at, <u8>(count | 0x80))
  store<u8>(at, <u8>((count >> 7) | 0x80), 1)
  store<u8>(at, <u8>((count >> 14) | 0x80), 2)
  store<u8>(at, <u8>((count >> 21) | 0x80), 3)
  store<u8>(at, <u8>(count >> 28), 4)
  return at + LENGTH_BYTES
}

/** An AnyValue. */
function any(from: usize, to: usize, form: u32, number: bool, out: usize, limit: usize): usize {
  if (!isQuoted(from, to, form) && isBare(from, to, form, number)) {
    const byte = <u32>load<u8>(from)
    if (byte == 0x6e) return out
    if (byte == 0x74 || byte == 0x66) {
      store<u16>(out, byte == 0x74 ? 0x0110 : 0x0010)
      return out + 2
    }
    const behind = numeric(from, to, out)
    if (behind != 0) return behind
  }
  store<u8>(out, 0x0a)
  const at = out + 1
  out = bytes(from, to, form, at + LENGTH_BYTES, limit)
  if (out != 0) length(at, out)
  return out
}

/** Writes a number if nothing of it is lost; 0 otherwise. */
function numeric(from: usize, to: usize, out: usize): usize {
  const negative = load<u8>(from) == 0x2d
  let digits: u64 = 0
  let significant: u32 = 0
  let fraction: i32 = 0
  let power: i32 = 0
  let whole = true
  let at = negative ? from + 1 : from
  for (; at < to; at++) {
    const byte = <u32>load<u8>(at)
    if (byte == 0x2e) {
      whole = false
      continue
    }
    if ((byte | 0x20) == 0x65) break
    if (digits != 0 || byte != 0x30) significant++
    if (significant > 19) return 0
    digits = digits * 10 + <u64>(byte - 0x30)
    if (!whole) fraction++
  }
  if (at < to) {
    whole = false
    at++
    const below = load<u8>(at) == 0x2d
    if (below || load<u8>(at) == 0x2b) at++
    for (; at < to && power < 1000; at++) power = power * 10 + <i32>(load<u8>(at) - 0x30)
    if (below) power = -power
  }
  if (whole) {
    if (digits > (negative ? 0x8000_0000_0000_0000 : 0x7fff_ffff_ffff_ffff)) return 0
    store<u8>(out, 0x18)
    let rest = negative ? 0 - digits : digits
    out++
    while (rest > 127) {
      store<u8>(out++, <u8>(rest | 0x80))
      rest >>= 7
    }
    store<u8>(out, <u8>rest)
    return out + 1
  }
  power -= fraction
  if (significant > EXACT_DIGITS || power > EXACT_POWER || power < -EXACT_POWER) return 0
  let ten: f64 = 1
  for (let n = 0; n < (power < 0 ? -power : power); n++) ten *= 10
  const value = power < 0 ? <f64>digits / ten : <f64>digits * ten
  store<u8>(out, 0x21)
  store<f64>(out, negative ? -value : value, 1)
  return out + 9
}

/** Writes the same in JSON, behind a comma ("JSON Protobuf Encoding": whole numbers of 64 bits are texts). */
export function keyValue(
  name: usize,
  nameEnd: usize,
  nameForm: u32,
  from: usize,
  to: usize,
  form: u32,
  number: bool,
  out: usize,
  limit: usize,
): usize {
  // ,{"key":
  if (out + 8 > limit) return 0
  store<u64>(out, 0x3a2279656b227b2c)
  out = quoted(name, nameEnd, nameForm, out + 8, limit)
  // ,"value":{"
  if (out == 0 || out + 32 > limit) return 0
  store<u64>(out, 0x2265756c6176222c)
  store<u16>(out, 0x7b3a, 8)
  out += 10
  const word = !isQuoted(from, to, form) && isBare(from, to, form, number)
  const byte = <u32>load<u8>(from)
  if (word && byte == 0x6e) {
    store<u16>(out, 0x7d7d)
    return out + 2
  }
  if (word && (byte == 0x74 || byte == 0x66)) {
    out = plain(from, to, label(out, 0x6c6f6f62, 4), limit)
  } else if (word && numeric(from, to, SCRATCH) != 0) {
    const whole = load<u8>(SCRATCH) == 0x18
    out = whole ? label(out, 0x746e69, 3) : label(out, 0x656c62756f64, 6)
    if (whole) store<u8>(out++, 0x22)
    out = plain(from, to, out, limit)
    if (out == 0 || out + 4 > limit) return 0
    if (whole) store<u8>(out++, 0x22)
  } else out = quoted(from, to, form, label(out, 0x676e69727473, 6), limit)
  if (out == 0 || out + 2 > limit) return 0
  store<u16>(out, 0x7d7d)
  return out + 2
}

/** Writes `"…Value":`, with so many letters before; there is room. */
function label(out: usize, letters: u64, count: usize): usize {
  store<u8>(out, 0x22)
  store<u64>(out, letters, 1)
  out += 1 + count
  // Value":
  store<u64>(out, 0x3a2265756c6156)
  return out + 7
}
