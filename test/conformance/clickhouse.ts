/**
 * ClickHouse: inserts as "HTTP Interface" and "JSONEachRow" have them, and the exceptions of 18.16 (as its server gave
 * them) and of later versions (as they are documented).
 */
import assert from 'node:assert/strict'
import type { Answer, Verdict } from '../../src/backends/backend.ts'
import type { Case, Decoded, Request, Subject } from './subject.ts'

const HEADERS = { 'content-type': 'text/plain; charset=UTF-8', 'x-clickhouse-server-display-name': 'ch-0' }

/** An exception as 18.16 says it. */
const old = (status: number, code: number, words: string): Answer => ({
  status,
  headers: HEADERS,
  body: `Code: ${code}, e.displayText() = DB::Exception: ${words}, e.what() = DB::Exception\n`,
})

/** An exception as later versions say it. */
const late = (status: number, code: number, name: string, words: string): Answer => ({
  status,
  headers: { ...HEADERS, 'x-clickhouse-exception-code': `${code}` },
  body: `Code: ${code}. DB::Exception: ${words}. (${name}) (version 24.8.4.13 (official build))\n`,
})

const meant = (name: string, answer: Answer, verdict: Verdict): Case => ({
  name,
  answer,
  verdict: (answer.body === '' || verdict.kind === 'delivered'
    ? verdict
    : { ...verdict, detail: answer.body }) as Verdict,
})

const passing = (reason: string): Verdict => ({ kind: 'retry', reason })
const mended = (reason: string): Verdict => ({ kind: 'retry', reason, misconfigured: true })
const bisect = (reason: string): Verdict => ({ kind: 'bisect', reason })
const refused = (reason: string): Verdict => ({ kind: 'unauthorized', reason })

const cases: readonly Case[] = [
  meant('stored', { status: 200, headers: HEADERS, body: '' }, { kind: 'delivered' }),
  meant('stored, behind a proxy that hides the server', { status: 200, headers: {}, body: '' }, { kind: 'delivered' }),
  meant(
    'an exception after a 200',
    late(200, 241, 'MEMORY_LIMIT_EXCEEDED', 'Memory limit (total) exceeded'),
    passing('memory_limit_exceeded'),
  ),
  {
    name: 'an exception after a 200, in a header alone',
    answer: { status: 200, headers: { ...HEADERS, 'x-clickhouse-exception-code': '252' }, body: '' },
    verdict: passing('too_many_parts'),
  },
  {
    name: 'the front page of a server, or of something else',
    answer: { status: 200, headers: {}, body: 'Ok.\n' },
    verdict: mended('unexpected_answer'),
  },
  {
    name: 'a login page',
    answer: { status: 200, headers: { 'content-type': 'text/html' }, body: '<html>' },
    verdict: mended('unexpected_html'),
  },
  meant(
    'the message cannot be inserted, with a 500',
    old(500, 27, 'Cannot parse input: expected " before: hello"}: (while read the value of key message): (at row 1)\n'),
    bisect('cannot_parse_input_assertion_failed'),
  ),
  meant(
    'the message cannot be inserted, with a 400',
    late(400, 72, 'CANNOT_PARSE_NUMBER', 'Cannot parse number: (while reading the value of key message): (at row 2)'),
    bisect('cannot_parse_number'),
  ),
  meant(
    'no element of the message’s enum, an internal error then',
    old(500, 49, "Unknown element 'zzz' for type Enum8('a' = 1, 'b' = 2): (while read the value of key message)"),
    bisect('logical_error'),
  ),
  meant(
    'a column made of the message cannot be made',
    old(400, 6, "Cannot parse string 'zzz' as UInt32: syntax error at begin of string"),
    bisect('cannot_parse_text'),
  ),
  meant(
    'a constraint of the table',
    late(500, 469, 'VIOLATED_CONSTRAINT', 'Constraint `short` for table default.logs is violated at row 1'),
    bisect('violated_constraint'),
  ),
  meant(
    'a column of another type',
    old(400, 72, "Unsigned type must not contain '-' symbol: (while read the value of key timestamp): (at row 1)\n"),
    mended('column_type'),
  ),
  meant(
    'a line that speaks of another column',
    old(
      500,
      27,
      'Cannot parse input: expected " before: (while read the value of key x): (while read the value of key message)',
    ),
    bisect('cannot_parse_input_assertion_failed'),
  ),
  meant(
    'a column that is not there, where that is not allowed',
    late(400, 117, 'INCORRECT_DATA', 'Unknown field found while parsing JSONEachRow format: pod: (at row 1)'),
    mended('unknown_field'),
  ),
  meant('an unknown table', old(404, 60, "Table default.nope doesn't exist."), mended('unknown_table')),
  meant('an unknown database', old(404, 81, "Database nodb doesn't exist"), mended('unknown_database')),
  meant(
    'a setting that it does not know yet',
    old(404, 115, 'Unknown setting insert_deduplication_token'),
    mended('unknown_setting'),
  ),
  meant(
    'a user who may only read',
    old(500, 164, 'Cannot override setting (date_time_input_format) in readonly mode'),
    mended('readonly'),
  ),
  meant(
    'a table that nothing can be written to',
    old(501, 48, 'Method write is not supported'),
    mended('not_implemented'),
  ),
  meant('its disk is full', late(500, 243, 'NOT_ENOUGH_SPACE', 'Cannot reserve 1.00 MiB'), mended('not_enough_space')),
  meant(
    'a replica without its keeper',
    late(500, 242, 'TABLE_IS_READ_ONLY', 'Table is in readonly mode'),
    passing('table_is_read_only'),
  ),
  meant('too many parts', late(500, 252, 'TOO_MANY_PARTS', 'Too many parts (300)'), passing('too_many_parts')),
  meant('too slow', late(408, 159, 'TIMEOUT_EXCEEDED', 'Wait for async insert timeout'), passing('timeout_exceeded')),
  meant(
    'too many queries',
    late(500, 202, 'TOO_MANY_SIMULTANEOUS_QUERIES', 'Too many simultaneous queries'),
    passing('too_many_simultaneous_queries'),
  ),
  meant(
    'a body that was cut on its way',
    old(500, 33, 'Unexpected end of stream while parsing JSONEachRow format: (at row 1)\n'),
    passing('cannot_read_all_data'),
  ),
  meant(
    'a compression that it does not know',
    old(500, 89, 'Unknown Content-Encoding of HTTP request: zstd'),
    mended('unknown_compression_method'),
  ),
  meant('the rows are there already', late(500, 389, 'INSERT_WAS_DEDUPLICATED', 'Block was deduplicated'), {
    kind: 'delivered',
  }),
  meant(
    'a proxy repeats a line that speaks of a row that is there already',
    { status: 403, headers: {}, body: 'blocked: Code: 389. DB::Exception: Block was deduplicated.' },
    refused('http_403'),
  ),
  meant(
    'the same words alone, with the status of an error',
    { status: 500, headers: {}, body: 'Code: 389. DB::Exception: Block was deduplicated.' },
    passing('insert_was_deduplicated'),
  ),
  meant(
    'a proxy repeats a line that speaks of a row that cannot be read',
    { status: 502, headers: {}, body: 'Code: 27. DB::Exception: Cannot parse input' },
    passing('http_502'),
  ),
  meant('a wrong password', old(401, 193, 'Wrong password for user reader'), refused('wrong_password')),
  meant('an unknown user', old(401, 192, 'Unknown user nobody'), refused('unknown_user')),
  meant('a password is missing', old(401, 194, 'Password required for user x'), refused('required_password')),
  meant(
    'wrong credentials',
    late(403, 516, 'AUTHENTICATION_FAILED', 'default: Authentication failed'),
    refused('authentication_failed'),
  ),
  meant(
    'no right to insert',
    late(403, 497, 'ACCESS_DENIED', 'shipper: Not enough privileges'),
    refused('access_denied'),
  ),
  meant('an unknown exception', late(500, 740, 'SOMETHING_NEW', 'What is this'), passing('exception')),
  meant('an unknown exception, with a 4xx', late(400, 741, 'SOMETHING', 'What'), mended('exception')),
  meant('a 400 of something in between', { status: 400, headers: {}, body: 'Bad Request' }, mended('http_400')),
  {
    name: 'a proxy: too large',
    answer: { status: 413, headers: {}, body: '' },
    verdict: { kind: 'split', reason: 'http_413' },
  },
  { name: 'a proxy: no server', answer: { status: 502, headers: {}, body: '' }, verdict: passing('http_502') },
]

