/**
 * A tailer: the life of one open file.
 *
 *            path names another inode,       last link gone
 *            or nothing                      ┌──────────────────────┐
 *     ┌──────┐ ─────────────► ┌─────────┐ ───┘  ┌─────────┐        ▼
 *     │ live │                │ rotated │       │ deleted │ ◄──────┘
 *     └──────┘ ◄───────────── └─────────┘       └─────────┘
 *            found again by     │ read to its end, acknowledged, quiet
 *            the sweep          ▼               ▼
 *                            ┌────────┐
 *                            │ closed │
 *                            └────────┘
 *
 * The descriptor stays open until everything is read and acknowledged and nothing was written for a while. A tailer
 * looks (`poll`) and says what it saw; `following/` decides what to do about a truncation, since it takes other files.
 * Looking never throws and never blocks on anything but a stat.
 */
import { type BigIntStats, closeSync, fstatSync } from 'node:fs'
import {
  growHead,
  HEAD_BYTES,
  type Inode,
  inodeOf,
  MARKER_BYTES,
  markerMatches,
  NO_HEAD,
  NO_PREFIXES,
  readHead,
  readLines,
  readPrefixes,
  readText,
  stands,
} from '../files/fingerprint.ts'
import { timesOf } from '../files/growth.ts'
import { statPath } from '../files/inodes.ts'
import { LISTINGS } from '../files/listings.ts'
import type { SavedGeneration } from '../state/saved.ts'
import type { Cursor, Generation } from './generation.ts'

export type TailerState =
  /** Its path leads to it. */
  | { readonly kind: 'live' }
  /** It has a name, but not the one it was opened by. */
  | { readonly kind: 'rotated'; readonly since: number }
  /** It has no name any more. */
  | { readonly kind: 'deleted'; readonly since: number }
  | { readonly kind: 'closed' }

/**
 * What the end of a file means. `open`: more may be written there. `drain`: an unfinished last line is taken, for
 * it may never be read later; the room behind it stays, for it may. `quiet`: it lost its name and nothing was
 * written for a while: it ends there.
 */
export type Ending = 'open' | 'drain' | 'quiet'

/** What a look at the file showed. */
export type Sight =
  /** Nothing to do, or more to read: `unread` says which. */
  | { readonly kind: 'intact'; readonly unread: boolean; readonly changed: boolean }
  /** The end was cut off, what was read before still stands: `bytes` are gone unread. */
  | { readonly kind: 'shortened'; readonly bytes: number }
  /** Other content stands where we have read: a new generation. */
  | { readonly kind: 'replaced' }

/** Shared, for there may be thousands: it never changes. */
const LIVE: TailerState = { kind: 'live' }

/** How long a file that lost its name stays open after the last write, in milliseconds. */
const QUIET = { rotated: 30_000, deleted: 3_000 } as const

export class Tailer {
  readonly fd: number
  readonly inode: Inode
  /** The name it was last seen under. */
  path: string
  generation: Generation
  /** Size and modification time at the last look. */
  size: number
  state: TailerState = LIVE
  /** It lost its name and nothing was written for a while: a last line without a line end will get none. */
  ending = false
  /** It was empty when its content was replaced: what is written to it first says whether it is a copy. */
  emptied = false
  /** It could not be read when that was tried last. */
  failing = false
  /** One of its names is a pin of ours. */
  pinned = false
  /** When to look next, and when it last changed: milliseconds of the monotonic clock. */
  due = 0
  changedAt: number
  #mtime: bigint
  #before: bigint
  /** While the head grows: what stands there if the file is cut off within it. */
  #prefixes = NO_PREFIXES

  constructor(fd: number, path: string, stats: BigIntStats, generation: Generation, now: number) {
    this.fd = fd
    this.path = path
    // One and the same, as a rule: there may be thousands of them.
    this.inode = isSame(inodeOf(stats), generation.inode) ? generation.inode : inodeOf(stats)
    this.generation = generation
    this.size = Number(stats.size)
    if (this.size > generation.size) generation.size = this.size
    generation.growth.found(timesOf(stats), generation.settled)
    this.changedAt = now
    this.#mtime = stats.mtimeNs
    this.#before = stats.mtimeNs
    this.#see(this.size, generation.furthest)
  }

  /** It is not looked at any more. */
  get closed(): boolean {
    return this.state.kind === 'closed'
  }

  /** Modification time at the last look, in nanoseconds. */
  get modified(): bigint {
    return this.#mtime
  }

