/**
 * Elasticsearch, OpenSearch and what speaks their `_bulk` API: one `create` per record, judged item by item.
 *
 *     {"create":{"_index":"logs-2026.01.02","_id":"…-│offset│"}}⏎{"@timestamp":"…","message":"│frame│", … ,"event":{"sequence":│counter│}}⏎
 *
 * Where `index` names values or dates, each record has an index of its own (index_name.ts).
 *
 * Guarantees: an item is delivered only if the answer says so of it (or of all of them); a record that is already there
 * under our own id is delivered; what the cluster refuses for reasons of its own (a missing index, a full disk, a read-only
 * block, missing rights, an unknown pipeline) is retried for as long as it takes; only a document that cannot be
 * indexed as it is, or that the cluster fails over again and again while it takes others, is rejected.
 */
import * as z from 'zod/mini'
import type { Chunk } from '../chunk.ts'
import type { Inner, Segment } from '../kernel/template.ts'
import type { Metadata } from '../metadata.ts'
import type { Answer, Backend, BackendContext, BatchInfo, Item, Verdict } from './backend.ts'
import { bound } from './bound.ts'
import { endpointSchema, endpointUrl } from './endpoint.ts'
import { idPrefix, isoTime, joined, literal, offset, quoted } from './fields.ts'
import { NO_LIMITS, perLine } from './format.ts'
import { fieldsIn, levelIn, message, timeOf, whenRepeated, whenSampled } from './found.ts'
import { judge } from './http.ts'
import { filled, INDEX, type IndexTemplate, indexTemplate, partitioningBy } from './index_name.ts'

export const elasticsearchSchema = z.object({
  endpoint: endpointSchema.check(z.describe('The cluster, with or without /_bulk.')),
  index: z
    ._default(
      z.string().check(z.refine(text => indexTemplate(text) !== undefined, { error: INDEX })),
      'logs-app-default',
    )
    .check(
      z.describe(
        'A data stream, an index or an alias that writes to one; dates of each record’s time as logs-%{yyyy.MM.dd}, values of each record as logs-%{[service]:default}, its level as %{[level]}.',
      ),
    ),
  maxIndices: z
    ._default(bound, 50)
    .check(
      z.describe(
        'Names within a day, where index has values or dates; the date of reading makes none. Other records have the date of reading, or go where those without the values go.',
      ),
    ),
  pipeline: z
    .optional(z.string().check(z.minLength(1, { error: 'the name of a pipeline' })))
    .check(z.describe('Ingest pipeline that each record goes through. Default: that of the index.')),
  ids: z
    ._default(z.boolean(), true)
    .check(z.describe('Gives each record an _id that stays the same, so that what is sent twice is stored once.')),
})

export type ElasticsearchOptions = z.infer<typeof elasticsearchSchema>

/** The answer needs to say no more, per item: its status and why. */
const FILTER = 'errors,items.*.status,items.*.error.type,items.*.error.reason'

/** An answer that speaks of every record must be readable whole: six hundred bytes for each of the most records. */
const ANSWER_BYTES = 3 * 1024 * 1024
const MOST_RECORDS = 5000

export function createElasticsearch(options: ElasticsearchOptions, context: BackendContext): Backend {
  const { index, pipeline, ids } = options
  const template = indexTemplate(index)!
  const url = endpointUrl(options.endpoint, '/_bulk')
  // Below a base address the index can stand in the path, which works also where a cluster forbids it in the body.
  const inPath = !index.includes('%{') && !new URL(options.endpoint).pathname.replace(/\/+$/, '').endsWith('/_bulk')
  if (inPath) url.pathname = url.pathname.replace(/_bulk$/, `${encodeURIComponent(index)}/_bulk`)
  url.searchParams.set('filter_path', FILTER)
  if (pipeline !== undefined) url.searchParams.set('pipeline', pipeline)
  const path = url.pathname + url.search
  return {
    type: 'elasticsearch',
    ackLevel: 'stored',
    format: perLine('application/x-ndjson'),
    limits: { ...NO_LIMITS, records: MOST_RECORDS },
    answerBytes: ANSWER_BYTES,
    judgesUnread: true,
    partitioning: partitioningBy(template, options.maxIndices),
    segments: chunk => document(chunk, inPath ? undefined : indexAt(template, chunk), ids, context.metadata()),
    request: () => ({ method: 'POST', path, headers: {} }),
    judge: (answer, batch) => judgeBulk(answer, batch, ids),
  }
}

