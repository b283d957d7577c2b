/**
 * The reference of the configuration: every key that holds a value, with its type, range, default, an example and what
 * it means, as Markdown tables. All but the examples comes from the schema; the examples stand in `examples.yaml`.
 *
 * Guarantees: no key is left out; a key without an example or an example without a key is an error.
 */
import { readFileSync } from 'node:fs'
import { isMap, isScalar, parseDocument, stringify } from 'yaml'
import { BACKENDS, type BackendType, entryOf } from '../../src/backends/registry.ts'
import { jsonSchema, TYPES } from '../../src/config/schema.ts'
import { remoteShape } from '../../src/delivery/options.ts'

/** The parts of a JSON Schema that a reference shows. */
interface Schema {
  readonly type?: string | readonly string[]
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly minimum?: number
  readonly maximum?: number
  readonly description?: string
  readonly default?: unknown
  readonly 'x-unit'?: string
  readonly 'x-range'?: string
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: boolean | Schema
  readonly items?: Schema
  readonly anyOf?: readonly Schema[]
  readonly oneOf?: readonly Schema[]
}

/** A key that holds a value. */
export interface Leaf {
  readonly path: string
  readonly schema: Schema
  readonly required: boolean
}

/** A table of keys. `type`: of the backend that they belong to alone. */
export interface Section {
  readonly title: string
  readonly leaves: readonly Leaf[]
  readonly type?: BackendType
}

/** Written out where the schema names no default: what stands there depends on something else. */
const DERIVED = /\bDefault: ([^.]+(?:\.\w+[^.]*)*)\./

const file = new URL('examples.yaml', import.meta.url)

/** The examples, by the path of their key, as they are written. */
export function examples(): ReadonlyMap<string, string> {
  const document = parseDocument(readFileSync(file, 'utf8'))
  if (document.errors.length > 0 || !isMap(document.contents)) throw new Error(`${file.pathname}: not a map`)
  return new Map(
    document.contents.items.map(({ key, value }) => {
      const text = stringify(value, { collectionStyle: 'flow', lineWidth: 0, flowCollectionPadding: true })
      return [String(isScalar(key) ? key.value : key), text.trim().replace(/^\[ (.*) \]$/, '[$1]')]
    }),
  )
}

export function sections(): readonly Section[] {
  const { properties } = JSON.parse(JSON.stringify(jsonSchema())) as { properties: Record<string, Schema> }
  const variants = new Map(properties['backends']!.items!.oneOf!.map((each, at) => [TYPES[at]!, each]))
  const ownKeys = (type: BackendType) =>
    new Set([...Object.keys(BACKENDS[type].schema.shape), entryOf(type).credential?.key])
  const remote = Object.keys(remoteShape)
  const common = leaves(variants.get('http')!, 'backends[].')
    .filter(({ path }) => !ownKeys('http').has(first(path)) && !remote.includes(first(path)))
    .map(leaf => (leaf.path === 'backends[].type' ? typeLeaf(leaf) : leaf))
  const overNetwork = leaves(variants.get('http')!, 'backends[].').filter(({ path }) => remote.includes(first(path)))
  const one = (name: string): Section => ({ title: `\`${name}\``, leaves: leaves(properties[name]!, `${name}.`) })
  return [
    { title: '`sources`', leaves: leaves(properties['sources']!.items!, 'sources[].') },
    { title: '`backends`: every type', leaves: common },
    { title: '`backends`: every type but `stdout`', leaves: overNetwork },
    ...TYPES.map(type => ({
      title: `\`backends\`: \`${type}\``,
      type,
      leaves: leaves(variants.get(type)!, 'backends[].').filter(({ path }) => ownKeys(type).has(first(path))),
    })),
    ...['state', 'volume', 'memory', 'drain', 'pod', 'server', 'log'].map(one),
  ]
}

/** In the schema each type is an alternative of its own. */
function typeLeaf({ path, schema }: Leaf): Leaf {
  return { path, required: false, schema: { enum: TYPES, description: schema.description ?? '' } }
}

/** The name below `backends[]`. */
function first(path: string): string {
  return path.split('.')[1]!
}

