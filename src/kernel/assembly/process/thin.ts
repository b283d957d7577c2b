/**
 * Takes the frames that have a verdict out of a slab, and moves the others together: their bytes, ends and rows.
 *
 *     bytes    │ a ⏎ │ bb ⏎ │ c ⏎ │ dd ⏎ │        ends      1 4 6 9      column     0 2 0 1
 *              │ a ⏎ │ c ⏎ │                      ends      1 3          column     0 5     (their offsets)
 *
 * What was taken out is written down as gaps: frames that follow each other and have the same verdict.
 */
import { column, count, ends, first, rowBytes, rows, start } from '../parameters'

/** Where frames begin in the file, as a table of u32 for these frames, or 0 where they lie in memory as in the file. */
export let source: usize = 0
/** Added to what it says, or to how far a frame lies from `origin`, to get an offset in the column. */
export let origin: usize = 0
/** Bytes from the chunk's first one to the first of these frames in the file, and to what follows the last of them. */
export let head: u32 = 0
export let tail: u32 = 0
/** Where gaps go: four u32 each. The first one may go on with the one before it, which is there then. */
export let gaps: usize = 0
/** Address behind the last byte that was moved. */
export let stop: usize = 0
/** How many gaps were written. */
export let written: u32 = 0

const GAP: usize = 16

/**
 * Moves what is kept of the frames to `out`, their ends and rows to the rows from `to` on; returns how many they are. `out`
 * does not lie behind the first of them, nor `to` behind `first`.
 */
export function thin(to: u32, out: usize): u32 {
  let gap = gaps - GAP
  let kept = <usize>to
  // The bytes from `run` on are kept up to where one is not.
  let run: usize = 0
  let at = start
  let offset = head
  const last = count - 1
  for (let n: u32 = 0; n < count; n++) {
    const frame = <usize>(first + n)
    const end = <usize>load<u32>(ends + (frame << 2))
    const next = n == last ? tail : source == 0 ? offset + <u32>(end + 1 - at) : load<u32>(source + (<usize>(n + 1) << 2)) - <u32>origin
    const verdict = load<u32>(column + (frame << 2)) & 0xff
    if (verdict == 0) {
      if (run == 0) run = at
      store<u32>(ends + (kept << 2), <u32>(out + (end - run)))
      store<u32>(column + (kept << 2), offset + <u32>origin)
      if (rowBytes != 0 && kept != frame) memory.copy(rows + kept * rowBytes, rows + frame * rowBytes, rowBytes)
      kept++
    } else {
      if (run != 0) {
        memory.copy(out, run, at - run)
        out += at - run
        run = 0
      }
      if (gap >= gaps && load<u32>(gap, 12) == verdict - 1 && load<u32>(gap) + load<u32>(gap, 4) == offset) {
        store<u32>(gap, load<u32>(gap, 4) + next - offset, 4)
        store<u32>(gap, load<u32>(gap, 8) + 1, 8)
      } else {
        gap += GAP
        store<u32>(gap, offset)
        store<u32>(gap, next - offset, 4)
        store<u32>(gap, 1, 8)
        store<u32>(gap, verdict - 1, 12)
      }
    }
    at = end + 1
    offset = next
  }
  if (run != 0) {
    memory.copy(out, run, at - run)
    out += at - run
  }
  stop = out
  written = <u32>((gap + GAP - gaps) / GAP)
  return <u32>(kept - <usize>to)
}
