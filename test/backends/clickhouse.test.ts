import t from 'tap'
import type { Answer, BatchInfo, Verdict } from '../../src/backends/backend.ts'
import { clickhouseSchema, createClickhouse } from '../../src/backends/clickhouse.ts'
import type { Chunk } from '../../src/chunk.ts'
import { subjects } from '../conformance/clickhouse.ts'
import { Arena, origin } from '../delivery/rig.ts'
import { finding } from './found.ts'
import { HOSTILE, lay, METADATA, ship } from './rig.ts'

const [subject, other] = subjects
const CONTEXT = { name: 'main', metadata: () => METADATA }
const made = (own: object = {}) =>
  createClickhouse(clickhouseSchema.parse({ endpoint: 'http://ch:8123', ...own }), CONTEXT)

const judge: (answer: Answer, batch: BatchInfo) => Verdict = made().judge

for (const { name, answer, verdict } of subject!.cases) {
  t.test(`${name}: ${verdict.kind}`, async t => {
    t.strictSame(judge(answer, { id: 'x', records: 10 }), verdict)
  })
}

t.test('a row has a column per attribute and one for all labels', async t => {
  const laid = await lay(t, subject!)
  await ship(laid, { lines: ['one'], origin: origin('/a.log', { team: 'checkout', message: 'forged' }) })
  const row = JSON.parse(laid.receiver.received[0]!.body)
  t.match(row.timestamp, /^2026-01-02T03:04:05\.678\d{6}Z$/)
  delete row.timestamp
  t.same(row, {
    message: 'one',
    source: 'app',
    file: '/a.log',
    namespace: 'shop',
    pod: 'web-1',
    podUid: '7f3e',
    node: 'n1',
    container: 'web',
    labels: { team: 'checkout', message: 'forged', 'app.kubernetes.io/name': 'web' },
  })
})

