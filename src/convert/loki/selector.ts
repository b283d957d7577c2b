/** Selectors of Loki’s query language, as far as it is known beforehand which records of a source they select. */
import { refers } from '../references.ts'
import type { SourceDraft } from '../source.ts'

export type Selected =
  | { readonly kind: 'always' | 'never' }
  /** Those with these texts, or of which all conditions of a rule hold. */
  | {
      readonly kind: 'lines'
      readonly drop: readonly string[]
      readonly dropMatching: readonly string[]
      readonly rule?: Readonly<Record<string, unknown>>
    }
  | { readonly kind: 'unknown'; readonly why: string }

const MATCHER = /^\s*([\w.]+)\s*(=~|!~|!=|=)\s*("(?:[^"\\]|\\.)*"|`[^`]*`)\s*,?/
const FILTER = /^\s*(\|=|\|~|!=|!~)\s*("(?:[^"\\]|\\.)*"|`[^`]*`)/

export function selects(selector: string, source: SourceDraft): Selected {
  const [, matchers, filters = ''] = /^\s*\{([^}]*)\}([\s\S]*)$/.exec(selector) ?? []
  if (matchers === undefined) return { kind: 'unknown', why: 'it is no selector' }
  const rule: Record<string, unknown> = {}
  for (let rest = matchers.trim(); rest !== ''; ) {
    const [all, name, sign, written] = MATCHER.exec(rest) ?? []
    if (all === undefined) return { kind: 'unknown', why: 'its labels cannot be read' }
    rest = rest.slice(all.length).trim()
    const value = unquoted(written!)
    const label = source.labels[name!]?.value
    if (typeof label === 'string' && !refers(label)) {
      if (!holds(sign!, label, value)) return { kind: 'never' }
    } else if (sign === '=' && source.parses) rule[name!] = value
    else return { kind: 'unknown', why: `which records have the label ${name} is known of each record only` }
  }
  const drop: string[] = []
  const dropMatching: string[] = []
  for (let rest = filters.trim(); rest !== ''; ) {
    const [all, sign, written] = FILTER.exec(rest) ?? []
    if (all === undefined || sign === '!=' || sign === '!~') {
      return {
        kind: 'unknown',
        why: 'of the query only lines that hold a text (|=) or match an expression (|~) can be told',
      }
    }
    rest = rest.slice(all.length).trim()
    if (sign === '|=') drop.push(unquoted(written!))
    else dropMatching.push(unquoted(written!))
  }
  const texts = drop.length + dropMatching.length
  if (Object.keys(rule).length > 0) {
    if (texts > 1) return { kind: 'unknown', why: 'a rule has one text and one expression' }
    const [text] = drop
    const [matching] = dropMatching
    const more = { ...(text === undefined ? {} : { text }), ...(matching === undefined ? {} : { matching }) }
    return { kind: 'lines', drop: [], dropMatching: [], rule: { ...rule, ...more } }
  }
  if (texts === 0) return { kind: 'always' }
  // All of them must hold; of a list one is enough.
  if (texts > 1) {
    if (drop.length > 1 || dropMatching.length > 1)
      return { kind: 'unknown', why: 'a rule has one text and one expression' }
    return { kind: 'lines', drop: [], dropMatching: [], rule: { text: drop[0], matching: dropMatching[0] } }
  }
  return { kind: 'lines', drop, dropMatching }
}

function holds(sign: string, label: string, value: string): boolean {
  switch (sign) {
    case '=':
      return label === value
    case '!=':
      return label !== value
    default: {
      let matches = false
      try {
        matches = new RegExp(`^(?:${value})$`).test(label)
      } catch {
        // An expression of another engine selects nothing here.
      }
      return sign === '=~' ? matches : !matches
    }
  }
}

function unquoted(written: string): string {
  if (written.startsWith('`')) return written.slice(1, -1)
  return written.slice(1, -1).replaceAll(/\\(.)/g, '$1')
}
