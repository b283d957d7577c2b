/** With fewer file handles than files every line is still shipped, once. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'

const MAIN = new URL('../../src/main.ts', import.meta.url).pathname
const FILES = 300
const HANDLES = 160

t.test('three hundred files and half as many handles', async t => {
  const dir = t.testdir({ logs: {} })
  const logs = join(dir, 'logs')
  const path = (n: number) => join(logs, `f${n}.log`)
  for (let n = 0; n < FILES; n++) writeFileSync(path(n), `first of ${n}\n`)
  const child: ChildProcess = spawn('bash', ['-c', `ulimit -n ${HANDLES}; exec "$0" "$1"`, process.execPath, MAIN], {
    env: {
      PATH: process.env.PATH,
      LOGSHIPPER_SOURCE_PATHS: join(logs, '*.log'),
      LOGSHIPPER_STATE_DIR: join(dir, 'state'),
      LOGSHIPPER_SERVER_PORT: 'off',
      LOGSHIPPER_SERVER_ADMIN: 'off',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  let out = ''
  let log = ''
  child.stdout!.setEncoding('utf8').on('data', (part: string) => (out += part))
  child.stderr!.setEncoding('utf8').on('data', (part: string) => (log += part))
  const came = async (count: number) => {
    const end = Date.now() + 20_000
    while (out.split('\n').length - 1 < count && Date.now() < end) await new Promise(resolve => setTimeout(resolve, 50))
    return out.trimEnd().split('\n')
  }
  const first = Array.from({ length: FILES }, (_, n) => `first of ${n}`)
  t.strictSame((await came(FILES)).toSorted(), first.toSorted())
  for (const n of [3, 150, 299]) appendFileSync(path(n), `second of ${n}\n`)
  // A parked file that is renamed and written to is found again by its identity.
  renameSync(path(7), `${path(7)}.1`)
  appendFileSync(`${path(7)}.1`, 'second of 7\n')
  const second = [3, 7, 150, 299].map(n => `second of ${n}`)
  t.strictSame((await came(FILES + 4)).toSorted(), [...first, ...second].toSorted())
  const closed = once(child, 'close')
  child.kill('SIGTERM')
  t.strictSame(await closed, [0, null])
  t.match(log, 'too many open files')
})
