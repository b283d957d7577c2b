/** What stands between a full slab and a backend: built from the configuration, with its part of the memory. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { type Chunk, Slab } from '../src/chunk.ts'
import type { HttpRequest, Reply, Transport } from '../src/delivery/transport/transport.ts'
import { createDestination, type Destination, type DestinationFields } from '../src/destination.ts'
import { NO_METADATA } from '../src/metadata.ts'
import { configured } from './configured.ts'
import { numbered, origin } from './delivery/rig.ts'
import { scratch } from './scratch.ts'
import { Journal } from './tail/rig.ts'

const ENDPOINT = 'http://127.0.0.1:9/ingest'

/** Answers each request with the next of these statuses, and from then on with the last. */
function answering(...statuses: number[]) {
  const requests: HttpRequest[] = []
  const transport: Transport = {
    send: async request => {
      const status = statuses[Math.min(requests.length, statuses.length - 1)]!
      requests.push({ ...request, body: Buffer.from(request.body) })
      return { kind: 'answer', answer: { status, headers: {}, body: '' } }
    },
    reload: () => false,
    abort: () => {},
    close: async () => {},
  }
  return { requests, transport }
}

async function destinations(t: Test, own: object, fields: Partial<DestinationFields> = {}) {
  const dir = scratch(t, { logs: {} })
  const config = await configured(dir, own)
  const made = config.backends.map(entry =>
    createDestination(config, entry, {
      metadata: () => NO_METADATA,
      log: new Journal(),
      onClosed: () => {},
      ...fields,
    }),
  )
  t.teardown(async () => {
    for (const { delivery, transport, deadLetters } of made) {
      delivery.stop()
      await transport.close()
      deadLetters?.close()
    }
  })
  return { dir, config, made }
}

/** Ships lines and resolves to the chunk they were in, once it has settled. */
async function ship({ kernel, budget, delivery }: Destination, lines: readonly string[]): Promise<Chunk> {
  const settled: Chunk[] = []
  const owner = { settled: (chunk: Chunk) => void settled.push(chunk) }
  const parts = { owner, origin: origin(), fileStart: 0, readAt: Date.now(), cutFrom: 0, partial: false }
  const slab = Slab.holding(kernel.memory.buffer, budget, [{ ...parts, lines: lines.map(line => Buffer.from(line)) }])!
  await delivery.ship(slab)
  budget.release(slab.extent)
  return settled[0]!
}

t.test('each backend has an equal part of the memory, and room for slabs and payloads in it', async t => {
  const http = { type: 'http', endpoint: ENDPOINT }
  const { made } = await destinations(t, {
    backends: [
      { ...http, name: 'one' },
      { ...http, name: 'two' },
    ],
    memory: { budget: '32MiB' },
  })
  const [one, two] = made.map(({ budget }) => budget)
  t.equal(one!.total, two!.total)
  t.ok(one!.total + two!.total <= 32 << 20)
  t.ok(one!.total > 8 << 20)
  t.ok(one!.slabs > 0 && one!.payloads > 0)
})

t.test('dead letters are kept where that is configured and there is a state directory', async t => {
  const http = { type: 'http', endpoint: ENDPOINT, statuses: { rejected: [409] } }
  const backends = [{ ...http, name: 'kept', deadLetter: {} }, { ...http, name: 'not' }, { type: 'stdout' }]
  const { made } = await destinations(t, { backends, memory: { budget: '32MiB' } })
  t.strictSame(
    made.map(({ deadLetters, endpoint }) => [deadLetters !== undefined, endpoint]),
    [
      [true, 'http://127.0.0.1:9'],
      [false, 'http://127.0.0.1:9'],
      [false, null],
    ],
  )
  t.ok(made[0]!.rejectReasons.includes('http_409'), 'a configured reason is counted from 0')
})

t.test('every request is reported with its reply, which is passed on as it is', async t => {
  const { requests, transport } = answering(503, 204)
  const seen: [HttpRequest, Reply][] = []
  const onReply = (request: HttpRequest, reply: Reply) => void seen.push([request, reply])
  const { made } = await destinations(
    t,
    { backends: [{ type: 'http', endpoint: ENDPOINT, retry: { initial: '10ms', max: '20ms' } }] },
    { transport, onReply },
  )
  const { outcome } = await ship(made[0]!, numbered(3))
  t.equal(outcome.delivered.lines, 3, 'the retry was delivered')
  t.strictSame(
    seen.map(([, reply]) => (reply.kind === 'answer' ? reply.answer.status : reply.code)),
    [503, 204],
  )
  t.strictSame(
    seen.map(([{ head }]) => head),
    requests.map(({ head }) => head),
  )
})

t.test('with final a record that is refused alone is rejected at once, and kept', async t => {
  const { requests, transport } = answering(400)
  const { dir, made } = await destinations(
    t,
    { backends: [{ type: 'http', endpoint: ENDPOINT, deadLetter: {} }] },
    { transport, final: true },
  )
  const { outcome } = await ship(made[0]!, ['poison'])
  t.match(outcome.rejected, { http_400: { lines: 1 } })
  t.equal(requests.length, 1)
  const letters = readFileSync(join(dir, 'state', 'dead-letter', 'http.ndjson'), 'utf8')
  t.match(JSON.parse(letters), { message: 'poison', reason: 'http_400', status: 400 })
})

t.test('after a reload the numbers of the destination with the same name go on', async t => {
  const { transport } = answering(204)
  const { config, made } = await destinations(t, { backends: [{ type: 'http', endpoint: ENDPOINT }] }, { transport })
  await ship(made[0]!, numbered(2))
  const fields = { metadata: () => NO_METADATA, log: new Journal(), onClosed: () => {}, transport }
  const next = createDestination(config, config.backends[0]!, { ...fields, before: made[0]! })
  await ship(next, numbered(2))
  t.equal(
    [...next.delivery.stats.requests].reduce((sum, { count }) => sum + count, 0),
    2,
  )
})
