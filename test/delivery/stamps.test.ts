import t from 'tap'
import { Stamps } from '../../src/delivery/stamps.ts'
import { Arena, numbered, READ_AT } from './rig.ts'

const MILLISECOND = 1_000_000n

t.test('no two records of a pipeline have the same time, whatever the clock does', async t => {
  const arena = new Arena()
  const stamps = new Stamps(() => 0.5)
  const slab = arena.slab({ lines: numbered(3) }, { lines: numbered(2) })
  const other = arena.slab({ lines: numbered(1) })
  stamps.give(slab)
  stamps.give(other)
  const begin = BigInt(READ_AT) * MILLISECOND + 450_000n
  t.same(
    [...slab.chunks, ...other.chunks].map(({ stamp }) => stamp),
    [begin, begin + 3n, begin + 5n],
  )
  stamps.give(slab, READ_AT - 1000)
  t.equal(slab.chunks[0]!.stamp, begin + 6n, 'a clock that was set back')
})
