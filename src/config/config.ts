/**
 * The configuration, complete: every default filled in, every reference resolved, sizes in bytes and durations in
 * milliseconds. A `Config` has every value, and each was checked.
 */
import type { DeliveryOptions } from '../delivery/options.ts'
import type { PodOptions } from '../metadata.ts'
import type { ProcessOptions } from '../process/options.ts'
import type { Plans, Routes } from '../process/plan.ts'
import type { ServerOptions } from '../server/options.ts'
import type { SourceOptions, StateOptions, VolumeOptions } from '../tail/options.ts'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/** The files of a source, and what is done with their records. */
export interface SourceConfig extends SourceOptions, ProcessOptions {}

export interface BackendConfig {
  /** Unique. */
  readonly name: string
  /** A key of the registry. */
  readonly type: string
  /** Names of the sources that it gets, at least one, all of them known. */
  readonly sources: readonly string[]
  /** Where requests go, without credentials; `undefined` for a backend that is no server. */
  readonly endpoint: URL | undefined
  /** The backend type's own options as its schema yields them: the first argument of its `create`. */
  readonly own: Readonly<Record<string, unknown>>
  readonly delivery: DeliveryOptions
  /** What it says about the records of its sources, compiled. */
  readonly routes: Routes
}

export interface Config {
  /** At least one; names are unique. */
  readonly sources: readonly SourceConfig[]
  /** What is done with the records of each source, compiled. */
  readonly plans: Plans
  /** At least one; names are unique. */
  readonly backends: readonly BackendConfig[]
  readonly state: StateOptions
  readonly volume: VolumeOptions
  /** Bytes in flight allowed, all pipelines together; each gets an equal part, and it is enough. */
  readonly memory: { readonly budget: number }
  /** Milliseconds: the pod's terminationGracePeriodSeconds. */
  readonly drain: { readonly gracePeriod: number }
  readonly server: ServerOptions
  readonly log: { readonly level: LogLevel }
  readonly pod: PodOptions
}
