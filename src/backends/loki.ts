/**
 * Grafana Loki's push API (`/loki/api/v1/push`, JSON), and what else speaks it.
 *
 *     {"streams":[{"stream":{ labels },"values":[["│counter│","│frame│",{ structured metadata }],…]},…]}
 *
 * A stream is a set of labels, and each further one costs Loki memory: so labels are few, and what has many values (pod,
 * file, node) is structured metadata. Records of one pipeline have different nanoseconds and keep them when they are sent
 * again, so Loki, which takes equal text at an equal time for a repetition, stores what is sent twice once, and what was
 * written twice twice.
 * What was found in a record can be a label too, and records of one chunk then go to several streams of one request, in
 * their order. Such sets of labels are counted: beyond `maxLabelSets` in an hour the values are structured metadata.
 *
 * Guarantees: labels keep to Loki's grammar and limits, and a record always has one; a line is never longer than Loki
 * takes. What Loki refuses because of a time, a label, a limit or a tenant is retried until it is corrected, and
 * what is older than `maxAge` by then gets the present time; only a line that is too long for this Loki is rejected.
 */
import * as z from 'zod/mini'
import type { Chunk } from '../chunk.ts'
import { duration } from '../duration.ts'
import { headOf } from '../head.ts'
import type { Segment } from '../kernel/template.ts'
import type { Metadata } from '../metadata.ts'
import type { Partitioning } from '../partition.ts'
import { size } from '../size.ts'
import type { Answer, Backend, BackendContext, Verdict } from './backend.ts'
import { bound } from './bound.ts'
import { endpointSchema, endpointUrl } from './endpoint.ts'
import { attributesOf, FLAGS, flagTexts, joined, literal } from './fields.ts'
import { fit } from './fit.ts'
import { jsonArray } from './format.ts'
import { foundNames, message, objectOf, timeOf } from './found.ts'
import { judge } from './http.ts'

/** `max_label_names_per_series`; more make a request invalid. */
const MAX_LABELS = 15
/** `max_label_value_length`: bytes. */
const LABEL_VALUE = 2048
/** Below `max_structured_metadata_entries_count` (128) and `max_structured_metadata_size` (64 KB), with room for ours. */
const METADATA = { count: 120, bytes: 32 * 1024, valueBytes: 4096 }
/** With what was found in a record, but for its level. */
const METADATA_COUNT = 126
const METADATA_BYTES = 63 * 1000
/** Bytes that the mark of a cut line takes at the most, where it stands in the line itself. */
const MARK = 64

