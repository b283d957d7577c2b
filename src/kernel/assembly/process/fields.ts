/**
 * Writes what remains of a record beside the values that have a place of their own: the members of an object, pairs, or
 * the values that an expression found.
 *
 *     names    hidden u16 │ rules u16 │ named u16 │ others u16 │ most u32: values, bytes of a name, of a value, of all
 *              │ hidden: slot u8, when u8 … │ rules … │ named …
 *     rule     what u8 │ bytes u16 │ bytes u16 │ name │ other name
 *     named    slot u8 │ number u8 │ bytes u16 │ name           what an expression found, without a name left out; of pairs, what is
 *                                                              a number
 *
 * A value in a hidden slot is shown elsewhere: always, if the record has a time or a level, or if it says the level's word;
 * and so is any that stands in its place. Names of rules are JSON strings, with their quotes, and are compared by what they
 * say: `\u0073ource` is `source`. The first rule that fits holds; `others` is what becomes of names that have none.
 *
 * No name is written twice: of two that are equal the last holds, and a name that a rule gives gives way to one that the
 * record has itself. A value of no bytes is left out of pairs and of what an expression found: nothing was said.
 *
 * What has more than may be is not written at all (`tooMuch`): the caller sends the frame instead.
 */
import { escaped, isRepairing, plain } from '../body'
import {
  AS_ATTRIBUTE,
  AS_JSON,
  AS_KEY_VALUE,
  JSON,
  NAME_KEPT,
  NAME_LINE,
  NAME_OUT,
  NAMES_CLASH,
  NAMES_LINE,
  NO_TIME,
  PAIRS,
  SCRATCH,
  SHOWN_LEVELLED,
  SHOWN_SAME_LEVEL,
  SHOWN_TIMED,
  TEXT,
  VALUES,
} from '../layout'
import { blank, text } from '../object'
import { wellFormed } from '../repair'
import { attribute, keyValue } from './attribute'
import { beginsWith, clear, hashed, lastOf, note, sameText, START } from './names-seen'
import { find, flags, form, from as found, level, time, to as foundEnd } from './row'
import { saysWord } from './severity'
import { write } from './value'

const HEAD: usize = 24
const RULE: usize = 5
const NAMED: usize = 4
/** `line_`, behind a quote or not. */
const LINE: u64 = 0x5f656e696c
const LINE_BYTES: usize = 5

/** The record at hand has more fields, or longer ones, than may be. */
export let tooMuch: bool = false

// How many there may be yet.
let left: u32 = 0

// The member at hand: its name (of an object with the quotes), and its value.
let name: usize = 0
let nameEnd: usize = 0
let value: usize = 0
let valueEnd: usize = 0
// Within a value: how many values there are, how deep it goes, and its longest text.
let inner: u32 = 0
let deepest: u32 = 0
let longest: usize = 0

// It is known which names the record has.
let isNoted: bool = false

/** Begins a record. */
export function beginFields(): void {
  tooMuch = false
  isNoted = false
}

/**
 * Writes all that remains of the frame [from, to); each member begins with a comma, unless an object begins before it, but
 * attributes do not. Returns the address behind the last, or 0 if it would pass `limit` or is too much.
 */
export function fields(names: usize, how: u32, from: usize, to: usize, out: usize, limit: usize): usize {
  const kind = form()
  if (kind == TEXT) return out
  left = load<u32>(names, 8)
  const most = <usize>load<u32>(names, 20)
  const begin = out
  out = kind == VALUES ? values(names, how, out, limit) : members(names, how, kind, from, to, out, limit)
  if (out != 0 && out - begin > most) {
    tooMuch = true
    return 0
  }
  return out
}

/** The members of an object, or pairs. */
function members(names: usize, how: u32, kind: u32, from: usize, to: usize, out: usize, limit: usize): usize {
  const begin = kind == JSON ? blank(from, to) + 1 : from
  // Names that are not UTF-8 may become the same.
  const mayClash = (flags() & NAMES_CLASH) != 0 || (isRepairing() && wellFormed(from, to) != to)
  if (mayClash && !noteNames(kind, begin, to)) {
    tooMuch = true
    return 0
  }
  let at = begin
  while (true) {
    at = kind == JSON ? member(at, to) : pair(at, to)
    if (at == 0) return out
    if (isHidden(names) || (kind == PAIRS && value == valueEnd)) continue
    if (mayClash && !isLast(kind, to)) continue
    out = put(names, how, kind, begin, to, out, limit)
    if (out == 0) return 0
  }
}