/** The name of a chunk's index, or that of each of its records. A record whose partition has no date has that of reading. */
function indexAt(template: IndexTemplate, chunk: Chunk): Segment[] {
  const read = isoTime(chunk)
  const pieces = filled(template, [], read).map(text => literal(quoted(text)))
  if (chunk.shape?.partition === undefined) return pieces
  return pieces.flatMap((date, piece): Segment[] => [
    { kind: 'partition', piece },
    ...(piece % 2 === 1 ? [{ kind: 'when', has: { noPiece: piece }, show: [date] } as const] : []),
  ])
}

/**
 * Names of the Elastic Common Schema and, for Kubernetes, of Filebeat. `event.sequence` keeps records of one millisecond
 * apart, in their order.
 */
function document(chunk: Chunk, index: Segment[] | undefined, ids: boolean, metadata: Metadata): Segment[] {
  const { origin, cutFrom, partial, continued } = chunk
  const said = [
    ...(cutFrom > 0 ? ['truncated'] : []),
    ...(partial ? ['partial'] : []),
    ...(continued ? ['continued'] : []),
  ]
  const rest = {
    log: {
      file: { path: origin.path },
      flags: said.length === 0 ? undefined : said,
      original_bytes: cutFrom > 0 ? cutFrom : undefined,
    },
    labels: undotted({ ...origin.labels, source: origin.source }),
    kubernetes: some({
      namespace: metadata.namespace,
      pod: some({ name: metadata.pod, uid: metadata.podUid }),
      node: some({ name: metadata.node }),
      container: some({ name: metadata.container }),
      serviceaccount: some({ name: metadata.serviceAccount }),
      labels: undotted(metadata.podLabels),
      annotations: undotted(metadata.podAnnotations),
    }),
  }
  const target = index === undefined ? [] : [literal('"_index":"'), ...index, literal('"')]
  const id = [
    literal(`${index === undefined ? '' : ','}"_id":"${quoted(idPrefix(chunk, metadata))}`),
    offset(chunk),
    literal('"'),
  ]
  return joined([
    literal('{"create":{'),
    ...target,
    ...(ids ? id : []),
    literal('}}\n{"@timestamp":"'),
    timeOf(chunk, 'rfc3339', () => literal(isoTime(chunk))),
    literal('","message":"'),
    message(chunk),
    literal('"'),
    ...traceIn(chunk),
    ...fieldsIn(chunk, { as: 'json', ...namesOf(chunk), written: true, ids: 'any', limits: LIMITS }),
    literal(',"log":{'),
    ...levelIn(chunk, '"level":"', 'written', '",'),
    literal(`${JSON.stringify(rest).slice('{"log":{'.length, -1)},"event":{`),
    ...whenRepeated(chunk, literal('"count":'), { kind: 'repeated' }, literal(',')),
    ...whenSampled(chunk, share => [literal(`"sampled":${share},`)]),
    literal('"sequence":'),
    { kind: 'counter', value: chunk.recordTimeNanos },
    literal('}}'),
  ])
}

/** Names of the Elastic Common Schema that are ours. */
const OURS = ['@timestamp', 'message', 'log', 'labels', 'kubernetes', 'event']
/** Objects of ours: a dot in a name is a way into one. */
const OBJECTS = ['log.', 'labels.', 'kubernetes.', 'event.']
/** Below `index.mapping.total_fields.limit` (1000), which counts our own values too. */
const LIMITS = { count: 900 }

/** What is not an object where we have one would make the document one that cannot be indexed. */
function namesOf({ shape }: Chunk): { ours: string[]; heads: string[] } {
  const ids = [...(shape?.traceId === undefined ? [] : ['trace']), ...(shape?.spanId === undefined ? [] : ['span'])]
  return { ours: [...OURS, ...ids], heads: [...OBJECTS, ...ids.map(name => `${name}.`)] }
}

/** Trace and span, wherever the line had them. */
function traceIn({ shape }: Chunk): Segment[] {
  const ids = { 'trace.id': shape?.traceId, 'span.id': shape?.spanId }
  return Object.entries(ids).flatMap(([name, slot]): Segment[] => {
    if (slot === undefined) return []
    const value: Inner = { kind: 'value', slot, as: 'quoted' }
    return [{ kind: 'when', has: { value: slot }, show: [literal(`,"${name}":`), value] }]
  })
}

/** A dot in a name would make an object of it, and two such names can contradict each other in the mapping. */
function undotted(labels: Readonly<Record<string, string>>): object | undefined {
  const plain = new Map<string, string>()
  for (const [name, value] of Object.entries(labels)) {
    const as = name.replaceAll('.', '_')
    if (as !== '' && !plain.has(as)) plain.set(as, value)
  }
  return plain.size === 0 ? undefined : Object.fromEntries(plain)
}

/** The object without what is not known, or nothing if nothing is. */
function some(object: Readonly<Record<string, unknown>>): object | undefined {
  const known = Object.entries(object).filter(([, value]) => value !== undefined)
  return known.length === 0 ? undefined : Object.fromEntries(known)
}

