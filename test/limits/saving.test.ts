/**
 * The order in which a checkpoint reaches the disk. A SIGKILL cannot show it, for what a process wrote outlives it; the
 * power going out would. So the kernel is asked what it was told, call by call (strace).
 */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import t from 'tap'
import { until } from '../program.ts'
import { scratch } from '../scratch.ts'
import { leash } from '../support/leash.ts'
import { untested } from '../support/untested.ts'

const PROGRAM = resolve(process.env['LOGSHIPPER_UNDER_TEST'] ?? join(import.meta.dirname, '../../dist/logshipper.cjs'))
const CALLS = 'openat,write,pwrite64,writev,fsync,fdatasync,rename,renameat,renameat2'
const TRACED = spawnSync('strace', ['-o', '/dev/null', 'true']).status === 0

if (!TRACED) untested(t, 'the order of a save', 'strace is not installed or may not trace')
else {
  t.test('a checkpoint is whole on the disk before it takes its name, and its name before the next one', async t => {
    const dir = scratch(t, { logs: {} })
    const log = join(dir, 'logs/app.log')
    const state = join(dir, 'state')
    const trace = join(dir, 'trace')
    mkdirSync(state)
    const strace = ['-f', '--seccomp-bpf', '-y', '-s', '0', '-o', trace, '-e', `trace=${CALLS}`]
    const child = leash(
      spawn('strace', [...strace, process.execPath, PROGRAM], {
        stdio: ['ignore', 'pipe', 'ignore'],
        env: {
          PATH: process.env['PATH'],
          LOGSHIPPER_SOURCE_PATHS: log,
          LOGSHIPPER_STATE_DIR: state,
          LOGSHIPPER_SERVER_PORT: 'off',
          LOGSHIPPER_SERVER_ADMIN: 'off',
        },
      }),
    )
    t.teardown(() => child.kill('SIGKILL'))
    let out = ''
    child.stdout.setEncoding('utf8').on('data', (part: string) => (out += part))
    // strace makes it in its own time.
    const read = () =>
      (existsSync(trace) ? readFileSync(trace, 'utf8') : '').split('\n').flatMap(line => event(line, state))
    const named = () => read().filter(name => name === 'name').length
    for (let n = 1; n <= 4; n++) {
      const before = named()
      appendFileSync(log, `line ${n}\n`)
      t.ok(await until(() => out.includes(`line ${n}\n`)), `line ${n} came`)
      t.ok(await until(() => named() > before), 'and something was saved since')
    }
    const closed = once(child, 'close')
    // strace does not pass the signal on: it is the program that has to end.
    process.kill(Number(readFileSync(trace, 'utf8').split(/\s/, 1)[0]), 'SIGTERM')
    await closed
    const events = read()
    const saves = events.filter(name => name === 'name').length
    t.ok(saves >= 5, `${saves} saves`)
    // Either written and named, and nothing else: that takes no place of what is on the disk. Or a copy before that, which
    // is on the disk before it takes its place, and after that the directory.
    const synced = '(write )+sync keep (write )+name directory '
    t.match(`${events.join(' ')} `, new RegExp(`^(${synced}|(write )+name )+$`))
    t.match(`${events.join(' ')} `, new RegExp(`^${synced}`), 'the first save, before anything is sent')
    t.match(`${events.join(' ')} `, new RegExp(`${synced}$`), 'and the last one are synchronized')
    const syncs = events.filter(name => name === 'sync' || name === 'directory').length
    t.ok(syncs < saves * 2, `${syncs} calls for the disk in ${saves} saves`)
  })
}

/** What a system call did to the state directory. */
function event(line: string, state: string): string[] {
  // A call that another thread interrupted ends on a line of its own; its beginning tells what it is about.
  if (line.includes('<... ')) return []
  const told = (call: string, about: string) => new RegExp(`^\\d+ +${call}\\(`).test(line) && line.includes(about)
  if (told('(write|pwrite64|writev)', `${state}/checkpoint`)) return ['write']
  if (told('f(data)?sync', `${state}/checkpoint`)) return ['sync']
  if (told('f(data)?sync', `<${state}>`)) return ['directory']
  // Names are relative to the open directory.
  if (told('rename(at|at2)?', '/checkpoint.previous"')) return ['keep']
  if (told('rename(at|at2)?', '/checkpoint"')) return ['name']
  return []
}
