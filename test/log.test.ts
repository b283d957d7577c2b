import t from 'tap'
import { withFields } from '../src/log.ts'
import { Journal } from './tail/rig.ts'

t.test('a logger with fields adds them to each line, and a line’s own fields stand', t => {
  const journal = new Journal()
  const log = withFields(journal, { backend: 'main' })
  for (const level of ['error', 'warn', 'info', 'debug'] as const) log[level]({ event: 'watch_failed', code: 1 }, 'x')
  log.info({ event: 'backend_down', backend: 'other' }, 'y')
  t.strictSame(
    journal.said.slice(0, 4).map(({ level, fields }) => [level, fields]),
    [...['error', 'warn', 'info', 'debug'].map(level => [level, { backend: 'main', event: 'watch_failed', code: 1 }])],
  )
  t.match(journal.said[4], { fields: { backend: 'other' }, sentence: 'y' })
  t.end()
})
