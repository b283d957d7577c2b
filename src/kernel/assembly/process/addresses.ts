/** Addresses: of mail, and of the Internet. Each looks at no more bytes than the longest of them has. */
import { mask } from './mask'
import {
  begin,
  DOMAIN,
  end,
  floor,
  goesOn,
  is,
  isDigit,
  isHex,
  isWord,
  LOCAL,
  slashesBefore,
} from './redaction'

const MOST_LOCAL: usize = 64
const MOST_DOMAIN: usize = 253

// @ts-ignore: decorator
@inline
function isLetter(byte: u32): bool {
  return (byte | 32) - 97 < 26 || byte >= 0x80
}

/** An address of mail whose @ stands at [at, next). */
export function mail(at: usize, next: usize, rule: u32): bool {
  const from = localStart(at)
  if (from >= at) return false
  const stop = min(end, next + MOST_DOMAIN)
  let to = domainEnd(next, stop, false)
  if (to == 0) to = domainEnd(next, stop, true)
  if (to == 0) return false
  mask(rule, from, to)
  return true
}

/** Where the part of an address begins that ends at `at`, which is not in the middle of an escape sequence. */
export function localStart(at: usize): usize {
  const least = max(floor, at - min(at - begin, MOST_LOCAL))
  let from = at
  while (from > least && is(<u32>load<u8>(from - 1), LOCAL)) from--
  if (from < at && slashesBefore(from) & 1) from += load<u8>(from) == 0x75 ? 5 : 1
  // `%3Djoe`
  else if (from < at && from > begin && load<u8>(from - 1) == 0x25) from += 2
  while (from < at && load<u8>(from) == 0x2e) from++
  return from
}

/** Where a domain ends that begins at `at`, or 0. `wide`: with letters beyond ASCII. */
function domainEnd(at: usize, stop: usize, wide: bool): usize {
  let to = at
  while (to < stop) {
    const byte = <u32>load<u8>(to)
    if (!is(byte, DOMAIN) && !(wide && byte >= 0x80)) break
    to++
  }
  while (to > at && (load<u8>(to - 1) == 0x2e || load<u8>(to - 1) == 0x2d)) to--
  // The last label: two letters at least, and one before it.
  let label = to
  while (label > at && load<u8>(label - 1) != 0x2e) label--
  if (label < at + 2 || to < label + 2 || !isLetter(<u32>load<u8>(label))) return 0
  if (load<u8>(at) == 0x2e) return 0
  return to
}

/** Where four numbers with dots between them end that begin at `at`; 0: there are none. */
function dotted(at: usize): usize {
  // They have at most 15 bytes: which of these are no digits says where each ends.
  const bytes = v128.load(at)
  const behind: u32 = end - at < 16 ? <u32>0xffff << <u32>(end - at) : 0x10000
  const dots = <u32>i8x16.bitmask(i8x16.eq(bytes, i8x16.splat(0x2e))) & ~behind
  let rest = <u32>i8x16.bitmask(i8x16.ge_u(i8x16.sub(bytes, i8x16.splat(48)), i8x16.splat(10))) | behind
  const one = ctz(rest)
  rest &= rest - 1
  const two = ctz(rest)
  rest &= rest - 1
  const three = ctz(rest)
  rest &= rest - 1
  const four = ctz(rest)
  const between = (<u32>1 << one) | (<u32>1 << two) | (<u32>1 << three)
  if (three == 32 || (dots & between) != between) return 0
  // Of a longer last number what follows three digits is not part of it.
  const octets =
    <u32>isOctet(at, one) &
    <u32>isOctet(at + one + 1, two - one - 1) &
    <u32>isOctet(at + two + 1, three - two - 1) &
    <u32>isOctet(at + three + 1, min(four - three - 1, 3))
  if (octets == 0) return 0
  const next = at + min(four, three + 4)
  if (next < end) {
    const after = <u32>load<u8>(next)
    if (isWord(after)) return 0
    if (after == 0x2e && next + 1 < end && isWord(<u32>load<u8>(next + 1))) return 0
  }
  return next
}

/** Whether so many digits are a number up to 255. */
// @ts-ignore: decorator
@inline
function isOctet(at: usize, length: u32): bool {
  const value = <u32>load<u8>(at) * 100 + <u32>load<u8>(at, 1) * 10 + <u32>load<u8>(at, 2) - 48 * 111
  // Without branches: which of the lengths it is nothing says beforehand.
  return (<u32>(length - 1 < 2) | (<u32>(length == 3) & <u32>(value < 256))) != 0
}

/** An address of version 4, of which a dot between two digits stands at `at`. */
export function address(at: usize, rule: u32): bool {
  // Up to five digits before the dot.
  const before = v128.load(at - 16)
  const digits = <u32>i8x16.bitmask(i8x16.lt_u(i8x16.sub(before, i8x16.splat(48)), i8x16.splat(10)))
  let from = max(min(floor, at), at - min(<usize>clz(~(digits << 16)), 5))
  // `%20` before it.
  if (from > begin && load<u8>(from - 1) == 0x25) from += 2
  if (from >= at || at - from > 3 || goesOn(from)) return false
  if (from > begin && load<u8>(from - 1) == 0x2e && from > begin + 1 && isWord(<u32>load<u8>(from - 2))) return false
  const to = dotted(from)
  if (to == 0) return false
  mask(rule, from, to)
  return true
}

/** An address of version 6 in the run of hexadecimal digits and colons around `at`. */
export function longAddress(at: usize, rule: u32): bool {
  let from = at
  while (from > floor && at - from < 40) {
    const byte = <u32>load<u8>(from - 1)
    if (!isGroup(byte)) break
    // No address has two gaps; to look through the same digits for each gap would cost.
    if (byte == 0x3a && load<u8>(from) == 0x3a && !mayBeWritten(from - 1)) return false
    from--
  }
  if (from > begin && slashesBefore(from) & 1) from++
  else if (from > begin && load<u8>(from - 1) == 0x25) from += 2
  if (from > at || goesOn(from)) return false
  let next = from
  let groups = 0
  let gaps = 0
  let decimals = 0
  let size = 0
  while (next < end && next - from < 46) {
    const byte = <u32>load<u8>(next)
    if (isHex(byte)) {
      if (isDigit(byte)) decimals++
      if (size == 0) groups++
      if (++size > 4) return false
      next++
    } else if (byte == 0x3a) {
      const twin = next + 1 < end && load<u8>(next + 1) == 0x3a
      // A colon behind an address is none of it.
      if (!twin && (next + 1 >= end || !isHex(<u32>load<u8>(next + 1)) || (size == 0 && next == from))) break
      if (twin && ++gaps > 1) return false
      size = 0
      next += twin ? 2 : 1
    } else break
  }
  if (next < end) {
    const after = <u32>load<u8>(next)
    if (isWord(after)) return false
    if (after == 0x2e && size > 0 && size <= 3) {
      const tail = dotted(next - size)
      if (tail == 0) return false
      next = tail
      groups++
    }
  }
  if (gaps == 0 ? groups != 8 : groups == 0 || groups > 7) return false
  // Names of classes are written like this: `Face::Bad`.
  if (decimals == 0) return false
  mask(rule, from, next)
  return true
}

/** Whether the byte at `at` may be the last one of an escape sequence. */
function mayBeWritten(at: usize): bool {
  if (at > begin && (load<u8>(at - 1) == 0x5c || load<u8>(at - 1) == 0x25)) return true
  return at > begin + 1 && load<u8>(at - 2) == 0x25
}

// @ts-ignore: decorator
@inline
function isGroup(byte: u32): bool {
  return isHex(byte) || byte == 0x3a
}
