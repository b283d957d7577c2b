/**
 * The JSON record: the template that JSON-shaped backends share.
 *
 *     {"timestamp":"…","message":"│frame│","source":"app","file":"/var/log/app/a.log", labels … │,"id":"…-│offset│"}
 *     └──────── literal ─────────┘     └────────────────────── literal ───────────────────────────────┘        └ literal
 *
 * Or, with `merge`, of a line that is an object itself:
 *
 *     {"timestamp":"…","source":"app","file":"/var/log/app/a.log", labels …,"id":"…-│offset│","level":"info","msg":"…"}
 *     └──────────────────────────────────── literal ────────────────────────┘        └ literal └────── members ──────┘
 *
 * Guarantees: every record is one valid JSON object in which each name stands once, but for those of merged lines. A label that carries one of the
 * names above gives way: what the shipper says about a record is never forged by a label.
 */
import type { Chunk, Origin } from '../chunk.ts'
import type { Segment } from '../kernel/kernel.ts'
import { type Metadata, NO_METADATA } from '../metadata.ts'

/** How a JSON record calls what it says. */
export interface Shape {
  readonly message: string
  /** An empty name leaves the time out. */
  readonly time: string
  readonly timeFormat: TimeFormat
  readonly id: string
  /** The name of an object that holds all facts, as texts; empty: they stand in the record itself. */
  readonly facts: string
  /** Facts under other names. */
  readonly rename: Readonly<Record<string, string>>
  /** Facts that are left out. */
  readonly drop: readonly string[]
  readonly constants: Readonly<Record<string, string | number | boolean>>
  /** The members of a line that is a JSON object stand in the record as they are, behind all others; other lines are messages. */
  readonly merge: boolean
}

/** RFC 3339 in UTC, or a number since the epoch. All but nanoseconds have the millisecond in which a line was read. */
export type TimeFormat = 'rfc3339' | 'epoch_s' | 'epoch_ms' | 'epoch_ns'

export const PLAIN: Shape = {
  message: 'message',
  time: 'timestamp',
  timeFormat: 'rfc3339',
  id: 'id',
  facts: '',
  rename: {},
  drop: [],
  constants: {},
  merge: false,
}

/** Said of a record only if it applies, so no label may say it. */
const REMARKS = new Set(['truncated', 'originalBytes', 'partial'])

/** What a record says of its origin besides text and time, by name, in order; nothing that is not known. */
export function facts({ origin }: Chunk, metadata: Metadata): [name: string, value: string][] {
  const { namespace, pod, podUid, node, serviceAccount, container, podLabels, podAnnotations } = metadata
  const own = { source: origin.source, file: origin.path, namespace, pod, podUid, node, serviceAccount, container }
  const all = new Map<string, string>()
  for (const [name, value] of Object.entries(own)) if (value !== undefined) all.set(name, value)
  for (const set of [origin.labels, podLabels, podAnnotations]) {
    // The first to name something has it: what we know, then what the configuration says, then the pod.
    for (const [name, value] of Object.entries(set)) if (!all.has(name)) all.set(name, value)
  }
  return [...all]
}

/** What is special about the record of a chunk: it was cut, or it is the last line of a file without a line end. */
export function remarks({ cutFrom, partial }: Chunk): [name: string, value: number | boolean][] {
  const all: [string, number | boolean][] = []
  if (cutFrom > 0) all.push(['truncated', true], ['originalBytes', cutFrom])
  if (partial) all.push(['partial', true])
  return all
}

/** The texts around what changes from chunk to chunk. */
interface Surroundings {
  readonly metadata: Metadata
  readonly shape: Shape
  readonly ids: boolean
  readonly beforeTime: string
  readonly beforeMessage: string
  /** What holds the line. */
  readonly line: Segment
  /** Behind the line. */
  readonly behind: Segment
}

/** Those of the last chunk of each origin about which there was nothing special. */
const usual = new WeakMap<Origin, Surroundings>()

/** The template of a chunk's records; with `ids` each carries its generation and offset, which are stable. */
export function jsonRecord(
  chunk: Chunk,
  ids: boolean,
  metadata: Metadata = NO_METADATA,
  shape: Shape = PLAIN,
): Segment[] {
  const special = chunk.cutFrom > 0 || chunk.partial
  const known = special ? undefined : usual.get(chunk.origin)
  const fits = known?.metadata === metadata && known.shape === shape && known.ids === ids
  const around = fits ? known : surroundings(chunk, ids, metadata, shape)
  if (!fits && !special) usual.set(chunk.origin, around)
  const time = shape.time === '' ? [] : timeOf(chunk, shape.timeFormat)
  const { beforeTime, beforeMessage, line, behind } = around
  const all = joined([literal(beforeTime), ...time, literal(beforeMessage)])
  if (shape.merge) {
    if (ids) all.push(offset(chunk), literal('",'))
    all.push(line, behind)
  } else {
    all.push(line, behind)
    if (ids) all.push(offset(chunk), literal('"}'))
  }
  return all
}

