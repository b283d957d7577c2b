/** A real API server takes everything in k8s/, strictly and in a restricted namespace, and injects the sidecar. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { stringify } from 'yaml'
import { ApiServer, withoutApiServer } from './apiserver.ts'
import { type PodSpec, pods, type Resource, ROOT, render, shipperOf, withoutKubectl } from './render.ts'

const without = withoutKubectl() ?? withoutApiServer()
if (without !== undefined) {
  t.plan(0, `SKIP ${without}`)
  process.exit(0)
}

const server = await ApiServer.start(t)
t.comment(`kube-apiserver ${server.version}`)

for (const [name, level] of Object.entries({ restricted: 'restricted', open: 'privileged' })) {
  const labels = { 'pod-security.kubernetes.io/enforce': level }
  server.kubectl(
    ['create', '-f', '-'],
    JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } }),
  )
}

/** As the server would keep it, defaults and mutations included. */
function create(resource: object, namespace: string, ...options: string[]): Resource {
  const args = ['create', '--namespace', namespace, '--validate=strict', '--output=json', ...options, '-f', '-']
  return JSON.parse(server.kubectl(args, JSON.stringify(resource))) as Resource
}

function pod(name: string, annotations: Record<string, string>, spec: Partial<PodSpec> = {}): object {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, annotations },
    spec: {
      automountServiceAccountToken: false,
      containers: [{ name: 'app', image: 'busybox:1.37', volumeMounts: [{ name: 'logs', mountPath: '/data' }] }],
      volumes: [{ name: 'logs', emptyDir: {} }],
      ...spec,
    },
  }
}

/** Kinds of which this server has no definition. */
const CUSTOM = ['PodMonitor', 'PrometheusRule', 'Rollout']

t.test('every resource is taken by strict validation, and every example by a restricted namespace', t => {
  const examples = readdirSync(join(ROOT, 'k8s/examples')).map(name => `k8s/examples/${name}`)
  for (const overlay of [...examples, 'test/k8s/every-kind']) {
    const plain = overlay.includes('/tail') || overlay.startsWith('test')
    const namespace = plain ? 'open' : 'restricted'
    const resources = render(overlay).filter(({ kind }) => !CUSTOM.includes(kind))
    for (const resource of resources) {
      t.doesNotThrow(() => create(resource, namespace, '--dry-run=server'), `${overlay}: ${resource.kind}`)
    }
    // A workload in a restricted namespace is only warned of; the pods themselves are refused.
    for (const [index, planned] of pods(resources).entries()) {
      const { metadata, spec, claims } = planned
      const volumes = [...(spec.volumes ?? []), ...claims.map(name => ({ name, emptyDir: {} }))]
      const resource = {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { ...metadata, name: `pod-${index}` },
        spec: { ...spec, volumes },
      }
      t.doesNotThrow(
        () => create(resource, namespace, '--dry-run=server'),
        `${overlay}: the pod of ${planned.owner.kind}`,
      )
    }
  }
  t.throws(() => create(pod('not-restricted', {}), 'restricted', '--dry-run=server'), /violates PodSecurity/)
  t.throws(() => create({ ...pod('misspelt', {}), sepc: {} }, 'open', '--dry-run=server'), /unknown field "sepc"/)
  t.end()
})

