/** How generations get their ids, and with which cursors they go on. */
import t from 'tap'
import { Ledger } from '../../../src/ledger.ts'
import { generationId, NO_HEAD, NO_MARKER } from '../../../src/tail/files/fingerprint.ts'
import { Lineage, type Offers } from '../../../src/tail/generation/lineage.ts'
import { Table } from '../../../src/tail/generation/table.ts'
import type { SavedGeneration } from '../../../src/tail/state/saved.ts'
import { source } from '../rig.ts'

const PATH = '/logs/app.log'
const INODE = { dev: '1', ino: '7', birth: '1000' }
const APP = source(PATH)

/** Two backends that get the source app, and one that gets another. */
function lineage() {
  const ledger = new Ledger()
  const made = new Lineage(new Table(), ledger, () => {})
  made.epoch = 'an epoch'
  const reader = (backend: string): Offers => ({ backend, ready: false, offer() {}, finish: () => [] })
  for (const [backend, name] of Object.entries({ main: 'app', second: 'app', elsewhere: 'other' })) {
    made.members.push({ reader: reader(backend), sources: new Set([name]) })
  }
  return { made, lost: () => ledger.account('app', 'main').statement().lostBytes }
}

function saved(offset: number, more: Partial<SavedGeneration> = {}): SavedGeneration {
  const cursors = { main: { offset, marker: NO_MARKER } }
  const id = generationId('an epoch', INODE, 0)
  return {
    source: 'app',
    origin: PATH,
    path: PATH,
    inode: INODE,
    id,
    key: id,
    head: NO_HEAD,
    size: 90,
    cursors,
    ...more,
  }
}

t.test('the same file gets the same id after a restart, and one that was emptied gets another', t => {
  const [one, other] = [lineage().made, lineage().made]
  const id = one.begun(APP, PATH, INODE, 0).key
  t.equal(other.begun(APP, PATH, INODE, 0).key, id)
  t.equal(other.unopened(APP, PATH, INODE, 9).key, id, 'before it can be opened too')
  t.not(one.begun(APP, PATH, INODE, 1_000_000).key, id)
  other.epoch = 'another state directory'
  t.not(other.begun(APP, PATH, INODE, 0).key, id)
  t.end()
})

t.test('an id that holds the time is not derived again: it has to be saved before anything is sent', t => {
  const { made } = lineage()
  t.notOk(made.isTimed(made.begun(APP, PATH, INODE, 0)))
  t.ok(made.isTimed(made.begun(APP, PATH, INODE, 1_000_000)), 'an inode that is used again')
  t.ok(made.isTimed(made.begun(APP, PATH, { ...INODE, birth: '0' }, 0)), 'a file system that has no time of birth')
  t.end()
})

t.test('a file is read for the backends that get its source, and for no other', t => {
  const { made } = lineage()
  t.strictSame(made.backendsOf('app'), ['main', 'second'])
  t.ok(made.wants('main', 'app'))
  t.notOk(made.wants('elsewhere', 'app'))
  const { cursors } = made.begun(APP, PATH, INODE, 0)
  t.strictSame(
    cursors.map(({ backend }) => backend),
    ['main', 'second'],
  )
  t.equal(made.readerOf('elsewhere')?.backend, 'elsewhere')
  t.equal(made.readerOf('nowhere'), undefined)
  t.end()
})

t.test('what was saved goes on at its offset, and a backend that is new begins at the start', t => {
  const { made } = lineage()
  const { cursors, key } = made.restored(APP, saved(40), INODE, 90)
  t.strictSame(
    cursors.map(({ backend, read }) => [backend, read]),
    [
      ['main', 40],
      ['second', 0],
    ],
  )
  t.equal(key, saved(40).key)
  t.end()
})

t.test('what was in flight when the process ended is lost as far as the file has become shorter', t => {
  const cursors = { main: { offset: 40, end: 70, marker: NO_MARKER } }
  const shorter = lineage()
  shorter.made.restored(APP, saved(40, { cursors }), INODE, 60)
  t.equal(shorter.lost(), 10)
  const whole = lineage()
  whole.made.restored(APP, saved(40, { cursors }), INODE, 90)
  t.equal(whole.lost(), 0, 'it is read again')
  t.end()
})

t.test('what settled beyond an offset under the configuration before is not read again', t => {
  const { made } = lineage()
  const islands = [
    { from: 10, to: 20 },
    { from: 50, to: 60 },
  ] as never
  made.islands = new Map([['key', new Map([['main', islands]])]])
  t.strictSame(made.islandsOf('key', 'main', 30), [{ from: 50, to: 60 }], 'what lies before it is settled anyhow')
  t.strictSame(made.islandsOf('key', 'second', 0), [])
  t.strictSame(made.islandsOf('another', 'main', 0), [])
  t.end()
})
