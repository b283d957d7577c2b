/**
 * How large an expression may become, and the budget that keeps compiling it short.
 *
 * Compiling is counted in steps, not in time: the same expression compiles, or does not, on any machine.
 */
import { ExpressionError } from './failure.ts'

/** Places of the automaton with choices: characters, branches, ends of groups. */
export const MOST_PLACES = 20_000
/** States of an automaton without choices, once it is minimal. */
export const MOST_STATES = 4096
/** Bytes of one table, so that its rows are numbered with 16 bits. */
export const MOST_TABLE_BYTES = 65_536
/** Bytes of the rows of a program for captures, and words of its moves: what an entry of four bytes can name. */
export const MOST_ROW_BYTES = 131_072
export const MOST_MOVES = 16_383
/** Kinds of bytes that a table tells apart: a kind's column is a byte, and even. */
export const MOST_KINDS = 126
/** Groups that capture: a span is two bits of a mask. */
export const MOST_GROUPS = 16
/** Expressions in one table: each is a bit of a mask. */
export const MOST_RULES = 16
/** What `{n,m}` may ask for, as in RE2. */
export const MOST_REPEATS = 1000
/** Groups within groups. */
export const MOST_DEPTH = 200
/** Steps that compiling may take: about 50 ms. */
export const MOST_STEPS = 2_000_000
/** Entries of the rows of an automaton before it is minimal: 8 MiB while it is made. */
export const MOST_ENTRIES = 2 << 20

/** What an expression that is too large could do with. */
const SHORTER = 'shorten the expression: smaller numbers in {n,m}, fewer alternatives, or two expressions'

export class Work {
  #left: number

  constructor(steps: number = MOST_STEPS) {
    this.#left = steps
  }

  get left(): number {
    return this.#left
  }

  /** Throws an `ExpressionError` when the budget is used up. */
  take(steps: number): void {
    this.#left -= steps
    if (this.#left < 0) throw tooLarge(`compiling takes more than ${MOST_STEPS} steps`)
  }
}

export function tooLarge(message: string, hint: string = SHORTER): ExpressionError {
  return new ExpressionError('limit', 1, message, hint)
}
