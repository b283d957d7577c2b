import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import type { Chunk } from '../../../src/chunk.ts'
import { Account, book, DELIVERED, type Outcome, total } from '../../../src/ledger.ts'
import { NO_HEAD, NO_MARKER } from '../../../src/tail/files/fingerprint.ts'
import { Cursor, Generation } from '../../../src/tail/generation/generation.ts'
import { chunkIn } from './chunks.ts'

const origin = { source: 'app', path: '/logs/app.log', generation: '0'.repeat(16), labels: {} }

const chunkOf = (cursor: Cursor, fileStart: number, bytes: number, frames = 1): Chunk =>
  chunkIn(origin, cursor, fileStart, fileStart + bytes, frames)

function conclude(chunk: Chunk, outcome: Outcome): void {
  book(chunk.outcome, outcome, chunk.frames, chunk.fileEnd - chunk.fileStart)
}

const outcome = fc.constantFrom<Outcome>(
  DELIVERED,
  { kind: 'rejected', reason: '400' },
  { kind: 'dropped', reason: 'policy' },
)

t.test('in whatever order chunks settle, only the contiguous settled prefix is committed', t => {
  const piece = fc.record({
    bytes: fc.integer({ min: 1, max: 5000 }),
    hole: fc.boolean(),
    rank: fc.double({ noNaN: true }),
    outcome,
  })
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 20 }), pieces => {
      const account = new Account()
      const cursor = new Cursor('main', account, { offset: 0, marker: NO_MARKER }, () => {})
      const ends: number[] = []
      const done: boolean[] = []
      const chunks = pieces.map(({ bytes, hole, outcome }, index) => {
        const start = cursor.read
        ends.push(start + bytes)
        done.push(hole)
        if (hole) {
          cursor.skipped(bytes, { length: 1, crc: index })
          return undefined
        }
        const chunk = chunkOf(cursor, start, bytes)
        cursor.took(chunk, { length: 1, crc: index })
        conclude(chunk, outcome)
        return chunk
      })
      const check = (): void => {
        const open = done.indexOf(false)
        const prefix = open < 0 ? done.length : open
        const { offset, marker } = cursor.committed
        assert.equal(offset, prefix === 0 ? 0 : ends[prefix - 1])
        assert.equal(marker.crc, prefix === 0 ? 0 : prefix - 1, 'the marker belongs to the offset')
        assert.ok(offset <= cursor.read)
        assert.equal(cursor.idle, prefix === done.length)
        const { read, inFlight, delivered, rejected, dropped } = account.statement()
        const sum = [delivered, ...Object.values(rejected), ...Object.values(dropped)].reduce(
          (all, { bytes }) => all + bytes,
          0,
        )
        assert.equal(read.bytes, sum + inFlight.bytes)
        assert.equal(read.bytes, cursor.read)
        const saved = account.committed
        const committed = [saved.delivered, ...Object.values(saved.rejected), ...Object.values(saved.dropped)]
        assert.equal(
          committed.reduce((all, { bytes }) => all + bytes, 0),
          offset,
          'what is saved of the ledger is what lies before the offset',
        )
      }
      check()
      const order = [...pieces.keys()].filter(index => chunks[index]).sort((a, b) => pieces[a]!.rank - pieces[b]!.rank)
      for (const index of order) {
        cursor.settled(chunks[index]!)
        done[index] = true
        check()
      }
      assert.equal(cursor.committed.offset, cursor.read)
    }),
  )
  t.end()
})

t.test('a chunk that settles twice, or does not follow the last one, is a bug', t => {
  const cursor = new Cursor('main', new Account(), { offset: 10, marker: NO_MARKER }, () => {})
  t.throws(() => cursor.took(chunkOf(cursor, 0, 5), NO_MARKER), { code: 'ERR_INVARIANT' })
  t.throws(() => cursor.took(chunkOf(cursor, 10, 0), NO_MARKER), { code: 'ERR_INVARIANT' })
  const chunk = chunkOf(cursor, 10, 5)
  const other = chunkOf(cursor, 15, 5)
  cursor.took(chunk, NO_MARKER)
  cursor.took(other, NO_MARKER)
  cursor.settled(other)
  t.throws(() => cursor.settled(other), { code: 'ERR_INVARIANT' })
  cursor.settled(chunk)
  t.throws(() => cursor.settled(chunk), { code: 'ERR_INVARIANT' })
  t.end()
})

