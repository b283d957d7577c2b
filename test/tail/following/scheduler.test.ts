/** When the directories are looked at: at once, and the more seldom the more a look costs. */
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { Scheduler } from '../../../src/tail/following/scheduler.ts'
import { Table } from '../../../src/tail/generation/table.ts'

/** A scheduler over no files, whose looks at the directories take so many milliseconds of CPU time. */
function scheduler(t: Test, cost: number) {
  const looks = { count: 0, spent: 0 }
  const made = new Scheduler(new Table(), {
    poll: () => {},
    sweep: () => {
      looks.count++
      const before = process.cpuUsage().user
      while (process.cpuUsage().user - before < cost * 1000) {}
      looks.spent += process.cpuUsage().user - before
    },
    ticked: () => {},
    news: () => 'reported',
    calm: () => {},
  })
  t.teardown(() => made.stop())
  return { made, looks }
}

t.test('the first of many hints is followed at once, the others together', async t => {
  const { made, looks } = scheduler(t, 0)
  made.sweepSoon()
  await sleep(0)
  await new Promise(resolve => setTimeout(resolve))
  t.equal(looks.count, 1)
  for (let n = 0; n < 100; n++) made.sweepSoon()
  for (let n = 0; n < 100 && looks.count < 2; n++) await sleep(2)
  t.equal(looks.count, 2)
  await sleep(30)
  t.equal(looks.count, 2)
})

t.test('however much there is to hint at, looks take a small part of the time', async t => {
  const { made, looks } = scheduler(t, 10)
  const began = performance.now()
  let hints = 0
  while (looks.count < 4) {
    made.sweepSoon()
    hints++
    await sleep(1)
  }
  const share = looks.spent / 1000 / (performance.now() - began)
  t.ok(share < 0.12, `${(share * 100).toFixed(0)} % of the time for ${looks.count} looks and ${hints} hints`)
})
