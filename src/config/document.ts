/**
 * A configuration file's text as a tree of plain values, with the line of every key. The YAML library is loaded when
 * there is a file to read.
 *
 * YAML 1.2, so `yes`, `no` and `on` are texts; JSON is a part of it. One document whose top is a map. How much it may
 * hold is bounded before it is parsed (`outline.ts`). Syntax errors are said in our own words (`mistakes.ts`).
 */
import type { Document, LineCounter, Node, Pair, Scalar, YAMLError, YAMLMap, YAMLSeq } from 'yaml'
import { DEEPEST, TOO_FAR, type Words, wordsFor } from './mistakes.ts'
import { MOST_VALUES, type Outline, outline } from './outline.ts'
import type { KeyPath, Problem } from './problem.ts'

/** A map of the tree. It has no prototype, so that no key of a file can mean anything to JavaScript. */
export type Tree = Record<string, unknown>

export type Parsed =
  | { readonly kind: 'parsed'; readonly tree: Tree; readonly lineOf: (path: KeyPath) => KeyLocation | undefined }
  /** Nothing but white space and comments. */
  | { readonly kind: 'empty' }
  | { readonly kind: 'invalid'; readonly problems: readonly Problem[] }

/** The line of the deepest part of a path that the file has, and how many steps of the path that is. */
export interface KeyLocation {
  readonly line: number
  readonly depth: number
}

export async function parseDocument(file: string, text: string): Promise<Parsed> {
  const yaml = await import('yaml')
  const problem = (line: number | undefined, [found, allowed]: Words): Parsed => ({
    kind: 'invalid',
    problems: [{ file, line, key: '', found, allowed }],
  })
  const look = outline(yaml, text)
  if (look.kind === 'exceeds') return problem(lineAt(text, look.offset), look.words)
  const lines = new yaml.LineCounter()
  const document = yaml.parseDocument(text, { lineCounter: lines, prettyErrors: false, merge: true, logLevel: 'error' })

  const mistakes = [...document.errors, ...document.warnings]
  if (mistakes.length > 0) {
    const problems = new Map<string, Problem>()
    const places = new Set<number>()
    for (const mistake of mistakes) {
      // Two things that are said of one place are one mistake, and one slip often upsets the lines behind it.
      if (places.has(mistake.pos[0]) || problems.size === 5) continue
      places.add(mistake.pos[0])
      const [line, [found, allowed]] = told(text, look, mistake)
      problems.set(`${line} ${found}`, { file, line, key: '', found, allowed })
    }
    return { kind: 'invalid', problems: [...problems.values()] }
  }
  if (document.contents === null) return { kind: 'empty' }
  if (!yaml.isMap(document.contents)) {
    const found = yaml.isSeq(document.contents) ? 'a list at the top' : 'a single value at the top'
    return problem(1, [found, 'a map with the keys sources, backends and so on'])
  }
  let value: unknown
  try {
    value = document.toJS({ maxAliasCount: 100 })
  } catch (error) {
    if (error instanceof ReferenceError && error.message.startsWith('Excessive'))
      return problem(undefined, ['aliases that multiply', 'at most 100 values by alias'])
    const found = 'a text that begins with * (an alias without its anchor)'
    return problem(unresolved(yaml, document, text), [
      found,
      'an anchor (&name) before its alias, or the text in quotes',
    ])
  }
  const tree = copy(value, { deepest: DEEPEST, most: MOST_VALUES })
  if (tree === TOO_DEEP) return problem(undefined, ['values nested too deeply', `at most ${DEEPEST} levels`])
  if (tree === TOO_MANY) return problem(undefined, ['too many keys and values', `at most ${MOST_VALUES} of them`])
  return { kind: 'parsed', tree: tree as Tree, lineOf: path => place(yaml, document, lines, path) }
}

