/**
 * What is said about which records are kept, as steps that the selector takes in this order: filter, sample, repeats, limit.
 *
 * A source has such a plan, and a backend has one for each of its sources, whose steps come after the source's. Reasons
 * are numbered through both, so the backend's is compiled for a source that is known.
 */
import type { Sampling } from '../../kernel/kernel.ts'
import { LAYOUT } from '../../kernel/module.ts'
import type { Slots } from '../parse/slots.ts'
import { compileFilter, fieldsOf, type Report } from './filter.ts'
import { REPEATS_FLUSH, type RouteOptions, SEVERITIES, type SelectOptions } from './options.ts'

export type SelectStep =
  | { readonly kind: 'filter'; readonly table: Uint8Array }
  | { readonly kind: 'sample'; readonly verdict: number; readonly share: number; readonly sampling: Sampling }
  /** Milliseconds. `flush`: for how long the file of a run has to stay as it is, so that it has ended. */
  | { readonly kind: 'repeats'; readonly verdict: number; readonly window: number; readonly flush: number }
  | {
      readonly kind: 'limit'
      readonly verdict: number
      /** A second; 0: any number. */
      readonly bytes: number
      readonly records: number
      readonly per: 'file' | 'source'
      readonly over: 'wait' | 'drop'
    }

export interface SelectPlan {
  readonly steps: readonly SelectStep[]
  /** Reasons that records are dropped for: verdicts are 1 + their place, behind those of the plan before this one. */
  readonly reasons: readonly string[]
  /** The level of records has to be known. */
  readonly levels: boolean
}

/** For whom it is compiled. */
export interface SelectContext {
  /** Slots of values that have a name; undefined: records are not parsed. */
  readonly slots: Slots | undefined
  /** Records that no parser took are dropped. */
  readonly unparsed?: boolean
  /** It is a backend's: what its source says is in that plan. */
  readonly behind?: { readonly source: SelectPlan | undefined } | undefined
}

/** The names of fields that have to be found in a record, so that it can be decided whether it is kept. */
export function fieldsToSelect({ filter, sample }: RouteOptions): string[] {
  const named = typeof filter === 'object' ? fieldsOf(filter) : []
  return typeof sample === 'object' && sample.by !== undefined ? [...named, sample.by] : named
}

/** Compiles what is said; undefined: nothing is, or something was reported. */
export function compileSelect(options: SelectOptions, context: SelectContext, report: Report): SelectPlan | undefined {
  const { slots, unparsed = false, behind } = context
  const before = behind?.source?.reasons.length ?? 0
  const reasons: string[] = []
  const steps: SelectStep[] = []
  const verdict = (reason: string): number => before + reasons.push(reason)
  const { filter = 'none', sample = 1, repeats = 'none', limit = 'none' } = options
  if (filter !== 'none' || unparsed) {
    const map = filter === 'none' ? {} : typeof filter === 'string' ? { below: filter } : filter
    const compiled = compileFilter(map, slots, unparsed, before, report)
    if (compiled === undefined) return undefined
    reasons.push(...compiled.reasons)
    if (compiled.reasons.length > 0) steps.push({ kind: 'filter', table: compiled.table })
  }
  const { keep, by, unless } = typeof sample === 'number' ? { keep: sample, by: undefined, unless: 'error' } : sample
  if (keep < 1) {
    const key = by === undefined ? undefined : slots?.slotFor(by)
    if (by !== undefined && key === undefined) {
      report({
        path: ['sample', 'by'],
        found: slots === undefined ? `the field ${by} of records that are not parsed` : `the unknown field ${by}`,
        allowed:
          slots === undefined ? 'none without parse, which says how fields are found' : (slots.names ?? []).join(', '),
      })
      return undefined
    }
    const sampling: Sampling = {
      threshold: Math.min(2 ** 32 - 1, Math.round(keep * 2 ** 32)),
      key,
      keepLevel: unless === 'none' ? 0 : SEVERITIES[unless as keyof typeof SEVERITIES],
      flag: behind ? LAYOUT.RESAMPLED : LAYOUT.SAMPLED,
      salt: behind ? 1n : 0n,
    }
    steps.push({ kind: 'sample', verdict: verdict('sample'), share: keep, sampling })
  }
  if (repeats !== 'none') {
    const { window, flush } = typeof repeats === 'number' ? { window: repeats, flush: REPEATS_FLUSH } : repeats
    steps.push({ kind: 'repeats', verdict: verdict('repeats'), window, flush })
  }
  if (limit !== 'none') {
    const { bytes = 0, records, per, over } = typeof limit === 'number' ? { ...USUAL_LIMIT, bytes: limit } : limit
    steps.push({ kind: 'limit', verdict: over === 'drop' ? verdict('limit') : 0, bytes, records, per, over })
  }
  if (steps.length === 0) return undefined
  const levels = steps.some(step => step.kind === 'sample' && step.sampling.keepLevel > 0) || filterAsks(filter)
  return { steps, reasons, levels }
}

const USUAL_LIMIT = { records: 0, per: 'file', over: 'wait' } as const

function filterAsks(filter: NonNullable<RouteOptions['filter']>): boolean {
  if (typeof filter === 'string') return filter !== 'none'
  return filter.below !== undefined || Object.values(filter.rules ?? {}).some(({ drop }) => 'below' in drop)
}

/** Whether what is said of records goes by their level. */
export function asksForLevels({ filter = 'none', sample }: RouteOptions): boolean {
  if (filterAsks(filter)) return true
  return typeof sample === 'object' ? sample.unless !== 'none' : sample !== undefined
}
