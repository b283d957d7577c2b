/**
 * Overlap: whether two globs can match the same path, and one that both do.
 *
 * Two walks at once, over the segments of both and within two segments over their signs: from each pair of places one
 * name, or one sign, leads to the next pair. Nothing here looks at a disk.
 */

import { type Glob, globsOf, matchesPath } from './glob.ts'
import { matchesName, matchesSign, type Segment, type Signs, STAR, type Token, tokensOf } from './segment.ts'

/** Two sources that want the same files. */
export interface Overlap {
  /** The one that gets them, and the one that does not. */
  readonly source: string
  readonly other: string
  /** A path that both want. */
  readonly path: string
}

/** Pairs of globs that are compared at the most. */
const MOST_PAIRS = 10_000
/** What may stand for any sign. */
const SOME_SIGNS = Array.from('xa0A-_. ', sign => sign.codePointAt(0)!)

/** The patterns of a source, and those of the files that it does not want. */
export interface Patterns {
  readonly name: string
  readonly paths: readonly string[]
  readonly exclude: readonly string[]
}

/** Each pair of sources that want the same file, as far as their patterns tell. */
export function overlapsOf(sources: readonly Patterns[]): Overlap[] {
  const all = sources.map(({ name, paths, exclude }) => ({
    name,
    globs: paths.flatMap(globsOf),
    excludes: exclude.flatMap(globsOf),
  }))
  let pairs = 0
  return all.flatMap((one, place) =>
    all.slice(place + 1).flatMap(other => {
      for (const glob of one.globs) {
        for (const another of other.globs) {
          if (++pairs > MOST_PAIRS) return []
          const path = commonPath(glob, another)
          // Whether what is excluded leaves anything in common cannot be told in general: the look at the files will.
          if (path === undefined || [...one.excludes, ...other.excludes].some(each => matchesPath(each, path))) continue
          return [{ source: one.name, other: other.name, path }]
        }
      }
      return []
    }),
  )
}

/** The shortest path that both match. */
export function commonPath(one: Glob, other: Glob): string | undefined {
  const names = shortest<string>([one.length, other.length], ([i, j]) => {
    const steps: Step<string>[] = []
    // `**` stands for no directory at all, but for the last one, which stands for a file at least.
    if (one[i]?.kind === 'deep' && i < one.length - 1) steps.push({ to: [i + 1, j] })
    if (other[j]?.kind === 'deep' && j < other.length - 1) steps.push({ to: [i, j + 1] })
    const [a, b] = [one[i], other[j]]
    const name = a && b && commonName(a, b)
    if (name === undefined) return steps
    for (const nextI of behind(one, i))
      for (const nextJ of behind(other, j)) steps.push({ to: [nextI, nextJ], by: name })
    return steps
  })
  return names && `/${names.join('/')}`
}

/** The shortest name that both match. */
function commonName(one: Segment, other: Segment): string | undefined {
  const [a, b] = [tokensOf(one), tokensOf(other)]
  const signs = shortest<number>([a.length, b.length], ([i, j]) => {
    const steps: Step<number>[] = []
    if (a[i] === STAR) steps.push({ to: [i + 1, j] })
    if (b[j] === STAR) steps.push({ to: [i, j + 1] })
    const sign = a[i] !== undefined && b[j] !== undefined ? commonSign(a[i], b[j]) : undefined
    if (sign !== undefined) steps.push({ to: [a[i] === STAR ? i : i + 1, b[j] === STAR ? j : j + 1], by: sign })
    return steps
  })
  if (signs === undefined) return undefined
  const name = String.fromCodePoint(...signs)
  // No name is empty, and one that begins with a dot is seldom what is meant.
  const likely = signs.length === 0 ? 'x' : `x${name}`
  const longer = name === '' || (name.startsWith('.') && matchesName(one, likely) && matchesName(other, likely))
  return longer ? likely : name
}

function commonSign(one: Token, other: Token): number | undefined {
  const candidates = [...edges(one), ...edges(other), ...SOME_SIGNS]
  const takes = (token: Token, sign: number) => token === STAR || matchesSign(token, sign)
  return candidates.find(sign => takes(one, sign) && takes(other, sign))
}

/** Signs that a token is likely to match. */
function edges(token: Token): readonly number[] {
  if (token === STAR) return []
  return typeof token === 'number' ? [token] : (token satisfies Signs).ranges
}

/** Where a name leads that the segment at `place` matches. */
function behind(glob: Glob, place: number): number[] {
  if (glob[place]!.kind !== 'deep') return [place + 1]
  return place === glob.length - 1 ? [place, place + 1] : [place]
}

type Positions = readonly [number, number]

/** A step of two walks at once: by a name or a sign that both take, or by nothing. */
interface Step<By> {
  readonly to: Positions
  readonly by?: By
}

/** What leads from the beginning of both to the end of both, with the fewest steps. */
function shortest<By>(end: Positions, steps: (place: Positions) => readonly Step<By>[]): By[] | undefined {
  interface Reached {
    readonly place: Positions
    readonly from: Reached | undefined
    readonly by: By | undefined
  }
  const seen = new Set<string>(['0,0'])
  const queue: Reached[] = [{ place: [0, 0], from: undefined, by: undefined }]
  for (let at = 0; at < queue.length; at++) {
    const reached = queue[at]!
    if (reached.place[0] === end[0] && reached.place[1] === end[1]) {
      const all: By[] = []
      for (let each: Reached | undefined = reached; each !== undefined; each = each.from) {
        if (each.by !== undefined) all.push(each.by)
      }
      return all.reverse()
    }
    for (const { to, by } of steps(reached.place)) {
      const key = `${to}`
      if (seen.has(key)) continue
      seen.add(key)
      queue.push({ place: to, from: reached, by })
    }
  }
  return undefined
}