/** "Manage tenants": what an id may consist of. */
const TENANT = /^(?!\.{1,2}$)[A-Za-z0-9!_.*'()-]{1,150}$/

const LEVEL = 'level'
const LABEL = 'the name of an attribute, level, or a map with field and as'

const fieldLabel = z
  .strictObject({
    field: z
      .string()
      .check(
        z.minLength(1, { error: 'the name of a value' }),
        z.describe('A value of a parsed record that becomes a label, by its name in the line.'),
      ),
    as: z
      .optional(z.string().check(z.minLength(1, { error: 'the name of a label' })))
      .check(z.describe('Name of the label. Default: that of the value.')),
  })
  .check(
    z.refine(({ field, as = field }) => as !== LEVEL, {
      error: `a label of another name: ${LEVEL} alone, and not in a map, is the level of each record`,
    }),
  )

export const lokiSchema = z.object({
  endpoint: endpointSchema.check(z.describe('Loki, with or without /loki/api/v1/push.')),
  tenant: z
    .optional(
      z
        .string()
        .check(z.regex(TENANT, { error: "1 to 150 letters, digits and the signs ! - _ . * ' ( ), not . or .." })),
    )
    .check(z.describe('Sent as X-Scope-OrgID.')),
  labels: z
    .optional(
      z.array(z.union([z.string().check(z.minLength(1, { error: LABEL })), fieldLabel], { error: LABEL })).check(
        z.minLength(1, { error: 'at least one name' }),
        z.refine(names => names.length <= MAX_LABELS, { error: `at most ${MAX_LABELS} names: Loki refuses more` }),
        // A stream has one label of the chunk at least: a record without any of the values needs it.
        z.refine(names => names.filter(name => typeof name !== 'string' || name === LEVEL).length < MAX_LABELS, {
          error: `at most ${MAX_LABELS - 1} of records: each stream has source or another label beside them`,
        }),
      ),
    )
    .check(
      z.describe(
        'Attributes that become labels, level for that of each record, and values found in it as { field: status }. Default: source, namespace, container and the source’s own labels.',
      ),
    ),
  maxLabelSets: z
    ._default(bound, 100)
    .check(
      z.describe(
        'Sets of values of level and fields that are labels within an hour. Others go to structured metadata.',
      ),
    ),
  structuredMetadata: z
    ._default(z.boolean(), true)
    .check(z.describe('All other attributes, beside each line. false for a Loki before 3, or one that disallows it.')),
  maxLineBytes: z
    .prefault(size({ min: 1024, max: 16 * 1024 ** 2 }), '256KiB')
    .check(z.describe('Longer lines are cut and marked. Loki’s max_line_size.')),
  maxAge: z
    .prefault(duration({ min: 60_000, max: 7 * 24 * 3_600_000 }), '45m')
    .check(z.describe('Lines that waited for longer get a new time: Loki refuses what is far behind its stream.')),
})

export type LokiOptions = z.infer<typeof lokiSchema>

const bytes = (text: string): Buffer => Buffer.from(text)

/** Milliseconds for which sets of labels are counted. Loki closes the chunks of a stream that is idle for half of it. */
const WINDOW = 3_600_000

/** Names that only we give. */
const MARKS = [LEVEL, 'repeated', 'sampled']

type Label = NonNullable<LokiOptions['labels']>[number]

/** A value of each record that is a label, and its name. */
interface FoundLabel {
  readonly name: string
  readonly part: Partitioning['by'][number]
}

/** Labels that are found in records. */
function foundLabels(labels: readonly Label[] = []): FoundLabel[] {
  const taken = new Set([...FLAGS, ...MARKS])
  return labels.flatMap((label, index): FoundLabel[] => {
    if (label === LEVEL) return [{ name: LEVEL, part: { kind: 'level', path: ['labels', index] } }]
    if (typeof label === 'string') return []
    const { field, as = field } = label
    return [{ name: unique(as, taken), part: { kind: 'value', name: field, path: ['labels', index, 'field'] } }]
  })
}

/** How records are told apart: by what stands in the stream's object behind the labels that all of a chunk have. */
function partitioningOf({ labels, maxLabelSets }: LokiOptions): Partitioning | undefined {
  const found = foundLabels(labels)
  if (found.length === 0) return undefined
  return {
    by: found.map(({ part }) => part),
    key: 'maxLabelSets',
    most: maxLabelSets,
    window: WINDOW,
    text: values =>
      values
        .map((value, index) => (value === undefined ? '' : `,"${found[index]!.name}":${JSON.stringify(value)}`))
        .join(''),
  }
}

export function createLoki(options: LokiOptions, context: BackendContext): Backend {
  const url = endpointUrl(options.endpoint, '/loki/api/v1/push')
  const path = url.pathname + url.search
  const headers: Record<string, string> = options.tenant === undefined ? {} : { 'x-scope-orgid': options.tenant }
  const { maxLineBytes, maxAge, structuredMetadata } = options
  const partitioning = partitioningOf(options)
  return {
    type: 'loki',
    ackLevel: 'accepted',
    format: jsonArray({ open: '{"streams":[', close: ']}', groups: true }),
    limits: {
      // `max_recv_msg_size`.
      payloadBytes: 100 * 1024 ** 2,
      records: Number.MAX_SAFE_INTEGER,
      messageBytes: structuredMetadata ? maxLineBytes : maxLineBytes - MARK,
      age: maxAge,
    },
    segments: chunk => entry(chunk, options, context.metadata()),
    partitioning,
    group: chunk => {
      const { labels } = sorted(chunk, options, context.metadata())
      const stream = `{"stream":${JSON.stringify(Object.fromEntries(labels))}`
      if (partitioning === undefined) return { open: bytes(`${stream},"values":[`), close: bytes(']}') }
      return { open: bytes(stream.slice(0, -1)), behind: bytes('},"values":['), close: bytes(']}') }
    },
    request: () => ({ method: 'POST', path, headers }),
    judge: judgePush,
  }
}

function entry(chunk: Chunk, options: LokiOptions, metadata: Metadata): Segment[] {
  const { cutFrom, recordTimeNanos } = chunk
  const time = timeOf(chunk, 'nanoseconds', () => ({ kind: 'counter', value: recordTimeNanos }))
  if (!options.structuredMetadata) {
    // The line has all that was found in it.
    const mark = cutFrom > 0 ? ` [truncated from ${cutFrom} bytes]"]` : '"]'
    return [literal('["'), time, literal('","'), { kind: 'message' }, literal(mark)]
  }
  const { labels, rest } = sorted(chunk, options, metadata)
  const said = Object.fromEntries([...rest, ...flagTexts(chunk)])
  const head: Segment[] = [literal('["'), time, literal('","'), message(chunk), literal('"')]
  if (chunk.shape !== undefined) {
    const bytes = METADATA_BYTES - Buffer.byteLength(JSON.stringify(said))
    const limits = { count: METADATA_COUNT - Object.keys(said).length, bytes }
    // A value has the name of its label, and stands here where it is none.
    const renamed = foundLabels(options.labels).filter(({ name, part }) => part.kind === 'value' && part.name !== name)
    const ours = [...labels, ...renamed.map(({ name }) => [name])].map(([name]) => name!).concat(...FLAGS)
    const showing = { as: 'strings', ours, limits, partitioned: true } as const
    return joined([...head, literal(','), ...objectOf(chunk, showing, said), literal(']')])
  }
  return joined([...head, literal(Object.keys(said).length === 0 ? ']' : `,${JSON.stringify(said)}]`)])
}

interface Sorted {
  readonly labels: [name: string, value: string][]
  readonly rest: [name: string, value: string][]
}

/** Attributes as labels and as structured metadata, each name once. An attribute without a value is none: Loki drops it. */
function sorted(chunk: Chunk, options: LokiOptions, metadata: Metadata): Sorted {
  const found = foundLabels(options.labels)
  const usual = ['source', 'namespace', 'container', ...Object.keys(chunk.origin.labels)]
  const wanted = options.labels?.filter(label => typeof label === 'string') ?? usual
  const known = new Map(attributesOf(chunk, metadata).filter(([, value]) => value !== ''))
  const chosen = [...new Set(wanted)].filter(name => known.has(name)).slice(0, MAX_LABELS - found.length)
  // A stream without labels is refused.
  if (chosen.length === 0) chosen.push('source')
  const taken = new Set([...FLAGS, ...foundNames(chunk, LEVEL), ...found.map(({ name }) => name)])
  const labels = chosen.map((name): [string, string] => [unique(name, taken), headOf(known.get(name)!, LABEL_VALUE)])
  const others = [...known].filter(([name]) => !chosen.includes(name))
  return {
    labels,
    rest: fit(
      others.map(([name, value]): [string, string] => [unique(name, taken), value]),
      METADATA,
    ),
  }
}

/**
 * The name within the grammar of labels, `[a-zA-Z_][a-zA-Z0-9_]*`, and not with the two underscores that Loki and
 * Prometheus begin their own with; another one, if two attributes would then be called the same.
 */
function unique(name: string, taken: Set<string>): string {
  const plain = name
    .replace(/[^a-zA-Z0-9_]/g, '_')
    .replace(/^(?=\d|$)/, '_')
    .replace(/^__+/, '_')
  let candidate = plain
  for (let n = 2; taken.has(candidate); n++) candidate = `${plain}${plain.endsWith('_') ? '' : '_'}${n}`
  taken.add(candidate)
  return candidate
}

/**
 * Reasons of a 400 that are about times, labels, tenants and limits (Loki, "Request validation and rate limit errors"):
 * about us and the server's configuration, and mended there. An answer may give several reasons; of a request that has
 * one of them the other lines were stored, and are not stored again when they come again. What is refused for its time
 * waits for a new one, see `maxAge`.
 */
const REFUSALS: readonly (readonly [words: RegExp, reason: string])[] = [
  [/entry too far behind/i, 'too_far_behind'],
  [/timestamp too old/i, 'timestamp_too_old'],
  [/timestamp too new/i, 'timestamp_too_new'],
  [/structured metadata, but this feature is disallowed/i, 'structured_metadata_disallowed'],
  [/structured metadata too large|too many structured metadata/i, 'structured_metadata_limit'],
  [/has \d+ label names; limit|label name too long|label value too long|duplicate label name/i, 'label_limit'],
  [/missing required labels/i, 'missing_labels'],
  [/error parsing labels|at least one label pair is required|couldn't parse labels/i, 'invalid_labels'],
  [/tenant ID|org id/i, 'tenant'],
  [/Content-Encoding .* not supported/i, 'content_encoding'],
  [/at least one valid stream is required/i, 'no_stream'],
]
const BLOCKED = /^(?:rpc error: .{0,60}desc = )?ingestion blocked for user/i
const TOO_LONG = /max entry size/i
/** Loki before 2.4, or with `unordered_writes` off: what is behind its stream is refused, the others are stored. */
const OUT_OF_ORDER = /entry out of order/i
const IGNORED = /total ignored: (\d+) out of \d+/i

/** What JSON decoding says in Loki, and where it begins to show what it was reading: our own lines. */
const UNREADABLE = /\bloghttp\.|parse push request/i
const SHOWN = /, error found in #\d+ byte of \.\.\.\|/
/** gRPC's limit between two parts of Loki, 4 MiB by default. */
const LARGE_MESSAGE = /^(?:rpc error: code = ResourceExhausted desc = )?grpc: .{0,40}message larger than max/i

/** Why there are too many: all of it passes, some of it only when a limit is raised. */
const TOO_MANY: typeof REFUSALS = [
  [/per stream rate limit/i, 'stream_rate_limit'],
  [/active stream limit/i, 'stream_limit'],
  [/ingestion rate limit/i, 'rate_limit'],
]

const reasonIn = (table: typeof REFUSALS, body: string): string | undefined =>
  table.find(([words]) => words.test(body))?.[1]

/** What an answer to a push means ("Loki HTTP API", `POST /loki/api/v1/push`). */
function judgePush(answer: Answer): Verdict {
  const { status, body } = answer
  const detail = body === '' ? {} : { detail: body }
  // A tenant whose ingestion is blocked gets a status of the operator's choice, by default this one. It is lifted again.
  if (status === 260 || (status !== 204 && BLOCKED.test(body))) {
    return { kind: 'retry', reason: 'ingestion_blocked', ...detail, misconfigured: true }
  }
  if (status === 400 || status === 422) return judgeRefusal(answer)
  if (status === 500 && LARGE_MESSAGE.test(body)) return { kind: 'split', reason: 'grpc_message_size' }
  const verdict = judge(answer)
  if (verdict.kind === 'bisect') return { kind: 'retry', reason: verdict.reason, ...detail, misconfigured: true }
  return status === 429 ? { kind: 'retry', reason: reasonIn(TOO_MANY, body) ?? 'http_429', ...detail } : verdict
}

function judgeRefusal({ status, body }: Answer): Verdict {
  const detail = body === '' ? {} : { detail: body }
  // A line that speaks of times or tenants is no word of Loki's.
  const [said = ''] = body.split(SHOWN, 1)
  const ours = reasonIn(REFUSALS, said)
  if (ours !== undefined) return { kind: 'retry', reason: ours, ...detail, misconfigured: true }
  if (TOO_LONG.test(said)) return { kind: 'bisect', reason: 'line_too_long', ...detail }
  if (OUT_OF_ORDER.test(said)) {
    const [, ignored = '1'] = IGNORED.exec(said) ?? []
    return { kind: 'counted', rejected: Number(ignored), reason: 'out_of_order', ...detail }
  }
  if (UNREADABLE.test(said)) return { kind: 'bisect', reason: 'unreadable_request', ...detail }
  // Not Loki's words: those of a proxy, or of something else at this address.
  return { kind: 'retry', reason: `http_${status}`, ...detail, misconfigured: true }
}
