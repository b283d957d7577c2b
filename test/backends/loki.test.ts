import t from 'tap'
import type { Answer, BatchInfo, Verdict } from '../../src/backends/backend.ts'
import { createLoki, lokiSchema } from '../../src/backends/loki.ts'
import type { Chunk } from '../../src/chunk.ts'
import { NO_METADATA } from '../../src/metadata.ts'
import { subjects } from '../conformance/loki.ts'
import { origin } from '../delivery/rig.ts'
import { HOSTILE, lay, METADATA, said, ship } from './rig.ts'

const [subject, plain] = subjects
const CONTEXT = { name: 'main', metadata: () => METADATA }

const judge: (answer: Answer, batch: BatchInfo) => Verdict = createLoki(
  lokiSchema.parse({ endpoint: 'http://loki:3100' }),
  CONTEXT,
).judge

for (const { name, answer, verdict } of subject!.cases) {
  t.test(`${name}: ${verdict.kind}`, async t => {
    t.strictSame(judge(answer, { id: 'x', records: 10 }), verdict)
  })
}

t.test('labels are few; what has many values is structured metadata', async t => {
  const laid = await lay(t, subject!)
  await ship(laid, {
    lines: ['one', 'two'],
    origin: origin('/var/log/app/a.log', { team: 'checkout', 'k8s.io/x': 'y' }),
  })
  const { streams } = JSON.parse(laid.receiver.received[0]!.body)
  t.same(streams[0].stream, { source: 'app', namespace: 'shop', container: 'web', team: 'checkout', k8s_io_x: 'y' })
  t.same(streams[0].values[1][2], {
    file: '/var/log/app/a.log',
    pod: 'web-1',
    podUid: '7f3e',
    node: 'n1',
    app_kubernetes_io_name: 'web',
  })
  t.equal(BigInt(streams[0].values[1][0]) - BigInt(streams[0].values[0][0]), 1n, 'a nanosecond later')
})

t.test('files with equal labels share a stream, others have their own', async t => {
  const laid = await lay(t, subject!)
  const one = (path: string, labels = {}) => ({ lines: ['x', 'x'], origin: origin(path, labels) })
  await ship(laid, one('/a.log'), one('/b.log'), one('/c.log', { team: 'x' }))
  const { streams } = JSON.parse(laid.receiver.received[0]!.body)
  t.same(
    streams.map(({ values }: { values: unknown[] }) => values.length),
    [4, 2],
  )
  const times = new Set(laid.decoded().map(({ time }) => time))
  t.equal(times.size, 6, 'no two records have the same time')
})

t.test('hostile lines arrive as they are', async t => {
  for (const each of subjects) {
    const laid = await lay(t, each)
    await ship(laid, { lines: HOSTILE.map(([line]) => line) })
    t.strictSame(
      laid.decoded().map(({ message }) => message),
      HOSTILE.map(([, message]) => message),
      each.name,
    )
  }
})

