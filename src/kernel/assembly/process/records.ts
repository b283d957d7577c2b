/**
 * Finds records of several lines: which lines go on with the one before them, and so have no end of their own.
 *
 *     lines     ERROR: boom⏎ \tat a()⏎ \tat b()⏎ INFO: fine⏎ …
 *     records   └────────────────────────────┘  └── open: whether it ends here, the next line says
 *
 * Machines decide, each by which expressions of a set match the head of a line, and by its state, which is 0 where a
 * record begins. A line goes on if one of the machines says so.
 *
 *     table    0          4
 *              │ machines │ of machine 0: its set │ how many states it has │ where the rules of each begin │ machine 1 … (u32)
 *     rules    │ matched: u32 │ next state: u8 │ flags: u8 │ - │    the first with a bit that is set holds, or the last (any)
 *
 * Offsets are relative to the table. What is found depends on the bytes from the first record on alone, so a record that
 * is read again ends where it ended.
 */
import { frames } from '../frames'
import { LINES, MOST_LINES, STATES } from '../layout'
import { accepts, decidedBy } from './match'

/** Flags of a rule: the line goes on; it cannot begin a record; the record ends with it. */
export const JOINS: u32 = 1
export const CONTINUES: u32 = 2
export const ENDS: u32 = 4

/** The last rule of a state: whatever has matched. */
const ANY: u32 = 0xffffffff
/** Bytes of a rule, and of the table before the first offset. */
const RULE: usize = 8
const HEAD: usize = 4
/** What has matched of each machine's set at the line at hand: a u32 each, behind the states. */
const MATCHED: usize = STATES + 16

/** Where a record begins that is not complete; 0 if there is none. */
export let openAt: usize = 0
/** The first line cannot begin a record: it goes on with what stands before it. */
export let continued: bool = false

/**
 * Writes the address of the last line end of each record in [from, to) to the table of u32 at `ends`, at most `max`;
 * returns how many are complete. A line with which a record would have more than `maxLines` lines (0: any number) or
 * `maxBytes` bytes begins another one, in another call: a record that is `continued` is alone. `final`: the last record
 * is complete too.
 */
export function records(
  from: usize,
  to: usize,
  ends: usize,
  max: u32,
  lineEnd: u32,
  table: usize,
  maxLines: u32,
  maxBytes: usize,
  final: bool,
): u32 {
  const stop = ends + (<usize>max << 2)
  const set = table + <usize>load<u32>(table, HEAD)
  let row = ends
  openAt = 0
  continued = false
  // The record at hand: where it begins and its last line ends, and how many lines it has.
  let start = from
  let end: usize = 0
  let lines: u32 = 0
  let line = from
  let done = false
  while (!done) {
    const found = frames(line, to, LINES, MOST_LINES, lineEnd)
    if (found == 0) break
    for (let n: u32 = 0; n < found; n++) {
      const feed = <usize>load<u32>(LINES + (<usize>n << 2))
      if (lines > 0 && isUsual(set, line, feed)) {
        store<u32>(row, <u32>end)
        row += 4
        start = line
        done = continued || row == stop
        lines = done ? 0 : 1
        if (done) break
        end = feed
        line = feed + 1
        continue
      }
      look(table, line, feed)
      const state = <u32>load<u8>(STATES)
      let ended = false
      let flags: u32 = 0
      if (lines > 0) {
        flags = step(table)
        const joins = (flags & JOINS) != 0
        if (!joins || feed - start > maxBytes || (maxLines != 0 && lines == maxLines)) {
          store<u32>(row, <u32>end)
          row += 4
          lines = 0
          start = line
          // What goes on with it in spite of that is the first of another call.
          done = joins || continued || row == stop
          if (done) break
          ended = true
        }
      }
      if (lines == 0) {
        forget()
        flags = step(table)
        if (line == from) continued = (flags & CONTINUES) != 0
        if (ended && flags == 0) keepUsual(table, state)
      }
      lines++
      end = feed
      line = feed + 1
      if ((flags & ENDS) == 0) continue
      store<u32>(row, <u32>end)
      row += 4
      lines = 0
      start = line
      done = continued || row == stop
      if (done) break
    }
  }
  if (lines > 0) {
    // With what follows it would be too long, whatever that says.
    if (final || to - start > maxBytes) {
      store<u32>(row, <u32>end)
      row += 4
    } else openAt = start
  }
  return <u32>((row - ends) >> 2)
}