function surroundings(chunk: Chunk, ids: boolean, metadata: Metadata, shape: Shape): Surroundings {
  const taken = new Set([shape.message, shape.time, shape.id])
  const constants = Object.entries(shape.constants).filter(([name]) => claim(taken, name))
  if (shape.facts !== '') taken.add(shape.facts)
  const held = shape.facts === '' ? taken : new Set<string>()
  const said: [string, string | number | boolean][] = []
  // Remarks have the first claim to their names, and stand last.
  const own = remarks(chunk).flatMap(([name, value]): typeof said => {
    const as = nameIn(shape, name)
    return as !== undefined && claim(held, as) ? [[as, value]] : []
  })
  for (const [name, value] of facts(chunk, metadata)) {
    const as = nameIn(shape, name)
    if (as !== undefined && !REMARKS.has(name) && claim(held, as)) said.push([as, value])
  }
  said.push(...own)
  const flat = shape.facts === '' ? said : []
  const members = [...flat, ...constants].map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`)
  if (shape.facts !== '') {
    const texts = said.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(String(value))}`)
    members.push(`${JSON.stringify(shape.facts)}:{${texts.join(',')}}`)
  }
  if (ids) members.push(`${JSON.stringify(shape.id)}:"${chunk.origin.generation}-`)
  const timed = shape.time !== ''
  const common = { metadata, shape, ids, beforeTime: timed ? `{${JSON.stringify(shape.time)}:` : '{' }
  const message = `${JSON.stringify(shape.message)}:"`
  const comma = timed ? ',' : ''
  if (shape.merge) {
    // Behind an id its offset comes first.
    const open = ids || members.length === 0 ? '' : ','
    return {
      ...common,
      beforeMessage: `${comma}${members.join(',')}${open}`,
      line: { kind: 'members', otherwise: Buffer.from(message) },
      behind: literal('}'),
    }
  }
  return {
    ...common,
    beforeMessage: `${comma}${message}`,
    line: { kind: 'message' },
    behind: literal(`"${members.map(member => `,${member}`).join('')}${ids ? '' : '}'}`),
  }
}

function nameIn({ rename, drop }: Shape, name: string): string | undefined {
  if (drop.includes(name)) return undefined
  return Object.hasOwn(rename, name) ? rename[name] : name
}

function claim(taken: Set<string>, name: string): boolean {
  if (taken.has(name)) return false
  taken.add(name)
  return true
}

/** The time of a chunk's records as a JSON value. */
function timeOf(chunk: Chunk, format: TimeFormat): Segment[] {
  switch (format) {
    case 'rfc3339':
      return [literal(`"${isoTime(chunk)}"`)]
    case 'epoch_s':
      return [literal(epochSeconds(chunk))]
    case 'epoch_ms':
      return [literal(String(epochMilliseconds(chunk)))]
    case 'epoch_ns':
      return [{ kind: 'counter', value: chunk.stamp }]
  }
}

/** Fewer steps per record: literals that follow each other are one. */
export function joined(segments: readonly Segment[]): Segment[] {
  const all: Segment[] = []
  for (const segment of segments) {
    const last = all.at(-1)
    if (segment.kind !== 'literal' || last?.kind !== 'literal') all.push(segment)
    else all[all.length - 1] = { kind: 'literal', bytes: Buffer.concat([last.bytes, segment.bytes]) }
  }
  return all
}

export const literal = (text: string): Segment => ({ kind: 'literal', bytes: Buffer.from(text) })

/**
 * The record's offset in its file. The kernel adds the frame's address: the base is what address 0 would have. Or it looks
 * into the column of a chunk that was decoded, by the frame's row in its slab.
 */
export function offset({ fileStart, start, offsets, firstFrame }: Chunk): Segment {
  if (offsets === undefined) return { kind: 'offset', base: fileStart - start }
  return { kind: 'offset', base: offsets.base, table: offsets.table - 4 * firstFrame }
}

/** When the chunk was read, to the millisecond (RFC 3339). */
export function isoTime(chunk: Chunk): string {
  return new Date(epochMilliseconds(chunk)).toISOString()
}

export function epochMilliseconds({ stamp }: Chunk): number {
  return Number(stamp / 1_000_000n)
}

/** Seconds with three decimals. */
export function epochSeconds(chunk: Chunk): string {
  const ms = epochMilliseconds(chunk)
  return `${Math.floor(ms / 1000)}.${String(ms % 1000).padStart(3, '0')}`
}
