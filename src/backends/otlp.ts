/**
 * OpenTelemetry over HTTP (OTLP 1.x, `/v1/logs`), as Protocol Buffers or JSON. The Collector speaks it, Loki under `/otlp`,
 * VictoriaLogs under `/insert/opentelemetry`, and most vendors.
 *
 *     resourceLogs   service.name, k8s.*, labels │ scope logshipper │ records
 *     logRecord      time, observed time, log.file.path, log.file.name, source …, body │frame│
 *
 * Guarantees: records of one resource share it; the body comes last in a record, so that all lengths end where it does;
 * names follow OpenTelemetry's semantic conventions, and no label stands in the place of one of them. Time, severity and
 * trace are set where they were found in the record, and left unset where not: when it was read is the observed time.
 */
import { basename } from 'node:path'
import * as z from 'zod/mini'
import type { Chunk } from '../chunk.ts'
import type { Has, Inner, Segment } from '../kernel/template.ts'
import type { Metadata } from '../metadata.ts'
import { VERSION } from '../version.ts'
import type { Backend, BackendContext, Format, Group } from './backend.ts'
import { endpointSchema, endpointUrl } from './endpoint.ts'
import { firstOf, idPrefix, literal, offset, quoted } from './fields.ts'
import { jsonArray, NO_LIMITS, NOTHING } from './format.ts'
import { fieldsIn, message, messageBytes, whenRepeated, whenSampled } from './found.ts'
import { judgeOtlp } from './otlp_answer.ts'
import { delimited, head, numeric, tag } from './protobuf.ts'

const STATUSES = 'statuses from 400 to 599'

export const otlpSchema = z.object({
  endpoint: endpointSchema.check(z.describe('The receiver, with or without /v1/logs.')),
  encoding: z._default(z.enum(['protobuf', 'json']), 'protobuf').check(z.describe('How requests are written.')),
  service: z
    .optional(z.string().check(z.minLength(1, { error: 'a name' })))
    .check(z.describe('service.name. Default: the label of that name, the container, or the name of the source.')),
  attributes: z
    ._default(z.record(z.string(), z.string()), {})
    .check(z.describe('Further attributes of the resource, such as deployment.environment.name.')),
  ids: z
    ._default(z.boolean(), false)
    .check(z.describe('Gives each record a log.record.uid that stays the same when it is sent again.')),
  statuses: z
    .optional(
      z.strictObject({
        bisect: z
          .optional(z.array(z.int().check(z.minimum(400), z.maximum(599)), { error: STATUSES }))
          .check(z.describe('Besides a 400 with a Status: some record is at fault, and the request is bisected.')),
      }),
    )
    .check(z.describe('What answers with a status mean, where a gateway answers otherwise than a collector.')),
})

export type OtlpOptions = z.infer<typeof otlpSchema>

/** The client's limit that the specification recommends: bytes before compression. */
const PAYLOAD = 64 * 1024 * 1024
/** The most of an answer that the specification wants a client to read: bytes. */
const ANSWER = 4 * 1024 * 1024

const bytes = (text: string): Uint8Array => Buffer.from(text)

const FORMATS: Readonly<Record<OtlpOptions['encoding'], Format>> = {
  protobuf: {
    contentType: 'application/x-protobuf',
    prefix: NOTHING,
    separator: NOTHING,
    suffix: NOTHING,
    treatment: 'text',
  },
  json: jsonArray({ open: '{"resourceLogs":[', close: ']}', groups: true }),
}

export function createOtlp(options: OtlpOptions, context: BackendContext): Backend {
  const url = endpointUrl(options.endpoint, '/v1/logs')
  const path = url.pathname + url.search
  const bisected = new Set(options.statuses?.bisect)
  const json = options.encoding === 'json'
  return {
    type: 'otlp',
    ackLevel: 'accepted',
    format: FORMATS[options.encoding],
    limits: { ...NO_LIMITS, payloadBytes: PAYLOAD },
    answerBytes: ANSWER,
    judgesUnread: true,
    group: chunk => (json ? jsonGroup : group)(resource(chunk, options, context.metadata())),
    segments: chunk =>
      (json ? jsonRecord : record)(chunk, options.ids ? idPrefix(chunk, context.metadata()) : undefined),
    request: () => ({ method: 'POST', path, headers: {} }),
    judge: answer => judgeOtlp(answer, bisected),
  }
}

type Attribute = readonly [name: string, value: string | number | boolean]

