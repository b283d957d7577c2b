import t from 'tap'
import { ExpressionError } from '../../../src/process/expression/failure.ts'
import { CAPTURED_BYTES } from '../../../src/process/expression/layout.ts'
import { Work } from '../../../src/process/expression/limits.ts'
import { parsed } from '../../../src/process/expression/parse.ts'
import { type Captures, captures, compileCaptures } from '../../../src/process/expression/program.ts'
import { captured, layTable, layText } from './kernel.ts'
import * as twin from './twin.ts'

const compiled = (text: string) => compileCaptures(text) as Captures

/** What each group of an expression has of a text; kernel and twin must agree. */
function groupsOf(expression: string, text: string | Buffer): Record<string, string | null> | undefined {
  const { program, groups } = compiled(expression)
  const bytes = Buffer.from(text as string)
  const spans = captured(layTable(program), layText(bytes, 7), bytes.length)
  t.strictSame(spans, twin.captured(program, bytes).spans, 'kernel and twin agree')
  if (spans === undefined) return undefined
  const value = (span: twin.Span) => span && bytes.toString('utf8', span[0], span[1])
  return Object.fromEntries(groups.map((name, group) => [name || `${group}`, value(spans[group]!)]))
}

const NGINX =
  '^(?<remote>[^ ]*) (?<host>[^ ]*) (?<user>[^ ]*) \\[(?<time>[^\\]]*)\\] "(?<method>\\S+)(?: +(?<path>[^\\"]*?)' +
  '(?: +\\S*)?)?" (?<code>[^ ]*) (?<size>[^ ]*)(?: "(?<referer>[^\\"]*)" "(?<agent>[^\\"]*)")'
const LINE = '10.0.0.1 - bob [27/Nov/2026:09:00:00 +0000] "GET /a?b=é HTTP/1.1" 200 5123 "-" "curl/8.1 \u{1f600}"'

t.test("Fluent Bit's expression for nginx takes a line apart, in a small program", t => {
  t.strictSame(groupsOf(NGINX, LINE), {
    remote: '10.0.0.1',
    host: '-',
    user: 'bob',
    time: '27/Nov/2026:09:00:00 +0000',
    method: 'GET',
    path: '/a?b=é',
    code: '200',
    size: '5123',
    referer: '-',
    agent: 'curl/8.1 \u{1f600}',
  })
  t.equal(groupsOf(NGINX, LINE.slice(1, -1)), undefined)
  t.ok(compiled(NGINX).program.length < 8192)
  t.end()
})

t.test('names of grok take a line apart', t => {
  const line = '10.0.0.1 - bob [27/Nov/2026:09:00:00 +0000] "GET /a HTTP/1.1" 200 - "-" "a \\"quoted\\" agent"'
  const apache =
    '^%{IPORHOST:client} %{USER:ident} %{USER:auth} \\[%{HTTPDATE:time}\\] "(?:%{WORD:verb} %{NOTSPACE:request}' +
    '(?: HTTP/%{NUMBER:version})?|%{DATA:raw})" %{NUMBER:code} (?:%{NUMBER:bytes}|-) %{QS:referrer} %{QS:agent}'
  t.match(groupsOf(apache, line), { client: '10.0.0.1', version: '1.1', raw: null, bytes: null, referrer: '"-"' })
  t.match(groupsOf('^%{TIMESTAMP_ISO8601:t} +%{LOGLEVEL:l} %{GREEDYDATA:m}', '2026-11-27T09:00:00,5Z  WARN a  b'), {
    t: '2026-11-27T09:00:00,5Z',
    l: 'WARN',
    m: 'a  b',
  })
  for (const address of ['::1', 'fe80::1', '1:2:3:4:5:6:7:8', '::ffff:1.2.3.4', '2001:db8::', '255.255.255.255']) {
    t.strictSame(groupsOf('^%{IP:ip}$', address), { ip: address })
  }
  for (const no of ['10:20:30', '256.1.1.1', '1.2.3', 'fe80:']) t.equal(groupsOf('^%{IP:ip}$', no), undefined, no)
  t.end()
})

