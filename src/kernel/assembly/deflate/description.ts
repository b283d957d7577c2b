/**
 * Describes the two codes of a block (RFC 1951 §3.2.7): how many bits each symbol has, in order, as symbols of a third
 * alphabet, which has a code of its own.
 *
 *     0 … 15   so many bits
 *     16       as before, 3 to 6 times          2 extra bits
 *     17       no bits, for 3 to 10 symbols     3 extra bits
 *     18       no bits, for 11 to 138 symbols   7 extra bits
 */
import { put } from './bits'
import { makeCode } from './codes'
import {
  DESCRIBED,
  DESCRIPTION,
  DESCRIPTOR_BITS,
  DESCRIPTOR_CODES,
  DESCRIPTOR_USES,
  DESCRIPTORS,
  DISTANCE_BITS,
  DISTANCES,
  FIRST_LENGTH,
  LITERAL_BITS,
  LITERALS,
} from './layout'

/** The format's order, most likely first: a block leaves out those at the end that have no bits. */
const ORDER = memory.data<u8>([16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15])

let literals: u32 = 0
let distances: u32 = 0
let descriptors: u32 = 0
/** Where the description ends: for each descriptor its symbol (u8) and its extra bits (u8). */
let end: usize = 0

// @ts-ignore: decorator
@inline
function extraOf(symbol: u32): u32 {
  return symbol < 16 ? 0 : symbol == 16 ? 2 : symbol == 17 ? 3 : 7
}

// @ts-ignore: decorator
@inline
function add(symbol: u32, extra: u32): void {
  store<u16>(end, <u16>(symbol | (extra << 8)))
  end += 2
  const uses = DESCRIPTOR_USES + (<usize>symbol << 2)
  store<u32>(uses, load<u32>(uses) + 1)
}

/** How many entries of the table count, if those without bits are left out at its end. */
function significant(bits: usize, all: u32, least: u32): u32 {
  while (all > least && load<u8>(bits + all - 1) == 0) all--
  return all
}

/** Makes the description of both codes and its own code. Returns how many bits it takes. */
export function describe(): u32 {
  literals = significant(LITERAL_BITS, LITERALS, <u32>FIRST_LENGTH)
  distances = significant(DISTANCE_BITS, DISTANCES, 1)
  // Runs may go from one alphabet into the other.
  memory.copy(DESCRIBED, LITERAL_BITS, literals)
  memory.copy(DESCRIBED + literals, DISTANCE_BITS, distances)
  memory.fill(DESCRIPTOR_USES, 0, DESCRIPTORS << 2)
  end = DESCRIPTION
  const stop = DESCRIBED + literals + distances
  for (let at = DESCRIBED; at < stop; ) {
    const bits = <u32>load<u8>(at)
    let run: u32 = 1
    while (at + run < stop && <u32>load<u8>(at + run) == bits) run++
    at += run
    if (bits > 0) {
      add(bits, 0)
      run--
    }
    while (run >= 3) {
      const part = min(run, bits > 0 ? 6 : 138)
      if (bits > 0) add(16, part - 3)
      else if (part <= 10) add(17, part - 3)
      else add(18, part - 11)
      run -= part
    }
    for (; run > 0; run--) add(bits, 0)
  }
  makeCode(DESCRIPTOR_USES, DESCRIPTORS, 7, DESCRIPTOR_BITS, DESCRIPTOR_CODES)
  descriptors = DESCRIPTORS
  while (descriptors > 4 && load<u8>(DESCRIPTOR_BITS + load<u8>(ORDER + descriptors - 1)) == 0) descriptors--
  let size: u32 = 5 + 5 + 4 + 3 * descriptors
  for (let symbol: u32 = 0; symbol < DESCRIPTORS; symbol++) {
    const bits = <u32>load<u8>(DESCRIPTOR_BITS + symbol) + extraOf(symbol)
    size += load<u32>(DESCRIPTOR_USES + (symbol << 2)) * bits
  }
  return size
}

/** Writes what `describe` has made. */
export function putDescription(): void {
  put(literals - <u32>FIRST_LENGTH, 5)
  put(distances - 1, 5)
  put(descriptors - 4, 4)
  for (let at: u32 = 0; at < descriptors; at++) put(load<u8>(DESCRIPTOR_BITS + load<u8>(ORDER + at)), 3)
  for (let at = DESCRIPTION; at < end; at += 2) {
    const symbol = <u32>load<u8>(at)
    const code = load<u32>(DESCRIPTOR_CODES + (symbol << 2))
    put(code & 0xffff, code >> 16)
    put(load<u8>(at, 1), extraOf(symbol))
  }
}
