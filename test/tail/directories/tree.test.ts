/** What is known of a volume is bounded, whatever is on it; what there is no room for waits for its turn. */
import { linkSync, mkdirSync, renameSync, rmSync, symlinkSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { Tree, type Work } from '../../../src/tail/directories/tree.ts'
import { type Limits, limitsFor } from '../../../src/tail/files/limits.ts'
import type { SourceOptions } from '../../../src/tail/options.ts'
import { HandClock } from '../../clock.ts'
import { plant, scratch } from '../../scratch.ts'
import { Journal, source } from '../rig.ts'

function finish(work: Work): void {
  while (!work.next().done) {}
}

class Planted {
  readonly clock = new HandClock()
  readonly journal = new Journal()
  readonly tree: Tree
  readonly swapped: string[] = []

  constructor(sources: readonly SourceOptions[], limits: Partial<Limits> = {}) {
    this.tree = new Tree({
      sources,
      limits: { ...limitsFor(), ...limits },
      log: this.journal,
      now: () => this.clock.now(),
      swapped: ({ path }) => this.swapped.push(path),
    })
  }

  /** Lists everything, as if nothing were known of it. */
  walk(): this {
    for (const directory of this.tree) {
      directory.doubt()
      if (this.tree.check(directory)) finish(this.tree.list(directory))
    }
    return this
  }

  /** The found names, without their directory. */
  names(dir: string): string[] {
    return [...this.tree.found.keys()].map(path => path.slice(dir.length + 1)).sort()
  }
}

function files(dir: string, count: number, name: (n: number) => string = n => `f${n}.log`): void {
  plant(dir, count, name)
}

t.test('more files than there is room for: the rest is counted, and comes when others leave', t => {
  const dir = scratch(t)
  files(dir, 30)
  const planted = new Planted([source(join(dir, '*.log'))], { files: 10 }).walk()
  const { tree } = planted
  t.equal(tree.found.size, 10)
  const { files: waiting, example } = tree.withheld(0)
  t.equal(waiting, 20)
  t.match(example, /f\d+\.log$/)
  const taken = [...tree.found.keys()]
  for (const path of taken.slice(0, 4)) unlinkSync(path)
  // What left makes room once the listing has come to its end; so there is another one.
  planted.walk().walk()
  t.equal(tree.found.size, 10)
  t.equal(tree.withheld(0).files, 16)
  for (const path of taken.slice(4)) t.ok(tree.found.has(path), 'who was taken stays')
  for (const path of tree.found.keys()) unlinkSync(path)
  planted.walk().walk().walk()
  t.equal(tree.found.size, 10)
  for (const path of tree.found.keys()) unlinkSync(path)
  planted.walk().walk().walk()
  t.equal(tree.found.size, 6)
  t.notOk(tree.hungry)
  t.end()
})

t.test('a source with very many files and directories leaves room for the others', t => {
  const dir = scratch(t, { many: {}, few: {} })
  files(join(dir, 'many'), 60, n => `d${n}/f.log`)
  files(join(dir, 'few'), 3)
  const many = source(join(dir, 'many/**/*.log'))
  const few = source(join(dir, 'few/*.log'), { name: 'few' })
  for (const sources of [
    [many, few],
    [few, many],
  ]) {
    const { tree } = new Planted(sources, { files: 20, directories: 20 }).walk()
    const found = [...tree.found.values()].filter(({ source }) => source.name === 'few')
    t.equal(found.length, 3)
    t.equal(tree.withheld(sources.indexOf(few)).files, 0)
    const { files, directories } = tree.withheld(sources.indexOf(many))
    t.ok(files + directories > 0, 'and it is said what of the other waits')
    t.ok(tree.size <= 22)
  }
  t.end()
})

t.test('directories and files share what memory there is', t => {
  const dir = scratch(t)
  files(dir, 40, n => `a${n}/b/c/f.log`)
  const { tree } = new Planted([source(join(dir, '**/*.log'))], { all: 40, directoriesOfAFile: 4 }).walk()
  const [known, followed] = [tree.size, tree.found.size]
  t.ok(followed + known / 4 <= 42, `${followed} files and ${known} directories`)
  t.ok(followed >= 20)
  t.ok(known <= 3 * followed + 45, 'those that are known are known to their end')
  t.end()
})

t.test('what cannot be followed gives way, so that everything gets its turn', t => {
  const dir = scratch(t)
  for (let n = 0; n < 40; n++) symlinkSync('nowhere', join(dir, `link${n}.log`))
  const planted = new Planted([source(join(dir, '*.log'))], { others: 8 }).walk()
  const { tree, clock } = planted
  const met = new Set(tree.found.keys())
  t.equal(met.size, 8)
  const followed = [...met][3]!
  for (let turn = 0; turn < 60; turn++) {
    clock.pass(11_000)
    finish(tree.rotate(path => path === followed))
    for (const path of tree.found.keys()) met.add(path)
    t.ok(tree.found.size <= 8)
    t.ok(tree.found.has(followed), 'what is followed stays')
  }
  t.equal(met.size, 40)
  t.end()
})

t.test('links take no room of files', t => {
  const dir = scratch(t)
  for (let n = 0; n < 40; n++) symlinkSync('nowhere', join(dir, `a-link${n}.log`))
  files(dir, 5)
  const { tree } = new Planted([source(join(dir, '*.log'))], { others: 8, files: 8 }).walk()
  t.equal([...tree.found.keys()].filter(path => /\/f\d\.log$/.test(path)).length, 5)
  t.end()
})

t.test('empty directories give way to those that were not looked into', t => {
  const dir = scratch(t)
  for (let n = 0; n < 40; n++) mkdirSync(join(dir, `empty${n}`))
  files(dir, 10, n => `full${n}/f.log`)
  const planted = new Planted([source(join(dir, '**/*.log'))], { directories: 20 }).walk()
  const { tree, clock } = planted
  for (let turn = 0; turn < 80 && tree.found.size < 10; turn++) {
    clock.pass(11_000)
    finish(tree.rotate(() => true))
    planted.walk()
    t.ok(tree.size <= 21)
  }
  t.equal(tree.found.size, 10)
  t.end()
})

t.test('of names that match nothing nothing is kept', t => {
  const dir = scratch(t)
  files(dir, 3000, n => `request-${n}.tmp`)
  files(dir, 1)
  const { tree } = new Planted([source(join(dir, '*.log'))]).walk()
  t.equal(tree.found.size, 1)
  t.equal(tree.strays.byPath.size, 0)
  t.equal([...tree][0]!.names, 3001)
  t.end()
})

t.test(
  'what looks like a rotation of something that matches is told once it is young enough, and forgotten with its name',
  t => {
    const dir = scratch(t)
    const planted = new Planted([source(join(dir, '*.log'), { exclude: [join(dir, 'not*')] })]).walk()
    files(dir, 1, () => 'app.log.1')
    files(dir, 1, () => 'app-2026-01-01.txt')
    files(dir, 1, () => 'not.log.1')
    files(dir, 1, () => 'app.log.2.gz')
    const { byPath } = planted.walk().tree.strays
    t.strictSame(
      [...byPath].map(([path, { original, archive }]) => [path, original, archive]),
      [
        [join(dir, 'app.log.1'), join(dir, 'app.log'), false],
        [join(dir, 'app.log.2.gz'), join(dir, 'app.log'), false],
      ].filter(([path]) => byPath.has(path as string)),
    )
    t.equal(byPath.size, 2)
    unlinkSync(join(dir, 'app.log.1'))
    unlinkSync(join(dir, 'app.log.2.gz'))
    t.equal(planted.walk().tree.strays.byPath.size, 0)
    files(dir, 1, () => 'app.log.gz')
    const [stray] = planted.walk().tree.strays.byPath.values()
    t.match(stray, { original: join(dir, 'app.log'), archive: true })
    t.end()
  },
)

t.test('names that were made to look like very many rotations are few strays', t => {
  const dir = scratch(t)
  files(dir, 2000, n => `app${n}.log.1`)
  const { tree } = new Planted([source(join(dir, '*.log'))]).walk()
  t.ok(tree.strays.byPath.size < 300)
  t.end()
})

t.test('a file that becomes a link, and a directory that becomes a file, are what they are now', t => {
  const dir = scratch(t)
  files(dir, 1, () => 'a.log')
  mkdirSync(join(dir, 'b.log'))
  const planted = new Planted([source(join(dir, '**/*.log'))]).walk()
  t.strictSame(planted.names(dir), ['a.log', 'b.log'])
  unlinkSync(join(dir, 'a.log'))
  symlinkSync('b.log', join(dir, 'a.log'))
  rmSync(join(dir, 'b.log'), { recursive: true })
  files(dir, 1, () => 'b.log')
  linkSync(join(dir, 'b.log'), join(dir, 'c.log'))
  t.strictSame(planted.walk().names(dir), ['a.log', 'b.log', 'c.log'])
  t.equal(planted.tree.size, 1)
  t.end()
})

t.test('a directory that gives way to another is told, with all below it', t => {
  const dir = scratch(t)
  files(dir, 3, n => `one/x${n}/f.log`)
  files(dir, 2, n => `two/y${n}/f.log`)
  const planted = new Planted([source(join(dir, 'one/**/*.log'))]).walk()
  t.equal(planted.tree.found.size, 3)
  renameSync(join(dir, 'one'), join(dir, 'three'))
  renameSync(join(dir, 'two'), join(dir, 'one'))
  planted.swapped.length = 0
  planted.walk()
  t.strictSame(planted.names(dir), ['one/y0/f.log', 'one/y1/f.log'])
  t.ok(planted.swapped.includes(join(dir, 'one')))
  t.equal(planted.tree.size, 3)
  t.end()
})

t.test('a directory where patterns begin that becomes a link out of the one that holds it is not looked into', t => {
  const dir = scratch(t, { volume: { logs: {} }, secrets: { 'key.log': 'secret' } })
  files(join(dir, 'volume/logs'), 1)
  const planted = new Planted([source(join(dir, 'volume/logs/*.log'))]).walk()
  t.equal(planted.tree.found.size, 1)
  renameSync(join(dir, 'volume/logs'), join(dir, 'volume/logs2'))
  symlinkSync(join(dir, 'secrets'), join(dir, 'volume/logs'))
  t.equal(planted.walk().walk().tree.found.size, 0)
  const said = planted.journal.said.filter(({ fields }) => fields['event'] === 'directory_unreadable')
  t.equal(said.length, 1, 'it is said once')
  unlinkSync(join(dir, 'volume/logs'))
  symlinkSync('logs2', join(dir, 'volume/logs'))
  t.equal(planted.walk().tree.found.size, 1, 'a link that is switched within it is followed')
  t.end()
})

t.test('two sources that want the same file are told of it when it is found, once for each pair', t => {
  const dir = scratch(t)
  files(dir, 5)
  const planted = new Planted([source(join(dir, 'f*.log')), source(join(dir, '*.log'), { name: 'rest' })]).walk().walk()
  const said = planted.journal.said.filter(({ fields }) => fields['event'] === 'file_wanted_twice')
  t.equal(said.length, 1)
  t.match(said[0]!.fields, { source: 'app', other: 'rest', path: /f\d\.log$/ })
  t.equal([...planted.tree.found.values()].filter(({ source }) => source.name === 'rest').length, 0)
  t.end()
})

t.test('work that is paused takes as many names as it may, and goes on', t => {
  const dir = scratch(t)
  files(dir, 50)
  const { tree } = new Planted([source(join(dir, '*.log'))])
  tree.credit = 20
  const work = tree.list([...tree][0]!)
  for (let n = 0; n < 10; n++) work.next()
  t.equal(tree.found.size, 20)
  tree.credit = 100
  finish(work)
  t.equal(tree.found.size, 50)
  t.end()
})

t.test('work that is given up leaves nothing open, and its directory is listed again', (t: Test) => {
  const dir = scratch(t)
  files(dir, 5000, n => `request-${n}.tmp`)
  const { tree } = new Planted([source(join(dir, '*.log'))])
  const [directory] = tree
  tree.check(directory!)
  const work = tree.list(directory!)
  work.next()
  t.ok(directory!.busy)
  work.return()
  t.notOk(directory!.busy)
  t.ok(tree.check(directory!))
  t.end()
})
