/**
 * The row of the frame at hand: what was found in it (layout.ts).
 */
import { ABSENT, NO_SLOT, NO_TIME, ROW_FLAGS, ROW_FORM, ROW_LEVEL, ROW_REPEATED, ROW_SLOTS, ROW_TIME, SLOT, TEXT } from '../layout'

// The row, 0 without one, and the frame's first byte.
let row: usize = 0
let frame: usize = 0
/** Values are not shown: the frame has to be cut, and is its own message. */
let bare: bool = false

/** Where the value that was asked for last stands. */
export let from: usize = 0
export let to: usize = 0

export function beginRow(at: usize, start: usize, isBare: bool): void {
  row = at
  frame = start
  bare = isBare
}

export function time(): i64 {
  return row == 0 ? NO_TIME : load<i64>(row, ROW_TIME)
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

/** Whether there is a value in a slot: it stands in [from, to). */
export function find(slot: u32): bool {
  if (row == 0 || bare || slot == NO_SLOT) return false
  const at = <u32>load<u16>(row + ROW_SLOTS + <usize>slot * SLOT)
  if (at == ABSENT) return false
  from = frame + <usize>at
  to = from + <usize>load<u16>(row + ROW_SLOTS + <usize>slot * SLOT, 2)
  return true
}
