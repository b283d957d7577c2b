/** Names of indices that are made of what a record says. */
import fc from 'fast-check'
import t from 'tap'
import { filled, indexTemplate, partitioningBy } from '../../src/backends/index_name.ts'
import { character } from '../character.ts'

const HOUR = 3_600_000
const TIME = '2026-01-02T03:04:05.678Z'

/** The name for these values, put together. */
function named(text: string, ...values: (string | undefined)[]): string {
  return filled(indexTemplate(text)!, values, TIME).join('')
}

t.test('text, dates and values stand where the template has them', async t => {
  t.equal(named('logs-app-default'), 'logs-app-default')
  t.equal(named('logs-%{yyyy.MM.dd}'), 'logs-2026.01.02')
  t.equal(named('logs-%{[svc]}-prod', 'web'), 'logs-web-prod')
  t.equal(named('%{[svc]}-%{yyyy}-%{MM.dd-HH}%{[a.b]}', 'web', 'x'), 'web-2026-01.02-03x')
})

t.test('what is not there is what the template says instead', async t => {
  t.equal(named('logs-%{[svc]}-%{[env]:none}'), 'logs-default-none')
  t.equal(named('logs-%{[svc]}-%{[env]:none}', undefined, 'Prod'), 'logs-default-prod')
  t.equal(named('%{[svc]}', '---'), 'default', 'nothing is left of it')
})

t.test('a value has small letters, no sign that is refused, and a bounded length', async t => {
  t.equal(named('a-%{[x]}', 'Check Out/Fast*?"<>|,#:\\\u0001'), `a-check_out_fast${'_'.repeat(11)}`)
  t.equal(named('%{[x]}-a', '_.-+Web-1'), 'web-1-a')
  t.equal(named('a-%{[x]}', '-b'), 'a--b')
  t.equal(named('a-%{[x]}', 'é'.repeat(200)), `a-${'é'.repeat(50)}`)
})

t.test('the text for a backend has NULs around each date, which is empty without a time', async t => {
  const partitioning = partitioningBy(indexTemplate('a-%{[level]}-%{yyyy}-%{[b][c]:x}')!, 7)!
  t.match(partitioning, {
    by: [{ kind: 'level' }, { kind: 'value', name: 'b.c', path: ['index'] }, { kind: 'time', period: 24 * HOUR }],
    most: 7,
  })
  t.equal(partitioning.text(['info', 'B\0C', undefined]), 'a-info-\0\0-b_c')
  t.equal(partitioning.text(['info', 'B\0C', TIME]), 'a-info-\x002026\0-b_c')
  t.equal(partitioningBy(indexTemplate('a-%{[b]}')!, 7)!.text(['c']), 'a-c')
  t.equal(partitioningBy(indexTemplate('logs-app-default')!, 7), undefined)
})

t.test('records are told apart by the hour only where a date has hours', async t => {
  const by = (text: string) => partitioningBy(indexTemplate(text)!, 7)!.by
  t.match(by('logs-%{yyyy.MM}'), [{ kind: 'time', period: 24 * HOUR }])
  t.match(by('logs-%{yyyy.MM.dd}-%{HH}'), [{ kind: 'time', period: HOUR }])
})

t.test('what is no template is refused', async t => {
  const wrong = [
    ...['', 'Logs', '-logs', '_x', '+x', 'a b', 'a/b', 'a*', 'a%{', '%{}', 'a}'],
    ...['%{svc}', '%{[]}', '%{[svc}', '%{[svc]:}', '%{[svc]:A}', '%{[svc]:a b}', '%{[a][]}', '%{YYYY}'],
    ...['%{[a]}%{[b]}%{[c]}%{[d]}%{[e]}', 'x'.repeat(201)],
  ]
  for (const text of wrong) t.equal(indexTemplate(text), undefined, text)
})

t.test('Elasticsearch takes the name, whatever the values are', async t => {
  const templates = [
    '%{[a]}',
    '%{[a]}%{[b]}',
    `${'x'.repeat(190)}%{[a]}-%{[b]}-%{[c]}%{[d]}`,
    '%{yyyy}%{[a]}',
    'l-%{[a]}.%{dd}',
  ]
  const property = () =>
    fc.assert(
      fc.property(
        fc.constantFrom(...templates),
        fc.array(fc.option(fc.string({ unit: character, maxLength: 300 }), { nil: undefined }), { maxLength: 4 }),
        (text, values) => {
          const name = named(text, ...values)
          const bytes = Buffer.byteLength(name)
          if (bytes < 1 || bytes > 255) throw new Error(`${bytes} bytes`)
          if (/^[-_+.]/.test(name)) throw new Error(`begins with ${name[0]}`)
          if (/[\\/*?"<>| ,#:\0]/.test(name)) throw new Error(`holds a sign that is refused: ${JSON.stringify(name)}`)
          if (name !== name.toLowerCase()) throw new Error('has capitals')
        },
      ),
      { numRuns: 2000 },
    )
  t.doesNotThrow(property)
})
