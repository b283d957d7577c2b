/** The chart of the injector renders the policy of k8s/inject, and says what a cluster lacks for it. */
import { cpSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { loadConfig } from '../../src/config/load.ts'
import { dashboard } from './dashboard.ts'
import { charts, helm, template, withoutHelm } from './helm.ts'
import { type Resource, render, withoutKubectl } from './render.ts'
import { resource } from './rules.ts'
import { anyResource } from './schema.ts'

const without = withoutHelm()
const skip = without ?? false
const skipBoth = withoutHelm() ?? withoutKubectl() ?? false
const chart = without === undefined ? join(charts(), 'logshipper-injector') : ''
const CLUSTER = ['--kube-version', '1.36.0']

const rendered = (...args: string[]) => template(chart, ...CLUSTER, ...args)
const of = (resources: readonly Resource[], kind: string) => resources.find(each => each.kind === kind)!
const POLICY = 'MutatingAdmissionPolicy'

function mutations(resources: readonly Resource[]): string[] {
  const each = of(resources, POLICY).spec.mutations as { jsonPatch: { expression: string } }[]
  return each.map(({ jsonPatch }) => jsonPatch.expression)
}

t.test('policy and binding are those of k8s/inject', { skip: skipBoth }, t => {
  const [helms, kustomizes] = [rendered(), render('k8s/inject')]
  t.strictSame(helms.map(({ kind }) => kind).sort(), kustomizes.map(({ kind }) => kind).sort())
  for (const { apiVersion, kind, metadata, spec } of kustomizes) {
    const ours = of(helms, kind)
    t.equal(ours.apiVersion, apiVersion)
    t.equal(ours.metadata.name, metadata.name)
    t.strictSame(spaced(ours.spec), spaced(spec), kind)
    t.strictSame(anyResource.safeParse(ours).error?.issues ?? [], [], kind)
  }
  t.end()
})

/** CEL does not care how a line is broken, and the writers of YAML break them each in their way. */
function spaced(spec: unknown): unknown {
  return JSON.parse(
    JSON.stringify(spec, (_, value) => (typeof value === 'string' ? value.replace(/\s+/g, ' ') : value)),
  )
}

t.test('values are where they belong', { skip }, t => {
  const values = {
    image: { repository: 'registry.example.com/logshipper', tag: '1.2.3', digest: `sha256:${'0'.repeat(64)}` },
    policy: {
      failurePolicy: 'Ignore',
      excludedNamespaces: ['kube-system', 'gatekeeper'],
      namespaceSelector: { matchLabels: { logs: 'yes' }, matchExpressions: [{ key: 'team', operator: 'Exists' }] },
    },
    defaults: { volume: 'data', paths: '/var/log/app/{a,b}.log' },
    configMap: 'log-shipping',
    secret: 'log-credentials',
    resources: { requests: { memory: '128Mi' }, limits: { memory: '256Mi', cpu: '1' } },
  }
  const file = join(charts(), 'ours.json')
  writeFileSync(file, JSON.stringify(values))
  const resources = rendered('--values', file)
  const { spec } = of(resources, POLICY)
  t.equal(spec.failurePolicy, 'Ignore')
  const variables = Object.fromEntries(
    spec.variables.map(({ name, expression }: { name: string; expression: string }) => [name, expression]),
  )
  t.equal(variables.image, `'registry.example.com/logshipper:1.2.3@${values.image.digest}'`)
  t.match(variables.volume, `orValue('data')`)
  t.match(variables.paths, `orValue('/var/log/app/{a,b}.log')`)
  const [container, volumes] = mutations(resources)
  t.match(container, `secretRef{name: 'log-credentials', optional: true}`)
  t.match(container, `requests: {'cpu': '10m', 'memory': '128Mi'},`)
  t.match(container, `limits: {'cpu': '1', 'memory': '256Mi'}`)
  t.match(volumes, `configMap{name: 'log-shipping', optional: true}`)
  t.strictSame(of(resources, `${POLICY}Binding`).spec.matchResources.namespaceSelector, {
    matchLabels: { logs: 'yes' },
    matchExpressions: [
      { key: 'kubernetes.io/metadata.name', operator: 'NotIn', values: ['kube-system', 'gatekeeper'] },
      { key: 'team', operator: 'Exists' },
    ],
  })
  t.end()
})

t.test('on OpenShift it sets no user, no group and no fsGroup', { skip }, t => {
  const [plain, open] = [mutations(rendered()), mutations(rendered('--set', 'platform=openshift'))]
  t.equal(open.length, plain.length - 1)
  for (const word of ['runAsUser', 'runAsGroup', 'fsGroup']) {
    t.match(plain.join(), word)
    t.notMatch(open.join(), word)
  }
  t.match(open.join(), 'runAsNonRoot: true')
  t.end()
})

t.test('a cluster without the policy is told what to do, and gets the rest if asked to', { skip }, t => {
  const old = ['--kube-version', '1.33.4']
  const { status, stderr } = helm('template', 'web', chart, ...old)
  t.not(status, 0)
  for (const part of ['1.33.4', 'policy.enabled=false', 'k8s/component', 'logshipper inject']) t.match(stderr, part)
  const rest = ['--set', 'policy.enabled=false', '--set', 'podMonitor.enabled=true']
  t.strictSame(
    template(chart, ...old, ...rest).map(({ kind }) => kind),
    ['PodMonitor'],
  )
  const gated = ['--api-versions', `admissionregistration.k8s.io/v1beta1/${POLICY}`]
  const versions = (...args: string[]) => template(chart, ...args).map(({ apiVersion }) => apiVersion)
  const beta = 'admissionregistration.k8s.io/v1beta1'
  t.strictSame(versions('--kube-version', '1.34.0', ...gated), [beta, beta], 'or the beta, where the gate is open')
  t.strictSame(versions(...old, '--set', 'policy.apiVersion=v1beta1'), [beta, beta], 'or what is asked for')
  t.end()
})

t.test('each namespace that is named gets its configuration', { skip }, async t => {
  const config = { sources: [{ name: 'a', paths: ['/var/log/app/a.log'] }], backends: [{ type: 'stdout' }] }
  const directory = charts()
  const values = join(directory, 'ours.json')
  const text = '# by hand\nbackends: [{ type: stdout }]\nsources: [{ name: b, paths: ["/var/log/app/b.log"] }]\n'
  const namespaces = [
    { name: 'shop', config },
    { name: 'bank', config: text },
  ]
  writeFileSync(values, JSON.stringify({ namespaces }))
  const maps = rendered('--values', values).filter(({ kind }) => kind === 'ConfigMap')
  t.strictSame(
    maps.map(({ metadata }) => (metadata as { namespace?: string }).namespace),
    ['shop', 'bank'],
  )
  const file = join(directory, 'config.yaml')
  for (const { metadata, data } of maps) {
    t.equal(metadata.name, 'logshipper')
    writeFileSync(file, data!['config.yaml']!)
    const loaded = await loadConfig({ file, env: {}, cwd: '/' })
    t.equal(loaded.kind, 'ok', JSON.stringify(loaded))
  }
  t.match(maps[1]!.data!['config.yaml'], '# by hand')
})

t.test('the monitor is that of k8s/monitoring, for every namespace', { skip: skipBoth }, t => {
  const labelled = ['--set', 'podMonitor.enabled=true', '--set', 'podMonitor.labels.release=prometheus']
  const monitor = of(rendered(...labelled), 'PodMonitor')
  const { namespaceSelector, ...spec } = monitor.spec
  t.strictSame(namespaceSelector, { any: true })
  t.strictSame(spec, of(render('test/k8s/every-kind'), 'PodMonitor').spec)
  t.match(monitor.metadata, { labels: { release: 'prometheus' } })
  t.end()
})

t.test('rules and dashboard are those of k8s/monitoring, by those who ask for them', { skip }, t => {
  const labelled = ['rules', 'dashboard'].flatMap(name => [
    ...['--set', `${name}.enabled=true`],
    ...['--set', `${name}.labels.release=prometheus`],
  ])
  const resources = rendered(...labelled)
  const rule = of(resources, 'PrometheusRule')
  t.strictSame(rule.spec.groups, resource().spec.groups)
  const config = of(resources, 'ConfigMap')
  t.equal(config.metadata.name, 'logshipper-dashboard')
  t.strictSame(JSON.parse(config.data!['dashboard.json']!), dashboard())
  t.match(config.metadata, { labels: { grafana_dashboard: '1', release: 'prometheus' } })
  t.match(rule.metadata, { labels: { release: 'prometheus' } })
  for (const { kind } of rendered()) t.notMatch(kind, /^(PrometheusRule|ConfigMap)$/, 'none unless asked for')
  t.end()
})

t.test('rules may stand in several files of the chart, of either form', { skip }, t => {
  const copy = join(charts(), 'logshipper-injector')
  const groups = (name: string) => ({ groups: [{ name, rules: [{ alert: name, expr: 'up == 0' }] }] })
  writeFileSync(join(copy, 'rules/zz-plain.yaml'), JSON.stringify(groups('plain')))
  writeFileSync(join(copy, 'rules/zz-whole.yaml'), JSON.stringify({ kind: 'PrometheusRule', spec: groups('whole') }))
  const rule = of(template(copy, ...CLUSTER, '--set', 'rules.enabled=true'), 'PrometheusRule')
  const names = rule.spec.groups.map(({ name }: { name: string }) => name)
  t.strictSame(names.slice(-2), ['plain', 'whole'])
  t.end()
})

t.test('values that mean nothing are refused, with their place', { skip }, t => {
  const wrong: readonly (readonly [string, RegExp])[] = [
    ['policy.failurePolcy=Ignore', /failurePolcy/],
    ['policy.failurePolicy=Maybe', /policy[/.]failurePolicy/],
    ['policy.apiVersion=v2', /policy[/.]apiVersion/],
    [`defaults.paths=/var/log/app/'+x`, /defaults[/.]paths/],
    [`defaults.volume=a'b`, /defaults[/.]volume/],
    [`secret=a'b`, /secret/],
    [`resources.limits.memory=1'`, /resources[/.]limits[/.]memory/],
    ['namespaces[0].name=shop', /namespaces[/.]0/],
    ['podMonitor.interval=often', /podMonitor[/.]interval/],
  ]
  for (const [value, place] of wrong) {
    const { status, stderr } = helm('template', 'web', chart, ...CLUSTER, '--set', value)
    t.not(status, 0, value)
    t.match(stderr, place, value)
  }
  t.end()
})

t.test('the notes say how a pod asks for its sidecar, or why none is added', { skip }, t => {
  // Helm prints notes where it installs, and Helm 3 needs a cluster for that: here they are a value of a ConfigMap.
  const copy = join(charts(), 'logshipper-injector')
  cpSync(join(copy, 'templates/NOTES.txt'), join(copy, 'notes.txt'))
  writeFileSync(
    join(copy, 'templates/notes.yaml'),
    `kind: Notes
metadata: { name: notes }
data: { text: {{ tpl (.Files.Get "notes.txt") . | toJson }} }
`,
  )
  const notes = (...args: string[]) => of(template(copy, ...CLUSTER, ...args), 'Notes').data!['text']!
  t.match(notes(), 'logshipper.io/inject: "true"')
  t.match(notes('--set', 'defaults.volume=data'), 'logshipper.io/volume: data')
  t.match(notes('--set', 'namespaces[0].name=shop', '--set', 'namespaces[0].config=x'), 'Configured: shop.')
  const off = notes('--set', 'policy.enabled=false')
  t.match(off, 'policy.enabled=false')
  t.match(off, 'logshipper inject web.yaml')
  t.notMatch(off, 'logshipper.io/inject')
  t.end()
})
