/**
 * Masks: what is written over a match. It is as long as the match, and the same whenever that is redacted again.
 *
 *     REPLACE   [email]************    the rule's label where it fits, and stars
 *     KEEP      ************1111       stars, and the last bytes
 *     HASH      [pan:3f9a8b7c6d5e]     a keyed hash of the match, in hexadecimal
 *
 * A number of a JSON text becomes another number with as many digits: 10000. What is written is valid within a string of
 * JSON, and never divides a character or an escape sequence, for matches do not.
 */
import {
  begin,
  change,
  count,
  disturb,
  edge,
  end,
  HASH,
  HASH_KEY,
  HOW,
  isDigit,
  isHex,
  json,
  KEEP,
  KEEP_BYTES,
  LABEL,
  LABELS,
  moveFloor,
  note,
  RULES,
  table,
  wall,
  WHOLE,
  within,
} from './redaction'
import { siphash } from './siphash'

const STAR: u32 = 0x2a
/** A hash needs so many digits; 16 hexadecimal digits are one SipHash. */
const FEWEST: usize = 4
const DIGITS: usize = 16

// @ts-ignore: decorator
@inline
function labelOf(rule: u32): usize {
  return table + <usize>load<u32>(table, LABELS) + <usize>rule * LABEL
}

/** The call at hand has written a byte that is another one. */
let changed: u32 = 0

// Matches are short: a call that fills memory would cost more than they do.
// @ts-ignore: decorator
@inline
function put(at: usize, byte: u32): void {
  changed |= <u32>load<u8>(at) ^ byte
  store<u8>(at, <u8>byte)
}

/** Writes over the bytes of [at, to) that are among the 16 at `at`. What stands behind them stays as it is. */
// @ts-ignore: decorator
@inline
function put16(at: usize, to: usize, bytes: v128): void {
  const old = v128.load(at)
  const left = i8x16.splat(<u8>min(to - at, 16))
  const inside = i8x16.lt_u(i8x16(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15), left)
  const next = v128.bitselect(bytes, old, inside)
  if (v128.any_true(v128.xor(next, old))) changed = 1
  v128.store(at, next)
}

/** Writes stars over [from, to), as far as it may be written. */
export function stars(from: usize, to: usize): void {
  for (let at = max(from, wall); at < to; at += 16) put16(at, to, i8x16.splat(<u8>STAR))
}

/** Writes over the match [from, to) of a rule, or over a part of it, of which nothing is kept. */
export function mask(rule: u32, from: usize, to: usize, part: bool = false): void {
  moveFloor(to)
  if (to <= wall || from >= to) return
  const how = load<u32>(table, HOW)
  changed = 0
  // What began before is not all there: nothing of it is said.
  if (from < wall) stars(wall, to)
  else if (how == KEEP) {
    if (part) stars(from, to)
    else keep(from, to)
  } else if (how == HASH) hash(rule, from, to)
  else replace(rule, from, to)
  if (changed != 0) wrote(rule, from, to)
}

/** Counts and notes what was written at `from`. Where a word went on before it, that has an end now. */
export function wrote(rule: u32, from: usize, to: usize): void {
  count(rule, false)
  note(rule, max(from, wall), to, false)
  if (load<u32>(table, HOW) == KEEP) disturb()
  if (from <= begin) return
  const before = <u32>load<u8>(from - 1)
  const calm = before == 0x20 || before == 0x22 || before == 0x2c || before == 0x28 || before == 0x3c
  if (!calm) disturb()
}

/** Writes so many bytes of a label. */
function written(at: usize, label: usize, length: usize): void {
  for (let n: usize = 0; n < length; n++) put(at + n, <u32>load<u8>(label + n))
}

/** A number that is another one if the bytes are others. */
export function print(from: usize, to: usize): u64 {
  let sum: u64 = 0xcbf29ce484222325
  for (let at = from; at < to; at++) sum = (sum ^ <u64>load<u8>(at)) * 0x100000001b3
  return sum
}

function replace(rule: u32, from: usize, to: usize): void {
  const label = labelOf(rule)
  const length = <usize>load<u8>(label)
  if (length > to - from) {
    stars(from, to)
    return
  }
  // Behind a label there are stars in its place.
  if (length <= 16) put16(from, to, v128.load(label, 1))
  else written(from, label + 1, length)
  stars(from + max(length, 16), to)
}

function keep(from: usize, to: usize): void {
  const bytes = <usize>load<u32>(table, KEEP_BYTES)
  let stop = to
  // The last bytes that are at hand may be in the middle of it.
  const open = to == end && edge != WHOLE
  if (!open && to - from >= 2 * bytes) {
    stop = to - bytes
    // A character is kept whole.
    while (stop < to && (load<u8>(stop) & 0xc0) == 0x80) stop++
    // An escape sequence that is left in part is another one.
    for (let at = from; at < to; at++) if (load<u8>(at) == 0x5c || load<u8>(at) == 0x25) stop = to
  }
  stars(from, stop)
}

