/** Archives that are looked into in the background: what each search ends with, and what it holds back meanwhile. */
import { closeSync, openSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { Ledger } from '../../../src/ledger.ts'
import { StateDirectory } from '../../../src/state.ts'
import { readHead, readMarker } from '../../../src/tail/files/fingerprint.ts'
import { Habits } from '../../../src/tail/files/names.ts'
import { Lineage } from '../../../src/tail/generation/lineage.ts'
import { Table } from '../../../src/tail/generation/table.ts'
import { Archives } from '../../../src/tail/rotation/archives.ts'
import { identityOf, type Sibling } from '../../../src/tail/rotation/siblings.ts'
import { Unpacked, type UnpackLimits } from '../../../src/tail/rotation/unpack.ts'
import type { SavedGeneration } from '../../../src/tail/state/saved.ts'
import { until } from '../../program.ts'
import { scratch } from '../../scratch.ts'
import { Journal, source } from '../rig.ts'

const BOUNDS = [{ holds: () => true }]
const CONTENT = Array.from({ length: 500 }, (_, n) => `line ${n}\n`).join('')

function looking(t: Test, limits: UnpackLimits = {}) {
  const dir = scratch(t, { logs: {} })
  const log = join(dir, 'logs', 'app.log')
  const journal = new Journal()
  const state = new StateDirectory(join(dir, 'state'), journal, { permissions: 'ignore' })
  const table = new Table()
  const lineage = new Lineage(table, new Ledger(), () => {})
  const habits = new Habits()
  const found: { path: string; saved: SavedGeneration; size: number }[] = []
  const settled: string[] = []
  const archives = new Archives({
    ...{ table, lineage, habits, unpacked: new Unpacked(state, limits), log: journal },
    boundsOf: () => BOUNDS,
    found: (path, { fd, stats }, saved) => {
      closeSync(fd)
      found.push({ path, saved, size: Number(stats.size) })
    },
    onSettled: origin => void settled.push(origin),
  })
  t.teardown(async () => {
    archives.stop()
    await archives.ended()
    state.close()
  })
  const options = source(log)
  return {
    ...{ dir, log, journal, table, habits, archives, found, settled },
    take: (path: string, born?: bigint) => archives.take(options, log, path, () => born),
    ended: () => until(() => !archives.seeking),
    events: () => journal.said.map(({ level, fields }) => `${level} ${fields['event']}`),
  }
}

t.test('what was never seen is read from its archive once, as a generation of the path', async t => {
  const { log, archives, found, settled, take, ended, events } = looking(t)
  const archive = `${log}.1.gz`
  writeFileSync(archive, gzipSync(CONTENT))
  t.notOk(archives.knows(statSync(archive, { bigint: true })))
  take(archive)
  t.ok(archives.seeking && archives.waiting, 'it is under way')
  t.ok(archives.knows(statSync(archive, { bigint: true })), 'and is not begun a second time')
  take(archive)
  t.ok(await ended())
  t.match(found, [{ size: CONTENT.length, saved: { source: 'app', origin: log } }])
  t.strictSame([settled, events(), archives.waiting], [[log], [], false])
  take(archive)
  t.ok(await ended())
  t.equal(found.length, 1, 'it is remembered as it is')
  writeFileSync(archive, gzipSync(`another ${CONTENT}`))
  take(archive)
  t.ok(await ended())
  t.equal(found.length, 2, 'an archive that was written over holds something else')
})

t.test('an archive that does not change and cannot be decoded is named, and not looked into again', async t => {
  const { log, archives, found, settled, take, ended, events } = looking(t)
  const archive = `${log}.1.gz`
  writeFileSync(archive, gzipSync(CONTENT).subarray(0, 40))
  take(archive)
  t.ok(await ended())
  t.strictSame([found, settled, events()], [[], [log], ['warn archive_damaged']])
  t.ok(archives.knows(statSync(archive, { bigint: true })))
})

t.test(
  'thousands that hold something else are looked into once each, and all else has its turns meanwhile',
  async t => {
    const { log, archives, table, found, settled, take, ended } = looking(t)
    const paths = Array.from({ length: 700 }, (_, n) => `${log}.${n}.gz`)
    for (const path of paths) writeFileSync(path, 'no archive')
    for (const path of paths) take(path)
    let turns = 0
    const turn = setInterval(() => turns++, 1)
    t.ok(await ended())
    clearInterval(turn)
    t.ok(turns > 50, `${turns} turns`)
    t.equal(settled.length, paths.length)
    t.strictSame([found, [...table.done]], [[], []], 'they take no place of what is remembered of generations')
    t.ok(paths.every(path => archives.knows(statSync(path, { bigint: true }))))
    for (const path of paths) take(path)
    t.notOk(archives.seeking, 'none is looked into again')
    t.equal(settled.length, paths.length)
  },
)

t.test('one that is still being written is waited for', async t => {
  const { log, found, take, ended, events } = looking(t)
  const archive = `${log}.1.gz`
  const whole = gzipSync(CONTENT)
  writeFileSync(archive, whole.subarray(0, 40))
  take(archive)
  writeFileSync(archive, whole)
  t.ok(await ended())
  t.match(found, [{ size: CONTENT.length }])
  t.strictSame(events(), [])
})

t.test('what began later is held back while it is looked into; what waits for room holds nothing back', async t => {
  let free = 0
  const { log, archives, found, settled, take, ended, events } = looking(t, { free: () => free })
  const archive = `${log}.1.gz`
  writeFileSync(archive, gzipSync(CONTENT))
  const born = BigInt(Date.now() + 60_000) * 1_000_000n
  archives.hold()
  take(archive, born)
  t.ok(archives.holdsBack(log, born))
  t.notOk(archives.holdsBack(log, 0n), 'what is older is not')
  t.notOk(archives.holdsBack(`${log}.other`, born), 'nor is another path')
  t.strictSame(settled, [], 'nothing begins before it is released')
  archives.release()
  t.ok(await until(() => settled.length === 1))
  t.strictSame(events(), ['warn archive_waiting'])
  t.ok(archives.seeking && !archives.holdsBack(log, born))
  free = 1 << 30
  t.ok(await ended())
  t.equal(found.length, 1)
  t.strictSame(events(), ['warn archive_waiting'], 'the wait is logged once')
})

t.test('one that holds more than may be unpacked is named at error', async t => {
  const { log, found, settled, take, ended, events } = looking(t, { maxBytes: 1000 })
  writeFileSync(`${log}.1.gz`, gzipSync(CONTENT))
  take(`${log}.1.gz`)
  t.ok(await ended())
  t.strictSame([found, settled, events()], [[], [log], ['error archive_too_large']])
})

t.test('a search for a known generation ends once, with its file or with nothing', async t => {
  const { log, archives, habits, table, ended } = looking(t)
  writeFileSync(log, CONTENT)
  const fd = openSync(log, 'r')
  const head = readHead(fd, CONTENT.length)!
  const main = { offset: 1000, marker: readMarker(fd, 1000)! }
  closeSync(fd)
  const inode = { dev: '1', ino: '2', birth: '3' }
  const entry: SavedGeneration = {
    ...{ source: 'app', origin: log, path: log, inode, id: '0011223344556677', key: '0011223344556677' },
    ...{ head, size: CONTENT.length, cursors: { main } },
  }
  writeFileSync(`${log}.1.gz`, gzipSync(`another ${CONTENT}`))
  writeFileSync(`${log}-old.gz`, gzipSync(CONTENT))
  const wanted = { path: log, bounds: BOUNDS, ...identityOf(entry) }
  const ends: (number | undefined)[] = []
  const end = (sibling: Sibling | undefined) => {
    ends.push(sibling && Number(sibling.opened.stats.size))
    if (sibling) closeSync(sibling.opened.fd)
  }
  archives.find(entry, wanted, [`${log}.1.gz`], end)
  t.ok(await ended())
  t.strictSame(ends, [undefined])
  t.notOk(habits.knows(log))
  archives.find(entry, wanted, [`${log}.1.gz`, `${log}-old.gz`], end)
  t.ok(await ended())
  t.strictSame(ends, [undefined, CONTENT.length])
  t.ok(habits.knows(log), 'what its rotations are called has been learned')
  t.strictSame([...table.sought], [])
})

t.test('after a stop a search ends without an answer, and what had not begun does not begin', async t => {
  const { log, archives, found, settled, take } = looking(t)
  writeFileSync(`${log}.1.gz`, gzipSync(CONTENT).subarray(0, 40))
  writeFileSync(`${log}.2.gz`, gzipSync(CONTENT))
  take(`${log}.1.gz`)
  archives.hold()
  take(`${log}.2.gz`)
  archives.stop()
  await archives.ended()
  t.strictSame([found, settled], [[], []])
  t.notOk(archives.seeking)
})

t.test('after a stop what waits for its turn ends at once', async t => {
  const { log, archives, found, settled, take } = looking(t)
  for (let n = 0; n < 100; n++) {
    writeFileSync(`${log}.${n}.gz`, gzipSync(CONTENT))
    take(`${log}.${n}.gz`)
  }
  archives.stop()
  await archives.ended()
  t.ok(found.length <= 1)
  t.strictSame(settled, [])
})
