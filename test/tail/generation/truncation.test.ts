/** A file whose content is gone: what was seen of it and not read is lost, what is in flight settles. */
import t from 'tap'
import { Account } from '../../../src/ledger.ts'
import { NO_HEAD, NO_MARKER } from '../../../src/tail/files/fingerprint.ts'
import { Cursor, Generation } from '../../../src/tail/generation/generation.ts'
import { Table } from '../../../src/tail/generation/table.ts'
import { Truncation } from '../../../src/tail/generation/truncation.ts'
import { Journal } from '../rig.ts'

/** A file of a hundred bytes that each backend has read so far. */
function read(offsets: Readonly<Record<string, number>>) {
  const cursors = Object.entries(offsets).map(
    ([backend, offset]) => new Cursor(backend, new Account(), { offset, marker: NO_MARKER }, () => {}),
  )
  const origin = { source: 'app', path: '/logs/app.log', generation: 'a', labels: {} }
  const generation = new Generation(origin, { dev: '1', ino: '1', birth: '1' }, NO_HEAD, 100, cursors, 'a', 1n)
  const [journal, table] = [new Journal(), new Table()]
  const lost = () => cursors.map(({ account }) => account.statement().lostBytes)
  return { generation, journal, table, truncation: new Truncation(table, journal), lost }
}

t.test('each backend lost what it had not read, and the log names the most of them once', t => {
  const { generation, journal, truncation, lost } = read({ fast: 100, slow: 30, dead: 0 })
  truncation.lost('/logs/app.log', generation)
  t.strictSame(lost(), [0, 70, 100])
  t.match(journal.said, [{ level: 'error', fields: { event: 'data_lost', cause: 'truncated', bytes: 100 } }])
  t.equal(journal.said.length, 1)
  t.end()
})

t.test('of a file that every backend has read nothing is lost, and nothing is said', t => {
  const { generation, journal, truncation, lost } = read({ main: 100 })
  truncation.lost('/logs/app.log', generation)
  t.strictSame(lost(), [0])
  t.strictSame(journal.said, [])
  t.end()
})

t.test('more that was read than was seen takes nothing off', t => {
  const { generation, truncation, lost } = read({ main: 120 })
  truncation.lost('/logs/app.log', generation)
  t.strictSame(lost(), [0])
  t.end()
})
