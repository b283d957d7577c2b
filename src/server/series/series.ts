/**
 * A metric: its name, its meaning, its labels, and how its values are read from the moment of a scrape. Names begin with
 * `logshipper_`, but for those that every process has.
 *
 * What counts events exists from the first scrape, at 0, for every label that is known beforehand: `increase()` and
 * `rate()` see nothing of an event that a series begins with. What is not known beforehand (a reason that a server makes
 * up) is in a total without that label.
 */
import type { FileStatus, Health, LedgerLine, PipelineStatus, Reloads } from '../subject.ts'

export type Labels = Readonly<Record<string, string>>
/** One value of a metric. */
export type Sample = readonly [labels: Labels, value: number]

/** What one scrape shows. */
export interface Moment {
  readonly ledger: readonly LedgerLine[]
  readonly pipelines: readonly PipelineStatus[]
  readonly health: Health
  readonly files: Readonly<Record<Exclude<FileStatus['state'], 'closed'>, number>>
  readonly reloads: Reloads
  readonly process: ProcessState
}

export interface ProcessState {
  /** Seconds. */
  readonly cpu: number
  readonly startedAt: number
  readonly loopDelay: number
  /** Bytes. */
  readonly resident: number
  /** Absent where the system does not tell. */
  readonly fds: number | undefined
  readonly maxFds: number | undefined
}

export interface Series {
  readonly type: 'counter' | 'gauge'
  readonly name: string
  readonly help: string
  readonly labels: readonly string[]
  readonly rows: (moment: Moment) => Iterable<Sample>
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

/** One value, absent if it is not known. */
export const one =
  (value: (moment: Moment) => number | null | undefined): Series['rows'] =>
  moment => {
    const known = value(moment)
    return known === undefined || known === null ? [] : [[{}, known] as const]
  }
