/**
 * Time, level and fields that were found in a line, through every backend that speaks HTTP, read again by code of the test's
 * own: numbers as they were written, the shipper's own names not forged, none of them twice, and nothing lost where a
 * backend has no place for it.
 */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import type { Answer } from '../../src/backends/backend.ts'
import type { Settled } from '../../src/ledger.ts'
import { finding, membersOf } from '../backends/found.ts'
import { character } from '../character.ts'
import { Arena } from '../delivery/rig.ts'
import { seedOf } from '../support/seed.ts'
import type { OtlpDecoded } from './otlp.ts'
import { configured, created, stage } from './stage.ts'
import type { Decoded, Request, Subject } from './subject.ts'
import { SUBJECTS } from './subjects.ts'

const MIB = 1 << 20
/** A minute ago: what is older than a backend takes is sent with another time. */
const TIME = new Date(Math.floor(Date.now() / 1000) * 1000 - 60_000 + 250).toISOString()
const NANOS = BigInt(Date.parse(TIME)) * 1_000_000n
const TRACE = '0af7651916cd43dd8448eb211c80319c'
const SPAN = 'b7ad6b7169203331'

/** What a record says, as its backend was sent it: values as they are written, or as texts where there are only such. */
interface Shown {
  readonly message: string
  readonly time: string | undefined
  readonly level: string | undefined
  readonly fields: readonly (readonly [name: string, value: string])[]
}

interface Place {
  /** How values stand there; `line`: nothing is shown but the line. */
  readonly values: 'json' | 'texts' | 'line'
  readonly show: (request: Request) => Shown[]
  readonly time: string
}

/** Objects that follow each other, or stand in an array. */
function objectsOf(text: string): string[] {
  const found: string[] = []
  let [depth, start] = [0, 0]
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '"') for (at++; text[at] !== '"'; at++) if (text[at] === '\\') at++
    if (text[at] === '{' && depth++ === 0) start = at
    if (text[at] === '}' && --depth === 0) found.push(text.slice(start, at + 1))
  }
  return found
}

const said = (members: readonly (readonly [string, string])[], name: string): string | undefined => {
  const value = new Map(members).get(name)
  return value?.startsWith('"') ? JSON.parse(value) : value
}

/** A record that is an object with everything in it. */
const flat =
  (message: string, time: string, level: string) =>
  ({ body }: Request): Shown[] =>
    objectsOf(body.toString()).map(text => {
      const fields = membersOf(text)
      return { message: said(fields, message)!, time: said(fields, time), level: said(fields, level), fields }
    })

const texts = (members: [string, string][]): [string, string][] =>
  members.map(([name, value]) => [name, JSON.parse(value)])

function loki({ body }: Request): Shown[] {
  const values = [
    ...body.toString().matchAll(/\["(\d{19})","((?:[^"\\]|\\.)*)"(,\{(?:[^"{}]|"(?:[^"\\]|\\.)*")*\})?\]/g),
  ]
  return values.map(([, time, line, more]) => {
    const fields = more === undefined ? [] : texts(membersOf(more))
    return { message: JSON.parse(`"${line}"`), time, level: new Map(fields).get('level'), fields }
  })
}

function splunk({ body, url }: Request): Shown[] {
  if (url.includes('/ack?')) return []
  return objectsOf(body.toString()).map(text => {
    const all = new Map(membersOf(text))
    const event = all.get('event')!
    const inside = event.startsWith('{')
    const fields = inside ? membersOf(event) : texts(membersOf(all.get('fields')!))
    const level = inside ? said(fields, 'level') : new Map(fields).get('level')
    return { message: inside ? said(fields, 'message')! : JSON.parse(event), time: all.get('time'), level, fields }
  })
}

function newrelic({ body }: Request): Shown[] {
  return JSON.parse(body.toString()).length === 0
    ? []
    : objectsOf(body.toString().slice(1)).flatMap(group => {
        const { logs } = Object.fromEntries(membersOf(group)) as { logs: string }
        return objectsOf(logs).map(log => {
          const all = membersOf(log)
          const fields = membersOf(new Map(all).get('attributes')!)
          return { message: said(all, 'message')!, time: said(all, 'timestamp'), level: said(fields, 'level'), fields }
        })
      })
}

