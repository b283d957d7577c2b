/** Splunk: events and raw lines, what the collector's codes mean, and waiting for the indexer. */
import t from 'tap'
import { subjects } from '../conformance/splunk_hec.ts'
import type { Subject } from '../conformance/subject.ts'
import { numbered } from '../delivery/rig.ts'
import { configured, created, HOSTILE, lay, ship } from './rig.ts'

const subject = (name: string): Subject => subjects.find(each => each.name.includes(`(${name})`))!
const BATCH = { id: 'x', records: 4 }
const messages = (laid: { decoded(): { message: string }[] }) => laid.decoded().map(({ message }) => message)

for (const one of subjects) {
  for (const { name, answer, verdict } of one.cases) {
    t.test(`${one.name}: ${name}: ${verdict.kind}`, async t => {
      t.same(created(await configured(t, one.config('http://splunk:8088'))).judge(answer, BATCH), verdict)
    })
  }
}

for (const name of ['event', 'json', 'raw']) {
  t.test(`${name}: every line is what was read`, async t => {
    const laid = await lay(t, subject(name))
    await ship(laid, { lines: HOSTILE.map(([line]) => line) })
    t.same(
      messages(laid),
      HOSTILE.map(([, message]) => message),
    )
    t.equal(laid.arena.outcome.delivered.lines, HOSTILE.length)
  })
}

t.test('an event has its metadata, and what else is known as indexed fields', async t => {
  const laid = await lay(t, subject('event'), { sourcetype: 'app:log' })
  await ship(laid, { lines: ['a'], cutFrom: 99 })
  t.same(JSON.parse(laid.receiver.received[0]!.body), {
    time: 1767323045.678,
    host: 'web-1',
    source: '/var/log/app/a.log',
    sourcetype: 'app:log',
    index: 'main',
    event: 'a',
    fields: {
      truncated: 'true',
      originalBytes: '99',
      log_source: 'app',
      namespace: 'shop',
      pod: 'web-1',
      podUid: '7f3e',
      node: 'n1',
      container: 'web',
      'app.kubernetes.io/name': 'web',
    },
  })
})

t.test('lines that Splunk refuses or skips never leave, and are counted', async t => {
  for (const name of ['event', 'raw']) {
    const laid = await lay(t, subject(name))
    await ship(laid, { lines: ['', 'a', '\r', '\0\0', 'b', ''] }, { lines: ['\ufeff', 'c'] })
    t.same(messages(laid), ['a', 'b', 'c'])
    t.match(laid.arena.outcome, { delivered: { lines: 3 }, rejected: { blank: { lines: 5 } } })
    const empty = await lay(t, subject(name))
    await ship(empty, { lines: ['', ''] })
    t.equal(empty.receiver.received.length, 0)
    t.match(empty.arena.outcome, { delivered: { lines: 0 }, rejected: { blank: { lines: 2 } } })
  }
  const laid = await lay(t, subject('json'))
  await ship(laid, { lines: ['', 'a'] })
  t.same(messages(laid), ['', 'a'], 'an object is never blank')
})

t.test('a batch that Splunk stopped reading goes on behind the event that it stopped at', async t => {
  const [, stopped] = subject('event').cases
  const laid = await lay(t, subject('event'), {}, (_, count) => (count === 1 ? stopped!.answer : undefined))
  await ship(laid, { lines: numbered(4) })
  t.same(messages(laid), ['line 3'])
  t.match(laid.arena.outcome, { delivered: { lines: 3 }, rejected: { event_blank: { lines: 1 } } })
})

t.test('with acknowledgement nothing is delivered before the indexer has confirmed it', async t => {
  const asked: number[][] = []
  let settledWhenAsked = -1
  const laid = await lay(t, subject('ack'), {}, ({ url, body }) => {
    if (!url.includes('/ack?')) return undefined
    asked.push(JSON.parse(body).acks)
    settledWhenAsked = laid.arena.outcome.delivered.lines
    return undefined
  })
  await ship(laid, { lines: numbered(3) })
  t.equal(settledWhenAsked, 0)
  t.equal(asked.length, 1)
  t.equal(laid.arena.outcome.delivered.lines, 3)
  const [sent, question] = laid.receiver.received
  t.equal(sent!.headers['x-splunk-request-channel'], question!.headers['x-splunk-request-channel'])
  t.equal(laid.backend.ackLevel, 'stored')
})

t.test('what stood before a refused event is delivered only under its own receipt', async t => {
  const partial = subject('ack').cases.find(({ name }) => name.includes('those before it'))!
  let confirmed: string[] = []
  const laid = await lay(t, subject('ack'), {}, ({ url, body }, count) => {
    if (count === 1) return partial.answer
    if (url.includes('/ack?')) confirmed = JSON.parse(body).acks.map(String)
    return undefined
  })
  await ship(laid, { lines: numbered(4) })
  t.ok(confirmed.includes('3'), 'its receipt was asked for')
  t.match(laid.arena.outcome, { delivered: { lines: 3 }, rejected: { event_blank: { lines: 1 } } })
})

t.test('a question that fails confirms nothing', async t => {
  const { confirmation } = created(await configured(t, subject('ack').config('http://splunk:8088')))
  const answer = (status: number, body: string) => ({ status, headers: {}, body })
  t.same(confirmation!.confirmed(answer(200, '{"acks":{"1":true,"2":false}}'), ['1', '2', '3']), ['1'])
  t.match(confirmation!.confirmed(answer(503, ''), ['1']), { kind: 'retry' })
  t.match(confirmation!.confirmed(answer(403, ''), ['1']), { kind: 'unauthorized' })
  t.same(confirmation!.confirmed(answer(200, '{}'), ['1']), [])
})

t.test('the endpoint is the collector, with or without its path', async t => {
  const path = async (endpoint: string, own: object = {}) =>
    created(await configured(t, { type: 'splunk_hec', endpoint, ...own })).request(BATCH).path
  for (const tail of ['', '/', '/services/collector', '/services/collector/event', '/services/collector/event/1.0']) {
    t.equal(await path(`http://splunk:8088${tail}`), '/services/collector/event')
  }
  t.equal(await path('http://proxy/hec'), '/hec/services/collector/event')
  t.equal(
    await path('http://splunk:8088/services/collector', { format: 'raw', index: 'a b', sourcetype: 's' }),
    '/services/collector/raw?index=a+b&sourcetype=s&host=web-1',
  )
})
