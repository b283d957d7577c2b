import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import type { Confirmation } from '../../src/backends/backend.ts'
import type { Transport } from '../../src/delivery/exchange.ts'
import { Receipts } from '../../src/delivery/receipts.ts'

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
  return { receipts: new Receipts(confirmation, transport), questions }
}

t.test('who confirms at once is asked at once: what waits holds memory', async t => {
  const { receipts, questions } = asked(() => true)
  const began = performance.now()
  for (let n = 0; n < 5; n++) t.equal(await receipts.await(String(n)), 'confirmed')
  t.ok(performance.now() - began < 1900, 'sooner than one full interval')
  t.equal(questions.length, 5)
  t.equal(receipts.size, 0)
  await sleep(300)
  t.equal(questions.length, 5, 'nobody is asked about nothing')
})

t.test('who takes its time is asked more and more seldom, about everything at once', async t => {
  const { receipts, questions } = asked(() => false, { every: 400 })
  const fates = [receipts.await('a'), receipts.await('b')]
  await sleep(2200)
  t.ok(questions.length >= 4 && questions.length <= 8, `${questions.length} questions`)
  t.same(questions[0], ['a', 'b'])
  receipts.stop()
  t.same(await Promise.all(fates), ['abandoned', 'abandoned'])
  t.equal(await receipts.await('c'), 'abandoned', 'also what comes later')
})

t.test('what is not confirmed in time is lost, and only that', async t => {
  const { receipts } = asked(receipt => receipt === 'good', { every: 50, patience: 300 })
  t.same(await Promise.all([receipts.await('bad'), receipts.await('good')]), ['lost', 'confirmed'])
})

t.test('a receipt that is given twice cannot be told apart: the earlier request is sent again', async t => {
  const { receipts } = asked(() => true)
  t.same(await Promise.all([receipts.await('7'), receipts.await('7')]), ['lost', 'confirmed'])
})