/** Entries of Cloud Logging: what was found is the payload, and the severity stands beside it. */
function google({ body }: Request): Shown[] {
  const { entries } = Object.fromEntries(membersOf(body.toString())) as { entries: string }
  return objectsOf(entries).map(text => {
    const all = membersOf(text)
    const fields = membersOf(new Map(all).get('jsonPayload')!)
    const severity = said(all, 'severity')
    if (said(fields, 'trace_id') === TRACE) assert.equal(said(all, 'trace'), `projects/my-project/traces/${TRACE}`)
    const level = severity === 'WARNING' ? 'warn' : severity?.toLowerCase()
    return { message: said(fields, 'message')!, time: said(all, 'timestamp'), level, fields }
  })
}

/** Rows of Azure Monitor: what has no column stands in one. */
function azure({ body }: Request): Shown[] {
  return objectsOf(body.toString()).map(text => {
    const all = membersOf(text)
    const fields = membersOf(new Map(all).get('Fields')!)
    return { message: said(all, 'Message')!, time: said(all, 'TimeGenerated'), level: said(all, 'Level'), fields }
  })
}

function elasticsearch({ body }: Request): Shown[] {
  return objectsOf(body.toString())
    .filter(text => !text.startsWith('{"create"'))
    .map(text => {
      const fields = membersOf(text)
      const level = said(membersOf(new Map(fields).get('log')!), 'level')
      return { message: said(fields, 'message')!, time: said(fields, '@timestamp'), level, fields }
    })
}

function firehose(request: Request): Shown[] {
  const { Records } = JSON.parse(request.body.toString()) as { Records: { Data: string }[] }
  const body = Buffer.concat(Records.map(({ Data }) => Buffer.from(Data, 'base64')))
  return flat('message', 'timestamp', 'level')({ ...request, body })
}

const line = (request: Request, subject: Subject): Shown[] =>
  subject.decode(request).map(({ message }) => ({ message, time: undefined, level: undefined, fields: [] }))

const [SECONDS, MILLIS] = [`${NANOS / 1_000_000_000n}.250`, `${NANOS / 1_000_000n}`]
const PLACES: Readonly<Record<string, (subject: Subject) => Place>> = {
  http: subject => ({
    values: subject.verbatim ? 'line' : 'json',
    time: TIME,
    show: subject.verbatim ? request => line(request, subject) : flat('message', 'timestamp', 'level'),
  }),
  clickhouse: ({ name }) => ({
    values: 'json',
    time: TIME,
    show: flat('message', name === 'clickhouse' ? 'timestamp' : 'at', 'level'),
  }),
  datadog: () => ({ values: 'json', time: MILLIS, show: flat('message', 'timestamp', 'status') }),
  victorialogs: () => ({ values: 'json', time: `${NANOS}`, show: flat('_msg', '_time', 'level') }),
  cloudwatch: subject => ({ values: 'line', time: MILLIS, show: request => line(request, subject) }),
  firehose: () => ({ values: 'json', time: TIME, show: firehose }),
  s3: () => ({ values: 'json', time: TIME, show: flat('message', 'timestamp', 'level') }),
  newrelic: () => ({ values: 'json', time: MILLIS, show: newrelic }),
  azure_monitor: () => ({ values: 'json', time: TIME, show: azure }),
  google_cloud_logging: () => ({ values: 'json', time: TIME, show: google }),
  elasticsearch: () => ({ values: 'json', time: TIME, show: elasticsearch }),
  loki: ({ name }) => ({ values: name === 'loki' ? 'texts' : 'line', time: `${NANOS}`, show: loki }),
  splunk_hec: subject => ({
    values: subject.name.includes('raw') ? 'line' : subject.name.includes('event') ? 'texts' : 'json',
    time: SECONDS,
    show: subject.name.includes('raw') ? request => line(request, subject) : splunk,
  }),
}

