/**
 * Finds what a piece repeats of the 32 KiB before it.
 *
 * A table of places remembers where six bytes with the same hash were seen last. If at least four bytes are the same
 * there, they are a match, taken as long as it goes, forward and then backward; what lies between two matches are
 * literals. Nothing is weighed and no second candidate is tried: that is what makes it fast.
 *
 *     … GET /api/cart 200 17 …      … GET /api/cart 404 17 …
 *                                     └────────────┘ match: length, distance
 *                                                   4 0 4   literals
 *
 * A sequence is a run of literals and the match behind it; the last of a block has no match:
 *
 *     0          32       48         64
 *     │ literals │ length │ distance │
 *
 * A place is 16 bits, the lower half of an address. It need not be emptied when the window slides, and not be right
 * either: whatever distance comes of it is believed only if the bytes there are the same.
 */
import { distanceSymbol } from './distances'
import {
  DISTANCE_USES,
  DISTANCES,
  END_OF_BLOCK,
  FIRST_LENGTH,
  LENGTH_SYMBOLS,
  LITERAL_USES,
  LITERALS,
  PLACES,
  PLACES_BYTES,
  REACH,
  SEQUENCES,
} from './layout'

const PLACE_BITS: u64 = 14
const PRIME: u64 = 0x9e3779b185ebca87
const LONGEST: usize = 258
/** Where nothing repeats, steps get longer by one for each so many bytes without a match, as a power of two. */
const PATIENCE: usize = 7

/** Forgets what was seen: the same payload must give the same matches. */
export function forget(): void {
  memory.fill(PLACES, 0, PLACES_BYTES)
}

/** The place of the six lower bytes of `word`. */
// @ts-ignore: decorator
@inline
function place(word: u64): usize {
  return PLACES + (<usize>(((word << 16) * PRIME) >> (64 - PLACE_BITS)) << 1)
}

/** Counts one use, or takes it back. */
// @ts-ignore: decorator
@inline
function use(table: usize, symbol: usize, by: i32 = 1): void {
  const at = table + (symbol << 2)
  store<i32>(at, load<i32>(at) + by)
}

/** Of 32 bytes each at two addresses, a bit for every one that differs. */
// @ts-ignore: decorator
@inline
function differences(a: usize, b: usize): u32 {
  const head = <u32>i8x16.bitmask(i8x16.ne(v128.load(a), v128.load(b)))
  const tail = <u32>i8x16.bitmask(i8x16.ne(v128.load(a, 16), v128.load(b, 16)))
  return head | (tail << 16)
}

/** How many bytes at `at`, up to `to`, are the same as those `distance` before them. */
// @ts-ignore: decorator
@inline
function sameBytes(at: usize, distance: usize, to: usize): usize {
  let same: usize = 0
  let differ = differences(at, at - distance)
  while (differ == 0 && at + same < to) {
    same += 32
    differ = differences(at + same, at + same - distance)
  }
  return min(same + <usize>ctz(differ), to - at)
}

/**
 * Finds the sequences of [from, to), counts the uses of every symbol, and returns the address behind the last sequence.
 * Matches may begin at `floor`, or later.
 */
export function find(from: usize, to: usize, floor: usize): usize {
  memory.fill(LITERAL_USES, 0, LITERALS << 2)
  memory.fill(DISTANCE_USES, 0, DISTANCES << 2)
  let sequence = SEQUENCES
  let literals = from
  let at = from
  // Words are eight bytes, and a match must have four: none begins among the last bytes.
  const last = to - from > 16 ? to - 16 : from
  while (at < last) {
    const word = load<u64>(at)
    const seen = place(word)
    const distance = (at - <usize>load<u16>(seen)) & 0xffff
    store<u16>(seen, <u16>at)
    // One branch for all three: each alone is a guess that the processor loses, and the losses are what costs.
    const far = <u32>(distance - 1 >= REACH) | <u32>(at - distance < floor)
    if (far | (load<u32>(at - distance) ^ <u32>word)) {
      const next = min(to, at + 1 + ((at - literals) >> PATIENCE))
      do use(LITERAL_USES, <usize>load<u8>(at++))
      while (at < next)
      continue
    }
    let length = sameBytes(at, distance, to)
    const end = at + length
    while (at > literals && at - distance > floor && load<u8>(at - 1) == load<u8>(at - distance - 1)) {
      use(LITERAL_USES, <usize>load<u8>(--at), -1)
      length++
    }
    const symbol = distanceSymbol(distance)
    let run = at - literals
    do {
      // What is left over must be a match too, and those have at least three bytes.
      const part = length <= LONGEST ? length : length >= LONGEST + 3 ? LONGEST : length - 3
      store<u64>(sequence, <u64>run | (<u64>part << 32) | (<u64>distance << 48))
      sequence += 8
      use(LITERAL_USES, FIRST_LENGTH + <usize>load<u8>(LENGTH_SYMBOLS + part))
      use(DISTANCE_USES, symbol)
      run = 0
      length -= part
    } while (length > 0)
    if (end < last) {
      // Two places inside the match, of which the one near its end is often where the next one goes on.
      store<u16>(place(load<u64>(at + 2)), <u16>(at + 2))
      store<u16>(place(load<u64>(end - 2)), <u16>(end - 2))
    }
    at = end
    literals = end
  }
  while (at < to) use(LITERAL_USES, <usize>load<u8>(at++))
  use(LITERAL_USES, END_OF_BLOCK)
  store<u64>(sequence, <u64>(to - literals))
  return sequence + 8
}
