/** Every probe and page over HTTP, as the kubelet, Prometheus and a person ask them, against the running program. */
import { execFileSync, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { truncateSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { connect } from 'node:net'
import { dirname, join } from 'node:path'
import t from 'tap'
import type { HealthReport, LedgerLine } from '../../src/server/shipper-view.ts'
import { object, Program, refuse, Stage, sleep, until } from '../program.ts'

t.jobs = 3

const PROMTOOL = spawnSync('promtool', ['--version']).status === 0
const SECRET = 'hush-7f3a'
const CONTENT = 'xyzzy is what the application said'

function portOf(program: Program, name: 'port' | 'adminPort' = 'port'): number {
  return program.said.find(({ msg }) => msg === 'listening')![name] as number
}

/** The samples of a page, by name and labels. */
async function scrape(program: Program): Promise<Map<string, number>> {
  const { status, text } = await program.get('/metrics')
  t.equal(status, 200)
  const samples = text.split('\n').filter(line => line !== '' && !line.startsWith('#'))
  return new Map(samples.map(line => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]))
}

/** The sum of all samples of a metric. */
function sum(samples: Map<string, number>, name: string): number {
  return [...samples].filter(([key]) => key === name || key.startsWith(`${name}{`)).reduce((all, [, n]) => all + n, 0)
}

async function health(program: Program): Promise<HealthReport> {
  return JSON.parse((await program.get('/health')).text) as HealthReport
}

async function acknowledged(program: Program, lines: number): Promise<boolean> {
  return until(async () => sum(await scrape(program), 'logshipper_delivered_lines_total') === lines)
}

t.test('a program that is well says so on every page', async t => {
  const stage = await Stage.set(t)
  const program = await stage.start()
  stage.write(1000)
  t.ok(await acknowledged(program, 1000))
  for (const path of ['/startupz', '/livez', '/readyz', '/readyz?strict', '/health', '/metrics']) {
    t.equal((await program.get(path)).status, 200, path)
  }
  t.match(await health(program), {
    status: 'ok',
    state: { kind: 'saved' },
    backends: [{ state: 'up', reason: null, lagBytes: 0 }],
    sources: [{ name: 'app', files: 1, refused: {} }],
  })
  const page = await program.get('/', 'adminPort')
  t.equal(page.status, 200)
  t.match(page.text, /^<!doctype html>/i)
  const status = JSON.parse((await program.get('/status', 'adminPort')).text) as Record<string, unknown>
  t.match(status, { draining: false, files: [{ path: stage.log, state: 'live', size: 1000 * 35 }] })
  const ledger = JSON.parse((await program.get('/ledger', 'adminPort')).text) as LedgerLine[]
  t.match(ledger, [{ source: 'app', statement: { delivered: { lines: 1000, bytes: 35_000 } } }])
  t.strictSame((await program.kill('SIGTERM')).ledger, ledger, 'what it says last is what it said before')
  stage.complete(t)
})

t.test('the metrics, the ledger and the receiver count the same, through every fate a line can have', async t => {
  const stage = await Stage.set(t, { LOGSHIPPER_BACKEND_STATUSES_REJECTED: '422' })
  const program = await stage.start()
  stage.write(500)
  t.ok(await acknowledged(program, 500))
  stage.receiver.behaviour = refuse(422)
  writeFileSync(join(stage.logs, 'b.log'), 'one\ntwo\n')
  t.ok(await until(async () => sum(await scrape(program), 'logshipper_rejected_lines_total') === 2))
  stage.receiver.behaviour = refuse(503)
  stage.write(300)
  let during = await scrape(program)
  // Scrapes within a quarter of a second share a page.
  t.ok(await until(async () => sum((during = await scrape(program)), 'logshipper_backend_up') === 0))
  t.ok(sum(during, 'logshipper_lag_bytes') > 0)
  t.ok(sum(during, 'logshipper_retries_total') > 0)
  stage.receiver.behaviour = undefined
  t.ok(await acknowledged(program, 800))
  // A writer that kept its offset across a truncation leaves a hole.
  writeFileSync(stage.log, Buffer.concat([Buffer.alloc(400_000), Buffer.from(stage.take(1))]))
  t.ok(await acknowledged(program, 801))
  const after = await scrape(program)
  for (const unit of ['lines', 'bytes']) {
    const settled = ['delivered', 'rejected', 'dropped'].map(fate => sum(after, `logshipper_${fate}_${unit}_total`))
    const inFlight = sum(after, `logshipper_in_flight_${unit}`)
    t.equal(
      sum(after, `logshipper_read_${unit}_total`),
      settled.reduce((all, n) => all + n, inFlight),
      `${unit}: read = delivered + rejected + dropped + in flight`,
    )
  }
  const { statement } = (await program.kill('SIGTERM')).ledger[0]!
  t.match(statement, { rejected: { http_422: { lines: 2, bytes: 8 } }, dropped: { padding: { bytes: 400_000 } } })
  t.equal(statement.delivered.lines, stage.receiver.records.length)
  t.equal(sum(after, 'logshipper_delivered_bytes_total'), statement.delivered.bytes)
  stage.complete(t)
})

t.test(
  'a scrape before anything happened has every counter that an alert may wait for, and a restart takes none back',
  async t => {
    const stage = await Stage.set(t)
    const first = await stage.start()
    const before = await scrape(first)
    const account = 'source="app",backend="http"'
    const expected = [
      ...['too_large', 'http_400', 'http_422'].map(reason => `rejected_lines_total{${account},reason="${reason}"}`),
      ...['padding', 'held_limit'].map(reason => `dropped_bytes_total{${account},reason="${reason}"}`),
      ...['rejected_lines_any_reason_total', 'lost_bytes_total', 'read_lines_total'].map(name => `${name}{${account}}`),
      'requests_total{backend="http",status="4xx",verdict="unauthorized"}',
    ].map(name => `logshipper_${name}`)
    t.strictSame(
      expected.map(name => [name, before.get(name)]),
      expected.map(name => [name, 0]),
    )
    stage.receiver.behaviour = object('bad', 422)
    writeFileSync(stage.log, 'bad 1\nbad 2\ngood\n')
    const refused = `logshipper_rejected_lines_total{${account},reason="http_422"}`
    t.ok(await until(async () => (await scrape(first)).get(refused) === 2))
    await first.kill('SIGTERM')
    const second = await stage.start()
    t.equal((await scrape(second)).get(refused), 2, 'from the first scrape on, or it would look like two more')
    await second.kill('SIGTERM')
  },
)

t.test('no counter ever goes backwards, whatever happens to files and backends', async t => {
  const stage = await Stage.set(t)
  const program = await stage.start()
  let before = new Map<string, number>()
  const fell: string[] = []
  for (let turn = 0; turn < 15; turn++) {
    stage.receiver.behaviour = turn % 5 === 3 ? refuse(503) : turn % 5 === 4 ? refuse(400) : undefined
    stage.write(50)
    if (turn % 4 === 1) truncateSync(stage.log)
    await sleep(40)
    const now = await scrape(program)
    for (const [key, value] of before) {
      if (/_(total|count|sum|bucket)\b/.test(key) && (now.get(key) ?? -1) < value) fell.push(key)
    }
    before = now
  }
  t.strictSame(fell, [])
  await program.kill('SIGKILL')
})

const withoutPromtool = PROMTOOL ? false : 'promtool is not installed'

t.test('promtool finds nothing to say of a busy program', { skip: withoutPromtool }, async t => {
  const stage = await Stage.set(t, {
    LOGSHIPPER_SOURCE_LABELS: 'quoted=a "b" ü',
    LOGSHIPPER_BACKEND_STATUSES_REJECTED: '400',
  })
  const program = await stage.start()
  stage.write(100)
  t.ok(await stage.arrived())
  stage.receiver.behaviour = refuse(400)
  stage.write(100)
  t.ok(await until(() => program.says('records rejected')))
  const { text } = await program.get('/metrics')
  const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' })
  t.equal(`${stdout}${stderr}`, '')
  t.equal(status, 0)
  await program.kill('SIGKILL')
})

t.test(
  'log content, secrets and paths are on no page of the port that every pod can reach, nor in what it says',
  async t => {
    const stage = await Stage.set(t)
    const config = join(dirname(stage.logs), 'config.yaml')
    writeFileSync(config, 'backends: [{ type: http, auth: { bearer: { env: TOKEN } } }]\n')
    const program = await stage.start({ TOKEN: SECRET }, ['--config', config])
    // What the receiver answers may hold what it was sent.
    stage.receiver.behaviour = (request, response) => {
      response.writeHead(request.headers.authorization === `Bearer ${SECRET}` ? 400 : 500)
      response.end(`cannot take ${SECRET}: ${CONTENT}`)
      return false
    }
    writeFileSync(stage.log, `${CONTENT}\n`)
    t.ok(await until(() => program.says('a record is refused')))
    stage.receiver.behaviour = refuse(401)
    writeFileSync(join(stage.logs, 'b.log'), `${CONTENT}\n`)
    t.ok(await until(() => program.says('credentials refused; retrying')))
    for (const path of [
      '/startupz',
      '/livez',
      '/readyz',
      '/readyz?strict',
      '/health',
      '/metrics',
      '/nothing',
      '/prestop',
    ]) {
      const { text } = await program.get(path)
      for (const word of ['xyzzy', SECRET, stage.logs]) t.notMatch(text, word, `${word} on ${path}`)
    }
    for (const path of ['/', '/status', '/ledger']) {
      const { text } = await program.get(path, 'adminPort')
      for (const word of ['xyzzy', SECRET]) t.notMatch(text, word, `${word} on ${path}`)
    }
    program.child.kill('SIGTERM')
    // Two signals in one moment are one signal.
    t.ok(await until(() => program.says('draining')))
    t.equal((await program.kill('SIGTERM')).code, 3)
    for (const word of ['xyzzy', SECRET]) t.notMatch(JSON.stringify(program.said), word, `${word} in its log`)
  },
)

t.test('while it drains it lives, answers, and takes in no second life', async t => {
  const stage = await Stage.set(t, { LOGSHIPPER_DRAIN_GRACE_PERIOD: '3s' })
  stage.receiver.behaviour = refuse(503)
  const program = await stage.start()
  stage.write(100)
  t.ok(await until(() => program.says('backend unavailable; retrying')))
  program.child.kill('SIGTERM')
  t.ok(await until(() => program.says('draining')))
  t.match(await program.get('/livez'), { status: 200, text: 'draining\n' })
  t.equal((await program.get('/readyz')).status, 200, 'readiness is not about the end')
  t.match(JSON.parse((await program.get('/status', 'adminPort')).text), { draining: true })
  t.equal((await program.ended).code, 3)
  await t.rejects(program.get('/livez'), 'and then the port is closed')
})

t.test('liveness holds while a big backlog goes through, and does not wait for its end', async t => {
  const stage = await Stage.set(t)
  stage.write(600_000)
  const program = await stage.start()
  let answers = 0
  while (stage.receiver.records.length < stage.written) {
    t.equal((await program.get('/livez')).status, 200)
    answers++
  }
  // Between two payloads, of which there are some dozens, there is always time for one.
  t.ok(answers >= 20, `${answers} answers`)
  t.equal((await program.kill('SIGTERM')).code, 0)
  stage.complete(t)
})

t.test('the hook of the container counts from when it was called, whatever comes on the other port', async t => {
  const stage = await Stage.set(t, { LOGSHIPPER_DRAIN_GRACE_PERIOD: '20s' })
  const program = await stage.start()
  const hook = new Program({}, ['prestop', '--admin', `127.0.0.1:${portOf(program, 'adminPort')}`])
  t.equal((await hook.ended).code, 0)
  await sleep(500)
  t.equal((await program.get('/prestop')).status, 200)
  t.equal((await program.kill('SIGTERM')).code, 0)
  const { leftMs, gracePeriodMs, mark } = program.said.find(({ event }) => event === 'draining')!
  t.strictSame({ gracePeriodMs, mark }, { gracePeriodMs: 20_000, mark: 'pod' })
  t.ok(Number(leftMs) <= 18_500, `${leftMs} ms`)
  const nobody = new Program({}, ['prestop', '--admin', `127.0.0.1:${portOf(program, 'adminPort')}`])
  t.equal((await nobody.ended).code, 1)
  t.ok(nobody.says('cannot connect to'))
})

t.test('an unverified call of the hook long before the end does not take the time that a drain needs', async t => {
  const stage = await Stage.set(t, {
    LOGSHIPPER_DRAIN_GRACE_PERIOD: '16s',
    LOGSHIPPER_BACKEND_RETRY_MAX: '200ms',
  })
  stage.receiver.behaviour = refuse(503)
  const program = await stage.start()
  stage.write(10)
  t.ok(await until(() => program.says('backend unavailable; retrying')))
  t.equal((await program.get('/prestop')).status, 200)
  // Taken as it is the mark would leave two seconds, in which nothing comes back.
  await sleep(13_000)
  program.child.kill('SIGTERM')
  t.ok(await until(() => program.says('draining')))
  const { leftMs } = program.said.find(({ event }) => event === 'draining')!
  t.ok(Number(leftMs) > 6000, 'half of the grace period, and a second of that to save')
  await sleep(2500)
  stage.receiver.behaviour = undefined
  t.equal((await program.ended).code, 0)
  stage.complete(t)
})

t.test(
  'without a hook all of the grace period but a second is left, and a drain that needs more ends then',
  async t => {
    const stage = await Stage.set(t, { LOGSHIPPER_DRAIN_GRACE_PERIOD: '3s' })
    stage.receiver.behaviour = refuse(503)
    const program = await stage.start()
    stage.write(10)
    t.ok(await until(() => program.says('backend unavailable; retrying')))
    t.equal((await program.kill('SIGTERM')).code, 3)
    const { leftMs, mark } = program.said.find(({ event }) => event === 'draining')!
    t.equal(mark, null)
    t.ok(Number(leftMs) > 1500 && Number(leftMs) <= 2000, `${leftMs} ms`)
  },
)

t.test('many clients that are silent, slow or malformed shut out no other, and cost no line', async t => {
  const stage = await Stage.set(t)
  const program = await stage.start()
  const port = portOf(program)
  const crowd = Array.from({ length: 400 }, (_, n) => {
    const socket = connect(port, '127.0.0.1').on('error', () => {})
    if (n % 4 === 1) socket.write('GET /livez HTTP/1.1\r\nhost: x\r\nx-slow: ')
    if (n % 4 === 2) socket.write(Buffer.alloc(2000, 0xff))
    if (n % 4 === 3) socket.write('GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(50))
    return socket
  })
  t.teardown(() => {
    for (const socket of crowd) socket.destroy()
  })
  for (let n = 0; n < 10; n++) {
    stage.write(20)
    t.equal((await program.get('/livez')).status, 200)
    await sleep(20)
  }
  t.ok(await stage.arrived())
  t.equal((await program.kill('SIGTERM')).code, 0, 'and it ends with all of them there')
  stage.complete(t)
})

t.test('a web page elsewhere cannot read the admin port under a name of its own', async t => {
  const stage = await Stage.set(t)
  const program = await stage.start()
  const ask = async (host: string): Promise<number> => {
    const call = request({ port: portOf(program, 'adminPort'), host: '127.0.0.1', path: '/status', headers: { host } })
    call.end()
    const [response] = (await once(call, 'response')) as [{ statusCode: number; resume(): void }]
    response.resume()
    return response.statusCode
  }
  t.equal(await ask('localhost:9615'), 200)
  t.equal(await ask('evil.example'), 403)
  t.equal((await program.kill('SIGTERM')).code, 0)
})

t.test('the commands status and ledger ask the running program', async t => {
  const stage = await Stage.set(t)
  const program = await stage.start()
  stage.write(200)
  t.ok(await acknowledged(program, 200))
  const admin = `127.0.0.1:${portOf(program, 'adminPort')}`
  const ledger = new Program({}, ['ledger', '--admin', admin])
  t.equal((await ledger.ended).code, 0)
  t.match(ledger.stdout, '200')
  const json = new Program({}, ['ledger', '--json', '--admin', admin])
  await json.ended
  t.match(JSON.parse(json.stdout), [{ statement: { delivered: { lines: 200 } } }])
  const status = new Program({}, ['status', '--admin', admin])
  t.equal((await status.ended).code, 0)
  t.match(status.stdout, stage.log)
  t.equal((await program.kill('SIGTERM')).code, 0)
  const nobody = new Program({}, ['status', '--admin', admin])
  t.not((await nobody.ended).code, 0, 'nothing answers')
})

t.test('without ports it ships all the same, and nothing listens', async t => {
  const stage = await Stage.set(t, { LOGSHIPPER_SERVER_PORT: 'off', LOGSHIPPER_SERVER_ADMIN: 'off' })
  const program = await stage.start()
  stage.write(10)
  t.ok(await stage.arrived())
  t.notOk(program.says('listening'))
  const sockets = execFileSync('ls', ['-l', `/proc/${program.child.pid}/fd`], { encoding: 'utf8' }).match(
    /socket:\[(\d+)/g,
  )
  const listening = execFileSync('cat', ['/proc/net/tcp', '/proc/net/tcp6'], { encoding: 'utf8' })
    .split('\n')
    .map(line => line.trim().split(/\s+/))
    .filter(fields => fields[3] === '0A')
  const own = listening.filter(fields => sockets?.includes(`socket:[${fields[9]}`))
  t.strictSame(own, [])
  t.equal((await program.kill('SIGTERM')).code, 0)
  stage.complete(t)
})
