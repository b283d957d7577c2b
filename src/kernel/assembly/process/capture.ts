/**
 * Captures: where the groups of an expression begin and end in a text.
 *
 *     out   16 spans of two u32 │ what the way back notes: u32 each      CAPTURE_ROOM bytes in all
 *
 * One pass writes slots as it reads. Two passes note on the way back only where the state changes, as
 * place << 16 | state, and go forward by those runs: a choice that holds for a run and leads to where it is passes all of
 * it at once. Loops with at most three bytes that end them are skipped by 16 bytes in either.
 *
 * Only the first CAPTURED_BYTES of a text are looked at, in whole characters: for them the text ends there.
 */
import {
  CAPTURED_BYTES,
  CHOICES,
  COLUMNS,
  DONE,
  FAILED,
  FINISHED,
  GROUPS,
  HEAD,
  LAST,
  LOOPS,
  MASKS,
  MODE,
  NO_WAY,
  ONE_PASS,
  PROGRAM_ROWS,
  SETS,
  SET_BYTES,
  SKIP,
  SPANS_BYTES,
  START,
} from './layout'
import { sequence } from '../repair'

/**
 * Finds the leftmost-first match in the text [from, to) and writes the spans of its groups to `out`, all bits set for one
 * that took no part. Returns whether there is a match; if not, what is at `out` means nothing.
 */
export function capture(program: usize, from: usize, to: usize, out: usize): bool {
  const groups = <usize>load<u16>(program, GROUPS)
  memory.fill(out, 0xff, groups << 3)
  const end = captured(from, to)
  if (<u32>load<u16>(program, MODE) == ONE_PASS) return onePass(program, from, end, out)
  return twoPass(program, from, end, out)
}

/** Where what is looked at of the text [from, to) ends. */
function captured(from: usize, to: usize): usize {
  if (to - from <= CAPTURED_BYTES) return to
  let end = from + CAPTURED_BYTES
  for (let back: u32 = 0; back < 3 && (<u32>load<u8>(end) & 0xc0) == 0x80; back++) end--
  return end
}

/** Writes `at` to each slot of a mask. */
// @ts-ignore: decorator
@inline
function write(mask: u32, at: usize, out: usize): void {
  while (mask != 0) {
    store<u32>(out + (<usize>ctz(mask) << 2), <u32>at)
    mask &= mask - 1
  }
}

/** The first of the three bytes at `exits` in [at, to), or `to`. */
// @ts-ignore: decorator
@inline
function skipped(exits: usize, at: usize, to: usize): usize {
  const a = v128.load8_splat(exits)
  const b = v128.load8_splat(exits, 1)
  const c = v128.load8_splat(exits, 2)
  while (at < to) {
    const v = v128.load(at)
    const found = i8x16.bitmask(v128.or(v128.or(i8x16.eq(v, a), i8x16.eq(v, b)), i8x16.eq(v, c)))
    if (found != 0) {
      at += <usize>ctz(found)
      break
    }
    at += 16
  }
  return min(at, to)
}

function onePass(program: usize, from: usize, to: usize, out: usize): bool {
  const rows = program + <usize>load<u32>(program, PROGRAM_ROWS)
  const masks = program + <usize>load<u32>(program, MASKS)
  const loops = <u32>load<u16>(program, LOOPS)
  const skip = <usize>load<u16>(program, SKIP)
  let state = <u32>load<u16>(program, START)
  let at = from
  while (true) {
    if (state < loops) at = skipped(rows + <usize>state + skip, at, to)
    const column =
      at < to ? <usize>load<u8>(program + <usize>load<u8>(at), COLUMNS) << 1 : <usize>load<u16>(program, LAST)
    const entry = load<u32>(rows + <usize>state + column)
    const mask = entry >> 16
    if (mask != 0) write(load<u32>(masks + (<usize>mask << 2)), at, out)
    state = entry & 0xffff
    if (state <= DONE) return state == DONE
    at++
  }
}

