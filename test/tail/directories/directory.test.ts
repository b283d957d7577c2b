/** Whether a listing still holds, by what a file system says of a directory and by what its clock can tell. */
import t from 'tap'
import { Directory, type Looks } from '../../../src/tail/directories/directory.ts'
import { Reaches } from '../../../src/tail/directories/reach.ts'
import { source } from '../rig.ts'

const REACH = new Reaches([source('/logs/*.log')]).at('/logs')!
const looks = (more: Partial<Looks> = {}): Looks => ({
  dev: 1,
  ino: 2,
  ctimeMs: 5000.25,
  mtimeMs: 5000.25,
  size: 4096,
  ...more,
})

/** A directory that looked like this since `at`, when the file system's clock said `wall`. */
function directory(at: number, seen: Looks, wall = seen.ctimeMs): Directory {
  const made = new Directory('/logs', undefined, REACH)
  made.see(seen, at, wall)
  return made
}

function list(directory: Directory, at: number): void {
  directory.begin(at)
  directory.end(true)
}

t.test('a directory is listed until its last change is longer ago than a tick of its clock', t => {
  const made = directory(1000, looks())
  t.ok(made.isDue(1000))
  list(made, 1000)
  t.ok(made.isDue(1001), 'within the same tick something may have come')
  list(made, 1090)
  t.ok(made.isDue(1091))
  list(made, 1101)
  t.notOk(made.isDue(1102), 'and then no more')
  t.end()
})

t.test('where times are whole seconds the tick is one', t => {
  const made = directory(1000, looks({ ctimeMs: 5000, mtimeMs: 5000 }))
  list(made, 1500)
  t.ok(made.isDue(1501))
  list(made, 2099)
  t.ok(made.isDue(2100), 'a file made in the second of the last listing would stay unseen')
  list(made, 2101)
  t.notOk(made.isDue(2102))
  t.end()
})

t.test('how wrong the clock of the file system is does not matter', t => {
  for (const wrong of [-30_000, 30_000, 3_600_000]) {
    const made = directory(1000, looks(), 5000 + wrong > 65_000 ? 5000 : 5000 + wrong)
    list(made, 1050)
    t.ok(made.isDue(1051), `${wrong} ms`)
    list(made, 1101)
    t.notOk(made.isDue(1102), `${wrong} ms`)
  }
  t.end()
})

t.test('what changed long ago is listed once', t => {
  const made = directory(1000, looks(), 5000 + 61_000)
  list(made, 1000)
  t.notOk(made.isDue(1001))
  t.end()
})

t.test('another directory of the same times is another directory', t => {
  const made = directory(1000, looks(), 100_000)
  list(made, 1000)
  t.notOk(made.isDue(1001))
  t.ok(made.see(looks({ ino: 3 }), 1002, 100_000))
  t.ok(made.isDue(1002))
  list(made, 1002)
  t.ok(made.see(looks({ ino: 3, dev: 2 }), 1003, 100_000))
  t.ok(made.isDue(1003))
  t.end()
})

t.test('a change of either of its times is a change', t => {
  for (const change of [{ ctimeMs: 5000.5 }, { mtimeMs: 4000 }]) {
    const made = directory(1000, looks(), 100_000)
    list(made, 1000)
    t.notOk(made.see(looks(change), 1001, 100_000), 'of the same directory')
    t.ok(made.isDue(1001))
    t.notOk(made.looks(looks()))
    t.ok(made.looks(looks(change)))
  }
  t.end()
})

t.test('whatever it looks like, it is listed from time to time', t => {
  const made = directory(1000, looks(), 100_000)
  list(made, 1000)
  t.notOk(made.isDue(31_000))
  t.ok(made.isDue(31_001))
  t.notOk(made.isDue(31_001, 60_000), 'less often where there are many')
  made.cost = 1000
  t.notOk(made.isDue(100_000), 'and where it takes long')
  t.ok(made.isDue(201_001))
  t.end()
})

t.test('a listing that was given up counts for nothing, and neither does one that was overtaken by a change', t => {
  const made = directory(1000, looks(), 100_000)
  made.begin(1000)
  t.ok(made.busy)
  made.end(false)
  t.notOk(made.busy)
  t.ok(made.isDue(1001))
  made.begin(1001)
  made.see(looks({ ctimeMs: 6000.5 }), 1002, 100_000)
  made.end(true)
  t.ok(made.isDue(1003))
  t.end()
})
