/**
 * Makes UTF-8 of text in another encoding: UTF-16, Latin-1 (ISO 8859-1) and windows-1252, as the WHATWG Encoding Standard
 * decodes them (but for Latin-1, which that takes for windows-1252). What is no character becomes U+FFFD.
 *
 *     utf-16le   47 00 72 00 fc 00 6e 00 0a 00        latin-1   47 72 fc 6e 0a
 *     utf-8      47    72    c3 bc 6e    0a                     47 72 c3 bc 6e 0a
 *
 * A line end is one unit in any of these and one byte in UTF-8, and nothing else becomes that byte: so the lines of what
 * was decoded are those of what was read, one for one.
 */
import { LATIN_1, UTF_16BE, UTF_16LE, WINDOWS_1252 } from './layout'

/** The address behind the last byte that the last `decode` took. */
export let consumed: usize = 0
/** How many U+FFFD it wrote for what was no character. */
export let replaced: u32 = 0

/**
 * Decodes [from, to) to `out`; stops before what would pass `limit`, and before a character of which the rest is missing,
 * unless `last` says that there is none. Returns the address behind the last byte written.
 */
export function decode(encoding: u32, from: usize, to: usize, out: usize, limit: usize, last: bool): usize {
  replaced = 0
  if (encoding == UTF_16LE) return utf16(from, to, out, limit, last, false)
  if (encoding == UTF_16BE) return utf16(from, to, out, limit, last, true)
  return bytes(from, to, out, limit, encoding == WINDOWS_1252)
}

function utf16(from: usize, to: usize, out: usize, limit: usize, last: bool, swapped: bool): usize {
  let at = from
  while (at + 2 <= to) {
    if (at + 32 <= to && out + 16 <= limit) {
      let a = v128.load(at)
      let b = v128.load(at + 16)
      if (swapped) {
        a = i8x16.shuffle(a, a, 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14)
        b = i8x16.shuffle(b, b, 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14)
      }
      if (!v128.any_true(v128.and(v128.or(a, b), i16x8.splat(<i16>0xff80)))) {
        v128.store(out, i8x16.narrow_i16x8_u(a, b))
        at += 32
        out += 16
        continue
      }
    }
    let code = unit(at, swapped)
    let units: usize = 2
    if ((code & 0xf800) == 0xd800) {
      if (code < 0xdc00 && at + 4 > to) {
        if (!last) break
        // Half of a character, or half of its second half, is one that is missing.
        units = to - at
        code = 0xfffd
        replaced++
      } else {
        const low = code < 0xdc00 ? unit(at + 2, swapped) : 0
        if ((low & 0xfc00) == 0xdc00) {
          code = 0x10000 + ((code & 0x3ff) << 10) + (low & 0x3ff)
          units = 4
        } else {
          code = 0xfffd
          replaced++
        }
      }
    }
    const behind = put(code, out, limit)
    if (behind == 0) {
      consumed = at
      return out
    }
    out = behind
    at += units
  }
  if (last && at + 1 == to) {
    const behind = put(0xfffd, out, limit)
    if (behind != 0) {
      out = behind
      at++
      replaced++
    }
  }
  consumed = at
  return out
}

// @ts-ignore: decorator
@inline
function unit(at: usize, swapped: bool): u32 {
  const value = load<u16>(at)
  return <u32>(swapped ? bswap<u16>(value) : value)
}

function bytes(from: usize, to: usize, out: usize, limit: usize, windows: bool): usize {
  let at = from
  while (at < to) {
    if (at + 16 <= to && out + 16 <= limit) {
      const block = v128.load(at)
      if (i8x16.bitmask(block) == 0) {
        v128.store(out, block)
        at += 16
        out += 16
        continue
      }
    }
    const byte = <u32>load<u8>(at)
    const behind = put(windows && byte >= 0x80 && byte < 0xa0 ? windows1252(byte) : byte, out, limit)
    if (behind == 0) break
    out = behind
    at++
  }
  consumed = at
  return out
}

