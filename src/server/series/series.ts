/**
 * A metric: its name, its meaning, its labels, and how its values are read from one scrape. Names begin with
 * `logshipper_`, but for those that every process has.
 *
 * What counts events exists from the first scrape, at 0, for every label that is known beforehand: `increase()` and
 * `rate()` see nothing of an event that a series begins with. What is not known beforehand (a reason that a server makes
 * up) is in a total without that label.
 */
import type { Snapshot } from '../shipper-view.ts'

export type Labels = Readonly<Record<string, string>>
/** One value of a metric. `suffix` belongs to the parts of histograms and summaries: `_bucket`, `_sum`, `_count`. */
export type Sample = readonly [labels: Labels, value: number, suffix?: '_bucket' | '_sum' | '_count']

/** What one scrape shows. */
export interface Scrape extends Snapshot {
  readonly process: ProcessState
}

export interface ProcessState {
  /** Seconds. */
  readonly cpu: number
  readonly startedAt: number
  readonly loopDelay: Delays
  /** Bytes. */
  readonly resident: number
  /** Absent where the system does not tell. */
  readonly fds: number | undefined
  readonly maxFds: number | undefined
}

/** Delays in seconds: quantiles of the last minute or two, sum and count since the first scrape. */
export interface Delays {
  readonly quantiles: readonly (readonly [quantile: number, seconds: number])[]
  readonly sum: number
  readonly count: number
}

export interface Series {
  readonly type: 'counter' | 'gauge' | 'summary' | 'histogram'
  readonly name: string
  readonly help: string
  readonly labels: readonly string[]
  readonly rows: (scrape: Scrape) => Iterable<Sample>
}

/** The prefix of all names but those of the process. */
export const PREFIX = 'logshipper_'

const make =
  (type: Series['type']) =>
  (name: string, help: string, labels: readonly string[], rows: Series['rows']): Series => ({
    type,
    name: name.startsWith('process_') ? name : PREFIX + name,
    help,
    labels,
    rows,
  })
export const counter = make('counter')
export const gauge = make('gauge')
export const summary = make('summary')
export const histogram = make('histogram')

/** A state as a gauge for each that there may be: 1 for the present one. */
export const states = <S extends string>(label: string, all: readonly S[], present: S, labels: Labels = {}): Sample[] =>
  all.map(each => [{ ...labels, [label]: each }, Number(each === present)])

/** One value, absent if it is not known. */
export const one =
  (value: (scrape: Scrape) => number | null | undefined): Series['rows'] =>
  scrape => {
    const known = value(scrape)
    return known === undefined || known === null ? [] : [[{}, known] as const]
  }
