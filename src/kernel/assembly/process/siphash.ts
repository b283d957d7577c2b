/** SipHash-2-4 (Aumasson, Bernstein): a keyed hash of 64 bits, for texts of any length. */

let v0: u64 = 0
let v1: u64 = 0
let v2: u64 = 0
let v3: u64 = 0

function rounds(n: u32): void {
  for (let i: u32 = 0; i < n; i++) {
    v0 += v1
    v1 = rotl(v1, 13) ^ v0
    v0 = rotl(v0, 32)
    v2 += v3
    v3 = rotl(v3, 16) ^ v2
    v0 += v3
    v3 = rotl(v3, 21) ^ v0
    v2 += v1
    v1 = rotl(v1, 17) ^ v2
    v2 = rotl(v2, 32)
  }
}

/** The hash of [from, to) under the key of two halves. */
export function siphash(k0: u64, k1: u64, from: usize, to: usize): u64 {
  v0 = k0 ^ 0x736f6d6570736575
  v1 = k1 ^ 0x646f72616e646f6d
  v2 = k0 ^ 0x6c7967656e657261
  v3 = k1 ^ 0x7465646279746573
  let at = from
  for (; at + 8 <= to; at += 8) {
    const word = load<u64>(at)
    v3 ^= word
    rounds(2)
    v0 ^= word
  }
  let last = <u64>(to - from) << 56
  for (let shift: u64 = 0; at < to; shift += 8) last |= <u64>load<u8>(at++) << shift
  v3 ^= last
  rounds(2)
  v0 ^= last
  v2 ^= 0xff
  rounds(4)
  return v0 ^ v1 ^ v2 ^ v3
}
