/**
 * Filters as bytes that the kernel follows: kernel/assembly/process/select.ts draws them.
 *
 * Guarantees: every expression is compiled before the first byte is read; what is wrong is reported at its key; each rule
 * has a reason of its own, whose name comes from the configuration.
 */
import { LAYOUT } from '../../kernel/module.ts'
import { compileEvery } from '../expression/compile.ts'
import { ExpressionError } from '../expression/failure.ts'
import { compileSearch } from '../expression/search.ts'
import type { Slots } from '../parse/slots.ts'
import type { ProcessProblem } from '../problem.ts'
import { type FilterOptions, type LevelName, SEVERITIES } from './options.ts'
import { type Sought, textsOf } from './texts.ts'

export type Report = (problem: ProcessProblem) => void
type Key = readonly (string | number)[]
type Texts = string | readonly string[]
type Scalar = string | number | boolean

/** One condition: its kind, three numbers, or bytes that stand elsewhere in the table. */
interface Condition {
  readonly kind: number
  readonly a?: number
  readonly b?: number
  readonly bytes?: Uint8Array
  readonly not?: boolean
}

interface Rule {
  readonly reason: string
  readonly conditions: readonly Condition[]
}

/** Bits of the texts that were found, in the column. */
const FIRST_BIT = 8
const MOST_BITS = 24
/** Expressions of one table. */
const MOST_TOGETHER = 16

const HEAD = 8
const RULE = 8
const CONDITION = 16

/** Before an expression that may match anywhere: a record of several lines holds line feeds. */
const ANYWHERE = '(?s:.*?)'

/** What is being put together. */
interface Making {
  readonly rules: Rule[]
  readonly sought: Sought[]
  readonly report: Report
  bits: number
}

export interface CompiledFilter {
  /** The table for verdicts that begin behind `base`. */
  readonly table: Uint8Array
  readonly reasons: readonly string[]
}

/** The fields that a filter names. */
export function fieldsOf({ rules = {} }: FilterOptions): string[] {
  return Object.values(rules).flatMap(({ drop }) => Object.keys(drop).filter(name => !isOwn(name)))
}

const isOwn = (condition: string): boolean => ['below', 'text', 'matching'].includes(condition)

/**
 * Compiles a filter; `slots` of the values of its source's records, if they are parsed; `reasonsBefore`: how many reasons
 * have a number already. Undefined if something was reported.
 */
export function compileFilter(
  filter: FilterOptions,
  slots: Slots | undefined,
  unparsed: boolean,
  reasonsBefore: number,
  report: Report,
): CompiledFilter | undefined {
  let failed = false
  const making: Making = {
    rules: [],
    sought: [],
    bits: 0,
    report: problem => {
      failed = true
      report(problem)
    },
  }
  const { below, drop, dropMatching, keep, keepMatching, rules = {} } = filter
  const { rules: all } = making
  if (unparsed) all.push({ reason: 'unparsed', conditions: [{ kind: LAYOUT.FLAGS, a: LAYOUT.UNPARSED }] })
  if (below) all.push({ reason: 'filter:below', conditions: [belowOf(below)] })
  if (drop) all.push({ reason: 'filter:drop', conditions: [textsIn(making, drop, ['drop'])] })
  if (keep || keepMatching) {
    // What one of them holds for is kept.
    const texts = keep ? [textsIn(making, keep, ['keep'])] : []
    const matches = keepMatching ? matchesIn(making, keepMatching, ['keepMatching']) : []
    all.push({ reason: 'filter:keep', conditions: [...texts, ...matches].map(each => ({ ...each, not: true })) })
  }
  for (const [name, { drop: conditions }] of Object.entries(rules)) {
    const made = Object.entries(conditions).flatMap(([key, value]) =>
      conditionsOf(making, slots, key, value, ['rules', name, 'drop', key]),
    )
    all.push(...alternatives(made).map(conditions => ({ reason: `filter:${name}`, conditions })))
  }
  for (const condition of dropMatching ? matchesIn(making, dropMatching, ['dropMatching']) : []) {
    all.push({ reason: 'filter:drop', conditions: [condition] })
  }
  if (failed) return undefined
  const reasons = [...new Set(all.map(({ reason }) => reason))]
  return { table: tableOf(making, reasons, reasonsBefore), reasons }
}

const belowOf = (level: LevelName): Condition => ({ kind: LAYOUT.BELOW, a: SEVERITIES[level] })

/** Conditions of which one must hold are several rules: of more than 16 expressions, two tables. */
function alternatives(all: readonly (readonly Condition[])[]): Condition[][] {
  return all.reduce<Condition[][]>(
    (rules, choices) => rules.flatMap(conditions => choices.map(choice => [...conditions, choice])),
    [[]],
  )
}

/** What a member of a rule says: conditions of which one must hold. */
function conditionsOf(
  making: Making,
  slots: Slots | undefined,
  key: string,
  value: Scalar | readonly Scalar[],
  path: Key,
): Condition[][] {
  const values = [value].flat() as Scalar[]
  const texts = values.map(String)
  switch (key) {
    case 'below': {
      const [level] = texts
      if (texts.length === 1 && level !== undefined && Object.hasOwn(SEVERITIES, level)) {
        return [[belowOf(level as LevelName)]]
      }
      making.report({ path: at(path), found: JSON.stringify(value), allowed: Object.keys(SEVERITIES).join(', ') })
      return []
    }
    case 'text':
    case 'matching':
      if (texts.some(text => text === '')) {
        making.report({ path: at(path), found: 'an empty text', allowed: 'texts that are not empty' })
        return []
      }
      return [key === 'text' ? [textsIn(making, texts, path)] : matchesIn(making, texts, path)]
  }
  const slot = slots?.slotFor(key)
  if (slot !== undefined) return [[{ kind: LAYOUT.EQUALS, a: slot, bytes: valuesOf(values) }]]
  const found = slots === undefined ? `the field ${key} of records that are not parsed` : `the unknown field ${key}`
  const names = slots?.names ?? []
  making.report({
    path: at(path),
    found,
    allowed: ['below', 'text', 'matching', ...names].join(', '),
    hint: slots === undefined ? 'parse says how fields are found in a record' : undefined,
  })
  return []
}

