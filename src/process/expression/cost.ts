/**
 * What it costs to look for an expression, in the three ways in which expressions are used:
 *
 *     search     anywhere in a record: by the bytes that every match has, or else from each of its bytes on
 *     lines      in each line of a file, several at once: every byte is looked at, unless it is decided before that
 *     captures   in each record: as lines, and what its groups take is noted
 *
 * Guarantees: the answer is that of the analysis that the compiler goes by.
 */
import { compileEvery } from './compile.ts'
import { ExpressionError } from './failure.ts'
import { parse } from './parse.ts'
import { compileCaptures } from './program.ts'
import { compileSearch } from './search.ts'
import type { Tree } from './tree.ts'

export type Use = 'search' | 'lines' | 'captures'

export type Cost = {
  /** Bytes of its table. */
  readonly bytes: number
} & (
  | { readonly kind: 'text' }
  /** It is tried where a few of its bytes stand, which is once in so many bytes of a log, about. */
  | { readonly kind: 'prefilter'; readonly every: number }
  /** It is tried at the head only. */
  | { readonly kind: 'head' }
  | { readonly kind: 'every byte' }
)

/** Undefined: it does not compile. */
export function costOf(text: string, use: Use): Cost | undefined {
  const expression = parse(text)
  if (expression instanceof ExpressionError) return undefined
  const atHead = decidedAtHead(expression.tree)
  if (use === 'search') {
    const search = compileSearch(text)
    if (search instanceof ExpressionError) return undefined
    const { program, analysis } = search
    const bytes = program.length
    switch (analysis.kind) {
      case 'literal-only':
        return { kind: 'text', bytes }
      case 'prefix':
      case 'contains':
        return { kind: 'prefilter', bytes, every: Math.round(analysis.fingerprint.rarity) }
      case 'everywhere':
        return { kind: atHead ? 'head' : 'every byte', bytes }
    }
  }
  const compiled = use === 'lines' ? compileEvery([`(?:.*?)(?:${text})`]) : compileCaptures(text)
  if (compiled instanceof ExpressionError) return undefined
  const bytes = compiled instanceof Uint8Array ? compiled.length : compiled.program.length
  // What groups take has to be looked at in any case.
  const headed = use === 'captures' ? beginsAtHead(expression.tree) : atHead
  return { kind: headed ? 'head' : 'every byte', bytes }
}

function decidedAtHead(tree: Tree): boolean {
  return beginsAtHead(tree) && !wanders(tree)
}

/** Whether each match begins where the text does. */
function beginsAtHead(tree: Tree): boolean {
  switch (tree.kind) {
    case 'empty':
    case 'set':
      return false
    case 'assertion':
      return tree.what === 'text-start'
    case 'group':
      return beginsAtHead(tree.part)
    case 'repeat':
      return tree.least > 0 && beginsAtHead(tree.part)
    case 'choice':
      return tree.parts.every(beginsAtHead)
    case 'sequence': {
      const first = tree.parts.find(part => beginsAtHead(part) || !(part.kind === 'empty' || part.kind === 'assertion'))
      return first !== undefined && beginsAtHead(first)
    }
  }
}

/** Characters of which a set that is nearly any has more. */
const NEARLY_ANY = 0x10000

/** Whether it passes over anything, however long, to what follows: `^.*timeout`. */
function wanders(tree: Tree): boolean {
  switch (tree.kind) {
    case 'empty':
    case 'set':
    case 'assertion':
      return false
    case 'group':
      return wanders(tree.part)
    case 'repeat':
      return tree.most === Number.POSITIVE_INFINITY && takesAny(tree.part)
    case 'choice':
      return tree.parts.some(wanders)
    case 'sequence':
      return tree.parts.slice(0, -1).some(wanders)
  }
}

function takesAny(tree: Tree): boolean {
  if (tree.kind === 'group') return takesAny(tree.part)
  if (tree.kind === 'choice') return tree.parts.some(takesAny)
  if (tree.kind !== 'set') return false
  const { characters } = tree
  let size = 0
  for (let at = 0; at < characters.length; at += 2) size += characters[at + 1]! - characters[at]! + 1
  return size > NEARLY_ANY
}
