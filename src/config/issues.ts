/**
 * Turns what the schema says about a value into problems that a person can act on: where it stands (file and line, or
 * variable), what is there, what may be there, and what was probably meant.
 */
import type * as z from 'zod/mini'
import { BACKENDS, lineOf } from '../backends/registry.ts'
import { remoteShape } from '../delivery/options.ts'
import { type Key, keyAt } from './keys.ts'
import { nearest } from './nearest.ts'
import { describe, isSecret, type KeyPath, type Problem } from './problem.ts'
import { DEFAULT_TYPE, TYPES } from './schema.ts'

export interface Scene {
  readonly tree: unknown
  readonly keys: Key
  readonly locate: (path: KeyPath) => Pick<Problem, 'file' | 'line' | 'key'>
  /** The text as it stands in the file, if the value at `path` was put together from `${…}`. */
  readonly template: (path: KeyPath) => string | undefined
}

const KINDS: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a map',
  record: 'a map of texts',
}

/** The library's words when a schema has none of its own. */
const WORDLESS = 'Invalid input'

export function problemsOf(issues: readonly z.core.$ZodIssue[], scene: Scene): Problem[] {
  return issues.flatMap(issue => {
    const path = issue.path as KeyPath
    if (issue.code !== 'unrecognized_keys') return problemOf(issue, path, scene)
    return issue.keys.map(name => unknownKey([...path, name], scene))
  })
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

function problemOf(issue: z.core.$ZodIssue, path: KeyPath, scene: Scene): Problem {
  const value = valueAt(scene.tree, path)
  const template = scene.template(path)
  const problem: Problem = { ...scene.locate(path), found: describe(value, path), allowed: allowedBy(issue) }
  if (issue.code === 'invalid_key') return { ...problem, found: `the name ${describe(path.at(-1), [])}` }
  if (template !== undefined) return { ...problem, found: `the value of ${template}, which is not shown` }
  if (issue.code === 'invalid_type' && (issue.expected === 'object' || issue.expected === 'record')) {
    // Whatever stands in the place of a map may be anything, so it is not shown.
    const found = typeof value === 'string' ? 'a text' : problem.found
    const hint = issue.expected === 'record' && typeof value === 'string' ? 'write name=value,name=value' : undefined
    return { ...problem, found, hint: problem.file === 'environment' ? hint : undefined }
  }
  return { ...problem, hint: isSecret(path) ? undefined : hintFor(issue, value, problem.allowed) }
}

function allowedBy(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_key' && issue.issues[0]) return allowedBy(issue.issues[0])
  if (issue.message !== WORDLESS) return issue.message
  if (issue.code === 'invalid_type') return KINDS[issue.expected] ?? issue.expected
  if (issue.code === 'invalid_value') return issue.values.map(String).join(' | ')
  if (issue.code === 'invalid_union' && issue.discriminator === 'type') return TYPES.join(' | ')
  return 'another value'
}

function hintFor(issue: z.core.$ZodIssue, value: unknown, allowed: string): string | undefined {
  if (typeof value === 'string') {
    const words = allowed.includes(' | ') ? allowed.split(' | ') : []
    const meant = nearest(value, words)
    if (meant !== undefined) return `did you mean ${meant}?`
    if (allowed === 'true or false' && /^(yes|on|y|no|off|n)$/i.test(value)) return 'YAML 1.2 knows only true and false'
    if (issue.code === 'invalid_type' && issue.expected === 'array') return 'write it as a list, even of one: [ … ]'
  }
  const digits = typeof value === 'number' || (typeof value === 'string' && /^\d+$/.test(value))
  if (digits && allowed.startsWith('a duration')) return `write ${value}s for seconds, ${value}ms for milliseconds`
  if (issue.code === 'invalid_type' && issue.expected === 'string' && /^(number|boolean)$/.test(typeof value)) {
    return 'put it in quotes'
  }
  return undefined
}

function unknownKey(path: KeyPath, scene: Scene): Problem {
  const name = String(path.at(-1))
  const holder = path.slice(0, -1)
  let known = [...(keyAt(scene.keys, holder)?.properties.keys() ?? [])]
  let hint: string | undefined
  if (path[0] === 'backends' && path.length === 3) {
    // The tree knows the keys of all types together; only some are this one's.
    const type = String(valueAt(scene.tree, [...holder, 'type']) ?? DEFAULT_TYPE)
    const others = TYPES.filter(each => each !== type && takes(each, name))
    if (others.length > 0) {
      hint = `type ${type} has no ${name}; ${others.length === 1 ? `type ${others[0]} does` : `types ${others.join(', ')} do`}`
    }
    known = known.filter(each => TYPES.some(type_ => type_ === type && takes(type_, each)))
  }
  const meant = nearest(name, known)
  if (!hint && meant) hint = `did you mean ${meant}?`
  return {
    ...scene.locate(path),
    found: `the unknown key ${describe(name, [])}`,
    allowed: known.join(', '),
    hint,
  }
}

function takes(type: (typeof TYPES)[number], name: string): boolean {
  if (name in BACKENDS[type].schema.shape) return true
  if (name in remoteShape) return BACKENDS[type].transport === 'http'
  if (lineOf(type).credential?.key === name) return true
  return !TYPES.some(each => name in BACKENDS[each].schema.shape || lineOf(each).credential?.key === name)
}
