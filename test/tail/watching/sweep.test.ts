import { spawnSync } from 'node:child_process'
import { mkdirSync, rmSync, statSync, symlinkSync, truncateSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import t, { type Test } from 'tap'
import { limitsFor } from '../../../src/tail/files/limits.ts'
import type { SourceOptions } from '../../../src/tail/options.ts'
import { Sweep } from '../../../src/tail/watching/sweep.ts'
import { HandClock } from '../../clock.ts'
import { plant, scratch } from '../../scratch.ts'
import { untested } from '../../support/untested.ts'
import { Journal, source } from '../rig.ts'

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
  t.strictSame(look('*'), ['.hidden.log', 'a.log', 'b.txt'], 'a directory is no file')
  t.strictSame(look('*/*.log'), ['one/c.log'])
  t.strictSame(look('*/two/*.log'), ['one/two/d.log'])
  t.strictSame(look('**/*.log'), ['.hidden.log', 'a.log', 'one/c.log', 'one/two/d.log', 'one/two/three/e.log'])
  t.strictSame(look('one/**/*.log'), ['one/c.log', 'one/two/d.log', 'one/two/three/e.log'])
  t.strictSame(look('{a,b}.{log,txt}'), ['a.log', 'b.txt'])
  t.strictSame(look('{one/two,none}/*.log'), ['one/two/d.log'])
  t.strictSame(look('[ab].*'), ['a.log', 'b.txt'])
  t.strictSame(look('nothing/*.log'), [])
  t.strictSame(look('one'), ['one'], 'a directory that is named itself can be refused by name')
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

t.test('a linked directory is not walked into, a linked file is found', t => {
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
  t.strictSame(look(), [], 'the directory is not there yet')
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

t.test('a directory that did not change is not listed again, yet a change in it is seen', t => {
  const dir = tree(t, 'a.log')
  const clock = new HandClock()
  const sweep = new Sweep([source(join(dir, '*.log'))], new Journal(), limitsFor(), clock)
  for (let n = 0; n < 3; n++) {
    t.equal(sweep.look().size, 1)
    // Longer than file systems take for a tick: what was listed holds from now on.
    clock.pass(150)
  }
  add(dir, 'b.log')
  t.equal(sweep.look().size, 2)
  t.end()
})

t.test('a directory that cannot be listed is named and harms nothing', t => {
  const dir = tree(t, 'a.log')
  const journal = new Journal()
  const long = join(dir, 'x'.repeat(300), '*.log')
  const sweep = new Sweep([source([long, join(dir, '*.log')])], journal)
  t.equal(sweep.look().size, 1)
  t.equal(journal.said[0]?.sentence, 'a directory cannot be listed; the next look lists it again')
  t.end()
})

t.test('events hint at what happened, also in a directory that comes later', async t => {
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

/** A file system whose times are whole seconds: ext4 with inodes of 128 bytes, as ext3 and many NFS servers. */
function wholeSeconds(t: Test): string | undefined {
  const dir = scratch(t, { mount: {} })
  const [image, mount] = [join(dir, 'image'), join(dir, 'mount')]
  writeFileSync(image, '')
  truncateSync(image, 16 * 1024 ** 2)
  const run = (command: string, ...args: string[]) => spawnSync(command, args, { stdio: 'ignore' }).status === 0
  if (!run('mkfs.ext4', '-q', '-I', '128', image) || !run('mount', '-o', 'loop', image, mount)) return undefined
  t.teardown(() => void run('umount', mount))
  return mount
}

const whole = (dir: string) => {
  writeFileSync(join(dir, 'probe'), '')
  const { mtimeMs } = statSync(join(dir, 'probe'))
  unlinkSync(join(dir, 'probe'))
  return mtimeMs % 1000 === 0
}

t.test('where times are whole seconds, a file made in the second of the last listing is seen', async t => {
  const dir = wholeSeconds(t)
  if (dir === undefined || !whole(dir)) {
    untested(t, 'whole seconds', 'a file system with small inodes cannot be mounted here')
    return
  }
  const sweep = new Sweep([source(join(dir, '*.log'))], new Journal())
  let made = 0
  for (let round = 0; round < 6; round++) {
    add(dir, `f${made++}.log`)
    sweep.look()
    // In the same second, and at some moment of it.
    await new Promise(resolve => setTimeout(resolve, 60 * round))
    add(dir, `f${made++}.log`)
    const seen = async () => {
      for (let n = 0; n < 60 && sweep.look().size < made; n++) await new Promise(resolve => setTimeout(resolve, 50))
      return sweep.look().size
    }
    t.equal(await seen(), made)
  }
})

t.test('a link to a directory that is switched to another one with the same times is looked into', t => {
  const dir = tree(t, 'one/a.log', 'two/b.log')
  symlinkSync('one', join(dir, 'current'))
  const clock = new HandClock()
  const sweep = new Sweep([source(join(dir, 'current/*.log'))], new Journal(), limitsFor(), clock)
  const names = () => [...sweep.look().keys()].map(path => relative(dir, path))
  const then = new Date('2026-01-02T03:04:05Z')
  for (const each of ['one', 'two']) utimesSync(join(dir, each), then, then)
  t.strictSame(names(), ['current/a.log'])
  clock.pass(1200)
  t.strictSame(names(), ['current/a.log'])
  unlinkSync(join(dir, 'current'))
  symlinkSync('two', join(dir, 'current'))
  t.strictSame(names(), ['current/b.log'])
  t.end()
})

/** Looks until nothing is under way any more. */
async function settled(sweep: Sweep, all = false): Promise<number> {
  let found = sweep.look(all)
  for (let n = 0; n < 200 && sweep.behind; n++) {
    await new Promise(resolve => setTimeout(resolve, 10))
    found = sweep.look(all)
  }
  return found.size
}

t.test('a large tree is walked in turns, the first time to its end', async t => {
  const dir = scratch(t)
  plant(dir, 1500, n => `d${n % 40}/e${n}/a.log`)
  const first = new Sweep([source(join(dir, '**/*.log'))], new Journal())
  t.equal(first.look().size, 1500, 'all at once if need be')
  const sweep = new Sweep([source(join(dir, '**/*.log'))], new Journal())
  let turned = 0
  const timer = setInterval(() => turned++)
  await sweep.ready()
  clearInterval(timer)
  t.ok(turned > 0, 'the loop turned meanwhile')
  t.equal(sweep.look(true).size, 1500)
  add(dir, 'd3/e3/late.log')
  sweep.look(true)
  t.ok(sweep.behind, 'a look that trusts nothing takes a while')
  t.equal(await settled(sweep, true), 1501)
  t.notOk(sweep.behind)
})

t.test('of very many new files so many are handed out at a time as can be opened in a turn', async t => {
  const dir = scratch(t)
  const sweep = new Sweep([source(join(dir, '*.log'))], new Journal())
  t.equal(sweep.look().size, 0)
  plant(dir, 2500, n => `f${n}.log`)
  const sizes: number[] = []
  for (let n = 0; n < 200 && sizes.at(-1) !== 2500; n++) {
    sizes.push(sweep.look().size)
    await new Promise(resolve => setTimeout(resolve, 5))
  }
  t.equal(sizes.at(-1), 2500)
  for (const [at, size] of sizes.entries()) t.ok(size - (sizes[at - 1] ?? 0) <= 250, `${size}`)
})

t.test('what is found between looks is hinted at', async t => {
  const dir = scratch(t)
  plant(dir, 2100, n => `request-${n}.tmp`)
  const clock = new HandClock()
  const sweep = new Sweep([source(join(dir, '*.log'))], new Journal(), { ...limitsFor(), watches: 0 }, clock)
  t.teardown(() => sweep.close())
  await sweep.ready()
  const hints: number[] = []
  sweep.watch(
    () => hints.push(sweep.look().size),
    () => true,
  )
  // More than one look may bring, in whatever order the directory has them.
  plant(dir, 1100, n => `${n}.log`)
  // A crowded directory is listed beside the looks, as soon as it may be again: after ten seconds at the latest.
  clock.pass(11_000)
  const found = sweep.look().size
  t.ok(found < 1100, 'a look brings a part')
  clock.pass(11_000)
  t.equal(hints.at(-1), 1100, 'the rest is hinted at, and no other look was needed')
})

t.test('one source that reaches deep does not make the others be watched all the way down', async t => {
  const dir = scratch(t)
  for (let n = 0; n < 50; n++) add(dir, `opt/d${n}/e/x`)
  add(dir, 'opt/app.txt')
  add(dir, 'logs/deep/a.log')
  const sources = [source(join(dir, 'opt/app.txt')), source(join(dir, 'logs/**/*.log'), { name: 'deep' })]
  const sweep = new Sweep(sources, new Journal())
  t.teardown(() => sweep.close())
  t.equal(sweep.look().size, 2)
  sweep.watch(
    () => {},
    () => true,
  )
  t.equal(sweep.directories.known, 3)
  for (let n = 0; n < 200 && sweep.directories.watched < 3; n++) await new Promise(resolve => setTimeout(resolve, 10))
  t.strictSame(sweep.directories, { known: 3, watched: 3 })
})

t.test('of more directories than may be watched, those that changed last are', async t => {
  const dir = scratch(t)
  for (let n = 0; n < 30; n++) add(dir, `d${n}/a.log`)
  const changed = (n: number) => statSync(join(dir, `d${n}`)).ctimeMs
  // The file system's clock ticks: until it has, a change looks as old as what was before.
  for (const n of [7, 19]) for (let made = 0; changed(n) <= changed(29); made++) add(dir, `d${n}/b${made}.log`)
  const limits = { ...limitsFor(), watches: 3 }
  const sweep = new Sweep([source(join(dir, '*/*.log'))], new Journal(), limits)
  t.teardown(() => sweep.close())
  sweep.look()
  const hints = new Set<string>()
  sweep.watch(
    path => hints.add(relative(dir, path)),
    () => true,
  )
  for (let n = 0; n < 200 && hints.size < 3; n++) await new Promise(resolve => setTimeout(resolve, 10))
  t.strictSame([...hints].sort(), ['', 'd19', 'd7'])
})

t.test('that more matches than there is memory for is said by source, again after a while, and when it is over', t => {
  const dir = tree(t, ...Array.from({ length: 10 }, (_, n) => `${n}.log`), 'one.txt')
  const clock = new HandClock()
  const journal = new Journal()
  const sources = [source(join(dir, '*.log')), source(join(dir, '*.txt'), { name: 'text' })]
  const sweep = new Sweep(sources, journal, { ...limitsFor(), files: 8 }, clock)
  const said = () =>
    journal.said.splice(0).map(({ level, fields }) => [level, fields['event'], fields['source'], fields['files']])
  const found = sweep.look().size
  const [waits, ...others] = sweep.waiting()
  t.match(waits, { source: 'app', files: 11 - found, directories: 0 })
  t.ok(waits?.path.startsWith(dir))
  t.strictSame(others, [], 'the share of the other source is kept for it')
  t.strictSame(said(), [['warn', 'file_limit', 'app', 11 - found]])
  const lookAfter = (ms: number) => {
    clock.pass(ms)
    sweep.look(true)
    return sweep.look(true).size
  }
  lookAfter(500_000)
  t.strictSame(said(), [])
  lookAfter(101_000)
  t.match(said(), [['warn', 'file_limit', 'app']])
  for (let n = 0; n < 6; n++) unlinkSync(join(dir, `${n}.log`))
  for (let n = 0; n < 5; n++) lookAfter(20_000)
  t.equal(sweep.look().size, 5)
  t.strictSame([...sweep.waiting()], [])
  t.match(said(), [['info', 'file_limit_past', 'app']])
  t.end()
})

t.test('what is missing on the way to where a pattern begins is watched for', async t => {
  const dir = scratch(t)
  const sweep = new Sweep([source(join(dir, 'volume/app/logs/*.log'))], new Journal())
  t.teardown(() => sweep.close())
  sweep.look()
  let hints = 0
  sweep.watch(
    () => hints++,
    () => true,
  )
  const hinted = async () => {
    const before = hints
    for (let n = 0; n < 200 && hints === before; n++) await new Promise(resolve => setTimeout(resolve, 10))
    return hints > before
  }
  t.ok(await hinted())
  for (const step of ['volume', 'volume/app', 'volume/app/logs']) {
    sweep.look()
    const pending = hinted()
    mkdirSync(join(dir, step))
    t.ok(await pending, step)
  }
  add(dir, 'volume/app/logs/a.log')
  t.equal(sweep.look().size, 1)
})
