/**
 * Writes what remains of a record beside the values that have a place of their own: the members of an object, pairs, or
 * the values that an expression found. rules.ts says how the names lie in memory that values are given.
 *
 *     object   {"time":"…","pid":7,"ok":true,"level":"info","req":{"url":"/"}}
 *                         └─── stretch ────┘               └── stretch ───┘      copied as they stand
 *
 * No name is written twice: of two that are equal the last holds, and a name that a rule gives gives way to one that the
 * record has itself. A value of no bytes is left out of pairs and of what an expression found: nothing was said.
 */
import { isRepairing } from '../body'
import { copy } from '../copy'
import { escapes } from '../escape'
import {
  AS_JSON,
  JSON,
  NAME_KEPT,
  NAME_LINE,
  NAME_OUT,
  NAMES,
  NAMES_CLASH,
  NAMES_LINE,
  PAIRS,
  TEXT,
  VALUES,
} from '../layout'
import { blank } from '../object'
import { wellFormed } from '../repair'
import { allow, fits, LINE, LINE_BYTES, one, refuse } from './field'
import { values } from './fields-found'
import { readMembers } from './fields-read'
import { isHidden, noteHidden } from './hidden'
import { deepest, inner, longest, lookInto, nothingIn } from './member'
import { has, last, MEMBER, noteObject, notePairs } from './members'
import { flags, form } from './row'
import {
  flattensBy,
  hasHeads,
  INDEX,
  isNumber,
  isBounded,
  MOST_BYTES,
  MOST_NAME,
  MOST_VALUES,
  NAMED_COUNT,
  othersOf,
  RULE,
  ruleOf,
} from './rules'

const MOST_SEARCHED: usize = 64

/**
 * Writes all that remains of the frame [from, to); each member begins with a comma, unless an object begins before it, but
 * attributes do not. Returns the address behind the last, or 0 if it would pass `limit` or is too much.
 */
export function fields(names: usize, how: u32, from: usize, to: usize, out: usize, limit: usize): usize {
  const kind = form()
  if (kind == TEXT) return out
  allow(load<u32>(names, MOST_VALUES))
  noteHidden(names)
  const begin = out
  out = kind == VALUES ? values(names, how, from, to, out, limit) : members(names, how, kind, from, to, out, limit)
  return out != 0 && out - begin > <usize>load<u32>(names, MOST_BYTES) ? refuse() : out
}

/** The members of an object, or pairs. */
function members(names: usize, how: u32, kind: u32, from: usize, to: usize, out: usize, limit: usize): usize {
  const begin = kind == JSON ? blank(from, to) + 1 : from
  // What two names say is known once they are put together.
  if (kind == JSON && flattensBy(names)) return readMembers(names, how, kind, true, begin, to, out, limit)
  // Names that are not UTF-8 may become the same.
  const mayClash = (flags() & NAMES_CLASH) != 0 || (isRepairing() && wellFormed(from, to) != to)
  if (mayClash || load<u32>(names, INDEX) == 0) {
    return readMembers(names, how, kind, mayClash, begin, to, out, limit)
  }
  if (!(kind == JSON ? noteObject(begin, to) : notePairs(begin, to)) || isLong(names)) {
    return readMembers(names, how, kind, false, begin, to, out, limit)
  }
  return kind == JSON && how == AS_JSON
    ? stretches(names, to, out, limit)
    : singly(names, how, kind, to, out, limit)
}

/** Whether for each of many members all others would be looked through, since it is called otherwise. */
// @ts-ignore: decorator
@inline
function isLong(names: usize): bool {
  return last - NAMES > MOST_SEARCHED * MEMBER && hasHeads(names)
}

/** Members that were noted, each by itself. */
function singly(names: usize, how: u32, kind: u32, to: usize, out: usize, limit: usize): usize {
  const quotes: usize = kind == JSON ? 1 : 0
  const nameForm = kind == JSON ? JSON : TEXT
  const others = othersOf(names)
  const mayBeNumber = kind == PAIRS && load<u16>(names, NAMED_COUNT) != 0
  const bounded = isBounded(names)
  const shortly = kind == PAIRS && how == AS_JSON && !isRepairing()
  nothingIn()
  for (let entry = NAMES; entry < last; entry += MEMBER) {
    const name = <usize>load<u32>(entry)
    const nameEnd = <usize>load<u32>(entry, 4)
    const value = <usize>load<u32>(entry, 8)
    const valueEnd = <usize>load<u32>(entry, 12)
    if (isHidden(value, valueEnd) || (kind == PAIRS && value == valueEnd)) continue
    const bytes = nameEnd - name - 2 * quotes
    const rule = ruleOf(names, name + quotes, bytes)
    const what = rule == 0 ? others : <u32>load<u8>(rule)
    if (what == NAME_OUT) continue
    if (bounded && kind == JSON) lookInto(value, to)
    const number = mayBeNumber && isNumber(names, value, valueEnd)
    if (what == NAME_KEPT) {
      if (bounded && !fits(names + MOST_NAME, inner, bytes, pathOf(bytes), valueEnd - value, how)) return 0
      const behind = shortly && !number ? pair(name, nameEnd, value, valueEnd, out, limit) : <usize>0
      out = behind != 0 ? behind : one(name, nameEnd, nameForm, false, value, valueEnd, kind, number, how, out, limit)
    } else out = given(names, rule, what, entry, quotes, number, kind, how, out, limit)
    if (out == 0) return 0
  }
  return out
}

