/** Splunk's HTTP Event Collector: the requests as "Format events for HTTP Event Collector" has them, and its answers. */
import assert from 'node:assert/strict'
import type { Answer } from '../../src/backends/backend.ts'
import type { Case, Decoded, Request, Subject } from './subject.ts'

const HEADERS = { 'content-type': 'application/json; charset=UTF-8' }
const TOKEN = '0f1e2d3c-1111-2222-3333-444455556666'

const says = (status: number, code: number, text: string, more: object = {}): Answer => ({
  status,
  headers: HEADERS,
  body: JSON.stringify({ text, code, ...more }),
})

const CASES: readonly Case[] = [
  { name: 'parsed', answer: says(200, 0, 'Success'), verdict: { kind: 'delivered' } },
  {
    name: 'stopped at a blank event',
    answer: says(400, 13, 'Event field cannot be blank', { 'invalid-event-number': 2 }),
    verdict: {
      kind: 'items',
      rejected: [{ index: 2, reason: 'event_blank', detail: 'Event field cannot be blank' }],
      retry: [],
      unread: [3],
    },
  },
  {
    name: 'the first event has an invalid format',
    answer: says(400, 6, 'Invalid data format', { 'invalid-event-number': 0 }),
    verdict: {
      kind: 'items',
      rejected: [{ index: 0, reason: 'invalid_data_format', detail: 'Invalid data format' }],
      retry: [],
      unread: [1, 2, 3],
    },
  },
  {
    name: 'an event has an invalid format, and it is not said which',
    answer: says(400, 6, 'Invalid data format'),
    verdict: { kind: 'bisect', reason: 'invalid_data_format', detail: 'Invalid data format' },
  },
  {
    name: 'an event that was not sent',
    answer: says(400, 13, 'Event field cannot be blank', { 'invalid-event-number': 4 }),
    verdict: { kind: 'bisect', reason: 'event_blank', detail: 'Event field cannot be blank' },
  },
  {
    name: 'the token may not write into the index',
    answer: says(400, 7, 'Incorrect index', { 'invalid-event-number': 1 }),
    verdict: { kind: 'retry', reason: 'incorrect_index', detail: 'Incorrect index', misconfigured: true },
  },
  {
    name: 'nothing but white space',
    answer: says(400, 5, 'No data'),
    verdict: { kind: 'bisect', reason: 'no_data', detail: 'No data' },
  },
  {
    name: 'the channel is missing',
    answer: says(400, 10, 'Data channel is missing'),
    verdict: { kind: 'retry', reason: 'channel_missing', detail: 'Data channel is missing', misconfigured: true },
  },
  {
    name: 'the token is disabled',
    answer: says(403, 1, 'Token disabled'),
    verdict: { kind: 'unauthorized', reason: 'token_disabled', detail: 'Token disabled' },
  },
  {
    name: 'the token is unknown',
    answer: says(403, 4, 'Invalid token'),
    verdict: { kind: 'unauthorized', reason: 'invalid_token', detail: 'Invalid token' },
  },
  {
    name: 'busy, after the first events',
    answer: says(503, 9, 'Server is busy', { 'invalid-event-number': 2 }),
    verdict: { kind: 'retry', reason: 'server_busy', detail: 'Server is busy' },
  },
  {
    name: 'an internal error',
    answer: says(500, 8, 'Internal server error'),
    verdict: { kind: 'retry', reason: 'internal_error', detail: 'Internal server error' },
  },
  {
    name: 'the queues are full',
    answer: says(503, 18, 'HEC is unhealthy, queues are full'),
    verdict: { kind: 'retry', reason: 'queues_full', detail: 'HEC is unhealthy, queues are full' },
  },
  {
    name: 'a code of a later version',
    answer: says(400, 99, 'Something new'),
    verdict: { kind: 'retry', reason: 'code_99', detail: 'Something new', misconfigured: true },
  },
  {
    name: 'a proxy repeats an event that looks like an answer',
    answer: says(502, 6, 'Invalid data format', { 'invalid-event-number': 0 }),
    verdict: { kind: 'retry', reason: 'invalid_data_format', detail: 'Invalid data format' },
  },
  { name: 'too large', answer: { status: 413, headers: {}, body: '' }, verdict: { kind: 'split', reason: 'http_413' } },
  {
    name: 'a 400 of something else',
    answer: { status: 400, headers: {}, body: 'bad gateway host' },
    verdict: { kind: 'retry', reason: 'http_400', detail: 'bad gateway host', misconfigured: true },
  },
  {
    name: 'a success that is none',
    answer: { status: 200, headers: HEADERS, body: '{"ok":true}' },
    verdict: { kind: 'retry', reason: 'unreadable_answer', misconfigured: true },
  },
]

