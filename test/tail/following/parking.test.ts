/** Which files give their descriptors to others, and when a parked one is taken up again. */
import { appendFileSync, closeSync, fstatSync, openSync, renameSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { Ledger } from '../../../src/ledger.ts'
import { inodeOf, NO_MARKER } from '../../../src/tail/files/fingerprint.ts'
import { Parking } from '../../../src/tail/following/parking.ts'
import { Lineage } from '../../../src/tail/generation/lineage.ts'
import { Table } from '../../../src/tail/generation/table.ts'
import { Tailer } from '../../../src/tail/generation/tailer.ts'
import { scratch } from '../../scratch.ts'
import { source } from '../rig.ts'

/** A directory of files that are followed for one backend, and the parking of their descriptors. */
function place(t: Test, files?: number, most?: number) {
  const dir = scratch(t)
  const table = new Table()
  const lineage = new Lineage(table, new Ledger(), () => {})
  const reader = { backend: 'main', ready: false, offer() {}, finish: () => [] }
  lineage.members.push({ reader, sources: new Set(['app']) })
  const parking = new Parking(table, lineage, files, most)
  /** `read`: how much of it was read. It changed `ago` milliseconds ago. */
  const follow = (name: string, { read = 0, ago = 60_000 } = {}): Tailer => {
    const path = join(dir, name)
    writeFileSync(path, 'one line\ntwo lines\n')
    const fd = openSync(path, 'r')
    const stats = fstatSync(fd, { bigint: true })
    const app = source(join(dir, '*.log'))
    const unopened = lineage.unopened(app, path, inodeOf(stats), SIZE)
    const saved = { ...unopened, cursors: { main: { offset: read, marker: NO_MARKER } } }
    const generation = lineage.restored(app, saved, saved.inode, SIZE)
    const tailer = new Tailer(fd, path, stats, generation, performance.now() - ago)
    table.open(tailer)
    t.teardown(() => closeSync(fd))
    return tailer
  }
  return { dir, table, parking, follow }
}

const SIZE = 'one line\ntwo lines\n'.length
const never = () => false

t.test('files that were read and have rested the longest give their descriptors first', t => {
  const { parking, follow } = place(t)
  const late = follow('late.log', { read: SIZE, ago: 5_000 })
  const early = follow('early.log', { read: SIZE, ago: 9_000 })
  follow('busy.log', { read: SIZE, ago: 0 })
  follow('unread.log', { ago: 90_000 })
  t.strictSame(parking.choose(9, false), [early, late], 'what is written to, or not read, keeps its own')
  t.strictSame(parking.choose(1, false), [early])
  t.end()
})

t.test('at the end whatever is read gives its descriptor, however lately it was written', t => {
  const { parking, follow } = place(t)
  const busy = follow('busy.log', { read: SIZE, ago: 0 })
  follow('unread.log')
  t.strictSame(parking.choose(9, true), [busy])
  t.end()
})

t.test('a parked file that was read is left alone until it changes, and until the end', t => {
  const { table, parking, follow } = place(t)
  const tailer = follow('app.log', { read: SIZE })
  parking.park(tailer)
  table.close(tailer)
  const { path } = tailer
  t.equal(parking.look(path, false, never), 'idle')
  t.equal(parking.isDone(path, SIZE), true, 'nothing is unread but a last line without an end, at the most')
  t.equal(parking.look(path, true, never), 'idle', 'all of it was read')
  appendFileSync(path, 'three\n')
  t.equal(parking.look(path, false, never), 'due')
  t.equal(parking.isDone(path, SIZE + 6), false)
  t.end()
})

t.test('a parked file with something unread is due once its backend has nothing else to read', t => {
  const { table, parking, follow } = place(t)
  const tailer = follow('app.log', { read: 9 })
  parking.park(tailer)
  table.close(tailer)
  t.equal(parking.look(tailer.path, false, never), 'idle')
  t.equal(
    parking.look(tailer.path, false, backend => backend === 'main'),
    'due',
  )
  t.equal(parking.look(tailer.path, true, never), 'due', 'or nothing will be written any more')
  t.end()
})

t.test('a path that leads to another file, or to none, has lost its parked one', t => {
  const { dir, table, parking, follow } = place(t)
  const tailer = follow('app.log', { read: SIZE })
  parking.park(tailer)
  table.close(tailer)
  renameSync(tailer.path, join(dir, 'app.log.1'))
  t.equal(parking.look(tailer.path, false, never), 'moved')
  writeFileSync(tailer.path, 'another\n')
  t.equal(parking.look(tailer.path, false, never), 'moved')
  unlinkSync(tailer.path)
  t.equal(parking.look(join(dir, 'never.log'), false, never), 'moved', 'nor is one parked that never was')
  t.end()
})

t.test('how many files may be open is bounded by descriptors and by memory, and by what the system refuses', t => {
  const bounded = (files?: number, most?: number) => place(t, files, most).parking
  t.equal(bounded(10, 100).limit, 10)
  const parking = bounded(1000, 100)
  t.equal(parking.limit, 100)
  parking.ranOut(60)
  t.ok(parking.limit < 60, 'a part is left free below what was open when there was none left')
  parking.ranOut(1)
  t.equal(parking.limit, 1)
  t.end()
})
