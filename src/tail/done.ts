/** Finished files that are remembered for a while, because names come back: one that does is not read again. */

import type { SavedGeneration } from './checkpoint.ts'
import { type Inode, inodeKey } from './fingerprint.ts'
import { sameBirth } from './inodes.ts'

/** The oldest is forgotten beyond so many. */
const MOST = 512

export class Done implements Iterable<SavedGeneration> {
  readonly #byInode = new Map<string, SavedGeneration>()

  /** The number of an inode that was freed is given to the next file at once: that is another one. */
  has(inode: Inode): boolean {
    const saved = this.#byInode.get(inodeKey(inode))
    return saved !== undefined && sameBirth(saved.inode, inode)
  }

  [Symbol.iterator](): Iterator<SavedGeneration> {
    return this.#byInode.values()
  }

  remember(saved: SavedGeneration): void {
    this.#byInode.set(inodeKey(saved.inode), saved)
    if (this.#byInode.size > MOST) this.#byInode.delete(this.#byInode.keys().next().value!)
  }

  /** Takes it out, because somebody looks after the file again. */
  take(key: string): SavedGeneration | undefined {
    const saved = this.#byInode.get(key)
    this.#byInode.delete(key)
    return saved
  }
}
