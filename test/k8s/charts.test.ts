/** The charts render what the kustomize component renders, and refuse values that mean nothing. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { parse } from 'yaml'
import { loadConfig } from '../../src/config/load.ts'
import { examine } from '../../src/manifest/doctor/examine.ts'
import { readManifest } from '../../src/manifest/manifest.ts'
import { VERSION } from '../../src/version.ts'
import { OTHERS, paths } from '../docs/installs.ts'
import { charts, helm, template, valuesOf, withoutHelm } from './helm.ts'
import { type Planned, pods, type Resource, ROOT, render, shipperOf, withoutKubectl } from './render.ts'
import { anyResource } from './schema.ts'

const CHARTS = join(ROOT, 'k8s/charts')
const names = readdirSync(CHARTS, { withFileTypes: true })
  .filter(each => each.isDirectory())
  .map(({ name }) => name)

t.test('every chart says what it is, for which clusters, and from where', t => {
  for (const name of names.filter(each => each !== 'example')) {
    const chart = parse(readFileSync(join(CHARTS, name, 'Chart.yaml'), 'utf8'))
    t.match(chart, {
      apiVersion: 'v2',
      name,
      version: VERSION,
      appVersion: VERSION,
      kubeVersion: /^>=1\.\d+\.0-0$/,
      home: /^https:/,
      sources: [/^https:/],
      annotations: { 'artifacthub.io/license': 'Apache-2.0' },
    })
    t.ok(chart.description.length > 20, name)
    const schema = JSON.parse(readFileSync(join(CHARTS, name, 'values.schema.json'), 'utf8'))
    const values = parse(readFileSync(join(CHARTS, name, 'values.yaml'), 'utf8'))
    t.equal(schema.additionalProperties, false, 'a misspelt value is refused')
    const { global: _, ...properties } = schema.properties
    t.strictSame(Object.keys(properties), Object.keys(values), `${name}: every value has its form, in the same order`)
  }
  const template = readFileSync(join(CHARTS, 'logshipper/templates/_logshipper.tpl'), 'utf8')
  t.match(template, `{{- define "logshipper.version" -}}${VERSION}{{- end -}}`)
  t.end()
})

t.test('the form of the values takes the defaults, and refuses what means nothing', t => {
  for (const name of names.filter(each => each !== 'example')) {
    const schema = valuesOf(name)
    t.ok(schema.safeParse(parse(readFileSync(join(CHARTS, name, 'values.yaml'), 'utf8'))).success, name)
    for (const wrong of [
      { imag: {} },
      { image: { digest: 'sha256:12' } },
      { platform: 'windows' },
      { resources: { limits: { memory: 'much' } } },
    ])
      t.notOk(schema.safeParse(wrong).success, `${name}: ${JSON.stringify(wrong)}`)
  }
  t.end()
})

t.test(
  'values for other charts name what their templates take, and hold the component',
  { skip: withoutKubectl() ?? false },
  t => {
    const component = podOf(render('test/k8s/every-kind'), 'Deployment')
    for (const [name, keys] of Object.entries(OTHERS)) {
      const values = parse(readFileSync(join(ROOT, `k8s/values/${name}.yaml`), 'utf8'))
      t.strictSame(paths(values), keys, name)
      const at = (ending: RegExp) =>
        keys
          .find(key => ending.test(key))!
          .split('.')
          .reduce((tree, step) => tree[step], values)
      const [{ env, ...shipper }] = at(/initContainers$/i)
      const { env: expected, ...rest } = shipperOf(component)!
      t.strictSame(shipper, rest, name)
      t.strictSame(
        env.filter((each: { name: string }) => each.name !== 'LOGSHIPPER_DRAIN_GRACE_PERIOD'),
        expected,
      )
      const volumes = at(/volumes$/i)
      t.strictSame(volumes.slice(0, 3), component.spec.volumes!.slice(0, 3), name)
      t.strictSame(volumes[3].name, at(/mounts$/i)[0].name, 'and the volume that both mount')
      t.strictSame(at(/podLabels$/), { 'logshipper.io/shipper': 'sidecar' })
    }
    t.strictSame(
      Object.keys(OTHERS).sort(),
      readdirSync(join(ROOT, 'k8s/values'))
        .map(file => file.replace('.yaml', ''))
        .sort(),
    )
    t.end()
  },
)

const without = withoutHelm()
const skip = without ?? false
const skipBoth = withoutHelm() ?? withoutKubectl() ?? false
const directory = without === undefined ? charts() : ''
const example = join(directory, 'example')

t.test('helm lint finds nothing in them', { skip }, t => {
  for (const name of names) {
    const { status, stdout, stderr } = helm('lint', '--strict', join(directory, name))
    t.equal(status, 0, `${name}: ${stdout}${stderr}`)
  }
  t.end()
})

t.test('the dependency of the example is the chart beside it', { skip }, t => {
  const copy = charts()
  const { status, stdout, stderr } = helm('dependency', 'build', '--skip-refresh', join(copy, 'example'))
  t.equal(status, 0, stdout + stderr)
  t.ok(readdirSync(join(copy, 'example/charts')).includes(`logshipper-${VERSION}.tgz`))
  t.end()
})

/** By what it is; the rest of a resource is compared. */
const of = (resources: readonly Resource[], kind: string) => resources.find(each => each.kind === kind)!

