/**
 * Any HTTP receiver: records as lines or as an array, in the names and the wrapping it asks for, judged by the meaning
 * that RFC 9110 gives each status, unless the configuration knows better.
 *
 * Guarantees: only a 2xx that is not a web page counts as delivered, and only an answer that says "this request is
 * wrong" has the request bisected; whole requests are given up only where the configuration says so. Everything that a
 * human can mend on the other side (credentials, a moved address, an overloaded or half-configured server) is retried
 * for as long as it takes.
 */
import * as z from 'zod/mini'
import { size } from '../size.ts'
import type { Answer, Backend, BackendContext, Format, Verdict } from './backend.ts'
import { endpointSchema } from './endpoint.ts'
import { podPrefix } from './fields.ts'
import { jsonArray, NO_LIMITS, perLine } from './format.ts'
import { lineOf, lineSchema, lineTemplate } from './line.ts'
import { jsonRecord, PLAIN, type Shape } from './record.ts'

const name = z.string().check(z.minLength(1, { error: 'a name' }))

const recordSchema = z.strictObject({
  message: z._default(name, PLAIN.message).check(z.describe('The field that holds the line.')),
  time: z._default(z.string(), PLAIN.time).check(z.describe('The field that holds the time; empty: none.')),
  timeFormat: z
    ._default(z.enum(['rfc3339', 'epoch_s', 'epoch_ms', 'epoch_ns']), PLAIN.timeFormat)
    .check(z.describe('RFC 3339, or a number of seconds (with decimals), milli- or nanoseconds.')),
  id: z._default(name, PLAIN.id).check(z.describe('The field that holds the id, with ids: true.')),
  attributes: z
    ._default(z.string(), PLAIN.attributes)
    .check(z.describe('An object that holds all attributes, as texts; empty: they stand beside the message.')),
  rename: z._default(z.record(z.string(), name), {}).check(z.describe('Attributes under other names.')),
  drop: z._default(z.array(z.string()), []).check(z.describe('Attributes that are left out.')),
  constants: z
    ._default(z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])), {})
    .check(z.describe('The same in every record.')),
  merge: z
    ._default(z.boolean(), false)
    .check(
      z.describe(
        'A line that is a JSON object is not quoted: its members stand in the record as they are, behind all others. Other lines are messages.',
      ),
    ),
  maxBytes: z
    .optional(size({ min: 1024, max: 64 * 1024 ** 2 }))
    .check(z.describe('Longest record that the receiver takes: what is longer is cut and says so.')),
})

const wrapSchema = z.strictObject({
  prefix: z._default(z.string(), '').check(z.describe('Stands before the records of each request.')),
  suffix: z._default(z.string(), '').check(z.describe('Stands behind them.')),
})

const STATUSES = 'statuses from 100 to 599, or classes such as 5xx'
const status = z.union([z.int().check(z.minimum(100), z.maximum(599)), z.string().check(z.regex(/^[1-5](xx|\d\d)$/))], {
  error: STATUSES,
})
const statuses = z.optional(z.array(status, { error: STATUSES }))

const statusesSchema = z.strictObject({
  delivered: statuses.check(z.describe('Every other 2xx is then no success and retried.')),
  retry: statuses.check(z.describe('Sent again without end.')),
  bisect: statuses.check(
    z.describe('Some record is at fault: the request is bisected, and the record rejected once others are accepted.'),
  ),
  rejected: statuses.check(z.describe('All of the request is rejected at once, good records too.')),
})

type Statuses = z.infer<typeof statusesSchema>

export const httpSchema = z.object({
  endpoint: endpointSchema.check(z.describe('Where requests go.')),
  method: z._default(z.enum(['POST', 'PUT']), 'POST').check(z.describe('Method of the request.')),
  query: z._default(z.record(z.string(), z.string()), {}).check(z.describe('Added to the query of the endpoint.')),
  format: z
    .optional(z.enum(['ndjson', 'json', 'text']))
    .check(
      z.describe(
        'ndjson: a JSON object per line. json: one array of such objects. text: the lines as they are. Default: ndjson; text with line.',
      ),
    ),
  line: lineSchema,
  ids: z
    ._default(z.boolean(), false)
    .check(z.describe('Gives each JSON record an id that stays the same when it is sent again.')),
  contentType: z.optional(name).check(z.describe('Content type of the request. Default: that of the format.')),
  /** Of `ndjson` and `json`. */
  record: z.optional(recordSchema).check(z.describe('What the fields of a record are called.')),
  /** `json`: stands around the array, which it may make a part of an object. */
  wrap: z.optional(wrapSchema).check(z.describe('What stands around the records of a request.')),
  statuses: z.optional(statusesSchema).check(z.describe('What answers mean that this receiver uses in its own way.')),
})

export type HttpOptions = z.infer<typeof httpSchema>

const bytes = (text: string): Uint8Array => Buffer.from(text)

