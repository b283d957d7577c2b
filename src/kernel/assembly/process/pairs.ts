/**
 * Values behind a name: in JSON, in JSON within a string of JSON, in logfmt, in query strings, in headers, in arguments.
 *
 *     "password": "hunter2"          \"password\":\"hunter2\"          password=hunter2&user=joe      Password: hunter2
 *     "password": {"value": "x"}     password\u003dhunter2\u0026…      password="hun ter"             --password hunter2
 *
 * A quote counts by the backslashes in front of it: within a string of JSON they are one more, within a string of that
 * three, and a value ends with as many as it began with.
 */
import { mask, masked, maskNumber } from './mask'
import {
  ALNUM,
  begin,
  count,
  edge,
  end,
  goesOn,
  is,
  isDigit,
  isHex,
  isWord,
  json,
  moveFloor,
  SCHEMES,
  STOP,
  table,
  WHOLE,
} from './redaction'

/** Flags of a name: nothing else is part of it; it is not the end of a word; a scheme comes before its value. */
export const EXACT: u32 = 1
export const WORD: u32 = 2
export const SCHEMED: u32 = 4

/** Blanks around a separator, backslashes before a quote, and bytes of a name, that are looked at. */
const BLANKS: usize = 16
const SLASHES: usize = 15
const NAME: usize = 64

const QUOTE: u32 = 0x22
const APOSTROPHE: u32 = 0x27
const SLASH: u32 = 0x5c
/** A quote that is written as `\u0022` or `%22`. */
const WRITTEN: u32 = 1

/** Of the last quote: what it is, and how many backslashes belong to it. */
let quote: u32 = 0
let depth: usize = 0

/** The address behind a quote at `at`; 0 if there is none. */
function quoteAt(at: usize): usize {
  let next = at
  while (next < end && next - at < SLASHES && load<u8>(next) == SLASH) next++
  if (next >= end) return 0
  const byte = <u32>load<u8>(next)
  depth = next - at
  if (byte == QUOTE || byte == APOSTROPHE) {
    quote = byte
    return next + 1
  }
  quote = WRITTEN
  if (next > at && codeAt(next, end) == 0x22) return next + 5
  if (next == at && percentAt(at, end) == 0x22) return at + 3
  return 0
}

/** What `u0022` at `at` says; 0 if it says nothing, or no ASCII. */
function codeAt(at: usize, to: usize): u32 {
  if (at + 5 > to || load<u8>(at) != 0x75 || load<u8>(at + 1) != 0x30 || load<u8>(at + 2) != 0x30) return 0
  return pairOf(at + 3)
}

/** What `%22` at `at` says, or 0. */
function percentAt(at: usize, to: usize): u32 {
  return at + 3 > to || load<u8>(at) != 0x25 ? 0 : pairOf(at + 1)
}

function pairOf(at: usize): u32 {
  const high = <u32>load<u8>(at)
  const low = <u32>load<u8>(at + 1)
  return isHex(high) && isHex(low) ? (valueOf(high) << 4) | valueOf(low) : 0
}

// @ts-ignore: decorator
@inline
function valueOf(digit: u32): u32 {
  return isDigit(digit) ? digit - 48 : (digit | 32) - 87
}

/** Behind the blanks at `at`. */
export function blanks(at: usize): usize {
  const stop = min(end, at + BLANKS)
  let next = at
  while (next < stop && (load<u8>(next) == 0x20 || load<u8>(next) == 0x09)) next++
  return next
}

// @ts-ignore: decorator
@inline
function isName(byte: u32): bool {
  return isWord(byte) || byte == 0x2d
}

/** The name ends at `from`, which is where the part of it begins that is known. */
function edged(from: usize, flags: u32): bool {
  if (from <= begin || !goesOn(from)) {
    return !(flags & EXACT) || from <= begin || load<u8>(from - 1) != 0x2d || isArgument(from)
  }
  if (flags & EXACT) return false
  if (!(flags & WORD)) return true
  const before = <u32>load<u8>(from - 1)
  if (before == 0x5f || isDigit(before)) return true
  // A word begins with a capital where the one before it ends with none: `dbPass`.
  return before >= 0x61 && <u32>load<u8>(from) < 0x61
}

/** Whether the name that ends at `at` is one of an argument: `--name`. */
function isArgument(at: usize): bool {
  let from = at
  const least = max(begin, at - min(at, NAME))
  while (from > least && isName(<u32>load<u8>(from - 1))) from--
  return from + 2 <= at && load<u8>(from) == 0x2d && load<u8>(from + 1) == 0x2d
}

/** Whether the name that ends at `at` is one of an element of XML. */
function isElement(at: usize): bool {
  let from = at
  const least = max(begin, at - min(at, NAME))
  while (from > least && (isName(<u32>load<u8>(from - 1)) || load<u8>(from - 1) == 0x3a)) from--
  return from > begin && load<u8>(from - 1) == 0x3c
}

