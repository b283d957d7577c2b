/**
 * What stands beside each event: its level, how often it is logged, what it means and what to do about it.
 *
 * The level goes by consequence: `error` data was lost or rejected, or a human is needed · `warn` something is wrong, no
 * data has been lost · `info` a turn in the life of the process, or of a file · `debug` the steps in between.
 */
export type Level = 'error' | 'warn' | 'info' | 'debug'

/**
 * How often an event is logged:
 *
 *   always   each time: a turn in the life of the process, or something that limits itself
 *   last     as the above, after everything that is still owed: the process ends
 *   within   each time, within the limit of lines a minute
 *   each     once a minute for each subject; what was left out is counted
 *   sum      never left out: what is not logged on its own is added up, and logged within half a minute
 *
 * A subject is made of fields that say what the event is about (a backend, a source, a path), never of the sentence: so
 * one backend's outage cannot hide that of another.
 */
export type LimitRule =
  | { readonly kind: 'always' | 'last' | 'within' }
  | { readonly kind: 'each'; readonly by: readonly string[] }
  /** `of`: the fields that are added up. */
  | { readonly kind: 'sum'; readonly by: readonly string[]; readonly of: readonly string[] }

export interface Row {
  readonly level: Level
  readonly rule: LimitRule
  /** What has happened, as a sentence or two. */
  readonly means: string
  /** What the reader of the log does about it. */
  readonly action: string
  /** Units of those fields that have one. */
  readonly units?: Readonly<Record<string, string>>
}

export const always: LimitRule = { kind: 'always' }
export const last: LimitRule = { kind: 'last' }
export const within: LimitRule = { kind: 'within' }
export const each = (...by: string[]): LimitRule => ({ kind: 'each', by })
export const sum = (by: readonly string[], ...of: string[]): LimitRule => ({ kind: 'sum', by, of })

/** Nothing is wrong. */
export const NOTHING = 'Nothing.'
