import t from 'tap'
import { Recent } from '../../../src/tail/files/recent.ts'

t.test('what was remembered the longest ago is forgotten once the paths take too much', t => {
  const recent = new Recent<number>(() => false, 10_000)
  for (let n = 0; n < 1000; n++) recent.set(`${String(n).padStart(4, '0')}${'x'.repeat(96)}`, n)
  t.equal(recent.size, 50)
  t.notOk(recent.has(`0949${'x'.repeat(96)}`))
  t.equal(recent.get(`0950${'x'.repeat(96)}`), 950)
  // To be remembered again makes it the last one.
  recent.set(`0950${'x'.repeat(96)}`, 1)
  recent.set(`1000${'x'.repeat(96)}`, 2)
  t.ok(recent.has(`0950${'x'.repeat(96)}`))
  t.notOk(recent.has(`0951${'x'.repeat(96)}`))
  t.end()
})

t.test('what is followed stays, however many there are, and is not looked at for each that comes', t => {
  let asked = 0
  const recent = new Recent<number>(path => {
    asked++
    return path.startsWith('/followed/')
  }, 10_000)
  for (let n = 0; n < 1000; n++) recent.set(`/followed/${n}`, n)
  t.equal(recent.size, 1000)
  t.ok(asked < 10_000, `${asked}`)
  for (let n = 0; n < 10_000; n++) recent.set(`/gone/${n}`, n)
  for (let n = 0; n < 1000; n++) if (recent.get(`/followed/${n}`) !== n) t.fail(`${n}`)
  t.ok(recent.size < 2000, `${recent.size}`)
  t.end()
})