t.test('groups are those of the leftmost match, and of the last time around a loop', t => {
  t.strictSame(groupsOf('(a)|(b)', 'xba'), { 0: null, 1: 'b' })
  t.strictSame(groupsOf('(?:(a)|(b))*', 'ab'), { 0: 'a', 1: 'b' })
  t.strictSame(groupsOf('(a|ab)(c|bcd)(d*)', 'abcd'), { 0: 'a', 1: 'bcd', 2: '' })
  t.strictSame(groupsOf('(a*)(a*)', 'aaa'), { 0: 'aaa', 1: '' })
  t.strictSame(groupsOf('(a*?)(a*)', 'aaa'), { 0: '', 1: 'aaa' })
  t.strictSame(groupsOf('took (\\d+) ?ms', 'x took 5s, took 17ms'), { 0: '17' })
  t.strictSame(groupsOf('()', ''), { 0: '' })
  t.strictSame(groupsOf('(?:(x)|y)$', 'xy'), { 0: null })
  t.strictSame(groupsOf('(?m)^(\\w+)$', 'a b\ncd\ne'), { 0: 'cd' })
  t.strictSame(groupsOf('\\b(\\w)\\w*\\b.\\B(.)', 'ab  c'), { 0: 'a', 1: ' ' })
  t.end()
})

t.test('all sixteen groups have their spans, and a text that does not match has none', t => {
  const expression = 'abcdefghijklmnop'.replaceAll(/./g, '($&)')
  t.strictSame(Object.values(groupsOf(expression, '-abcdefghijklmnop-')!), [...'abcdefghijklmnop'])
  t.equal(groupsOf(expression, '-abcdefghijklmno-'), undefined)
  t.end()
})

t.test('a group never ends within a character, whatever the bytes are', t => {
  t.strictSame(groupsOf('([^a]*)é', 'xé\u00e8é'), { 0: 'xé\u00e8' })
  t.strictSame(groupsOf('(.)(.)', Buffer.from('e282c3a9', 'hex')), { 0: '\ufffd', 1: 'é' })
  t.strictSame(groupsOf('(?:[é-€]x|(.))', Buffer.from('c361', 'hex')), { 0: '\ufffd' }, 'the way that is left')
  t.strictSame(groupsOf('^(.*)(.)$', Buffer.from('61e282', 'hex')), { 0: 'a', 1: '\ufffd' })
  t.end()
})

t.test('captures are linear for any expression: each byte is read once, each note at most once more', t => {
  for (const expression of ['^(?<a>(?:\\w+\\s?)+)!$', '(a*)*b', '(?:(a|aa)+)+$', '(x+x+)+y', '(.*)(.*)(.*)(.*)x']) {
    const { program } = compiled(expression)
    for (const size of [100, 1000, 10_000]) {
      for (const text of ['word '.repeat(size / 5), 'a'.repeat(size), 'x'.repeat(size)]) {
        const { steps } = twin.captured(program, Buffer.from(text))
        t.ok(steps <= 2 * (text.length + 1), `${expression} takes ${steps} steps for ${text.length} bytes`)
      }
    }
  }
  t.end()
})

t.test('the first 64 KiB of a text are looked at, in whole characters', t => {
  const { program } = compiled('^(.*)$')
  const end = (text: string) =>
    captured(layTable(program), layText(Buffer.from(text)), Buffer.byteLength(text))?.[0]?.[1]
  t.equal(end('x'.repeat(CAPTURED_BYTES)), CAPTURED_BYTES)
  t.equal(end('x'.repeat(CAPTURED_BYTES + 10)), CAPTURED_BYTES)
  t.equal(end(`${'x'.repeat(CAPTURED_BYTES - 1)}é`), CAPTURED_BYTES - 1)
  t.equal(end(`${'x'.repeat(CAPTURED_BYTES - 3)}\u{1f600}`), CAPTURED_BYTES - 3)
  const noted = compiled('(?:(a)|(b))*').program
  const text = layText(Buffer.from('ab'.repeat(CAPTURED_BYTES)))
  t.ok(captured(layTable(noted), text, 2 * CAPTURED_BYTES), 'notes of all bytes have room')
  t.end()
})

t.test('captures that need too much are refused with the number', t => {
  t.match(compileCaptures('(x.{20}y)'), { code: 'limit', hint: /shorten/ })
  t.ok(compileCaptures('(x.{20}y)') instanceof ExpressionError)
  t.throws(() => captures(parsed('(abc)'), new Work(100)), { code: 'limit' })
  t.end()
})
