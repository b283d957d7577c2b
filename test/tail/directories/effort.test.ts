import fc from 'fast-check'
import t from 'tap'
import { Effort, restAfter } from '../../../src/tail/directories/effort.ts'

t.test('what is cheap takes a twentieth of the time, what is dear a tenth, and never waits for long', t => {
  t.equal(restAfter(1), 19)
  t.equal(restAfter(50), 950)
  t.equal(restAfter(90), 1000, 'as long as it is seen within a second')
  t.equal(restAfter(200), 1800)
  t.equal(restAfter(5000), 10_000)
  const property = fc.property(fc.double({ min: 0, max: 1e6, noNaN: true }), effort => {
    const rest = restAfter(effort)
    return rest <= 10_000 && rest >= Math.min(9 * effort, 10_000)
  })
  fc.assert(property)
  t.end()
})

t.test('time in which others worked does not count', t => {
  const effort = new Effort().begin()
  const burn = () => {
    const until = process.cpuUsage().user + 20_000
    while (process.cpuUsage().user < until) {}
  }
  burn()
  effort.pause()
  const first = effort.total
  burn()
  effort.begin()
  t.ok(first > 0)
  t.ok(effort.total < 2 * first, `${first} and then ${effort.total}`)
  burn()
  t.ok(effort.total > first)
  t.end()
})
