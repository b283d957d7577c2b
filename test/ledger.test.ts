import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import {
  Account,
  book,
  DELIVERED,
  emptyOutcome,
  Ledger,
  MOST_REASONS,
  merge,
  type Outcome,
  type Settled,
  sum,
} from '../src/ledger.ts'

const outcome = fc.constantFrom<Outcome>(
  DELIVERED,
  { kind: 'rejected', reason: '400' },
  { kind: 'rejected', reason: '413' },
  { kind: 'dropped', reason: 'policy' },
)

function part(outcome: Outcome, lines: number, bytes: number): Settled {
  const result = emptyOutcome()
  book(result, outcome, lines, bytes)
  return result
}

function all({ delivered, rejected, dropped }: Settled): { lines: number; bytes: number } {
  const [refused, policy] = [sum(rejected), sum(dropped)]
  return {
    lines: delivered.lines + refused.lines + policy.lines,
    bytes: delivered.bytes + refused.bytes + policy.bytes,
  }
}

t.test(
  'read = delivered + rejected + dropped + in flight, in an account that several files book into, at every moment',
  t => {
    const chunk = fc.record({
      lines: fc.nat({ max: 50 }),
      bytes: fc.nat({ max: 2 ** 40 }),
      outcome,
    })
    const settling = fc.array(fc.record({ which: fc.nat(), commit: fc.boolean() }), { maxLength: 60 })
    fc.assert(
      fc.property(fc.array(chunk, { maxLength: 30 }), settling, (chunks, settling) => {
        const account = new Account()
        const open = [...chunks]
        const check = (): void => {
          const statement = account.statement()
          const done = all(statement)
          assert.equal(statement.read.bytes, done.bytes + statement.inFlight.bytes)
          assert.equal(statement.read.lines, done.lines + statement.inFlight.lines)
          assert.equal(
            statement.inFlight.bytes,
            open.reduce((total, { bytes }) => total + bytes, 0),
          )
          assert.ok(all(account.committed).bytes <= done.bytes, 'nothing is committed that has not settled')
        }
        for (const { lines, bytes } of chunks) account.read(lines, bytes)
        check()
        for (const { which, commit } of settling) {
          const [chunk] = open.splice(which % Math.max(1, open.length), 1)
          if (!chunk) break
          account.settle(part(chunk.outcome, chunk.lines, chunk.bytes))
          if (commit) account.commit(part(chunk.outcome, chunk.lines, chunk.bytes))
          check()
        }
      }),
    )
    t.end()
  },
)

t.test('a process resumes from the committed view: what has to be sent again is not counted twice', t => {
  const first = new Account()
  first.read(3, 30)
  first.settle(part(DELIVERED, 1, 10))
  first.commit(part(DELIVERED, 1, 10))
  first.settle(part({ kind: 'rejected', reason: '400' }, 1, 10))
  const saved = first.committed
  t.strictSame(saved, { delivered: { lines: 1, bytes: 10 }, rejected: {}, dropped: {} })
  const second = new Account(saved)
  second.read(2, 20)
  second.settle(part(DELIVERED, 2, 20))
  t.match(second.statement(), {
    read: { lines: 3, bytes: 30 },
    delivered: { lines: 3, bytes: 30 },
    inFlight: { lines: 0, bytes: 0 },
  })
  t.equal(saved.delivered.bytes, 10, 'what was saved is a copy')
  t.end()
})

t.test('settling more than was read is a bug that shows', t => {
  const account = new Account()
  account.read(1, 10)
  account.settle(part(DELIVERED, 1, 11))
  t.throws(() => account.statement(), { code: 'ERR_INVARIANT' })
  t.end()
})

t.test('losses and repairs stand beside the equation', t => {
  const account = new Account()
  account.generation()
  account.lost(100)
  account.truncated(2)
  account.repaired(3)
  account.unparsed(4)
  const untimedRecords = { missing: 1, unreadable: 2, old: 3, ahead: 4 }
  const unlevelledRecords = { missing: 5, unknown: 6 }
  account.untimed(untimedRecords)
  account.unlevelled(unlevelledRecords)
  const counts = { lostBytes: 100, truncatedLines: 2, repairedSequences: 3, unparsedRecords: 4, generations: 1 }
  const beside = { ...counts, untimedRecords, unlevelledRecords }
  t.match(account.statement(), { ...beside, read: { lines: 0, bytes: 0 } })
  const next = new Account()
  next.resume(account)
  t.match(next.statement(), { ...beside, lostBytes: 0 })
  t.end()
})

t.test('reasons are kept apart and add up', t => {
  const total = emptyOutcome()
  for (const reason of ['400', '413', '400']) merge(total, part({ kind: 'rejected', reason }, 1, 2))
  t.strictSame(total.rejected, { '400': { lines: 2, bytes: 4 }, '413': { lines: 1, bytes: 2 } })
  t.strictSame(sum(total.rejected), { lines: 3, bytes: 6 })
  t.end()
})

t.test('names that are always others end as one, so that an account stays as large as what may be saved', t => {
  const total = emptyOutcome()
  for (let n = 0; n < 2 * MOST_REASONS; n++) merge(total, part({ kind: 'dropped', reason: `filter:${n}` }, 1, 2))
  merge(total, part({ kind: 'dropped', reason: 'filter:3' }, 1, 2))
  t.equal(Object.keys(total.dropped).length, MOST_REASONS)
  t.strictSame(total.dropped['filter:3'], { lines: 2, bytes: 4 })
  t.strictSame(sum(total.dropped), { lines: 2 * MOST_REASONS + 1, bytes: 4 * MOST_REASONS + 2 })
  t.end()
})

t.test('the ledger has one account per source and backend, names apart', t => {
  const ledger = new Ledger()
  const account = ledger.account('a', 'b')
  t.equal(ledger.account('a', 'b'), account)
  t.not(ledger.account('a","b', ''), ledger.account('a', 'b",""'))
  t.strictSame([...ledger].map(({ source, backend }) => [source, backend])[0], ['a', 'b'])
  t.end()
})
