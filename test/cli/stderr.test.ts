/** Standard error is not read: it holds up nothing, and says afterwards what is missing. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, constants, openSync, readSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { Stderr } from '../../src/cli/stderr.ts'
import { PROGRAM, Stage, until } from '../program.ts'
import { scratch } from '../scratch.ts'
import { leash } from '../support/leash.ts'

t.jobs = 2

/** Each is refused with a sentence: together more than a pipe, a socket and what waits can hold. */
const REFUSED = 3000

async function crowded(t: Test): Promise<Stage> {
  const stage = await Stage.set(t)
  for (let n = 0; n < REFUSED; n++) {
    symlinkSync('/nowhere', join(stage.logs, `${String(n).padStart(4, '0')}-${'x'.repeat(100)}.log`))
  }
  return stage
}

/** It ships and ends in order, whatever becomes of its log. */
async function shipsAndEnds(t: Test, stage: Stage, child: ChildProcess): Promise<void> {
  stage.write(100)
  t.ok(await stage.arrived())
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  t.strictSame(await ended, [0, null])
  stage.complete(t)
}

t.test('a socket without a reader', async t => {
  const stage = await crowded(t)
  // Its standard error is a socket that is read only as long as there is a listener: there is none.
  const child = leash(spawn(process.execPath, [PROGRAM], { env: stage.env, stdio: ['ignore', 'ignore', 'pipe'] }))
  t.teardown(() => child.kill('SIGKILL'))
  await shipsAndEnds(t, stage, child)
})

t.test('a pipe that is not read for a while', async t => {
  const stage = await crowded(t)
  const fifo = join(stage.logs, '..', 'fifo')
  execFileSync('mkfifo', [fifo])
  const reader = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK)
  const writer = openSync(fifo, constants.O_WRONLY)
  t.teardown(() => closeSync(reader))
  const child = leash(spawn(process.execPath, [PROGRAM], { env: stage.env, stdio: ['ignore', 'ignore', writer] }))
  closeSync(writer)
  t.teardown(() => child.kill('SIGKILL'))
  stage.write(100)
  t.ok(await stage.arrived())
  let text = ''
  const buffer = Buffer.alloc(64 * 1024)
  const read = () => {
    try {
      for (let n = readSync(reader, buffer); n > 0; n = readSync(reader, buffer)) text += buffer.toString('utf8', 0, n)
    } catch {
      // EAGAIN: nothing is there now.
    }
  }
  await shipsAndEnds(t, stage, child)
  read()
  const lines = text
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line) as { msg: string; suppressed?: number; others?: number })
  t.equal(lines.at(-1)!.msg, 'ended', 'the last words come')
  t.ok(text.length < 128 * 1024, 'the log stays short, however much there is to say')
  const refusals = lines.filter(({ msg }) => msg === 'a path is not followed')
  const counted = refusals.reduce((sum, { suppressed, others }) => sum + (suppressed ?? others ?? 1), 0)
  t.equal(counted, REFUSED, 'what was left out is counted')
})

t.test('a pipe that is not read for a while gets whole lines in order, and then how many are missing', async t => {
  const dir = scratch(t, {})
  const fifo = join(dir, 'fifo')
  execFileSync('mkfifo', [fifo])
  const reader = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK)
  const writer = openSync(fifo, constants.O_WRONLY)
  t.teardown(() => closeSync(reader))
  t.teardown(() => closeSync(writer))
  const stderr = new Stderr(writer)
  const LINES = 3000
  // More than a pipe and what waits can hold: it returns all the same.
  for (let n = 0; n < LINES; n++) stderr.write(`${JSON.stringify({ n, msg: 'x'.repeat(100) })}\n`)
  let text = ''
  const buffer = Buffer.alloc(64 * 1024)
  const read = () => {
    try {
      for (let n = readSync(reader, buffer); n > 0; n = readSync(reader, buffer)) text += buffer.toString('utf8', 0, n)
    } catch {
      // EAGAIN: nothing is there now.
    }
  }
  t.ok(
    await until(() => {
      read()
      return text.includes('lines of this log were dropped')
    }),
  )
  stderr.write(`${JSON.stringify({ n: LINES, msg: 'the last words' })}\n`)
  await stderr.end()
  read()
  const lines = text
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line) as { n?: number; msg: string; event?: string; dropped?: number })
  t.equal(lines.at(-1)!.msg, 'the last words')
  const dropped = lines.reduce((sum, line) => sum + (line.dropped ?? 0), 0)
  const written = lines.flatMap(({ n }) => (n === undefined ? [] : [n]))
  t.equal(written.length + dropped, LINES + 1, 'every line came, or is counted')
  t.strictSame(
    written,
    written.toSorted((a, b) => a - b),
  )
  t.match(
    lines.find(({ dropped }) => dropped),
    { level: 'warn', event: 'log_lines_dropped' },
  )
})

t.test('a pipe whose reader has gone, and a full disk', async t => {
  const stage = await Stage.set(t)
  const full = openSync('/dev/full', 'w')
  t.teardown(() => closeSync(full))
  for (const stderr of ['pipe', full] as const) {
    const child = leash(spawn(process.execPath, [PROGRAM], { env: stage.env, stdio: ['ignore', 'ignore', stderr] }))
    child.stderr?.destroy()
    t.teardown(() => child.kill('SIGKILL'))
    await shipsAndEnds(t, stage, child)
  }
})
