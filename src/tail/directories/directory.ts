/**
 * A directory of the volume: what is known of it, and whether what was listed still holds. There may be tens of thousands,
 * so it is small: times are whole milliseconds, what is yes or no is a bit, and what few have is kept elsewhere.
 *
 * A directory is told from another by device and inode, and has changed if its times have. File systems stamp in ticks: of
 * some milliseconds, of a whole second (ext3, ext4 with small inodes, NFS). A listing is final only if the directory had
 * looked the same for longer than a tick before it; until then what was made within the tick may be missing from it.
 * Clocks of servers may be wrong, so how long that is is measured by ours. And however it looks, a directory is listed
 * again from time to time.
 */
import type { Stats } from 'node:fs'
import type { Found } from './found.ts'
import type { Reach } from './reach.ts'

/** Milliseconds within which two changes may have the same stamp: where times have fractions, and where they have none. */
const TICK = 100
const WHOLE_SECOND = 1100
/** What changed so long ago by the file system's own clock changed more than a tick ago by any: milliseconds. */
const LONG_AGO = 60_000
/** However a directory looks it is listed again after so long, or so many times what that took: milliseconds. */
const SURE = 30_000
const SURE_SHARE = 200
/** Directories of no more bytes have some thousands of names at the most, where the file system tells how large they are. */
const SMALL = 64 * 1024

/** A path that matched when its directory was listed last. */
export interface Entry extends Found {
  /** The source's place among all. */
  readonly order: number
  /** It may be anything but a regular file. */
  readonly other: boolean
  /** When it was found: milliseconds. */
  readonly since: number
  /** The listing that had it. */
  listing: number
  /** The next one in its directory. */
  next: Entry | undefined
}

/** How a directory looks: what `stat` says of it that tells it from others, and from itself after a change. */
export type Looks = Pick<Stats, 'dev' | 'ino' | 'ctimeMs' | 'mtimeMs' | 'size'>

const BUSY = 1
const DROPPED = 2
const WHOLE = 4
const COMPACT = 8
const LISTED = 16

export class Directory {
  readonly path: string
  readonly parent: Directory | undefined
  reach: Reach
  /** Lists, for there may be as many directories as files: the first directory in it, and the next one beside it. */
  child: Directory | undefined
  sibling: Directory | undefined
  /** The first of what matched in it. */
  entries: Entry | undefined
  /** How many names stood in it when it was listed last, and what that took: milliseconds. */
  names = 0
  cost = 0
  /** The listing of its parent that had it. */
  listing = 0
  #flags = 0
  #device = -1
  #inode = -1
  /** The sum of its times: if one of them changes, so does that. */
  #stamp = -1
  /** Since when it has looked like this, and when it was listed last: milliseconds. */
  #since = 0
  #listedAt = -1

  constructor(path: string, parent: Directory | undefined, reach: Reach) {
    this.path = path
    this.parent = parent
    this.reach = reach
  }

  /** It is being listed. */
  get busy(): boolean {
    return (this.#flags & BUSY) !== 0
  }

  /** It is not looked into any more. */
  get dropped(): boolean {
    return (this.#flags & DROPPED) !== 0
  }

  /** It takes few bytes, which means few names where the file system tells how large directories are. */
  get compact(): boolean {
    return (this.#flags & COMPACT) !== 0
  }

  get device(): number {
    return this.#device
  }

  /** It has been listed, or is being listed, since it changed last. */
  get listed(): boolean {
    return (this.#flags & LISTED) !== 0
  }

  /** Milliseconds since it was listed last. */
  age(now: number): number {
    return now - this.#listedAt
  }

  /** For how long it has looked the same: milliseconds. */
  steady(now: number): number {
    return now - this.#since
  }

  /** The larger the later it changed, by the file system's clock. */
  get changed(): number {
    return this.#stamp
  }

  /** Takes note of how it looks; `wall` is the time of day. Returns whether it is another directory than before. */
  see({ dev, ino, ctimeMs, mtimeMs, size }: Looks, now: number, wall: number): boolean {
    this.#set(COMPACT, size > 0 && size <= SMALL)
    const other = dev !== this.#device || ino !== this.#inode
    if (!other && ctimeMs + mtimeMs === this.#stamp) return false
    this.#device = dev
    this.#inode = ino
    this.#stamp = ctimeMs + mtimeMs
    this.#set(WHOLE, ctimeMs % 1000 === 0 && mtimeMs % 1000 === 0)
    const longAgo = wall - Math.max(ctimeMs, mtimeMs) > LONG_AGO
    this.#since = longAgo ? now - LONG_AGO : now
    this.doubt()
    return other
  }

  /** Whether it looks as it did when `see` was called last. */
  looks({ dev, ino, ctimeMs, mtimeMs }: Looks): boolean {
    return dev === this.#device && ino === this.#inode && ctimeMs + mtimeMs === this.#stamp
  }

  /** Whether it has to be listed. `beyond`: it was listed so long ago that it is to be listed however it looks. */
  isDue(now: number, beyond = SURE): boolean {
    if (!this.listed || now - this.#listedAt > Math.max(beyond, SURE_SHARE * this.cost)) return true
    return !this.isFinal
  }

  /** Whether the last listing has everything that was there. */
  get isFinal(): boolean {
    return this.#listedAt - this.#since > (this.#flags & WHOLE ? WHOLE_SECOND : TICK)
  }

  /** It is being listed. */
  begin(now: number): void {
    this.#listedAt = now
    this.#set(LISTED | BUSY, true)
  }

  /** It has been listed. `whole`: to its end. */
  end(whole: boolean): void {
    this.#set(BUSY, false)
    if (!whole) this.doubt()
  }

  /** What is known of what is in it counts no more. */
  doubt(): void {
    this.#set(LISTED, false)
  }

  drop(): void {
    this.#set(DROPPED, true)
  }

  #set(flags: number, value: boolean): void {
    this.#flags = value ? this.#flags | flags : this.#flags & ~flags
  }
}
