/**
 * Which records a sample keeps: a decision by hash.
 *
 * The hash takes eight bytes at a time (multiply and rotate) and ends as MurmurHash3 does. It has no secret and is no
 * protection against anyone who wants two texts to be equal: what it decides is only which of one's own records are kept.
 */
import { ABSENT, ROW_FLAGS, ROW_LEVEL, ROW_SLOTS, SLOT } from '../layout'
import { column, count, ends, first, rowBytes, rows, start } from '../parameters'

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
      const at = rows + frame * rowBytes
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
