import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import { Circuit, type Pass } from '../../src/delivery/circuit.ts'
import { Time } from '../support/time.ts'

const DOWN = { kind: 'down', reason: 'ECONNREFUSED' } as const
const circuit = (random = 1) => new Circuit({ initial: 100, max: 400 }, () => random)

t.test('while the destination is up every request passes', async t => {
  const one = circuit()
  t.same(await Promise.all([one.enter(), one.enter()]), [{ probe: false }, { probe: false }])
})

t.test('while it is down one probe passes, when its time has come, and the others follow its success', async t => {
  const time = Time.stop(t)
  const one = circuit()
  one.fail((await one.enter())!, DOWN)
  const passed: Pass[] = []
  const entering = [1, 2, 3].map(async () => passed.push((await one.enter())!))
  await time.pass(99)
  t.equal(passed.length, 0, 'none before the wait is over')
  await time.pass(1)
  t.same(passed, [{ probe: true }])
  await time.pass(1000)
  t.equal(passed.length, 1, 'and only one')
  t.type(one.succeed(passed[0]!), 'number', 'says how long it was away')
  await Promise.all(entering)
  t.same(passed.slice(1), [{ probe: false }, { probe: false }])
  t.same(one.health, { kind: 'up' })
})

t.test('a failed probe lengthens the wait; requests that were already under way do not', async t => {
  const one = circuit()
  const [first, second] = [(await one.enter())!, (await one.enter())!]
  t.equal(one.fail(first, DOWN), true, 'news')
  t.equal(one.fail(second, DOWN), false, 'no news')
  t.match(one.health, { kind: 'down', attempts: 1 })
  const probe = (await one.enter())!
  one.fail(probe, { ...DOWN, reason: 'http_503' })
  t.match(one.health, { attempts: 2, reason: 'http_503' })
})

t.test('a late success of a request that was under way brings it up at once', async t => {
  const one = new Circuit({ initial: 60_000, max: 60_000 }, () => 1)
  const [first, second] = [(await one.enter())!, (await one.enter())!]
  one.fail(first, DOWN)
  const waiting = one.enter()
  await turn()
  one.succeed(second)
  t.same(await waiting, { probe: false })
})

t.test('the wait that the destination asks for wins over our own', async t => {
  const one = circuit(0)
  Time.stop(t)
  one.fail((await one.enter())!, { ...DOWN, after: 120_000 })
  t.match(one.health, { nextAttemptAt: Date.now() + 120_000 })
})

t.test('where all that was sent is refused other records go early, and lengthen no wait', async t => {
  const time = Time.stop(t)
  const one = new Circuit({ initial: 60_000, max: 60_000 }, () => 1)
  const REFUSED = { kind: 'down', reason: 'http_400', refused: true } as const
  one.fail((await one.enter())!, REFUSED)
  const { health } = one
  const passed: Pass[] = []
  const enter = async (fresh: boolean) => void passed.push((await one.enter(fresh))!)
  void enter(false)
  void enter(true)
  void enter(true)
  await time.pass(249)
  t.same(passed, [])
  await time.pass(1)
  t.same(passed, [{ probe: true, early: true }], 'one of them')
  await time.pass(10_000)
  t.equal(passed.length, 1, 'the other after that')
  t.equal(one.fail(passed[0]!, REFUSED), false, 'no news')
  t.same(one.health, health)
  await time.pass(250)
  t.equal(passed.length, 2)
  one.fail(passed[1]!, REFUSED)
  await time.pass(60_000 - 10_501)
  t.equal(passed.length, 2)
  await time.pass(1)
  t.same(passed[2], { probe: true }, 'what was refused goes when it would have gone')
  one.fail(passed[2]!, { kind: 'down', reason: 'http_503' })
  void enter(true)
  await time.pass(59_900)
  t.equal(passed.length, 3, 'a backend that fails is left alone by all')
  await time.pass(200)
  t.equal(passed.length, 4)
})

t.test('a hurry ends the present wait and caps later ones', async t => {
  const time = Time.stop(t)
  const one = circuit()
  one.fail((await one.enter())!, { ...DOWN, after: 120_000 })
  const waiting = one.enter()
  await time.pass(5)
  one.hurry()
  await time.pass(50)
  const probe = (await waiting)!
  t.same(probe, { probe: true })
  one.fail(probe, { ...DOWN, after: 120_000 })
  t.match(one.health, { nextAttemptAt: Date.now() + 1000 })
  one.stop()
})

t.test('a stop releases all that wait', async t => {
  const one = circuit()
  one.fail((await one.enter())!, { ...DOWN, after: 120_000 })
  const waiting = [one.enter(), one.enter()]
  await turn()
  one.stop()
  t.same(await Promise.all(waiting), [undefined, undefined])
  t.equal(await one.enter(), undefined)
})
