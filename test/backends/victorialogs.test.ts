import t from 'tap'
import type { Answer, BatchInfo, Verdict } from '../../src/backends/backend.ts'
import { createVictorialogs, victorialogsSchema } from '../../src/backends/victorialogs.ts'
import { subject } from '../conformance/victorialogs.ts'
import { origin } from '../delivery/rig.ts'
import { until } from '../program.ts'
import { HOSTILE, lay, METADATA, ship } from './rig.ts'

const judge: (answer: Answer, batch: BatchInfo) => Verdict = createVictorialogs(
  victorialogsSchema.parse({ endpoint: 'http://vl:9428' }),
  {
    name: 'main',
    metadata: () => METADATA,
  },
).judge

for (const { name, answer, verdict } of subject.cases) {
  t.test(`${name}: ${verdict.kind}`, async t => {
    t.strictSame(judge(answer, { id: 'x', records: 10 }), verdict)
  })
}

t.test('a record says where it comes from, and has nanoseconds', async t => {
  const laid = await lay(t, subject)
  await ship(laid, {
    lines: ['one', 'two'],
    origin: origin('/var/log/app/a.log', { team: 'checkout' }),
    partial: false,
  })
  const [one, two] = laid.decoded()
  t.same(one!.attributes, {
    source: 'app',
    file: '/var/log/app/a.log',
    namespace: 'shop',
    pod: 'web-1',
    podUid: '7f3e',
    node: 'n1',
    container: 'web',
    team: 'checkout',
    'app.kubernetes.io/name': 'web',
  })
  t.equal(two!.time! - one!.time!, 1n)
})

t.test('hostile lines arrive as they are', async t => {
  const laid = await lay(t, subject)
  await ship(laid, { lines: HOSTILE.map(([line]) => line) })
  t.strictSame(
    laid.decoded().map(({ message }) => message),
    HOSTILE.map(([, message]) => message),
  )
})

t.test('no line is so long that it would be skipped, however much grows when it is escaped', async t => {
  const laid = await lay(t, subject)
  const lines = ['x'.repeat(262_144), '"'.repeat(200_000), '\u0001'.repeat(100_000), 'short']
  await ship(laid, { lines })
  t.same(
    laid.decoded().map(({ truncated }) => truncated),
    [true, true, true, false],
  )
  t.same(
    laid.decoded().map(({ attributes }) => attributes['originalBytes']),
    ['262144', '200000', '100000', undefined],
  )
  t.match(laid.arena.outcome, { delivered: { lines: 4 }, rejected: {} })
})

t.test('no label takes a name that VictoriaLogs gives a meaning, or one that it would skip the line for', async t => {
  const laid = await lay(t, subject)
  const labels = {
    _msg: 'forged',
    _time: '0',
    _stream: '{}',
    _stream_id: '0',
    ['n'.repeat(129)]: 'x',
    good: 'yes',
    empty: '',
  }
  await ship(laid, { lines: ['x'], origin: origin('/a.log', labels) })
  const { message, attributes } = laid.decoded()[0]!
  t.equal(message, 'x')
  t.equal(attributes['good'], 'yes')
  for (const name of Object.keys(labels)) if (name !== 'good') t.notOk(name in attributes, name)
})

t.test('a line that it cannot read is found and rejected alone', async t => {
  const unreadable = subject.cases.find(({ verdict }) => verdict.kind === 'bisect')!.answer
  // It reads what it can and complains only if that is nothing.
  const laid = await lay(t, subject, {}, ({ body }) =>
    body.split('\n').every(line => line === '' || line.includes('poison')) ? unreadable : undefined,
  )
  await ship(laid, { lines: ['poison'] }, { lines: ['a', 'b'], origin: origin('/b.log') })
  t.match(laid.arena.outcome, { delivered: { lines: 3 } }, 'in company it is skipped in silence')
  const alone = ship(laid, { lines: ['poison'] })
  t.ok(await until(() => laid.delivery.aside === 1))
  await ship(laid, { lines: ['c'] })
  await alone
  t.match(laid.arena.outcome.rejected, { unreadable_line: { lines: 1 } }, 'alone it is refused, while another is taken')
})

t.test('what cannot be is refused by the configuration', async t => {
  const wrong: Record<string, unknown>[] = [
    { streamFields: ['a,b'] },
    { accountId: -1 },
    { projectId: 2 ** 32 },
    { maxRecordBytes: '3MiB' },
  ]
  for (const own of wrong) {
    t.notOk(victorialogsSchema.safeParse({ endpoint: 'http://vl', ...own }).success, JSON.stringify(own))
  }
})
