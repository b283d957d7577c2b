/**
 * OTLP over HTTP: requests as opentelemetry/proto/collector/logs/v1 describes them, in both of its writings, and the
 * answers of its specification. The decoder knows field numbers and wire types and nothing of how requests are made.
 */
import assert from 'node:assert/strict'
import type { Answer, Verdict } from '../../src/backends/backend.ts'
import type { Case, Decoded, Request, Subject } from './subject.ts'

/** A message as it stands on the wire: what each field number holds, in order. */
type Message = ReadonlyMap<number, readonly (bigint | Buffer)[]>

/** Field numbers that a message of this kind may have, and how each stands on the wire. */
type Kind = Readonly<Record<number, 'varint' | 'fixed64' | 'bytes'>>

const REQUEST: Kind = { 1: 'bytes' }
const RESOURCE_LOGS: Kind = { 1: 'bytes', 2: 'bytes', 3: 'bytes' }
const SCOPE_LOGS: Kind = { 1: 'bytes', 2: 'bytes', 3: 'bytes' }
const RESOURCE: Kind = { 1: 'bytes', 2: 'varint' }
const SCOPE: Kind = { 1: 'bytes', 2: 'bytes', 3: 'bytes', 4: 'varint' }
const KEY_VALUE: Kind = { 1: 'bytes', 2: 'bytes' }
const ANY_VALUE: Kind = { 1: 'bytes', 2: 'varint', 3: 'varint', 4: 'fixed64' }
const LOG_RECORD: Kind = {
  1: 'fixed64',
  11: 'fixed64',
  2: 'varint',
  3: 'bytes',
  5: 'bytes',
  6: 'bytes',
  7: 'varint',
  9: 'bytes',
  10: 'bytes',
  12: 'bytes',
}
const WIRE = ['varint', 'fixed64', 'bytes']

function message(bytes: Buffer, kind: Kind): Message {
  const found = new Map<number, (bigint | Buffer)[]>()
  let at = 0
  const varint = (): bigint => {
    let value = 0n
    for (let n = 0n; ; n++) {
      assert.ok(n < 10n && at < bytes.length, 'a varint has at most ten bytes')
      const byte = BigInt(bytes[at++]!)
      value += (byte & 127n) << (7n * n)
      if (byte < 128n) return value
    }
  }
  while (at < bytes.length) {
    const key = Number(varint())
    const field = key >> 3
    assert.equal(WIRE[key & 7], kind[field], `field ${field}`)
    let value: bigint | Buffer
    if ((key & 7) === 0) value = varint()
    else {
      const length = (key & 7) === 1 ? 8 : Number(varint())
      assert.ok(at + length <= bytes.length, 'a field ends within its message')
      value = bytes.subarray(at, at + length)
      at += length
      if ((key & 7) === 1) value = (value as Buffer).readBigUInt64LE()
    }
    found.set(field, [...(found.get(field) ?? []), value])
  }
  return found
}

const parts = (message: Message, field: number): Buffer[] => (message.get(field) ?? []) as Buffer[]

function only(message: Message, field: number): Buffer {
  const all = parts(message, field)
  assert.equal(all.length, 1, `field ${field} stands once`)
  return all[0]!
}

/** Strings are UTF-8, always. */
const text = (bytes: Buffer): string => new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)

type Attributes = Record<string, string | bigint | boolean | number | null>

function attributes(owner: Message, field: number): Attributes {
  const all: Attributes = {}
  for (const pair of parts(owner, field).map(bytes => message(bytes, KEY_VALUE))) {
    const name = text(only(pair, 1))
    const value = message(only(pair, 2), ANY_VALUE)
    assert.ok(name !== '' && !(name in all), `the attribute ${name} stands once`)
    assert.ok(value.size <= 1, 'one kind of value')
    if (value.size === 0) all[name] = null
    else if (value.has(4)) all[name] = double(value.get(4)![0] as bigint)
    else if (value.has(1)) all[name] = text(only(value, 1))
    else if (value.has(2)) all[name] = value.get(2)![0] === 1n
    else all[name] = BigInt.asIntN(64, value.get(3)![0] as bigint)
  }
  return all
}

