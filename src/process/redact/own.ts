/**
 * Expressions of the configuration as a section of the table of redaction: kernel/assembly/process/own.ts draws it.
 *
 * Guarantees: every expression is compiled before the first byte is read; what is wrong with one is reported at its key,
 * with the column and what to write instead.
 */
import { LAYOUT } from '../../kernel/module.ts'
import { table as tableOf } from '../expression/compile.ts'
import { ExpressionError, outcome } from '../expression/failure.ts'
import { CAPTURE_ROOM, FIRST } from '../expression/layout.ts'
import { parsed } from '../expression/parse.ts'
import { capturesWithin } from '../expression/program.ts'
import { compileSearch } from '../expression/search.ts'
import { type Expression, nullable, type Tree } from '../expression/tree.ts'
import type { ProcessProblem } from '../problem.ts'

export interface OwnSection {
  readonly section: Buffer
  /** Names of the rules, whose numbers follow those of the rules that are known. */
  readonly names: readonly string[]
  /** Bytes of room for what they find in a record. */
  readonly room: number
}

/** The group that goes. */
const SECRET = 'secret'
/** Bytes of the tables of all expressions of a source. */
export const MOST_BYTES = 512 * 1024
/** A character may be so many bytes. */
const WIDEST = 4

type Match = Readonly<Record<string, string | readonly string[]>>

/** One expression, compiled. */
interface Compiled {
  readonly search: Uint8Array
  readonly captures: Uint8Array | undefined
  readonly before: Uint8Array | undefined
  readonly group: number
  readonly long: boolean
}

/** Compiles them; `known`: names that other rules have. Undefined if something was reported. */
export function compileOwn(
  match: Match,
  known: readonly string[],
  report: (problem: ProcessProblem) => void,
): OwnSection | undefined {
  const taken = new Set(known.map(name => name.toLowerCase()))
  const names: string[] = []
  const rows: { readonly rule: number; readonly compiled: Compiled }[] = []
  let failed = false
  for (const [name, expressions] of Object.entries(match)) {
    if (taken.has(name.toLowerCase())) {
      failed = true
      const found = `a name that another rule or key has`
      report({ path: ['redact', 'match', name], found, allowed: 'a name of its own' })
    }
    taken.add(name.toLowerCase())
    const rule = known.length + names.push(name) - 1
    for (const [index, text] of [expressions].flat().entries()) {
      const compiled = compile(text)
      if (!(compiled instanceof ExpressionError)) {
        rows.push({ rule, compiled })
        continue
      }
      failed = true
      const { message, hint, column, code } = compiled
      report({
        path: ['redact', 'match', name, ...(typeof expressions === 'string' ? [] : [index])],
        found: code === 'limit' ? message : `${message}, column ${column}`,
        allowed: 'an expression in the syntax of RE2',
        hint,
      })
    }
  }
  if (failed) return undefined
  const { section, captures } = sectionOf(rows)
  if (section.length > MOST_BYTES) {
    const found = `expressions whose tables have ${section.length} bytes`
    report({
      path: ['redact', 'match'],
      found,
      allowed: `tables of ${MOST_BYTES} bytes`,
      hint: 'write fewer of them, or shorter ones',
    })
    return undefined
  }
  return { section, names, room: LAYOUT.OWN_SPANS + (captures ? CAPTURE_ROOM : 0) }
}

