/** Warnings about what may be used and is hardly meant. */
import { normalize } from 'node:path'
import type { Secret } from '../delivery/options.ts'
import type { Environment } from '../environment.ts'
import type { SourceOptions } from '../tail/options.ts'
import type { Config } from './config.ts'

export function advice({ sources, backends }: Config, env: Environment): string[] {
  const doubled = backends.flatMap(({ name, delivery: { auth } }) => {
    const bearer = auth?.bearer !== undefined && holds('Bearer ', auth.bearer, env)
    const key = auth?.apiKey?.prefix && holds(auth.apiKey.prefix, auth.apiKey.value, env)
    const word = bearer ? 'Bearer' : key ? auth?.apiKey?.prefix?.trim() : undefined
    return word ? [`backend ${name}: its secret begins with ${word}, which is added anyway: it is sent once`] : []
  })
  return [...overlaps(sources), ...doubled]
}

/** A pattern whose files an earlier source takes. */
interface Taken {
  readonly source: string
  readonly taker: string
  readonly glob: string
}

/** Patterns whose files an earlier source takes: each file belongs to the first source that wants it. */
export function takenWhole(sources: readonly SourceOptions[]): Taken[] {
  return sources.flatMap((source, index) =>
    source.paths.flatMap(glob => {
      const taker = sources.slice(0, index).find(earlier => takes(earlier, glob))
      return taker === undefined ? [] : [{ source: source.name, taker: taker.name, glob }]
    }),
  )
}

function overlaps(sources: readonly SourceOptions[]): string[] {
  return takenWhole(sources).map(
    ({ source, taker, glob }) =>
      `source ${source} gets no files of ${glob}: source ${taker}, which is listed first, gets them`,
  )
}

/** Whether the source takes every file, or at least an arbitrary one, that the glob matches. */
function takes({ paths, exclude }: SourceOptions, glob: string): boolean {
  const wanted = normalize(glob)
  const matches = (pattern: string): boolean => {
    const written = normalize(pattern)
    if (written === wanted) return true
    const path = exampleOf(wanted)
    return path !== undefined && (matcherOf(written)?.test(path) ?? false)
  }
  return paths.some(matches) && !exclude.some(matches)
}

/** Patterns with braces, classes and the like are left alone: a warning must not be wrong. */
const SIMPLE = /^[^[\]{}()!@+|\\]*$/

/** A path that the glob matches, and that no other is likely to match by name. */
function exampleOf(glob: string): string | undefined {
  if (!SIMPLE.test(glob)) return undefined
  return glob.replace(/\*\*?|\?/g, wild => (wild === '?' ? 'q' : 'q7x'))
}

function matcherOf(glob: string): RegExp | undefined {
  if (!SIMPLE.test(glob)) return undefined
  const parts = glob.split(/(\/\*\*(?=\/|$)|\*+|\?)/).map(part => {
    if (part === '/**') return '(?:/.*)?'
    if (part.startsWith('*')) return '[^/]*'
    return part === '?' ? '[^/]' : part.replace(/[.$^]/g, '\\$&')
  })
  return new RegExp(`^${parts.join('')}$`, 's')
}

/** Whether the secret begins with what is put before it, as far as it is known now. */
function holds(word: string, secret: Secret, env: Environment): boolean {
  if (typeof secret === 'object' && 'file' in secret) return false
  const value = typeof secret === 'object' ? (env[secret.env] ?? '') : secret
  return value.slice(0, word.length).toLowerCase() === word.toLowerCase()
}