t.test('the policy injects the sidecar into pods that ask for it', async t => {
  server.kubectl(
    ['apply', '-f', '-'],
    render('k8s/inject')
      .map(resource => stringify(resource))
      .join('---\n'),
  )
  // The server takes a moment to compile it.
  const asks = { 'logshipper.io/inject': 'true' }
  for (let tries = 0; !shipperOf(planned(create(pod('probe', asks), 'open', '--dry-run=server'))); tries++) {
    t.ok(tries < 60, 'in force within half a minute')
    if (tries >= 60) return
    await sleep(500)
  }
  const status = JSON.parse(server.kubectl(['get', 'mutatingadmissionpolicy', 'logshipper.io', '--output=json'])) as {
    status?: { typeChecking?: { expressionWarnings?: unknown } }
  }
  t.equal(status.status?.typeChecking?.expressionWarnings, undefined)

  await t.test('in front of its init containers, with everything that the component gives', t => {
    const migrate = { name: 'migrate', image: 'busybox:1.37' }
    const { spec, metadata } = planned(create(pod('whole', asks, { initContainers: [migrate] }), 'open'))
    t.strictSame(
      spec.initContainers!.map(({ name }) => name),
      ['logshipper', 'migrate'],
    )
    const ours = pods(render('test/k8s/every-kind').filter(({ kind }) => kind === 'Deployment'))[0]!
    const expected = shipperOf(ours)!
    t.match(shipperOf({ ...ours, spec }), { ...expected, env: [{}, ...expected.env!.slice(0, 1)] })
    t.match(spec.volumes, [{ name: 'logs' }, ...ours.spec.volumes!.slice(0, 2)])
    t.equal(spec.securityContext?.['fsGroup'], 65532)
    t.match(metadata.labels, { 'logshipper.io/shipper': 'sidecar' })
    t.match(value(spec, 'LOGSHIPPER_DRAIN_GRACE_PERIOD'), '30s')
    t.end()
  })

  await t.test('and keeps what the pod says: volume, paths, group, grace, labels, no startup probe in a Job', t => {
    const said = { ...asks, 'logshipper.io/volume': 'data', 'logshipper.io/paths': '/var/log/app/*.txt' }
    const mounted = { containers: [{ name: 'app', image: 'busybox:1.37' }], volumes: [{ name: 'data', emptyDir: {} }] }
    const own = { securityContext: { fsGroup: 1000 }, terminationGracePeriodSeconds: 75, restartPolicy: 'Never' }
    const created = planned(create(pod('own', said, { ...mounted, ...own }), 'open'))
    const shipper = shipperOf(created)!
    t.equal(shipper.startupProbe, undefined)
    t.match(shipper.volumeMounts, [{ name: 'data', mountPath: '/var/log/app' }])
    t.equal(value(created.spec, 'LOGSHIPPER_SOURCE_PATHS'), '/var/log/app/*.txt')
    t.equal(value(created.spec, 'LOGSHIPPER_DRAIN_GRACE_PERIOD'), '75s')
    t.equal(created.spec.securityContext?.['fsGroup'], 1000)
    t.end()
  })

  await t.test('a restricted pod stays restricted, and one without volumes is refused by name', t => {
    const web = pods(render('k8s/examples/web'))[0]!
    const { initContainers: _, volumes: __, ...spec } = web.spec
    const resource = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'restricted', annotations: asks },
      spec: { ...spec, volumes: [{ name: 'logs', emptyDir: {} }] },
    }
    t.ok(shipperOf(planned(create(resource, 'restricted'))))
    const bare = pod('bare', asks, { containers: [{ name: 'app', image: 'busybox:1.37' }], volumes: [] })
    t.throws(() => create(bare, 'open'), /volumeMounts\[0\]\.name: Not found: "logs"/)
    t.end()
  })

  await t.test('others are left alone: no annotation, a shipper of their own, Windows, kube-system', t => {
    const injected = (resource: object, namespace = 'open') =>
      planned(create(resource, namespace, '--dry-run=server')).spec.initContainers?.map(({ name }) => name)
    t.strictSame(injected(pod('silent', {})), undefined)
    t.strictSame(injected(pod('declined', { 'logshipper.io/inject': 'false' })), undefined)
    t.strictSame(injected(pod('windows', asks, { os: { name: 'windows' } })), undefined)
    t.strictSame(injected(pod('system', asks), 'kube-system'), undefined)
    const own = { initContainers: [{ name: 'logshipper', image: 'logshipper:0', restartPolicy: 'Always' }] }
    t.strictSame(injected(pod('twice', asks, own)), ['logshipper'])
    t.end()
  })
})

function planned(resource: Resource) {
  return { ...pods([resource])[0]!, metadata: resource.metadata as { labels?: Record<string, string> } }
}

function value(spec: PodSpec, name: string): string | undefined {
  return spec.initContainers![0]!.env!.find(each => each.name === name)?.value
}
