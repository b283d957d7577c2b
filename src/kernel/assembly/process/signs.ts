/**
 * Signs: of 64 bytes, which are digits, dots, and so on, as a bit for each byte.
 *
 *     bytes     4  1  1  1  -  4     by their halves two shuffles say of 16 bytes which kinds each is: a bit for a kind
 *     kinds     d  d  d  d  b  d
 *     DIGIT     1  1  1  1  0  1     the bit of one kind is moved to the top, where it is read
 *
 * A kind is all bytes whose lower half and whose upper half it has (src/process/redact/signs.ts), so it may have more than
 * it is called by: what finds a place by it looks at the bytes.
 */

/** Kinds: by how many bits each has to be moved. */
export const DIGIT: i32 = 0
/** 2 to 6: the first digit of a card number. */
export const LEAD: i32 = 1
export const DOT: i32 = 2
/** A hyphen or a blank. */
export const BETWEEN: i32 = 3
/** A to Z, and `@ [ \ ] ^ _`. */
export const UPPER: i32 = 4
export const COLON: i32 = 5
/** a to f, in either case. */
export const HEX_LETTER: i32 = 6
export const AT: i32 = 7

/** The bits of one kind, of 16 bytes. */
// @ts-ignore: decorator
@inline
export function kind16(kinds: v128, kind: i32): u64 {
  return <u64>i8x16.bitmask(i16x8.shl(kinds, kind))
}

/** Of 64 bytes. */
// @ts-ignore: decorator
@inline
export function kind64(a: v128, b: v128, c: v128, d: v128, kind: i32): u64 {
  return kind16(a, kind) | (kind16(b, kind) << 16) | (kind16(c, kind) << 32) | (kind16(d, kind) << 48)
}

/** The bits of a mask `n` places on, of which the next ones are `then`. */
// @ts-ignore: decorator
@inline
export function ahead(now: u64, then: u64, n: u64): u64 {
  return (now >> n) | (then << (64 - n))
}
