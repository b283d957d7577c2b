/**
 * Splunk's HTTP Event Collector: events as JSON, or raw lines; with indexer acknowledgement where the token has it.
 *
 *     {"time":1767323045.678,"host":"web-1","source":"/var/log/app/a.log","event":"│frame│","fields":{…}}⏎
 *
 * Guarantees: with `ack` nothing is delivered before an indexer has confirmed it; of a batch that Splunk stopped reading
 * at an event, those before it are settled as stored, the event itself as rejected, and only those behind it go again; a
 * wrong token, index or channel costs time and no data; what was cut says so, a raw line at its end. Splunk refuses blank
 * events and skips blank raw lines, so those never leave.
 */
import { randomUUID } from 'node:crypto'
import * as z from 'zod/mini'
import type { Chunk } from '../chunk.ts'
import type { Segment } from '../kernel/template.ts'
import type { Metadata } from '../metadata.ts'
import type { Answer, Backend, BackendContext, BatchInfo, Confirmation, Verdict } from './backend.ts'
import { endpointSchema } from './endpoint.ts'
import { attributesOf, epochSeconds, FLAGS, flagTexts, joined, literal } from './fields.ts'
import { LINE_FEED, NO_LIMITS, NOTHING } from './format.ts'
import { fieldsIn, foundNames, levelIn, marksIn, message, objectOf, timeOf } from './found.ts'
import { judge } from './http.ts'

const text = z.string().check(z.minLength(1, { error: 'a text that is not empty' }))

export const splunkHecSchema = z.object({
  endpoint: endpointSchema.check(z.describe('The HTTP Event Collector, with or without its path.')),
  format: z
    ._default(z.enum(['event', 'json', 'raw']), 'event')
    .check(
      z.describe(
        'event: the line is the event. json: the event is an object that holds the line. raw: the raw endpoint.',
      ),
    ),
  index: z.optional(text).check(z.describe('Index of each event. Default: that of the token.')),
  source: z
    .optional(text)
    .check(z.describe('Source of each event. Default: the file; with format: raw, that of the token.')),
  sourcetype: z.optional(text).check(z.describe('Source type of each event. Default: that of the token.')),
  host: z.optional(text).check(z.describe('Host of each event. Default: the pod.')),
  indexedFields: z
    ._default(z.boolean(), true)
    .check(z.describe('Names what is known of each record, and was found in it, as indexed fields.')),
  ack: z
    ._default(z.boolean(), false)
    .check(
      z.describe(
        'Waits until an indexer has confirmed each request. Indexer acknowledgement must be on for the token.',
      ),
    ),
})

export type SplunkHecOptions = z.infer<typeof splunkHecSchema>

const RAW = [{ kind: 'raw' }] as const

/** Milliseconds. Indexers confirm after some seconds, and forget after ten minutes what they were not asked for. */
const ASK_EVERY = 2_000
const PATIENCE = 5 * 60_000

export function createSplunkHec(options: SplunkHecOptions, context: BackendContext): Backend {
  const { format, ack } = options
  const url = new URL(options.endpoint)
  const base = url.pathname.replace(/\/+$/, '').replace(/\/services\/collector(\/(event|raw)(\/1\.0)?)?$/, '')
  url.pathname = `${base}/services/collector/${format === 'raw' ? 'raw' : 'event'}`
  const channel = randomUUID()
  if (format === 'raw') {
    const { index, source, sourcetype, host = context.metadata().pod } = options
    for (const [name, value] of Object.entries({ index, source, sourcetype, host })) {
      if (value !== undefined) url.searchParams.set(name, value)
    }
  }
  const headers = ack || format === 'raw' ? { 'x-splunk-request-channel': channel } : {}
  const path = url.pathname + url.search
  return {
    type: 'splunk_hec',
    ackLevel: ack ? 'stored' : 'accepted',
    format: {
      contentType: format === 'raw' ? 'text/plain' : 'application/json',
      prefix: NOTHING,
      separator: LINE_FEED,
      suffix: NOTHING,
      treatment: 'text',
    },
    limits: {
      ...NO_LIMITS,
      ...(format === 'json' ? {} : { blank: 'refused' as const }),
    },
    ...(ack ? { confirmation: confirmation(base, channel) } : {}),
    segments: chunk => (format === 'raw' ? line(chunk) : event(chunk, options, context.metadata())),
    request: () => ({ method: 'POST', path, headers }),
    judge: (answer, batch) => judgeCollector(answer, batch, ack),
  }
}

