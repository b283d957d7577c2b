/** The program as a process against a scripted receiver: every numbered line is compared with what arrived. */
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import type { Statement } from '../src/ledger.ts'
import { type Ended, object, Program, Receiver, refuse, Stage, until } from './program.ts'

t.jobs = 3

/** The statement of the only source and backend; it must add up. */
function statement(t: Test, { ledger }: Ended): Statement {
  t.equal(ledger.length, 1)
  const { statement } = ledger[0]!
  const settled = [statement.delivered, ...Object.values(statement.rejected), ...Object.values(statement.dropped)]
  const bytes = settled.reduce((sum, tally) => sum + tally.bytes, statement.inFlight.bytes)
  t.equal(statement.read.bytes, bytes, 'read = delivered + rejected + dropped + in flight')
  return statement
}

t.test('an outage costs time and no line', async t => {
  const stage = await Stage.set(t)
  const program = await stage.start()
  for (const status of [500, 503, 429, 408, 302]) {
    stage.receiver.behaviour = refuse(status, status === 429 ? { 'retry-after': '0' } : { location: '/elsewhere' })
    stage.write(100)
    const before = stage.receiver.requests
    t.ok(await until(() => stage.receiver.requests >= before + 2), `it retries after ${status}`)
    stage.receiver.behaviour = undefined
    t.ok(await stage.arrived())
  }
  t.equal((await program.kill('SIGTERM')).code, 0)
  stage.complete(t)
})

t.test('Retry-After is obeyed in both forms', async t => {
  const stage = await Stage.set(t)
  const program = await stage.start()
  for (const make of [() => '2', () => new Date(Date.now() + 3000).toUTCString()]) {
    const after = make()
    stage.receiver.behaviour = refuse(503, { 'retry-after': after })
    stage.write(1)
    const before = stage.receiver.requests
    t.ok(await until(() => stage.receiver.requests > before))
    let health: { state: string; since: string; nextAttempt: string } | undefined
    const is = async (state: string) => {
      health = JSON.parse((await program.get('/health')).text).backends[0]
      return health!.state === state
    }
    t.ok(await until(() => is('down')))
    const least = /^\d+$/.test(after) ? Date.parse(health!.since) + Number(after) * 1000 : Date.parse(after)
    t.ok(Date.parse(health!.nextAttempt) >= least, `not before ${after}: ${health!.nextAttempt}`)
    stage.receiver.behaviour = undefined
    t.ok(await stage.arrived())
    t.ok(await until(() => is('up')))
  }
  t.equal((await program.kill('SIGTERM')).code, 0)
  stage.complete(t)
})

t.test('413 halves until it fits; other refusals are counted with their reason', async t => {
  const stage = await Stage.set(t, { LOGSHIPPER_BACKEND_COMPRESSION: 'none' })
  const program = await stage.start()
  stage.receiver.behaviour = (request, response) => {
    const fits = Number(request.headers['content-length']) < 8000
    response.writeHead(fits ? 200 : 413).end()
    return fits
  }
  stage.write(1000)
  t.ok(await stage.arrived())
  stage.complete(t)
  stage.receiver.behaviour = object('nobody wants this')
  appendFileSync(stage.log, 'nobody wants this\n')
  t.ok(await until(() => program.says('a record is refused')))
  stage.write(1)
  t.ok(await until(() => program.says('records rejected')), 'when another one was taken')
  const ended = await program.kill('SIGTERM')
  t.equal(ended.code, 0)
  const { delivered, rejected } = statement(t, ended)
  t.equal(delivered.lines, 1001)
  t.strictSame(rejected, { http_400: { lines: 1, bytes: 18 } })
})

t.test('a refused credential is read again from its file', async t => {
  const stage = await Stage.set(t)
  const token = join(dirname(stage.logs), 'token')
  const config = join(dirname(stage.logs), 'config.yaml')
  writeFileSync(token, 'old\n')
  writeFileSync(config, `backends: [{ type: http, auth: { bearer: { file: ${token} } } }]\n`)
  const program = await stage.start({}, ['--config', config])
  stage.receiver.behaviour = (request, response) => {
    const good = request.headers.authorization === 'Bearer new'
    response.writeHead(good ? 200 : 401).end()
    return good
  }
  stage.write(10)
  t.ok(await until(() => program.says('credentials refused; retrying')))
  t.equal((await program.get('/readyz')).status, 200, 'readiness does not depend on a backend')
  t.equal((await program.get('/readyz?strict')).status, 503)
  t.match(JSON.parse((await program.get('/health')).text), {
    status: 'degraded',
    backends: [{ state: 'unauthorized' }],
  })
  writeFileSync(token, 'new\n')
  t.ok(await stage.arrived())
  t.equal((await program.kill('SIGTERM')).code, 0)
  stage.complete(t)
})

