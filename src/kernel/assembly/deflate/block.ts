/**
 * Writes a block in the shortest of the three ways that there are (RFC 1951 §3.2.3): with codes made for it, with the
 * codes that need no description, or as it is.
 */
import { count, out, pad, put, putBytes, resume, waiting } from './bits'
import { assign, makeCode } from './codes'
import { describe, putDescription } from './description'
import { distanceExtra, distanceSymbol } from './distances'
import { layLengthCodes, lengthExtra } from './lengths'
import {
  DISTANCE_BITS,
  DISTANCE_CODES,
  DISTANCE_USES,
  DISTANCES,
  END_OF_BLOCK,
  FIRST_LENGTH,
  LENGTH_CODES,
  LITERAL_BITS,
  LITERAL_CODES,
  LITERAL_USES,
  LITERALS,
  SEQUENCES,
} from './layout'

const STORED: u32 = 0
const FIXED: u32 = 1
const DYNAMIC: u32 = 2

/** The most bits of a literal: four of them and seven that wait make 63, which is one store. */
const MOST_LITERAL: u32 = 14
const MOST_DISTANCE: u32 = 15
/** The most bytes of a stored block. */
const MOST_STORED: usize = 65535

/** Writes [from, to), whose sequences end at `behind`, as the last block or not. */
export function putBlock(from: usize, to: usize, behind: usize, last: bool): void {
  const extra = extraBits()
  // Asked first: making a code adds uses where there are too few.
  const fixed = fixedBits() + extra
  makeCode(LITERAL_USES, LITERALS, MOST_LITERAL, LITERAL_BITS, LITERAL_CODES)
  makeCode(DISTANCE_USES, DISTANCES, MOST_DISTANCE, DISTANCE_BITS, DISTANCE_CODES)
  const dynamic =
    bitsOf(LITERAL_USES, LITERAL_BITS, LITERALS) + bitsOf(DISTANCE_USES, DISTANCE_BITS, DISTANCES) + extra + describe()
  if ((<u32>(to - from) + 4) << 3 <= min(fixed, dynamic)) {
    putStored(from, to, last)
    return
  }
  if (fixed <= dynamic) {
    put(<u32>last | (FIXED << 1), 3)
    layFixedCodes()
  } else {
    put(<u32>last | (DYNAMIC << 1), 3)
    putDescription()
  }
  layLengthCodes()
  putSequences(from, behind)
  if (last) pad()
}

/** Bits that do not depend on the codes. */
function extraBits(): u32 {
  let bits: u32 = 0
  for (let symbol: u32 = 0; symbol < LITERALS - <u32>FIRST_LENGTH; symbol++) {
    bits += load<u32>(LITERAL_USES + ((FIRST_LENGTH + symbol) << 2)) * lengthExtra(symbol)
  }
  for (let symbol: u32 = 0; symbol < DISTANCES; symbol++) {
    bits += load<u32>(DISTANCE_USES + (symbol << 2)) * distanceExtra(symbol)
  }
  return bits
}

function bitsOf(uses: usize, bits: usize, symbols: u32): u32 {
  let sum: u32 = 0
  for (let symbol: u32 = 0; symbol < symbols; symbol++) sum += load<u32>(uses + (symbol << 2)) * load<u8>(bits + symbol)
  return sum
}

/** Bits of a literal in the code that needs no description (RFC 1951 §3.2.6); a distance has five. */
// @ts-ignore: decorator
@inline
function fixedSize(symbol: u32): u32 {
  return symbol < 144 ? 8 : symbol < 256 ? 9 : symbol < 280 ? 7 : 8
}

function fixedBits(): u32 {
  let sum: u32 = 0
  for (let symbol: u32 = 0; symbol < LITERALS; symbol++) sum += load<u32>(LITERAL_USES + (symbol << 2)) * fixedSize(symbol)
  for (let symbol: u32 = 0; symbol < DISTANCES; symbol++) sum += load<u32>(DISTANCE_USES + (symbol << 2)) * 5
  return sum
}

function layFixedCodes(): void {
  // Two symbols of each alphabet have a code and are never used.
  for (let symbol: u32 = 0; symbol < 288; symbol++) store<u8>(LITERAL_BITS + symbol, <u8>fixedSize(symbol))
  memory.fill(DISTANCE_BITS, 5, 32)
  assign(288, LITERAL_BITS, LITERAL_CODES)
  assign(32, DISTANCE_BITS, DISTANCE_CODES)
}

function putStored(from: usize, to: usize, last: bool): void {
  while (from < to) {
    const bytes = min(to - from, MOST_STORED)
    put(<u32>(last && from + bytes == to) | (STORED << 1), 3)
    pad()
    put(<u32>bytes | ((<u32>bytes ^ 0xffff) << 16), 32)
    putBytes(from, from + bytes)
    from += bytes
  }
}

/** The code of the byte at `at`, or none if that lies at `end` or behind it. Not a branch: runs are hard to guess. */
// @ts-ignore: decorator
@inline
function literalCode(at: usize, end: usize): u32 {
  return select<u32>(load<u32>(LITERAL_CODES + (<usize>load<u8>(at) << 2)), 0, at < end)
}

/**
 * Writes the sequences, and the end of the block.
 *
 *     run of literals         match
 *     c c c c │ c c c c │ c   length+extra · distance · extra
 *     └─ store ─┴─ store ─┴─ store ─┘ …        at most 63 bits wait before each
 */
function putSequences(from: usize, behind: usize): void {
  let bits = waiting
  let size = count
  let to = out
  let at = from
  for (let sequence = SEQUENCES; sequence < behind; sequence += 8) {
    const word = load<u64>(sequence)
    const end = at + <usize>(<u32>word)
    do {
      const a = literalCode(at, end)
      const b = literalCode(at + 1, end)
      const c = literalCode(at + 2, end)
      const d = literalCode(at + 3, end)
      bits |= <u64>(a & 0xffff) << size
      size += a >> 16
      bits |= <u64>(b & 0xffff) << size
      size += b >> 16
      bits |= <u64>(c & 0xffff) << size
      size += c >> 16
      bits |= <u64>(d & 0xffff) << size
      size += d >> 16
      store<u64>(to, bits)
      to += <usize>(size >> 3)
      bits >>= size & 0x38
      size &= 7
      at += 4
    } while (at < end)
    const length = <usize>((word >> 32) & 0xffff)
    at = end + length
    if (length == 0) break // the last
    const lengthCode = load<u32>(LENGTH_CODES + (length << 2))
    bits |= <u64>(lengthCode & 0xffffff) << size
    size += lengthCode >> 24
    const distance = <usize>(word >> 48)
    const symbol = distanceSymbol(distance)
    const distanceCode = load<u32>(DISTANCE_CODES + (symbol << 2))
    bits |= <u64>(distanceCode & 0xffff) << size
    size += distanceCode >> 16
    const extra = <u64>distanceExtra(symbol)
    bits |= (<u64>(distance - 1) & ((<u64>1 << extra) - 1)) << size
    size += extra
    store<u64>(to, bits)
    to += <usize>(size >> 3)
    bits >>= size & 0x38
    size &= 7
  }
  resume(bits, size, to)
  const end = load<u32>(LITERAL_CODES + (END_OF_BLOCK << 2))
  put(end & 0xffff, end >> 16)
}
