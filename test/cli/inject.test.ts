/** What inject prints is the manifest with the sidecar in it, and not a character of the rest is another. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { Document, parse, parseAllDocuments, visit } from 'yaml'
import { type InjectRequest, injectInto } from '../../src/cli/inject.ts'
import { examine } from '../../src/manifest/doctor/examine.ts'
import { readManifest } from '../../src/manifest/manifest.ts'
import { type Container, parseResources, pods, ROOT, render, shipperOf, withoutKubectl } from '../k8s/render.ts'
import { scratch } from '../scratch.ts'
import { inside } from './inside.ts'
import { GOOD, logshipper } from './manifests.ts'

type Options = Partial<Omit<InjectRequest, 'file'>>

async function injected(text: string, options: Options = {}): Promise<string> {
  const result = await injectInto('pod.yaml', text, {
    image: undefined,
    volume: undefined,
    paths: undefined,
    ...options,
  })
  if (result.kind === 'refused') throw new Error(JSON.stringify(result.problems))
  return result.text
}

async function refused(text: string, options: Options = {}) {
  const result = await injectInto('pod.yaml', text, {
    image: undefined,
    volume: undefined,
    paths: undefined,
    ...options,
  })
  return result.kind === 'refused' ? result.problems : []
}

async function faults(text: string) {
  const read = await readManifest('result', text)
  return read.kind === 'read' ? examine(read.manifest, { drainSeconds: undefined }) : [read]
}

/** Lines of `after` that are not those of `before`; `undefined` if a line of `before` is missing in it. */
function added(before: string, after: string): string[] | undefined {
  const theirs = before.split('\n')
  const rest: string[] = []
  let at = 0
  for (const line of after.split('\n')) {
    if (line === theirs[at]) at++
    else rest.push(line)
  }
  return at === theirs.length ? rest : undefined
}

/** Whether `after` is `before` with characters put in, and none taken out. */
function grownFrom(before: string, after: string): boolean {
  let at = 0
  for (const sign of after) if (at < before.length && before.startsWith(sign, at)) at += sign.length
  return at === before.length
}

const DEPLOYMENT = `# The web shop.
apiVersion: apps/v1
kind: Deployment   # of two
metadata: {name:  shop}
spec:
  template:
    metadata:
      # Who we are.
      labels:
        app: shop   # the shop
    spec:
      # Before the shop opens.
      initContainers:
      # Tables.
      - name: migrate
        image: 'migrate:1'
        args: [ "--all" ]

      securityContext:
        runAsUser: 10001

      # The shop itself.
      containers:
      - name: shop
        image: "shop:1"
        command:
        - sh
        - -c
        - |
          # not a comment
          exec shop
        volumeMounts: [ {name: logs, mountPath: /logs} ]
      volumes:
      - name: logs     # written by all
        emptyDir:
          sizeLimit: 2Gi
# The end.
`

t.test('lines are added, and no other line is touched; what comes out has no fault', async t => {
  const after = await injected(DEPLOYMENT)
  const lines = added(DEPLOYMENT, after)
  t.ok(lines && lines.length > 40, 'every line is still there')
  t.strictSame(await faults(after), [])
  const pod = parse(after).spec.template
  t.strictSame(pod.metadata.labels, { app: 'shop', 'logshipper.io/shipper': 'sidecar' })
  t.strictSame(
    pod.spec.initContainers.map(({ name }: { name: string }) => name),
    ['logshipper', 'migrate'],
  )
  t.strictSame(
    pod.spec.volumes.map(({ name }: { name: string }) => name),
    ['logshipper-config', 'logshipper-state', 'logshipper-podinfo', 'logs'],
  )
  t.strictSame(pod.spec.securityContext, {
    runAsUser: 10001,
    fsGroup: 65532,
    fsGroupChangePolicy: 'OnRootMismatch',
  })
  t.equal(await injected(after), after, 'a second time changes nothing')
})

const PLAIN = `kind: Pod
metadata: { name: a }
spec:
    containers:
        - { name: app, image: "app:1", volumeMounts: [{ name: logs, mountPath: /logs }] }
    volumes: [{ name: logs, emptyDir: { sizeLimit: 1Gi } }]
`