/** Ships lines in which time and level are looked for, and returns what was sent. */
async function through<T extends Decoded | Shown>(
  t: Test,
  subject: Subject,
  lines: readonly (string | Buffer)[],
  read: (request: Request) => T[],
  looking: Parameters<typeof finding>[0] = { parse: 'json', timed: true, levelled: true },
): Promise<T[]> {
  const shown: T[] = []
  const decode = (request: Request): Decoded[] => {
    const all = read(request)
    shown.push(...all)
    return all.map(({ message }) => ({ message, attributes: {}, truncated: false }))
  }
  const arena = new Arena(16 * MIB, 0, finding(looking))
  const staged = await stage(t, { ...subject, decode }, { arena })
  await staged.ship({ lines, readAt: Date.now() })
  t.same(staged.server.wrong, [])
  t.equal(arena.outcome.delivered.lines, lines.length)
  return shown
}

const OTHERS = [
  ['status', '200'],
  ['big', '9007199254740993'],
  ['ratio', '1046.8333333333335'],
  ['req', '{"method":"GET","path":"/a?b=\\"c\\"","deep":[1,{"x":null}]}'],
  ['tags', '["x",1,null]'],
  ['empty', '""'],
  ['none', 'null'],
  ['ok', 'true'],
  ['na"me \\ ü', '"v\\u0041\\n😀"'],
] as const

const HOSTILE = `{"time":"${TIME}","level":"Warning","msg":"said \\"hi\\"\\u0001 ü€😀","a":1,${OTHERS.map(
  ([name, value]) => `${JSON.stringify(name)}:${value}`,
).join(',')},"\\u0061":"last","source":"forged","truncated":true,"trace_id":"${TRACE}","span_id":"${SPAN}"}`
const MESSAGE = 'said "hi"\u0001 ü€😀'

/** Flags of these, and those of Splunk's events that are objects, stand elsewhere; Datadog's level is its status. */
const APART = ['elasticsearch', 'google_cloud_logging', 'azure_monitor']

function renamed({ type, name }: Subject, field: string): string {
  const apart = APART.includes(type) || /json|ack/.test(type === 'splunk_hec' ? name : '')
  if (field === 'line_truncated' && apart) return 'truncated'
  return field === 'status' && type === 'datadog' ? 'line_status' : field
}

const asText = (value: string): string => (value.startsWith('"') ? JSON.parse(value) : value)

