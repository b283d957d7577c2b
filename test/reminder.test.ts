import t from 'tap'
import { Reminder } from '../src/reminder.ts'

const MINUTE = 60_000

t.test('what lasts is said again after 1, 5 and 15 minutes, and from then on every 15', t => {
  const reminder = new Reminder(1000)
  const said: number[] = []
  for (let second = 0; second <= 4000; second++) {
    if (reminder.due(1000 + second * 1000)) said.push(second / 60)
  }
  t.strictSame(said, [1, 5, 15, 30, 45, 60])
  t.end()
})

t.test('a caller that asks seldom is reminded once, however many times have passed', t => {
  const reminder = new Reminder(0)
  t.notOk(reminder.due(MINUTE - 1))
  t.ok(reminder.due(16 * MINUTE))
  t.notOk(reminder.due(16 * MINUTE))
  t.notOk(reminder.due(30 * MINUTE - 1))
  t.ok(reminder.due(30 * MINUTE))
  t.end()
})