/** What an expression found. */
function values(names: usize, how: u32, out: usize, limit: usize): usize {
  const count = <u32>load<u16>(names, 4)
  let at = namedOf(names)
  for (let n: u32 = 0; n < count; n++) {
    const begin = at + NAMED
    const end = begin + <usize>load<u16>(at, 2)
    const number = load<u8>(at, 1) != 0
    if (find(<u32>load<u8>(at)) && found < foundEnd) {
      value = found
      valueEnd = foundEnd
      name = begin
      nameEnd = end
      inner = 0
      if (begin < end && !isHidden(names)) {
        if (!fits(names, end - begin - 2, 0, how)) return 0
        out = one(begin, end, JSON, false, VALUES, number, how, out, limit)
      }
      if (out == 0) return 0
    }
    at = end
  }
  return out
}

/** Where the names of values stand. */
function namedOf(names: usize): usize {
  let at = names + HEAD + (<usize>load<u16>(names) << 1)
  for (let n = <u32>load<u16>(names, 2); n > 0; n--) at += RULE + <usize>load<u16>(at, 1) + <usize>load<u16>(at, 3)
  return at
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
  inner = 0
  deepest = 0
  longest = 0
  const byte = <u32>load<u8>(at)
  if (byte == 0x22) at = text(at, to)
  else if (byte == 0x7b || byte == 0x5b) at = behindNested(at, to)
  else at = behindWord(at, to)
  valueEnd = at
  at = blank(at, to)
  return at < to && load<u8>(at) == 0x2c ? at + 1 : at
}

