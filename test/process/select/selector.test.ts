import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { type Chunk, Slab } from '../../../src/chunk.ts'
import { DELIVERED, type Outcome, sum, total } from '../../../src/ledger.ts'
import { Tap, TapInlet, type TappedRecord } from '../../../src/tap.ts'
import { ORIGIN, Rig, ROW } from './rig.ts'

/** What becomes of a line is its first letter: k is kept, others are dropped by the rule of that name. */
const FILTER = { rules: { a: { drop: { matching: '^a' } }, b: { drop: { matching: '^b' } } } }
const verdicts = fc.array(fc.constantFrom('k', 'a', 'b'), { minLength: 1, maxLength: 40 })
const lineOf = (verdict: string, index: number) => ({ text: `${verdict}${'.'.repeat((7 * index) % 11)}${index}` })

const outcomes = fc.constantFrom<Outcome>(DELIVERED, { kind: 'rejected', reason: '400' })

t.test('whatever is dropped, what is kept stands where it stood in its file, and the books add up', t => {
  const chunks = fc.array(verdicts, { minLength: 1, maxLength: 6 })
  const cuts = fc.array(fc.record({ at: fc.nat(), outcome: outcomes, rank: fc.nat() }), { maxLength: 8 })
  const rig = new Rig({ filter: FILTER })
  fc.assert(
    fc.property(chunks, cuts, fc.nat({ max: 3 }), (runs, cuts, before) => {
      rig.settled.length = 0
      const parts = runs.map((run, index) => ({ lines: run.map(lineOf), fileStart: 1000 * index }))
      const slab = rig.slab(...parts)
      const all = [...slab.chunks]
      const first = Math.min(before, runs.length - 1)
      rig.selector.apply(slab, first)
      // What was there before is not looked at once more.
      const wanted = parts.flatMap(({ lines, fileStart }, index) => {
        let offset = fileStart
        return lines.flatMap(({ text }) => {
          const at = offset
          offset += text.length + 1
          return index < first || text.startsWith('k') ? [{ text, offset: at, flags: 0, repeated: 0 }] : []
        })
      })
      assert.deepEqual(rig.kept(slab), wanted)
      assert.equal(slab.frames, wanted.length)
      const alone = all.filter(chunk => !slab.chunks.includes(chunk))
      assert.deepEqual(rig.settled, alone, 'what is dropped wholly has settled')
      const bounds = [...new Set([0, ...cuts.map(({ at }) => at % (slab.frames + 1)), slab.frames])].sort(
        (a, b) => a - b,
      )
      const pieces = bounds
        .slice(1)
        .map((to, index) => ({ from: bounds[index]!, to, ...cuts[index % cuts.length || 0] }))
      for (const { from, to, outcome = DELIVERED } of pieces.sort((a, b) => (a.rank ?? 0) - (b.rank ?? 0))) {
        slab.settle(from, to, outcome)
        for (const chunk of slab.chunks) islandsHold(chunk)
      }
      assert.equal(rig.settled.length, all.length)
      for (const [index, chunk] of all.entries()) {
        const { lines } = parts[index]!
        assert.deepEqual(total(chunk.outcome), { lines: lines.length, bytes: chunk.fileEnd - chunk.fileStart })
        for (const reason of ['a', 'b']) {
          const dropped = index < first ? [] : lines.filter(({ text }) => text.startsWith(reason))
          const bytes = dropped.reduce((all, { text }) => all + text.length + 1, 0)
          const { lines: n, bytes: size } = chunk.outcome.dropped[`filter:${reason}`] ?? { lines: 0, bytes: 0 }
          assert.deepEqual([n, size], [dropped.length, bytes])
        }
      }
      if (slab.frames > 0) assert.throws(() => slab.settle(0, 1, DELIVERED), { code: 'ERR_INVARIANT' })
      rig.budget.release(slab.extent)
    }),
    { numRuns: 400 },
  )
  t.end()
})

/** An island says of each of its bytes what became of it, and none of them overlap. */
function islandsHold(chunk: Chunk): void {
  if (chunk.unsettled === 0) return
  const islands = chunk.islands.toSorted((a, b) => a.from - b.from)
  let end = chunk.fileStart
  for (const { from, to, outcome } of islands) {
    assert.ok(from >= end && to > from && to <= chunk.fileEnd)
    assert.equal(total(outcome).bytes, to - from)
    end = to
  }
  const settled = islands.reduce((all, { outcome }) => all + outcome.delivered.lines + sum(outcome.rejected).lines, 0)
  assert.equal(settled, chunk.frames - chunk.unsettled)
}

