/** The judge tells every way in which a log can be wrong, and excuses only what no shipper could have done better. */
import t from 'tap'
import type { Received } from '../program.ts'
import { type Case, judge, lineOf } from './judge.ts'

const record = (number: number, more: Partial<Received> = {}): Received => ({
  message: lineOf('app', number),
  file: '/app.log',
  id: `id-${number}`,
  ...more,
})

const none = { missing: [], repeated: [], misplaced: [], strange: [] }

const verdict = (received: readonly Received[], more: Partial<Case> = {}) =>
  judge({
    name: 'app',
    written: 4,
    gone: new Set(),
    seen: true,
    killed: false,
    order: 'log',
    received,
    statement: {} as Case['statement'],
    holes: 0,
    refusals: [],
    ...more,
  })

const [zero, one, two, three] = [record(0), record(1), record(2), record(3)]

t.test('every line once and in order is what it wants', async t => {
  t.strictSame(verdict([zero, one, two, three]), none)
})

t.test('a line that has not come is missing, unless it could not be read', async t => {
  t.strictSame(verdict([zero, one, three]), { ...none, missing: [2] })
  t.strictSame(verdict([zero, one, three], { gone: new Set([2]) }), none)
})

t.test('a line that comes twice may do so after a SIGKILL, under the same id', async t => {
  const again = [zero, one, one, two, three]
  t.strictSame(verdict(again), { ...none, repeated: [1] })
  t.strictSame(verdict(again, { killed: true }), none)
  const other = [zero, one, record(1, { id: 'another' }), two, three]
  t.strictSame(verdict(other, { killed: true }), { ...none, repeated: [1] })
  const { id: _, ...nameless } = one
  t.strictSame(verdict([zero, nameless, nameless, two, three], { killed: true }), { ...none, repeated: [1] })
})

t.test('a line behind a later one is misplaced, where several names are followed only within each', async t => {
  t.strictSame(verdict([zero, two, one, three]), { ...none, misplaced: [1] })
  const apart = [record(2, { file: '/other.log' }), zero, one, three]
  t.strictSame(verdict(apart), { ...none, misplaced: [0, 1] })
  t.strictSame(verdict(apart, { order: 'file' }), none)
})

t.test('what the application has not written is strange: noise, half a line, a line of another log', async t => {
  const noise = ['\u001f\ufffd', lineOf('app', 2).slice(1), lineOf('other', 2), lineOf('app', 4)]
  const { strange } = verdict([zero, one, two, three, ...noise.map(message => ({ message, file: '/app.log' }))])
  t.equal(strange.length, noise.length)
})
