/** The doctor names what is wrong with the shipper of a pod, and the line to change. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { examine } from '../../src/manifest/doctor/examine.ts'
import { quantity } from '../../src/manifest/doctor/finding.ts'
import { readManifest } from '../../src/manifest/manifest.ts'
import { ROOT, renderText, withoutKubectl } from '../k8s/render.ts'
import { scratch } from '../scratch.ts'
import { inside } from './inside.ts'
import { GOOD, logshipper } from './manifests.ts'

async function remarks(text: string, drainSeconds?: number) {
  const read = await readManifest('pod.yaml', text)
  if (read.kind !== 'read') throw new Error(JSON.stringify(read.problems))
  return examine(read.manifest, { drainSeconds })
}

/** `from` in the good pod becomes `to`, and the doctor finds just this, and points at a line that holds `line`. */
const CASES: readonly [
  name: string,
  from: string | RegExp,
  to: string,
  severity: string,
  words: RegExp,
  line: string,
][] = [
  [
    'an ordinary container',
    /^ {2}initContainers:\n([\s\S]*?) {2}containers:\n([\s\S]*?)(?= {2}volumes)/m,
    '  containers:\n$2$1',
    'error',
    /an ordinary container; an init container/,
    'name: logshipper',
  ],
  [
    'no restart policy',
    '      restartPolicy: Always\n',
    '',
    'error',
    /nothing; Always; only such an init container/,
    'name: logshipper',
  ],
  [
    'another restart policy',
    'restartPolicy: Always',
    'restartPolicy: OnFailure',
    'error',
    /OnFailure; Always/,
    'restartPolicy: OnFailure',
  ],
  [
    'behind a sidecar that writes',
    '  initContainers:\n',
    '  initContainers:\n    - { name: audit, image: "audit:1", restartPolicy: Always, volumeMounts: [{ name: logs, mountPath: /a }] }\n',
    'warning',
    /behind audit, which mounts the logs; logshipper before audit; sidecars end in the reverse/,
    'name: logshipper',
  ],
  [
    'behind an init container that writes',
    '  initContainers:\n',
    '  initContainers:\n    - { name: migrate, image: "m:1", volumeMounts: [{ name: logs, mountPath: /a }] }\n',
    'hint',
    /behind migrate/,
    'name: logshipper',
  ],
  [
    'before a proxy',
    '  containers:\n',
    '    - { name: istio-proxy, image: "istio/proxyv2:1.27", restartPolicy: Always }\n  containers:\n',
    'hint',
    /before the proxy istio-proxy/,
    'name: logshipper',
  ],
  [
    'a grace period it does not know of',
    'Seconds: 30',
    'Seconds: 20',
    'error',
    /gracePeriod of 30s; LOGSHIPPER_DRAIN_GRACE_PERIOD: 20s.*would be killed/,
    'GRACE_PERIOD',
  ],
  [
    'a grace period it does not use',
    'Seconds: 30',
    'Seconds: 90',
    'warning',
    /gracePeriod of 30s; LOGSHIPPER_DRAIN_GRACE_PERIOD: 90s.*would give up/,
    'GRACE_PERIOD',
  ],
  [
    'a grace period by default',
    '  terminationGracePeriodSeconds: 30\n',
    '  terminationGracePeriodSeconds: 60\n',
    'warning',
    /60s/,
    'GRACE_PERIOD',
  ],
  [
    'an application that sleeps',
    'image: web:1',
    'image: web:1\n      lifecycle: { preStop: { sleep: { seconds: 28 } } }',
    'warning',
    /sleeps 28 s/,
    'terminationGracePeriodSeconds',
  ],
  [
    'liveness by the backend',
    'path: /livez',
    'path: /health',
    'error',
    /\/health; \/livez; what depends on a backend/,
    'livenessProbe',
  ],
  [
    'readiness by the backend',
    'path: /readyz',
    'path: "/readyz?strict"',
    'error',
    /readyz\?strict; \/readyz; readiness counts for the whole pod/,
    'readinessProbe',
  ],
  [
    'another port',
    '{ path: /livez, port: logshipper }',
    '{ path: /livez, port: 8080 }',
    'error',
    /port 8080; 9614/,
    'livenessProbe',
  ],
  [
    'a port without a name',
    '{ path: /livez, port: logshipper }',
    '{ path: /livez, port: probes }',
    'error',
    /the port probes, which ports does not name/,
    'livenessProbe',
  ],
  [
    'a probe by shell',
    'livenessProbe: { httpGet: { path: /livez, port: logshipper } }',
    'livenessProbe: { exec: { command: [sh, -c, "true"] } }',
    'error',
    /the command sh; httpGet; the image has no shell/,
    'livenessProbe',
  ],
  [
    'no mark of the end',
    '      lifecycle:\n        preStop: { exec: { command: [logshipper, prestop] } }\n',
    '',
    'warning',
    /no lifecycle.preStop/,
    'name: logshipper',
  ],
  [
    'a mark that can come from outside the pod',
    'preStop: { exec: { command: [logshipper, prestop] } }',
    'preStop: { httpGet: { path: /prestop, port: logshipper } }',
    'hint',
    /httpGet \/prestop; exec: { command: \[logshipper, prestop\] }; requests can come from outside the pod/,
    'preStop',
  ],
  [
    'a mark at another page',
    'preStop: { exec: { command: [logshipper, prestop] } }',
    'preStop: { httpGet: { path: /stop, port: logshipper } }',
    'error',
    /\/stop; \/prestop; from there on the shipper counts/,
    'preStop',
  ],
  [
    'a mark without the port that it goes to',
    '      env:\n',
    '      env:\n        - { name: LOGSHIPPER_SERVER_ADMIN, value: "off" }\n',
    'error',
    /logshipper prestop; server.admin, or httpGet \/prestop; the command asks the admin port/,
    'preStop',
  ],
  [
    'a startup probe in a Job',
    '      livenessProbe',
    '      startupProbe: { httpGet: { path: /startupz, port: logshipper } }\n      livenessProbe',
    'warning',
    /a startup probe in a Job; none/,
    'startupProbe',
  ],
  [
    'nothing to follow',
    '        - { name: LOGSHIPPER_SOURCE_PATHS, value: "/var/log/app/*.log" }\n',
    '',
    'error',
    /nothing to follow; LOGSHIPPER_SOURCE_PATHS/,
    'name: logshipper',
  ],
  [
    'paths of the application',
    '"/var/log/app/*.log"',
    '"/data/*.log"',
    'error',
    /\/data\/\*\.log lies in no volume \(\/var\/log\/app, \/var\/lib\/logshipper\)/,
    'volumeMounts',
  ],
  [
    'a volume that is not there',
    '      volumeMounts:\n',
    '      volumeMounts:\n        - { name: cache, mountPath: /cache }\n',
    'error',
    /the volume cache, which the pod does not have; logs/,
    'name: cache',
  ],
  [
    'a volume of its own',
    '{ name: logs, mountPath: /data }',
    '{ name: other, mountPath: /data }',
    'error',
    /the volume logs, which no other container mounts/,
    '/var/log/app }',
  ],
  [
    'an application that may not write',
    'mountPath: /data',
    'mountPath: /data, readOnly: true',
    'error',
    /a read-only mount; one that the application may write to/,
    '/data',
  ],
  [
    'another part of the volume',
    /mountPath: (\/var\/log\/app|\/data) /g,
    'mountPath: $1, subPath: $1 ',
    'error',
    /\/var\/log\/app; none, or \/data/,
    '/var/log/app, subPath',
  ],
  [
    'a configuration by subPath',
    '      volumeMounts:\n',
    '      volumeMounts:\n        - { name: logs, mountPath: /etc/logshipper/config.yaml, subPath: c }\n',
    'warning',
    /config.yaml by subPath; a mount of the directory/,
    'config.yaml',
  ],
  [
    'a checkpoint on a read-only root',
    'value: /var/lib/logshipper/state',
    'value: /state',
    'error',
    /state.dir \/state on no volume/,
    'STATE_DIR',
  ],
  [
    'a read-only mount',
    'mountPath: /var/lib/logshipper }',
    'mountPath: /var/lib/logshipper, readOnly: true }',
    'error',
    /a read-only mount, with state.dir/,
    'readOnly: true',
  ],
  [
    'a checkpoint where the application may write',
    'value: /var/lib/logshipper/state',
    'value: /var/log/app/.logshipper',
    'warning',
    /state.dir \/var\/log\/app\/.logshipper on the volume logs, which web mounts too; a directory on an emptyDir/,
    'STATE_DIR',
  ],
  [
    'a checkpoint in the root of a volume',
    'value: /var/lib/logshipper/state',
    'value: /var/lib/logshipper',
    'hint',
    /the root of the volume state; a directory below it/,
    'STATE_DIR',
  ],
  [
    'different users',
    '    fsGroup: 65532\n',
    '',
    'warning',
    /no fsGroup: web writes as user 10001, the shipper reads as 65532; fsGroup: 65532/,
    'securityContext',
  ],
  [
    'one user for both, by the pod',
    'runAsUser: 10001',
    'runAsUser: 65532',
    'hint',
    /web as user 65532, as the shipper; a user of its own; with the same user it may signal/,
    'runAsUser: 65532',
  ],
  [
    'one user for both, by the container',
    '      image: web:1\n',
    '      image: web:1\n      securityContext: { runAsUser: 65532 } # web\n',
    'hint',
    /web as user 65532, as the shipper; a user of its own/,
    '# web',
  ],
  ['no sizeLimit', '{ sizeLimit: 1Gi }', '{}', 'warning', /no sizeLimit/, 'emptyDir'],
  [
    'a sizeLimit without room',
    'sizeLimit: 1Gi',
    'sizeLimit: 100Mi',
    'warning',
    /100Mi; at least state.held.maxBytes \(1GiB\)/,
    'sizeLimit',
  ],
  [
    'memory as a volume',
    'sizeLimit: 1Gi',
    'sizeLimit: 1Gi, medium: Memory',
    'warning',
    /Memory; a volume on disk/,
    'medium',
  ],
  [
    'no version',
    'image: logshipper:0.1.0',
    'image: registry:5000/logshipper',
    'warning',
    /registry:5000\/logshipper; a version/,
    'image: registry',
  ],
  [
    'a command',
    'image: logshipper:0.1.0',
    'image: logshipper:0.1.0\n      command: [sh, -c, "tail -F /opt/logs.txt"]',
    'error',
    /sh; args, with the paths/,
    'command',
  ],
  [
    'too little memory',
    'memory: 128Mi',
    'memory: 32Mi',
    'error',
    /32Mi; memory: 128Mi; a budget of 8MiB/,
    'memory: 32Mi',
  ],
  ['little memory', 'memory: 128Mi', 'memory: 50Mi', 'warning', /kubectl exec/, 'memory: 50Mi'],
  [
    'a budget that does not fit',
    '      env:\n',
    '      env:\n        - { name: LOGSHIPPER_MEMORY_BUDGET, value: 256MiB }\n',
    'error',
    /a budget of 256MiB.*do not fit/,
    'memory: 128Mi',
  ],
  ['a limit of CPU', 'memory: 128Mi', 'memory: 128Mi, cpu: 100m', 'hint', /a limit of 100m/, 'cpu'],
  [
    'no Downward API',
    /^.*(POD_NAME|POD_NAMESPACE),.*\n/gm,
    '',
    'warning',
    /no LOGSHIPPER_POD_NAMESPACE, LOGSHIPPER_POD_NAME;.*from metadata.namespace/,
    'env:',
  ],
  ['the wrong field', 'metadata.uid', 'metadata.name', 'error', /metadata.name; metadata.uid/, 'POD_UID'],
  [
    'the application on our port',
    'image: web:1',
    'image: web:1\n      ports: [{ containerPort: 9614 }]',
    'error',
    /port 9614, which the shipper listens on/,
    'containerPort: 9614 }]',
  ],
  [
    'the application on our other port',
    'image: web:1',
    'image: web:1\n      ports: [{ containerPort: 9615 }]',
    'error',
    /LOGSHIPPER_SERVER_ADMIN/,
    '9615',
  ],
  ['the node’s network', 'spec:\n', 'spec:\n  hostNetwork: true\n', 'warning', /the node’s network/, 'hostNetwork'],
  [
    'a root file system to write to',
    'readOnlyRootFilesystem: true',
    'runAsNonRoot: true',
    'hint',
    /root file system/,
    'securityContext',
  ],
  [
    'a pod for Windows',
    'spec:\n',
    'spec:\n  os: { name: windows }\n',
    'error',
    /a shipper in a pod for Windows/,
    'name: logshipper',
  ],
  ['no shipper', /logshipper/g, 'other', 'hint', /no shipper; logshipper inject adds one/, 'spec:'],
]

