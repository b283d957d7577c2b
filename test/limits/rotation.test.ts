/**
 * Rotation faster than anyone reads: 20 MiB/s, a rename every 4 MiB, three files kept. Whatever is kept for less than a
 * second is read, or held by a handle or a pin until it is accepted.
 */
import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { type Program, sleep, until } from '../program.ts'
import { scratch } from '../scratch.ts'
import { Counter, LINE, LONG, MIB, start, Watch, write } from './scale.ts'
import type { Written } from './writer.ts'

t.setTimeout(LONG ? 600_000 : 170_000)

const RATE = 20 * MIB
/** Files that a rotation leaves. */
const KEPT = 3
const linesIn = (seconds: number) => (seconds * RATE) / LINE

interface Scene {
  readonly logs: string
  readonly state: string
  readonly counter: Counter
  readonly program: Program
  readonly watch: Watch
}

async function set(t: Test): Promise<Scene> {
  const dir = scratch(t, { logs: {} })
  const [logs, state] = [join(dir, 'logs'), join(dir, 'state')]
  mkdirSync(state)
  const counter = await Counter.start(t)
  const program = await start(t, { logs, state, url: counter.url })
  return { logs, state, counter, program, watch: new Watch(t, program) }
}

const apply = (t: Test, { logs }: Scene, seconds: number): Promise<Written> =>
  write(t, { path: join(logs, 'app.log'), rate: RATE, lines: linesIn(seconds), rotateAt: 4 * MIB, keep: KEPT })

/** Everything that was written has come, once, and the ledger says the same. */
async function complete(t: Test, { counter, program, watch }: Scene, written: Written): Promise<void> {
  t.ok(await until(() => counter.lines >= written.lines), 'everything has come')
  watch.bounded(t, `${(written.bytes / MIB).toFixed(0)} MiB in ${written.rotations} rotations`)
  const { code, ledger } = await program.kill('SIGTERM')
  t.equal(code, 0)
  t.strictSame(counter.missing(written.lines), [], 'nothing is missing')
  t.equal(counter.repeated, 0, 'nothing comes twice')
  t.equal(counter.wrong, 0, 'nothing is torn')
  const { statement } = ledger[0]!
  t.equal(statement.delivered.lines, written.lines, 'the ledger counts the same lines')
  t.equal(statement.delivered.bytes, written.bytes, 'and the same bytes')
  t.equal(statement.lostBytes, 0)
}

const said = ({ bytes, seconds, rotations }: Written) =>
  `written: ${(bytes / MIB / seconds).toFixed(1)} MiB/s, ${rotations} rotations in ${seconds.toFixed(1)} s`

t.test('while the backend is up nothing is lost', async t => {
  const scene = await set(t)
  const written = await apply(t, scene, LONG ? 30 : 5)
  t.comment(said(written))
  await complete(t, scene, written)
})

const outage = LONG ? 30 : 2
t.test(
  `while the backend is down for ${outage} s nothing is lost, for handles and pins hold what was deleted`,
  async t => {
    const scene = await set(t)
    const writing = apply(t, scene, outage + 3)
    t.ok(await until(() => scene.counter.lines > 0))
    scene.counter.down = true
    await sleep(outage * 1000)
    const pinned = async () =>
      (JSON.parse((await scene.program.get('/health')).text) as { pins: { pinned: number } }).pins.pinned
    t.ok(await until(async () => (await pinned()) > KEPT), 'more files are pinned than there are names')
    scene.counter.down = false
    const written = await writing
    t.comment(said(written))
    await complete(t, scene, written)
    t.strictSame(readdirSync(join(scene.state, 'pins')), [], 'no pin is left')
  },
)

t.test('killed while the backend is down: what is pinned comes, and the rest is counted', async t => {
  const scene = await set(t)
  const { counter, logs, state } = scene
  const writing = apply(t, scene, LONG ? 20 : 5)
  await sleep(1000)
  counter.down = true
  await sleep(LONG ? 12_000 : 2500)
  const died = performance.now()
  await scene.program.kill('SIGKILL')
  const program = await start(t, { logs, state, url: counter.url })
  const dead = (performance.now() - died) / 1000
  const watch = new Watch(t, program)
  counter.down = false
  const written = await writing
  t.comment(said(written))
  t.ok(await until(() => counter.lines > 0), 'lines come again')
  let before = -1
  await until(async () => {
    const now = counter.lines
    if (now === before) return true
    before = now
    await sleep(1500)
    return false
  }, 60)
  watch.bounded(t, 'after the death')
  const { code, ledger } = await program.kill('SIGTERM')
  t.equal(code, 0)
  const lost = written.lines - counter.lines
  const counted = (ledger[0]!.statement.lostBytes ?? 0) / LINE
  t.comment(
    `${counter.lines} of ${written.lines} lines came, ${counter.repeated} of them twice; ${counted} are counted as lost`,
  )
  t.equal(counter.wrong, 0, 'nothing is torn')
  t.ok(counted <= lost, 'nothing that came is counted as lost')
  // What is made and deleted while it is dead it does not see; the writer may make up for a second that it missed.
  t.ok(lost - counted < linesIn(dead + 1), `${lost - counted} lines are in no account`)
})