/** A raw line has no other place for what is said about it. */
function line({ cutFrom }: Chunk): readonly Segment[] {
  return cutFrom > 0 ? [...RAW, literal(` [truncated from ${cutFrom} bytes]`)] : RAW
}

/** Fields that Splunk gives every event itself. */
const OWN_FIELDS = new Set([
  'host',
  'source',
  'sourcetype',
  'index',
  'linecount',
  'punct',
  'splunk_server',
  'timestamp',
])

/** One event ("Format events for HTTP Event Collector"). The values of indexed fields are texts. */
function event(chunk: Chunk, options: SplunkHecOptions, metadata: Metadata): Segment[] {
  const { format, index, sourcetype, source = chunk.origin.path, host = metadata.pod } = options
  const fields = new Map(flagTexts(chunk))
  const found = format === 'event' ? foundNames(chunk, 'level') : []
  for (const [name, value] of attributesOf(chunk, metadata)) {
    const as = name === 'source' ? 'log_source' : name
    // The file is the event's source already.
    const said =
      as === '' || OWN_FIELDS.has(as) || found.includes(as) || (as === 'file' && options.source === undefined)
    if (!said && !fields.has(as)) fields.set(as, value)
  }
  const head = JSON.stringify({ host, source, sourcetype, index }).slice(1)
  return joined([
    literal('{"time":'),
    timeOf(chunk, 'seconds', () => literal(epochSeconds(chunk))),
    literal(`,${head.slice(0, -1)},"event":`),
    ...(format === 'json' ? inEvent(chunk) : beside(chunk, options.indexedFields)),
    ...(options.indexedFields ? indexed(chunk, Object.fromEntries(fields), format === 'event') : []),
    literal('}'),
  ])
}

/** An event that is an object holds what was found in the record too. */
function inEvent(chunk: Chunk): Segment[] {
  if (chunk.shape === undefined) return [literal('{"message":"'), { kind: 'message' }, literal('"}')]
  const names = foundNames(chunk, 'level')
  return [
    literal('{"message":"'),
    message(chunk),
    literal('"'),
    ...levelIn(chunk, ',"level":"', 'word', '"'),
    ...marksIn(chunk),
    ...fieldsIn(chunk, { as: 'json', ours: ['message', ...names] }),
    literal('}'),
  ]
}

/** The message, if what else was found stands beside it; else the line. */
function beside(chunk: Chunk, hasFields: boolean): Segment[] {
  const text: Segment = hasFields ? message(chunk, { refusesBlank: true }) : { kind: 'message' }
  return [literal('"'), text, literal('"')]
}

/** Indexed fields: ours, and what was found in the record if it has no other place. */
function indexed(chunk: Chunk, ours: Readonly<Record<string, string>>, found: boolean): Segment[] {
  if (chunk.shape === undefined || !found) return [literal(`,"fields":${JSON.stringify(ours)}`)]
  return [literal(',"fields":'), ...objectOf(chunk, { as: 'strings', ours: [...OWN_FIELDS, ...FLAGS] }, ours)]
}

/** "About HTTP Event Collector Indexer Acknowledgment". A `false` may mean: not yet, never, or unknown here. */
function confirmation(base: string, channel: string): Confirmation {
  return {
    every: ASK_EVERY,
    patience: PATIENCE,
    question: receipts => ({
      head: {
        method: 'POST',
        path: `${base}/services/collector/ack?channel=${channel}`,
        headers: { 'x-splunk-request-channel': channel },
      },
      contentType: 'application/json',
      body: JSON.stringify({ acks: receipts.map(Number) }),
    }),
    confirmed(answer, receipts) {
      if (answer.status === 401 || answer.status === 403)
        return { kind: 'unauthorized', reason: `http_${answer.status}` }
      if (answer.status !== 200) return { kind: 'retry', reason: `http_${answer.status}` }
      const { acks } = JSON.parse(answer.body) as { acks?: Record<string, unknown> }
      return receipts.filter(receipt => acks?.[receipt] === true)
    },
  }
}

interface Said {
  readonly code: number
  readonly text: string
  readonly place: number | undefined
  readonly ackId: string | undefined
}

