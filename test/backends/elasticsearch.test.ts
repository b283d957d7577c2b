/** Elasticsearch: what its requests hold, and what its answers mean, item by item. */
import t from 'tap'
import { elasticsearchSchema } from '../../src/backends/elasticsearch.ts'
import { subject } from '../conformance/elasticsearch.ts'
import { numbered, origin } from '../delivery/rig.ts'
import { configured, created, HOSTILE, lay, ship } from './rig.ts'

const ENTRY = { type: 'elasticsearch', endpoint: 'http://es:9200' }
const BATCH = { id: 'x', records: 4 }
const ID = /^7f3e-a1b2c3d4e5f60718-[0-9a-f]{12}$/

for (const { name, answer, verdict } of subject.cases) {
  t.test(`${name}: ${verdict.kind}`, async t => {
    t.same(created(await configured(t, ENTRY)).judge(answer, BATCH), verdict)
  })
}

t.test('the answer that nearly all are is known by its letters, and nothing that merely looks like it', async t => {
  const backend = created(await configured(t, ENTRY))
  const records = 5000
  const created201 = '{"create":{"status":201}}'
  const judge = (items: string[], errors = false) =>
    backend.judge(
      { status: 200, headers: {}, body: `{"errors":${errors},"items":[${items.join(',')}]}` },
      { id: 'x', records },
    )
  const all = new Array<string>(records).fill(created201)
  t.same(judge(all), { kind: 'delivered' })
  const refused = '{"create":{"status":400}}'
  for (const at of [0, 2500, 4999]) {
    t.match(judge(all.with(at, refused)), { kind: 'items', rejected: [{ index: at }] }, 'whatever `errors` says')
    t.match(judge(all.with(at, '{"create":{"status":429}}'), true), { kind: 'items', retry: [{ index: at }] })
  }
  t.match(judge(all.slice(1)), { kind: 'items', retry: [{ index: 4999 }] }, 'one is not named')
  t.match(judge([...all, created201]), { kind: 'retry', reason: 'unreadable_answer' })
  t.match(judge(all, true), { kind: 'delivered' }, 'every item says that it was created')
  t.same(judge(all.map(item => item.replace(':', ' : '))), { kind: 'delivered' }, 'in other letters')
})

t.test('an answer in full is known without being parsed, and means what it means when it is parsed', async t => {
  const backend = created(await configured(t, ENTRY))
  const records = 50
  const item = (n: number, status = 201, more = '') =>
    `{"create":{"_index":"logs","_id":"${n}-00ff","_version":1,"result":"created",` +
    `"_shards":{"total":2,"successful":1,"failed":0},"_seq_no":${n * 997},"_primary_term":1,"status":${status}${more}}}`
  const all = Array.from({ length: records }, (_, n) => item(n))
  const judge = (body: string) => backend.judge({ status: 200, headers: {}, body }, { id: 'x', records })
  const heads = ['{"took":30,"errors":false,"items":[', '{"errors":false,"took":0,"ingest_took":12,"items":[']
  const parse = t.capture(JSON, 'parse', JSON.parse)
  for (const head of heads) t.same(judge(`${head}${all.join(',')}]}`), { kind: 'delivered' })
  t.equal(parse().length, 0)
  const unusual: [string, string[]][] = [
    ['one is refused', all.with(7, item(7, 400, ',"error":{"type":"x_exception","reason":"y"}'))],
    ['the last one is to be sent again', all.with(49, item(49, 429))],
    ['one was there', all.with(0, item(0, 409))],
    ['one says two statuses', all.with(3, item(3, 400, ',"status":201'))],
    ['one is missing', all.slice(1)],
    ['one is too many', [...all, item(50)]],
    ['a string holds what looks like an end', all.with(9, item(9).replace('9-00ff', String.raw`\"status\":201}}`))],
    ['another operation', all.with(5, item(5).replace('create', 'index'))],
  ]
  for (const [what, items] of unusual) {
    const body = `${heads[0]}${items.join(',')}]}`
    // A blank between the members: it is parsed.
    t.same(judge(body), judge(body.replace('"items":', ' "items":')), what)
    t.ok(parse().length > 0, `${what}: parsed`)
  }
  for (const body of [
    `${heads[0]}${all.join(',')}]`,
    `${heads[0]}${all.join(',')}]} `,
    `${heads[0]}${all.join(';')}]}`,
  ])
    t.same(judge(body).kind, body.endsWith('} ') ? 'delivered' : 'retry')
})

t.test('without ids of our own a conflict is no sign that a record is there', async t => {
  const backend = created(await configured(t, { ...ENTRY, ids: false }))
  const conflict = subject.cases.find(({ name }) => name.includes('already'))!
  t.match(backend.judge(conflict.answer, BATCH), { kind: 'items', rejected: [{ index: 1 }], retry: [] })
})

t.test(
  'an answer that is too long to be read whole is asked for in halves, but never taken from a web page',
  async t => {
    const backend = created(await configured(t, ENTRY))
    const long = (head: string) => ({ status: 200, headers: {}, body: head + 'x'.repeat(backend.answerBytes!) })
    t.same(backend.judge(long('{"errors":true,"items":[{"create":{"status":400'), BATCH), {
      kind: 'split',
      reason: 'answer_too_long',
    })
    t.match(backend.judge({ ...long('{"errors":true,"items":['), unread: true }, BATCH), { kind: 'split' })
    t.match(backend.judge(long('{"errors":true,'), { id: 'x', records: 1 }), { kind: 'retry' })
    t.match(backend.judge(long('<html>'), BATCH), { kind: 'retry' })
  },
)

