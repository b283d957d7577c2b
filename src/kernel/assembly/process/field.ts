/**
 * One field: whether it may be sent, and how it is written.
 *
 * What has more than may be is not written at all (`tooMuch`): the caller sends the frame instead.
 */
import { escaped, plain } from '../body'
import { AS_ATTRIBUTE, AS_JSON, AS_KEY_VALUE, JSON } from '../layout'
import { attribute, keyValue } from './attribute'
import { write } from './value'

/** `line_`, behind a quote or not. */
export const LINE: u64 = 0x5f656e696c
export const LINE_BYTES: usize = 5

/** The record at hand has more fields, or longer ones, than may be. */
export let tooMuch: bool = false

// How many there may be yet.
let left: u32 = 0

/** Begins a record. */
export function beginFields(): void {
  tooMuch = false
}

/** From now on there may be so many. */
export function allow(count: u32): void {
  left = count
}

/** The record at hand has more than may be. Returns 0. */
export function refuse(): usize {
  tooMuch = true
  return 0
}

/**
 * Whether there may be this field too: `inner` values stand in it, its name is so long (`path`: with all names within its
 * value), and its value. `most`: bytes of a name, of a value.
 */
// @ts-ignore: decorator
@inline
export function fits(most: usize, inner: u32, name: usize, path: usize, value: usize, how: u32): bool {
  // Elsewhere an object is one text.
  const count: u32 = how == AS_JSON ? 1 + inner : 1
  if (
    count > left ||
    (how == AS_JSON ? max(name, path) : name) > <usize>load<u32>(most) ||
    value > <usize>load<u32>(most, 4)
  ) {
    tooMuch = true
    return false
  }
  left -= count
  return true
}

/** Writes a name and a value. A name of an object has its quotes. `line`: behind `line_`, where fields are members. */
export function one(
  name: usize,
  nameEnd: usize,
  nameForm: u32,
  line: bool,
  value: usize,
  valueEnd: usize,
  kind: u32,
  number: bool,
  how: u32,
  out: usize,
  limit: usize,
): usize {
  if (how == AS_ATTRIBUTE) return attribute(name, nameEnd, nameForm, value, valueEnd, kind, number, out, limit)
  if (how == AS_KEY_VALUE) return keyValue(name, nameEnd, nameForm, value, valueEnd, kind, number, out, limit)
  if (out + 10 > limit) return 0
  if (load<u8>(out - 1) != 0x7b) store<u8>(out++, 0x2c)
  store<u8>(out++, 0x22)
  if (line) {
    store<u64>(out, LINE)
    out += LINE_BYTES
  }
  out = nameForm == JSON ? plain(name + 1, nameEnd - 1, out, limit) : escaped(name, nameEnd, out, limit)
  if (out == 0 || out + 2 > limit) return 0
  store<u16>(out, 0x3a22)
  return write(value, valueEnd, kind, number, how, out + 2, limit)
}