t.test('texts of every style keep it', async t => {
  const styles: Record<string, string> = {
    'flow and deep lists': PLAIN,
    'Windows line ends': DEPLOYMENT.replaceAll('\n', '\r\n'),
    'no line end at the end': `${PLAIN.replace(/^ {4}volumes.*\n/m, '')
      .replace('spec:\n', 'spec:\n    volumes: [{ name: logs, emptyDir: { sizeLimit: 1Gi } }]\n')
      .trimEnd()}\n    initContainers:`,
    'empty things': PLAIN.replace('spec:\n', 'spec:\n    initContainers: []\n    securityContext: {}\n'),
    'things that are nothing': PLAIN.replace(
      'spec:\n',
      'spec:\n    initContainers: # none yet\n    securityContext:\n',
    ),
    'a comment above, and one inside a text': PLAIN.replace(
      '    containers',
      '    hostname: |\n      a\n      # text\n    # about them\n    containers',
    ),
    JSON: JSON.stringify(parse(PLAIN)),
    'JSON in lines': JSON.stringify(parse(PLAIN), null, 2),
    'a list': `kind: List\nitems:\n- ${PLAIN.trimEnd().replaceAll('\n', '\n  ')}\n`,
    'several documents': `---\n${PLAIN}---\nkind: Service\n...\n---\n${DEPLOYMENT}`,
    'a claim': DEPLOYMENT.replace(/ {6}volumes:\n[\s\S]*(?=# The end)/, '')
      .replace('kind: Deployment', 'kind: StatefulSet')
      .replace('spec:\n', 'spec:\n  volumeClaimTemplates: [{ metadata: { name: logs } }]\n'),
    'an anchor': PLAIN.replace('volumes: [', 'volumes: &all ['),
  }
  for (const [name, text] of Object.entries(styles)) {
    const after = await injected(text)
    t.not(after, text, name)
    t.ok(grownFrom(text, after), `${name}: nothing is taken out`)
    t.equal(await injected(after), after, `${name}: a second time changes nothing`)
    t.strictSame(await faults(after), [], name)
    t.equal(after.includes('\r\n'), text.includes('\r\n'))
    t.notMatch(after, /[^\r]\n[\s\S]*\r\n/, name)
  }
  t.match(
    await injected(styles['a comment above, and one inside a text']!),
    /\n {4}volumes|\n {4}# about them\n {4}containers/,
  )
})

t.test('whatever a pod looks like, nothing of it is taken out or means something else', async t => {
  let compared = 0
  const name = fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/)
  const volume = fc.record({ name, emptyDir: fc.constant({ sizeLimit: '1Gi' }) })
  const any = fc.record({
    labels: fc.option(fc.dictionary(name, fc.string({ maxLength: 12 })), { nil: undefined }),
    init: fc.option(fc.array(fc.record({ name, image: fc.constant('i:1') }), { maxLength: 2 }), { nil: undefined }),
    security: fc.option(fc.record({ runAsUser: fc.nat() }, { requiredKeys: [] }), { nil: undefined }),
    command: fc.array(fc.string({ unit: fc.constantFrom('a', ' ', '\n', '#', ':', '-', '{', '"', "'") }), {
      maxLength: 3,
    }),
    volumes: fc.array(volume, { maxLength: 2 }),
    grace: fc.option(fc.integer({ min: 5, max: 90 }), { nil: undefined }),
    order: fc.boolean(),
    flow: fc.array(fc.boolean(), { minLength: 20, maxLength: 20 }),
    comments: fc.boolean(),
    indent: fc.constantFrom(2, 4),
    indentSeq: fc.boolean(),
  })
  await fc.assert(
    fc.asyncProperty(any, async each => {
      const logs = { name: 'logs', emptyDir: { sizeLimit: '1Gi' } }
      const parts = {
        ...(each.init && { initContainers: each.init }),
        containers: [
          { name: 'app', image: 'a:1', command: each.command, volumeMounts: [{ name: 'logs', mountPath: '/l' }] },
        ],
        volumes: [...each.volumes.filter(({ name: of }) => of !== 'logs'), logs],
        ...(each.security && { securityContext: each.security }),
        ...(each.grace !== undefined && { terminationGracePeriodSeconds: each.grace }),
      }
      const entries = Object.entries(parts)
      const spec = Object.fromEntries(each.order ? entries : entries.toReversed())
      const value = { kind: 'Pod', metadata: { name: 'p', ...(each.labels && { labels: each.labels }) }, spec }
      const document = new Document(value)
      let n = 0
      visit(document, {
        Collection: (_, node) => {
          if (node !== document.contents) node.flow = each.flow[n++ % each.flow.length]! && each.flow[0]!
        },
        Pair: (_, pair) => {
          if (each.comments) (pair.key as { commentBefore?: string }).commentBefore = ' about it'
        },
      })
      const text = document.toString({ indent: each.indent, indentSeq: each.indentSeq })
      // What stands in flow style cannot be commented on in the same way.
      const before = parseAllDocuments(text)[0]!
      if (before.errors.length > 0) return
      compared++
      const after = await injected(text)
      if (!grownFrom(text, after)) throw new Error('something is missing')
      if (!each.flow[0] && !/\{\}|\[\]/.test(text) && added(text, after) === undefined)
        throw new Error('a line was changed')
      if ((await injected(after)) !== after) throw new Error('a second time')
      const errors = (await faults(after)).filter(one => 'severity' in one && one.severity === 'error')
      if (errors.length > 0) throw new Error(JSON.stringify(errors))
    }),
    { numRuns: 60 },
  )
  t.ok(compared > 40, `${compared} pods`)
})

t.test('options and annotations say what is followed, where, and by which image', async t => {
  const text = GOOD.replace(/ {2}initContainers:\n[\s\S]*?(?= {2}containers)/, '').replaceAll(
    'name: logs',
    'name: data',
  )
  const shipper = (after: string) => parse(after).spec.initContainers[0]
  t.match(await refused(text), [
    { line: /\d+/, found: 'no volume logs that a container mounts', allowed: 'data', hint: /--volume data/ },
  ])
  const told = shipper(
    await injected(text, { volume: 'data', paths: '/var/log/app/a.log', image: 'r.example/l@sha256:00' }),
  )
  t.match(told, {
    image: 'r.example/l@sha256:00',
    env: [{ name: 'LOGSHIPPER_SOURCE_PATHS', value: '/var/log/app/a.log' }],
    volumeMounts: [{ name: 'data', mountPath: '/var/log/app' }],
  })
  const annotations = '  annotations: { logshipper.io/volume: data, logshipper.io/paths: "" }\nspec:\n'
  const annotated = shipper(await injected(text.replace('spec:\n', annotations)))
  t.match(annotated, { volumeMounts: [{ name: 'data' }], env: [{ name: 'LOGSHIPPER_STATE_DIR' }] })
  const long = shipper(await injected(text.replace('Seconds: 30', 'Seconds: 75'), { volume: 'data' }))
  t.ok(long.env.some(({ value }: { value?: string }) => value === '75s'))
  t.match(await refused(text, { volume: 'data', paths: '/data/*.log' }), [{ found: 'the path /data/*.log' }])
})

t.test('for OpenShift it names no user, no group and no fsGroup, and the doctor agrees', async t => {
  for (const text of [DEPLOYMENT, DEPLOYMENT.replace(/^ +securityContext:\n(?: {8,}.*\n)*/m, '')]) {
    const after = await injected(text, { platform: 'openshift' })
    const [plain, open] = [await injected(text), after].map(each => pods(parseResources(each))[0]!)
    const { runAsUser, runAsGroup, ...context } = shipperOf(plain!)!.securityContext!
    t.strictSame([runAsUser, runAsGroup], [65532, 65532])
    t.strictSame(shipperOf(open!)!.securityContext, context)
    const { securityContext: before } = pods(parseResources(text))[0]!.spec
    t.strictSame(open!.spec.securityContext, before, 'what the pod says of itself stays')
    t.notMatch(after, 'fsGroup: 65532')
  }
  const bare = DEPLOYMENT.replace(/^ +securityContext:\n(?: {8,}.*\n)*/m, '')
  const read = await readManifest('result', await injected(bare, { platform: 'openshift' }))
  const found =
    read.kind === 'read' ? examine(read.manifest, { drainSeconds: undefined, platform: 'openshift' }) : [read]
  t.strictSame(
    found.filter(each => !('severity' in each) || each.severity === 'error'),
    [],
  )
})

t.test('a pod that has a shipper, is for Windows or opts out is left alone, and that is reported', async t => {
  const windows = PLAIN.replace('spec:\n', 'spec:\n    nodeSelector: { kubernetes.io/os: windows }\n')
  const unwilling = PLAIN.replace('name: a', 'name: a, annotations: { logshipper.io/inject: "false" }')
  for (const [text, words] of [
    [GOOD, /Pod web has a shipper: it is left as it is/],
    [windows, /is for Windows, and the image for Linux/],
    [unwilling, /says logshipper.io\/inject: "false"/],
  ] as const) {
    t.match(await inside(['inject', '-'], text), { code: 0, out: text, err: words })
  }
})

t.test('where it cannot be done nothing is printed, and why is said with the line', async t => {
  const bare = 'kind: Pod\nmetadata: { name: a }\nspec:\n  containers: [{ name: app, image: "app:1" }]\n'
  const table: [string, RegExp][] = [
    ['a: b: c\n', /standard input:1: found a second/],
    ['- a\n', /found a list; allowed: a Kubernetes object/],
    ['kind: Service\n', /found no pod, only Service/],
    [
      bare,
      /standard input:3: spec.volumes: found a pod without volumes; allowed: .* \(the shipper reads files: add the volume/,
    ],
    [`${bare}  volumes: [{ name: logs, emptyDir: {} }]\n`, /no volume that the application could write logs to/],
    [
      PLAIN.replace('volumes: [', 'volumes: [{ name: logshipper-config, emptyDir: {} }, '),
      /a volume that is called logshipper-config/,
    ],
    [
      `x: &none []\n${PLAIN.replace('spec:\n', 'spec:\n    initContainers: *none\n')}`,
      /spec.initContainers: found an alias; allowed: written out/,
    ],
    [
      `x: &base { volumes: [{ name: logs, emptyDir: {} }] }\n${PLAIN.replace(/volumes:.*/, '<<: *base')}`,
      /spec.volumes: found what a merge key brings/,
    ],
    [PLAIN.replace('spec:\n', 'spec:\n    initContainers: ~\n'), /found a value that nothing can be added to/],
  ]
  for (const [input, words] of table) {
    const { code, out, err } = await inside(['inject', '-'], input)
    t.equal(code, 2, input)
    t.equal(out, '')
    t.match(err, words)
  }
  t.match(await inside(['inject', 'a', 'b']), { code: 2, err: /inject takes one manifest/ })
})

t.test('what the doctor has against the result is said, and a port clash is no success', async t => {
  const file = join(scratch(t, {}), 'pod.yaml')
  writeFileSync(file, PLAIN.replace('image: "app:1"', 'image: "app:1", ports: [{ containerPort: 9614 }]'))
  const { code, out, err } = logshipper(['inject', file])
  t.equal(code, 1)
  t.match(out, /name: logshipper\n/)
  t.match(err, /the result:\d+: error: Pod a: spec.containers\[0\].ports\[0\]: found port 9614/)
})

const without = withoutKubectl()
t.test('every kind gets the sidecar of the component', { skip: without ?? false }, async t => {
  const workloads = readFileSync(join(ROOT, 'test/k8s/every-kind/workloads.yaml'), 'utf8')
  const ours = pods(parseResources(await injected(workloads)))
  const theirs = pods(render('test/k8s/every-kind'))
  for (const pod of ours) {
    const same = theirs.find(({ owner }) => owner.metadata.name === pod.owner.metadata.name)!
    const { envFrom, env = [], ...rest } = (shipperOf(pod) ?? { name: '' }) as Container
    const { env: settings, ...component } = shipperOf(same) ?? { name: '' }
    t.equal(settings === undefined, pod.owner.metadata.name === 'passed-over')
    if (settings === undefined) continue
    t.strictSame(rest, component, pod.owner.kind)
    t.strictSame(pod.spec.volumes, same.spec.volumes)
    t.strictSame(pod.spec.securityContext, same.spec.securityContext)
    t.equal(pod.metadata.labels?.['logshipper.io/shipper'], same.metadata.labels?.['logshipper.io/shipper'])
    t.strictSame(envFrom, [{ secretRef: { name: 'logshipper', optional: true } }], 'as the policy has it')
    t.strictSame(
      env.filter(({ name }) => !['LOGSHIPPER_SOURCE_PATHS', 'LOGSHIPPER_DRAIN_GRACE_PERIOD'].includes(name)),
      settings,
    )
  }
})