t.setTimeout(180_000)
for (const subject of SUBJECTS.filter(({ type }) => type !== 'otlp')) {
  const { values, show, time } = PLACES[subject.type]!(subject)

  t.test(`${subject.name}: what was found stands in its place, as it was written`, async t => {
    const lines = [HOSTILE, '{"level":"ERROR","x":"y"}', Buffer.from('pl\xffain', 'latin1')]
    const [first, second, third, ...none] = await through(t, subject, lines, show)
    t.same(none, [])
    t.equal(third?.message, subject.verbatim ? 'pl\ufffdain' : 'pl\ufffdain')
    if (values === 'line') {
      t.equal(first?.message, HOSTILE)
      return
    }
    t.equal(first?.message, MESSAGE)
    t.equal(second?.message, '{"level":"ERROR","x":"y"}')
    t.equal(first?.time, time)
    t.not(second?.time, time)
    const written = subject.type === 'elasticsearch'
    t.equal(first?.level, written ? 'Warning' : 'warn')
    t.equal(second?.level, written ? 'ERROR' : 'error')
    t.ok([undefined, 'unknown'].includes(third?.level))
    const names = first!.fields.map(([name]) => name)
    t.equal(new Set(names).size, names.length, 'no name stands twice')
    const fields = new Map(first!.fields)
    const raw = [...OTHERS, ['a', '"last"'], ['line_truncated', 'true']] as const
    for (const [name, value] of raw) {
      const wanted = values === 'json' ? value : asText(value)
      t.equal(fields.get(renamed(subject, name)), wanted, name)
    }
    const inside = ['source', 'line_source'].map(name => fields.get(name)).map(text => text && asText(text))
    t.ok(inside.includes('forged'))
    t.equal(fields.get('time'), undefined)
    t.equal(fields.get('msg'), undefined)
    if (written)
      t.match(
        fields,
        new Map([
          ['trace.id', `"${TRACE}"`],
          ['span.id', `"${SPAN}"`],
        ]),
      )
    else t.equal(asText(fields.get('trace_id')!), TRACE)
    t.same(new Map(second!.fields).get('x'), values === 'json' ? '"y"' : 'y')
  })

  t.test(`${subject.name}: a record says for how many it stands, and which share was kept`, async t => {
    if (values === 'line') return
    const looking = { parse: 'json', repeated: [3], sampled: [0.25, 1] } as const
    const [first, second] = await through(t, subject, ['{"msg":"a","x":1}', 'b'], show, looking)
    const marks = (shown: Shown | undefined) => {
      const own = subject.type === 'elasticsearch' ? membersOf(new Map(shown!.fields).get('event')!) : shown!.fields
      const all = new Map(own)
      return [all.get('repeated') ?? all.get('count'), all.get('sampled')]
    }
    t.same(marks(first), ['3', '0.25'])
    t.same(marks(second), [undefined, '0.25'])
  })

  t.test(`${subject.name}: members of objects are values under their whole names, where that is asked for`, async t => {
    if (values === 'line') return
    const choices = [{ rename: { 'req.path': 'path' }, drop: [], keep: [], flatten: true }]
    const [first] = await through(t, subject, [HOSTILE], show, { parse: 'json', choices })
    const fields = new Map(first!.fields)
    const wanted = { 'req.method': '"GET"', path: '"/a?b=\\"c\\""', 'req.deep': '[1,{"x":null}]', tags: '["x",1,null]' }
    for (const [name, value] of Object.entries(wanted)) {
      t.equal(fields.get(name), values === 'json' ? value : asText(value), name)
    }
    t.notOk(fields.has('req'))
    t.equal(fields.size, first!.fields.length, 'no name stands twice')
  })

  t.test(`${subject.name}: any line arrives as a record, and no name in it stands twice`, async t => {
    if (subject.name.includes('ack') || values === 'line') return
    const key = fc.oneof(
      fc.constantFrom(
        'level',
        'source',
        'line_source',
        'repeated',
        'log',
        'log.x',
        '',
        'message',
        '_msg',
        'file',
        'status',
      ),
      fc.string({ unit: character, maxLength: 5 }).filter(text => !/[\ud800-\udfff]/.test(text)),
    )
    const value = fc.json({ maxDepth: 1 })
    const one = fc.array(fc.tuple(key, value), { minLength: 1, maxLength: 8 })
    const seed = seedOf()
    const lines = fc
      .sample(one, { numRuns: 60, seed })
      .map(members => `{${members.map(([name, value]) => `${JSON.stringify(name)}:${value}`).join(',')}}`)
    const shown = await through(t, subject, lines, show)
    t.equal(shown.length, lines.length)
    // The name of an assertion cannot hold any text there is.
    const twice = lines.filter((_, at) => {
      const names = shown[at]!.fields.map(([name]) => name)
      return new Set(names).size < names.length
    })
    t.strictSame(twice, [], `seed ${seed}`)
  })

  t.test(`${subject.name}: a long value or many of them hold up nothing, and none is cut`, async t => {
    if (subject.name.includes('ack') || values === 'line') return
    const many = JSON.stringify(Object.fromEntries(Array.from({ length: 950 }, (_, n) => [`n${n}`, n])))
    const long = JSON.stringify({ msg: 'long', value: 'v'.repeat(100_000) })
    const name = JSON.stringify({
      msg: 'name',
      ['n'.repeat(200)]: 1,
      deep: { ['d'.repeat(100)]: { ['e'.repeat(100)]: 1 } },
    })
    const shown = await through(t, subject, ['before', many, long, name, 'after'], show)
    t.same([shown.length, shown[0]?.message, shown.at(-1)?.message], [5, 'before', 'after'])
    for (const [at, line] of [many, long, name].entries()) {
      const { message, fields } = shown[at + 1]!
      const all = Object.keys(JSON.parse(line)).filter(name => name !== 'msg')
      const names = new Set(fields.map(([name]) => name))
      const whole = all.every(name => names.has(name))
      // A column has room for 64 KB: what is longer is cut, and says so.
      const head = subject.type === 'azure_monitor' && message.length > 60_000 && line.startsWith(message)
      t.ok(whole || message === line || head, `all fields, or the line: ${line.slice(0, 30)}`)
    }
  })
}

