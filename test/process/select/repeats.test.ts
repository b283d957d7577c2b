import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { Rig } from './rig.ts'
import { alike } from './twin.ts'

t.test('of records that are equal the last goes on, with their number and its own offset', t => {
  const rig = new Rig({ repeats: 30_000 })
  const texts = ['same', 'same', 'same', 'other', 'same', '', '']
  const slab = rig.slab({ lines: texts.map(text => ({ text })) })
  rig.selector.apply(slab, 0)
  t.strictSame(
    rig.kept(slab).map(({ text, offset, repeated }) => [text, offset, repeated]),
    [
      ['same', 10, 3],
      ['other', 15, 0],
      ['same', 21, 0],
      ['', 27, 2],
    ],
  )
  t.strictSame(slab.chunks[0]!.outcome.dropped, { repeats: { lines: 3, bytes: 11 } })
  t.equal(slab.chunks[0]!.shape?.repeats, true)
  t.end()
})

t.test('what is compared is all but digits at the head', t => {
  const part = fc.constantFrom('a', 'b', '1', '2', '12', ' ', ':', 'x'.repeat(30), '123456789'.repeat(4))
  const line = fc.array(part, { maxLength: 5 }).map(parts => parts.join(''))
  const rig = new Rig({ repeats: 30_000 })
  fc.assert(
    fc.property(fc.array(line, { minLength: 1, maxLength: 30 }), fc.boolean(), (some, twice) => {
      const lines = twice ? some.flatMap(each => [each, `${each.replaceAll('1', '21')}\r`]) : some
      const slab = rig.slab({ lines: lines.map(text => ({ text })) })
      rig.selector.apply(slab, 0)
      const runs: { text: string; repeated: number }[] = []
      for (const text of lines) {
        const last = runs.at(-1)
        if (last && alike(last.text, text)) runs[runs.length - 1] = { text, repeated: Math.max(1, last.repeated) + 1 }
        else runs.push({ text, repeated: 0 })
      }
      assert.deepEqual(
        rig.kept(slab).map(({ text, repeated }) => ({ text, repeated })),
        runs,
      )
      rig.budget.release(slab.extent)
    }),
  )
  t.end()
})

t.test('a run ends when its records are further apart than the window', t => {
  const rig = new Rig({ repeats: { window: 30_000, flush: 1000 } })
  const at = (seconds: number) => ({ text: `at ${seconds}`, time: BigInt(seconds) * 1_000_000_000n })
  const slab = rig.slab({ lines: [0, 10, 30, 31, 60, 62].map(at) })
  rig.selector.apply(slab, 0)
  t.strictSame(
    rig.kept(slab).map(({ text, repeated }) => [text, repeated]),
    [
      ['at 30', 3],
      ['at 60', 2],
      ['at 62', 0],
    ],
  )
  t.end()
})
