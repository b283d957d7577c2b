/** What single platforms refuse or do not have is found where the platform is named, and nowhere else. */
import t from 'tap'
import { examine } from '../../../src/manifest/doctor/examine.ts'
import { readManifest } from '../../../src/manifest/manifest.ts'
import { PLATFORMS, type Platform } from '../../../src/platform.ts'
import { inside } from '../../cli/inside.ts'
import { GOOD } from '../../cli/manifests.ts'

async function remarks(text: string, platform?: Platform) {
  const read = await readManifest('pod.yaml', text)
  if (read.kind !== 'read') throw new Error(JSON.stringify(read.problems))
  return examine(read.manifest, { drainSeconds: undefined, platform }).map(each => ({
    ...each,
    text: text.split('\n')[each.line - 1]!.trim(),
  }))
}

/** A pod in which no platform finds anything. */
const FITS = GOOD.replaceAll(/^ +(runAsUser|fsGroup): .*\n/gm, '')
  .replace('  securityContext:\n  initContainers', '  initContainers')
  .replace('limits: { memory: 128Mi }', 'requests: { cpu: 50m, memory: 128Mi }\n        limits: { memory: 128Mi }')
  .replace('sizeLimit: 2Gi', 'sizeLimit: 1Gi')

t.test('a pod that asks for nothing special fits everywhere', async t => {
  for (const platform of PLATFORMS) {
    const found = await remarks(FITS, platform)
    // Only on OpenShift the group of the volume comes from the namespace.
    t.strictSame(
      found.filter(({ found: what }) => !/no fsGroup/.test(what)),
      [],
      platform,
    )
  }
  t.strictSame(await remarks(FITS, 'openshift'), [])
})

/** `from` in that pod becomes `to`, and just this is found on the platform, at the line that holds `line`. */
const CASES: readonly (readonly [
  platform: Platform,
  name: string,
  from: string,
  to: string,
  severity: string,
  words: RegExp,
  line: string,
])[] = [
  [
    'openshift',
    'the shipper’s own user',
    '        readOnlyRootFilesystem',
    '        runAsUser: 65532\n        readOnlyRootFilesystem',
    'error',
    /65532; no runAsUser: the range of the namespace decides/,
    'runAsUser: 65532',
  ],
  [
    'openshift',
    'the application’s user',
    '      image: web:1',
    '      image: web:1\n      securityContext: { runAsUser: 10001 }',
    'error',
    /10001; no runAsUser/,
    'securityContext: { runAsUser: 10001 }',
  ],
  [
    'openshift',
    'an fsGroup',
    '  initContainers:\n',
    '  securityContext: { fsGroup: 65532 }\n  initContainers:\n',
    'error',
    /65532; no fsGroup/,
    'securityContext: { fsGroup: 65532 }',
  ],
  ...(['autopilot', 'fargate'] as const).flatMap(platform =>
    (
      [
        ['hostPID', '  initContainers:\n', '  hostPID: true\n  initContainers:\n', /true; none/, 'hostPID: true'],
        [
          'a privileged container',
          '      image: web:1',
          '      image: web:1\n      securityContext: { privileged: true }',
          /true; none/,
          'securityContext: { privileged: true }',
        ],
        [
          'a port of the node',
          '      image: web:1',
          '      image: web:1\n      ports: [{ containerPort: 80, hostPort: 80 }]',
          /80; no port of the node/,
          'ports: [{ containerPort: 80, hostPort: 80 }]',
        ],
        [
          'a directory of the node',
          '  volumes:\n',
          '  volumes:\n    - { name: node, hostPath: { path: /opt/logs } }\n',
          /hostPath \/opt\/logs; an emptyDir/,
          '- { name: node, hostPath: { path: /opt/logs } }',
        ],
      ] as const
    ).map(([name, from, to, words, line]) => [platform, name, from, to, 'error', words, line] as const),
  ),
  [
    'autopilot',
    'no requests',
    'requests: { cpu: 50m, memory: 128Mi }\n        limits: { memory: 128Mi }',
    'limits: { memory: 128Mi }',
    'warning',
    /no request of cpu; .*500m and 2Gi/,
    'resources:',
  ],
  [
    'autopilot',
    'volumes that hold more than its containers may use',
    'sizeLimit: 1Gi',
    'sizeLimit: 3Gi',
    'warning',
    /2GiB of ephemeral-storage \(1GiB for a container that says nothing\), and volumes of up to 4GiB; .*evicted without a drain/,
    'resources:',
  ],
  [
    'autopilot',
    'more storage than there is',
    'requests: { cpu: 50m, memory: 128Mi }',
    'requests: { cpu: 50m, memory: 128Mi, ephemeral-storage: 11Gi }',
    'error',
    /12GiB of ephemeral-storage; at most 10GiB/,
    'resources:',
  ],
  [
    'fargate',
    'less memory requested than it may use',
    'requests: { cpu: 50m, memory: 128Mi }',
    'requests: { cpu: 50m, memory: 64Mi }',
    'warning',
    /64Mi; memory: 128Mi, as the limit/,
    'requests: { cpu: 50m, memory: 64Mi }',
  ],
  [
    'fargate',
    'volumes that hold more than the machine does',
    'sizeLimit: 1Gi',
    'sizeLimit: 30Gi',
    'warning',
    /20GiB of ephemeral-storage \(20GiB for a pod that says nothing\), and volumes/,
    'resources:',
  ],
  [
    'fargate',
    'more storage than there is',
    'requests: { cpu: 50m, memory: 128Mi }',
    'requests: { cpu: 50m, memory: 128Mi, ephemeral-storage: 200Gi }',
    'error',
    /200GiB of ephemeral-storage; at most 175GiB/,
    'resources:',
  ],
]

