/** What becomes of records when the backend tells more than yes or no: over real sockets, with a judge that is told. */
import t from 'tap'
import type { Answer, Backend, Confirmation, Verdict } from '../../../src/backends/backend.ts'
import type { RejectedRecord } from '../../../src/delivery/outcome/settlement.ts'
import { answer, httpBackend, inTurn, messages, numbered, Receiver, rig } from '../rig.ts'

type Test = { teardown(handler: () => unknown): unknown }

async function receiving(t: Test, respond = answer(204)): Promise<{ receiver: Receiver; url: URL }> {
  const receiver = new Receiver(respond)
  const url = await receiver.listen()
  t.teardown(() => receiver.close())
  return { receiver, url }
}

/** A backend whose answers are verdicts, written as JSON. */
function told(url: URL, more: Partial<Backend> = {}): Backend {
  return { ...httpBackend(url), judge: ({ body }: Answer) => JSON.parse(body) as Verdict, ...more }
}

const say = (verdict: Verdict) => answer(200, {}, JSON.stringify(verdict))
const DELIVERED = say({ kind: 'delivered' })

t.test('one record at fault is found and rejected; all others are delivered, in order', async t => {
  const { receiver, url } = await receiving(t, (request, response, count) =>
    (messages([request]).includes('poison') ? answer(400, {}, 'bad line') : answer(204))(request, response, count),
  )
  const rejected: [string, string, number, number | undefined][] = []
  const onRejected = ({ frame, reason, offset, status }: RejectedRecord) =>
    void rejected.push([frame.toString(), reason, offset, status])
  const { arena, delivery, listener } = rig(url, {}, {}, { onRejected })
  const lines = numbered(100)
  lines[41] = 'poison'
  await delivery.ship(arena.slab({ lines }))
  const stored = receiver.received.filter(request => !messages([request]).includes('poison'))
  t.same(
    messages(stored),
    lines.filter(line => line !== 'poison'),
  )
  t.ok(receiver.received.length <= 16, `${receiver.received.length} requests`)
  t.match(arena.outcome, { delivered: { lines: 99 }, rejected: { http_400: { lines: 1, bytes: 7 } } })
  const offset = lines.slice(0, 41).join('\n').length + 1
  t.same(rejected, [['poison', 'http_400', offset, 400]])
  t.match(
    listener.said.filter(({ level }) => level === 'error'),
    [{ sentence: 'records rejected', fields: { records: 1, detail: 'bad line', offset } }],
  )
})

t.test('what is told record by record is settled so, and only what failed in passing is sent again', async t => {
  const { receiver, url } = await receiving(
    t,
    inTurn(
      say({
        kind: 'items',
        rejected: [{ index: 1, reason: 'mapper_parsing_exception', detail: 'no number' }],
        retry: [3, 4, 7].map(index => ({ index, reason: 'es_rejected' })),
      }),
      say({ kind: 'items', rejected: [], retry: [{ index: 1, reason: 'es_rejected' }] }),
      DELIVERED,
    ),
  )
  const repaired: number[] = []
  const onRepaired = (_origin: unknown, sequences: number) => void repaired.push(sequences)
  const { arena, delivery } = rig(url, {}, {}, { backend: told(url), onRepaired })
  const lines = numbered(9).map(line => Buffer.from(line))
  lines[4] = Buffer.from([0x78, 0xff])
  await delivery.ship(arena.slab({ lines }))
  t.same(
    receiver.received.slice(1).map(request => messages([request])),
    [['line 3', 'x\ufffd', 'line 7'], ['x\ufffd']],
  )
  t.match(arena.outcome, { delivered: { lines: 8 }, rejected: { mapper_parsing_exception: { lines: 1, bytes: 7 } } })
  t.equal(
    new Set(receiver.received.map(({ headers }) => headers['idempotency-key'])).size,
    3,
    'each is a request of its own',
  )
  t.equal(delivery.stats.retries.get('es_rejected'), 2)
  t.same(repaired, [1], 'what was mended is booked once')
  t.equal(arena.budget.used > 0, true)
})

t.test('a number of refused records is booked as that number, never beyond what was sent', async t => {
  const counted = (rejected: number) => say({ kind: 'counted', rejected, reason: 'too_old' })
  const { url } = await receiving(t, inTurn(counted(2), counted(99)))
  const { arena, delivery } = rig(url, {}, {}, { backend: told(url) })
  await delivery.ship(arena.slab({ lines: numbered(5) }))
  t.match(arena.outcome, { delivered: { lines: 3 }, rejected: { too_old: { lines: 2 } } })
  await delivery.ship(arena.slab({ lines: numbered(5) }))
  t.match(arena.outcome, { delivered: { lines: 3 }, rejected: { too_old: { lines: 7 } } })
})

t.test('a reason that is no name, or one too many, is booked as other', async t => {
  const reasons = ['<b>no</b>', ...Array.from({ length: 70 }, (_, n) => `reason_${n}`)]
  const { url } = await receiving(t, inTurn(...reasons.map(reason => say({ kind: 'rejected', reason }))))
  const { arena, delivery } = rig(url, {}, {}, { backend: told(url) })
  for (const _ of reasons) {
    const slab = arena.slab({ lines: ['x'] })
    await delivery.ship(slab)
    arena.budget.release(slab.extent)
  }
  const booked = arena.outcome.rejected
  t.equal(Object.keys(booked).length, 65)
  t.equal(booked['other']?.lines, 7)
})