/** Members of an object, in stretches of those that follow each other and stay as they are. */
function stretches(names: usize, to: usize, out: usize, limit: usize): usize {
  const others = othersOf(names)
  const bounded = isBounded(names)
  let from: usize = 0
  let end: usize = 0
  nothingIn()
  for (let entry = NAMES; entry < last; entry += MEMBER) {
    const name = <usize>load<u32>(entry)
    const nameEnd = <usize>load<u32>(entry, 4)
    const value = <usize>load<u32>(entry, 8)
    const valueEnd = <usize>load<u32>(entry, 12)
    if (isHidden(value, valueEnd)) continue
    const bytes = nameEnd - name - 2
    const rule = ruleOf(names, name + 1, bytes)
    const what = rule == 0 ? others : <u32>load<u8>(rule)
    if (what == NAME_OUT) continue
    if (bounded) lookInto(value, to)
    if (what == NAME_KEPT) {
      if (bounded && !fits(names + MOST_NAME, inner, bytes, pathOf(bytes), valueEnd - value, AS_JSON)) return 0
      // White space around a colon or a comma is left out.
      if (value == nameEnd + 1) {
        if (end != 0) {
          if (name == end + 1) {
            end = valueEnd
            continue
          }
          out = stretch(from, end, out, limit)
          if (out == 0) return 0
        }
        from = name
        end = valueEnd
        continue
      }
    }
    if (end != 0) {
      out = stretch(from, end, out, limit)
      end = 0
      if (out == 0) return 0
    }
    out =
      what == NAME_KEPT
        ? one(name, nameEnd, JSON, false, value, valueEnd, JSON, false, AS_JSON, out, limit)
        : given(names, rule, what, entry, 1, false, JSON, AS_JSON, out, limit)
    if (out == 0) return 0
  }
  return end == 0 ? out : stretch(from, end, out, limit)
}

// @ts-ignore: decorator
@inline
function stretch(from: usize, to: usize, out: usize, limit: usize): usize {
  if (out >= limit) return 0
  if (load<u8>(out - 1) != 0x7b) store<u8>(out++, 0x2c)
  return copy(from, to, out, limit)
}

/** Bytes of the longest name within the value that was looked into, with all names around it; 0: there is none. */
// @ts-ignore: decorator
@inline
function pathOf(bytes: usize): usize {
  return deepest == 0 ? <usize>0 : bytes + <usize>deepest * (longest + 1)
}

/** Writes a member that was noted under the name that a rule gives it, unless the record has a value of that name. */
function given(
  names: usize,
  rule: usize,
  what: u32,
  entry: usize,
  quotes: usize,
  number: bool,
  kind: u32,
  how: u32,
  out: usize,
  limit: usize,
): usize {
  const name = <usize>load<u32>(entry)
  const nameEnd = <usize>load<u32>(entry, 4)
  const value = <usize>load<u32>(entry, 8)
  const valueEnd = <usize>load<u32>(entry, 12)
  const most = names + MOST_NAME
  let bytes = nameEnd - name - 2 * quotes
  const path = pathOf(bytes)
  if (what == NAMES_LINE) {
    if (has(LINE, LINE_BYTES, name + quotes, bytes, quotes)) return out
    bytes += LINE_BYTES
  } else {
    const begin = rule + RULE + <usize>load<u16>(rule, 1)
    const end = begin + <usize>load<u16>(rule, 3)
    if (!has(0, 0, begin + 1, end - begin - 2, quotes)) {
      if (!fits(most, inner, end - begin - 2, path, valueEnd - value, how)) return 0
      return one(begin, end, JSON, false, value, valueEnd, kind, number, how, out, limit)
    }
    if (what == NAME_LINE) return out
  }
  if (!fits(most, inner, bytes, path, valueEnd - value, how)) return 0
  const form = kind == JSON ? JSON : TEXT
  return one(name, nameEnd, form, what == NAMES_LINE, value, valueEnd, kind, number, how, out, limit)
}

/** Writes a pair, if both are short and nothing in them is written otherwise in JSON; else returns 0. */
// @ts-ignore: decorator
@inline
function pair(name: usize, nameEnd: usize, value: usize, valueEnd: usize, out: usize, limit: usize): usize {
  const quotes: usize = load<u8>(value) == 0x22 ? 1 : 0
  const from = value + quotes
  const bytes = nameEnd - name
  const length = valueEnd - quotes - from
  if (bytes > 16 || length > 32 || out + 72 > limit) return 0
  const head = v128.load(name)
  const a = v128.load(from)
  const b = v128.load(from, 16)
  const inName = <u32>i8x16.bitmask(escapes(head)) & ((1 << <u32>bytes) - 1)
  const inValue = <u64>(<u32>i8x16.bitmask(escapes(a)) | (<u32>i8x16.bitmask(escapes(b)) << 16))
  if (inName != 0 || (inValue & (((<u64>1) << length) - 1)) != 0) return 0
  if (load<u8>(out - 1) != 0x7b) store<u8>(out++, 0x2c)
  store<u8>(out++, 0x22)
  v128.store(out, head)
  out += bytes
  store<u32>(out, 0x223a22)
  out += 3
  v128.store(out, a)
  v128.store(out, b, 16)
  store<u8>(out + length, 0x22)
  return out + length + 1
}
