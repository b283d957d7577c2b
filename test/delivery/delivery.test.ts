import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { PAGE } from '../../src/budget.ts'
import { Arena, answer, inTurn, messages, numbered, origin, Receiver, rig } from './rig.ts'

type Test = { teardown(handler: () => unknown): unknown }

async function receiving(t: Test, respond = answer(204)): Promise<{ receiver: Receiver; url: URL }> {
  const receiver = new Receiver(respond)
  const url = await receiver.listen()
  t.teardown(() => receiver.close())
  return { receiver, url }
}

const lines = (count: number) => ({ lines: count, bytes: numbered(count).join('\n').length + 1 })

t.test('a slab arrives once, in order, and settles as delivered', async t => {
  const { receiver, url } = await receiving(t)
  const { arena, delivery, listener } = rig(url)
  const slab = arena.slab({ lines: numbered(500) })
  t.same(await delivery.ship(slab), { kind: 'settled' })
  t.same(messages(receiver.received), numbered(500))
  t.same(arena.outcome.delivered, lines(500))
  t.match(receiver.received[0], {
    method: 'POST',
    url: '/ingest',
    headers: { 'content-type': 'application/x-ndjson', 'user-agent': 'logshipper/0.0.0-test' },
  })
  arena.budget.release(slab.extent)
  t.equal(arena.budget.used, 0, 'nothing is held')
  t.same(listener.said, [], 'a good day has no log')
  t.same([...delivery.stats.requests], [{ status: '2xx', verdict: 'delivered', count: 1 }])
})

for (const compression of ['gzip', 'zstd'] as const) {
  t.test(`${compression} makes it smaller on the wire and the same behind it`, async t => {
    const { receiver, url } = await receiving(t, inTurn(answer(503), answer(204)))
    const { arena, delivery } = rig(url, {}, { compression })
    t.same(await delivery.ship(arena.slab({ lines: numbered(2000) })), { kind: 'settled' })
    const [first, again] = receiver.received
    t.equal(first?.headers['content-encoding'], compression)
    t.same(messages([again!]), numbered(2000))
    t.same(again?.wire, first?.wire)
    t.ok(delivery.stats.wireBytes * 3 < delivery.stats.payloadBytes)
  })
}

t.test('passing faults are retried with the same bytes under the same id', async t => {
  const statuses = [500, 502, 503, 504, 429, 408, 599, 302, 307]
  const { receiver, url } = await receiving(t, inTurn(...statuses.map(status => answer(status)), answer(200)))
  const { arena, delivery, listener } = rig(url)
  t.same(await delivery.ship(arena.slab({ lines: numbered(3) })), { kind: 'settled' })
  t.equal(receiver.received.length, statuses.length + 1)
  t.equal(new Set(receiver.received.map(({ wire }) => wire.toString('hex'))).size, 1)
  t.equal(new Set(receiver.received.map(({ headers }) => headers['idempotency-key'])).size, 1)
  t.same(arena.outcome.delivered, lines(3))
  t.same(Object.fromEntries(delivery.stats.retries), {
    ...Object.fromEntries([500, 502, 503, 504, 429, 408, 599].map(status => [`http_${status}`, 1])),
    redirect: 2,
  })
  t.same(
    listener.said.map(({ level, sentence, fields }) => `${level}: ${sentence}: ${fields['reason']}`),
    [
      ...[500, 502, 503, 504, 429, 408, 599].map(status => `warn: backend unavailable; retrying: http_${status}`),
      'error: backend misconfigured; retrying: redirect',
      'info: backend recovered: undefined',
    ],
  )
})

t.test('a page of HTML is no delivery', async t => {
  const page = answer(200, { 'content-type': 'text/html; charset=utf-8' }, '<form>')
  const { url } = await receiving(t, inTurn(page, answer(200, { 'content-type': 'application/json' }, '{}')))
  const { arena, delivery, listener } = rig(url)
  await delivery.ship(arena.slab({ lines: numbered(1) }))
  t.equal(delivery.stats.retries.get('unexpected_html'), 1)
  t.match(listener.said[0], { level: 'error', fields: { reason: 'unexpected_html' } })
  t.same(arena.outcome.delivered, lines(1))
})

t.test('what the configuration gives up is rejected with its status, and the next payload goes on', async t => {
  const { receiver, url } = await receiving(t, inTurn(answer(409, {}, 'no such stream'), answer(204)))
  const { arena, delivery, listener } = rig(
    url,
    { statuses: { rejected: [409] } },
    { batch: { maxBytes: 1 << 20, maxRecords: 2, interval: 0 } },
  )
  await delivery.ship(arena.slab({ lines: numbered(4) }))
  t.equal(receiver.received.length, 2)
  t.same(arena.outcome, {
    delivered: { lines: 2, bytes: 14 },
    rejected: { http_409: { lines: 2, bytes: 14 } },
    dropped: {},
  })
  t.match(listener.said, [{ level: 'error', fields: { reason: 'http_409', records: 2, detail: 'no such stream' } }])
})

