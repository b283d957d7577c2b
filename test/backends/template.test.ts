/** The general receiver's template: names, times, wrapping and statuses as a configuration wants them. */
import t, { type Test } from 'tap'
import type { Answer } from '../../src/backends/backend.ts'
import type { Subject } from '../conformance/subject.ts'
import { origin } from '../delivery/rig.ts'
import { configured, created, HOSTILE, lay, ship } from './rig.ts'

const BATCH = { id: 'x', records: 4 }

/** A server that takes anything. */
const subject: Subject = {
  type: 'http',
  name: 'http',
  config: origin => ({ type: 'http', endpoint: `${origin}/in`, format: 'json' }),
  decode: () => [],
  success: () => ({ status: 200, headers: {}, body: '' }),
  cases: [],
}

async function body(t: Test, own: object, labels: Record<string, string> = {}, cutFrom = 0): Promise<string> {
  const laid = await lay(t, subject, own)
  await ship(laid, { lines: ['a'], origin: origin('/a.log', labels), cutFrom, fileStart: 42 })
  t.equal(laid.arena.outcome.delivered.lines, 1)
  return laid.receiver.received[0]!.body
}

const ALL = ['source', 'file', 'namespace', 'pod', 'podUid', 'node', 'container', 'app.kubernetes.io/name']

t.test('fields have the names that the receiver wants, and attributes stand where it wants them', async t => {
  const drop = ALL.filter(name => name !== 'file' && name !== 'pod')
  t.same(
    JSON.parse(
      await body(
        t,
        {
          ids: true,
          wrap: { prefix: '{"entries":', suffix: ',"more":1}' },
          record: {
            message: 'body',
            time: 't',
            timeFormat: 'epoch_ms',
            id: 'key',
            attributes: 'labels',
            rename: { file: 'path' },
            drop,
          },
        },
        {},
        99,
      ),
    ),
    {
      entries: [
        {
          t: 1767323045678,
          body: 'a',
          labels: { path: '/a.log', pod: 'web-1', truncated: 'true', originalBytes: '99' },
          key: 'a1b2c3d4e5f60718-00000000002a',
        },
      ],
      more: 1,
    },
  )
})

t.test('the members of a line that is a JSON object stand in the record, and every record is JSON', async t => {
  const lines = [
    '{"level":"info","at":{"line":7}}',
    'said "hi"',
    '{}',
    '{"cut":',
    ' {"a" : [1, 2]} ',
    '[1]',
    '{"a":1} {"b":2}',
  ]
  const said = [
    { level: 'info', at: { line: 7 } },
    { message: 'said "hi"' },
    { message: '{}' },
    { message: '{"cut":' },
    { a: [1, 2] },
    { message: '[1]' },
    { message: '{"a":1} {"b":2}' },
  ]
  for (const ids of [false, true]) {
    for (const time of ['', 'time']) {
      for (const drop of [[], ALL]) {
        for (const attributes of ['', 'attributes']) {
          const own = { ids, format: 'ndjson', record: { merge: true, time, drop, attributes, constants: {} } }
          const laid = await lay(t, subject, own)
          await ship(laid, { lines, origin: origin('/a.log'), fileStart: 42 })
          const records = laid.receiver.received[0]!.body.trimEnd()
            .split('\n')
            .map(line => JSON.parse(line))
          t.match(records, said, JSON.stringify(own))
          const names = (record: object) =>
            Object.keys(record).filter(name => !['time', 'id', 'attributes', ...ALL].includes(name))
          t.same(records.map(names), said.map(Object.keys), 'and nothing else')
          t.equal(
            records.every(record => 'id' in record === ids && 'time' in record === (time !== '')),
            true,
          )
        }
      }
    }
  }
})

t.test('what a merged line says it says as it was written, bytes that are not UTF-8 aside', async t => {
  const laid = await lay(t, subject, { format: 'ndjson', record: { merge: true, time: '', drop: ALL, message: 'm' } })
  const kept = ['{"big":12345678901234567890.10, "é":"\\u00e9\\/"}', '{"a":1,"a":2}']
  await ship(laid, { lines: [...kept, ...HOSTILE.map(([line]) => line)], origin: origin('/a.log') })
  const records = laid.receiver.received
    .map(({ body }) => body)
    .join('')
    .trimEnd()
    .split('\n')
  t.same(records.slice(0, 2), kept)
  for (const record of records) t.doesNotThrow(() => JSON.parse(record))
  t.equal(records.length, kept.length + HOSTILE.length)
})

