/**
 * A snapshot: what stands in directories at one moment, for a start.
 *
 * Thousands of generations may be looked for at once, each among thousands of names, and the application chooses how many:
 * looked through for each of them anew, a directory would keep everything waiting for minutes. So each is listed once,
 * each of its files is opened once, and what begins alike is found by a hash.
 *
 * Guarantees: a bounded number of files is opened for each directory; of each one KiB is kept for as long as the snapshot
 * is; nothing throws.
 */
import { hash } from 'node:crypto'
import { closeSync, readSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { HEAD_BYTES, type Head, type Inode, inodeKey } from '../files/fingerprint.ts'
import { fileAt, inodesIn, isInode, nameOf, namesIn } from '../files/inodes.ts'
import { type Bound, openRegular } from '../files/open.ts'

/** Files opened in one directory at the most. */
const MOST_OPENED = 20_000
/** How often a directory is looked through for what has no beginning that is known. */
const MOST_BLANK = 64

interface Beginning {
  readonly path: string
  readonly bytes: Buffer
}

export class Snapshot {
  readonly #names = new Map<string, readonly string[]>()
  readonly #inodes = new Map<string, ReadonlyMap<string, string>>()
  readonly #beginnings = new Map<string, readonly Beginning[]>()
  /** By directory and length: the paths by the hash of their first so many bytes. */
  readonly #alike = new Map<string, ReadonlyMap<string, ReadonlySet<string>>>()
  readonly #blank = new Map<string, number>()

  /** The names in a directory. */
  names(directory: string): readonly string[] {
    return remembered(this.#names, directory, () => namesIn(directory))
  }

  /** The names of the regular files in a directory, by the key of their inodes. */
  inodes(directory: string): ReadonlyMap<string, string> {
    return remembered(this.#inodes, directory, () => inodesIn(directory))
  }

  /** The name that an inode has in the directory where it was last seen. */
  nameOf(inode: Inode, path: string): string | undefined {
    const name = this.inodes(dirname(path)).get(inodeKey(inode))
    if (name === undefined) return undefined
    const stats = fileAt(name)
    // It may have been renamed meanwhile.
    return stats !== undefined && isInode(stats, inode) ? name : nameOf(inode, path)
  }

  /**
   * The files of a directory that begin as `head` says. Undefined where that says nothing, so that all are to be looked
   * at; after that was often done, none are.
   */
  beginLike(directory: string, head: Head, bounds: readonly Bound[]): ReadonlySet<string> | undefined {
    if (head.length === 0) {
      const times = (this.#blank.get(directory) ?? 0) + 1
      this.#blank.set(directory, times)
      return times > MOST_BLANK && this.names(directory).length > MOST_BLANK ? NONE : undefined
    }
    const byHash = remembered(this.#alike, `${head.length}:${directory}`, () => {
      const alike = new Map<string, Set<string>>()
      for (const { path, bytes } of this.#beginningsIn(directory, bounds)) {
        if (bytes.length < head.length) continue
        const key = hashOf(bytes.subarray(0, head.length))
        alike.set(key, (alike.get(key) ?? new Set()).add(path))
      }
      return alike
    })
    return byHash.get(head.hash) ?? NONE
  }

  #beginningsIn(directory: string, bounds: readonly Bound[]): readonly Beginning[] {
    return remembered(this.#beginnings, directory, () => {
      const beginnings: Beginning[] = []
      const scratch = Buffer.allocUnsafe(HEAD_BYTES)
      for (const name of this.names(directory).slice(0, MOST_OPENED)) {
        const path = join(directory, name)
        const opened = openRegular(path, bounds)
        if (opened.kind !== 'open') continue
        try {
          const length = readSync(opened.fd, scratch, 0, HEAD_BYTES, 0)
          beginnings.push({ path, bytes: Buffer.from(scratch.subarray(0, length)) })
        } catch {
          // It cannot be read, so it is no copy of anything.
        } finally {
          closeSync(opened.fd)
        }
      }
      return beginnings
    })
  }
}

const NONE: ReadonlySet<string> = new Set()

/** As a head has it. */
function hashOf(bytes: Buffer): string {
  return hash('sha1', bytes, 'buffer').toString('hex', 0, 10)
}

function remembered<T>(known: Map<string, T>, key: string, make: () => T): T {
  const before = known.get(key)
  if (before !== undefined) return before
  const made = make()
  known.set(key, made)
  return made
}
