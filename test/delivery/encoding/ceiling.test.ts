import t from 'tap'
import { Ceiling } from '../../../src/delivery/encoding/ceiling.ts'

const took = (ceiling: Ceiling, times: number) => {
  for (let n = 0; n < times; n++) ceiling.raise(100, 50)
}

t.test('what was too large is not retried for a while, and then a little more is', t => {
  const ceiling = new Ceiling(1000_000)
  t.equal(ceiling.bytes, Number.POSITIVE_INFINITY)
  ceiling.lower(800_000)
  t.equal(ceiling.bytes, 400_000)
  ceiling.lower(900_000)
  t.equal(ceiling.bytes, 400_000, 'one that was under way already')
  took(ceiling, 63)
  t.equal(ceiling.bytes, 400_000)
  took(ceiling, 1)
  t.equal(ceiling.bytes, 600_000)
  took(ceiling, 128)
  t.equal(ceiling.bytes, Number.POSITIVE_INFINITY)
  ceiling.lower(10)
  t.equal(ceiling.bytes, 1024, 'there is a least')
  t.end()
})

t.test('a single record may have less and less, but never less than what is configured for all', t => {
  const ceiling = new Ceiling(1_000, 8_000)
  ceiling.lowerAlone(8_000)
  t.strictSame([ceiling.bytes, ceiling.alone], [Number.POSITIVE_INFINITY, 4_000])
  ceiling.lowerAlone(4_000)
  ceiling.lowerAlone(2_000)
  ceiling.lowerAlone(1_001)
  t.equal(ceiling.alone, 1_000)
  took(ceiling, 6 * 64)
  t.equal(ceiling.alone, Number.POSITIVE_INFINITY)
  t.end()
})

t.test('what was learned is forgotten when it was not the size', t => {
  const ceiling = new Ceiling(1_000_000, 8_000_000)
  ceiling.lower(2_000)
  ceiling.lowerAlone(8_000_000)
  ceiling.forget()
  t.strictSame([ceiling.bytes, ceiling.alone], [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY])
  t.end()
})

t.test('it knows whether as much was ever accepted, before compression and after it', t => {
  const ceiling = new Ceiling(1_000_000)
  t.equal(ceiling.hasAccepted(1, 1), false)
  ceiling.raise(10_000, 900)
  ceiling.raise(5_000, 1_000)
  t.equal(ceiling.hasAccepted(10_000, 1_000), true)
  t.equal(ceiling.hasAccepted(10_001, 10), false)
  t.equal(ceiling.hasAccepted(10, 1_001), false)
  t.end()
})
