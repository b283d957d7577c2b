/**
 * The texts of partitions, as the host laid them down: offset u32 and bytes u32 of each, by number, and then the texts. A
 * text may have several pieces, with a NUL between two of them.
 */
import { copy } from '../copy'
import { partitionTexts } from '../parameters'
import { partition } from './row'

// @ts-ignore: decorator
@inline
function textOf(number: u32): usize {
  return partitionTexts + <usize>load<u32>(partitionTexts + (<usize>number << 3))
}

// @ts-ignore: decorator
@inline
function bytesOf(number: u32): usize {
  return <usize>load<u32>(partitionTexts + (<usize>number << 3), 4)
}

/** Writes the text of a partition; returns the address behind it, or 0 if it would pass `limit`. */
export function wholeText(number: u32, out: usize, limit: usize): usize {
  const from = textOf(number)
  return copy(from, from + bytesOf(number), out, limit)
}

/** Bytes of the text of the record at hand. */
export function textBytes(): usize {
  return bytesOf(partition())
}

// The piece at hand.
let from: usize = 0
let to: usize = 0

/** Finds a piece of the text of the record at hand. */
function find(index: u32): void {
  const number = partition()
  from = textOf(number)
  const end = from + bytesOf(number)
  while (index > 0 && from < end) if (load<u8>(from++) == 0) index--
  to = from
  while (to < end && load<u8>(to) != 0) to++
}

/** Writes a piece of the text of the record at hand. */
export function piece(index: u32, out: usize, limit: usize): usize {
  find(index)
  return copy(from, to, out, limit)
}

/** Whether nothing stands in a piece of the text of the record at hand. */
export function isEmpty(index: u32): bool {
  find(index)
  return from == to
}
