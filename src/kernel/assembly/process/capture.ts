/**
 * Captures: where the groups of an expression begin and end in a text.
 *
 *     out   16 spans of two u32 │ notes: u32 each      CAPTURE_ROOM bytes in all
 *
 * Forwards an automaton is followed; where its threads change places or write a slot, there is a note: place << 16 |
 * move. Backwards, from the last match that was said, the notes say which thread it was, and which slots it wrote: the
 * last write of a slot holds, so the first one that is seen. Where it was the first thread all the time, as it mostly is,
 * the notes are gone through forwards. Loops that at most four bytes end are skipped 16 bytes at
 * a time.
 *
 * Only the first CAPTURED_BYTES of a text are looked at, in whole characters: for them the text ends there.
 */
import {
  BEGINS_BYTES,
  CAPTURED_BYTES,
  COLUMNS,
  LAST,
  LOOPS,
  MASKS,
  MOVES,
  PROGRAM_BYTES,
  ROWS,
  ROW_BITS,
  SAID,
  SKIP,
  SPANS_BYTES,
  START,
} from './layout'
import { contextAt } from './match'

/**
 * Finds the leftmost-first match in the text [from, to) and writes the spans of its groups to `out`, all bits set for
 * one that took no part. Returns whether there is a match; if not, what is at `out` means nothing.
 */
export function capture(program: usize, from: usize, to: usize, out: usize): bool {
  return follow(program, load<u32>(program, START), from, to, out)
}

/** Bytes that the last call has looked at, and whether it did so up to where it may look no further. */
export let looked: usize = 0
export let cutShort: bool = false

/**
 * The same of a match that begins at `at` in the text [begin, to), by a program that says with which row (`captures` with
 * `inside`): what stands before it is known to assertions.
 */
export function captureAt(program: usize, at: usize, to: usize, begin: usize, out: usize): bool {
  const starts = program + <usize>load<u32>(program, PROGRAM_BYTES) - BEGINS_BYTES
  return follow(program, load<u32>(starts + (<usize>contextAt(at, begin) << 2)), at, to, out)
}

/** Finds the match that a program has from the row `state` on. */
function follow(program: usize, state: u32, from: usize, to: usize, out: usize): bool {
  const rows = program + ROWS
  const notes = out + SPANS_BYTES
  const end = captured(from, to)
  const loops = load<u32>(program, LOOPS)
  const said = <u32>load<u16>(program, SAID)
  const skip = <usize>load<u16>(program, SKIP)
  let note = notes
  let best: usize = 0
  let at = from
  while (at < end) {
    const entry = load<u32>(rows + <usize>state + (<usize>load<u8>(program + <usize>load<u8>(at), COLUMNS) << 1))
    const move = entry >> ROW_BITS
    if (move != 0) {
      store<u32>(note, (<u32>(at - from) << 16) | move)
      note += 4
      if (move >= said) best = note
    }
    state = entry & ((1 << ROW_BITS) - 1)
    at++
    if (state <= loops) {
      if (state == 0) break
      at = skipped(rows + <usize>state + skip, at, end)
    }
  }
  looked = at - from
  cutShort = state != 0 && end < to
  if (state != 0) {
    const move = load<u32>(rows + <usize>state + <usize>load<u16>(program, LAST)) >> ROW_BITS
    if (move != 0) {
      store<u32>(note, (<u32>(end - from) << 16) | move)
      note += 4
      if (move >= said) best = note
    }
  }
  if (best == 0) return false
  empty(out)
  if (program != divided && alone(program, from, out, notes, best - 4)) return true
  divided = program
  empty(out)
  trace(program, from, out, notes, best - 4)
  return true
}

/** The last program of which a match had several threads to choose from. */
let divided: usize = 0

// @ts-ignore: decorator
@inline
function empty(out: usize): void {
  for (let slot: usize = 0; slot < SPANS_BYTES; slot += 16) v128.store(out + slot, i8x16.splat(-1))
}

/**
 * Writes the slots of a match that ends with `last` from its head on, where the last write holds: none waits for another,
 * as they do backwards. Returns whether there was one thread all the time, the first; if not, what is at `out` means nothing.
 */
function alone(program: usize, from: usize, out: usize, notes: usize, last: usize): bool {
  const moves = program + <usize>load<u32>(program, MOVES) + 4
  const masks = program + <usize>load<u32>(program, MASKS)
  let others: u32 = 0
  for (let note = notes; note <= last; note += 4) {
    const noted = load<u32>(note)
    const origin = load<u32>(moves + (<usize>(noted & 0xffff) << 2) - (note == last ? 4 : 0))
    others |= origin & 0xffff
    let mask = load<u32>(masks + (<usize>(origin >> 16) << 2))
    while (mask != 0) {
      store<u32>(out + (<usize>ctz(mask) << 2), <u32>from + (noted >> 16))
      mask &= mask - 1
    }
  }
  return others == 0
}

/** Follows the thread that matched at `note` back to the head of the text, and writes its slots. */
function trace(program: usize, from: usize, out: usize, notes: usize, note: usize): void {
  const moves = program + <usize>load<u32>(program, MOVES)
  const masks = program + <usize>load<u32>(program, MASKS)
  // Who matched is the first word of the move, who was behind the byte are the others.
  let word: usize = 0
  for (; note >= notes; note -= 4) {
    const noted = load<u32>(note)
    const origin = load<u32>(moves + (<usize>(noted & 0xffff) << 2) + (word << 2))
    let mask = load<u32>(masks + (<usize>(origin >> 16) << 2))
    while (mask != 0) {
      const slot = out + (<usize>ctz(mask) << 2)
      if (load<u32>(slot) == 0xffffffff) store<u32>(slot, <u32>from + (noted >> 16))
      mask &= mask - 1
    }
    word = <usize>(origin & 0xffff) + 1
  }
}

/** Where what is looked at of the text [from, to) ends. */
function captured(from: usize, to: usize): usize {
  if (to - from <= CAPTURED_BYTES) return to
  let end = from + CAPTURED_BYTES
  for (let back: u32 = 0; back < 3 && (<u32>load<u8>(end) & 0xc0) == 0x80; back++) end--
  return end
}

/** The first of the four bytes at `exits` in [at, to), or `to`. */
// @ts-ignore: decorator
@inline
function skipped(exits: usize, at: usize, to: usize): usize {
  const a = v128.load8_splat(exits)
  const b = v128.load8_splat(exits, 1)
  const c = v128.load8_splat(exits, 2)
  const d = v128.load8_splat(exits, 3)
  while (at < to) {
    const v = v128.load(at)
    const hits = v128.or(v128.or(i8x16.eq(v, a), i8x16.eq(v, b)), v128.or(i8x16.eq(v, c), i8x16.eq(v, d)))
    if (v128.any_true(hits)) {
      at += <usize>ctz(<u32>i8x16.bitmask(hits))
      break
    }
    at += 16
  }
  return min(at, to)
}
