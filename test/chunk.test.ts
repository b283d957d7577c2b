import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { Budget, PAGE } from '../src/budget.ts'
import { type Chunk, layoutFor, layoutIn, layoutOf, Slab } from '../src/chunk.ts'
import { Kernel } from '../src/kernel/kernel.ts'
import { DELIVERED, type Outcome, sum } from '../src/ledger.ts'

const MAX_FRAMES = 256
const kernel = Kernel.create(1 << 20)
const budget = new Budget(kernel.arena, kernel.arenaBytes)
const origin = { source: 'app', path: '/logs/app.log', generation: '0'.repeat(16), labels: {} }

const PLAIN = { readAt: 0, cutFrom: 0, partial: false }

/** A slab with one chunk per list of lengths; `fileEnd` lies `more` bytes behind what is in memory (a line that was cut). */
function slabOf(runs: readonly { lengths: readonly number[]; more?: number; at?: number }[]) {
  const slab = Slab.take(kernel.memory.buffer, budget, layoutOf(MAX_FRAMES, 200_000))!
  const told: Chunk[] = []
  for (const { lengths, more = 0, at = 1000 } of runs) {
    const start = slab.window + slab.used
    for (const [index, length] of lengths.entries()) {
      slab.setEnd(slab.frames + index, slab.window + slab.used + length)
      slab.used += length + 1
    }
    slab.add({
      owner: { settled: chunk => told.push(chunk) },
      origin,
      start,
      fileStart: at,
      fileEnd: at + slab.window + slab.used - start + more,
      firstFrame: slab.frames,
      frames: lengths.length,
      ...PLAIN,
    })
  }
  return { slab, told, close: () => budget.release(slab.extent) }
}

t.test('frames lie behind one another, and their offsets in the file follow', t => {
  const { slab, close } = slabOf([{ lengths: [3, 0, 5] }, { lengths: [2], at: 7 }])
  const [first, second] = slab.chunks
  t.strictSame(
    [0, 1, 2].map(frame => slab.offsetOf(first!, frame)),
    [1000, 1004, 1005],
  )
  t.strictSame([slab.startOf(second!, 3), slab.endOf(3)], [slab.window + 11, slab.window + 13])
  t.equal(slab.offsetOf(second!, 3), 7)
  t.equal(slab.footprint, 4 * MAX_FRAMES + 14)
  close()
  t.end()
})

t.test('frames that were decoded lie in the file where their column says', t => {
  const slab = new Slab(kernel.memory.buffer, budget.grant(4 * MAX_FRAMES + 10_000)!, MAX_FRAMES)
  const table = slab.window + 8000
  new Uint32Array(kernel.memory.buffer, table, 3).set([0, 8, 20])
  for (const [frame, end] of [4, 10, 12].entries()) slab.setEnd(frame, slab.window + end)
  const told: Chunk[] = []
  const chunk = slab.add({
    owner: { settled: one => told.push(one) },
    origin,
    start: slab.window,
    fileStart: 1000,
    fileEnd: 1024,
    offsets: { table, base: 1000 },
    firstFrame: 0,
    frames: 3,
    readAt: 0,
    cutFrom: 0,
    partial: false,
  })
  t.strictSame(
    [0, 1, 2].map(frame => slab.offsetOf(chunk, frame)),
    [1000, 1008, 1020],
  )
  slab.settle(1, 2, { kind: 'dropped', reason: 'policy' })
  t.match(chunk.islands, [{ from: 1008, to: 1020 }])
  slab.settle(0, 1, DELIVERED)
  slab.settle(2, 3, DELIVERED)
  t.strictSame(
    [told.length, chunk.outcome.delivered, chunk.outcome.dropped['policy']],
    [1, { lines: 2, bytes: 12 }, { lines: 1, bytes: 12 }],
  )
  budget.release(slab.extent)
  t.end()
})

t.test('a chunk behind a cut line begins where its frames are, not where the table would have it', t => {
  const { slab, close } = slabOf([{ lengths: [5], more: 90 }])
  slab.used += 90
  const start = slab.window + slab.used
  slab.setEnd(1, start + 4)
  const fields = { owner: { settled: () => {} }, origin, fileStart: 1096, fileEnd: 1101, readAt: 0, cutFrom: 0 }
  const chunk = slab.add({ ...fields, start, firstFrame: 1, frames: 1, partial: false })
  t.equal(slab.startOf(chunk, 1), start)
  t.equal(slab.offsetOf(chunk, 1), 1096)
  close()
  t.end()
})

const outcomes = fc.constantFrom<Outcome>(
  DELIVERED,
  { kind: 'rejected', reason: '400' },
  { kind: 'dropped', reason: 'policy' },
)

