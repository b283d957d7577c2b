/** New Relic: what its requests hold and keep to, and what its answers mean. */
import t from 'tap'
import { subject } from '../conformance/newrelic.ts'
import { numbered, origin } from '../delivery/rig.ts'
import { configured, created, HOSTILE, lay, ship } from './rig.ts'

const BATCH = { id: 'x', records: 4 }

for (const { name, answer, verdict } of subject.cases) {
  t.test(`${name}: ${verdict.kind}`, async t => {
    t.same(created(await configured(t, subject.config('http://nr'))).judge(answer, BATCH), verdict)
  })
}

t.test('every log is what was read, and logs of one file share their attributes', async t => {
  const laid = await lay(t, subject, { attributes: { env: 'test' } })
  const long = { note: 'n'.repeat(5000), timestamp: 'forged' }
  await ship(
    laid,
    { lines: HOSTILE.map(([line]) => line) },
    { lines: ['', 'other'], origin: origin('/var/log/b.log', long) },
    { lines: ['more'], origin: origin('/var/log/b.log', long), fileStart: 7 },
  )
  const decoded = laid.decoded()
  t.same(
    decoded.map(({ message }) => message),
    [...HOSTILE.map(([, message]) => message), '', 'other', 'more'],
  )
  t.same(decoded[0]?.attributes, {
    env: 'test',
    source: 'app',
    file: '/var/log/app/a.log',
    namespace: 'shop',
    pod: 'web-1',
    podUid: '7f3e',
    node: 'n1',
    container: 'web',
    'app.kubernetes.io/name': 'web',
  })
  t.equal(decoded.at(-1)?.attributes['note'], 'n'.repeat(4094))
  t.equal(decoded.at(-1)?.attributes['timestamp'], undefined)
  t.equal(JSON.parse(laid.receiver.received[0]!.body).length, 2, 'two groups')
})

t.test('a million bytes at most go at once, and a message that New Relic would cut is cut and says so', async t => {
  const laid = await lay(t, subject)
  await ship(laid, { lines: numbered(3000).map(line => line.padEnd(1000)) })
  t.ok(laid.receiver.received.length >= 4)
  t.equal(laid.arena.outcome.delivered.lines, 3000)
  const long = await lay(t, subject)
  await ship(long, { lines: ['x'.repeat(500_000), 'short'] })
  const [cut, short] = long.decoded()
  t.ok(cut!.truncated && cut!.message.length > 130_000)
  t.notOk(short!.truncated)
})

t.test('the region says where requests go', async t => {
  const endpoint = async (own: object) => (await configured(t, { type: 'newrelic', ...own })).endpoint?.href
  t.equal(await endpoint({}), 'https://log-api.newrelic.com/')
  t.equal(await endpoint({ region: 'eu' }), 'https://log-api.eu.newrelic.com/')
  t.equal(await endpoint({ region: 'eu', endpoint: 'http://proxy/nr' }), 'http://proxy/nr')
})
