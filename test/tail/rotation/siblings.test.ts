import {
  appendFileSync,
  closeSync,
  copyFileSync,
  fstatSync,
  openSync,
  renameSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import { Account } from '../../../src/ledger.ts'
import { inodeKey, inodeOf, readHead, readMarker } from '../../../src/tail/files/fingerprint.ts'
import { namesIn } from '../../../src/tail/files/inodes.ts'
import { Habits, isRotationOf } from '../../../src/tail/files/names.ts'
import { beside, openRegular, Root } from '../../../src/tail/files/open.ts'
import { Cursor, Generation } from '../../../src/tail/generation/generation.ts'
import { Tailer } from '../../../src/tail/generation/tailer.ts'
import {
  findCopy,
  findInode,
  findMissed,
  type MissedQuery,
  mayBeCopyOf,
  type Wanted,
} from '../../../src/tail/rotation/siblings.ts'
import { plant, scratch } from '../../scratch.ts'

const nobody = () => false

/** What a room knows of a file after reading its first `offset` bytes. */
function known(path: string, offset: number): Wanted {
  const fd = openSync(path, 'r')
  const inode = inodeOf(fstatSync(fd, { bigint: true }))
  const wanted = {
    path,
    inode,
    head: readHead(fd, offset)!,
    cursors: [{ offset, marker: readMarker(fd, offset)! }],
    bounds: [],
  }
  closeSync(fd)
  return wanted
}

function find(t: Test, wanted: Wanted, by: 'inode' | 'copy', taken: (key: string) => boolean): string | undefined {
  const sibling = by === 'inode' ? findInode(wanted, taken) : findCopy(wanted, taken)
  if (sibling) t.teardown(() => closeSync(sibling.opened.fd))
  return sibling?.path
}

function place(t: Test): { log: string; at: (name: string) => string } {
  const dir = scratch(t)
  return { log: join(dir, 'app.log'), at: name => join(dir, name) }
}

t.test('of a file that nothing was read of, a later one with the number of its inode is told by its birth', t => {
  const { log } = place(t)
  writeFileSync(log, 'of another file\n')
  const unread = known(log, 0)
  t.equal(find(t, unread, 'inode', nobody), log)
  const before = { ...unread.inode, birth: String(BigInt(unread.inode.birth) - 1n) }
  t.equal(find(t, { ...unread, inode: before }, 'inode', nobody), undefined)
  const read = known(log, 16)
  t.equal(find(t, { ...read, inode: before }, 'inode', nobody), log, 'what was read tells more than a birth')
  t.end()
})

t.test('a renamed file is found by its inode, under whatever name', t => {
  const { log, at } = place(t)
  writeFileSync(log, 'content\n')
  const wanted = known(log, 8)
  renameSync(log, at('something else'))
  appendFileSync(at('something else'), 'more\n')
  writeFileSync(log, 'content\n')
  t.equal(find(t, wanted, 'inode', nobody), at('something else'))
  t.equal(
    find(t, wanted, 'inode', key => key === inodeKey(wanted.inode)),
    undefined,
    'not if it is followed already',
  )
  truncateSync(at('something else'), 3)
  t.equal(find(t, wanted, 'inode', nobody), undefined, 'not if other content stands in it')
  t.end()
})

t.test('a copy is found by head and marker, and told from files whose heads are alike', t => {
  const { log, at } = place(t)
  const banner = 'the same banner at the start of every file\n'.repeat(40)
  writeFileSync(log, `${banner}mine\n`)
  const wanted = known(log, banner.length + 5)
  writeFileSync(at('app.log.1'), `${banner}else\nand longer\n`)
  writeFileSync(at('app.log.2'), banner)
  t.equal(find(t, wanted, 'copy', nobody), undefined)
  copyFileSync(log, at('app.log.3'))
  appendFileSync(at('app.log.3'), 'what was written before the truncation\n')
  truncateSync(log)
  t.equal(find(t, wanted, 'copy', nobody), at('app.log.3'))
  t.end()
})

t.test('of a file nothing was read of no copy can be known', t => {
  const { log, at } = place(t)
  writeFileSync(log, 'content\n')
  copyFileSync(log, at('app.log.1'))
  t.equal(find(t, known(log, 0), 'copy', nobody), undefined)
  t.end()
})

t.test('a copy that is older than the last write to its unread file is known by when the content can have begun', t => {
  const { log, at } = place(t)
  const content = 'a line\n'.repeat(200)
  writeFileSync(log, content)
  copyFileSync(log, at('app.log.1'))
  appendFileSync(log, 'written behind the copy\n')
  const copied = statSync(at('app.log.1'), { bigint: true }).birthtimeNs
  const fd = openSync(log, 'r')
  const unread = { ...known(log, 0), head: readHead(fd, 1024)!, begun: String(copied + 1n) }
  closeSync(fd)
  t.equal(find(t, unread, 'copy', nobody), undefined)
  t.equal(find(t, { ...unread, after: copied - 1n }, 'copy', nobody), at('app.log.1'))
  const blank = { ...unread, head: { length: 0, hash: '' }, after: copied - 1n }
  t.equal(
    find(t, blank as Wanted, 'copy', nobody),
    undefined,
    'where nothing is known it may be the copy of what was before',
  )
  t.end()
})

t.test('in a crowded directory the names of a rotation are looked at first', t => {
  const { log, at } = place(t)
  writeFileSync(log, 'content\n')
  const wanted = known(log, 8)
  plant(at('.'), 2100, n => `aaa${n}`)
  renameSync(log, at('app.log.1'))
  t.equal(find(t, wanted, 'inode', nobody), at('app.log.1'))
  t.end()
})

t.test('the names that rotation gives are known', t => {
  for (const name of [
    'app.log.1',
    'app.log-20260101',
    'app.log.2026-01-01_00',
    'app-20260101.log',
    'app.1.log',
    'app.log.bak',
  ]) {
    t.ok(isRotationOf(name, 'app.log'), name)
  }
  for (const name of ['app.log', 'other.log', 'app.txt', 'my-app.log']) t.notOk(isRotationOf(name, 'app.log'), name)
  t.notOk(isRotationOf('other', 'app'))
  t.end()
})

t.test('what may become a copy is told from what may not', t => {
  const { log, at } = place(t)
  writeFileSync(log, 'first\nsecond\n')
  const fd = openSync(log, 'r')
  t.teardown(() => closeSync(fd))
  const stats = fstatSync(fd, { bigint: true })
  const origin = { source: 'app', path: log, generation: '0'.repeat(16), labels: {} }
  const cursor = new Cursor('main', new Account(), { offset: 13, marker: readMarker(fd, 13)! }, () => {})
  const generation = new Generation(origin, inodeOf(stats), readHead(fd, 13)!, 13, [cursor])
  const tailer = new Tailer(fd, log, stats, generation, 0)
  const may = (name: string, content: string): boolean => {
    writeFileSync(at(name), content)
    const opened = openRegular(at(name), beside(at(name), []))
    if (opened.kind !== 'open') throw new Error(opened.kind)
    const verdict = mayBeCopyOf(at(name), opened, tailer)
    closeSync(opened.fd)
    return verdict
  }
  t.equal(may('app.log.1', 'first\n'), true, 'half of it')
  t.equal(may('app.log.2', 'first\nsecond\n'), true, 'the whole')
  t.equal(may('app.log.3', 'first\nsecond\nthird\n'), true, 'and what we have not read yet')
  t.equal(may('app.log.4', 'first\nsecant\nthird\n'), false, 'other content')
  t.equal(may('app.log.5', 'another first\n'), false)
  t.equal(may('unrelated', 'first\nsecond\n'), false, 'a name that no rotation gives')
  t.end()
})

t.test('a file with the same banner, and its own lines behind it, is no copy', t => {
  const { log, at } = place(t)
  const banner = 'the same in both\n'.repeat(100)
  writeFileSync(log, `${banner}${'the first file\n'.repeat(100)}`)
  const fd = openSync(log, 'r')
  t.teardown(() => closeSync(fd))
  const stats = fstatSync(fd, { bigint: true })
  const size = Number(stats.size)
  const origin = { source: 'app', path: log, generation: '0'.repeat(16), labels: {} }
  const cursor = new Cursor('main', new Account(), { offset: size, marker: readMarker(fd, size)! }, () => {})
  const tailer = new Tailer(
    fd,
    log,
    stats,
    new Generation(origin, inodeOf(stats), readHead(fd, size)!, size, [cursor]),
    0,
  )
  const may = (content: string): boolean => {
    writeFileSync(at('app.log.1'), content)
    const opened = openRegular(at('app.log.1'), [new Root(dirname(log))])
    if (opened.kind !== 'open') throw new Error(opened.kind)
    const verdict = mayBeCopyOf(at('app.log.1'), opened, tailer)
    closeSync(opened.fd)
    return verdict
  }
  t.equal(may(`${banner}${'the first file\n'.repeat(50)}`), true, 'the half of it')
  t.equal(may(banner), true, 'as long as there is nothing but the banner')
  t.equal(may(`${banner}${'the other file\n'.repeat(50)}`), false, 'less than was read of the first')
  truncateSync(log)
  const whole = `${banner}${'the first file\n'.repeat(100)}`
  t.equal(may(`${whole}more\n`), true, 'it was truncated, and not looked at since: what was read of it tells')
  t.equal(may(`${banner}${'the other file\n'.repeat(101)}`), false, 'and of a file that only begins alike, too')
  t.equal(may(`${banner}${'the first file\n'.repeat(50)}`), false, 'or of less than was read')
  t.end()
})

/** Asks for what was missed under `origin`; the paths that were found, sorted. */
function missedUnder(origin: string, more: Partial<MissedQuery> = {}): string[] {
  const { missed } = findMissed({
    origin,
    after: 1n,
    ended: 0n,
    before: undefined,
    habits: new Habits(),
    names: namesIn,
    bounds: [],
    strict: false,
    known: () => false,
    followed: () => false,
    knownArchive: () => false,
    room: () => true,
    denied: () => {},
    compressed: () => {},
    ...more,
  })
  for (const { opened } of missed) closeSync(opened.fd)
  return missed.map(({ path }) => path).sort()
}

t.test('of the files born since, those with a number or a date in the name were rotated away unseen', t => {
  const { log, at } = place(t)
  const numbered = ['app.log.1', 'app.log-20260101', 'app.log.2026-01-01T00:00:00Z', 'app-2026-01-01.log', 'app.12.log']
  const others = ['app-audit.log', 'app.log.swp', 'app.log.bak', 'app1.log', 'application.log.1', 'other.log.1']
  for (const name of [...numbered, ...others]) writeFileSync(at(name), 'content\n')
  t.strictSame(missedUnder(log), numbered.map(at).sort())
  const later = BigInt(Date.now() + 60_000) * 1_000_000n
  t.strictSame(missedUnder(log, { after: later }), [], 'none that is older')
  t.strictSame(missedUnder(log, { known: () => true }), [], 'none that is known')
  t.end()
})

t.test('no more of them are opened than there are descriptors for', t => {
  const { log, at } = place(t)
  for (let n = 1; n <= 9; n++) writeFileSync(at(`app.log.${n}`), 'content\n')
  t.equal(missedUnder(log, { room: open => open < 3 }).length, 3)
  t.end()
})

t.test('a name that says less counts where the life of the file fits, or its rename shows', t => {
  const { log, at } = place(t)
  const names = ['app1.log', 'app.log.Mon', '2026-app.log', 'app-audit.log', 'app.log.bak']
  for (const name of names) writeFileSync(at(name), 'content\n')
  const now = BigInt(Date.now() + 1000) * 1_000_000n
  const likely = ['app1.log', 'app.log.Mon', '2026-app.log'].map(at).sort()
  t.strictSame(missedUnder(log, { before: now }), likely, 'born before the file that stands there now')
  t.strictSame(missedUnder(log, { before: now, ended: now }), [], 'not while the one before was still written to')
  t.strictSame(missedUnder(log, { before: now, strict: true }), [], 'not under a path that was never followed')
  t.strictSame(missedUnder(log, { before: 1n }), [], 'not when it is younger than that')
  t.strictSame(missedUnder(log), [], 'without one, not what was written under its own name')
  utimesSync(at('app.log.Mon'), 1e9, 1e9)
  t.strictSame(missedUnder(log), [at('app.log.Mon')], 'but what was renamed since it was written')
  t.end()
})

t.test('what files were followed under before is no rotation of another path, unless its name says so clearly', t => {
  const { log, at } = place(t)
  for (const name of ['app1.log', 'app2.log', 'app.log.1']) writeFileSync(at(name), 'content\n')
  const before = BigInt(Date.now() + 1000) * 1_000_000n
  const followed = (path: string) => path === at('app1.log') || path === at('app.log.1')
  t.strictSame(missedUnder(log, { before, followed }), [at('app.log.1'), at('app2.log')])
  t.end()
})

t.test('a name of the shape that rotations of the path had before says enough', t => {
  const { at } = place(t)
  for (const name of ['@4000000065a1b2c312345678.s', '@4000000065a1b2c3zz.s', 'lock'])
    writeFileSync(at(name), 'content\n')
  const habits = new Habits()
  t.strictSame(missedUnder(at('current'), { habits }), [])
  habits.learn(at('current'), at('@40000000600000000000abcd.s'))
  t.strictSame(missedUnder(at('current'), { habits }), [at('@4000000065a1b2c312345678.s')])
  t.end()
})

t.test('archives are told by the name in front of their compression, those of followed files excepted', t => {
  const { log, at } = place(t)
  const archives = ['app.log.1.gz', 'app-20260101.log.gz', 'app.log.2026-01-01T00:00:00Z.zst', 'app.2.log.gz']
  const others = ['app-audit.log.gz', 'other.log.1.gz', 'app.log.swp.gz']
  for (const name of [...archives, ...others]) writeFileSync(at(name), 'content\n')
  const compressed: string[] = []
  t.strictSame(missedUnder(log, { compressed: path => void compressed.push(path) }), [])
  t.strictSame(compressed.sort(), archives.map(at).sort())
  compressed.length = 0
  missedUnder(log, { compressed: path => void compressed.push(path), followed: path => path === at('app.2.log') })
  t.notOk(compressed.includes(at('app.2.log.gz')), 'it is looked after under the name of that')
  t.equal(compressed.length, archives.length - 1)
  t.end()
})

t.test('of thousands of names those are looked at that may be called as a rotation, unless others were learned', t => {
  const { log, at } = place(t)
  let asked = 0
  const habits = new (class extends Habits {
    override says(name: string, origin: string) {
      asked++
      return super.says(name, origin)
    }
  })()
  writeFileSync(at('app.log.1'), 'content\n')
  const others = Array.from({ length: 5000 }, (_, n) => `other-${n}.log`)
  const names = () => [...others, 'app.log.1']
  t.strictSame(missedUnder(log, { habits, names }), [at('app.log.1')])
  t.equal(asked, 1)
  habits.learn(log, at('app.log.2'))
  t.strictSame(missedUnder(log, { habits, names }), [at('app.log.1')])
  t.equal(asked, 2, 'also if they were called so before')
  habits.learn(log, at('@4000000065a1b2c312345678.s'))
  t.strictSame(missedUnder(log, { habits, names }), [at('app.log.1')])
  t.equal(asked, 5003)
  t.end()
})