/** The line and the words of a mistake. What is not closed is reported where it was opened. */
function told(text: string, look: Extract<Outline, { kind: 'fits' }>, mistake: YAMLError): [number, Words] {
  const words = wordsFor(mistake)
  const [found] = words
  const { open = mistake.pos[0], quote = mistake.pos[0] } = look
  if (/^a [[{] that is not closed/.test(found)) return [lineAt(text, open), words]
  if (found.startsWith('a quote that is not closed')) return [lineAt(text, quote), words]
  const line = lineAt(text, mistake.pos[0])
  if (mistake.code !== 'BLOCK_AS_IMPLICIT_KEY') return [line, words]
  // A value that goes on in the next line, which has a colon of its own.
  const colons = text.split('\n')[line - 1]?.match(/:(?=\s|$)/g)?.length ?? 0
  return colons > 1 ? [line, words] : [line + 1, TOO_FAR]
}

/** Counted from 1. What is behind the last line is a mistake of the last line. */
function lineAt(text: string, offset: number): number {
  const end = Math.min(offset, text.trimEnd().length)
  let line = 1
  for (let at = text.indexOf('\n'); at !== -1 && at < end; at = text.indexOf('\n', at + 1)) line++
  return line
}

function unresolved(yaml: typeof import('yaml'), document: Document.Parsed, text: string): number | undefined {
  let offset: number | undefined
  yaml.visit(document, {
    Alias: (_key, alias) => {
      if (alias.resolve(document) !== undefined) return undefined
      offset = alias.range?.[0]
      return yaml.visit.BREAK
    },
  })
  return offset === undefined ? undefined : lineAt(text, offset)
}

export const TOO_DEEP = Symbol('too deep')
export const TOO_MANY = Symbol('too many')

/**
 * A copy without prototypes and shared parts: an alias may even lead to what holds it. `TOO_DEEP` if it has more levels
 * than `deepest`, `TOO_MANY` if it has more than `most` keys and values.
 */
export function copy(value: unknown, { deepest, most }: { deepest: number; most: number }): unknown {
  let count = 0
  const visit = (value: unknown, depth: number): unknown => {
    if (depth > deepest) return TOO_DEEP
    if (++count > most) return TOO_MANY
    if (Array.isArray(value)) {
      const list: unknown[] = []
      for (const each of value) {
        const copied = visit(each, depth + 1)
        if (copied === TOO_DEEP || copied === TOO_MANY) return copied
        list.push(copied)
      }
      return list
    }
    if (typeof value !== 'object' || value === null) return value
    const tree: Tree = Object.create(null)
    for (const [key, each] of Object.entries(value)) {
      count++
      const copied = visit(each, depth + 1)
      if (copied === TOO_DEEP || copied === TOO_MANY) return copied
      tree[key] = copied
    }
    return tree
  }
  return visit(value, 0)
}

/** Where the deepest part of `path` stands that the document has. */
export function place(
  yaml: typeof import('yaml'),
  document: Document.Parsed,
  lines: LineCounter,
  path: KeyPath,
): KeyLocation | undefined {
  let node: unknown = document.contents
  let at: number | undefined
  let depth = 0
  for (const step of path) {
    if (yaml.isAlias(node)) node = node.resolve(document)
    let found: Node | undefined
    if (typeof step === 'number' && yaml.isSeq(node)) {
      found = (node as YAMLSeq<Node>).items[step]
      if (!found) break
      at = found.range?.[0] ?? at
    } else if (typeof step === 'string' && yaml.isMap(node)) {
      const pair = pairsOf(node as YAMLMap<Scalar, Node>).get(step)
      if (!pair) break
      at = pair.key.range?.[0] ?? at
      found = pair.value ?? undefined
    } else break
    depth++
    node = found
  }
  return at === undefined ? undefined : { line: lines.linePos(at).line, depth }
}

const PAIRS = new WeakMap<YAMLMap<Scalar, Node>, ReadonlyMap<string, Pair<Scalar, Node>>>()

/** The pairs of a map by key: a file may have thousands of problems in one map. */
function pairsOf(map: YAMLMap<Scalar, Node>): ReadonlyMap<string, Pair<Scalar, Node>> {
  let pairs = PAIRS.get(map)
  if (pairs === undefined) {
    pairs = new Map(map.items.map(pair => [String(pair.key?.value), pair]))
    PAIRS.set(map, pairs)
  }
  return pairs
}