t.test('a line that is too long for Loki is cut and says so', async t => {
  const laid = await lay(t, subject!)
  await ship(laid, { lines: ['short', '€'.repeat(100_000), 'short'] })
  const [, long, after] = laid.decoded()
  t.ok(long!.truncated)
  t.match(long!.attributes, { originalBytes: '300000' })
  t.ok(Buffer.byteLength(long!.message) > 260_000, 'as much as there is room for')
  t.notOk(after!.truncated)
  const old = await lay(t, plain!)
  await ship(old, { lines: ['x'.repeat(300_000)] })
  t.ok(old.decoded()[0]!.truncated, 'in the line itself, where there is no structured metadata')
  t.match(old.receiver.received[0]!.body, / \[truncated from 300000 bytes\]"\]/)
})

t.test('names fall into Loki’s grammar and stay apart', async t => {
  const chunk = {
    origin: origin('/a.log', {
      'a.b': '1',
      a_b: '2',
      '9x': '3',
      __reserved: '4',
      ä: '5',
      '': '6',
      empty: '',
      truncated: '7',
    }),
    cutFrom: 0,
    partial: false,
  } as unknown as Chunk
  const backend = createLoki(lokiSchema.parse({ endpoint: 'http://loki' }), { name: 'x', metadata: () => NO_METADATA })
  const { stream } = JSON.parse(`${Buffer.from(backend.group!(chunk).open)}]}`)
  t.same(stream, {
    source: 'app',
    a_b: '1',
    a_b_2: '2',
    _9x: '3',
    _reserved: '4',
    _: '5',
    _2: '6',
    truncated_2: '7',
  })
})

t.test('labels of values have names of their own, and count among the fifteen', async t => {
  const names = Array.from({ length: 13 }, (_, n) => `l${n}`)
  const origins = origin('/a.log', Object.fromEntries(names.map(name => [name, 'x'])))
  const labels = [...names, { field: 'a.b' }, { field: 'a_b' }, 'source'].slice(0, 15)
  const backend = createLoki(lokiSchema.parse({ endpoint: 'http://loki', labels }), CONTEXT)
  t.equal(backend.partitioning!.text(['1', undefined]), ',"a_b":"1"')
  t.equal(backend.partitioning!.text(['say "hi"', '2']), ',"a_b":"say \\"hi\\"","a_b_2":"2"')
  const { open, behind } = backend.group!({ origin: origins, cutFrom: 0 } as unknown as Chunk)
  const { stream } = JSON.parse(`${Buffer.from(open)}${Buffer.from(behind!)}]}`)
  t.strictSame(Object.keys(stream), names)
  const marks = lokiSchema.parse({ endpoint: 'http://loki', labels: ['level', { field: 'truncated' }, { field: '9' }] })
  t.equal(
    createLoki(marks, CONTEXT).partitioning!.text(['info', 'x', 'y']),
    ',"level":"info","truncated_2":"x","_9":"y"',
  )
})

t.test('a label’s value is cut at Loki’s limit, the sixteenth label becomes metadata', async t => {
  const labels = Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`l${n}`, '€'.repeat(1000)]))
  const laid = await lay(t, subject!)
  await ship(laid, { lines: ['x'], origin: origin('/a.log', labels) })
  const { streams } = JSON.parse(laid.receiver.received[0]!.body)
  t.equal(Object.keys(streams[0].stream).length, 15)
  t.equal(streams[0].stream.l0, '€'.repeat(682))
  t.equal(streams[0].values[0][2].l19, '€'.repeat(1000))
})

t.test('annotations without end stay below what a record may carry', async t => {
  const podAnnotations = Object.fromEntries(Array.from({ length: 300 }, (_, n) => [`a${n}`, '"\n'.repeat(5000)]))
  const chunk = { origin: origin(), cutFrom: 0, partial: false, recordTimeNanos: 1n } as unknown as Chunk
  const backend = createLoki(lokiSchema.parse({ endpoint: 'http://loki' }), {
    name: 'x',
    metadata: () => ({ ...METADATA, podAnnotations }),
  })
  const size = backend
    .segments(chunk)
    .reduce((sum, segment) => sum + (segment.kind === 'literal' ? segment.bytes.length : 0), 0)
  t.ok(size < 40_000, `${size} bytes`)
})

t.test('one line that is too long for this Loki is found and rejected, its neighbours are delivered', async t => {
  const tooLong = subject!.cases.find(({ name }) => name.startsWith('a line is too long'))!.answer
  const laid = await lay(t, subject!, {}, ({ body }) => (body.includes('poison') ? tooLong : undefined))
  await ship(laid, { lines: ['a', 'b', 'poison', 'c'] })
  t.match(laid.arena.outcome, { delivered: { lines: 3 }, rejected: { line_too_long: { lines: 1 } } })
})

t.test('what Loki refuses for a time or a label is not given up', async t => {
  const refused = subject!.cases.filter(
    ({ answer, verdict }) => answer.status === 400 && verdict.kind === 'retry' && verdict.misconfigured,
  )
  t.ok(refused.length >= 10)
  const laid = await lay(t, subject!, {}, (_request, count) => refused[count - 1]?.answer)
  await ship(laid, { lines: ['a', 'b'] })
  t.match(laid.arena.outcome, { delivered: { lines: 2 }, rejected: {} })
  t.equal(laid.receiver.received.length, refused.length + 1)
  t.match(said(laid), /backend misconfigured; retrying.*too_far_behind/)
})

t.test('what cannot be is refused by the configuration', async t => {
  const wrong: Record<string, unknown>[] = [
    { tenant: 'a/b' },
    { tenant: '..' },
    { tenant: '' },
    { labels: [] },
    { labels: Array.from({ length: 16 }, (_, n) => `l${n}`) },
    { labels: ['level', ...Array.from({ length: 14 }, (_, n) => ({ field: `l${n}` }))] },
    { labels: [{ field: '' }] },
    { labels: [{ as: 'x' }] },
    { labels: [{ field: 'x', as: 'level' }] },
    { labels: [{ field: 'level' }] },
    { maxLabelSets: 0 },
    { maxLabelSets: 1001 },
    { maxLineBytes: '10' },
    { endpoint: 'loki:3100' },
  ]
  for (const own of wrong) {
    t.notOk(lokiSchema.safeParse({ endpoint: 'http://loki', ...own }).success, JSON.stringify(own))
  }
})
