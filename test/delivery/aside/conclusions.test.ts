/** What an answer means for records that are aside: whatever it is, each settles once, and none is rejected unproven. */
import t from 'tap'
import type { Verdict } from '../../../src/backends/backend.ts'
import { sleep, until } from '../../program.ts'
import { numbered, origin } from '../rig.ts'
import { answered, DELIVERED, REFUSED, type Says } from './answered.ts'

const isBad = (line: string): boolean => line.startsWith('bad')

/** Names the bad ones of a request. */
const names: Says = lines => {
  const rejected = lines.flatMap((line, index) => (isBad(line) ? [{ index, reason: 'mapping' }] : []))
  return rejected.length === 0 ? DELIVERED : { kind: 'items', rejected, retry: [] }
}

t.test('a record that an answer refuses beside one that it takes is rejected at once', async t => {
  const laid = await answered(t, (lines, request) => (request === 1 ? REFUSED : names(lines, request)))
  await laid.ship({ lines: ['line 0', 'bad 0', 'line 1', 'bad 1'] }).settled
  t.strictSame(laid.rejected.sort(), ['bad 0', 'bad 1'])
  t.equal(laid.arena.outcome.delivered.lines, 2)
})

t.test('a record of an answer that takes nothing is kept, until others are accepted', async t => {
  const laid = await answered(t, names)
  const { free, settled } = laid.ship({ lines: ['bad 0', 'bad 1'] })
  await free
  t.ok(await until(() => laid.receiver.received.length >= 4), 'it is retried')
  t.strictSame(laid.rejected, [])
  t.equal(laid.delivery.aside, 2)
  // A request that was under way when a refusal came proves nothing against that record: one of them may be too few.
  let isSettled = false
  void settled.then(() => (isSettled = true))
  for (let n = 0; !isSettled; n++) {
    await laid.ship({ lines: [`line ${n}`], origin: origin(`/var/log/app/other-${n}.log`) }).settled
    await sleep(10)
  }
  t.strictSame(laid.rejected.sort(), ['bad 0', 'bad 1'])
})

t.test('a record that was refused alone and is accepted after all is delivered', async t => {
  let refusing = true
  const laid = await answered(t, () => (refusing ? REFUSED : DELIVERED))
  const { free, settled } = laid.ship({ lines: ['line 0'] })
  await free
  t.ok(await until(() => laid.receiver.received.length >= 3))
  refusing = false
  t.equal(await settled, true)
  t.strictSame(laid.rejected, [])
  t.equal(laid.arena.outcome.delivered.lines, 1)
})

t.test('whatever the answers are, each record settles once, and what was read is delivered or rejected', async t => {
  let random = 0x2545f491
  const next = (below: number): number => {
    random = (Math.imul(random, 1664525) + 1013904223) >>> 0
    return Math.floor((random / 2 ** 32) * below)
  }
  const some = (lines: readonly string[], part: number) =>
    lines.flatMap((_, index) => (next(part) === 0 ? [{ index, reason: 'odd' }] : []))
  const kinds: readonly ((lines: readonly string[]) => Verdict)[] = [
    () => REFUSED,
    () => ({ kind: 'split', reason: 'too_large' }),
    () => DELIVERED,
    lines => ({ kind: 'counted', rejected: next(lines.length + 1), reason: 'odd' }),
    lines => ({ kind: 'items', rejected: some(lines, 4), retry: [] }),
    lines => ({ kind: 'items', rejected: [], retry: some(lines, 4) }),
    lines => ({ kind: 'items', rejected: lines.map((_, index) => ({ index, reason: 'odd' })), retry: [] }),
    lines => ({ kind: 'items', rejected: [], retry: [], unread: lines.map((_, index) => index).slice(0, 2) }),
  ]
  for (let round = 0; round < 12; round++) {
    const odd = 4 + next(20)
    const laid = await answered(t, (lines, request) =>
      request <= odd ? kinds[next(request === 1 ? 2 : kinds.length)]!(lines) : DELIVERED,
    )
    const lines = numbered(1 + next(60))
    const { settled } = laid.ship({ lines })
    t.equal(await settled, true, `round ${round}`)
    const { delivered, rejected } = laid.arena.outcome
    const refused = Object.values(rejected).reduce((sum, each) => sum + each.lines, 0)
    t.equal(delivered.lines + refused, lines.length, `of ${lines.length} lines ${refused} were rejected`)
    t.equal(laid.arena.settledChunks.length, 1)
    t.equal(laid.arena.budget.used, 0)
    t.equal(laid.delivery.aside, 0)
  }
})