  /** And at the one before. */
  get modifiedBefore(): bigint {
    return this.#before
  }

  /** Where its data ends: NULs behind that are room that its writer has set aside. */
  get extent(): number {
    return this.generation.extent(this.size)
  }

  /** What its end means; `final`: nothing is written any more, as far as is known. */
  endingIf(final: boolean): Ending {
    return this.ending ? 'quiet' : final ? 'drain' : 'open'
  }

  /** Whether the cursor has something to read or to look at here. */
  hasUnread({ read, scanned, ahead }: Cursor, final: boolean): boolean {
    switch (this.endingIf(final)) {
      case 'open':
        return scanned < this.size
      case 'drain':
        return read < this.extent || (ahead.stale && read < this.size)
      case 'quiet':
        return read < this.size
    }
  }

  /** Looks at the file. `final`: an unfinished last line counts as unread too. */
  poll(now: number, final: boolean): Sight {
    let stats: BigIntStats | undefined
    try {
      stats = this.#stat(now)
    } catch {
      // A stale handle of a network file system: there is nothing to see now.
    }
    if (stats === undefined) return { kind: 'intact', unread: false, changed: false }
    const size = Number(stats.size)
    const { generation, size: before } = this
    const grew = size > before
    if (size < before) for (const { ahead } of generation.cursors) ahead.cut(size)
    // A writer that maps its file into memory leaves no other trace.
    const written = generation.probe(this.fd)
    const changed = stats.mtimeNs !== this.#mtime || size !== before || written
    this.size = size
    if (this.#mtime >= 0n) this.#before = this.#mtime
    this.#mtime = stats.mtimeNs
    if (changed) this.changedAt = now
    this.ending = this.#quiet(now)
    const { furthest, size: known } = generation
    // A file that was emptied and grew past our offset again shows it only in its content. And only a size that was
    // seen with the right content says how much of this generation there was.
    if (changed && (size < furthest || (size === 0 && known > 0))) return { kind: 'replaced' }
    if (changed && size < generation.head.length && !this.#shortenHead(size, furthest)) return { kind: 'replaced' }
    switch (changed ? this.#intact(furthest) : true) {
      case false:
        return { kind: 'replaced' }
      case undefined:
        // It cannot be read just now: the next look asks again.
        this.#mtime = -1n
        return { kind: 'intact', unread: this.#unread(final), changed: false }
    }
    if (grew) generation.grew(before)
    if (changed && !this.#see(size, furthest)) return { kind: 'replaced' }
    if (changed && !grew) for (const { ahead } of generation.cursors) ahead.changed(written)
    generation.saw(this.extent, now)
    if (size < known) return { kind: 'shortened', bytes: known - size }
    return { kind: 'intact', unread: this.#unread(final), changed }
  }

  /** Whether what stands before the cursor is still what was read there. Called after each read; throws as reads do. */
  intact(cursor: Cursor): boolean {
    const { head, furthest } = this.generation
    if (!stands(this.fd, cursor.read, cursor.marker, head)) return false
    // While the head says less than what was read, a cursor that is behind has only the others' markers to go by.
    if (head.length >= Math.min(HEAD_BYTES, furthest)) return true
    const ahead = this.#at(furthest)
    return ahead === undefined || stands(this.fd, furthest, ahead.marker, NO_HEAD)
  }

  /** Whether what stands in the file is what was read of it, as far as that can be told: it is no other file's. */
  get genuine(): boolean {
    const { furthest } = this.generation
    try {
      return !this.emptied && fstatSync(this.fd).size >= furthest && this.#intact(furthest) !== false
    } catch {
      return true
    }
  }

  /** Remembers what an unread file looks like, for a copy of it to be known by; false if its head is another now. */
  #see(size: number, furthest: number): boolean {
    const { generation } = this
    if (size <= furthest) {
      generation.forgetSeen()
      return true
    }
    try {
      if (generation.head.length < HEAD_BYTES) {
        const head = growHead(this.fd, size, generation.head)
        if (head === undefined) return false
        generation.head = head
        this.#prefixes = readPrefixes(this.fd, size)
      }
      const { seen } = generation
      // A writer that does not append leaves a hole where it had written, and goes on behind it.
      if (furthest === 0 && seen.offset > 0 && seen.offset <= size && !markerMatches(this.fd, seen.offset, seen.marker))
        return false
      const marker = readText(this.fd, size)
      if (marker) generation.seen = { offset: size, marker }
    } catch {
      // A disk that fails says nothing of the content.
    }
    return true
  }

  /** The file ends within its head: whether what is left of it is what was there before, and is its head from now on. */
  #shortenHead(size: number, furthest: number): boolean {
    const { generation, fd } = this
    const ahead = this.#at(furthest)
    const known = this.#prefixes.slice(0, Math.floor(size / MARKER_BYTES))
    const left = readPrefixes(fd, size)
    const stands = furthest > 0 ? ahead !== undefined && markerMatches(fd, furthest, ahead.marker) : known.length > 0
    if (!stands || known.some((crc, n) => crc !== left[n])) return false
    generation.head = readLines(fd, size)
    return true
  }

  /** Lets the head grow to what was just read. Only what was read is there to stay. */
  growHead(): void {
    const { generation } = this
    if (generation.head.length >= HEAD_BYTES) return
    const { furthest } = generation
    const known = Math.min(HEAD_BYTES, furthest)
    if (known <= generation.head.length) return
    const head = readHead(this.fd, known)
    // The file may have been written anew since that read: then this is the head of something else.
    const ahead = this.#at(furthest)
    if (head && (ahead === undefined || markerMatches(this.fd, furthest, ahead.marker))) generation.head = head
  }

  /** What a checkpoint says of it. */
  saved(): SavedGeneration {
    return this.generation.save(this.path)
  }

  /** Another generation begins in the file. */
  begin(generation: Generation): void {
    this.generation = generation
    this.#see(this.size, generation.furthest)
  }

  /** Whether the file has changed since it was looked at last, as far as its size and its time tell. */
  get stirred(): boolean {
    try {
      const { size, mtimeNs } = fstatSync(this.fd, { bigint: true })
      return Number(size) !== this.size || mtimeNs !== this.#mtime
    } catch {
      return false
    }
  }

  /** Takes note of the name that a file has now which has lost the one it was followed by. */
  locate(): void {
    if (this.state.kind !== 'live') this.path = LISTINGS.nameOfHandle(this.fd, this.inode, this.path) ?? this.path
  }

  /** Everything is read and acknowledged, and nothing was written for a while. */
  finished(now: number): boolean {
    return this.#quiet(now) && this.generation.doneAt(this.size)
  }

  close(): void {
    if (this.state.kind === 'closed') return
    this.state = { kind: 'closed' }
    closeSync(this.fd)
  }

  /** Ends this life of the file, but leaves its descriptor open for the tailer that goes on with it. */
  release(): number {
    this.state = { kind: 'closed' }
    return this.fd
  }

  #nameless(stats: BigIntStats): boolean {
    return stats.nlink <= (this.pinned ? 1n : 0n)
  }

  #quiet(now: number): boolean {
    const { kind } = this.state
    return (kind === 'rotated' || kind === 'deleted') && now - this.changedAt >= QUIET[kind]
  }

  #unread(final: boolean): boolean {
    return this.generation.cursors.some(cursor => this.hasUnread(cursor, final))
  }

