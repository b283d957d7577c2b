/**
 * The effective configuration, value by value, each with who said it: a line of the file, a variable, the command line,
 * or none of these: the default.
 *
 * Guarantees: what a problem would not show is not shown here either (see `problem.ts`); what `${…}` stands for is shown
 * as it was written.
 */
import type { Tree } from './document.ts'
import { describe, formatKey, isSecret, type KeyPath, type Problem } from './problem.ts'

export interface Explained {
  readonly key: string
  readonly value: string
  /** `config.yaml:12`, `LOGSHIPPER_BACKEND_TYPE`, `command line` or `default`. */
  readonly from: string
}

export interface Given {
  /** What was given, before any default. */
  readonly given: Tree
  /** The JSON Schema of the configuration, for defaults as people write them. */
  readonly schema: () => object
  readonly locate: (path: KeyPath) => Pick<Problem, 'file' | 'line' | 'key'>
  /** The text with `${…}` that the value was put together from. */
  readonly template: (path: KeyPath) => string | undefined
}

interface Schema {
  readonly default?: unknown
  readonly const?: unknown
  readonly properties?: Readonly<Record<string, Schema>>
  readonly items?: Schema
  readonly oneOf?: readonly Schema[]
  readonly anyOf?: readonly Schema[]
}

/** Every value of `effective`, which is `given` and the defaults. */
export function explain(effective: object, { given, schema, locate, template }: Given): Explained[] {
  const all: Explained[] = []
  const visit = (value: unknown, path: KeyPath, said: unknown, expected: Schema | undefined): void => {
    if (value === undefined) return
    if (isBranch(value)) {
      for (const [key, each] of Object.entries(value)) {
        const step = Array.isArray(value) ? Number(key) : key
        visit(each, [...path, step], (said as Tree | undefined)?.[key], below(expected, step, value))
      }
      return
    }
    const written = said ?? expected?.default ?? value
    const text = isSecret(path) && said !== undefined ? describe('', path) : (template(path) ?? shown(written, path))
    all.push({ key: formatKey(path), value: text, from: said === undefined ? 'default' : from(locate(path)) })
  }
  visit(effective, [], given, schema() as Schema)
  return all
}

/** Something whose parts are values of their own: all but a list of texts, and what is empty. */
function isBranch(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false
  const parts = Object.values(value)
  return parts.length > 0 && (!Array.isArray(value) || parts.some(part => typeof part === 'object'))
}

function shown(value: unknown, path: KeyPath): string {
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.map(each => describe(each, path)).join(', ')
  if (typeof value === 'object' && value !== null) return 'none'
  return value === null ? 'off' : describe(value, path)
}

function from({ file, line, key }: Pick<Problem, 'file' | 'line' | 'key'>): string {
  if (file === 'environment') return key
  return line === undefined ? file : `${file}:${line}`
}

/** What is expected at a step, where there are alternatives by the one that `value` is of. */
function below(schema: Schema | undefined, step: string | number, value: object): Schema | undefined {
  if (schema === undefined) return undefined
  if (typeof step === 'number') return schema.items
  const type = (value as Tree)['type']
  const alternatives = [...(schema.oneOf ?? []), ...(schema.anyOf ?? [])]
  const one =
    alternatives.find(each => each.properties?.['type']?.const === type) ?? alternatives.find(each => each.properties)
  return (one ?? schema).properties?.[step]
}
