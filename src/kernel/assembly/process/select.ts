/**
 * What is dropped of the frames of a chunk, and how the others move together.
 *
 *     filter, sample, repeats, limit     write a verdict for each frame into the column: 0, or 1 + the number of a reason
 *     thin                               takes out of the slab what has one
 *
 *     column   │ bits of the texts that were found (24) │ verdict (8) │        later: the frame's offset
 *
 * A filter is a table whose offsets are relative to its first byte (numbers are u32):
 *
 *     0  rules    4  offset of its texts, 0 if there are none
 *     8  the rules: │ verdict │ conditions │ condition … │      the first whose conditions all hold gives the verdict
 *        a condition: │ kind, and NOT if it must not hold │ three numbers │
 *
 *     TEXTS     bits                            one of these texts was found
 *     BELOW     level                           its level is known, and lower
 *     FLAGS     bits                            its row has one of these flags
 *     EQUALS    slot, offset of values          a value is one of these: │ how many │ offset from there, bytes │ …
 *     MATCHES   offset of a table, bits         one of these expressions matches from the first byte on
 *     SEARCHES  offset of a program             an expression matches somewhere. Where a search gives up its rule does not
 *                                               hold: nothing is dropped for what is not known.
 *
 * The texts (texts.ts) are looked for in all frames at once.
 */
import { ROW_FLAGS, ROW_LEVEL, ROW_SLOTS, SLOT } from '../layout'
import { column, count, ends, first, rowBytes, rows, start } from '../parameters'
import { GAVE_UP } from './layout'
import { accepts } from './match'
import { allow, search } from './search'
import { equal, seek } from './texts'

export const TEXTS: u32 = 1
export const BELOW: u32 = 2
export const FLAGS: u32 = 3
export const EQUALS: u32 = 4
export const MATCHES: u32 = 5
export const SEARCHES: u32 = 6
export const NOT: u32 = 0x100

/** Bytes of a condition. */
const CONDITION: usize = 16

/** Gives the frames that have no verdict the one of a filter; returns how many got one. */
export function filter(table: usize): u32 {
  const texts = <usize>load<u32>(table, 4)
  if (texts != 0) seek(table + texts)
  const rules = load<u32>(table)
  let dropped: u32 = 0
  let from = start
  for (let n: u32 = 0; n < count; n++) {
    const frame = <usize>(first + n)
    const to = <usize>load<u32>(ends + (frame << 2))
    const cell = column + (frame << 2)
    const found = load<u32>(cell)
    if ((found & 0xff) == 0) {
      const verdict = judge(table, rules, found, rows + frame * rowBytes, from, to)
      store<u32>(cell, verdict)
      if (verdict != 0) dropped++
    }
    from = to + 1
  }
  return dropped
}

/** The verdict of the first rule whose conditions hold, or 0. */
// @ts-ignore: decorator
@inline
function judge(table: usize, rules: u32, found: u32, row: usize, from: usize, to: usize): u32 {
  let rule = table + 8
  for (let n: u32 = 0; n < rules; n++) {
    const conditions = load<u32>(rule, 4)
    let condition = rule + 8
    let left = conditions
    while (left > 0) {
      const kind = load<u32>(condition)
      const not = (kind & NOT) != 0
      if (holds(table, kind & 0xff, not, condition, found, row, from, to) == not) break
      condition += CONDITION
      left--
    }
    if (left == 0) return load<u32>(rule)
    rule += 8 + CONDITION * <usize>conditions
  }
  return 0
}

function holds(
  table: usize,
  kind: u32,
  not: bool,
  condition: usize,
  found: u32,
  row: usize,
  from: usize,
  to: usize,
): bool {
  const a = load<u32>(condition, 4)
  if (kind == TEXTS) return (found & a) != 0
  if (kind == BELOW) {
    const level = <u32>load<u8>(row, ROW_LEVEL)
    return level != 0 && level < a
  }
  if (kind == FLAGS) return (<u32>load<u16>(row, ROW_FLAGS) & a) != 0
  const b = <usize>load<u32>(condition, 8)
  if (kind == EQUALS) {
    const slot = row + ROW_SLOTS + SLOT * <usize>a
    const at = <usize>load<u16>(slot)
    const bytes = <usize>load<u16>(slot, 2)
    if (at == 0xffff && bytes == 0xffff) return false
    return isOneOf(table + b, from + at, bytes)
  }
  // A line that ends in CR LF ends before both.
  if (to > from && load<u8>(to - 1) == 13) to--
  if (kind == SEARCHES) {
    allow(to - from)
    const place = search(table + <usize>a, from, to, from)
    return place == GAVE_UP ? not : place >= 0
  }
  return (accepts(table + <usize>a, from, to) & <u32>b) != 0
}

/** Whether `bytes` bytes at `at` are one of the values in a list. */
function isOneOf(list: usize, at: usize, bytes: usize): bool {
  const values = load<u32>(list)
  let value = list + 4
  for (let n: u32 = 0; n < values; n++) {
    if (<usize>load<u32>(value, 4) == bytes && equal(list + <usize>load<u32>(value), at, bytes)) return true
    value += 8
  }
  return false
}

/** No frame has a verdict yet. */
export function acquit(): void {
  memory.fill(column + (<usize>first << 2), 0, <usize>count << 2)
}
