/**
 * Azure Monitor's Logs Ingestion API (2023-01-01): rows of a stream that a data collection rule declares.
 *
 *     POST {endpoint}/dataCollectionRules/{rule}/streams/{stream}?api-version=2023-01-01
 *     [{"TimeGenerated":"…","Level":"error","Message":"│frame│","RecordId":"…-│offset│","Source":"app", … ,"Labels":{…},"Fields":{…}},…]
 *
 * Guarantees: rows have the same columns always, for what a stream does not declare is dropped there without a word: what
 * has no column of its own stands in Labels and Fields. Nothing leaves that Azure would cut without telling: calls and
 * values are kept within its limits, and longer lines are cut here and say so. A 204 means that all rows were accepted.
 */
import * as z from 'zod/mini'
import type { Chunk } from '../chunk.ts'
import type { Segment } from '../kernel/template.ts'
import type { Metadata } from '../metadata.ts'
import { judgeIngestion } from './azure_monitor_answer.ts'
import type { Backend, BackendContext } from './backend.ts'
import { endpointSchema, endpointUrl } from './endpoint.ts'
import { FLAGS, firstOf, flagTexts, idPrefix, isoTime, joined, literal, offset, quoted } from './fields.ts'
import { fit } from './fit.ts'
import { jsonArray } from './format.ts'
import { fieldsIn, levelIn, marksIn, message, timeOf } from './found.ts'

const API = '2023-01-01'

/** What a row says, and the column that says it. */
const COLUMNS = {
  time: 'TimeGenerated',
  level: 'Level',
  message: 'Message',
  id: 'RecordId',
  source: 'Source',
  file: 'File',
  namespace: 'Namespace',
  pod: 'Pod',
  container: 'Container',
  node: 'Node',
  labels: 'Labels',
  fields: 'Fields',
} as const

type Column = keyof typeof COLUMNS

const COLUMN = 'the name of a column: up to 45 letters, digits and underscores, a letter first; empty: none'
const column = z.string().check(z.regex(/^(?:[A-Za-z]\w{0,44})?$/, { error: COLUMN }))

export const azureMonitorSchema = z.object({
  endpoint: endpointSchema.check(
    z.describe('Logs ingestion endpoint of the data collection rule, or a data collection endpoint.'),
  ),
  rule: z
    .string()
    .check(
      z.regex(/^dcr-[0-9a-f]{32}$/, { error: 'the immutable id of a data collection rule: dcr- and 32 digits' }),
      z.describe('Immutable id of the data collection rule.'),
    ),
  stream: z
    .string()
    .check(
      z.regex(/^(?:Custom|Microsoft)-\w{1,100}$/, { error: 'the name of a stream, such as Custom-AppLogs_CL' }),
      z.describe('Stream of the rule that rows go to.'),
    ),
  columns: z
    ._default(z.partialRecord(z.enum(Object.keys(COLUMNS) as [Column, ...Column[]]), column), {})
    .check(z.describe('Columns under other names; an empty name leaves one out.')),
})

export type AzureMonitorOptions = z.infer<typeof azureMonitorSchema>

/**
 * "Azure Monitor service limits", Logs Ingestion API: a call has 1 MB at the most, compressed and not; values of more than
 * 64 KB are cut there.
 */
const PAYLOAD = 1024 * 1024
const VALUE = 64_000
const LABELS = { count: 200, bytes: 32 * 1024, valueBytes: 4096 }
const FIELDS = { count: 1000, bytes: VALUE - 2 }

export function createAzureMonitor(options: AzureMonitorOptions, context: BackendContext): Backend {
  const { rule, stream } = options
  const url = endpointUrl(options.endpoint, `/dataCollectionRules/${rule}/streams/${stream}`)
  if (!url.searchParams.has('api-version')) url.searchParams.set('api-version', API)
  const path = url.pathname + url.search
  const columns = { ...COLUMNS, ...options.columns }
  return {
    type: 'azure_monitor',
    ackLevel: 'accepted',
    format: jsonArray(),
    limits: { payloadBytes: PAYLOAD, records: Number.MAX_SAFE_INTEGER, messageBytes: VALUE },
    segments: chunk => row(chunk, columns, context.metadata()),
    request: () => ({ method: 'POST', path, headers: {} }),
    judge: answer => judgeIngestion(answer, rule, stream),
  }
}

type Columns = Readonly<Record<Column, string>>

function row(chunk: Chunk, columns: Columns, metadata: Metadata): Segment[] {
  const texts = Object.entries(textsOf(chunk, metadata)) as [Column, string | undefined][]
  const members: Segment[][] = [
    member(
      columns.time,
      '"',
      timeOf(chunk, 'rfc3339', () => literal(isoTime(chunk))),
      '"',
    ),
    columns.level === '' ? [] : levelIn(chunk, `"${columns.level}":"`, 'word', '",'),
    member(columns.message, '"', message(chunk), '"'),
    member(columns.id, `"${quoted(idPrefix(chunk, metadata))}`, offset(chunk), '"'),
    ...texts.map(([name, value]) => (value === undefined ? [] : member(columns[name], JSON.stringify(value)))),
    member(columns.labels, JSON.stringify(Object.fromEntries(labelsOf(chunk, metadata)))),
  ]
  const all = members.flat()
  const fields = columns.fields === '' || chunk.shape === undefined ? [] : fieldsOf(chunk, columns.fields)
  // Each ends in a comma, of which the last is one too many.
  return joined([literal('{'), ...withoutComma([...all, ...fields]), literal('}')])
}

/** A column with its value in these pieces, and a comma; none without a name. */
function member(name: string, before: string, value?: Segment, after = ''): Segment[] {
  if (name === '') return []
  return [literal(`"${name}":${before}`), ...(value ? [value] : []), literal(`${after},`)]
}

function withoutComma(segments: readonly Segment[]): Segment[] {
  const last = segments.at(-1)
  if (last?.kind !== 'literal') return [...segments]
  return [...segments.slice(0, -1), { kind: 'literal', bytes: last.bytes.subarray(0, -1) }]
}

/** An object of what has no column of its own. */
function fieldsOf(chunk: Chunk, name: string): Segment[] {
  const all = [...marksIn(chunk), ...fieldsIn(chunk, { as: 'json', ours: ['repeated', 'sampled'], limits: FIELDS })]
  return [literal(`"${name}":{`), ...all, literal('},')]
}

function textsOf({ origin }: Chunk, metadata: Metadata): Partial<Record<Column, string | undefined>> {
  const { namespace, pod, container, node } = metadata
  return { source: origin.source, file: origin.path, namespace, pod, container, node }
}

function labelsOf(chunk: Chunk, metadata: Metadata): [name: string, value: string][] {
  // The pod's uid stands in the id: it is not said, and paid for, again.
  const { serviceAccount, podLabels, podAnnotations } = metadata
  const all = firstOf({ serviceAccount }, chunk.origin.labels, podLabels, podAnnotations)
  return [
    ...fit(
      all.filter(([name]) => !FLAGS.has(name)),
      LABELS,
    ),
    ...flagTexts(chunk),
  ]
}
