/** Lines of text that are made of a template: what stands in them, and what is refused. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { lineTemplate } from '../../src/backends/line.ts'
import { formatProblem, loadConfig } from '../../src/config/load.ts'
import type { Subject } from '../conformance/subject.ts'
import { Arena, origin, Receiver, rig } from '../delivery/rig.ts'
import { scratch } from '../scratch.ts'
import { finding } from './found.ts'
import { configured, created, HOSTILE, lay, ship } from './rig.ts'

/** A server that takes anything. */
const subject: Subject = {
  type: 'http',
  name: 'http',
  config: origin => ({ type: 'http', endpoint: `${origin}/in`, compression: 'none' }),
  decode: () => [],
  success: () => ({ status: 200, headers: {}, body: '' }),
  cases: [],
}

async function shipped(t: Test, line: string, lines: readonly (string | Buffer)[], labels = {}): Promise<string> {
  const laid = await lay(t, subject, { line })
  await ship(laid, { lines, origin: origin('/var/log/app/a.log', labels), fileStart: 42 })
  t.equal(laid.arena.outcome.delivered.lines, lines.length)
  return laid.receiver.received[0]!.body
}

t.test('text and what is known of a record stand where the template has them', async t => {
  t.equal(
    await shipped(t, '{message} pod={pod} file={file}', ['one', 'two']),
    'one pod=web-1 file=/var/log/app/a.log\ntwo pod=web-1 file=/var/log/app/a.log\n',
  )
  const all = '{time}|{level}|{id}|{source}|{namespace}|{podUid}|{node}|{serviceAccount}|{container}|{line}'
  t.equal(
    await shipped(t, all, ['x', 'yy']),
    [
      '2026-01-02T03:04:05.678Z||7f3e-a1b2c3d4e5f60718-00000000002a|app|shop|7f3e|n1||web|x\n',
      '2026-01-02T03:04:05.678Z||7f3e-a1b2c3d4e5f60718-00000000002c|app|shop|7f3e|n1||web|yy\n',
    ].join(''),
  )
})

t.test('labels of the source and of the pod have names of their own, and braces are written twice', async t => {
  const template = '{{{labels.team}}} {labels.app.kubernetes.io/name}{labels.none} {message}'
  t.equal(await shipped(t, template, ['x'], { team: 'shop' }), '{shop} web x\n')
})

t.test('no path and no label begins another line', async t => {
  t.equal(
    await shipped(t, '{message} {labels.team}', ['x'], { team: 'a\nb\r\u0000\u0085c' }),
    'x a\ufffdb\ufffd\ufffd\ufffdc\n',
  )
  const long = await shipped(t, '{message} {labels.team}', ['x'], { team: 'é'.repeat(2000) })
  t.equal(long, `x ${'é'.repeat(256)}\n`)
})

t.test('whatever the application writes is one line, and is not read as a template', async t => {
  const said = await shipped(
    t,
    '<{message}>',
    HOSTILE.map(([line]) => line),
  )
  t.equal(said, HOSTILE.map(([, message]) => `<${message}>\n`).join(''))
  t.equal(await shipped(t, '<{message}>', ['{pod} {message} %s']), '<{pod} {message} %s>\n')
})

t.test('the message, time and level that were found in a record are those of its line', async t => {
  const found = finding({ parse: 'json', timed: true, levelled: true })
  const receiver = new Receiver((_, response) => void response.writeHead(200).end())
  const { origin } = await receiver.listen()
  t.teardown(() => receiver.close())
  const template = '{time} {level} {message}'
  const backend = created(await configured(t, { ...subject.config(origin), line: template }))
  const other = rig(new URL(origin), {}, {}, { backend }, new Arena(4 << 20, 0, found))
  const line = JSON.stringify({ time: '2026-05-06T07:08:09Z', level: 'error', message: 'no such order' })
  await other.delivery.ship(other.arena.slab({ lines: [line, 'no object'] }))
  t.equal(
    receiver.received[0]!.body,
    '2026-05-06T07:08:09.000Z error no such order\n2026-01-02T03:04:05.678000001Z  no object\n',
  )
})

t.test('what is no template is refused, with what may stand there', async t => {
  const wrong = [
    ...['', 'text', '{pod}', '{mesage}', '{message', 'message}', '{}', '{message} {line}', '{message}{message}'],
    ...['{labels.} {message}', '{message}\n{pod}', `${'x'.repeat(2048)}{message}`, `{message}${'{pod}'.repeat(16)}`],
  ]
  for (const text of wrong) t.equal(lineTemplate(text), undefined, text)
  t.ok(lineTemplate(`{message}${'{pod}'.repeat(15)}`))
  const file = join(scratch(t, {}), 'c.yaml')
  const problemsOf = async (backend: object) => {
    writeFileSync(file, JSON.stringify({ sources: [{ paths: ['/a.log'] }], backends: [backend] }))
    const loaded = await loadConfig({ file, env: {}, cwd: '/' })
    return loaded.kind === 'ok' ? '' : loaded.problems.map(formatProblem).join('\n')
  }
  t.match(await problemsOf({ type: 'stdout', line: '{mesage}' }), /backends\[0\]\.line.*\{message\}.*\{labels\.NAME\}/)
  t.match(
    await problemsOf({ type: 'stdout', format: 'ndjson', line: '{message}' }),
    /line.*format: ndjson.*format: text/,
  )
  t.match(await problemsOf({ type: 'http', endpoint: 'http://h', format: 'json', line: '{message}' }), /format: json/)
  t.equal(await problemsOf({ type: 'http', endpoint: 'http://h', line: '{message}' }), '', 'it is text then')
  t.equal(await problemsOf({ type: 'stdout', line: '{message}' }), '')
})
