/**
 * Walks over the members of a record, as fields.ts sends them: where objects are flattened, over their members in their
 * place, which have their names and its own.
 *
 *     {"a":{"b":1,"c":{}},"d":2}        "a.b" 1    "a.c" {}    "d" 2
 *
 * An object stays one value where a rule is for its name, where it is empty or deeper than may be, and where a name in it
 * could be too long.
 */
import { JSON, NAMES_LINE } from '../layout'
import { blank } from '../object'
import { deepest, longest, member, name, nameEnd, pair, rename, value } from './member'
import { sameText } from './names-seen'
import { DEEPEST_PATH, enterRoom, join, open, pathFits, pathStart } from './path'
import { flattensBy, RULE, RULES, rulesOf } from './rules'

/** Where the own name of the member at hand stands in the record. */
export let place: usize = 0
// How many objects are open of which it is a member.
let depth: u32 = 0

/** Members that second walks may read in the middle of a walk: those of some records as large as may be. */
const MOST_READ: u32 = 8192
let read: u32 = 0
/** Second walks have read more than they may. */
export let isTired: bool = false

// The member that the last second walk led to, and its name: many that are equal are compared with the last of them.
let reached: usize = 0
let reachedName: usize = 0
let reachedEnd: usize = 0

/** Begins a walk. */
export function begins(): void {
  depth = 0
  read = 0
  isTired = false
  reached = 0
  enterRoom(false)
}

/** Reads the member or pair that begins at `at`, or behind white space; returns where the next one does, or 0. */
export function next(names: usize, kind: u32, at: usize, to: usize): usize {
  if (kind != JSON) {
    at = pair(at, to)
    place = name
    return at
  }
  const flattens = flattensBy(names)
  while (true) {
    if (depth > 0) {
      at = blank(at, to)
      if (load<u8>(at) == 0x7d) {
        depth--
        at = blank(at + 1, to)
        if (at < to && load<u8>(at) == 0x2c) at++
        continue
      }
    }
    const behind = member(at, to)
    place = name
    if (behind == 0 || !flattens) return behind
    if (depth > 0) rename(pathStart(), join(depth, name, nameEnd))
    if (!mayOpen(names, to)) return behind
    open(depth, depth > 0 ? nameEnd : join(depth, name, nameEnd))
    depth++
    at = value + 1
  }
}

/** Whether the value at hand is an object whose members are fields of their own. */
function mayOpen(names: usize, to: usize): bool {
  if (load<u8>(value) != 0x7b || depth == DEEPEST_PATH || load<u8>(blank(value + 1, to)) == 0x7d) return false
  return pathFits(nameEnd - name, deepest, longest) && !hasRule(names, name + 1, nameEnd - 1)
}

/** Whether a rule is for this name, and not for all that begin so. */
function hasRule(names: usize, from: usize, to: usize): bool {
  let rule = rulesOf(names)
  for (let n = <u32>load<u16>(names, RULES); n > 0; n--) {
    const end = rule + RULE + <usize>load<u16>(rule, 1)
    if (load<u8>(rule) != NAMES_LINE && sameText(from, to, true, rule + RULE + 1, end - 1, true)) return true
    rule = end + <usize>load<u16>(rule, 3)
  }
  return false
}

/**
 * Whether the member whose own name stands at `other` in the record [from, to) has the name at hand, where objects are
 * flattened. The member at hand stays. What it says is worth nothing once it `isTired`.
 */
export function isNameAt(names: usize, other: usize, from: usize, to: usize): bool {
  if (other != reached && !reach(names, other, from, to)) return false
  return sameText(name + 1, nameEnd - 1, true, reachedName + 1, reachedEnd - 1, true)
}

/** Walks to the member whose own name stands at `other`. */
function reach(names: usize, other: usize, from: usize, to: usize): bool {
  if (read > MOST_READ) {
    isTired = true
    return false
  }
  const had = name
  const hadEnd = nameEnd
  const hadPlace = place
  const hadDepth = depth
  depth = 0
  enterRoom(true)
  let at = next(names, JSON, from, to)
  while (at != 0 && place != other) {
    at = next(names, JSON, at, to)
    read++
  }
  reached = at == 0 ? 0 : other
  reachedName = name
  reachedEnd = nameEnd
  enterRoom(false)
  member(hadPlace, to)
  rename(had, hadEnd)
  place = hadPlace
  depth = hadDepth
  return reached != 0
}