interface BulkItem {
  readonly status?: unknown
  readonly error?: { readonly type?: unknown; readonly reason?: unknown } | string
}

/**
 * What an answer to `_bulk` means ("Bulk API"; OpenSearch's is the same). HTTP 200 only says that the items have answers.
 */
function judgeBulk(answer: Answer, { records }: BatchInfo, ids: boolean): Verdict {
  if (answer.status < 200 || answer.status >= 300) return judgeRequest(answer)
  if (isAllCreated(answer.body, records) || isEachCreated(answer.body, records)) return { kind: 'delivered' }
  const general = judge(answer)
  if (general.kind !== 'delivered') return general
  let said: { readonly errors?: unknown; readonly items?: unknown }
  try {
    said = JSON.parse(answer.body)
  } catch {
    // An answer too long to be read whole would be as long the next time.
    const cut =
      records > 1 &&
      Buffer.byteLength(answer.body) >= ANSWER_BYTES &&
      /^\s*\{\s*"(errors|took|items)"/.test(answer.body)
    return cut ? { kind: 'split', reason: 'answer_too_long' } : unreadable
  }
  if (typeof said !== 'object' || said === null || typeof said.errors !== 'boolean') return unreadable
  const items = Array.isArray(said.items) ? (said.items as unknown[]) : []
  // Some servers name items only if there was an error.
  if (!said.errors && items.length === 0) return { kind: 'delivered' }
  if (items.length > records || (said.errors && items.length === 0)) return unreadable
  return judgeItems(items, records, ids)
}

const CREATED = '{"create":{"status":201}}'
let allCreated: string | undefined
const HEAD = '{"errors":false,"items":['

/**
 * Whether the answer is, to the letter, the one that nearly all are: every record was created. To parse thousands of
 * items that say the same costs as much as all the rest of a request.
 */
function isAllCreated(body: string, records: number): boolean {
  const items = records * (CREATED.length + 1) - 1
  allCreated ??= `${CREATED},`.repeat(MOST_RECORDS)
  return (
    records > 0 &&
    records <= MOST_RECORDS &&
    body.length === HEAD.length + items + 2 &&
    body.startsWith(HEAD) &&
    body.endsWith(']}') &&
    allCreated.startsWith(body.slice(HEAD.length, -2))
  )
}

/** How an answer begins that a server gives which knows no `filter_path`; the members' order differs between versions. */
const WHOLE_HEAD = /^\{(?:"(?:ingest_)?took":\d+,)*"errors":false,(?:"(?:ingest_)?took":\d+,)*"items":\[(?=\{)/
const ITEM = '{"create":{'
const STATUS = '"status":'
const ITEM_END = '"status":201}}'

/**
 * Whether the answer says of each record, in items of any length, that it was created. Without an escape in it each quote
 * is an end of a string, so what looks like a member is one. An answer that says it in another way is parsed.
 */
function isEachCreated(body: string, records: number): boolean {
  const head = WHOLE_HEAD.exec(body)
  if (head === null || body.includes('\\')) return false
  let at = head[0].length
  for (let n = 0; n < records; n++) {
    if (n > 0 && body[at++] !== ',') return false
    if (!body.startsWith(ITEM, at)) return false
    const status = body.indexOf(STATUS, at)
    if (status < 0 || !body.startsWith(ITEM_END, status)) return false
    at = status + ITEM_END.length
  }
  return records > 0 && at + 2 === body.length && body.endsWith(']}')
}

const unreadable: Verdict = { kind: 'retry', reason: 'unreadable_answer', misconfigured: true }

function judgeItems(items: readonly unknown[], records: number, ids: boolean): Verdict {
  const rejected: Item[] = []
  const retry: Item[] = []
  let ours = 0
  let itsOwn = 0
  for (let index = 0; index < records; index++) {
    const { status, type, reason } = read(items[index])
    if (status >= 200 && status < 300) continue
    if (status === 409 && ids) continue
    const item = { index, reason: type, ...(reason === undefined ? {} : { detail: reason }) }
    if (isRefused(status, type, reason)) rejected.push(item)
    else if (OF_THE_DOCUMENT.has(status)) {
      retry.push({ ...item, rejectAs: `http_${status}` })
      itsOwn++
    } else {
      retry.push(item)
      if (isOurs(status, type)) ours++
    }
  }
  if (retry.length === records && itsOwn < records) {
    const [{ reason, detail }] = retry as [Item]
    const words = detail === undefined ? {} : { detail }
    return { kind: 'retry', reason, ...words, ...(ours > 0 ? { misconfigured: true } : {}) }
  }
  return rejected.length + retry.length === 0 ? { kind: 'delivered' } : { kind: 'items', rejected, retry }
}

function read(item: unknown): { readonly status: number; readonly type: string; readonly reason: string | undefined } {
  const unsaid = { status: 0, type: 'item_missing', reason: undefined }
  if (typeof item !== 'object' || item === null) return unsaid
  // One member, named after the operation.
  const said = Object.values(item)[0] as BulkItem | null | undefined
  if (typeof said !== 'object' || said === null || typeof said.status !== 'number') return unsaid
  const { status, error } = said
  if (typeof error === 'string') return { status, type: `item_${status}`, reason: error }
  const type =
    typeof error?.type === 'string' && /^[a-z][a-z0-9_]{0,63}$/.test(error.type) ? error.type : `item_${status}`
  return { status, type, reason: typeof error?.reason === 'string' ? error.reason : undefined }
}

/** Errors with a 4xx that say nothing of the document: the cluster or the configuration must be corrected. */
const NOT_THE_DOCUMENT = new Set([
  'action_request_validation_exception',
  'alias_not_found_exception',
  'cluster_block_exception',
  'index_closed_exception',
  'index_not_found_exception',
  'invalid_alias_name_exception',
  'invalid_index_name_exception',
  'invalid_index_template_exception',
  'resource_already_exists_exception',
  'resource_not_found_exception',
  'routing_missing_exception',
  'security_exception',
  // Too many shards for the cluster, when an index would have to be made.
  'validation_exception',
])

/** `illegal_argument_exception` says anything; these are about the index or the pipeline. */
const NOT_ITS_ARGUMENTS =
  /^Validation Failed|^pipeline with id \[|no write index|multiple indices|\bindex template\b|\bdata stream\b|\balias \[/i

/** It is the document, and it would be refused again. */
function isRefused(status: number, type: string, reason: string | undefined): boolean {
  // The processor `fail` of a pipeline: it was configured that such a document is refused.
  if (type === 'fail_processor_exception') return true
  if (status < 400 || status >= 500) return false
  if ([401, 403, 404, 405, 408, 429].includes(status) || NOT_THE_DOCUMENT.has(type)) return false
  return !(type === 'illegal_argument_exception' && NOT_ITS_ARGUMENTS.test(reason ?? ''))
}

/**
 * An error of the cluster's own that a single document can cause, by its pipeline or its content; then it causes it again.
 * What is about a shard (503), a queue (429) or the way there (502, 504) is not said of a document.
 */
const OF_THE_DOCUMENT = new Set([500, 501])

/** A person must mend it. A 429 or a 5xx passes by itself, but for a disk that is full. */
function isOurs(status: number, type: string): boolean {
  return type === 'cluster_block_exception' || (status >= 400 && status < 500 && status !== 408 && status !== 429)
}

const UNPARSABLE = new Set([
  'document_parsing_exception',
  'mapper_parsing_exception',
  'strict_dynamic_mapping_exception',
])

/** A whole request was refused: then nothing of it was stored. */
function judgeRequest(answer: Answer): Verdict {
  const { type, reason } = errorOf(answer.body)
  const detail = reason ?? (answer.body === '' ? undefined : answer.body)
  const words = detail === undefined ? {} : { detail }
  switch (answer.status) {
    case 400:
      // Some that speak the API read all documents before they take any.
      if (type !== undefined && UNPARSABLE.has(type)) return { kind: 'bisect', reason: type, ...words }
      // Every line of ours is well-formed, so it is the address, the index or a setting.
      return { kind: 'retry', reason: type ?? 'http_400', ...words, misconfigured: true }
    case 404:
    case 405:
    case 406:
      return { kind: 'retry', reason: type ?? `http_${answer.status}`, ...words, misconfigured: true }
    case 403:
      // Read-only blocks and a full disk come as 403 too.
      if (type === 'cluster_block_exception') return { kind: 'retry', reason: type, ...words, misconfigured: true }
      return judge(answer)
  }
  const verdict = judge(answer)
  if (verdict.kind === 'retry') return { ...verdict, reason: type ?? verdict.reason, ...words }
  // What the general table gives up, a cluster says of itself and not of a document.
  if (verdict.kind !== 'rejected' && verdict.kind !== 'bisect') return verdict
  return { kind: 'retry', reason: type ?? verdict.reason, ...words, misconfigured: true }
}

function errorOf(body: string): { readonly type?: string; readonly reason?: string } {
  try {
    const { error } = JSON.parse(body) as { error?: { type?: unknown; reason?: unknown } }
    const { type, reason } = error ?? {}
    const named = typeof type === 'string' && /^[a-z_]{1,64}$/.test(type)
    return { ...(named ? { type } : {}), ...(typeof reason === 'string' ? { reason } : {}) }
  } catch {
    return {}
  }
}
