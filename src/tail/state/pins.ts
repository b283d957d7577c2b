/**
 * Pins: hard links to files that are not acknowledged yet.
 *
 * A handle keeps a deleted file alive as long as we live; a link keeps it alive through our own death too, and costs no
 * copy. Which files are pinned is `pinning.ts`' affair.
 *
 *     <state.dir>/pins/KEY            where that is on the file system of the logs
 *     <root>/.logshipper/TAG/KEY      elsewhere: in the directory in front of the pattern's first wildcard. TAG stands for
 *                                     the state that the pins belong to, for others may follow the same logs
 *
 * The latter lies among the logs and is the application's, which may put there what it likes: a pin is only taken if it is
 * the inode that was linked, and only files that are called as pins are, in a directory of ours, are ever unlinked.
 *
 * Opportunistic: where links are not possible (a read-only mount, `fs.protected_hardlinks`) nothing fails, and `health`
 * says why not. A pin never changes what is read: it is one more name of the same inode.
 */
import { hash } from 'node:crypto'
import { closeSync, linkSync } from 'node:fs'
import { sep } from 'node:path'
import { codeOf } from '../../errors.ts'
import type { Logger } from '../../log.ts'
import type { PrivateDirectory } from '../../private.ts'
import type { LogRoot, StateDirectory } from '../../state.ts'
import { type Inode, inodeKey, inodeOf } from '../files/fingerprint.ts'
import { isInode } from '../files/inodes.ts'
import { isBelow, type OpenFile } from '../files/open.ts'

export type PinHealth =
  /** No pin was needed yet, or the last one worked. `pinned`: those that the next process would find. */
  { readonly kind: 'works'; readonly pinned: number } | { readonly kind: 'impossible'; readonly reason: string }

/** After a failure nothing is tried for this long: milliseconds. */
const PAUSE = 10_000
const NAME = /^[0-9a-f]{16}$/

const REASONS: Readonly<Record<string, string>> = {
  EXDEV: 'the logs lie on another file system than the state directory and than the directory they are found in',
  EPERM: 'links are not permitted: the file is not ours (fs.protected_hardlinks), or the file system has none',
  EACCES: 'links are not permitted in the state directory, nor beside the logs',
  EROFS: 'the state directory, or the one of the logs, is read-only',
  EMLINK: 'the file has too many links',
  NOT_PRIVATE: 'the directory for them is not ours alone',
  LEADS_ELSEWHERE: 'the directory of the logs leads elsewhere than at the start',
}

export class Pins {
  readonly #state: StateDirectory | null
  readonly #roots: readonly LogRoot[]
  readonly #log: Logger
  /** Where the pin of a generation is. */
  readonly #pinned = new Map<string, PrivateDirectory>()
  /** Those of them whose generation is on disk: without it a pin says nothing. */
  readonly #saved = new Set<string>()
  #tag = ''
  #reason: string | undefined
  #pausedUntil = 0

  /** `state` null: nothing is ever pinned. `roots`: the directories that logs are found below. */
  constructor(state: StateDirectory | null, log: Logger, roots: readonly LogRoot[] = []) {
    this.#state = state
    this.#roots = logRootsOf(roots)
    this.#log = log
    if (state === null) this.#reason = 'there is no state directory'
  }

