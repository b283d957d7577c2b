/**
 * Runs: which frames of a slab a request is about, as ranges in order. After a partial answer they have gaps.
 */

/** The frames [from, to). */
export interface Run {
  readonly from: number
  readonly to: number
}

/** How many frames there are. */
export function countOf(runs: readonly Run[]): number {
  return runs.reduce((sum, { from, to }) => sum + to - from, 0)
}

/** All but the first `count` frames. */
export function behind(runs: readonly Run[], count: number): Run[] {
  const rest: Run[] = []
  for (const { from, to } of runs) {
    const skipped = Math.min(count, to - from)
    count -= skipped
    if (from + skipped < to) rest.push({ from: from + skipped, to })
  }
  return rest
}

/** The first `count` frames. */
export function upTo(runs: readonly Run[], count: number): Run[] {
  const head: Run[] = []
  for (const { from, to } of runs) {
    const taken = Math.min(count, to - from)
    if (taken === 0) break
    count -= taken
    head.push({ from, to: from + taken })
  }
  return head
}

/** The frames at these places, which ascend. Places that are not there are left out. */
export function pick(runs: readonly Run[], places: readonly number[]): Run[] {
  const picked: Run[] = []
  let run = 0
  /** Place of the first frame of `runs[run]`. */
  let base = 0
  for (const place of places) {
    while (run < runs.length && place >= base + runs[run]!.to - runs[run]!.from) {
      base += runs[run]!.to - runs[run]!.from
      run++
    }
    if (run === runs.length) break
    const frame = runs[run]!.from + place - base
    const last = picked.at(-1)
    if (last?.to === frame) picked[picked.length - 1] = { from: last.from, to: frame + 1 }
    else picked.push({ from: frame, to: frame + 1 })
  }
  return picked
}
