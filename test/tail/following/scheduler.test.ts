/** When directories and files are looked at. */
import t, { type Test } from 'tap'
import { Scheduler } from '../../../src/tail/following/scheduler.ts'
import { Table } from '../../../src/tail/generation/table.ts'
import type { Tailer } from '../../../src/tail/generation/tailer.ts'
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
    behind: () => false,
    goOn: () => {},
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

/** So many files, the looks at each of which take a millisecond, and how many were looked at in each turn. */
function crowd(t: Test, size: number, changed: number) {
  const time = Time.stop(t)
  const passed = performance.now
  let spent = 0
  t.intercept(performance, 'now', { value: () => passed() + spent })
  const files = Array.from({ length: size }, () => {
    return { due: 0, changedAt: performance.now() + changed, state: { kind: 'live' }, size: 0 } as unknown as Tailer
  })
  const looked = new Map(files.map(file => [file, 0]))
  const counts = { turn: 0, longest: 0, ticks: 0 }
  const onLook = { do: (_: Tailer) => {} }
  const looks = {
    poll: (file: Tailer) => {
      spent++
      looked.set(file, looked.get(file)! + 1)
      counts.longest = Math.max(counts.longest, ++counts.turn)
      onLook.do(file)
    },
    behind: () => false,
    goOn: () => {},
    sweep: () => {},
    ticked: () => counts.ticks++,
    news: () => 'reported' as const,
    calm: () => {},
  }
  const table = {
    get tailers() {
      return files.values()
    },
  }
  const made = new Scheduler(table, looks)
  t.teardown(() => made.stop())
  /** Milliseconds, one turn after the other. */
  const pass = async (ms: number) => {
    for (let n = 0; n < ms; n++) {
      counts.turn = 0
      await time.pass(1)
    }
  }
  return { made, files, looked, counts, onLook, pass }
}

t.test('thousands of files are looked at in short turns, each of them once in a tick', async t => {
  const { made, looked, counts, pass } = crowd(t, 2000, 0)
  made.start()
  t.ok(counts.longest <= 51, `${counts.longest}`)
  t.equal(counts.ticks, 0)
  while (counts.ticks === 0) await pass(1)
  t.ok(counts.longest <= 51, `${counts.longest}`)
  t.ok([...looked.values()].every(count => count === 1))
})

t.test('thousands of files that are being written are looked at in short turns too', async t => {
  const { made, files, looked, counts, pass } = crowd(t, 2000, 1_000_000)
  for (const file of files) made.markActive(file)
  while ([...looked.values()].some(count => count < 2)) await pass(1)
  t.ok(counts.longest <= 51, `${counts.longest}`)
  t.ok(Math.max(...looked.values()) <= 3, 'all of them in turn')
})

t.test('once it was stopped in the middle of a tick no more files are looked at', async t => {
  const { made, looked, onLook, pass } = crowd(t, 2000, 0)
  const sum = () => [...looked.values()].reduce((all, count) => all + count, 0)
  made.start()
  await pass(20)
  onLook.do = () => made.stop()
  await pass(20)
  const stopped = sum()
  t.ok(stopped < 2000)
  await pass(1000)
  t.equal(sum(), stopped)
})

t.test('a file that a tick finds changed after a long rest makes no second clock tick beside the first', async t => {
  const { made, files, counts, onLook, pass } = crowd(t, 1, -60_000)
  made.start()
  for (let n = 0; n < 5; n++) {
    let seen = false
    onLook.do = file => {
      if (seen) return
      seen = true
      ;(file as { changedAt: number }).changedAt = performance.now()
      made.markActive(file)
    }
    await pass(12_000)
    files[0]!.changedAt = performance.now() - 60_000
  }
  const before = counts.ticks
  await pass(5000)
  t.ok(counts.ticks - before <= 6, `${counts.ticks - before} ticks in five seconds`)
})

const INTERVAL = 180

/** A scheduler over files that are only counted; what is found in one is sent in the same turn. */
function files(t: Test, count: number, interval: number, news: () => 'reported' | 'none' | 'some' = () => 'reported') {
  const time = Time.stop(t)
  const polled: number[] = []
  const all = Array.from({ length: count }, () => ({
    size: 0,
    closed: false,
    due: Number.POSITIVE_INFINITY,
    changedAt: Number.NEGATIVE_INFINITY,
    unseen: 0,
  }))
  const tailers = all as unknown as Tailer[]
  const made = new Scheduler(
    {
      get tailers() {
        return tailers.values()
      },
    },
    {
      poll: (tailer, now) => {
        polled.push(now)
        const file = tailer as unknown as (typeof all)[number]
        if (file.unseen === 0) return
        file.size += file.unseen
        file.unseen = 0
        file.changedAt = now
        made.markActive(tailer)
        made.sent()
      },
      behind: () => false,
      goOn: () => {},
      sweep: () => {},
      ticked: () => {},
      news,
      calm: () => {},
    },
  )
  made.interval = interval
  made.start()
  polled.length = 0
  t.teardown(() => made.stop())
  const write = (n: number, bytes: number): void => {
    all[n]!.unseen += bytes
    made.hinted(tailers[n]!)
  }
  return { time, made, polled, write, all }
}