const at = (path: Key): Key => ['filter', ...path]

/** A condition for these texts: one bit for all of them. */
function textsIn(making: Making, texts: Texts, path: Key): Condition {
  const bit = 1 << (FIRST_BIT + making.bits)
  if (making.bits === MOST_BITS) {
    const allowed = `at most ${MOST_BITS} lists of texts in a filter`
    making.report({ path: at(path), found: 'one list of texts more', allowed })
  } else making.bits++
  making.sought.push(...[texts].flat().map(text => ({ text: Buffer.from(text), bit })))
  return { kind: LAYOUT.TEXTS, a: bit >>> 0 }
}

/**
 * Conditions for these expressions, of which one must hold. An expression of which every match has some bytes is searched
 * for by those; the others (`^\s*$`) are followed from the first byte on, several of them at once.
 */
function matchesIn(making: Making, expressions: Texts, path: Key): Condition[] {
  const all = [expressions].flat()
  const conditions: Condition[] = []
  const others: { readonly text: string; readonly index: number }[] = []
  const wrong = ({ message, hint, column }: ExpressionError, index: number, known: boolean): void => {
    making.report({
      path: at(typeof expressions === 'string' ? path : [...path, index]),
      found: known ? `${message}, column ${column}` : message,
      allowed: 'an expression in the syntax of RE2',
      hint,
    })
  }
  for (const [index, text] of all.entries()) {
    const search = compileSearch(text)
    if (search instanceof ExpressionError) wrong(search, index, search.code !== 'limit')
    else if (search.analysis.kind === 'everywhere') others.push({ text, index })
    else conditions.push({ kind: LAYOUT.SEARCHES, bytes: search.program })
  }
  for (let from = 0; from < others.length; from += MOST_TOGETHER) {
    const some = others.slice(from, from + MOST_TOGETHER)
    const set = compileEvery(some.map(({ text }) => `${ANYWHERE}(?:${text})`))
    if (set instanceof ExpressionError) wrong(set, some[set.index]!.index, false)
    else conditions.push({ kind: LAYOUT.MATCHES, b: 2 ** some.length - 1, bytes: set })
  }
  return conditions
}

/** Values as they may stand in a record: as they are, and as texts in JSON. */
function valuesOf(values: readonly Scalar[]): Uint8Array {
  const written = [...new Set(values.flatMap(value => [String(value), JSON.stringify(String(value))]))]
  const bytes = written.map(text => Buffer.from(text))
  const list = Buffer.alloc(bytes.reduce((sum, { length }) => sum + length, 4 + 8 * bytes.length))
  list.writeUInt32LE(bytes.length, 0)
  let from = 4 + 8 * bytes.length
  for (const [index, value] of bytes.entries()) {
    list.writeUInt32LE(from, 4 + 8 * index)
    list.writeUInt32LE(value.length, 8 + 8 * index)
    list.set(value, from)
    from += value.length
  }
  return list
}

function tableOf({ rules, sought }: Making, reasons: readonly string[], reasonsBefore: number): Uint8Array {
  // What is dropped for a text is so whatever other texts it holds: nothing that asks for texts comes before that.
  const decisive = rules.find(({ conditions: [only, ...others] }) => only!.kind === LAYOUT.TEXTS && others.length === 0)
  const enough = decisive && !decisive.conditions[0]!.not ? decisive.conditions[0]!.a! : 0
  const texts = sought.length > 0 ? textsOf(sought, enough) : undefined
  const head = rules.reduce((sum, { conditions }) => sum + RULE + CONDITION * conditions.length, HEAD)
  const parts: { readonly at: number; readonly bytes: Uint8Array }[] = []
  let end = align(head)
  const place = (bytes: Uint8Array): number => {
    const at = end
    parts.push({ at, bytes })
    end = align(end + bytes.length)
    return at
  }
  const numbers = new Map<number, number>()
  numbers.set(0, rules.length)
  numbers.set(4, texts ? place(texts) : 0)
  let cursor = HEAD
  for (const { reason, conditions } of rules) {
    numbers.set(cursor, 1 + reasonsBefore + reasons.indexOf(reason))
    numbers.set(cursor + 4, conditions.length)
    cursor += RULE
    for (const { kind, a = 0, b = 0, bytes, not = false } of conditions) {
      numbers.set(cursor, kind | (not ? LAYOUT.NOT : 0))
      const at = bytes ? place(bytes) : 0
      numbers.set(cursor + 4, kind === LAYOUT.MATCHES || kind === LAYOUT.SEARCHES ? at : a)
      numbers.set(cursor + 8, kind === LAYOUT.EQUALS ? at : b)
      cursor += CONDITION
    }
  }
  const table = Buffer.alloc(end)
  for (const [at, number] of numbers) table.writeUInt32LE(number, at)
  for (const { at, bytes } of parts) table.set(bytes, at)
  return table
}

function align(bytes: number): number {
  return Math.ceil(bytes / 16) * 16
}
