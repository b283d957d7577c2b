/** The program's own log: what an operator must find in it, and what an application must not be able to do to it. */
import { symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import { Program, Receiver, refuse, Stage, until } from '../program.ts'

t.jobs = 2

t.test('of several losses within a moment each is logged, or is in a sum: the lines add up to the ledger', async t => {
  const stage = await Stage.set(t, { LOGSHIPPER_DRAIN_GRACE_PERIOD: '3s' })
  stage.receiver.behaviour = refuse(503)
  const program = await stage.start()
  const paths = ['a', 'b', 'c', 'd'].map(name => join(stage.logs, `${name}.log`))
  for (const path of paths) writeFileSync(path, `${'x'.repeat(99)}\n`.repeat(40_000))
  t.ok(await until(() => program.says('backend unavailable; retrying')))
  const followed = async () => {
    const { files } = JSON.parse((await program.get('/status', 'adminPort')).text) as { files: { size: number }[] }
    return files.length === paths.length && files.every(({ size }) => size === 4_000_000)
  }
  t.ok(await until(followed))
  for (const path of paths) truncateSync(path)
  t.ok(await until(() => program.said.some(({ event }) => event === 'data_lost')))
  program.child.kill('SIGTERM')
  const { ledger } = await program.ended
  const lines = program.said.filter(({ event }) => event === 'data_lost')
  const { lostBytes } = ledger[0]!.statement
  t.ok(lostBytes > 8_000_000)
  t.equal(
    lines.reduce((sum, { bytes }) => sum + Number(bytes), 0),
    lostBytes,
  )
  const named = lines.flatMap(({ path, paths }) => (path === undefined ? (paths as string[]) : [path]))
  t.strictSame(named.sort(), paths, 'and every file is named')
  t.equal(program.said.at(-1)?.['event'], 'ended', 'what is owed is said before the end')
})

t.test('of two backends that fail for the same reason both are named', async t => {
  const stage = await Stage.set(t)
  const other = await Receiver.start(t)
  const config = join(dirname(stage.logs), 'config.yaml')
  const backend = (name: string, url: string) => `{ name: ${name}, type: http, endpoint: "${url}" }`
  writeFileSync(config, `backends: [${backend('a', stage.receiver.url)}, ${backend('b', other.url)}]\n`)
  const { LOGSHIPPER_BACKEND_ENDPOINT: _, LOGSHIPPER_BACKEND_TYPE: __, ...env } = stage.env
  for (const [status, event] of [
    [503, 'backend_down'],
    [401, 'credentials_refused'],
    [404, 'backend_misconfigured'],
  ] as const) {
    for (const receiver of [stage.receiver, other]) receiver.behaviour = refuse(status)
    const program = new Program(env, ['--config', config])
    t.teardown(() => program.child.kill('SIGKILL'))
    await program.started
    stage.write(10)
    const of = (name: string) => program.said.some(said => said['event'] === event && said['backend'] === name)
    t.ok(await until(() => of('a') && of('b')), `${status}`)
    t.notOk(program.said.some(said => 'about' in said))
    await program.kill('SIGKILL')
  }
})

t.test('an application that makes refused names cannot flood the log, nor hide anything else in it', async t => {
  const stage = await Stage.set(t)
  const program = await stage.start()
  for (let n = 0; n < 3000; n++) symlinkSync('/nowhere', join(stage.logs, `${n}.log`))
  const refused = async () =>
    (JSON.parse((await program.get('/health')).text) as { sources: { refused: Record<string, number> }[] }).sources[0]!
      .refused
  t.ok(await until(async () => Object.values(await refused()).reduce((sum, n) => sum + n, 0) === 3000))
  stage.receiver.behaviour = refuse(400)
  stage.write(1)
  t.ok(await until(() => program.says('a record is refused')))
  await program.kill('SIGTERM')
  const lines = program.said.filter(({ event }) => event === 'path_refused')
  t.ok(lines.length <= 21, `${lines.length} lines`)
  t.equal(
    lines.reduce((sum, { others }) => sum + Number(others ?? 1), 0),
    3000,
    'the others are counted',
  )
})

t.test(
  'what a backend echoes of a line is in no line of the log and on no page, in whatever form it comes',
  async t => {
    const stage = await Stage.set(t)
    const program = await stage.start()
    const forms: ((line: string) => string)[] = [
      line => JSON.stringify({ error: `cannot parse ${JSON.stringify(line)}` }),
      line => `cannot parse ${encodeURIComponent(line)}`,
      line => `cannot parse ${Buffer.from(line).toString('base64')}`,
      line => `cannot parse ${line.toUpperCase()}`,
    ]
    for (const [n, form] of forms.entries()) {
      const line = `user="bob" pass="hunter2" id="${4711 + n}"`
      const said = form(line)
      stage.receiver.behaviour = (_request, response) => {
        response.writeHead(n % 2 === 0 ? 400 : 503).end(said)
        return false
      }
      writeFileSync(join(stage.logs, `${n}.log`), `${line}\n`)
      const status = async () => JSON.parse((await program.get('/status', 'adminPort')).text) as { pipelines: unknown }
      t.ok(await until(() => program.says(n % 2 === 0 ? 'a record is refused' : 'backend unavailable; retrying')))
      for (const part of [said.slice(13), 'hunter2', 'HUNTER2']) {
        t.notMatch(program.raw, part, `${part} in the log`)
        t.notMatch(JSON.stringify(await status()), part, `${part} on the page`)
      }
      stage.receiver.behaviour = undefined
      t.ok(await until(async () => !JSON.stringify(await status()).includes('"state":"down"')))
    }
    await program.kill('SIGTERM')
  },
)