t.test('frames that were decoded keep the offsets of their column', t => {
  const rig = new Rig({ filter: FILTER })
  const { kernel, budget } = rig
  const verdict = fc.array(fc.tuple(fc.constantFrom('k', 'a', 'b'), fc.integer({ min: 2, max: 9 })), {
    minLength: 2,
    maxLength: 30,
  })
  fc.assert(
    fc.property(verdict, fc.nat({ max: 50 }), (lines, begun) => {
      const slab = Slab.within(kernel.memory.buffer, budget.grant(1 << 16)!, 256, ROW)
      const owner = { settled: () => {} }
      let at = slab.window
      let offset = begun
      const offsets: number[] = []
      for (const [frame, [text, bytes]] of lines.entries()) {
        kernel.bytes.write(text, at, 'latin1')
        at += text.length
        slab.setEnd(frame, at)
        at++
        offsets.push(offset)
        offset += bytes
      }
      const table = Math.ceil(at / 4) * 4
      for (const [index, from] of offsets.entries()) kernel.bytes.writeUInt32LE(from, table + 4 * index)
      slab.used = table + 4 * (lines.length + 1) - slab.window
      const fileEnd = 5000 + offset
      const fields = { owner, origin: ORIGIN, start: slab.window, fileStart: 5000 + begun, fileEnd, readAt: 0 }
      const chunk = slab.add({
        ...{ ...fields, offsets: { table, base: 5000 }, firstFrame: 0, frames: lines.length },
        ...{ cutFrom: 0, partial: false },
      })
      rig.selector.apply(slab, 0)
      const wanted = lines.flatMap(([text], index) => (text === 'k' ? [5000 + offsets[index]!] : []))
      assert.deepEqual(
        rig.kept(slab).map(({ offset }) => offset),
        wanted,
      )
      if (slab.frames > 0) slab.settle(0, slab.frames, DELIVERED)
      assert.deepEqual(total(chunk.outcome), { lines: lines.length, bytes: fileEnd - fields.fileStart })
      const kept = lines.reduce((all, [text, bytes]) => all + (text === 'k' ? bytes : 0), 0)
      assert.equal(chunk.outcome.delivered.bytes, kept)
      budget.release(slab.extent)
    }),
  )
  t.end()
})

t.test('where nothing is dropped nothing moves, and offsets stay one subtraction apart', t => {
  const rig = new Rig({ filter: FILTER })
  const slab = rig.slab({ lines: ['k1', 'k2'].map(text => ({ text })) }, { lines: [{ text: 'k3' }], fileStart: 90 })
  const before = slab.chunks.map(({ start, firstFrame }) => [start, firstFrame])
  t.equal(rig.selector.apply(slab, 0), false)
  t.strictSame(
    slab.chunks.map(({ start, firstFrame, offsets, gaps }) => [start, firstFrame, offsets, gaps]),
    before.map(places => [...places, undefined, undefined]),
  )
  t.end()
})

t.test('of a slab of which all is dropped nothing is left', t => {
  const rig = new Rig({ filter: FILTER })
  const slab = rig.slab({ lines: ['a', 'b', 'a'].map(text => ({ text })) }, { lines: [{ text: 'b' }] })
  t.equal(rig.selector.apply(slab, 0), true)
  t.strictSame([slab.frames, slab.used, slab.chunks, rig.settled.length], [0, 0, [], 2])
  t.strictSame(rig.outcome.dropped, { 'filter:a': { lines: 2, bytes: 4 }, 'filter:b': { lines: 2, bytes: 4 } })
  t.end()
})

t.test('records that alternate between kept and dropped cost 16 bytes a gap, and no object', t => {
  const held = (n: number) => {
    const rig = new Rig({ filter: FILTER })
    const slab = rig.slab({ lines: Array.from({ length: n }, (_, index) => ({ text: index % 2 ? 'k' : 'a' })) })
    rig.selector.apply(slab, 0)
    const [chunk] = slab.chunks
    // Payloads of a hundred records, each accepted but for the first, which is still under way.
    for (let from = 100; from < slab.frames; from += 100)
      slab.settle(from, Math.min(from + 100, slab.frames), DELIVERED)
    const { rows, reasons } = chunk!.gaps!
    return {
      bytes: rows.byteLength,
      reasons: reasons.length,
      islands: chunk!.islands.length,
      chunks: slab.chunks.length,
    }
  }
  const [few, many] = [held(5000), held(20_000)]
  t.strictSame(few, { bytes: 16 * 2500, reasons: 2, islands: 1, chunks: 1 })
  t.strictSame(many, { ...few, bytes: 4 * few.bytes })
  t.end()
})

t.test('a line that is longer than what a gap can say is dropped with all its bytes', t => {
  const rig = new Rig({ filter: FILTER })
  const slab = rig.slab({ lines: [{ text: 'a' }] })
  const [chunk] = slab.chunks
  Object.assign(chunk!, { fileEnd: 2 ** 33, cutFrom: 2 ** 33 - 1 })
  rig.selector.apply(slab, 0)
  t.strictSame(rig.outcome.dropped, { 'filter:a': { lines: 1, bytes: 2 ** 33 } })
  t.end()
})

t.test('a viewer is shown each record that is dropped, with its reason and its place, and no other', t => {
  const rig = new Rig({ filter: FILTER })
  const tap = new Tap(true)
  rig.selector.tap = new TapInlet(tap, 'main', rig.kernel.bytes)
  const records: TappedRecord[] = []
  const texts = ['k0', 'a1', 'a22', 'b3', 'k4', 'a5']
  const parts = [
    { lines: texts.map(text => ({ text })), fileStart: 100 },
    { lines: [{ text: 'b6' }], fileStart: 500 },
    { lines: [{ text: 'k7' }], fileStart: 900 },
  ]
  rig.selector.apply(rig.slab(...parts), 0)
  const filter = { source: 'app', backend: undefined, text: undefined }
  tap.open(filter, { onRecord: each => records.push(each), onForbidden: () => {} })
  const slab = rig.slab(...parts)
  rig.selector.apply(slab, 0)
  t.strictSame(
    records.map(({ verdict, reason, offset, text }) => [verdict, reason, offset, text]),
    [
      ['dropped', 'filter:a', 103, 'a1'],
      ['dropped', 'filter:a', 106, 'a22'],
      ['dropped', 'filter:b', 110, 'b3'],
      ['dropped', 'filter:a', 116, 'a5'],
      ['dropped', 'filter:b', 500, 'b6'],
    ],
  )
  t.strictSame(
    rig.kept(slab).map(({ text }) => text),
    ['k0', 'k4', 'k7'],
  )
  t.end()
})
