/** In the place of `tail -F`: what the files say is what the reader of our standard output reads. */
import { execFile, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { appendFileSync, mkdirSync, openSync, readFileSync, renameSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { PROGRAM, Program, sleep, until } from '../program.ts'
import { scratch } from '../scratch.ts'
import { leash } from '../support/leash.ts'

t.jobs = 3

/** Nothing of the test's environment may configure the program. */
const ENV = { PATH: process.env['PATH'], LOGSHIPPER_LOG_LEVEL: 'info' }

/** The program with bare paths, in `cwd`. */
async function follow(t: Test, cwd: string, ...paths: string[]): Promise<Program> {
  const program = new Program({}, paths, { cwd })
  t.teardown(() => program.child.kill('SIGKILL'))
  await program.started
  return program
}

t.test('a file in a directory that is not there yet, by its absolute path', async t => {
  const dir = scratch(t, {})
  const path = join(dir, 'not', 'yet', 'x.txt')
  const program = await follow(t, dir, path)
  mkdirSync(join(dir, 'not', 'yet'), { recursive: true })
  writeFileSync(path, 'one\n')
  t.ok(await until(() => program.stdout === 'one\n'))
  t.equal((await program.kill('SIGINT')).code, 0, 'and ^C ends it in order')
})

t.test('through rotations of each kind, and to the last line without an end', async t => {
  const dir = scratch(t, {})
  const path = join(dir, 'x.txt')
  const program = await follow(t, dir, 'x.txt')
  let expected = ''
  const write = async (text: string) => {
    appendFileSync(path, text)
    expected += text
    t.ok(await until(() => program.stdout === expected), JSON.stringify(text))
  }
  await write('one\n')
  renameSync(path, `${path}.1`)
  await write('two\n')
  truncateSync(path)
  await write('three, of another length\n')
  writeFileSync(path, '')
  await write('bytes \x01 \x1b[0m stay what they are\r\n')
  appendFileSync(path, 'no end')
  t.equal((await program.kill('SIGTERM')).code, 0)
  t.equal(program.stdout, `${expected}no end\n`)
})

t.test('bytes that are no text pass as they are', async t => {
  const dir = scratch(t, {})
  const noise = Buffer.from(Array.from({ length: 100_000 }, (_, n) => (n % 1000 === 999 ? 10 : 1 + ((n * 7919) % 255))))
  writeFileSync(join(dir, 'noise'), noise)
  const child = leash(
    spawn(process.execPath, [PROGRAM, './noise'], {
      cwd: dir,
      env: ENV,
      stdio: ['ignore', 'pipe', 'ignore'],
    }),
  )
  t.teardown(() => child.kill('SIGKILL'))
  const parts: Buffer[] = []
  child.stdout.on('data', (part: Buffer) => parts.push(part))
  t.ok(await until(() => parts.reduce((sum, { length }) => sum + length, 0) >= noise.length))
  const closed = once(child, 'close')
  child.kill('SIGTERM')
  t.strictSame(await closed, [0, null])
  const hash = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')
  t.equal(hash(Buffer.concat(parts)), hash(noise))
})

t.test('a reader that goes away ends it', async t => {
  const dir = scratch(t, { 'x.txt': 'one\ntwo\nthree\n' })
  const command = `"${process.execPath}" "${PROGRAM}" x.txt 2>/dev/null | head -n 2`
  const shell = execFile('sh', ['-c', command], { cwd: dir, env: ENV })
  t.teardown(() => shell.kill('SIGKILL'))
  let output = ''
  shell.stdout!.on('data', (text: string) => (output += text))
  let over = false
  shell.once('close', () => (over = true))
  t.ok(await until(() => output === 'one\ntwo\n'))
  // As with tail, the next line is what finds the pipe closed.
  const writing = setInterval(() => appendFileSync(join(dir, 'x.txt'), 'more\n'), 50)
  t.teardown(() => clearInterval(writing))
  t.ok(await until(() => over))
})

t.test('a reader that stops reading holds it back, and does not keep it from ending', async t => {
  const dir = scratch(t, { 'x.txt': '' })
  const line = `${'x'.repeat(200)}\n`
  writeFileSync(join(dir, 'x.txt'), line.repeat(100_000))
  const child = leash(
    spawn(process.execPath, [PROGRAM, 'x.txt'], {
      cwd: dir,
      env: { ...ENV, LOGSHIPPER_DRAIN_GRACE_PERIOD: '2s' },
      stdio: ['ignore', 'pipe', 'pipe'],
    }),
  )
  t.teardown(() => child.kill('SIGKILL'))
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text))
  t.ok(await until(() => said.includes('"started"')))
  await sleep(300)
  const status = readFileSync(`/proc/${child.pid}/status`, 'latin1')
  t.ok(Number(/RssAnon:\s+(\d+)/.exec(status)?.[1]) < 150_000, 'it does not pile up what is not read')
  child.kill('SIGTERM')
  // `exit`: the end of the pipes would need a reader.
  const [code] = (await once(child, 'exit')) as [number]
  t.equal(code, 3)
})

t.test('several files and a glob, each line whole', async t => {
  const dir = scratch(t, { 'a.log': '', 'b.log': '' })
  const program = await follow(t, dir, '*.log', 'sub/c.txt')
  mkdirSync(join(dir, 'sub'))
  const names = ['a.log', 'b.log', 'sub/c.txt']
  for (let n = 0; n < 200; n++) {
    for (const name of names) appendFileSync(join(dir, name), `${name} ${n}\n`)
    if (n % 50 === 0) await sleep(10)
  }
  t.ok(await until(() => program.stdout.split('\n').length - 1 >= 600))
  t.equal((await program.kill('SIGTERM')).code, 0)
  for (const name of names) {
    const got = program.stdout.split('\n').filter(line => line.startsWith(name))
    t.strictSame(
      got,
      Array.from({ length: 200 }, (_, n) => `${name} ${n}`),
    )
  }
})

t.test('its own output in the directory that it follows is refused by name, also once it is renamed', async t => {
  const dir = scratch(t, { 'x.log': 'one\n' })
  const out = openSync(join(dir, 'all.log'), 'a')
  const err = openSync(join(dir, 'err.log'), 'a')
  const env = { ...ENV, LOGSHIPPER_SERVER_ADMIN: 'off', LOGSHIPPER_SERVER_PORT: 'off' }
  const child = leash(spawn(process.execPath, [PROGRAM, './*.log'], { cwd: dir, env, stdio: ['ignore', out, err] }))
  t.teardown(() => child.kill('SIGKILL'))
  const read = (name: string) => readFileSync(join(dir, name), 'utf8')
  t.ok(await until(() => read('all.log') === 'one\n'))
  renameSync(join(dir, 'all.log'), join(dir, 'more.log'))
  appendFileSync(join(dir, 'x.log'), 'two\n')
  t.ok(await until(() => read('more.log').endsWith('two\n')))
  await sleep(1200)
  const closed = once(child, 'close')
  child.kill('SIGTERM')
  t.strictSame(await closed, [0, null])
  t.equal(read('more.log'), 'one\ntwo\n')
  const refusals = read('err.log')
    .split('\n')
    .filter(line => line.includes('our own standard output'))
  t.equal(refusals.length, 3, 'each name once')
})

t.test('two of them run side by side on one machine', async t => {
  const dir = scratch(t, { 'x.txt': 'one\n' })
  const both = [await follow(t, dir, 'x.txt'), await follow(t, dir, 'x.txt')]
  for (const program of both) t.ok(await until(() => program.stdout === 'one\n'))
  for (const program of both) t.equal((await program.kill('SIGTERM')).code, 0)
})
