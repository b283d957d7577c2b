/**
 * The sources of one configuration, put together: the sweep that finds their files, the tail that follows them, the
 * checkpoint, and a reader for each backend. What composes the program uses `tail` through it.
 */

import type { Origin } from '../chunk.ts'
import type { Kernel } from '../kernel/kernel.ts'
import type { Ledger } from '../ledger.ts'
import type { Logger } from '../log.ts'
import type { FileProgress, FileStatus, SourceLag } from '../progress.ts'
import type { StateDirectory } from '../state.ts'
import { statPath } from './files/inodes.ts'
import { limitsFor } from './files/limits.ts'
import type { Handover } from './following/handover.ts'
import { Allowance } from './framing/allowance.ts'
import { formOf, type Processing } from './framing/form.ts'
import { Framer } from './framing/framer.ts'
import { Notices } from './framing/notices.ts'
import { Reader } from './framing/reader.ts'
import { filesOf, lagsOf, unopenedOf } from './lag.ts'
import type { HeldOptions, SourceOptions } from './options.ts'
import { CheckpointStore, type LastSave } from './state/checkpoint.ts'
import { liesAmong, type SharedPlace, sharedPlace } from './state/shared.ts'
import { Tail } from './tail.ts'
import { Sweep, type Waits } from './watching/sweep.ts'

export type { Handover, LastSave, Waits }

export interface SourcesParts {
  readonly sources: readonly SourceOptions[]
  /** `memory.budget`: bytes. */
  readonly budget: number
  /** Null: nothing is saved. */
  readonly state: StateDirectory | null
  readonly held: HeldOptions
  readonly unpacked: { readonly maxBytes: number }
  readonly ledger: Ledger
  readonly log: Logger
}

/** A backend, and the names of its sources. */
export interface Consumer {
  readonly name: string
  readonly sources: readonly string[]
}

/** What a backend has not settled of a file. */
export interface Left {
  readonly source: string
  readonly path: string
  readonly backend: string
  readonly bytes: number
}

export class Sources {
  readonly tail: Tail
  readonly sweep: Sweep
  readonly store: CheckpointStore
  readonly #options: readonly SourceOptions[]
  readonly #notices: Notices
  /** For long lines and set-aside room, shared by all files. */
  readonly #allowance = new Allowance()

  constructor({ sources, budget, state, held, unpacked, ledger, log }: SourcesParts) {
    this.#options = sources
    this.#notices = new Notices(log)
    this.store = new CheckpointStore(state, log)
    this.sweep = new Sweep(sources, log, limitsFor(budget))
    this.tail = new Tail(sources, this.sweep, this.store, ledger, log, held, unpacked)
  }

  /**
   * A reader of some sources for one backend, which takes part from the start. Before the tail starts. `processing`:
   * what lines of a source are processed by. `interval`: see `Member`.
   */
  reader(
    { name, sources }: Consumer,
    kernel: Kernel,
    processing: (source: string) => Processing = () => ({}),
    interval = 0,
  ): Reader {
    const own = this.#options.filter(source => sources.includes(source.name))
    const forms = new Map(own.map(source => [source.name, formOf(source, processing(source.name))]))
    const framer = new Framer(kernel, source => forms.get(source)!, this.#allowance, this.#notices)
    const reader = new Reader(name, framer, this.tail.events)
    this.tail.join({ reader, sources: new Set(sources), interval })
    return reader
  }

  /** Something of a file that should be UTF-8 had to be replaced. */
  repaired(origin: Origin): void {
    this.#notices.repaired(origin)
  }

  lags({ name, sources }: Consumer): SourceLag[] {
    return lagsOf(this.tail, name, sources)
  }

  files(): FileStatus[] {
    return [...filesOf(this.tail)]
  }

  /** Files that are not open and of which something is left. */
  unopened(consumers: readonly Consumer[]): FileProgress[] {
    return [...unopenedOf(this.tail, consumers)]
  }

  /** What matches and waits, because there is no memory for more. */
  waiting(): Waits[] {
    return [...this.sweep.waiting()]
  }

  /** What has not been settled now. */
  *left(consumers: readonly Consumer[]): Generator<Left> {
    for (const { path, size, generation } of this.tail.following()) {
      for (const cursor of generation.cursors) {
        const bytes = size - cursor.committed.offset
        if (bytes > 0) yield { source: generation.origin.source, path, backend: cursor.backend, bytes }
      }
    }
    // Of what there is no memory for one path is known, and that there is something to read: a byte at the least.
    for (const { source, path } of this.sweep.waiting()) {
      for (const { name, sources } of consumers) {
        const bytes = Math.max(1, Number(statPath(path)?.size ?? 0))
        if (sources.includes(source)) yield { source, path, backend: name, bytes }
      }
    }
    for (const { source, path, size, offsets } of this.tail.waiting()) {
      for (const { name, sources } of consumers) {
        const bytes = size - (offsets[name] ?? 0)
        if (bytes > 0 && sources.includes(source)) yield { source, path, backend: name, bytes }
      }
    }
    // It is not known whether there is more than was seen: a byte at the least.
    for (const { source, path, size, offsets } of this.tail.sought()) {
      for (const { name, sources } of consumers) {
        const bytes = Math.max(1, size - (offsets[name] ?? 0))
        if (sources.includes(source)) yield { source, path, backend: name, bytes }
      }
    }
  }

  /** Whether the application may rename a state directory away, and where. */
  sharing(dir: string): SharedPlace | undefined {
    return sharedPlace(dir, this.#roots())
  }

  /** The directories whose volume is that of the logs. On a volume of its own the state takes nothing of it. */
  volume(dir: string | null): string[] {
    const roots = this.#roots()
    return dir !== null && liesAmong(dir, roots) ? [...roots, dir] : roots
  }

  #roots(): string[] {
    return this.#options.flatMap(({ name }) => this.sweep.rootsOf(name))
  }
}
