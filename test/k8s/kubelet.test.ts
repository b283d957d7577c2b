/** The lifecycle as a real kubelet lives it: order of start and end, deaths, grace, Jobs, termination messages. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import t from 'tap'
import { type ContainerStatus, Node, withoutNode } from './node.ts'
import type { Container } from './render.ts'

const without = withoutNode()
if (without !== undefined) {
  t.plan(0, `SKIP ${without}`)
  process.exit(0)
}

t.setTimeout(300_000)
const node = await Node.start(t)
t.comment(`kube-apiserver ${node.server.version}, ${execFileSync(process.env['KUBELET_BIN']!, ['--version'])}`)

function of(containers: readonly ContainerStatus[], name: string): ContainerStatus {
  return containers.find(container => container.name === name)!
}

t.test('a Job’s pod completes: drained to the last line, which has no line end', async t => {
  const receiver = await node.receiver(8081)
  node.run('k8s/examples/job', 'job', receiver.url)
  await node.until(() => node.status('job')!.phase === 'Succeeded', 'the pod succeeds')
  const { containers } = node.status('job')!
  for (const name of ['logshipper', 'report']) t.equal(of(containers, name).state.terminated!.exitCode, 0, name)
  t.match(of(containers, 'logshipper').state.terminated!.message, /^drained: everything was settled\n.*1001 lines/)
  const expected = [...Array.from({ length: 1000 }, (_, index) => `row ${index + 1}`), 'done']
  t.strictSame(receiver.lines(), expected)
})

t.test(
  'a web application: started after the shipper, ended before it, nothing missing though the shipper was killed',
  async t => {
    const receiver = await node.receiver(8082)
    node.run('k8s/examples/web', 'web', receiver.url)
    const restarts = () => of(node.status('web')!.containers, 'logshipper').restartCount
    await node.until(() => receiver.lines().length > 50, 'lines arrive')
    const running = (name: string) => of(node.status('web')!.containers, name).state.running!.startedAt
    t.ok(running('logshipper') <= running('web'), 'in this order')
    t.match(node.server.kubectl(['exec', 'web', '--container=logshipper', '--', 'logshipper', 'status']), /ok/)
    // SIGKILL from inside is ignored by the first process of a container.
    const pid = execFileSync('pgrep', ['-f', '^/usr/bin/node .*/usr/lib/logshipper.js$'])
      .toString()
      .split('\n')
      .find(pid => pid !== '' && readFileSync(`/proc/${pid}/cgroup`, 'utf8').includes('kubepods'))
    process.kill(Number(pid), 'SIGKILL')
    await node.until(() => restarts() === 1 && running('logshipper') !== undefined, 'it is started again')
    const before = receiver.lines().length
    await node.until(() => receiver.lines().length > before + 50, 'it goes on')

    const containers = await node.delete('web')
    const [application, shipper] = ['web', 'logshipper'].map(name => of(containers, name).state.terminated!)
    t.equal(shipper!.exitCode, 0)
    t.match(shipper!.message, /^drained: everything was settled/)
    t.ok(application!.finishedAt <= shipper!.finishedAt, 'in this order')
    const numbers = new Set(receiver.lines().map(line => Number(line.split(' ')[3])))
    t.strictSame(
      Array.from({ length: Math.max(...numbers) }, (_, index) => index + 1).filter(n => !numbers.has(n)),
      [],
    )
    t.equal(receiver.lines().filter(line => line.endsWith('last')).length, 1, 'what it said when it was told to end')
  },
)

for (const grace of [5, 2]) {
  t.test(`with a dead backend and a grace period of ${grace} s it ends in time, and says what is left`, async t => {
    node.run('k8s/examples/web', `grace-${grace}`, 'http://192.0.2.10:9/nobody', ({ spec }) => {
      spec.terminationGracePeriodSeconds = grace
      const shipper = spec.initContainers.find(({ name }: Container) => name === 'logshipper')
      shipper.env.push({ name: 'LOGSHIPPER_DRAIN_GRACE_PERIOD', value: `${grace}s` })
    })
    const running = () => node.status(`grace-${grace}`)!.containers.every(({ state }) => state.running)
    await node.until(running, 'it runs')
    const shipper = of(await node.delete(`grace-${grace}`), 'logshipper').state.terminated!
    t.equal(shipper.exitCode, 3, 'ended by itself, not killed')
    t.match(shipper.message, /^not drained: \d+ bytes are left/)
  })
}

t.test('an edit of the ConfigMap is applied while the shipper runs, without losing a line', async t => {
  const receiver = await node.receiver(8083)
  node.run('k8s/examples/web', 'live', receiver.url)
  await node.until(() => receiver.lines().length > 0, 'lines arrive')
  const map = node.server.kubectl(['get', 'configmap', 'logshipper', '--output=json'])
  node.server.kubectl(['apply', '-f', '-'], map.replace('app: web', 'app: edited'))
  await node.until(() => receiver.records().some(({ app }) => app === 'edited'), 'records carry the new label')
  t.equal(of(node.status('live')!.containers, 'logshipper').restartCount, 0)
  const lines = receiver.lines()
  t.equal(new Set(lines).size, lines.length, 'nothing came twice')
})
