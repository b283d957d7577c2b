/** The ports of the program, under the image's flags, and what another container of the pod does to them. */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { until } from '../program.ts'
import { Pod, type Running, skip } from './pod.ts'

t.jobs = 2
t.setTimeout(170_000)

const anonymous = ({ child }: Running): number =>
  Number(/RssAnon:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))![1]) * 1024

function portOf(shipper: Running, port: 'port' | 'adminPort'): number {
  return JSON.parse(shipper.said.split('\n').find(each => each.includes('"listening"'))!)[port]
}

/** Sends `bytes` on a connection that is never read from, until it is closed or has taken all of it. */
async function flood(t: Test, port: number, bytes: Buffer): Promise<void> {
  const socket = connect(port, '127.0.0.1')
  t.teardown(() => socket.destroy())
  socket.on('error', () => {})
  socket.pause()
  socket.write(bytes)
  await Promise.race([once(socket, 'close'), once(socket, 'drain')])
}

for (const [port, paths] of [
  ['port', ['/metrics', '/metrics gzip', '/health', '/livez', '/prestop']],
  ['adminPort', ['/', '/status', '/ledger']],
] as const) {
  t.test(`requests that are pipelined and never read, at the ${port}`, { skip }, async t => {
    const pod = await Pod.start(t)
    pod.application('echo one > app.log')
    const shipper = await pod.shipper(join(pod.logs, '*.log'))
    t.ok(await pod.came('one'))
    const calm = anonymous(shipper)
    for (const path of paths) {
      const [page, coding = 'identity'] = path.split(' ')
      const request = Buffer.from(`GET ${page} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept-Encoding: ${coding}\r\n\r\n`)
      const many = Buffer.concat(Array.from({ length: 20_000 }, () => request))
      await Promise.all(Array.from({ length: 8 }, () => flood(t, portOf(shipper, port), many)))
      t.match(await shipper.get('/livez'), /\S/, `${path}: /livez answers`)
      const more = anonymous(shipper) - calm
      t.ok(more < 24 * 1024 ** 2, `${path}: ${(more / 1024 ** 2).toFixed(1)} MiB more`)
    }
    pod.application('echo two >> app.log')
    t.ok(await pod.came('two'))
    t.notOk(shipper.over)
    t.equal(await shipper.end(), 0)
  })
}

t.test('the admin port is taken by the application: all else starts, and says so', { skip }, async t => {
  const pod = await Pod.start(t)
  pod.application('echo one > app.log')
  const taken = createServer(socket => socket.destroy()).listen(0, '127.0.0.1')
  await once(taken, 'listening')
  t.teardown(() => taken.close())
  const { port } = taken.address() as { port: number }
  const shipper = await pod.shipper(join(pod.logs, '*.log'), { LOGSHIPPER_SERVER_ADMIN: `127.0.0.1:${port}` })
  t.ok(await pod.came('one'), 'it ships')
  t.ok(await until(() => shipper.said.includes('"admin_port_unavailable"')), 'and says so')
  t.equal(await shipper.end(), 0)
})

t.test('/prestop in a storm leaves half of the grace period to a drain that needs it', { skip }, async t => {
  const pod = await Pod.start(t)
  pod.receiver.behaviour = (_request, response) => {
    response.writeHead(503).end()
    return false
  }
  pod.application('echo one > app.log')
  const shipper = await pod.shipper(join(pod.logs, '*.log'), { LOGSHIPPER_DRAIN_GRACE_PERIOD: '20s' })
  t.ok(await until(() => shipper.said.includes('backend unavailable; retrying')))
  for (let n = 0; n < 300; n++) await shipper.get('/prestop')
  shipper.child.kill('SIGTERM')
  t.ok(await until(() => shipper.said.includes('"draining"')))
  const draining = JSON.parse(shipper.said.split('\n').find(line => line.includes('"draining"'))!)
  t.ok(draining.leftMs >= 8000, `${draining.leftMs} ms are left`)
  pod.receiver.behaviour = undefined
  t.ok(await pod.came('one'))
  t.equal(await shipper.end(), 0)
})
