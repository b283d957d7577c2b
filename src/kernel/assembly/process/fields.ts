/**
 * Writes what remains of a record beside the values that have a place of their own: the members of an object, pairs, or
 * the values that an expression found.
 *
 *     names    hidden u16 │ rules u16 │ named u16 │ hidden: slot u8, when u8 … │ rules … │ named …
 *     rule     what u8 │ bytes u8 │ bytes u8 │ name │ other name         what: leave it out, or give it the other name
 *     named    slot u8 │ number u8 │ bytes u8 │ name                      of values that an expression found
 *
 * A value in a hidden slot is shown elsewhere: always, if the record has a time or a level, or if it says the level's word.
 * Names are JSON strings, with their quotes, and compared as they are written. A value that stands where that of a hidden slot does is shown elsewhere. Where
 * a name stands twice in an object or in pairs the last one holds. A value of no bytes is left out of pairs and of what an
 * expression found: nothing was said.
 */
import { escaped, plain } from '../body'
import {
  AS_ATTRIBUTE,
  AS_KEY_VALUE,
  JSON,
  NAMES_CLASH,
  NO_TIME,
  PAIRS,
  SHOWN_LEVELLED,
  SHOWN_SAME_LEVEL,
  SHOWN_TIMED,
  TEXT,
  VALUES,
} from '../layout'
import { blank, text } from '../object'
import { attribute, keyValue } from './attribute'
import { find, flags, form, from as found, level, time, to as foundEnd } from './row'
import { saysWord } from './severity'
import { write } from './value'

const RENAME: u32 = 1
const HEAD: usize = 6

// The member at hand: its name (of an object with the quotes), and its value.
let name: usize = 0
let nameEnd: usize = 0
let value: usize = 0
let valueEnd: usize = 0

/**
 * Writes all that remains of the frame [from, to); each member begins with a comma, but attributes do not. Returns the
 * address behind the last, or 0 if it would pass `limit`.
 */
export function fields(names: usize, how: u32, from: usize, to: usize, out: usize, limit: usize): usize {
  const kind = form()
  if (kind == VALUES) return values(names, how, out, limit)
  if (kind != JSON && kind != PAIRS) return out
  const clash = (flags() & NAMES_CLASH) != 0
  let at = kind == JSON ? blank(from, to) + 1 : from
  while (true) {
    at = kind == JSON ? member(at, to) : pair(at, to)
    if (at == 0) return out
    if (isHidden(names) || (kind == PAIRS && value == valueEnd)) continue
    if (clash && comesAgain(at, to, kind)) continue
    out = put(names, how, kind, out, limit)
    if (out == 0) return 0
  }
}

/** What an expression found. */
function values(names: usize, how: u32, out: usize, limit: usize): usize {
  const count = <u32>load<u16>(names, 4)
  let at = names + HEAD + (<usize>load<u16>(names) << 1)
  for (let n = <u32>load<u16>(names, 2); n > 0; n--) at += 3 + <usize>load<u8>(at, 1) + <usize>load<u8>(at, 2)
  for (let n: u32 = 0; n < count; n++) {
    const begin = at + 3
    const end = begin + <usize>load<u8>(at, 2)
    const number = load<u8>(at, 1) != 0
    if (find(<u32>load<u8>(at)) && found < foundEnd) {
      value = found
      valueEnd = foundEnd
      if (!isHidden(names)) out = one(begin, end, JSON, value, valueEnd, VALUES, number, how, out, limit)
      if (out == 0) return 0
    }
    at = end
  }
  return out
}

/** Reads the member of an object that begins at `at`, or behind white space; returns where the next one does, or 0. */
function member(at: usize, to: usize): usize {
  at = blank(at, to)
  if (at >= to || load<u8>(at) != 0x22) return 0
  name = at
  at = text(at, to)
  nameEnd = at
  at = blank(blank(at, to) + 1, to)
  value = at
  const byte = <u32>load<u8>(at)
  if (byte == 0x22) at = text(at, to)
  else if (byte == 0x7b || byte == 0x5b) at = behindNested(at, to)
  else at = behindWord(at, to)
  valueEnd = at
  at = blank(at, to)
  return at < to && load<u8>(at) == 0x2c ? at + 1 : at
}

/** The address behind the object or array that begins at `at`, which is well formed. */
function behindNested(at: usize, to: usize): usize {
  let depth = 0
  while (at < to) {
    const byte = <u32>load<u8>(at)
    if (byte == 0x22) {
      at = text(at, to)
      continue
    }
    at++
    if (byte == 0x7b || byte == 0x5b) depth++
    else if ((byte == 0x7d || byte == 0x5d) && --depth == 0) break
  }
  return at
}

