/**
 * Names of one record that stand twice in it: a table of 256 places, by hash, that is not cleared between records.
 *
 *     stamp u32 │ names u32 │ place: stamp u16, bytes u16, address u32 │ …
 *
 * A place holds nothing unless it has the stamp of the record at hand. Where names crowd, or there are many, it says that
 * one stands twice although none may: whoever acts on it looks itself.
 */
import { same } from './names'

const PLACES: usize = 8
const MASK: usize = 255
/** Names that are looked at, and places for each of them: so that no record takes long. */
const MOST: u32 = 192
const TRIES: u32 = 16
const SPREADING: u64 = 0xd6e8feb86659fd93

/** Begins a record. */
export function beginNames(seen: usize): void {
  const stamp = (load<u32>(seen) + 1) & 0xffff
  store<u32>(seen, stamp)
  store<u32>(seen, 0, 4)
  if (stamp != 0) return
  memory.fill(seen + PLACES, 0, (MASK + 1) << 3)
  store<u32>(seen, 1)
}

/** Whether this name was seen in the record at hand; from now on it was. */
// @ts-ignore: decorator
@inline
export function isAgain(seen: usize, key: u64, name: usize, bytes: usize): bool {
  const mark = (load<u32>(seen) << 16) | <u32>bytes
  let place = <usize>(((key + <u64>bytes) * SPREADING) >> 56)
  if (load<u16>(seen + PLACES + (place << 3), 2) != <u16>load<u32>(seen) && bytes < 0x10000) {
    store<u32>(seen + PLACES + (place << 3), mark)
    store<u32>(seen + PLACES + (place << 3), <u32>name, 4)
    store<u32>(seen, load<u32>(seen, 4) + 1, 4)
    return false
  }
  return crowded(seen, place, mark, name, bytes)
}

/** The same, where another name has the first place. */
function crowded(seen: usize, place: usize, mark: u32, name: usize, bytes: usize): bool {
  const names = load<u32>(seen, 4) + 1
  if (names > MOST || bytes >= 0x10000) return true
  store<u32>(seen, names, 4)
  for (let n: u32 = 0; n < TRIES; n++) {
    const at = seen + PLACES + (place << 3)
    const found = load<u32>(at)
    if (found >> 16 != mark >> 16) {
      store<u32>(at, mark)
      store<u32>(at, <u32>name, 4)
      return false
    }
    if (found == mark && same(<usize>load<u32>(at, 4), name, bytes)) return true
    place = (place + 1) & MASK
  }
  return true
}