t.test('in a good pod there is nothing to find', async t => {
  t.strictSame(await remarks(GOOD), [])
})

t.test('each fault is found alone, with its reason and the line to change', async t => {
  for (const [name, from, to, severity, words, line] of CASES) {
    let text = GOOD.replace(from as string, to)
    t.not(text, GOOD, `${name} is another pod`)
    if (name.endsWith('in a Job')) text = text.replace('spec:\n', 'spec:\n  restartPolicy: Never\n')
    const found = await remarks(text)
    const said = found.map(each => `${each.severity} ${each.found}; ${each.wanted}; ${each.why}`)
    t.equal(found.length, 1, `${name}: ${said.join('\n')}`)
    t.equal(found[0]?.severity, severity, name)
    t.match(said[0], words, name)
    t.match(text.split('\n')[(found[0]?.line ?? 0) - 1], line, name)
    t.match(found[0]?.why, /.{10}/, `${name} has a reason`)
  }
})

t.test('a measured drain is held against the grace period', async t => {
  t.strictSame(await remarks(GOOD, 29), [])
  t.match(await remarks(GOOD, 40), [{ severity: 'error', line: 6, found: '30', wanted: 'at least 41' }])
})

t.test('a checkpoint on no volume is lost with the container', async t => {
  const text = GOOD.replace('/var/lib/logshipper/state', '/state').replace('        readOnlyRootFilesystem: true\n', '')
  t.match(await remarks(text), [{ severity: 'warning', found: 'state.dir /state on no volume' }, { severity: 'hint' }])
})