t.test('what settles behind a chunk that does not is kept in one piece, however much it is', t => {
  const account = new Account()
  const cursor = new Cursor('main', account, { offset: 0, marker: NO_MARKER }, () => {})
  const held = chunkOf(cursor, 0, 10)
  cursor.took(held, NO_MARKER)
  for (let at = 0; at < 1000; at++) {
    const chunk = chunkOf(cursor, cursor.read, 10, 2)
    cursor.took(chunk, { length: 10, crc: at })
    conclude(chunk, DELIVERED)
    cursor.settled(chunk)
    if (at % 100 === 0) cursor.skipped(5, { length: 5, crc: at })
  }
  const end = 10 + 1000 * 10 + 10 * 5
  t.match(cursor.islands(), [{ from: 10, to: end, outcome: { delivered: { lines: 2000, bytes: 10_000 } } }])
  t.equal(cursor.committed.offset, 0)
  t.equal(cursor.idle, false)
  conclude(held, { kind: 'rejected', reason: '400' })
  cursor.settled(held)
  t.strictSame(cursor.committed, { offset: end, marker: { length: 10, crc: 999 } })
  t.match(account.committed, {
    delivered: { lines: 2000, bytes: 10_000 },
    rejected: { 400: { lines: 1, bytes: 10 } },
    dropped: { padding: { bytes: 50 } },
  })
  t.equal(cursor.idle, true)
  t.end()
})

t.test('a generation is done when every cursor has read it and nothing is in flight', t => {
  const [fast, slow] = ['fast', 'slow'].map(
    name => new Cursor(name, new Account(), { offset: 0, marker: NO_MARKER }, () => {}),
  )
  const inode = { dev: '1', ino: '2', birth: '3' }
  const generation = new Generation(origin, inode, NO_HEAD, 5, [fast!, slow!])
  const chunks = [fast!, slow!].map(cursor => {
    const chunk = chunkOf(cursor, 0, 5)
    cursor.took(chunk, { length: 5, crc: 7 })
    return chunk
  })
  t.equal(generation.doneAt(5), false)
  fast!.settled(chunks[0]!)
  t.equal(generation.doneAt(5), false)
  t.equal(generation.idle, false)
  t.strictSame(generation.save('/logs/app.log.1').cursors, {
    fast: { offset: 5, marker: { length: 5, crc: 7 } },
    slow: { offset: 0, marker: NO_MARKER },
  })
  slow!.settled(chunks[1]!)
  t.equal(generation.doneAt(5), true)
  t.equal(generation.doneAt(6), false)
  t.end()
})

t.test('a cursor that succeeds another one passes over what has settled, and commits it in its turn', t => {
  const before = new Account()
  const first = new Cursor('main', before, { offset: 0, marker: NO_MARKER }, () => {})
  const chunks = [0, 1, 2, 3].map(at => {
    const chunk = chunkOf(first, at * 100, 100)
    first.took(chunk, NO_MARKER)
    return chunk
  })
  for (const at of [0, 2]) {
    conclude(chunks[at]!, DELIVERED)
    first.settled(chunks[at]!)
  }
  const islands = first.islands()
  t.match(islands, [{ from: 200, to: 300, outcome: { delivered: { lines: 1, bytes: 100 } } }])
  const after = new Account(before.committed)
  const { lines, bytes } = total(islands[0]!.outcome)
  after.read(lines, bytes)
  after.settle(islands[0]!.outcome)
  const second = new Cursor('main', after, first.committed, () => {}, islands)
  t.equal(second.read, 100)
  t.equal(second.island?.from, 200)
  t.throws(() => second.passed(NO_MARKER), { code: 'ERR_INVARIANT' }, 'only where it begins')
  const again = new Cursor('main', after, first.committed, () => {}, islands)
  const gap = chunkOf(again, 100, 100)
  again.took(gap, NO_MARKER)
  again.passed({ length: 1, crc: 7 })
  t.equal(again.read, 300)
  t.equal(again.island, undefined)
  t.equal(again.committed.offset, 100)
  t.match(again.islands(), [{ from: 200, to: 300 }], 'a third one would pass over it too')
  conclude(gap, DELIVERED)
  again.settled(gap)
  t.strictSame(again.committed, { offset: 300, marker: { length: 1, crc: 7 } })
  t.match(after.statement(), { delivered: { lines: 3, bytes: 300 }, inFlight: { lines: 0, bytes: 0 } })
  t.strictSame(after.committed.delivered, { lines: 3, bytes: 300 })
  t.end()
})
