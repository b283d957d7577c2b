/**
 * The prefilter: where in a text one of many literals could begin, by three of its bytes.
 *
 *     bytes       p        a        s      of the text at a place
 *     buckets   0000 0001 & 0100 0001 & 0000 0001   = bucket 0 may have something here
 *
 * There are eight buckets, one bit each. For each of the three bytes two tables of 16 say which buckets have one whose
 * lower or upper half it has, so 16 places are looked at by six shuffles (the algorithm is known as Teddy). What it says
 * is "perhaps": the literals of a bucket are compared afterwards.
 *
 *     table     │ first byte: by lower half, by upper │ second byte │ third byte │     16 bytes each
 *
 * Halves let more pass than literals have, so what passes is looked up by a hash of its three bytes, in small letters: of
 * thousands of hashes a few dozen have a bit. Where that says no nothing else is asked.
 */

/** Which of eight kinds or buckets the bytes may be of whose halves these are. */
// @ts-ignore: decorator
@inline
export function marks(lower: v128, upper: v128, low: v128, high: v128): v128 {
  // Indices are below 16, so the relaxed shuffle is the exact one.
  return v128.and(i8x16.relaxed_swizzle(lower, low), i8x16.relaxed_swizzle(upper, high))
}

/** The buckets that may have something at each of 16 places, by what may be there, one behind and two behind. */
// @ts-ignore: decorator
@inline
export function candidates(m0: v128, m1: v128, then1: v128, m2: v128, then2: v128): v128 {
  return v128.and(
    v128.and(m0, i8x16.shuffle(m1, then1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16)),
    i8x16.shuffle(m2, then2, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17),
  )
}

/** The hash of three bytes in the lowest ones of `bytes`, in which the case of letters does not matter. */
// @ts-ignore: decorator
@inline
function hashOf(bytes: u32): u32 {
  return (((bytes & 0xffffff) | 0x202020) * THREE_FACTOR) >> (32 - THREE_BITS)
}

/** Of the table of hashes: it has 2^THREE_BITS bits. src/process/redact/compile.ts writes it. */
export const THREE_BITS: u32 = 12
export const THREE_FACTOR: u32 = 0x9e3779b1

/** 1 if some literal may have the three bytes at `at`. */
// @ts-ignore: decorator
@inline
export function isThree(threes: usize, at: usize): u32 {
  const hash = hashOf(load<u32>(at))
  return (<u32>load<u8>(threes + <usize>(hash >> 3)) >> (hash & 7)) & 1
}

/** The buckets that may have something at one place. */
export function bucketsAt(table: usize, at: usize): u32 {
  return halves(table, <usize>load<u8>(at)) & halves(table + 32, <usize>load<u8>(at, 1)) & halves(table + 64, <usize>load<u8>(at, 2))
}

// @ts-ignore: decorator
@inline
function halves(table: usize, byte: usize): u32 {
  return <u32>(load<u8>(table + (byte & 15)) & load<u8>(table + 16 + (byte >> 4)))
}
