/**
 * Tells well-formed UTF-8 from what is not, in the way of the WHATWG Encoding Standard (and The Unicode Standard,
 * table 3-7): each maximal subpart of an ill-formed sequence is to become one U+FFFD.
 *
 *     bytes     6c  e2 82  6c  f0 9f 98  ff  c3 a9
 *     meaning   l   └ cut  l   └ cut     └no  é
 *     result    l   �      l   �         �   é
 *
 * Only chunks that failed the check of `Kernel.validUtf8` come here, and frames that are cut.
 */

/**
 * Looks at the sequence that begins at `at`, which is below `to`. Returns its length if it is well formed, or minus the
 * length of its maximal subpart.
 */
export function sequence(at: usize, to: usize): i32 {
  const lead = <u32>load<u8>(at)
  if (lead < 0x80) return 1
  if (lead < 0xc2 || lead > 0xf4) return -1
  const length: i32 = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4
  // The second byte of some leads is narrower than 80..bf: this shuts out overlong forms, surrogates and the end.
  let low: u32 = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80
  let high: u32 = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf
  for (let n: i32 = 1; n < length; n++) {
    if (at + n >= to) return -n
    const byte = <u32>load<u8>(at + n)
    if (byte < low || byte > high) return -n
    low = 0x80
    high = 0xbf
  }
  return length
}

/** The address of the first byte in [from, to) that begins something ill formed, or `to`. */
export function wellFormed(from: usize, to: usize): usize {
  let at = from
  while (at < to) {
    if (at + 16 <= to && i8x16.bitmask(v128.load(at)) == 0) {
      at += 16 // nothing but ASCII
      continue
    }
    const length = sequence(at, to)
    if (length < 0) return at
    at += length
  }
  return to
}
