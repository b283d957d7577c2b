import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { Growth } from '../../../src/tail/files/growth.ts'

/** The lag of a cursor at `offset`, in milliseconds. */
const lag = (growth: Growth, offset: number, now: number) => now - (growth.since(offset) ?? now)

t.test('a busy file whose backend keeps up is never late by more than it is, however long that goes on', t => {
  const growth = new Growth()
  const worst: number[] = []
  // 100 bytes every 8 ms for an hour, acknowledged 200 ms later.
  for (let now = 0; now < 3_600_000; now += 8) {
    if (growth.saw((now / 8 + 1) * 100, now)) growth.passed(Math.max(0, now / 8 - 25) * 100, now)
    if (now > 1000 && now % 1000 === 0) worst.push(lag(growth, (now / 8 - 25) * 100, now))
  }
  t.ok(Math.max(...worst) < 1200, `${Math.max(...worst)} ms`)
  t.ok(Math.min(...worst) >= 0)
  t.equal(lag(growth, (3_600_000 / 8) * 100, 3_600_000), 0, 'and 0 once all is acknowledged')
  t.end()
})

t.test(
  'while nothing is acknowledged it is as late as the outage is long, and it falls as the backlog is worked off',
  t => {
    const growth = new Growth()
    const HOUR = 3_600_000
    const PER_SECOND = 1000
    for (let now = 0; now <= 3 * HOUR; now += 250) {
      const size = (now / 1000) * PER_SECOND
      if (growth.saw(size, now)) growth.passed(0, now)
      if (now > 60_000 && now % 600_000 === 0) t.ok(Math.abs(lag(growth, 0, now) - now) < 1000, `${now}`)
    }
    const now = 3 * HOUR
    for (let second = 0; second < 10_800; second += 60) {
      const truth = now - second * 1000
      const said = lag(growth, second * PER_SECOND, now)
      if (Math.abs(said - truth) > 1000 + truth * 0.06) t.fail(`${said} ms at the byte that is ${truth} ms old`)
    }
    t.equal(lag(growth, 10_800 * PER_SECOND, now), 0)
    t.end()
  },
)

t.test('a line that is written after a long rest is as old as itself', t => {
  const growth = new Growth()
  growth.saw(100, 1000)
  growth.passed(100, 1000)
  growth.saw(100, 5_000_000)
  growth.saw(150, 5_000_100)
  t.equal(lag(growth, 100, 5_000_350), 250)
  t.end()
})

t.test('what was there when the file was found is dated by the file: from its birth to its last modification', t => {
  const wall = 1_700_000_000_000
  const growth = new Growth()
  growth.found({ size: 1000, birthtimeMs: wall - 10_000, mtimeMs: wall - 2000 }, 0, 500, wall)
  t.equal(lag(growth, 0, 500), 10_000)
  t.equal(lag(growth, 500, 500), 6000)
  t.equal(lag(growth, 999, 500), 2008)
  const copied = new Growth()
  copied.found({ size: 1000, birthtimeMs: wall - 1000, mtimeMs: wall - 1e9 }, 0, 500, wall)
  t.equal(lag(copied, 0, 500), 1000, 'a time of modification before the birth came from elsewhere')
  const unborn = new Growth()
  unborn.found({ size: 1000, birthtimeMs: 0, mtimeMs: wall - 3000 }, 0, 500, wall)
  t.equal(lag(unborn, 0, 500), 3000)
  const ahead = new Growth()
  ahead.found({ size: 1000, birthtimeMs: wall + 5000, mtimeMs: wall + 6000 }, 0, 500, wall)
  t.equal(lag(ahead, 0, 500), 0, 'a clock that is ahead makes nothing younger than now')
  t.end()
})

t.test('what a restart finds is as old as it was, and what came meanwhile as its last modification', t => {
  const growth = new Growth()
  for (let now = 0; now <= 60_000; now += 1000) if (growth.saw(now, now)) growth.passed(10_000, now)
  const wall = 1_700_000_000_000
  const saved = growth.save(10_000, 60_000, wall)
  t.ok(saved!.length <= 8)
  // Another process, 30 s later, with a clock of its own.
  const after = new Growth(JSON.parse(JSON.stringify(saved)), 400, wall + 30_000)
  after.found({ size: 80_000, birthtimeMs: wall - 60_000, mtimeMs: wall + 25_000 }, 10_000, 400, wall + 30_000)
  t.ok(Math.abs(lag(after, 10_000, 400) - 80_000) < 3000, `${lag(after, 10_000, 400)}`)
  t.ok(Math.abs(lag(after, 50_000, 400) - 40_000) < 4000, `${lag(after, 50_000, 400)}`)
  t.equal(lag(after, 60_000, 400), 5000)
  t.equal(lag(after, 80_000, 400), 0)
  t.end()
})

t.test('nothing is saved of a file that is not late, nor of one that is done', t => {
  const growth = new Growth()
  growth.saw(100, 0)
  t.equal(growth.save(0, 1000, 0), undefined)
  t.equal(growth.save(100, 60_000, 0), undefined)
  t.ok(growth.save(0, 60_000, 0))
  t.end()
})

t.test('what is cut off is not there any more, and what follows is as old as it is', t => {
  const growth = new Growth()
  growth.saw(1000, 0)
  growth.saw(2000, 10_000)
  growth.saw(500, 20_000)
  t.equal(growth.since(500), undefined)
  t.equal(growth.since(0), 0)
  growth.saw(600, 30_000)
  t.equal(growth.since(550), 30_000)
  t.end()
})

t.test('whatever a planted checkpoint holds is left out, and no time lies ahead', t => {
  const planted = [
    null,
    'x',
    [],
    [1],
    [0, 10, 'a', 2],
    [5, 5, 1, 1],
    [0, 10, 9, 1],
    [0, 10, 1e300, 1e301],
    [3, 20, 1, 2],
  ]
  const growth = new Growth(planted as never, 1000, 1_000_000)
  for (const offset of [0, 3, 5, 9, 15, 19]) t.ok((growth.since(offset) ?? 0) <= 1000)
  t.end()
})

t.test('whatever is written, truncated and acknowledged: the answer is near the truth, and memory is bounded', t => {
  const step = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({ kind: fc.constant('write' as const), bytes: fc.integer({ min: 1, max: 9999 }) }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ kind: fc.constant('rest' as const), ms: fc.integer({ min: 1, max: 100_000 }) }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('acknowledge' as const),
        share: fc.double({ min: 0, max: 1, noNaN: true }),
      }),
    },
  )
  fc.assert(
    fc.property(fc.array(step, { minLength: 50, maxLength: 400 }), steps => {
      const growth = new Growth()
      const written: { readonly to: number; readonly at: number }[] = []
      let [now, size, settled] = [0, 0, 0]
      for (const each of steps) {
        now += 20
        switch (each.kind) {
          case 'rest':
            now += each.ms
            break
          case 'write':
            size += each.bytes
            written.push({ to: size, at: now })
            if (growth.saw(size, now)) growth.passed(settled, now)
            break
          case 'acknowledge':
            settled += Math.floor((size - settled) * each.share)
        }
        const truth = now - (written.find(({ to }) => to > settled)?.at ?? now)
        const said = lag(growth, settled, now)
        assert.ok(Math.abs(said - truth) <= 1000 + truth * 0.35, `${said} for ${truth}`)
        if (settled === size) assert.equal(said, 0)
      }
      assert.ok((growth.save(0, now + 10_000)?.length ?? 0) <= 8)
    }),
    { numRuns: 200 },
  )
  t.end()
})