t.test('a line after silence is looked at as it is reported, those that follow together an interval later', async t => {
  const { time, polled, write, all } = files(t, 2, INTERVAL)
  write(0, 100)
  t.equal(polled.length, 1)
  for (let n = 0; n < 100; n++) {
    await time.pass(1)
    write(n % 2, 100)
  }
  t.equal(polled.length, 1, 'though all of it is reported')
  await time.pass(INTERVAL - 100)
  t.equal(polled.length, 3, 'each file once')
  t.strictSame(
    all.map(({ unseen }) => unseen),
    [0, 0],
  )
})

t.test('however often a file is written to, it is looked at once an interval', async t => {
  const { time, polled, write } = files(t, 1, INTERVAL)
  for (let n = 0; n < 20 * INTERVAL; n++) {
    write(0, 100)
    await time.pass(1)
  }
  t.ok(polled.length >= 19 && polled.length <= 21, `${polled.length} times in 20 intervals`)
})

t.test('a file that fills requests is looked at sooner', async t => {
  const { time, polled, write } = files(t, 1, INTERVAL)
  for (let n = 0; n < 10 * INTERVAL; n++) {
    write(0, 100_000)
    await time.pass(1)
  }
  t.ok(polled.length > 50, `${polled.length} times in 10 intervals`)
})

t.test('the next look is an interval after a request that was begun later than the one before', async t => {
  const { time, made, polled, write, all } = files(t, 1, INTERVAL)
  write(0, 100)
  await time.pass(100)
  made.sent()
  all[0]!.unseen = 100
  await time.pass(INTERVAL - 1)
  t.equal(polled.length, 1)
  await time.pass(1)
  t.equal(polled.length, 2)
})

t.test('without an interval a file that is written to is looked at every few milliseconds', async t => {
  const { time, polled, write } = files(t, 1, 0)
  for (let n = 0; n < 800; n++) {
    write(0, 100)
    await time.pass(1)
  }
  t.ok(polled.length >= 90 && polled.length <= 110, `${polled.length} times in 800 ms`)
})

t.test('however long the interval is, what is written to is looked at four times a second', async t => {
  const { time, polled, write } = files(t, 1, 3_600_000)
  for (let n = 0; n < 2500; n++) {
    write(0, 100)
    await time.pass(1)
  }
  t.ok(polled.length >= 9 && polled.length <= 11, `${polled.length} times in ten quarters of a second`)
})

t.test('where names come and go unreported, looks are closer for a while', async t => {
  const news = { is: 'none' as 'none' | 'some' }
  const { time, polled, write } = files(t, 1, INTERVAL, () => news.is)
  const count = async (ms: number) => {
    const before = polled.length
    for (let n = 0; n < ms; n += 10) {
      write(0, 100)
      await time.pass(10)
    }
    return polled.length - before
  }
  await count(1000)
  t.ok((await count(1000)) <= 7)
  news.is = 'some'
  await count(250)
  news.is = 'none'
  t.ok((await count(1000)) >= 28)
  await count(2500)
  t.ok((await count(1000)) <= 7, 'and no longer')
})

t.test('a file that is written a lot is looked at soon again when it seems to rest', async t => {
  const { time, polled, write } = files(t, 1, INTERVAL)
  for (let n = 0; n < 100; n++) {
    write(0, 200_000)
    await time.pass(10)
  }
  const before = polled.length
  await time.pass(150)
  t.ok(polled.length - before >= 2, `${polled.length - before} looks`)
})

t.test('once nothing is written any more a file is left to the ticks', async t => {
  const { time, polled, write, all } = files(t, 1, INTERVAL)
  write(0, 100)
  await time.pass(1500)
  const { length } = polled
  t.ok(length <= 8, `${length} times`)
  await time.pass(1500)
  t.equal(polled.length, length)
  all[0]!.due = 0
  await time.pass(250)
  t.equal(polled.length, length + 1)
})

t.test('what is left of a look at the directories goes on in turns of its own, until nothing is', async t => {
  const time = Time.stop(t)
  let left = 0
  const turns: number[] = []
  const made = new Scheduler(new Table(), {
    poll: () => {},
    sweep: () => {
      left = 3
    },
    behind: () => left > 0,
    goOn: () => {
      left--
      turns.push(performance.now())
    },
    ticked: () => {},
    news: () => 'reported',
    calm: () => {},
  })
  t.teardown(() => made.stop())
  made.sweepSoon()
  await time.pass(20)
  t.strictSame(turns, [], 'others have their turns first')
  while (left > 0) await time.pass(10)
  t.equal(turns.length, 3)
  t.ok(turns.every((at, n) => n === 0 || at - turns[n - 1]! >= 150))
  made.sweepSoon()
  made.stop()
  await time.pass(2000)
  t.equal(turns.length, 3, 'nothing goes on once it was stopped')
})