function leaves(schema: Schema, prefix: string): Leaf[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, part]) => {
    const path = prefix + name
    const nested = part.anyOf?.find(each => each.properties && !isSecret(part))
    const own = { path, schema: part, required: schema.required?.includes(name) === true }
    if (nested) return [own, ...leaves(nested, `${path}.`)]
    return part.properties ? leaves(part, `${path}.`) : [own]
  })
}

function isSecret({ anyOf }: Schema): boolean {
  return anyOf?.some(each => each.properties?.['file']) === true
}

/** Key of an example: those of a backend's own stand under the name of its type. */
export function exampleKey({ path }: Leaf, type: BackendType | undefined): string {
  return type === undefined ? path : path.replace('backends[]', type)
}

export function reference(): string {
  const given = examples()
  const used = new Set<string>()
  const tables = sections().map(({ title, leaves, type }) => {
    const rows = leaves.map(leaf => {
      const key = exampleKey(leaf, type)
      const example = given.get(key)
      if (example === undefined) throw new Error(`${file.pathname}: no example of ${key}`)
      used.add(key)
      const { path, schema, required } = leaf
      const cells = [code(path), typeOf(schema), defaultOf(leaf, type, required), code(example), meaning(schema)]
      return `| ${cells.join(' | ')} |`
    })
    return [
      `### ${title}`,
      '',
      '| Key | Type | Default | Example | Meaning |',
      '| --- | --- | --- | --- | --- |',
      ...rows,
    ]
  })
  const left = [...given.keys()].filter(key => !used.has(key))
  if (left.length > 0) throw new Error(`${file.pathname}: no such key: ${left.join(', ')}`)
  return tables.map(lines => lines.join('\n')).join('\n\n')
}

function code(text: string): string {
  return `\`${text.replaceAll('|', '\\|')}\``
}

function meaning({ description = '' }: Schema): string {
  return description.replace(DERIVED, '').trim().replaceAll('|', '\\|') || '–'
}

function defaultOf({ path, schema }: Leaf, type: BackendType | undefined, required: boolean): string {
  const derived = DERIVED.exec(schema.description ?? '')?.[1]
  if (required) return 'required'
  if (schema.default === undefined) return derived === 'stdout' ? code(derived) : (derived ?? 'none')
  const shown = shownValue(schema.default)
  if (type !== undefined) return shown
  // What another type has instead.
  const others = TYPES.flatMap(each => {
    const { transport, preset } = entryOf(each)
    const key = path.replace('backends[].batch.', '') as 'maxBytes' | 'maxRecords'
    const own = path === 'backends[].compression' ? (transport === 'stream' ? 'none' : undefined) : preset?.[key]
    return own === undefined || !path.startsWith('backends[]') ? [] : [`${each}: ${code(String(own))}`]
  })
  return [shown, ...others].join('; ')
}

function shownValue(value: unknown): string {
  if (Array.isArray(value) && value.length === 0) return 'none'
  if (typeof value === 'object' && value !== null && Object.keys(value).length === 0) return 'none'
  if (value === '') return 'empty'
  return code(typeof value === 'string' ? value : JSON.stringify(value))
}

function typeOf(schema: Schema): string {
  const { anyOf, items, additionalProperties: values, minimum, maximum } = schema
  if (schema['x-unit']) return `${schema['x-unit']}, ${schema['x-range']}`
  if (isSecret(schema)) return 'secret'
  if (schema.enum) return schema.enum.map(each => code(String(each))).join(', ')
  if (schema.const !== undefined) return code(String(schema.const))
  if (anyOf) {
    // `false` and `null` mean `off`; a number beside the same text is the text without quotes.
    const kinds = anyOf.filter(each => each.const !== false && each.type !== 'null' && typeof each.const !== 'number')
    const words = kinds.map(typeOf)
    const off = anyOf.some(each => each.const === false) ? [code('off')] : []
    return [...new Set([...words, ...off])].join(' or ')
  }
  if (items) return `list of ${typeOf(items)}`
  if (typeof values === 'object') return `map of ${typeOf(values)}`
  switch (schema.type) {
    case 'integer':
      return minimum === undefined ? 'whole number' : `whole number, ${minimum} to ${maximum}`
    case 'number':
      return 'number'
    case 'boolean':
      return '`true` or `false`'
    case 'object':
      return 'map'
    case 'string':
      return 'text'
    default:
      return [schema.type ?? 'text']
        .flat()
        .map(each => (each === 'string' ? 'text' : each))
        .join(' or ')
  }
}
