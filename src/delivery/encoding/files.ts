/**
 * Which files the frames of a slab are of: where records are kept apart from others, or searched, it is file by file.
 */
import type { Chunk, Origin, Slab } from '../../chunk.ts'
import type { FrameRange } from './frame-ranges.ts'

/** The same for all generations of a file: they follow each other. */
export function keyOf({ source, path }: Origin): string {
  return `${source}\0${path}`
}

/** The ranges, cut where chunks end. */
export function* stretches(
  slab: Slab,
  ranges: readonly FrameRange[],
): Generator<[chunk: Chunk, from: number, to: number]> {
  for (const range of ranges) {
    for (let index = slab.chunkAt(range.from); index < slab.chunks.length; index++) {
      const chunk = slab.chunks[index]!
      if (chunk.firstFrame >= range.to) break
      const from = Math.max(range.from, chunk.firstFrame)
      const to = Math.min(range.to, chunk.firstFrame + chunk.frames)
      if (from < to) yield [chunk, from, to]
    }
  }
}

/** The files that the frames are of, in their order: their keys, and the source of each. */
export function filesOf(slab: Slab, ranges: readonly FrameRange[]): Map<string, string> {
  const has = ({ firstFrame, frames }: Chunk) =>
    ranges.some(({ from, to }) => from < firstFrame + frames && to > firstFrame)
  return new Map(slab.chunks.filter(has).map(({ origin }) => [keyOf(origin), origin.source]))
}

/** The ranges of chunks of which that is true, and those of the others. */
export function parted(
  slab: Slab,
  ranges: readonly FrameRange[],
  holds: (chunk: Chunk) => boolean,
): [FrameRange[], FrameRange[]] {
  const parts: [FrameRange[], FrameRange[]] = [[], []]
  for (const [chunk, from, to] of stretches(slab, ranges)) {
    const part = parts[holds(chunk) ? 0 : 1]
    const last = part.at(-1)
    if (last?.to === from) part[part.length - 1] = { from: last.from, to }
    else part.push({ from, to })
  }
  return parts
}

/** The ranges by file, in the order of the files. */
export function byFile(slab: Slab, ranges: readonly FrameRange[]): FrameRange[][] {
  const files = new Map<string, FrameRange[]>()
  for (const [{ origin }, from, to] of stretches(slab, ranges)) {
    const key = keyOf(origin)
    const own = files.get(key)
    if (own === undefined) files.set(key, [{ from, to }])
    else own.push({ from, to })
  }
  return [...files.values()]
}

/**
 * Which of these files, by key, are tried first: those of sources of which nothing is known to be refused, for they are
 * rather accepted; else those of one half of the sources; or of one source half of its files.
 */
export function firstOf(
  files: ReadonlyMap<string, string>,
  suspects: (source: string) => boolean,
): ReadonlySet<string> {
  const sources = [...new Set(files.values())]
  if (sources.length === 1) return new Set([...files.keys()].slice(0, Math.ceil(files.size / 2)))
  const calm = sources.filter(source => !suspects(source))
  const apart = calm.length > 0 && calm.length < sources.length
  const first = new Set(apart ? calm : sources.slice(0, Math.ceil(sources.length / 2)))
  return new Set([...files].filter(([, source]) => first.has(source)).map(([key]) => key))
}
