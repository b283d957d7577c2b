/**
 * The whole configuration as one schema, composed of what its readers export. Unknown keys are refused everywhere.
 *
 * Only shape and single values are checked here; what spans several keys (names, references, the budget) is checked by
 * `complete`, which also fills in what depends on them.
 */
import * as z from 'zod/mini'
import { BACKENDS, type BackendType, entryOf } from '../backends/registry.ts'
import { deliveryShape, remoteShape, secret } from '../delivery/options.ts'
import { duration } from '../duration.ts'
import { podSchema } from '../metadata.ts'
import { backendProcessShape, processShape } from '../process/options.ts'
import { serverSchema } from '../server/options.ts'
import { size } from '../size.ts'
import { sourceSchema, stateSchema, volumeSchema } from '../tail/options.ts'

/** Bytes of `memory.budget`. */
export const MOST_BUDGET = 2 * 1024 ** 3

/** What a backend without a type is, and what runs when there is no backend at all. */
export const DEFAULT_TYPE: BackendType = 'stdout'

/** A source: the files, and what is done with their records. */
const wholeSource = z.strictObject({ ...sourceSchema.shape, ...processShape })

const common = {
  name: z
    .optional(
      z.string().check(z.regex(/^[A-Za-z0-9_.-]{1,63}$/, { error: '1 to 63 letters, digits and the signs _ . -' })),
    )
    .check(z.describe('Metric label, and the name that its offsets are saved under. Default: the type.')),
  sources: z
    .optional(z.array(z.string()).check(z.minLength(1, { error: 'at least one name of a source' })))
    .check(z.describe('Names of the sources that are shipped to it. Default: all.')),
  ...backendProcessShape,
}

const remote = z.object(remoteShape)
const shared = z.object({ ...common, type: z.string(), ...deliveryShape({}) })

/** One backend as the schema yields it; the type's own options stand between the others. */
export type BackendEntry = z.infer<typeof shared> & z.infer<typeof remote> & Readonly<Record<string, unknown>>

function entrySchema(type: BackendType) {
  const { schema } = BACKENDS[type]
  const { transport, preset, credential } = entryOf(type)
  const literal = z.literal(type).check(z.describe('Kind of backend. Default: stdout.'))
  return z.strictObject({
    ...common,
    type: type === DEFAULT_TYPE ? z._default(literal, type) : literal,
    ...schema.shape,
    ...deliveryShape({ compression: transport === 'stream' ? 'none' : 'gzip', ...preset }),
    ...(transport === 'stream' ? {} : remoteShape),
    ...(credential === undefined
      ? {}
      : {
          [credential.key]: z
            .optional(secret)
            .check(z.describe(`Credential, sent in the header ${credential.header}.`)),
        }),
  })
}

/** Each source has an account with each backend, each backend an arena of its own. */
const MOST_SOURCES = 500
const MOST_BACKENDS = 32

export const TYPES = Object.keys(BACKENDS) as [BackendType, ...BackendType[]]

type EntrySchema = ReturnType<typeof entrySchema>

/** Those that were asked for. To make them all would take a quarter of the time until the first line is read. */
const made = new Map<BackendType, EntrySchema>()

function entryFor(type: BackendType): EntrySchema {
  let schema = made.get(type)
  if (schema === undefined) made.set(type, (schema = entrySchema(type)))
  return schema
}

function isType(type: unknown): type is BackendType {
  return typeof type === 'string' && Object.hasOwn(BACKENDS, type)
}

/** Every key that a backend of this type takes; `undefined` if there is no such type. */
export function keysOfType(type: string): ReadonlySet<string> | undefined {
  return isType(type) ? new Set(Object.keys(entryFor(type).shape)) : undefined
}

/** The types that take a key. */
export function typesTaking(key: string): readonly BackendType[] {
  return TYPES.filter(type => Object.hasOwn(entryFor(type).shape, key))
}

/** The types that a configuration has backends of; all of them if it has one of another type, to say which there are. */
export function typesIn({ backends = [] }: Readonly<Record<string, unknown>>): readonly BackendType[] {
  if (!Array.isArray(backends)) return TYPES
  const types = new Set<BackendType>([DEFAULT_TYPE])
  for (const entry of backends as unknown[]) {
    const { type = DEFAULT_TYPE } = (entry ?? {}) as { type?: unknown }
    if (!isType(type)) return TYPES
    types.add(type)
  }
  return [...types]
}

const others = {
  sources: z
    ._default(z.array(wholeSource).check(z.maxLength(MOST_SOURCES, { error: `at most ${MOST_SOURCES} sources` })), [])
    .check(z.describe('The files to follow.')),
  state: z.prefault(stateSchema, {}).check(z.describe('What is kept on disk, so that a restart loses nothing.')),
  volume: z.prefault(volumeSchema, {}).check(z.describe('The volume that holds the logs.')),
  memory: z
    .prefault(
      z.strictObject({
        budget: z
          .optional(size({ min: 256 * 1024, max: MOST_BUDGET }))
          .check(z.describe('Maximum bytes in flight, all backends together. Default: 8MiB, or what they need.')),
      }),
      {},
    )
    .check(z.describe('Memory of lines in flight.')),
  drain: z
    .prefault(
      z.strictObject({
        gracePeriod: z
          .prefault(duration({ min: 0, max: 24 * 3_600_000 }), '30s')
          .check(z.describe('The pod’s terminationGracePeriodSeconds.')),
      }),
      {},
    )
    .check(z.describe('How long the end of the pod may take.')),
  pod: z.prefault(podSchema, {}).check(z.describe('Metadata of the pod, from the Downward API.')),
  server: z.prefault(serverSchema, {}).check(z.describe('Where probes, metrics and the status page are served.')),
  log: z
    .prefault(
      z.strictObject({
        level: z
          .optional(z.enum(['debug', 'info', 'warn', 'error']))
          .check(
            z.describe(
              'Least severe level of our own log on standard error. Default: info; warn where all records go to standard output.',
            ),
          ),
      }),
      {},
    )
    .check(z.describe('Our own log.')),
}

function backendsSchema(types: readonly BackendType[]) {
  const entries = types.map(entryFor) as [EntrySchema, ...EntrySchema[]]
  return z
    .prefault(
      z
        .array(z.discriminatedUnion('type', entries))
        .check(
          z.minLength(1, { error: 'at least one; without the key, the standard output' }),
          z.maxLength(MOST_BACKENDS, { error: `at most ${MOST_BACKENDS} backends` }),
        ),
      [{ type: DEFAULT_TYPE }],
    )
    .check(z.describe('Where records are sent. Default: standard output.'))
}

/** The schema of a configuration with backends of these types. */
export function configSchema(types: readonly BackendType[] = TYPES) {
  const { sources, ...rest } = others
  return z.strictObject({ sources, backends: backendsSchema(types), ...rest })
}

/** JSON Schema (draft 2020-12) of the file, for editors. */
export function jsonSchema(): object {
  const { properties, ...schema } = z.toJSONSchema(configSchema(), { io: 'input' })
  const title = { title: 'logshipper', description: 'Configuration of logshipper, as YAML or JSON.' }
  // Where an editor finds this schema. It is no key of ours: `load` takes it out.
  return {
    ...schema,
    ...title,
    properties: {
      ...properties,
      $schema: { type: 'string', description: 'Where an editor finds this schema; ignored.' },
    },
  }
}
