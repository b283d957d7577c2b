/**
 * Distinguishes a JSON object (RFC 8259) from everything else, and finds its members.
 *
 *     frame    ▢{"level":"info","at":{"line":7}}▢        (▢: white space)
 *                └─────────── members ────────┘
 *
 * What a text says is not looked at but for its end; whether it is UTF-8 is for the caller to know. An object of no
 * members is none here, nor is one in which more than 64 objects and arrays stand open at once: each is one bit.
 */
import { PATTERNS } from './layout'

/** Of the last object: the address behind its first brace, and that of its last. */
export let first: usize = 0
export let last: usize = 0
/** Of the last text: a backslash stands in it. */
export let hasEscapes: bool = false

const DEEPEST: u32 = 64

/** Whether [from, to) is an object with members, and nothing else but white space around it. */
export function isObject(from: usize, to: usize): bool {
  let at = blank(from, to)
  if (at == to || load<u8>(at) != 0x7b) return false
  first = at + 1
  at = blank(first, to)
  let depth: u32 = 1
  // What stands open, the innermost in the lowest bit: 1 is an object, 0 an array.
  let open: u64 = 1
  while (true) {
    if (open & 1) {
      at = text(at, to)
      if (at == 0) return false
      at = blank(at, to)
      if (at == to || load<u8>(at) != 0x3a) return false
      at = blank(at + 1, to)
    }
    if (at == to) return false
    const byte = <u32>load<u8>(at)
    if (byte == 0x7b || byte == 0x5b) {
      if (depth == DEEPEST) return false
      depth++
      open = (open << 1) | (byte == 0x7b ? 1 : 0)
      at = blank(at + 1, to)
      // Braces and brackets close two places behind the one that opens.
      if (at == to) return false
      if (<u32>load<u8>(at) != byte + 2) continue
    } else {
      at = byte == 0x22 ? text(at, to) : word(at, to)
      if (at == 0) return false
      at = blank(at, to)
    }
    // Behind a value, or where one of nothing ends.
    while (true) {
      if (at == to) return false
      const next = <u32>load<u8>(at)
      if (next == 0x2c) {
        at = blank(at + 1, to)
        break
      }
      if (next != (open & 1 ? 0x7d : 0x5d)) return false
      depth--
      open >>= 1
      if (depth == 0) {
        last = at
        return blank(at + 1, to) == to
      }
      at = blank(at + 1, to)
    }
  }
}

/** The address behind white space. */
// @ts-ignore: decorator
@inline
export function blank(at: usize, to: usize): usize {
  while (at < to) {
    const byte = <u32>load<u8>(at)
    if (byte > 0x20 || (byte != 0x20 && byte != 0x09 && byte != 0x0a && byte != 0x0d)) break
    at++
  }
  return at
}

/** The address behind the text in quotes that begins at `at`, or 0. */
export function text(at: usize, to: usize): usize {
  hasEscapes = false
  if (at == to || load<u8>(at) != 0x22) return 0
  at = plain(at + 1, to)
  while (at < to) {
    const byte = <u32>load<u8>(at)
    if (byte == 0x22) return at + 1
    if (byte < 0x20) return 0
    if (byte == 0x5c) {
      hasEscapes = true
      at = escaped(at + 1, to)
      if (at == 0) return 0
    } else at++
    at = plain(at, to)
  }
  return 0
}

/** Goes on in steps of 16 bytes to the first that ends something; near `to` it goes nowhere. */
// @ts-ignore: decorator
@inline
function plain(at: usize, to: usize): usize {
  // From memory: the engine would make a constant anew in each step.
  const quote = v128.load(PATTERNS)
  const slash = v128.load(PATTERNS, 16)
  const highest = v128.load(PATTERNS, 32)
  while (at + 16 <= to) {
    const v = v128.load(at)
    const ends = v128.or(i8x16.eq(v, quote), i8x16.eq(v, slash))
    const marks = i8x16.bitmask(v128.or(ends, i8x16.eq(i8x16.min_u(v, highest), v)))
    if (marks != 0) return at + <usize>ctz(marks)
    at += 16
  }
  return at
}

/** The address behind what a backslash stands before, or 0. */
function escaped(at: usize, to: usize): usize {
  if (at >= to) return 0
  switch (<u32>load<u8>(at)) {
    case 0x22: // "
    case 0x5c: // backslash
    case 0x2f: // /
    case 0x62: // b
    case 0x66: // f
    case 0x6e: // n
    case 0x72: // r
    case 0x74: // t
      return at + 1
    case 0x75: // u
      if (at + 5 > to) return 0
      for (let n: usize = 1; n <= 4; n++) {
        const digit = <u32>load<u8>(at + n)
        const letter = digit | 0x20
        if (!((digit >= 0x30 && digit <= 0x39) || (letter >= 0x61 && letter <= 0x66))) return 0
      }
      return at + 5
    default:
      return 0
  }
}

/** The address behind `true`, `false`, `null` or a number that begins at `at`, which is below `to`; or 0. */
export function word(at: usize, to: usize): usize {
  const byte = <u32>load<u8>(at)
  if (byte == 0x74) return at + 4 <= to && load<u32>(at) == 0x65757274 ? at + 4 : 0
  if (byte == 0x6e) return at + 4 <= to && load<u32>(at) == 0x6c6c756e ? at + 4 : 0
  if (byte == 0x66) return at + 5 <= to && load<u32>(at + 1) == 0x65736c61 ? at + 5 : 0
  if (byte == 0x2d) at++
  if (at < to && load<u8>(at) == 0x30) at++
  else {
    at = digits(at, to)
    if (at == 0) return 0
  }
  if (at < to && load<u8>(at) == 0x2e) {
    at = digits(at + 1, to)
    if (at == 0) return 0
  }
  if (at < to && (<u32>load<u8>(at) | 0x20) == 0x65) {
    at++
    if (at < to && (load<u8>(at) == 0x2b || load<u8>(at) == 0x2d)) at++
    at = digits(at, to)
  }
  return at
}

/** The address behind one digit and more, or 0 if there is none. */
function digits(at: usize, to: usize): usize {
  const start = at
  while (at < to && <u32>load<u8>(at) - 0x30 < 10) at++
  return at == start ? 0 : at
}
