import * as fc from 'fast-check'
import t from 'tap'
import { behind, countOf, type FrameRange, pick, upTo } from '../../../src/delivery/encoding/frame-ranges.ts'

const framesOf = (ranges: readonly FrameRange[]): number[] =>
  ranges.flatMap(({ from, to }) => Array.from({ length: to - from }, (_, index) => from + index))

/** Ranges in order that do not touch. */
const ranges = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 9 })), { maxLength: 6 })
  .map(gaps => {
    let at = 0
    return gaps.map(([gap, length]): FrameRange => {
      const from = at + gap
      at = from + length
      return { from, to: at }
    })
  })

t.test('ranges are parted without losing or doubling a frame', async t => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(ranges, fc.nat(40), (ranges, count) => {
        const parts = [framesOf(upTo(ranges, count)), framesOf(behind(ranges, count))]
        return (
          parts[0]!.length === Math.min(count, countOf(ranges)) &&
          JSON.stringify(parts.flat()) === JSON.stringify(framesOf(ranges))
        )
      }),
    ),
  )
})

t.test('places are those of the frames in the payload, and neighbours become one range', async t => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(ranges, fc.uniqueArray(fc.nat(40)), (ranges, places) => {
        const ascending = places.sort((one, other) => one - other)
        const frames = framesOf(ranges)
        const wanted = ascending.filter(place => place < frames.length).map(place => frames[place])
        const picked = pick(ranges, ascending)
        const apart = picked.every((range, index) => index === 0 || picked[index - 1]!.to < range.from)
        return apart && JSON.stringify(framesOf(picked)) === JSON.stringify(wanted)
      }),
    ),
  )
  t.same(pick([{ from: 3, to: 6 }], [0, 1, 2]), [{ from: 3, to: 6 }])
})
