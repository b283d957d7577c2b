/**
 * Plans: what is to be done with the records of each source, compiled before the first byte is read.
 *
 * Guarantees: what compiles can be run; its tables are bytes whose offsets are relative, so that each pipeline lays them
 * into its own memory; a source about which nothing is said has no plan, and costs nothing.
 */

import type { FieldChoice } from '../chunk.ts'
import { LAYOUT } from '../kernel/module.ts'
import type { Partitioning } from '../partition.ts'
import { compileFields } from './fields/compile.ts'
import { compileLevel, type LevelPlan } from './level/compile.ts'
import { compileMultiline, compileParts, type MultilinePlan } from './multiline/compile.ts'
import type { BackendProcessOptions, ProcessOptions } from './options.ts'
import { compileParse, type ParsePlan, parsingOf } from './parse/compile.ts'
import type { Slots } from './parse/slots.ts'
import { checkPartition, compilePartition, type PartitionPlan, type PartitionSubject } from './partition/compile.ts'
import { partitionBytes } from './partition/partitioner.ts'
import type { ProcessProblem } from './problem.ts'
import { compileRedact, type RedactPlan } from './redact/compile.ts'
import { LOOK_BACK } from './redact/context.ts'
import { compileSelect, type SelectPlan } from './select/compile.ts'
import { GAP_BYTES } from './select/selector.ts'
import { compileTime, type TimePlan } from './time/compile.ts'

/** What is done with the records of one source, in this order. */
export interface SourcePlan {
  readonly multiline: MultilinePlan | undefined
  readonly redact: RedactPlan | undefined
  readonly parse: ParsePlan | undefined
  readonly time: TimePlan | undefined
  readonly level: LevelPlan | undefined
  /** Where values stand in its rows, by name. */
  readonly slots: Slots | undefined
  /** Which records are kept. */
  readonly select: SelectPlan | undefined
  /** Which of their values are sent. */
  readonly fields?: FieldChoice | undefined
  /** What a backend says of what is left: only in the plans of one pipeline. */
  readonly route?: Route | undefined
}

/** What a backend says of the records of one source. */
export interface Route {
  /** Which of those that the source keeps it gets, and which of their values. */
  readonly select: SelectPlan | undefined
  readonly fields: FieldChoice | undefined
  /** How it tells them apart. */
  readonly partition: PartitionPlan | undefined
}

/** All sources that have a plan, by name. */
export type Plans = ReadonlyMap<string, SourcePlan>

export const NO_PLANS: Plans = new Map()

/** What a backend says of the records of its sources, by their names. */
export type Routes = ReadonlyMap<string, Route>

export const NO_ROUTES: Routes = new Map()

const NOTHING: SourcePlan = {
  ...{ multiline: undefined, redact: undefined, parse: undefined, time: undefined, level: undefined },
  ...{ slots: undefined, select: undefined },
}

export interface PlanSubject extends ProcessOptions {
  readonly name: string
  readonly maxLineBytes: number
  readonly encoding: string
}

export type Planned =
  | { readonly kind: 'plan'; readonly plan: SourcePlan | undefined }
  | { readonly kind: 'problems'; readonly problems: readonly ProcessProblem[] }

/** What the backends of a source go by. */
export interface Asked {
  /** Names of values. */
  readonly named: readonly string[]
  /** The level. */
  readonly levels: boolean
}

const NOTHING_ASKED: Asked = { named: [], levels: false }

/**
 * Compiles what is said about the records of a source. Where records are parsed their time and level are looked for as
 * well, and the level where something goes by it, unless the source says otherwise.
 */
export function planOf(source: PlanSubject, { named, levels }: Asked = NOTHING_ASKED): Planned {
  const problems: ProcessProblem[] = []
  const report = (problem: ProcessProblem): void => void problems.push(problem)
  const whole = compileMultiline(source, report)
  const redact = compileRedact(source, report)
  const parsing = parsingOf(source, report)
  const inParts = parsing?.parts.some(({ kind }) => kind === 'cri') && source.encoding === 'utf-8'
  const multiline = whole ?? (inParts ? compileParts(source, report) : undefined)
  if (problems.length > 0) return { kind: 'problems', problems }
  const slots = parsing?.slots
  // Those that go by values ask for theirs before all of them are laid down.
  const parsed = parsing !== undefined
  const time = compileTime({ ...source, time: source.time ?? (parsed ? 'auto' : 'none') }, slots, report)
  for (const name of named) slots?.slotFor(name)
  const fields = compileFields(source, parsed, report)
  const select = compileSelect(source, { slots, unparsed: parsing?.rule.else === 'drop' }, report)
  const looked = parsed || levels || select?.levels ? 'auto' : 'none'
  const level = compileLevel({ ...source, level: source.level ?? looked }, slots, report)
  const parse = parsing && compileParse(parsing, report)
  if (problems.length > 0) return { kind: 'problems', problems }
  const plan: SourcePlan = { multiline, redact, parse, time, level, slots, select, fields }
  return { kind: 'plan', plan: Object.values(plan).some(part => part !== undefined) ? plan : undefined }
}

