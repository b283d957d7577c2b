/**
 * Turns what the schema says about a value into problems that a person can act on: where it stands (file and line, or
 * variable), what is there, what may be there, and what was probably meant.
 */
import type * as z from 'zod/mini'
import { valueAt } from './inspect.ts'
import { type Key, keyAt } from './keys.ts'
import { nearest } from './nearest.ts'
import { describe, formatKey, isSecret, type KeyPath, type Problem } from './problem.ts'
import { keysOfType, TYPES, typesTaking } from './schema.ts'

export interface Scene {
  readonly tree: unknown
  readonly keys: Key
  readonly locate: (path: KeyPath) => Pick<Problem, 'file' | 'line' | 'key'>
  /** The text as it stands in the file, if the value at `path` was put together from `${…}`. */
  readonly template: (path: KeyPath) => string | undefined
  /** The type of a backend, or what it was meant to be; `undefined`: no idea. */
  readonly typeOf: (index: number) => string | undefined
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

export function problemsOf(all: readonly z.core.$ZodIssue[], scene: Scene): Problem[] {
  const issues = all.flatMap(issue => within(issue, scene))
  const unknown = new Map<string, readonly string[]>()
  for (const issue of issues) {
    if (issue.code === 'unrecognized_keys') unknown.set(formatKey(issue.path as KeyPath), issue.keys)
  }
  return issues.flatMap(issue => {
    const path = issue.path as KeyPath
    if (issue.code === 'unrecognized_keys') return issue.keys.map(name => unknownKey([...path, name], scene))
    if (valueAt(scene.tree, path) !== undefined) return problemOf(issue, path, scene)
    // What is missing is there under a name that is misspelt, or is not known to be needed.
    const misspelt = unknown.get(formatKey(path.slice(0, -1)))?.some(name => nearest(name, [String(path.at(-1))]))
    const unneeded = path[0] === 'backends' && path.length === 3 && scene.typeOf(path[1] as number) === undefined
    return misspelt || unneeded ? [] : problemOf(issue, path, scene)
  })
}

/** Where a word, a list or a map may stand and a list or map does: what is wrong in it, not that it is none of them. */
function within(issue: z.core.$ZodIssue, scene: Scene): z.core.$ZodIssue[] {
  if (issue.code !== 'invalid_union' || issue.discriminator !== undefined) return [issue]
  const value = valueAt(scene.tree, issue.path as KeyPath)
  if (typeof value !== 'object' || value === null) return [issue]
  const meant = issue.errors.filter(errors => errors.every(({ code, path }) => path.length > 0 || !OTHER.has(code)))
  if (meant.length !== 1) return [issue]
  return meant[0]!.flatMap(inner =>
    within({ ...inner, path: [...issue.path, ...inner.path] } as z.core.$ZodIssue, scene),
  )
}

/** What is said of a value that is none of a kind at all. */
const OTHER: ReadonlySet<string> = new Set(['invalid_type', 'invalid_value', 'invalid_union'])

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
  return { ...problem, hint: hintFor(issue, path, value, scene) }
}

function allowedBy(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_key' && issue.issues[0]) return allowedBy(issue.issues[0])
  if (issue.message !== WORDLESS) return issue.message
  if (issue.code === 'invalid_type') return KINDS[issue.expected] ?? issue.expected
  if (issue.code === 'invalid_value') return issue.values.map(String).join(' | ')
  if (issue.code === 'invalid_union' && issue.discriminator === 'type') return TYPES.join(' | ')
  return 'another value'
}

function hintFor(issue: z.core.$ZodIssue, path: KeyPath, value: unknown, { keys }: Scene): string | undefined {
  const kinds = keyAt(keys, path)?.kinds ?? new Set()
  const allowed = allowedBy(issue)
  // Whether something is quoted tells nothing of what it is: this may be said of a secret too.
  if ((typeof value === 'number' && !kinds.has('number')) || (typeof value === 'boolean' && !kinds.has('boolean'))) {
    if (kinds.has('string') && !/^a duration| \| /.test(allowed)) return 'put it in quotes'
  }
  if (isSecret(path)) return undefined
  if (typeof value === 'string') {
    const words = allowed.includes(' | ') ? allowed.split(' | ') : []
    const meant = nearest(value, words)
    if (meant !== undefined) return `did you mean ${meant}?`
    if (kinds.has('boolean') && /^(true|false)$/.test(value)) return 'write it without quotes'
    if (kinds.has('boolean') && /^(yes|on|y|no|off|n)$/i.test(value)) return 'YAML 1.2 knows only true and false'
    if (issue.code === 'invalid_type' && issue.expected === 'array') return 'write it as a list, even of one: [ … ]'
  }
  const digits = typeof value === 'number' || (typeof value === 'string' && /^\d+$/.test(value))
  if (digits && allowed.startsWith('a duration')) return `write ${value}s for seconds, ${value}ms for milliseconds`
  if (digits && typeof value === 'string' && kinds.has('number')) return 'write it without quotes'
  return undefined
}

function unknownKey(path: KeyPath, scene: Scene): Problem {
  const name = String(path.at(-1))
  const holder = path.slice(0, -1)
  let known = [...(keyAt(scene.keys, holder)?.properties.keys() ?? [])]
  let hint: string | undefined
  if (path[0] === 'backends' && path.length === 3) {
    // The tree knows the keys of all types together; only some are this one's.
    const type = scene.typeOf(path[1] as number)
    const own = type === undefined ? undefined : keysOfType(type)
    const others = typesTaking(name)
    known = known.filter(each => own?.has(each) ?? true)
    if (others.length > 0 && type !== undefined) {
      hint = `type ${type} has no ${name}; ${others.length === 1 ? `type ${others[0]} does` : `types ${others.join(', ')} do`}`
    }
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
