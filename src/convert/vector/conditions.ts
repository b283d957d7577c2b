/**
 * Conditions in VRL, as far as they are a few comparisons: of a field with texts, and of the message with a text or an
 * expression.
 */
import { made } from '../made.ts'
import type { Setting } from '../setting.ts'
import type { SourceDraft } from '../source.ts'

/** What a condition is about; `negated`: the opposite. */
type Term = { readonly negated: boolean } & (
  | { readonly kind: 'equal'; readonly field: string; readonly values: readonly string[] }
  | { readonly kind: 'text' | 'matching'; readonly value: string }
)

/** What is to be dropped, or to be kept. */
export interface Filtering {
  readonly drop: string[]
  readonly dropMatching: string[]
  readonly keep: string[]
  readonly keepMatching: string[]
  readonly rules: Record<string, string | readonly string[]>[]
}

export const ONLY =
  'of conditions only == and != of a field with a text, and contains and match of the message are known'
const KEEPS = 'records are kept by what stands in them, not by the value of a field: filter.below goes by the level'

/** Records for which the condition does not hold are dropped; a text: why that cannot be said. */
export function keeping(condition: string): Filtering | string {
  return filtering(condition, '&&', false)
}

/** Records for which the condition holds are dropped. */
export function dropping(condition: string): Filtering | string {
  return filtering(condition, '||', true)
}

/** Each of the terms is enough to drop a record. */
function filtering(condition: string, operator: '&&' | '||', drops: boolean): Filtering | string {
  const result: Filtering = { drop: [], dropMatching: [], keep: [], keepMatching: [], rules: [] }
  for (const part of split(condition, operator)) {
    const term = termOf(part)
    if (term === undefined) return ONLY
    const drop = term.negated !== drops
    if (term.kind === 'equal') {
      if (!drop) return KEEPS
      result.rules.push({ [term.field]: term.values.length === 1 ? term.values[0]! : term.values })
    } else if (term.kind === 'text') (drop ? result.drop : result.keep).push(term.value)
    else (drop ? result.dropMatching : result.keepMatching).push(term.value)
  }
  if (result.keep.length + result.keepMatching.length > 1)
    return 'records are kept if one text or expression is in them, not if all are'
  return result
}

export function apply(filtering: Filtering, source: SourceDraft, from: Setting): undefined {
  const { drop, dropMatching, keep, keepMatching } = filtering
  if (source.parses && [drop, dropMatching, keep, keepMatching].some(each => each.length > 0)) {
    from.note('in a parsed record it is looked for in all of it, not in the message alone')
  }
  for (const each of filtering.drop) source.filter.drop.push(made(each, from))
  for (const each of filtering.dropMatching) source.filter.dropMatching.push(made(each, from))
  for (const each of filtering.keep) source.filter.keep.push(made(each, from))
  for (const each of filtering.keepMatching) source.keepMatching(each, from)
  for (const rule of filtering.rules) source.rule(Object.keys(rule)[0]!, rule, from)
}

/** The same as the filter of a backend. */
export function filterOf({ rules, ...lists }: Filtering, name: string): Record<string, unknown> {
  const named = rules.map((rule, index) => [`${name}${index === 0 ? '' : `-${index + 1}`}`, { drop: rule }])
  return {
    ...Object.fromEntries(Object.entries(lists).filter(([, list]) => list.length > 0)),
    ...(named.length > 0 ? { rules: Object.fromEntries(named) } : {}),
  }
}

/** At an operator that stands in no bracket and no text. */
function split(condition: string, operator: string): string[] {
  const parts: string[] = ['']
  let depth = 0
  for (const [piece] of condition.matchAll(/r'[^']*'|"(?:[^"\\]|\\.)*"|&&|\|\||[\s\S]/g)) {
    if (piece === '(' || piece === '[') depth++
    if (piece === ')' || piece === ']') depth--
    if (piece === operator && depth === 0) parts.push('')
    else parts[parts.length - 1] += piece
  }
  return parts.map(each => each.trim())
}

const MESSAGE = String.raw`(?:(?:string!?|to_string!?|downcase!?)\(\s*)?\.(?:message|msg|log)\s*\)?(?:\s*\?\?\s*"")?`
const FIELD = String.raw`(?:(?:string!?|to_string!?|downcase!?|upcase!?)\(\s*)?\.([\w.@"-]+?)\s*\)?(?:\s*\?\?\s*"")?`
const TEXT = String.raw`"((?:[^"\\]|\\.)*)"`

const COMPARED = new RegExp(String.raw`^${FIELD}\s*(==|!=)\s*(?:${TEXT}|(-?[\d.]+|true|false))$`)
const CONTAINS = new RegExp(
  String.raw`^contains\(\s*${MESSAGE}\s*,\s*(?:substring:\s*)?${TEXT}\s*(?:,\s*case_sensitive:\s*true\s*)?\)$`,
)
const STARTS = new RegExp(String.raw`^starts_with\(\s*${MESSAGE}\s*,\s*${TEXT}\s*\)$`)
const MATCH = new RegExp(String.raw`^match!?\(\s*${MESSAGE}\s*,\s*(?:pattern:\s*)?r'([^']*)'\s*\)$`)
const INCLUDES = new RegExp(String.raw`^includes!?\(\s*\[([^\]]*)\]\s*,\s*${FIELD}\s*\)$`)

function termOf(written: string): Term | undefined {
  let negated = false
  let text = written.trim()
  for (;;) {
    if (text.startsWith('!')) {
      negated = !negated
      text = text.slice(1).trim()
    } else if (
      /^\([^()]*\)$/.test(text) ||
      (text.startsWith('(') && text.endsWith(')') && balanced(text.slice(1, -1)))
    ) {
      text = text.slice(1, -1).trim()
    } else break
  }
  const [, field, sign, value, plain] = COMPARED.exec(text) ?? []
  if (field !== undefined) {
    const values = [value === undefined ? plain! : unescaped(value)]
    return { kind: 'equal', field: field.replaceAll('"', ''), values, negated: negated !== (sign === '!=') }
  }
  const [, list, of] = INCLUDES.exec(text) ?? []
  if (list !== undefined) {
    const values = [...list.matchAll(new RegExp(TEXT, 'g'))].map(([, each]) => unescaped(each!))
    return values.length === 0 ? undefined : { kind: 'equal', field: of!, values, negated }
  }
  const contained = CONTAINS.exec(text)?.[1]
  if (contained !== undefined) return { kind: 'text', value: unescaped(contained), negated }
  const matched = MATCH.exec(text)?.[1]
  if (matched !== undefined) return { kind: 'matching', value: matched, negated }
  const start = STARTS.exec(text)?.[1]
  if (start !== undefined)
    return { kind: 'matching', value: `^${unescaped(start).replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')}`, negated }
  return undefined
}

function balanced(text: string): boolean {
  let depth = 0
  for (const sign of text) {
    if (sign === '(') depth++
    if (sign === ')' && --depth < 0) return false
  }
  return depth === 0
}

export function unescaped(text: string): string {
  return text.replaceAll(/\\(.)/g, (_, sign: string) => ({ n: '\n', t: '\t', r: '\r' })[sign] ?? sign)
}
