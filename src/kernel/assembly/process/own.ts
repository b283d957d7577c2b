/**
 * Redaction by expressions of the configuration, beside the rules of redact.ts.
 *
 *     record     … order=12345678 password=hunter2 …
 *     found            ────────                        what the expressions match in it as it was written: spans
 *     rules                                *******     then the rules of redact.ts have their turn
 *     covered          ********                        and then the spans are written over: what goes is the union of both
 *
 * Both are repeated until nothing changes any more, so what is redacted again stays as it is: a mask may be part of what
 * an expression matches. If that does not end the whole record is masked. Records in which no expression matches are not
 * touched here, and go through redact.ts many at a time.
 *
 * A section of the table says what is looked for; offsets are relative to its first byte, numbers are u32:
 *
 *     0    how many expressions there are, 32 at the most
 *     16   rows of 48 bytes:
 *          0   program of its search (search.ts)     4   program of captures of the group that goes, or 0: all of it goes
 *          8   table for what stands before the group, or 0: nothing, the group is the first
 *          12  number of its rule                    16  number of the group       20  LONG, or 0
 *          24  where it is looked for next           28  what it found there: from, behind, GAVE_UP or 0
 *
 * Where a record goes on elsewhere, what could be part of a match with what follows is masked from where the group may have
 * begun. LONG: a match may begin further back than what is at hand of a line whose head was sent before.
 *
 * In JSON what is written stays within strings, escape sequences go as a whole, and numbers become numbers.
 *
 * Guarantees: nothing outside of the spans is changed, but for the rest of an escape sequence; the time is linear in the
 * bytes: what is more than that is masked instead.
 */
import { sequence } from '../repair'
import { captureAt, cutShort, looked } from './capture'
import { GAVE_UP, NO_MATCH, TABLE } from './layout'
import { goesBeyond, read, shortest } from './match'
import { labelled, mask, maskNumber, maskRest, print, wrote } from './mask'
import { redact } from './redact'
import {
  begin,
  changes,
  count,
  countOf,
  end,
  HOW,
  isDigit,
  json,
  KEEP,
  KEEP_BYTES,
  reopen,
  silence,
  table,
  useTable,
  wall,
  WHOLE,
} from './redaction'
import { allow, matchEnd, pay, search } from './search'

/** Fields of a row. */
export const OWN_ROWS: usize = 16
export const OWN_ROW: usize = 48
export const OWN_CAPTURES: usize = 4
export const OWN_BEFORE: usize = 8
export const OWN_RULE: usize = 12
export const OWN_GROUP: usize = 16
export const OWN_LONG: usize = 20
const NEXT: usize = 24
const FROM: usize = 28
const TO: usize = 32
const LOST: usize = 36
const NONE: u32 = 0xffffffff

/** Spans of one record that are kept apart; what follows them is masked. The room for captures is behind them. */
const MOST_SPANS: u32 = 2048
/** A span: from, behind, the rule that is first and bit 31 if it gave up, a bit for each expression. */
const SPAN: usize = 16
export const OWN_SPANS: usize = 32768
const LOST_BIT: u32 = 0x80000000

/** Records in which nothing is found are handed over together, so many bytes of them. */
const STRETCH: usize = 4096
/** How often a record is looked at at the most. */
const PASSES: u32 = 5
/** Bytes that a match may have if nothing that stands so far before it matters. At most half of what is at hand then. */
export const OWN_REACH: usize = 8000
/** Bytes of a label, at the most, and of the digits of a hash. */
const MOST_LABEL: usize = 80

let section: usize = 0
let room: usize = 0
let spans: u32 = 0
/** The text that is searched: [head, stop). */
let head: usize = 0
let stop: usize = 0
/** The record was looked at before: what looks like a mask is one. */
let again: bool = false