const ACKNOWLEDGED: readonly Case[] = [
  {
    name: 'accepted, under a receipt',
    answer: says(200, 0, 'Success', { ackId: 7 }),
    verdict: { kind: 'pending', receipt: '7' },
  },
  {
    name: 'accepted, by a token that does not acknowledge',
    answer: says(200, 0, 'Success'),
    verdict: { kind: 'retry', reason: 'ack_disabled', after: 60_000, misconfigured: true },
  },
  {
    name: 'stopped at a blank event, and those before it under a receipt',
    answer: says(400, 13, 'Event field cannot be blank', { 'invalid-event-number': 2, ackId: 3 }),
    verdict: {
      kind: 'items',
      rejected: [{ index: 2, reason: 'event_blank', detail: 'Event field cannot be blank' }],
      retry: [],
      unread: [3],
      receipt: '3',
    },
  },
  {
    name: 'stopped at a blank event, without a receipt',
    answer: says(400, 13, 'Event field cannot be blank', { 'invalid-event-number': 2 }),
    verdict: {
      kind: 'items',
      rejected: [{ index: 2, reason: 'event_blank', detail: 'Event field cannot be blank' }],
      retry: [],
      unread: [0, 1, 3],
    },
  },
]

let receipts = 0

const variant = (name: string, own: object, more: Partial<Subject> = {}): Subject => ({
  type: 'splunk_hec',
  name: `splunk_hec (${name})`,
  clock: 'milliseconds',
  config: origin => ({ type: 'splunk_hec', endpoint: origin, token: TOKEN, index: 'main', ...own }),
  decode: events,
  success: () => says(200, 0, 'Success'),
  cases: CASES,
  ...more,
})

export const subjects: readonly Subject[] = [
  variant('event', {}, { clock: 'milliseconds', blank: 'refused' }),
  variant('json', { format: 'json' }, { clock: 'milliseconds' }),
  variant('raw', { format: 'raw' }, { blank: 'refused', decode: raw }),
  variant(
    'ack',
    { ack: true, format: 'json' },
    {
      clock: 'milliseconds',
      decode: request => (isQuestion(request) ? [] : events(request)),
      // An indexer that confirms whatever it is asked.
      success: (_, request) => {
        if (!isQuestion(request)) return says(200, 0, 'Success', { ackId: receipts++ })
        const { acks } = JSON.parse(request.body.toString()) as { acks: number[] }
        const body = JSON.stringify({ acks: Object.fromEntries(acks.map(id => [id, true])) })
        return { status: 200, headers: HEADERS, body }
      },
      cases: ACKNOWLEDGED,
    },
  ),
]

function isQuestion({ url }: Request): boolean {
  return url.startsWith('/services/collector/ack?channel=')
}

function authorized({ method, headers }: Request): void {
  assert.equal(method, 'POST')
  assert.equal(headers.authorization, `Splunk ${TOKEN}`)
}

function events(request: Request): Decoded[] {
  authorized(request)
  assert.equal(new URL(request.url, 'http://splunk').pathname, '/services/collector/event')
  return objects(request.body.toString()).map(text => {
    const { time, event, source, sourcetype, fields, index, host, ...others } = JSON.parse(text)
    assert.deepEqual(others, {})
    assert.equal(index, 'main')
    const message = typeof event === 'string' ? event : event.message
    assert.ok(event !== '', 'Splunk refuses blank events')
    for (const value of Object.values(fields)) assert.equal(typeof value, 'string')
    const { truncated, originalBytes, log_source, ...rest } = fields
    return {
      message,
      time: BigInt(Math.round(time * 1000)) * 1_000_000n,
      attributes: { file: source, source: log_source, ...(host && { pod: host }), ...rest },
      truncated: truncated === 'true',
    }
  })
}

function raw(request: Request): Decoded[] {
  authorized(request)
  assert.match(request.url, /^\/services\/collector\/raw\?/)
  assert.match(String(request.headers['x-splunk-request-channel']), /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
  return request.body
    .toString()
    .split('\n')
    .map(message => {
      assert.ok(message !== '', 'Splunk skips blank lines')
      const mark = / \[truncated from \d+ bytes\]$/.exec(message)
      return { message: mark ? message.slice(0, mark.index) : message, attributes: {}, truncated: mark !== null }
    })
}

/** Objects that follow each other with or without white space between them. */
function objects(text: string): string[] {
  const found: string[] = []
  let depth = 0
  let start = 0
  let quoted = false
  for (let at = 0; at < text.length; at++) {
    const sign = text[at]
    if (quoted) {
      if (sign === '\\') at++
      else if (sign === '"') quoted = false
    } else if (sign === '"') quoted = true
    else if (sign === '{' && depth++ === 0) start = at
    else if (sign === '}' && --depth === 0) found.push(text.slice(start, at + 1))
  }
  assert.equal(depth, 0)
  return found
}
