/** VictoriaLogs: JSON lines as "Data ingestion" has them, and the answers of vlinsert. */
import assert from 'node:assert/strict'
import type { Answer } from '../../src/backends/backend.ts'
import type { Decoded, Request, Subject } from './subject.ts'

const text = (status: number, body: string): Answer => ({
  status,
  headers: { 'content-type': 'text/plain; charset=utf-8' },
  body,
})

const LINE = 'cannot process jsonline request; error: cannot parse json: unexpected tail; line contents: "x"\n'
const FULL =
  'cannot add rows into storage in read-only mode; the storage can be in read-only mode because of lack of free disk space at -storageDataPath=/data\n'
const TENANT = 'cannot parse AccountID: strconv.ParseUint: parsing "x": invalid syntax\n'
const DISABLED = 'requests to /insert/* are disabled with -insert.disable command-line flag\n'
const PATH = 'remoteAddr: "10.0.0.1:5000"; unsupported path requested: "/nope/insert/jsonline"\n'

export const subject: Subject = {
  type: 'victorialogs',
  name: 'victorialogs',
  config: origin => ({ type: 'victorialogs', endpoint: origin, accountId: 12, projectId: 34 }),
  decode,
  success: () => ({ status: 200, headers: { 'content-type': 'application/json' }, body: '' }),
  cases: [
    {
      name: 'accepted',
      answer: { status: 200, headers: { 'content-type': 'application/json' }, body: '' },
      verdict: { kind: 'delivered' },
    },
    {
      name: 'a login page',
      answer: { status: 200, headers: { 'content-type': 'text/html; charset=utf-8' }, body: '<html>' },
      verdict: { kind: 'retry', reason: 'unexpected_html', misconfigured: true },
    },
    {
      name: 'not one line can be read',
      answer: text(400, LINE),
      verdict: { kind: 'bisect', reason: 'unreadable_line', detail: LINE },
    },
    {
      name: 'a tenant that is none',
      answer: text(400, TENANT),
      verdict: { kind: 'retry', reason: 'tenant', detail: TENANT, misconfigured: true },
    },
    {
      name: 'inserts are switched off',
      answer: text(400, DISABLED),
      verdict: { kind: 'retry', reason: 'insert_disabled', detail: DISABLED, misconfigured: true },
    },
    {
      name: 'a wrong path',
      answer: text(400, PATH),
      verdict: { kind: 'retry', reason: 'wrong_path', detail: PATH, misconfigured: true },
    },
    {
      name: 'a 400 of something in between',
      answer: text(400, 'Bad Request'),
      verdict: { kind: 'retry', reason: 'http_400', detail: 'Bad Request', misconfigured: true },
    },
    {
      name: 'its disk is full',
      answer: text(429, FULL),
      verdict: { kind: 'retry', reason: 'read_only', detail: FULL, misconfigured: true },
    },
    {
      name: 'vmauth: too many requests',
      answer: text(429, 'cannot handle more than 100 concurrent requests'),
      verdict: { kind: 'retry', reason: 'http_429', detail: 'cannot handle more than 100 concurrent requests' },
    },
    {
      name: 'vmauth: wrong credentials',
      answer: text(401, ''),
      verdict: { kind: 'unauthorized', reason: 'http_401' },
    },
    { name: 'a proxy: too large', answer: text(413, ''), verdict: { kind: 'split', reason: 'http_413' } },
    {
      name: 'a proxy: gone',
      answer: text(410, ''),
      verdict: { kind: 'retry', reason: 'http_410', misconfigured: true },
    },
    { name: 'vmauth: no backend', answer: text(502, ''), verdict: { kind: 'retry', reason: 'http_502' } },
    { name: 'an error of its own', answer: text(500, ''), verdict: { kind: 'retry', reason: 'http_500' } },
  ],
}

function decode({ method, url, headers, body }: Request): Decoded[] {
  assert.equal(method, 'POST')
  const { pathname, searchParams } = new URL(url, 'http://victorialogs')
  assert.equal(pathname, '/insert/jsonline')
  assert.deepEqual(Object.fromEntries(searchParams), { _stream_fields: 'source,namespace,pod,container' })
  assert.equal(headers['content-type'], 'application/stream+json')
  assert.equal(headers['accountid'], '12')
  assert.equal(headers['projectid'], '34')
  const lines = body.toString().split('\n')
  assert.equal(lines.pop(), '', 'the last line ends, too')
  return lines.map(line => {
    assert.ok(Buffer.byteLength(line) + 1 <= 256 * 1024, 'the longest line')
    const { _time, _msg, ...fields } = JSON.parse(line) as Record<string, string>
    assert.match(_time!, /^[1-9]\d{18}$/)
    assert.equal(typeof _msg, 'string')
    assert.ok(Object.keys(fields).length <= 998)
    for (const [name, value] of Object.entries(fields)) {
      assert.ok(Buffer.byteLength(name) <= 128 && !name.startsWith('_stream'), name)
      assert.equal(typeof value, 'string')
    }
    return { message: _msg!, time: BigInt(_time!), attributes: fields, truncated: fields['truncated'] === 'true' }
  })
}
