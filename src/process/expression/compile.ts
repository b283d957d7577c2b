/**
 * Expressions to tables, before the first byte is read.
 *
 * A table is plain bytes without addresses (layout.ts): it may be made at any time, kept, and copied to wherever the
 * kernel can read it. Compiling is bounded: see limits.ts.
 */
import { alphabetOf } from './alphabet.ts'
import { determinize } from './dfa.ts'
import { ExpressionError, outcome } from './failure.ts'
import { EVERY, FIRST } from './layout.ts'
import { MOST_RULES, tooLarge, Work } from './limits.ts'
import { build } from './nfa.ts'
import { parse } from './parse.ts'
import { tableOf } from './table.ts'
import type { Tree } from './tree.ts'

/** A table that finds how far the first of `expressions` that matches at a place does: for `longest`. */
export function compileFirst(expressions: readonly string[]): Uint8Array | ExpressionError {
  return compile(expressions, FIRST)
}

/** A table that says which of `expressions` match at a place, as soon as that is decided: for `accepts`. */
export function compileEvery(expressions: readonly string[]): Uint8Array | ExpressionError {
  return compile(expressions, EVERY)
}

function compile(expressions: readonly string[], mode: typeof FIRST | typeof EVERY): Uint8Array | ExpressionError {
  const trees: Tree[] = []
  for (const [index, text] of expressions.entries()) {
    const expression = parse(text)
    if (expression instanceof ExpressionError) {
      const { code, column, message, hint } = expression
      return new ExpressionError(code, column, message, hint, index)
    }
    trees.push(expression.tree)
  }
  return outcome(() => table(trees, mode))
}

/** The table of several trees. Throws an `ExpressionError` if it is too large. */
export function table(trees: readonly Tree[], mode: typeof FIRST | typeof EVERY, work = new Work()): Uint8Array {
  if (trees.length > MOST_RULES) {
    throw tooLarge(`${trees.length} expressions are too many for one table`, `write ${MOST_RULES} at most`)
  }
  const nfa = build(trees, work)
  const alphabet = alphabetOf(nfa, work)
  return tableOf(determinize(nfa, alphabet, mode, work), alphabet, mode)
}