for (const subject of SUBJECTS.filter(({ type }) => type === 'otlp')) {
  const decode = (request: Request) => subject.decode(request) as OtlpDecoded[]
  t.test(`${subject.name}: time, severity, trace and attributes are those of the line`, async t => {
    const lines = [HOSTILE, '{"trace_id":"short","level":""}', Buffer.from('pl\xffain', 'latin1'), '{"x":"\\ud800!"}']
    const looking = { parse: 'json', timed: true, levelled: true, repeated: [7], sampled: [0.25, 1] } as const
    const [first, second, third, fourth] = await through(t, subject, lines, decode, looking)
    t.equal(first?.message, MESSAGE)
    t.equal(first?.time, NANOS)
    t.same(first?.found, { own: true, severity: 13, severityText: 'Warning', traceId: TRACE, spanId: SPAN })
    t.match(first?.typed, {
      'log.repeated': 7n,
      'log.sampled': 0.25,
      status: 200n,
      big: 9007199254740993n,
      ratio: '1046.8333333333335',
      req: '{"method":"GET","path":"/a?b=\\"c\\"","deep":[1,{"x":null}]}',
      tags: '["x",1,null]',
      empty: '',
      none: null,
      ok: true,
      'na"me \\ ü': 'vA\n😀',
      a: 'last',
      source: 'app',
      line_source: 'forged',
      truncated: true,
    })
    for (const name of ['time', 'level', 'msg', 'trace_id', 'span_id']) t.notOk(name in first!.typed, name)
    t.match(second, { found: { own: false, severity: 0, traceId: undefined }, message: lines[1] })
    t.equal(second?.typed['trace_id'], 'short', 'what is no id has no place but this')
    t.equal(third?.message, 'pl\ufffdain')
    // JSON can say half a character, and UTF-8 cannot.
    t.equal(fourth?.typed['x'], subject.name.includes('json') ? '\ud800!' : '\ufffd!')
  })

  t.test(
    `${subject.name}: members of objects are attributes under their whole names, where that is asked for`,
    async t => {
      const choices = [{ rename: {}, drop: ['tags'], keep: [], flatten: true }]
      const [first] = await through(t, subject, [HOSTILE], decode, { parse: 'json', choices })
      t.match(first?.typed, { 'req.method': 'GET', 'req.path': '/a?b="c"', 'req.deep': '[1,{"x":null}]', status: 200n })
      for (const name of ['req', 'tags']) t.notOk(name in first!.typed, name)
    },
  )

  t.test(`${subject.name}: numbers are exact, or the digits that were written`, async t => {
    const numbers = [
      '0',
      '-1',
      '1.5',
      '-0.001',
      '1e3',
      '9223372036854775807',
      '-9223372036854775808',
      '9223372036854775808',
    ]
    const more = [
      '123456789012345678',
      '0.30000000000000004',
      '1e400',
      '1E-7',
      '12345678901234567890123',
      '1e22',
      '1e23',
    ]
    const all = [...numbers, ...more]
    const line = `{${all.map((number, at) => `"n${at}":${number}`).join(',')}}`
    const [record] = await through(t, subject, [line], decode, { parse: 'json' })
    for (const [at, number] of all.entries()) {
      const value = record!.typed[`n${at}`]
      const exact = typeof value === 'number' ? value === Number(number) : String(value) === number
      t.ok(exact, `${number} is ${typeof value} ${value}`)
    }
    t.same([record!.typed['n2'], record!.typed['n7'], record!.typed['n9']], [1.5, numbers[7], more[1]])
  })
}

