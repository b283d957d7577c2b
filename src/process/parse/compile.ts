/**
 * What is said about the format of records, compiled: which parsers there are, then, when all parts have asked for their
 * values (slots.ts), the table that the kernel follows.
 *
 * Guarantees: what cannot be found is reported at its key before the first byte is read.
 */
import type { RecordShape, SlotName } from '../../chunk.ts'
import { LAYOUT } from '../../kernel/module.ts'
import type { ProcessProblem } from '../problem.ts'
import { LEVEL_NAMES, MESSAGE_NAMES, SPAN_ID_NAMES, TRACE_ID_NAMES } from './names.ts'
import type { FormatName, ParseOptions, ParseRule } from './options.ts'
import { type Known, MOST_SLOTS, Slots, type Wanted } from './slots.ts'
import { type Parser, tableOf } from './table.ts'

/** Members of a record, at all depths together: with more it is sent as its message. */
export const MOST_MEMBERS = 1000

export interface ParsePlan {
  readonly table: Uint8Array
  readonly slots: number
  /** What is found; the time and level of a record are for others to say. */
  readonly shape: Omit<RecordShape, 'timed' | 'levelled'>
  /** A record that no parser takes is dropped. */
  readonly drop: boolean
}

/** What a source says about its records, before it is known what the other parts look for in them. */
export interface Parsing {
  readonly slots: Slots
  readonly formats: readonly FormatName[]
  readonly rule: ParseRule
}

type Report = (problem: ProcessProblem) => void

const CRI_VALUES = ['time', 'stream', 'logtag', 'message']
const DOCKER_VALUES = ['log', 'stream', 'time', 'attrs']
const KNOWN: Record<FormatName, Known> = { json: 'any', logfmt: 'any', docker: DOCKER_VALUES, cri: CRI_VALUES }

/** Whether anything is to be found in the records of a source, and what; undefined: nothing is. */
export function parsingOf({ parse }: ParseOptions): Parsing | undefined {
  if (parse === undefined || parse === 'none') return undefined
  const rule: ParseRule =
    typeof parse === 'string' || Array.isArray(parse)
      ? { format: parse as FormatName | FormatName[], fields: [], else: 'keep' }
      : (parse as ParseRule)
  const formats = [...new Set(rule.format === undefined ? [] : [rule.format].flat())]
  return { slots: new Slots(knownOf(formats)), formats, rule }
}

function knownOf(formats: readonly FormatName[]): Known {
  const all = formats.map(format => KNOWN[format])
  return all.includes('any') ? 'any' : [...new Set((all as string[][]).flat())]
}

/** Compiles what is looked for: after all parts of a source have asked for their values. */
export function compileParse(parsing: Parsing | undefined, report: Report): ParsePlan | undefined {
  if (parsing === undefined) return undefined
  const { slots, formats, rule } = parsing
  if (formats.length === 0) {
    report({ path: ['parse'], found: 'no format', allowed: 'a map with format' })
    return undefined
  }
  const message = slots.slotFor(MESSAGE_NAMES, 'text')
  const level = slots.slotFor(LEVEL_NAMES, 'scalar')
  const traceId = slots.slotFor(TRACE_ID_NAMES, 'text')
  const spanId = slots.slotFor(SPAN_ID_NAMES, 'text')
  const named: SlotName[] = []
  const name = (each: string, path: readonly (string | number)[]): void => {
    const slot = slots.slotFor(each)
    if (slot !== undefined) named.push({ name: each, slot, number: false })
    else report({ path, found: `the name ${each}`, allowed: `one of ${slots.names?.join(', ')}` })
  }
  if (formats.includes('cri')) for (const each of ['time', 'stream']) name(each, ['parse'])
  for (const [index, each] of rule.fields.entries()) name(each, ['parse', 'fields', index])
  const { wanted } = slots
  if (wanted.length > MOST_SLOTS) {
    const allowed = `no more than ${MOST_SLOTS}`
    report({ path: ['parse'], found: `${wanted.length} values that are looked for`, allowed })
    return undefined
  }
  const parsers = formats.map(format => parserOf(format, wanted, message))
  const table = tableOf(parsers, wanted.length, MOST_MEMBERS)
  const shape = { slots: unique(named), message, level, traceId, spanId }
  return { table, slots: wanted.length, shape, drop: rule.else === 'drop' }
}

function unique(named: readonly SlotName[]): SlotName[] {
  return [...new Map(named.map(each => [each.slot, each])).values()]
}

function parserOf(format: FormatName, wanted: readonly Wanted[], message: number | undefined): Parser {
  const names = { kind: 'names', wanted } as const
  switch (format) {
    case 'json':
      return { kind: LAYOUT.PARSE_JSON, values: names }
    case 'logfmt':
      return { kind: LAYOUT.PARSE_PAIRS, values: names }
    case 'docker': {
      const own = wanted.map((each, slot) => (slot === message ? { ...each, names: ['log'] } : each))
      return { kind: LAYOUT.PARSE_DOCKER, values: { kind: 'names', wanted: own }, message }
    }
    case 'cri':
      return { kind: LAYOUT.PARSE_CRI, values: { kind: 'values', names: CRI_VALUES, wanted } }
  }
}
