/**
 * What the configured paths mean where we are: whether anything matches now that can be followed, what is in the way if
 * not, and which files two sources want.
 *
 * A pattern that matches nothing is no mistake by itself, the application may not have begun; so it is said, and what was
 * probably meant is said with it. Looks at a bounded number of names; reads no file.
 */
import { readdirSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { takenWhole } from '../config/advice.ts'
import { nearest } from '../config/nearest.ts'
import type { Logger } from '../log.ts'
import type { SourceOptions } from '../tail/options.ts'
import { globsOf, matchesPath } from '../tail/patterns/glob.ts'
import { meaningOf } from '../tail/patterns/meaning.ts'
import { overlapsOf } from '../tail/patterns/overlap.ts'
import { type Preview, preview } from '../tail/watching/preview.ts'

export interface SourceRemark {
  /** `doubt`: what was written is likely to mean something else. */
  readonly kind: 'doubt' | 'note'
  readonly source: string
  readonly path: string
  /** Behind the path, without an end. */
  readonly words: string
}

/** Steps of a look: names, or what takes as long. For each path, and for all of them. */
const MOST = 20_000
const MOST_IN_ALL = 100_000
/** Names that are compared with one that is not there. */
const MOST_NAMES = 1000

export function remarksOn(sources: readonly SourceOptions[]): SourceRemark[] {
  const remarks: SourceRemark[] = []
  let left = MOST_IN_ALL
  const look = (source: SourceOptions, path: string) => {
    const seen = left > 0 ? preview(source, path, Math.min(MOST, left)) : undefined
    left -= seen?.steps ?? 0
    return seen
  }
  for (const source of sources) {
    for (const path of source.paths) {
      const seen = look(source, path)
      if (seen === undefined || seen.matches || !seen.whole) continue
      const { doubts } = meaningOf(path)
      for (const words of doubts) remarks.push({ kind: 'doubt', source: source.name, path, words })
      const bare = source.exclude.length > 0 ? look({ ...source, exclude: [] }, path) : undefined
      const words = shut(source, path, seen.excluded || bare?.matches === true)
      remarks.push({ source: source.name, path, ...(words ?? why(path, seen)) })
    }
  }
  // Of what a source gets nothing at all the configuration was warned already.
  const warned = new Set(takenWhole(sources).map(({ source, taker }) => `${taker} ${source}`))
  for (const { source, other, path } of overlapsOf(sources)) {
    if (warned.has(`${source} ${other}`)) continue
    const words = `matches source ${other} too: ${source}, which is listed first, gets it, and ${other} does not`
    remarks.push({ kind: 'doubt', source, path, words })
  }
  return remarks
}

/** Says them, when a configuration begins to be in use. */
export function sayRemarks(sources: readonly SourceOptions[], log: Logger): void {
  for (const { kind, source, path, words } of remarksOn(sources)) {
    if (kind === 'doubt') log.warn({ event: 'path_doubtful', source, path }, `path ${words}`)
    else log.info({ event: 'path_matches_nothing', source, path }, `path ${words}`)
  }
}

export function inWords({ source, path, words }: SourceRemark): string {
  return `source ${source}: ${path}: ${words}`
}

type PathVerdict = Pick<SourceRemark, 'kind' | 'words'>

/** What is to be said if what matches is excluded. */
function shut({ exclude }: SourceOptions, path: string, excluded: boolean): PathVerdict | undefined {
  if (!excluded && !exclude.some(each => globsOf(each).some(glob => matchesPath(glob, path)))) return undefined
  const which = exclude.length > 3 ? `${exclude.slice(0, 3).join(', ')} …` : exclude.join(', ')
  return { kind: 'doubt', words: `matches nothing that is not excluded: ${which}` }
}

/** Why nothing matches, or nothing that can be followed. */
function why(path: string, { refused }: Preview): PathVerdict {
  const { directories, names } = meaningOf(path)
  const plain = !/[*?[\]{}\\]/.test(names)
  if (plain && directories.length === 1 && isDirectory(path)) {
    return {
      kind: 'doubt',
      words: `is a directory: ${path}/* means the files in it, ${path}/**/* also those in its subdirectories`,
    }
  }
  if (refused !== undefined) {
    const what = refused.path === path ? 'is' : `matches nothing but what is not followed, such as ${refused.path}:`
    return { kind: 'doubt', words: `${what} ${refused.reason}; regular files are followed that may be read` }
  }
  if (directories.length !== 1) {
    const where = `${directories.slice(0, 3).join(', ')}${directories.length > 3 ? ' …' : ''}`
    return { kind: 'note', words: `matches nothing yet: files called ${names} are looked for in ${where}` }
  }
  const [directory] = directories
  const missing = firstMissing(directory!)
  if (missing !== undefined)
    return { kind: 'note', words: `matches nothing yet: ${missing} is not there${meant(missing)}` }
  const there = namesIn(directory!)
  const example = there.find(name => !name.startsWith('.')) ?? there[0]
  const others = example === undefined ? 'is empty' : `has other names, such as ${example}`
  const hint = plain ? meant(path) : ''
  return { kind: 'note', words: `matches nothing yet: ${directory} ${others}${hint}` }
}

/** The topmost of the directories on the way that is not there. */
function firstMissing(directory: string): string | undefined {
  if (isDirectory(directory) || directory === '/') return undefined
  return firstMissing(dirname(directory)) ?? directory
}

/** What stands in the place of a name that is not there, if that looks alike. */
function meant(path: string): string {
  const name = nearest(
    basename(path),
    namesIn(dirname(path)).filter(each => each !== basename(path)),
  )
  return name === undefined ? '' : ` (did you mean ${join(dirname(path), name)}?)`
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory).slice(0, MOST_NAMES)
  } catch {
    return []
  }
}

function isDirectory(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
  } catch {
    return false
  }
}