/** Whether the name of which [at, to) is the last part is the label of a mask; `user[password]=` is none. */
function isLabel(at: usize, to: usize): bool {
  let from = at
  const least = max(begin, at - min(at, NAME))
  while (from > least && isName(<u32>load<u8>(from - 1))) from--
  if (from == begin || load<u8>(from - 1) != 0x5b || masked(from - 1, end) == 0) return false
  if (to < end && load<u8>(to) == 0x3a) return true
  const before = from > begin + 1 ? <u32>load<u8>(from - 2) : 0
  return !isWord(before) && before != 0x5d
}

/** What stands between a name and its value. */
const NONE: u32 = 0
const COLON: u32 = 1
const EQUALS: u32 = 2
const BLANK: u32 = 3
let separator: u32 = 0

/** The address behind a separator at `at`, which follows `blank` blanks behind a name that ends at `name`. */
function separatorAt(at: usize, blank: usize, name: usize): usize {
  separator = NONE
  if (at >= end) return at
  const byte = <u32>load<u8>(at)
  if (byte == 0x3d) {
    separator = EQUALS
    const next = at + 1 < end ? <u32>load<u8>(at + 1) : 0
    return next == 0x3d || next == 0x3e ? at + 2 : at + 1
  }
  if (byte == 0x3a) {
    separator = COLON
    return at + 1 < end && load<u8>(at + 1) == 0x3d ? at + 2 : at + 1
  }
  if (byte == 0x3e && blank == 0) {
    if (isElement(name)) separator = EQUALS
    return at + 1
  }
  let said: u32 = 0
  let next = at
  if (byte == SLASH) {
    while (next < end && next - at < SLASHES && load<u8>(next) == SLASH) next++
    said = codeAt(next, end)
    next += 5
  } else if (byte == 0x25) {
    said = percentAt(at, end)
    next = at + 3
  }
  if (said == 0x3d || said == 0x3a) {
    separator = said == 0x3d ? EQUALS : COLON
    return next
  }
  if (blank > 0 && isArgument(name)) separator = BLANK
  return at
}

/** Masks the value of a name of which the known part is [from, to); returns whether there was one. */
export function pair(from: usize, to: usize, rule: u32, flags: u32): bool {
  if (!edged(from, flags)) return false
  let name = to
  // `password2`.
  if (!(flags & EXACT)) for (let n = 0; n < 2 && name < end && isDigit(<u32>load<u8>(name)); n++) name++
  let at = quoteAt(name)
  const named = at != 0
  const nameDepth = depth
  const nameQuote = quote
  if (!named) at = name
  if (at < end && load<u8>(at) == 0x5d) at++
  const gap = at
  at = blanks(at)
  at = separatorAt(at, at - gap, name)
  if (separator == NONE || at >= end) return false
  at = blanks(at)
  if (at >= end || isLabel(from, to)) return false
  const colon = separator == COLON
  if (separator == BLANK && load<u8>(at) == 0x2d) return false
  const inner = quoteAt(at)
  if (inner != 0) {
    const by = quote
    const level = depth
    // The quote that ends the string of JSON in which all of this stands.
    if (named && colon && level < nameDepth) return false
    if (by == QUOTE && (level & 1) == 0) {
      // In JSON it begins a string, which only a value behind a name is, or ends the one in which the name stands.
      if (json ? !(named && colon && level == 0 && nameQuote == QUOTE) : !(named && colon) && closes(inner)) return false
    }
    return quoted(inner, by, level, rule, flags)
  }
  if (named && colon) {
    const byte = <u32>load<u8>(at)
    if (byte == 0x7b || byte == 0x5b) {
      const own = masked(at, end)
      if (own != 0) return cover(rule, at, own, true)
      nested(at, nameDepth, rule)
      return true
    }
    const number = numberAt(at)
    if (number != 0) {
      maskNumber(rule, at, number)
      return true
    }
    if (isLiteral(at)) return false
  }
  return bare(at, rule, flags)
}

/** Whether what follows a quote says that it ends something. */
function closes(behind: usize): bool {
  const next = behind < end ? <u32>load<u8>(behind) : 0x2c
  return next == 0x2c || next == 0x7d || next == 0x5d
}

function quoted(at: usize, by: u32, level: usize, rule: u32, flags: u32): bool {
  const to = closing(at, by, level)
  let from = at
  if (flags & SCHEMED) from = behindScheme(at, to)
  if (from >= to) return false
  return cover(rule, from, to, masked(from, to) == to)
}

/** Masks a value, unless it is a mask already: then it is left alone by other rules too. */
function cover(rule: u32, from: usize, to: usize, isMask: bool): bool {
  if (isMask) {
    moveFloor(to)
    return true
  }
  if (to == end && edge != WHOLE) count(rule, true)
  mask(rule, from, to)
  return true
}

/** Where a value within quotes ends: before the backslashes of the quote, or where the line does. */
function closing(from: usize, by: u32, level: usize): usize {
  const period: usize = 2 * (level + 1)
  let slashes: usize = 0
  let at = from
  for (; at < end; at++) {
    const byte = <u32>load<u8>(at)
    if (byte == SLASH) {
      slashes++
      continue
    }
    if (byte == 10) break
    if (byte == QUOTE || byte == APOSTROPHE) {
      const own = slashes % period
      if (byte == by && own <= level) return at - own
      // The string of JSON ends in which this stands.
      if (byte == QUOTE && (by == WRITTEN || json) && (slashes & 1) == 0) return at
    } else if (by == WRITTEN) {
      if (slashes > 0 && codeAt(at, end) == 0x22) return at - slashes
      if (level == 0 && percentAt(at, end) == 0x22) return at
    }
    slashes = 0
  }
  // A backslash at the end of a string that goes on belongs to what is masked.
  return at
}