t.test('an answer that echoes a line is not repeated in our log', async t => {
  const secret = 'token=3f9c1d5e7b2a4860 user=alice'
  const { url } = await receiving(t, (request, response, count) =>
    (request.body.includes(secret) ? answer(422, {}, `bad line: ${secret}`) : answer(204))(request, response, count),
  )
  const { arena, delivery, listener } = rig(url)
  const sent = Promise.withResolvers<void>()
  const settled = delivery.ship(arena.slab({ lines: [secret] }), { onSent: sent.resolve })
  await sent.promise
  await delivery.ship(arena.slab({ lines: ['x'] }))
  await settled
  t.match(arena.outcome, { delivered: { lines: 1 }, rejected: { http_422: { lines: 1 } } })
  t.match(listener.said.at(-1), { sentence: 'records rejected', fields: { reason: 'http_422' } })
  t.notMatch(JSON.stringify([listener.said, delivery.stats.lastError]), /alice|3f9c/)
})

t.test('413 is answered by halves until all is through, each line once and in order', async t => {
  const { receiver, url } = await receiving(t, (request, response) =>
    response.writeHead(request.body.length > 2000 ? 413 : 204).end(),
  )
  const { arena, delivery } = rig(url)
  await delivery.ship(arena.slab({ lines: numbered(300) }))
  const stored = () => receiver.received.filter(({ body }) => body.length <= 2000)
  t.same(messages(stored()), numbered(300))
  t.same(arena.outcome.delivered, lines(300))
  const refused = receiver.received.length - stored().length
  t.ok(refused <= 8, `${refused} were refused`)
  const before = receiver.received.length
  await delivery.ship(arena.slab({ lines: numbered(40) }))
  t.same(
    receiver.received.slice(before).filter(({ body }) => body.length > 2000),
    [],
    'it remembers',
  )
})

t.test('one record that is too large for the backend is rejected; its neighbours are not', async t => {
  const { receiver, url } = await receiving(t, (request, response) =>
    response.writeHead(request.body.length > 2000 ? 413 : 204).end(),
  )
  const { arena, delivery } = rig(url)
  await delivery.ship(arena.slab({ lines: ['a', 'b', 'x'.repeat(5000), 'c', 'd'] }))
  t.same(messages(receiver.received.filter(({ body }) => body.length <= 2000)), ['a', 'b', 'c', 'd'])
  t.same(arena.outcome.rejected, { too_large: { lines: 1, bytes: 5001 } })
  t.same(arena.outcome.delivered, { lines: 4, bytes: 8 })
})

t.test('Retry-After holds every request back, in either form', async t => {
  for (const form of ['240', 'date']) {
    const field = form === 'date' ? new Date(Date.now() + 240_000).toUTCString() : form
    const { receiver, url } = await receiving(t, answer(429, { 'retry-after': field }))
    const { arena, delivery } = rig(url)
    const shipped = delivery.ship(arena.slab({ lines: numbered(1) }))
    while (delivery.health.kind === 'up') await new Promise(setImmediate)
    const { since, nextAttemptAt } = delivery.health
    const least = form === 'date' ? Date.parse(field) : since + 240_000
    t.ok(nextAttemptAt >= least, `${field}: not before ${new Date(least).toISOString()}`)
    t.ok(nextAttemptAt < least + 60_000, 'and soon after')
    t.equal(receiver.received.length, 1)
    delivery.stop()
    t.same(await shipped, { kind: 'abandoned' })
  }
})

t.test('refused credentials are logged as an error, read again and retried', async t => {
  const { receiver, url } = await receiving(t, inTurn(answer(401, {}, 'bad token abc'), answer(403), answer(204)))
  const { arena, delivery, listener } = rig(url)
  await delivery.ship(arena.slab({ lines: numbered(1) }))
  t.equal(receiver.received.length, 3)
  t.match(listener.said[0], {
    level: 'error',
    sentence: 'credentials refused; retrying',
    fields: { reason: 'http_401' },
  })
  t.notMatch(JSON.stringify(listener.said), /abc/)
  t.same(arena.outcome.delivered, lines(1))
  t.same(delivery.health, { kind: 'up' })
})

