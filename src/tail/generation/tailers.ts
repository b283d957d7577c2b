/**
 * The tailers: every open file, by inode, by the followed path that leads to it, and those whose path leads elsewhere.
 *
 * Guarantees: one inode is followed once; of a path at most one tailer is live.
 */
import { inodeKey } from '../files/fingerprint.ts'
import type { Generation } from './generation.ts'
import type { Tailer } from './tailer.ts'

export class Tailers implements Iterable<Tailer> {
  /** In the order in which they were taken up. */
  readonly #byInode = new Map<string, Tailer>()
  readonly #byPath = new Map<string, Tailer>()
  /** By the path that their generations began under. Nearly always it is one, and a set for each takes memory. */
  readonly #byOrigin = new Map<string, Tailer | Set<Tailer>>()

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
    this.#index(tailer)
  }

  /** Another generation begins in the file. */
  begin(tailer: Tailer, generation: Generation): void {
    this.#unindex(tailer)
    tailer.begin(generation)
    this.#index(tailer)
  }

  /** A followed path leads to it again. */
  named(tailer: Tailer, path: string): void {
    tailer.path = path
    tailer.state = { kind: 'live' }
    this.#byPath.set(path, tailer)
  }

  /** Its path leads elsewhere: another file may carry that name now, and comes after this one. */
  setAside(tailer: Tailer): void {
    if (this.#byPath.get(tailer.path) === tailer) this.#byPath.delete(tailer.path)
  }

  /** Those whose generations began under a path. */
  of(origin: string): Iterable<Tailer> {
    const family = this.#byOrigin.get(origin)
    return family === undefined ? [] : family instanceof Set ? family : [family]
  }

  /** Those whose generations began under the same path before this one's: what they hold is read first. */
  eldersOf({ generation }: Tailer): Tailer[] {
    const family = this.#byOrigin.get(generation.origin.path)
    if (!(family instanceof Set)) return []
    const elders = [...family].filter(other => other.generation.isOlderThan(generation))
    return elders.sort((a, b) => (a.generation.isOlderThan(b.generation) ? -1 : 1))
  }

  delete(tailer: Tailer): void {
    this.#byInode.delete(inodeKey(tailer.inode))
    if (this.#byPath.get(tailer.path) === tailer) this.#byPath.delete(tailer.path)
    this.#unindex(tailer)
  }

  #index(tailer: Tailer): void {
    const { path } = tailer.generation.origin
    const family = this.#byOrigin.get(path)
    if (family === undefined) this.#byOrigin.set(path, tailer)
    else if (family instanceof Set) family.add(tailer)
    else if (family !== tailer) this.#byOrigin.set(path, new Set([family, tailer]))
  }

  #unindex(tailer: Tailer): void {
    const { path } = tailer.generation.origin
    const family = this.#byOrigin.get(path)
    if (family === tailer) this.#byOrigin.delete(path)
    if (!(family instanceof Set)) return
    family.delete(tailer)
    const [last] = family
    if (last === undefined) this.#byOrigin.delete(path)
    else if (family.size === 1) this.#byOrigin.set(path, last)
  }
}
