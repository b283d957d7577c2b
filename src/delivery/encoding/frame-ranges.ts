/**
 * Frame ranges: which frames of a slab a request is about, in order. After a partial answer they have gaps.
 */

import type { FrameRange } from '../../chunk.ts'

export type { FrameRange }

/** How many frames there are. */
export function countOf(ranges: readonly FrameRange[]): number {
  return ranges.reduce((sum, { from, to }) => sum + to - from, 0)
}

/** All but the first `count` frames. */
export function behind(ranges: readonly FrameRange[], count: number): FrameRange[] {
  const rest: FrameRange[] = []
  for (const { from, to } of ranges) {
    const skipped = Math.min(count, to - from)
    count -= skipped
    if (from + skipped < to) rest.push({ from: from + skipped, to })
  }
  return rest
}

/** The first `count` frames. */
export function upTo(ranges: readonly FrameRange[], count: number): FrameRange[] {
  const head: FrameRange[] = []
  for (const { from, to } of ranges) {
    const taken = Math.min(count, to - from)
    if (taken === 0) break
    count -= taken
    head.push({ from, to: from + taken })
  }
  return head
}

/** The frames at these places, which ascend. Places that are not there are left out. */
export function pick(ranges: readonly FrameRange[], places: readonly number[]): FrameRange[] {
  const picked: FrameRange[] = []
  let index = 0
  /** Place of the first frame of `ranges[index]`. */
  let base = 0
  for (const place of places) {
    while (index < ranges.length && place >= base + ranges[index]!.to - ranges[index]!.from) {
      base += ranges[index]!.to - ranges[index]!.from
      index++
    }
    if (index === ranges.length) break
    const frame = ranges[index]!.from + place - base
    const last = picked.at(-1)
    if (last?.to === frame) picked[picked.length - 1] = { from: last.from, to: frame + 1 }
    else picked.push({ from: frame, to: frame + 1 })
  }
  return picked
}
