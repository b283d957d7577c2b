import { mkdirSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import t, { type Test } from 'tap'
import type { SourceOptions } from '../../src/tail/options.ts'
import { Sweep } from '../../src/tail/sweep.ts'
import { scratch } from '../scratch.ts'
import { Journal, source } from './rig.ts'

function tree(t: Test, ...paths: string[]): string {
  const dir = scratch(t)
  for (const path of paths) add(dir, path)
  return dir
}

function add(dir: string, path: string): void {
  mkdirSync(join(dir, path, '..'), { recursive: true })
  writeFileSync(join(dir, path), 'x')
}

function found(dir: string, ...sources: SourceOptions[]): string[] {
  return [...new Sweep(sources, new Journal()).look().keys()].map(path => relative(dir, path)).sort()
}

t.test('a pattern finds what it says and no more', t => {
  const dir = tree(t, 'a.log', 'b.txt', '.hidden.log', 'one/c.log', 'one/two/d.log', 'one/two/three/e.log')
  const look = (glob: string) => found(dir, source(join(dir, glob)))
  t.strictSame(look('a.log'), ['a.log'])
  t.strictSame(look('*.log'), ['.hidden.log', 'a.log'])
  t.strictSame(look('*'), ['.hidden.log', 'a.log', 'b.txt'], 'a folder is no file')
  t.strictSame(look('*/*.log'), ['one/c.log'])
  t.strictSame(look('*/two/*.log'), ['one/two/d.log'])
  t.strictSame(look('**/*.log'), ['.hidden.log', 'a.log', 'one/c.log', 'one/two/d.log', 'one/two/three/e.log'])
  t.strictSame(look('one/**/*.log'), ['one/c.log', 'one/two/d.log', 'one/two/three/e.log'])
  t.strictSame(look('{a,b}.{log,txt}'), ['a.log', 'b.txt'])
  t.strictSame(look('{one/two,none}/*.log'), ['one/two/d.log'])
  t.strictSame(look('[ab].*'), ['a.log', 'b.txt'])
  t.strictSame(look('nothing/*.log'), [])
  t.strictSame(look('one'), ['one'], 'a folder that is named itself can be refused by name')
  t.end()
})

t.test('exclude wins, and slashes may be doubled', t => {
  const dir = tree(t, 'a.log', 'a.debug.log', 'old/b.log')
  t.strictSame(found(dir, source(join(dir, '**/*.log'), { exclude: [join(dir, '*.debug.log')] })), [
    'a.log',
    'old/b.log',
  ])
  t.strictSame(found(dir, source(join(dir, '**/*.log'), { exclude: [join(dir, 'old/**')] })), ['a.debug.log', 'a.log'])
  t.strictSame(found(dir, source(`${dir}//a.log`)), ['a.log'])
  t.strictSame(found(dir, source(`${dir}//*.log`, { exclude: [`${dir}//*.debug.log`] })), ['a.log'])
  t.end()
})

t.test('a path under two sources belongs to the first', t => {
  const dir = tree(t, 'a.log', 'b.log')
  const sweep = new Sweep([source(join(dir, 'a.log')), source(join(dir, '*.log'), { name: 'rest' })], new Journal())
  const owners = [...sweep.look().values()].map(({ path, source }) => `${relative(dir, path)} ${source.name}`)
  t.strictSame(owners.sort(), ['a.log app', 'b.log rest'])
  t.end()
})

t.test('names may hold anything', t => {
  const names = ['line\nfeed.log', 'esc\u001b[31m.log', 'quote"\'.log', 'sp ace.log', '日本.log', '*.log', '-rf.log']
  const dir = tree(t, ...names, 'fol\nder/x.log')
  t.strictSame(found(dir, source(join(dir, '*.log'))), [...names].sort())
  t.strictSame(found(dir, source(join(dir, '**/*.log'))), [...names, 'fol\nder/x.log'].sort())
  t.end()
})

t.test('a linked folder is not walked into, a linked file is found', t => {
  const dir = tree(t, 'real/a.log')
  symlinkSync(dir, join(dir, 'real', 'loop'))
  symlinkSync('a.log', join(dir, 'real', 'link.log'))
  t.strictSame(found(dir, source(join(dir, '**/*.log'))), ['real/a.log', 'real/link.log'])
  t.end()
})

t.test('what appears, leaves and comes back is seen by the next sweep', t => {
  const dir = scratch(t)
  const sweep = new Sweep([source(join(dir, 'later/**/*.log'))], new Journal())
  const look = () => [...sweep.look().keys()].map(path => relative(dir, path)).sort()
  t.strictSame(look(), [], 'the folder is not there yet')
  for (let round = 0; round < 20; round++) {
    add(dir, 'later/a.log')
    t.strictSame(look(), ['later/a.log'])
    add(dir, 'later/deep/b.log')
    t.strictSame(look(), ['later/a.log', 'later/deep/b.log'])
    unlinkSync(join(dir, 'later/a.log'))
    t.strictSame(look(), ['later/deep/b.log'])
    rmSync(join(dir, 'later'), { recursive: true })
    t.strictSame(look(), [])
  }
  t.end()
})

t.test('a folder that did not change is not listed again, yet a change in it is seen', async t => {
  const dir = tree(t, 'a.log')
  const sweep = new Sweep([source(join(dir, '*.log'))], new Journal())
  await new Promise(resolve => setTimeout(resolve, 150))
  for (let n = 0; n < 3; n++) t.equal(sweep.look().size, 1)
  add(dir, 'b.log')
  t.equal(sweep.look().size, 2)
})

t.test('a folder that cannot be listed is named and harms nothing', t => {
  const dir = tree(t, 'a.log')
  const journal = new Journal()
  const long = join(dir, 'x'.repeat(300), '*.log')
  const sweep = new Sweep([source([long, join(dir, '*.log')])], journal)
  t.equal(sweep.look().size, 1)
  t.equal(journal.said[0]?.sentence, 'a folder cannot be listed; it is tried again')
  t.end()
})

t.test('events hint at what happened, also in a folder that comes later', async t => {
  const dir = tree(t, 'a.log')
  const sweep = new Sweep([source([join(dir, '*.log'), join(dir, 'later', '*.log')])], new Journal())
  const hints = new Set<string>()
  sweep.watch(
    path => hints.add(relative(dir, path)),
    path => path === join(dir, 'a.log'),
  )
  t.teardown(() => sweep.close())
  t.strictSame(sweep.watching, { mode: 'events' })
  const end = performance.now() + 30_000
  // Nothing says when the watcher is ready: what happened before is done again.
  while (!(hints.has('b.log') && hints.has('later')) && performance.now() < end) {
    rmSync(join(dir, 'b.log'), { force: true })
    rmSync(join(dir, 'later'), { recursive: true, force: true })
    await new Promise(resolve => setTimeout(resolve, 20))
    add(dir, 'b.log')
    mkdirSync(join(dir, 'later'))
    await new Promise(resolve => setTimeout(resolve, 100))
  }
  t.ok(hints.has('b.log'))
  t.ok(hints.has('later'))
})