t.test('a sidecar that only tails, as the Kubernetes documentation has it, is told the line to change', async t => {
  const text = readFileSync(join(ROOT, 'k8s/examples/tail-deployment/deployment.yaml'), 'utf8').replace(
    "args: ['/opt/logs.txt']",
    "command: ['sh', '-c', 'tail -F /opt/logs.txt']",
  )
  const found = await remarks(text)
  t.match(found, [{ severity: 'error', found: 'sh', wanted: 'args, with the paths to follow' }])
  t.match(text.split('\n')[found[0]!.line - 1], 'tail -F')
})

t.test('two shippers are one too many', async t => {
  const [, container] = /( {4}- name: logshipper\n[\s\S]*?)(?= {2}containers)/.exec(GOOD)!
  const found = await remarks(
    GOOD.replace(container!, `${container}${container!.replace('name: logshipper', 'name: logs2')}`),
  )
  t.match(found, [{ severity: 'error', found: 'a second shipper, besides logshipper', wanted: 'one' }])
  t.equal(found.length, 1)
})

t.test('a configuration among the documents is taken into account', async t => {
  const config = `---
apiVersion: v1
kind: ConfigMap
metadata: { name: shipping }
data:
  config.yaml: |
    sources: [{ paths: ["/var/log/app/*.log"] }]
    server: { port: 8000 }
    state: { dir: off }
`
  const text = GOOD.replace(/^.*(SOURCE_PATHS|STATE_DIR).*\n/gm, '')
    .replace('      volumeMounts:\n', '      volumeMounts:\n        - { name: c, mountPath: /etc/logshipper }\n')
    .replace('  volumes:\n', '  volumes:\n    - { name: c, configMap: { name: shipping } }\n')
  const alone = await remarks(text)
  t.strictSame(alone, [], 'what cannot be known is not guessed')
  const found = await remarks(text + config)
  t.equal(found.length, 2)
  for (const each of found) t.match(each, { severity: 'error', found: 'port 9614', wanted: '8000' })
})

