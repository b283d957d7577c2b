/**
 * Finds the level of each record, and writes it to its row: the severity of OpenTelemetry, 1 to 24.
 *
 *     2024-03-31 02:30:05,123 INFO  [main] no error here          in capitals: a level
 *     time="…" level=warning msg="…"                              between signs: a level
 *     error while reading                                         the first word: a level
 *     there was no error                                          in the middle of a sentence: none
 *
 * In a text it is the first word in its first bytes that is a level and is written as one. The first two letters of all
 * words are looked for 16 bytes at a time; only what may be one is looked up. The level as it was written gets a slot.
 * What a text says is its level, whatever stood before it.
 */
import {
  ABSENT,
  ASKED_FOR,
  JSON,
  LEVEL_UNREAD,
  ROW_FLAGS,
  ROW_FORM,
  ROW_LEVEL,
  ROW_SLOTS,
  SLOT,
  TEXT,
  VALUES,
} from '../layout'
import {
  LEVELS_ASKED_FOR,
  LEVELS_COUNT,
  LEVELS_FLAGS,
  LEVELS_IN_TEXT,
  LEVELS_MARKS,
  LEVELS_MASK,
  LEVELS_MESSAGE,
  LEVELS_NUMBERS,
  LEVELS_PLACE,
  LEVELS_PLAIN,
  LEVELS_PRIORITY,
  LEVELS_SLOTS,
  LEVELS_TEXT,
  LEVELS_WITHIN,
  LEVELS_WORD,
  LEVELS_WORDS,
  NUMBERS_OTEL,
  NUMBERS_PINO,
  NUMBERS_SYSLOG,
} from './level-layout'

/** How many of the last call have no level: there was none; it is not known. */
export let levelsMissing: u32 = 0
export let levelsUnknown: u32 = 0

let table: usize = 0
let words: usize = 0
let mask: u32 = 0
/** Where the level that was found stands, and behind it. */
let foundAt: usize = 0
let foundTo: usize = 0
/** The word that was looked up last is a level where a text begins with it, in small letters too. */
let plain: bool = false

// What words begin with: see `marks`.
let low0: v128 = i8x16.splat(0)
let high0: v128 = i8x16.splat(0)
let low1: v128 = i8x16.splat(0)
let high1: v128 = i8x16.splat(0)

// What stood before the word that was found last in a text, as far as 32 bytes: where digits stand in the place of digits a
// text with the same bytes has no level before that place.
const MOST_BEFORE: usize = 32
/** More than a text has bytes. */
const NONE: usize = 0x7fffffff
/** How many bytes; NONE: nothing is kept. */
let keptBytes: usize = NONE
let keptMask: u32 = 0
let kept0: v128 = i8x16.splat(0)
let kept1: v128 = i8x16.splat(0)
let digits0: v128 = i8x16.splat(0)
let digits1: v128 = i8x16.splat(0)
/** A word of three letters stood before it. */
let keptWord: bool = false

/**
 * Finds the level of each of the `count` frames from `first` on in the table at `ends`; the first of them begins at
 * `start`. Rows begin at `rows`, and are filled but for that.
 */
