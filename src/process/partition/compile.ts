/**
 * How the records of a source are told apart for one backend, as a table that the kernel follows:
 * kernel/assembly/process/partition.ts.
 *
 * Guarantees: what no record of any source can have is reported at its key before the first byte is read.
 */
import { LAYOUT } from '../../kernel/module.ts'
import type { Partitioning, PartitionPart } from '../../partition.ts'
import type { Slots } from '../parse/slots.ts'
import type { ProcessProblem } from '../problem.ts'

export interface PartitionPlan {
  readonly table: Uint8Array
  /** Where a row has the number. */
  readonly at: number
  /** Slots of the values, and whether the level is one; the milliseconds of a period, if the time is one. */
  readonly slots: readonly (number | undefined)[]
  readonly level: boolean
  readonly period: number | undefined
  /** Of all sources of the backend. */
  readonly most: number
}

/** What is known of the records of a source. */
export interface PartitionSubject {
  readonly slots: Slots | undefined
  /** Their level is looked for; their time is. */
  readonly levelled: boolean
  readonly timed: boolean
  /** Slots of its rows. */
  readonly count: number
}

const { PARTITION_PARTS, PARTITION_PERIOD, ROW_SLOTS, SLOT } = LAYOUT
const { PARTITION_LEVEL_PART, PARTITION_TIME_PART, PARTITION_NO_PART } = LAYOUT
/** Nanoseconds in a millisecond. */
const NANOS = 1_000_000

/** Undefined: its records have none of the values. */
export function compilePartition(
  { by, most }: Partitioning,
  { slots, levelled, timed, count }: PartitionSubject,
): PartitionPlan | undefined {
  const places = by.map(part => (part.kind === 'value' ? slots?.slotFor(part.name) : undefined))
  const level = levelled && by.some(({ kind }) => kind === 'level')
  const period = timed ? by.find(part => part.kind === 'time')?.period : undefined
  if (!level && period === undefined && places.every(place => place === undefined)) return undefined
  const table = Buffer.alloc(PARTITION_PARTS + 4 * by.length)
  // Behind all values that are found.
  const at = ROW_SLOTS + SLOT * count
  table.writeUInt32LE(by.length, 0)
  table.writeUInt32LE(at, 4)
  table.writeBigInt64LE(BigInt((period ?? 0) * NANOS), PARTITION_PERIOD)
  const placeOf = (kind: PartitionPart['kind'], index: number): number => {
    if (kind === 'level' && level) return PARTITION_LEVEL_PART
    if (kind === 'time' && period !== undefined) return PARTITION_TIME_PART
    return places[index] ?? PARTITION_NO_PART
  }
  for (const [index, { kind }] of by.entries()) {
    table.writeUInt32LE(placeOf(kind, index), PARTITION_PARTS + 4 * index)
  }
  return { table, at, slots: places, level, period, most }
}

/** What no record of these sources can have. */
export function checkPartition(
  { by }: Partitioning,
  subjects: readonly PartitionSubject[],
  report: (problem: ProcessProblem) => void,
): void {
  for (const part of by) {
    // Without one of its own a record has the time of its reading.
    if (part.kind === 'time') continue
    if (subjects.some(subject => canHave(part, subject))) continue
    if (part.kind === 'level') {
      report({ path: part.path, found: 'the level, which no source looks for', allowed: 'level beside parse or alone' })
      continue
    }
    const names = [...new Set(subjects.flatMap(({ slots }) => slots?.names ?? []))]
    const parsed = subjects.some(({ slots }) => slots !== undefined)
    report({
      path: part.path,
      found: parsed ? `the unknown field ${part.name}` : `the field ${part.name} of records that are not parsed`,
      allowed: parsed ? names.join(', ') : 'none without parse, which says how fields are found',
    })
  }
}

function canHave(part: Exclude<PartitionPart, { kind: 'time' }>, { slots, levelled }: PartitionSubject): boolean {
  return part.kind === 'level' ? levelled : (slots?.has(part.name) ?? false)
}
