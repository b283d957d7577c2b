/** Elasticsearch: the requests as "Bulk API" describes them, and the answers that clusters give. */
import assert from 'node:assert/strict'
import type { Answer } from '../../src/backends/backend.ts'
import type { Case, Decoded, Request, Subject } from './subject.ts'

const JSON_TYPE = { 'content-type': 'application/json; charset=UTF-8' }

const answer = (status: number, body: unknown): Answer => ({ status, headers: JSON_TYPE, body: JSON.stringify(body) })

const item = (status: number, type?: string, reason?: string): object => ({
  create: { status, ...(type === undefined ? {} : { error: { type, reason } }) },
})

const bulk = (...items: object[]): Answer =>
  answer(200, { errors: items.some(one => JSON.stringify(one).includes('"error"')), items })

const refused = (status: number, type: string, reason: string): Answer =>
  answer(status, { error: { root_cause: [], type, reason }, status })

const OK = item(201)
const MAPPING = 'failed to parse field [status] of type [long] in document'
const BLOCK = 'index [logs] blocked by: [TOO_MANY_REQUESTS/12/disk usage exceeded flood-stage watermark];'
const READ_ONLY = 'index [logs] blocked by: [FORBIDDEN/8/index write (api)];'
const SHARDS = 'Validation Failed: 1: this action would add [2] shards, but this cluster currently has [1000]/[1000];'
const QUEUE = 'rejected execution of coordinating operation'

const all = (status: number, type: string, reason: string): Answer =>
  bulk(...Array.from({ length: 4 }, () => item(status, type, reason)))

const CASES: readonly Case[] = [
  { name: 'all items created', answer: bulk(OK, OK, OK, OK), verdict: { kind: 'delivered' } },
  {
    name: 'an item that is there already under our id',
    answer: bulk(OK, item(409, 'version_conflict_engine_exception', '[7f]: document already exists'), OK, OK),
    verdict: { kind: 'delivered' },
  },
  {
    name: 'one item cannot be mapped, one found the queue full',
    answer: bulk(
      OK,
      item(400, 'document_parsing_exception', MAPPING),
      item(429, 'es_rejected_execution_exception', QUEUE),
      OK,
    ),
    verdict: {
      kind: 'items',
      rejected: [{ index: 1, reason: 'document_parsing_exception', detail: MAPPING }],
      retry: [{ index: 2, reason: 'es_rejected_execution_exception', detail: QUEUE }],
    },
  },
  {
    name: 'every item found the queue full',
    answer: all(429, 'es_rejected_execution_exception', QUEUE),
    verdict: { kind: 'retry', reason: 'es_rejected_execution_exception', detail: QUEUE },
  },
  {
    name: 'the disk is full',
    answer: all(429, 'cluster_block_exception', BLOCK),
    verdict: { kind: 'retry', reason: 'cluster_block_exception', detail: BLOCK, misconfigured: true },
  },
  {
    name: 'the index is read-only',
    answer: all(403, 'cluster_block_exception', READ_ONLY),
    verdict: { kind: 'retry', reason: 'cluster_block_exception', detail: READ_ONLY, misconfigured: true },
  },
  {
    name: 'no such index, and none may be made',
    answer: all(404, 'index_not_found_exception', 'no such index [logs]'),
    verdict: {
      kind: 'retry',
      reason: 'index_not_found_exception',
      detail: 'no such index [logs]',
      misconfigured: true,
    },
  },
  {
    name: 'too many shards for a new index',
    answer: all(400, 'validation_exception', SHARDS),
    verdict: { kind: 'retry', reason: 'validation_exception', detail: SHARDS, misconfigured: true },
  },
  {
    name: 'no such pipeline',
    answer: all(400, 'illegal_argument_exception', 'pipeline with id [p] does not exist'),
    verdict: {
      kind: 'retry',
      reason: 'illegal_argument_exception',
      detail: 'pipeline with id [p] does not exist',
      misconfigured: true,
    },
  },
  {
    name: 'the key may not write into the index',
    answer: all(403, 'security_exception', 'action [indices:data/write/bulk[s]] is unauthorized'),
    verdict: {
      kind: 'retry',
      reason: 'security_exception',
      detail: 'action [indices:data/write/bulk[s]] is unauthorized',
      misconfigured: true,
    },
  },
  {
    name: 'a shard is away',
    answer: bulk(OK, OK, OK, item(503, 'unavailable_shards_exception', 'primary shard is not active')),
    verdict: {
      kind: 'items',
      rejected: [],
      retry: [{ index: 3, reason: 'unavailable_shards_exception', detail: 'primary shard is not active' }],
    },
  },
  {
    name: 'the pipeline refuses a document by its processor fail',
    answer: bulk(OK, item(500, 'fail_processor_exception', 'no level'), OK, OK),
    verdict: {
      kind: 'items',
      rejected: [{ index: 1, reason: 'fail_processor_exception', detail: 'no level' }],
      retry: [],
    },
  },
  {
    name: 'the cluster fails over one document',
    answer: bulk(OK, item(500, 'null_pointer_exception', 'it is null'), OK, OK),
    verdict: {
      kind: 'items',
      rejected: [],
      retry: [{ index: 1, reason: 'null_pointer_exception', detail: 'it is null', rejectAs: 'http_500' }],
    },
  },
  {
    name: 'the cluster fails over every document',
    answer: bulk(...Array(4).fill(item(500, 'exception', 'no'))),
    verdict: {
      kind: 'items',
      rejected: [],
      retry: [0, 1, 2, 3].map(index => ({ index, reason: 'exception', detail: 'no', rejectAs: 'http_500' })),
    },
  },
  {
    name: 'an answer about three of four items',
    answer: bulk(OK, OK, OK),
    verdict: { kind: 'items', rejected: [], retry: [{ index: 3, reason: 'item_missing' }] },
  },
  {
    name: 'an answer about more items than were sent',
    answer: bulk(OK, OK, OK, OK, OK),
    verdict: { kind: 'retry', reason: 'unreadable_answer', misconfigured: true },
  },
  {
    name: 'no errors, and nothing about items',
    answer: answer(200, { took: 3, errors: false }),
    verdict: { kind: 'delivered' },
  },
  {
    name: 'errors, and nothing about items',
    answer: answer(200, { took: 3, errors: true }),
    verdict: { kind: 'retry', reason: 'unreadable_answer', misconfigured: true },
  },
  {
    name: 'an answer that breaks off',
    answer: { status: 200, headers: JSON_TYPE, body: '{"errors":false,"items":[{"create":{"sta' },
    verdict: { kind: 'retry', reason: 'unreadable_answer', misconfigured: true },
  },
  {
    name: 'a login page',
    answer: { status: 200, headers: { 'content-type': 'text/html' }, body: '<html>' },
    verdict: { kind: 'retry', reason: 'unexpected_html', misconfigured: true },
  },
  {
    name: 'a malformed request',
    answer: refused(400, 'illegal_argument_exception', 'Malformed action/metadata line [1]'),
    verdict: {
      kind: 'retry',
      reason: 'illegal_argument_exception',
      detail: 'Malformed action/metadata line [1]',
      misconfigured: true,
    },
  },
  {
    name: 'a document that the whole request is refused for',
    answer: refused(400, 'mapper_parsing_exception', MAPPING),
    verdict: { kind: 'bisect', reason: 'mapper_parsing_exception', detail: MAPPING },
  },
  {
    name: 'no credentials',
    answer: refused(401, 'security_exception', 'missing authentication credentials'),
    verdict: {
      kind: 'unauthorized',
      reason: 'http_401',
      detail: refused(401, 'security_exception', 'missing authentication credentials').body,
    },
  },
  { name: 'too large', answer: { status: 413, headers: {}, body: '' }, verdict: { kind: 'split', reason: 'http_413' } },
  {
    name: 'the cluster is busy',
    answer: refused(429, 'circuit_breaking_exception', '[parent] Data too large'),
    verdict: { kind: 'retry', reason: 'circuit_breaking_exception', detail: '[parent] Data too large' },
  },
  {
    name: 'no master',
    answer: refused(503, 'cluster_block_exception', 'blocked by: [SERVICE_UNAVAILABLE/1/state not recovered];'),
    verdict: {
      kind: 'retry',
      reason: 'cluster_block_exception',
      detail: 'blocked by: [SERVICE_UNAVAILABLE/1/state not recovered];',
    },
  },
]

