/**
 * Base64 (RFC 4648 §4) in place: what stands there grows by a third, so it is written from its end to its beginning.
 */

/** Encodes the bytes [from, to); returns the address behind the last sign, or 0 if it would pass `limit`. */
export function encode(from: usize, to: usize, limit: usize): usize {
  const bytes = to - from
  const groups = (bytes + 2) / 3
  const end = from + groups * 4
  if (end > limit) return 0
  for (let group = groups; group > 0; group--) {
    const read = from + (group - 1) * 3
    const left = to - read
    const first = <u32>load<u8>(read)
    const second: u32 = left > 1 ? <u32>load<u8>(read, 1) : 0
    const third: u32 = left > 2 ? <u32>load<u8>(read, 2) : 0
    const write = from + (group - 1) * 4
    store<u8>(write, sign(first >> 2))
    store<u8>(write, sign(((first & 3) << 4) | (second >> 4)), 1)
    store<u8>(write, left > 1 ? sign(((second & 15) << 2) | (third >> 6)) : 0x3d, 2)
    store<u8>(write, left > 2 ? sign(third & 63) : 0x3d, 3)
  }
  return end
}

// @ts-ignore: decorator
@inline
function sign(six: u32): u8 {
  // A–Z, a–z, 0–9, +, /
  return <u8>(six < 26 ? six + 65 : six < 52 ? six + 71 : six < 62 ? six - 4 : six == 62 ? 43 : 47)
}