t.test('the example is k8s/examples/web, resource by resource', { skip: skipBoth }, t => {
  const [helms, kustomizes] = [template(example), render('k8s/examples/web')]
  t.strictSame(helms.map(({ kind }) => kind).sort(), ['ConfigMap', 'Deployment'])
  const { annotations, ...metadata } = of(helms, 'Deployment').spec.template.metadata
  t.equal(annotations, null)
  const expected = of(kustomizes, 'Deployment')
  t.strictSame(metadata, expected.spec.template.metadata)
  t.strictSame(of(helms, 'Deployment').spec.template.spec, expected.spec.template.spec)
  t.strictSame(of(helms, 'Deployment').metadata, expected.metadata)
  t.strictSame(
    parse(of(helms, 'ConfigMap').data!['config.yaml']!),
    parse(of(kustomizes, 'ConfigMap').data!['config.yaml']!),
  )
  t.strictSame(of(helms, 'ConfigMap').metadata, of(kustomizes, 'ConfigMap').metadata)
  t.end()
})

/** A chart with one pod template for each word of `kinds`, which include everything with `values` of their own. */
function ofKinds(kinds: Readonly<Record<string, string>>): string {
  const chart = join(charts(), 'example')
  for (const file of ['deployment', 'config-map']) writeFileSync(join(chart, `templates/${file}.yaml`), '')
  mkdirSync(join(chart, 'templates/kinds'), { recursive: true })
  for (const [kind, values] of Object.entries(kinds)) {
    const apiVersion = kind === 'Job' ? 'batch/v1' : 'apps/v1'
    const context = values === '' ? '.' : `(dict "context" $ "values" (${values}))`
    const part = (name: string, by: number) => `{{- include "logshipper.${name}" ${context} | nindent ${by} }}`
    writeFileSync(
      join(chart, `templates/kinds/${kind}.yaml`),
      `apiVersion: ${apiVersion}
kind: ${kind}
metadata: { name: ${kind.toLowerCase()} }
spec:
  template:
    metadata:
      labels:
        app: web
        ${part('labels', 8)}
      annotations:
        kept: "yes"
        ${part('annotations', 8)}
    spec:
      securityContext:
        ${part('podSecurityContext', 8)}
      initContainers:
        ${part('container', 8)}
        - { name: migrate, image: "busybox:1.37" }
      containers: [{ name: app, image: "busybox:1.37", volumeMounts: [{ name: logs, mountPath: /data }] }]
      volumes:
        ${part('volumes', 8)}
        - { name: logs, emptyDir: { sizeLimit: 1Gi } }
`,
    )
  }
  return chart
}

function podOf(resources: readonly Resource[], kind: string): Planned {
  return pods(resources).find(({ owner }) => owner.kind === kind)!
}