export const subject: Subject = {
  type: 'elasticsearch',
  name: 'elasticsearch',
  config: origin => ({ type: 'elasticsearch', endpoint: origin, index: 'logs-app-default' }),
  decode,
  success: records => bulk(...Array.from({ length: records }, () => OK)),
  poisoned: () => bulk(OK, item(400, 'document_parsing_exception', MAPPING), OK, OK),
  cases: CASES,
}

interface Document {
  readonly '@timestamp': string
  readonly message: string
  readonly log: { readonly file: { readonly path: string }; readonly flags?: readonly string[] }
  readonly labels: Readonly<Record<string, string>>
  readonly kubernetes?: Readonly<Record<string, unknown>>
  readonly event: { readonly sequence: number }
}

function decode({ method, url, headers, body }: Request): Decoded[] {
  const { pathname, searchParams } = new URL(url, 'http://cluster')
  assert.equal(method, 'POST')
  assert.match(pathname, /^(\/[^/]+)?\/_bulk$/)
  assert.match(searchParams.get('filter_path') ?? '', /errors,items\.\*\.status/)
  assert.equal(headers['content-type'], 'application/x-ndjson')
  const lines = body.toString().split('\n')
  assert.equal(lines.pop(), '', 'the body ends with a line feed')
  assert.equal(lines.length % 2, 0, 'an action and a document each')
  const decoded: Decoded[] = []
  for (let at = 0; at < lines.length; at += 2) {
    const action = JSON.parse(lines[at]!) as Record<string, { _id?: string; _index?: string }>
    assert.deepEqual(Object.keys(action), ['create'])
    const { _id, _index, ...others } = action['create']!
    assert.deepEqual(others, {})
    assert.ok(_index !== undefined || pathname !== '/_bulk', 'the index is named')
    decoded.push({ ...document(lines[at + 1]!), id: _id })
  }
  return decoded
}

function document(line: string): Decoded {
  const { message, log, labels, kubernetes = {}, ...rest } = JSON.parse(line) as Document
  // As a number of JavaScript it would be rounded.
  const [, sequence] = /"event":\{"sequence":(\d+)\}\}$/.exec(line)!
  const time = BigInt(sequence!)
  assert.ok(Math.abs(Number(time / 1_000_000n) - Date.parse(rest['@timestamp'])) <= 1)
  return {
    message,
    time,
    attributes: { file: log.file.path, ...labels, ...flat(kubernetes) },
    truncated: log.flags?.includes('truncated') ?? false,
  }
}

function flat(object: object, head = ''): Record<string, string> {
  return Object.fromEntries(
    Object.entries(object).flatMap(([name, value]) =>
      typeof value === 'object' ? Object.entries(flat(value, `${head}${name}.`)) : [[head + name, String(value)]],
    ),
  )
}
