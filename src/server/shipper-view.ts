/**
 * What the server sees of the shipper: a snapshot, and the few answers that probes need at once. Tests make their own
 * view. Everything here is read, nothing is changed but the mark of the pod's termination and the viewers of the tap.
 */
import type { Statement } from '../ledger.ts'
import type { FileEvents, FileProgress, FileStatus, SourceLag } from '../progress.ts'
import type { Tap } from '../tap.ts'
import type { Caller } from '../termination.ts'

export interface ShipperView {
  /** Ready: configuration valid, first sweep done. `waiting` says for what otherwise. */
  startup(): { readonly ready: boolean; readonly waiting: readonly string[] }
  /** Milliseconds since the tail loop turned last. */
  sinceTurn(): number
  readonly draining: boolean
  /** Where records are shown with their verdicts, to who asks the admin port. */
  readonly tap: Tap
  /** All numbers and states of one moment: metrics, page, status and health show the same. */
  snapshot(): Snapshot
  /** The preStop hook was called: the grace period counts from now, as far as the caller may say so. */
  terminationBegan(caller: Caller): void
}

/** What the shipper itself knows. */
export interface ShipperSnapshot {
  /** Who this is. */
  readonly identity: Identity
  readonly draining: boolean
  /** Without paths and without log content: it is shown on all interfaces. */
  readonly health: ShipperHealth
  readonly pipelines: readonly PipelineStatus[]
  readonly ledger: readonly LedgerLine[]
  /** What happened to the files of each source. */
  readonly fileEvents: readonly (Readonly<FileEvents> & { readonly source: string })[]
  /** With paths: shown on loopback only. */
  readonly files: readonly FileStatus[]
  /** Files that are not open and of which something is left. A stat for each: only the status asks. */
  readonly unopened: () => readonly FileProgress[]
  readonly refused: readonly UnfollowedPath[]
}

export interface Snapshot extends ShipperSnapshot {
  readonly health: HealthReport
  /** What is wrong with the configuration that was refused last, until that is mended: shown on loopback only. */
  readonly problems: readonly string[]
  /** How often the configuration was read anew while it ran, and what came of that. */
  readonly reloads: Reloads
}

/** Null is what the Downward API was not asked for. */
export interface Identity {
  readonly namespace: string | null
  readonly pod: string | null
  readonly node: string | null
}

export interface HealthReport extends ShipperHealth {
  readonly configuration: ConfigurationHealth
}

/** `refused`: what stands in the file now cannot be used, in so many points; the previous one stays in use. */
export interface ConfigurationHealth {
  readonly kind: 'current' | 'refused'
  readonly since: string
  readonly problems: number
}

export interface Reloads {
  readonly applied: number
  readonly refused: number
  /** When the configuration that runs was put to use, at the start or by a reload: an ISO time. */
  readonly appliedAt: string
}

/** Without the configuration, which the shipper knows nothing of. */
export interface ShipperHealth {
  /**
   * `degraded`: a backend is not up or stalled, the state cannot be saved, the configuration was refused, or there is
   * no memory for all files.
   */
  readonly status: 'ok' | 'degraded'
  readonly version: string
  readonly revision: string
  readonly state: StateHealth
  /** Whether unacknowledged files are kept by hard links in the state directory. */
  readonly pins:
    | { readonly kind: 'works'; readonly pinned: number }
    | { readonly kind: 'impossible'; readonly reason: string }
  readonly watch: { readonly mode: 'events' } | { readonly mode: 'polling'; readonly reason: string }
  /** How many are looked into, and of how many of them the system reports what happens. */
  readonly directories: { readonly known: number; readonly watched: number }
  /** Bytes of deleted files that are kept because they are not acknowledged. */
  readonly heldBytes: number
  readonly memory: MemoryHealth
  /** Null unless `volume.sizeLimit` is set. */
  readonly volume: VolumeHealth | null
  readonly previous: LastShutdown
  readonly backends: readonly BackendHealth[]
  readonly sources: readonly SourceHealth[]
}

/** Bytes; null is what the system does not tell, or a limit that there is not. */
export interface MemoryHealth {
  readonly resident: number | null
  readonly anonymous: number | null
  readonly limit: number | null
  readonly budget: number
}

