/**
 * Makes the prefix code of an alphabet (RFC 1951 §3.2.2): the more often a symbol is used, the fewer bits it gets.
 *
 *     uses ──► ranked ──► depths ──► bits of each symbol ──► codes
 *              by use     how many    the least used          counted up, and
 *                         codes of    get the most            turned round, for
 *                         each size                           bits go out lowest first
 *
 * A code is a u32: its bits in the lower half, how many in the upper.
 */
import { DEPTHS, RANKED, WEIGHTS } from './layout'

/** The most bits that any code has, by the format. */
const MOST: u32 = 15

// @ts-ignore: decorator
@inline
function get(table: usize, index: u32): u32 {
  return load<u32>(table + (<usize>index << 2))
}

// @ts-ignore: decorator
@inline
function set(table: usize, index: u32, value: u32): void {
  store<u32>(table + (<usize>index << 2), value)
}

/** Makes the code of `symbols` symbols from their uses, with at most `most` bits each. Writes both tables. */
export function makeCode(uses: usize, symbols: u32, most: u32, bits: usize, codes: usize): void {
  atLeastTwo(uses, symbols)
  const used = rank(uses, symbols)
  measure(used)
  limit(used, most)
  memory.fill(bits, 0, symbols)
  let next = RANKED
  for (let depth = most; depth > 0; depth--) {
    for (let left = get(DEPTHS, depth); left > 0; left--, next += 2) store<u8>(bits + load<u16>(next), <u8>depth)
  }
  assign(symbols, bits, codes)
}

/** A code of one symbol has a bit that leads nowhere, which not every decoder likes: then another symbol gets it. */
function atLeastTwo(uses: usize, symbols: u32): void {
  let used = 0
  for (let symbol: u32 = 0; symbol < symbols && used < 2; symbol++) if (get(uses, symbol) != 0) used++
  for (let symbol: u32 = 0; used < 2; symbol++) {
    if (get(uses, symbol) != 0) continue
    set(uses, symbol, 1)
    used++
  }
}

/** Ranks the used symbols, the least used first and equals by number. Returns how many there are. */
function rank(uses: usize, symbols: u32): u32 {
  let used: u32 = 0
  for (let symbol: u32 = 0; symbol < symbols; symbol++) {
    const count = get(uses, symbol)
    if (count != 0) set(WEIGHTS, used++, (count << 9) | symbol)
  }
  // Shell's sort: no memory, no recursion, and a few microseconds for the two hundred that there are.
  let gap: u32 = 1
  while (gap < used / 3) gap = gap * 3 + 1
  for (; gap > 0; gap /= 3) {
    for (let place = gap; place < used; place++) {
      const one = get(WEIGHTS, place)
      let to = place
      for (; to >= gap && get(WEIGHTS, to - gap) > one; to -= gap) set(WEIGHTS, to, get(WEIGHTS, to - gap))
      set(WEIGHTS, to, one)
    }
  }
  for (let place: u32 = 0; place < used; place++) {
    const one = get(WEIGHTS, place)
    store<u16>(RANKED + (<usize>place << 1), <u16>(one & 511))
    set(WEIGHTS, place, one >> 9)
  }
  return used
}

/**
 * Turns weights, lowest first, into the depths of their leaves in Huffman's tree, in place (Moffat and Katajainen,
 * “In-place calculation of minimum-redundancy codes”, 1995).
 *
 * The two lightest are joined until one is left. Leaves are taken from the front; each join is put where a leaf was
 * taken, so joins stand in the same table, in the order of their weight too. A join that was joined in its turn is worth
 * nothing any more but for its parent, whose index takes its place. From the root backward these give the depths.
 */
function measure(used: u32): void {
  let leaf: u32 = 0
  let join: u32 = 0
  for (let next: u32 = 0; next < used - 1; next++) {
    let weight: u32 = 0
    for (let side = 0; side < 2; side++) {
      if (leaf >= used || (join < next && get(WEIGHTS, join) < get(WEIGHTS, leaf))) {
        weight += get(WEIGHTS, join)
        set(WEIGHTS, join++, next)
      } else weight += get(WEIGHTS, leaf++)
    }
    set(WEIGHTS, next, weight)
  }
  // The last join is the root, at depth 0; the others are one deeper than their parents.
  set(WEIGHTS, used - 2, 0)
  for (let join = <i32>used - 3; join >= 0; join--) set(WEIGHTS, join, get(WEIGHTS, get(WEIGHTS, join)) + 1)
}

/**
 * Counts the codes of each number of bits, and cuts what is longer than `most`.
 *
 * A tree has two nodes at the next depth for each that is not a leaf. What was cut is more than `most` bits can tell
 * apart; each time a leaf further up goes one down and takes one of them beside it, there is one too many less.
 */
function limit(used: u32, most: u32): void {
  memory.fill(DEPTHS, 0, (MOST + 1) << 2)
  let join = <i32>used - 2
  let nodes: u32 = 1
  for (let depth: u32 = 0; nodes > 0; depth++) {
    let joins: u32 = 0
    for (; join >= 0 && get(WEIGHTS, join) == depth; join--) joins++
    const bits = min(depth, most)
    set(DEPTHS, bits, get(DEPTHS, bits) + nodes - joins)
    nodes = joins << 1
  }
  let taken: u32 = 0
  for (let bits: u32 = 1; bits <= most; bits++) taken += get(DEPTHS, bits) << (most - bits)
  for (; taken > <u32>1 << most; taken--) {
    let bits = most - 1
    while (get(DEPTHS, bits) == 0) bits--
    set(DEPTHS, bits, get(DEPTHS, bits) - 1)
    set(DEPTHS, bits + 1, get(DEPTHS, bits + 1) + 2)
    set(DEPTHS, most, get(DEPTHS, most) - 1)
  }
}

/** Gives each symbol its code, by the number of bits it has and the order of symbols (RFC 1951 §3.2.2). */
export function assign(symbols: u32, bits: usize, codes: usize): void {
  memory.fill(DEPTHS, 0, (MOST + 1) << 2)
  for (let symbol: u32 = 0; symbol < symbols; symbol++) {
    const size = <u32>load<u8>(bits + symbol)
    set(DEPTHS, size, get(DEPTHS, size) + 1)
  }
  let code: u32 = 0
  set(DEPTHS, 0, 0)
  for (let size: u32 = 1; size <= MOST; size++) {
    const count = get(DEPTHS, size)
    set(DEPTHS, size, code)
    code = (code + count) << 1
  }
  for (let symbol: u32 = 0; symbol < symbols; symbol++) {
    const size = <u32>load<u8>(bits + symbol)
    const next = get(DEPTHS, size)
    if (size > 0) set(DEPTHS, size, next + 1)
    set(codes, symbol, size > 0 ? turned(next, size) | (size << 16) : 0)
  }
}

/** The `size` lower bits of a code in the opposite order: neighbours swap, then pairs, fours and bytes. */
// @ts-ignore: decorator
@inline
function turned(code: u32, size: u32): u32 {
  let all = ((code & 0x5555) << 1) | ((code >> 1) & 0x5555)
  all = ((all & 0x3333) << 2) | ((all >> 2) & 0x3333)
  all = ((all & 0x0f0f) << 4) | ((all >> 4) & 0x0f0f)
  all = ((all & 0x00ff) << 8) | (all >> 8)
  return all >> (16 - size)
}
