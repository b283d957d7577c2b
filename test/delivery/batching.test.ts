import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { type BatchingRules, type When, when } from '../../src/delivery/batching.ts'

const rules = (concurrency: number, linger = 0, maxAge = 1000): BatchingRules => ({
  concurrency,
  batch: { linger, maxAge },
})

type Row = readonly [says: string, rules: BatchingRules, sending: number, full: boolean, age: number, is: When]

/** Its first line was read at 5000. */
const TABLE: readonly Row[] = [
  ['an idle backend gets what there is at once', rules(1), 0, false, 0, 'now'],
  ['or after linger', rules(1, 200), 0, false, 150, { at: 5200 }],
  ['and not later', rules(1, 200), 0, false, 200, 'now'],
  ['a full batch does not linger', rules(1, 200), 0, true, 0, 'now'],
  ['one request at a time: the batch waits for its end, full or not', rules(1), 1, true, 5000, 'on-release'],
  ['whatever maxAge is', rules(1, 0, 0), 1, false, 5000, 'on-release'],
  ['and goes then, for it has waited', rules(1, 0, 60_000), 0, false, 5000, 'now'],
  ['or lingers on, from its first line', rules(1, 200), 0, false, 199, { at: 5200 }],
  ['beside another request lines gather until maxAge', rules(2), 1, false, 400, { at: 6000 }],
  ['linger is not for that', rules(2, 200), 1, false, 400, { at: 6000 }],
  ['and no longer', rules(2), 1, false, 1000, 'now'],
  ['a full one goes beside it', rules(2), 1, true, 0, 'now'],
  ['with maxAge 0 everything goes beside it', rules(2, 0, 0), 1, false, 0, 'now'],
  ['but never more requests than may be', rules(2, 0, 0), 2, true, 5000, 'on-release'],
]

for (const [says, rules, sending, full, age, is] of TABLE) {
  t.test(says, async t => {
    t.strictSame(when({ full, since: 5000 }, sending, 5000 + age, rules), is)
  })
}

t.test('no batch waits longer than maxAge for a request that may start, and looking again at that time sends it', t => {
  const gathered = fc.record({ full: fc.boolean(), since: fc.integer({ min: 0, max: 1e6 }) })
  const given = fc.record({
    concurrency: fc.integer({ min: 1, max: 32 }),
    sending: fc.nat({ max: 32 }),
    maxAge: fc.nat({ max: 10_000 }),
    linger: fc.nat({ max: 10_000 }),
    age: fc.nat({ max: 20_000 }),
  })
  fc.assert(
    fc.property(gathered, given, (batch, { concurrency, sending, maxAge, linger, age }) => {
      const asked = rules(concurrency, Math.min(linger, maxAge), maxAge)
      const now = batch.since + age
      const is = when(batch, sending, now, asked)
      if (sending >= concurrency) assert.equal(is, 'on-release')
      else if (is !== 'now') {
        assert.ok(typeof is === 'object' && is.at > now && is.at <= batch.since + maxAge && !batch.full)
        assert.equal(when(batch, sending, is.at, asked), 'now')
      }
    }),
  )
  t.end()
})
