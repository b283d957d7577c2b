/** What stands in k8s/ is what we say of it: every overlay is rendered, and every pod of it is looked at. */
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import * as z from 'zod/mini'
import { loadConfig } from '../../src/config/load.ts'
import {
  type Container,
  type Planned,
  parseResources,
  pods,
  ROOT,
  render,
  shipperOf,
  withoutKubectl,
} from './render.ts'
import { anyResource } from './schema.ts'

const without = withoutKubectl()
if (without !== undefined) {
  t.plan(0, `SKIP ${without}`)
  process.exit(0)
}

const examples = readdirSync(join(ROOT, 'k8s/examples')).map(name => `k8s/examples/${name}`)
const overlays = [...examples, 'k8s/inject', 'test/k8s/every-kind']
const rendered = new Map(overlays.map(overlay => [overlay, render(overlay)]))
const planned = [...rendered].flatMap(([overlay, resources]) => pods(resources).map(pod => ({ overlay, pod })))
/** Those two show how little is enough, and are not for a restricted namespace. */
const PLAIN = ['k8s/examples/tail', 'k8s/examples/tail-deployment']
const hardened = planned.filter(({ overlay }) => examples.includes(overlay) && !PLAIN.includes(overlay))
const everyKind = pods(rendered.get('test/k8s/every-kind')!)

function containers({ spec }: Planned): Container[] {
  return [...(spec.initContainers ?? []), ...spec.containers]
}

t.test('every resource has only fields that the API knows', t => {
  for (const [overlay, resources] of rendered) {
    t.ok(resources.length > 0, overlay)
    for (const resource of resources) {
      const checked = anyResource.safeParse(resource)
      t.ok(checked.success, `${overlay}: ${resource.kind}${checked.error ? `\n${z.prettifyError(checked.error)}` : ''}`)
    }
  }
  const misspelt = structuredClone(rendered.get('k8s/examples/job')!.find(({ kind }) => kind === 'Job'))
  misspelt!.spec.template.spec.initContainers[0].restartPolcy = 'Always'
  t.notOk(anyResource.safeParse(misspelt).success, 'and a misspelt one is seen')
  t.end()
})

t.test('the shipper is a native sidecar in front of every other init container', t => {
  for (const { overlay, pod } of planned) {
    const shipper = shipperOf(pod)
    if (pod.owner.metadata.name === 'passed-over') {
      t.equal(shipper, undefined, 'but not in a workload that does not want it')
      continue
    }
    t.equal(shipper?.restartPolicy, 'Always', overlay)
    const first = overlay.endsWith('mesh-through') ? 'proxy' : 'logshipper'
    t.equal(pod.spec.initContainers![0]!.name, first, `${overlay}: ${pod.owner.kind}`)
  }
  const cronJob = everyKind.find(({ owner }) => owner.kind === 'CronJob')!
  t.strictSame(
    cronJob.spec.initContainers!.map(({ name }) => name),
    ['logshipper', 'migrate'],
  )
  t.end()
})

t.test('the component gives every kind the same container, and Jobs no startup probe', t => {
  const shippers = everyKind.flatMap(pod => {
    const { startupProbe, ...shipper } = shipperOf(pod) ?? { name: '' }
    if (shipper.name === '') return []
    t.equal(startupProbe === undefined, pod.owner.kind.endsWith('Job'), pod.owner.kind)
    return [shipper]
  })
  t.equal(shippers.length, 5)
  for (const shipper of shippers) t.strictSame(shipper, shippers[0])
  const volumes = everyKind.map(({ spec }) => spec.volumes).filter(volumes => volumes!.length > 1)
  t.equal(volumes.length, 5)
  for (const each of volumes) t.strictSame(each, volumes[0])
  t.end()
})

t.test('the component leaves the rest of a pod alone', t => {
  const untouched = parseResources(readFileSync(join(ROOT, 'test/k8s/every-kind/workloads.yaml'), 'utf8'))
  for (const before of pods(untouched)) {
    const after = everyKind.find(({ owner }) => owner.metadata.name === before.owner.metadata.name)!
    t.strictSame(after.spec.containers, before.spec.containers, before.owner.kind)
    if (before.owner.metadata.name === 'passed-over') {
      t.strictSame(after.spec.initContainers, before.spec.initContainers)
      continue
    }
    t.strictSame(after.spec.initContainers!.slice(1), before.spec.initContainers)
    t.match(after.spec.volumes, [{}, {}, {}, before.spec.volumes![0]!])
  }
  t.end()
})

