/** Any HTTP receiver: the three formats of docs/backends.md, and what RFC 9110 says of each status. */
import assert from 'node:assert/strict'
import type { Answer, Verdict } from '../../src/backends/backend.ts'
import type { Case, Decoded, Request, Subject } from './subject.ts'

const says = (status: number, body = '', headers: Record<string, string> = {}): Answer => ({ status, headers, body })

const told = (kind: 'bisect' | 'unauthorized' | 'retry', status: number, body = ''): Verdict => ({
  kind,
  reason: `http_${status}`,
  ...(body && { detail: body }),
})

const mistaken = (reason: string, body = ''): Verdict => ({
  kind: 'retry',
  reason,
  ...(body && { detail: body }),
  misconfigured: true,
})

const CASES: readonly Case[] = [
  { name: 'accepted', answer: says(200, '{"ok":true}'), verdict: { kind: 'delivered' } },
  { name: 'accepted', answer: says(202), verdict: { kind: 'delivered' } },
  { name: 'accepted, nothing to say', answer: says(204), verdict: { kind: 'delivered' } },
  {
    name: 'a login page',
    answer: says(200, '<!doctype html><title>Sign in</title>', { 'content-type': 'text/html; charset=utf-8' }),
    verdict: mistaken('unexpected_html'),
  },
  {
    name: 'a redirect',
    answer: says(302, '', { location: 'https://login.example.com/' }),
    verdict: mistaken('redirect'),
  },
  { name: 'a moved address', answer: says(308, '', { location: '/v2/ingest' }), verdict: mistaken('redirect') },
  { name: 'a record is wrong', answer: says(400, 'bad field'), verdict: told('bisect', 400, 'bad field') },
  { name: 'credentials are missing', answer: says(401, 'who?'), verdict: told('unauthorized', 401, 'who?') },
  { name: 'credentials do not suffice', answer: says(403), verdict: told('unauthorized', 403) },
  { name: 'a wrong path', answer: says(404, 'not found'), verdict: mistaken('http_404', 'not found') },
  { name: 'a wrong method', answer: says(405), verdict: mistaken('http_405') },
  { name: 'too slow', answer: says(408), verdict: told('retry', 408) },
  { name: 'a conflict', answer: says(409), verdict: told('bisect', 409) },
  { name: 'gone', answer: says(410), verdict: mistaken('http_410') },
  { name: 'too large', answer: says(413), verdict: { kind: 'split', reason: 'http_413' } },
  { name: 'a media type it does not take', answer: says(415), verdict: mistaken('http_415') },
  { name: 'a record that makes no sense', answer: says(422), verdict: told('bisect', 422) },
  { name: 'headers it does not take', answer: says(431), verdict: mistaken('http_431') },
  { name: 'too many requests', answer: says(429, '', { 'retry-after': '7' }), verdict: told('retry', 429) },
  { name: 'an error of its own', answer: says(500, 'oops'), verdict: told('retry', 500, 'oops') },
  { name: 'nothing behind the proxy', answer: says(502), verdict: told('retry', 502) },
  { name: 'overloaded', answer: says(503, 'later'), verdict: told('retry', 503, 'later') },
  {
    name: 'the disk is full',
    answer: says(507, 'insufficient storage'),
    verdict: told('retry', 507, 'insufficient storage'),
  },
]

const PATH = '/ingest?tenant=a'

const variant = (format: 'ndjson' | 'json' | 'text', type: string, own: Partial<Subject>): Subject => ({
  type: 'http',
  name: `http (${format})`,
  config: origin => ({ type: 'http', endpoint: origin + PATH, format, ...(format !== 'text' && { ids: true }) }),
  decode: request => {
    assert.equal(request.method, 'POST')
    assert.equal(request.url, PATH)
    assert.equal(request.headers['content-type'], type)
    assert.match(String(request.headers['idempotency-key']), /^[\w-]{16,}$/)
    return (format === 'text' ? lines : format === 'json' ? array : ndjson)(request)
  },
  success: () => says(204),
  cases: CASES,
  ...own,
})

export const subjects: readonly Subject[] = [
  variant('ndjson', 'application/x-ndjson', { clock: 'milliseconds' }),
  variant('json', 'application/json', { clock: 'milliseconds' }),
  variant('text', 'text/plain', { verbatim: true }),
]

/** Every line ends with a line feed; RFC 8259 allows none within a value. */
function split({ body }: Request): string[] {
  const texts = body.toString().split('\n')
  assert.equal(texts.pop(), '', 'the last line has its end')
  return texts
}

function lines(request: Request): Decoded[] {
  return split(request).map(message => ({ message, attributes: {}, truncated: false }))
}

function ndjson(request: Request): Decoded[] {
  return split(request).map(text => record(JSON.parse(text)))
}

function array({ body }: Request): Decoded[] {
  return (JSON.parse(body.toString()) as Record<string, unknown>[]).map(record)
}

function record({
  timestamp,
  message,
  id,
  truncated,
  originalBytes,
  partial,
  ...attributes
}: Record<string, unknown>): Decoded {
  assert.match(String(timestamp), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  assert.match(String(id), /^[0-9a-f]{16}-[0-9a-f]{12}$/)
  assert.equal(typeof message, 'string')
  for (const value of Object.values(attributes)) assert.equal(typeof value, 'string')
  assert.equal(typeof originalBytes, truncated ? 'number' : 'undefined')
  return {
    message: message as string,
    time: BigInt(Date.parse(timestamp as string)) * 1_000_000n,
    id: id as string,
    attributes: attributes as Record<string, string>,
    truncated: truncated === true,
  }
}
