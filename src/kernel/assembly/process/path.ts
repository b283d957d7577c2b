/**
 * Names of members of members, put together: `a` and `b` are `"a.b"`, as a JSON string with its quotes.
 *
 *     room    bytes of the whole at each depth u16 × 9 │ … │ " │ a │ . │ b │ "
 *
 * There are two rooms: a second walk over the record, in the middle of the first, has its own. Both lie where lines are
 * while records are made of them, which is never while they are rendered.
 */
import { LINES } from '../layout'

/** So many objects may be open, and a name may have so many bytes with its quotes. */
export const DEEPEST_PATH: u32 = 8
export const MOST_PATH: usize = 480

const ROOM: usize = 512
const HEAD: usize = 32

let room: usize = LINES

/** Where a name begins, its quote. */
export function pathStart(): usize {
  return room + HEAD
}

/** Begins a walk, in the first room or in the second. */
export function enterRoom(second: bool): void {
  room = second ? LINES + ROOM : LINES
}

/** Bytes of the name of the object that is open at a depth, with its first quote and a dot. */
// @ts-ignore: decorator
@inline
function headOf(depth: u32): usize {
  return depth == 0 ? 1 : <usize>load<u16>(room + (<usize>depth << 1))
}

/** Puts the name of a member, [from, to) with its quotes, behind that of the object that it is in; returns where it ends. */
export function join(depth: u32, from: usize, to: usize): usize {
  const head = headOf(depth)
  const at = room + HEAD
  store<u8>(at, 0x22)
  // The longest names were looked at before the object was opened.
  memory.copy(at + head, from + 1, to - from - 1)
  return at + head + (to - from - 1)
}

/** Opens the object at a depth below `depth` whose name was put together last, and ends at `end`. */
export function open(depth: u32, end: usize): void {
  store<u8>(end - 1, 0x2e)
  store<u16>(room + (<usize>(depth + 1) << 1), <u16>(end - room - HEAD))
}

/** Whether the names within an object fit: its own has so many bytes, and they are at the most so deep and so long. */
export function pathFits(bytes: usize, deepest: u32, longest: usize): bool {
  return bytes + <usize>deepest * (longest + 1) <= MOST_PATH
}
