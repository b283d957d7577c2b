/** The sink's answers are those that the servers give: as large, framed as theirs, and complete in the eyes of our backend. */
import { once } from 'node:events'
import { Agent, type IncomingMessage, request } from 'node:http'
import { gzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { configured, created } from '../backends/rig.ts'
import { Sink } from './measure.ts'
import { FRAMINGS, filtered, serverOf } from './server.ts'

const OURS = '/logs/_bulk?filter_path=errors%2Citems.*.status%2Citems.*.error.type%2Citems.*.error.reason'

/** An action and a document for each. */
const bulk = (documents: number) => '{"create":{}}\n{"message":"a line"}\n'.repeat(documents)

/** The bodies of answers by HTTP, as Node's client reads them, all over one connection unless the server closes it. */
function clientOf(t: Test, { port }: Sink) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  t.teardown(() => agent.destroy())
  return async (path: string, body: string | Buffer, headers: Record<string, string | number> = {}) => {
    const sent = request({ port, path, agent, method: 'POST', headers: { 'content-length': body.length, ...headers } })
    if (headers['expect'] !== undefined) await once(sent, 'continue')
    sent.end(body)
    const [answer] = (await once(sent, 'response')) as [IncomingMessage]
    let text = ''
    for await (const part of answer) text += part
    return { status: answer.statusCode, headers: answer.headers, text, reused: sent.reusedSocket }
  }
}

async function sinkOf(t: Test, ...options: string[]): Promise<Sink> {
  const sink = await Sink.start(...options)
  t.teardown(() => sink.stop())
  return sink
}

for (const framing of FRAMINGS) {
  t.test(`Elasticsearch, ${framing}: as many items as documents, of real size`, async t => {
    const sink = await sinkOf(t, '--server', 'elasticsearch', '--framing', framing)
    const post = clientOf(t, sink)
    // More than a chunk of it holds, then fewer.
    for (const documents of [1, 5000, 3]) {
      const { status, headers, text } = await post('/_bulk', bulk(documents))
      t.match({ status, headers }, { status: 200, headers: { 'x-elastic-product': 'Elasticsearch' } })
      t.equal('transfer-encoding' in headers, framing === 'chunked')
      const { errors, items } = JSON.parse(text) as { errors: boolean; items: { create: { status: number } }[] }
      t.equal(errors, false)
      t.equal(items.length, documents)
      t.ok(items.every(({ create }) => create.status === 201))
      const size = JSON.stringify(items).length / documents
      t.ok(size >= 185 && size <= 205, `${size} bytes an item`)
    }
    t.match(await sink.received(), { requests: 3, documents: 5004 })
  })

  t.test(`Elasticsearch, ${framing}: what our filter_path leaves is a delivery of all, and of no more`, async t => {
    const post = clientOf(t, await sinkOf(t, '--server', 'elasticsearch', '--framing', framing))
    const backend = created(await configured(t, { type: 'elasticsearch', endpoint: 'http://es:9200' }))
    const judged = (body: string, records: number) =>
      backend.judge({ status: 200, headers: {}, body }, { id: 'x', records })
    for (const documents of [1, 3, 5000]) {
      const { text } = await post(OURS, bulk(documents))
      t.ok(text.length < 30 * documents + 100, 'nothing that was not asked for')
      t.same(judged(text, documents), { kind: 'delivered' })
      t.match(judged(text, documents + 1), { kind: 'items', retry: [{ index: documents }] })
    }
  })
}

t.test('what a filter_path names is kept of an answer, as the documentation of Elasticsearch has it', async t => {
  const item = { create: { _index: 'logs', _id: '1', status: 201 } }
  const answer = { took: 3, errors: false, items: [item, item] }
  const cases: [string, unknown][] = [
    ['took', { took: 3 }],
    ['t*,err*', { took: 3, errors: false }],
    ['items', { items: [item, item] }],
    ['items.*.status', { items: [{ create: { status: 201 } }, { create: { status: 201 } }] }],
    ['items.create._i*', { items: Array(2).fill({ create: { _index: 'logs', _id: '1' } }) }],
    ['**.status', { items: [{ create: { status: 201 } }, { create: { status: 201 } }] }],
    ['items.*.error', undefined],
    ['took,items.*.error', { took: 3 }],
  ]
  for (const [paths, expected] of cases) t.same(filtered(answer, paths.split(',')), expected, paths)
})

t.test('an answer is without items where none was asked for', async t => {
  const [, body] = serverOf('elasticsearch', 'length').answer({ method: 'POST', url: '/_bulk?filter_path=errors' }, 8)
  t.equal(body?.toString(), '{"errors":false}')
})

t.test('a document that comes alone is answered as one that was created', async t => {
  const post = clientOf(t, await sinkOf(t, '--server', 'elasticsearch'))
  t.match(await post('/logs/_doc', '{}'), { status: 201, text: /"result":"created"/ })
})

t.test('Loki and a plain server answer with a date and without a body, and keep the connection', async t => {
  for (const [server, status] of [
    ['loki', 204],
    ['http', 200],
  ] as const) {
    const post = clientOf(t, await sinkOf(t, '--server', server, '--latency', '1'))
    for (const reused of [false, true]) {
      const answer = await post('/', 'a line\n')
      t.match(answer, { status, text: '', reused }, server)
      t.ok(!Number.isNaN(Date.parse(answer.headers.date ?? '')), 'a date')
    }
  }
})

t.test('a client that waits to be told to go on is told so, and one that wants to leave may', async t => {
  const post = clientOf(t, await sinkOf(t, '--server', 'elasticsearch'))
  const { text } = await post('/_bulk', bulk(2), { expect: '100-continue' })
  t.match(JSON.parse(text), { items: { length: 2 } })
  await post('/_bulk', bulk(1), { connection: 'close' })
  t.equal((await post('/_bulk', bulk(1))).reused, false)
})

t.test('documents of a compressed request are counted, too', async t => {
  const sink = await sinkOf(t, '--server', 'elasticsearch')
  const { text } = await clientOf(t, sink)('/_bulk', gzipSync(bulk(7)), { 'content-encoding': 'gzip' })
  t.match(JSON.parse(text), { items: { length: 7 } })
  t.match(await sink.received(), { documents: 7 })
})