function behindWord(at: usize, to: usize): usize {
  while (at < to) {
    const byte = <u32>load<u8>(at)
    if (byte <= 0x20 || byte == 0x2c || byte == 0x7d || byte == 0x5d) break
    at++
  }
  return at
}

/** Reads the pair that begins at `at`, or behind blanks; returns the address behind it, or 0 if there is none. */
function pair(at: usize, to: usize): usize {
  while (at < to && load<u8>(at) <= 0x20) at++
  if (at >= to) return 0
  name = at
  while (at < to && load<u8>(at) != 0x3d) at++
  nameEnd = at
  value = ++at
  if (at < to && load<u8>(at) == 0x22) {
    for (at++; at < to && load<u8>(at) != 0x22; at++) if (load<u8>(at) == 0x5c) at++
    at++
  } else while (at < to && load<u8>(at) > 0x20) at++
  if (at > to) at = to
  valueEnd = at
  return at
}

/** Whether the value at hand has a place of its own. */
function isHidden(names: usize): bool {
  const count = <usize>load<u16>(names)
  for (let n: usize = 0; n < count; n++) {
    const at = names + HEAD + (n << 1)
    if (find(<u32>load<u8>(at)) && found == value && foundEnd == valueEnd) return shown(<u32>load<u8>(at, 1))
  }
  return false
}

/** Whether the value at hand is shown in its own place. */
function shown(when: u32): bool {
  if (when == SHOWN_TIMED) return time() != NO_TIME
  if (when == SHOWN_LEVELLED) return level() != 0
  if (when == SHOWN_SAME_LEVEL) return level() != 0 && saysWord(value, valueEnd, form(), level())
  return true
}

/** Whether a member with the name at hand follows. All behind it are looked at: few records have such names. */
function comesAgain(at: usize, to: usize, kind: u32): bool {
  const begin = name
  const bytes = nameEnd - name
  const had = value
  const hadEnd = valueEnd
  let again = false
  while (!again) {
    at = kind == JSON ? member(at, to) : pair(at, to)
    if (at == 0) break
    again = nameEnd - name == bytes && memory.compare(name, begin, bytes) == 0
  }
  name = begin
  nameEnd = begin + bytes
  value = had
  valueEnd = hadEnd
  return again
}

/** Writes the member at hand, under the name that the rules give it. */
function put(names: usize, how: u32, kind: u32, out: usize, limit: usize): usize {
  const quotes: usize = kind == JSON ? 0 : 1
  const bytes = nameEnd - name + 2 * quotes
  let at = names + HEAD + (<usize>load<u16>(names) << 1)
  for (let n = <u32>load<u16>(names, 2); n > 0; n--) {
    const length = <usize>load<u8>(at, 1)
    const other = <usize>load<u8>(at, 2)
    if (length == bytes && memory.compare(at + 3 + quotes, name, bytes - 2 * quotes) == 0) {
      if (<u32>load<u8>(at) != RENAME) return out
      const begin = at + 3 + length
      return one(begin, begin + other, JSON, value, valueEnd, kind, false, how, out, limit)
    }
    at += 3 + length + other
  }
  return one(name, nameEnd, kind == JSON ? JSON : TEXT, value, valueEnd, kind, false, how, out, limit)
}

/** Writes a name and a value. A name of an object has its quotes. */
function one(
  name: usize,
  nameEnd: usize,
  nameForm: u32,
  from: usize,
  to: usize,
  kind: u32,
  number: bool,
  how: u32,
  out: usize,
  limit: usize,
): usize {
  if (how == AS_ATTRIBUTE) return attribute(name, nameEnd, nameForm, from, to, kind, number, out, limit)
  if (how == AS_KEY_VALUE) return keyValue(name, nameEnd, nameForm, from, to, kind, number, out, limit)
  if (out + 4 > limit) return 0
  store<u8>(out++, 0x2c)
  if (nameForm == JSON) out = plain(name, nameEnd, out, limit)
  else {
    store<u8>(out++, 0x22)
    out = escaped(name, nameEnd, out, limit)
    if (out == 0 || out + 1 > limit) return 0
    store<u8>(out++, 0x22)
  }
  if (out == 0 || out + 1 > limit) return 0
  store<u8>(out++, 0x3a)
  return write(from, to, kind, number, how, out, limit)
}
