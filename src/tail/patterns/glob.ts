/**
 * Globs: what a person writes for paths, taken apart into segments that match one name each.
 *
 *     /var/log/{a,b}/**\/*.log  ─►  /  var  log  a  **  *.log
 *                                   /  var  log  b  **  *.log
 *
 * Braces are alternatives, written out when a glob is read; parentheses are themselves, but for `@(a|b)` and `?(a|b)`.
 * `**` as a segment stands for any number of directories, also for none. A `/` at the end means the files in that directory.
 * Nothing here looks at a disk.
 */
import { normalize } from 'node:path'
import { alternatives, extendedIn, MAX_ALTERNATIVES } from './braces.ts'
import { matchesName, type Segment, segmentOf } from './segment.ts'

/** One alternative of a glob: the segments of an absolute path. */
export type Glob = readonly Segment[]

export type Parsed =
  | { readonly kind: 'globs'; readonly globs: readonly Glob[] }
  | { readonly kind: 'unusable'; readonly found: string; readonly allowed: string }

/** Takes an absolute glob apart. */
export function parseGlob(written: string): Parsed {
  const extended = extendedIn(written)
  if (extended !== undefined) {
    return {
      kind: 'unusable',
      found: `${extended}, which begins an extended glob`,
      allowed: '@(a|b) and ?(a|b) only; exclude for what is not meant, [(] for a parenthesis in a name',
    }
  }
  const texts = alternatives(normalize(written))
  if (texts === undefined) {
    const allowed = `at most ${MAX_ALTERNATIVES} alternatives`
    return { kind: 'unusable', found: 'braces that stand for too many paths', allowed }
  }
  return { kind: 'globs', globs: texts.map(segmentsOf) }
}

/** The globs that a written one stands for; none if it cannot be used. */
export function globsOf(written: string): readonly Glob[] {
  const parsed = parseGlob(written)
  return parsed.kind === 'globs' ? parsed.globs : []
}

/** The names in front of the first segment that is no plain name: the directory in which matches begin. */
export function plainNames(glob: Glob): string[] {
  const names: string[] = []
  for (const segment of glob) {
    // What is plain to its end names a file in a directory.
    if (segment.kind !== 'literal' || names.length === glob.length - 1) break
    names.push(segment.name)
  }
  return names
}

/** Whether the glob matches an absolute path. */
export function matchesPath(glob: Glob, path: string): boolean {
  const names = path.split('/').filter(name => name !== '')
  const last = names.pop()
  if (last === undefined) return false
  let places = begin(glob)
  for (const name of names) places = advance(glob, places, name)
  return places.some(place => place === glob.length - 1 && matchesName(glob[place]!, last))
}

/** The segments that a name below `/` may match. */
export function begin(glob: Glob): readonly number[] {
  return pastDeep(glob, [0])
}

/** The segments that a name may match in a directory of this name, which some of the segments at `places` match. */
export function advance(glob: Glob, places: readonly number[], name: string): readonly number[] {
  const next: number[] = []
  for (const place of places) {
    const segment = glob[place]!
    if (segment.kind === 'deep') next.push(place)
    else if (place < glob.length - 1 && matchesName(segment, name)) next.push(place + 1)
  }
  return pastDeep(glob, next)
}

/** With each `**` that is not the last segment also what is behind it: it may stand for no directory at all. */
function pastDeep(glob: Glob, places: readonly number[]): readonly number[] {
  const all = new Set<number>()
  for (let place of places) {
    all.add(place)
    while (glob[place]!.kind === 'deep' && place < glob.length - 1) all.add(++place)
  }
  return [...all]
}

function segmentsOf(text: string): Glob {
  // What stands before the first slash is nothing.
  const texts = text.split('/').slice(1)
  return texts.map(each => (each === '' ? { kind: 'any' } : segmentOf(each)))
}