/** Semantic conventions: "Service", "Kubernetes". */
function resource({ origin }: Chunk, options: OtlpOptions, metadata: Metadata): Attribute[] {
  const { namespace, pod, podUid, node, serviceAccount, container, podLabels, podAnnotations } = metadata
  const known: Record<string, string | undefined> = {
    'service.name': options.service ?? origin.labels['service.name'] ?? container ?? origin.source,
    'k8s.namespace.name': namespace,
    'k8s.pod.name': pod,
    'k8s.pod.uid': podUid,
    'k8s.container.name': container,
    'k8s.node.name': node,
    'k8s.service_account.name': serviceAccount,
  }
  const labels = named('k8s.pod.label.', podLabels)
  return firstOf(known, options.attributes, origin.labels, labels, named('k8s.pod.annotation.', podAnnotations))
}

function named(head: string, values: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [head + name, value]))
}

/** Semantic conventions: "General logs attributes". Those for what was cut are our own. */
function attributes({ origin, cutFrom, partial, continued }: Chunk): Attribute[] {
  const all: Attribute[] = [
    ['log.file.path', origin.path],
    ['log.file.name', basename(origin.path)],
    ['source', origin.source],
  ]
  if (cutFrom > 0) all.push(['log.truncated', true], ['log.original_bytes', cutFrom])
  if (partial) all.push(['log.partial', true])
  if (continued) all.push(['log.continued', true])
  return all
}

const UID = 'log.record.uid'
/** Digits of an offset as the kernel writes it. */
const OFFSET_DIGITS = 12
/** And of a range. */
const RANGE_DIGITS = 21

/** Field numbers: opentelemetry/proto/common/v1/common.proto, AnyValue and KeyValue. */
function keyValue(field: number, [name, value]: Attribute): Buffer {
  const any =
    typeof value === 'string' ? delimited(1, value) : typeof value === 'boolean' ? numeric(2, value) : numeric(3, value)
  return delimited(field, delimited(1, name), delimited(2, any))
}

const raw = (...parts: readonly (number | Uint8Array)[]): Inner => ({
  kind: 'literal',
  bytes: Buffer.concat(parts.map(part => (typeof part === 'number' ? Buffer.from([part]) : part))),
})

/** Bytes that the encoder keeps free for a length. */
const PLACE = Buffer.alloc(5)
const SCOPE = delimited(1, delimited(1, 'logshipper'), delimited(2, VERSION))

/** opentelemetry/proto/logs/v1/logs.proto: ResourceLogs in its request, up to the first record of its ScopeLogs. */
function group(resource: readonly Attribute[]): Group {
  const open = [Buffer.from([tag(1, 2)]), PLACE, delimited(1, ...resource.map(one => keyValue(1, one)))]
  const inner = Buffer.concat([...open, Buffer.from([tag(2, 2)])])
  return { open: Buffer.concat([inner, PLACE, SCOPE]), close: Buffer.alloc(0), lengths: [1, inner.length] }
}

/** LogRecord: time (1), observed time (11), attributes (6), and the body (5) at the end. */
function record(chunk: Chunk, uid: string | undefined): Segment[] {
  const { shape } = chunk
  const read = { kind: 'fixed64', value: chunk.recordTimeNanos } as const
  const said = Buffer.concat(attributes(chunk).map(one => keyValue(6, one)))
  const id: Segment[] = []
  if (uid !== undefined) {
    const text = Buffer.from(uid)
    const length = text.length + (chunk.joined ? RANGE_DIGITS : OFFSET_DIGITS)
    const value = head(1, length)
    const any = Buffer.concat([delimited(1, UID), head(2, value.length + length), value])
    id.push(raw(head(6, any.length + length), any, text), offset(chunk))
  }
  return [
    raw(tag(2, 2)),
    { kind: 'length' },
    ...(shape?.timed ? [when('time', raw(tag(1, 1)), { kind: 'time', as: 'fixed64', fallback: 0n })] : []),
    raw(tag(11, 1)),
    read,
    ...severity(chunk),
    ...identifiers(chunk),
    raw(said),
    ...repeated(chunk),
    ...sampled(chunk),
    ...fieldsIn(chunk, FIELDS),
    ...id,
    raw(tag(5, 2)),
    { kind: 'length' },
    raw(tag(1, 2)),
    { kind: 'length' },
    messageBytes(chunk),
  ]
}

/** Names of attributes that are ours. */
const FIELDS = {
  as: 'attributes',
  ours: [
    'log.file.path',
    'log.file.name',
    'source',
    'log.truncated',
    'log.original_bytes',
    'log.partial',
    'log.continued',
    'log.repeated',
    'log.sampled',
    UID,
  ],
  written: true,
  ids: 'exact',
} as const

const when = (has: Has, ...show: Inner[]): Segment => ({ kind: 'when', has, show })

/** For how many records it stands: an attribute whose value is a varint of five bytes, whatever it is. */
function repeated(chunk: Chunk): Segment[] {
  const place = delimited(6, delimited(1, 'log.repeated'), delimited(2, Buffer.from([tag(3, 0)]), PLACE))
  return whenRepeated(chunk, raw(place.subarray(0, -PLACE.length)), { kind: 'repeated', as: 'varint' })
}

