/**
 * Blank lines: frames of which nothing is left once they are trimmed, apart from the others.
 *
 * Guarantees: the two results hold every frame that is to be sent once, in order. A frame counts as blank exactly if the
 * kernel renders no character for it under the treatment `text`: it has no byte besides NULs at its head, a byte order
 * mark at the head of a file, and one CR at its end.
 */
import type { Slab } from '../../chunk.ts'
import { stretches } from './files.ts'
import type { FrameRange } from './frame-ranges.ts'

const CR = 13

export function blanks(slab: Slab, bytes: Uint8Array): { readonly blank: FrameRange[]; readonly others: FrameRange[] } {
  const blank: FrameRange[] = []
  const others: FrameRange[] = []
  for (const [chunk, from, to] of stretches(slab, slab.sendable)) {
    for (let frame = from; frame < to; frame++) {
      const start = slab.startOf(chunk, frame)
      const atHead = slab.offsetOf(chunk, frame) === 0
      append(isBlank(bytes, start, slab.endOf(frame), atHead) ? blank : others, frame)
    }
  }
  return { blank, others }
}

function append(ranges: FrameRange[], frame: number): void {
  const last = ranges.at(-1)
  if (last?.to === frame) ranges[ranges.length - 1] = { from: last.from, to: frame + 1 }
  else ranges.push({ from: frame, to: frame + 1 })
}

function isBlank(bytes: Uint8Array, start: number, end: number, atHead: boolean): boolean {
  let stop = end
  if (stop > start && bytes[stop - 1] === CR) stop--
  let at = start
  while (at < stop && bytes[at] === 0) at++
  if (atHead && bytes[at] === 0xef && bytes[at + 1] === 0xbb && bytes[at + 2] === 0xbf && at + 3 <= stop) at += 3
  return at === stop
}
