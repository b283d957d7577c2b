/** Memory for records that left their slab: what they are, and how much of them there may be. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import type { FrameRange, Slab } from '../../../src/chunk.ts'
import { frameOf, offsetOf, slabOf } from '../../../src/delivery/aside/excerpt.ts'
import { type AsideRecord, Stash, type Taken } from '../../../src/delivery/aside/stash.ts'
import { WaitGroup } from '../../../src/delivery/aside/wait-group.ts'
import { NEVER } from '../../../src/delivery/outcome/evidence.ts'
import { DELIVERED } from '../../../src/ledger.ts'
import { Arena, numbered, origin } from '../rig.ts'

const leaving = (slab: Slab, ranges = [{ from: 0, to: slab.frames }]) => ({
  ...{ slab, ranges, waitGroup: new WaitGroup(), since: NEVER, booked: false },
})

/** Gives the frames of a slab to the stash; `records`: what was taken in, if it was at once. */
function give(stash: Stash, slab: Slab, ranges?: FrameRange[]) {
  const given: { records: readonly AsideRecord[] | undefined; done: Taken } = {
    records: undefined,
    done: false,
  }
  given.done = stash.take(leaving(slab, ranges), records => {
    given.records = records
  })
  return given
}

const A = origin('/a.log')
const B = origin('/b.log')
const elsewhere = { ...origin('/c.log'), source: 'other' }
const MIB = 1024 * 1024
/** So many KiB of long lines of a file. */
const lines = (kib: number, of = A) => ({ lines: Array(kib).fill('x'.repeat(920)) as string[], origin: of })

t.test('a record is the same from an excerpt as from its slab, and settles in its own chunk', async t => {
  const line = fc.uint8Array({ maxLength: 20 }).map(bytes => Buffer.from(bytes.map(byte => (byte === 10 ? 32 : byte))))
  const property = fc.asyncProperty(
    fc.array(line, { minLength: 1, maxLength: 30 }),
    fc.infiniteStream(fc.boolean()),
    async (lines, pick) => {
      const arena = new Arena()
      const slab = arena.slab({ lines: numbered(3) }, { lines, fileStart: 1000 })
      const { length } = lines
      const stash = new Stash(arena.kernel.bytes, () => 0)
      const records = give(stash, slab, [{ from: 3, to: 3 + length }]).records!
      // The slab is gone.
      arena.budget.release(slab.extent)
      arena.kernel.bytes.fill(0x7a, slab.window, slab.window + slab.used)
      const some = records.filter((_, at) => pick.next().value || at === length - 1)
      for (const record of some) if (pick.next().value) stash.part(record)
      const again = slabOf(some, arena.kernel, arena.budget)!
      for (const [at, record] of some.entries()) {
        const chunk = again.chunks.find(({ firstFrame, frames }) => at >= firstFrame && at < firstFrame + frames)!
        const number = records.indexOf(record)
        assert.deepEqual(frameOf(record), lines[number])
        assert.deepEqual(
          Buffer.from(arena.kernel.bytes.subarray(again.startOf(chunk, at), again.endOf(at))),
          lines[number],
        )
        const offset = 1000 + lines.slice(0, number).reduce((sum, { length }) => sum + length + 1, 0)
        assert.equal(offsetOf(record), offset)
        assert.equal(again.offsetOf(chunk, at), offset)
        assert.equal(
          chunk.recordTimeNanos + BigInt(at - chunk.firstFrame),
          slab.chunks[1]!.recordTimeNanos + BigInt(number),
        )
      }
      assert.equal(arena.settledChunks.length, 0)
      for (const record of records) stash.settle(record, DELIVERED)
      const [chunk] = arena.settledChunks
      assert.equal(chunk, slab.chunks[1])
      assert.deepEqual(chunk!.outcome.delivered, { lines: length, bytes: chunk!.fileEnd - 1000 })
      assert.equal(stash.records, 0)
    },
  )
  await t.resolves(fc.assert(property))
})

