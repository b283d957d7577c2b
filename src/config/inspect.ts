/**
 * Everything that is wrong with a tree, at once. A schema stops at the first thing that it cannot make sense of: with
 * an unknown `type` it says nothing more of that backend, and what spans several keys is checked only when each key is
 * right. So what is wrong is put right as well as can be guessed, and the rest is looked at again.
 *
 *     tree ─► schema ─┬─ issues ─► collected, and mended in a copy ─┐
 *               ▲     │                                             │
 *               └─────┼─────────────────────────────────────────────┘
 *                     └─ none ─► what the mended tree means, for the checks that span several keys
 *
 * Guarantees: the given tree stays as it is; what is only wrong because of a guess is not reported.
 */
import type * as z from 'zod/mini'
import type { Tree } from './document.ts'
import { nearest } from './nearest.ts'
import type { KeyPath } from './problem.ts'
import { configSchema, keysOfType, TYPES, typesIn, typesTaking } from './schema.ts'

type Issue = z.core.$ZodIssue
type Written = z.infer<ReturnType<typeof configSchema>>

export interface Inspected {
  readonly issues: readonly Issue[]
  /** What it means, as far as it means anything; only what is not `doubtful` may be judged by it. */
  readonly data: Written | undefined
  /** Whether what is said about this path may be due to a guess. */
  readonly doubtful: (path: KeyPath) => boolean
  /** The type that a backend is taken to be of where it says none that there is; `undefined`: no idea. */
  readonly guesses: ReadonlyMap<number, string | undefined>
}

/** As often as one problem may hide another. */
const ROUNDS = 4

/** In place of what is required and not there, or cannot be used. */
const STAND_INS: Readonly<Record<string, unknown>> = {
  endpoint: 'http://mended.invalid/',
  paths: ['/mended'],
  project: 'mended',
  rule: 'dcr-00000000000000000000000000000000',
  stream: 'Custom-Mended_CL',
}

export function inspect(given: Tree): Inspected {
  const issues: Issue[] = []
  const mended: KeyPath[] = []
  const guesses = new Map<number, string | undefined>()
  const doubtful = (path: KeyPath): boolean =>
    mended.some(each => isBelow(path, each) || isBelow(each, path) || dependsOn(path, each, given))
  let tree = given
  for (let round = 0; round < ROUNDS; round++) {
    const parsed = configSchema(typesIn(tree)).safeParse(tree)
    if (parsed.success) return { issues, data: parsed.data, doubtful, guesses }
    const found = parsed.error.issues
    issues.push(...found.flatMap(issue => (round === 0 ? issue : unguessed(issue, doubtful, guesses))))
    tree = copied(tree) as Tree
    const now: KeyPath[] = []
    for (const issue of found) {
      if (now.some(each => isBelow(issue.path as KeyPath, each))) continue
      const changed = mend(tree, issue, issue.path as KeyPath, guesses)
      if (changed === undefined) return { issues, data: undefined, doubtful, guesses }
      now.push(...changed)
    }
    mended.push(...now)
  }
  return { issues, data: undefined, doubtful, guesses }
}

/** The issue, or the part of it, that would be there whatever was meant. */
function unguessed(
  issue: Issue,
  doubtful: (path: KeyPath) => boolean,
  guesses: ReadonlyMap<number, string | undefined>,
): Issue[] {
  const path = issue.path as KeyPath
  const [list, index, key] = path
  if (list === 'backends' && guesses.has(index as number) && guesses.get(index as number) === undefined) {
    // Of a backend of which nothing is known, only what is the same for all types (but for the standard output).
    if (key === undefined && issue.code === 'unrecognized_keys') {
      const keys = issue.keys.filter(each => typesTaking(each).length === 0)
      return keys.length > 0 ? [{ ...issue, keys }] : []
    }
    if (typesTaking(String(key)).length < TYPES.length - 1) return []
  }
  return issue.code === 'unrecognized_keys' || !doubtful(path) ? [issue] : []
}

/** Changes what the issue is about; returns the paths that are not as they were given, `undefined` if nothing helps. */
function mend(
  tree: Tree,
  issue: Issue,
  path: KeyPath,
  guesses: Map<number, string | undefined>,
): KeyPath[] | undefined {
  const holder = path.slice(0, -1)
  const last = path.at(-1)
  const at = valueAt(tree, issue.code === 'unrecognized_keys' ? path : holder) as Tree | undefined
  if (last === undefined && issue.code !== 'unrecognized_keys') return undefined
  if (typeof at !== 'object' || at === null) return undefined
  if (issue.code === 'unrecognized_keys') {
    for (const key of issue.keys) delete at[key]
    return issue.keys.map(key => [...path, key])
  }
  if (issue.code === 'invalid_union' && last === 'type' && path.length === 3) {
    const meant = typeof at['type'] === 'string' ? nearest(at['type'], TYPES) : undefined
    guesses.set(path[1] as number, meant)
    at['type'] = meant ?? likeliest(at)
    return [path]
  }
  if (typeof last === 'number') {
    // An element of a list, or the list as a whole.
    if (path.length > 2) return mend(tree, issue, holder, guesses)
    at[last] = path[0] === 'sources' ? { paths: STAND_INS['paths'] } : { name: `mended-${last}`, type: 'stdout' }
    return [path]
  }
  const key = last as string
  const standIn = STAND_INS[key]
  if (standIn !== undefined) at[key] = standIn
  else if (at[key] !== undefined) delete at[key]
  // It is required: what it is required for goes.
  else if (typeof holder.at(-1) === 'string') {
    delete (valueAt(tree, holder.slice(0, -1)) as Tree)[holder.at(-1)!]
    return [holder]
  } else return undefined
  return [path]
}

/** The type that takes most of the keys. */
function likeliest(entry: Tree): string {
  const taken = (type: string): number => Object.keys(entry).filter(key => keysOfType(type)?.has(key)).length
  return TYPES.reduce((best, type) => (taken(type) > taken(best) ? type : best), 'http')
}

/** The value at `path`, or `undefined`. */
export function valueAt(tree: unknown, path: KeyPath): unknown {
  let value = tree
  for (const step of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined
    value = (value as Record<string | number, unknown>)[step]
  }
  return value
}

function copied(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copied)
  if (typeof value !== 'object' || value === null) return value
  return Object.assign(Object.create(null), Object.fromEntries(Object.entries(value).map(([k, v]) => [k, copied(v)])))
}

function isBelow(path: KeyPath, holder: KeyPath): boolean {
  return holder.length <= path.length && holder.every((step, at) => step === path[at])
}

/** Whether what is said of `path` may change with `mended`, though neither holds the other. */
function dependsOn(path: KeyPath, mended: KeyPath, given: Tree): boolean {
  // The budget must do for all sources and backends.
  if (path[0] === 'memory') return mended[0] === 'sources' || mended[0] === 'backends'
  const aboutNames = path[2] === 'name' || (path[0] === 'backends' && path[2] === 'sources')
  return aboutNames && mayName(mended, given)
}

/** Whether a name may depend on what stands there. */
function mayName([list, index, key]: KeyPath, given: Tree): boolean {
  if (list !== 'sources' && list !== 'backends') return false
  if (key === undefined || key === 'name') return true
  // A backend without a name is called as its type.
  const named = typeof valueAt(given, [list, index!, 'name']) === 'string'
  return !named && nearest(String(key), list === 'sources' ? ['name'] : ['name', 'type']) !== undefined
}
