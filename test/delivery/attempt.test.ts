/** One attempt alone: a transport that answers what the test says, and a judge. */
import t from 'tap'
import type { Answer, Verdict } from '../../src/backends/backend.ts'
import { attempt } from '../../src/delivery/attempt.ts'
import { DeliveryStats } from '../../src/delivery/outcome/stats.ts'
import type { HttpRequest, Reply } from '../../src/delivery/transport/transport.ts'

const EXCHANGE: HttpRequest = {
  head: { method: 'POST', path: '/', headers: {} },
  contentType: 'text/plain',
  encoding: undefined,
  body: Buffer.from('a line'),
}

async function made(reply: Reply, judge: (answer: Answer) => Verdict, stopped = false) {
  const stats = new DeliveryStats()
  const parts = { backend: { judge }, transport: { send: async () => reply }, stats, stopped: () => stopped }
  const attempted = await attempt(parts, EXCHANGE, { id: 'x', records: 1 })
  return { attempted, requests: [...stats.requests], bytes: stats.sizeBytes }
}

const answered = (status: number, headers: Record<string, string> = {}): Reply => ({
  kind: 'answer',
  answer: { status, headers, body: '' },
})
const failed = (code: string): Reply => ({ kind: 'failure', code, sentBefore: true })
const never = (): Verdict => {
  throw new Error('there is nothing to judge')
}

t.test('what the judge says of an answer is the verdict, and is counted with its status', async t => {
  const { attempted, requests, bytes } = await made(answered(204), () => ({ kind: 'delivered' }))
  t.same(attempted, { verdict: { kind: 'delivered' }, status: 204 })
  t.same(requests, [{ status: '2xx', verdict: 'delivered', count: 1 }])
  t.equal(bytes, EXCHANGE.body.length)
})

t.test('no answer is a fault that passes, or lasts until the configuration is mended', async t => {
  const { attempted, requests } = await made(failed('ECONNRESET'), never)
  t.same(attempted, { verdict: { kind: 'retry', reason: 'ECONNRESET', misconfigured: false }, status: undefined })
  t.same(requests, [{ status: 'none', verdict: 'retry', count: 1 }])
  const lasting = await made(failed('CREDENTIALS_UNREADABLE'), never)
  t.match(lasting.attempted, { verdict: { misconfigured: true } })
})

t.test('a judge that fails on an answer delivers nothing and ends nothing', async t => {
  const { attempted } = await made(answered(200), never)
  t.same(attempted, { verdict: { kind: 'retry', reason: 'unreadable_answer' }, status: 200 })
})

t.test('Retry-After is read where the judge names no time of its own', async t => {
  const busy = answered(503, { 'retry-after': '7' })
  t.match((await made(busy, () => ({ kind: 'retry', reason: 'busy' }))).attempted, { verdict: { after: 7000 } })
  const own = await made(busy, () => ({ kind: 'retry', reason: 'busy', after: 1 }))
  t.match(own.attempted, { verdict: { after: 1 } })
})

t.test(
  'a request that a stop dropped says nothing and is not counted; an answer that came all the same does',
  async t => {
    const dropped = await made(failed('ABORTED'), never, true)
    t.same(dropped, { attempted: undefined, requests: [], bytes: 0 })
    const came = await made(answered(204), () => ({ kind: 'delivered' }), true)
    t.match(came, { attempted: { verdict: { kind: 'delivered' } } })
  },
)