t.test('each time format is a JSON value', async t => {
  const time = async (timeFormat: string) =>
    /^\[\{"timestamp":(.*?),"message":"a"\}\]$/.exec(await body(t, { record: { timeFormat, drop: ALL } }))?.[1]
  t.equal(await time('rfc3339'), '"2026-01-02T03:04:05.678Z"')
  t.equal(await time('epoch_s'), '1767323045.678')
  t.equal(await time('epoch_ms'), '1767323045678')
  t.match(await time('epoch_ns'), /^1767323045678\d{6}$/)
  t.equal(await body(t, { record: { time: '', drop: ALL } }), '[{"message":"a"}]')
})

t.test('constants stand in every record, and no name stands twice', async t => {
  const record = {
    message: '@m',
    time: '@t',
    drop: ALL,
    rename: { team: 'env', other: '@m' },
    constants: { env: 'prod', level: 3, live: true },
  }
  const text = await body(t, { record }, { team: 'checkout', other: 'forged', '@t': 'forged', kept: 'k"' })
  t.equal(text, '[{"@t":"2026-01-02T03:04:05.678Z","@m":"a","kept":"k\\"","env":"prod","level":3,"live":true}]')
})

t.test('hostile lines stay what they are in any wrapping', async t => {
  const laid = await lay(t, subject, { wrap: { prefix: '{"a":[', suffix: ']}' }, record: { drop: ALL } })
  await ship(laid, { lines: HOSTILE.map(([line]) => line) })
  const { a } = JSON.parse(laid.receiver.received[0]!.body) as { a: { message: string }[][] }
  t.same(
    a[0]!.map(({ message }) => message),
    HOSTILE.map(([, message]) => message),
  )
})

t.test('a record over the receiver’s limit is cut and says so', async t => {
  const laid = await lay(t, subject, { record: { maxBytes: '64KiB' }, contentType: 'application/x-own' })
  await ship(laid, { lines: ['x'.repeat(100_000), 'short'] })
  const records = laid.receiver.received.flatMap(({ body }) => JSON.parse(body))
  t.match(records[0], { truncated: true, originalBytes: 100_000 })
  t.ok(JSON.stringify(records[0]).length <= 64 * 1024)
  t.notOk(records[1].truncated)
  t.equal(laid.receiver.received[0]?.headers['content-type'], 'application/x-own')
})

t.test('statuses mean what the configuration says, and all others what they always mean', async t => {
  const statuses = { delivered: [200, 409], retry: [400, '5xx'], bisect: [500], rejected: ['422', 404] }
  const backend = created(await configured(t, { ...subject.config('http://x'), statuses }))
  const judge = (status: number, headers: Answer['headers'] = {}) => backend.judge({ status, headers, body: '' }, BATCH)
  t.same(judge(200), { kind: 'delivered' })
  t.same(judge(202), { kind: 'retry', reason: 'http_202', misconfigured: true }, 'a success that is not in the list')
  t.same(judge(409), { kind: 'delivered' })
  t.same(judge(400), { kind: 'retry', reason: 'http_400' })
  t.same(judge(500), { kind: 'bisect', reason: 'http_500' }, 'a status before its class')
  t.same(judge(503), { kind: 'retry', reason: 'http_503' })
  t.same(judge(422), { kind: 'rejected', reason: 'http_422' })
  t.same(judge(404), { kind: 'rejected', reason: 'http_404' })
  t.same(judge(401), { kind: 'unauthorized', reason: 'http_401' })
  t.match(judge(200, { 'content-type': 'text/html' }), { kind: 'retry', reason: 'unexpected_html' })
})

t.test('a web page with status 400 is about the address and gives no record up', async t => {
  const backend = created(await configured(t, subject.config('http://x')))
  const page = { status: 400, headers: { 'content-type': 'text/html' }, body: '<h1>plain HTTP to a TLS port</h1>' }
  t.same(backend.judge(page, BATCH), { kind: 'retry', reason: 'unexpected_html', misconfigured: true })
})

t.test('a status that is none, and a field without a name, are refused', async t => {
  for (const own of [
    { statuses: { retry: ['6xx'] } },
    { statuses: { retry: [42] } },
    { record: { message: '' } },
    { record: { timeFormat: 'iso' } },
    { record: { maxBytes: 10 } },
    { wrap: { prefx: '' } },
  ]) {
    await t.rejects(configured(t, { ...subject.config('http://x'), ...own }), /allowed/, JSON.stringify(own))
  }
})