const confirmation = (patience: number): Confirmation => ({
  every: 5,
  patience,
  question: receipts => ({
    head: { method: 'POST', path: '/ack', headers: {} },
    contentType: 'application/json',
    body: JSON.stringify(receipts),
  }),
  confirmed: answer => JSON.parse(answer.body) as string[],
})

t.test('what is accepted settles when it is confirmed, and lets the next one go before', async t => {
  let confirmed = false
  const { receiver, url } = await receiving(t, (request, response, count) => {
    const asked = request.url === '/ack'
    const body = asked ? (confirmed ? request.body : '[]') : JSON.stringify({ kind: 'pending', receipt: `r${count}` })
    answer(200, {}, body)(request, response, count)
  })
  const { arena, delivery } = rig(url, {}, {}, { backend: told(url, { confirmation: confirmation(60_000) }) })
  let sent = false
  const shipped = delivery.ship(arena.slab({ lines: numbered(3) }), { onSent: () => (sent = true) })
  while (receiver.received.filter(({ url }) => url === '/ack').length < 3) await new Promise(setImmediate)
  t.equal(sent, true)
  t.equal(arena.settledChunks.length, 0, 'nothing has settled')
  confirmed = true
  t.same(await shipped, { kind: 'settled' })
  t.match(arena.outcome, { delivered: { lines: 3 } })
  t.equal(receiver.received.filter(({ url }) => url !== '/ack').length, 1)
})

t.test('what is confirmed after its slab was abandoned settles nothing: others have its place by then', async t => {
  let confirmed = false
  const { receiver, url } = await receiving(t, (request, response, count) => {
    const asked = request.url === '/ack'
    const body = asked ? (confirmed ? request.body : '[]') : JSON.stringify({ kind: 'pending', receipt: 'first' })
    answer(asked || count === 1 ? 200 : 503, {}, body)(request, response, count)
  })
  const batch = { maxBytes: 1 << 20, maxRecords: 2, interval: 0 }
  const backend = told(url, { confirmation: confirmation(60_000) })
  const { arena, delivery } = rig(url, {}, { batch }, { backend })
  const slab = arena.slab({ lines: numbered(4) })
  const shipped = delivery.ship(slab)
  while (receiver.received.filter(({ url }) => url !== '/ack').length < 2) await new Promise(setImmediate)
  delivery.halt()
  t.same(await shipped, { kind: 'abandoned' })
  confirmed = true
  const asked = () => receiver.received.filter(({ url }) => url === '/ack').length
  const before = asked()
  while (asked() < before + 1) await new Promise(setImmediate)
  await new Promise(resolve => setTimeout(resolve, 50))
  t.equal(slab.chunks[0]!.unsettled, 4)
  delivery.stop()
})

t.test('what is never confirmed is sent again; a stop leaves it unsettled', async t => {
  const { receiver, url } = await receiving(t, (request, response, count) => {
    const body = request.url === '/ack' ? '[]' : JSON.stringify({ kind: 'pending', receipt: `r${count}` })
    answer(200, {}, body)(request, response, count)
  })
  const { arena, delivery, listener } = rig(url, {}, {}, { backend: told(url, { confirmation: confirmation(20) }) })
  const shipped = delivery.ship(arena.slab({ lines: numbered(3) }))
  const posts = () => receiver.received.filter(({ url }) => url !== '/ack')
  while (posts().length < 3) await new Promise(setImmediate)
  t.same(messages(posts().slice(0, 2)), [...numbered(3), ...numbered(3)])
  t.match(listener.said[0], { level: 'warn', sentence: /not confirmed/ })
  delivery.stop()
  t.same(await shipped, { kind: 'abandoned' })
  t.equal(arena.settledChunks.length, 0)
})

t.test('records that have grown too old for the backend are sent under a new time', async t => {
  const { receiver, url } = await receiving(t)
  const backend = { ...httpBackend(url), limits: { payloadBytes: 1e6, records: 1e6, age: 3_600_000 } }
  const { arena, delivery } = rig(url, {}, {}, { backend })
  const before = Date.now()
  await delivery.ship(arena.slab({ lines: ['read long ago'] }))
  const [record] = receiver.received.map(({ body }) => JSON.parse(body) as { timestamp: string })
  t.ok(Date.parse(record!.timestamp) >= before)
})

t.test(
  'records that were read while the clock was ahead are sent under the time that it is, once it is right',
  async t => {
    const HOUR = 3_600_000
    let now = Date.now() + 3 * HOUR
    const time = (body: string) => Date.parse((JSON.parse(body) as { timestamp: string }).timestamp)
    const { receiver, url } = await receiving(t, (request, response, count) => {
      const tooNew = time(request.body) > Date.now() + HOUR
      // The clock is set right while the request is refused.
      if (tooNew) now = Date.now()
      answer(tooNew ? 429 : 204)(request, response, count)
    })
    const backend = { ...httpBackend(url), limits: { payloadBytes: 1e6, records: 1e6, age: HOUR } }
    const { arena, delivery } = rig(url, {}, {}, { backend, wall: () => now })
    const slab = arena.slab({ lines: ['ahead'], readAt: now })
    t.same(await delivery.ship(slab), { kind: 'settled' })
    const [first, again] = receiver.received.map(({ body }) => time(body))
    t.ok(first! > Date.now() + 2 * HOUR, 'as it was read')
    t.ok(Math.abs(again! - now) < 60_000, 'as it is')
    t.match(arena.outcome, { delivered: { lines: 1 } })
  },
)
