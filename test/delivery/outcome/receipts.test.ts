import t from 'tap'
import type { Confirmation } from '../../../src/backends/backend.ts'
import { Receipts } from '../../../src/delivery/outcome/receipts.ts'
import type { Transport } from '../../../src/delivery/transport/transport.ts'
import { Time } from '../../support/time.ts'

/** A backend that confirms what `knows` says, and counts how often it was asked. */
function asked(knows: (receipt: string) => boolean, { every = 2000, patience = 60_000 } = {}) {
  const questions: string[][] = []
  const confirmation: Confirmation = {
    every,
    patience,
    question: receipts => {
      questions.push([...receipts])
      return { head: { method: 'POST', path: '/ack', headers: {} }, contentType: 'application/json', body: '{}' }
    },
    confirmed: (_, receipts) => receipts.filter(knows),
  }
  const transport = {
    send: async () => ({ kind: 'answer', answer: { status: 200, headers: {}, body: '{}' } }),
    reload: () => {},
  } as unknown as Transport
  const receipts = new Receipts(confirmation, transport)
  const expected = (receipt: string) => new Promise<string>(resolve => receipts.expect(receipt, resolve))
  return { receipts, expected, questions }
}

t.test('a backend that confirms at once is polled at once: what waits holds memory', async t => {
  const time = Time.stop(t)
  const { expected, questions } = asked(() => true)
  for (let n = 0; n < 5; n++) {
    const fate = expected(String(n))
    await time.pass(99)
    t.equal(questions.length, n, 'not before a tenth of a second')
    await time.pass(1)
    t.equal(await fate, 'confirmed')
  }
  t.equal(questions.length, 5)
  await time.pass(3000)
  t.equal(questions.length, 5, 'there is no question about nothing')
})

t.test('a backend that is slow to confirm is polled less and less often, about everything at once', async t => {
  const time = Time.stop(t)
  const { receipts, expected, questions } = asked(() => false, { every: 400 })
  const fates = [expected('a'), expected('b')]
  // A tenth of a second, two, and then four each time.
  for (const [at, wait] of [100, 200, 400, 400, 400].entries()) {
    await time.pass(wait - 1)
    t.equal(questions.length, at)
    await time.pass(1)
    t.equal(questions.length, at + 1)
  }
  t.same(questions[0], ['a', 'b'])
  receipts.stop()
  t.same(await Promise.all(fates), ['abandoned', 'abandoned'])
  t.equal(await expected('c'), 'abandoned', 'also what comes later')
})

t.test('what is not confirmed in time is lost, and only that', async t => {
  const time = Time.stop(t)
  const { expected } = asked(receipt => receipt === 'good', { every: 50, patience: 300 })
  const ended: string[] = []
  for (const each of ['bad', 'good']) void expected(each).then(fate => ended.push(`${each} ${fate}`))
  await time.pass(50)
  t.same(ended, ['good confirmed'])
  await time.pass(249)
  t.same(ended, ['good confirmed'])
  await time.pass(51)
  t.same(ended, ['good confirmed', 'bad lost'])
})

t.test('a receipt that is given twice cannot be told apart: the earlier request is sent again', async t => {
  const { expected } = asked(() => true)
  t.same(await Promise.all([expected('7'), expected('7')]), ['lost', 'confirmed'])
})
