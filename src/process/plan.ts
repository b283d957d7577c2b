/**
 * Plans: what is to be done with the records of each source, compiled before the first byte is read.
 *
 * Guarantees: what compiles can be run; its tables are bytes whose offsets are relative, so that each pipeline lays them
 * into its own memory; a source about which nothing is said has no plan, and costs nothing.
 */
import { LAYOUT } from '../kernel/module.ts'
import { compileLevel, type LevelPlan } from './level/compile.ts'
import { compileMultiline, type MultilinePlan } from './multiline/compile.ts'
import type { ProcessOptions } from './options.ts'
import { compileParse, type ParsePlan, parsingOf } from './parse/compile.ts'
import type { ProcessProblem } from './problem.ts'
import { compileTime, type TimePlan } from './time/compile.ts'

/** What is done with the records of one source, in this order. */
export interface SourcePlan {
  readonly multiline: MultilinePlan | undefined
  readonly parse: ParsePlan | undefined
  readonly time: TimePlan | undefined
  readonly level: LevelPlan | undefined
}

/** All sources that have a plan, by name. */
export type Plans = ReadonlyMap<string, SourcePlan>

export const NO_PLANS: Plans = new Map()

export interface PlanSubject extends ProcessOptions {
  readonly name: string
  readonly maxLineBytes: number
  readonly encoding: string
}

export type Planned =
  | { readonly kind: 'plan'; readonly plan: SourcePlan | undefined }
  | { readonly kind: 'problems'; readonly problems: readonly ProcessProblem[] }

/** Compiles what is said about the records of a source. */
export function planOf(source: PlanSubject): Planned {
  const problems: ProcessProblem[] = []
  const report = (problem: ProcessProblem): void => void problems.push(problem)
  const multiline = compileMultiline(source, report)
  const parsing = parsingOf(source, report)
  if (problems.length > 0) return { kind: 'problems', problems }
  // Those that go by values ask for theirs (`parsing.slots`) before all of them are laid down.
  const time = compileTime(source, parsing?.slots, report)
  const level = compileLevel(source, parsing?.slots, report)
  const parse = parsing && compileParse(parsing, report)
  if (problems.length > 0) return { kind: 'problems', problems }
  const plan: SourcePlan = { multiline, parse, time, level }
  return { kind: 'plan', plan: Object.values(plan).some(part => part !== undefined) ? plan : undefined }
}

/** Those of these sources. */
export function plansFor(plans: Plans, sources: readonly string[]): Plans {
  return new Map([...plans].filter(([name]) => sources.includes(name)))
}

/** Bytes that the tables of these plans take in a kernel. */
export function tableBytes(plans: Plans): number {
  let bytes = 0
  for (const plan of plans.values()) for (const table of tablesOf(plan)) bytes += Math.ceil(table.length / 16) * 16
  return bytes + roomBytes(plans)
}

/** Bytes of room for what expressions find in a record: all share it. */
export function roomBytes(plans: Plans): number {
  return Math.max(0, ...[...plans.values()].map(({ parse }) => Math.ceil((parse?.room ?? 0) / 16) * 16))
}

/** Bytes of what is found in a record: the largest row of any source, for all share a slab. */
export function rowBytes(plans: Plans): number {
  return Math.max(0, ...[...plans.values()].map(rowOf))
}

function rowOf({ parse, time, level }: SourcePlan): number {
  if (parse === undefined && time === undefined && level === undefined) return 0
  // Of a text nothing is found that has a place but the level as it was written.
  const slots = parse?.slots ?? (level === undefined ? 0 : level.slot + 1)
  return Math.ceil((LAYOUT.ROW_SLOTS + LAYOUT.SLOT * slots) / 8) * 8
}

function tablesOf({ multiline, parse, time, level }: SourcePlan): Uint8Array[] {
  return [multiline, parse, time, level].flatMap(part => (part ? [part.table] : []))
}
