/**
 * What is said about the format of records, compiled: first which parsers there are (`parsingOf`), then, when all parts of
 * the source have asked for their values (slots.ts), the table that the kernel follows (`compileParse`).
 *
 * Guarantees: what cannot be found is reported at its key before the first byte is read.
 */
import type { RecordShape, SlotName } from '../../chunk.ts'
import { LAYOUT } from '../../kernel/module.ts'
import { ExpressionError } from '../expression/failure.ts'
import { CAPTURE_ROOM } from '../expression/layout.ts'
import { type Captures, compileCaptures } from '../expression/program.ts'
import type { ProcessProblem } from '../problem.ts'
import { EXPRESSION_FORMATS } from './formats.ts'
import { LEVEL_NAMES, MESSAGE_NAMES, SPAN_ID_NAMES, TRACE_ID_NAMES } from './names.ts'
import type { FormatName, ParseOptions, ParseRule } from './options.ts'
import { type Known, MOST_SLOTS, Slots, type Wanted } from './slots.ts'
import { type Parser, tableOf } from './table.ts'

/** Members of a record, at all depths together: with more it is sent as its message. */
export const MOST_MEMBERS = 1000

export interface ParsePlan {
  readonly table: Uint8Array
  readonly slots: number
  /** Bytes of room for what expressions find. */
  readonly room: number
  /** What is found; the time and level of a record are for others to say. */
  readonly shape: Omit<RecordShape, 'timed' | 'levelled'>
  /** A record that no parser takes is dropped. */
  readonly drop: boolean
  /** The parsers in the order in which they are tried, by what the configuration calls them. */
  readonly parsers: readonly SingleParser[]
}

/** One parser by itself: a record is taken by the first that takes it so. */
export interface SingleParser {
  /** `nginx`, `match`, `match[1]`. */
  readonly name: string
  /** A table of this one only. */
  table(): Uint8Array
}

/** What a source says about its records, before it is known what the other parts look for in them. */
export interface Parsing {
  readonly slots: Slots
  readonly rule: Pick<ParseRule, 'types' | 'fields' | 'else'>
  readonly parts: readonly Part[]
}

type Part = { readonly name: string } & Kinds
type Kinds =
  | { readonly kind: 'json' | 'logfmt' | 'docker' | 'cri' }
  | { readonly kind: 'access'; readonly apache: boolean }
  | { readonly kind: 'expression'; readonly captures: Captures; readonly numbers: readonly string[] }
type Report = (problem: ProcessProblem) => void
type Path = readonly (string | number)[]

