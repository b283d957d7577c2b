/**
 * Searches a text for an expression: most of it is passed 16 bytes at a time by a fingerprint that each match has, and
 * only where that is found the automaton is tried.
 *
 * Each byte is looked up by its lower and its upper four bits; a place is a candidate if both halves of all three bytes
 * are allowed there. Bits are buckets: one table can have the fingerprints of eight rules.
 *
 * Trying is bounded: a text in which everything looks like a beginning would be read again and again. What may be tried
 * is `allow`ed for each text, and a search that needs more gives up, and says so.
 *
 * Since three bytes are looked at for each place, reading may run up to 17 bytes past the text here.
 */
import {
  GAVE_UP,
  INNER,
  INNER_WIDTH,
  NIBBLES,
  NO_MATCH,
  OFFSET,
  TABLE,
  TRIED_BYTES,
  TRIED_TIMES,
  WIDTH,
} from './layout'
import { longest, read } from './match'
import { sequence } from '../repair'

/** Where the match that the last `search` found ends. */
export let matchEnd: usize = 0
/** Bytes that may still be tried. */
let allowed: usize = 0

/** Begins with a text of so many bytes: for all its searches together. */
export function allow(bytes: usize): void {
  allowed = TRIED_TIMES * bytes + TRIED_BYTES
}

/** What else is read because of a match is paid for, too. Returns whether there is something left. */
export function pay(bytes: usize): bool {
  allowed -= min(allowed, bytes)
  return allowed > 0
}

// @ts-ignore: decorator
@inline
function marks(bytes: v128, nibbles: usize, low: v128): v128 {
  return v128.and(
    i8x16.relaxed_swizzle(v128.load(nibbles), v128.and(bytes, low)),
    i8x16.relaxed_swizzle(v128.load(nibbles, 16), v128.and(i16x8.shr_u(bytes, 4), low)),
  )
}

/** The first place in [at, to) where a fingerprint of the table `nibbles` begins, or `to`. */
export function candidate(nibbles: usize, at: usize, to: usize): usize {
  const low = i8x16.splat(15)
  while (at < to) {
    const a = marks(v128.load(at), nibbles, low)
    const b = marks(v128.load(at, 1), nibbles + 32, low)
    const c = marks(v128.load(at, 2), nibbles + 64, low)
    const found = v128.and(v128.and(a, b), c)
    if (v128.any_true(found)) {
      return min(to, at + <usize>ctz(<u32>i8x16.bitmask(i8x16.ne(found, i8x16.splat(0)))))
    }
    at += 16
  }
  return to
}

/** The buckets whose fingerprint begins at `at`. */
export function buckets(nibbles: usize, at: usize): u32 {
  let found: u32 = 255
  for (let place: usize = 0; place < 3; place++, nibbles += 32) {
    const byte = <usize>load<u8>(at + place)
    found &= <u32>load<u8>(nibbles + (byte & 15)) & <u32>load<u8>(nibbles + 16 + (byte >> 4))
  }
  return found
}

/**
 * Where the first match in [at, to) of the text [begin, to) begins, `NO_MATCH`, or `GAVE_UP`; `matchEnd` says where it
 * ends. `at` is between two characters.
 */
export function search(program: usize, at: usize, to: usize, begin: usize): i32 {
  if (allowed == 0) return GAVE_UP
  const table = program + TABLE
  const inner = <usize>load<u16>(program, INNER_WIDTH)
  if (inner != 0) {
    if (at + inner > to) return NO_MATCH
    const behind = to - inner + 1
    if (candidate(program + INNER, at, behind) == behind) return NO_MATCH
  }
  const width = <usize>load<u16>(program, WIDTH)
  if (width == 0) return everywhere(table, at, to, begin)
  const nibbles = program + NIBBLES
  const offset = <usize>load<u16>(program, OFFSET)
  if (at + offset + width > to) return NO_MATCH
  // Behind the last place where all of a fingerprint would be in the text.
  const last = to - width + 1
  let place = candidate(nibbles, at + offset, last)
  for (; place < last; place = candidate(nibbles, place + 1, last)) {
    const from = place - offset
    if (within(from, to, begin)) continue
    if (tried(table, from, to, begin)) return <i32>from
    if (allowed == 0) return GAVE_UP
  }
  return NO_MATCH
}

/** Whether a match begins at `at`. A match is paid for, too: to find where it ends, all that follows may be read. */
// @ts-ignore: decorator
@inline
function tried(table: usize, at: usize, to: usize, begin: usize): bool {
  const end = longest(table, at, to, begin)
  allowed -= min(allowed, read)
  if (end < 0) return false
  matchEnd = <usize>end
  return true
}

function everywhere(table: usize, at: usize, to: usize, begin: usize): i32 {
  while (true) {
    if (tried(table, at, to, begin)) return <i32>at
    if (at >= to) return NO_MATCH
    if (allowed == 0) return GAVE_UP
    at += <usize>abs(sequence(at, to))
  }
}

/** Whether `at` is within a character, and not before one. */
export function within(at: usize, to: usize, begin: usize): bool {
  if ((<u32>load<u8>(at) & 0xc0) != 0x80) return false
  for (let back: usize = 1; back <= min(3, at - begin); back++) {
    const lead = <u32>load<u8>(at - back)
    if ((lead & 0xc0) == 0x80) continue
    return lead >= 0xc2 && <usize>abs(sequence(at - back, to)) > back
  }
  return false
}