t.test('beyond a mebibyte of a source what is read of its largest file waits, and others’ does not', async t => {
  const arena = new Arena(8 << 20)
  const stash = new Stash(arena.kernel.bytes, () => 0)
  const first = give(stash, arena.slab(lines(1100)))
  t.equal(first.records?.length, 1100)
  const second = give(stash, arena.slab({ lines: ['two'], origin: A }))
  const third = give(stash, arena.slab({ lines: ['three'], origin: A }))
  t.same([second.records, third.records], [undefined, undefined])
  t.equal(give(stash, arena.slab({ lines: ['one'], origin: B })).records?.length, 1, 'another file of the source')
  t.equal(give(stash, arena.slab(lines(1100, elsewhere))).records?.length, 1100, 'another source')
  t.same(
    [A, B, elsewhere].map(each => stash.withholds(each)),
    [true, false, false],
  )
  t.equal(stash.holds(A), true, 'what waits keeps its place')
  for (const record of first.records!.slice(0, -1)) stash.settle(record, DELIVERED)
  t.equal(second.records, undefined, 'an excerpt is kept until its last record is gone')
  stash.settle(first.records!.at(-1)!, DELIVERED)
  t.equal(await second.done, true)
  t.same([second.records?.length, third.records?.length], [1, 1])
  t.ok(second.records![0]!.place < third.records![0]!.place, 'in the order in which they came')
})

t.test('once the files beside the largest hold a mebibyte nothing more is read of the source', async t => {
  const arena = new Arena(16 << 20)
  const stash = new Stash(arena.kernel.bytes, () => 0)
  give(stash, arena.slab(lines(2100)))
  const files = Array.from({ length: 11 }, (_, n) => origin(`/${n}.log`))
  const taken = files.map(of => give(stash, arena.slab(lines(100, of))).records !== undefined)
  t.same(taken, [...Array(10).fill(true), true])
  t.equal(stash.withholds(origin('/new.log')), true)
  t.equal(stash.withholds(elsewhere), false)
  const late = give(stash, arena.slab({ lines: ['one'], origin: origin('/new.log') }))
  t.equal(late.records, undefined)
  t.equal(give(stash, arena.slab({ lines: ['one'], origin: elsewhere })).records?.length, 1)
})

t.test('where memory is short what waits longest is taken in, with all that waits in its slab', async t => {
  const arena = new Arena(16 << 20)
  const stash = new Stash(arena.kernel.bytes, () => 0)
  give(stash, arena.slab(lines(1100)))
  const slabs = [0, 1].map(() => arena.slab(lines(1), lines(1)))
  const waiting = slabs.flatMap(slab => [
    give(stash, slab, [{ from: 0, to: 1 }]),
    give(stash, slab, [{ from: 1, to: 2 }]),
  ])
  stash.makeRoom()
  t.same(
    waiting.map(({ records }) => records?.length),
    [1, 1, undefined, undefined],
  )
  stash.relieve(true)
  stash.relieve(false)
  t.same(
    waiting.map(({ records }) => records?.length),
    [1, 1, 1, 1],
  )
  const before = give(stash, arena.slab(lines(1)))
  stash.relieve(true)
  const after = give(stash, arena.slab(lines(1)))
  t.same([before.records?.length, after.records?.length], [1, 1], 'what comes meanwhile passes nothing of its file')
  t.ok(before.records![0]!.place < after.records![0]!.place)
})

t.test('what leaves a slab together is taken in together', async t => {
  const arena = new Arena(8 << 20)
  const stash = new Stash(arena.kernel.bytes, () => 0)
  const { lines: own } = lines(700)
  const slab = arena.slab({ lines: own }, { lines: own, fileStart: MIB }, { lines: own, fileStart: 2 * MIB })
  t.equal(give(stash, slab).records?.length, 2100)
})

t.test('waiters for room are notified when there will be none', async t => {
  const arena = new Arena(8 << 20)
  const stash = new Stash(arena.kernel.bytes, () => 0)
  give(stash, arena.slab(lines(1100)))
  const second = give(stash, arena.slab(lines(1)))
  stash.close()
  t.equal(await second.done, false)
  t.equal(await give(stash, arena.slab(lines(1))).done, false)
})

t.test('a file is withheld while much of it is here, and sent apart while bad records were found in it', async t => {
  const arena = new Arena(8 << 20)
  let now = 0
  const stash = new Stash(arena.kernel.bytes, () => now)
  const records = give(stash, arena.slab(lines(300))).records!
  const [{ lane }] = records as [AsideRecord]
  lane.add(records)
  t.same([stash.withholds(A), stash.holds(A)], [true, true])
  t.same([stash.withholds(B), stash.holds(B)], [false, false])
  t.same([stash.withholds({ ...A, generation: 'another' })], [true], 'whatever generation it is')
  lane.accepted(records)
  for (const record of records) stash.settle(record, DELIVERED)
  t.same([stash.withholds(A), stash.holds(A)], [false, false])
  lane.condemned = 3
  lane.condemnedAt = now
  t.equal(stash.holds(A), true)
  now = 31_000
  t.equal(stash.holds(A), false)
})
