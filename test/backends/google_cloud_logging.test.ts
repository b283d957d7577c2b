/** Google Cloud Logging: what its requests hold and keep to. */
import t, { type Test } from 'tap'
import { NO_METADATA } from '../../src/metadata.ts'
import { subject } from '../conformance/google_cloud_logging.ts'
import { numbered, origin } from '../delivery/rig.ts'
import { configured, created, HOSTILE, lay, METADATA, said, ship } from './rig.ts'

const HOUR = 3_600_000

/** The head of a request: log, resource, and what holds for all entries. */
async function headOf(t: Test, own: object, metadata = METADATA): Promise<Record<string, unknown>> {
  const { format } = created(await configured(t, { type: 'google_cloud_logging', project: 'p123', ...own }), metadata)
  return JSON.parse(Buffer.concat([format.prefix, format.suffix]).toString())
}

t.test('the resource is the narrowest whose labels are all known', async t => {
  const cluster = { name: 'prod', location: 'europe-west1' }
  const inCluster = { project_id: 'p123', location: 'europe-west1', cluster_name: 'prod' }
  const inPod = { ...inCluster, namespace_name: 'shop', pod_name: 'web-1' }
  const resource = async (...args: [own: object, metadata?: typeof METADATA]) => (await headOf(t, ...args))['resource']
  t.same(await resource({}), { type: 'global', labels: { project_id: 'p123' } })
  t.same(await resource({ cluster }), { type: 'k8s_container', labels: { ...inPod, container_name: 'web' } })
  const { container: _, ...noContainer } = METADATA
  t.same(await resource({ cluster }, noContainer), { type: 'k8s_pod', labels: inPod })
  t.same(await resource({ cluster }, NO_METADATA), { type: 'k8s_cluster', labels: inCluster })
  const own = { type: 'generic_task', labels: { job: 'web' } }
  t.same(await resource({ cluster, resource: own }), own)
})

t.test('every line is an entry, and a label of ours is never forged', async t => {
  const laid = await lay(t, subject, { labels: { env: 'test', source: 'forged' } })
  const labels = { truncated: 'forged', ['n'.repeat(513)]: 'dropped', note: 'n'.repeat(5000) }
  await ship(laid, { lines: HOSTILE.map(([line]) => line) }, { lines: ['other'], origin: origin('/b.log', labels) })
  const decoded = laid.decoded()
  t.same(
    decoded.map(({ message }) => message),
    [...HOSTILE.map(([, message]) => message), 'other'],
  )
  t.match(decoded[0]?.attributes, { source: 'app', env: 'test', 'compute.googleapis.com/resource_name': 'n1' })
  t.equal(decoded[0]?.attributes['k8s-pod/app_kubernetes_io/name'], 'web')
  const { attributes, truncated } = decoded.at(-1)!
  t.notOk(truncated)
  t.equal(attributes['note'], 'n'.repeat(4096))
  t.notOk(Object.keys(attributes).some(name => name.length > 512))
})

t.test(
  'what is longer than an entry may be is cut and says so, and a request has ten megabytes at the most',
  async t => {
    const laid = await lay(t, subject, { batch: { maxBytes: '64MiB', maxRecords: 100_000 } })
    await ship(laid, { lines: ['x'.repeat(500_000), ...numbered(3000).map(line => line.padEnd(1000))] })
    const [cut, ...others] = laid.decoded()
    t.ok(cut!.truncated && cut!.message.length > 230_000)
    t.equal(others.length, 3000)
  },
)

t.test('a line that its bucket would not store gets the present time', async t => {
  const laid = await lay(t, subject, { maxAge: '2h' })
  const before = Date.now()
  await ship(laid, { lines: ['old'], readAt: before - 3 * HOUR }, { lines: ['young'], readAt: before - HOUR })
  const times = laid.decoded().map(({ message, time }) => [message, Number(time! / 1_000_000n)] as const)
  t.ok(new Map(times).get('old')! >= before)
})

t.test('a role that is missing is logged with what to grant, without the words of the backend', async t => {
  const { answer } = subject.cases.find(({ name }) => name === 'an identity without the role')!
  const laid = await lay(t, subject, {}, (_, count) => (count === 1 ? answer : undefined))
  await ship(laid, { lines: ['one'] })
  t.match(said(laid), /grant logging\.logEntries\.create \(roles\/logging\.logWriter\) on project my-project/)
  t.notMatch(said(laid), /may not exist/)
  t.equal(laid.arena.outcome.delivered.lines, 1)
})

t.test('without a word about credentials it is the pod’s own identity, which may write logs and no more', async t => {
  const auth = async (own: object) =>
    (await configured(t, { type: 'google_cloud_logging', project: 'p123', ...own })).delivery.auth
  const scopes = ['https://www.googleapis.com/auth/logging.write']
  t.same(await auth({}), { google: { scopes } })
  t.same(await auth({ auth: { google: { credentialsFile: '/key.json' } } }), {
    google: { scopes, credentialsFile: '/key.json' },
  })
  t.same(await auth({ auth: { google: { scopes: ['other'] } } }), { google: { scopes: ['other'] } })
  t.same(await auth({ auth: { bearer: 'x' } }), { bearer: 'x' })
  t.same(await auth({ headers: { Authorization: 'Bearer x' } }), undefined)
})

t.test('a project, a log and a resource that are none are refused', async t => {
  for (const own of [
    { project: 'My Project' },
    { log: 'a b' },
    { resource: { type: '' } },
    { cluster: { name: 'x' } },
  ]) {
    await t.rejects(configured(t, { type: 'google_cloud_logging', project: 'p123', ...own }), Object.keys(own).join())
  }
})