/** Codes of the collector ("Troubleshoot HTTP Event Collector"), where they say more than the status does. */
const REASONS: Readonly<Record<number, string>> = {
  1: 'token_disabled',
  2: 'token_required',
  3: 'invalid_authorization',
  4: 'invalid_token',
  5: 'no_data',
  6: 'invalid_data_format',
  7: 'incorrect_index',
  8: 'internal_error',
  9: 'server_busy',
  10: 'channel_missing',
  11: 'invalid_channel',
  12: 'event_required',
  13: 'event_blank',
  14: 'ack_disabled',
  15: 'indexed_fields',
  16: 'query_authorization',
  18: 'queues_full',
  19: 'ack_unavailable',
  20: 'queues_full',
}

/** Statuses that a code comes with: beside another one it comes from a proxy that repeats what it was sent. */
const ABOUT_EVENTS = new Set([400])
const ABOUT_TOKEN = new Set([400, 401, 403])

/** How long a request is held back whose token does not acknowledge: it was stored, and sending it again doubles it. */
const UNACKNOWLEDGED = 60_000

function judgeCollector(answer: Answer, batch: BatchInfo, ack: boolean): Verdict {
  const general = judge(answer)
  const said = read(answer.body)
  if (said === undefined) {
    const plain = ['', 'OK', '"OK"'].includes(answer.body.trim())
    if (general.kind === 'delivered' && (!plain || ack)) {
      return { kind: 'retry', reason: 'unreadable_answer', misconfigured: true }
    }
    if (general.kind !== 'bisect' && general.kind !== 'rejected') return general
    // No collector said this, so it says nothing of the events.
    return { ...general, kind: 'retry', misconfigured: true }
  }
  const { code, text, ackId } = said
  const { status } = answer
  const reason = REASONS[code] ?? `code_${code}`
  const detail = { detail: text }
  switch (code) {
    case 0:
      if (general.kind !== 'delivered') return general
      if (!ack) return { kind: 'delivered' }
      if (ackId !== undefined) return { kind: 'pending', receipt: ackId }
      return { kind: 'retry', reason: 'ack_disabled', after: UNACKNOWLEDGED, misconfigured: true }
    case 1:
    case 2:
    case 3:
    case 4:
    case 16:
      if (ABOUT_TOKEN.has(status)) return { kind: 'unauthorized', reason, ...detail }
      break
    case 5:
      if (ABOUT_EVENTS.has(status)) return { kind: 'bisect', reason, ...detail }
      break
    case 6:
    case 12:
    case 13:
    case 15:
      if (ABOUT_EVENTS.has(status)) return stoppedAt(said, batch, ack, reason)
      break
    case 7:
    case 10:
    case 11:
    case 14:
      return { kind: 'retry', reason, ...detail, misconfigured: true }
  }
  if (general.kind === 'retry') return { ...general, reason, ...detail }
  if (general.kind === 'unauthorized' || general.kind === 'split') return general
  // A code that we do not know says nothing of the records that would let us give them up.
  return { kind: 'retry', reason, ...detail, misconfigured: true }
}

/**
 * Splunk reads a batch event by event and stops at the first that it cannot take, `invalid-event-number`, from 0. What
 * stood before it is accepted (a token that acknowledges gives those an `ackId` of their own), what stands behind it
 * was not looked at.
 */
function stoppedAt({ place, text, ackId }: Said, { records }: BatchInfo, ack: boolean, reason: string): Verdict {
  const index = records === 1 ? 0 : place
  if (index === undefined || index >= records) return { kind: 'bisect', reason, detail: text }
  const waiting = ack && index > 0
  const places = (from: number, to: number) => Array.from({ length: to - from }, (_, place) => from + place)
  return {
    kind: 'items',
    rejected: [{ index, reason, detail: text }],
    retry: [],
    // Without a receipt what stood before it would never be confirmed.
    unread: [...(waiting && ackId === undefined ? places(0, index) : []), ...places(index + 1, records)],
    ...(waiting && ackId !== undefined ? { receipt: ackId } : {}),
  }
}

function read(body: string): Said | undefined {
  try {
    const said = JSON.parse(body) as Record<string, unknown> | null
    if (typeof said !== 'object' || said === null || !Number.isInteger(said['code'])) return undefined
    const place = said['invalid-event-number']
    const ackId = said['ackId']
    return {
      code: said['code'] as number,
      text: typeof said['text'] === 'string' ? said['text'] : '',
      place: Number.isInteger(place) && (place as number) >= 0 ? (place as number) : undefined,
      ackId: Number.isInteger(ackId) ? String(ackId) : undefined,
    }
  } catch {
    return undefined
  }
}