/** Values that kernel/assembly/process/envelope.ts and access.ts find, in their order. */
const CRI_VALUES = ['time', 'stream', 'logtag', 'message']
const ACCESS_VALUES = [
  ...['host', 'client', 'user', 'time', 'method', 'path', 'query', 'protocol', 'request', 'status', 'bytes'],
  ...['referer', 'agent', 'forwarded', 'rest'],
]
const ACCESS_NUMBERS = ['status', 'bytes']
const DOCKER_VALUES = ['log', 'stream', 'time', 'attrs']
/** In a record of several lines a dot is any character: what `.*` leaves out would not be sent. */
const EVERY_LINE = '(?s)'
/** All that follows, as a value. It ends where the record does: said so, its bytes need not be looked at one by one. */
const REST = /\(\?P?<\w+>\.\*\)$/
const NOT_EVERY_LINE = /\(\?\w*-\w*s/

/** What the records of a source may be; undefined: nothing is looked for in them, or something was reported. */
export function parsingOf({ parse }: ParseOptions, report: Report): Parsing | undefined {
  if (parse === undefined || parse === 'none') return undefined
  const rule: ParseRule =
    typeof parse === 'string' || Array.isArray(parse)
      ? { format: parse as FormatName | FormatName[], types: {}, fields: [], else: 'keep' }
      : (parse as ParseRule)
  const { format = [], match = [] } = rule
  const parts = [
    ...[...new Set([format].flat())].flatMap(each => formatOf(each, report)),
    ...[match].flat().map((text, index) => {
      const alone = typeof match === 'string'
      const path = alone ? ['parse', 'match'] : ['parse', 'match', index]
      return expressionOf(text, { name: alone ? 'match' : `match[${index}]`, path, numbers: [] }, report)
    }),
  ]
  if (parts.length === 0) {
    report({ path: ['parse'], found: 'neither of them', allowed: 'a map with format or match' })
  }
  const all = parts.filter(part => part !== undefined)
  if (all.length === 0 || all.length < parts.length) return undefined
  return { slots: new Slots(knownOf(all)), rule, parts: all }
}

function formatOf(format: FormatName, report: Report): (Part | undefined)[] {
  switch (format) {
    case 'json':
    case 'logfmt':
    case 'docker':
    case 'cri':
      return [{ name: format, kind: format }]
    case 'nginx':
    case 'apache':
      return [{ name: format, kind: 'access', apache: format === 'apache' }, ...expressionsOf(format, report)]
    case 'klog':
    case 'syslog':
      return expressionsOf(format, report)
  }
}

function expressionsOf(format: keyof typeof EXPRESSION_FORMATS, report: Report): (Part | undefined)[] {
  const { expressions, numbers } = EXPRESSION_FORMATS[format]
  return expressions.map(text => expressionOf(text, { name: format, path: ['parse'], numbers }, report))
}

/** Where an expression stands, and which of its groups are numbers. */
interface Placed {
  readonly name: string
  readonly path: Path
  readonly numbers: readonly string[]
}

function expressionOf(text: string, { name, path, numbers }: Placed, report: Report): Part | undefined {
  const end = REST.test(text) && !NOT_EVERY_LINE.test(text) ? '$' : ''
  const captures = compileCaptures(EVERY_LINE + text + end)
  if (captures instanceof ExpressionError) {
    const column = Math.max(1, captures.column - EVERY_LINE.length)
    const found = `an expression, at character ${column}: ${captures.message}`
    report({ path, found, allowed: 'an expression in RE2 syntax with named groups', hint: captures.hint })
    return undefined
  }
  if (captures.groups.some(name => name !== '')) return { name, kind: 'expression', captures, numbers }
  const allowed = 'an expression in RE2 syntax with named groups'
  report({ path, found: 'an expression without a named group', allowed, hint: 'a group is named so: (?P<name>…)' })
  return undefined
}

function namesOf(part: Part): Known {
  switch (part.kind) {
    case 'json':
    case 'logfmt':
      return 'any'
    case 'docker':
      return DOCKER_VALUES
    case 'cri':
      return CRI_VALUES
    case 'access':
      return ACCESS_VALUES
    case 'expression':
      return part.captures.groups.filter(name => name !== '')
  }
}

function knownOf(parts: readonly Part[]): Known {
  const names: string[] = []
  for (const part of parts) {
    const known = namesOf(part)
    if (known === 'any') return 'any'
    names.push(...known)
  }
  return [...new Set(names)]
}

/** Compiles what is looked for: after all parts of a source have asked for their values. */
export function compileParse({ slots, rule, parts }: Parsing, report: Report): ParsePlan | undefined {
  const message = slots.slotFor(MESSAGE_NAMES, 'text')
  const level = slots.slotFor(LEVEL_NAMES, 'scalar')
  const traceId = slots.slotFor(TRACE_ID_NAMES, 'text')
  const spanId = slots.slotFor(SPAN_ID_NAMES, 'text')
  const named = namedValues({ slots, rule, parts }, report)
  const { wanted } = slots
  if (wanted.length > MOST_SLOTS) {
    const allowed = `no more than ${MOST_SLOTS}`
    report({ path: ['parse'], found: `${wanted.length} values that are looked for`, allowed })
    return undefined
  }
  const parsers = parts.map(part => parserOf(part, wanted, message))
  const table = tableOf(parsers, wanted.length, MOST_MEMBERS)
  const room = parts.some(({ kind }) => kind === 'expression') ? CAPTURE_ROOM : 0
  const shape = { slots: named, message, level, traceId, spanId }
  const single = parts.map(
    ({ name }, index): SingleParser => ({
      name,
      table: () => tableOf(parsers.slice(index, index + 1), wanted.length, MOST_MEMBERS),
    }),
  )
  return { table, slots: wanted.length, room, shape, drop: rule.else === 'drop', parsers: single }
}

/** Values that are sent under their names: all that expressions find, and those that are asked for. */
function namedValues({ slots, rule, parts }: Parsing, report: Report): SlotName[] {
  const { types, fields } = rule
  const numbers = new Set(Object.entries(types).flatMap(([name, type]) => (type === 'number' ? [name] : [])))
  const named = new Map<string, SlotName>()
  const add = (name: string, path: Path) => {
    const slot = slots.slotFor(name)
    if (slot !== undefined) named.set(name, { name, slot, number: numbers.has(name) })
    else report({ path, found: name, allowed: `one of ${slots.names?.join(', ')}` })
  }
  for (const part of parts) {
    for (const name of numbersOf(part)) if (types[name] === undefined) numbers.add(name)
    if (part.kind === 'cri') for (const name of ['time', 'stream']) add(name, ['parse'])
    if (part.kind === 'access') for (const name of accessNames(part)) add(name, ['parse'])
    if (part.kind === 'expression') for (const name of namesOf(part)) add(name, ['parse'])
  }
  for (const name of Object.keys(types)) add(name, ['parse', 'types', name])
  for (const [index, name] of fields.entries()) add(name, ['parse', 'fields', index])
  return [...named.values()]
}

/** Only Apache writes hosts before its lines; only nginx addresses behind them. */
function accessNames({ apache }: Part & { kind: 'access' }): readonly string[] {
  return ACCESS_VALUES.filter(name => name !== (apache ? 'forwarded' : 'host'))
}

function numbersOf(part: Part): readonly string[] {
  if (part.kind === 'access') return ACCESS_NUMBERS
  return part.kind === 'expression' ? part.numbers : []
}

function parserOf(part: Part, wanted: readonly Wanted[], message: number | undefined): Parser {
  const names = { kind: 'names', wanted } as const
  switch (part.kind) {
    case 'json':
      return { kind: LAYOUT.PARSE_JSON, values: names }
    case 'logfmt':
      return { kind: LAYOUT.PARSE_PAIRS, values: names }
    case 'docker': {
      const own = wanted.map((each, slot) => (slot === message ? { ...each, names: ['log'] } : each))
      return { kind: LAYOUT.PARSE_DOCKER, values: { kind: 'names', wanted: own }, detail: message }
    }
    case 'cri':
      return { kind: LAYOUT.PARSE_CRI, values: { kind: 'values', names: CRI_VALUES, wanted } }
    case 'access': {
      const values = { kind: 'values', names: ACCESS_VALUES, wanted } as const
      return { kind: LAYOUT.PARSE_ACCESS, values, detail: Number(part.apache) }
    }
    case 'expression': {
      const { groups, program } = part.captures
      return { kind: LAYOUT.PARSE_EXPRESSION, values: { kind: 'values', names: groups, wanted }, set: program }
    }
  }
}
