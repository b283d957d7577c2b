/** `logshipper tap`, against a real admin port: what it prints where, what ends it, and what a hostile port cannot do. */
import type { RequestListener } from 'node:http'
import t, { type Test } from 'tap'
import { parseArgs } from '../../src/cli/args.ts'
import type { Ended } from '../../src/cli/output.ts'
import { type TapRequest, tap } from '../../src/cli/tap.ts'
import { startServer } from '../../src/server/server.ts'
import { Tap, TapInlet } from '../../src/tap.ts'
import { Arena } from '../delivery/rig.ts'
import { until } from '../program.ts'
import { Stage } from '../server/rig.ts'
import { Journal } from '../tail/rig.ts'
import { port } from './port.ts'

async function shipper(t: Test) {
  const stage = new Stage()
  // One second that does not end: how many records come in one is what is bounded.
  stage.tap = new Tap(true, () => 0)
  const running = await startServer({ port: null, admin: { host: '127.0.0.1', port: 0 } }, stage, new Journal())
  t.teardown(() => running.close())
  const arena = new Arena()
  const inlet = new TapInlet(stage.tap, 'main', arena.kernel.bytes)
  /** Once there is a viewer. */
  const deliver = async (...lines: string[]): Promise<void> => {
    t.ok(await until(() => inlet.open))
    const slab = arena.slab({ lines })
    inlet.frames(slab, [{ from: 0, to: lines.length }], 'delivered')
  }
  return { stage, running, inlet, arena, deliver, admin: `127.0.0.1:${running.ports.adminPort}` }
}

/** `ended`: how each write ends. */
function looking(request: TapRequest, ended: () => Promise<Ended> = async () => ({ kind: 'written' })) {
  const said = { out: '', err: '' }
  const interruption = Promise.withResolvers<void>()
  const code = tap(request, {
    out: { write: text => void (said.out += text), end: ended },
    err: { write: text => void (said.err += text) },
    onInterruption: listener => void interruption.promise.then(listener),
  })
  return { said, code, interrupt: () => interruption.resolve() }
}

t.test('its options are understood, and what makes no sense is refused', t => {
  const none = { admin: undefined, json: false, source: undefined, backend: undefined, grep: undefined }
  t.strictSame(parseArgs(['tap']), { kind: 'tap', ...none, count: undefined })
  t.strictSame(
    parseArgs([
      'tap',
      '--source',
      'app',
      '--backend',
      'main',
      '--grep',
      'a b',
      '--count',
      '3',
      '--json',
      '--admin=x:1',
    ]),
    { kind: 'tap', admin: 'x:1', json: true, source: 'app', backend: 'main', grep: 'a b', count: 3 },
  )
  for (const count of ['0', '-1', 'x', '1.5']) {
    t.match(parseArgs(['tap', `--count=${count}`]), { kind: 'wrong', message: `not ${count}` })
  }
  t.match(parseArgs(['tap', 'app.log']), { kind: 'wrong', message: 'tap takes no paths' })
  t.match(parseArgs(['tap', '--grep=']), { kind: 'wrong', message: '--grep is empty' })
  t.match(parseArgs(['tap', '--watch']), { kind: 'wrong', message: 'tap does not take --watch' })
  t.end()
})

t.test('each record is one line, and controls no terminal; after so many it ends', async t => {
  const { inlet, arena, deliver, admin } = await shipper(t)
  const { said, code } = looking({ admin, count: 3 })
  await deliver('one')
  const slab = arena.slab({ lines: ['two\x1b[2J\x9b2J\u202eevil\nof two lines'], fileStart: 100 })
  inlet.frames(slab, [{ from: 0, to: 1 }], 'rejected', 'http_400')
  await deliver('x'.repeat(3000), 'one too many')
  t.equal(await code, 0)
  const [first, second, third, ...others] = said.out.split('\n')
  const time = /^\d{4}-\d\d-\d\dT[\d:.]+Z /
  t.match(first, time)
  t.equal(first!.replace(time, ''), 'delivered app → main /var/log/app/a.log:0: one')
  t.equal(
    second!.replace(time, ''),
    'rejected (http_400) app → main /var/log/app/a.log:100: two\\u001b[2J\\u009b2J\\u202eevil\\u000aof two lines',
  )
  t.match(third, /: x{1024}… \(3000 bytes\)$/)
  t.strictSame(others, [''])
  t.match(said.err, `records of ${admin} with their verdicts`)
  t.ok(await until(() => !inlet.open), 'and it has left')
})

