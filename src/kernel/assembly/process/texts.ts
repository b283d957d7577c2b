/**
 * Looks for several texts at once: of each text one to three bytes are its fingerprint, and 16 places are compared with all
 * fingerprints in a few steps. Only where a fingerprint stands are whole texts compared.
 *
 *     bytes      … k u b e - p r o b e / 1 . 2 …
 *     fingerprint            p r o
 *     candidates 0 0 0 0 0 0 1 0 0 0 0 0 0 0 0 0     each with the bucket of its texts
 *
 * The section of a table that says it, with offsets from the section's first byte (numbers are u32):
 *
 *     0    bytes of a fingerprint       4   bits behind which nothing more of a frame matters
 *     16   for each byte of the fingerprint: buckets by its low half, 16 bytes, and by its high half, 16 bytes
 *     112  for each bucket: offset of its texts, and how many they are
 *     176  texts: │ offset of its bytes │ bytes │ where in it the fingerprint stands │ bit │
 */
import { SCRATCH } from '../layout'
import { column, count, ends, first, start } from '../parameters'

const HALVES: usize = 16
const BUCKETS: usize = 112
const TEXT: usize = 16

/** The buckets that have such a byte in their fingerprint, for 16 bytes. */
// @ts-ignore: decorator
@inline
function named(low: v128, high: v128, at: usize): v128 {
  const bytes = v128.load(at)
  const half = i8x16.splat(15)
  // Both halves are below 16, so what a relaxed swizzle does with larger numbers does not matter.
  return v128.and(
    i8x16.relaxed_swizzle(low, v128.and(bytes, half)),
    i8x16.relaxed_swizzle(high, v128.and(i16x8.shr_u(bytes, 4), half)),
  )
}

/** Sets, in the column, the bits of the texts that stand in each frame. */
export function seek(section: usize): void {
  const size = <usize>load<u32>(section)
  const enough = load<u32>(section, 4)
  const second: usize = size > 1 ? 1 : 0
  const third: usize = size > 2 ? 2 : 0
  const low0 = v128.load(section + HALVES)
  const high0 = v128.load(section + HALVES + 16)
  const low1 = v128.load(section + HALVES + 32)
  const high1 = v128.load(section + HALVES + 48)
  const low2 = v128.load(section + HALVES + 64)
  const high2 = v128.load(section + HALVES + 80)
  const zero = i8x16.splat(0)
  const last = first + count - 1
  let frame = first
  let from = start
  let to = <usize>load<u32>(ends + (<usize>frame << 2))
  const stop = <usize>load<u32>(ends + (<usize>last << 2))
  let at = start
  while (at + size <= stop) {
    // Two bytes of a fingerprint are looked for in 32 places; where they stand, the third one too.
    while (at + 48 <= stop) {
      const here = v128.and(named(low0, high0, at), named(low1, high1, at + second))
      const there = v128.and(named(low0, high0, at + 16), named(low1, high1, at + 16 + second))
      if (v128.any_true(v128.or(here, there))) break
      at += 32
    }
    if (at + size > stop) break
    const pair = v128.and(named(low0, high0, at), named(low1, high1, at + second))
    const buckets = v128.and(pair, named(low2, high2, at + third))
    if (!v128.any_true(buckets)) {
      at += 16
      continue
    }
    let mask = <u32>i8x16.bitmask(i8x16.ne(buckets, zero))
    v128.store(SCRATCH, buckets)
    let next = at + 16
    while (mask != 0) {
      const lane = <usize>ctz(mask)
      mask &= mask - 1
      const place = at + lane
      if (place >= stop) break
      while (place >= to && frame < last) {
        frame++
        from = to + 1
        to = <usize>load<u32>(ends + (<usize>frame << 2))
      }
      const cell = column + (<usize>frame << 2)
      const found = verify(section, <u32>load<u8>(SCRATCH + lane), place, from, to)
      if (found == 0) continue
      store<u32>(cell, load<u32>(cell) | found)
      if ((found & enough) == 0) continue
      // Nothing else that stands in this frame changes anything.
      next = to + 1
      break
    }
    at = next
  }
}

/** The bits of the texts of these buckets that stand in [from, to) with their fingerprint at `place`. */
function verify(section: usize, buckets: u32, place: usize, from: usize, to: usize): u32 {
  let found: u32 = 0
  while (buckets != 0) {
    const bucket = section + BUCKETS + (<usize>ctz(buckets) << 3)
    buckets &= buckets - 1
    let text = section + <usize>load<u32>(bucket)
    const end = text + TEXT * <usize>load<u32>(bucket, 4)
    for (; text < end; text += TEXT) {
      const bytes = <usize>load<u32>(text, 4)
      const begin = place - <usize>load<u32>(text, 8)
      if (begin < from || begin + bytes > to) continue
      if (equal(section + <usize>load<u32>(text), begin, bytes)) found |= load<u32>(text, 12)
    }
  }
  return found
}

/** Whether so many bytes are the same at both addresses. */
export function equal(a: usize, b: usize, bytes: usize): bool {
  let at: usize = 0
  while (at + 8 <= bytes) {
    if (load<u64>(a + at) != load<u64>(b + at)) return false
    at += 8
  }
  while (at < bytes) {
    if (load<u8>(a + at) != load<u8>(b + at)) return false
    at++
  }
  return true
}
