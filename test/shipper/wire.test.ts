/** What a network and a server can do to an exchange, below HTTP and at its edges: it costs time, and no line. */
import { readFileSync } from 'node:fs'
import t from 'tap'
import type { LedgerLine } from '../../src/server/shipper-view.ts'
import { type Program, refuse, Stage, sleep, until } from '../program.ts'
import { answer, type Treatment, Wire } from '../support/wire.ts'

t.jobs = 3

const LIMITS = {
  LOGSHIPPER_BACKEND_TIMEOUT_CONNECT: '700ms',
  LOGSHIPPER_BACKEND_TIMEOUT_HEADERS: '700ms',
  LOGSHIPPER_BACKEND_TIMEOUT_BODY: '700ms',
}

/** Each of them makes a connection end in something that is no answer. */
const faults: Record<string, Treatment> = {
  'takes a connection and says nothing': () => {},
  'hangs up at once': near => near.destroy(),
  'hangs up in the middle of the request': near => near.once('data', () => near.destroy()),
  'resets in the middle of the request': near => near.once('data', () => near.resetAndDestroy()),
  'does not read': near => near.pause(),
  'speaks another protocol': answer('SSH-2.0-OpenSSH_9.2p1\r\n'),
  'answers with bytes': answer('\0\xff\xfe\x01'.repeat(100)),
  'has a head without end': near => {
    near.once('data', () => near.write('HTTP/1.1 200 OK\r\n'))
    const timer = setInterval(() => near.write(`x-more: ${'y'.repeat(4096)}\r\n`), 2)
    near.once('close', () => clearInterval(timer))
  },
  'has an answer without end': near => {
    near.once('data', () => near.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n'))
    const timer = setInterval(() => near.write(`4000\r\n${'z'.repeat(0x4000)}\r\n`), 1)
    near.once('close', () => clearInterval(timer))
  },
  'trickles its answer': near => {
    near.once('data', () => near.write('HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n'))
    const timer = setInterval(() => near.write('.'), 20)
    near.once('close', () => clearInterval(timer))
  },
  'promises more than it sends': near =>
    near.once('data', () => near.end('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf')),
  'sends two lengths': answer('HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nabc'),
  'says only that it goes on': answer('HTTP/1.1 100 Continue\r\n\r\n'),
  'wants to speak something else': answer(
    'HTTP/1.1 101 Switching Protocols\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\n',
  ),
}

for (const [what, fault] of Object.entries(faults)) {
  t.test(`a server that ${what} has taken nothing`, async t => {
    const stage = await Stage.set(t, LIMITS)
    // The limits are short: on a busy machine an answer may be late, and its request comes again under its key.
    stage.receiver.honoursKeys = true
    const wire = await Wire.lay(t, stage.receiver.url)
    const program = await stage.start({ LOGSHIPPER_BACKEND_ENDPOINT: wire.url })
    stage.write(100)
    t.ok(await acknowledged(program, 100))
    wire.treat(fault)
    const before = wire.connections
    stage.write(3000)
    t.ok(await until(() => wire.connections >= before + 3), 'it retries')
    t.match(JSON.parse((await program.get('/health')).text), { backends: [{ state: 'down' }] })
    t.equal(stage.missing().length, 3000, 'nothing came through')
    wire.treat(undefined)
    t.ok(await stage.arrived())
    const { code, ledger } = await program.kill('SIGTERM')
    t.equal(code, 0)
    stage.complete(t)
    t.equal(ledger[0]!.statement.delivered.lines, stage.written)
  })
}

t.test('a connection that is not accepted is retried at the same address until it is', async t => {
  const stage = await Stage.set(t, LIMITS)
  const wire = await Wire.lay(t, stage.receiver.url)
  await wire.cut()
  const program = await stage.start({ LOGSHIPPER_BACKEND_ENDPOINT: wire.url })
  stage.write(100)
  t.ok(await until(() => program.says('backend unavailable; retrying')))
  await wire.join()
  t.ok(await stage.arrived())
  t.ok(await until(() => program.says('backend recovered')))
  t.equal((await program.kill('SIGTERM')).code, 0)
  stage.complete(t)
})

t.test('a name that does not resolve costs time', async t => {
  const stage = await Stage.set(t, { LOGSHIPPER_DRAIN_GRACE_PERIOD: '2s' })
  const program = await stage.start({ LOGSHIPPER_BACKEND_ENDPOINT: 'http://collector.invalid:8080/' })
  stage.write(10)
  t.ok(await until(() => program.says('backend unavailable; retrying')))
  const { code, ledger } = await program.kill('SIGTERM')
  t.equal(code, 3)
  t.equal(ledger[0]!.statement.delivered.lines, 0)
  const next = await stage.start()
  t.ok(await stage.arrived())
  t.equal((await next.kill('SIGTERM')).code, 0)
  stage.complete(t)
})

t.test('a batch that was taken, but whose answer was lost, comes again under the same ids', async t => {
  const stage = await Stage.set(t, { LOGSHIPPER_BACKEND_IDS: 'true' })
  const program = await stage.start()
  let lost = 0
  stage.receiver.behaviour = request => {
    lost++
    request.socket.destroy()
    return true
  }
  stage.write(500)
  t.ok(await until(() => lost >= 3))
  stage.receiver.behaviour = undefined
  stage.write(500)
  t.ok(await stage.arrived())
  const { code, ledger } = await program.kill('SIGTERM')
  t.equal(code, 0)
  stage.complete(t, { once: false, ordered: false })
  t.ok(stage.receiver.records.length > stage.written, 'some did come twice')
  const ids = new Set(stage.receiver.records.map(({ id }) => id))
  t.equal(ids.size, stage.written, 'whoever honours ids has every line once')
  const keys = stage.receiver.heads.map(head => head['idempotency-key'])
  t.ok(new Set(keys).size < keys.length, 'the request says that it is the same')
  t.equal(ledger[0]!.statement.delivered.lines, stage.written, 'the ledger counts what was acknowledged')
})

t.test('an answer that came before the request was read is an answer to it alone', async t => {
  const stage = await Stage.set(t, { ...LIMITS, LOGSHIPPER_BACKEND_COMPRESSION: 'none' })
  const wire = await Wire.lay(t, stage.receiver.url)
  const program = await stage.start({ LOGSHIPPER_BACKEND_ENDPOINT: wire.url })
  // A refusal at the first byte; then the rest of the body is left unread.
  wire.treat(near =>
    near.once('data', () => {
      near.pause()
      near.write('HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n')
    }),
  )
  stage.write(50_000)
  const before = wire.connections
  t.ok(await until(() => wire.connections >= before + 3))
  wire.treat(undefined)
  t.ok(await stage.arrived())
  t.equal((await program.kill('SIGTERM')).code, 0)
  stage.complete(t)
})

t.test('an answer too many is not taken for that of the next request', async t => {
  const stage = await Stage.set(t, LIMITS)
  const wire = await Wire.lay(t, stage.receiver.url)
  const program = await stage.start({ LOGSHIPPER_BACKEND_ENDPOINT: wire.url })
  let asked = 0
  const message = 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n'
  wire.treat(near => near.once('data', () => near.write(message.repeat(++asked === 1 ? 3 : 1))))
  // This one is acknowledged by a liar: it never reaches the receiver.
  stage.write(1)
  t.ok(await acknowledged(program, 1))
  t.equal(asked, 1)
  wire.treat(undefined)
  stage.write(100)
  t.ok(await until(() => stage.missing().length === 1))
  const { code, ledger } = await program.kill('SIGTERM')
  t.equal(code, 0)
  t.strictSame(stage.missing(), [0], 'only what the liar took')
  t.equal(ledger[0]!.statement.delivered.lines, 101)
})

t.test('a receiver that reads slowly gets everything in the end', async t => {
  const stage = await Stage.set(t, { LOGSHIPPER_BACKEND_COMPRESSION: 'none' })
  const wire = await Wire.lay(t, stage.receiver.url)
  const program = await stage.start({ LOGSHIPPER_BACKEND_ENDPOINT: wire.url })
  stage.receiver.behaviour = (request, response) => {
    setTimeout(() => response.writeHead(200).end(), 100)
    return !request.destroyed
  }
  stage.write(60_000)
  t.ok(await stage.arrived())
  t.equal((await program.kill('SIGTERM')).code, 0)
  stage.complete(t)
})

t.test('what a 2xx says is not read: garbage behind it is an acknowledgement all the same', async t => {
  const stage = await Stage.set(t)
  const program = await stage.start()
  stage.receiver.behaviour = (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"errors": tr\0\xff')
    return true
  }
  stage.write(100)
  t.ok(await stage.arrived())
  const { code, ledger } = await program.kill('SIGTERM')
  t.equal(code, 0)
  stage.complete(t)
  t.equal(ledger[0]!.statement.delivered.lines, 100)
})

for (const wait of ['99999999999', 'Fri, 31 Dec 9999 23:59:59 GMT', '-5', 'soon', '0.5', '']) {
  t.test(`Retry-After: ${wait || 'nothing'} neither hammers nor waits beyond the drain`, async t => {
    const stage = await Stage.set(t, { LOGSHIPPER_DRAIN_GRACE_PERIOD: '4s' })
    const program = await stage.start()
    stage.receiver.behaviour = refuse(503, { 'retry-after': wait })
    const before = stage.receiver.requests
    stage.write(10)
    t.ok(await until(() => stage.receiver.requests > before))
    const used = ticks(program)
    await sleep(700)
    t.ok(stage.receiver.requests - before < 20, 'it does not hammer')
    t.ok(ticks(program) - used < 35, 'it sleeps meanwhile')
    stage.receiver.behaviour = undefined
    const { code } = await program.kill('SIGTERM')
    t.equal(code, 0, 'draining does not wait so long')
    stage.complete(t)
  })
}

/** Waits until so many lines are acknowledged: the receiver may have them long before the program knows. */
function acknowledged(program: Program, lines: number): Promise<boolean> {
  return until(async () => {
    const ledger = JSON.parse((await program.get('/ledger', 'adminPort')).text) as LedgerLine[]
    return ledger[0]?.statement.delivered.lines === lines
  })
}

/** Hundredths of a CPU second that a process has used (proc(5)). */
function ticks(program: Program): number {
  const fields = readFileSync(`/proc/${program.child.pid}/stat`, 'latin1').split(') ')[1]!.split(' ')
  return Number(fields[11]) + Number(fields[12])
}
