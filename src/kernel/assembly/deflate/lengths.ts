/**
 * Lengths in the words of RFC 1951 §3.2.5: four symbols for each power of two, extra bits for what lies between, and a
 * symbol of its own for the longest, 258. There are so few lengths that every one gets its code with its extra bits.
 */
import { FIRST_LENGTH, LENGTH_CODES, LENGTH_SYMBOLS, LITERAL_CODES } from './layout'

const LONGEST: usize = 258
/** The symbol of the longest, less 257. */
const LAST: u32 = 28

/** How many extra bits follow a symbol, which is given less 257. */
// @ts-ignore: decorator
@inline
export function lengthExtra(symbol: u32): u32 {
  return symbol < 8 || symbol == LAST ? 0 : (symbol >> 2) - 1
}

/** Lays down the symbol of every length, once. */
export function layLengths(): void {
  let length: usize = 3
  for (let symbol: u32 = 0; symbol < LAST; symbol++) {
    for (let left = 1 << lengthExtra(symbol); left > 0; left--) store<u8>(LENGTH_SYMBOLS + length++, <u8>symbol)
  }
  store<u8>(LENGTH_SYMBOLS + LONGEST, <u8>LAST)
}

/** Lays down the code of every length for the block at hand: bits in the lower three bytes, how many in the highest. */
export function layLengthCodes(): void {
  let length: usize = 3
  for (let symbol: u32 = 0; symbol <= LAST; symbol++) {
    const code = load<u32>(LITERAL_CODES + ((FIRST_LENGTH + symbol) << 2))
    const bits = code >> 16
    const extra = lengthExtra(symbol)
    // The one before the last has a length less than its extra bits could say: that one has a symbol of its own.
    if (symbol == LAST) length = LONGEST
    for (let value: u32 = 0; value < 1 << extra; value++) {
      store<u32>(LENGTH_CODES + (length++ << 2), (code & 0xffff) | (value << bits) | ((bits + extra) << 24))
    }
  }
}
