/**
 * Pins: hard links in the state folder to files that are not acknowledged yet.
 *
 * A handle keeps a deleted file alive as long as we live; a link keeps it alive through our own death too, and costs no
 * copy. Which files are pinned is `pinning.ts`' affair.
 *
 * Opportunistic: where links are not possible (another file system, a read-only mount, `fs.protected_hardlinks`)
 * nothing fails, and `health` says why not. A pin never changes what is read: it is one more name of the same inode.
 */
import { linkSync, lstatSync, readdirSync, unlinkSync } from 'node:fs'
import { join, sep } from 'node:path'
import { makeDirectory } from '../directory.ts'
import { codeOf } from '../errors.ts'
import type { Logger } from '../log.ts'
import { type Inode, inodeKey, inodeOf } from './fingerprint.ts'

export type PinHealth =
  /** No pin was needed yet, or the last one worked. `pinned`: those that the next process would find. */
  { readonly kind: 'works'; readonly pinned: number } | { readonly kind: 'impossible'; readonly reason: string }

/** After a failure nothing is tried for this long: milliseconds. */
const PAUSE = 10_000

const REASONS: Readonly<Record<string, string>> = {
  EXDEV: 'the state folder lies on another file system than the logs',
  EPERM: 'links are not permitted: the file is not ours (fs.protected_hardlinks), or the file system has none',
  EACCES: 'links are not permitted in the state folder',
  EROFS: 'the state folder is read-only',
  EMLINK: 'the file has too many links',
}

export class Pins {
  readonly #dir: string | undefined
  readonly #log: Logger
  readonly #pinned = new Set<string>()
  /** Those of them whose generation is on disk: without it a pin says nothing. */
  readonly #saved = new Set<string>()
  #reason: string | undefined
  #pausedUntil = 0

  /** `stateDir` null: nothing is ever pinned. */
  constructor(stateDir: string | null, log: Logger) {
    this.#dir = stateDir === null ? undefined : join(stateDir, 'pins')
    this.#log = log
    if (stateDir === null) this.#reason = 'there is no state folder'
  }

  get health(): PinHealth {
    return this.#reason === undefined
      ? { kind: 'works', pinned: this.#saved.size }
      : { kind: 'impossible', reason: this.#reason }
  }

  /** Whether the path is that of a pin. */
  holds(path: string): boolean {
    return this.#dir !== undefined && path.startsWith(this.#dir + sep)
  }

  has(generation: string): boolean {
    return this.#pinned.has(generation)
  }

  /** Where the pin of a generation is, or would be. */
  path(generation: string): string | undefined {
    return this.#dir && join(this.#dir, generation)
  }

  /** Links the file at `path` if it still is the inode. Returns whether it is pinned now. */
  pin(generation: string, path: string, inode: Inode): boolean {
    const pin = this.path(generation)
    if (this.#pinned.has(generation)) return true
    if (this.#dir === undefined || pin === undefined || performance.now() < this.#pausedUntil) return false
    try {
      makeDirectory(this.#dir)
      linkSync(path, pin)
      // The name may have been given to another file since we looked.
      if (inodeKey(inodeOf(lstatSync(pin, { bigint: true }))) === inodeKey(inode)) {
        this.#pinned.add(generation)
        this.#reason = undefined
        return true
      }
      unlinkSync(pin)
    } catch (error) {
      const code = codeOf(error)
      if (code === 'EEXIST') this.#pinned.add(generation)
      else if (code !== 'ENOENT') this.#failed(code)
      return code === 'EEXIST'
    }
    return false
  }

  /** The generation is on disk. */
  saved(generation: string): void {
    if (this.#pinned.has(generation)) this.#saved.add(generation)
  }

  release(generation: string): void {
    this.#saved.delete(generation)
    if (!this.#pinned.delete(generation)) return
    this.#unlink(generation)
  }

  /** Takes over the pins that an earlier process left: those of `generations` stay, the others go. */
  inherit(generations: ReadonlySet<string>): void {
    if (this.#dir === undefined) return
    let names: string[]
    try {
      names = readdirSync(this.#dir)
    } catch {
      return
    }
    for (const name of names) {
      if (generations.has(name)) {
        this.#pinned.add(name)
        this.#saved.add(name)
      } else if (/^[0-9a-f]{16}$/.test(name)) this.#unlink(name)
    }
  }

  #unlink(generation: string): void {
    try {
      unlinkSync(this.path(generation)!)
    } catch {
      // It is gone already, or stays until the next start; it holds space, not data.
    }
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
