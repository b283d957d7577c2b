/** Records that left the stream: their order, what they are rejected for, and what they take of the memory. */
import t from 'tap'
import { until } from '../../program.ts'
import { numbered } from '../rig.ts'
import { answered, DELIVERED, REFUSED, type Says } from './answered.ts'

const isBad = (line: string): boolean => line.startsWith('bad')
/** Refuses every request with a bad line, and says not of which. */
const objects: Says = lines => (lines.some(isBad) ? REFUSED : DELIVERED)

t.test('no record is rejected for the sake of another one, and those of a file keep their order', async t => {
  for (let seed = 1; seed <= 3; seed++) {
    const laid = await answered(t, objects)
    const accepted: string[] = []
    laid.says = (lines, request) => {
      const verdict = objects(lines, request)
      if (verdict === DELIVERED) accepted.push(...lines)
      return verdict
    }
    // The last one is good: where nothing is accepted behind it a bad one is kept.
    const lines = numbered(30).map((line, at) => (at < 29 && (at * at * seed) % 11 < 2 ? `bad ${at}` : line))
    await laid.ship({ lines }).settled
    t.strictSame(new Set(laid.rejected), new Set(lines.filter(isBad)))
    t.strictSame(
      accepted,
      lines.filter(line => !isBad(line)),
    )
  }
})

t.test('what is aside takes no memory of the arena while it is not sent', async t => {
  let refusing = true
  const laid = await answered(t, () => (refusing ? REFUSED : DELIVERED))
  const { free, settled } = laid.ship({ lines: numbered(20) })
  await free
  t.ok(await until(() => laid.arena.budget.used === 0))
  t.equal(laid.delivery.aside, 20)
  refusing = false
  t.equal(await settled, true)
  t.strictSame(laid.rejected, [])
  t.equal(laid.arena.outcome.delivered.lines, 20)
})

t.test('after a stop nothing is sent any more, and what has not settled is abandoned, not rejected', async t => {
  const laid = await answered(t, () => REFUSED)
  const { free, settled } = laid.ship({ lines: numbered(5) })
  await free
  laid.delivery.stop()
  t.equal(await settled, false)
  const { length } = laid.receiver.received
  await new Promise(resolve => setTimeout(resolve, 50))
  t.equal(laid.receiver.received.length, length)
  t.strictSame(laid.rejected, [])
})
