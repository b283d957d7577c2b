/** Names beside a log that no pattern matches: which are looked into as rotations or archives, and how many at a time. */
import { linkSync, mkdirSync, renameSync, rmSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { Tree } from '../../../src/tail/directories/tree.ts'
import { limitsFor } from '../../../src/tail/files/limits.ts'
import type { SourceOptions } from '../../../src/tail/options.ts'
import { HandClock } from '../../clock.ts'
import { plant, scratch } from '../../scratch.ts'
import { Journal, source } from '../rig.ts'

function treeOf(...sources: readonly SourceOptions[]): Tree {
  const clock = new HandClock()
  const parts = { limits: limitsFor(), log: new Journal(), now: () => clock.now(), swapped: () => {} }
  return new Tree({ sources, ...parts })
}

/** Lists every directory as it is now; returns the strays by name, each with the name of what it would be a rotation of. */
function strays(tree: Tree, dir: string): Record<string, string> {
  for (const directory of tree) {
    directory.doubt()
    if (!tree.check(directory)) continue
    for (const work = tree.list(directory); !work.next().done; );
  }
  const base = (path: string) => path.slice(dir.length + 1)
  const all = [...tree.strays.byPath].map(([path, { original }]) => [base(path), base(original)] as const)
  return Object.fromEntries(all.sort(([one], [other]) => (one < other ? -1 : 1)))
}

const make = (dir: string, ...names: readonly string[]) => {
  for (const name of names) writeFileSync(join(dir, name), '')
}

t.test('a rotation or an archive of what a pattern takes is a stray, and nothing else is', t => {
  const dir = scratch(t)
  const tree = treeOf(source(join(dir, '*.log'), { exclude: ['debug.log*', '*.zst'].map(name => join(dir, name)) }))
  make(dir, 'app.log', 'app.log.1', 'app.log-20260101', 'app.log.2.gz', 'app.log.gz', 'new.log.gz', 'no.log.zst')
  make(dir, 'debug.log.1', 'debug.log.gz', 'app.txt', 'app.txt.1', 'notes-2', 'README', 'archive.tar.gz')
  mkdirSync(join(dir, 'app.log.9'))
  t.strictSame(strays(tree, dir), {
    'app.log-20260101': 'app.log',
    'app.log.1': 'app.log',
    'app.log.2.gz': 'app.log',
    'app.log.gz': 'app.log',
    'new.log.gz': 'new.log',
  })
  const archives = [...tree.strays.byPath.values()].filter(({ archive }) => archive).map(({ original }) => original)
  t.strictSame(archives.sort(), [join(dir, 'app.log'), join(dir, 'new.log')], 'those of a name that is followed itself')
  t.end()
})

t.test('a rotation that is older than the process was never followed; an archive may be of what was', t => {
  const dir = scratch(t)
  const tree = treeOf(source(join(dir, '*.log')))
  // A link leaves the birth of its file as it is: this test was written before it is run.
  for (const name of ['app.log.1', 'app.log.gz']) linkSync(import.meta.filename, join(dir, name))
  make(dir, 'app.log.2')
  t.strictSame(Object.keys(strays(tree, dir)), ['app.log.2', 'app.log.gz'])
  t.end()
})

t.test('what is gone is forgotten, and makes room for others', t => {
  const dir = scratch(t)
  const tree = treeOf(source(join(dir, '*.log')))
  plant(dir, 300, n => `app.log.${n}`)
  const first = Object.keys(strays(tree, dir))
  t.ok(first.length > 200 && first.length <= 256, `${first.length} at a time`)
  for (const name of first.slice(0, 120)) unlinkSync(join(dir, name))
  // Those that left are forgotten once the listing has come to its end: the next one has room.
  strays(tree, dir)
  const second = Object.keys(strays(tree, dir))
  t.equal(second.length, 180, 'all that are left')
  t.ok(
    first.slice(120).every(name => second.includes(name)),
    'what was met stays',
  )
  rmSync(dir, { recursive: true })
  t.strictSame(strays(tree, dir), {}, 'none is left of a directory that is gone')
  t.end()
})

t.test('the more names a directory has, the fewer rotations are looked into, and each name once', t => {
  const dir = scratch(t)
  const tree = treeOf(source(join(dir, '*.log')))
  plant(dir, 1050, n => `other${n}`)
  make(dir, 'app.log')
  strays(tree, dir)
  make(dir, ...Array.from({ length: 20 }, (_, n) => `app.log.${n}`))
  const few = Object.keys(strays(tree, dir))
  t.equal(few.length, 20)
  const [name] = few
  renameSync(join(dir, name!), join(dir, 'away'))
  strays(tree, dir)
  renameSync(join(dir, 'away'), join(dir, name!))
  t.notOk(Object.keys(strays(tree, dir)).includes(name!), 'a name that was looked at is not looked at again')
  make(dir, ...Array.from({ length: 80 }, (_, n) => `app.log.${20 + n}`))
  const met = Object.keys(strays(tree, dir))
  t.ok(met.length >= 19 && met.length < 50, `${met.length}: each makes all names be read again`)
  t.end()
})