t.test('a dead backend does not hold back the other one', async t => {
  const stage = await Stage.set(t)
  const dead = await Receiver.start(t)
  dead.behaviour = refuse(503)
  const config = join(dirname(stage.logs), 'config.yaml')
  writeFileSync(
    config,
    `backends: [{ name: live, type: http, endpoint: "${stage.receiver.url}" }, { name: dead, type: http, endpoint: "${dead.url}" }]\n`,
  )
  const env = { LOGSHIPPER_DRAIN_GRACE_PERIOD: '3s' }
  const { LOGSHIPPER_BACKEND_ENDPOINT: _, LOGSHIPPER_BACKEND_TYPE: __, ...rest } = stage.env
  const first = new Program({ ...rest, ...env }, ['--config', config])
  t.teardown(() => first.child.kill('SIGKILL'))
  await first.started
  stage.write(50_000)
  t.ok(await stage.arrived())
  const ended = await first.kill('SIGTERM')
  t.equal(ended.code, 3, 'something is left')
  const of = (name: string) => ended.ledger.find(({ backend }) => backend === name)!.statement
  t.equal(of('live').delivered.lines, 50_000)
  t.equal(of('dead').delivered.lines, 0)
  t.ok(of('dead').inFlight.lines > 0)
  dead.behaviour = undefined
  const second = new Program({ ...rest, ...env }, ['--config', config])
  t.teardown(() => second.child.kill('SIGKILL'))
  t.ok(await until(() => dead.records.length === 50_000))
  t.equal((await second.kill('SIGTERM')).code, 0)
  stage.complete(t)
  t.strictSame(dead.lines, stage.receiver.lines)
})

t.test('SIGTERM takes the last line without its end; a second one ends at once', async t => {
  const stage = await Stage.set(t)
  const program = await stage.start()
  stage.write(10)
  appendFileSync(stage.log, 'and then it')
  t.ok(await stage.arrived())
  t.notOk(stage.receiver.lines.includes('and then it'), 'held while a writer may live')
  t.equal((await program.kill('SIGTERM')).code, 0)
  t.match(stage.receiver.records.at(-1), { message: 'and then it', partial: true })
  stage.receiver.behaviour = refuse(503)
  // Longer than the test may take.
  const again = await stage.start({ LOGSHIPPER_DRAIN_GRACE_PERIOD: '1h' })
  stage.write(10)
  await until(() => again.says('backend unavailable; retrying'))
  again.child.kill('SIGTERM')
  await until(() => again.says('draining'))
  t.equal((await again.kill('SIGTERM')).code, 3)
})

t.test('a corrupt checkpoint falls back to the copy before it', async t => {
  const stage = await Stage.set(t)
  const first = await stage.start()
  stage.write(100)
  t.ok(await stage.arrived())
  t.equal((await first.kill('SIGTERM')).code, 0)
  const path = join(stage.state, 'checkpoint')
  const content = readFileSync(path)
  content[content.length >> 1]! ^= 0xff
  writeFileSync(path, content)
  const second = await stage.start()
  stage.write(100)
  t.ok(await stage.arrived())
  t.ok(second.says('the previous copy is'))
  t.equal((await second.kill('SIGTERM')).code, 0)
  stage.complete(t, { once: false, ordered: false })
})

t.test('lines of every kind arrive as they should', async t => {
  const stage = await Stage.set(t, { LOGSHIPPER_BACKEND_COMPRESSION: 'zstd' })
  const program = await stage.start()
  const long = `${'x'.repeat(1024 * 1024 - 1)}é and more`
  const parts = [
    Buffer.from('\ufeffwith a mark\r\n'),
    Buffer.from('"quoted" \\ \t\u2028\n\n'),
    Buffer.from([0x61, 0xff, 0x62, 0x0a]),
    Buffer.alloc(5000),
    Buffer.from('behind a hole\n'),
    Buffer.from(`${long}\n`),
    Buffer.from('last\n'),
  ]
  writeFileSync(stage.log, Buffer.concat(parts))
  t.ok(await until(() => stage.receiver.lines.includes('last')))
  const ended = await program.kill('SIGTERM')
  t.equal(ended.code, 0)
  t.strictSame(stage.receiver.lines.slice(0, 5), [
    'with a mark',
    '"quoted" \\ \t\u2028',
    '',
    'a\ufffdb',
    'behind a hole',
  ])
  const cut = stage.receiver.records[5]!
  t.match(cut, { truncated: true, originalBytes: Buffer.byteLength(long) })
  t.equal(cut.message, 'x'.repeat(1024 * 1024 - 1), 'cut on the edge of a character')
  const { delivered, dropped, truncatedLines, repairedSequences } = statement(t, ended)
  t.equal(delivered.bytes, Buffer.concat(parts).length - 5000)
  t.strictSame(dropped, { padding: { lines: 0, bytes: 5000 } })
  t.equal(truncatedLines, 1)
  t.equal(repairedSequences, 1)
})
