/** The expansion: slabs grow until one of them makes one full payload. */
import t from 'tap'
import { Expansion } from '../../src/delivery/expansion.ts'

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
