/**
 * Listings: the names in directories, and where in them an inode is, asked for again and again by parts that look for one
 * file at a time.
 *
 * The application chooses how many names a directory has, and how many files change at once: listed anew for each of
 * thousands of files, a directory of thousands of names would take minutes. So a crowded one is listed anew only if it
 * has changed, and only as long as the names that are read in all stay within a rate. Beyond that an answer may be as old as the
 * last listing.
 *
 * Guarantees: a directory of few names is read each time, and one that has not changed is answered for as if it had been; what
 * reading takes is bounded by time, not by how often it is asked for; so are the names that are kept; nothing throws.
 */
import { type BigIntStats, fstatSync, readlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { CLOCK, type Clock } from '../../clock.ts'
import { type Inode, inodeKey, inodeOf } from './fingerprint.ts'
import { fileAt, isInode, namesIn, statPath } from './inodes.ts'

/** A directory of no more names is read each time. */
const FEW = 128
/** Names that may be read in a millisecond, which takes a twentieth of it, and at once. */
const RATE = 100
const BURST = 200_000
/** A stat takes as long as reading so many names. */
const STAT = 8
/** Files that may be opened in a millisecond, and at once. */
const OPEN_RATE = 2.5
const OPEN_BURST = 50_000
/** Names of crowded directories that are kept beside those of the latest one; and for how long: milliseconds. */
const MOST_KEPT = 30_000
const KEPT_FOR = 10_000
/** Two changes may have the same stamp: milliseconds, where times have whole seconds. Clocks of servers may be wrong. */
const TICK = 1100

interface Listing {
  readonly names: readonly string[]
  /** When it was made, and since when the directory had looked like this: milliseconds of the clock. */
  readonly at: number
  readonly since: number
  readonly looks: BigIntStats | undefined
  /** The names, by the keys of inodes. */
  inodes?: ReadonlyMap<string, string>
}

export class Listings {
  readonly #clock: Pick<Clock, 'now'>
  /** Of crowded directories, the latest last. */
  readonly #known = new Map<string, Listing>()
  #credit = BURST
  #opens = OPEN_BURST
  #paidAt: number

  constructor(clock: Pick<Clock, 'now'> = CLOCK) {
    this.#clock = clock
    this.#paidAt = clock.now()
  }

  /** The names in a directory. */
  names(directory: string): readonly string[] {
    return this.#listing(directory).names
  }

  /** The name that an inode has now in the directory of `path`. */
  nameOf(inode: Inode, path: string): string | undefined {
    const known = fileAt(path)
    if (known && isInode(known, inode)) return path
    const directory = dirname(path)
    const listing = this.#listing(directory)
    const { length } = listing.names
    if (length <= FEW) return find(directory, listing.names, inode)
    if (listing.inodes === undefined && !this.#pays(STAT * length)) return undefined
    if (length > MOST_KEPT) return find(directory, listing.names, inode)
    listing.inodes ??= inodesOf(directory, listing.names)
    const name = listing.inodes.get(inodeKey(inode))
    return name === undefined ? undefined : find(directory, [name], inode)
  }

  /**
   * The name that an open file has now, as the system tells it (proc(5), /proc/pid/fd). A file that got another name by
   * a link, and lost the one it was opened by, is looked for beside `path`. Undefined if it has none.
   */
  nameOfHandle(fd: number, inode: Inode, path: string): string | undefined {
    try {
      const name = readlinkSync(`/proc/self/fd/${fd}`)
      if (name.startsWith('/') && !name.endsWith(' (deleted)')) return name
      return fstatSync(fd).nlink > 0 ? this.nameOf(inode, path) : undefined
    } catch {
      return undefined
    }
  }

  #listing(directory: string): Listing {
    const now = this.#clock.now()
    const known = this.#known.get(directory)
    const looks = statPath(directory)
    const same = known !== undefined && isSame(looks, known.looks)
    if (same && known.at - known.since > TICK) return known
    if (known && !this.#pays(known.names.length)) return known
    const names = namesIn(directory)
    this.#known.delete(directory)
    if (names.length <= FEW) return { names, at: now, since: now, looks }
    if (known === undefined) this.#credit -= names.length
    // Of one that is met for the first time nothing is known of when it changed.
    const listing: Listing = { names, at: now, since: same ? known.since : now, looks }
    this.#known.set(directory, listing)
    this.#forget(now)
    return listing
  }

  /** Whether so many files of a directory may be opened for one that is looked for, which is reckoned with if so. */
  mayOpen(files: number): boolean {
    this.#earn()
    if (files > FEW && this.#opens < files) return false
    this.#opens -= files
    return true
  }

  #earn(): void {
    const now = this.#clock.now()
    const passed = now - this.#paidAt
    this.#credit = Math.min(BURST, this.#credit + passed * RATE)
    this.#opens = Math.min(OPEN_BURST, this.#opens + passed * OPEN_RATE)
    this.#paidAt = now
  }

  /** Whether so many names may be read, which is reckoned with if so. */
  #pays(names: number): boolean {
    this.#earn()
    // However many there are, they may be read from time to time.
    if (this.#credit < Math.min(names, BURST)) return false
    this.#credit -= names
    return true
  }

  #forget(now: number): void {
    let names = 0
    for (const [directory, listing] of [...this.#known].reverse()) {
      const latest = names === 0
      names += listing.names.length
      if (!latest && (names > MOST_KEPT || now - listing.at > KEPT_FOR)) this.#known.delete(directory)
    }
  }
}

/** One for all: what may be read is a matter of the process. */
export const LISTINGS = new Listings()

function isSame(one: BigIntStats | undefined, other: BigIntStats | undefined): boolean {
  if (one === undefined || other === undefined) return false
  return one.ino === other.ino && one.mtimeNs === other.mtimeNs && one.ctimeNs === other.ctimeNs
}

function find(directory: string, names: readonly string[], inode: Inode): string | undefined {
  for (const name of names) {
    const path = join(directory, name)
    const stats = fileAt(path)
    if (stats && isInode(stats, inode)) return path
  }
  return undefined
}

function inodesOf(directory: string, names: readonly string[]): ReadonlyMap<string, string> {
  const inodes = new Map<string, string>()
  for (const name of names) {
    const stats = fileAt(join(directory, name))
    if (stats) inodes.set(inodeKey(inodeOf(stats)), name)
  }
  return inodes
}