t.test('the component for OpenShift takes user and group from the shipper, and nothing else of anything', t => {
  const open = pods(render('test/k8s/openshift'))
  t.equal(open.length, everyKind.length)
  for (const before of everyKind) {
    const after = open.find(({ owner }) => owner.metadata.name === before.owner.metadata.name)!
    const wanted = structuredClone(before)
    const context = shipperOf(wanted)?.securityContext as Record<string, unknown> | undefined
    for (const key of ['runAsUser', 'runAsGroup']) {
      t.equal(context?.[key], context && 65532, before.owner.kind)
      delete context?.[key]
    }
    t.strictSame(after.spec, wanted.spec, before.owner.kind)
  }
  t.end()
})

/** The Pod Security Standard `restricted`, for what our pods use of it (kubernetes.io: Pod Security Standards). */
t.test('every pod of an example keeps to the Pod Security Standard restricted', t => {
  const volumes = new Set([
    'name',
    'configMap',
    'downwardAPI',
    'emptyDir',
    'secret',
    'persistentVolumeClaim',
    'projected',
  ])
  t.ok(hardened.length >= 8)
  for (const { overlay, pod } of hardened) {
    const of = pod.spec.securityContext ?? {}
    for (const key of ['hostNetwork', 'hostPID', 'hostIPC']) t.notOk(pod.spec[key], `${overlay}: ${key}`)
    for (const each of pod.spec.volumes ?? [])
      for (const key of Object.keys(each)) t.ok(volumes.has(key), `${overlay}: ${key}`)
    for (const container of containers(pod)) {
      const context = { ...of, ...container.securityContext }
      t.match(
        context,
        {
          runAsNonRoot: true,
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
          seccompProfile: { type: 'RuntimeDefault' },
        },
        `${overlay}: ${container.name}`,
      )
      t.ok((context['runAsUser'] as number) > 0)
      t.equal((container.securityContext as { capabilities: { add?: unknown } }).capabilities.add, undefined)
      t.notOk(context['privileged'])
    }
  }
  // By itself too: in a pod that says nothing about its security, the shipper is restricted all the same.
  const alone = shipperOf(everyKind[0]!)!.securityContext
  t.match(alone, { runAsNonRoot: true, runAsUser: 65532, allowPrivilegeEscalation: false })
  t.match(alone, { capabilities: { drop: ['ALL'] }, seccompProfile: { type: 'RuntimeDefault' } })
  t.end()
})

t.test('the shipper has a user of its own in every pod', t => {
  for (const { overlay, pod } of hardened) {
    const shipper = shipperOf(pod)
    if (!shipper) continue
    const user = ({ securityContext }: Container) =>
      securityContext?.['runAsUser'] ?? pod.spec.securityContext?.['runAsUser']
    for (const other of containers(pod))
      if (other.name !== shipper.name) t.not(user(other), user(shipper), `${overlay}: ${other.name}`)
  }
  t.end()
})

t.test('one reads what the other writes: every volume of logs is shared through a group', t => {
  for (const { overlay, pod } of [...hardened, ...everyKind.map(pod => ({ overlay: 'every kind', pod }))]) {
    if (shipperOf(pod)) t.equal(pod.spec.securityContext?.['fsGroup'], 65532, overlay)
  }
  t.end()
})

t.test('every mount has its volume, none is by subPath, and the application writes where the shipper looks', t => {
  for (const { overlay, pod } of planned) {
    const volumes = new Set([...(pod.spec.volumes ?? []).map(({ name }) => name), ...pod.claims])
    for (const container of containers(pod)) {
      for (const { name, subPath } of container.volumeMounts ?? []) {
        t.ok(volumes.has(name), `${overlay}: ${container.name} mounts ${name}`)
        t.equal(subPath, undefined)
      }
    }
    const mounted = (each: Container | undefined) => new Set((each?.volumeMounts ?? []).map(({ name }) => name))
    const shared = [...mounted(shipperOf(pod))].filter(name => mounted(pod.spec.containers[0]).has(name))
    if (shipperOf(pod)) t.equal(shared.length, 1, `${overlay}: ${shared.join()}`)
    for (const { emptyDir } of pod.spec.volumes ?? []) {
      if (emptyDir && hardened.some(each => each.pod === pod))
        t.ok((emptyDir as { sizeLimit?: string }).sizeLimit, overlay)
    }
  }
  t.end()
})

