import t from 'tap'
import { EVENTS, type LogEvent, type LogEventAt } from '../src/events.ts'
import { type Logger, withFields } from '../src/log.ts'
import { Journal } from './tail/rig.ts'

t.test('a logger with fields adds them to each line, and a line’s own fields stand', t => {
  const journal = new Journal()
  const log = withFields(journal, { backend: 'main' })
  log.error({ event: 'data_lost', code: 1 }, 'x')
  log.warn({ event: 'watch_failed', code: 1 }, 'x')
  log.info({ event: 'started', code: 1 }, 'x')
  log.debug({ event: 'file_opened', code: 1 }, 'x')
  log.warn({ event: 'backend_down', backend: 'other' }, 'y')
  t.strictSame(
    journal.said.slice(0, 4).map(({ level, fields }) => [level, fields]),
    [
      ['error', 'data_lost'],
      ['warn', 'watch_failed'],
      ['info', 'started'],
      ['debug', 'file_opened'],
    ].map(([level, event]) => [level, { backend: 'main', event, code: 1 }]),
  )
  t.match(journal.said[4], { fields: { backend: 'other' }, sentence: 'y' })
  t.end()
})

t.test('an event is logged at its own level: another one does not compile', t => {
  const log: Logger = new Journal()
  // @ts-expect-error a warning
  log.error({ event: 'backend_down' }, 'x')
  // @ts-expect-error an error
  log.info({ event: 'data_lost' }, 'x')
  const some: readonly [LogEvent, LogEventAt<'error'>, LogEventAt<'debug'>] = ['started', 'data_lost', 'file_opened']
  // @ts-expect-error which event, and so which level, is not known
  log.warn({ event: some[0] }, 'x')
  t.strictSame(
    some.map(event => EVENTS[event].level),
    ['info', 'error', 'debug'],
  )
  t.end()
})
