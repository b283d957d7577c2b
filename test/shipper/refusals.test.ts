/** What a server refuses, and what it says in odd ways: the program before a real one, and what is in its books at the end. */
import { appendFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import { object, refuse, Stage, sleep, until } from '../program.ts'
import { Cluster } from '../support/cluster.ts'

t.jobs = 3
t.setTimeout(120_000)

for (const status of [400, 413]) {
  t.test(`an address that says ${status} to everything for a while costs no line, and few requests`, async t => {
    const stage = await Stage.set(t)
    stage.receiver.behaviour = refuse(status)
    stage.write(30_000)
    const program = await stage.start()
    t.ok(
      await until(
        () =>
          program.says('backend misconfigured; retrying') ||
          program.says('some records of a request failed; retrying them'),
      ),
    )
    const before = stage.receiver.requests
    t.ok(before < 100, `${before} requests until it was clear`)
    await sleep(1500)
    t.ok(stage.receiver.requests - before < 60, `${stage.receiver.requests - before} requests while it was`)
    t.notOk(program.says('records rejected'))
    const health = JSON.parse((await program.get('/health')).text) as { backends: { state: string; reason: string }[] }
    t.match(health.backends[0], { reason: /^http_4/ })
    stage.receiver.behaviour = undefined
    t.ok(await stage.arrived(60))
    const { code, ledger } = await program.kill('SIGTERM')
    t.equal(code, 0)
    t.match(ledger, [{ statement: { delivered: { lines: 30_000 }, rejected: {} } }])
    stage.complete(t, { ordered: false })
    const early = stage.numbers().filter((number, at, all) => at > 0 && number < all[at - 1]!)
    t.ok(early.length <= 1, `${early.length} came behind later ones`)
  })
}

t.test('bad lines of one application cost another one’s nothing, and are kept as dead letters', async t => {
  const stage = await Stage.set(t, { LOGSHIPPER_BACKEND_DEAD_LETTER_MAX_BYTES: '1MiB' })
  stage.receiver.behaviour = object('POISON')
  const poison = join(stage.logs, 'a.log')
  const good = join(stage.logs, 'b.log')
  writeFileSync(poison, 'POISON\n'.repeat(40))
  stage.write(200, good)
  const program = await stage.start()
  for (let at = 0; at < 40; at++) {
    stage.write(20, good)
    appendFileSync(poison, 'POISON\n')
    await sleep(10)
  }
  t.ok(await stage.arrived(60))
  stage.write(1, good)
  t.ok(await stage.arrived(60))
  const kept = join(stage.state, 'dead-letter', 'http.ndjson')
  // It may be a moment behind the log.
  const letters = () => (existsSync(kept) ? readFileSync(kept, 'utf8').split('\n').slice(0, -1) : [])
  t.ok(
    await until(() => {
      stage.write(1, good)
      return program.says('records rejected') && letters().length === 80
    }, 60),
  )
  t.ok(letters().every(line => (JSON.parse(line) as { message: string }).message === 'POISON'))
  t.ok(await stage.arrived(60))
  const { code, ledger } = await program.kill('SIGTERM')
  t.equal(code, 0)
  t.match(ledger, [{ statement: { delivered: { lines: stage.written }, rejected: { http_400: { lines: 80 } } } }])
  stage.complete(t)
})

t.test('one bad line in twenty of the same file costs the others nothing', async t => {
  const stage = await Stage.set(t)
  stage.receiver.behaviour = object('POISON')
  for (let at = 0; at < 50; at++) {
    stage.write(19)
    appendFileSync(stage.log, 'POISON\n')
  }
  stage.write(19)
  const program = await stage.start()
  t.ok(await stage.arrived(60))
  t.ok(
    await until(() => {
      stage.write(1)
      return program.said.some(({ msg, offset }) => msg === 'records rejected' && offset !== undefined)
    }, 60),
  )
  t.ok(await stage.arrived(60))
  const { code, ledger } = await program.kill('SIGTERM')
  t.equal(code, 0)
  t.match(ledger, [{ statement: { delivered: { lines: stage.written }, rejected: { http_400: { lines: 50 } } } }])
  stage.complete(t)
})

t.test('a death while a bad line is kept apart loses nothing, and it is found again', async t => {
  const stage = await Stage.set(t, { LOGSHIPPER_BACKEND_IDS: 'true' })
  stage.receiver.behaviour = object('POISON')
  appendFileSync(stage.log, 'POISON\n')
  const first = await stage.start()
  t.ok(await until(() => first.says('a record is refused')))
  await first.kill('SIGKILL')
  stage.write(10)
  const second = await stage.start()
  t.ok(await stage.arrived())
  t.ok(await until(() => second.says('records rejected')))
  const { code, ledger } = await second.kill('SIGTERM')
  t.equal(code, 0)
  t.match(ledger, [{ statement: { delivered: { lines: 10 }, rejected: { http_400: { lines: 1 } } } }])
  stage.complete(t)
})

t.test('one document that the cluster fails over for ever does not hold up the others', async t => {
  const cluster = await Cluster.start(t)
  cluster.item = ({ message }) => (message.includes('00000003') ? { status: 500, type: 'exception' } : undefined)
  const stage = await Stage.set(t, {
    LOGSHIPPER_BACKEND_TYPE: 'elasticsearch',
    LOGSHIPPER_BACKEND_ENDPOINT: cluster.url,
  })
  const program = await stage.start()
  stage.write(10)
  t.ok(await until(() => program.says('retrying it apart from the others')))
  for (let at = 0; at < 5; at++) {
    stage.write(10)
    t.ok(await until(() => cluster.documents.size === at * 10 + 19), 'the later ones come')
  }
  const before = cluster.requests
  await sleep(1500)
  t.ok(cluster.requests - before < 20, `${cluster.requests - before} more requests`)
  t.notOk(program.says('records rejected'))
  cluster.item = () => undefined
  t.ok(await until(() => cluster.documents.size === 60))
  const { code, ledger } = await program.kill('SIGTERM')
  t.equal(code, 0)
  t.match(ledger, [{ statement: { delivered: { lines: 60 }, rejected: {} } }])
})

/** An OTLP receiver that says what it is told to each request with records; returns how many there were. */
async function collector(t: Test, say: (response: ServerResponse, socket: Socket, count: number) => void) {
  let count = 0
  const server = createServer((request, response) => {
    request.resume()
    request.on('end', () => say(response, request.socket, ++count))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  const { port } = server.address() as AddressInfo
  const env = { LOGSHIPPER_BACKEND_TYPE: 'otlp', LOGSHIPPER_BACKEND_ENDPOINT: `http://127.0.0.1:${port}` }
  return { env, requests: () => count }
}

t.test('an OTLP receiver that answers with more than can be read is not sent the same again', async t => {
  const type = { 'content-type': 'application/x-protobuf' }
  const { env, requests } = await collector(t, response =>
    response.writeHead(200, type).end(Buffer.alloc(5 << 20, 0x12)),
  )
  const stage = await Stage.set(t, env)
  const program = await stage.start()
  stage.write(10)
  t.ok(await until(() => program.says('records accepted in an answer that cannot be read')))
  const { code, ledger } = await program.kill('SIGTERM')
  t.equal(code, 0)
  t.equal(requests(), 1)
  t.match(ledger, [{ statement: { delivered: { lines: 10 }, rejected: {} } }])
})

t.test('an answer that ends in a reset behind its head is none, though an empty one would be a success', async t => {
  const { env, requests } = await collector(t, (response, socket, count) => {
    if (count > 2) return void response.writeHead(200).end()
    socket.write('HTTP/1.1 200 OK\r\n\r\n')
    setTimeout(() => socket.resetAndDestroy(), 50)
  })
  const stage = await Stage.set(t, env)
  const program = await stage.start()
  stage.write(10)
  t.ok(await until(() => requests() === 3))
  const { code, ledger } = await program.kill('SIGTERM')
  t.equal(code, 0)
  t.match(ledger, [{ statement: { delivered: { lines: 10 } } }])
})

/** What Date says is later by the milliseconds in a file, as long as it is there. */
const CLOCK = `
const { readFileSync } = require('node:fs')
const real = Date.now
Date.now = () => {
  try { return real() + Number(readFileSync(process.env.CLOCK_FILE, 'utf8')) } catch { return real() }
}
`

t.test('after a clock that was ahead lines have the right time again', async t => {
  const stage = await Stage.set(t)
  const dir = dirname(stage.logs)
  const [clock, ahead] = [join(dir, 'clock.cjs'), join(dir, 'ahead')]
  writeFileSync(clock, CLOCK)
  const times: number[] = []
  stage.receiver.behaviour = (_, response, text) => {
    times.push(Date.parse((JSON.parse(text.split('\n')[0]!) as { timestamp: string }).timestamp))
    response.writeHead(204).end()
    return true
  }
  const program = await stage.start({ NODE_OPTIONS: `--require ${clock}`, CLOCK_FILE: ahead })
  stage.write(1)
  t.ok(await until(() => times.length === 1))
  writeFileSync(ahead, String(3 * 3_600_000))
  stage.write(1)
  t.ok(await until(() => times.length === 2))
  rmSync(ahead)
  stage.write(1)
  t.ok(await until(() => times.length === 3))
  const [before, later, after] = times
  t.ok(later! - before! > 2 * 3_600_000, 'as the clock said')
  t.ok(Math.abs(after! - before!) < 60_000, 'as it is')
  t.equal((await program.kill('SIGTERM')).code, 0)
})