/** What the server would look at: the statement, the settings, and a row per line. */
const decoder = (settings: Readonly<Record<string, string>>, names: Readonly<Record<string, string>>) =>
  function decode({ method, url, headers, body }: Request): Decoded[] {
    assert.equal(method, 'POST', 'GET is read-only')
    const { pathname, searchParams } = new URL(url, 'http://clickhouse')
    assert.equal(pathname, '/')
    const { query, insert_deduplication_token: token, ...others } = Object.fromEntries(searchParams)
    assert.equal(query, 'INSERT INTO `default`.`logs` FORMAT JSONEachRow')
    assert.match(token ?? '', /^[\w-]{40,}$/)
    assert.deepEqual(others, settings)
    assert.ok(url.length < 8000)
    assert.ok([undefined, 'gzip', 'zstd'].includes(headers['content-encoding']))
    const lines = body.toString().split('\n')
    assert.equal(lines.pop(), '')
    return lines.map(line => {
      const row = JSON.parse(line) as Record<string, unknown>
      const { labels = {} } = row as { labels?: Record<string, string> }
      const time = row[names['timestamp'] ?? 'timestamp'] as string
      const [, second, fraction] = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.(\d{9})Z$/.exec(time) ?? assert.fail(time)
      const message = names['message'] ?? 'message'
      const attributes = Object.entries(row).filter(([name, value]) => name !== message && typeof value === 'string')
      return {
        message: row[message] as string,
        time: BigInt(Date.parse(`${second}Z`)) * 1_000_000n + BigInt(fraction!),
        attributes: { ...labels, ...(Object.fromEntries(attributes) as Record<string, string>) },
        truncated: row['truncated'] === true,
      }
    })
  }

const READING = { date_time_input_format: 'best_effort', input_format_skip_unknown_fields: '1' }
const common = { type: 'clickhouse', success: () => ({ status: 200, headers: HEADERS, body: '' }), cases }

export const subjects: readonly Subject[] = [
  {
    ...common,
    name: 'clickhouse',
    config: origin => ({ type: 'clickhouse', endpoint: origin }),
    decode: decoder({ ...READING, async_insert: '1', wait_for_async_insert: '1', async_insert_deduplicate: '1' }, {}),
  },
  {
    ...common,
    name: 'clickhouse (synchronous, other columns)',
    config: origin => ({
      type: 'clickhouse',
      endpoint: origin,
      asyncInsert: false,
      columns: { timestamp: 'at', podUid: '' },
      labelColumns: true,
      settings: { max_insert_threads: 2 },
    }),
    decode: decoder({ ...READING, max_insert_threads: '2' }, { timestamp: 'at' }),
  },
]