/** As `redact`, with the expressions of the section at `own`, and room for spans and captures at `at`. */
export function redactOwn(
  rules: usize,
  from: usize,
  ends: usize,
  frames: u32,
  wall: usize,
  how: u32,
  key: u32,
  first: bool,
  own: usize,
  at: usize,
): u32 {
  section = own
  room = at
  useTable(rules, wall)
  let open = key
  let start = from
  let row = ends
  for (let left = frames; left > 0; ) {
    let n: u32 = 0
    let next = start
    let found = false
    while (n < left && next - start < STRETCH) {
      const to = <usize>load<u32>(row + (<usize>n << 2))
      found = finds(next, to, n == 0 ? wall : next, n + 1 == left ? how : WHOLE)
      if (found) break
      next = to + 1
      n++
    }
    const edge = n == left ? how : WHOLE
    if (n > 0) {
      const before = changes
      open = redact(rules, start, row, n, max(wall, start), edge, open, first)
      // What was written may be part of what an expression matches.
      if (changes != before) {
        let line = start
        for (let frame: u32 = 0; frame < n; frame++) {
          const place = row + (<usize>frame << 2)
          const to = <usize>load<u32>(place)
          const last = frame + 1 == n ? edge : WHOLE
          if (finds(line, to, max(wall, line), last)) settleOne(rules, line, place, max(wall, line), last, 0, false)
          line = to + 1
        }
      }
    }
    if (found) {
      const place = row + (<usize>n << 2)
      open = settleOne(rules, next, place, max(wall, next), n + 1 == left ? how : WHOLE, open, first && n == 0)
      next = <usize>load<u32>(place) + 1
      n++
    }
    start = next
    row += <usize>n << 2
    left -= n
  }
  return open
}

/** One record, until nothing changes any more. Returns what is open behind it. */
function settleOne(rules: usize, from: usize, place: usize, wall: usize, how: u32, key: u32, first: bool): u32 {
  const to = <usize>load<u32>(place)
  let open: u32 = 0
  for (let pass: u32 = 0; pass < PASSES; pass++) {
    again = pass > 0
    silence(again)
    const some = finds(from, to, wall, how)
    const before = changes
    const key_ = redact(rules, from, place, 1, wall, how, key, first)
    // What is said of the record as it was written holds.
    if (pass == 0) open = key_
    if (some) cover()
    if (changes == before) {
      again = false
      silence(false)
      return open
    }
  }
  again = false
  silence(false)
  reopen()
  maskRest(load<u32>(section + OWN_ROWS, OWN_RULE), begin)
  return open
}

/** Finds the spans of a record that lies in [from, to), of which what stands before `wall` is a context. */
function finds(from: usize, to: usize, wall: usize, how: u32): bool {
  spans = 0
  head = from
  if (from < wall) {
    head = wall
    while (head > from && load<u8>(head - 1) != 10) head--
  }
  stop = to
  // A line that ends in CR LF ends before both.
  if (how == WHOLE && stop > head && load<u8>(stop - 1) == 13) stop--
  if (stop <= head) return false
  const rows = section + OWN_ROWS
  const behind = rows + OWN_ROW * <usize>load<u32>(section)
  allow((stop - head) * <usize>load<u32>(section))
  let some = false
  for (let row = rows; row < behind; row += OWN_ROW) {
    store<u32>(row, <u32>head, NEXT)
    advance(row)
    if (load<u32>(row, FROM) != NONE) some = true
  }
  if (some) collect(rows, behind)
  if (how != WHOLE) {
    for (let row = rows; row < behind; row += OWN_ROW) {
      const least = from < wall && head == from && wall - from >= OWN_REACH && load<u32>(row, OWN_LONG) != 0 ? wall : openFrom(row)
      if (least < stop && !inert(least, stop)) lose(row, rows, least)
    }
  } else if (from < wall && head == from && wall - from >= OWN_REACH) {
    for (let row = rows; row < behind; row += OWN_ROW) {
      if (load<u32>(row, OWN_LONG) != 0 && !inert(wall, stop)) lose(row, rows, wall)
    }
  }
  return spans > 0
}

/** The next span of an expression. */
function advance(row: usize): void {
  const program = section + <usize>load<u32>(row)
  const captures = <usize>load<u32>(row, OWN_CAPTURES)
  let at = <usize>load<u32>(row, NEXT)
  while (at < stop) {
    const place = search(program, at, stop, head)
    if (place == NO_MATCH) break
    if (place == GAVE_UP) {
      found(row, stop, at, stop, true)
      return
    }
    let from = <usize>place
    let to = matchEnd
    at = to
    if (captures != 0) {
      const out = room + OWN_SPANS
      const whole = captureAt(section + captures, from, stop, head, out)
      pay(looked)
      // Of one that is too long for that all goes.
      if (whole && !cutShort) {
        const group = out + (<usize>load<u32>(row, OWN_GROUP) << 3)
        from = <usize>load<u32>(group)
        to = from == <usize>NONE ? from : <usize>load<u32>(group, 4)
      }
    }
    if (from < to && !inert(from, to)) {
      found(row, at, from, to, false)
      return
    }
  }
  store<u32>(row, NONE, FROM)
}

