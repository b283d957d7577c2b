/**
 * Why an expression cannot be used: where in it, what is wrong and what to write instead.
 *
 * The doors of this directory (`parse`, `compile` and the like) return it as a value; only inside is it thrown, since a
 * parser and the builders behind it recurse. Its sentences name no key: which key the expression is of, the caller
 * knows.
 */

export type ExpressionCode =
  /** It is no expression: a bracket that is not closed, a repetition of nothing. */
  | 'syntax'
  /** Other engines know it; here it would cost more than one pass over a record, or means something else. */
  | 'unsupported'
  /** It is an expression, and too large. */
  | 'limit'

export class ExpressionError extends Error {
  readonly code: ExpressionCode
  /** The first character of what is wrong, from 1; 1 where the whole expression is. */
  readonly column: number
  /** What to write instead. */
  readonly hint: string
  /** Which of several expressions it is, from 0. */
  readonly index: number

  constructor(code: ExpressionCode, column: number, message: string, hint: string, index = 0) {
    super(message)
    this.name = 'ExpressionError'
    this.code = code
    this.column = column
    this.hint = hint
    this.index = index
  }
}

/** What `build` returns, or the `ExpressionError` that it throws. */
export function outcome<T>(build: () => T): T | ExpressionError {
  try {
    return build()
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error
    return error
  }
}