t.test('quantities are read as the API writes them', async t => {
  const table = { '128Mi': 128 * 1024 ** 2, '1G': 1e9, '500m': 0.5, '1e3': 1000, 12: 12, '1.5Ki': 1536, '2E': 2e18 }
  for (const [text, value] of Object.entries(table)) t.equal(quantity(text), value, text)
  for (const text of ['', 'x', '1Q', undefined, null]) t.equal(quantity(text), undefined)
})

t.test('input that is no manifest gets an answer that helps', async t => {
  const table: [string, RegExp][] = [
    ['a: b: c\n', /^standard input:1: found a second ": " in one line/],
    ['kind: Pod\nspec: {{ .Values.spec }}\n', /it looks like a template: render it first/],
    ['- a\n- b\n', /found a list; allowed: a Kubernetes object.*kind: List/],
    ['just words', /found no object/],
    ['', /found nothing; allowed: at least one of Pod, Deployment/],
    ['a: *b\n', /aliases that cannot be resolved/],
    ['kind: Service\nspec: {}\n---\nkind: ConfigMap\n', /found no pod, only Service, ConfigMap/],
    ['kind: Deployment\nspec: {}\n', /a Deployment without spec and containers/],
    ['resources: [a.yaml]\n', /a map without a kind.*kubectl kustomize DIRECTORY/],
  ]
  for (const [input, words] of table) {
    const { code, out, err } = await inside(['doctor', '-'], input)
    t.equal(code, 2, input)
    t.equal(out, '')
    t.match(err, words, input)
    t.notMatch(err, /\n {4}at /)
  }
  t.match(await inside(['doctor', '/no/such/file.yaml']), { code: 2, err: /file.yaml: found no such file/ })
  t.match(await inside(['doctor']), { code: 2, err: /doctor needs the name of a manifest/ })
  t.match(await inside(['doctor', '--drain-seconds', 'long', '-']), {
    code: 2,
    err: /needs a number of seconds, not long/,
  })
})