t.test('columns have other names, or none, and labels may be columns', async t => {
  const laid = await lay(t, other!)
  await ship(laid, { lines: ['one'], origin: origin('/a.log', { team: 'checkout', message: 'forged', at: 'forged' }) })
  const row = JSON.parse(laid.receiver.received[0]!.body)
  t.match(row, { at: /^2026/, message: 'one', team: 'checkout', 'app.kubernetes.io/name': 'web' })
  t.notOk('podUid' in row)
  t.notOk('labels' in row)
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

t.test('times go up by a nanosecond, whatever zeros lead them, and never lose a digit', async t => {
  const times = (nanoseconds: bigint, frames: number): string => {
    const chunk = {
      origin: origin(),
      cutFrom: 0,
      partial: false,
      frames,
      recordTimeNanos: 1_767_323_045_000_000_000n + nanoseconds,
    }
    const segments = made().segments(chunk as unknown as Chunk)
    return segments
      .slice(0, 3)
      .map(segment =>
        segment.kind === 'literal'
          ? `${Buffer.from(segment.bytes)}`
          : segment.kind === 'counter'
            ? `<${segment.value}>`
            : '',
      )
      .join('')
  }
  t.match(times(678_000_123n, 1000), '{"timestamp":"2026-01-02T03:04:05.<678000123>Z","message":"')
  t.match(times(123n, 100), '"2026-01-02T03:04:05.000000<123>Z"')
  t.match(times(0n, 1), '"2026-01-02T03:04:05.00000000<0>Z"')
  t.match(times(99_999_990n, 10), '"2026-01-02T03:04:05.0<99999990>Z"')
  t.match(times(99_999_990n, 11), '"2026-01-02T03:04:05.099999990Z"', 'a digit more on the way')
  t.match(times(999_999_990n, 11), '"2026-01-02T03:04:05.999999990Z"', 'the second is over on the way')
})

t.test('records of one chunk have times that ascend, also when it is sent in two requests', async t => {
  const laid = await lay(t, subject!, { batch: { maxRecords: 3 } })
  await ship(laid, { lines: ['a', 'b', 'c', 'd', 'e'] })
  t.equal(laid.receiver.received.length, 2)
  const [first] = laid.decoded()
  t.same(
    laid.decoded().map(({ time }) => time! - first!.time!),
    [0n, 1n, 2n, 3n, 4n],
  )
})

t.test('a request that is sent again has the same token, and another one has another', async t => {
  const laid = await lay(t, subject!, { batch: { maxRecords: 1 } }, (_request, count) =>
    count === 1 ? { status: 503, headers: {}, body: '' } : undefined,
  )
  await ship(laid, { lines: ['a', 'b'] })
  const tokens = laid.receiver.received.map(({ url }) =>
    new URL(url, 'http://x').searchParams.get('insert_deduplication_token'),
  )
  t.equal(tokens.length, 3)
  t.equal(tokens[0], tokens[1])
  t.not(tokens[1], tokens[2])
  t.match(tokens[0], /^7f3e-/, 'which no other pod has')
})

t.test(
  'names are quoted, settings of the user win, and old servers are not asked for what they do not know',
  async t => {
    const { path } = made({
      database: 'a`b',
      table: 'c\\d e',
      asyncInsert: false,
      deduplicate: false,
      settings: { date_time_input_format: 'basic', log_queries: false },
    }).request({ id: 'x', records: 1 })
    const { searchParams } = new URL(path, 'http://x')
    t.same(Object.fromEntries(searchParams), {
      query: 'INSERT INTO `a\\`b`.`c\\\\d e` FORMAT JSONEachRow',
      date_time_input_format: 'basic',
      input_format_skip_unknown_fields: '1',
      log_queries: '0',
    })
  },
)

t.test('what is only taken is not called stored', async t => {
  t.equal(made().ackLevel, 'stored')
  t.equal(made({ asyncInsert: false, waitForAsyncInsert: false }).ackLevel, 'stored')
  t.equal(made({ waitForAsyncInsert: false }).ackLevel, 'accepted')
})

t.test('a row that cannot be inserted is found and rejected, its neighbours are delivered', async t => {
  const poison = subject!.cases.find(({ verdict }) => verdict.kind === 'bisect')!.answer
  const laid = await lay(t, subject!, {}, ({ body }) => (body.includes('poison') ? poison : undefined))
  await ship(laid, { lines: ['a', 'poison', 'b', 'c', 'd'] })
  t.match(laid.arena.outcome, {
    delivered: { lines: 4 },
    rejected: { cannot_parse_input_assertion_failed: { lines: 1 } },
  })
})

t.test('what a person must mend costs no record', async t => {
  const all = subject!.cases.filter(({ verdict }) => verdict.kind === 'retry' || verdict.kind === 'unauthorized')
  t.ok(all.length > 20)
  const laid = await lay(t, subject!, {}, (_request, count) => all[count - 1]?.answer)
  await ship(laid, { lines: ['a', 'b'] })
  t.match(laid.arena.outcome, { delivered: { lines: 2 }, rejected: {} })
})

t.test('what cannot be is refused by the configuration', async t => {
  const wrong: Record<string, unknown>[] = [
    { table: 'logs.app' },
    { table: '' },
    { columns: { message: '' } },
    { columns: { nonsense: 'x' } },
    { settings: { 'a b': 1 } },
  ]
  for (const own of wrong) {
    t.notOk(clickhouseSchema.safeParse({ endpoint: 'http://ch', ...own }).success, JSON.stringify(own))
  }
})

t.test('a column that holds what stands in lines is the fault of a line, and any other one of the table', async t => {
  const backend = made()
  const exception = (column: string): Answer => {
    const words = `Cannot parse input: expected a number: (while reading the value of key ${column}): (at row 1)`
    const headers = { 'x-clickhouse-exception-code': '27' }
    return { status: 400, headers, body: `Code: 27. DB::Exception: ${words}. (CANNOT_PARSE_INPUT_ASSERTION_FAILED)` }
  }
  const meaning = (column: string): string => backend.judge(exception(column), { id: 'x', records: 10 }).kind
  t.same(['status', 'pod'].map(meaning), ['retry', 'retry'], 'where lines are not parsed they are in no column')
  const slab = new Arena(1 << 20, 0, finding({ parse: 'json', levelled: true })).slab({ lines: ['{"status":"x"}'] })
  backend.segments(slab.chunks[0]!)
  t.same(['status', 'message'].map(meaning), ['bisect', 'bisect'])
  t.same(['pod', 'timestamp', 'level'].map(meaning), ['retry', 'retry', 'retry'])
})
