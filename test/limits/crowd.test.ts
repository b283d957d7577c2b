/** Many files: ten thousand of which ten are written to, and very many that come and go. */
import { appendFileSync, mkdirSync, readdirSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { sleep, until } from '../program.ts'
import { scratch } from '../scratch.ts'
import { Counter, LINE, LONG, start, Watch } from './scale.ts'
import { DIGITS } from './writer.ts'

t.setTimeout(LONG ? 3_600_000 : 170_000)

const FILES = 10_000
const BUSY = 10
/** Bytes of memory that a file may take that is followed: itself, and its part of a checkpoint that is being written. */
const PER_FILE = 6000
const line = (number: number) =>
  `${String(number)
    .padStart(DIGITS, '0')
    .padEnd(LINE - 1, '.')}\n`

t.test('ten thousand files of which 9,990 are idle', async t => {
  const dir = scratch(t, { logs: {} })
  const [logs, state] = [join(dir, 'logs'), join(dir, 'state')]
  mkdirSync(state)
  const path = (n: number) => join(logs, `f${n}.log`)
  for (let n = 0; n < FILES; n++) writeFileSync(path(n), line(n))
  const counter = await Counter.start(t)
  const program = await start(t, { logs, state, url: counter.url })
  const watch = new Watch(t, program)
  t.ok(await until(() => counter.lines === FILES), `all have come: ${counter.lines}`)
  let next = FILES
  for (let turn = 0; turn < 20; turn++) {
    for (let n = 0; n < BUSY; n++) appendFileSync(path(n * 1000), line(next++))
    await sleep(50)
  }
  t.ok(await until(() => counter.lines === next), 'what is written to ten of them comes')
  // Of every file it keeps who it is and how far it was read.
  watch.bounded(t, `${FILES} files`, FILES * PER_FILE)
  const { code, ledger } = await program.kill('SIGTERM')
  t.equal(code, 0)
  t.equal(counter.repeated, 0, 'nothing comes twice')
  t.equal(ledger[0]!.statement.delivered.lines, next)
})

const CROWD = LONG ? 1_000_000 : 1_000
const AT_ONCE = LONG ? 2000 : 250

t.test(`${CROWD} files that come and go`, async t => {
  const dir = scratch(t, { logs: {} })
  const [logs, state] = [join(dir, 'logs'), join(dir, 'state')]
  mkdirSync(state)
  const counter = await Counter.start(t)
  const program = await start(t, { logs, state, url: counter.url })
  const watch = new Watch(t, program)
  const path = (n: number) => join(logs, `request-${n}.log`)
  for (let first = 0; first < CROWD; first += AT_ONCE) {
    for (let n = first; n < first + AT_ONCE; n++) writeFileSync(path(n), line(n))
    // An application deletes what it is done with; that it waits until that was read is the test's part.
    if (!(await until(() => counter.lines >= first + AT_ONCE))) break
    for (let n = first; n < first + AT_ONCE; n++) unlinkSync(path(n))
  }
  t.strictSame(counter.missing(CROWD), [], 'nothing is missing')
  t.equal(counter.repeated, 0, 'nothing comes twice')
  watch.bounded(t, `${CROWD} files came and went`)
  t.ok(
    await until(() => handles(program.child.pid!) < 100),
    `the handles are given back: ${handles(program.child.pid!)}`,
  )
  const { code, ledger } = await program.kill('SIGTERM')
  t.equal(code, 0)
  t.equal(ledger[0]!.statement.delivered.lines, CROWD)
  t.ok(state !== '' && readdirSync(state).length <= 4, 'the state directory holds no more than it must')
})

const handles = (pid: number): number => readdirSync(`/proc/${pid}/fd`).length
