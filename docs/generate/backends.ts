/**
 * What docs/backends/TYPE.md has from the code: the record that the page's own configuration makes of a line, the limits
 * that are kept, and what each answer means.
 */
import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import * as z from 'zod/mini'
import type { Backend, Limits } from '../../src/backends/backend.ts'
import { BACKENDS, type BackendType, createBackend, entryOf } from '../../src/backends/registry.ts'
import { Encoder } from '../../src/delivery/encoding/encoder.ts'
import type { Metadata } from '../../src/metadata.ts'
import { VERSION } from '../../src/version.ts'
import { SUBJECTS } from '../../test/conformance/subjects.ts'
import { answersOf } from '../../test/conformance/verdicts.ts'
import { Arena, origin, READ_AT } from '../../test/delivery/rig.ts'
import { indented } from './json.ts'
import { sections } from './keys.ts'

export const GUIDES = Object.keys(BACKENDS) as readonly BackendType[]

/** The line, its file and its pod. */
const LINE = 'order 4711: payment failed after 3 attempts'
const METADATA: Metadata = {
  namespace: 'shop',
  pod: 'web-1',
  podUid: '0b6c9f2e',
  node: 'node-7',
  container: 'web',
  podLabels: {},
  podAnnotations: {},
}

export const pageOf = (type: BackendType): URL => new URL(`../backends/${type}.md`, import.meta.url)

interface Example {
  readonly sources: readonly { readonly labels?: Record<string, string> }[]
  readonly backends: readonly (Record<string, unknown> & { readonly type: BackendType })[]
}

/** The first configuration on the page. */
export function exampleOf(type: BackendType): Example {
  const [, text] = /^```yaml\n([\s\S]*?)^```$/m.exec(readFileSync(pageOf(type), 'utf8')) ?? []
  if (text === undefined) throw new Error(`docs/backends/${type}.md has no configuration`)
  return parse(text) as Example
}

/** As the example configures it. Binary requests are made in the format's JSON. */
function backendOf(type: BackendType): Backend {
  const [entry] = exampleOf(type).backends
  const own = z.parse(BACKENDS[type].schema as z.ZodMiniType, {
    ...entry,
    ...(type === 'otlp' && { encoding: 'json' }),
  })
  return createBackend(type, own, { name: type, metadata: () => METADATA })
}

/** A request with one record, as the receiver has it after decompression. */
export function record(type: BackendType): string {
  const backend = backendOf(type)
  const { kernel, budget, ...arena } = backendArena()
  const slab = arena.slab({
    lines: [LINE],
    origin: origin('/var/log/app/web.log', exampleOf(type).sources[0]!.labels),
    fileStart: 1 << 20,
  })
  const encoder = new Encoder({ kernel, budget, backend, maxBytes: 1 << 20, maxRecords: 10 })
  const payload = encoder.encode(slab, [{ from: 0, to: slab.frames }], 1 << 20)
  if (payload.kind !== 'payload') throw new Error(`${type}: ${payload.kind}`)
  // As delivery names the encoding, whose default is gzip.
  const info = {
    id: 'a1b2c3d4e5f60718-000000100000-1-0011223344556677',
    records: 1,
    time: READ_AT,
    encoding: 'gzip',
  } as const
  const { method, path } = backend.request(info)
  const body = readable(type, payload.view.toString('utf8'))
    .replaceAll(VERSION, '…')
    .trimEnd()
    .split('\n')
    .map(indented)
  const head = backend.type === 'stdout' ? ['$ kubectl logs web-1 -c logshipper'] : [`${method} ${path}`, '']
  return ['', '```text', ...head, ...body, '```', ''].join('\n')
}

/** Records of Firehose as they are before base64. */
function readable(type: BackendType, body: string): string {
  if (type !== 'firehose') return body
  return body.replace(/(?<="Data":)"([\w+/=]+)"/g, (_, data: string) =>
    Buffer.from(data, 'base64').toString().trimEnd(),
  )
}

function backendArena() {
  const arena = new Arena()
  return { kernel: arena.kernel, budget: arena.budget, slab: arena.slab.bind(arena) }
}

const whole = new Intl.NumberFormat('en-US')

/** What is kept, whatever the server is. */
export function limits(type: BackendType): string {
  const { limits, ackLevel, confirmation } = backendOf(type)
  const rows: readonly (readonly [string, string])[] = [
    ['a request, before compression', most(limits.payloadBytes, 'bytes')],
    ['records of a request', most(limits.records, 'records')],
    ['a record, as it is sent', `${most(limits.recordBytes, 'bytes')}${cut(limits.recordBytes)}`],
    ['the message in it', `${most(limits.messageBytes, 'bytes')}${cut(limits.messageBytes)}`],
    ['the age of a record', age(limits)],
    ['blank lines', limits.blank === 'refused' ? 'rejected (`blank`): the server refuses them' : 'sent'],
    ['`batch` by default', `${usual(type, 'maxBytes')}, ${usual(type, 'maxRecords')} records`],
    ['*delivered* means', `*${ackLevel}*${confirmation === undefined ? '' : ', once it is confirmed'}`],
  ]
  return ['| What | Limit |', '| --- | --- |', ...rows.map(([what, limit]) => `| ${what} | ${limit} |`)].join('\n')
}

function most(value: number | undefined, unit: string): string {
  if (value === undefined || value === Number.MAX_SAFE_INTEGER) return 'none of its own'
  return `${whole.format(value)} ${unit}`
}

const cut = (value: number | undefined): string => (value === undefined ? '' : '; what is longer is cut and says so')

function age({ age }: Limits): string {
  if (age === undefined) return 'any'
  const minutes = age / 60_000
  const text = minutes % 60 === 0 ? `${minutes / 60} h` : `${minutes} min`
  return `${text}; what waited for longer gets a new time`
}

/** Defaults of every type that has none of its own. */
let usualBatch: ReadonlyMap<string, unknown> | undefined

function usual(type: BackendType, key: 'maxBytes' | 'maxRecords'): string {
  usualBatch ??= new Map(
    sections().flatMap(({ leaves }) => leaves.map(({ path, schema }) => [path, schema.default] as const)),
  )
  return String(entryOf(type).preset?.[key] ?? usualBatch.get(`backends[].batch.${key}`))
}

/** What every answer that is known of its server means. */
export function answers(type: BackendType): string {
  return answersOf(SUBJECTS.filter(subject => subject.type === type))
}
