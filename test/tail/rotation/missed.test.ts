/**
 * Files that lost their name before a sweep saw them under it, and those that left their directory between two sweeps.
 */
import {
  appendFileSync,
  closeSync,
  copyFileSync,
  linkSync,
  mkdirSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import { Ledger } from '../../../src/ledger.ts'
import { inodeKey, inodeOf } from '../../../src/tail/files/fingerprint.ts'
import { Habits, originalsOf } from '../../../src/tail/files/names.ts'
import { Root } from '../../../src/tail/files/open.ts'
import { Lineage } from '../../../src/tail/generation/lineage.ts'
import { Table } from '../../../src/tail/generation/table.ts'
import { Lent } from '../../../src/tail/rotation/lent.ts'
import { Missed } from '../../../src/tail/rotation/missed.ts'
import { until } from '../../program.ts'
import { scratch } from '../../scratch.ts'
import { room, source } from '../rig.ts'

t.jobs = 8

function place(t: Test): { dir: string; log: string; state: string } {
  const base = scratch(t)
  const dir = join(base, 'logs')
  mkdirSync(dir)
  return { dir, log: join(dir, 'app.log'), state: join(base, 'state') }
}

t.test('the names that a rotation may have had before', t => {
  t.strictSame(originalsOf('app.log.1'), ['app.log'])
  t.strictSame(originalsOf('app.log-20260101'), ['app.log'])
  t.strictSame(originalsOf('app.log.2026-01-01T10:00:00Z'), ['app.log', 'app.log.2026', 'app.log.2026-01'])
  t.strictSame(originalsOf('app-20260101.log'), ['app.log'])
  t.strictSame(originalsOf('srv-1.log.2'), ['srv-1.log'])
  t.strictSame(originalsOf('app.log'), [])
  t.strictSame(originalsOf('app.log.1.gz'), ['app.log.gz'], 'a pattern must match it all the same')
  t.strictSame(originalsOf('.1'), [])
  t.end()
})

t.test('the first files ever under a name, renamed before a sweep saw them there', async t => {
  const { dir, log } = place(t)
  writeFileSync(`${log}.9`, 'from before our start\n')
  // Birth times are as coarse as the kernel's clock.
  await new Promise(resolve => setTimeout(resolve, 50))
  const r = await room(t, { sources: [source(join(dir, '*.log'), { exclude: [join(dir, 'excluded*')] })] })
  await new Promise(resolve => setTimeout(resolve, 50))
  for (const n of [3, 2]) {
    writeFileSync(log, `a${n}\n`)
    renameSync(log, `${log}.${n}`)
  }
  // Of this one no file is ever seen under the original name.
  writeFileSync(join(dir, 'other.log'), 'b1\n')
  renameSync(join(dir, 'other.log'), join(dir, 'other.log-20260101'))
  for (const name of ['app.log.bak', 'readme.1', 'excluded.log.1']) writeFileSync(join(dir, name), 'never\n')
  t.strictSame((await r.came(3)).toSorted(), ['a2', 'a3', 'b1'])
  writeFileSync(log, 'a1\n')
  t.strictSame((await r.came(4)).at(-1), 'a1')
  appendFileSync(`${log}.2`, 'a2, late\n')
  t.strictSame((await r.came(5)).at(-1), 'a2, late')
  await new Promise(resolve => setTimeout(resolve, 1200))
  t.equal(r.lines.length, 5, 'later looks read nothing twice')
})

t.test('a name that is new may be a rotation of a path that has lost its file since the last look', t => {
  const { log } = place(t)
  const app = source(`${log}*`)
  const taken: [path: string, origin: string][] = []
  const table = new Table()
  const missed = new Missed({
    table,
    lineage: new Lineage(table, new Ledger(), () => {}),
    habits: new Habits(),
    lent: new Lent(),
    boundsOf: () => [new Root(dirname(log))],
    known: () => false,
    isCopy: () => false,
    isSearching: () => false,
    room: () => true,
    unreadable: () => {},
    archive: () => {},
    knownArchive: () => false,
    poll: () => {},
    compare: () => undefined,
    follow: (path, opened, { origin }) => {
      taken.push([path, origin.path])
      closeSync(opened.fd)
    },
  })
  missed.followed(log, BigInt(Date.now() - 60_000) * 1_000_000n)
  writeFileSync(`${log}.1`, 'written as app.log\n')
  missed.catchUp(app, `${log}.1`)
  t.strictSame(taken, [], 'the path still has its file')
  missed.vacated(log, app)
  missed.catchUp(app, `${log}.1`)
  t.strictSame(taken, [[`${log}.1`, log]], 'it comes behind what was followed there before')
  missed.catchUp(app, `${log}.1`)
  t.equal(taken.length, 1, 'it is looked for once')
  t.end()
})

t.test('a look for what was missed that is given up keeps nothing open, and another one finds the rest', t => {
  const { log } = place(t)
  const table = new Table()
  const lent = new Lent()
  const taken: string[] = []
  const known = new Set<string>()
  const missed = new Missed({
    table,
    lineage: new Lineage(table, new Ledger(), () => {}),
    habits: new Habits(),
    lent,
    boundsOf: () => [new Root(dirname(log))],
    known: inode => known.has(inodeKey(inode)),
    isCopy: () => false,
    isSearching: () => false,
    room: () => true,
    unreadable: () => {},
    archive: () => {},
    knownArchive: () => false,
    poll: () => {},
    compare: () => undefined,
    follow: (path, opened) => {
      taken.push(path)
      known.add(inodeKey(inodeOf(opened.stats)))
      closeSync(opened.fd)
    },
  })
  missed.followed(log, BigInt(Date.now() - 60_000) * 1_000_000n)
  for (let n = 1; n <= 5; n++) writeFileSync(`${log}.${n}`, `rotated ${n}\n`)
  missed.vacated(log, source(log))
  const looks = missed.catchingUp()
  while (taken.length < 2) t.notOk(looks.next().done)
  t.equal([...lent].length, 3)
  looks.return()
  t.equal([...lent].length, 0)
  for (const _ of missed.catchingUp());
  t.strictSame(
    taken.sort(),
    [1, 2, 3, 4, 5].map(n => `${log}.${n}`),
  )
  t.end()
})

t.test('a file that was rotated into another directory while we were down is read on there', async t => {
  const { dir, log, state } = place(t)
  writeFileSync(log, 'a1\n')
  const options = { sources: [source(join(dir, '*.log'))], state }
  const before = await room(t, options)
  await before.came(1)
  await before.stop()
  appendFileSync(log, 'a2\n')
  mkdirSync(join(dir, 'old', '2026'), { recursive: true })
  renameSync(log, join(dir, 'old', '2026', 'whatever'))
  writeFileSync(log, 'b1\n')
  const after = await room(t, options)
  t.strictSame((await after.came(2)).toSorted(), ['a2', 'b1'])
  t.equal(after.statement().delivered.lines, 3)
  t.equal(after.statement().lostBytes, 0)
})

for (const before of ['new', 'emptied once before'] as const) {
  t.test(
    `a file, ${before}, copied and emptied, written to and renamed while we were down, and one behind it`,
    async t => {
      const { dir, log, state } = place(t)
      const options = { sources: [source(join(dir, '*.log'))], state }
      const first = await room(t, options)
      if (before !== 'new') {
        appendFileSync(log, 'a0\n')
        await first.came(1)
        truncateSync(log)
        await until(() => first.journal.said.some(({ sentence }) => /truncated/.test(sentence)))
      }
      appendFileSync(log, 'a1\n')
      const came = before === 'new' ? 1 : 2
      await first.came(came)
      await first.stop()
      appendFileSync(log, 'a2\n')
      copyFileSync(log, `${log}.3`)
      truncateSync(log)
      appendFileSync(log, 'b1\nb2\n')
      renameSync(log, `${log}.2`)
      appendFileSync(log, 'c1\n')
      renameSync(log, `${log}.1`)
      appendFileSync(log, 'd1\n')
      const next = await room(t, options)
      t.strictSame(await next.came(5), ['a2', 'b1', 'b2', 'c1', 'd1'], 'in the order in which they were written')
      t.equal(next.statement().delivered.lines, came + 5)
      t.equal(next.statement().lostBytes, 0)
    },
  )
}

t.test('a file that was deleted before a line was written to it is not looked for in those that are known', async t => {
  const { dir, log, state } = place(t)
  const options = { sources: [source(join(dir, '*.log'))], state }
  const first = await room(t, options)
  writeFileSync(log, '')
  t.ok(await until(() => [...first.tail.tailers].length === 1))
  rmSync(log)
  appendFileSync(log, 'b1\n')
  await first.came(1)
  renameSync(log, `${log}.1`)
  appendFileSync(log, 'c1\n')
  await first.came(2)
  await first.stop()
  renameSync(`${log}.1`, `${log}.2`)
  renameSync(log, `${log}.1`)
  const next = await room(t, options)
  appendFileSync(log, 'd1\n')
  t.strictSame(await next.came(1), ['d1'], 'nothing comes twice')
})

t.test('what lies below no root of a source is not looked for, and is counted as far as it was seen', async t => {
  const { dir, log, state } = place(t)
  writeFileSync(log, 'a1\n')
  const options = { sources: [source(join(dir, '*.log'))], state }
  const before = await room(t, options)
  before.holding = true
  await before.came(1)
  await before.stop(false)
  renameSync(log, join(dir, '..', 'elsewhere'))
  linkSync(join(dir, '..', 'elsewhere'), join(dir, '..', 'twice'))
  const after = await room(t, options)
  t.ok(await after.until(() => after.statement().lostBytes === 3))
  t.strictSame(after.texts, [])
})