export function levels(
  plan: usize,
  ends: usize,
  first: u32,
  count: u32,
  start: usize,
  rows: usize,
  row: usize,
): void {
  levelsMissing = levelsUnknown = 0
  table = plan
  words = plan + <usize>load<u32>(plan, LEVELS_WORDS)
  mask = <u32>load<u16>(plan, LEVELS_MASK)
  const marks = plan + LEVELS_MARKS
  low0 = v128.load(marks)
  high0 = v128.load(marks, 16)
  low1 = v128.load(marks, 32)
  high1 = v128.load(marks, 48)
  keptBytes = NONE
  const slots = <u32>load<u8>(plan, LEVELS_COUNT)
  const text = <u32>load<u16>(plan, LEVELS_TEXT)
  let begin = start
  for (let n: u32 = 0; n < count; n++) {
    const end = <usize>load<u32>(ends + (<usize>(first + n) << 2))
    const at = rows + row * <usize>(first + n)
    let level: u32 = 0
    let there = false
    for (let s: u32 = 0; s < slots; s++) {
      const slot = at + ROW_SLOTS + <usize>load<u16>(plan + LEVELS_SLOTS + (<usize>s << 1)) * SLOT
      const where = <usize>load<u16>(slot)
      if (where == <usize>ABSENT) continue
      there = true
      level = ofValue(begin + where, begin + where + <usize>load<u16>(slot, 2), <u32>load<u8>(plan + LEVELS_NUMBERS + s))
      break
    }
    if (!there) level = ofRecord(begin, end, at)
    if (level != 0) {
      store<u8>(at, <u8>level, ROW_LEVEL)
      // A value of an object stands there as it was written: a word out of a message is none.
      const kept = there || <u32>load<u8>(at, ROW_FORM) != JSON
      if (kept && text != ABSENT && foundTo - begin < <usize>ABSENT) {
        const slot = at + ROW_SLOTS + <usize>text * SLOT
        store<u16>(slot, <u16>(foundAt - begin))
        store<u16>(slot, <u16>(foundTo - foundAt), 2)
      }
    } else if (there) {
      levelsUnknown++
      store<u16>(at, load<u16>(at, ROW_FLAGS) | <u16>LEVEL_UNREAD, ROW_FLAGS)
    } else levelsMissing++
    begin = end + 1
  }
}

/** The level of a value, which is all of it. */
function ofValue(at: usize, to: usize, numbers: u32): u32 {
  foundAt = at
  foundTo = to
  if (to - at >= 2 && load<u8>(at) == 34) {
    at++
    to--
  }
  while (at < to && load<u8>(at) == 32) at++
  while (at < to && load<u8>(to - 1) == 32) to--
  if (at == to) return 0
  const level = to - at <= LEVELS_WORD ? lookUp(at, to - at) : 0
  return level != 0 ? level : ofNumber(at, to, numbers)
}

/** The level of a number, which may have a fraction of zeros. */
function ofNumber(at: usize, to: usize, numbers: u32): u32 {
  let value: u32 = 0
  const stop = min(to, at + 3)
  const from = at
  while (at < stop && <u32>load<u8>(at) - 48 < 10) value = value * 10 + <u32>load<u8>(at++) - 48
  if (at == from) return 0
  if (at < to && load<u8>(at) == 46) do at++
  while (at < to && load<u8>(at) == 48)
  if (at != to) return 0
  switch (numbers) {
    case NUMBERS_PINO:
      // trace, debug, info, warn, error, fatal, each for the numbers up to the next.
      return value - 10 < 60 ? ((value / 10 - 1) << 2) + 1 : 0
    case NUMBERS_OTEL:
      return value - 1 < 24 ? value : 0
    case NUMBERS_SYSLOG:
      return ofPriority(value)
    default:
      return 0
  }
}

/** emerg 21, alert 19, crit 18, err 17, warning 13, notice 10, info 9, debug 5. */
// @ts-ignore: decorator
@inline
function ofPriority(value: u32): u32 {
  return value > 7 ? 0 : <u32>((0x05090a0d11121315 >> (<u64>value << 3)) & 0xff)
}

