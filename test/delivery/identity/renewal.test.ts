/** A value that ends: when it is obtained, how often, and what becomes of one that is refused. */
import t from 'tap'
import { type Exchanged, Renewal } from '../../../src/delivery/identity/renewal.ts'

interface Value {
  readonly name: string
}

const HOUR = 3_600_000

/** A clock in hand, and exchanges that are answered by hand. `random` is always this. */
function rig(random = 0.5) {
  const clock = { now: 0 }
  const asked: ((got: Exchanged<Value>) => void)[] = []
  const renewal = new Renewal<Value>({
    exchange: () => new Promise(resolve => asked.push(resolve)),
    now: () => clock.now,
    random: () => random,
  })
  const answer = async (name: string, life = HOUR): Promise<void> => {
    asked.at(-1)!({ kind: 'value', value: { name }, life })
    await new Promise(setImmediate)
  }
  const fail = async (code: string): Promise<void> => {
    asked.at(-1)!({ kind: 'failure', code })
    await new Promise(setImmediate)
  }
  /** One that is held, and whether it was accepted. */
  const held = async (name: string, worked: boolean): Promise<Value> => {
    const first = renewal.current()
    await answer(name)
    const got = await first
    if (got.kind !== 'value') throw new Error('no value')
    if (worked) renewal.worked(got.value)
    return got.value
  }
  return { clock, asked, renewal, answer, fail, held }
}

t.test('many that ask at once wait for one exchange', async t => {
  const { asked, renewal, answer } = rig()
  const all = Promise.all([renewal.current(), renewal.current(), renewal.current()])
  t.equal(asked.length, 1)
  await answer('one')
  t.match(await all, [{ value: { name: 'one' } }, { value: { name: 'one' } }, { value: { name: 'one' } }])
})

t.test('a value is renewed before its end, and no request waits for that', async t => {
  const { clock, asked, renewal, answer, held } = rig()
  await held('one', true)
  clock.now = 0.79 * HOUR
  t.match(await renewal.current(), { value: { name: 'one' } })
  t.equal(asked.length, 1, 'not yet')
  clock.now = 0.81 * HOUR
  t.match(await renewal.current(), { value: { name: 'one' } }, 'the exchange has no answer yet')
  t.equal(asked.length, 2)
  await answer('two')
  t.match(await renewal.current(), { value: { name: 'two' } })
})

t.test('pods that started together do not renew together', async t => {
  const early = rig(0)
  const late = rig(1)
  for (const { clock, renewal, held } of [early, late]) {
    await held('one', true)
    clock.now = 0.75 * HOUR
    await renewal.current()
  }
  t.same([early.asked.length, late.asked.length], [2, 1])
})

t.test('a value is used to its end while its renewal fails, and exchanges become fewer', async t => {
  const { clock, asked, renewal, fail, held } = rig(1)
  await held('one', true)
  const times: number[] = []
  for (clock.now = 0.9 * HOUR; clock.now < HOUR; clock.now += 100) {
    const before = asked.length
    const got = await renewal.current()
    if (got.kind !== 'value') return t.fail(`no value at ${clock.now}`)
    renewal.worked(got.value)
    if (asked.length === before) continue
    times.push(clock.now)
    await fail('timeout')
  }
  const waits = times.slice(1).map((time, index) => time - times[index]!)
  t.same(waits.slice(0, 7), [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000])
  clock.now = HOUR
  t.match(await renewal.current(), { kind: 'failure', code: 'timeout' }, 'it has run out')
})

t.test('without a value a failure is repeated to all who ask, and not asked for with each', async t => {
  const { clock, asked, renewal, fail } = rig(1)
  const first = renewal.current()
  await fail('http_500')
  t.match(await first, { kind: 'failure', code: 'http_500' })
  for (let request = 0; request < 50; request++) {
    await renewal.current()
  }
  t.equal(asked.length, 1)
  t.match(await renewal.current(), { kind: 'failure', code: 'http_500' })
  clock.now = 1000
  void renewal.current()
  t.equal(asked.length, 2)
})

t.test('one that was accepted and is refused is replaced at once', async t => {
  const { clock, asked, renewal, answer, held } = rig()
  const one = await held('one', true)
  clock.now = 60_000
  t.ok(renewal.refused(one), 'another may be accepted')
  t.ok(renewal.refused(one), 'a second request went out with it')
  const next = renewal.current()
  t.equal(asked.length, 2)
  await answer('two')
  t.match(await next, { value: { name: 'two' } })
  t.ok(renewal.refused(one), 'and a third is answered late: there is another by now')
  t.match(await renewal.current(), { value: { name: 'two' } })
})

t.test('new ones that are refused one after the other are no storm of exchanges', async t => {
  const { clock, asked, renewal, answer, held } = rig(1)
  await held('first', false)
  for (; clock.now < 600_000; clock.now += 100) {
    const before = asked.length
    const got = await renewal.current()
    if (got.kind !== 'value' || renewal.refused(got.value)) return t.fail(`at ${clock.now}`)
    if (asked.length > before) await answer('another')
  }
  t.ok(asked.length > 5 && asked.length < 25, `${asked.length} exchanges in ten minutes`)
})

t.test('one that is accepted, then refused, again and again is no storm either', async t => {
  const { clock, asked, renewal, answer } = rig(1)
  for (; clock.now < 600_000; clock.now += 100) {
    const before = asked.length
    const asking = renewal.current()
    if (asked.length > before) await answer('another')
    const got = await asking
    if (got.kind !== 'value') continue
    renewal.worked(got.value)
    renewal.refused(got.value)
  }
  t.ok(asked.length > 30 && asked.length <= 60, `${asked.length} exchanges in ten minutes`)
})

t.test('a value that does not end is not renewed', async t => {
  const { clock, asked, renewal, answer } = rig()
  const first = renewal.current()
  await answer('one', Number.POSITIVE_INFINITY)
  await first
  clock.now = 1e12
  t.match(await renewal.current(), { value: { name: 'one' } })
  t.equal(asked.length, 1)
})
