/**
 * Which files the frames of a slab are of: where records are kept apart from others, or searched, it is file by file.
 */
import type { Chunk, Origin, Slab } from '../../chunk.ts'
import type { Run } from './runs.ts'

/** The same for all generations of a file: they follow each other. */
export function keyOf({ source, path }: Origin): string {
  return `${source}\0${path}`
}

/** The runs, cut where chunks end. */
export function* stretches(slab: Slab, runs: readonly Run[]): Generator<[chunk: Chunk, from: number, to: number]> {
  for (const run of runs) {
    for (const chunk of slab.chunks) {
      const from = Math.max(run.from, chunk.firstFrame)
      const to = Math.min(run.to, chunk.firstFrame + chunk.frames)
      if (from < to) yield [chunk, from, to]
    }
  }
}

/** The files that the frames are of, in their order. */
export function filesOf(slab: Slab, runs: readonly Run[]): Set<string> {
  const has = ({ firstFrame, frames }: Chunk) =>
    runs.some(({ from, to }) => from < firstFrame + frames && to > firstFrame)
  return new Set(slab.chunks.filter(has).map(({ origin }) => keyOf(origin)))
}

/** The runs of chunks of which that is true, and those of the others. */
export function parted(slab: Slab, runs: readonly Run[], holds: (chunk: Chunk) => boolean): [Run[], Run[]] {
  const parts: [Run[], Run[]] = [[], []]
  for (const [chunk, from, to] of stretches(slab, runs)) {
    const part = parts[holds(chunk) ? 0 : 1]
    const last = part.at(-1)
    if (last?.to === from) part[part.length - 1] = { from: last.from, to }
    else part.push({ from, to })
  }
  return parts
}
