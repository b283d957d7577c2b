/** What is logged of a file's life, with a clock that can be moved forward: a rotated file is closed after half a minute. */
import { appendFileSync, mkdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { FileLog } from '../../../src/tail/generation/file-log.ts'
import { scratch } from '../../scratch.ts'
import { Journal, type Room, room, source } from '../rig.ts'

let ahead = 0
const now = performance.now.bind(performance)
performance.now = () => now() + ahead

const EVENTS = ['file_opened', 'file_resumed', 'file_rotated', 'file_truncated', 'file_finished']

/** What was logged of files, without their identities. */
function told(r: Room) {
  return r.journal.said
    .filter(({ fields }) => EVENTS.includes(String(fields['event'])))
    .map(({ level, fields: { event, path, to, offset, size } }) => ({
      level,
      event,
      path,
      ...(to !== undefined && { to }),
      ...(offset !== undefined && { offset, size }),
    }))
}

t.test('a file is logged when it is opened, rotated and finished, and when it is resumed after a restart', async t => {
  const dir = scratch(t)
  const [path, to] = [join(dir, 'app.log'), join(dir, 'app.log.1')]
  mkdirSync(join(dir, 'state'))
  writeFileSync(path, 'a1\na2\n')
  const options = { sources: [source(path)], state: join(dir, 'state') }
  const first = await room(t, options)
  await first.came(2)
  const { generation } = first.lines[0]!
  await first.stop()
  t.strictSame(told(first), [{ level: 'debug', event: 'file_opened', path, offset: 0, size: 6 }])
  appendFileSync(path, 'a3\n')
  const next = await room(t, options)
  await next.came(1)
  renameSync(path, to)
  t.ok(await next.until(() => told(next).length === 2))
  ahead += 31_000
  t.ok(await next.until(() => told(next).length === 3))
  t.strictSame(told(next), [
    { level: 'debug', event: 'file_resumed', path, offset: 6, size: 9 },
    { level: 'info', event: 'file_rotated', path, to, offset: 9, size: 9 },
    { level: 'debug', event: 'file_finished', path: to, offset: 9, size: 9 },
  ])
  const ids = next.journal.said.filter(({ fields }) => EVENTS.includes(String(fields['event'])))
  t.strictSame(
    ids.map(({ fields }) => [fields['generation'], fields['inode']]),
    Array.from({ length: 3 }, () => [generation, statSync(to).ino]),
    'with the inode, and the generation that is part of the ids of records',
  )
})

t.test('a deleted file is logged without a new name, a truncated one as truncated', async t => {
  const dir = scratch(t)
  const [path, other] = [join(dir, 'app.log'), join(dir, 'other.log')]
  writeFileSync(path, 'a1\na2\n')
  writeFileSync(other, 'b1\n')
  const r = await room(t, { sources: [source(join(dir, '*.log'))] })
  await r.came(3)
  rmSync(path)
  writeFileSync(other, '')
  t.ok(await r.until(() => told(r).filter(({ level }) => level === 'info').length === 2))
  t.match(
    told(r)
      .filter(({ level }) => level === 'info')
      .sort((a, b) => String(a.event).localeCompare(String(b.event))),
    [
      { event: 'file_rotated', path, to: null, offset: 6, size: 6 },
      { event: 'file_truncated', path: other },
    ],
  )
  t.strictSame([...r.tail.fileEvents], [['app', { opened: 2, rotated: 0, truncated: 1, deleted: 1 }]])
})

t.test('what happened to files is counted from 0 by source, and goes on from what was counted before', async t => {
  const dir = scratch(t)
  const path = join(dir, 'app.log')
  writeFileSync(path, 'a1\n')
  const r = await room(t, { sources: [source(path)] })
  await r.came(1)
  renameSync(path, join(dir, 'app.log.1'))
  t.ok(await r.until(() => r.tail.fileEvents.get('app')?.rotated === 1))
  const next = new FileLog(['app', 'new'], new Journal())
  const none = { opened: 0, rotated: 0, truncated: 0, deleted: 0 }
  t.strictSame(
    [...next.events],
    [
      ['app', none],
      ['new', none],
    ],
  )
  next.resume(r.tail.fileEvents)
  t.strictSame(
    [...next.events],
    [
      ['app', { ...none, opened: 1, rotated: 1 }],
      ['new', none],
    ],
  )
})
