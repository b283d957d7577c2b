/** What would be sent is shown, and nothing is sent. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { Receiver } from '../program.ts'
import { scratch } from '../scratch.ts'
import { inside } from './inside.ts'
import { logshipper } from './manifests.ts'

async function shown(t: Test, input: string | Buffer, config: object, ...args: string[]) {
  const file = join(scratch(t, {}), 'config.yaml')
  writeFileSync(file, JSON.stringify({ sources: [{ paths: ['/logs/*.log'], labels: { team: 'a' } }], ...config }))
  return { ...(await inside(['test', '--config', file, ...args], input)), file }
}

t.test('each backend’s request, as it would be sent, without credentials', async t => {
  const receiver = await Receiver.start(t)
  const backends = [
    { type: 'http', endpoint: receiver.url, auth: { bearer: 'hunter2' } },
    { type: 'loki', endpoint: 'http://loki:3100' },
    { type: 'stdout' },
  ]
  const { code, out, err } = await shown(t, 'said "hi"\nlast', { backends })
  t.equal(code, 0, err)
  const [, http, , loki, , stdout] = out.split(/^# /m).slice(1)
  t.match(http, new RegExp(`^http: POST ${receiver.url}\ncontent-type: application/x-ndjson\n`))
  t.match(http, '(credentials and own headers): not shown')
  const records = http!.split('\n').filter(line => line.startsWith('{'))
  t.strictSame(
    records.map(record => JSON.parse(record).message),
    ['said "hi"', 'last'],
  )
  t.match(JSON.parse(records[0]!), { team: 'a', source: 'app', file: '/logs/*.log' })
  const body = JSON.parse(loki!.slice(loki!.indexOf('{')))
  t.match(
    body.streams[0].values.map((value: string[]) => value[1]),
    ['said "hi"', 'last'],
  )
  t.match(stdout, /^stdout: standard output\nsaid "hi"\nlast/)
  t.notMatch(out, /hunter2/)
  t.strictSame(receiver.lines, [], 'nothing was sent')
})

t.test('bytes that are no text are shown as base64', async t => {
  const backends = [{ type: 'otlp', endpoint: 'http://collector:4318' }]
  const { out } = await shown(t, 'x\n', { backends })
  t.match(out, /^# otlp: POST http:\/\/collector:4318\/v1\/logs\n/m)
  const encoded = /base64\) (\S+)/.exec(out)![1]!
  t.ok(Buffer.from(encoded, 'base64').includes('x'))
})

t.test('much input is cut at a line, no input and an unknown backend are told', async t => {
  const backends = [{ type: 'stdout' }]
  const much = await shown(t, `${'x'.repeat(99)}\n`.repeat(5000), { backends })
  t.equal(much.code, 0)
  t.match(much.err, 'only the first 65500 bytes of standard input were used')
  const none = await shown(t, '', { backends })
  t.equal(none.code, 2)
  t.match(none.err, 'there was none')
  const other = await shown(t, 'x', { backends }, '--backend', 'nowhere')
  t.equal(other.code, 2)
  t.match(other.err, 'unknown backend nowhere; configured: stdout')
})

t.test('as a process it takes its lines from standard input', async t => {
  const { file, ...expected } = await shown(t, 'a line\n', { backends: [{ type: 'stdout' }] })
  t.strictSame(logshipper(['test', '--config', file], 'a line\n'), expected)
  t.match(expected, { code: 0, err: '' })
})

t.test(
  'what is found in records is shown in its place, and what fits no format is dropped if that is said',
  async t => {
    const lines = [
      '{"level":"warn","msg":"one","n":9007199254740993,"n":1046.8333333333335,"req":{"method":"GET"}}',
      'no format has this',
      'level=info msg="two \\"2\\"" ms=17',
      '10.0.0.1 - - [23/Nov/2026:10:00:00 +0000] "GET /a?b=c HTTP/1.1" 200 5 "-" "x"',
    ]
    const sent = async (end: 'keep' | 'drop') => {
      const parse = { format: ['json', 'logfmt', 'nginx'], types: { ms: 'number' }, else: end }
      const sources = [{ paths: ['/logs/*.log'], parse }]
      const backends = [{ type: 'http', endpoint: 'http://logs:1' }]
      const { code, out, err } = await shown(t, lines.join('\n'), { sources, backends })
      t.equal(code, 0, err)
      t.notMatch(out, '9007199254740993', 'of a name that stands twice the last holds')
      return out.split('\n').filter(line => line.startsWith('{'))
    }
    const kept = await sent('keep')
    const dropped = await sent('drop')
    const shape = (records: readonly string[]) => records.map(record => JSON.parse(record) as Record<string, unknown>)
    t.match(kept[0], '"n":1046.8333333333335,"req":{"method":"GET"}')
    t.match(shape(kept), [
      { message: 'one' },
      { message: 'no format has this' },
      { message: 'two "2"', ms: 17 },
      { message: lines[3], method: 'GET', path: '/a', query: 'b=c', status: 200, bytes: 5 },
    ])
    t.strictSame(
      shape(dropped).map(({ message }) => message),
      ['one', 'two "2"', lines[3]],
    )
  },
)

/** The heads of the first backend, by the number of the record. */
function headsIn(out: string): string[] {
  return out
    .split(/^# /m)[1]!
    .split(/^record \d+: /m)
    .slice(1)
}

const SECRET = 'hunter22hunter22'
const SAMPLE = [
  `{"ts":"2026-11-27T09:30:00.123Z","severity":"ERR","password":"${SECRET}","msg":"to bob@example.com"}`,
  'time=2026-11-27T09:30:00Z level=debug msg="hi"',
  '2026-11-27 09:30:01 WARN broken',
  'java.lang.IllegalStateException: no',
  '\tat Main.run',
  '{"ts":"yesterday","level":"strange","message":"GET healthz"}',
  '10.0.0.1 - - [27/Nov/2026:09:30:00 +0000] "GET / HTTP/1.1" 200 12 "-" "curl"',
].join('\n')

const PROCESSED = {
  ...{ name: 'app', paths: ['/logs/*.log'], multiline: 'java', parse: ['json', 'logfmt', 'nginx'] },
  ...{ redact: ['secrets', 'email'], filter: { below: 'info', rules: { probes: { drop: { text: 'healthz' } } } } },
}

t.test('above the request stands what becomes of each record, and how that was found', async t => {
  const backends = [{ type: 'http', endpoint: 'http://logs:1' }]
  const { code, out, err } = await shown(t, SAMPLE, { sources: [PROCESSED], backends })
  t.equal(code, 0, err)
  t.strictSame(headsIn(out), [
    `line 1
  parsed    json
  time      2026-11-27T09:30:00.123Z, the value of ts
  level     error, the value of severity
  redacted  - {"ts":"2026-11-27T09:30:00.123Z","severity":"ERR","password":"<password>","msg":"to <email>"}
            + {"ts":"2026-11-27T09:30:00.123Z","severity":"ERR","password":"[password]******","msg":"to [email]********"}
`,
    `line 2
  parsed    logfmt
  time      2026-11-27T09:30:00.000Z, the value of time
  level     debug, the value of level
  dropped   filter:below
`,
    `lines 3–5
  parsed    no: it is not json, nor logfmt, nor nginx; it is sent as its message
  time      2026-11-27T09:30:01.000Z, the head of the record
  level     warn, a word in the text
`,
    `line 6
  parsed    json
  time      when it was read: the value of ts, "yesterday", cannot be read
  level     none: the value of level, "strange", is not known
  dropped   filter:probes
`,
    `line 7; the last one so far
  parsed    nginx
  time      2026-11-27T09:30:00.000Z, the value of time
  level     none: not said

`,
  ])
  const sent = out.split('\n').filter(line => line.startsWith('{'))
  t.equal(sent.length, 3)
  t.match(JSON.parse(sent[1]!).message, /^2026-11-27 09:30:01 WARN broken\njava/, 'several lines are one record')
  t.notMatch(out, SECRET.slice(0, 6))
  t.notMatch(out, 'bob@')
})

t.test('where a backend does not take the time of a record, the time that it gets instead is shown', async t => {
  const [old, ahead] = [-3_600_000, 1_800_000].map(ms => new Date(Date.now() + ms).toISOString())
  const lines = [
    `{"ts":"${old}","n":1}`,
    `{"ts":"${ahead}","n":2}`,
    `{"ts":"${new Date().toISOString()}","n":3}`,
    '{"n":4}',
  ]
  const backends = [
    { type: 'loki', endpoint: 'http://loki:3100', filter: { drop: '"n":2' } },
    { type: 'datadog', apiKey: 'x' },
    { type: 'stdout' },
  ]
  const config = { sources: [{ paths: ['/logs/*.log'], parse: 'json' }], backends }
  const { code, out, err } = await shown(t, lines.join('\n'), config)
  t.equal(code, 0, err)
  const heads = out.split(/^# (?=.* records of source)/m).slice(1)
  const rows = heads.map(head => [...head.matchAll(/^record (\d).*\n(?: {2}.*\n)*? {2}sent as {3}(.*)/gm)])
  const instant = '20\\S+Z, when it was read: for'
  const said = rows.map(each => each.map(([, number, words]) => [number, words!.replace(new RegExp(instant), 'read')]))
  t.strictSame(said, [
    [['1', 'read loki a time may be at the most 2025s old']],
    [['2', 'read datadog a time may be at the most 9m ahead']],
    [],
  ])
  const shownAt = Date.parse(rows[0]![0]![2]!.slice(0, 24))
  const { streams } = JSON.parse(out.split('\n').find(line => line.startsWith('{"streams"'))!)
  t.equal(Math.floor(Number(streams[0].values[0][0]) / 1_000_000), shownAt, 'it is what the request says')
  const json = await shown(t, lines.join('\n'), config, '--json', '--backend', 'datadog')
  const all = json.out
    .trim()
    .split('\n')
    .map(line => JSON.parse(line))
  t.match(all[1], { time: { field: 'ts' }, sentTime: { value: /^20/, fault: 'ahead' } })
  t.notOk('sentTime' in all[0])
})

t.test('what a program reads says the same, a line for each record and each request', async t => {
  const backends = [{ type: 'http', endpoint: 'http://logs:1' }]
  const { out } = await shown(t, SAMPLE, { sources: [PROCESSED], backends }, '--json')
  const all = out
    .trim()
    .split('\n')
    .map(line => JSON.parse(line))
  const common = { backend: 'http', source: 'app' }
  t.match(all, [
    {
      ...common,
      ...{ record: 1, lines: [1, 1], parsed: 'json', dropped: null, faults: [] },
      time: { value: '2026-11-27T09:30:00.123Z', field: 'ts' },
      level: { value: 'error', field: 'severity' },
      redacted: [
        { rule: 'password', bytes: 16, masked: '[password]******' },
        { rule: 'email', bytes: 15, masked: '[email]********' },
      ],
    },
    { ...common, lines: [2, 2], parsed: 'logfmt', dropped: 'filter:below' },
    { lines: [3, 5], parsed: null, tried: ['json', 'logfmt', 'nginx'], time: { field: null } },
    { lines: [6, 6], time: { value: null, field: 'ts', fault: 'unreadable' }, level: { fault: 'unknown' } },
    { lines: [7, 7], parsed: 'nginx', level: { value: null, fault: 'missing' }, open: true },
    { backend: 'http', request: 'POST http://logs:1/', body: /^\{.*\}\n/ },
  ])
  t.equal(all.length, 6)
  t.notMatch(out, SECRET.slice(0, 6))
})

t.test('strict: what did not parse, and times and levels that cannot be read, are a failure', async t => {
  const backends = [{ type: 'stdout' }]
  const run = (source: object, input: string) =>
    shown(t, input, { sources: [{ name: 'app', paths: ['/l'], ...source }], backends }, '--strict')
  const bad = await run({ parse: 'json' }, 'no\n{"ts":"never","level":"odd"}\n{"level":"info"}\n{"ts":0}\n')
  t.equal(bad.code, 1)
  t.strictSame(bad.err.trim().split('\n'), [
    'strict: record 1 (line 1) of source app did not parse',
    'strict: record 2 (line 2) of source app has no time that can be read, and has no level that is known',
    'strict: record 4 (line 4) of source app has no time that can be read',
  ])
  const named = await run({ parse: 'json', time: 'when', level: 'how' }, '{"msg":"x"}\n')
  t.equal(named.code, 1, 'a value that the configuration names has to be there')
  t.match(named.out, 'when it was read: there is no value of when')
  t.match(named.out, 'none: there is no value of how')
  for (const source of [{}, { parse: 'json' }]) t.match(await run(source, '{"level":"info"}\n'), { code: 0, err: '' })
})

t.test('a record that every backend drops is sent to none, and each says why', async t => {
  const sources = [{ name: 'app', paths: ['/l'], sample: { keep: 0.000001, unless: 'none' }, repeats: '1m' }]
  const backends = [
    { name: 'one', type: 'http', endpoint: 'http://logs:1' },
    { name: 'two', type: 'http', endpoint: 'http://logs:1', filter: { drop: 'x' } },
  ]
  const { code, out } = await shown(t, 'x\nx\n', { sources, backends })
  t.equal(code, 0)
  t.match(out, /line 2\n(?: {2}.*\n)+ {2}dropped {3}sample \(an example: .*\)\n/)
  t.match(out, '# two: no request (every record is dropped)\n')
  const some = await shown(t, 'x\nx\nx\ny\n', { sources: [{ paths: ['/l'], repeats: '1m' }], backends })
  t.match(some.out, /line 2\n(?: {2}.*\n)+ {2}dropped {3}repeats\n/)
  t.match(some.out, 'line 3; stands for 3 records')
  t.match(some.out.slice(some.out.indexOf('# two:')), /line 3\n(?: {2}.*\n)+ {2}dropped {3}filter:drop\n/)
})

t.test('each backend gets what it asks for, and none what the source redacts or drops', async t => {
  const app = {
    paths: ['/logs/app.log'],
    parse: 'json',
    redact: 'secrets',
    filter: { drop: 'noise' },
    fields: { rename: { usr: 'user' }, drop: ['pid'] },
  }
  const stdout = { type: 'stdout', format: 'ndjson' }
  const backends = [
    { ...stdout, name: 'all' },
    { ...stdout, name: 'errors', filter: 'error', fields: { rename: { user: 'who' }, keep: ['pid', 'password'] } },
  ]
  const lines = [
    { level: 'error', msg: 'a', usr: 'u', pid: 7, password: 'hunter2hunter2', x: 1 },
    { level: 'info', msg: 'b', x: 2 },
    { level: 'error', msg: 'noise' },
  ]
  const input = lines.map(line => `${JSON.stringify(line)}\n`).join('')
  const { code, out, err } = await shown(t, input, { sources: [app], backends })
  t.equal(code, 0, err)
  const sent = (name: string) =>
    out
      .split(`# ${name}: standard output\n`)[1]!
      .split('\n#')[0]!
      .trim()
      .split('\n')
      .map(line => {
        const { message, user, who, pid, password, x } = JSON.parse(line)
        return { message, user, who, pid, password, x }
      })
  const none = { user: undefined, who: undefined, pid: undefined, password: undefined, x: undefined }
  t.strictSame(sent('all'), [
    { ...none, message: 'a', user: 'u', password: '[password]****', x: 1 },
    { ...none, message: 'b', x: 2 },
  ])
  t.strictSame(sent('errors'), [{ ...none, message: 'a', who: 'u', password: '[password]****' }])
  t.notMatch(out, /hunter2/)
})

t.test('where a record goes is shown by its labels and its index', async t => {
  const sources = [{ paths: ['/logs/app.log'], parse: 'json' }]
  const backends = [
    { type: 'loki', endpoint: 'http://loki:3100', labels: ['level', { field: 'status' }] },
    { type: 'elasticsearch', endpoint: 'http://es:9200', index: 'logs-%{[svc]:none}' },
  ]
  const input = '{"level":"warn","status":404,"svc":"Web"}\n{"msg":"x"}\n'
  const { code, out, err } = await shown(t, input, { sources, backends })
  t.equal(code, 0, err)
  t.match(out, '{"stream":{"source":"app","level":"warn","status":"404"},"values":')
  t.match(out, '{"stream":{"source":"app"},"values":')
  t.match(out, '{"create":{"_index":"logs-web",')
  t.match(out, '{"create":{"_index":"logs-none",')
})

t.test('a source is named where a backend has several', async t => {
  const sources = [
    { name: 'a', paths: ['/a'] },
    { name: 'b', paths: ['/b'], parse: 'json' },
  ]
  const backends = [
    { type: 'stdout', sources: ['a'] },
    { name: 'both', type: 'stdout' },
  ]
  const run = (...args: string[]) => shown(t, '{"a":1}', { sources, backends }, ...args)
  t.match((await run()).out, /# stdout: 1 record of source a\n(?:.*\n)*# both: 1 record of source a\n/)
  const other = await run('--source', 'b')
  t.match(other.out, /^# both: 1 record of source b\nrecord 1: line 1\n {2}parsed {4}json\n/)
  t.notMatch(other.out, '# stdout:')
  t.match(await run('--source', 'c'), { code: 2, err: 'logshipper: unknown source c; configured: a, b\n' })
  t.match(await run('--source', 'b', '--backend', 'stdout'), {
    code: 2,
    err: 'logshipper: backend stdout does not get source b; backends that get it: both\n',
  })
})

t.test('how several expressions fare is said by their place, and an own name by its value', async t => {
  const parse = {
    format: 'json',
    match: ['^(?P<a>\\d+) (?P<lvl>\\w+) (?P<message>.*)', '^(?P<at>\\S+) said (?P<b>.*)$'],
  }
  const sources = [{ paths: ['/l'], parse, time: { field: 'at' }, level: { field: 'lvl' } }]
  const input = '7 warn x\n2026-11-27T09:30:00Z said y\n\n'
  const { out } = await shown(t, input, { sources, backends: [{ type: 'stdout' }] })
  const heads = headsIn(out)
  t.match(heads[0], /parsed {4}match\[0\]\n.*\n {2}level {5}warn, the value of lvl\n/)
  t.match(heads[1], /parsed {4}match\[1\]\n {2}time {6}2026-11-27T09:30:00.000Z, the value of at\n/)
  t.match(heads[2], /parsed {4}no: /)
})

t.test('what an expression redacts is shown by its name, before and after, and the secret in neither', async t => {
  const redact = { rules: 'secrets', match: { order: 'order=(?<secret>[0-9]{8})' } }
  const sources = [{ paths: ['/l'], redact }]
  const input = 'order=12345678 password=hunter22\n'
  const { out } = await shown(t, input, { sources, backends: [{ type: 'http', endpoint: 'http://logs:1' }] })
  const [head] = headsIn(out)
  t.match(head, '- order=<order> password=<password>\n')
  t.match(head, '+ order=[order]* password=********\n')
  t.notMatch(out, /12345678|hunter22/)
})

t.test('a line that a container runtime wrote in parts is one record', async t => {
  const sources = [{ paths: ['/l'], parse: 'cri' }]
  const part = (tag: string, text: string) => `2026-11-23T10:00:00.123456789Z stdout ${tag} ${text}\n`
  const input = `${part('P', 'one ')}${part('F', 'two')}${part('F', 'three')}`
  const { out } = await shown(t, input, { sources, backends: [{ type: 'http', endpoint: 'http://logs:1' }] })
  const [first, second] = headsIn(out)
  t.match(first, /^lines 1–2\n {2}parsed {4}cri\n/)
  t.match(second, /^line 3\n/)
  t.match(out, '"message":"one two"')
})

t.test('nothing that a terminal obeys is shown of what is redacted, and long lines are shortened', async t => {
  const sources = [{ paths: ['/l'], redact: { rules: 'secrets', how: 'mask' } }]
  const input = `${'x'.repeat(500)} \u001b[31m password=${'p'.repeat(300)}1234 end\n`
  const { out } = await shown(t, input, { sources, backends: [{ type: 'http', endpoint: 'http://logs:1' }] })
  const [head] = headsIn(out)
  t.match(head, /- x{48}…x*.*\\u001b\[31m password=<password> end\n/)
  t.match(head, /\+ x{48}….*password=\*{24}…\*{20}1234 end\n/)
  t.notMatch(head, '\u001b')
  t.notMatch(out, 'pppp')
})

t.test('text in another encoding, and a line that is too long, are what they are in a file', async t => {
  const source = { paths: ['/l'], encoding: 'utf-16le', maxLineBytes: 1024, parse: 'logfmt' }
  const input = Buffer.from(`\ufeffmsg=grün n=1\n${'é'.repeat(900)}\nlast=1`, 'utf16le')
  const { out } = await shown(t, input, { sources: [source], backends: [{ type: 'stdout' }] })
  const heads = headsIn(out)
  t.match(heads[0], /^line 1\n {2}parsed {4}logfmt/)
  t.match(heads[1], /^line 2; cut: 1800 bytes in the file\n/)
  t.match(heads[2], /^line 3\n/)
  t.match(out, 'msg=grün n=1\n')
})
