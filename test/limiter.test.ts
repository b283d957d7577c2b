import t from 'tap'
import type { Level, LimitRule } from '../src/events/rule.ts'
import { EVENTS } from '../src/events.ts'
import { Limiter } from '../src/limiter.ts'
import { HandClock } from './clock.ts'
import { Journal } from './tail/rig.ts'

function limited(enabled?: (level: Level) => boolean) {
  const journal = new Journal()
  const clock = new HandClock()
  const log = new Limiter(journal, { clock, ...(enabled && { enabled }) })
  return { journal, clock, log, fields: () => journal.said.map(({ fields }) => fields) }
}

const unreadable = (path: string, more = {}) => ({ event: 'file_unreadable', path, ...more }) as const

t.test('a subject’s first line is written at once, and what follows is counted when the minute ends', t => {
  const { clock, log, fields } = limited()
  for (let second = 0; second < 30; second++) {
    log.warn(unreadable('/a', { code: second }), 'it failed')
    clock.pass(1000)
  }
  t.strictSame(fields(), [unreadable('/a', { code: 0 })])
  clock.pass(30_000)
  t.strictSame(fields()[1], unreadable('/a', { code: 29, suppressed: 29 }), 'the last of them, though nothing followed')
  clock.pass(59_000)
  log.warn(unreadable('/a'), 'it failed')
  t.equal(fields().length, 2, 'the count was a line of its own, and the minute begins with it')
  clock.pass(1000)
  t.strictSame(fields()[2], unreadable('/a', { suppressed: 1 }))
  clock.pass(120_000)
  log.warn(unreadable('/a'), 'it failed')
  t.strictSame(fields()[3], unreadable('/a'), 'what was quiet for a while is news again')
  t.end()
})

t.test('whatever is due is written before what comes next, should the clock’s call be late', t => {
  const journal = new Journal()
  let now = 0
  const log = new Limiter(journal, { clock: { now: () => now, after: () => () => {} } })
  log.warn(unreadable('/a'), 'it failed')
  log.warn(unreadable('/a'), 'it failed')
  now = 60_000
  log.warn(unreadable('/b'), 'it failed')
  t.strictSame(
    journal.said.map(({ fields }) => fields),
    [unreadable('/a'), unreadable('/a', { suppressed: 1 }), unreadable('/b')],
  )
  t.end()
})

t.test('a subject is made of fields, not of the sentence: two backends, sources or paths never hide each other', t => {
  const { log, fields } = limited()
  log.warn({ event: 'backend_down', backend: 'a', reason: 'ECONNREFUSED' }, 'backend unavailable; retrying')
  log.warn({ event: 'backend_down', backend: 'b', reason: 'ECONNREFUSED' }, 'backend unavailable; retrying')
  log.warn({ event: 'backend_down', backend: 'a', reason: 'http_503' }, 'backend unavailable; retrying')
  log.warn({ event: 'backend_down', backend: 'a', reason: 'ECONNREFUSED' }, 'other words for the same')
  log.warn(unreadable('/a'), 'it failed')
  log.warn(unreadable('/b'), 'it failed')
  t.equal(fields().length, 5)
  t.end()
})

t.test('a loss is added up and never left out, with the number of files and their first paths', t => {
  const { clock, log, journal, fields } = limited()
  const lost = (path: string, bytes: number, source = 'app') =>
    log.error({ event: 'data_lost', source, path, bytes }, 'gone')
  lost('/logs/0.log', 100)
  lost('/other.log', 7, 'other')
  for (let n = 1; n <= 10; n++) lost(`/logs/${n}.log`, n)
  lost('/logs/10.log', 1000)
  t.strictSame(fields(), [
    { event: 'data_lost', source: 'app', path: '/logs/0.log', bytes: 100 },
    { event: 'data_lost', source: 'other', path: '/other.log', bytes: 7 },
  ])
  clock.pass(30_000)
  t.strictSame(journal.said[2], {
    level: 'error',
    fields: {
      event: 'data_lost',
      source: 'app',
      bytes: 1055,
      files: 10,
      paths: [1, 2, 3, 4, 5].map(n => `/logs/${n}.log`),
      times: 11,
    },
    sentence: 'gone',
  })
  lost('/logs/a.log', 1)
  t.equal(fields().length, 3)
  clock.pass(30_000)
  t.strictSame(
    fields()[3],
    { event: 'data_lost', source: 'app', path: '/logs/a.log', bytes: 1 },
    'one is said as it is',
  )
  t.end()
})

t.test('whatever happens, the lines about a loss add up to it', t => {
  const { clock, log, fields } = limited()
  let bytes = 0
  for (let n = 0; n < 20_000; n++) {
    bytes += n
    log.error({ event: 'data_lost', source: `source ${n % 50}`, path: `/logs/${n}`, bytes: n }, 'gone')
    clock.pass(n % 7 === 0 ? 25 : 0)
  }
  log.error({ event: 'ended' }, 'ended')
  const lines = fields()
  t.equal(
    lines.reduce((sum, line) => sum + Number(line['bytes'] ?? 0), 0),
    bytes,
  )
  t.ok(lines.length < 200, `${lines.length} lines`)
  t.match(lines.at(-1), { event: 'ended' }, 'and all of it before the last line')
  t.end()
})