/** The address behind the object or array that begins at `at`, which is well formed. Says what is in it. */
function behindNested(at: usize, to: usize): usize {
  let depth: u32 = 0
  // What stands open, the innermost in the lowest bit: 1 is an object.
  let open: u64 = 0
  while (at < to) {
    const byte = <u32>load<u8>(at)
    if (byte == 0x22) {
      const begin = at + 1
      at = text(at, to)
          if (at - 1 - begin > longest && (open & 1) != 0 && load<u8>(blank(at, to)) == 0x3a) longest = at - 1 - begin
      continue
    }
    at++
    if (byte == 0x7b || byte == 0x5b) {
      open = (open << 1) | (byte == 0x7b ? 1 : 0)
      if (++depth > deepest) deepest = depth
    } else if (byte == 0x7d || byte == 0x5d) {
      if (--depth == 0) break
      open >>= 1
    } else if (byte == 0x2c && (open & 1) != 0) inner++
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
  inner = 0
  deepest = 0
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

/** Whether a value of pairs was asked to be a number. */
function isNumber(names: usize): bool {
  let at = namedOf(names)
  for (let n = <u32>load<u16>(names, 4); n > 0; n--) {
    if (load<u8>(at, 1) != 0 && find(<u32>load<u8>(at)) && found == value && foundEnd == valueEnd) return true
    at += NAMED + <usize>load<u16>(at, 2)
  }
  return false
}

/** Notes all names of the record; false if there are too many. The member at hand stays. */
function noteNames(kind: u32, from: usize, to: usize): bool {
  if (isNoted) return true
  const had = name
  const hadEnd = nameEnd
  const hadValue = value
  const hadValueEnd = valueEnd
  const hadInner = inner
  const hadDeepest = deepest
  const hadLongest = longest
  clear()
  let all = true
  let at = from
  while (all) {
    at = kind == JSON ? member(at, to) : pair(at, to)
    if (at == 0) break
    all = note(hashOf(kind), name)
  }
  name = had
  nameEnd = hadEnd
  value = hadValue
  valueEnd = hadValueEnd
  inner = hadInner
  deepest = hadDeepest
  longest = hadLongest
  isNoted = all
  return all
}

/** The hash of what the name at hand says. */
function hashOf(kind: u32): u64 {
  return kind == JSON ? hashed(START, name + 1, nameEnd - 1, true) : hashed(START, name, nameEnd, false)
}

/** Whether no member with the name at hand follows; the record ends at `to`. */
function isLast(kind: u32, to: usize): bool {
  const last = lastOf(hashOf(kind))
  if (last <= name) return true
  if (kind == JSON) return !sameText(name + 1, nameEnd - 1, true, last + 1, text(last, to) - 1, true)
  let end = last
  while (load<u8>(end) != 0x3d) end++
  return !sameText(name, nameEnd, false, last, end, false)
}

/** Whether there may be this field too, whose name is so long; `path`: with all names within its value. */
function fits(names: usize, bytes: usize, path: usize, how: u32): bool {
  // Elsewhere an object is one text.
  const count: u32 = how == AS_JSON ? 1 + inner : 1
  const over =
    count > left ||
    (how == AS_JSON ? max(bytes, path) : bytes) > <usize>load<u32>(names, 12) ||
    valueEnd - value > <usize>load<u32>(names, 16)
  if (over) {
    tooMuch = true
    return false
  }
  left -= count
  return true
}

/** Writes the member at hand, under the name that the rules give it. */
function put(names: usize, how: u32, kind: u32, from: usize, to: usize, out: usize, limit: usize): usize {
  const quotes: usize = kind == JSON ? 1 : 0
  const bare = name + quotes
  const bareEnd = nameEnd - quotes
  const number = kind == PAIRS && isNumber(names)
  let what = <u32>load<u16>(names, 6)
  let rule = names + HEAD + (<usize>load<u16>(names) << 1)
  for (let n = <u32>load<u16>(names, 2); n > 0; n--) {
    const end = rule + RULE + <usize>load<u16>(rule, 1)
    const is = <u32>load<u8>(rule)
    const fit =
      is == NAMES_LINE
        ? beginsWith(bare, bareEnd, kind == JSON, rule + RULE + 1, end - 1)
        : sameText(bare, bareEnd, kind == JSON, rule + RULE + 1, end - 1, true)
    if (fit) {
      what = is
      break
    }
    rule = end + <usize>load<u16>(rule, 3)
  }
  if (what == NAME_OUT) return out
  let bytes = bareEnd - bare
  const path: usize = deepest == 0 ? <usize>0 : bytes + <usize>deepest * (longest + 1)
  if (what != NAME_KEPT) {
    // The name is given, and there must not be another value of it.
    if (!noteNames(kind, from, to)) {
      tooMuch = true
      return 0
    }
    if (what == NAMES_LINE) {
      store<u64>(SCRATCH, LINE)
      const head = hashed(START, SCRATCH, SCRATCH + LINE_BYTES, false)
      if (lastOf(hashed(head, bare, bareEnd, kind == JSON)) != 0) return out
      bytes += LINE_BYTES
    } else {
      const begin = rule + RULE + <usize>load<u16>(rule, 1)
      const end = begin + <usize>load<u16>(rule, 3)
      if (lastOf(hashed(START, begin + 1, end - 1, true)) == 0) {
        if (!fits(names, end - begin - 2, path, how)) return 0
        return one(begin, end, JSON, false, kind, number, how, out, limit)
      }
      if (what == NAME_LINE) return out
    }
  }
  if (!fits(names, bytes, path, how)) return 0
  return one(name, nameEnd, kind == JSON ? JSON : TEXT, what == NAMES_LINE, kind, number, how, out, limit)
}

/** Writes a name and a value. A name of an object has its quotes. `line`: behind `line_`, where fields are members. */
function one(
  name: usize,
  nameEnd: usize,
  nameForm: u32,
  line: bool,
  kind: u32,
  number: bool,
  how: u32,
  out: usize,
  limit: usize,
): usize {
  if (how == AS_ATTRIBUTE) return attribute(name, nameEnd, nameForm, value, valueEnd, kind, number, out, limit)
  if (how == AS_KEY_VALUE) return keyValue(name, nameEnd, nameForm, value, valueEnd, kind, number, out, limit)
  if (out + 10 > limit) return 0
  if (load<u8>(out - 1) != 0x7b) store<u8>(out++, 0x2c)
  store<u8>(out++, 0x22)
  if (line) {
    store<u64>(out, LINE)
    out += LINE_BYTES
  }
  out = nameForm == JSON ? plain(name + 1, nameEnd - 1, out, limit) : escaped(name, nameEnd, out, limit)
  if (out == 0 || out + 2 > limit) return 0
  store<u16>(out, 0x3a22)
  return write(value, valueEnd, kind, number, how, out + 2, limit)
}
