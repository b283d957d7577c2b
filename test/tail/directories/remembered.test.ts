import t from 'tap'
import { Remembered, saltOf } from '../../../src/tail/directories/remembered.ts'

t.test('a name is new once, in each directory', t => {
  const remembered = new Remembered()
  const [one, other] = [saltOf('/logs/a'), saltOf('/logs/b')]
  for (let n = 0; n < 20_000; n++) if (!remembered.add(one, `app-${n}.log.1`)) t.fail(`app-${n} is new`)
  for (let n = 0; n < 20_000; n++) if (remembered.add(one, `app-${n}.log.1`)) t.fail(`app-${n} is known`)
  t.ok(remembered.add(other, 'app-1.log.1'))
  t.equal(remembered.size, 20_001)
  t.end()
})

t.test('of too many names all are forgotten, so it never takes more than it may', t => {
  const remembered = new Remembered(1000)
  for (let n = 0; n < 10_000; n++) {
    remembered.add(0, String(n))
    if (remembered.size > 1000) t.fail(`${remembered.size} names`)
  }
  t.ok(remembered.add(0, '0'), 'it was forgotten')
  t.end()
})
