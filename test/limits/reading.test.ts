/**
 * A disk that fails: reads that end in EIO, injected by strace, for a while and for good. A file that cannot be read is
 * retried; it harms no other, and what was never read is never called delivered.
 */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import t, { type Test } from 'tap'
import { Program, Stage, sleep, until } from '../program.ts'
import { leash } from '../support/leash.ts'
import { untested } from '../support/untested.ts'

t.setTimeout(170_000)

const BUNDLE = resolve(process.env['LOGSHIPPER_UNDER_TEST'] ?? join(import.meta.dirname, '../../dist/logshipper.cjs'))
const TRACED = spawnSync('strace', ['-o', '/dev/null', '-e', 'inject=fsync:error=EIO:when=1..2', 'true']).status === 0

/** The program, whose reads of `path` fail: the `when` of strace's inject. */
async function faulty(t: Test, stage: Stage, path: string, when: string): Promise<Program> {
  const inject = [
    '-f',
    '-o',
    '/dev/null',
    '-P',
    path,
    '-e',
    'trace=pread64',
    '-e',
    `inject=pread64:error=EIO:when=${when}`,
  ]
  const program = new Program(stage.env, [...inject, process.execPath, BUNDLE], { command: 'strace' })
  // strace hands no signal on, and what it traces outlives it.
  await program.started
  const { pid } = program.child
  const [traced] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim().split(' ').map(Number)
  leash(program.child, traced)
  t.teardown(() => process.kill(traced!, 'SIGKILL'))
  return program
}

if (!TRACED) untested(t, 'reads that fail', 'strace is not installed or may not trace')
else {
  // Which read it is that fails matters: one for lines, or one that asks whether the file is still the same.
  for (const when of ['2', '3..4', '5', '6..7', '9..10']) {
    t.test(`reads ${when} of a file fail: that costs time, no line and no repeat`, async t => {
      const stage = await Stage.set(t)
      stage.write(6000)
      const program = await faulty(t, stage, stage.log, when)
      t.ok(await stage.arrived())
      stage.write(100)
      t.ok(await stage.arrived())
      stage.complete(t)
      t.notOk(program.says('truncated'), 'it is no truncation')
    })
  }

  t.test('a file that can never be read does not hold up the others', async t => {
    const stage = await Stage.set(t)
    const bad = join(stage.logs, 'bad.log')
    stage.write(100)
    const good = stage.written
    stage.write(100, bad)
    const program = await faulty(t, stage, bad, '1+1')
    t.ok(await until(() => stage.numbers().length >= good), 'the other one comes')
    t.ok(await until(() => program.says('file cannot be read')), 'it says so')
    await sleep(1500)
    t.equal(stage.numbers().length, good, 'nothing was made up')
    t.equal((await program.get('/livez')).status, 200)
    t.match(JSON.parse((await program.get('/status', 'adminPort')).text).files, [{}, {}])
  })
}
