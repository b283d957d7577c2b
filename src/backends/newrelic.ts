/**
 * New Relic's Log API (`/log/v1`): logs in groups that share the attributes of where they come from.
 *
 *     [{"common":{"attributes":{…}},"logs":[{"timestamp":1767323045678,"message":"│frame│"},…]},…]
 *
 * Guarantees: nothing leaves that New Relic would cut or drop without telling: requests, messages and attributes are
 * kept within its limits, longer lines are cut here and say so, and a record that waited for longer than New Relic looks
 * back gets the present time. A 202 means that the request was accepted; its contents are looked at later.
 */
import * as z from 'zod/mini'
import type { Chunk } from '../chunk.ts'
import type { Segment } from '../kernel/template.ts'
import type { Metadata } from '../metadata.ts'
import type { Backend, BackendContext, Group } from './backend.ts'
import { endpointSchema, endpointUrl } from './endpoint.ts'
import { attributesOf, epochMilliseconds, FLAGS, flags, joined, literal } from './fields.ts'
import { jsonArray } from './format.ts'
import { message, objectOf, timeOf } from './found.ts'
import { judge } from './http.ts'

const HOSTS = {
  us: 'log-api.newrelic.com',
  eu: 'log-api.eu.newrelic.com',
  jp: 'log-api.jp.nr-data.net',
  fedramp: 'gov-log-api.newrelic.com',
} as const

export const newrelicSchema = z.object({
  endpoint: z
    .optional(endpointSchema)
    .check(z.describe('Where requests go; /log/v1 is added. Default: the Log API of the region.')),
  region: z._default(z.enum(['us', 'eu', 'jp', 'fedramp']), 'us').check(z.describe('Region of the account.')),
  attributes: z
    ._default(z.record(z.string(), z.string()), {})
    .check(z.describe('Attributes of every log, besides its metadata and the labels of the source.')),
})

export type NewrelicOptions = z.infer<typeof newrelicSchema>

/**
 * "Introduction to the Log API", limits: 10^6 bytes per POST (whether compressed or not it does not say: so before),
 * 255 attributes, names of 255 and values of 4094 characters. Of a message 128,000 bytes more are kept beside it ("Find
 * data in long logs"). What is older than 48 hours is dropped.
 */
const LIMITS = {
  payloadBytes: 1_000_000,
  records: Number.MAX_SAFE_INTEGER,
  messageBytes: 4_094 + 128_000,
  age: 47 * 3_600_000,
}
/** Some are left for the record's own: time, message and what is special about it. */
const ATTRIBUTES = 245
const NAME_LENGTH = 255
const VALUE_LENGTH = 4094
/** Names that New Relic gives a meaning of its own, and drops or misreads. */
const RESERVED = new Set(['accountId', 'appId', 'eventType', 'message', 'timestamp'])

export function newrelicEndpoint({ region }: { readonly region: keyof typeof HOSTS }): string {
  return `https://${HOSTS[region]}`
}

export function createNewrelic(options: NewrelicOptions, context: BackendContext): Backend {
  const url = endpointUrl(options.endpoint ?? newrelicEndpoint(options), '/log/v1')
  const path = url.pathname + url.search
  return {
    type: 'newrelic',
    ackLevel: 'accepted',
    format: jsonArray({ groups: true }),
    limits: LIMITS,
    segments: chunk => log(chunk, options, context.metadata()),
    group: chunk => group(chunk, options, context.metadata()),
    request: () => ({ method: 'POST', path, headers: {} }),
    judge,
  }
}

function log(chunk: Chunk, options: NewrelicOptions, metadata: Metadata): Segment[] {
  const special = flags(chunk)
  if (chunk.shape !== undefined) return found(chunk, commonOf(chunk, options, metadata), Object.fromEntries(special))
  const own = special.length === 0 ? '' : `,"attributes":${JSON.stringify(Object.fromEntries(special))}`
  return joined([
    literal(`{"timestamp":${epochMilliseconds(chunk)},"message":"`),
    { kind: 'message' },
    literal(`"${own}}`),
  ])
}

/** What was found in a record stands among its attributes, none of which may change what is common to all. */
function found(
  chunk: Chunk,
  common: ReadonlyMap<string, string>,
  special: Readonly<Record<string, unknown>>,
): Segment[] {
  const limits = {
    count: ATTRIBUTES - common.size,
    nameBytes: NAME_LENGTH,
    valueBytes: VALUE_LENGTH,
  }
  return joined([
    literal('{"timestamp":'),
    timeOf(chunk, 'milliseconds', () => literal(String(epochMilliseconds(chunk)))),
    literal(',"message":"'),
    message(chunk),
    literal('","attributes":'),
    ...objectOf(chunk, { as: 'json', ours: [...RESERVED, ...FLAGS, ...common.keys()], limits }, special),
    literal('}'),
  ])
}

function group(chunk: Chunk, options: NewrelicOptions, metadata: Metadata): Group {
  const attributes = JSON.stringify(Object.fromEntries(commonOf(chunk, options, metadata)))
  return { open: Buffer.from(`{"common":{"attributes":${attributes}},"logs":[`), close: Buffer.from(']}') }
}

function commonOf(chunk: Chunk, options: NewrelicOptions, metadata: Metadata): ReadonlyMap<string, string> {
  const all = new Map<string, string>()
  for (const [name, value] of [...Object.entries(options.attributes), ...attributesOf(chunk, metadata)]) {
    if (all.size === ATTRIBUTES) break
    if (name === '' || name.length > NAME_LENGTH || RESERVED.has(name) || all.has(name)) continue
    all.set(name, value.slice(0, VALUE_LENGTH))
  }
  return all
}
