/** What is wrong with what is said about records, below the key of its source. */
export interface ProcessProblem {
  /** From the source on: `['multiline', 'start', 0]`. */
  readonly path: readonly (string | number)[]
  readonly found: string
  readonly allowed: string
  readonly hint?: string | undefined
}
