/**
 * Reach: how far the globs have come on the way to a directory, and so what the names in it mean.
 *
 *     /logs/**\/app/*.log   in /logs: ** app   in /logs/x: ** app   in /logs/app: ** app *.log
 *
 * Only names are matched, never paths: the same few reaches stand for all directories, however many there are, and where
 * none is left nothing below can match.
 */

import { Root } from '../files/open.ts'
import type { SourceOptions } from '../options.ts'
import { advance, begin, type Glob, globsOf, plainNames } from '../patterns/glob.ts'
import { matchesName, type Segment } from '../patterns/segment.ts'

/** One alternative of what a source wants. */
export interface Pattern {
  readonly source: SourceOptions
  /** The source's place among all: the first one gets what several want. */
  readonly order: number
  readonly glob: Glob
  /** Where the walk begins, and where files must really lie: in front of the first wildcard of what was written. */
  readonly directory: string
  readonly root: Root
  /** Its last segment says more than `*`. */
  readonly particular: boolean
}

interface Exclusion {
  readonly order: number
  readonly glob: Glob
}

/** Of each glob the segments that the next name may match. */
type Places<Of extends { readonly glob: Glob }> = ReadonlyMap<Of, readonly number[]>

interface Last {
  readonly pattern: Pattern
  readonly segment: Segment
}

export class Reach {
  readonly includes: Places<Pattern>
  readonly excludes: Places<Exclusion>
  /** Of the sources that want something here or below, the first one's place. */
  readonly order: number
  readonly #lasts: readonly Last[]
  readonly #exclusions: readonly { readonly order: number; readonly segment: Segment }[]
  readonly #several: boolean

  constructor(includes: Places<Pattern>, excludes: Places<Exclusion>) {
    this.includes = includes
    this.excludes = excludes
    const patterns = [...includes.keys()]
    this.order = Math.min(...patterns.map(({ order }) => order))
    this.#lasts = patterns
      .filter(pattern => includes.get(pattern)!.includes(pattern.glob.length - 1))
      .map(pattern => ({ pattern, segment: pattern.glob.at(-1)! }))
      .sort((one, other) => one.pattern.order - other.pattern.order)
    this.#exclusions = [...excludes]
      .filter(([{ glob }, places]) => places.includes(glob.length - 1))
      .map(([{ order, glob }]) => ({ order, segment: glob.at(-1)! }))
    this.#several = new Set(this.#lasts.map(({ pattern }) => pattern.order)).size > 1
  }

  /** Who gets a file of this name. */
  taker(name: string): Pattern | undefined {
    for (const { pattern, segment } of this.#lasts) {
      if (matchesName(segment, name) && !this.excluded(pattern.order, name)) return pattern
    }
    return undefined
  }

  /** Another source that wants it too. */
  rival(name: string, taker: Pattern): Pattern | undefined {
    if (!this.#several) return undefined
    return this.#lasts.find(
      ({ pattern, segment }) =>
        pattern.order > taker.order && matchesName(segment, name) && !this.excluded(pattern.order, name),
    )?.pattern
  }

  /** Who names a directory as if it were a file: it deserves to be refused by name. Of `*` it is known that it means files. */
  namer(name: string): Pattern | undefined {
    return this.#lasts.find(
      ({ pattern, segment }) => pattern.particular && matchesName(segment, name) && !this.excluded(pattern.order, name),
    )?.pattern
  }

  excluded(order: number, name: string): boolean {
    return this.#exclusions.some(each => each.order === order && matchesName(each.segment, name))
  }
}

export class Reaches {
  readonly patterns: readonly Pattern[]
  readonly #exclusions: readonly Exclusion[]
  /** By what makes them equal. */
  readonly #known = new Map<string, Reach>()
  readonly #numbers = new Map<Pattern | Exclusion, number>()

  constructor(sources: readonly SourceOptions[]) {
    this.patterns = sources.flatMap(patternsOf)
    this.#exclusions = sources.flatMap(({ exclude }, order) =>
      // A directory that is excluded is excluded with all that is in it.
      exclude.flatMap(glob => globsOf(glob.endsWith('/') ? `${glob}**` : glob).map(each => ({ order, glob: each }))),
    )
    for (const each of [...this.patterns, ...this.#exclusions]) this.#numbers.set(each, this.#numbers.size)
  }

  /** In a directory where patterns begin. */
  at(directory: string): Reach | undefined {
    const names = directory.split('/').filter(name => name !== '')
    const along = (glob: Glob) => names.reduce((places, name) => advance(glob, places, name), begin(glob))
    const beginning = this.patterns.filter(pattern => pattern.directory === directory)
    return this.#reach(
      beginning.map(pattern => [pattern, along(pattern.glob)] as const),
      this.#exclusions.map(exclusion => [exclusion, along(exclusion.glob)] as const),
    )
  }

  /** In a directory of this name; undefined if nothing in it or below is wanted. */
  below({ includes, excludes }: Reach, name: string): Reach | undefined {
    const step = <Of extends { readonly glob: Glob }>(places: Places<Of>) =>
      [...places].map(([each, at]) => [each, advance(each.glob, at, name)] as const)
    return this.#reach(step(includes), step(excludes))
  }

  /** In a directory that is reached from above, and where patterns begin as well. */
  both(one: Reach, other: Reach): Reach {
    const includes = new Map(one.includes)
    for (const [pattern, places] of other.includes) {
      includes.set(pattern, [...new Set([...(includes.get(pattern) ?? []), ...places])])
    }
    return this.#reach([...includes], [...one.excludes])!
  }

  #reach(
    wanted: readonly (readonly [Pattern, readonly number[]])[],
    unwanted: readonly (readonly [Exclusion, readonly number[]])[],
  ): Reach | undefined {
    const excludes = unwanted.filter(([, places]) => places.length > 0)
    const shut = new Set(
      excludes.filter(([{ glob }, places]) => endsDeep(glob, places)).map(([exclusion]) => exclusion.order),
    )
    const includes = wanted.filter(([{ order }, places]) => places.length > 0 && !shut.has(order))
    if (includes.length === 0) return undefined
    const key = [...includes, ...excludes].map(([each, places]) => `${this.#numbers.get(each)}:${places}`).join(' ')
    let reach = this.#known.get(key)
    if (reach === undefined) {
      reach = new Reach(new Map(includes), new Map(excludes))
      this.#known.set(key, reach)
    }
    return reach
  }
}

/** It matches everything here and below. */
function endsDeep(glob: Glob, places: readonly number[]): boolean {
  return glob.at(-1)!.kind === 'deep' && places.includes(glob.length - 1)
}

function patternsOf(source: SourceOptions, order: number): Pattern[] {
  return source.paths.flatMap(written => {
    const globs = globsOf(written)
    const directories = globs.map(glob => plainNames(glob))
    const root = new Root(`/${shared(directories).join('/')}`, source.followSymlinks)
    return globs.map((glob, index) => {
      const last = glob.at(-1)!.kind
      const directory = `/${directories[index]!.join('/')}`
      return { source, order, glob, directory, root, particular: last !== 'any' && last !== 'deep' }
    })
  })
}

/** The names that all begin with. */
function shared(all: readonly (readonly string[])[]): readonly string[] {
  const [first = []] = all
  const end = first.findIndex((name, index) => all.some(names => names[index] !== name))
  return end === -1 ? first : first.slice(0, end)
}
