import fc from 'fast-check'
import t from 'tap'
import { Shares, weightOf } from '../../../src/tail/directories/share.ts'

t.test('one source can take most of it, and leaves something for each of the others', t => {
  const shares = new Shares(100, 2)
  let taken = 0
  while (shares.take(0)) taken++
  t.equal(taken, 75)
  t.notOk(shares.hasRoom(0))
  t.ok(shares.hasRoom(1))
  for (let n = 0; n < 25; n++) t.ok(shares.take(1))
  t.notOk(shares.take(1))
  t.equal(shares.used, 100)
  shares.give(0)
  t.ok(shares.take(1), 'what is given back is for those that come first')
  t.end()
})

t.test('however it is taken and given back, it is never more than the limit and never less than what is kept', t => {
  const step = fc.record({ source: fc.nat(3), take: fc.boolean() })
  const property = fc.property(fc.integer({ min: 8, max: 60 }), fc.array(step, { maxLength: 300 }), (limit, steps) => {
    const shares = new Shares(limit, 4)
    const used = [0, 0, 0, 0]
    for (const { source, take } of steps) {
      if (take) {
        const room = shares.hasRoom(source)
        if (shares.take(source) !== room) return false
        if (room) used[source]!++
        else if (used[source]! < Math.floor(limit / 8)) return false
      } else if (used[source]! > 0) {
        shares.give(source)
        used[source]!--
      }
      const sum = used.reduce((all, each) => all + each, 0)
      if (sum !== shares.used || sum > limit) return false
    }
    return true
  })
  fc.assert(property)
  t.end()
})

t.test('what is called by a long path takes the room of several', t => {
  t.same(['/a', 'x'.repeat(256), 'x'.repeat(257), 'x'.repeat(4095)].map(weightOf), [1, 1, 2, 16])
  const shares = new Shares(100, 1)
  for (let n = 0; n < 6; n++) t.ok(shares.take(0, 16))
  t.notOk(shares.take(0, 16))
  for (let n = 0; n < 4; n++) t.ok(shares.take(0))
  t.notOk(shares.take(0))
  shares.give(0, 16)
  t.equal(shares.used, 84)
  t.ok(shares.take(0, 16))
  t.end()
})
