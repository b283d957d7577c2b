/** What is done once a second. */
import fc from 'fast-check'
import t from 'tap'
import { untilSecond } from '../src/clock.ts'

t.test('whatever is done once a second meets the others at a full one, and is not done twice in a moment', async t => {
  t.equal(untilSecond(0), 1000)
  t.equal(untilSecond(499.9), 501)
  t.equal(untilSecond(500.2), 500)
  t.equal(untilSecond(500.9), 500)
  t.equal(untilSecond(501), 1499)
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1e12, noNaN: true }), now => {
      const wait = untilSecond(now)
      return wait >= 500 && wait < 1500 && (Math.floor(now) + wait) % 1000 === 0
    }),
  )
})
