import { test } from 'tap'
import { ProcessTime } from './process-time.ts'

test('on an idle machine a process has all the time that passes', t => {
  const time = new ProcessTime()
  for (const at of [100, 200, 300]) time.sample(at, 0)
  t.equal(time.between(50, 250), 200)
  t.equal(time.between(250, 400), 150)
  t.equal(time.before(300, 120), 180)
  t.equal(time.before(400, 50), 350)
  t.end()
})

test('what its threads waited for a processor is no time that it had', t => {
  const time = new ProcessTime()
  time.sample(100, 0)
  time.sample(200, 75)
  time.sample(300, 75)
  t.equal(time.between(100, 200), 25)
  t.equal(time.between(100, 300), 125)
  t.equal(time.between(150, 200), 12.5)
  t.equal(time.before(300, 100), 200)
  t.equal(time.before(300, 112.5), 150)
  t.equal(time.before(300, 125), 100)
  t.equal(time.before(300, 175), 50)
  t.end()
})

test('several threads that wait at once take no more than the time that passes', t => {
  const time = new ProcessTime()
  time.sample(100, 0)
  time.sample(200, 450)
  time.sample(300, 450)
  t.equal(time.between(100, 200), 0)
  t.equal(time.between(100, 300), 100)
  t.equal(time.before(300, 100), 200)
  t.equal(time.before(300, 150), 50)
  t.end()
})

test('it had no time between two moments of which the later one comes first', t => {
  const time = new ProcessTime()
  time.sample(100, 0)
  t.equal(time.between(Number.POSITIVE_INFINITY, 100), 0)
  t.equal(time.between(80, 60), 0)
  t.end()
})
