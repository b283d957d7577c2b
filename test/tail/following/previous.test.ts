/** What a checkpoint says of how the process before ended, and what that left unsettled. */
import t from 'tap'
import { Account } from '../../../src/ledger.ts'
import { NO_HEAD, NO_MARKER } from '../../../src/tail/files/fingerprint.ts'
import { NO_PREVIOUS, previousEnd, unsettledLater, type Waiting } from '../../../src/tail/following/previous.ts'
import { Cursor, Generation } from '../../../src/tail/generation/generation.ts'
import type { Checkpoint } from '../../../src/tail/state/checkpoint.ts'
import type { SavedGeneration } from '../../../src/tail/state/saved.ts'

const INODE = { dev: '1', ino: '1', birth: '1' }
const PATH = '/logs/app.log'

/** A file that each backend has settled so far. */
function followed(key: string, size: number, offsets: Readonly<Record<string, number>>) {
  const cursors = Object.entries(offsets).map(
    ([backend, offset]) => new Cursor(backend, new Account(), { offset, marker: NO_MARKER }, () => {}),
  )
  const origin = { source: 'app', path: PATH, generation: key, labels: {} }
  return { size, generation: new Generation(origin, INODE, NO_HEAD, size, cursors, key, 1n) }
}

function saved(key: string, offset: number): SavedGeneration {
  const cursors = { main: { offset, marker: NO_MARKER } }
  return { source: 'app', origin: PATH, path: PATH, inode: INODE, id: key, key, head: NO_HEAD, size: 100, cursors }
}

const checkpoint = (clean: boolean, ...generations: SavedGeneration[]): Checkpoint => ({
  clean,
  epoch: 'e',
  generations,
  totals: [],
})

const waiting = (size: number, offsets: Readonly<Record<string, number>>): Waiting => ({
  source: 'app',
  path: PATH,
  size,
  offsets,
  since: () => undefined,
})

t.test('a first start has no process before it', t => {
  t.equal(previousEnd(checkpoint(true), [followed('a', 100, { main: 0 })], [], 0), NO_PREVIOUS)
  t.end()
})

t.test('what is behind the settled offsets of each backend was unsettled, in open files and in those that wait', t => {
  const files = [followed('a', 100, { main: 40, other: 100 }), followed('b', 100, { main: 10 })]
  const before = checkpoint(false, saved('a', 40))
  t.strictSame(previousEnd(before, files, [waiting(50, { main: 20, other: 60 })], 7), {
    kind: 'unclean',
    unsettledBytes: 60 + 30,
    lostBytes: 7,
  })
  t.equal(previousEnd({ ...before, clean: true }, files, [], 0).kind, 'clean')
  t.end()
})

t.test('where the checkpoint was lost anything on the volume may have been sent', t => {
  const end = previousEnd(checkpoint(false), [followed('a', 100, { main: 0 })], [], 0)
  t.strictSame(end, { kind: 'unclean', unsettledBytes: 100, lostBytes: 0 })
  t.end()
})

t.test('of a file that is found later counts what was saved of it, not what was sent meanwhile', t => {
  const files = [followed('a', 100, { main: 90, other: 90 }), followed('new', 100, { main: 0 })]
  t.equal(unsettledLater([saved('a', 40), saved('nowhere', 0)], files), 60 + 100)
  t.end()
})