t.test('google_cloud_logging: trace and span are those of the line, by W3C or by Google’s special fields', async t => {
  const subject = SUBJECTS.find(({ name }) => name === 'google_cloud_logging')!
  const path = 'projects/other/traces/0679686673a'
  const lines = [
    { trace_id: TRACE, span_id: SPAN },
    { 'logging.googleapis.com/trace': path, 'logging.googleapis.com/spanId': SPAN },
    { trace_id: TRACE, 'logging.googleapis.com/trace': path },
    { trace_id: 7, span_id: 'no id' },
  ]
  const read = ({ body }: Request): Shown[] =>
    JSON.parse(body.toString()).entries.map(({ trace, spanId, jsonPayload }: Record<string, unknown>) => ({
      message: JSON.stringify([trace ?? null, spanId ?? null]),
      fields: Object.entries(jsonPayload as object),
    }))
  const shown = await through(
    t,
    subject,
    lines.map(line => JSON.stringify({ msg: 'm', ...line })),
    read,
  )
  t.strictSame(
    shown.map(({ message }) => JSON.parse(message)),
    [
      [`projects/my-project/traces/${TRACE}`, SPAN],
      [path, SPAN],
      [`projects/my-project/traces/${TRACE}`, null],
      [null, null],
    ],
  )
  for (const [at, { fields }] of shown.entries()) t.match(Object.fromEntries(fields), lines[at], 'and stay its fields')
})

/** A record for which labels and indices are looked for in the test's own way, or a line that is none. */
const LEVELS = ['info', 'error', 'warn', 'debug']
const STATUSES: readonly unknown[] = [200, 500, '200', 'ünï "c" \\ode\u0001', '', null, 'x'.repeat(300), { a: 1 }, true]
const oneOf = fc.record(
  {
    level: fc.constantFrom(...LEVELS),
    status: fc.constantFrom(...STATUSES),
    http: fc.record({ method: fc.constantFrom('GET', 'po st', '../..') }),
    msg: fc.string({ maxLength: 40 }),
    method: fc.constant('own'),
  },
  { requiredKeys: [] },
)
type Written = typeof oneOf extends fc.Arbitrary<infer Value> ? Value : never

/** A value that can tell a record apart; as a text. */
function part(value: unknown): string | undefined {
  if (value === undefined || value === null || value === '') return undefined
  return typeof value === 'string' ? value : JSON.stringify(value)
}

const tooLong = (value: unknown): boolean => value !== undefined && JSON.stringify(value).length > 256

/** Ships records that are told apart, in several requests. */
async function apart(
  t: Test,
  type: string,
  own: Record<string, unknown>,
  records: readonly (Written | string)[],
  {
    poison,
    poisoned,
    readAt,
  }: { readonly poison?: string; readonly poisoned?: () => Answer; readonly readAt?: number } = {},
): Promise<{ requests: Request[]; beyond: number; outcome: Settled }> {
  const requests: Request[] = []
  const subject: Subject = {
    ...SUBJECTS.find(({ name }) => name === type)!,
    source: { parse: 'json' },
    ...(poisoned && { poisoned }),
    config: endpoint => ({ type, endpoint, batch: { maxBytes: '64KiB' }, ...own }),
    decode: request => {
      requests.push(request)
      const messages = type === 'loki' ? loki(request) : elasticsearch(request)
      return messages.map(({ message }) => ({ message, attributes: {}, truncated: false }))
    },
  }
  const { partitioning } = created(await configured(t, subject, 'http://127.0.0.1:1'))
  let beyond = 0
  const onBeyond = (records: number) => void (beyond += records)
  // Times of their own, where a test says when they were read.
  const looking = { parse: 'json', levelled: true, timed: readAt !== undefined, partitioning, onBeyond } as const
  const arena = new Arena(16 * MIB, 0, finding(looking))
  const staged = await stage(t, subject, { arena })
  staged.server.poison = poison
  const lines = records.map(record => (typeof record === 'string' ? record : JSON.stringify(record)))
  await staged.ship({ lines, readAt: readAt ?? Date.now() })
  t.same(staged.server.wrong, [])
  t.equal(arena.outcome.delivered.lines, lines.length - (poison === undefined ? 0 : 1))
  return { requests, beyond, outcome: arena.outcome }
}

const samples = (): (Written | string)[] =>
  fc.sample(fc.oneof({ weight: 9, arbitrary: oneOf }, { weight: 1, arbitrary: fc.constant('a line') }), 1500)