function found(row: usize, next: usize, from: usize, to: usize, lost: bool): void {
  store<u32>(row, <u32>next, NEXT)
  store<u32>(row, <u32>from, FROM)
  store<u32>(row, <u32>to, TO)
  store<u32>(row, lost ? LOST_BIT : 0, LOST)
}

/** Puts the spans of all expressions in order; those that overlap become one. */
function collect(rows: usize, behind: usize): void {
  while (true) {
    let row: usize = 0
    let least: u32 = NONE
    for (let each = rows; each < behind; each += OWN_ROW) {
      const from = load<u32>(each, FROM)
      if (from < least) {
        least = from
        row = each
      }
    }
    if (row == 0) return
    const bit = <u32>1 << <u32>((row - rows) / OWN_ROW)
    const to = load<u32>(row, TO)
    const lost = load<u32>(row, LOST)
    const last = room + SPAN * <usize>(spans - 1)
    if (spans > 0 && (least < load<u32>(last, 4) || spans == MOST_SPANS)) {
      // There is no room for more: what follows goes.
      const full = least >= load<u32>(last, 4)
      store<u32>(last, full ? <u32>stop : max(to, load<u32>(last, 4)), 4)
      store<u32>(last, load<u32>(last, 8) | (full ? LOST_BIT : lost), 8)
      store<u32>(last, load<u32>(last, 12) | bit, 12)
      if (full) return
    } else push(least, to, load<u32>(row, OWN_RULE) | lost, bit)
    advance(row)
  }
}

function push(from: u32, to: u32, rule: u32, bits: u32): void {
  const span = room + SPAN * <usize>spans
  spans++
  store<u32>(span, from)
  store<u32>(span, to, 4)
  store<u32>(span, rule, 8)
  store<u32>(span, bits, 12)
}

/** All that stands from `from` on goes, for it may be part of a match. */
function lose(row: usize, rows: usize, from: usize): void {
  let bits = <u32>1 << <u32>((row - rows) / OWN_ROW)
  while (spans > 0 && <usize>load<u32>(room + SPAN * <usize>(spans - 1)) >= from) {
    spans--
    bits |= load<u32>(room + SPAN * <usize>spans, 12)
  }
  const last = room + SPAN * <usize>(spans - 1)
  if (spans > 0 && (<usize>load<u32>(last, 4) > from || spans == MOST_SPANS)) {
    store<u32>(last, <u32>stop, 4)
    store<u32>(last, load<u32>(last, 8) | LOST_BIT, 8)
    store<u32>(last, load<u32>(last, 12) | bits, 12)
  } else push(<u32>from, <u32>stop, load<u32>(row, OWN_RULE) | LOST_BIT, bits)
}

/** From where on a match that goes on behind the text may hold what goes; `stop` if there is none. */
function openFrom(row: usize): usize {
  const automaton = section + <usize>load<u32>(row) + TABLE
  const before = <usize>load<u32>(row, OWN_BEFORE)
  let least = stop
  for (let at = head; at < least; at += <usize>abs(sequence(at, stop))) {
    const goes = goesBeyond(automaton, at, stop, head)
    if (!pay(read)) return at
    if (!goes) continue
    if (before == 0) return at
    const from = shortest(section + before, at, stop, head)
    if (from >= 0 && <usize>from < least) least = <usize>from
  }
  return least
}