/** The level that a record says in its text, or in its message. */
function ofRecord(begin: usize, end: usize, row: usize): u32 {
  const flags = <u32>load<u8>(table, LEVELS_FLAGS)
  if ((flags & LEVELS_IN_TEXT) == 0) return 0
  if ((<u32>load<u16>(row, ROW_FLAGS) & ASKED_FOR) != 0 && (flags & LEVELS_ASKED_FOR) == 0) return 0
  const message = <u32>load<u16>(table, LEVELS_MESSAGE)
  const form = <u32>load<u8>(row, ROW_FORM)
  let at = begin
  let to = end
  if (form != TEXT) {
    const slot = row + ROW_SLOTS + <usize>message * SLOT
    if (message == ABSENT || <u32>load<u16>(slot) == ABSENT) {
      // What an expression did not take for a message may still say it; what has names does not say it without one.
      if (form != VALUES) return 0
    } else {
      at = begin + <usize>load<u16>(slot)
      to = min(end, at + <usize>load<u16>(slot, 2))
      if (form != VALUES && to - at >= 2 && load<u8>(at) == 34) {
        at++
        to--
      }
    }
  }
  while (at < to && load<u8>(at) == 0) at++
  if (at + keptBytes + SHORTEST <= to && isKept(at)) {
    const level = wordAt(at + keptBytes, at, to, !keptWord, SHORTEST)
    if (level != 0) return level
  }
  if (at + 2 < to) {
    const c = <u32>load<u8>(at)
    if (c == 60 && flags & LEVELS_PRIORITY) {
      let value: u32 = 0
      let digit = at + 1
      while (digit < to && digit < at + 4 && <u32>load<u8>(digit) - 48 < 10) {
        value = value * 10 + <u32>load<u8>(digit++) - 48
      }
      if (digit > at + 1 && digit < to && load<u8>(digit) == 62 && value < 192) {
        foundAt = at + 1
        foundTo = digit
        return ofPriority(value & 7)
      }
    }
    if (c - 68 < 20) {
      // klog: `I0102 03:04:05`
      const level: u32 = c == 73 ? 9 : c == 87 ? 13 : c == 69 ? 17 : c == 70 ? 21 : c == 68 ? 5 : 0
      if (level != 0 && at + 6 < to && load<u8>(at, 5) == 32 && (digitsAt(at) & 31) == 30) {
        foundAt = at
        foundTo = at + 1
        return level
      }
    }
  }
  return ofText(at, to)
}

// @ts-ignore: decorator
@inline
function digitsAt(at: usize): u32 {
  return <u32>i8x16.bitmask(i8x16.lt_u(i8x16.sub(v128.load(at), i8x16.splat(48)), i8x16.splat(10)))
}

/** Bits of the words whose letter at one place may be this one. */
// @ts-ignore: decorator
@inline
function marked(v: v128, low: v128, high: v128): v128 {
  const half = i8x16.splat(15)
  return v128.and(
    i8x16.relaxed_swizzle(low, v128.and(v, half)),
    i8x16.relaxed_swizzle(high, v128.and(i16x8.shr_u(v, 4), half)),
  )
}

/** Bytes that are digits. */
// @ts-ignore: decorator
@inline
function digits(v: v128): v128 {
  return i8x16.lt_u(i8x16.sub(v, i8x16.splat(48)), i8x16.splat(10))
}

/** Words of so many letters are looked for. */
const SHORTEST: usize = 3

/** Whether a text begins with what is kept. */
// @ts-ignore: decorator
@inline
function isKept(at: usize): bool {
  const a = v128.load(at)
  const b = v128.load(at, 16)
  const same0 = v128.or(i8x16.eq(a, kept0), v128.and(digits(a), digits0))
  const same1 = v128.or(i8x16.eq(b, kept1), v128.and(digits(b), digits1))
  const same = <u32>i8x16.bitmask(same0) | (<u32>i8x16.bitmask(same1) << 16)
  return (same & keptMask) == keptMask
}

/** Keeps what stands before the word at `place` in the text that begins at `begin`. */
function keep(begin: usize, place: usize, word: bool): void {
  const bytes = place - begin
  const c = <u32>load<u8>(begin)
  keptBytes = NONE
  // What a number in <> is worth its digits say; behind a letter a time of klog may begin.
  if (bytes > MOST_BEFORE || c == 60 || (bytes > 0 && bytes < 6 && c - 68 < 20)) return
  keptBytes = bytes
  keptMask = <u32>(((<u64>1) << <u64>bytes) - 1)
  kept0 = v128.load(begin)
  kept1 = v128.load(begin, 16)
  digits0 = digits(kept0)
  digits1 = digits(kept1)
  keptWord = word
}

/** Bytes that are letters. */
// @ts-ignore: decorator
@inline
function letters(v: v128): v128 {
  return i8x16.lt_u(i8x16.sub(v128.or(v, i8x16.splat(32)), i8x16.splat(97)), i8x16.splat(26))
}

