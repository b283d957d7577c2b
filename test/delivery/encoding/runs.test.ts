import * as fc from 'fast-check'
import t from 'tap'
import { behind, countOf, pick, type Run, upTo } from '../../../src/delivery/encoding/runs.ts'

const framesOf = (runs: readonly Run[]): number[] =>
  runs.flatMap(({ from, to }) => Array.from({ length: to - from }, (_, index) => from + index))

/** Runs in order that do not touch. */
const runs = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 9 })), { maxLength: 6 })
  .map(gaps => {
    let at = 0
    return gaps.map(([gap, length]): Run => {
      const from = at + gap
      at = from + length
      return { from, to: at }
    })
  })

t.test('runs are parted without losing or doubling a frame', async t => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(runs, fc.nat(40), (runs, count) => {
        const parts = [framesOf(upTo(runs, count)), framesOf(behind(runs, count))]
        return (
          parts[0]!.length === Math.min(count, countOf(runs)) &&
          JSON.stringify(parts.flat()) === JSON.stringify(framesOf(runs))
        )
      }),
    ),
  )
})

t.test('places are those of the frames in the payload, and neighbours become one run', async t => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(runs, fc.uniqueArray(fc.nat(40)), (runs, places) => {
        const ascending = places.sort((one, other) => one - other)
        const frames = framesOf(runs)
        const wanted = ascending.filter(place => place < frames.length).map(place => frames[place])
        const picked = pick(runs, ascending)
        const apart = picked.every((run, index) => index === 0 || picked[index - 1]!.to < run.from)
        return apart && JSON.stringify(framesOf(picked)) === JSON.stringify(wanted)
      }),
    ),
  )
  t.same(pick([{ from: 3, to: 6 }], [0, 1, 2]), [{ from: 3, to: 6 }])
})
