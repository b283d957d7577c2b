/**
 * Distances in the words of RFC 1951 §3.2.5: two symbols for each power of two, and extra bits for what lies between.
 *
 *     distance   1 2 3 4 │ 5 6 │ 7 8 │ 9 … 12 │ 13 … 16 │ 17 … 24 │ …
 *     symbol     0 1 2 3 │ 4   │ 5   │ 6      │ 7       │ 8       │
 */

/** How many extra bits follow a symbol. */
// @ts-ignore: decorator
@inline
export function distanceExtra(symbol: u32): u32 {
  return symbol < 4 ? 0 : (symbol >> 1) - 1
}

/** The symbol of a distance: the highest bit of what is left of it without one, and the bit below that. */
// @ts-ignore: decorator
@inline
export function distanceSymbol(distance: usize): u32 {
  const less = <u32>distance - 1
  if (less < 2) return less
  const highest: u32 = 31 - clz(less)
  return (highest << 1) | ((less >> (highest - 1)) & 1)
}