export type Routed =
  | { readonly kind: 'routes'; readonly routes: Routes }
  | { readonly kind: 'problems'; readonly problems: readonly ProcessProblem[] }

/** Compiles what a backend says about the records of its sources. */
export function routesOf(
  backend: BackendProcessOptions,
  sources: readonly string[],
  plans: Plans,
  partitioning?: Partitioning,
): Routed {
  const routes = new Map<string, Route>()
  const problems: ProcessProblem[] = []
  const report = (problem: ProcessProblem): void => void problems.push(problem)
  // Records of the other sources are their lines, and say nothing that could be chosen.
  const parses = (source: string): boolean => plans.get(source)?.slots !== undefined
  const fields = compileFields(backend, sources.some(parses), report)
  if (partitioning)
    checkPartition(
      partitioning,
      sources.map(source => subjectOf(plans.get(source))),
      report,
    )
  for (const source of sources) {
    const plan = plans.get(source)
    const context = { slots: plan?.slots, behind: { source: plan?.select } }
    const select = compileSelect(backend, context, report)
    // What is wrong for one source is said once.
    if (problems.length > 0) return { kind: 'problems', problems }
    const partition = partitioning && compilePartition(partitioning, subjectOf(plan))
    const route: Route = { select, fields: parses(source) ? fields : undefined, partition }
    if (Object.values(route).some(part => part !== undefined)) routes.set(source, route)
  }
  return { kind: 'routes', routes: routes.size > 0 ? routes : NO_ROUTES }
}

function subjectOf(plan: SourcePlan | undefined): PartitionSubject {
  const { slots, parse, level, time } = plan ?? NOTHING
  return { slots, levelled: level !== undefined, timed: time !== undefined, count: slotsIn({ parse, level }) }
}

/** Those of these sources, with what their backend says. */
export function plansFor(plans: Plans, sources: readonly string[], routes: Routes = NO_ROUTES): Plans {
  const all = sources.flatMap((name): [string, SourcePlan][] => {
    const [plan, route] = [plans.get(name), routes.get(name)]
    return plan || route ? [[name, { ...(plan ?? NOTHING), route }]] : []
  })
  return new Map(all)
}

/** Reasons that records of each source are dropped for. */
export function dropReasonsOf(plans: Plans): Readonly<Record<string, readonly string[]>> {
  const reasons = ({ select, route }: SourcePlan) => [
    ...new Set([...(select?.reasons ?? []), ...(route?.select?.reasons ?? [])]),
  ]
  return Object.fromEntries([...plans].map(([name, plan]) => [name, reasons(plan)]))
}

/** Bytes that the tables of these plans take in a kernel. */
export function tableBytes(plans: Plans): number {
  let bytes = selects(plans) ? GAP_BYTES : 0
  for (const plan of plans.values()) for (const table of tablesOf(plan)) bytes += Math.ceil(table.length / 16) * 16
  // Behind the tables: a context may lie there.
  const context = [...plans.values()].some(({ redact }) => redact) ? LOOK_BACK : 0
  const most = Math.max(0, ...[...plans.values()].map(({ route }) => route?.partition?.most ?? 0))
  return bytes + roomBytes(plans) + context + (most > 0 ? partitionBytes(most) : 0)
}

/** Bytes of room for what expressions find in a record: all share it. */
export function roomBytes(plans: Plans): number {
  const rooms = [...plans.values()].flatMap(({ parse, redact }) => [parse?.room ?? 0, redact?.room ?? 0])
  return Math.ceil(Math.max(0, ...rooms) / 16) * 16
}

/** Bytes of what is found in a record: the largest row of any source, for all share a slab. */
export function rowBytes(plans: Plans): number {
  return Math.max(0, ...[...plans.values()].map(rowOf))
}

function rowOf({ parse, time, level, select, route }: SourcePlan): number {
  if (!parse && !time && !level && !select && !route?.select) return 0
  // The number of a partition stands behind what is found.
  const slots = slotsIn({ parse, level }) + (route?.partition ? 1 : 0)
  return Math.ceil((LAYOUT.ROW_SLOTS + LAYOUT.SLOT * slots) / 8) * 8
}

/** Of a text nothing is found that has a place but the level as it was written. */
function slotsIn({ parse, level }: Pick<SourcePlan, 'parse' | 'level'>): number {
  return parse?.slots ?? (level === undefined ? 0 : level.slot + 1)
}

function selects(plans: Plans): boolean {
  return [...plans.values()].some(({ select, route }) => select !== undefined || route?.select !== undefined)
}

function tablesOf({ multiline, redact, parse, time, level, select, route }: SourcePlan): Uint8Array[] {
  const steps = [...(select?.steps ?? []), ...(route?.select?.steps ?? [])]
  const filters = steps.flatMap(step => (step.kind === 'filter' ? [step.table] : []))
  return [
    ...[multiline, redact, parse, time, level, route?.partition].flatMap(part => (part ? [part.table] : [])),
    ...filters,
  ]
}
