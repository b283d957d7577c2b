/**
 * Looks up names among those that are wanted, and notes in a row where their values stand.
 *
 *     node     multiplier u64 │ shift │ - │ places: an entry each, or 0            (offsets are relative to the table)
 *     entry    key u64 │ bytes of the name │ the name │ node of its members │ targets │ how many │ the place's next entry
 *     target   slot u8 │ rank u8 │ kinds of values u8 │ whether the slot has no other name u8
 *
 * A key is the first eight bytes of a name, and of a longer one its last eight too; key times multiplier, shifted, is
 * its place. The compiler searches for a multiplier with which each place has one name (src/process/parse/table.ts).
 *
 * One name may have several targets, and a slot several names: then the one of the lowest rank has it, and of equal
 * names the last.
 */
import { ABSENT, ROW_SLOTS, SLOT } from '../layout'

/** Kinds of values, a bit each. Values of pairs and of expressions are texts. */
export const KIND_TEXT: u32 = 1
export const KIND_NUMBER: u32 = 2
export const KIND_BOOLEAN: u32 = 4
export const KIND_NULL: u32 = 8
export const KIND_OBJECT: u32 = 16
export const KIND_ARRAY: u32 = 32

export const NODE_PLACES: usize = 16
export const ENTRY: usize = 32
export const TARGET: usize = 4
const ENTRY_BYTES: usize = 8
const ENTRY_NAME: usize = 12
const ENTRY_NODE: usize = 16
const ENTRY_TARGETS: usize = 20
const ENTRY_COUNT: usize = 24
const ENTRY_NEXT: usize = 28

/** What the last eight bytes of a long name are multiplied by. */
const SPREADING: u64 = 0x9e3779b97f4a7c15
/** An offset in a row, or a length, that is too large for it. */
const TOO_FAR: usize = 0xffff

/** The record at hand: address of its first byte, of its row, and of the rank that each slot has its value from. */
let frame: usize = 0
let row: usize = 0
let ranks: usize = 0

/** Begins a record: its slots are empty. A row is a multiple of 8 bytes, and so are ranks. */
export function begin(first: usize, rowAt: usize, rowBytes: usize, ranksAt: usize, slots: u32): void {
  frame = first
  row = rowAt
  ranks = ranksAt
  for (let at = rowAt + ROW_SLOTS; at < rowAt + rowBytes; at += 8) store<u64>(at, -1)
  for (let at: usize = 0; at < <usize>slots; at += 8) store<u64>(ranksAt + at, -1)
}

// @ts-ignore: decorator
@inline
export function keyOf(name: usize, bytes: usize): u64 {
  const key = load<u64>(name)
  if (bytes < 8) return key & (((<u64>1) << (<u64>bytes << 3)) - 1)
  return bytes == 8 ? key : key ^ (load<u64>(name + bytes - 8) * SPREADING)
}

/** Whether two names of so many bytes are the same. */
export function same(one: usize, other: usize, bytes: usize): bool {
  if (bytes < 8) return keyOf(one, bytes) == keyOf(other, bytes)
  const last = bytes - 8
  for (let at: usize = 0; at < last; at += 8) if (load<u64>(one + at) != load<u64>(other + at)) return false
  return load<u64>(one + last) == load<u64>(other + last)
}

/** The entry of a name in a node, or 0. */
// @ts-ignore: decorator
@inline
export function find(table: usize, node: usize, key: u64, name: usize, bytes: usize): usize {
  const place = <usize>(((key + <u64>bytes) * load<u64>(node)) >> <u64>load<u32>(node, 8))
  let entry = <usize>load<u32>(node + (place << 2), NODE_PLACES)
  while (entry != 0) {
    entry += table
    if (
      load<u64>(entry) == key &&
      load<u32>(entry, ENTRY_BYTES) == <u32>bytes &&
      (bytes <= 8 || same(table + <usize>load<u32>(entry, ENTRY_NAME), name, bytes))
    ) {
      return entry
    }
    entry = <usize>load<u32>(entry, ENTRY_NEXT)
  }
  return 0
}

/** The node of the names within the values of an entry, or 0. */
// @ts-ignore: decorator
@inline
export function nodeOf(table: usize, entry: usize): usize {
  const node = <usize>load<u32>(entry, ENTRY_NODE)
  return node == 0 ? 0 : table + node
}

/** Notes that the value [from, to) has the name of an entry. */
export function put(table: usize, entry: usize, from: usize, to: usize, kind: u32): void {
  const count = load<u32>(entry, ENTRY_COUNT)
  if (count != 0) putTargets(table + <usize>load<u32>(entry, ENTRY_TARGETS), count, from, to, kind)
}

/** Notes that the value [from, to) is one for these targets. */
// @ts-ignore: decorator
@inline
function putTargets(targets: usize, count: u32, from: usize, to: usize, kind: u32): void {
  const value = placed(from, to)
  const stop = targets + <usize>count * TARGET
  do {
    const target = load<u32>(targets)
    const slot = <usize>(target & 0xff)
    if (((target >> 16) & kind) != 0) {
      if (target >> 24 != 0) store<u32>(row + (slot << 2), value, ROW_SLOTS)
      else {
        const rank = (target >> 8) & 0xff
        if (rank <= <u32>load<u8>(ranks + slot)) {
          store<u8>(ranks + slot, <u8>rank)
          store<u32>(row + (slot << 2), value, ROW_SLOTS)
        }
      }
    }
    targets += TARGET
  } while (targets < stop)
}

/**
 * Notes that [from, to) is the value of a group: the table has for each where its targets are, and how many (u16); and one
 * more than its slot (u16), if that is its only one and has no other name.
 */
// @ts-ignore: decorator
@inline
export function group(table: usize, groups: usize, number: u32, from: usize, to: usize): void {
  const at = groups + (<usize>number << 3)
  const targets = load<u32>(at, 4)
  if (targets > 0xffff) store<u32>(row + (<usize>(targets >> 16) << 2), placed(from, to), ROW_SLOTS - SLOT)
  else if (targets != 0) groupOf(table + <usize>load<u32>(at), targets, from, to)
}

function groupOf(targets: usize, count: u32, from: usize, to: usize): void {
  putTargets(targets, count, from, to, KIND_TEXT)
}

/** Where a value stands, as a slot has it. */
// @ts-ignore: decorator
@inline
function placed(from: usize, to: usize): u32 {
  const at = from - frame
  const bytes = to - from
  return at < TOO_FAR && bytes < TOO_FAR ? <u32>at | (<u32>bytes << 16) : ABSENT | (ABSENT << 16)
}