function fromProtobuf(body: Buffer): Decoded[] {
  return parts(message(body, REQUEST), 1).flatMap(bytes => {
    const owner = message(bytes, RESOURCE_LOGS)
    const resource = attributes(message(only(owner, 1), RESOURCE), 1)
    return parts(owner, 2).flatMap(bytes => {
      const scoped = message(bytes, SCOPE_LOGS)
      const scope = message(only(scoped, 1), SCOPE)
      assert.equal(text(only(scope, 1)), 'logshipper')
      assert.match(text(only(scope, 2)), /^\d+\.\d+\.\d+/)
      return parts(scoped, 2).map(bytes => {
        const record = message(bytes, LOG_RECORD)
        // The event time is set where one was found in the line.
        const time = record.get(1)?.[0] as bigint | undefined
        const observed = record.get(11)![0] as bigint
        const hex = (field: number): string | undefined =>
          record.has(field) ? only(record, field).toString('hex') : undefined
        const found: Found = {
          own: time !== undefined,
          severity: Number(record.get(2)?.[0] ?? 0),
          severityText: record.has(3) ? text(only(record, 3)) : undefined,
          traceId: hex(9),
          spanId: hex(10),
        }
        const body = text(only(message(only(record, 5), ANY_VALUE), 1))
        return decoded(body, time ?? observed, resource, attributes(record, 6), found)
      })
    })
  })
}

type JsonAttributes = readonly { readonly key: string; readonly value: Readonly<Record<string, unknown>> }[]

function fromJsonAttributes(list: JsonAttributes): Attributes {
  const all: Attributes = {}
  for (const { key, value, ...others } of list) {
    assert.deepEqual(others, {})
    assert.ok(!(key in all))
    const [[kind, content] = [], ...more] = Object.entries(value)
    assert.deepEqual(more, [])
    if (kind === 'stringValue') all[key] = content as string
    else if (kind === undefined) all[key] = null
    else if (kind === 'boolValue') all[key] = content as boolean
    else if (kind === 'doubleValue') all[key] = content as number
    else {
      assert.equal(kind, 'intValue')
      assert.equal(typeof content, 'string', 'numbers of 64 bits are texts')
      all[key] = BigInt(content as string)
    }
  }
  return all
}

function fromJson(body: Buffer): Decoded[] {
  const { resourceLogs, ...others } = JSON.parse(text(body))
  assert.deepEqual(others, {})
  return resourceLogs.flatMap((owner: { resource: { attributes: JsonAttributes }; scopeLogs: unknown[] }) => {
    assert.deepEqual(Object.keys(owner), ['resource', 'scopeLogs'])
    const resource = fromJsonAttributes(owner.resource.attributes)
    return (owner.scopeLogs as { scope: object; logRecords: Record<string, unknown>[] }[]).flatMap(scoped => {
      assert.deepEqual(Object.keys(scoped), ['scope', 'logRecords'])
      return scoped.logRecords.map(({ timeUnixNano, observedTimeUnixNano, body, attributes, ...others }) => {
        const { severityNumber = 0, severityText, traceId, spanId, ...more } = others
        assert.deepEqual(more, {})
        const own = timeUnixNano !== undefined
        const found = { own, severity: severityNumber, severityText, traceId, spanId } as Found
        assert.match(String(observedTimeUnixNano), /^\d{19}$/)
        assert.deepEqual(Object.keys(body as object), ['stringValue'])
        const { stringValue } = body as { stringValue: string }
        const said = fromJsonAttributes(attributes as JsonAttributes)
        return decoded(stringValue, BigInt((timeUnixNano ?? observedTimeUnixNano) as string), resource, said, found)
      })
    })
  })
}

/** What was found in a line. */
interface Found {
  /** The time is the line's own. */
  readonly own: boolean
  readonly severity: number
  readonly severityText: string | undefined
  readonly traceId: string | undefined
  readonly spanId: string | undefined
}

export interface OtlpDecoded extends Decoded {
  readonly found: Found
  /** Attributes of the record as they are. */
  readonly typed: Readonly<Attributes>
}

function double(bits: bigint): number {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(bits)
  return bytes.readDoubleLE()
}

function decoded(message: string, time: bigint, resource: Attributes, own: Attributes, found: Found): OtlpDecoded {
  assert.ok(resource['service.name'], 'every resource names its service')
  const {
    'log.truncated': truncated,
    'log.original_bytes': length,
    'log.partial': _,
    'log.record.uid': id,
    ...said
  } = own
  assert.equal(typeof length, truncated === true ? 'bigint' : 'undefined')
  const attributes = Object.entries({ ...resource, ...said }).map(([name, value]) => [name, String(value)])
  return {
    message,
    time,
    id: id as string | undefined,
    attributes: Object.fromEntries(attributes),
    truncated: truncated === true,
    found,
    typed: said,
  }
}

const JSON_TYPE = { 'content-type': 'application/json' }
const PROTOBUF_TYPE = { 'content-type': 'application/x-protobuf' }