/** The level of the first word in [at, to) that is written as one. */
function ofText(begin: usize, to: usize): u32 {
  const stop = min(to, begin + LEVELS_WITHIN)
  const zero = i8x16.splat(0)
  // The first word of three letters: one in a time is shorter.
  let head: usize = 0
  /** The byte before these is a letter. */
  let before: u32 = 0
  for (let at = begin; at < stop; at += 16) {
    const one = v128.load(at)
    const two = v128.load(at, 1)
    const hits = v128.and(marked(one, low0, high0), marked(two, low1, high1))
    const word = letters(one)
    if (head == 0) {
      const runs = <u32>i8x16.bitmask(v128.and(v128.and(word, letters(two)), letters(v128.load(at, 2))))
      if (runs != 0) head = at + <usize>ctz(runs)
    }
    // Only where a word begins: most of the pairs stand within one.
    const inside = <u32>i8x16.bitmask(word)
    let bits = <u32>i8x16.bitmask(i8x16.ne(hits, zero)) & inside & ~((inside << 1) | before)
    before = (inside >> 15) & 1
    while (bits != 0) {
      const place = at + <usize>ctz(bits)
      bits &= bits - 1
      if (place >= stop) return 0
      const level = wordAt(place, begin, to, place == head, 1)
      if (level != 0) {
        keep(begin, place, head != 0 && head < place)
        return level
      }
    }
  }
  return 0
}

/**
 * The level of the word at `at` in the text [begin, to), if it is one, has `least` letters and is written as one. `first`: if
 * it has three, no other of three stands before it.
 */
// @ts-ignore: decorator
@inline
function wordAt(at: usize, begin: usize, to: usize, first: bool, least: usize): u32 {
  const before: u32 = at == begin ? 32 : <u32>load<u8>(at - 1)
  if (isWord(before)) return 0
  const bytes = v128.load(at)
  const length = <usize>ctz(~<u32>i8x16.bitmask(letters(bytes)) | 0x10000)
  if (length - least > 15 - least || at + length > to) return 0
  const after: u32 = at + length == to ? 32 : <u32>load<u8>(at + length)
  if (after - 48 < 10 || after == 95) return 0
  const level = lookUp(at, length)
  if (level == 0) return 0
  const small = (<u32>i8x16.bitmask(i8x16.shl(bytes, 2)) & ((1 << <u32>length) - 1)) != 0
  if (small && !(plain && first) && !opens(before) && !closes(after)) return 0
  foundAt = at
  foundTo = at + length
  return level
}

// @ts-ignore: decorator
@inline
function isWord(c: u32): bool {
  return (c | 32) - 97 < 26 || c - 48 < 10 || c == 95
}

/** A sign before a word that says what it is. Behind a comma prose has a blank. */
// @ts-ignore: decorator
@inline
function opens(c: u32): bool {
  return c == 91 || c == 40 || c == 60 || c == 123 || c == 61 || c == 58 || c == 34 || c == 39 || c == 124 || c == 9 || c == 44
}

/** And one behind it. */
// @ts-ignore: decorator
@inline
function closes(c: u32): bool {
  return c == 93 || c == 41 || c == 62 || c == 125 || c == 58 || c == 34 || c == 39 || c == 124 || c == 9
}

/** The level of a word of 1 to 16 bytes; 0: it is not known. */
function lookUp(at: usize, length: usize): u32 {
  const bytes = v128.load(at)
  // A to Z become small.
  const capital = i8x16.lt_u(i8x16.sub(bytes, i8x16.splat(65)), i8x16.splat(26))
  const word = v128.and(
    v128.or(bytes, v128.and(capital, i8x16.splat(32))),
    i8x16.lt_u(i8x16(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15), i8x16.splat(<u8>length)),
  )
  let place = hash(i64x2.extract_lane(word, 0), i64x2.extract_lane(word, 1)) & mask
  while (true) {
    const entry = words + <usize>place * LEVELS_PLACE
    const level = <u32>load<u8>(entry, LEVELS_WORD)
    if (level == 0) return 0
    if (i8x16.all_true(i8x16.eq(word, v128.load(entry)))) {
      plain = load<u8>(entry, LEVELS_PLAIN) != 0
      return level
    }
    place = (place + 1) & mask
  }
}

/** process/level/compile.ts has the same. */
// @ts-ignore: decorator
@inline
function hash(low: u64, high: u64): u32 {
  return <u32>(((low ^ (high * 0x9e3779b97f4a7c15)) * 0xbf58476d1ce4e5b9) >> 40)
}
