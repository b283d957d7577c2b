/** Started outside of the image: the process that runs has what the image's has, and is the one that was started. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { ENVIRONMENT, FLAGS } from '../../src/start/settings.ts'
import { PROGRAM, Program, Stage } from '../program.ts'

const LINUX = process.platform === 'linux' ? false : 'there is no /proc on this machine'

/** What the kernel says a process was started with (proc(5)). */
function startedWith(pid: number): { words: string[]; env: Record<string, string> } {
  const parts = (name: string) => readFileSync(`/proc/${pid}/${name}`, 'utf8').split('\0').slice(0, -1)
  const env = parts('environ').map(each => [each.slice(0, each.indexOf('=')), each.slice(each.indexOf('=') + 1)])
  return { words: parts('cmdline'), env: Object.fromEntries(env) as Record<string, string> }
}

/** What has Node run a script before the program, in each process that the program is loaded into. */
function before(script: string): string {
  return `--import=data:text/javascript,${encodeURIComponent(script)}`
}

async function shipping(t: Test, program: Program, stage: Stage): Promise<void> {
  stage.write(100)
  t.ok(await stage.arrived(), 'it ships')
  t.equal((await program.kill('SIGTERM')).code, 0, 'and ends with its own code, by its own pid')
}

t.test('a shipper has the flags and the allocator of the image, however it is started', { skip: LINUX }, async t => {
  const stage = await Stage.set(t)
  const program = await stage.start()
  const { words, env } = startedWith(program.child.pid!)
  t.strictSame(words.slice(1), [...FLAGS, PROGRAM])
  t.match(env, ENVIRONMENT)
  await shipping(t, program, stage)
})

const HEAP = before("import v8 from 'node:v8'; console.log(v8.getHeapStatistics().heap_size_limit / 2 ** 20)")

for (const [how, flags, options, least, most] of [
  ['the image has', [], '', 64, 80],
  ['was asked for on the command line', ['--max-old-space-size=300'], '', 300, 316],
  ['was asked for in the environment', [], '--max-old-space-size=300', 300, 316],
  ['was asked for in quotes', [], '"--max-old-space-size=300"', 300, 316],
] as const) {
  t.test(`the heap is the one that ${how}`, { skip: LINUX }, async t => {
    const stage = await Stage.set(t)
    const env = { ...stage.env, MALLOC_ARENA_MAX: '3', NODE_OPTIONS: `${options} ${HEAP}` }
    const program = new Program(env, [...flags, PROGRAM], { command: process.execPath })
    t.teardown(() => program.kill('SIGKILL'))
    await program.started
    t.equal(startedWith(program.child.pid!).env['MALLOC_ARENA_MAX'], '3')
    await shipping(t, program, stage)
    const limits = program.stdout.trim().split('\n').map(Number)
    t.equal(limits.length, 2, 'it becomes another process once')
    t.ok(limits[1]! >= least && limits[1]! <= most, `${limits[1]} MiB`)
  })
}

for (const [how, script] of [
  ['Node cannot', 'delete process.execve'],
  ['the kernel refuses', "process.execve = () => { throw new Error('no memory') }"],
  ['another process talks to it', "Object.defineProperty(process, 'connected', { value: true })"],
] as const) {
  t.test(`where it would have to become another process and ${how}, it goes on as it is`, { skip: LINUX }, async t => {
    const stage = await Stage.set(t)
    const program = await stage.start({ NODE_OPTIONS: before(script) })
    t.strictSame(startedWith(program.child.pid!).words.slice(1), [PROGRAM])
    await shipping(t, program, stage)
  })
}

t.test('what ends at once begins at once, and faults have their exit code', t => {
  const run = (...args: string[]) =>
    spawnSync(process.execPath, [PROGRAM, ...args], {
      encoding: 'utf8',
      env: { PATH: process.env['PATH'], NODE_OPTIONS: before("console.error('one process')") },
    })
  t.match(run('version'), { status: 0, stderr: 'one process\n' })
  t.match(run('validate', '--no-such'), { status: 2, stderr: /^one process\nlogshipper: / })
  t.match(run('run'), { status: 2, stderr: /^one process\none process\n.*nothing to follow/ })
  t.end()
})

t.test('`npm start` and the program that npm installs are the same', t => {
  const manifest = JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8')) as {
    bin: { logshipper: string }
    scripts: { start: string }
  }
  t.equal(manifest.scripts.start, `node ${manifest.bin.logshipper}`)
  t.end()
})