t.test('several documents and files, and lists, are all looked at; errors make the exit code', async t => {
  const bad = GOOD.replace('      restartPolicy: Always\n', '').replace('name: web', 'name: bad')
  const list = `kind: List\nitems:\n  - ${bad.trimEnd().replaceAll('\n', '\n    ')}\n`
  const dir = scratch(t, {})
  writeFileSync(join(dir, 'a.yaml'), `# two\n${GOOD}---\n${bad}`)
  writeFileSync(join(dir, 'b.yaml'), list)
  const { code, out } = await inside(['doctor', join(dir, 'a.yaml'), join(dir, 'b.yaml')])
  t.equal(code, 1)
  const [first, second, sum] = out.split('\n')
  t.match(
    first,
    /a\.yaml:\d+: error: Pod bad: spec\.initContainers\[0\]\.restartPolicy: found nothing; wanted: Always \(/,
  )
  t.match(second, /b\.yaml:\d+: error: Pod bad: items\[0\]\.spec\.initContainers\[0\]\.restartPolicy: /)
  t.equal(sum, '3 pods: 2 errors, 0 warnings, 0 hints')
  const json = logshipper(['doctor', '--json', '-'], GOOD)
  t.match(json, { code: 0, out: '[]\n' })
})

t.test('the Pod of the README has no fault', async t => {
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8')
  const pod = /```yaml\n(apiVersion: v1\nkind: Pod[\s\S]*?)```/.exec(readme)![1]!
  t.strictSame(await remarks(pod), [])
})

const without = withoutKubectl()
t.test('in our own examples there is no error', { skip: without ?? false }, async t => {
  for (const name of readdirSync(join(ROOT, 'k8s/examples'))) {
    const found = await remarks(renderText(`k8s/examples/${name}`))
    t.strictSame(
      found.filter(({ severity }) => severity === 'error'),
      [],
      name,
    )
  }
})
