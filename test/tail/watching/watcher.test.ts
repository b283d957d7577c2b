/** Reports of the system are hints, and while there are too many of them they are ignored. */
import { appendFileSync, mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { Watcher } from '../../../src/tail/watching/watcher.ts'
import { HandClock } from '../../clock.ts'
import { scratch } from '../../scratch.ts'
import { Journal, type Room, room, source } from '../rig.ts'

async function watching(t: Test, mayRest = () => true) {
  const dir = scratch(t)
  const hints: string[] = []
  const watcher = new Watcher(new Journal(), mayRest)
  t.teardown(() => watcher.close())
  t.strictSame(watcher.mode, { mode: 'polling', reason: 'not started' })
  watcher.watch(new Set([dir]))
  watcher.start((path, what) => hints.push(`${what} ${path}`))
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
    for (let k = 0; k < 60; k++) appendFileSync(join(dir, k % 2 ? 'one.log' : 'two.log'), 'a line\n')
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

t.test('after too many reports none comes until they are wanted again', async t => {
  const { dir, watcher, hints, heard } = await watching(t)
  t.ok(await chatter(watcher, dir))
  t.strictSame(watcher.mode, { mode: 'events' }, 'it can watch')
  t.equal(watcher.size, 0, 'nothing is watched')
  hints.length = 0
  const meanwhile = join(dir, 'meanwhile.log')
  writeFileSync(meanwhile, '')
  watcher.wake()
  t.ok(await heard(`name ${dir}`), 'what came meanwhile is hinted at')
  t.notOk(hints.includes(`name ${meanwhile}`), 'and was not reported')
  writeFileSync(join(dir, 'later.log'), '')
  t.ok(await heard(`name ${join(dir, 'later.log')}`))
  // The rest was too short to be worth it: another one is not taken at once.
  t.notOk(await chatter(watcher, dir))
})

t.test('where looks are too seldom it goes on listening', async t => {
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
  t.ok(await started.until(() => started.sweep.listening && started.sweep.directories.watched === 1))
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
      const after = written()
      t.ok(await room.until(() => written() > after + 1))
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

t.test('more reports than can be processed end the watching for a while, with looks or without', async t => {
  const dir = scratch(t)
  const clock = new HandClock()
  const journal = new Journal()
  const watcher = new Watcher(journal, () => false, clock)
  t.teardown(() => watcher.close())
  watcher.watch(new Set([dir]))
  const hints: string[] = []
  watcher.start(path => hints.push(path))
  const until = async (holds: () => boolean) => {
    for (let n = 0; n < 800 && !holds(); n++) await sleep(5)
    return holds()
  }
  /** Names change until nothing is watched any more. */
  const storm = async () => {
    for (let n = 0; watcher.listening && n < 100; n++) {
      for (let k = 0; k < 100; k++) {
        renameSync(join(dir, 'one'), join(dir, 'two'))
        renameSync(join(dir, 'two'), join(dir, 'one'))
      }
      await sleep(1)
    }
    return !watcher.listening
  }
  writeFileSync(join(dir, 'one'), '')
  t.ok(await until(() => hints.includes(dir)))
  t.ok(await storm())
  t.ok(await until(() => watcher.size === 0))
  t.strictSame(watcher.mode, { mode: 'events' }, 'it can watch')
  watcher.wake()
  t.notOk(watcher.listening, 'and does not before the storm is over')
  clock.pass(9_999)
  t.notOk(watcher.listening)
  hints.length = 0
  clock.pass(1)
  t.ok(watcher.listening)
  t.ok(await until(() => hints.includes(dir)), 'what came meanwhile is hinted at')
  t.ok(await storm())
  clock.pass(19_999)
  t.notOk(watcher.listening, 'after another one it rests for longer')
  clock.pass(1)
  t.ok(watcher.listening)
  t.equal(journal.said.filter(({ fields }) => fields['event'] === 'watch_paused').length, 2)
})

t.test('only the directories that were chosen are watched, and letting go of one costs the others nothing', async t => {
  const base = scratch(t)
  const dirs = Array.from({ length: 6 }, (_, n) => join(base, `d${n}`))
  for (const dir of dirs) mkdirSync(join(dir, 'deeper'), { recursive: true })
  const hints: string[] = []
  const watcher = new Watcher(new Journal(), () => true)
  t.teardown(() => watcher.close())
  const heard = async (path: string) => {
    for (let n = 0; n < 400 && !hints.includes(path); n++) await sleep(5)
    return hints.includes(path)
  }
  watcher.watch(new Set(dirs.slice(0, 4)))
  watcher.start(path => hints.push(path))
  for (const dir of dirs.slice(0, 4)) t.ok(await heard(dir))
  t.equal(watcher.size, 4)
  watcher.watch(new Set([dirs[0]!, dirs[5]!]))
  t.ok(await heard(dirs[5]!))
  t.equal(watcher.size, 2)
  hints.length = 0
  writeFileSync(join(dirs[1]!, 'x.log'), '')
  writeFileSync(join(dirs[0]!, 'deeper', 'x.log'), '')
  writeFileSync(join(dirs[5]!, 'x.log'), '')
  writeFileSync(join(dirs[0]!, 'x.log'), '')
  t.ok(await heard(join(dirs[0]!, 'x.log')))
  t.ok(await heard(join(dirs[5]!, 'x.log')))
  t.notOk(hints.includes(join(dirs[1]!, 'x.log')))
  t.notOk(hints.includes(join(dirs[0]!, 'deeper', 'x.log')))
})

t.test('a directory that was replaced by another is watched again', async t => {
  const dir = scratch(t, { logs: {} })
  const logs = join(dir, 'logs')
  const started = await room(t, { sources: [source(join(logs, '*.log'))] })
  t.ok(await started.until(() => started.sweep.listening && started.sweep.directories.watched === 1))
  for (let n = 0; n < 3; n++) {
    renameSync(logs, join(dir, `old${n}`))
    mkdirSync(logs)
    writeFileSync(join(logs, 'a.log'), `line ${n}\n`)
    t.ok(await started.until(() => started.texts.includes(`line ${n}`)))
    appendFileSync(join(logs, 'a.log'), `more ${n}\n`)
    t.ok(await started.until(() => started.texts.includes(`more ${n}`)))
  }
  t.ok(await started.until(() => started.sweep.directories.watched === 1))
})
