/**
 * Follows the table of an automaton over bytes: one addition and one load in a chain for each.
 *
 *     text     a     b     c    ▏end
 *     states  ► s1 ─► s2 ─► s3 ─► s4      s2 says what holds before b, s4 what holds at the end
 *
 * Only the bytes in [begin, end) are read. What stands before `at` chooses the row to begin with, so assertions hold in
 * the middle of a text as they do at its head.
 */
import { COLUMNS, DEAD, DECIDED, EDGE_COLUMN, ROWS, SAYS_COLUMN, SPECIAL, STARTS } from './layout'

/** The number of the expression that the last `longest` found. */
export let rule: u32 = 0
/** How many bytes it has read, and one. */
export let read: usize = 0
/** How many bytes decided what the last `accepts` said, whatever follows them; 0: all that there were. */
export let decidedBy: usize = 0

// @ts-ignore: decorator
@inline
function u16At(table: usize, field: usize): u32 {
  return <u32>load<u16>(table + field)
}

// @ts-ignore: decorator
@inline
function step(table: usize, state: u32, byte: u32): u32 {
  return <u32>load<u16>(table + <usize>state + <usize>load<u8>(table + <usize>byte, COLUMNS), ROWS)
}

/** Whether a byte is a letter, a digit or _. */
export function isLetter(byte: u32): bool {
  return ((byte | 32) - 97) < 26 || (byte - 48) < 10 || byte == 95
}

/** What stands before `at` in a text that begins at `begin`: nothing, a line feed, a letter or digit or _, another byte. */
export function contextAt(at: usize, begin: usize): u32 {
  if (at == begin) return 0
  const before = <u32>load<u8>(at - 1)
  if (before == 10) return 1
  return isLetter(before) ? 2 : 3
}

/** The row to begin with at `at`. */
export function startAt(table: usize, at: usize, begin: usize): u32 {
  return u16At(table, STARTS + (<usize>contextAt(at, begin) << 1))
}

/**
 * Where the leftmost-first match that begins at `at` ends, or -1 if there is none; `rule` says whose it is. The text is
 * [begin, end). `table` is of the mode FIRST.
 */
export function longest(table: usize, at: usize, end: usize, begin: usize): i32 {
  const special = u16At(table, SPECIAL)
  const decided = u16At(table, DECIDED)
  const dead = u16At(table, DEAD)
  const says = <usize>u16At(table, SAYS_COLUMN)
  let state = startAt(table, at, begin)
  const head = at
  let found: i32 = -1
  let said: u32 = 0
  for (; at < end; at++) {
    state = step(table, state, <u32>load<u8>(at))
    if (state < special) continue
    if (state == dead) break
    found = <i32>at
    said = <u32>load<u16>(table + says + <usize>state, ROWS)
    if (state >= decided) break
  }
  if (at >= end) {
    state = <u32>load<u16>(table + <usize>state + <usize>u16At(table, EDGE_COLUMN), ROWS)
    if (state >= special && state != dead) {
      found = <i32>end
      said = <u32>load<u16>(table + says + <usize>state, ROWS)
    }
  }
  read = at - head + 1
  rule = said - 1
  return found
}

/** Whether a match that begins at `at` may be longer than the text [begin, end), which goes on elsewhere. */
export function goesBeyond(table: usize, at: usize, end: usize, begin: usize): bool {
  const decided = u16At(table, DECIDED)
  const head = at
  let state = startAt(table, at, begin)
  for (; at < end; at++) {
    state = step(table, state, <u32>load<u8>(at))
    // The dead row is the last one: behind it nothing can change, either.
    if (state >= decided) break
  }
  read = at - head + 1
  return at == end
}

/** Where the shortest match ends that begins at `at`, or -1; the text [begin, end) may go on. */
export function shortest(table: usize, at: usize, end: usize, begin: usize): i32 {
  const special = u16At(table, SPECIAL)
  const dead = u16At(table, DEAD)
  let state = startAt(table, at, begin)
  for (; at < end; at++) {
    state = step(table, state, <u32>load<u8>(at))
    if (state >= special) return state == dead ? -1 : <i32>at
  }
  state = <u32>load<u16>(table + <usize>state + <usize>u16At(table, EDGE_COLUMN), ROWS)
  return state >= special && state != dead ? <i32>end : -1
}

/**
 * Which expressions match at the head of the text [at, end), a bit for each; reads no further than that takes. `table`
 * is of the mode EVERY.
 */
export function accepts(table: usize, at: usize, end: usize): u32 {
  const special = u16At(table, SPECIAL)
  const decided = u16At(table, DECIDED)
  const says = <usize>u16At(table, SAYS_COLUMN)
  let state = u16At(table, STARTS)
  let found: u32 = 0
  const head = at
  decidedBy = 0
  for (; at < end; at++) {
    state = step(table, state, <u32>load<u8>(at))
    if (state < special) continue
    found |= <u32>load<u16>(table + says + <usize>state, ROWS)
    if (state < decided) continue
    decidedBy = at - head + 1
    return found
  }
  state = <u32>load<u16>(table + <usize>state + <usize>u16At(table, EDGE_COLUMN), ROWS)
  return found | <u32>load<u16>(table + says + <usize>state, ROWS)
}
