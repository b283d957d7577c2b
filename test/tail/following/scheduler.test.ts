/** When the directories are looked at: at once, and the more seldom the more a look costs. */
import t, { type Test } from 'tap'
import { Scheduler } from '../../../src/tail/following/scheduler.ts'
import { Table } from '../../../src/tail/generation/table.ts'
import { Time } from '../../support/time.ts'

/** Milliseconds: what a busy machine takes is not the scheduler's. */
function cpu(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

/** A scheduler over no files, whose looks at the directories take so many milliseconds of CPU time. */
function scheduler(t: Test, cost: number) {
  const time = Time.stop(t)
  const looks = { count: 0, spent: 0 }
  const made = new Scheduler(new Table(), {
    poll: () => {},
    sweep: () => {
      looks.count++
      const before = cpu()
      while (cpu() - before < cost) {}
      looks.spent += cpu() - before
    },
    ticked: () => {},
    news: () => 'reported',
    calm: () => {},
  })
  t.teardown(() => made.stop())
  return { time, made, looks }
}

t.test('the first of many hints is followed at once, the others together', async t => {
  const { time, made, looks } = scheduler(t, 0)
  made.sweepSoon()
  await time.pass(1)
  t.equal(looks.count, 1)
  for (let n = 0; n < 100; n++) made.sweepSoon()
  t.equal(looks.count, 1)
  await time.pass(100)
  t.equal(looks.count, 2)
})

t.test('however much there is to hint at, looks take a small part of the time', async t => {
  const { time, made, looks } = scheduler(t, 5)
  let passed = 0
  while (looks.count < 4) {
    made.sweepSoon()
    await time.pass(1)
    passed++
  }
  const share = looks.spent / passed
  t.ok(share < 0.12, `${(share * 100).toFixed(0)} % of the time for ${looks.count} looks and ${passed} hints`)
})

t.test('once it was stopped nothing is looked at, whatever is hinted at', async t => {
  const { time, made, looks } = scheduler(t, 0)
  made.stop()
  made.sweepSoon()
  await time.pass(5000)
  t.equal(looks.count, 0)
})