t.test(
  'container, volumes, labels and group are the component’s, with and without a startup probe',
  { skip: skipBoth },
  t => {
    const chart = ofKinds({ Deployment: '', Job: 'dict "startupProbe" false "scrapeAnnotations" true' })
    const helms = template(chart)
    const component = render('test/k8s/every-kind')
    for (const kind of ['Deployment', 'Job']) {
      const [ours, theirs] = [podOf(helms, kind), podOf(component, kind)]
      t.strictSame(shipperOf(ours), shipperOf(theirs), kind)
      t.strictSame(ours.spec.volumes!.slice(0, 3), theirs.spec.volumes!.slice(0, 3), kind)
      t.strictSame(ours.spec.securityContext, theirs.spec.securityContext, kind)
      t.equal(ours.spec.initContainers![0]!.name, 'logshipper')
      t.equal(ours.metadata.labels!['logshipper.io/shipper'], 'sidecar')
    }
    const { kept, ...scraped } = podOf(helms, 'Job').metadata.annotations!
    t.strictSame(scraped, podOf(component, 'Job').metadata.annotations, 'as monitoring/annotations')
    t.strictSame(podOf(helms, 'Deployment').metadata.annotations, { kept })
    for (const each of helms) t.strictSame(anyResource.safeParse(withSelector(each)).error?.issues ?? [], [], each.kind)
    t.end()
  },
)

/** What this test's own workloads leave out. */
function withSelector(resource: Resource): Resource {
  return resource.kind === 'Job' ? resource : { ...resource, spec: { ...resource.spec, selector: {} } }
}

t.test('values are where they belong', { skip }, async t => {
  const chart = ofKinds({ Deployment: '' })
  const values = {
    image: { repository: 'registry.example.com/logshipper', digest: `sha256:${'0'.repeat(64)}`, pullPolicy: 'Always' },
    volume: 'data',
    paths: ['/var/log/app/*.log', '/var/log/app/**/*.txt'],
    configMap: 'of-this-application',
    secret: 'credentials',
    env: [{ name: 'LOGSHIPPER_LOG_LEVEL', value: 'debug' }],
    terminationGracePeriodSeconds: 75,
    state: { sizeLimit: '5Gi' },
    resources: { requests: { cpu: '50m', memory: '128Mi' }, limits: { memory: '256Mi' } },
    config: { memory: { budget: 1048576 * 16 } },
  }
  const file = join(chart, 'ours.json')
  writeFileSync(file, JSON.stringify({ logshipper: values }))
  const pod = podOf(template(chart, '--values', file), 'Deployment')
  const shipper = shipperOf(pod)!
  t.match(shipper, {
    image: `registry.example.com/logshipper:${VERSION}@${values.image.digest}`,
    imagePullPolicy: 'Always',
    envFrom: [{ secretRef: { name: 'credentials', optional: true } }],
    resources: values.resources,
  })
  const env = new Map(shipper.env!.map(({ name, value }) => [name, value]))
  t.equal(env.get('LOGSHIPPER_SOURCE_PATHS'), values.paths.join())
  t.equal(env.get('LOGSHIPPER_DRAIN_GRACE_PERIOD'), '75s')
  t.equal(env.get('LOGSHIPPER_LOG_LEVEL'), 'debug')
  t.match(shipper.volumeMounts, [{ name: 'data', mountPath: '/var/log/app' }])
  t.match(pod.spec.volumes, [{ configMap: { name: 'of-this-application' } }, { emptyDir: { sizeLimit: '5Gi' } }])

  const claimed = podOf(template(chart, '--set', 'logshipper.state.volume=offsets'), 'Deployment')
  t.match(shipperOf(claimed)!.volumeMounts![1], { name: 'offsets', mountPath: '/var/lib/logshipper' })
  t.strictSame(
    claimed.spec.volumes!.map(({ name }) => name),
    ['logshipper-config', 'logshipper-podinfo', 'logs'],
  )

  const off = podOf(template(chart, '--set', 'logshipper.enabled=false'), 'Deployment')
  t.strictSame(
    off.spec.initContainers!.map(({ name }) => name),
    ['migrate'],
    'switched off, nothing is left of it',
  )
  t.strictSame(
    off.spec.volumes!.map(({ name }) => name),
    ['logs'],
  )
  t.strictSame(off.metadata.labels, { app: 'web' })
  t.equal(off.spec.securityContext, null)
})

