/** Datadog: what its requests hold and keep to, and what its answers mean. */
import t from 'tap'
import { subject } from '../conformance/datadog.ts'
import { numbered, origin } from '../delivery/rig.ts'
import { configured, created, HOSTILE, lay, ship } from './rig.ts'

const BATCH = { id: 'x', records: 4 }

for (const { name, answer, verdict } of subject.cases) {
  t.test(`${name}: ${verdict.kind}`, async t => {
    t.same(created(await configured(t, subject.config('http://dd'))).judge(answer, BATCH), verdict)
  })
}

t.test('every log is what was read, with the tags that Datadog’s own agent gives', async t => {
  const laid = await lay(t, subject)
  const labels = { team: 'a, b', env: 'forged' }
  await ship(laid, { lines: ['', ...HOSTILE.map(([line]) => line)], origin: origin('/var/log/a.log', labels) })
  t.same(
    laid.decoded().map(({ message }) => message),
    ['', ...HOSTILE.map(([, message]) => message)],
  )
  t.same(laid.decoded()[0]?.attributes, {
    env: 'test',
    kube_namespace: 'shop',
    pod_name: 'web-1',
    pod_uid: '7f3e',
    kube_node: 'n1',
    kube_container_name: 'web',
    team: 'a_b',
    'app.kubernetes.io/name': 'web',
    file: '/var/log/a.log',
    source: 'app',
    service: 'web',
  })
})

t.test('a thousand logs go at once, and a log that is too long is cut and says so', async t => {
  const laid = await lay(t, subject)
  await ship(laid, { lines: numbered(2001) })
  t.equal(laid.receiver.received.length, 3)
  const wide = await lay(t, subject, { batch: { maxBytes: '4MiB' } })
  await ship(wide, { lines: ['x'.repeat(1_100_000), 'short'] })
  const [long, short] = wide.decoded()
  t.ok(long!.truncated && long!.message.length > 990_000)
  t.notOk(short!.truncated)
  t.equal(wide.arena.outcome.delivered.lines, 2)
})

t.test('the site says where requests go, and the key which header it stands in', async t => {
  const { endpoint, delivery, own } = await configured(t, { type: 'datadog', site: 'datadoghq.eu', apiKey: 'geheim' })
  t.equal(endpoint?.href, 'https://http-intake.logs.datadoghq.eu/')
  t.same(delivery.auth, { apiKey: { header: 'DD-API-KEY', prefix: undefined, value: 'geheim' } })
  t.equal(delivery.batch.maxRecords, 1000)
  t.notMatch(JSON.stringify(own), /geheim/)
})