function hash(rule: u32, from: usize, to: usize): void {
  const k0 = load<u64>(table, HASH_KEY)
  const k1 = load<u64>(table, HASH_KEY + 8)
  const first = siphash(k0, k1, from, to)
  const second = siphash(k1, k0, from, to)
  const label = labelOf(rule)
  // `[name` without the bracket that closes it, a colon, digits, and that bracket.
  const named = <usize>load<u8>(label)
  let at = from
  if (named + 1 + FEWEST <= to - from) {
    written(from, label + 1, named - 1)
    at += named - 1
    put(at++, 0x3a)
  } else if (FEWEST + 2 <= to - from) put(at++, 0x5b)
  else {
    stars(from, to)
    return
  }
  const stop = min(to - 1, at + 2 * DIGITS)
  for (let n: usize = 0; at < stop; n++) {
    const digit = <u32>((n < DIGITS ? first : second) >> (60 - ((<u64>n & 15) << 2))) & 15
    put(at++, digit < 10 ? 48 + digit : 87 + digit)
  }
  put(at++, 0x5d)
  stars(at, to)
}

/**
 * Where a mask ends that was written at `at` by any rule, and nothing else is before `to`; 0 if there is none. `*` is
 * all of it, or it begins with `[`.
 */
export function masked(at: usize, to: usize): usize {
  let stop = at
  if (at < to && load<u8>(at) == 0x5b) {
    stop = labelled(at, to)
    if (stop == 0) return 0
  }
  while (stop < to && load<u8>(stop) == <u8>STAR) stop++
  return stop == at ? 0 : stop
}

/** Where a label ends that stands at `at`, or 0. `bare`: a hash without the name of its rule is one, too. */
export function labelled(at: usize, to: usize, bare: bool = true): usize {
  const rules = load<u32>(table, RULES)
  const hashes = load<u32>(table, HOW) == HASH
  let inner = at + 1
  for (let rule: u32 = 0; rule < rules; rule++) {
    const label = labelOf(rule)
    const length = <usize>load<u8>(label)
    if (length > to - at) continue
    let same: usize = 0
    while (same < length && load<u8>(at + same) == load<u8>(label + 1 + same)) same++
    if (same == length) return at + length
    if (same == length - 1 && load<u8>(at + same) == 0x3a) inner = at + length
  }
  if (!hashes || (inner == at + 1 && !bare)) return 0
  let stop = inner
  while (stop < to && isHex(<u32>load<u8>(stop))) stop++
  return stop < to && load<u8>(stop) == 0x5d && stop - inner >= FEWEST ? stop + 1 : 0
}

/** Writes over the number [from, to) of a JSON text: it stays one, with as many digits. */
export function maskNumber(rule: u32, from: usize, to: usize): void {
  moveFloor(to)
  if (to <= wall || from >= to) return
  changed = 0
  let kept: usize = 0
  if (load<u32>(table, HOW) == KEEP) {
    const bytes = <usize>load<u32>(table, KEEP_BYTES)
    if (to - from >= 2 * bytes && (to < end || edge == WHOLE)) kept = bytes
  }
  // A number does not begin with 0, unless that is all of it.
  const first = load<u8>(from) == 0x2d ? from + 1 : from
  for (let at = max(from, wall); at < to - kept; at++) {
    if (!isDigit(<u32>load<u8>(at))) continue
    put(at, at == first && at + 1 < to && isDigit(<u32>load<u8>(at + 1)) ? 0x31 : 0x30)
  }
  if (changed != 0) wrote(rule, from, to)
}

/** Writes over a match of digits: where it is a number of a JSON record it stays one. */
export function maskDigits(rule: u32, from: usize, to: usize): void {
  if (json && !within(from)) maskNumber(rule, from, to)
  else mask(rule, from, to)
}

/** Writes over all that follows in the record, for it cannot be said what it is. JSON stays JSON. */
export function maskRest(rule: u32, from: usize): void {
  count(rule, true)
  moveFloor(end)
  const first = max(from, wall)
  note(rule, first, end, true)
  const before = print(first, end)
  if (json) veilJson(first)
  else veil(first)
  if (print(first, end) != before) change()
}

/** Stars within the strings of a JSON text, from `first` to the end of the record; numbers become others. */
function veilJson(first: usize): void {
  let inside = within(first)
  for (let at = first; at < end; at++) {
    const byte = <u32>load<u8>(at)
    if (byte == 0x5c && inside && at + 1 < end) {
      store<u8>(at++, <u8>STAR)
      store<u8>(at, <u8>STAR)
    } else if (byte == 0x22) inside = !inside
    else if (inside) store<u8>(at, <u8>STAR)
    else if (isDigit(byte)) {
      const head = at == begin || !isDigit(<u32>load<u8>(at - 1))
      const more = at + 1 < end && isDigit(<u32>load<u8>(at + 1))
      const whole = at == begin || load<u8>(at - 1) != 0x2e
      store<u8>(at, head && more && whole ? 0x31 : 0x30)
    }
  }
}

/** Stars to the end of the record, but for the ends of its lines. */
function veil(from: usize): void {
  for (let at = from; at < end; at++) if (load<u8>(at) != 10 && load<u8>(at) != 13) store<u8>(at, <u8>STAR)
}
