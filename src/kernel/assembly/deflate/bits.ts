/**
 * Writes bits, the lowest first (RFC 1951 §3.1.1). Those that make no whole byte wait here, also between two blocks.
 *
 * Eight bytes are stored each time and the address goes on by the whole ones among them; what was too much is
 * overwritten by whatever comes next.
 */

/** What waits, and how many bits that is: at most seven, whenever something else is at work. */
export let waiting: u64 = 0
export let count: u64 = 0
/** Where the next byte goes. */
export let out: usize = 0

/** From here on bytes go to `to`. */
export function writeTo(to: usize): void {
  out = to
}

/** Takes over from a loop that kept these in its own hands, which is faster. */
export function resume(bits: u64, size: u64, to: usize): void {
  waiting = bits
  count = size
  out = to
}

/** Writes the `size` lower bits of `bits`, of which there may be up to 32. */
export function put(bits: u32, size: u32): void {
  waiting |= <u64>bits << count
  count += size
  store<u64>(out, waiting)
  out += <usize>(count >> 3)
  waiting >>= count & 0x38
  count &= 7
}

/** Fills the last byte with zeros. */
export function pad(): void {
  if (count > 0) put(0, 8 - <u32>count)
}

/** Writes [from, to) as it is, from a whole byte on. */
export function putBytes(from: usize, to: usize): void {
  memory.copy(out, from, to - from)
  out += to - from
}
