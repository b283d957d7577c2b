import fc from 'fast-check'
import t from 'tap'
import { type Caller, Termination } from '../src/termination.ts'

const GRACE = 30_000

/** How long the drain may take, in milliseconds, after marks at those times; SIGTERM comes at `signal`. */
function drain(marks: readonly (readonly [at: number, caller: Caller])[], signal: number, gracePeriod = GRACE) {
  let now = 0
  const termination = new Termination(() => now)
  for (const [at, caller] of marks) {
    now = at
    termination.mark(caller)
  }
  now = signal
  const { until, mark } = termination.drain(gracePeriod)
  return { ms: until - signal, mark }
}

t.test('without a mark all of the grace period but a second is left', t => {
  t.strictSame(drain([], 100_000), { ms: 29_000, mark: null })
  t.end()
})

t.test('a mark from within the pod leaves what is left of the grace period, and a second at the least', t => {
  t.strictSame(drain([[100_000, 'pod']], 110_000), { ms: 19_000, mark: 'pod' })
  t.strictSame(drain([[100_000, 'pod']], 128_000), { ms: 1000, mark: 'pod' })
  t.strictSame(drain([[100_000, 'pod']], 131_000), { ms: 1000, mark: 'pod' }, 'SIGTERM comes when all of it is used up')
  t.strictSame(drain([[100_000, 'pod']], 161_000), { ms: 29_000, mark: null }, 'the pod was not ended after all')
  t.end()
})

t.test('an unverified mark leaves half of the grace period at the least', t => {
  t.strictSame(drain([[100_000, 'unverified']], 110_000), { ms: 19_000, mark: 'unverified' })
  t.strictSame(drain([[100_000, 'unverified']], 128_000), { ms: 14_000, mark: 'unverified' })
  t.strictSame(drain([[100_000, 'unverified']], 130_001), { ms: 29_000, mark: null })
  t.end()
})

t.test('the latest mark counts, and an unverified one is ignored beside the pod’s', t => {
  t.strictSame(
    drain(
      [
        [100_000, 'unverified'],
        [110_000, 'unverified'],
      ],
      115_000,
    ).ms,
    24_000,
  )
  for (const early of [80_000, 109_999, 111_000]) {
    const marks = [
      [early, 'unverified'],
      [110_000, 'pod'],
    ] as const
    t.strictSame(
      drain(
        [...marks].sort(([a], [b]) => a - b),
        115_000,
      ),
      { ms: 24_000, mark: 'pod' },
    )
  }
  t.end()
})

t.test(
  'whoever calls when and as often as they like, from outside the pod: half of it is left, and never more than it',
  t => {
    const calls = fc.array(fc.tuple(fc.integer({ min: 0, max: 200_000 }), fc.constant<Caller>('unverified')))
    fc.assert(
      fc.property(calls, fc.integer({ min: 1000, max: 60_000 }), (marks, gracePeriod) => {
        const { ms } = drain(
          marks.sort(([a], [b]) => a - b),
          200_000,
          gracePeriod,
        )
        return ms >= Math.max(1000, gracePeriod / 2 - 1000) && ms <= Math.max(1000, gracePeriod - 1000)
      }),
    )
    t.end()
  },
)

t.test('the time that a change of the configuration takes after SIGTERM is taken off', t => {
  let now = 0
  const termination = new Termination(() => now)
  termination.signal()
  now = 10_000
  termination.mark('unverified')
  t.equal(termination.drain(GRACE).until, 29_000)
  now = 40_000
  t.equal(termination.drain(GRACE).until, 41_000)
  t.end()
})
