/**
 * A configuration file's text as a tree of plain values, with the line of every key. The YAML library is loaded when there
 * is a file to read.
 *
 * YAML 1.2, so `yes`, `no` and `on` are texts; JSON is a part of it. One document whose top is a map. Syntax errors are
 * said in our own words: the library's quote the file, and a file can hold secrets.
 */
import type { Document, LineCounter, Node, Pair, Scalar, YAMLMap, YAMLSeq } from 'yaml'
import type { KeyPath, Problem } from './problem.ts'

/** A map of the tree. It has no prototype, so that no key of a file can mean anything to JavaScript. */
export type Tree = Record<string, unknown>

export type Parsed =
  | { readonly kind: 'parsed'; readonly tree: Tree; readonly lineOf: (path: KeyPath) => Place | undefined }
  /** Nothing but white space and comments. */
  | { readonly kind: 'empty' }
  | { readonly kind: 'invalid'; readonly problems: readonly Problem[] }

/** The line of the deepest part of a path that the file has, and how many steps of the path that is. */
export interface Place {
  readonly line: number
  readonly depth: number
}

const DEEPEST = 32
const SYNTAX = 'YAML 1.2 or JSON'

/** What is said of a mistake that the library found, by its code. */
export function mistake(code: string): readonly [found: string, allowed: string] {
  return MISTAKES[code] ?? ['text that is not YAML', SYNTAX]
}

const MISTAKES: Readonly<Record<string, readonly [found: string, allowed: string]>> = {
  TAB_AS_INDENT: ['a tab as indentation', 'spaces'],
  DUPLICATE_KEY: ['a key that is there twice', 'each key once'],
  MULTIPLE_DOCS: ['a second document', 'one document'],
  MISSING_CHAR: ['a quote, bracket or separator that is missing', SYNTAX],
  BAD_INDENT: ['a line that is not indented as its neighbours are', SYNTAX],
  BLOCK_AS_IMPLICIT_KEY: ['a second ": " in one line', 'a text with ": " in quotes'],
  MULTILINE_IMPLICIT_KEY: ['a line without "key:"', SYNTAX],
  BAD_ALIAS: ['an alias that cannot be used here', SYNTAX],
  BAD_DQ_ESCAPE: ['an unknown escape in double quotes', 'a known escape, or single quotes'],
  RESOURCE_EXHAUSTION: ['values nested too deeply', `at most ${DEEPEST} levels`],
  TAG_RESOLVE_FAILED: ['an unknown tag', 'values without tags'],
  BAD_DIRECTIVE: ['an unknown directive', 'no directives'],
}

export async function parseDocument(file: string, text: string): Promise<Parsed> {
  const yaml = await import('yaml')
  const lines = new yaml.LineCounter()
  const document = yaml.parseDocument(text, { lineCounter: lines, prettyErrors: false, merge: true, logLevel: 'error' })
  const problem = (line: number | undefined, found: string, allowed: string): Parsed => ({
    kind: 'invalid',
    problems: [{ file, line, key: '', found, allowed }],
  })

  const mistakes = [...document.errors, ...document.warnings]
  if (mistakes.length > 0) {
    const problems = new Map<string, Problem>()
    for (const { code, pos } of mistakes) {
      const [found, allowed] = mistake(code)
      const { line } = lines.linePos(pos[0])
      // One slip often upsets the lines behind it: the first few are enough.
      if (problems.size < 5) problems.set(`${line} ${found}`, { file, line, key: '', found, allowed })
    }
    return { kind: 'invalid', problems: [...problems.values()] }
  }
  if (document.contents === null) return { kind: 'empty' }
  if (!yaml.isMap(document.contents)) {
    const found = yaml.isSeq(document.contents) ? 'a list at the top' : 'a single value at the top'
    return problem(1, found, 'a map with the keys sources, backends and so on')
  }
  let value: unknown
  try {
    value = document.toJS({ maxAliasCount: 100 })
  } catch (error) {
    return error instanceof ReferenceError && error.message.startsWith('Excessive')
      ? problem(undefined, 'aliases that multiply', 'at most 100 values by alias')
      : problem(undefined, 'an alias without its anchor', 'an anchor (&name) before its alias (*name)')
  }
  const tree = copy(value, 0)
  if (tree === TOO_DEEP) return problem(undefined, 'values nested too deeply', `at most ${DEEPEST} levels`)
  return { kind: 'parsed', tree: tree as Tree, lineOf: path => place(yaml, document, lines, path) }
}

export const TOO_DEEP = Symbol('too deep')

/** A copy without prototypes and shared parts: an alias may even lead to what holds it. */
export function copy(value: unknown, depth: number): unknown {
  if (depth > DEEPEST) return TOO_DEEP
  if (Array.isArray(value)) {
    const list = value.map(each => copy(each, depth + 1))
    return list.includes(TOO_DEEP) ? TOO_DEEP : list
  }
  if (typeof value !== 'object' || value === null) return value
  const tree: Tree = Object.create(null)
  for (const [key, each] of Object.entries(value)) {
    const copied = copy(each, depth + 1)
    if (copied === TOO_DEEP) return TOO_DEEP
    tree[key] = copied
  }
  return tree
}

/** Where the deepest part of `path` stands that the document has. */
export function place(
  yaml: typeof import('yaml'),
  document: Document.Parsed,
  lines: LineCounter,
  path: KeyPath,
): Place | undefined {
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
      const pair = (node as YAMLMap<Scalar, Node>).items.find(
        (each: Pair<Scalar, Node>) => String(each.key?.value) === step,
      )
      if (!pair) break
      at = pair.key.range?.[0] ?? at
      found = pair.value ?? undefined
    } else break
    depth++
    node = found
  }
  return at === undefined ? undefined : { line: lines.linePos(at).line, depth }
}
