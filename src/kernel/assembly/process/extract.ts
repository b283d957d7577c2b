/**
 * Finds out what each record is, and where its values stand: fills the rows of a chunk's frames (layout.ts).
 *
 *     table    parsers │ slots │ most members │ scratch │ parser: kind │ names │ set │ detail │ parser …      (u32)
 *
 *     names    of objects and pairs the root of wanted names (names.ts), of others targets for each of their values
 *     set      of an expression: the program that finds its groups (capture.ts)
 *     detail   of docker: the slot of its line; of an access log: 1 for Apache's
 *
 * Offsets are relative to the table. The first parser that takes a record has it. What no parser takes is a text, and
 * goes on as that.
 */
import {
  ABSENT,
  ASKED_FOR,
  JSON,
  NAMES_CLASH,
  NO_TIME,
  PAIRS,
  ROW_FLAGS,
  ROW_FORM,
  ROW_LEVEL,
  ROW_REPEATED,
  ROW_SLOTS,
  ROW_TIME,
  TEXT,
  UNPARSED,
  VALUES,
} from '../layout'
import { blank } from '../object'
import { cri, withoutLineFeed } from './envelope'
import { clash as namesTwice, NO_OBJECT, OBJECT, walk } from './json'
import { pairs, clash as pairsTwice } from './logfmt'
import { access } from './access'
import { capture } from './capture'
import { begin, group } from './names'
import { GROUPS } from './layout'
import { RANKS } from './scratch'

/** Kinds of parsers. */
export const PARSE_JSON: u32 = 0
export const PARSE_PAIRS: u32 = 1
export const PARSE_DOCKER: u32 = 2
export const PARSE_CRI: u32 = 3
export const PARSE_ACCESS: u32 = 4
export const PARSE_EXPRESSION: u32 = 5

export const PARSERS: usize = 16
export const PARSER: usize = 16

/** No parser took it. */
const NONE: u32 = 0xff

// Where an expression writes its spans, and what it notes for them.
let room: usize = 0

/**
 * Fills the row of each of the `count` frames from `first` on in the table at `ends`; the first of them begins at
 * `start`. Rows begin at `rows`, each of `rowBytes`. Without a table (0) nothing is found in them. `atFileStart`: a byte
 * order mark may stand before the first. At `spans` expressions have room for what they find.
 *
 * Returns how many frames no parser took, of those that are not blank.
 */
export function extract(
  table: usize,
  ends: usize,
  first: u32,
  count: u32,
  start: usize,
  rows: usize,
  rowBytes: usize,
  atFileStart: bool,
  spans: usize,
): u32 {
  room = spans
  let unparsed: u32 = 0
  let from = start
  let row = rows + <usize>first * rowBytes
  let end = ends + (<usize>first << 2)
  for (let frame: u32 = 0; frame < count; frame++) {
    const to = <usize>load<u32>(end)
    store<i64>(row, NO_TIME, ROW_TIME)
    // Its level, form and flags, and for how many it stands.
    store<u64>(row, 0, ROW_LEVEL)
    if (table == 0) {
      for (let at = row + ROW_SLOTS; at < row + rowBytes; at += 8) store<u64>(at, -1)
    } else unparsed += parse(table, from, to, row, rowBytes, frame == 0 && atFileStart)
    from = to + 1
    row += rowBytes
    end += 4
  }
  return unparsed
}

/** Fills one row; returns 1 if no parser took what is there. */
function parse(table: usize, frame: usize, stop: usize, row: usize, rowBytes: usize, mayBeMarked: bool): u32 {
  let from = frame
  let to = stop
  // As it is rendered.
  if (to > from && load<u8>(to - 1) == 13) to--
  while (from < to && load<u8>(from) == 0) from++
  if (mayBeMarked && to - from >= 3 && load<u16>(from) == 0xbbef && load<u8>(from + 2) == 0xbf) from += 3

  const scratch = table + <usize>load<u32>(table, 12)
  const slots = load<u32>(table, 4)
  let parser = table + PARSERS
  for (const last = parser + <usize>load<u32>(table) * PARSER; parser < last; parser += PARSER) {
    begin(frame, row, rowBytes, scratch + RANKS, slots)
    const form = takes(table, parser, scratch, frame, from, to, row)
    if (form == NONE) continue
    store<u8>(row, <u8>form, ROW_FORM)
    return 0
  }
  begin(frame, row, rowBytes, scratch + RANKS, slots)
  if (blank(from, to) == to) return 0
  store<u16>(row, <u16>UNPARSED, ROW_FLAGS)
  return 1
}

/** The form that the text [from, to) of a frame has for this parser, or `NONE`. */
function takes(
  table: usize,
  parser: usize,
  scratch: usize,
  frame: usize,
  from: usize,
  to: usize,
  row: usize,
): u32 {
  const most = load<u32>(table, 8)
  const names = table + <usize>load<u32>(parser, 4)
  switch (load<u32>(parser)) {
    case PARSE_JSON:
    case PARSE_DOCKER: {
      const found = walk(table, names, from, to, scratch, most)
      if (found == NO_OBJECT) return NONE
      const docker = load<u32>(parser) == PARSE_DOCKER
      // An object without members has nothing to send but itself.
      if (found != OBJECT) return docker ? NONE : TEXT
      if (docker && !line(row, load<u32>(parser, 12), frame)) return NONE
      if (namesTwice) store<u16>(row, <u16>NAMES_CLASH, ROW_FLAGS)
      return JSON
    }
    case PARSE_PAIRS:
      if (!pairs(table, names, from, to, scratch, most)) return NONE
      if (pairsTwice) store<u16>(row, <u16>NAMES_CLASH, ROW_FLAGS)
      return PAIRS
    case PARSE_CRI:
      return cri(table, names, from, to) ? VALUES : NONE
    case PARSE_ACCESS:
      if (!access(table, names, load<u32>(parser, 12) != 0, from, to)) return NONE
      store<u16>(row, <u16>ASKED_FOR, ROW_FLAGS)
      return VALUES
    case PARSE_EXPRESSION: {
      const program = table + <usize>load<u32>(parser, 8)
      if (!capture(program, from, to, room)) return NONE
      const groups = <u32>load<u16>(program, GROUPS)
      for (let n: u32 = 0; n < groups; n++) {
        const span = room + (<usize>n << 3)
        // A group that took no part has no value.
        if (load<u32>(span) != 0xffffffff) group(table, names, n, <usize>load<u32>(span), <usize>load<u32>(span, 4))
      }
      return VALUES
    }
    default:
      return NONE
  }
}

/** Whether the slot of docker's line has one; it loses its line feed. */
function line(row: usize, slot: u32, frame: usize): bool {
  const at = row + ROW_SLOTS + (<usize>slot << 2)
  const from = frame + <usize>load<u16>(at)
  const bytes = <usize>load<u16>(at, 2)
  if (bytes == ABSENT) return false
  store<u16>(at, <u16>withoutLineFeed(from, from + bytes), 2)
  return true
}
