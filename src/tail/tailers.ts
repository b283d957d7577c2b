/**
 * The tailers: every open file, by inode, by the followed path that leads to it, and those whose path leads elsewhere.
 *
 * Guarantees: one inode is followed once; of a path at most one tailer is live.
 */
import { inodeKey } from './fingerprint.ts'
import type { Tailer } from './tailer.ts'

export class Tailers implements Iterable<Tailer> {
  /** In the order in which they were taken up. */
  readonly #byInode = new Map<string, Tailer>()
  readonly #byPath = new Map<string, Tailer>()
  readonly #aside = new Set<Tailer>()

  get size(): number {
    return this.#byInode.size
  }

  [Symbol.iterator](): Iterator<Tailer> {
    return this.#byInode.values()
  }

  /** `key` as by `inodeKey`. */
  has(key: string): boolean {
    return this.#byInode.has(key)
  }

  get(key: string): Tailer | undefined {
    return this.#byInode.get(key)
  }

  /** The tailer that a followed path leads to, as far as we know. */
  at(path: string): Tailer | undefined {
    return this.#byPath.get(path)
  }

  /** `aside`: its path leads elsewhere, perhaps to another tailer; `setAside` follows. */
  add(tailer: Tailer, aside = false): void {
    this.#byInode.set(inodeKey(tailer.inode), tailer)
    if (!aside) this.#byPath.set(tailer.path, tailer)
  }

  /** A followed path leads to it again. */
  named(tailer: Tailer, path: string): void {
    tailer.path = path
    tailer.state = { kind: 'live' }
    this.#aside.delete(tailer)
    this.#byPath.set(path, tailer)
  }

  /** Its path leads elsewhere: another file may carry that name now, and comes after this one. */
  setAside(tailer: Tailer): void {
    if (this.#byPath.get(tailer.path) === tailer) this.#byPath.delete(tailer.path)
    this.#aside.add(tailer)
  }

  /** Those that had a name before the file that carries it now. */
  eldersOf(path: string): Tailer[] {
    return [...this.#aside].filter(({ generation }) => generation.origin.path === path)
  }

  delete(tailer: Tailer): void {
    this.#byInode.delete(inodeKey(tailer.inode))
    this.#aside.delete(tailer)
    if (this.#byPath.get(tailer.path) === tailer) this.#byPath.delete(tailer.path)
  }
}
