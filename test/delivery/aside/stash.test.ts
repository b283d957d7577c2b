/** Memory for records that left their slab: what they are, and how much of them there may be. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { frameOf, offsetOf, slabOf } from '../../../src/delivery/aside/excerpt.ts'
import { Stash } from '../../../src/delivery/aside/stash.ts'
import { WaitGroup } from '../../../src/delivery/aside/wait-group.ts'
import { NEVER } from '../../../src/delivery/outcome/evidence.ts'
import { DELIVERED } from '../../../src/ledger.ts'
import { Arena, numbered, origin } from '../rig.ts'

const leaving = (slab: ReturnType<Arena['slab']>, ranges = [{ from: 0, to: slab.frames }]) => ({
  ...{ slab, ranges, waitGroup: new WaitGroup(), since: NEVER, booked: false },
})

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
      const records = (await stash.take(leaving(slab, [{ from: 3, to: 3 + length }])))!
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

t.test('beyond a mebibyte nothing more is taken in until something has settled', async t => {
  const arena = new Arena(8 << 20)
  const stash = new Stash(arena.kernel.bytes, () => 0)
  const large = { lines: Array(1100).fill('x'.repeat(1000)) as string[] }
  const first = (await stash.take(leaving(arena.slab(large))))!
  t.equal(stash.full, true)
  let taken = false
  const second = stash.take(leaving(arena.slab({ lines: ['one'] })))
  void second.then(() => {
    taken = true
  })
  for (const record of first.slice(0, -1)) stash.settle(record, DELIVERED)
  await new Promise(setImmediate)
  t.equal(taken, false, 'an excerpt is kept until its last record is gone')
  stash.settle(first.at(-1)!, DELIVERED)
  t.equal((await second)?.length, 1)
})

t.test(
  'what leaves a slab together is taken in together, for none of it can be sent before all of it is here',
  async t => {
    const arena = new Arena(8 << 20)
    const stash = new Stash(arena.kernel.bytes, () => 0)
    const lines = Array(700).fill('x'.repeat(1000)) as string[]
    const slab = arena.slab({ lines }, { lines, fileStart: 1_000_000 }, { lines, fileStart: 2_000_000 })
    const taken = await Promise.race([
      stash.take(leaving(slab)),
      new Promise<undefined>(resolve => setImmediate(() => resolve(undefined))),
    ])
    t.equal(taken?.length, 2100)
    t.equal(stash.full, true)
  },
)

t.test('waiters for room are notified when there will be none', async t => {
  const arena = new Arena(8 << 20)
  const stash = new Stash(arena.kernel.bytes, () => 0)
  await stash.take(leaving(arena.slab({ lines: Array(1100).fill('x'.repeat(1000)) as string[] })))
  const second = stash.take(leaving(arena.slab({ lines: ['one'] })))
  stash.close()
  t.equal(await second, undefined)
})

t.test('a file is withheld while much of it is here, and sent apart while bad records were found in it', async t => {
  const arena = new Arena(8 << 20)
  let now = 0
  const stash = new Stash(arena.kernel.bytes, () => now)
  const [a, b] = [origin('/a.log'), origin('/b.log')]
  const records = (await stash.take(
    leaving(arena.slab({ lines: Array(300).fill('x'.repeat(1000)) as string[], origin: a })),
  ))!
  const [{ lane }] = records as [(typeof records)[0]]
  lane.add(records)
  t.same([stash.withholds(a), stash.holds(a)], [true, true])
  t.same([stash.withholds(b), stash.holds(b)], [false, false])
  t.same([stash.withholds({ ...a, generation: 'another' })], [true], 'whatever generation it is')
  lane.accepted(records)
  for (const record of records) stash.settle(record, DELIVERED)
  t.same([stash.withholds(a), stash.holds(a)], [false, false])
  lane.condemned = 3
  lane.condemnedAt = now
  t.equal(stash.holds(a), true)
  now = 31_000
  t.equal(stash.holds(a), false)
})
