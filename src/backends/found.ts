/**
 * What was found in the records of a chunk (time, level, message, fields), in the pieces that templates are made of. Where
 * records are lines these are what they are without it.
 *
 * Guarantees: a name that is ours is never given to a value of a line: that one is called `line_` and its name.
 */
import type { Chunk, RecordShape } from '../chunk.ts'
import { packFieldNames } from '../kernel/fields.ts'
import type { FieldForm, LevelForm, Segment, TimeForm } from '../kernel/kernel.ts'
import { literal } from './fields.ts'

/** How what was found is called and shown. */
export interface Showing {
  readonly as: FieldForm
  /** Names that the record has already. */
  readonly ours: Iterable<string>
  /** The level is shown as it was written, and not as a word. */
  readonly written?: boolean
  /** Trace and span ids have places of their own. */
  readonly ids?: boolean
}

/** The message, for a JSON string. */
export function message({ shape }: Chunk): Segment {
  return shape === undefined ? { kind: 'message' } : { kind: 'text', slot: shape.message, as: 'string' }
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
  const level: Segment = { kind: 'level', as, slot: shape.level }
  return [{ kind: 'when', has: 'level', then: [literal(before), level, literal(after)] }]
}

/** The name of the level, where records have one. */
export function levelName({ shape }: Chunk, name: string): string[] {
  return shape?.levelled ? [name] : []
}

/** For how many records one stands, behind a text. */
export function repeatedIn({ shape }: Chunk, before: string): Segment[] {
  if (shape === undefined) return []
  return [{ kind: 'when', has: 'repeated', then: [literal(before), { kind: 'repeated' }] }]
}

const packed = new WeakMap<RecordShape, Map<string, Uint8Array>>()

/** All that has no place of its own: members behind a comma each, or attributes. */
export function fieldsIn({ shape }: Chunk, showing: Showing): Segment[] {
  if (shape === undefined) return []
  const known = packed.get(shape) ?? new Map<string, Uint8Array>()
  packed.set(shape, known)
  const ours = [...showing.ours]
  const key = JSON.stringify([showing.written, showing.ids, ours])
  let names = known.get(key)
  if (names === undefined) {
    names = packFieldNames(namesOf(shape, ours, showing))
    // Metadata of the pod may change while we run.
    if (known.size >= MOST_KNOWN) known.clear()
    known.set(key, names)
  }
  return [{ kind: 'fields', as: showing.as, names }]
}

const MOST_KNOWN = 16

function namesOf(shape: RecordShape, ours: readonly string[], { written, ids }: Showing) {
  const { message, time, level, traceId, spanId, slots } = shape
  const hidden: { slot: number; shown: 'always' | 'timed' | 'levelled' | 'sameLevel' }[] = []
  const hide = (slot: number | undefined, shown: (typeof hidden)[number]['shown']): void => {
    if (slot !== undefined) hidden.push({ slot, shown })
  }
  hide(message, 'always')
  if (shape.timed) hide(time, 'timed')
  if (shape.levelled) hide(level, written ? 'levelled' : 'sameLevel')
  if (ids) for (const slot of [traceId, spanId]) hide(slot, 'always')
  const others = new Set(hidden.filter(({ shown }) => shown === 'always').map(({ slot }) => slot))
  const rules = new Map(ours.map(name => [name, `line_${name}`]))
  const named = slots.filter(({ slot }) => !others.has(slot))
  return { hidden, rules, named: named.map(each => ({ ...each, name: rules.get(each.name) ?? each.name })) }
}
