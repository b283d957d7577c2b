/**
 * Goes through the tree of a file: texts with `${…}` become the values they stand for, keys with nothing behind them
 * are as good as not there where a map or a list belongs (everything below them was commented out, most likely).
 */
import type { Tree } from './document.ts'
import { type Interpolated, interpolate, type References } from './interpolate.ts'
import { coerce, type Key, keyAt } from './keys.ts'
import { formatKey, type KeyPath } from './problem.ts'

export interface Unresolved extends Pick<Extract<Interpolated, { kind: 'refused' }>, 'found' | 'allowed' | 'hint'> {
  readonly path: KeyPath
}

export interface Substituted {
  readonly tree: Tree
  /** The text that stands in the file, by the path of the key whose value was put together from it. */
  readonly templates: ReadonlyMap<string, string>
  readonly refusals: readonly Unresolved[]
}

/** Characters that all `${…}` together may put in: each file may be small, and be named thousands of times. */
const MOST_PUT_IN = 1024 ** 2
const TOO_MUCH = { found: 'more text than 1MiB, put in by ${…}', allowed: 'at most 1MiB in all' }

/** `literal` says which values did not come from the file: those stay as they are. */
export function substitute(
  tree: Tree,
  keys: Key,
  references: References,
  literal: (path: KeyPath) => boolean,
): Substituted {
  const templates = new Map<string, string>()
  const refusals: Unresolved[] = []
  let room = MOST_PUT_IN
  const fill = (text: string, path: KeyPath): unknown => {
    const result = interpolate(text, references)
    if (result.kind === 'same') return text
    if (result.kind === 'text') {
      room -= result.text.length
      if (room < 0) {
        // Once is enough: the same would be true of all that follow.
        if (room + result.text.length >= 0) refusals.push({ path, ...TOO_MUCH })
        return ''
      }
      templates.set(formatKey(path), shown(text))
      return coerce(keyAt(keys, path), result.text)
    }
    const { kind: _, ...refusal } = result
    refusals.push({ path, ...refusal })
    return text
  }
  const visit = (value: unknown, path: KeyPath): unknown => {
    if (literal(path)) return value
    if (typeof value === 'string') return fill(value, path)
    if (value === null) return isContainer(keyAt(keys, path)) ? undefined : null
    if (Array.isArray(value)) return value.map((each, index) => visit(each, [...path, index]))
    if (typeof value !== 'object') return value
    const result: Tree = Object.create(null)
    for (const [step, each] of Object.entries(value)) {
      const visited = visit(each, [...path, step])
      if (visited !== undefined) result[step] = visited
    }
    return result
  }
  return { tree: visit(tree, []) as Tree, templates, refusals }
}

/** Only the names of what was asked for: what stands around them, or behind `:-`, may be a secret. */
function shown(text: string): string {
  return (text.match(/\$\{(?:file:[^}]*|\w+)/g) ?? ['${…']).map(each => `${each.slice(0, 80)}}`).join(' ')
}

function isContainer(key: Key | undefined): boolean {
  if (!key || key.kinds.has('null')) return false
  return key.properties.size > 0 || key.items !== undefined || key.values !== undefined
}
