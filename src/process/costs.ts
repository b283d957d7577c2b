/** The expressions that a person wrote about records: where each stands, and what it costs to look for it. */
import { type Cost, costOf, type Use } from './expression/cost.ts'
import type { BackendProcessOptions, ProcessOptions } from './options.ts'

type Key = readonly (string | number)[]

export interface ExpressionCost {
  /** Its key, from the source or the backend on. */
  readonly path: Key
  readonly expression: string
  readonly cost: Cost
}

/** Those of a source or a backend. */
export function costsOf(options: ProcessOptions & BackendProcessOptions): ExpressionCost[] {
  const { multiline, redact, parse, filter } = options
  const all: ExpressionCost[] = []
  const add = (path: Key, value: unknown, use: Use): void => {
    const alone = typeof value === 'string'
    for (const [index, expression] of [value ?? []].flat().entries()) {
      const cost = typeof expression === 'string' ? costOf(expression, use) : undefined
      if (cost !== undefined) all.push({ path: alone ? path : [...path, index], expression: String(expression), cost })
    }
  }
  if (isMap(multiline)) {
    for (const key of ['start', 'continue', 'end'] as const) add(['multiline', key], multiline[key], 'lines')
  }
  if (isMap(redact)) {
    for (const [name, expressions] of Object.entries(redact.match ?? {}))
      add(['redact', 'match', name], expressions, 'search')
  }
  if (isMap(parse)) add(['parse', 'match'], parse.match, 'captures')
  if (isMap(filter)) {
    for (const key of ['dropMatching', 'keepMatching'] as const) add(['filter', key], filter[key], 'search')
    for (const [name, { drop }] of Object.entries(filter.rules ?? {})) {
      add(['filter', 'rules', name, 'drop', 'matching'], drop['matching'], 'search')
    }
  }
  return all
}

function isMap<Value>(value: Value): value is Exclude<Value, string | number | undefined | readonly unknown[]> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
