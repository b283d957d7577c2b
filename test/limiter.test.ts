import t from 'tap'
import { rateLimited } from '../src/log.ts'
import { Journal } from './tail/rig.ts'

t.test('a sentence about one thing is said once in a while, with the number of times it was not', t => {
  const journal = new Journal()
  let now = 0
  const log = rateLimited(journal, 1000, () => now)
  for (now = 0; now < 3000; now += 100) log.warn({ about: 'a', code: 'E' }, 'it failed')
  t.strictSame(journal.said, [
    { level: 'warn', fields: { about: 'a', code: 'E' }, sentence: 'it failed' },
    { level: 'warn', fields: { about: 'a', code: 'E', suppressed: 9 }, sentence: 'it failed' },
    { level: 'warn', fields: { about: 'a', code: 'E', suppressed: 9 }, sentence: 'it failed' },
  ])
  t.end()
})

t.test('other things, sentences and levels are said at once', t => {
  const journal = new Journal()
  const log = rateLimited(journal, 1000, () => 0)
  log.warn({ about: 'a' }, 'it failed')
  log.warn({ about: 'b' }, 'it failed')
  log.warn({}, 'it failed')
  log.warn({ about: 'a' }, 'it failed again')
  log.error({ about: 'a' }, 'it failed')
  log.info({ about: 'a' }, 'it failed')
  log.debug({ about: 'a' }, 'it failed')
  log.debug({ about: 'a' }, 'it failed')
  t.equal(journal.said.length, 7)
  t.end()
})

t.test('a burst of things makes it forget, not grow: nothing is hidden for it', t => {
  const journal = new Journal()
  const log = rateLimited(journal, 1000, () => 0)
  for (let n = 0; n < 5000; n++) log.warn({ about: `file ${n}` }, 'it failed')
  t.equal(journal.said.length, 5000)
  log.warn({ about: 'file 0' }, 'it failed')
  t.equal(journal.said.length, 5001, 'what was forgotten is said again')
  t.end()
})
