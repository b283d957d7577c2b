/**
 * Writers that keep a file which was rotated long ago: they were never told to open their log again, or did not care.
 * What they write lies on the volume and is shipped. The clock of the program is set forward, so nothing is waited for.
 */
import { closeSync, mkdirSync, openSync, renameSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { type Program, Stage, until } from '../program.ts'

t.jobs = 2
t.setTimeout(170_000)

/** The program with a clock of its own; `step`: so many milliseconds pass at once. */
async function begin(t: Test, step: number): Promise<{ stage: Stage; program: Program; pass: () => Promise<void> }> {
  const stage = await Stage.set(t)
  const clock = join(import.meta.dirname, 'clock.ts')
  const program = await stage.start({ NODE_OPTIONS: `--import ${clock}`, CLOCK_STEP: String(step) })
  let steps = 0
  const pass = async () => {
    program.child.kill('SIGUSR2')
    const ahead = `the clock is ${++steps * step} ms ahead`
    t.ok(await until(() => program.says(ahead)), ahead)
    // Time for it to close what it believes to be done; whether it does so is its own affair.
    await until(async () => !/"(?:rotated|deleted)"/.test((await program.get('/status', 'adminPort')).text), 5)
  }
  return { stage, program, pass }
}

async function finish(t: Test, stage: Stage, program: Program): Promise<void> {
  const { code, ledger } = await program.kill('SIGTERM')
  t.equal(code, 0)
  stage.complete(t, { ordered: false })
  const { delivered, lostBytes } = ledger[0]!.statement
  t.strictSame({ lines: delivered.lines, lostBytes }, { lines: stage.written, lostBytes: 0 })
}

const moved: Record<string, (stage: Stage) => void> = {
  'renamed, with a new file under the name': stage => {
    renameSync(stage.log, `${stage.log}.1`)
    stage.write(20)
  },
  'renamed, with no new file': ({ log }) => renameSync(log, `${log}.1`),
  'renamed twice': stage => {
    renameSync(stage.log, `${stage.log}.1`)
    stage.write(20)
    renameSync(`${stage.log}.1`, `${stage.log}.2`)
    renameSync(stage.log, `${stage.log}.1`)
    stage.write(20)
  },
  'renamed to a name without meaning': stage => {
    renameSync(stage.log, join(stage.logs, 'f3e1.dat'))
    stage.write(20)
  },
  'moved into a directory below': stage => {
    mkdirSync(join(stage.logs, 'old'))
    renameSync(stage.log, join(stage.logs, 'old', 'app.log'))
    stage.write(20)
  },
}

for (const [how, move] of Object.entries(moved)) {
  t.test(`${how}: what comes 35 s later, and 35 s after that, is shipped`, async t => {
    const { stage, program, pass } = await begin(t, 35_000)
    const old = openSync(stage.log, 'a')
    writeSync(old, stage.take(100))
    t.ok(await stage.arrived())
    move(stage)
    t.ok(await stage.arrived())
    for (let turn = 0; turn < 2; turn++) {
      await pass()
      writeSync(old, stage.take(3))
      t.ok(await stage.arrived(), 'what comes late arrives')
    }
    closeSync(old)
    await finish(t, stage, program)
  })
}

t.test('what comes 35 s after a rename, just before the end, is found by the drain', async t => {
  const { stage, program, pass } = await begin(t, 35_000)
  const old = openSync(stage.log, 'a')
  writeSync(old, stage.take(100))
  t.ok(await stage.arrived())
  renameSync(stage.log, `${stage.log}.1`)
  stage.write(20)
  t.ok(await stage.arrived())
  await pass()
  writeSync(old, stage.take(3))
  closeSync(old)
  await finish(t, stage, program)
})

t.test('what comes 35 s after a rename is found by the next process', async t => {
  const { stage, program, pass } = await begin(t, 35_000)
  const old = openSync(stage.log, 'a')
  writeSync(old, stage.take(100))
  t.ok(await stage.arrived())
  renameSync(stage.log, `${stage.log}.1`)
  stage.write(20)
  t.ok(await stage.arrived())
  await pass()
  t.equal((await program.kill('SIGTERM')).code, 0)
  writeSync(old, stage.take(3))
  closeSync(old)
  const next = await stage.start()
  t.ok(await stage.arrived(), 'what comes late arrives')
  await finish(t, stage, next)
})
