/**
 * Escapes bytes for a JSON string (RFC 8259 §7), byte for byte as JSON.stringify does it.
 *
 * Quotes and backslashes are frequent: six in a line of an access log, dozens in one of JSON. A branch for each of them,
 * or for each step that has none, would be guessed wrong too often, so there is none. 16 bytes are a step; each half of
 * it is spread by a shuffle that a table holds for its mask of eight bits: it makes room before every marked byte and
 * puts the backslash there, however many there are.
 *
 *     half     s  a  i  d  ▢  "  h  i        (▢: the space)
 *     mask     0  0  0  0  0  1  0  0        the lowest bit is the first byte
 *     lanes    0  1  2  3  4  8  5  6  7     lane 8 holds a backslash
 *     out      s  a  i  d  ▢  \  "  h  i  ▲   the next half goes to ▲
 *
 * Control characters are rare: what stands before the first of them in a step is right, and it is written by itself.
 */
import { PATTERNS, SPREAD } from './layout'

/** Writes the tables: for each mask of eight bits the lanes that `spread` takes. Once, when the module starts. */
export function prepare(): void {
  v128.store(PATTERNS, i8x16.splat(0x22))
  v128.store(PATTERNS, i8x16.splat(0x5c), 16)
  v128.store(PATTERNS, i8x16.splat(0x1f), 32)
  for (let mask: u32 = 0; mask < 256; mask++) {
    let at = SPREAD + (<usize>mask << 4)
    for (let lane: u32 = 0; lane < 8; lane++) {
      if ((mask >> lane) & 1) store<u8>(at++, 8)
      store<u8>(at++, <u8>lane)
    }
  }
}

/** Writes the 16 bytes of `v` with a backslash before each marked one: up to 32 bytes from `out`. */
// @ts-ignore: decorator
@inline
function spread(v: v128, mask: u32, out: usize, slashes: v128): void {
  const low = mask & 255
  const high = mask >> 8
  const first = i8x16.shuffle(v, slashes, 0, 1, 2, 3, 4, 5, 6, 7, 24, 25, 26, 27, 28, 29, 30, 31)
  const second = i8x16.shuffle(v, slashes, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31)
  // Relaxed: no lane is above 15, and then it is one instruction.
  v128.store(out, i8x16.relaxed_swizzle(first, v128.load(SPREAD + (<usize>low << 4))))
  const behind = out + 8 + <usize>popcnt(low)
  v128.store(behind, i8x16.relaxed_swizzle(second, v128.load(SPREAD + (<usize>high << 4))))
}

/** The letter of a short form (`\n`), or 0 if there is none. */
// @ts-ignore: decorator
@inline
function letter(byte: u32): u32 {
  switch (byte) {
    case 0x22:
    case 0x5c:
      return byte
    case 0x08:
      return 0x62 // b
    case 0x09:
      return 0x74 // t
    case 0x0a:
      return 0x6e // n
    case 0x0c:
      return 0x66 // f
    case 0x0d:
      return 0x72 // r
    default:
      return 0
  }
}

/** Bytes that one byte becomes. */
export function width(byte: u32): usize {
  if (byte >= 0x20 && byte != 0x22 && byte != 0x5c) return 1
  return letter(byte) != 0 ? 2 : 6
}

/** Writes the escape of one byte that needs it. Returns the address behind it, or 0 if it would pass `limit`. */
// @ts-ignore: decorator
@inline
function put(byte: u32, out: usize, limit: usize): usize {
  const short = letter(byte)
  if (short != 0) {
    if (out + 2 > limit) return 0
    store<u16>(out, <u16>(0x5c | (short << 8)))
    return out + 2
  }
  if (out + 6 > limit) return 0
  const low = byte & 15
  store<u32>(out, 0x3030755c) // \u00
  store<u8>(out + 4, <u8>(0x30 + (byte >> 4)))
  store<u8>(out + 5, <u8>(low < 10 ? 0x30 + low : 0x57 + low))
  return out + 6
}

/** Writes [from, to), escaped, to `out`. Returns the address behind the last byte, or 0 if it would pass `limit`. */
export function escape(from: usize, to: usize, out: usize, limit: usize): usize {
  // From memory, so that they stay in registers: the engine makes a constant anew in each step.
  const quotes = v128.load(PATTERNS)
  const slashes = v128.load(PATTERNS, 16)
  const highest = v128.load(PATTERNS, 32)
  let at = from
  // Up to the first byte that is escaped; many lines have none.
  while (at + 16 <= to && out + 32 <= limit) {
    const v = v128.load(at)
    if (v128.any_true(escapes(v))) break
    v128.store(out, v)
    at += 16
    out += 16
  }
  while (at < to && out + 32 <= limit) {
    const v = v128.load(at)
    const marks = v128.or(i8x16.eq(v, quotes), i8x16.eq(v, slashes))
    const controls = i8x16.eq(i8x16.min_u(v, highest), v)
    if (at + 16 <= to && !v128.any_true(controls)) {
      const mask = <u32>i8x16.bitmask(marks)
      spread(v, mask, out, slashes)
      at += 16
      out += 16 + <usize>popcnt(mask)
      continue
    }
    // What lies behind `to` is not ours.
    const left = to - at
    const ours: u32 = left < 16 ? (1 << <u32>left) - 1 : 0xffff
    const mask = <u32>i8x16.bitmask(marks) & ours
    const first = <usize>ctz(<u32>i8x16.bitmask(controls) & ours)
    if (first >= 16) {
      spread(v, mask, out, slashes)
      at = to
      out += left + <usize>popcnt(mask)
      break
    }
    const before = mask & ((1 << <u32>first) - 1)
    spread(v, before, out, slashes)
    at += first
    out = put(<u32>load<u8>(at++), out + first + <usize>popcnt(before), limit)
    if (out == 0) return 0
  }
  // Less than 32 bytes of room: what is left, if it fits, goes byte by byte.
  while (at < to) {
    const byte = <u32>load<u8>(at++)
    if (byte < 0x20 || byte == 0x22 || byte == 0x5c) {
      out = put(byte, out, limit)
      if (out == 0) return 0
    } else {
      if (out >= limit) return 0
      store<u8>(out++, <u8>byte)
    }
  }
  return out
}

/** Which bytes are written otherwise in a JSON string. */
// @ts-ignore: decorator
@inline
export function escapes(v: v128): v128 {
  const marks = v128.or(i8x16.eq(v, v128.load(PATTERNS)), i8x16.eq(v, v128.load(PATTERNS, 16)))
  return v128.or(marks, i8x16.eq(i8x16.min_u(v, v128.load(PATTERNS, 32)), v))
}