t.test('loki: values of records are labels of the stream that each is in, and stand nowhere else', async t => {
  const records = samples()
  const labels = ['source', 'level', { field: 'status' }, { field: 'http.method', as: 'method' }]
  const { requests, beyond } = await apart(t, 'loki', { labels, maxLabelSets: 200 }, records)
  t.ok(requests.length > 1, 'in several requests')
  const streams = requests.flatMap(({ body }) => JSON.parse(body.toString()).streams)
  const shown = streams.flatMap(({ stream, values }) => values.map((value: unknown[]) => ({ stream, value })))
  t.equal(shown.length, records.length)
  let [last, unlabelled] = [0n, 0]
  for (const [at, { stream, value }] of shown.entries()) {
    const record = records[at]!
    const [time, line, metadata] = value as [string, string, Record<string, string>]
    t.ok(BigInt(time) > last, 'in their order')
    last = BigInt(time)
    const all: Partial<Written> = typeof record === 'string' ? {} : record
    const found = { level: all.level, status: part(all.status), method: part(all.http?.method) }
    const whole = tooLong(all.status)
    const wanted = Object.fromEntries(Object.entries(whole ? {} : found).filter(([, text]) => text !== undefined))
    t.strictSame(stream, { source: 'app', ...wanted })
    if (whole) unlabelled++
    t.equal(metadata['level'], whole ? all.level : undefined)
    if (typeof record === 'string') t.equal(line, record)
    // A record that is labelled by nothing has its values here, whatever they say.
    const isLabel = Object.keys(wanted).length > 0 && found.status !== undefined
    const status = all.status === undefined || isLabel ? undefined : (part(all.status) ?? String(all.status))
    t.equal(metadata['status'], status, JSON.stringify(record))
    t.equal(metadata['line_method'], all.method)
  }
  t.equal(beyond, unlabelled)
})

t.test('loki: beyond so many sets of labels values are structured metadata, and are counted', async t => {
  const records = Array.from({ length: 90 }, (_, n) => ({ msg: `m${n}`, level: 'info', status: n % 30 }))
  const labels = ['level', { field: 'status' }]
  const { requests, beyond } = await apart(t, 'loki', { labels, maxLabelSets: 10 }, records as unknown as Written[])
  const streams = requests.flatMap(({ body }) => JSON.parse(body.toString()).streams)
  t.equal(new Set(streams.map(({ stream }) => JSON.stringify(stream))).size, 11)
  t.equal(beyond, 60)
  const others = streams.filter(({ stream }) => stream.status === undefined)
  t.strictSame(new Set(others.map(({ stream }) => JSON.stringify(stream))), new Set(['{"source":"app"}']))
  for (const [, line, { level, status }] of others.flatMap(({ values }) => values)) {
    t.strictSame([level, status], ['info', String(Number(line.slice(1)) % 30)])
  }
})

t.test('loki: a record that is refused is found among labelled ones, which keep their streams', async t => {
  const records = Array.from({ length: 12 }, (_, n) => ({ msg: `m${n}`, level: LEVELS[n % 4]!, status: n }))
  const body = "max entry size '10' bytes exceeded for stream '{}' while adding an entry with length '20' bytes"
  const poisoned = (): Answer => ({ status: 400, headers: {}, body })
  const own = { labels: ['level', { field: 'status' }] }
  const { requests, outcome } = await apart(t, 'loki', own, records as unknown as Written[], { poison: 'm7', poisoned })
  t.match(outcome.rejected, { line_too_long: { lines: 1 } })
  t.ok(requests.length > 2)
  for (const { stream, values } of requests.flatMap(({ body }) => JSON.parse(body.toString()).streams)) {
    for (const [, line, metadata] of values) {
      const { level, status } = records[Number(line.slice(1))]!
      t.strictSame([stream, metadata.level], [{ source: 'app', level, status: String(status) }, undefined])
    }
  }
})

