import t from 'tap'
import { createHttp, httpSchema, judge } from '../../src/backends/http.ts'
import { NO_METADATA } from '../../src/metadata.ts'

const ENDPOINT = 'https://logs.test:8443/ingest?tenant=a'

t.test('the path carries the endpoint’s query and the configured one', async t => {
  const options = httpSchema.parse({
    endpoint: ENDPOINT,
    method: 'PUT',
    query: { stream: 'a b&c' },
  })
  const id = 'a1b2c3d4e5f60718-000000000000-1-0011223344556677'
  t.same(createHttp(options, { name: 'main', metadata: () => NO_METADATA }).request({ id, records: 1 }), {
    method: 'PUT',
    path: '/ingest?tenant=a&stream=a+b%26c',
    headers: { 'idempotency-key': id },
  })
  const named = createHttp(options, { name: 'main', metadata: () => ({ ...NO_METADATA, podUid: '7f3e' }) })
  t.equal(named.request({ id, records: 1 }).headers['idempotency-key'], `7f3e-${id}`)
})

t.test('an endpoint is an http URL without credentials, and the error does not repeat them', async t => {
  for (const endpoint of ['loki:3100', 'ftp://x/', '', '/path', 'http://']) {
    t.match(httpSchema.safeParse({ endpoint }).error?.issues, [{ message: 'an http:// or https:// URL' }])
  }
  const result = httpSchema.safeParse({ endpoint: 'https://me:hunter2@logs.test/' })
  t.match(result.error?.issues, [{ message: /under auth/ }])
  t.notMatch(JSON.stringify(result.error), /hunter2/)
})

t.test('defaults', async t => {
  t.same(httpSchema.parse({ endpoint: ENDPOINT }), {
    endpoint: ENDPOINT,
    method: 'POST',
    query: {},
    ids: false,
  })
})

const VERDICTS: readonly (readonly [number, string, string?, true?])[] = [
  [200, 'delivered'],
  [202, 'delivered'],
  [204, 'delivered'],
  [301, 'retry', 'redirect', true],
  [308, 'retry', 'redirect', true],
  [400, 'bisect', 'http_400'],
  [401, 'unauthorized', 'http_401'],
  [403, 'unauthorized', 'http_403'],
  [404, 'retry', 'http_404', true],
  [405, 'retry', 'http_405', true],
  [408, 'retry', 'http_408'],
  [413, 'split', 'http_413'],
  [409, 'bisect', 'http_409'],
  [422, 'bisect', 'http_422'],
  [429, 'retry', 'http_429'],
  [500, 'retry', 'http_500'],
  [503, 'retry', 'http_503'],
  [599, 'retry', 'http_599'],
]

for (const [status, kind, reason, misconfigured] of VERDICTS) {
  t.test(`${status} means ${kind}`, async t => {
    const expected = { kind, ...(reason && { reason }), ...(misconfigured && { misconfigured }) }
    t.same(judge({ status, headers: {}, body: '' }), expected)
  })
}

t.test('the server’s own words go along with a refusal', async t => {
  t.same(judge({ status: 400, headers: {}, body: 'no' }), { kind: 'bisect', reason: 'http_400', detail: 'no' })
})

t.test('a page of HTML is not taken for an acknowledgement', async t => {
  const page = { status: 200, headers: { 'content-type': 'Text/HTML; charset=utf-8' }, body: '' }
  t.same(judge(page), { kind: 'retry', reason: 'unexpected_html', misconfigured: true })
})