/** Whether what begins at `at` says that there is no value. */
function isLiteral(at: usize): bool {
  if (at + 4 > end) return false
  const word = load<u32>(at)
  if (word == 0x6c6c756e || word == 0x65757274) return at + 4 == end || !is(<u32>load<u8>(at + 4), ALNUM)
  return word == 0x736c6166 && at + 5 <= end && load<u8>(at + 4) == 0x65 && (at + 5 == end || !is(<u32>load<u8>(at + 5), ALNUM))
}

/** Where a number of JSON ends that begins at `at`, and 0 if none does. */
function numberAt(at: usize): usize {
  let to = at
  let digits = 0
  while (to < end) {
    const byte = <u32>load<u8>(to)
    if (isDigit(byte)) digits++
    else if (byte != 0x2d && byte != 0x2b && byte != 0x2e && (byte | 32) != 0x65) break
    to++
  }
  if (digits == 0) return 0
  if (to == end) return to
  const next = <u32>load<u8>(to)
  return next == 0x2c || next == 0x7d || next == 0x5d || next <= 0x20 ? to : 0
}

/** Masks a value without quotes. */
function bare(at: usize, rule: u32, flags: u32): bool {
  let from = at
  if (flags & SCHEMED) from = behindScheme(at, end)
  const own = masked(from, end)
  const to = valueEnd(from)
  if (to <= from) return false
  return cover(rule, from, own == to + 1 ? own : to, own == to || own == to + 1)
}

/** Where a value without quotes ends. */
export function valueEnd(from: usize): usize {
  let at = from
  while (at < end) {
    const byte = <u32>load<u8>(at)
    if (!is(byte, STOP)) {
      at++
      continue
    }
    if (byte == 0x25) {
      const said = percentAt(at, end)
      if (said == 0x26 || said == 0x22) break
      at++
      continue
    }
    if (byte != SLASH) break
    let next = at
    while (next < end && load<u8>(next) == SLASH) next++
    if (next == end) {
      at = next
      break
    }
    const escaped = <u32>load<u8>(next)
    if (escaped == QUOTE || escaped == APOSTROPHE) break
    if (next == at + 1 && (escaped == 0x6e || escaped == 0x72 || escaped == 0x74)) break
    if (escaped == 0x75) {
      const said = codeAt(next, end)
      if (said == 0x26 || said == 0x22 || said == 0x27 || said == 0x3c || said == 0x20) break
    }
    at = next + 1
  }
  if (at > end) at = end
  // What opened before the name closes behind the value.
  while (at > from && (at < end || edge == WHOLE) && (load<u8>(at - 1) == 0x29 || load<u8>(at - 1) == 0x5d)) at--
  return at
}

/** Behind the word for how the value is meant, if there is one that is known: `Bearer `. */
function behindScheme(at: usize, to: usize): usize {
  let scheme = table + <usize>load<u32>(table, SCHEMES)
  while (true) {
    const length = <usize>load<u8>(scheme)
    if (length == 0) return at
    scheme++
    if (at + length < to && load<u8>(at + length) == 0x20) {
      let same: usize = 0
      while (same < length && (load<u8>(at + same) | 32) == load<u8>(scheme + same)) same++
      if (same == length) {
        let next = at + length
        while (next < to && load<u8>(next) == 0x20) next++
        return next
      }
    }
    scheme += length
  }
}

/** Masks all values of an object or an array that opens at `from`, whose quotes have so many backslashes. */
function nested(from: usize, level: usize, rule: u32): void {
  moveFloor(walk(from, level, rule))
}

/** Returns the address behind what was looked at. */
function walk(from: usize, level: usize, rule: u32): usize {
  let open: u32 = 0
  let at = from
  while (at < end) {
    const byte = <u32>load<u8>(at)
    if (byte == 10) return at
    if (byte == 0x7b || byte == 0x5b) open++
    else if (byte == 0x7d || byte == 0x5d) {
      if (--open == 0) return at
    } else if (byte == QUOTE || byte == SLASH) {
      const inner = quoteAt(at)
      if (inner == 0 || quote != QUOTE || depth != level) return at
      const to = closing(inner, QUOTE, level)
      at = to
      if (at < end && load<u8>(at) != 10) at += level + 1
      const next = blanks(at)
      if (next >= end || load<u8>(next) != 0x3a) {
        if (to == end && edge != WHOLE) count(rule, true)
        if (masked(inner, to) != to) mask(rule, inner, to)
      }
      continue
    } else if (isDigit(byte) || byte == 0x2d) {
      const number = numberAt(at)
      if (number != 0) {
        maskNumber(rule, at, number)
        at = number
        continue
      }
    }
    at++
  }
  return at
}
