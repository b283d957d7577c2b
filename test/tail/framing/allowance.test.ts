import t from 'tap'
import { Allowance } from '../../../src/tail/framing/allowance.ts'

t.test('what is spent comes back in its time, and no purse holds more than it may', t => {
  let now = 0
  const allowance = new Allowance(() => now)
  t.equal(allowance.wait('fresh'), 0)
  now += 1_000_000
  t.equal(allowance.wait('fresh'), 0)
  allowance.spend('fresh', 1500)
  t.equal(allowance.wait('fresh'), 2001, 'a second of it was saved, half a second is owed, at a quarter')
  t.equal(allowance.wait('again'), 0, 'the other purse is its own')
  now += 2000
  t.ok(allowance.wait('fresh') > 0)
  now += 1
  t.equal(allowance.wait('fresh'), 0)
  t.end()
})

t.test('looking again takes a hundredth of the time, however often it is asked for', t => {
  let now = 0
  const allowance = new Allowance(() => now)
  let spent = 0
  for (; now < 100_000; now += 2) {
    if (allowance.wait('again') > 0) continue
    allowance.spend('again', 2)
    spent += 2
  }
  t.ok(spent > 900 && spent < 1100, `${spent} ms of 100 s`)
  t.end()
})