/** Writes one character. Returns the address behind it, or 0 if it would pass `limit`. */
// @ts-ignore: decorator
@inline
function put(code: u32, out: usize, limit: usize): usize {
  if (code < 0x80) {
    if (out + 1 > limit) return 0
    store<u8>(out, <u8>code)
    return out + 1
  }
  if (code < 0x800) {
    if (out + 2 > limit) return 0
    store<u8>(out, <u8>(0xc0 | (code >> 6)))
    store<u8>(out, <u8>(0x80 | (code & 0x3f)), 1)
    return out + 2
  }
  if (code < 0x10000) {
    if (out + 3 > limit) return 0
    store<u8>(out, <u8>(0xe0 | (code >> 12)))
    store<u8>(out, <u8>(0x80 | ((code >> 6) & 0x3f)), 1)
    store<u8>(out, <u8>(0x80 | (code & 0x3f)), 2)
    return out + 3
  }
  if (out + 4 > limit) return 0
  store<u8>(out, <u8>(0xf0 | (code >> 18)))
  store<u8>(out, <u8>(0x80 | ((code >> 12) & 0x3f)), 1)
  store<u8>(out, <u8>(0x80 | ((code >> 6) & 0x3f)), 2)
  store<u8>(out, <u8>(0x80 | (code & 0x3f)), 3)
  return out + 4
}

/** The bytes 80 to 9f; those that are not assigned stay the control characters that they are in Latin-1. */
function windows1252(byte: u32): u32 {
  switch (byte) {
    case 0x80: return 0x20ac
    case 0x82: return 0x201a
    case 0x83: return 0x0192
    case 0x84: return 0x201e
    case 0x85: return 0x2026
    case 0x86: return 0x2020
    case 0x87: return 0x2021
    case 0x88: return 0x02c6
    case 0x89: return 0x2030
    case 0x8a: return 0x0160
    case 0x8b: return 0x2039
    case 0x8c: return 0x0152
    case 0x8e: return 0x017d
    case 0x91: return 0x2018
    case 0x92: return 0x2019
    case 0x93: return 0x201c
    case 0x94: return 0x201d
    case 0x95: return 0x2022
    case 0x96: return 0x2013
    case 0x97: return 0x2014
    case 0x98: return 0x02dc
    case 0x99: return 0x2122
    case 0x9a: return 0x0161
    case 0x9b: return 0x203a
    case 0x9c: return 0x0153
    case 0x9e: return 0x017e
    case 0x9f: return 0x0178
    default: return byte
  }
}

/**
 * Where the lines of [from, to) end before they are decoded: writes the offset from `from` of what follows each unit that
 * is `lineEnd` to the table of u32 at `table`, at most `max`; returns how many.
 */
export function lineEnds(encoding: u32, from: usize, to: usize, table: usize, max: u32, lineEnd: u32): u32 {
  const stop = table + (<usize>max << 2)
  let row = table
  let at = from
  if (encoding == LATIN_1 || encoding == WINDOWS_1252) {
    const end = i8x16.splat(<i8>lineEnd)
    while (at < to && row < stop) {
      let mask = <u32>i8x16.bitmask(i8x16.eq(v128.load(at), end))
      if (at + 16 > to) mask &= (1 << (<u32>(to - at))) - 1
      while (mask != 0 && row < stop) {
        store<u32>(row, <u32>(at - from) + ctz(mask) + 1)
        row += 4
        mask &= mask - 1
      }
      at += 16
    }
    return <u32>((row - table) >> 2)
  }
  const end = i16x8.splat(<i16>(encoding == UTF_16BE ? lineEnd << 8 : lineEnd))
  while (at + 2 <= to && row < stop) {
    let mask = <u32>i16x8.bitmask(i16x8.eq(v128.load(at), end))
    if (at + 16 > to) mask &= (1 << (<u32>((to - at) >> 1))) - 1
    while (mask != 0 && row < stop) {
      store<u32>(row, <u32>(at - from) + 2 * ctz(mask) + 2)
      row += 4
      mask &= mask - 1
    }
    at += 16
  }
  return <u32>((row - table) >> 2)
}
