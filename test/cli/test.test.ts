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
  const [http, loki, stdout] = out.split(/^# /m).slice(1)
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
  t.match(out, /^# otlp: POST http:\/\/collector:4318\/v1\/logs\n/)
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
