/** Reports of the system are hints, and while there are too many of them nobody listens. */
import { appendFileSync, mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { Watcher } from '../../src/tail/watcher.ts'
import { scratch } from '../scratch.ts'
import { Journal, type Room, room, source } from './rig.ts'

async function watching(t: Test, mayRest = () => true) {
  const dir = scratch(t)
  const hints: string[] = []
  const watcher = new Watcher(new Map([[dir, 0]]), new Journal(), mayRest)
  t.teardown(() => watcher.close())
  t.strictSame(watcher.mode, { mode: 'polling', reason: 'not started' })
  watcher.start(
    (path, what) => hints.push(`${what} ${path}`),
    () => false,
  )
  const heard = async (hint: string) => {
    for (let n = 0; n < 400 && !hints.includes(hint); n++) await sleep(5)
    return hints.includes(hint)
  }
  // As it says when it has begun to listen.
  t.ok(await heard(`name ${dir}`))
  return { dir, watcher, hints, heard }
}

/** As many writes as should be too much to hear of, by turns, since the system reports the same thing once. */
async function chatter(watcher: { readonly listening: boolean }, dir: string): Promise<boolean> {
  for (let n = 0; n < 20 && watcher.listening; n++) {
    for (let k = 0; k < 200; k++) appendFileSync(join(dir, k % 2 ? 'one.log' : 'two.log'), 'a line\n')
    await sleep(20)
  }
  return !watcher.listening
}

t.test('a new file and a write are told, and which of them it was', async t => {
  const { dir, heard } = await watching(t)
  const path = join(dir, 'app.log')
  writeFileSync(path, '')
  t.ok(await heard(`name ${path}`))
  appendFileSync(path, 'x')
  t.ok(await heard(`content ${path}`))
})

t.test('after too many reports none comes until somebody wants them again', async t => {
  const { dir, watcher, hints, heard } = await watching(t)
  t.ok(await chatter(watcher, dir))
  t.strictSame(watcher.mode, { mode: 'events' }, 'it can watch')
  await sleep(50)
  hints.length = 0
  writeFileSync(join(dir, 'meanwhile.log'), '')
  await sleep(100)
  t.strictSame(hints, [])
  watcher.wake()
  t.ok(await heard(`name ${dir}`), 'what came meanwhile is hinted at')
  writeFileSync(join(dir, 'later.log'), '')
  t.ok(await heard(`name ${join(dir, 'later.log')}`))
  // The rest was too short to be worth it: another one is not taken at once.
  t.notOk(await chatter(watcher, dir))
})

t.test('where nobody can look often enough it goes on listening', async t => {
  const { dir, watcher } = await watching(t, () => false)
  t.notOk(await chatter(watcher, dir))
})

/** A room that follows files which are written all the time, so that nothing is reported any more. */
async function busy(t: Test): Promise<{ logs: string; room: Room; stop: () => void; written: () => number }> {
  const logs = join(scratch(t), 'logs')
  mkdirSync(logs)
  writeFileSync(join(logs, 'quiet.log'), '')
  const started = await room(t, { sources: [source(join(logs, '*.log'))] })
  let lines = 0
  const timer = setInterval(() => {
    lines++
    appendFileSync(join(logs, 'one.log'), 'chatter\n')
  }, 20)
  t.teardown(() => clearInterval(timer))
  t.ok(await started.until(() => started.sweep.listening))
  await sleep(100)
  t.ok(await chatter(started.sweep, logs))
  return { logs, room: started, stop: () => clearInterval(timer), written: () => lines }
}

t.test('beside a busy file another one and a new one are seen at once, and so is a rotation', async t => {
  const { logs, room, written } = await busy(t)
  const quiet = join(logs, 'quiet.log')
  // The busy file is the clock: fifty lines a second. What is neither reported nor looked for is seen within a second.
  const middle = async (write: (line: string) => void) => {
    const between: number[] = []
    for (let n = 0; n < 5; n++) {
      const line = `line ${n} of ${write}`.replaceAll('\n', ' ')
      const before = written()
      write(`${line}\n`)
      t.ok(await room.until(() => room.texts.includes(line)))
      between.push(written() - before)
      await sleep(50)
    }
    return between.toSorted((a, b) => a - b)[2]!
  }
  t.ok((await middle(line => appendFileSync(quiet, line))) <= 10)
  let names = 0
  t.ok((await middle(line => writeFileSync(join(logs, `new-${++names}.log`), line))) <= 12)
  const rotated = (line: string) => {
    renameSync(quiet, `${quiet}.${++names}`)
    writeFileSync(quiet, line)
  }
  t.ok((await middle(rotated)) <= 12)
})

t.test('once the busy file is quiet reports are wanted again', async t => {
  const { room, stop } = await busy(t)
  stop()
  t.ok(await room.until(() => room.sweep.listening, 3))
})
