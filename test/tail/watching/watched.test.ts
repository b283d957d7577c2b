/** Which directories the system is asked to report about, where there are more of them than it may be asked about. */
import { mkdirSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { Tree } from '../../../src/tail/directories/tree.ts'
import { type Limits, limitsFor } from '../../../src/tail/files/limits.ts'
import { chooseWatched } from '../../../src/tail/watching/watched.ts'
import { HandClock } from '../../clock.ts'
import { scratch } from '../../scratch.ts'
import { Journal, source } from '../rig.ts'

/** A tree of what matches, listed once. */
function listed(...paths: readonly string[]): Tree {
  const clock = new HandClock()
  const parts = { limits: limitsFor(), log: new Journal(), now: () => clock.now(), swapped: () => {} }
  const tree = new Tree({ sources: paths.map((path, n) => source(path, { name: `source${n}` })), ...parts })
  for (const directory of tree) {
    if (!tree.check(directory)) continue
    for (const work = tree.list(directory); !work.next().done; );
  }
  return tree
}

function chosen(tree: Tree, limits: Partial<Limits>) {
  const { watched, ways } = chooseWatched(tree, { ...limitsFor(), watches: 100, watchedNames: 10_000, ...limits })
  return { watched: [...watched.keys()], ways }
}

/** A directory of so many files, which changed so many seconds after the others. */
function directory(path: string, files: number, changed = 0): void {
  mkdirSync(path, { recursive: true })
  for (let n = 0; n < files; n++) writeFileSync(join(path, `${n}.log`), '')
  const at = Date.now() / 1000 + changed * 1000
  utimesSync(path, at, at)
}

t.test('while there is room every listed directory is watched', t => {
  const dir = scratch(t)
  for (const name of ['a', 'b', 'c/d']) directory(join(dir, name), 1)
  const { watched, ways } = chosen(listed(join(dir, '**/*.log')), {})
  t.strictSame(watched.sort(), [dir, ...['a', 'b', 'c', 'c/d'].map(name => join(dir, name))])
  t.strictSame(ways, [])
  t.end()
})

t.test('where patterns begin comes first, and then what changed last', t => {
  const dir = scratch(t)
  for (const [n, name] of ['old', 'late', 'early'].entries()) directory(join(dir, name), 1, [0, 2, 1][n])
  const tree = listed(join(dir, '**/*.log'))
  t.strictSame(chosen(tree, { watches: 2 }).watched, [dir, join(dir, 'late')])
  t.strictSame(chosen(tree, { watches: 3 }).watched, [dir, join(dir, 'late'), join(dir, 'early')])
  t.end()
})

t.test('no more names than are allowed stand in what is watched, and a crowded directory leaves room for others', t => {
  const dir = scratch(t)
  directory(join(dir, 'crowd'), 60)
  directory(join(dir, 'small'), 10)
  const tree = listed(join(dir, 'crowd/*.log'), join(dir, 'small/*.log'))
  t.strictSame(chosen(tree, { watchedNames: 50 }).watched, [join(dir, 'small')])
  t.strictSame(chosen(tree, { watchedNames: 65 }).watched, [join(dir, 'crowd')], 'the first that there is room for')
  t.equal(chosen(tree, { watchedNames: 70 }).watched.length, 2)
  t.end()
})

t.test('of a directory that is missing the closest one above it is watched, unless that is crowded', t => {
  const dir = scratch(t)
  mkdirSync(join(dir, 'there'))
  const tree = listed(join(dir, 'there/not/yet/*.log'))
  t.strictSame(chosen(tree, {}), { watched: [], ways: [join(dir, 'there')] })
  directory(join(dir, 'there'), 500)
  t.strictSame(chosen(tree, {}).ways, [join(dir, 'there')])
  writeFileSync(join(dir, 'there/one more'), '')
  t.strictSame(chosen(tree, {}).ways, [])
  t.end()
})

t.test('what is missing takes half of the watches at the most', t => {
  const dir = scratch(t)
  for (const name of ['a', 'b', 'c', 'd']) mkdirSync(join(dir, `above/${name}`), { recursive: true })
  for (const name of ['x', 'y']) directory(join(dir, name), 1)
  const missing = ['a', 'b', 'c', 'd'].map(name => join(dir, `above/${name}/missing/*.log`))
  const { watched, ways } = chosen(listed(...missing, join(dir, 'x/*.log'), join(dir, 'y/*.log')), { watches: 4 })
  t.strictSame(ways, [join(dir, 'above/a'), join(dir, 'above/b')])
  t.strictSame(watched, [join(dir, 'x'), join(dir, 'y')])
  t.end()
})
