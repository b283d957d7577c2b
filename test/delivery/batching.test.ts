import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { type BatchingRules, EARLY, NEVER_BEGUN, type When, when } from '../../src/delivery/batching.ts'

const rules = (concurrency: number, interval = 200): BatchingRules => ({ concurrency, batch: { interval } })

type Row = readonly [says: string, rules: BatchingRules, sending: number, full: boolean, since: number, is: When]

/** The last request was begun at 5000, and `since` before now. */
const TABLE: readonly Row[] = [
  ['a line after silence goes at once', rules(1), 0, false, 5000, 'now'],
  ['another one when the interval is over', rules(1), 0, false, 10, { at: 5200 }],
  ['and not later', rules(1), 0, false, 200, 'now'],
  ['with a look that comes a little early', rules(1), 0, false, 176, 'now'],
  ['but not with one that comes long before', rules(1), 0, false, 170, { at: 5200 }],
  ['a full batch waits for nothing', rules(1), 0, true, 0, 'now'],
  ['one request at a time: the batch waits for its end, full or not', rules(1), 1, true, 5000, 'on-release'],
  ['whatever the interval is', rules(1, 0), 1, false, 5000, 'on-release'],
  ['beside another request it is the same interval', rules(2), 1, false, 10, { at: 5200 }],
  ['and no longer', rules(2), 1, false, 200, 'now'],
  ['a full one goes beside it', rules(2), 1, true, 0, 'now'],
  ['without an interval everything goes beside it', rules(2, 0), 1, false, 0, 'now'],
  ['but never more requests than may be', rules(2, 0), 2, true, 5000, 'on-release'],
]

for (const [says, rules, sending, full, since, is] of TABLE) {
  t.test(says, async t => {
    t.strictSame(when(full, sending, 5000, 5000 + since, rules), is)
  })
}

t.test('before the first request nothing is waited for', async t => {
  t.equal(when(false, 0, NEVER_BEGUN, 0, rules(1, 3_600_000)), 'now')
})

t.test('requests are an interval apart unless they are full, and looking again at that time sends', t => {
  const given = fc.record({
    full: fc.boolean(),
    begun: fc.integer({ min: 0, max: 1e6 }),
    concurrency: fc.integer({ min: 1, max: 32 }),
    sending: fc.nat({ max: 32 }),
    interval: fc.nat({ max: 10_000 }),
    since: fc.nat({ max: 20_000 }),
  })
  fc.assert(
    fc.property(given, ({ full, begun, concurrency, sending, interval, since }) => {
      const asked = rules(concurrency, interval)
      const is = when(full, sending, begun, begun + since, asked)
      if (sending >= concurrency) assert.equal(is, 'on-release')
      else if (is === 'now') assert.ok(full || since >= interval * (1 - EARLY))
      else {
        assert.ok(typeof is === 'object' && is.at > begun + since && is.at <= begun + interval && !full)
        assert.equal(when(full, sending, begun, is.at, asked), 'now')
      }
    }),
  )
  t.end()
})
