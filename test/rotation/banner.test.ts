/**
 * Two logs that begin with the same banner, as those of one application do: neither is taken for a copy of the other,
 * though one begins while the other grows and its name looks like that of a rotation.
 */
import { appendFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { type Program, Stage, sleep, until } from '../program.ts'

t.jobs = 2
t.setTimeout(170_000)

/** More than what is kept of a file's beginning. */
const BANNER = `${'=== the application, version 1.2.3, compiled from the same source ===\n'.repeat(22)}\n`
const LINES = BANNER.split('\n').length - 1

interface Two {
  readonly stage: Stage
  readonly program: Program
  readonly other: string
  /** Bytes and lines so far. */
  readonly written: { bytes: number; lines: number }
  write(path: string, count: number): void
}

async function begin(t: Test, name: string, env: Record<string, string> = {}): Promise<Two> {
  const stage = await Stage.set(t)
  const other = join(stage.logs, name)
  const written = { bytes: 0, lines: 0 }
  const begun = new Set<string>()
  const program = await stage.start(env)
  const write = (path: string, count: number) => {
    let text = begun.has(path) ? '' : BANNER
    begun.add(path)
    for (let n = 0; n < count; n++) text += `${path === other ? 'other' : 'first'} ${written.lines + n}\n`
    appendFileSync(path, text)
    written.lines += count + (text.startsWith('=') ? LINES : 0)
    written.bytes += text.length
  }
  return { stage, program, other, written, write }
}

const all = ({ stage, written }: Two, seconds: number) =>
  until(() => stage.receiver.records.length >= written.lines, seconds)

async function finish(t: Test, two: Two): Promise<void> {
  t.ok(await all(two, 10), 'all of both arrives')
  const { code, ledger } = await two.program.kill('SIGTERM')
  t.equal(code, 0)
  const { delivered, lostBytes } = ledger[0]!.statement
  t.equal(two.stage.receiver.records.length, two.written.lines, 'every line comes once')
  t.strictSame(delivered, two.written)
  t.equal(lostBytes, 0)
}

for (const name of ['app-error.log', 'app.error.log', 'app.log.error.log', 'app-2.log', 'audit.log']) {
  t.test(`${name} begins while app.log grows`, async t => {
    const two = await begin(t, name)
    const { stage, write } = two
    write(stage.log, 200)
    t.ok(await all(two, 5), 'the first arrives')
    for (let turn = 0; turn < 15; turn++) {
      write(stage.log, 3)
      write(two.other, 3)
      await sleep(100)
    }
    // It goes on growing: it must not be held back for as long as it does.
    const due = stage.receiver.lines.length
    const came = () => stage.receiver.lines.some(line => line.startsWith('other'))
    const arrives = await until(() => {
      write(stage.log, 1)
      write(two.other, 1)
      return came()
    }, 15)
    t.ok(arrives, `its lines arrive while it grows (${due} lines had arrived before)`)
    await finish(t, two)
  })
}

t.test('one of them is removed after 15 s', async t => {
  const clock = join(import.meta.dirname, 'clock.ts')
  const two = await begin(t, 'app-error.log', { NODE_OPTIONS: `--import ${clock}`, CLOCK_STEP: '5000' })
  const { stage, program, write } = two
  write(stage.log, 200)
  t.ok(await all(two, 5), 'the first arrives')
  for (let turn = 1; turn <= 3; turn++) {
    for (let line = 0; line < 5; line++) {
      write(stage.log, 3)
      write(two.other, 3)
      await sleep(50)
    }
    program.child.kill('SIGUSR2')
    t.ok(await until(() => program.says(`the clock is ${turn * 5000} ms ahead`)))
  }
  // Its last lines are a moment old.
  await all(two, 3)
  rmSync(two.other)
  write(stage.log, 3)
  await finish(t, two)
})

t.test('both lie there before the program starts, and one is rotated', async t => {
  const two = await begin(t, 'app-error.log')
  const { stage, write } = two
  write(stage.log, 100)
  write(two.other, 10)
  t.ok(await until(() => stage.receiver.records.length > 0))
  await finish(t, two)
})
