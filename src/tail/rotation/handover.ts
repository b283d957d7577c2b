/**
 * The handover: what one room leaves to the next one of the same process when the configuration changes.
 *
 * It is a checkpoint that never was on a disk, and what a checkpoint cannot hold: open handles, for a file that the
 * application has deleted lives through nothing else, and what was settled beyond a committed offset, for no line that
 * was acknowledged is sent again.
 *
 * Guarantees: each handle is taken or closed, exactly once.
 */
import { closeSync } from 'node:fs'
import type { Island } from '../../chunk.ts'
import type { Ledger } from '../../ledger.ts'
import type { Checkpoint } from '../state/checkpoint.ts'
import type { PreviousEnd } from './previous.ts'

export interface Handover {
  readonly checkpoint: Checkpoint
  readonly handles: Handles
  /** By the generation's key and the backend: islands in the order of the file. */
  readonly islands: ReadonlyMap<string, ReadonlyMap<string, readonly Island[]>>
  /** What it has counted beyond what a checkpoint saves. */
  readonly ledger: Ledger
  /** How the process before this one ended. */
  readonly previous: PreviousEnd
  /** How many files may be open at the same time. */
  readonly mostFiles: number
}

/** Open files by the key of the generation that is read from them. */
export class Handles {
  readonly #fds: Map<string, number>
  readonly #aside: ReadonlySet<string>

  /** `aside`: those that had lost their name. */
  constructor(fds: Iterable<readonly [key: string, fd: number]> = [], aside: Iterable<string> = []) {
    this.#fds = new Map(fds)
    this.#aside = new Set(aside)
  }

  isAside(key: string): boolean {
    return this.#aside.has(key)
  }

  has(key: string): boolean {
    return this.#fds.has(key)
  }

  /** From now on the handle is the caller's. */
  take(key: string): number | undefined {
    const fd = this.#fds.get(key)
    this.#fds.delete(key)
    return fd
  }

  /** The file was found under its name. */
  drop(key: string): void {
    const fd = this.take(key)
    if (fd !== undefined) closeSync(fd)
  }

  /** Nobody wants the others: their sources, or their backends, are gone from the configuration. */
  close(): void {
    for (const key of [...this.#fds.keys()]) this.drop(key)
  }
}
