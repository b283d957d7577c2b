/**
 * What was found in the records of a chunk (time, level, message, fields), in the pieces that templates are made of. Where
 * records are lines these are what they are without it.
 *
 * Guarantees: a name that is ours is never given to a value of a line: that one is called `line_` and its name. No name is
 * given twice. Fields that are more than the backend takes are not sent in part: then the line is the message.
 */
import type { Chunk, RecordShape } from '../chunk.ts'
import { ANY_FIELDS, type FieldLimits, packFieldNames } from '../kernel/fields.ts'
import type { FieldForm, Inner, LevelForm, Segment, TimeForm } from '../kernel/template.ts'
import { literal } from './fields.ts'
import { namingOf } from './naming.ts'

/** How what was found is called and shown. */
export interface Showing {
  readonly as: FieldForm
  /** Names that the record has already. */
  readonly ours: Iterable<string>
  /** All names that begin so are ours too. Not of attributes. */
  readonly heads?: readonly string[]
  /** The level is shown as it was written, and not as a word. */
  readonly written?: boolean
  /** Trace and span ids have places of their own: whatever they are, or only if they are what W3C Trace Context has. */
  readonly ids?: 'any' | 'exact'
  /** What tells a record apart is said beside it, where its partition says it. */
  readonly partitioned?: boolean
  /** What the backend takes. Default: anything. */
  readonly limits?: Partial<FieldLimits>
}

/** The message, for a JSON string. `refusesBlank`: one that says nothing is none, and the line is. */
export function message({ shape }: Chunk, { refusesBlank = false } = {}): Segment {
  return shape === undefined ? { kind: 'message' } : { kind: 'text', slot: shape.message, as: 'string', refusesBlank }
}

/** The message as it is. */
export function messageBytes({ shape }: Chunk): Segment {
  return shape === undefined ? { kind: 'raw' } : { kind: 'text', slot: shape.message, as: 'bytes' }
}

/** The time of the records, or when they were read. `plain`: as that is written where they have none. */
export function timeOf({ shape, recordTimeNanos }: Chunk, as: TimeForm, plain: () => Segment): Segment {
  return shape?.timed ? { kind: 'time', as, fallback: recordTimeNanos } : plain()
}

/** The level between two texts, where a record has one. */
export function levelIn({ shape }: Chunk, before: string, as: LevelForm, after: string): Segment[] {
  if (!shape?.levelled) return []
  const level = { kind: 'level', as, slot: shape.level } as const
  return [{ kind: 'when', has: 'level', show: [literal(before), level, literal(after)] }]
}

/** Names that only the shipper gives where something is looked for in records: no label may have them, and no field. */
export function foundNames({ shape }: Chunk, level: string): string[] {
  if (shape === undefined) return []
  return [
    ...(shape.levelled ? [level] : []),
    ...(shape.repeats ? ['repeated'] : []),
    ...(shape.sampled ? ['sampled'] : []),
  ]
}

/** For how many records one stands, and which share of records sampling keeps: members behind commas, with values in quotes. */
export function marksIn(chunk: Chunk, quote = ''): Segment[] {
  return [
    ...whenRepeated(chunk, COMMA, literal(`"repeated":${quote}`), { kind: 'repeated' }, literal(quote)),
    ...whenSampled(chunk, share => [COMMA, literal(`"sampled":${quote}${share}${quote}`)]),
  ]
}

/** These where a record stands for several. */
export function whenRepeated({ shape }: Chunk, ...show: readonly Inner[]): Segment[] {
  return shape?.repeats ? [{ kind: 'when', has: 'repeated', show }] : []
}

/** What `show` makes of the share that was kept, where sampling chose a record. */
export function whenSampled({ shape }: Chunk, show: (share: number) => readonly Inner[]): Segment[] {
  if (shape?.sampled === undefined) return []
  const [source, backend] = shape.sampled
  const both = Number((source * backend).toPrecision(12))
  const shares = [['source', source] as const, ['backend', backend] as const, ['both', both] as const]
  return shares.map(([sampled, share]): Segment => ({ kind: 'when', has: { sampled }, show: show(share) }))
}

/** The level, unless it tells the record apart. */
function unpartitioned({ shape }: Chunk, { partitioned }: Showing, level: Segment[]): Segment[] {
  if (!partitioned || !shape?.partition?.level) return level
  return [{ kind: 'when', has: 'no partition', show: level as Inner[] }]
}

const COMMA = { kind: 'comma' } as const

/**
 * All that was found but the message and the time, as an object, behind which what `ours` says stands too. Its values are
 * texts, or what they are.
 */
export function objectOf(chunk: Chunk, showing: Showing, ours: Readonly<Record<string, unknown>>): Segment[] {
  const said = JSON.stringify(ours).slice(1, -1)
  const quote = showing.as === 'strings' ? '"' : ''
  return [
    literal('{'),
    ...unpartitioned(chunk, showing, levelIn(chunk, '"level":"', 'word', '"')),
    ...marksIn(chunk, quote),
    ...fieldsIn(chunk, { ...showing, ours: [...showing.ours, ...Object.keys(ours), ...foundNames(chunk, 'level')] }),
    ...(said === '' ? [] : [COMMA, literal(said)]),
    literal('}'),
  ]
}

const packed = new WeakMap<RecordShape, Map<string, Uint8Array>>()
/** Metadata of the pod may change while we run. */
const MOST_KNOWN = 16

/** All that has no place of its own: members behind a comma each, or attributes. */
export function fieldsIn({ shape }: Chunk, showing: Showing): Segment[] {
  if (shape === undefined) return []
  const known = packed.get(shape) ?? new Map<string, Uint8Array>()
  packed.set(shape, known)
  const { heads = [], written = false, ids, partitioned = false } = showing
  const limits = { ...ANY_FIELDS, ...showing.limits }
  const ours = [...showing.ours]
  const key = JSON.stringify([written, ids, partitioned, ours, heads, limits])
  let names = known.get(key)
  if (names === undefined) {
    names = packFieldNames({
      hidden: hiddenOf(shape, written, ids, partitioned),
      ...namingOf(shape, ours, heads),
      limits,
    })
    if (known.size >= MOST_KNOWN) known.clear()
    known.set(key, names)
  }
  return [{ kind: 'fields', as: showing.as, names }]
}

type Hidden = Parameters<typeof packFieldNames>[0]['hidden'][number]

/** Values that have a place of their own. */
function hiddenOf(shape: RecordShape, written: boolean, ids: Showing['ids'], partitioned: boolean): Hidden[] {
  const { message, time, level, traceId, spanId, timed, levelled, partition } = shape
  const parts = partitioned ? (partition?.slots ?? []) : []
  const all: [slot: number | undefined, shown: Hidden['shown'], is: boolean][] = [
    [message, 'always', true],
    [time, 'timed', timed],
    [level, written ? 'levelled' : 'sameLevel', levelled],
    [traceId, ids === 'any' ? 'always' : 'id16', ids !== undefined],
    [spanId, ids === 'any' ? 'always' : 'id8', ids !== undefined],
    ...parts.map((slot): [number, Hidden['shown'], boolean] => [slot, 'partitioned', true]),
  ]
  return all.flatMap(([slot, shown, is]) => (is && slot !== undefined ? [{ slot, shown }] : []))
}
