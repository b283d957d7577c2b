/**
 * VictoriaLogs' JSON lines (`/insert/jsonline`).
 *
 *     {"_time":"│counter│","_msg":"│frame│","source":"app","file":"/var/log/app/a.log", …}⏎
 *
 * The hazard: VictoriaLogs skips what it does not like (a line over 256 KiB, more than 1000 fields, a field name over 128
 * bytes, a time outside its retention) and answers 200 all the same. So its limits are kept here.
 *
 * Guarantees: nothing is sent that a VictoriaLogs with default limits would skip; longer lines are cut here and say so; a
 * record that waited for a day gets the present time. Names that VictoriaLogs gives a meaning are never those of labels.
 */
import * as z from 'zod/mini'
import type { Chunk } from '../chunk.ts'
import type { Segment } from '../kernel/template.ts'
import type { Metadata } from '../metadata.ts'
import { size } from '../size.ts'
import type { Answer, Backend, BackendContext, Verdict } from './backend.ts'
import { endpointSchema, endpointUrl } from './endpoint.ts'
import { attributesOf, FLAGS, flagTexts, joined, literal } from './fields.ts'
import { fit } from './fit.ts'
import { LINE_FEED, NO_LIMITS, perLine } from './format.ts'
import { fieldsIn, foundNames, levelIn, marksIn, message, timeOf } from './found.ts'
import { judge } from './http.ts'

const uint32 = () => {
  const allowed = 'a whole number from 0 to 4294967295'
  return z.int({ error: allowed }).check(z.minimum(0, { error: allowed }), z.maximum(2 ** 32 - 1, { error: allowed }))
}

export const victorialogsSchema = z.object({
  endpoint: endpointSchema.check(z.describe('VictoriaLogs or vlagent, with or without /insert/jsonline.')),
  streamFields: z
    ._default(z.array(z.string().check(z.regex(/^[^,\s]+$/, { error: 'the name of an attribute, without a comma' }))), [
      'source',
      'namespace',
      'pod',
      'container',
    ])
    .check(z.describe('Attributes that tell streams apart: they should say which instance of the application it is.')),
  accountId: z.optional(uint32()).check(z.describe('The tenant’s AccountID.')),
  projectId: z.optional(uint32()).check(z.describe('The tenant’s ProjectID.')),
  maxRecordBytes: z
    .prefault(size({ min: 4096, max: 2 * 1024 ** 2 }), '256KiB')
    .check(z.describe('Longer records are cut and marked. VictoriaLogs’ -insert.maxLineSizeBytes.')),
})

export type VictorialogsOptions = z.infer<typeof victorialogsSchema>

/** `-insert.maxFieldsPerLine` is 1000; a name has 128 bytes at the most. */
const ATTRIBUTES = { count: 900, bytes: 32 * 1024, valueBytes: 16 * 1024 }
const NAME_BYTES = 128
/** Some are left for the record's own: time, message, level. */
const FIELDS = 990
/** Names with a meaning of their own in VictoriaLogs, and those that only the shipper may say. */
const RESERVED = new Set(['_msg', '_time', '_stream', '_stream_id', ...FLAGS])
/** The shortest retention there can be is a day: what is older is dropped without a word. Milliseconds. */
const AGE = 23 * 3_600_000

export function createVictorialogs(options: VictorialogsOptions, context: BackendContext): Backend {
  const { streamFields, accountId, projectId, maxRecordBytes } = options
  const url = endpointUrl(options.endpoint, '/insert/jsonline')
  if (streamFields.length > 0) url.searchParams.set('_stream_fields', streamFields.join(','))
  const path = url.pathname + url.search
  const headers: Record<string, string> = {}
  if (accountId !== undefined) headers['accountid'] = `${accountId}`
  if (projectId !== undefined) headers['projectid'] = `${projectId}`
  return {
    type: 'victorialogs',
    ackLevel: 'accepted',
    format: perLine('application/stream+json'),
    limits: {
      ...NO_LIMITS,
      // A line and its line feed must fit.
      recordBytes: maxRecordBytes - LINE_FEED.length - 1,
      age: AGE,
    },
    segments: chunk => line(chunk, context.metadata()),
    request: () => ({ method: 'POST', path, headers }),
    judge: judgeInsert,
  }
}

function line(chunk: Chunk, metadata: Metadata): Segment[] {
  const found = foundNames(chunk, 'level')
  const known = attributesOf(chunk, metadata).filter(
    ([name, value]) =>
      value !== '' && !RESERVED.has(name) && !found.includes(name) && Buffer.byteLength(name) <= NAME_BYTES,
  )
  const said = Object.fromEntries([...fit(known, ATTRIBUTES), ...flagTexts(chunk)])
  return joined([
    literal('{"_time":"'),
    timeOf(chunk, 'nanoseconds', () => ({ kind: 'counter', value: chunk.recordTimeNanos })),
    literal('","_msg":"'),
    // A message of nothing would be called a missing one.
    message(chunk, { refusesBlank: true }),
    literal('"'),
    ...levelIn(chunk, ',"level":"', 'word', '"'),
    ...marksIn(chunk),
    ...fieldsIn(chunk, {
      as: 'json',
      ours: [...RESERVED, ...Object.keys(said), ...found],
      limits: { count: FIELDS - Object.keys(said).length, nameBytes: NAME_BYTES },
    }),
    literal(`,${JSON.stringify(said).slice(1)}`),
  ])
}

/**
 * What an answer means ("Data ingestion", `app/vlinsert`). Every fault of a request is a 400 there, a wrong path too; it
 * is the records' only where the lines themselves could not be read, and then not one was.
 */
function judgeInsert(answer: Answer): Verdict {
  const { status, body } = answer
  const detail = body === '' ? {} : { detail: body }
  if (status === 400) {
    if (/cannot process jsonline request/i.test(body)) return { kind: 'bisect', reason: 'unreadable_line', ...detail }
    return { kind: 'retry', reason: reasonOf(body), ...detail, misconfigured: true }
  }
  // Too little free space: it takes nothing until there is more.
  if (status === 429 && /read-only mode/i.test(body)) {
    return { kind: 'retry', reason: 'read_only', ...detail, misconfigured: true }
  }
  const verdict = judge(answer)
  if (verdict.kind !== 'rejected' && verdict.kind !== 'bisect') return verdict
  return { kind: 'retry', reason: verdict.reason, ...detail, misconfigured: true }
}

function reasonOf(body: string): string {
  if (/unsupported path|missing route/i.test(body)) return 'wrong_path'
  if (/AccountID|ProjectID|tenant/i.test(body)) return 'tenant'
  if (/are disabled/i.test(body)) return 'insert_disabled'
  return 'http_400'
}
