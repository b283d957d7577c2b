/**
 * The JSON Schema as it is published, for editors and for programs that check a file before it is deployed.
 *
 *     the schema of the readers ─► a text with ${…} is any text ─► shapes that repeat stand in $defs, once
 *
 * Guarantees: it says what the schema of the readers says; each definition is used more than once, its name comes from
 * the first key that has the shape, and the same configuration gives the same text.
 */
import { jsonSchema } from './schema.ts'

type Schema = { readonly [key: string]: unknown }

/**
 * What it is known by wherever it lies. A name and no address: the project promises no place on the web that would
 * stay, and a schema that editors fetch from a place is one that others may put something else at.
 */
export const ID = 'urn:logshipper:config'

/** What a place says for itself beside the shape that it shares with others. */
const ITS_OWN = new Set(['description', 'default', 'x-range', 'minimum', 'maximum'])

/** Shorter ones are read more easily where they stand. */
const WORTH_A_NAME = 100

/** Shapes that many keys have, by how they are known; the others are called after a key. */
const KNOWN: readonly (readonly [name: string, is: (schema: Schema) => boolean])[] = [
  ['size', schema => schema['x-unit'] === 'size'],
  ['duration', schema => schema['x-unit'] === 'duration'],
  ['fromFile', ({ required }) => String(required) === 'file'],
  ['fromEnvironment', ({ required }) => String(required) === 'env'],
  ['secret', ({ anyOf }) => Array.isArray(anyOf) && anyOf.some(each => each.properties?.file !== undefined)],
]

export function publishedSchema(): object {
  const { $schema, title, description, ...rest } = JSON.parse(JSON.stringify(jsonSchema())) as Schema
  const whole = referring(rest)
  const definitions = new Definitions(whole)
  const schema = definitions.refer(whole, [], true)
  return { $schema, $id: ID, title, description, ...schema, $defs: definitions.all() }
}

/** A value may be put together from `${…}`: what it comes to is not known before it is loaded. Names of keys are not. */
function referring(schema: Schema): Schema {
  const { pattern } = schema
  const loosened = typeof pattern === 'string' ? { ...schema, pattern: `\\$\\{|${pattern}` } : schema
  return below(loosened, (part, steps) => (steps[0] === 'propertyNames' ? part : referring(part)))
}

/** The schema with each schema in it made anew. `steps`: how it is reached from this one. */
function below(schema: Schema, make: (part: Schema, steps: readonly string[]) => Schema): Schema {
  const isSchema = (value: unknown): value is Schema =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
  return Object.fromEntries(
    Object.entries(schema).map(([key, value]) => {
      if (key === 'properties')
        return [
          key,
          Object.fromEntries(
            Object.entries(value as Schema).map(([name, part]) => [name, make(part as Schema, [key, name])]),
          ),
        ]
      if (['anyOf', 'oneOf', 'allOf'].includes(key)) return [key, (value as Schema[]).map(part => make(part, [key]))]
      return ['items', 'additionalProperties', 'propertyNames'].includes(key) && isSchema(value)
        ? [key, make(value, [key])]
        : [key, value]
    }),
  )
}

class Definitions {
  /** How often each shape stands in the schema, where what repeats is counted once. */
  readonly #counts = new Map<string, number>()
  readonly #names = new Map<string, string>()
  readonly #made = new Map<string, Schema>()

  constructor(whole: Schema) {
    this.#count(whole)
  }

  /** In the order in which they are met. */
  all(): Schema {
    return Object.fromEntries(this.#made)
  }

  /** `path`: the keys that lead there. */
  refer(schema: Schema, path: readonly string[], top = false): Schema {
    const [own, shape] = parted(schema)
    const text = JSON.stringify(shape)
    if (top || text.length < WORTH_A_NAME || this.#counts.get(text)! < 2) return this.#inside(schema, path)
    let name = this.#names.get(text)
    if (name === undefined) {
      name = this.#nameOf(shape, path)
      this.#names.set(text, name)
      // Its place among the others is kept while what is in it is made.
      this.#made.set(name, {})
      this.#made.set(name, this.#inside(shape, path))
    }
    return { ...own, $ref: `#/$defs/${name}` }
  }

  #inside(schema: Schema, path: readonly string[]): Schema {
    return below(schema, (part, [, name]) => this.refer(part, name === undefined ? path : [...path, name]))
  }

  #count(schema: Schema): void {
    const text = JSON.stringify(parted(schema)[1])
    const count = this.#counts.get(text) ?? 0
    this.#counts.set(text, count + 1)
    if (count > 0) return
    below(schema, part => {
      this.#count(part)
      return part
    })
  }

  /** After its key; with the key before it where another shape has that name. */
  #nameOf(shape: Schema, path: readonly string[]): string {
    const known = KNOWN.find(([, is]) => is(shape))?.[0]
    for (let length = 1; length <= path.length; length++) {
      const name =
        known ??
        path
          .slice(-length)
          .map((key, at) => (at === 0 ? key : key[0]!.toUpperCase() + key.slice(1)))
          .join('')
      if (!this.#made.has(name)) return name
      if (known !== undefined) break
    }
    throw new Error(`no name for the definition at ${path.join('.')}`)
  }
}

function parted(schema: Schema): [own: Schema, shape: Schema] {
  const all = Object.entries(schema)
  return [
    Object.fromEntries(all.filter(([key]) => ITS_OWN.has(key))),
    Object.fromEntries(all.filter(([key]) => !ITS_OWN.has(key))),
  ]
}
