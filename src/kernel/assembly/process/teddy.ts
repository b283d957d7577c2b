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
 */

const LOW: i32 = 15

// @ts-ignore: decorator
@inline
function marks(bytes: v128, lower: v128, upper: v128): v128 {
  const low = i8x16.splat(<i8>LOW)
  // Indices are below 16, so the relaxed shuffle is the exact one.
  return v128.and(
    i8x16.relaxed_swizzle(lower, v128.and(bytes, low)),
    i8x16.relaxed_swizzle(upper, v128.and(i16x8.shr_u(bytes, 4), low)),
  )
}

/** The buckets that may have something at each of 16 places, by the six tables. */
// @ts-ignore: decorator
@inline
export function candidates(at: usize, l0: v128, u0: v128, l1: v128, u1: v128, l2: v128, u2: v128): v128 {
  return v128.and(
    v128.and(marks(v128.load(at), l0, u0), marks(v128.load(at, 1), l1, u1)),
    marks(v128.load(at, 2), l2, u2),
  )
}

/** The same for one place. */
export function bucketsAt(table: usize, at: usize): u32 {
  return halves(table, <usize>load<u8>(at)) & halves(table + 32, <usize>load<u8>(at, 1)) & halves(table + 64, <usize>load<u8>(at, 2))
}

// @ts-ignore: decorator
@inline
function halves(table: usize, byte: usize): u32 {
  return <u32>(load<u8>(table + (byte & 15)) & load<u8>(table + 16 + (byte >> 4)))
}
