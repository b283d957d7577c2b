/**
 * The row of the frame at hand: what was found in it (layout.ts).
 */
import {
  ABSENT,
  JSON,
  NO_SLOT,
  NO_TIME,
  PAIRS,
  RESAMPLED,
  ROW_FLAGS,
  ROW_FORM,
  ROW_LEVEL,
  ROW_REPEATED,
  ROW_SLOTS,
  ROW_TIME,
  SAMPLED,
  SLOT,
  TEXT,
} from '../layout'
import { newest, oldest, partitionAt, refusesBlank } from '../parameters'

// The row, 0 without one, and the frame's first byte.
let row: usize = 0
let frame: usize = 0
/** Values are not shown: the frame is its own message. */
let bare: bool = false
let now: i64 = NO_TIME
/** The record has a time that is not used, since it is too old or too far ahead. */
export let displaced: bool = false

/** Where the value that was asked for last stands. */
export let from: usize = 0
export let to: usize = 0

export function beginRow(at: usize, start: usize, isBare: bool): void {
  row = at
  frame = start
  bare = isBare
  now = at == 0 ? NO_TIME : load<i64>(at, ROW_TIME)
  displaced = now != NO_TIME && (now < oldest || now > newest)
  if (displaced) now = NO_TIME
}

export function time(): i64 {
  return now
}

export function level(): u32 {
  return row == 0 ? 0 : <u32>load<u8>(row, ROW_LEVEL)
}

export function repeated(): u32 {
  return row == 0 ? 0 : load<u32>(row, ROW_REPEATED)
}

export function form(): u32 {
  return row == 0 || bare ? TEXT : <u32>load<u8>(row, ROW_FORM)
}

export function flags(): u32 {
  return row == 0 || bare ? 0 : <u32>load<u16>(row, ROW_FLAGS)
}

/** The number of its partition. */
export function partition(): u32 {
  return row == 0 || partitionAt == 0 ? 0 : load<u32>(row + partitionAt)
}

/** Which sampling chose the record: its flags. */
export function sampling(): u32 {
  return row == 0 ? 0 : <u32>load<u16>(row, ROW_FLAGS) & (SAMPLED | RESAMPLED)
}

/** Whether there is a value in a slot: it stands in [from, to). */
export function find(slot: u32): bool {
  if (row == 0 || bare || slot == NO_SLOT) return false
  const at = <u32>load<u16>(row + ROW_SLOTS + <usize>slot * SLOT)
  if (at == ABSENT) return false
  from = frame + <usize>at
  to = from + <usize>load<u16>(row + ROW_SLOTS + <usize>slot * SLOT, 2)
  return true
}

/** Where the first slot of the row at hand is, and the first byte of its frame: while it is no text. */
export function slotsAt(): usize {
  return row + ROW_SLOTS
}
export function frameAt(): usize {
  return frame
}

/** Whether there is a message in this slot that is fit to be one: it stands in [from, to). */
export function findMessage(slot: u32): bool {
  return find(slot) && !(refusesBlank && isBlank())
}

/** Whether the value that was asked for last says nothing but white space. */
function isBlank(): bool {
  const kind = form()
  let at = from
  let end = to
  if ((kind == JSON || kind == PAIRS) && end - at >= 2 && load<u8>(at) == 0x22) {
    at++
    end--
  }
  for (; at < end; at++) {
    const byte = <u32>load<u8>(at)
    if (byte <= 0x20) continue
    if (byte != 0x5c || at + 1 == end) return false
    // A tab, a line feed or a carriage return, as JSON writes them.
    const letter = <u32>load<u8>(++at)
    if (letter != 0x74 && letter != 0x6e && letter != 0x72) return false
  }
  return true
}
