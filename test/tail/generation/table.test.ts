/** Where generations are: one place for each, told for an inode, a path and a checkpoint. */
import { closeSync, openSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { type Inode, inodeKey, inodeOf, NO_MARKER } from '../../../src/tail/files/fingerprint.ts'
import { Generation } from '../../../src/tail/generation/generation.ts'
import { Table } from '../../../src/tail/generation/table.ts'
import { Tailer } from '../../../src/tail/generation/tailer.ts'
import type { SavedGeneration } from '../../../src/tail/state/saved.ts'
import { scratch } from '../../scratch.ts'

function inode(n: number, birth = 1): Inode {
  return { dev: '1', ino: String(n), birth: String(birth) }
}

function saved(n: number, more: Partial<SavedGeneration> = {}): SavedGeneration {
  const key = n.toString(16).padStart(16, '0')
  const head = { length: 1, hash: 'a' }
  const cursors = { main: { offset: 0, marker: NO_MARKER } }
  const path = '/logs/app.log'
  return { source: 'app', origin: path, path, inode: inode(n), id: key, key, head, size: 9, cursors, ...more }
}

function parked(n: number, path: string) {
  const who = { kind: 'saved', saved: saved(n, { path }) } as const
  return { path, who, inode: inodeKey(inode(n)), size: 9, modified: 0n, source: 'app', read: new Map(), rested: true }
}

function opened(t: Test, dir: string, name: string, begun: bigint): Tailer {
  const path = join(dir, name)
  writeFileSync(path, 'a line\n')
  const stats = statSync(path, { bigint: true })
  const origin = { source: 'app', path: join(dir, 'app.log'), generation: name, labels: {} }
  const generation = new Generation(origin, inodeOf(stats), saved(1).head, 7, [], name, begun)
  const fd = openSync(path, 'r')
  t.teardown(() => closeSync(fd))
  return new Tailer(fd, path, stats, generation, 0)
}

t.test('an inode is in one place at a time, and is told by its birth where that is known', t => {
  const table = new Table()
  t.equal(table.stateOf(inode(1)), undefined)
  table.park(parked(1, '/logs/app.log'))
  t.equal(table.stateOf(inode(1)), 'parked')
  t.ok(table.isFollowed('/logs/app.log'))
  const entry = table.unpark('/logs/app.log')!
  t.notOk(table.isFollowed('/logs/app.log'))
  table.seek(entry, { kind: 'descriptor', circumstances: { replaced: false, truncated: false } })
  t.equal(table.stateOf(inode(1)), 'sought')
  t.equal(table.recall(inodeKey(inode(1))), entry)
  table.keepUnreadable(entry)
  t.equal(table.stateOf(inode(1)), 'unreadable')
  t.equal(table.stateOf(inode(1, 2)), undefined, 'the number of an inode that was freed is given to the next file')
  table.remember({ ...entry, done: true })
  t.equal(table.stateOf(inode(1)), 'done')
  t.strictSame(table.unreadable, [])
  t.equal(table.take(inodeKey(inode(1)))?.done, true)
  t.equal(table.stateOf(inode(1)), undefined)
  t.end()
})

t.test('what is sought in an inode that holds something else says nothing about that inode', t => {
  const table = new Table()
  table.seek(saved(1), { kind: 'descriptor', circumstances: { replaced: true, truncated: false } })
  table.seek(saved(2), { kind: 'archive', emptied: undefined })
  t.equal(table.stateOf(inode(1)), undefined)
  t.equal(table.stateOf(inode(2)), undefined)
  t.equal([...table.saved()].length, 2, 'both are saved')
  t.end()
})

t.test('a path is known as long as anything is that began under it', t => {
  const table = new Table()
  const origin = '/logs/app.log'
  const waits = { kind: 'archive', emptied: undefined } as const
  t.notOk(table.knows(origin))
  table.park(parked(1, origin))
  t.ok(table.knows(origin), 'parked')
  const entry = table.unpark(origin)!
  t.notOk(table.knows(origin))
  table.seek(entry, waits)
  t.ok(table.knows(origin), 'sought')
  table.unseek(entry)
  t.notOk(table.knows(origin))
  table.keepUnreadable(entry)
  t.ok(table.knows(origin), 'unreadable')
  table.remember({ ...entry, done: true })
  t.ok(table.knows(origin), 'done')
  table.take(inodeKey(entry.inode))
  t.notOk(table.knows(origin))
  table.rememberGone(entry)
  t.ok(table.knows(origin), 'gone')
  t.notOk(table.knows('/logs/app.log.1'))
  const tailer = opened(t, scratch(t), 'app.log.1', 5n)
  table.open(tailer, true)
  t.ok(table.knows(tailer.generation.origin.path), 'open, under another name')
  t.notOk(table.knows(tailer.path))
  t.end()
})

t.test('of several generations of an inode a checkpoint names the one last that its file holds', t => {
  const table = new Table()
  const dir = scratch(t)
  const tailer = opened(t, dir, 'app.log', 5n)
  table.open(tailer)
  table.park(parked(2, '/logs/two.log'))
  table.seek(saved(3), { kind: 'archive', emptied: undefined })
  table.keepUnreadable(saved(4))
  table.remember(saved(5, { done: true }))
  table.remember(saved(6, { inode: inode(5), done: true }))
  t.strictSame(
    [...table.saved()].map(({ key }) => (key.startsWith('0') ? Number.parseInt(key, 16) : key)),
    [5, 6, 4, 3, 2, tailer.generation.key],
    'what an inode held before is gone, and stands before what it holds now',
  )
  t.end()
})

t.test('of the files of a path the elder ones are told, and another one may have its name', t => {
  const table = new Table()
  const dir = scratch(t)
  const [one, two, three] = [3n, 1n, 2n].map((begun, n) => opened(t, dir, `app.log.${n}`, begun))
  for (const tailer of [one!, two!, three!]) table.open(tailer)
  t.strictSame(table.eldersOf(one!), [two, three])
  t.strictSame(table.eldersOf(two!), [])
  t.strictSame(table.eldersOf(one!, 1), [three], 'of many the last ones')
  t.equal(table.youngestOf(join(dir, 'app.log'), 2n), 2n)
  table.setAside(one!)
  t.equal(table.tailerAt(one!.path), undefined)
  t.ok(table.isOpen(inodeKey(one!.inode)))
  table.name(one!, join(dir, 'app.log'))
  t.equal(table.tailerAt(join(dir, 'app.log')), one)
  table.close(one!)
  t.notOk(table.isFollowed(join(dir, 'app.log')))
  t.strictSame([...table.tailersOf(join(dir, 'app.log'))], [two, three])
  t.end()
})

t.test('what is remembered of files that are over is bounded, the oldest is forgotten', t => {
  const table = new Table()
  for (let n = 1; n <= 2000; n++) {
    table.remember(saved(n, { done: true }))
    table.rememberGone(saved(10_000 + n))
  }
  const [done, gone] = [[...table.done], [...table.gone]]
  t.equal(done.length, 512)
  t.equal(gone.length, 256)
  t.equal(done.at(-1)?.inode.ino, '2000')
  t.equal(done[0]?.inode.ino, String(2000 - 511))
  for (let n = 0; n < 128; n++) table.keepUnreadable(saved(20_000 + n))
  t.notOk(table.mayKeepUnreadable)
  t.end()
})
