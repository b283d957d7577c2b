/** Conditions of Filebeat by which records are dropped, as filters of a source. */
import { made } from '../made.ts'
import type { Setting } from '../setting.ts'
import type { SourceDraft } from '../source.ts'
import { dottedPairs } from './dotted.ts'

const ONLY =
  'records are dropped by equals, contains and regexp, by or, and of those by and, and kept by not of one for the message'

/** One condition: about the text of a record, or the value of a field. */
type Single =
  | { readonly kind: 'text' | 'matching'; readonly value: string; readonly from: Setting }
  | { readonly kind: 'equal'; readonly field: string; readonly value: string; readonly from: Setting }

export function conditions(when: Setting, source: SourceDraft): undefined {
  for (const name of when.names()) {
    const body = when.at(name)!
    switch (name) {
      case 'or':
        for (const each of body.items()) conditions(each, source)
        break
      case 'and': {
        const all = body.items().flatMap(each => singles(each, source) ?? [])
        if (all.length !== body.items().length) body.lose(ONLY)
        else together(all, body, source)
        break
      }
      case 'not': {
        const [single, ...more] = singles(body, source) ?? []
        if (single === undefined || more.length > 0 || single.kind === 'equal') body.lose(ONLY)
        else if (single.kind === 'matching') source.keepMatching(single.value, single.from, body)
        else source.filter.keep.push(made(single.value, single.from))
        break
      }
      default: {
        const all = singles(when, source)
        if (all === undefined) body.lose(ONLY)
        else if (all.length > 1) together(all, body, source)
        else if (all[0] !== undefined) alone(all[0], source)
        return
      }
    }
  }
}

function alone(single: Single, source: SourceDraft): undefined {
  switch (single.kind) {
    case 'text':
      source.filter.drop.push(made(single.value, single.from))
      return
    case 'matching':
      source.filter.dropMatching.push(made(single.value, single.from))
      return
    case 'equal':
      source.rule(single.field, { [single.field]: single.value }, single.from)
  }
}

function together(all: readonly Single[], from: Setting, source: SourceDraft): undefined {
  const rule: Record<string, unknown> = {}
  for (const each of all) {
    const key = each.kind === 'equal' ? each.field : each.kind
    if (rule[key] !== undefined)
      return from.lose('a rule has one text, one expression, and one condition for each field')
    rule[key] = each.value
  }
  source.rule('drop_event', rule, from)
}

/** `equals`, `contains`, `regexp`; `undefined`: something else. */
function singles(condition: Setting, source: SourceDraft): Single[] | undefined {
  const found: Single[] = []
  for (const name of condition.names()) {
    for (const [field, from] of dottedPairs(condition.at(name))) {
      const value = from.raw()
      if (value === undefined || !['equals', 'contains', 'regexp'].includes(name)) return undefined
      const ofMessage = field === 'message' || field === 'json.message' || field === 'log'
      if (name === 'equals') {
        const plain = field.replace(/^json\./, '')
        if (!ofMessage) found.push({ kind: 'equal', field: plain, value, from })
        else found.push({ kind: 'matching', value: `^${value.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`, from })
      } else if (!ofMessage) return undefined
      else {
        if (source.parses) from.note('in a parsed record it is looked for in all of it, not in the message alone')
        found.push({ kind: name === 'contains' ? 'text' : 'matching', value, from })
      }
    }
  }
  return found
}
