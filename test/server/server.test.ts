import { spawnSync } from 'node:child_process'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { Agent, get, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { connect, createServer } from 'node:net'
import { networkInterfaces } from 'node:os'
import t from 'tap'
import { listen, text } from '../../src/server/listen.ts'
import { startServer } from '../../src/server/server.ts'
import { HandClock } from '../clock.ts'
import { Journal } from '../tail/rig.ts'
import { ask, open, Stage } from './rig.ts'

const loopback6 = Object.values(networkInterfaces()).some(all => all?.some(({ address }) => address === '::1'))

t.test('both listeners are bound and said; closed, both ports are free again', async t => {
  const options = { port: 0, admin: { host: '127.0.0.1', port: 0 } }
  const server = await startServer(options, new Stage(), new Journal())
  const { port, adminPort } = server.ports
  t.equal((await ask(port!, '/livez')).status, 200)
  t.equal((await ask(adminPort!, '/status')).status, 200)
  await server.close()
  await t.rejects(ask(port!, '/livez'), { code: 'ECONNREFUSED' })
  await t.rejects(ask(adminPort!, '/status'), { code: 'ECONNREFUSED' })
  const again = await startServer(
    { port: port!, admin: { host: '127.0.0.1', port: adminPort! } },
    new Stage(),
    new Journal(),
  )
  await again.close()
})

t.test('what is off is not bound', async t => {
  const server = await startServer({ port: null, admin: null }, new Stage(), new Journal())
  t.strictSame(server.ports, {})
  await server.close()
})

t.test('the probe port answers over IPv4 and IPv6', { skip: loopback6 ? false : 'there is no ::1 here' }, async t => {
  const server = await startServer({ port: 0, admin: null }, new Stage(), new Journal())
  t.teardown(() => server.close())
  for (const host of ['127.0.0.1', '::1'])
    t.equal((await ask(server.ports.port!, '/livez', { host })).status, 200, host)
})

t.test('where the first address does not exist the next one is taken', async t => {
  // 192.0.2.0/24 is for documentation (RFC 5737): no machine has it.
  const listener = await listen(['192.0.2.1', '127.0.0.1'], 0, 'server.port', () => text(200, 'here'))
  t.teardown(() => listener.close())
  t.match(await ask(listener.port, '/'), { status: 200, body: 'here\n' })
})

t.test('a port that is taken is an error that names it and its key, and leaves nothing bound', async t => {
  const holder = createServer().listen(0, '127.0.0.1')
  await once(holder, 'listening')
  t.teardown(() => holder.close())
  const { port } = holder.address() as AddressInfo
  const taken = (key: string) => ({
    code: 'ERR_START',
    message: new RegExp(`^${key}: cannot listen on port ${port}: it is in use`),
  })
  await t.rejects(startServer({ port, admin: null }, new Stage(), new Journal()), taken('server.port'))
})

t.test('an admin port that is taken is logged and waited for: all else starts', async t => {
  const holder = createServer().listen(0, '127.0.0.1')
  await once(holder, 'listening')
  const { port } = holder.address() as AddressInfo
  const journal = new Journal()
  const clock = new HandClock()
  const server = await startServer({ port: 0, admin: { host: '127.0.0.1', port } }, new Stage(), journal, clock)
  t.teardown(() => server.close())
  t.strictSame(Object.keys(server.ports), ['port'])
  t.equal((await ask(server.ports.port!, '/livez')).status, 200)
  const said = {
    event: 'admin_port_unavailable',
    host: '127.0.0.1',
    port,
    reason: /^server\.admin: cannot listen on port \d+: it is in use/,
  }
  t.match(journal.said, [{ level: 'warn', fields: said }])
  const tried = () => new Promise(resolve => setTimeout(resolve, 50))
  clock.pass(30_000)
  await tried()
  t.equal(journal.said.length, 1, 'it is said once')
  await new Promise(resolve => holder.close(resolve))
  while (clock.waiting === 0) await tried()
  clock.pass(30_000)
  while (server.ports.adminPort === undefined) await tried()
  t.equal((await ask(port, '/status')).status, 200)
  t.match(journal.said[1], { level: 'info', fields: { event: 'listening', adminPort: port } })
  await server.close()
  t.equal(clock.waiting, 0)
})

t.test('closing does not wait for clients that stay', async t => {
  const server = await startServer({ port: 0, admin: null }, new Stage(), new Journal())
  const silent = await open(server.ports.port!)
  const gone = once(silent, 'close')
  await server.close()
  await gone
  t.ok(silent.closed, 'whoever stays is cut off')
})

t.test('a crowd of silent clients does not shut out a probe', async t => {
  const server = await startServer({ port: 0, admin: null }, new Stage(), new Journal())
  t.teardown(() => server.close())
  const port = server.ports.port!
  const crowd = await Promise.all(Array.from({ length: 400 }, () => open(port)))
  t.teardown(() => {
    for (const socket of crowd) socket.destroy()
  })
  for (let i = 0; i < 3; i++) t.equal((await ask(port, '/livez')).status, 200)
  await t.resolves(
    (async () => {
      while (crowd.filter(socket => !socket.closed).length > 256) await new Promise(resolve => setTimeout(resolve, 10))
    })(),
    'and the number of sockets is bounded',
  )
})

const SOCKETS = spawnSync('ss', ['-V']).status === 0 ? false : 'there is no ss on this machine'

t.test('a thousand clients at once fill no queue in front of a probe', { skip: SOCKETS }, async t => {
  const server = await startServer({ port: 0, admin: null }, new Stage(), new Journal())
  t.teardown(() => server.close())
  const port = server.ports.port!
  // Of a socket that listens the kernel shows here how many connections it keeps until they are accepted.
  const { stdout } = spawnSync('ss', ['-ltnH', `sport = :${port}`], { encoding: 'utf8' })
  const kept = Number(stdout.trim().split(/\s+/)[2])
  const allowed = Number(readFileSync('/proc/sys/net/core/somaxconn', 'utf8'))
  t.equal(kept, Math.min(4096, allowed))
  // All of them before the loop turns once, and the probe last.
  const crowd = Array.from({ length: 1000 }, () => connect(port, '127.0.0.1').on('error', () => {}))
  t.teardown(() => {
    for (const socket of crowd) socket.destroy()
  })
  t.equal((await ask(port, '/livez')).status, 200)
})

t.test('a connection that pipelines is cut off, and the rest of what it sent is not looked at', async t => {
  const server = await startServer({ port: 0, admin: { host: '127.0.0.1', port: 0 } }, new Stage(), new Journal())
  t.teardown(() => server.close())
  const { port, adminPort } = server.ports
  let begun = 0
  const count = () => void begun++
  subscribe('http.server.request.start', count)
  t.teardown(() => unsubscribe('http.server.request.start', count))
  for (const [at, path] of [
    [port!, '/livez'],
    [port!, '/metrics'],
    [adminPort!, '/status'],
    [adminPort!, '/'],
  ] as const) {
    begun = 0
    const greedy = await open(at)
    const gone = new Promise(resolve => greedy.once('close', resolve))
    greedy.write(`GET ${path} HTTP/1.1\r\nhost: localhost\r\n\r\n`.repeat(3000))
    // It reads only to learn that it was cut off.
    greedy.resume()
    await gone
    t.equal(begun, 2, path)
  }
  t.equal((await ask(port!, '/livez')).status, 200)
})

t.test('one request after the other on one connection is answered, as often as it asks', async t => {
  const server = await startServer({ port: 0, admin: null }, new Stage(), new Journal())
  t.teardown(() => server.close())
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  t.teardown(() => agent.destroy())
  const sockets = new Set<unknown>()
  for (let n = 0; n < 300; n++) {
    const path = n % 2 === 0 ? '/metrics' : '/livez'
    const asking = get({ host: '127.0.0.1', port: server.ports.port!, path, agent })
    const [answer] = (await once(asking, 'response')) as [IncomingMessage]
    sockets.add(asking.socket)
    answer.resume()
    await once(answer, 'end')
    t.equal(answer.statusCode, 200)
  }
  t.equal(sockets.size, 1)
})

t.test('garbage costs its sender the connection, and other clients nothing', async t => {
  const server = await startServer({ port: 0, admin: null }, new Stage(), new Journal())
  t.teardown(() => server.close())
  const port = server.ports.port!
  const garbage = [
    '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
    'GET\r\n\r\n',
    'GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n',
    `GET /livez HTTP/1.1\r\nhost: x\r\nfiller: ${'x'.repeat(32 * 1024)}\r\n\r\n`,
    `GET /${'x'.repeat(32 * 1024)} HTTP/1.1\r\n\r\n`,
  ]
  for (const [at, bytes] of garbage.entries()) {
    const socket = await open(port)
    let said = ''
    socket.on('data', part => (said += part))
    const gone = once(socket, 'close')
    socket.write(bytes, 'latin1')
    await gone
    t.notMatch(said, /^HTTP\/1\.1 200/, `garbage ${at}`)
  }
  for (const path of ['//', '/%00%ff', '/../../etc/passwd', '/livez/', '*']) {
    t.match((await ask(port, path)).status, /^40[04]$/, path)
  }
  t.equal((await ask(port, '/livez')).status, 200)
})

t.test('a client that is slow to ask is cut off', async t => {
  const server = await startServer({ port: 0, admin: null }, new Stage(), new Journal())
  t.teardown(() => server.close())
  const slow = await open(server.ports.port!)
  const drip = setInterval(() => slow.write('x'), 500)
  slow.write('GET /livez HTTP/1.1\r\nx: ')
  await once(slow, 'close')
  clearInterval(drip)
  t.ok(slow.closed, 'however long it goes on dripping')
})

t.test('a request with a body is answered without the body being read to its end', async t => {
  const server = await startServer({ port: 0, admin: null }, new Stage(), new Journal())
  t.teardown(() => server.close())
  const socket = await open(server.ports.port!)
  let said = ''
  socket.on('data', part => (said += part))
  const gone = once(socket, 'close')
  socket.write('POST /prestop HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000000\r\n\r\nx')
  await gone
  t.match(said, /^HTTP\/1\.1 200/)
})
