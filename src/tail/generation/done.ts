/**
 * Finished files that are remembered for a while, because names come back, and so does content: a file that is finished
 * is not read again under another name, nor out of an archive that was made of it.
 */

import { type Inode, inodeKey } from '../files/fingerprint.ts'
import { sameBirth } from '../files/inodes.ts'
import type { SavedGeneration } from '../state/checkpoint.ts'

/** The oldest is forgotten beyond so many: of files that are there, and of those that are gone. */
const MOST = 512
const MOST_GONE = 256

export class Done implements Iterable<SavedGeneration> {
  readonly #byInode = new Map<string, SavedGeneration>()
  /** Those whose inode is gone, by the generation's key. */
  readonly #gone = new Map<string, SavedGeneration>()

  /** The number of an inode that was freed is given to the next file at once: that is another one. */
  has(inode: Inode): boolean {
    return this.at(inode) !== undefined
  }

  at(inode: Inode): SavedGeneration | undefined {
    const saved = this.#byInode.get(inodeKey(inode))
    return saved && sameBirth(saved.inode, inode) ? saved : undefined
  }

  /** As `at`, by the key of an inode alone. */
  byKey(key: string): SavedGeneration | undefined {
    return this.#byInode.get(key)
  }

  /** Those that may still be there. */
  [Symbol.iterator](): Iterator<SavedGeneration> {
    return this.#byInode.values()
  }

  /** Those that are gone. */
  get gone(): Iterable<SavedGeneration> {
    return this.#gone.values()
  }

  remember(saved: SavedGeneration): void {
    const key = inodeKey(saved.inode)
    const former = this.#byInode.get(key)
    if (former && former.key !== saved.key) this.rememberGone(former)
    this.#byInode.set(key, saved)
    const oldest = this.#byInode.keys().next().value
    if (this.#byInode.size > MOST && oldest !== undefined) this.#byInode.delete(oldest)
  }

  /** Its inode is gone, or holds something else: what is known of its content stays. */
  rememberGone(saved: SavedGeneration): void {
    if (saved.head.length === 0) return
    this.#gone.delete(saved.key)
    this.#gone.set(saved.key, { ...saved, done: true, gone: true })
    const oldest = this.#gone.keys().next().value
    if (this.#gone.size > MOST_GONE && oldest !== undefined) this.#gone.delete(oldest)
  }

  /** Takes it out, because the file is looked after again. */
  take(key: string): SavedGeneration | undefined {
    const saved = this.#byInode.get(key)
    this.#byInode.delete(key)
    return saved
  }
}
