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
import type { Chunk, Origin, RecordShape } from '../chunk.ts'
import type { Segment } from '../kernel/template.ts'
import { type Metadata, NO_METADATA } from '../metadata.ts'
import {
  attributesOf,
  epochMilliseconds,
  epochSeconds,
  FLAGS,
  flags,
  isoTime,
  joined,
  literal,
  offset,
} from './fields.ts'
import { fieldsIn, foundNames, levelIn, marksIn, message, timeOf } from './found.ts'

/** How a JSON record calls what it says. */
export interface Shape {
  readonly message: string
  /** An empty name leaves the time out. */
  readonly time: string
  readonly timeFormat: TimeFormat
  readonly id: string
  /** Where records have levels. Default: level. */
  readonly level?: string
  /** The name of an object that holds all attributes, as texts; empty: they stand in the record itself. */
  readonly attributes: string
  /** Attributes under other names. */
  readonly rename: Readonly<Record<string, string>>
  /** Attributes that are left out. */
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
  attributes: '',
  rename: {},
  drop: [],
  constants: {},
  merge: false,
}

const LEVEL = 'level'

/** The texts around what changes from chunk to chunk. */
interface Template {
  readonly metadata: Metadata
  readonly shape: Shape
  readonly ids: boolean
  readonly beforeTime: string
  readonly beforeMessage: string
  /** What holds the line. */
  readonly line: Segment
  /** Behind the line. */
  readonly behind: readonly Segment[]
  /** What may be found in the records. */
  readonly found: RecordShape | undefined
}

/**
 * Bytes that are kept: there may be thousands of files, whose paths the application chooses, and making a template takes
 * less than reading a file does.
 */
const MOST_USUAL = 256 * 1024
/** What one takes beside its texts. */
const EACH = 512
/** Those of the last chunk of each origin about which there was nothing special; and of those before these. */
let usual = new Map<Origin, Template>()
let before = new Map<Origin, Template>()
let used = 0

/** The template of a chunk's records; with `ids` each carries its generation and offset, which are stable. */
export function jsonRecord(
  chunk: Chunk,
  ids: boolean,
  metadata: Metadata = NO_METADATA,
  shape: Shape = PLAIN,
): Segment[] {
  const special = chunk.cutFrom > 0 || chunk.partial || chunk.continued === true
  const known = special ? undefined : (usual.get(chunk.origin) ?? before.get(chunk.origin))
  const same = known?.metadata === metadata && known.shape === shape && known.ids === ids
  const fits = same && known.found === chunk.shape
  const around = fits ? known! : templateOf(chunk, ids, metadata, shape)
  if (!special) keep(chunk.origin, around)
  const time = shape.time === '' ? [] : timeValue(chunk, shape.timeFormat)
  const { beforeTime, beforeMessage, line, behind } = around
  const all = joined([literal(beforeTime), ...time, literal(beforeMessage)])
  if (shape.merge && chunk.shape === undefined) {
    if (ids) all.push(offset(chunk), literal('",'))
    all.push(line, ...behind)
  } else {
    all.push(line, ...behind)
    if (ids) all.push(offset(chunk), literal('"}'))
  }
  return all
}

function keep(origin: Origin, template: Template): void {
  if (usual.get(origin) === template) return
  const texts = template.behind.map(segment => (segment.kind === 'literal' ? segment.bytes.length : 0))
  const takes = texts.reduce((sum, bytes) => sum + bytes, EACH + template.beforeMessage.length)
  if (used + takes > MOST_USUAL) {
    before = usual
    usual = new Map()
    used = 0
  }
  used += takes
  usual.set(origin, template)
}

function templateOf(chunk: Chunk, ids: boolean, metadata: Metadata, shape: Shape): Template {
  const level = shape.level ?? LEVEL
  const taken = new Set([shape.message, shape.time, shape.id, ...foundNames(chunk, level)])
  const constants = Object.entries(shape.constants).filter(([name]) => claim(taken, name))
  if (shape.attributes !== '') taken.add(shape.attributes)
  const held = shape.attributes === '' ? taken : new Set<string>()
  const said: [string, string | number | boolean][] = []
  // Flags have the first claim to their names, and stand last.
  const own = flags(chunk).flatMap(([name, value]): typeof said => {
    const as = nameIn(shape, name)
    return as !== undefined && claim(held, as) ? [[as, value]] : []
  })
  for (const [name, value] of attributesOf(chunk, metadata)) {
    const as = nameIn(shape, name)
    if (as !== undefined && !FLAGS.has(name) && claim(held, as)) said.push([as, value])
  }
  said.push(...own)
  const flat = shape.attributes === '' ? said : []
  const members = [...flat, ...constants].map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`)
  if (shape.attributes !== '') {
    const texts = said.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(String(value))}`)
    members.push(`${JSON.stringify(shape.attributes)}:{${texts.join(',')}}`)
  }
  if (ids) members.push(`${JSON.stringify(shape.id)}:"${chunk.origin.generation}-`)
  const timed = shape.time !== ''
  const found = chunk.shape
  const common = { metadata, shape, ids, found, beforeTime: timed ? `{${JSON.stringify(shape.time)}:` : '{' }
  const text = `${JSON.stringify(shape.message)}:"`
  const comma = timed ? ',' : ''
  if (shape.merge && found === undefined) {
    // Behind an id its offset comes first.
    const open = ids || members.length === 0 ? '' : ','
    return {
      ...common,
      beforeMessage: `${comma}${members.join(',')}${open}`,
      line: { kind: 'members', otherwise: Buffer.from(text) },
      behind: [literal('}')],
    }
  }
  return {
    ...common,
    beforeMessage: `${comma}${text}`,
    line: message(chunk),
    behind: joined([
      literal('"'),
      ...levelIn(chunk, `,${JSON.stringify(level)}:"`, 'word', '"'),
      ...marksIn(chunk),
      ...fieldsIn(chunk, { as: 'json', ours: [...taken, ...FLAGS] }),
      literal(`${members.map(member => `,${member}`).join('')}${ids ? '' : '}'}`),
    ]),
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
function timeValue(chunk: Chunk, format: TimeFormat): Segment[] {
  switch (format) {
    case 'rfc3339':
      return [literal('"'), timeOf(chunk, 'rfc3339', () => literal(isoTime(chunk))), literal('"')]
    case 'epoch_s':
      return [timeOf(chunk, 'seconds', () => literal(epochSeconds(chunk)))]
    case 'epoch_ms':
      return [timeOf(chunk, 'milliseconds', () => literal(String(epochMilliseconds(chunk))))]
    case 'epoch_ns':
      return [timeOf(chunk, 'nanoseconds', () => ({ kind: 'counter', value: chunk.recordTimeNanos }))]
  }
}