function compile(text: string): Compiled | ExpressionError {
  const search = compileSearch(text)
  if (search instanceof ExpressionError) return search
  return outcome(() => {
    const expression = parsed(text)
    const { tree, groups } = expression
    const group = groups.indexOf(SECRET)
    const other = groups.find(name => name !== '' && name !== SECRET)
    if (other !== undefined) {
      const column = Math.max(0, text.search(/\(\?P?<(?!secret>)/)) + 1
      const hint = `call it (?<${SECRET}> ) if it is what goes, or write (?: ) if it is not`
      throw new ExpressionError('unsupported', column, `the group ${other} means nothing here`, hint)
    }
    if (nullable(tree)) {
      const hint = 'write + in the place of *, or more of what stands around it'
      throw new ExpressionError('unsupported', 1, 'the expression also matches where nothing stands', hint)
    }
    const long = most(tree) > LAYOUT.OWN_REACH
    if (group < 0) return { search: search.program, captures: undefined, before: undefined, group: 0, long }
    const before = beforeGroup(tree, group)
    return {
      search: search.program,
      captures: capturesWithin(only(expression, group)).program,
      before: before.kind === 'empty' ? undefined : tableOf([before], FIRST),
      ...{ group: 0, long },
    }
  })
}

/** The expression with one group: the others are not asked for. */
function only({ tree }: Expression, group: number): Expression {
  const kept = (each: Tree): Tree => {
    switch (each.kind) {
      case 'empty':
      case 'set':
      case 'assertion':
        return each
      case 'group':
        return each.index === group ? { ...each, index: 0, part: kept(each.part) } : kept(each.part)
      case 'repeat':
        return { ...each, part: kept(each.part) }
      case 'sequence':
      case 'choice':
        return { ...each, parts: each.parts.map(kept) }
    }
  }
  return { tree: kept(tree), groups: [SECRET] }
}

/** What stands between the beginning of a match and a group: a text that it matches may be followed by the group. */
function beforeGroup(tree: Tree, group: number): Tree {
  switch (tree.kind) {
    case 'empty':
    case 'set':
    case 'assertion':
      return tree
    case 'group':
      return tree.index === group ? { kind: 'empty' } : beforeGroup(tree.part, group)
    case 'repeat': {
      const turns: Tree = { ...tree, least: 0, most: tree.most - 1 }
      return sequence([...(tree.most > 1 ? [turns] : []), beforeGroup(tree.part, group)])
    }
    case 'choice': {
      const parts = tree.parts.filter(part => holds(part, group)).map(part => beforeGroup(part, group))
      return parts.length === 1 ? parts[0]! : { kind: 'choice', parts }
    }
    case 'sequence': {
      const index = tree.parts.findIndex(part => holds(part, group))
      return sequence([...tree.parts.slice(0, index), beforeGroup(tree.parts[index]!, group)])
    }
  }
}

function sequence(parts: readonly Tree[]): Tree {
  const some = parts.filter(({ kind }) => kind !== 'empty')
  return some.length === 0 ? { kind: 'empty' } : { kind: 'sequence', parts: some }
}

function holds(tree: Tree, group: number): boolean {
  switch (tree.kind) {
    case 'empty':
    case 'set':
    case 'assertion':
      return false
    case 'group':
      return tree.index === group || holds(tree.part, group)
    case 'repeat':
      return holds(tree.part, group)
    case 'choice':
    case 'sequence':
      return tree.parts.some(part => holds(part, group))
  }
}

/** Bytes that a match has at the most. */
function most(tree: Tree): number {
  switch (tree.kind) {
    case 'empty':
    case 'assertion':
      return 0
    case 'set':
      return WIDEST
    case 'group':
      return most(tree.part)
    case 'repeat': {
      const each = most(tree.part)
      return each === 0 ? 0 : tree.most * each
    }
    case 'choice':
      return Math.max(0, ...tree.parts.map(most))
    case 'sequence':
      return tree.parts.reduce((sum, part) => sum + most(part), 0)
  }
}

function sectionOf(rows: readonly { readonly rule: number; readonly compiled: Compiled }[]): {
  section: Buffer
  captures: boolean
} {
  const parts: Buffer[] = []
  let size = LAYOUT.OWN_ROWS + LAYOUT.OWN_ROW * rows.length
  /** Adds a table behind what is there; returns where. */
  const add = (bytes: Uint8Array | undefined): number => {
    if (bytes === undefined) return 0
    const at = size
    const padded = Buffer.alloc(Math.ceil(bytes.length / 16) * 16)
    padded.set(bytes)
    parts.push(padded)
    size += padded.length
    return at
  }
  const head = Buffer.alloc(size)
  head.writeUInt32LE(rows.length, 0)
  for (const [index, { rule, compiled }] of rows.entries()) {
    const at = LAYOUT.OWN_ROWS + LAYOUT.OWN_ROW * index
    head.writeUInt32LE(add(compiled.search), at)
    head.writeUInt32LE(add(compiled.captures), at + LAYOUT.OWN_CAPTURES)
    head.writeUInt32LE(add(compiled.before), at + LAYOUT.OWN_BEFORE)
    head.writeUInt32LE(rule, at + LAYOUT.OWN_RULE)
    head.writeUInt32LE(compiled.group, at + LAYOUT.OWN_GROUP)
    head.writeUInt32LE(Number(compiled.long), at + LAYOUT.OWN_LONG)
  }
  return { section: Buffer.concat([head, ...parts]), captures: rows.some(({ compiled }) => compiled.captures) }
}