t.test('probes, hook and monitor ask the port that there is for pages that there are', t => {
  const served = readFileSync(join(ROOT, 'src/server/probes.ts'), 'utf8')
  for (const { overlay, pod } of [...hardened, { overlay: 'every kind', pod: everyKind[0]! }]) {
    const shipper = shipperOf(pod)!
    t.strictSame(shipper.ports, [{ name: 'logshipper', containerPort: 9614 }])
    const asked = [...JSON.stringify(shipper).matchAll(/"httpGet":\{"path":"(\/\w+)","port":"(\w+)"/g)]
    t.equal(asked.length, shipper.startupProbe ? 3 : 2, overlay)
    for (const [, path, port] of asked) {
      t.ok(served.includes(`case '${path}'`), path!)
      t.equal(port, 'logshipper')
    }
    t.match(shipper, {
      lifecycle: { preStop: { exec: { command: ['logshipper', 'prestop'] } } },
      livenessProbe: { httpGet: { path: '/livez' } },
      readinessProbe: { httpGet: { path: '/readyz' } },
      resources: { requests: { memory: '64Mi' }, limits: { memory: '128Mi' } },
    })
    t.notMatch(shipper, { resources: { limits: { cpu: /./ } } })
    t.equal(pod.metadata.labels?.['logshipper.io/shipper'], 'sidecar')
  }
  const resources = rendered.get('test/k8s/every-kind')!
  const monitor = resources.find(({ kind }) => kind === 'PodMonitor')!.spec
  t.match(monitor, {
    selector: { matchLabels: { 'logshipper.io/shipper': 'sidecar' } },
    podMetricsEndpoints: [{ port: 'logshipper', path: '/metrics' }],
  })
  const policy = resources.find(({ kind }) => kind === 'NetworkPolicy')!.spec
  t.strictSame(policy.podSelector, { matchLabels: { 'logshipper.io/shipper': 'sidecar' } })
  t.strictSame(policy.ingress[0].ports, [{ protocol: 'TCP', port: 9614 }])
  for (const { metadata, owner } of everyKind.filter(shipperOf)) {
    t.match(metadata.annotations, { 'prometheus.io/port': '9614', 'prometheus.io/path': '/metrics' }, owner.kind)
  }
  t.end()
})

t.test('the pod’s identity comes from the Downward API', t => {
  const fields = Object.fromEntries(
    shipperOf(everyKind[0]!)!.env!.flatMap(({ name, valueFrom }) =>
      valueFrom ? [[name, (valueFrom as { fieldRef: { fieldPath: string } }).fieldRef.fieldPath]] : [],
    ),
  )
  t.strictSame(fields, {
    LOGSHIPPER_POD_NAMESPACE: 'metadata.namespace',
    LOGSHIPPER_POD_NAME: 'metadata.name',
    LOGSHIPPER_POD_UID: 'metadata.uid',
    LOGSHIPPER_POD_NODE: 'spec.nodeName',
    LOGSHIPPER_POD_SERVICE_ACCOUNT: 'spec.serviceAccountName',
  })
  const podinfo = everyKind[0]!.spec.volumes!.find(({ name }) => name === 'logshipper-podinfo')!['downwardAPI']
  t.match(podinfo, { items: [{ path: 'labels' }, { path: 'annotations' }] })
  t.end()
})

t.test('the grace period that the shipper counts with is the pod’s', t => {
  for (const { overlay, pod } of hardened) {
    const said = shipperOf(pod)!.env!.find(({ name }) => name === 'LOGSHIPPER_DRAIN_GRACE_PERIOD')?.value ?? '30s'
    t.equal(said, `${pod.spec.terminationGracePeriodSeconds}s`, overlay)
  }
  t.end()
})

t.test('a Rollout takes its pods from a Deployment of the overlay that has none of its own', t => {
  const resources = rendered.get('k8s/examples/rollout')!
  const { workloadRef, replicas } = resources.find(({ kind }) => kind === 'Rollout')!.spec
  const deployment = resources.find(
    ({ kind, metadata }) => kind === workloadRef.kind && metadata.name === workloadRef.name,
  )
  t.equal(deployment?.spec.replicas, 0)
  t.ok(replicas > 0)
  t.end()
})

t.test('what a Job does about exit codes is about those of its application', t => {
  const job = rendered.get('k8s/examples/job-pod-failure-policy')!.find(({ kind }) => kind === 'Job')!.spec
  const [rule] = job.podFailurePolicy.rules
  t.equal(job.template.spec.restartPolicy, 'Never', 'it may have such a policy')
  t.strictSame(
    job.template.spec.containers.map(({ name }: Container) => name),
    [rule.onExitCodes.containerName],
  )
  t.end()
})

t.test('the configuration of every example is valid, and follows what is mounted', async t => {
  const directory = mkdtempSync(join(tmpdir(), 'logshipper-manifests-'))
  const file = join(directory, 'config.yaml')
  for (const { overlay, pod } of planned.filter(({ overlay }) => examples.includes(overlay))) {
    const shipper = shipperOf(pod)!
    const configMap = rendered.get(overlay)!.find(({ kind }) => kind === 'ConfigMap')
    if (configMap) writeFileSync(file, configMap.data!['config.yaml']!)
    // Who the pod is says nothing about the configuration.
    const settings = shipper.env ?? []
    const loaded = await loadConfig({
      ...(configMap && { file }),
      paths: (shipper['args'] as string[] | undefined) ?? [],
      env: Object.fromEntries(settings.map(({ name, value }) => [name, value])),
      cwd: '/',
      defaultFile: join(directory, 'none'),
    })
    t.equal(loaded.kind, 'ok', `${overlay}: ${JSON.stringify(loaded)}`)
    if (loaded.kind !== 'ok') continue
    const mounts = shipper.volumeMounts!.map(({ mountPath }) => `${mountPath}/`)
    const below = (path: string) => mounts.some(mount => path.startsWith(mount))
    for (const { paths } of loaded.config.sources) for (const path of paths) t.ok(below(path), `${overlay}: ${path}`)
    const dir = loaded.config.state.dir
    if (configMap) t.ok(dir && (below(dir) || mounts.includes(`${dir}/`)), `${overlay}: ${dir}`)
  }
})

t.test('the plain ones are as short as we say', t => {
  const pod = readFileSync(join(ROOT, 'k8s/examples/tail/pod.yaml'), 'utf8')
  t.equal(pod.trim().split('\n').length, 10)
  const documented = pods(rendered.get('k8s/examples/tail-deployment')!)[0]!.spec
  t.strictSame(documented.initContainers, [
    {
      name: 'logshipper',
      image: 'logshipper:0.1.0',
      restartPolicy: 'Always',
      args: ['/opt/logs.txt'],
      volumeMounts: [{ name: 'data', mountPath: '/opt' }],
    },
  ])
  t.end()
})

t.test('the injected container is the component’s', t => {
  const policy = rendered.get('k8s/inject')!.find(({ kind }) => kind === 'MutatingAdmissionPolicy')!.spec
  const mutations = policy.mutations.map((each: { jsonPatch: { expression: string } }) => each.jsonPatch.expression)
  const injected = constructed(mutations[0], 'Object.spec.initContainers')[0] as Container
  const deployment = everyKind.find(({ owner }) => owner.kind === 'Deployment')!
  const { startupProbe, env, ...ours } = shipperOf(deployment)!
  const { env: settings, envFrom, ...theirs } = injected
  t.strictSame(theirs, ours)
  t.strictSame(
    settings!.filter(({ name }) => !['LOGSHIPPER_SOURCE_PATHS', 'LOGSHIPPER_DRAIN_GRACE_PERIOD'].includes(name)),
    env,
  )
  t.strictSame(envFrom, [{ secretRef: { name: 'logshipper', optional: true } }])
  t.strictSame(constructed(mutations[0], 'Object.spec.initContainers.startupProbe'), [startupProbe])
  t.strictSame(constructed(mutations[1], 'Object.spec.volumes'), deployment.spec.volumes!.slice(0, 3))
  t.end()
})

/**
 * Every value that a patch of `expression` constructs with `type`, outermost only. CEL writes such constructions as
 * JavaScript writes object literals, but for the names of the types.
 */
function constructed(expression: string, type: string): unknown[] {
  const found: unknown[] = []
  for (let from = 0; ; ) {
    const begin = /value:\s*$/
    const at = expression.indexOf(`${type}{`, from)
    if (at === -1) return found
    from = at + 1
    if (!begin.test(expression.slice(0, at))) continue
    let [end, depth] = [at + type.length, 0]
    do {
      if (expression[end] === '{') depth++
      if (expression[end] === '}') depth--
      end++
    } while (depth > 0)
    const literal = expression.slice(at, end).replace(/\bObject(\.\w+)*\{/g, '{')
    const variables = { image: 'logshipper:0.1.0', volume: 'logs', paths: '/var/log/app/**/*.log', grace: '30s' }
    found.push(new Function('variables', `return (${literal})`)(variables))
  }
}