t.test('in whatever pieces a slab settles, every chunk tells its owner once and its bytes add up', t => {
  const run = fc.record({
    lengths: fc.array(fc.nat({ max: 300 }), { minLength: 1, maxLength: 12 }),
    more: fc.nat({ max: 50 }),
    at: fc.nat({ max: 2 ** 40 }),
  })
  const cuts = fc.array(
    fc.record({ at: fc.nat({ max: MAX_FRAMES }), outcome: outcomes, rank: fc.double({ noNaN: true }) }),
    {
      maxLength: 12,
    },
  )
  fc.assert(
    fc.property(fc.array(run, { minLength: 1, maxLength: 8 }), cuts, (runs, cuts) => {
      const { slab, told, close } = slabOf(runs)
      try {
        const bounds = [...new Set([0, ...cuts.map(({ at }) => at % slab.frames), slab.frames])].sort((a, b) => a - b)
        const pieces = bounds.slice(1).map((to, at) => ({
          from: bounds[at]!,
          to,
          outcome: cuts[at]?.outcome ?? DELIVERED,
          rank: cuts[at]?.rank ?? 0,
        }))
        for (const { from, to, outcome } of pieces.sort((a, b) => a.rank - b.rank)) slab.settle(from, to, outcome)
        assert.equal(told.length, slab.chunks.length)
        assert.deepEqual(new Set(told), new Set(slab.chunks))
        for (const { outcome, frames, fileStart, fileEnd, unsettled } of slab.chunks) {
          const [rejected, dropped] = [sum(outcome.rejected), sum(outcome.dropped)]
          assert.equal(outcome.delivered.bytes + rejected.bytes + dropped.bytes, fileEnd - fileStart)
          assert.equal(outcome.delivered.lines + rejected.lines + dropped.lines, frames)
          assert.equal(unsettled, 0)
        }
        assert.throws(() => slab.settle(0, 1, DELIVERED), { code: 'ERR_INVARIANT' })
      } finally {
        close()
      }
    }),
  )
  t.end()
})

t.test('lines that were not read stand in a slab as if they had been', t => {
  const told: Chunk[] = []
  const fields = { owner: { settled: (chunk: Chunk) => told.push(chunk) }, origin, ...PLAIN }
  const lines = ['one', ''].map(line => Buffer.from(line))
  const slab = Slab.holding(kernel.memory.buffer, budget, [
    { ...fields, lines, fileStart: 70 },
    { ...fields, lines: [Buffer.from('no end')], fileStart: 9, partial: true },
  ])!
  const [first, last] = slab.chunks as [Chunk, Chunk]
  t.match(first, { firstFrame: 0, frames: 2, fileStart: 70, fileEnd: 75, unsettled: 2 })
  t.match(last, { firstFrame: 2, frames: 1, fileStart: 9, fileEnd: 15, partial: true })
  t.equal(kernel.bytes.toString('latin1', slab.window, slab.window + slab.used), 'one\n\nno end')
  t.equal(kernel.bytes.toString('latin1', slab.startOf(last, 2), slab.endOf(2)), 'no end')
  t.equal(slab.maxFrames, 3, 'it has room for no others')
  slab.settle(0, 3, DELIVERED)
  t.equal(told.length, 2)
  budget.release(slab.extent)
  const rest = budget.grant(budget.total)!
  t.equal(Slab.holding(kernel.memory.buffer, budget, [{ ...fields, lines, fileStart: 0 }]), undefined, 'no place now')
  budget.release(rest)
  t.end()
})

t.test(
  'a layout has the window that was asked for, no more rows than wanted, and its table takes a third at most',
  t => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 64 << 20 }),
        fc.integer({ min: 1, max: 1_000_000 }),
        (window, maxFrames) => {
          const { frames, bytes, window: got } = layoutFor(window, maxFrames)
          assert.ok(got >= window && frames >= 1 && frames <= maxFrames)
          assert.equal(bytes % PAGE, 0)
          assert.ok(4 * frames <= bytes / 3)
          assert.ok(frames >= Math.min(maxFrames, Math.floor(window / 8)), 'rows for any lines but the shortest')
          assert.deepEqual(
            layoutIn(bytes, maxFrames),
            { frames, row: 0, bytes, window: got },
            'its extent tells the layout',
          )
          const exact = layoutOf(maxFrames, window)
          assert.ok(exact.frames === maxFrames && exact.window >= window)
        },
      ),
    )
    t.end()
  },
)

t.test('a chunk without frames, or out of turn, is a bug', t => {
  const { slab, close } = slabOf([{ lengths: [3] }])
  const fields = { ...slab.chunks[0]!, firstFrame: 1 }
  t.throws(() => slab.add({ ...fields, frames: 0 }), { code: 'ERR_INVARIANT' })
  t.throws(() => slab.add({ ...fields, firstFrame: 0 }), { code: 'ERR_INVARIANT' })
  t.throws(() => new Slab(kernel.memory.buffer, slab.extent, slab.extent.bytes / 4), { code: 'ERR_INVARIANT' })
  close()
  t.end()
})

t.test('of a chunk that has not settled wholly, the islands are what has', t => {
  const order = fc.uniqueArray(fc.integer({ min: 0, max: 19 }), { maxLength: 19 })
  fc.assert(
    fc.property(order, settledFrames => {
      const lengths = Array.from({ length: 20 }, (_, frame) => frame % 5)
      const { slab, close } = slabOf([{ lengths }])
      const [chunk] = slab.chunks
      for (const frame of settledFrames) slab.settle(frame, frame + 1, DELIVERED)
      const starts = lengths.map((_, frame) => slab.offsetOf(chunk!, frame))
      const within = starts.flatMap((start, frame) =>
        chunk!.islands.some(({ from, to }) => from <= start && start < to) ? [frame] : [],
      )
      assert.deepEqual(
        within,
        settledFrames.toSorted((a, b) => a - b),
      )
      const lines = chunk!.islands.reduce((all, { outcome }) => all + outcome.delivered.lines, 0)
      const bytes = chunk!.islands.reduce((all, { outcome }) => all + outcome.delivered.bytes, 0)
      assert.deepEqual({ lines, bytes }, chunk!.outcome.delivered)
      for (const { from, to, outcome } of chunk!.islands) assert.equal(to - from, outcome.delivered.bytes)
      close()
    }),
  )
  t.end()
})