/** Whether nothing but masks stands in [from, to), or part of one. */
function inert(from: usize, to: usize): bool {
  let at = from
  const byte = <u32>load<u8>(at)
  if (byte != 0x2a && byte != 0x5b) {
    const least = from - head > MOST_LABEL ? from - MOST_LABEL : head
    let back = from
    while (back > least && load<u8>(back - 1) != 0x5b) back--
    if (back > least) {
      const behind = labelled(back - 1, stop, again)
      if (behind > from) at = behind
    }
  }
  while (true) {
    while (at < to && load<u8>(at) == 0x2a) at++
    if (at >= to) return true
    if (load<u8>(at) != 0x5b) break
    const behind = labelled(at, stop, again)
    if (behind == 0) break
    at = behind
  }
  // What a mask has kept.
  const kept = <usize>load<u32>(table, KEEP_BYTES)
  if (load<u32>(table, HOW) != KEEP || to - at > kept) return false
  let first = at
  while (first > head && at - first < kept && load<u8>(first - 1) == 0x2a) first--
  return at - first == kept
}

/** Writes over the spans that were found. */
function cover(): void {
  places = head
  inString = false
  const rows = section + OWN_ROWS
  for (let n: u32 = 0; n < spans; n++) {
    const span = room + SPAN * <usize>n
    const from = <usize>load<u32>(span)
    const to = min(<usize>load<u32>(span, 4), end)
    const rule = load<u32>(span, 8) & ~LOST_BIT
    const lost = (load<u32>(span, 8) & LOST_BIT) != 0
    const counts = countOf(rule)
    const before = load<u32>(counts)
    if (lost) count(rule, true)
    if (json) hideJson(rule, from, to, lost)
    else hide(rule, from, to, lost)
    if (load<u32>(counts) == before) continue
    // It is one match, in however many parts.
    store<u32>(counts, before + 1)
    let bits = load<u32>(span, 12)
    for (; bits != 0; bits &= bits - 1) {
      const other = load<u32>(rows + OWN_ROW * <usize>ctz(bits), OWN_RULE)
      if (other != rule) count(other, false)
    }
  }
}

/** Ends of lines stay. */
function hide(rule: u32, from: usize, to: usize, lost: bool): void {
  for (let at = from; at < to; ) {
    const first = at
    while (at < to && load<u8>(at) != 10 && load<u8>(at) != 13) at++
    if (first < at && !inert(first, at)) mask(rule, first, at, lost || first > from || at < to)
    at++
  }
}

/** How far it is known what is within a string of the record, and whether that place is. */
let places: usize = 0
let inString: bool = false

function hideJson(rule: u32, from: usize, to: usize, lost: bool): void {
  while (places < from) {
    const byte = <u32>load<u8>(places)
    if (byte == 0x5c && inString) {
      const next = places + escape(places)
      if (next > from) break
      places = next
      continue
    }
    if (byte == 0x22) inString = !inString
    places++
  }
  while (places < to) {
    const first = places
    if (inString) {
      while (places < to && load<u8>(places) != 0x22) places += load<u8>(places) == 0x5c ? escape(places) : 1
      places = min(places, end)
      const whole = first <= from && places >= to
      if (first < places && !inert(first, places)) mask(rule, first, places, lost || !whole)
      if (places >= to) return
      inString = false
      places++
    } else if (load<u8>(places) == 0x22) {
      inString = true
      places++
    } else if (ofNumber(places)) {
      while (places < to && ofNumber(places)) places++
      const all = (first == begin || !ofNumber(first - 1)) && (places == end || !ofNumber(places))
      if (all) maskNumber(rule, first, places)
      else maskDigits(rule, first, places)
    } else places++
  }
}

/** Bytes of the escape sequence at `at`. */
function escape(at: usize): usize {
  return at + 1 < end && load<u8>(at + 1) == 0x75 ? 6 : 2
}

/** Whether the byte at `at` may be part of a number of JSON. */
function ofNumber(at: usize): bool {
  const byte = <u32>load<u8>(at)
  return isDigit(byte) || byte == 0x2d || byte == 0x2b || byte == 0x2e || (byte | 32) == 0x65
}

/** Writes over some digits of a number, which stays one. */
function maskDigits(rule: u32, from: usize, to: usize): void {
  const before = print(from, to)
  for (let at = max(from, wall); at < to; at++) {
    if (!isDigit(<u32>load<u8>(at))) continue
    let sign = at
    if (sign > begin && load<u8>(sign - 1) == 0x2d) sign--
    const leads = sign == begin || !ofNumber(sign - 1)
    store<u8>(at, leads && at + 1 < end && isDigit(<u32>load<u8>(at + 1)) ? 0x31 : 0x30)
  }
  if (print(from, to) != before) wrote(rule, from, to)
}