const binary = (status: number, hex: string): Answer => {
  const bytes = Buffer.from(hex.replaceAll(' ', ''), 'hex')
  return { status, headers: PROTOBUF_TYPE, body: bytes.toString(), ...(status < 300 ? { bytes } : {}) }
}

const written = (status: number, body: string): Answer => ({ status, headers: JSON_TYPE, body })
const plain = (status: number, body = '', headers: Record<string, string> = {}): Answer => ({ status, headers, body })

const refused = (rejected: number, detail: string): Verdict => ({
  kind: 'counted',
  rejected,
  reason: 'partial_success',
  ...(detail && { detail }),
})
const retry = (reason: string, detail = '', misconfigured = false): Verdict => ({
  kind: 'retry',
  reason,
  ...(detail && { detail }),
  ...(misconfigured && { misconfigured }),
})
const UNREADABLE = retry('unreadable_answer', '', true)

const hexOf = (words: string): string => Buffer.from(words).toString('hex')

/** `12 LL` is the second field of a message, `0a LL` its first, `08` a number in its first. */
const BINARY: readonly Case[] = [
  { name: 'stored', answer: binary(200, ''), verdict: { kind: 'delivered' } },
  { name: 'stored, said with an empty partial success', answer: binary(200, '0a00'), verdict: { kind: 'delivered' } },
  {
    name: 'one of four refused',
    answer: binary(200, `0a0c 0801 1208 ${hexOf('too long')}`),
    verdict: refused(1, 'too long'),
  },
  {
    name: 'more refused than were sent, without a word',
    answer: binary(200, '0a03 08c801'),
    verdict: refused(200, ''),
  },
  {
    name: 'stored, with a warning',
    answer: binary(200, `0a0a 1208 ${hexOf('too slow')}`),
    verdict: { kind: 'delivered' },
  },
  { name: 'an answer that breaks off', answer: binary(200, '0a0c 0801 1208'), verdict: UNREADABLE },
  {
    name: 'an answer of more than 4 MiB',
    answer: { ...binary(200, `0a0c 0801 12ffffff7f ${hexOf('x'.repeat(80))}`), unread: true },
    verdict: { kind: 'delivered', warning: 'answer_too_long' },
  },
  { name: 'fewer than none refused', answer: binary(200, '0a0b 08ffffffffffffffffff01'), verdict: UNREADABLE },
  {
    name: 'bad data',
    answer: binary(400, `0803 1208 ${hexOf('bad data')}`),
    verdict: { kind: 'bisect', reason: 'http_400', detail: 'bad data' },
  },
  {
    name: 'a Collector’s limit',
    answer: binary(400, `0803 121b ${hexOf('http: request body too large')}`),
    verdict: { kind: 'split', reason: 'http_400' },
  },
  {
    name: 'bad data, in words that repeat a line',
    answer: binary(400, `0803 1223 ${hexOf('cannot take "http: body too large"!')}`),
    verdict: { kind: 'bisect', reason: 'http_400', detail: 'cannot take "http: body too large"!' },
  },
  {
    name: 'bad data (Loki)',
    answer: { ...binary(400, `1208 ${hexOf('too long')}`), headers: { 'content-type': 'application/octet-stream' } },
    verdict: { kind: 'bisect', reason: 'http_400', detail: 'too long' },
  },
  {
    name: 'a wrong path (VictoriaLogs)',
    answer: plain(400, 'unsupported path requested: "/v1/logs"'),
    verdict: retry('http_400', 'unsupported path requested: "/v1/logs"', true),
  },
  { name: 'overloaded', answer: binary(503, `080e 1204 ${hexOf('full')}`), verdict: retry('http_503', 'full') },
]

