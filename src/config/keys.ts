/**
 * The tree of all keys a configuration can have, taken from its JSON Schema: what the environment is named after, what
 * a text is turned into, and what a mistyped key is compared with.
 *
 * Alternatives (a backend of this or that type, a secret given so or so) are laid over each other.
 */
import type { KeyPath } from './problem.ts'

export interface Key {
  /** JSON types that may stand here. */
  readonly kinds: Set<string>
  readonly properties: Map<string, Key>
  /** Of a list. */
  items: Key | undefined
  /** Of a map with free keys. */
  values: Key | undefined
}

interface JsonSchema {
  readonly type?: string | readonly string[]
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly additionalProperties?: boolean | JsonSchema
  readonly items?: JsonSchema
  readonly anyOf?: readonly JsonSchema[]
  readonly oneOf?: readonly JsonSchema[]
  readonly allOf?: readonly JsonSchema[]
}

export function keysOf(schema: object): Key {
  return lay(schema as JsonSchema, empty())
}

/** The tree as JSON can hold it; `unpack` makes it again. */
export interface PackedKey {
  readonly kinds: readonly string[]
  readonly properties: readonly (readonly [name: string, key: PackedKey])[]
  readonly items?: PackedKey | undefined
  readonly values?: PackedKey | undefined
}

export function pack({ kinds, properties, items, values }: Key): PackedKey {
  return {
    kinds: [...kinds],
    properties: [...properties].map(([name, key]) => [name, pack(key)] as const),
    items: items && pack(items),
    values: values && pack(values),
  }
}

export function unpack({ kinds, properties, items, values }: PackedKey): Key {
  return {
    kinds: new Set(kinds),
    properties: new Map(properties.map(([name, key]) => [name, unpack(key)])),
    items: items && unpack(items),
    values: values && unpack(values),
  }
}

const empty = (): Key => ({ kinds: new Set(), properties: new Map(), items: undefined, values: undefined })

function lay(schema: JsonSchema, key: Key): Key {
  for (const kind of [schema.type ?? []].flat()) key.kinds.add(kind === 'integer' ? 'number' : kind)
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    if (name.startsWith('$')) continue
    key.properties.set(name, lay(property, key.properties.get(name) ?? empty()))
  }
  if (typeof schema.additionalProperties === 'object')
    key.values = lay(schema.additionalProperties, key.values ?? empty())
  if (schema.items) key.items = lay(schema.items, key.items ?? empty())
  for (const part of [...(schema.anyOf ?? []), ...(schema.oneOf ?? []), ...(schema.allOf ?? [])]) lay(part, key)
  return key
}

export function keyAt(root: Key, path: KeyPath): Key | undefined {
  let key: Key | undefined = root
  for (const step of path) key = typeof step === 'number' ? key?.items : (key?.properties.get(step) ?? key?.values)
  return key
}

/**
 * A text from outside as the kind of value that may stand at `key`: number, truth value, list (`a,b`, where a comma in
 * braces or behind a backslash does not separate) or map (`team=checkout,env=prod`). What does not look like any of
 * them stays a text, for the schema to refuse.
 */
export function coerce(key: Key | undefined, text: string): unknown {
  if (!key) return text
  const { kinds } = key
  const trimmed = text.trim()
  if (kinds.has('number') && /^-?\d+(\.\d+)?$/.test(trimmed)) return Number(trimmed)
  if (kinds.has('boolean') && /^(true|false)$/i.test(trimmed)) return trimmed.toLowerCase() === 'true'
  if (kinds.has('null') && trimmed === 'null') return null
  if (kinds.has('array')) return separate(text, true)
  if (key.values && !kinds.has('string')) return pairs(text) ?? text
  return text
}

function separate(text: string, braces: boolean): string[] {
  const parts: string[] = []
  let part = ''
  let depth = 0
  for (let at = 0; at < text.length; at++) {
    const sign = text[at]!
    if (sign === '\\' && text[at + 1] === ',') part += text[++at]
    else if (sign === ',' && depth === 0) {
      parts.push(part)
      part = ''
    } else {
      if (braces && sign === '{') depth++
      if (braces && sign === '}' && depth > 0) depth--
      part += sign
    }
  }
  parts.push(part)
  return parts.map(each => each.trim()).filter(each => each !== '')
}

function pairs(text: string): Record<string, string> | undefined {
  const map: Record<string, string> = Object.create(null)
  for (const pair of separate(text, false)) {
    const at = pair.indexOf('=')
    if (at < 1) return undefined
    map[pair.slice(0, at).trim()] = pair.slice(at + 1).trim()
  }
  return map
}
