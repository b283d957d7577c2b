/** A chart that takes no init containers gets the sidecar from a post-renderer of Helm. */
import { chmodSync, cpSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { PROGRAM } from '../program.ts'
import { scratch } from '../scratch.ts'
import { helm, helmWith, withoutHelm } from './helm.ts'
import { parseResources, pods, ROOT, render, shipperOf, withoutKubectl } from './render.ts'

const skip = withoutHelm() ?? withoutKubectl() ?? false
const PLUGINS = join(ROOT, 'k8s/post-renderer')

/** A chart with one Deployment, which is that of test/k8s/every-kind, and `more`. */
function chart(directory: string, more = ''): string {
  const own = join(directory, 'chart')
  mkdirSync(join(own, 'templates'), { recursive: true })
  writeFileSync(join(own, 'Chart.yaml'), 'apiVersion: v2\nname: app\nversion: 1.0.0\n')
  writeFileSync(
    join(own, 'templates/all.yaml'),
    `apiVersion: apps/v1
kind: Deployment
metadata: { name: {{ .Release.Name }} }
spec:
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      initContainers: [{ name: migrate, image: "busybox:1.37" }]
      containers:
        - { name: app, image: "busybox:1.37", volumeMounts: [{ name: logs, mountPath: /data }] }
      volumes:
        - { name: logs, emptyDir: { sizeLimit: 1Gi } }
${more}`,
  )
  return own
}

/** The environment of Helm: the shipper on PATH, and the plugins where Helm 4 looks for them. */
function environment(directory: string) {
  const bin = join(directory, 'bin')
  mkdirSync(bin)
  const program = join(bin, 'logshipper')
  writeFileSync(program, `#!/bin/sh\nexec '${process.execPath}' '${PROGRAM}' "$@"\n`)
  chmodSync(program, 0o755)
  const plugins = join(directory, 'plugins')
  mkdirSync(plugins)
  for (const name of readdirSync(PLUGINS)) cpSync(join(PLUGINS, name), join(plugins, name), { recursive: true })
  return { PATH: `${bin}:${process.env['PATH']}`, HELM_PLUGINS: plugins }
}

/** Helm 4 takes a post-renderer by the name of its plugin, Helm 3 by the path of a program. */
const renderer = (name: string): string =>
  helm('version', '--short').stdout.startsWith('v4.') ? `logshipper-${name}` : join(PLUGINS, name, name)

t.test('by logshipper inject, with its options', { skip }, t => {
  const directory = scratch(t, {})
  const args = ['template', 'web', chart(directory), '--post-renderer', renderer('inject')]
  const options = ['--post-renderer-args', '--platform', '--post-renderer-args', 'openshift']
  const env = environment(directory)
  const { status, stdout, stderr } = helmWith(env, ...args)
  t.equal(status, 0, stderr)
  const [pod] = pods(parseResources(stdout))
  t.strictSame(
    pod!.spec.initContainers!.map(({ name }) => name),
    ['logshipper', 'migrate'],
  )
  t.equal(shipperOf(pod!)!.securityContext!['runAsUser'], 65532)
  const open = helmWith(env, ...args, ...options)
  t.equal(open.status, 0, open.stderr)
  t.notMatch(open.stdout, 'runAsUser')
  t.end()
})

t.test('a pod without a volume for logs stops it, and one that opts out does not', { skip }, t => {
  const directory = scratch(t, {})
  const test = (annotations: string) => `---
apiVersion: v1
kind: Pod
metadata: { name: try, annotations: { ${annotations} } }
spec: { containers: [{ name: try, image: "busybox:1.37" }] }
`
  const env = environment(directory)
  const run = (more: string) =>
    helmWith(env, 'template', 'web', chart(directory, more), '--post-renderer', renderer('inject'))
  const refused = run(test(''))
  t.not(refused.status, 0)
  t.equal(refused.stdout, '')
  const passed = run(test('logshipper.io/inject: "false"'))
  t.equal(passed.status, 0, passed.stderr)
  t.end()
})

t.test('by kustomize, with the component', { skip }, t => {
  const directory = scratch(t, {})
  const overlay = join(directory, 'k8s/post-renderer/kustomize/overlay')
  for (const part of ['component', 'fsgroup', 'post-renderer'])
    cpSync(join(ROOT, 'k8s', part), join(directory, 'k8s', part), { recursive: true })
  const args = ['--post-renderer', renderer('kustomize'), '--post-renderer-args', overlay]
  const { status, stdout, stderr } = helmWith(environment(directory), 'template', 'web', chart(directory), ...args)
  t.equal(status, 0, stderr)
  const [pod] = pods(parseResources(stdout))
  const component = pods(render('test/k8s/every-kind')).find(({ owner }) => owner.kind === 'Deployment')!
  t.strictSame(shipperOf(pod!), shipperOf(component))
  t.strictSame(pod!.spec.securityContext, component.spec.securityContext)
  t.strictSame(pod!.spec.volumes!.slice(0, 3), component.spec.volumes!.slice(0, 3))
  t.end()
})