/** Whether a line, which ends at `to`, cannot begin a record. Of a long one the head is enough. */
export function goesOn(table: usize, line: usize, to: usize): bool {
  forget()
  look(table, line, to)
  return (step(table) & CONTINUES) != 0
}

// What decided about the last line that the first machine was asked about: its first bytes, and which of them. Most lines
// begin with the same day.
let knownSet: usize = 0
let knownBytes: v128 = i8x16.splat(0)
let knownMask: u32 = 0
let knownWidth: usize = 0
let knownFound: u32 = 0
/** The line at hand begins with them. */
let isKnown: bool = false
/** More than a state can be. */
const NO_STATE: u32 = 256
/** The state in which a line that begins so ends the record before it, and behind which it is the same; NO_STATE: none. */
let usual: u32 = NO_STATE

/** Whether a line is one more of those that mostly follow each other: records of a line, which begin alike. */
// @ts-ignore: decorator
@inline
function isUsual(set: usize, line: usize, feed: usize): bool {
  return (
    usual == <u32>load<u8>(STATES) &&
    set == knownSet &&
    line + knownWidth < feed &&
    (<u32>i8x16.bitmask(i8x16.eq(v128.load(line), knownBytes)) & knownMask) == knownMask
  )
}

/** A line that was looked at in a state has ended a record, and begins another. */
// @ts-ignore: decorator
@inline
function keepUsual(table: usize, state: u32): void {
  if (isKnown && load<u32>(table) == 1 && <u32>load<u8>(STATES) == state) usual = state
}

/** Which expressions of a set match the head of the line [at, to). */
// @ts-ignore: decorator
@inline
function matching(set: usize, at: usize, to: usize, isFirst: bool): u32 {
  const bytes = v128.load(at)
  if (isFirst && set == knownSet && at + knownWidth <= to) {
    isKnown = (<u32>i8x16.bitmask(i8x16.eq(bytes, knownBytes)) & knownMask) == knownMask
    if (isKnown) return knownFound
  }
  const found = accepts(set, at, to)
  if (isFirst) isKnown = decidedBy != 0 && decidedBy <= 16
  if (isFirst && isKnown) {
    usual = NO_STATE
    knownSet = set
    knownBytes = bytes
    knownMask = ((<u32>1) << <u32>decidedBy) - 1
    knownWidth = decidedBy
    knownFound = found
  }
  return found
}

/** All machines are where a record begins. */
// @ts-ignore: decorator
@inline
function forget(): void {
  // All of them: calling memory.fill would cost more.
  v128.store(STATES, i8x16.splat(0))
}

/** Matches the head of the line that ends at `feed` against the set of each machine. */
function look(table: usize, line: usize, feed: usize): void {
  const to = feed > line && load<u8>(feed - 1) == 13 ? feed - 1 : feed
  const machines = load<u32>(table)
  let machine = table + HEAD
  for (let n: u32 = 0; n < machines; n++) {
    store<u32>(MATCHED + (<usize>n << 2), matching(table + <usize>load<u32>(machine), line, to, n == 0))
    machine += 8 + (<usize>load<u32>(machine, 4) << 2)
  }
}

/** Takes each machine on by the line that was looked at; returns the flags of all rules together. */
function step(table: usize): u32 {
  const machines = load<u32>(table)
  let flags: u32 = 0
  let machine = table + HEAD
  for (let n: u32 = 0; n < machines; n++) {
    const matched = load<u32>(MATCHED + (<usize>n << 2))
    const state = <usize>load<u8>(STATES + <usize>n)
    let rule = table + <usize>load<u32>(machine + 8 + (state << 2))
    while ((load<u32>(rule) & matched) == 0 && load<u32>(rule) != ANY) rule += RULE
    store<u8>(STATES + <usize>n, load<u8>(rule, 4))
    flags |= <u32>load<u8>(rule, 5)
    machine += 8 + (<usize>load<u32>(machine, 4) << 2)
  }
  return flags
}