function twoPass(program: usize, from: usize, to: usize, out: usize): bool {
  const rows = program + <usize>load<u32>(program, PROGRAM_ROWS)
  const number = <usize>load<u16>(program, LOOPS)
  const notes = out + SPANS_BYTES
  let note = notes
  let state = <u32>load<u16>(program, START)
  const dead = <u32>load<u16>(program, LAST)
  const skip = <usize>load<u16>(program, SKIP)
  let at = to
  while (at > from) {
    const next = <u32>load<u16>(rows + <usize>state + <usize>load<u8>(program + <usize>load<u8>(at - 1), COLUMNS))
    if (next != state) {
      if (next == dead) return false
      store<u32>(note, (<u32>(at - from) << 16) | <u32>load<u16>(rows + <usize>state + number))
      note += 4
      state = next
      at--
      continue
    }
    at--
    if (load<u8>(rows + <usize>state + skip, 3) != 0) at = skippedBack(rows + <usize>state + skip, from, at)
  }
  return forward(program, from, to, out, notes, note, <u32>load<u16>(rows + <usize>state + number))
}

/** Behind the last of the three bytes at `exits` in [from, at), or `from`. */
// @ts-ignore: decorator
@inline
function skippedBack(exits: usize, from: usize, at: usize): usize {
  const a = v128.load8_splat(exits)
  const b = v128.load8_splat(exits, 1)
  const c = v128.load8_splat(exits, 2)
  // Not below `from`: what stands there need not be memory of ours.
  while (at >= from + 16) {
    const v = v128.load(at - 16)
    const found = <u32>i8x16.bitmask(v128.or(v128.or(i8x16.eq(v, a), i8x16.eq(v, b)), i8x16.eq(v, c)))
    if (found != 0) return at - <usize>clz(found << 16)
    at -= 16
  }
  return at
}

/** Takes the choices from the head on; `state` is what the way back ended in, notes are taken from the last to the first. */
function forward(program: usize, from: usize, to: usize, out: usize, notes: usize, note: usize, state: u32): bool {
  const choices = program + <usize>load<u32>(program, CHOICES)
  const sets = program + <usize>load<u32>(program, SETS)
  const setBytes = <u32>load<u16>(program, SET_BYTES)
  let point = <u32>load<u16>(program, HEAD)
  let at = from
  while (true) {
    // The state holds for [at, end).
    const end = note == notes ? to + 1 : from + <usize>(load<u32>(note - 4) >> 16)
    const set = sets + <usize>(state * setBytes)
    while (at < end) {
      let choice = choices + (<usize>point << 3)
      let way = <u32>load<u16>(choice)
      while (way != NO_WAY && ((<u32>load<u8>(set + <usize>(way >> 3)) >> (way & 7)) & 1) == 0) {
        choice += 8
        way = <u32>load<u16>(choice)
      }
      if (way == NO_WAY) return false
      const next = <u32>load<u16>(choice, 2)
      const mask = load<u32>(choice, 4)
      if (mask != 0) write(mask, at, out)
      if (next == FINISHED) return true
      if (mask == 0 && next == point) at = passed(at, end, to)
      else at += character(at, to)
      point = next
    }
    if (note == notes) return false
    // A character may reach over the ends of several runs.
    do {
      note -= 4
      state = load<u32>(note) & 0xffff
    } while (note != notes && at >= from + <usize>(load<u32>(note - 4) >> 16))
  }
}

/** How many bytes the character at `at` has; the end of the text is one. */
// @ts-ignore: decorator
@inline
function character(at: usize, to: usize): usize {
  if (at >= to) return 1
  if (<u32>load<u8>(at) < 0x80) return 1
  return <usize>abs(sequence(at, to))
}

/** The end of a run that is passed from `at` on; where it is within a character, that one's end. */
function passed(at: usize, end: usize, to: usize): usize {
  if (end >= to || (<u32>load<u8>(end) & 0xc0) != 0x80) return end
  // The character that reaches over the end begins at most three bytes before it.
  for (let back: usize = min(3, end - at); back > 0; back--) {
    const begin = end - back
    if (<u32>load<u8>(begin) < 0xc2) continue
    const next = begin + <usize>abs(sequence(begin, to))
    if (next > end) return next
  }
  return end
}