t.test('sources beyond those that have lines of their own are added up together, and no name is said of them', t => {
  const { clock, log, fields } = limited()
  for (let n = 0; n < 30; n++) log.error({ event: 'data_lost', source: `s${n}`, path: `/${n}`, bytes: 1 }, 'gone')
  t.equal(fields().length, 20)
  clock.pass(30_000)
  t.strictSame(fields().slice(20), [
    { event: 'data_lost', bytes: 10, files: 10, paths: ['/20', '/21', '/22', '/23', '/24'], times: 10 },
  ])
  t.end()
})

t.test('a thousand new names a second leave the log readable, and hide nothing of other events', t => {
  const { clock, log, journal, fields } = limited()
  for (let second = 0; second < 120; second++) {
    for (let n = 0; n < 1000; n++) {
      log.warn({ event: 'path_refused', source: 'app', path: `/logs/${second}-${n}`, reason: 'a link' }, 'not followed')
    }
    if (second === 90) log.error({ event: 'credentials_refused', backend: 'main', reason: 'http_401' }, 'refused')
    clock.pass(1000)
  }
  t.ok(journal.said.length < 70, `${journal.said.length} lines in two minutes`)
  const said = fields().filter(({ event }) => event === 'path_refused')
  t.equal(said.length + said.reduce((sum, { others = 0 }) => sum + Number(others), 0) - 2, 120_000, 'all are counted')
  t.ok(fields().some(({ event }) => event === 'credentials_refused'))
  t.end()
})

t.test('lines and bytes a minute are bounded over all events, with a reserve for errors; the excess is counted', t => {
  const { clock, log, journal } = limited()
  const events = (Object.keys(EVENTS) as (keyof typeof EVENTS)[]).filter(event => {
    const rule: LimitRule = EVENTS[event].rule
    return rule.kind === 'each' && rule.by.length > 0
  })
  // Each is about a subject of its own, whatever its subjects are told apart by.
  const fields = (event: keyof typeof EVENTS, n: number) => {
    const rule = EVENTS[event].rule as Extract<LimitRule, { kind: 'each' }>
    return { event, ...Object.fromEntries(rule.by.map(name => [name, `${n}`])) } as const
  }
  let said = 0
  const flood = (level: 'warn' | 'error') => {
    for (const event of events) {
      for (let n = 0; n < 20; n++, said++) log[level]({ ...fields(event, n), level }, 'x'.repeat(50))
    }
  }
  flood('warn')
  t.equal(journal.said.length, 300)
  log.error({ event: 'state_unlocked', dir: '/' }, 'always')
  log.error({ event: 'data_lost', source: 'app', path: '/', bytes: 1 }, 'a loss')
  t.equal(journal.said.length, 302)
  clock.pass(60_000)
  const limit = journal.said.find(({ fields }) => fields['event'] === 'log_limited')
  t.match(limit, { level: 'warn', fields: { lines: said - 300 } })
  t.end()
})

t.test('a line counts with its bytes, and errors have room when others have none any more', t => {
  const { log, journal } = limited()
  const long = 'x'.repeat(8 * 1024)
  for (let n = 0; n < 20; n++) log.warn(unreadable(`${n}`), long)
  t.equal(journal.said.length, 15)
  for (let n = 20; n < 40; n++) log.error({ event: 'credentials_unreadable', backend: `${n}` }, long)
  t.equal(journal.said.length, 21)
  t.end()
})

t.test('lines at debug have a limit of their own, and take no room from warnings', t => {
  const { clock, log, journal } = limited()
  const opened = (n: number) => ({ event: 'file_opened', path: `/logs/${n}.log` }) as const
  for (let n = 0; n < 5000; n++) log.debug(opened(n), 'file opened')
  t.equal(journal.said.length, 3000)
  log.warn(unreadable('/a'), 'it failed')
  t.equal(journal.said.length, 3001)
  clock.pass(60_000)
  t.match(journal.said.at(-1), { level: 'warn', fields: { event: 'log_limited', lines: 2000 } })
  t.end()
})

t.test('what is not written because of its level is not counted either', t => {
  const { clock, log, journal } = limited(level => level === 'error')
  for (let n = 0; n < 1000; n++) log.warn(unreadable(`/${n % 3}`), 'it failed')
  clock.pass(60_000)
  t.strictSame(journal.said, [])
  t.equal(clock.waiting, 0)
  log.error(unreadable('/0'), 'it failed')
  t.equal(journal.said.length, 1)
  t.end()
})

t.test('when nothing is owed any more nothing waits and nothing is kept', t => {
  const { clock, log } = limited()
  for (let n = 0; n < 500; n++) log.warn(unreadable(`/${n}`), 'it failed')
  for (let n = 0; n < 500; n++) log.error({ event: 'data_lost', source: `${n}`, path: '/', bytes: 1 }, 'gone')
  clock.pass(600_000)
  t.equal(clock.waiting, 0)
  t.end()
})
