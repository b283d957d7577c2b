/** The closed set of events, and the page that is made of it. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { troubleshooting } from '../docs/generate/troubleshooting.ts'
import { BACKENDS } from '../src/events/backends.ts'
import { FILES } from '../src/events/files.ts'
import { PROCESS } from '../src/events/process.ts'
import type { Row } from '../src/events/rule.ts'
import { STATE } from '../src/events/state.ts'
import { EVENTS } from '../src/events.ts'

const root = join(import.meta.dirname, '..')
const rows: readonly (readonly [string, Row])[] = Object.entries(EVENTS)

t.test('docs/troubleshooting.md is what the events say (npm run -s docs)', t => {
  const page = readFileSync(join(root, 'docs/troubleshooting.md'), 'utf8')
  t.equal(page, troubleshooting())
  const missing = rows.map(([event]) => event).filter(event => !page.includes(`\n### ${event}\n`))
  t.strictSame(missing, [], 'no event lacks an entry')
  t.end()
})

t.test('no two groups have an event of the same name', t => {
  const all = [PROCESS, BACKENDS, FILES, STATE].flatMap(group => Object.keys(group))
  t.equal(all.length, rows.length)
  t.end()
})

t.test('each event is logged somewhere', t => {
  const source = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
    .filter(file => file.endsWith('.ts') && !file.startsWith('events'))
    .map(file => readFileSync(join(root, 'src', file), 'utf8'))
    .join('\n')
  t.strictSame(
    rows.map(([event]) => event).filter(event => !source.includes(`'${event}'`)),
    [],
  )
  t.end()
})

t.test('each row says what it means and what to do, in sentences', t => {
  const sentences = /^[A-Z`‘“].*[.!]$/s
  const wrong = rows.filter(([, { means, action }]) => !sentences.test(means) || !sentences.test(action))
  t.strictSame(
    wrong.map(([event]) => event),
    [],
  )
  t.end()
})

t.test('an error or a warning never leaves its reader without anything to do', t => {
  const idle = rows.filter(([, { level, action }]) => (level === 'error' || level === 'warn') && action === 'Nothing.')
  t.strictSame(
    idle.map(([event]) => event),
    [],
  )
  t.end()
})

t.test('what is added up has a number, and every loss is added up', t => {
  for (const event of [
    'data_lost',
    'data_dropped',
    'records_rejected',
    'record_too_large',
    'dead_letter_lost',
  ] as const) {
    const { rule } = EVENTS[event]
    t.equal(rule.kind, 'sum', event)
    if (rule.kind === 'sum') t.ok(rule.of.length > 0)
  }
  t.end()
})
