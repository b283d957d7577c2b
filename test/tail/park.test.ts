/** With fewer file handles than files every line is still shipped, once. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, mkdirSync, readdirSync, readFileSync, renameSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { Receiver, refuse, until } from '../program.ts'
import { scratch } from '../scratch.ts'
import { leash } from '../support/leash.ts'

t.jobs = 2

const MAIN = new URL('../../src/main.ts', import.meta.url).pathname

/** The program with so many file handles, on a directory with so many files of one line. */
class Crowd {
  readonly path: (n: number) => string
  readonly child: ChildProcess
  out = ''
  log = ''

  constructor(t: Test, dir: string, handles: number, env: Record<string, string>) {
    this.path = n => join(dir, 'logs', `f${n}.log`)
    this.child = leash(
      spawn('bash', ['-c', `ulimit -n ${handles}; exec "$0" "$1"`, process.execPath, MAIN], {
        env: {
          PATH: process.env['PATH'],
          LOGSHIPPER_SOURCE_PATHS: join(dir, 'logs', '*.log'),
          LOGSHIPPER_STATE_DIR: join(dir, 'state'),
          LOGSHIPPER_SERVER_PORT: 'off',
          LOGSHIPPER_SERVER_ADMIN: 'off',
          LOGSHIPPER_BACKEND_RETRY_INITIAL: '50ms',
          LOGSHIPPER_BACKEND_RETRY_MAX: '300ms',
          ...env,
        },
        stdio: ['ignore', 'pipe', 'pipe'],
      }),
    )
    t.teardown(() => this.child.kill('SIGKILL'))
    this.child.stdout!.setEncoding('utf8').on('data', (part: string) => (this.out += part))
    this.child.stderr!.setEncoding('utf8').on('data', (part: string) => (this.log += part))
  }

  get handles(): number {
    return readdirSync(`/proc/${this.child.pid}/fd`).length
  }

  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    const closed = once(this.child, 'close')
    this.child.kill(signal)
    return ((await closed) as [number | null])[0]
  }
}

function directoryOf(t: Test, files: number): string {
  const dir = scratch(t, {})
  mkdirSync(join(dir, 'logs'))
  for (let n = 0; n < files; n++) writeFileSync(join(dir, 'logs', `f${n}.log`), `first of ${n}\n`)
  return dir
}

const firstOf = (files: number) => Array.from({ length: files }, (_, n) => `first of ${n}`)

t.test('three hundred files and half as many handles', async t => {
  const dir = directoryOf(t, 300)
  const crowd = new Crowd(t, dir, 160, {})
  const lines = () => crowd.out.trimEnd().split('\n')
  const came = (count: number) => until(() => lines().length >= count, 20)
  const first = firstOf(300)
  await came(300)
  t.strictSame(lines().toSorted(), first.toSorted())
  for (const n of [3, 150, 299]) appendFileSync(crowd.path(n), `second of ${n}\n`)
  // A parked file that is renamed and written to is found again by its identity.
  renameSync(crowd.path(7), `${crowd.path(7)}.1`)
  appendFileSync(`${crowd.path(7)}.1`, 'second of 7\n')
  // One that is truncated begins again.
  truncateSync(crowd.path(9))
  appendFileSync(crowd.path(9), 'anew\n')
  const second = [...[3, 7, 150, 299].map(n => `second of ${n}`), 'anew']
  await came(305)
  t.strictSame(lines().toSorted(), [...first, ...second].toSorted())
  t.equal(await crowd.end(), 0)
  t.match(crowd.log, 'too many open files')
})

t.test('a hundred files with unread lines and 64 handles, through an outage, a death and a drain', async t => {
  const dir = directoryOf(t, 100)
  const receiver = await Receiver.start(t)
  receiver.behaviour = refuse(503)
  const env = {
    LOGSHIPPER_BACKEND_TYPE: 'http',
    LOGSHIPPER_BACKEND_ENDPOINT: receiver.url,
    LOGSHIPPER_DRAIN_GRACE_PERIOD: '2s',
  }
  const first = new Crowd(t, dir, 64, env)
  t.ok(await until(() => receiver.requests > 1), 'there is a handle left for the socket')
  t.ok(first.handles < 60)
  t.equal(await first.end(), 3, 'what was never opened is left too')
  const [last] = first.log
    .trim()
    .split('\n')
    .slice(-1)
    .map(line => JSON.parse(line) as { left: { bytes: number }[] })
  t.ok(last!.left.length >= 20)
  const second = new Crowd(t, dir, 64, env)
  const before = receiver.requests
  t.ok(await until(() => receiver.requests > before))
  await second.end('SIGKILL')
  receiver.behaviour = undefined
  // Everything that waits is read during the drain.
  const third = new Crowd(t, dir, 64, { ...env, LOGSHIPPER_DRAIN_GRACE_PERIOD: '20s' })
  t.ok(await until(() => third.log.includes('"started"')))
  t.equal(await third.end(), 0)
  t.strictSame(receiver.lines.toSorted(), firstOf(100).toSorted())
})

t.test('a backend that is down does not keep the other from files that wait for a handle', async t => {
  const dir = directoryOf(t, 100)
  const [live, dead] = [await Receiver.start(t), await Receiver.start(t)]
  dead.behaviour = refuse(503)
  const config = join(dir, 'config.json')
  const backends = [
    { name: 'live', type: 'http', endpoint: live.url },
    { name: 'dead', type: 'http', endpoint: dead.url },
  ]
  writeFileSync(config, JSON.stringify({ backends }))
  const crowd = new Crowd(t, dir, 64, { LOGSHIPPER_CONFIG: config })
  t.ok(await until(() => live.lines.length === 100))
  dead.behaviour = undefined
  t.ok(await until(() => dead.lines.length === 100), 'and it gets them all when it is back')
  t.equal(await crowd.end(), 0)
  for (const receiver of [live, dead]) t.strictSame(receiver.lines.toSorted(), firstOf(100).toSorted())
  t.match(readFileSync(join(dir, 'state', 'checkpoint'), 'utf8'), 'f99.log')
})
