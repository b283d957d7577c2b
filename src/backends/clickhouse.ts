/**
 * ClickHouse's HTTP interface: `INSERT INTO … FORMAT JSONEachRow`.
 *
 *     {"timestamp":"2026-01-02T03:04:05.│counter│Z","message":"│frame│","source":"app", … ,"labels":{"team":"checkout"}}⏎
 *
 * A table may have any of these columns; what it has no column for is left out there (`input_format_skip_unknown_fields`).
 * A request that is sent again carries the same token, so a table that remembers tokens (Replicated, or with
 * `non_replicated_deduplication_window`) holds its rows once.
 *
 * Guarantees: an insert counts as delivered only if the answer is a success that holds no exception; a table, a
 * database, a right, a setting or a column type that does not fit is retried until it is corrected; a record is
 * at fault only if its own text is what could not be inserted.
 */
import * as z from 'zod/mini'
import type { Chunk } from '../chunk.ts'
import type { Segment } from '../kernel/template.ts'
import type { Metadata } from '../metadata.ts'
import type { Answer, Backend, BackendContext, Verdict } from './backend.ts'
import { type Exception, exceptionOf } from './clickhouse_exception.ts'
import { endpointSchema } from './endpoint.ts'
import { attributesOf, FLAGS, flags, isoTime, joined, literal, podPrefix } from './fields.ts'
import { fit } from './fit.ts'
import { NO_LIMITS, perLine } from './format.ts'
import { fieldsIn, foundNames, levelIn, marksIn, message, timeOf } from './found.ts'
import { judge } from './http.ts'

const identifier = z.string().check(z.regex(/^[^\0.]{1,200}$/, { error: 'a name without dots' }))

/** What a record says, by the name that `columns` knows it by; labels stand in a column of their own. */
const ATTRIBUTES = [
  'timestamp',
  'message',
  'source',
  'file',
  'namespace',
  'pod',
  'podUid',
  'node',
  'serviceAccount',
  'container',
  'labels',
  'truncated',
  'originalBytes',
  'partial',
] as const

type Attribute = (typeof ATTRIBUTES)[number]

export const clickhouseSchema = z.object({
  endpoint: endpointSchema.check(z.describe('The HTTP interface, such as http://clickhouse:8123.')),
  database: z._default(identifier, 'default').check(z.describe('Database of the table.')),
  table: z._default(identifier, 'logs').check(z.describe('Table that rows are inserted into.')),
  columns: z._default(z.partialRecord(z.enum(ATTRIBUTES), z.string()), {}).check(
    z.refine(columns => columns.message !== '', { error: 'a column for the message' }),
    z.describe('Attributes under other names than their own; an empty name leaves one out.'),
  ),
  labelColumns: z
    ._default(z.boolean(), false)
    .check(z.describe('Each label in a column of its own name, instead of all in one of type Map(String, String).')),
  asyncInsert: z
    ._default(z.boolean(), true)
    .check(z.describe('Lets the server gather the inserts of many senders. false for a server before 21.11.')),
  waitForAsyncInsert: z
    ._default(z.boolean(), true)
    .check(z.describe('An insert is answered when it is stored, not when it was accepted.')),
  deduplicate: z
    ._default(z.boolean(), true)
    .check(z.describe('Sends a token that stays the same when a request is sent again. false before 22.2.')),
  user: z
    .optional(z.string())
    .check(z.describe('Sent as X-ClickHouse-User; the password under auth.apiKey with the header X-ClickHouse-Key.')),
  settings: z
    ._default(z.record(z.string().check(z.regex(/^\w+$/)), z.union([z.string(), z.number(), z.boolean()])), {})
    .check(z.describe('Further settings of the insert; they win over ours.')),
})

export type ClickhouseOptions = z.infer<typeof clickhouseSchema>

/** What labels may take in all: the template of a record must fit the kernel's room. */
const LABELS = { count: 500, bytes: 24 * 1024, valueBytes: 16 * 1024 }

export function createClickhouse(options: ClickhouseOptions, context: BackendContext): Backend {
  const url = new URL(options.endpoint)
  const pod = podPrefix(context.metadata())
  for (const [name, value] of Object.entries(settingsOf(options))) url.searchParams.set(name, value)
  url.searchParams.set(
    'query',
    `INSERT INTO ${identifierOf(options.database)}.${identifierOf(options.table)} FORMAT JSONEachRow`,
  )
  const path = url.pathname + url.search
  const headers: Record<string, string> = options.user === undefined ? {} : { 'x-clickhouse-user': options.user }
  const message = options.columns.message ?? 'message'
  // Columns that hold what we say of each record. Once records are parsed others hold what stands in lines.
  const said = new Set<string>()
  let parses = false
  return {
    type: 'clickhouse',
    ackLevel: options.asyncInsert && !options.waitForAsyncInsert ? 'accepted' : 'stored',
    format: perLine('application/x-ndjson'),
    limits: NO_LIMITS,
    segments: chunk => {
      parses ||= chunk.shape !== undefined
      return row(chunk, options, context.metadata(), said)
    },
    request: ({ id }) => {
      const token = options.deduplicate ? `&insert_deduplication_token=${encodeURIComponent(pod + id)}` : ''
      return { method: 'POST', path: path + token, headers }
    },
    judge: answer => judgeInsert(answer, key => key === message || (parses && !said.has(key))),
  }
}

