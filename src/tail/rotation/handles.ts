/**
 * Handles: files that were open under the configuration before. One that the application has deleted lives through nothing
 * else.
 *
 * Guarantees: each is taken or closed, exactly once.
 */
import { closeSync } from 'node:fs'

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

  /** The others are not wanted: their sources, or their backends, are gone from the configuration. */
  close(): void {
    for (const key of [...this.#fds.keys()]) this.drop(key)
  }
}