  /** As `intact`, of whichever cursor is ahead; `undefined` if the file cannot be read. */
  #intact(furthest: number): boolean | undefined {
    const ahead = this.#at(furthest)
    try {
      return ahead === undefined || this.intact(ahead)
    } catch {
      return undefined
    }
  }

  #at(furthest: number): Cursor | undefined {
    return this.generation.cursors.find(({ read }) => read === furthest)
  }

  #stat(now: number): BigIntStats | undefined {
    switch (this.state.kind) {
      case 'live': {
        const named = statPath(this.path)
        if (named && sameInode(named, this.inode)) return named
        const stats = fstatSync(this.fd, { bigint: true })
        this.state = { kind: this.#nameless(stats) ? 'deleted' : 'rotated', since: now }
        this.changedAt = now
        return stats
      }
      case 'rotated': {
        const stats = fstatSync(this.fd, { bigint: true })
        if (this.#nameless(stats)) this.state = { kind: 'deleted', since: now }
        return stats
      }
      case 'deleted':
        return fstatSync(this.fd, { bigint: true })
      case 'closed':
        return undefined
    }
  }
}

function sameInode(stats: BigIntStats, inode: Inode): boolean {
  return String(stats.ino) === inode.ino && String(stats.dev) === inode.dev
}

function isSame(one: Inode, other: Inode): boolean {
  return one.ino === other.ino && one.dev === other.dev && one.birth === other.birth
}
