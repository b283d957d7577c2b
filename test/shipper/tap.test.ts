/** The program, a receiver that rejects a record, and viewers: what they see, and that nothing waits for them. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { TappedRecord } from '../../src/tap.ts'
import { object, PROGRAM, type Program, Stage, until } from '../program.ts'
import { leash } from '../support/leash.ts'

/** `logshipper tap --json` of a program. */
function tap(t: Test, program: Program, ...args: string[]) {
  const admin = program.said.find(({ msg }) => msg === 'listening')!['adminPort']
  const command = [PROGRAM, 'tap', '--json', '--admin', `127.0.0.1:${admin}`, ...args]
  const child = leash(spawn(process.execPath, command, { stdio: ['ignore', 'pipe', 'pipe'] }))
  t.teardown(() => child.kill('SIGKILL'))
  const said = { out: '', err: '' }
  child.stdout.on('data', (part: Buffer) => (said.out += part))
  child.stderr.on('data', (part: Buffer) => (said.err += part))
  const records = () =>
    said.out
      .split('\n')
      .slice(0, -1)
      .map(line => JSON.parse(line) as TappedRecord)
  return { child, said, records, ended: once(child, 'exit') }
}

async function set(t: Test, server: object = {}) {
  const stage = await Stage.set(t)
  const config = join(stage.logs, '..', 'logshipper.yaml')
  const write = (server: object): void =>
    writeFileSync(
      config,
      JSON.stringify({
        sources: [
          {
            name: 'app',
            paths: [join(stage.logs, '*.log')],
            redact: { match: { ticket: 'token=[a-z0-9]+' } },
            filter: { rules: { noise: { drop: { matching: '^noise' } } } },
          },
        ],
        backends: [
          { name: 'main', type: 'http', endpoint: stage.receiver.url, retry: { initial: '50ms', max: '200ms' } },
        ],
        state: { dir: stage.state },
        server: { port: 0, admin: '127.0.0.1:0', ...server },
        log: { level: 'info' },
      }),
    )
  write(server)
  const program = await stage.start({ LOGSHIPPER_SOURCE_PATHS: '' }, ['--config', config])
  return { stage, program, write }
}

t.test('records are seen as they are sent, after redaction, each with what became of it', async t => {
  const { stage, program } = await set(t)
  stage.receiver.behaviour = object('bad')
  const all = tap(t, program)
  const some = tap(t, program, '--grep', 'good', '--source', 'app', '--backend', 'main', '--count', '1')
  t.ok(await until(() => program.said.filter(({ event }) => event === 'tap_opened').length === 2))
  appendFileSync(stage.log, 'good 1 token=canary0123456789\nnoise 2\nbad 3\ngood 4\n')
  t.ok(await until(() => all.records().filter(({ verdict }) => verdict !== 'retried').length === 4))
  const ends = all.records().filter(({ verdict }) => verdict !== 'retried')
  const byOffset = ends.sort((one, other) => one.offset - other.offset)
  t.match(byOffset, [
    { verdict: 'delivered', reason: null, source: 'app', backend: 'main', file: stage.log, offset: 0 },
    { verdict: 'dropped', reason: 'filter:noise', text: 'noise 2', offset: 30 },
    { verdict: 'rejected', reason: 'http_400', text: 'bad 3', offset: 38 },
    { verdict: 'delivered', reason: null, text: 'good 4', offset: 44 },
  ])
  t.match(byOffset[0]!.text, /^good 1 /)
  t.notMatch(all.said.out, 'canary0123456789')
  t.strictSame(await some.ended, [0, null])
  t.strictSame(
    some.records().map(({ text }) => text.slice(0, 6)),
    ['good 1'],
  )
})

t.test('it ends with 0 on a signal, and when its reader goes', async t => {
  const { stage, program } = await set(t)
  const all = [tap(t, program), tap(t, program), tap(t, program)] as const
  t.ok(await until(() => program.said.filter(({ event }) => event === 'tap_opened').length === all.length))
  stage.write(1)
  t.ok(await until(() => all.every(({ records }) => records().length === 1)))
  all[0].child.kill('SIGINT')
  all[1].child.kill('SIGTERM')
  all[2].child.stdout.destroy()
  stage.write(1)
  for (const { ended } of all) t.strictSame(await ended, [0, null])
})

t.test('a drain waits for no viewer, and ends them', async t => {
  const { stage, program } = await set(t)
  const reading = tap(t, program)
  const admin = program.said.find(({ msg }) => msg === 'listening')!['adminPort'] as number
  // One that does not read.
  const silent = connect(admin, '127.0.0.1').on('error', () => {})
  t.teardown(() => silent.destroy())
  silent.pause()
  silent.write('GET /tap HTTP/1.1\r\nhost: localhost\r\n\r\n')
  t.ok(await until(() => program.said.filter(({ event }) => event === 'tap_opened').length === 2))
  stage.write(10)
  t.ok(await until(() => reading.records().length === 10))
  t.equal((await program.kill('SIGTERM')).code, 0)
  t.strictSame(await reading.ended, [1, null])
  t.match(reading.said.err, /ended the stream|broke off/)
})

t.test('it can be forbidden at the start and by a reload, which disconnects viewers', async t => {
  const { program, write } = await set(t, { tap: false })
  const refused = tap(t, program)
  t.strictSame(await refused.ended, [1, null])
  t.match(refused.said.err, 'records are not shown: server.tap is false')
  write({})
  t.ok(await until(() => program.says('config reloaded')))
  const looking = tap(t, program)
  t.ok(await until(() => program.said.some(({ event }) => event === 'tap_opened')))
  write({ tap: false })
  t.strictSame(await looking.ended, [1, null])
  t.match(looking.said.err, 'ended the stream')
})
