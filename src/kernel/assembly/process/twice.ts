/**
 * Names of one record that stand twice in it: a table of 256 places, by hash, that is not cleared between records.
 *
 *     stamp u32 │ - │ place: bytes u16, stamp u16, address u32 │ …
 *
 * A place holds nothing unless it has the stamp of the record at hand. Where names crowd it says that one stands twice
 * although none may: the caller that acts on it has to look.
 */
import { same } from './names'

const PLACES: usize = 8
const MASK: usize = 255
/** Places that are looked at for a name, so that no record takes long. */
const TRIES: u32 = 16
const SPREADING: u64 = 0xd6e8feb86659fd93

/** Begins a record, and returns its stamp. */
export function beginNames(seen: usize): u32 {
  let stamp = (load<u32>(seen) + 1) & 0xffff
  if (stamp == 0) {
    memory.fill(seen + PLACES, 0, (MASK + 1) << 3)
    stamp = 1
  }
  store<u32>(seen, stamp)
  return stamp
}

/** Whether this name was seen in the record at hand; from now on it was. */
// @ts-ignore: decorator
@inline
export function isAgain(seen: usize, stamp: u32, key: u64, name: usize, bytes: usize): bool {
  const place = <usize>(((key + <u64>bytes) * SPREADING) >> 56) << 3
  if (load<u16>(seen + place, PLACES + 2) == <u16>stamp) return crowded(seen, stamp, place, name, bytes)
  store<u64>(seen + place, ((<u64>name) << 32) | (<u64>stamp << 16) | (<u64>bytes & 0xffff), PLACES)
  return false
}

/** The same, where another name has the first place. */
function crowded(seen: usize, stamp: u32, place: usize, name: usize, bytes: usize): bool {
  if (bytes > 0xffff) return true
  const mark = (stamp << 16) | <u32>bytes
  for (let n: u32 = 0; n < TRIES; n++) {
    const at = seen + PLACES + place
    const found = load<u32>(at)
    if (found >> 16 != stamp) {
      store<u64>(at, ((<u64>name) << 32) | <u64>mark)
      return false
    }
    if (found == mark && same(<usize>load<u32>(at, 4), name, bytes)) return true
    place = (place + 8) & (MASK << 3)
  }
  return true
}
