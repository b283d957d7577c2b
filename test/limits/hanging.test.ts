/**
 * What never answers: a disk that takes no save, a name server that is silent. The program says so while it runs, and
 * ends by itself, with the code that tells what came of it.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { PROGRAM, Program, until } from '../program.ts'
import { scratch } from '../scratch.ts'
import { untested } from '../support/untested.ts'

const MOUNTED = spawnSync('unshare', ['-m', 'true']).status === 0
/** Of 127.0.0.0/8, so that the port is free whatever runs here. */
const SILENT = '127.53.53.53'

const ends = (program: Program) => {
  let over = false
  program.ended.then(() => (over = true))
  return () => over
}

t.test('a save that hangs is told, and holds up neither shipping nor the end', async t => {
  const dir = scratch(t, { logs: {} })
  const log = join(dir, 'logs/app.log')
  const state = join(dir, 'state')
  const fifo = join(dir, 'fifo')
  mkdirSync(state)
  // Once the FIFO is there a synchronization takes as long as to open it, which nothing reads: on a thread of Node's, for
  // ever, as with a disk that does not answer.
  const disk = join(dir, 'disk.mjs')
  writeFileSync(
    disk,
    `import { existsSync } from 'node:fs'
    import { open } from 'node:fs/promises'
    const handle = await open('/dev/null')
    const { prototype } = handle.constructor
    await handle.close()
    const { sync } = prototype
    const fifo = ${JSON.stringify(fifo)}
    prototype.sync = function () { return existsSync(fifo) ? open(fifo, 'w') : sync.call(this) }`,
  )
  const env = {
    LOGSHIPPER_SOURCE_PATHS: log,
    LOGSHIPPER_STATE_DIR: state,
    LOGSHIPPER_SERVER_PORT: '0',
    LOGSHIPPER_SERVER_ADMIN: '127.0.0.1:0',
    LOGSHIPPER_DRAIN_GRACE_PERIOD: '3s',
  }
  const program = new Program(env, ['--import', disk, PROGRAM], { command: process.execPath })
  t.teardown(() => program.kill('SIGKILL'))
  const over = ends(program)
  await program.started
  execFileSync('mkfifo', [fifo])
  appendFileSync(log, 'one\n')
  t.ok(await until(() => program.stdout.includes('one\n')))
  const health = async () =>
    JSON.parse((await program.get('/health')).text) as { status: string; state: { kind: string; seconds?: number } }
  t.ok(await until(async () => (await health()).state.kind === 'saving'))
  const { status, state: kept } = await health()
  t.equal(status, 'degraded')
  t.ok(kept.seconds! >= 5, `saving for ${kept.seconds} s`)
  t.match((await program.get('/metrics')).text, /^logshipper_state_writable 0$/m)
  appendFileSync(log, 'two\n')
  t.ok(await until(() => program.stdout.includes('two\n')), 'it goes on')
  t.equal((await program.get('/livez')).status, 200)

  program.child.kill('SIGTERM')
  t.ok(await until(over), 'it ends by itself')
  t.equal((await program.ended).code, 3, 'and not as if all were well')
  t.ok(program.says('the last checkpoint was not written in time'))
  t.match(program.said.at(-1), { msg: 'ended', complete: true, saved: false }, 'with nothing said after its end')
})

if (!MOUNTED) untested(t, 'a name server that is silent', 'no mount namespace can be made here')
else {
  t.test('a name server that is silent holds up no end', async t => {
    const server = createSocket('udp4')
    let asked = 0
    server.on('message', () => asked++)
    server.bind(53, SILENT)
    await once(server, 'listening')
    t.teardown(() => server.close())
    const dir = scratch(t, { logs: {} })
    const log = join(dir, 'logs/app.log')
    const resolv = join(dir, 'resolv.conf')
    writeFileSync(resolv, `nameserver ${SILENT}\noptions timeout:30 attempts:5\n`)
    writeFileSync(log, 'one\n')
    const env = {
      LOGSHIPPER_SOURCE_PATHS: log,
      LOGSHIPPER_STATE_DIR: join(dir, 'state'),
      LOGSHIPPER_BACKEND_TYPE: 'http',
      LOGSHIPPER_BACKEND_ENDPOINT: 'http://collector.example:8080/ingest',
      LOGSHIPPER_BACKEND_TIMEOUT_CONNECT: '1s',
      LOGSHIPPER_SERVER_PORT: '0',
      LOGSHIPPER_SERVER_ADMIN: 'off',
      LOGSHIPPER_DRAIN_GRACE_PERIOD: '3s',
    }
    const script = 'mount --bind "$1" /etc/resolv.conf && shift && exec "$@"'
    const args = ['-m', 'sh', '-c', script, 'sh', resolv, process.execPath, PROGRAM]
    const program = new Program(env, args, { command: 'unshare' })
    t.teardown(() => program.kill('SIGKILL'))
    const over = ends(program)
    await program.started
    t.ok(await until(() => asked > 0), 'it is asked')
    t.ok(await until(() => program.says('backend unavailable; retrying')))
    program.child.kill('SIGTERM')
    t.ok(await until(over), 'it ends by itself')
    t.equal((await program.ended).code, 3)
    t.match(program.said.at(-1), { msg: 'ended', complete: false, saved: true }, 'with nothing said after its end')
  })
}
