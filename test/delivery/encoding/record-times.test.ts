import t from 'tap'
import { ownTimes, patience, RecordTimes } from '../../../src/delivery/encoding/record-times.ts'
import { Arena, numbered, READ_AT } from '../rig.ts'

const MILLISECOND = 1_000_000n
const SALT = 450_000n

t.test('no two records of a pipeline have the same time, however the clock jitters', async t => {
  const arena = new Arena()
  const times = new RecordTimes(
    () => 0.5,
    () => READ_AT,
  )
  const slab = arena.slab({ lines: numbered(3) }, { lines: numbered(2) })
  const other = arena.slab({ lines: numbered(1) })
  times.assign(slab)
  times.assign(other)
  const begin = BigInt(READ_AT) * MILLISECOND + SALT
  t.same(
    [...slab.chunks, ...other.chunks].map(({ recordTimeNanos }) => recordTimeNanos),
    [begin, begin + 3n, begin + 5n],
  )
  times.assign(slab, READ_AT - 1000)
  t.equal(slab.chunks[0]!.recordTimeNanos, begin + 6n, 'a clock that went back by a second')
})

t.test('what was given a new time does not put what was read after it in front', async t => {
  const times = new RecordTimes(
    () => 0.5,
    () => READ_AT + 60_000,
  )
  const anew = times.next(10, READ_AT + 60_000)
  t.equal(times.next(1, READ_AT + 1), anew + 10n)
})

t.test('a clock that was ahead is followed back, and no time is given twice', async t => {
  const salts = [0.5, 0.25, 0.75]
  let now = READ_AT
  const times = new RecordTimes(
    () => salts.shift()!,
    () => now,
  )
  const before = times.next(10, now)
  now += 3 * 3_600_000
  t.equal(times.next(10, now), BigInt(now) * MILLISECOND + SALT, 'ahead')
  now = READ_AT
  const after = times.next(10, now)
  t.equal(after, BigInt(now) * MILLISECOND + 225_000n, 'the time that it is')
  t.ok(after + 10n <= before || before + 10n <= after, 'which others had before, with other digits')
  t.equal(times.next(1, now), after + 10n, 'and on from there')
  t.equal(times.next(2, now + 60_000), after + 11n, 'nothing was read in the future')
  now -= 3_000
  t.equal(times.next(1, now), BigInt(now) * MILLISECOND + 675_000n)
})

t.test('a time of its own that is used is one that the backend takes until it is looked at again', async t => {
  const age = 45 * 60_000
  const { oldest, newest } = ownTimes(BigInt(READ_AT) * MILLISECOND, age)
  const lastLook = READ_AT + patience(age, true)
  t.ok(oldest >= BigInt(lastLook - age) * MILLISECOND, 'not too old by then')
  t.ok(newest < BigInt(READ_AT + 10 * 60_000) * MILLISECOND, 'not ahead by more than Loki takes')
  t.equal(patience(age, false), age, 'without times of their own they wait as long as it takes them')
})