for (const [platform, name, from, to, severity, words, line] of CASES) {
  t.test(`${platform}: ${name}`, async t => {
    const text = FITS.replace(from, to)
    t.not(text, FITS)
    const before = await remarks(text)
    const key = ({ key, found }: { key: string; found: string }) => `${key} ${found}`
    const known = new Set([...before, ...(await remarks(FITS, platform))].map(key))
    const found = (await remarks(text, platform)).filter(each => !known.has(key(each)))
    t.equal(found.length, 1, JSON.stringify(found))
    t.equal(found[0]!.severity, severity)
    t.match([found[0]!.found, found[0]!.wanted, found[0]!.why].join('; '), words)
    t.match(found[0]!.text, line)
  })
}

t.test('what the node’s own log directory holds may be read on Autopilot, not written', async t => {
  const host = '  volumes:\n    - { name: node, hostPath: { path: /var/log/pods } }\n'
  const mount = (readOnly: boolean) =>
    FITS.replace('  volumes:\n', host).replace(
      '        - { name: logs, mountPath: /data }',
      `        - { name: logs, mountPath: /data }\n        - { name: node, mountPath: /node, readOnly: ${readOnly} }`,
    )
  const hosts = async (text: string, platform: Platform) =>
    (await remarks(text, platform)).filter(({ found }) => /hostPath/.test(found)).length
  t.equal(await hosts(mount(true), 'autopilot'), 0)
  t.equal(await hosts(mount(false), 'autopilot'), 1)
  t.equal(await hosts(mount(true), 'fargate'), 1)
})

t.test('users of the range of a namespace are left to OpenShift', async t => {
  const own = FITS.replace(
    '        readOnlyRootFilesystem',
    '        runAsUser: 1000680000\n        readOnlyRootFilesystem',
  )
  t.strictSame(await remarks(own, 'openshift'), [])
})

t.test('Fargate runs no DaemonSet, and brings no volumes for a claim', async t => {
  const body = FITS.slice(FITS.indexOf('spec:')).trimEnd().replaceAll('\n', '\n    ')
  const set = `apiVersion: apps/v1\nkind: DaemonSet\nmetadata: { name: web }\nspec:\n  template:\n    ${body}\n`
  t.match(
    (await remarks(set, 'fargate')).find(({ severity }) => severity === 'error'),
    { found: 'a DaemonSet', pod: 'DaemonSet web' },
  )
  const claims = 'spec:\n  volumeClaimTemplates: [{ metadata: { name: data } }]\n'
  const stateful = set.replace('DaemonSet', 'StatefulSet').replace('spec:\n', claims)
  t.ok((await remarks(stateful, 'fargate')).some(({ found }) => found === 'the claim template data'))
})

t.test('the platform is an option of doctor and inject, and a misspelt one is told', async t => {
  t.match(await inside(['doctor', '--platform', 'openshift', '-'], GOOD), { code: 1, out: /no runAsUser/ })
  t.match(await inside(['doctor', '-'], GOOD), { code: 0 })
  for (const command of ['doctor', 'inject'])
    t.match(await inside([command, '--platform', 'openshfit', '-'], GOOD), {
      code: 2,
      err: /--platform needs one of openshift, autopilot, fargate, not openshfit/,
    })
})
