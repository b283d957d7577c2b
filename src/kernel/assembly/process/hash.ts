/**
 * Decisions by hash: which records a sample keeps, and which are equal to the one before them.
 *
 * The hash takes eight bytes at a time (multiply and rotate) and ends as MurmurHash3 does. It has no secret and is no
 * protection against anyone who wants two texts to be equal: what it decides is only which of one's own records are kept.
 */
import { ABSENT, NO_TIME, ROW_FLAGS, ROW_LEVEL, ROW_REPEATED, ROW_SLOTS, ROW_TIME, SLOT } from '../layout'
import { count, ends, first, rows, start } from '../parameters'
import { column, row } from './frames'

const A: u64 = 0x9e3779b97f4a7c15
const B: u64 = 0xbf58476d1ce4e5b9
const C: u64 = 0x94d049bb133111eb

// @ts-ignore: decorator
@inline
function mixed(hash: u64, word: u64): u64 {
  return rotl<u64>((hash ^ word) * A, 29) * B
}

// @ts-ignore: decorator
@inline
function finished(hash: u64): u64 {
  hash = (hash ^ (hash >> 30)) * B
  hash = (hash ^ (hash >> 27)) * C
  return hash ^ (hash >> 31)
}

/** The hash of the bytes in [from, to). */
export function hash(from: usize, to: usize, seed: u64): u64 {
  return finished(hashed(from, to, seed ^ (<u64>(to - from) * C)))
}

function hashed(from: usize, to: usize, state: u64): u64 {
  while (from + 8 <= to) {
    state = mixed(state, load<u64>(from))
    from += 8
  }
  let word: u64 = 0
  for (let shift: u64 = 0; from < to; from++, shift += 8) word |= <u64>load<u8>(from) << shift
  return mixed(state, word)
}

/** What `sample` decides by: the slot of the key, or −1; what the generation adds where a record has no value for it. */
export let key: i32 = -1
export let seed: u64 = 0
/** Added to what is hashed, so that two samplings one after the other decide by different hashes. */
export let salt: u64 = 0
/** Records are kept whose hash is lower: of 2^32. */
export let threshold: u32 = 0
/** Records of this level, or a higher one, are kept in any case; 0: none. */
export let keepLevel: u32 = 0
/** Set in the row of a record that was chosen. */
export let chosen: u32 = 0
/** What must be added to an address to get an offset in the file; or a column of offsets, for which it must be added to them. */
export let base: i64 = 0
export let offsets: usize = 0

/** Gives the frames that are not chosen `verdict`; returns how many. */
export function sample(verdict: u32): u32 {
  let dropped: u32 = 0
  let from = start
  for (let n: u32 = 0; n < count; n++) {
    const frame = <usize>(first + n)
    const to = <usize>load<u32>(ends + (frame << 2))
    const cell = column + (frame << 2)
    if ((load<u32>(cell) & 0xff) == 0) {
      const at = rows + frame * row
      const level = <u32>load<u8>(at, ROW_LEVEL)
      if (keepLevel == 0 || level < keepLevel) {
        const place = offsets == 0 ? <i64>from : <i64>load<u32>(offsets + (<usize>n << 2))
        if (<u32>(keyed(at, from, place) >> 32) < threshold) {
          store<u16>(at, <u16>(<u32>load<u16>(at, ROW_FLAGS) | chosen), ROW_FLAGS)
        } else {
          store<u32>(cell, verdict)
          dropped++
        }
      }
    }
    from = to + 1
  }
  return dropped
}

/** The hash of the value of the key, without its quotes, or of the generation and the offset. */
function keyed(at: usize, frame: usize, place: i64): u64 {
  if (key >= 0) {
    const slot = at + ROW_SLOTS + SLOT * <usize>key
    const from = <u32>load<u16>(slot)
    const bytes = <usize>load<u16>(slot, 2)
    if (from != ABSENT || bytes != <usize>ABSENT) {
      let value = frame + <usize>from
      let end = value + bytes
      if (bytes >= 2 && load<u8>(value) == 0x22 && load<u8>(end - 1) == 0x22) {
        value++
        end--
      }
      if (end > value) return hash(value, end, salt)
    }
  }
  return finished(mixed(seed ^ salt, <u64>(place + base)))
}

/** So far numbers are not compared: a time stands there, or one that counts. Bytes, of which a number has one. */
const HEAD: usize = 64
/**
 * Gives all records of a run but its last one `verdict`, and says in that one's row how many they are; returns how many
 * have got it. A run ends with a record that is not equal, and `window` nanoseconds after its first record, by the times of
 * records that have one.
 */
export function repeats(verdict: u32, window: i64): u32 {
  let dropped: u32 = 0
  let from = start
  let before: usize = 0
  let hashBefore: u64 = 0
  let run: u32 = 0
  let since: i64 = NO_TIME
  for (let n: u32 = 0; n < count; n++) {
    const frame = <usize>(first + n)
    const to = <usize>load<u32>(ends + (frame << 2))
    const cell = column + (frame << 2)
    if ((load<u32>(cell) & 0xff) == 0) {
      const at = rows + frame * row
      const time = load<i64>(at, ROW_TIME)
      const own = alike(from, to)
      const late = time != NO_TIME && since != NO_TIME && time - since > window
      if (before != 0 && own == hashBefore && !late) {
        store<u32>(before, verdict)
        dropped++
        run++
        store<u32>(at, run, ROW_REPEATED)
      } else {
        run = 1
        since = time
      }
      before = cell
      hashBefore = own
    }
    from = to + 1
  }
  return dropped
}

/** A hash that is the same for records which differ only in numbers at their head. */
function alike(from: usize, to: usize): u64 {
  // What ends a line is not compared.
  if (to > from && load<u8>(to - 1) == 13) to--
  let state: u64 = A
  let word: u64 = 0
  let filled: u64 = 0
  let length: usize = 0
  let digits = false
  let at = from
  for (; at < to; at++) {
    const byte = <u32>load<u8>(at)
    const digit = byte - 48 < 10
    if (digit && digits) continue
    if (length == HEAD) break
    digits = digit
    length++
    word |= <u64>(digit ? 48 : byte) << filled
    filled += 8
    if (filled == 64) {
      state = mixed(state, word)
      word = 0
      filled = 0
    }
  }
  // How much of the last word is filled tells a NUL from none.
  state = mixed(state, word ^ (filled << 56))
  return finished(hashed(at, to, state ^ (<u64>(to - at) * C)))
}
