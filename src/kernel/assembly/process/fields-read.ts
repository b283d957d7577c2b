/**
 * Writes the members of a record whose names have to be read: a name may stand twice, in it or in a rule is an escape, it is
 * no UTF-8, or it is put together from those of objects (walk.ts). Few are: fields.ts writes the others.
 *
 * Names are compared by what they say: `\u0073ource` is `source`. Of two that are equal the last holds.
 */
import { JSON, NAME_KEPT, NAME_LINE, NAME_OUT, NAMES_LINE, PAIRS, SCRATCH, TEXT } from '../layout'
import { text } from '../object'
import { fits, LINE, LINE_BYTES, one, refuse } from './field'
import { isHidden } from './hidden'
import { deepest, inner, longest, member, name, nameEnd, pair, value, valueEnd } from './member'
import { beginsWith, clear, hashed, lastOf, note, sameText, START } from './names-seen'
import { flattensBy, isNumber, MOST_NAME, othersOf, RULE, RULES, rulesOf } from './rules'
import { begins, isNameAt, isTired, next, place } from './walk'

// It is known which names the record has.
let isNoted: bool = false

/** Writes the members that stand in [from, to), behind the first brace. `mayClash`: some names may stand twice. */
export function readMembers(
  names: usize,
  how: u32,
  kind: u32,
  mayClash: bool,
  from: usize,
  to: usize,
  out: usize,
  limit: usize,
): usize {
  isNoted = false
  if (mayClash && !noteNames(names, kind, from, to)) return refuse()
  let at = from
  begins()
  while (true) {
    at = next(names, kind, at, to)
    if (at == 0) return out
    if (isHidden(value, valueEnd) || (kind == PAIRS && value == valueEnd)) continue
    const isOut = mayClash && !isLast(names, kind, from, to)
    if (isTired) return refuse()
    if (isOut) continue
    out = put(names, how, kind, from, to, out, limit)
    if (out == 0) return 0
  }
}

/** Notes all names of the record; false if there are too many. */
function noteNames(names: usize, kind: u32, from: usize, to: usize): bool {
  if (isNoted) return true
  clear()
  let all = true
  let at = from
  begins()
  while (all) {
    at = next(names, kind, at, to)
    if (at == 0) break
    all = note(hashOf(kind), place)
  }
  isNoted = all
  return all
}

/** The hash of what the name at hand says. */
function hashOf(kind: u32): u64 {
  return kind == JSON ? hashed(START, name + 1, nameEnd - 1, true) : hashed(START, name, nameEnd, false)
}

/** Whether no member with the name at hand follows in [from, to), the record. */
function isLast(names: usize, kind: u32, from: usize, to: usize): bool {
  const last = lastOf(hashOf(kind))
  if (last <= place) return true
  if (kind == JSON && flattensBy(names)) return !isNameAt(names, last, from, to)
  if (kind == JSON) return !sameText(name + 1, nameEnd - 1, true, last + 1, text(last, to) - 1, true)
  let end = last
  while (load<u8>(end) != 0x3d) end++
  return !sameText(name, nameEnd, false, last, end, false)
}

/** Writes the member at hand, under the name that the rules give it. */
function put(names: usize, how: u32, kind: u32, from: usize, to: usize, out: usize, limit: usize): usize {
  const quotes: usize = kind == JSON ? 1 : 0
  const bare = name + quotes
  const bareEnd = nameEnd - quotes
  const number = kind == PAIRS && isNumber(names, value, valueEnd)
  let what = othersOf(names)
  let rule = rulesOf(names)
  for (let n = <u32>load<u16>(names, RULES); n > 0; n--) {
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
    if (!isNoted) {
      // Not where objects are flattened: there all names are noted before any is written.
      const here = name
      if (!noteNames(names, kind, from, to)) return refuse()
      // The member at hand once more: all were read.
      if (kind == JSON) member(here, to)
      else pair(here, to)
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
        if (!fits(names + MOST_NAME, inner, end - begin - 2, path, valueEnd - value, how)) return 0
        return one(begin, end, JSON, false, value, valueEnd, kind, number, how, out, limit)
      }
      if (what == NAME_LINE) return out
    }
  }
  if (!fits(names + MOST_NAME, inner, bytes, path, valueEnd - value, how)) return 0
  const form = kind == JSON ? JSON : TEXT
  return one(name, nameEnd, form, what == NAMES_LINE, value, valueEnd, kind, number, how, out, limit)
}
