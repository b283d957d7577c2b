import {
  appendFileSync,
  linkSync,
  openSync,
  renameSync,
  statSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { Account } from '../../../src/ledger.ts'
import { inodeOf, NO_HEAD, NO_MARKER, readMarker } from '../../../src/tail/files/fingerprint.ts'
import { Cursor, Generation } from '../../../src/tail/generation/generation.ts'
import { Tailer } from '../../../src/tail/generation/tailer.ts'
import { scratch } from '../../scratch.ts'
import { chunkIn } from './chunks.ts'

const MINUTE = 60_000

/** A file, its tailer, and `read`: everything up to here is read, and settles when the returned function is called. */
function tailed(t: Test, content: string) {
  const path = join(scratch(t), 'app.log')
  writeFileSync(path, content)
  const fd = openSync(path, 'r')
  const stats = statSync(path, { bigint: true })
  const origin = { source: 'app', path, generation: '0'.repeat(16), labels: {} }
  const cursor = new Cursor('main', new Account(), { offset: 0, marker: NO_MARKER }, () => {})
  const tailer = new Tailer(fd, path, stats, new Generation(origin, inodeOf(stats), NO_HEAD, 0, [cursor]), 0)
  t.teardown(() => tailer.close())
  const read = (to: number): (() => void) => {
    const chunk = chunkIn(origin, cursor, cursor.read, to)
    cursor.took(chunk, readMarker(fd, to)!)
    tailer.growHead()
    return () => cursor.settled(chunk)
  }
  return { path, tailer, cursor, read, poll: (now = 0, final = false) => tailer.poll(now, final) }
}

/** No line end stands before `to`. */
function lookedTo({ ahead }: Cursor, to: number): void {
  ahead.looked(ahead.due, to, to)
}

t.test('a look says whether there is more to read', t => {
  const { path, cursor, read, poll } = tailed(t, 'one\n')
  t.match(poll(), { kind: 'intact', unread: true })
  read(4)
  t.match(poll(), { kind: 'intact', unread: false, changed: false })
  appendFileSync(path, 'two')
  t.match(poll(), { kind: 'intact', unread: true, changed: true })
  lookedTo(cursor, 7)
  t.match(poll(), { kind: 'intact', unread: false }, 'an unfinished line that was looked through waits')
  t.match(poll(0, true), { kind: 'intact', unread: true }, 'but not at the end')
  t.end()
})

t.test('live, rotated, found again, rotated, deleted, closed', t => {
  const { path, tailer, read, poll } = tailed(t, 'one\n')
  const settle = read(4)
  poll()
  t.equal(tailer.state.kind, 'live')
  renameSync(path, `${path}.1`)
  poll(1)
  t.strictSame(tailer.state, { kind: 'rotated', since: 1 })
  tailer.path = `${path}.1`
  tailer.state = { kind: 'live' }
  poll(2)
  t.equal(tailer.state.kind, 'live', 'its new name leads to it')
  writeFileSync(`${path}.2`, 'other\n')
  renameSync(`${path}.2`, `${path}.1`)
  poll(3)
  t.equal(tailer.state.kind, 'deleted', 'another file has taken its last name')
  t.notOk(tailer.finished(MINUTE), 'a chunk is in flight')
  settle()
  t.notOk(tailer.finished(100), 'a writer may still have it open')
  t.ok(tailer.finished(MINUTE))
  tailer.close()
  tailer.close()
  t.strictSame(tailer.state, { kind: 'closed' })
  t.match(poll(), { kind: 'intact', unread: false })
  t.end()
})

t.test('a second link keeps a file from being deleted', t => {
  const { path, tailer, poll } = tailed(t, 'one\n')
  linkSync(path, `${path}.link`)
  unlinkSync(path)
  poll()
  t.equal(tailer.state.kind, 'rotated')
  unlinkSync(`${path}.link`)
  poll()
  t.equal(tailer.state.kind, 'deleted')
  t.end()
})

t.test('a rotated file with an unfinished last line is read to its end once it has no writer, then done', t => {
  const { path, tailer, cursor, read, poll } = tailed(t, 'one\ntwo')
  read(4)()
  lookedTo(cursor, 7)
  renameSync(path, `${path}.1`)
  t.match(poll(0), { unread: false })
  appendFileSync(`${path}.1`, '.')
  lookedTo(cursor, 8)
  t.match(poll(40_000), { unread: false, changed: true }, 'a write begins the wait again')
  t.notOk(tailer.finished(MINUTE))
  t.match(poll(2 * MINUTE), { unread: true })
  read(8)()
  t.ok(tailer.finished(2 * MINUTE))
  t.end()
})

t.test('a file is shortened, replaced or only touched', t => {
  const { path, cursor, read, poll } = tailed(t, 'one\ntwo\nhalf')
  poll()
  read(8)
  lookedTo(cursor, 12)
  truncateSync(path, 8)
  t.strictSame(poll(), { kind: 'shortened', bytes: 4 })
  t.equal(cursor.scanned, 8)
  t.match(poll(), { kind: 'intact', changed: false }, 'it is counted once')
  utimesSync(path, new Date(), new Date(1))
  t.match(poll(), { kind: 'intact', changed: true })
  writeFileSync(path, 'ONE\nTWO\n')
  t.match(poll(), { kind: 'replaced' }, 'the same length, other content')
  t.end()
})

t.test('a file that is shorter than what was read is replaced', t => {
  const { path, read, poll } = tailed(t, 'one\ntwo\n')
  read(8)
  truncateSync(path, 4)
  t.match(poll(), { kind: 'replaced' })
  t.end()
})

t.test('an overwrite of what was read is seen although an unfinished line stands behind it', t => {
  const { path, cursor, read, poll } = tailed(t, 'one\nhalf')
  read(4)
  lookedTo(cursor, 8)
  poll()
  writeFileSync(path, 'ONE\nHA\nF')
  t.match(poll(), { kind: 'replaced' })
  t.end()
})
