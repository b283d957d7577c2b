/**
 * Names that stand in one record, by what they say: which of two equal ones is the last, and whether there is a name at all.
 * It is asked only about records in which names may stand twice, and about names that a value is to get; so it is filled
 * when it is asked first, in one walk over the record.
 *
 *     place    hash u32 │ address of the name where it stands last, or 0
 *
 * A name is read character by character: an escape is what it says, what is not UTF-8 is U+FFFD, as it will be read.
 */
import { NAMES, NAME_PLACES } from '../layout'
import { sequence } from '../repair'

const PLACE: usize = 8
/** A table that is fuller would be slow. No record that was parsed has more names. */
const MOST: u32 = 1536
const SPREADING: u64 = 0x9e3779b97f4a7c15

let count: u32 = 0

/** The character that was read last, and the address behind it. */
let character: u32 = 0
let behind: usize = 0

export function clear(): void {
  count = 0
  memory.fill(NAMES, 0, <usize>NAME_PLACES * PLACE)
}

/** Reads the character at `at`, which is below `to`. `escapes`: a backslash begins an escape of JSON, which is well formed. */
// @ts-ignore: decorator
@inline
function read(at: usize, to: usize, escapes: bool): void {
  const byte = <u32>load<u8>(at)
  if (byte < 0x80) {
    character = byte
    behind = at + 1
    if (byte == 0x5c && escapes) escape(at + 1, to)
    return
  }
  const length = sequence(at, to)
  if (length < 0) {
    character = 0xfffd
    behind = at - length
    return
  }
  let value = byte & (length == 2 ? 0x1f : length == 3 ? 0x0f : 0x07)
  for (let n: i32 = 1; n < length; n++) value = (value << 6) | (<u32>load<u8>(at + n) & 0x3f)
  character = value
  behind = at + length
}

/** Reads what a backslash stands before. */
function escape(at: usize, to: usize): void {
  const letter = <u32>load<u8>(at)
  behind = at + 1
  if (letter == 0x62) character = 0x08
  else if (letter == 0x66) character = 0x0c
  else if (letter == 0x6e) character = 0x0a
  else if (letter == 0x72) character = 0x0d
  else if (letter == 0x74) character = 0x09
  else if (letter != 0x75) character = letter
  else {
    character = unit(at + 1)
    behind = at + 5
    if (character >> 11 != 0x1b) return
    const low = at + 11 <= to && load<u16>(at + 5) == 0x755c ? unit(at + 7) : 0
    if (character < 0xdc00 && low >> 10 == 0x37) {
      character = 0x10000 + ((character - 0xd800) << 10) + (low - 0xdc00)
      behind = at + 11
    } else character = 0xfffd
  }
}

/** What four hexadecimal digits say. */
function unit(at: usize): u32 {
  let value: u32 = 0
  for (let n: usize = 0; n < 4; n++) {
    const digit = <u32>load<u8>(at + n)
    value = (value << 4) | (digit < 0x3a ? digit - 0x30 : (digit | 0x20) - 0x57)
  }
  return value
}

/** The hash of nothing. */
export const START: u64 = 0xcbf29ce484222325

/** The hash of what was hashed to `hash`, and the text [from, to) behind it. */
export function hashed(hash: u64, from: usize, to: usize, escapes: bool): u64 {
  while (from < to) {
    read(from, to, escapes)
    hash = (hash ^ <u64>character) * 0x100000001b3
    from = behind
  }
  return hash
}

/** Whether two texts say the same. */
export function sameText(
  one: usize,
  oneEnd: usize,
  oneEscapes: bool,
  other: usize,
  otherEnd: usize,
  otherEscapes: bool,
): bool {
  while (one < oneEnd && other < otherEnd) {
    read(one, oneEnd, oneEscapes)
    const found = character
    one = behind
    read(other, otherEnd, otherEscapes)
    if (character != found) return false
    other = behind
  }
  return one == oneEnd && other == otherEnd
}

/** Whether `text` begins with what [head, headEnd) says. */
export function beginsWith(text: usize, textEnd: usize, escapes: bool, head: usize, headEnd: usize): bool {
  while (head < headEnd) {
    if (text >= textEnd) return false
    read(text, textEnd, escapes)
    const found = character
    text = behind
    read(head, headEnd, true)
    if (character != found) return false
    head = behind
  }
  return true
}

/** Notes that a name stands at `at`, last so far. False: there are too many. */
export function note(hash: u64, at: usize): bool {
  const place = placeOf(hash)
  if (load<u32>(place, 4) == 0 && ++count > MOST) return false
  store<u32>(place, mark(hash))
  store<u32>(place, <u32>at, 4)
  return true
}

/** Where a name stands last; 0: nowhere. */
export function lastOf(hash: u64): usize {
  return <usize>load<u32>(placeOf(hash), 4)
}

/** The place of a hash, which is free if there is no such name. Two names may have one hash: the caller compares. */
function placeOf(hash: u64): usize {
  let place = (hash * SPREADING) >> 53
  while (true) {
    const at = NAMES + <usize>place * PLACE
    if (load<u32>(at, 4) == 0 || load<u32>(at) == mark(hash)) return at
    place = (place + 1) & <u64>(NAME_PLACES - 1)
  }
}

// @ts-ignore: decorator
@inline
function mark(hash: u64): u32 {
  return <u32>(hash ^ (hash >> 32))
}
