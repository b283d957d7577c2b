/** The expansion: slabs grow until one of them makes one full payload. */
import t from 'tap'
import { Expansion } from '../../../src/delivery/encoding/expansion.ts'

const MIB = 1024 * 1024

t.test('frames that double are read up to half a payload, less a little', async t => {
  const expansion = new Expansion()
  expansion.learn(MIB, 2 * MIB)
  const frames = expansion.framesFor(MIB)
  t.ok(2 * frames <= MIB, 'they fit')
  t.ok(2 * frames > 0.95 * MIB, 'and fill it')
})

t.test('growth is believed at once, shrinking only as it lasts', async t => {
  const expansion = new Expansion()
  for (let n = 0; n < 200; n++) expansion.learn(MIB, MIB)
  const plain = expansion.framesFor(MIB)
  expansion.learn(MIB, 3 * MIB)
  t.ok(3 * expansion.framesFor(MIB) <= MIB)
  expansion.learn(MIB, MIB)
  t.ok(expansion.framesFor(MIB) < plain / 2)
  for (let n = 0; n < 200; n++) expansion.learn(MIB, MIB)
  t.ok(expansion.framesFor(MIB) > 0.99 * plain)
})

t.test('a few lines say nothing about many', async t => {
  const expansion = new Expansion()
  const before = expansion.framesFor(MIB)
  expansion.learn(10, 5000)
  t.equal(expansion.framesFor(MIB), before)
})

t.test('large payloads tell sooner that records have become smaller', t => {
  const MIB = 1024 ** 2
  const percentAfter = (bytes: number) => {
    const expansion = new Expansion()
    expansion.learn(bytes, bytes)
    return Math.round(expansion.framesFor(100 * MIB) / MIB)
  }
  t.strictSame([MIB / 2, 4 * MIB, 8 * MIB, 60 * MIB].map(percentAfter), [50, 65, 97, 97])
  t.end()
})