t.test('every document is what was read, under an id that is its place', async t => {
  const laid = await lay(t, subject)
  const labels = { team: 'checkout', source: 'forged', 'a.b': '1' }
  await ship(laid, { lines: ['', ...HOSTILE.map(([line]) => line)], origin: origin('/var/log/app/a.log', labels) })
  const decoded = laid.decoded()
  t.same(
    decoded.map(({ message }) => message),
    ['', ...HOSTILE.map(([, message]) => message)],
  )
  t.same(decoded[0]?.attributes, {
    file: '/var/log/app/a.log',
    source: 'app',
    team: 'checkout',
    a_b: '1',
    namespace: 'shop',
    'pod.name': 'web-1',
    'pod.uid': '7f3e',
    'node.name': 'n1',
    'container.name': 'web',
    'labels.app_kubernetes_io/name': 'web',
  })
  for (const { id } of decoded) t.match(id, ID)
  t.equal(new Set(decoded.map(({ id }) => id)).size, decoded.length)
  for (const [index, { time }] of decoded.entries()) if (index > 0) t.ok(time! > decoded[index - 1]!.time!)
  t.equal(laid.arena.outcome.delivered.lines, decoded.length)
  t.equal(laid.receiver.received[0]?.headers.authorization, undefined)
})

t.test('what the framer cut, and the last line without an end, say so', async t => {
  const laid = await lay(t, subject)
  await ship(laid, { lines: ['head of a long one'], cutFrom: 5_000_000 }, { lines: ['the last'], partial: true })
  const [cut, last] = laid.receiver.received[0]!.body.split('\n').filter(line => line.includes('@timestamp'))
  t.match(JSON.parse(cut!).log, { flags: ['truncated'], original_bytes: 5_000_000 })
  t.match(JSON.parse(last!).log, { flags: ['partial'] })
})

t.test('items settle each on its own: one rejected, one sent again alone, under the id it had', async t => {
  const mixed = subject.cases.find(({ name }) => name.startsWith('one item'))!.answer
  const laid = await lay(t, subject, {}, (_, count) => (count === 1 ? mixed : undefined))
  await ship(laid, { lines: numbered(4) })
  const { received } = laid.receiver
  t.equal(received.length, 2)
  t.same(
    laid.decoded().map(({ message }) => message),
    ['line 2'],
  )
  t.ok(received[0]!.body.includes(received[1]!.body.split('\n')[0]!), 'the action is the same')
  t.match(laid.arena.outcome, {
    delivered: { lines: 3 },
    rejected: { document_parsing_exception: { lines: 1 } },
  })
})

t.test('the index stands in the path, or in the action when it has a date or the endpoint is whole', async t => {
  const path = async (own: object) => created(await configured(t, { ...ENTRY, ...own })).request(BATCH).path
  const query = '?filter_path=errors%2Citems.*.status%2Citems.*.error.type%2Citems.*.error.reason'
  t.equal(await path({}), `/logs-app-default/_bulk${query}`)
  t.equal(await path({ endpoint: 'http://es:9200/es/' }), `/es/logs-app-default/_bulk${query}`)
  t.equal(await path({ endpoint: 'http://es:9200/api/default/_bulk' }), `/api/default/_bulk${query}`)
  t.equal(await path({ index: 'logs-%{yyyy.MM.dd}' }), `/_bulk${query}`)
  t.equal(await path({ pipeline: 'a b' }), `/logs-app-default/_bulk${query}&pipeline=a+b`)
  const laid = await lay(t, subject, { index: 'logs-%{yyyy.MM}-%{dd}' })
  await ship(laid, { lines: ['a'] })
  const action = JSON.parse(laid.receiver.received[0]!.body.split('\n')[0]!)
  t.equal(action.create._index, 'logs-2026.01-02')
})

t.test('an index that no cluster would take is refused at once', async t => {
  const index = (text: string) => elasticsearchSchema.safeParse({ endpoint: 'http://es', index: text }).success
  for (const good of ['logs', 'logs-app-default', '.ds-x', 'logs-%{yyyy.MM.dd}', '%{yyyy}-logs', 'l%{yyyy.MM.dd.HH}']) {
    t.ok(index(good), good)
  }
  for (const bad of ['', 'Logs', '-logs', '_logs', 'a b', 'a/b', 'a*', 'logs-%{YYYY}', 'logs-%{ddd', 'logs-%{nn}']) {
    t.notOk(index(bad), bad)
  }
})

t.test('its key goes into the header that it belongs in', async t => {
  const { delivery } = await configured(t, { ...ENTRY, apiKey: { file: '/run/key' } })
  t.same(delivery.auth, { apiKey: { header: 'Authorization', prefix: 'ApiKey ', value: { file: '/run/key' } } })
  t.equal(delivery.batch.maxRecords, 2000)
  await t.rejects(configured(t, { ...ENTRY, apiKey: 'geheim12', auth: { bearer: 'x' } }), /apiKey and auth/)
  await t.rejects(configured(t, { ...ENTRY, apiKey: { env: 'NOT_SET' } }), /apiKey\.env: found NOT_SET/)
  const wrong = await configured(t, { ...ENTRY, apiKey: { fil: 'geheim12' } }).catch((error: Error) => error.message)
  t.notMatch(wrong, /geheim12/)
})