const TEXTUAL: readonly Case[] = [
  { name: 'stored', answer: written(200, '{"partialSuccess":{}}'), verdict: { kind: 'delivered' } },
  { name: 'stored, nothing to say', answer: written(200, '{}'), verdict: { kind: 'delivered' } },
  { name: 'stored (Loki)', answer: plain(204), verdict: { kind: 'delivered' } },
  {
    name: 'one of four refused',
    answer: written(200, '{"partialSuccess":{"rejectedLogRecords":"1","errorMessage":"too long"}}'),
    verdict: refused(1, 'too long'),
  },
  {
    name: 'two refused, written as a number',
    answer: written(200, '{"partialSuccess":{"rejectedLogRecords":2}}'),
    verdict: refused(2, ''),
  },
  {
    name: 'stored, with a warning',
    answer: written(200, '{"partialSuccess":{"rejectedLogRecords":"0","errorMessage":"too slow"}}'),
    verdict: { kind: 'delivered' },
  },
  { name: 'an answer that breaks off', answer: written(200, '{"partialSuccess":{"rejec'), verdict: UNREADABLE },
  {
    name: 'a login page of more than 4 MiB',
    answer: { ...plain(200, '<html>', { 'content-type': 'text/html' }), unread: true },
    verdict: retry('unexpected_html', '', true),
  },
  {
    name: 'fewer than none refused',
    answer: written(200, '{"partialSuccess":{"rejectedLogRecords":"-1"}}'),
    verdict: UNREADABLE,
  },
  {
    name: 'a login page',
    answer: plain(200, '<html>', { 'content-type': 'text/html' }),
    verdict: retry('unexpected_html', '', true),
  },
  {
    name: 'bad data',
    answer: written(400, '{"code":3,"message":"bad data"}'),
    verdict: { kind: 'bisect', reason: 'http_400', detail: 'bad data' },
  },
  {
    name: 'a writing it does not know (VictoriaLogs)',
    answer: plain(400, "json encoding isn't supported for opentelemetry format. Use protobuf encoding"),
    verdict: retry('http_400', "json encoding isn't supported for opentelemetry format. Use protobuf encoding", true),
  },
  {
    name: 'a key that is none, in the words of a gateway',
    answer: written(400, '{"error":{"code":400,"message":"API key not valid."}}'),
    verdict: retry('http_400', '{"error":{"code":400,"message":"API key not valid."}}', true),
  },
  {
    name: 'a page of something else',
    answer: plain(400, '<h1>400</h1>', { 'content-type': 'text/html' }),
    verdict: retry('unexpected_html', '', true),
  },
  {
    name: 'a Collector’s limit',
    answer: written(400, '{"code":3,"message":"http: request body too large"}'),
    verdict: { kind: 'split', reason: 'http_400' },
  },
  {
    name: 'credentials are refused',
    answer: written(401, '{"code":16,"message":"no tenant"}'),
    verdict: { kind: 'unauthorized', reason: 'http_401', detail: 'no tenant' },
  },
  {
    name: 'a wrong path',
    answer: plain(404, '404 page not found'),
    verdict: retry('http_404', '404 page not found', true),
  },
  { name: 'a conflict, of which OTLP knows nothing', answer: plain(409), verdict: retry('http_409', '', true) },
  { name: 'gone', answer: plain(410), verdict: retry('http_410', '', true) },
  { name: 'too large', answer: plain(413), verdict: { kind: 'split', reason: 'http_413' } },
  { name: 'a writing it does not know', answer: plain(415), verdict: retry('http_415', '', true) },
  { name: 'too many requests', answer: plain(429, '', { 'retry-after': '30' }), verdict: retry('http_429') },
  {
    name: 'an error of the Collector, or of what is behind it',
    answer: written(500, '{"code":13,"message":"exporter failed"}'),
    verdict: retry('http_500', 'exporter failed'),
  },
  { name: 'nothing behind the gateway', answer: plain(502), verdict: retry('http_502') },
  {
    name: 'its queue is full',
    answer: written(503, '{"code":14,"message":"sending queue is full"}'),
    verdict: retry('http_503', 'sending queue is full'),
  },
  { name: 'no answer to the gateway', answer: plain(504), verdict: retry('http_504') },
]

const variant = (encoding: 'protobuf' | 'json', own: object, more: Partial<Subject>): Subject => ({
  type: 'otlp',
  name: `otlp (${encoding})`,
  config: origin => ({ type: 'otlp', endpoint: origin, encoding, ...own }),
  decode: ({ method, url, headers, body }: Request) => {
    assert.equal(method, 'POST')
    assert.equal(url, '/v1/logs')
    assert.equal(headers['content-type'], encoding === 'json' ? 'application/json' : 'application/x-protobuf')
    return encoding === 'json' ? fromJson(body) : fromProtobuf(body)
  },
  success: () => (encoding === 'json' ? written(200, '{"partialSuccess":{}}') : binary(200, '')),
  poisoned: () => (encoding === 'json' ? TEXTUAL : BINARY).find(({ name }) => name === 'one of four refused')!.answer,
  cases: encoding === 'json' ? TEXTUAL : BINARY,
  ...more,
})

export const subjects: readonly Subject[] = [
  variant('protobuf', {}, {}),
  variant('json', {}, {}),
  variant('protobuf', { ids: true }, { name: 'otlp (protobuf, ids)' }),
  variant('json', { ids: true }, { name: 'otlp (json, ids)' }),
]