t.test('as JSON standard output has records and what was skipped, and nothing else is said', async t => {
  const { deliver, admin } = await shipper(t)
  const { said, code, interrupt } = looking({ admin, json: true, backend: 'main', grep: 'x' })
  await deliver('not this', ...Array.from({ length: 110 }, () => 'x\x9b'))
  t.ok(await until(() => said.out.includes('"skipped"')))
  interrupt()
  t.equal(await code, 0)
  const lines = said.out.trimEnd().split('\n')
  t.equal(lines.length, 101)
  t.match(JSON.parse(lines[0]!), { verdict: 'delivered', text: 'x\x9b' })
  t.match(JSON.parse(lines[100]!), { skipped: 10, why: 'rate' })
  t.match(said.out, /^[\x20-\x7e\n]+$/)
  t.equal(said.err, '')
})

t.test('what was skipped is said beside the records', async t => {
  const { deliver, admin } = await shipper(t)
  const { said, code, interrupt } = looking({ admin })
  await deliver(...Array.from({ length: 150 }, (_, n) => `line ${n}`))
  t.ok(await until(() => said.err.includes('skipped')))
  t.match(said.err, '50 records skipped: more than 100 a second of one verdict\n')
  interrupt()
  t.equal(await code, 0)
})

t.test('a reader that has closed, or has stopped when a signal comes, ends it', async t => {
  const { deliver, admin } = await shipper(t)
  const gone = looking({ admin }, async () => ({ kind: 'unread' }))
  await deliver('one')
  t.equal(await gone.code, 0)
  const stopped = looking({ admin }, () => new Promise(() => {}))
  t.ok(await until(() => stopped.said.err !== ''))
  await deliver('one', 'two')
  t.ok(await until(() => stopped.said.out !== ''))
  stopped.interrupt()
  t.equal(await stopped.code, 0)
  t.equal(stopped.said.out.split('\n').length, 2, 'it reads no further than it writes')
})

t.test('a shipper that does not answer, refuses or ends the stream is said, with 1', async t => {
  const { stage, running, admin } = await shipper(t)
  const failed = async (request: TapRequest) => {
    const { said, code } = looking(request)
    t.equal(await code, 1)
    return said.err
  }
  t.match(await failed({ admin: '127.0.0.1:0' }), /^logshipper: cannot connect to 127\.0\.0\.1:0 /)
  t.equal(await failed({ admin: 'nonsense' }), 'logshipper: nonsense is not host:port\n')
  t.equal(
    await failed({ admin, source: 'ap' }),
    `logshipper: ${admin} answers 400: unknown source ap; configured: app\n`,
  )
  stage.tap.allow(false)
  t.match(await failed({ admin }), 'answers 403: records are not shown: server.tap is false')
  stage.tap.allow(true)
  const forbidden = looking({ admin })
  t.ok(await until(() => forbidden.said.err !== ''))
  stage.tap.allow(false)
  t.equal(await forbidden.code, 1)
  t.match(forbidden.said.err, `${admin} ended the stream`)
  stage.tap.allow(true)
  const cut = looking({ admin })
  t.ok(await until(() => cut.said.err !== ''))
  await running.close()
  t.equal(await cut.code, 1)
  t.match(cut.said.err, `the stream of ${admin} broke off (`)
})

t.test('another program at the port can neither control the terminal nor fill the memory', async t => {
  const ndjson = { 'content-type': 'application/x-ndjson' }
  const none = 'is not the admin port of a logshipper'
  for (const answer of [
    (_: unknown, response) => response.end('<p>hello'),
    (_: unknown, response) => response.writeHead(200, ndjson).end('hello\n'),
    (_: unknown, response) => response.writeHead(200, ndjson).end('{"at":1}\n'),
    (_: unknown, response) => response.writeHead(200, ndjson).end('null\n'),
    // Without an end.
    (_: unknown, response) => response.writeHead(200, ndjson).write('x'.repeat(100_000)),
  ] satisfies RequestListener[]) {
    const { said, code } = looking({ admin: await port(t, answer) })
    t.equal(await code, 1)
    t.match(said.err, none)
    t.equal(said.out, '')
  }
  const words = await port(t, (_, response) => response.writeHead(403).end(`\x1b[2J\x9b${'x'.repeat(1000)}`))
  const refused = looking({ admin: words })
  t.equal(await refused.code, 1)
  t.match(refused.said.err, `${words} answers 403: \\u001b[2J\\u009bxxx`)
  t.ok(refused.said.err.length < 400)
  const record = {
    at: '\x1b[2J',
    verdict: '\x9b',
    reason: '\x1b',
    source: {},
    backend: [],
    file: 1,
    offset: '\x1b',
    text: '',
  }
  const strange = await port(t, (_, response) => response.writeHead(200, ndjson).end(`${JSON.stringify(record)}\n`))
  const shown = looking({ admin: strange })
  t.equal(await shown.code, 1)
  t.notMatch(shown.said.out + shown.said.err, /[\x00-\x09\x0b-\x1f\x7f-\x9f]/)
})
