/**
 * The text of a TOML file as plain data, with the lines of its keys. The library says no lines: keys and tables are looked
 * for where they begin a line, which is where people write them.
 */
import { parse, TomlError } from 'smol-toml'
import type { Problem } from '../config/problem.ts'

export type ReadToml =
  | {
      readonly kind: 'toml'
      readonly tree: unknown
      readonly lineOf: (path: readonly (string | number)[]) => number | undefined
    }
  | { readonly kind: 'unreadable'; readonly problems: readonly Problem[] }

export function readToml(file: string, text: string, linesBefore: number): ReadToml {
  try {
    const tree = parse(text, { maxDepth: 64 })
    const lines = linesOf(text, linesBefore)
    const lineOf = (path: readonly (string | number)[]): number | undefined => {
      for (let length = path.length; length > 0; length--) {
        const line = lines.get(JSON.stringify(path.slice(0, length)))
        if (line !== undefined) return line
      }
      return undefined
    }
    return { kind: 'toml', tree, lineOf }
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    const found = `text that is not TOML, in column ${error.column}`
    const hint = 'a variable outside of quotes is put in before it is read: write the value'
    return {
      kind: 'unreadable',
      problems: [{ file, line: error.line + linesBefore, key: '', found, allowed: 'TOML 1.0', hint }],
    }
  }
}

function linesOf(text: string, linesBefore: number): Map<string, number> {
  const lines = new Map<string, number>()
  const counts = new Map<string, number>()
  let table: (string | number)[] = []
  let quote: string | undefined
  const note = (path: readonly (string | number)[], line: number): void => {
    for (let length = 1; length <= path.length; length++) {
      const key = JSON.stringify(path.slice(0, length))
      if (!lines.has(key)) lines.set(key, line)
    }
  }
  for (const [index, written] of text.split('\n').entries()) {
    const line = index + 1 + linesBefore
    const inside = quote !== undefined
    for (const [found] of written.matchAll(/"""|'''/g)) {
      if (quote === undefined) quote = found
      else if (quote === found) quote = undefined
    }
    if (inside) continue
    const [, brackets, name] = /^\s*(\[\[?)\s*([^\]]+?)\s*\]/.exec(written) ?? []
    if (name !== undefined) {
      table = stepsOf(name)
      if (brackets === '[[') {
        const key = JSON.stringify(table)
        const count = counts.get(key) ?? 0
        counts.set(key, count + 1)
        table = [...table, count]
      }
      note(table, line)
      continue
    }
    const [, key] = /^\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*=/.exec(written) ?? []
    if (key !== undefined) note([...table, ...stepsOf(key)], line)
  }
  return lines
}

function stepsOf(name: string): string[] {
  return [...name.matchAll(/"([^"]*)"|'([^']*)'|([\w-]+)/g)].map(([, a, b, c]) => a ?? b ?? c ?? '')
}
