/**
 * Notes where the members of a record stand, all at once: of an object that is known to be well formed, those at its top, or
 * pairs.
 *
 *     entry    name u32 │ its end u32 │ value u32 │ its end u32        a name of an object with its quotes
 *
 * 64 bytes of an object are looked at together: a mask says which of them are quotes, from which follows what lies within a
 * text; and of the others which part names, values, objects and arrays. Within a value only braces and brackets count.
 *
 *     bytes     { " a " : { " b " : 1 } , " c " : " } " }
 *     quotes    0 1 0 1 0 0 1 0 1 0 0 0 0 1 0 1 0 1 0 1 0
 *     in text   0 1 1 0 0 0 1 1 0 0 0 0 0 1 1 0 0 1 1 0 0
 *     at top            :               ,       :       }
 */
import { NAMES } from '../layout'
import { blank } from '../object'
import { behindQuotes, endOfName, endOfValue } from './logfmt'
import { same } from './names'

export const MEMBER: usize = 16
/** A record of more is read member by member. */
const MOST: usize = 1024
const END: usize = NAMES + MOST * MEMBER

const EVEN: u64 = 0x5555555555555555

/** Behind the last entry. */
export let last: usize = NAMES

// @ts-ignore: decorator
@inline
function note(entry: usize, name: usize, nameEnd: usize, value: usize, valueEnd: usize): void {
  store<u64>(entry, <u64>name | (<u64>nameEnd << 32))
  store<u64>(entry, <u64>value | (<u64>valueEnd << 32), 8)
}

// @ts-ignore: decorator
@inline
function bits(a: v128, b: v128, c: v128, d: v128): u64 {
  return (
    <u64>i8x16.bitmask(a) |
    (<u64>i8x16.bitmask(b) << 16) |
    (<u64>i8x16.bitmask(c) << 32) |
    (<u64>i8x16.bitmask(d) << 48)
  )
}

/** A brace or a bracket: they are alike but for one bit. */
// @ts-ignore: decorator
@inline
function nests(v: v128): v128 {
  const lower = v128.or(v, i8x16.splat(0x20))
  return v128.or(i8x16.eq(lower, i8x16.splat(0x7b)), i8x16.eq(lower, i8x16.splat(0x7d)))
}

// @ts-ignore: decorator
@inline
function parts(v: v128): v128 {
  return v128.or(i8x16.eq(v, i8x16.splat(0x2c)), i8x16.eq(v, i8x16.splat(0x3a)))
}

/** All that stands behind place `bit` of a mask. */
// @ts-ignore: decorator
@inline
function behind(bit: u64): u64 {
  return (<u64>-2) << bit
}

/** Before white space that stands before `at`. */
// @ts-ignore: decorator
@inline
function bare(at: usize): usize {
  while (<u32>load<u8>(at - 1) <= 0x20) at--
  return at
}

/** Notes the members of the object whose first brace stands before `from`. Returns whether they are no more than may be. */
export function noteObject(from: usize, to: usize): bool {
  const quote = i8x16.splat(0x22)
  const slash = i8x16.splat(0x5c)
  let entry: usize = NAMES
  let begin = from
  let colon: usize = 0
  let depth: u32 = 1
  // All ones within a text; one behind a backslash that is not escaped itself.
  let inText: u64 = 0
  let escape: u64 = 0
  for (let block = from; block < to; block += 64) {
    const a = v128.load(block)
    const b = v128.load(block, 16)
    const c = v128.load(block, 32)
    const d = v128.load(block, 48)
    let quotes = bits(i8x16.eq(a, quote), i8x16.eq(b, quote), i8x16.eq(c, quote), i8x16.eq(d, quote))
    let slashes = bits(i8x16.eq(a, slash), i8x16.eq(b, slash), i8x16.eq(c, slash), i8x16.eq(d, slash))
    if ((slashes | escape) != 0) {
      // Of backslashes in a row every other one escapes what follows: a sum carries to the end of each row.
      slashes &= ~escape
      const follows = (slashes << 1) | escape
      const odd = slashes & ~EVEN & ~follows
      const sum = odd + slashes
      escape = sum < odd ? 1 : 0
      quotes &= ~((EVEN ^ (sum << 1)) & follows)
    }
    let text = quotes ^ (quotes << 1)
    text ^= text << 2
    text ^= text << 4
    text ^= text << 8
    text ^= text << 16
    text ^= text << 32
    text ^= inText
    inText = <u64>(<i64>text >> 63)
    const braces = bits(nests(a), nests(b), nests(c), nests(d)) & ~text
    const all = braces | (bits(parts(a), parts(b), parts(c), parts(d)) & ~text)
    let marks = depth == 1 ? all : braces
    while (marks != 0) {
      const bit = ctz(marks)
      marks &= marks - 1
      const at = block + <usize>bit
      const byte = <u32>load<u8>(at)
      if (byte == 0x3a) {
        colon = at
        continue
      }
      if (byte != 0x2c) {
        if ((byte | 0x20) == 0x7b) {
          if (depth++ == 1) marks = braces & behind(bit)
          continue
        }
        if (--depth > 0) {
          if (depth == 1) marks = all & behind(bit)
          continue
        }
      }
      if (entry == END) return false
      note(entry, blank(begin, to), bare(colon), blank(colon + 1, to), bare(at))
      entry += MEMBER
      begin = at + 1
      if (depth > 0) continue
      last = entry
      return true
    }
  }
  return false
}

/** Notes the pairs in [from, to). Returns whether they are no more than may be. */
export function notePairs(from: usize, to: usize): bool {
  let entry: usize = NAMES
  let at = from
  while (true) {
    while (at < to && load<u8>(at) <= 0x20) at++
    if (at >= to) break
    if (entry == END) return false
    const name = at
    at = endOfName(at, to)
    const nameEnd = at
    const value = ++at
    if (at < to && load<u8>(at) == 0x22) {
      at = behindQuotes(at + 1, to)
      if (at == 0) return false
    } else at = endOfValue(at, to)
    note(entry, name, nameEnd, value, at)
    entry += MEMBER
  }
  last = entry
  return true
}

/** Whether a member has this name, behind `head`, a text of eight bytes at the most. `quotes`: how many stand before a name. */
export function has(head: u64, headBytes: usize, name: usize, bytes: usize, quotes: usize): bool {
  const whole = headBytes + bytes
  for (let entry = NAMES; entry < last; entry += MEMBER) {
    const own = <usize>load<u32>(entry) + quotes
    if (<usize>load<u32>(entry, 4) - quotes - own != whole) continue
    if (headBytes > 0 && (load<u64>(own) ^ head) << (64 - (<u64>headBytes << 3)) != 0) continue
    if (same(own + headBytes, name, bytes)) return true
  }
  return false
}
