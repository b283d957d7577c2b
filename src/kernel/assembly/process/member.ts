/**
 * Reads the members of a record one by one: of an object that is known to be well formed, or of pairs.
 */
import { blank, text } from '../object'

/** The member at hand: its name (of an object with the quotes), and its value. */
export let name: usize = 0
export let nameEnd: usize = 0
export let value: usize = 0
export let valueEnd: usize = 0
/** Within a value: how many values there are, how deep it goes, and its longest name. */
export let inner: u32 = 0
export let deepest: u32 = 0
export let longest: usize = 0

/** There is nothing in a value. */
export function nothingIn(): void {
  inner = 0
  deepest = 0
  longest = 0
}

/** The member at hand has this name from now on. */
export function rename(from: usize, to: usize): void {
  name = from
  nameEnd = to
}

/** Looks into the value [from, to): `inner`, `deepest` and `longest` say what is in it. */
export function lookInto(from: usize, to: usize): void {
  nothingIn()
  const byte = <u32>load<u8>(from)
  if (byte == 0x7b || byte == 0x5b) behindNested(from, to)
}

/** Reads the member of an object that begins at `at`, or behind white space; returns where the next one does, or 0. */
export function member(at: usize, to: usize): usize {
  at = blank(at, to)
  if (at >= to || load<u8>(at) != 0x22) return 0
  name = at
  at = text(at, to)
  nameEnd = at
  at = blank(blank(at, to) + 1, to)
  value = at
  inner = 0
  deepest = 0
  longest = 0
  const byte = <u32>load<u8>(at)
  if (byte == 0x22) at = text(at, to)
  else if (byte == 0x7b || byte == 0x5b) at = behindNested(at, to)
  else at = behindWord(at, to)
  valueEnd = at
  at = blank(at, to)
  return at < to && load<u8>(at) == 0x2c ? at + 1 : at
}

/** The address behind the object or array that begins at `at`, which is well formed. Says what is in it. */
function behindNested(at: usize, to: usize): usize {
  let depth: u32 = 0
  // What stands open, the innermost in the lowest bit: 1 is an object.
  let open: u64 = 0
  while (at < to) {
    const byte = <u32>load<u8>(at)
    if (byte == 0x22) {
      const begin = at + 1
      at = text(at, to)
      if (at - 1 - begin > longest && (open & 1) != 0 && load<u8>(blank(at, to)) == 0x3a) longest = at - 1 - begin
      continue
    }
    at++
    if (byte == 0x7b || byte == 0x5b) {
      open = (open << 1) | (byte == 0x7b ? 1 : 0)
      if (++depth > deepest) deepest = depth
    } else if (byte == 0x7d || byte == 0x5d) {
      if (--depth == 0) break
      open >>= 1
    } else if (byte == 0x2c && (open & 1) != 0) inner++
  }
  return at
}

function behindWord(at: usize, to: usize): usize {
  while (at < to) {
    const byte = <u32>load<u8>(at)
    if (byte <= 0x20 || byte == 0x2c || byte == 0x7d || byte == 0x5d) break
    at++
  }
  return at
}

/** Reads the pair that begins at `at`, or behind blanks; returns the address behind it, or 0 if there is none. */
export function pair(at: usize, to: usize): usize {
  inner = 0
  deepest = 0
  while (at < to && load<u8>(at) <= 0x20) at++
  if (at >= to) return 0
  name = at
  while (at < to && load<u8>(at) != 0x3d) at++
  nameEnd = at
  value = ++at
  if (at < to && load<u8>(at) == 0x22) {
    for (at++; at < to && load<u8>(at) != 0x22; at++) if (load<u8>(at) == 0x5c) at++
    at++
  } else while (at < to && load<u8>(at) > 0x20) at++
  if (at > to) at = to
  valueEnd = at
  return at
}
