/**
 * Escapes bytes for a JSON string (RFC 8259 §7), byte for byte as JSON.stringify does it.
 *
 * Few bytes need it, so 16 bytes are copied before anybody has looked at them; then the mask of those that need an
 * escape says how far the copy was right. Both ends advance that far, the escape goes on top of the wrong byte, and the
 * next 16 begin behind it.
 *
 *     from   s a i d   " h i "   …
 *     mask   0 0 0 0 0 1 0 0 1 0 …     the lowest bit is the first byte
 *     out    s a i d   " h i "   …     copied: the first five are right
 *     out    s a i d   \ " ▲           the sixth is escaped; the next 16 go to ▲
 */

/** All ones in each byte that must be escaped: below 0x20, the quote, the backslash. */
// @ts-ignore: decorator
@inline
function specials(v: v128): v128 {
  // Flipping bit 1 swaps the quote (0x22) with the space (0x20) and keeps controls among controls, so that one
  // comparison, "at most 0x20", finds both and leaves the space alone.
  const swapped = v128.xor(v, i8x16.splat(2))
  return v128.or(i8x16.le_u(swapped, i8x16.splat(0x20)), i8x16.eq(v, i8x16.splat(0x5c)))
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
  let at = from
  while (at < to && out + 16 <= limit) {
    // Most of a line is plain: two steps at once, if neither hits.
    if (at + 32 <= to && out + 32 <= limit) {
      const a = v128.load(at)
      const b = v128.load(at, 16)
      v128.store(out, a)
      v128.store(out, b, 16)
      if (!v128.any_true(v128.or(specials(a), specials(b)))) {
        at += 32
        out += 32
        continue
      }
    }
    const v = v128.load(at)
    v128.store(out, v)
    const mask = <u32>i8x16.bitmask(specials(v))
    if (mask == 0) {
      // A branch of its own, so that the processor may guess it and not wait for the mask to know the next address.
      at += 16
      out += 16
      continue
    }
    const right = <usize>ctz(mask)
    at += right
    out += right
    if (at >= to) break
    out = put(<u32>load<u8>(at++), out, limit)
    if (out == 0) return 0
  }
  // The last step may have gone beyond `to`: take back what was too much.
  if (at > to) return out - (at - to)
  // Less than 16 bytes of room: what is left, if it fits, goes byte by byte.
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
