/**
 * Vacated names: finding the files that were rotated away from a followed name before anybody saw them under it.
 *
 * A file that carries a rotation's name (a number or a date put in), that nobody knows and that was born after the
 * youngest file that was followed under the original name must have been written under that name meanwhile. Where no
 * file was ever followed under it, everything that was born since our start was: older ones were there before us, and
 * nobody asked for them. Without birth times there is no telling.
 */
import { closeSync } from 'node:fs'
import { type Inode, inodeKey, inodeOf } from './fingerprint.ts'
import type { Generation } from './generation.ts'
import type { Lineage } from './lineage.ts'
import type { OpenFile } from './open.ts'
import type { SourceOptions } from './options.ts'
import { findMissed, mayBeCopyOf } from './siblings.ts'
import type { Tailer } from './tailer.ts'
import type { Tailers } from './tailers.ts'

/** For so long after a path lost its file, what was rotated away from it is looked for: milliseconds. */
const LOOK_AGAIN = 3000

/** A look may miss a name that is being changed just then, so one look is not enough. */
interface Vacancy {
  readonly source: SourceOptions
  /** When the youngest file that had been followed there was born; undefined: none was. */
  readonly birth: string | undefined
  readonly until: number
}

export interface VacatedParts {
  readonly tailers: Tailers
  readonly lineage: Lineage
  /** Whether somebody knows an inode. */
  known(inode: Inode): boolean
  /** Whether there is a file handle for one more. */
  room(): boolean
  /** A file that was rotated away from `origin` and may not be opened now: it is looked for until it may. */
  shut(source: SourceOptions, origin: string, path: string): void
  /** Looks at a file now. */
  poll(tailer: Tailer): void
  /** Follows a file that is not under a followed name. */
  follow(path: string, opened: OpenFile, generation: Generation): void
}

export class Vacated {
  readonly #parts: VacatedParts
  readonly #births = new Map<string, string>()
  /** The inodes of which a checkpoint told. What stands in one of them and is not known by that has been written anew. */
  readonly #former = new Set<string>()
  readonly #vacancies = new Map<string, Vacancy>()
  /** Nanoseconds since the epoch, as birth times are. */
  readonly #startedAt = String(BigInt(Date.now()) * 1_000_000n)

  constructor(parts: VacatedParts) {
    this.#parts = parts
  }

  /** A file of this birth is, or was, followed under the path. */
  born(path: string, { birth }: Inode): void {
    const youngest = this.#births.get(path)
    if (youngest === undefined || BigInt(birth) > BigInt(youngest)) this.#births.set(path, birth)
  }

  /** As `born`, of a file that was followed before our start. */
  bornBefore(path: string, inode: Inode): void {
    this.#former.add(inodeKey(inode))
    this.born(path, inode)
  }

  /** The path has just lost its file. */
  left(path: string, source: SourceOptions): void {
    const birth = this.#vacancies.get(path)?.birth ?? this.#births.get(path)
    this.#vacancies.set(path, { source, birth, until: performance.now() + LOOK_AGAIN })
  }

  /**
   * The path may have lost files while we were not there. Who had been followed there by then counts, and not the copy
   * in which one of them is found again: a file that was emptied after that copy is older than it.
   */
  mayHaveLeft(path: string, source: SourceOptions): void {
    this.#vacancies.set(path, { source, birth: this.#births.get(path), until: 0 })
  }

  /** What looks like a rotation of a path that nobody has followed yet has appeared. */
  strayed(path: string, source: SourceOptions): void {
    if (!this.#births.has(path)) this.left(path, source)
  }

  /** Looks at all paths that lost their file lately. */
  catchUpAll(): void {
    if (this.#vacancies.size === 0 || !this.#parts.room()) return
    const now = performance.now()
    for (const [path, { source, birth, until }] of this.#vacancies) {
      this.#catchUp(source, path, birth)
      if (now >= until) this.#vacancies.delete(path)
    }
  }

  /** Before another file is followed under `path`. */
  catchUp(source: SourceOptions, path: string): void {
    // A folder of many new files must not be listed for each of them.
    if (!this.#births.has(path) && !this.#vacancies.has(path)) return
    this.#catchUp(source, path, this.#vacancies.get(path)?.birth)
  }

  #catchUp(source: SourceOptions, path: string, birth = this.#births.get(path) ?? this.#startedAt): void {
    const { tailers, known, lineage } = this.#parts
    // A copy must not be taken for a rotated file: the truncation that explains it may have happened already.
    for (const tailer of [...tailers]) if (tailer.generation.origin.path === path) this.#parts.poll(tailer)
    const denied = (name: string) => this.#parts.shut(source, path, name)
    for (const { path: name, opened } of findMissed(path, birth, known, denied)) {
      if ([...tailers].some(tailer => mayBeCopyOf(name, opened, tailer))) closeSync(opened.fd)
      else {
        const inode = inodeOf(opened.stats)
        const incarnation = this.#former.has(inodeKey(inode)) ? Date.now() : 0
        this.#parts.follow(name, opened, lineage.begun(source, path, inode, incarnation))
      }
    }
  }
}