t.test('elasticsearch: each record goes to the index that its values name', async t => {
  const records = samples()
  const index = 'logs-%{[status]:none}-%{yyyy}-%{[http][method]}-%{[level]:unknown}'
  const { requests, beyond } = await apart(t, 'elasticsearch', { index, maxIndices: 200 }, records)
  const lines = requests.flatMap(({ body }) => body.toString().trimEnd().split('\n'))
  t.equal(lines.length, 2 * records.length)
  const plain = (text: string) => text.toLowerCase().replace(/[\\/*?"<>|,#:\s\u0001]/g, '_')
  let unnamed = 0
  for (const [at, record] of records.entries()) {
    const { create } = JSON.parse(lines[2 * at]!)
    const document = JSON.parse(lines[2 * at + 1]!)
    const all: Partial<Written> = typeof record === 'string' || tooLong(record.status) ? {} : record
    if (typeof record !== 'string' && tooLong(record.status)) unnamed++
    const [status, method] = [part(all.status), part(all.http?.method)].map(text => text && plain(text))
    const year = document['@timestamp'].slice(0, 4)
    t.equal(create._index, `logs-${status ?? 'none'}-${year}-${method ?? 'default'}-${all.level ?? 'unknown'}`)
    // Values stay in the document, too.
    if (typeof record !== 'string') t.strictSame(document.status, record.status)
  }
  t.equal(beyond, unnamed)
})

/** Names of the indices that records of these times go to, which were read at half past ten. */
async function dated(t: Test, index: string, maxIndices: number, records: readonly object[]) {
  const readAt = Date.UTC(2026, 10, 27, 10, 30)
  const own = { index, maxIndices }
  const { requests, beyond } = await apart(t, 'elasticsearch', own, records as Written[], { readAt })
  const lines = requests.flatMap(({ body }) => body.toString().trimEnd().split('\n'))
  const names = lines.flatMap(line => (line.startsWith('{"create"') ? [JSON.parse(line).create._index as string] : []))
  return { names, beyond }
}

t.test('elasticsearch: dates are those of the record, and of its reading where it has no time', async t => {
  const records = [
    { time: '2026-11-27T10:29:59.999Z' },
    { time: '2026-11-26T23:59:59.999Z', svc: 'A' },
    { msg: 'no time', svc: 'a' },
    { time: '2026-11-27T09:59:59.999Z' },
    { time: '2026-11-28T00:00:00.000Z' },
    { time: '1995-01-02T03:04:05.000Z', svc: 'a' },
  ]
  const days = await dated(t, 'logs-%{[svc]:none}-%{yyyy.MM.dd}', 50, records)
  t.strictSame(days.names, [
    ...['logs-none-2026.11.27', 'logs-a-2026.11.26', 'logs-a-2026.11.27'],
    ...['logs-none-2026.11.27', 'logs-none-2026.11.28', 'logs-a-1995.01.02'],
  ])
  const hours = await dated(t, '%{yyyy.MM.dd}-logs-%{HH}', 50, records)
  t.strictSame(hours.names, [
    ...['2026.11.27-logs-10', '2026.11.26-logs-23', '2026.11.27-logs-10'],
    ...['2026.11.27-logs-09', '2026.11.28-logs-00', '1995.01.02-logs-03'],
  ])
  t.equal(days.beyond + hours.beyond, 0)
})

t.test('elasticsearch: beyond so many names a record has the date of its reading, and is counted', async t => {
  const dates = Array.from({ length: 20 }, (_, n) => `2026-10-${10 + n}T00:00:00Z`)
  const records = dates.flatMap(time => [{ time, svc: 'a' }, { svc: 'a' }])
  const { names, beyond } = await dated(t, 'logs-%{[svc]}-%{yyyy.MM.dd}', 5, records)
  const own = (n: number) => `logs-a-2026.10.${10 + n}`
  t.strictSame(
    names,
    dates.flatMap((_, n) => [n < 4 ? own(n) : 'logs-a-2026.11.27', 'logs-a-2026.11.27']),
  )
  t.equal(beyond, 16)
  const only = await dated(t, 'logs-%{yyyy.MM.dd}', 5, records)
  t.equal(new Set(only.names).size, 6)
  t.equal(only.beyond, 15)
})
