import t from 'tap'
import { Buckets } from '../../../src/process/select/limits.ts'
import { ORIGIN, Rig } from './rig.ts'

const SECOND = 1_000_000_000n
const drop = { bytes: undefined, records: 10, per: 'file', over: 'drop' } as const
const lines = (count: number, more: object = {}) =>
  Array.from({ length: count }, (_, n) => ({ text: `line ${n}`, ...more }))
const other = { ...ORIGIN, path: '/logs/other.log' }

/** How many of these lines pass. */
function passed(rig: Rig, ...parts: Parameters<Rig['slab']>): number {
  const slab = rig.slab(...parts)
  rig.selector.apply(slab, 0)
  const kept = slab.frames
  rig.budget.release(slab.extent)
  return kept
}

t.test('what is over the limit of a second is dropped and counted', t => {
  const rig = new Rig({ limit: drop })
  t.equal(passed(rig, { lines: lines(25), readAt: 5000 }), 10)
  t.equal(passed(rig, { lines: lines(25), readAt: 5000 }), 0)
  t.equal(passed(rig, { lines: lines(25), readAt: 5300 }), 3)
  t.equal(passed(rig, { lines: lines(25), readAt: 60_000 }), 10, 'what was not used is not saved up')
  t.match(rig.outcome.dropped, { limit: { lines: 25 } })
  t.end()
})

t.test('bytes are limited too, and a record that is larger than the limit passes once the bucket is full', t => {
  const rig = new Rig({ limit: { bytes: 1024, records: 0, per: 'file', over: 'drop' } })
  const large = [{ text: 'x'.repeat(5000) }]
  t.equal(passed(rig, { lines: large, readAt: 1000 }), 1)
  t.equal(passed(rig, { lines: large, readAt: 2000 }), 0)
  t.equal(passed(rig, { lines: large, readAt: 4000 }), 0)
  t.equal(passed(rig, { lines: large, readAt: 6000 }), 1)
  t.end()
})

t.test('a limit is for each file, or for a source', t => {
  const both = [{ lines: lines(20) }, { lines: lines(20), origin: other }]
  t.equal(passed(new Rig({ limit: drop }), ...both), 20)
  t.equal(passed(new Rig({ limit: { ...drop, per: 'source' } }), ...both), 10)
  t.end()
})

t.test('a clock that was set back is followed', t => {
  const rig = new Rig({ limit: drop })
  t.equal(passed(rig, { lines: lines(20), readAt: 9_000_000 }), 10)
  t.equal(passed(rig, { lines: lines(20), readAt: 1_000_000 }), 0)
  t.equal(passed(rig, { lines: lines(20), readAt: 1_000_500 }), 5)
  t.end()
})

t.test('what waits is counted by what is kept, and until the bucket has something in it', t => {
  const rig = new Rig({ filter: { drop: 'never' }, limit: { ...drop, over: 'wait' } })
  rig.now = 5000
  t.equal(rig.selector.waitOf(ORIGIN), 0)
  t.equal(passed(rig, { lines: [...lines(30), ...lines(30, { text: 'never' })] }), 30, 'nothing is dropped')
  const wait = rig.selector.waitOf(ORIGIN)
  t.ok(wait > 2000 && wait <= 2100, `${wait}`)
  t.equal(rig.selector.waitOf(other), 0)
  rig.now += wait
  t.equal(rig.selector.waitOf(ORIGIN), 0)
  rig.now -= 1
  t.not(rig.selector.waitOf(ORIGIN), 0)
  rig.selector.lift()
  t.equal(rig.selector.waitOf(ORIGIN), 0)
  t.end()
})

t.test('buckets that are full again are forgotten', t => {
  const buckets = new Buckets({ ...drop, bytes: 0 })
  const first = buckets.of(ORIGIN, 0)
  first.records = -100_000
  for (let n = 0; n < 10_000; n++) buckets.of({ ...ORIGIN, path: `/logs/${n}` }, 10 * n).filledAt = 10 * n
  t.equal(buckets.of(ORIGIN, 0), first, 'one that owes is kept')
  t.not(buckets.of({ ...ORIGIN, path: '/logs/1' }, 100_000).filledAt, 10)
  t.end()
})
t.test('records with times of their own are measured by those: what was slow when it was written passes', t => {
  const rig = new Rig({ limit: drop })
  const slab = rig.slab({ lines: lines(60).map((line, n) => ({ ...line, time: BigInt(n) * SECOND })), readAt: 99_000 })
  for (const chunk of slab.chunks) {
    const none = { message: undefined, level: undefined, traceId: undefined, spanId: undefined }
    chunk.shape = { slots: [], ...none, timed: true, levelled: false }
  }
  t.equal(rig.selector.apply(slab, 0), false)
  t.equal(slab.frames, 60)
  t.end()
})