t.test('while the destination is down one request tries, however many wait', async t => {
  let down = true
  let under = 0
  let most = 0
  const { receiver, url } = await receiving(t, async (_request, response) => {
    under++
    if (down && receiver.received.length > 3) most = Math.max(most, under)
    await sleep(5)
    under--
    response.writeHead(down ? 503 : 204).end()
  })
  const { arena, delivery } = rig(url, {}, { concurrency: 3 })
  const shipping = [0, 100, 200].map(from => delivery.ship(arena.slab({ lines: numbered(100, from) })))
  while (receiver.received.length < 10) await sleep(5)
  t.match(delivery.health, { kind: 'down', reason: 'http_503' })
  t.equal(most, 1)
  down = false
  t.same(await Promise.all(shipping), [{ kind: 'settled' }, { kind: 'settled' }, { kind: 'settled' }])
  t.same(new Set(messages(receiver.received)), new Set(numbered(300)))
})

t.test('a destination that is not there yet costs time only', async t => {
  const probe = createServer()
  await new Promise<void>(resolve => probe.listen(0, '127.0.0.1', resolve))
  const { port } = probe.address() as { port: number }
  await new Promise(resolve => probe.close(resolve))
  const { arena, delivery, listener } = rig(new URL(`http://127.0.0.1:${port}/`))
  const shipping = delivery.ship(arena.slab({ lines: numbered(10) }))
  while (delivery.health.kind === 'up') await sleep(5)
  t.match(delivery.health, { kind: 'down', reason: 'ECONNREFUSED' })
  const receiver = new Receiver()
  t.teardown(() => receiver.close())
  await new Promise<void>(resolve => receiver.server.listen(port, '127.0.0.1', resolve))
  t.same(await shipping, { kind: 'settled' })
  t.same(messages(receiver.received), numbered(10))
  t.same(
    listener.said.map(({ sentence }) => sentence),
    ['backend unavailable; retrying', 'backend recovered'],
  )
})

t.test('a stop leaves frames unsettled and everything released', async t => {
  const { receiver, url } = await receiving(
    t,
    inTurn(answer(204), () => {}),
  )
  const { arena, delivery } = rig(url, {}, { batch: { maxBytes: 1 << 20, maxRecords: 5, interval: 0 } })
  const slab = arena.slab({ lines: numbered(5) }, { lines: numbered(5), fileStart: 100 })
  const shipping = delivery.ship(slab)
  while (receiver.received.length < 2) await sleep(5)
  delivery.stop()
  t.same(await shipping, { kind: 'abandoned' })
  t.same(
    slab.chunks.map(({ unsettled }) => unsettled),
    [0, 5],
  )
  t.equal(arena.budget.used, slab.extent.bytes)
  t.equal(delivery.stats.inFlight, 0)
  t.same(await delivery.ship(slab), { kind: 'abandoned' }, 'and nothing begins any more')
})

t.test('a stop ends the waiting for a destination that is down', async t => {
  const { url } = await receiving(t, answer(503, { 'retry-after': '300' }))
  const { arena, delivery } = rig(url)
  const shipping = delivery.ship(arena.slab({ lines: numbered(1) }))
  while (delivery.health.kind === 'up') await sleep(5)
  delivery.stop()
  t.same(await shipping, { kind: 'abandoned' })
})

t.test('a hurry cuts the wait that the destination asked for', async t => {
  const { url } = await receiving(t, inTurn(answer(503, { 'retry-after': '300' }), answer(204)))
  const { arena, delivery } = rig(url)
  const shipping = delivery.ship(arena.slab({ lines: numbered(1) }))
  while (delivery.health.kind === 'up') await sleep(5)
  delivery.hurry()
  t.same(await shipping, { kind: 'settled' })
})

t.test('without room in the arena it waits for a release', async t => {
  const { receiver, url } = await receiving(t)
  const { arena, delivery } = rig(url)
  const slab = arena.slab({ lines: numbered(10) })
  const rest = arena.budget.grant(arena.budget.total - arena.budget.used)!
  const shipping = delivery.ship(slab)
  // One that needs no room in the arena is there and back meanwhile.
  await fetch(url, { method: 'POST', body: 'probe' })
  t.same(
    receiver.received.map(({ body }) => body),
    ['probe'],
  )
  arena.budget.release(rest)
  t.same(await shipping, { kind: 'settled' })
})