function settingsOf({ asyncInsert, waitForAsyncInsert, deduplicate, settings }: ClickhouseOptions) {
  const wanted: Record<string, string | number | boolean> = {
    date_time_input_format: 'best_effort',
    input_format_skip_unknown_fields: 1,
    ...(asyncInsert ? { async_insert: 1, wait_for_async_insert: waitForAsyncInsert ? 1 : 0 } : {}),
    // Without it the token of an asynchronous insert means nothing.
    ...(asyncInsert && deduplicate ? { async_insert_deduplicate: 1 } : {}),
    ...settings,
  }
  const texts = Object.entries(wanted).map(([name, value]) => [name, typeof value === 'boolean' ? +value : value])
  return Object.fromEntries(texts.map(([name, value]) => [name, `${value}`])) as Record<string, string>
}

function identifierOf(name: string): string {
  return `\`${name.replace(/[\\`]/g, '\\$&')}\``
}

function row(chunk: Chunk, options: ClickhouseOptions, metadata: Metadata, said: Set<string>): Segment[] {
  const own: [string, string | number | boolean | object][] = []
  const labels: [string, string][] = []
  for (const [name, value] of attributesOf(chunk, metadata)) {
    if ((ATTRIBUTES as readonly string[]).includes(name) && !OURS.has(name)) own.push([name, value])
    else labels.push([name, value])
  }
  own.push(...flags(chunk))
  const fitting = fit(labels, LABELS)
  if (!options.labelColumns && fitting.length > 0) own.push(['labels', Object.fromEntries(fitting)])
  const column = (attribute: string): string => options.columns[attribute as Attribute] ?? attribute
  const taken = new Set([column('timestamp'), column('message'), ...foundNames(chunk, 'level')])
  let tail = ''
  const say = (name: string, value: unknown): void => {
    if (name === '' || taken.has(name)) return
    taken.add(name)
    tail += `,${JSON.stringify(name)}:${JSON.stringify(value)}`
  }
  for (const [attribute, value] of own) say(column(attribute), value)
  if (options.labelColumns) for (const [name, value] of fitting) say(name, value)
  for (const name of taken) said.add(name)
  const time = column('timestamp') === '' ? [literal('{')] : timed(column('timestamp'), chunk)
  return joined([
    ...time,
    literal(`${JSON.stringify(column('message'))}:"`),
    message(chunk),
    literal('"'),
    ...levelIn(chunk, ',"level":"', 'word', '"'),
    ...marksIn(chunk),
    ...fieldsIn(chunk, { as: 'json', ours: [...taken, ...FLAGS] }),
    literal(`${tail}}`),
  ])
}

/** Names of attributes that no label may bear. */
const OURS = new Set<string>(['timestamp', 'message', 'labels', ...FLAGS])

/**
 * RFC 3339 with nanoseconds, one later for each record: the digits behind the point are counted up. Zeros that lead them
 * stand before the counter, and where the number of digits would change on the way, which is once in many thousand
 * chunks, all records of the chunk have the time of its first.
 */
function timed(name: string, chunk: Chunk): Segment[] {
  if (chunk.shape?.timed) {
    const time = timeOf(chunk, 'rfc3339', () => literal(isoTime(chunk)))
    return [literal(`{${JSON.stringify(name)}:"`), time, literal('",')]
  }
  const nanoseconds = chunk.recordTimeNanos % 1_000_000_000n
  const digits = nanoseconds.toString()
  const second = `{${JSON.stringify(name)}:"${isoTime(chunk).slice(0, 19)}.`
  const last = (nanoseconds + BigInt(chunk.frames - 1)).toString()
  if (last.length !== digits.length) return [literal(`${second}${digits.padStart(9, '0')}Z",`)]
  const zeros = '0'.repeat(9 - digits.length)
  return [literal(second + zeros), { kind: 'counter', value: nanoseconds }, literal('Z",')]
}

/**
 * What an answer means ("HTTP Interface"). A status alone says little: permanent faults of a row come with 400 and with
 * 500, and an exception may follow a 200. Its code tells.
 */
/** `isLine`: whether what stands in lines is in a column. */
type IsLine = (column: string) => boolean

function judgeInsert(answer: Answer, isLine: IsLine): Verdict {
  const exception = exceptionOf(answer)
  if (exception !== undefined) return judgeException(exception, answer, isLine)
  const verdict = judge(answer)
  const { body, headers } = answer
  if (verdict.kind === 'delivered') {
    // An insert is answered with an empty body; `Ok.` is what the server's front page says.
    const ours = body.trim() === '' || Object.keys(headers).some(name => name.startsWith('x-clickhouse-'))
    return ours && !/^Ok\.\s*$/.test(body)
      ? verdict
      : { kind: 'retry', reason: 'unexpected_answer', misconfigured: true }
  }
  if (verdict.kind !== 'rejected' && verdict.kind !== 'bisect') return verdict
  // ClickHouse says why; a proxy does not.
  return { kind: 'retry', reason: verdict.reason, ...(body === '' ? {} : { detail: body }), misconfigured: true }
}

function judgeException({ about, reason, key }: Exception, { status, body }: Answer, isLine: IsLine): Verdict {
  const detail = body === '' ? {} : { detail: body }
  switch (about) {
    case 'nothing':
      return { kind: 'delivered' }
    case 'credentials':
      return { kind: 'unauthorized', reason, ...detail }
    case 'row':
      if (key === undefined || isLine(key)) return { kind: 'bisect', reason, ...detail }
      // All other columns hold what we say of each record: it is the column's type that does not fit.
      return { kind: 'retry', reason: 'column_type', ...detail, misconfigured: true }
    case 'passing':
      return { kind: 'retry', reason, ...detail }
    case 'configuration':
      return { kind: 'retry', reason, ...detail, misconfigured: true }
    case 'unknown':
      return { kind: 'retry', reason, ...detail, ...(status < 500 ? { misconfigured: true } : {}) }
  }
}