export interface VolumeHealth {
  readonly bytes: number
  readonly limit: number
  readonly growthPerSecond: number
  /** Null if it does not grow. */
  readonly secondsLeft: number | null
}

/**
 * How the previous process ended, by the checkpoint that it left. `unsettledBytes`: what was not acknowledged by then,
 * as far as was saved, and is sent now, some of it perhaps again. `lostBytes`: what cannot be found any more.
 */
export interface LastShutdown {
  readonly kind: 'none' | 'clean' | 'unclean'
  readonly unsettledBytes: number
  readonly lostBytes: number
}

/** `memory`: by configuration nothing is saved. `saving`: a save has not ended for so many seconds, as if it hung. */
export type StateHealth =
  | { readonly kind: 'saved' | 'memory' }
  | { readonly kind: 'saving'; readonly seconds: number }
  | { readonly kind: 'failing'; readonly code: string; readonly since: string }

export interface BackendHealth {
  readonly name: string
  readonly type: string
  readonly state: 'up' | 'down' | 'unauthorized'
  readonly reason: string | null
  /** ISO times. */
  readonly since: string | null
  readonly nextAttempt: string | null
  readonly lastDelivered: string | null
  readonly attempts: number
  /** Since when nothing is read for it although there is something to read: no memory will be released. A bug. */
  readonly stalledSince: string | null
  readonly lastError: { readonly reason: string; readonly at: string } | null
  readonly lagBytes: number
  /** How late it is, over all sources: see `SourceLag`. */
  readonly lagSeconds: number
}

export interface SourceHealth {
  readonly name: string
  readonly files: number
  /** How many paths are not followed, by reason. */
  readonly refused: Readonly<Record<string, number>>
  /** What matches, and directories that may hold some that does, for which there is no memory: they wait. */
  readonly waiting: { readonly files: number; readonly directories: number }
}

export interface PipelineStatus {
  readonly backend: string
  readonly up: boolean
  /** Scheme, host and port of where requests go; null for standard output. */
  readonly endpoint: string | null
  /** What failed last; `detail` are the server's own words, where they may be repeated. */
  readonly lastError: { readonly reason: string; readonly detail: string | null; readonly at: string } | null
  readonly budget: { readonly total: number; readonly used: number; readonly peak: number }
  readonly batchesInFlight: number
  readonly requests: readonly { readonly status: string; readonly verdict: string; readonly count: number }[]
  readonly retries: Readonly<Record<string, number>>
  /** Reasons that records are known to be refused for. */
  readonly rejectReasons: readonly string[]
  /** Reasons that records of a source are dropped for, by what the configuration says; a source without any is left out. */
  readonly dropReasons: Readonly<Record<string, readonly string[]>>
  /** What was redacted, by source and rule, and how often a rule had to mask without knowing whether it does. */
  readonly redactions: readonly {
    readonly source: string
    readonly rule: string
    readonly redacted: number
    readonly gaveUp: number
  }[]
  /** How many sets of labels, or names of indices, values of records have made; null: they make none. */
  readonly cardinality: number | null
  /** Records that are kept for a replay; null: none are kept. */
  readonly deadLetters: {
    readonly written: number
    readonly omitted: number
    readonly bytes: number
    readonly limit: number
  } | null
  readonly payloadBytes: number
  /** Records without their fields, or their own times, since the backend does not take them. */
  readonly baredRecords: number
  readonly retimedRecords: number
  readonly wireBytes: number
  /** Requests per bucket, not cumulated; the bounds are in seconds and the last bucket has none. */
  readonly durations: Distribution
  /** The same of their sizes, in bytes. */
  readonly sizes: Distribution
  /** When certificates end, by whose they are: ISO times. */
  readonly certificates: Readonly<Record<string, string>>
  readonly lag: readonly SourceLag[]
}

export interface Distribution {
  readonly bounds: readonly number[]
  readonly counts: readonly number[]
  readonly sum: number
}

export interface LedgerLine {
  readonly source: string
  readonly backend: string
  readonly statement: Statement
}

export interface UnfollowedPath {
  readonly source: string
  readonly path: string
  readonly reason: string
}