t.test('repairs and cuts are booked once, with the origin they belong to', async t => {
  const { url } = await receiving(t, inTurn(answer(413), answer(503), answer(204)))
  const booked: string[] = []
  const batch = { maxBytes: 65_536, maxRecords: 100, interval: 0 }
  const { arena, delivery } = rig(
    url,
    {},
    { batch },
    {
      onRepaired: ({ path }, sequences) => booked.push(`${path} repaired ${sequences}`),
      onTruncated: ({ path }, records) => booked.push(`${path} cut ${records}`),
    },
    new Arena(4 << 20, 2 * PAGE),
  )
  const broken = Buffer.from([...Buffer.from('a'.repeat(1000)), 0xff])
  await delivery.ship(
    arena.slab(
      { lines: [broken, broken], origin: origin('/a') },
      { lines: ['y'.repeat(200_000)], origin: origin('/b') },
    ),
  )
  t.same(booked.sort(), ['/a repaired 1', '/a repaired 1', '/b cut 1'])
  t.match(delivery.stats, { repairedSequences: 2, truncatedRecords: 1 })
  t.equal(arena.outcome.delivered.lines, 3)
})

t.test(
  'a record that is larger than a request should be is sent whole, and cut where it is too large for the backend',
  async t => {
    const { receiver, url } = await receiving(t, (request, response, count) =>
      answer(request.wire.length > 5 * PAGE ? 413 : 204)(request, response, count),
    )
    const batch = { maxBytes: PAGE, maxRecords: 100, interval: 0 }
    const booked: number[] = []
    const onTruncated = (_: unknown, records: number) => booked.push(records)
    const { arena, delivery } = rig(url, {}, { batch }, { onTruncated }, new Arena(4 << 20, 20 * PAGE))
    const [whole, large] = ['w'.repeat(4 * PAGE), 'l'.repeat(9 * PAGE)]
    t.same(await delivery.ship(arena.slab({ lines: ['a', whole, large, 'b', large, whole] })), { kind: 'settled' })
    const accepted = receiver.received.filter(({ wire }) => wire.length <= 5 * PAGE)
    t.match(
      accepted.flatMap(({ body }) => body.trimEnd().split('\n')).map(line => JSON.parse(line)),
      [
        { message: 'a' },
        { message: whole, truncated: undefined },
        { message: /^l+$/, truncated: true, originalBytes: 9 * PAGE },
        { message: 'b' },
        { message: /^l+$/, truncated: true, originalBytes: 9 * PAGE },
        { message: whole, truncated: undefined },
      ],
    )
    const cuts = messages(accepted).filter(message => message.startsWith('l'))
    t.ok(
      cuts.every(({ length }) => length > 4 * PAGE),
      'no shorter than needed',
    )
    t.equal(receiver.received.length - accepted.length, 1, 'what was learned is remembered')
    t.same(booked, [1, 1])
    t.equal(arena.outcome.delivered.lines, 6)
  },
)

t.test('a single record that is too large even when it is cut is rejected, and its neighbours are not', async t => {
  const { receiver, url } = await receiving(t, (request, response, count) =>
    answer(request.wire.length > PAGE / 2 ? 413 : 204)(request, response, count),
  )
  const batch = { maxBytes: PAGE, maxRecords: 100, interval: 0 }
  const { arena, delivery } = rig(url, {}, { batch }, {}, new Arena(4 << 20, 20 * PAGE))
  t.same(await delivery.ship(arena.slab({ lines: ['a', 'l'.repeat(9 * PAGE), 'b'] })), { kind: 'settled' })
  t.match(arena.outcome, { delivered: { lines: 2 }, rejected: { too_large: { lines: 1, bytes: 9 * PAGE + 1 } } })
  t.same(messages(receiver.received.filter(({ wire }) => wire.length < PAGE / 2)), ['a', 'b'])
})

t.test('a judge that stumbles does not end the process, and nothing is lost', async t => {
  const { url } = await receiving(t)
  let stumbled = 0
  const stumbling = rig(
    url,
    {},
    {},
    {
      backend: {
        type: 'stumbling',
        ackLevel: 'accepted',
        format: {
          contentType: 'text/plain',
          prefix: Buffer.alloc(0),
          separator: Buffer.from('\n'),
          suffix: Buffer.from('\n'),
          treatment: 'bytes',
        },
        limits: { payloadBytes: 1e6, records: 1e6 },
        segments: () => [{ kind: 'raw' }],
        request: () => ({ method: 'POST', path: '/', headers: {} }),
        judge: () => {
          if (stumbled++ === 0) throw new SyntaxError('Unexpected end of JSON input')
          return { kind: 'delivered' }
        },
      },
    },
  )
  t.same(await stumbling.delivery.ship(stumbling.arena.slab({ lines: ['x'] })), { kind: 'settled' })
  t.equal(stumbling.delivery.stats.retries.get('unreadable_answer'), 1)
})