  get health(): PinHealth {
    return this.#reason === undefined
      ? { kind: 'works', pinned: this.#saved.size }
      : { kind: 'impossible', reason: this.#reason }
  }

  /** Whether the path is that of a pin. */
  holds(path: string): boolean {
    // Asked of every file, and there may be many roots.
    if (!path.includes('/pins/') && !path.includes('/.logshipper/')) return false
    return this.#directories().some(({ path: directory, real }) =>
      [directory, real].some(each => path.startsWith(each + sep)),
    )
  }

  has(generation: string): boolean {
    return this.#pinned.has(generation)
  }

  /** Where the pin of a generation is. */
  path(generation: string): string | undefined {
    return this.#pinned.get(generation)?.pathOf(generation)
  }

  /** The pin of a generation, open, if it is that inode; undefined otherwise. */
  open(generation: string, inode: Inode): { readonly path: string; readonly opened: OpenFile } | undefined {
    const directory = this.#pinned.get(generation)
    if (directory === undefined) return undefined
    try {
      const stats = directory.stat(generation)
      if (stats === undefined || !stats.isFile() || !isInode(stats, inode)) return undefined
      const { fd, stats: opened } = directory.openLinked(generation)
      if (isInode(opened, inode)) {
        return { path: directory.pathOf(generation), opened: { kind: 'open', fd, stats: opened } }
      }
      closeSync(fd)
    } catch {
      // It is gone, or may not be read.
    }
    return undefined
  }

  /** Links the file at `path` if it still is the inode. Returns whether it is pinned now. */
  pin(generation: string, path: string, inode: Inode): boolean {
    if (this.#pinned.has(generation)) return true
    if (this.#state === null || performance.now() < this.#pausedUntil) return false
    try {
      const directory = this.#link(this.#state, generation, path)
      // The name may have been given to another file since we looked.
      const linked = directory.stat(generation)
      if (linked !== undefined && inodeKey(inodeOf(linked)) === inodeKey(inode)) {
        this.#pinned.set(generation, directory)
        this.#reason = undefined
        return true
      }
      directory.remove(generation)
    } catch (error) {
      const code = codeOf(error)
      if (code !== 'ENOENT') this.#failed(code)
    }
    return false
  }

  /** The generation is on disk. */
  saved(generation: string): void {
    if (this.#pinned.has(generation)) this.#saved.add(generation)
  }

  release(generation: string): void {
    this.#saved.delete(generation)
    const directory = this.#pinned.get(generation)
    if (this.#pinned.delete(generation)) unlink(directory!, generation)
  }

  /**
   * Takes over the pins that an earlier process left: those of `generations` stay, the others go. `epoch` is that of the
   * state that they belong to.
   */
  inherit(generations: ReadonlySet<string>, epoch: string): void {
    if (this.#state === null) return
    this.#tag = hash('sha1', `pins ${epoch}`, 'hex').slice(0, 16)
    for (const directory of this.#directories()) {
      for (const name of directory.names()) {
        if (!NAME.test(name) || directory.stat(name)?.isFile() !== true) continue
        if (generations.has(name)) {
          this.#pinned.set(name, directory)
          this.#saved.add(name)
        } else unlink(directory, name)
      }
    }
  }

  /** In the state directory, or beside the log where that is on another file system. */
  #link(state: StateDirectory, generation: string, path: string): PrivateDirectory {
    try {
      const directory = state.sub('pins')
      link(path, directory, generation)
      return directory
    } catch (error) {
      const root = this.#roots.find(({ directory }) => isBelow(path, directory))
      if (codeOf(error) !== 'EXDEV' || root === undefined || this.#tag === '') throw error
      const directory = state.beside(root, this.#tag, true)!
      link(path, directory, generation)
      return directory
    }
  }

  /** Those that are there. */
  #directories(): PrivateDirectory[] {
    const state = this.#state
    if (state === null) return []
    const beside = this.#roots.map(root => {
      try {
        return this.#tag === '' ? undefined : state.beside(root, this.#tag, false)
      } catch {
        // It is not ours: nothing of it is used, and nothing is removed there.
        return undefined
      }
    })
    return [state.existing('pins'), ...beside].filter(each => each !== undefined)
  }

  #failed(code: string): void {
    const reason = REASONS[code] ?? code
    this.#pausedUntil = performance.now() + PAUSE
    if (reason === this.#reason) return
    this.#reason = reason
    this.#log.info(
      { event: 'pin_failed', code, reason },
      'unacknowledged files cannot be pinned; a death while they are deleted would lose them',
    )
  }
}

/** One for each directory, the deepest first: what lies where any of the sources that begin there allows. */
function logRootsOf(roots: readonly LogRoot[]): LogRoot[] {
  return [...Map.groupBy(roots, ({ directory }) => directory)]
    .map(([directory, same]) => ({ directory, holds: (real: string) => same.some(root => root.holds(real)) }))
    .sort((a, b) => b.directory.length - a.directory.length)
}

/** What is in the way under that name is a pin of before, or none of ours. */
function link(path: string, directory: PrivateDirectory, generation: string): void {
  try {
    linkSync(path, directory.at(generation))
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error
    directory.remove(generation)
    linkSync(path, directory.at(generation))
  }
}

function unlink(directory: PrivateDirectory, generation: string): void {
  try {
    directory.remove(generation)
  } catch {
    // It stays until the next start; it holds space, not data.
  }
}