t.test('on OpenShift the range of the namespace decides on user, group and fsGroup', { skip }, t => {
  const pod = podOf(template(example, '--set', 'logshipper.platform=openshift'), 'Deployment')
  const { securityContext } = shipperOf(pod)!
  t.equal(securityContext!['runAsNonRoot'], true)
  for (const key of ['runAsUser', 'runAsGroup']) t.notOk(key in securityContext!, key)
  t.notOk('fsGroup' in pod.spec.securityContext!)
  t.end()
})

/** Helm 3 and 4 write the place of a value each in their way. */
t.test('values that mean nothing are refused, with their place', { skip }, t => {
  const wrong: readonly (readonly [string, RegExp])[] = [
    ['logshipper.platfrom=openshift', /platfrom/],
    ['logshipper.platform=windows', /platform/],
    ['logshipper.image.digest=sha256:12', /image[/.]digest/],
    ['logshipper.image.repositry=x', /repositry/],
    ['logshipper.volume=Logs', /volume/],
    ['logshipper.paths[0]=/opt/app.log', /paths[/.]0/],
    ['logshipper.terminationGracePeriodSeconds=soon', /terminationGracePeriodSeconds/],
    ['logshipper.state.sizeLimit=lots', /state[/.]sizeLimit/],
    ['logshipper.enabled=maybe', /enabled/],
  ]
  for (const [value, place] of wrong) {
    const { status, stderr } = helm('template', 'web', example, '--set', value)
    t.not(status, 0, value)
    t.match(stderr, place, value)
  }
  const old = helm('template', 'web', example, '--kube-version', '1.28.0')
  t.not(old.status, 0, 'and so is a cluster without native sidecars')
  t.match(old.stderr, /1\.29/)
  t.end()
})

t.test(
  'the configuration of the values is one that the shipper reads, numbers and text included',
  { skip },
  async t => {
    const file = join(charts(), 'config.yaml')
    const read = async (...args: string[]) => {
      writeFileSync(file, of(template(example, ...args), 'ConfigMap').data!['config.yaml']!)
      return loadConfig({ file, env: {}, cwd: '/' })
    }
    const loaded = await read('--set', 'logshipper.config.memory.budget=16777216')
    t.equal(loaded.kind, 'ok', JSON.stringify(loaded))
    if (loaded.kind === 'ok') t.equal(loaded.config.memory.budget, 16777216)
    const text = join(charts(), 'text.yaml')
    writeFileSync(
      text,
      `sources: [{ name: a, paths: ["/var/log/app/a.log"] }]\nbackends: [{ type: stdout }] # as it is\n`,
    )
    const set = await read('--set-file', `logshipper.config=${text}`)
    t.equal(set.kind, 'ok', JSON.stringify(set))
    t.match(readFileSync(file, 'utf8'), '# as it is')
  },
)

t.test('a dependency under another name is refused, and why', { skip }, t => {
  const chart = join(charts(), 'example')
  const file = join(chart, 'Chart.yaml')
  writeFileSync(file, `${readFileSync(file, 'utf8').trimEnd()}\n    alias: shipper\n`)
  const { status, stderr } = helm('template', 'web', chart)
  t.not(status, 0)
  t.match(stderr, 'without an alias')
  t.end()
})

t.test('the doctor finds nothing to mend in what is rendered', { skip }, async t => {
  const { stdout } = helm('template', 'web', example)
  const read = await readManifest('web.yaml', stdout)
  t.equal(read.kind, 'read', JSON.stringify(read))
  if (read.kind === 'read') t.strictSame(examine(read.manifest, { drainSeconds: undefined }), [])
})
