/**
 * Multiline rules as bytes that the kernel follows: see kernel/assembly/process/records.ts for what they mean.
 *
 * Guarantees: every expression is compiled before the first byte is read, a preset's when the program was written
 * (sets.ts); what is wrong with one is reported at its key.
 */
import { inflateRawSync } from 'node:zlib'
import { LAYOUT } from '../../kernel/module.ts'
import { compileEvery } from '../expression/compile.ts'
import { ExpressionError } from '../expression/failure.ts'
import { parse } from '../expression/parse.ts'
import type { ProcessProblem } from '../problem.ts'
import { type MultilineOptions, type MultilineRule, type PresetName, USUAL_BYTES } from './options.ts'
import { continuing, enclosed, ending, MACHINES, type Machine, PARTS, type Rule, starting } from './presets.ts'
import { SETS } from './sets.ts'

export interface MultilinePlan {
  readonly table: Uint8Array
  readonly maxLines: number
  readonly maxBytes: number
  /** Milliseconds. */
  readonly flush: number
  /** Its lines are parts of one, which are joined. */
  readonly alone?: boolean
}

interface Subject extends MultilineOptions {
  readonly maxLineBytes: number
  readonly encoding: string
}

const FLUSH = 1000
const ANY = 0xffffffff
const FLAGS: Record<Rule['step'], number> = {
  begins: 0,
  joins: LAYOUT.JOINS,
  continues: LAYOUT.JOINS | LAYOUT.CONTINUES,
  ends: LAYOUT.JOINS | LAYOUT.ENDS,
}
const HEAD = 4
const RULE = 8

type Report = (problem: ProcessProblem) => void
type Texts = string | readonly string[]

/** What is said about records of several lines, compiled; undefined: each line is one, or something was reported. */
export function compileMultiline(source: Subject, report: Report): MultilinePlan | undefined {
  const { multiline } = source
  if (multiline === undefined || multiline === 'none') return undefined
  if (Array.isArray(multiline) && multiline.every(name => name === 'none')) return undefined
  if (source.encoding !== 'utf-8') {
    const found = `multiline beside the encoding ${source.encoding}`
    report({ path: ['multiline'], found, allowed: 'records of several lines in UTF-8 only' })
    return undefined
  }
  const rule: Partial<MultilineRule> =
    typeof multiline === 'string' || Array.isArray(multiline)
      ? { preset: multiline as PresetName | PresetName[] }
      : (multiline as MultilineRule)
  const machines = machinesOf(rule, report)
  if (machines === undefined) return undefined
  const table = tableOf(machines, report)
  const maxBytes = Math.min(rule.maxBytes ?? USUAL_BYTES, source.maxLineBytes)
  return table && { table, maxLines: rule.maxLines ?? 0, maxBytes, flush: rule.flush ?? FLUSH }
}

/** Bytes of the parts of a line, at the most. */
const MOST_PARTS = 255 * 1024

/** How the parts of lines that a container runtime wrote become records again. */
export function compileParts(
  { maxLineBytes }: Pick<Subject, 'maxLineBytes'>,
  report: Report,
): MultilinePlan | undefined {
  const table = tableOf([{ machine: PARTS }], report)
  return table && { table, maxLines: 0, maxBytes: Math.min(MOST_PARTS, maxLineBytes), flush: FLUSH, alone: true }
}

/** A machine, and where its expressions stand in the configuration; for a preset's, its automaton. */
interface Placed {
  readonly machine: Machine
  readonly keys?: readonly (readonly (string | number)[])[]
  readonly set?: Uint8Array
}

function machinesOf(
  { preset, start, continue: goesOn, end }: Partial<MultilineRule>,
  report: Report,
): Placed[] | undefined {
  const given = Object.entries({ preset, start, continue: goesOn, end }).filter(([, value]) => value !== undefined)
  const names = given.map(([name]) => name).join(' and ')
  if (!['preset', 'start', 'continue', 'end', 'start and end'].includes(names)) {
    const allowed = 'one of preset, start, continue and end, or start with end'
    report({ path: ['multiline'], found: names === '' ? 'none of them' : names, allowed })
    return undefined
  }
  if (preset !== undefined) {
    const names = [...new Set(texts(preset))].filter(name => name !== 'none') as PresetName[]
    return names.map(name => ({ machine: MACHINES[name], set: setOf(name) }))
  }
  const own = (key: string, value: Texts): (string | number)[][] =>
    texts(value).map((_, index) => (typeof value === 'string' ? ['multiline', key] : ['multiline', key, index]))
  if (start !== undefined && end !== undefined) {
    return [{ machine: enclosed(texts(start), texts(end)), keys: [...own('start', start), ...own('end', end)] }]
  }
  if (start !== undefined) return [{ machine: starting(texts(start)), keys: own('start', start) }]
  if (goesOn !== undefined) return [{ machine: continuing(texts(goesOn)), keys: own('continue', goesOn) }]
  return [{ machine: ending(texts(end!)), keys: own('end', end!) }]
}

/** The automaton of a preset. */
export function setOf(name: PresetName): Uint8Array {
  return inflateRawSync(Buffer.from(SETS[name].join(''), 'base64'))
}

function texts(value: Texts): readonly string[] {
  return typeof value === 'string' ? [value] : value
}

function tableOf(machines: readonly Placed[], report: Report): Uint8Array | undefined {
  const sets: Uint8Array[] = []
  for (const { machine, keys, set: known } of machines) {
    if (known !== undefined) {
      sets.push(known)
      continue
    }
    const expressions = Object.values(machine.expressions)
    // What people write is looked for anywhere in a line, unless it begins with ^: then nothing else is looked at.
    const wrong = expressions.findIndex(text => parse(text) instanceof ExpressionError)
    const set =
      wrong >= 0
        ? (parse(expressions[wrong]!) as ExpressionError)
        : compileEvery(expressions.map(text => `(?:.*?)(?:${text})`))
    if (set instanceof ExpressionError) {
      const { index, column, message, hint } = set
      const path = keys?.[wrong >= 0 ? wrong : index] ?? ['multiline']
      const found = wrong >= 0 ? `${message} (column ${column})` : message
      report({ path, found, allowed: 'an expression in the syntax of RE2', hint })
      return undefined
    }
    sets.push(set)
  }
  const states = machines.reduce((sum, { machine }) => sum + 8 + 4 * machine.states.length, HEAD)
  const rules = machines.flatMap(({ machine }) => machine.states)
  const ruleBytes = rules.reduce((sum, state) => sum + RULE * (state.length + 1), 0)
  const from = align(states + ruleBytes)
  const table = Buffer.alloc(from + sets.reduce((sum, set) => sum + align(set.length), 0))
  table.writeUInt32LE(machines.length, 0)
  let [at, rule, setAt] = [HEAD, states, from]
  for (const [index, { machine }] of machines.entries()) {
    table.set(sets[index]!, setAt)
    table.writeUInt32LE(setAt, at)
    table.writeUInt32LE(machine.states.length, at + 4)
    setAt += align(sets[index]!.length)
    at += 8
    const names = Object.keys(machine.expressions)
    for (const state of machine.states) {
      table.writeUInt32LE(rule, at)
      at += 4
      for (const each of [...state, { on: 'any', step: 'begins', to: 0 } as const]) {
        table.writeUInt32LE(each.on === 'any' ? ANY : 1 << names.indexOf(each.on), rule)
        table.writeUInt8(each.to, rule + 4)
        table.writeUInt8(FLAGS[each.step], rule + 5)
        rule += RULE
      }
    }
  }
  return table
}

function align(bytes: number): number {
  return Math.ceil(bytes / 16) * 16
}