/** The share that sampling keeps. */
function sampled(chunk: Chunk): Segment[] {
  return whenSampled(chunk, share => {
    const double = Buffer.alloc(8)
    double.writeDoubleLE(share)
    return [raw(delimited(6, delimited(1, 'log.sampled'), delimited(2, Buffer.from([tag(4, 1)]), double)))]
  })
}

function jsonSampled(chunk: Chunk): Segment[] {
  return whenSampled(chunk, share => [literal(`,{"key":"log.sampled","value":{"doubleValue":${share}}}`)])
}

function jsonRepeated(chunk: Chunk): Segment[] {
  const before = literal(',{"key":"log.repeated","value":{"intValue":"')
  return whenRepeated(chunk, before, { kind: 'repeated' }, literal('"}}'))
}

/** severity_number (2), and severity_text (3), which is what was written. */
function severity({ shape }: Chunk): Segment[] {
  if (!shape?.levelled) return []
  const number = when('level', raw(tag(2, 0)), { kind: 'level', as: 'byte' })
  if (shape.level === undefined) return [number]
  return [number, when({ value: shape.level }, { kind: 'value', slot: shape.level, as: 'bytes', field: tag(3, 2) })]
}

/** trace_id (9) and span_id (10), where they are what W3C Trace Context has. */
function identifiers({ shape }: Chunk): Segment[] {
  const one = (slot: number | undefined, bytes: 8 | 16, field: number): Segment[] => {
    if (slot === undefined) return []
    return [when({ id: slot, bytes }, raw(tag(field, 2), bytes), { kind: 'value', slot, as: 'id' })]
  }
  return [...one(shape?.traceId, 16, 9), ...one(shape?.spanId, 8, 10)]
}

/** Protocol Buffers as JSON: names in lowerCamelCase, numbers of 64 bits as texts. */
function jsonAttributes(attributes: readonly Attribute[]): string {
  const all = attributes.map(([key, value]) => {
    if (typeof value === 'string') return { key, value: { stringValue: value } }
    return { key, value: typeof value === 'boolean' ? { boolValue: value } : { intValue: String(value) } }
  })
  return JSON.stringify(all)
}

const JSON_SCOPE = JSON.stringify({ name: 'logshipper', version: VERSION })

function jsonGroup(resource: readonly Attribute[]): Group {
  const open = `{"resource":{"attributes":${jsonAttributes(resource)}},"scopeLogs":[{"scope":${JSON_SCOPE},"logRecords":[`
  return { open: bytes(open), close: bytes(']}]}') }
}

function jsonRecord(chunk: Chunk, uid: string | undefined): Segment[] {
  const { shape } = chunk
  const said = jsonAttributes(attributes(chunk)).slice(0, -1)
  const event: Segment = { kind: 'time', as: 'nanoseconds', fallback: 0n }
  const start: Segment[] = [
    literal('{'),
    ...(shape?.timed ? [when('time', literal('"timeUnixNano":"'), event, literal('",'))] : []),
    literal('"observedTimeUnixNano":"'),
    { kind: 'counter', value: chunk.recordTimeNanos },
    literal('"'),
    ...jsonSeverity(chunk),
    ...jsonIdentifiers(chunk),
    literal(',"body":{"stringValue":"'),
    message(chunk),
    literal(`"},"attributes":${said}`),
    ...jsonRepeated(chunk),
    ...jsonSampled(chunk),
    ...fieldsIn(chunk, { ...FIELDS, as: 'keyvalues' }),
  ]
  if (uid === undefined) return [...start, literal(']}')]
  return [...start, literal(`,{"key":"${UID}","value":{"stringValue":"${quoted(uid)}`), offset(chunk), literal('"}}]}')]
}

function jsonSeverity({ shape }: Chunk): Segment[] {
  if (!shape?.levelled) return []
  const number = when('level', literal(',"severityNumber":'), { kind: 'level', as: 'number' })
  if (shape.level === undefined) return [number]
  const text: Segment = { kind: 'value', slot: shape.level, as: 'quoted' }
  return [number, when({ value: shape.level }, literal(',"severityText":'), text)]
}

/** Hexadecimal digits, not Base64 (OTLP, "JSON Protobuf Encoding"). */
function jsonIdentifiers({ shape }: Chunk): Segment[] {
  const one = (name: string, slot: number | undefined, bytes: 8 | 16): Segment[] => {
    if (slot === undefined) return []
    return [when({ id: slot, bytes }, literal(`,"${name}":`), { kind: 'value', slot, as: 'quoted' })]
  }
  return [...one('traceId', shape?.traceId, 16), ...one('spanId', shape?.spanId, 8)]
}
