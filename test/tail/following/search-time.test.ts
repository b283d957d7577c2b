import t from 'tap'
import { SearchTime } from '../../../src/tail/following/search-time.ts'

/** Searches that each take `cost` milliseconds, on a clock of their own. */
function made() {
  const clock = { now: 1000, cost: 20 }
  const time = new SearchTime(
    () => clock.now,
    work => {
      work()
      clock.now += clock.cost
      return clock.cost
    },
  )
  let searched = 0
  return { clock, time, search: (source: string) => time.search(source, () => searched++), done: () => searched }
}

t.test('a source that was searched for long rests for longer than that took', t => {
  const { clock, time, search } = made()
  for (let n = 0; n < 2; n++) {
    search('app')
    t.notOk(time.rests('app'), 'a few searches are no reason to rest')
  }
  search('app')
  t.ok(time.rests('app'))
  clock.now += 179
  t.ok(time.rests('app'))
  clock.now += 1
  t.notOk(time.rests('app'))
  t.end()
})

t.test('a source that is searched for now and then never rests', t => {
  const { clock, time, search } = made()
  for (let n = 0; n < 100; n++) {
    search('app')
    t.notOk(time.rests('app'))
    clock.now += 60
  }
  t.end()
})

t.test('other sources do not rest with it', t => {
  const { time, search } = made()
  for (let n = 0; n < 3; n++) search('app')
  t.ok(time.rests('app'))
  t.notOk(time.rests('other'))
  t.end()
})

t.test('a search that is asked for is done, whether its source rests or not', t => {
  const { search, done } = made()
  for (let n = 0; n < 10; n++) search('app')
  t.equal(done(), 10)
  t.end()
})

t.test('searches for a source take a bounded part of the time, however many there are', t => {
  const { clock, time, search } = made()
  let searching = 0
  const began = clock.now
  while (clock.now - began < 60_000) {
    if (time.rests('app')) clock.now += 1
    else {
      search('app')
      searching += clock.cost
    }
  }
  t.ok(searching > 12_000 && searching < 18_000, String(searching))
  t.end()
})

t.test('when the process ends there is more of it', t => {
  const { clock, time, search } = made()
  time.final = true
  for (let n = 0; n < 3; n++) search('app')
  t.ok(time.rests('app'))
  clock.now += 60
  t.notOk(time.rests('app'))
  t.end()
})