const FORMATS: Readonly<Record<NonNullable<HttpOptions['format']>, Format>> = {
  ndjson: perLine('application/x-ndjson'),
  json: jsonArray(),
  text: perLine('text/plain', 'bytes'),
}

const RAW = [{ kind: 'raw' }] as const

export function createHttp(options: HttpOptions, context: BackendContext): Backend {
  const url = new URL(options.endpoint)
  for (const [name, value] of Object.entries(options.query)) url.searchParams.append(name, value)
  const path = url.pathname + url.search
  const pod = podPrefix(context.metadata())
  const shape: Shape = options.record ?? PLAIN
  const kind = options.format ?? (options.line === undefined ? 'ndjson' : 'text')
  const { contentType, ...format } = FORMATS[kind]
  const { prefix = '', suffix = '' } = options.wrap ?? {}
  const known = statusTable(options.statuses)
  const line = options.line === undefined ? undefined : lineTemplate(options.line)!
  return {
    type: 'http',
    ackLevel: 'accepted',
    format: {
      ...format,
      ...(line && { treatment: 'text' }),
      contentType: options.contentType ?? contentType,
      prefix: Buffer.concat([bytes(prefix), format.prefix]),
      suffix: Buffer.concat([format.suffix, bytes(suffix)]),
    },
    limits: {
      ...NO_LIMITS,
      ...(options.record?.maxBytes === undefined ? {} : { recordBytes: options.record.maxBytes }),
    },
    segments: chunk => {
      if (kind !== 'text') return jsonRecord(chunk, options.ids, context.metadata(), shape)
      return line ? lineOf(line, chunk, context.metadata()) : RAW
    },
    request: batch => ({ method: options.method, path, headers: { 'idempotency-key': `${pod}${batch.id}` } }),
    judge: answer => (known === undefined ? judge(answer) : judgeBy(known, answer)),
  }
}

type Meaning = keyof Statuses

/** By status or class (`404`, `4xx`). */
function statusTable(options: Statuses | undefined): ReadonlyMap<string, Meaning> | undefined {
  if (options === undefined) return undefined
  const table = new Map<string, Meaning>()
  if (options.delivered) table.set('2xx', 'retry')
  for (const meaning of ['retry', 'bisect', 'rejected', 'delivered'] as const) {
    for (const status of options[meaning] ?? []) table.set(String(status), meaning)
  }
  return table
}

/** The configuration's own meanings, a status before its class, and the general table for all others. */
function judgeBy(known: ReadonlyMap<string, Meaning>, answer: Answer): Verdict {
  const status = String(answer.status)
  const general = judge(answer)
  const detail = answer.body === '' ? {} : { detail: answer.body }
  const reason = `http_${status}`
  switch (known.get(status) ?? known.get(`${status[0]}xx`)) {
    case undefined:
      return general
    case 'delivered':
      // A web page is none, whatever its status.
      return isPage(answer) ? general : { kind: 'delivered' }
    case 'retry':
      if (general.kind === 'retry') return general
      return { kind: 'retry', reason, ...detail, ...(general.kind === 'delivered' ? { misconfigured: true } : {}) }
    case 'bisect':
      return { kind: 'bisect', reason, ...detail }
    case 'rejected':
      return { kind: 'rejected', reason, ...detail }
  }
}

function isPage({ headers }: Answer): boolean {
  return /^\s*text\/html\b/i.test(headers['content-type'] ?? '')
}

/**
 * The general table (RFC 9110 §15). A redirect is not followed, for a request with a body and credentials may not go
 * where an answer says; it is a wrong endpoint, so it costs time and no data. So does a page of HTML with status 200,
 * which is what a login page or a captive proxy answers, and so does every other answer that is about the address and
 * not about the records (404, 405 …). `Retry-After` is delivery's to read: it has a clock.
 */
export function judge(answer: Answer): Verdict {
  const { status, body } = answer
  const reason = `http_${status}`
  const detail = body === '' ? {} : { detail: body }
  if (status >= 200 && status < 300) {
    return isPage(answer) ? { kind: 'retry', reason: 'unexpected_html', misconfigured: true } : { kind: 'delivered' }
  }
  if (status >= 300 && status < 400) return { kind: 'retry', reason: 'redirect', misconfigured: true }
  switch (status) {
    // A request that conflicts with another one, or that a law forbids, is as bad as what is in it.
    case 400:
    case 409:
    case 422:
    case 451:
      // A web page is about the address: a plain request to a port for TLS, say.
      if (isPage(answer)) return { kind: 'retry', reason: 'unexpected_html', misconfigured: true }
      return { kind: 'bisect', reason, ...detail }
    case 401:
    case 403:
      return { kind: 'unauthorized', reason, ...detail }
    case 413:
      return { kind: 'split', reason }
    case 408:
    case 425:
    case 429:
      return { kind: 'retry', reason, ...detail }
  }
  if (status >= 400 && status < 500) return { kind: 'retry', reason, ...detail, misconfigured: true }
  return { kind: 'retry', reason, ...detail }
}
