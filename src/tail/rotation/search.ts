/**
 * The search: finding one saved generation again when no followed name leads to it.
 *
 *     found        by the first finder of the list that knows it
 *     waiting      for a file descriptor; or for an archive, which is looked into in the background
 *     unreadable   its file is there and may not be opened: its inode is remembered until it may
 *     gone         nowhere: what was seen of it and not read is counted as lost
 *
 * Guarantees: nothing that was read is read again from another file; a generation that is waited for is saved, holds
 * back the younger ones of its name, and ends as one of the other three.
 */
import { closeSync, fstatSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Ledger } from '../../ledger.ts'
import type { Logger } from '../../log.ts'
import { Effort } from '../directories/effort.ts'
import { type Inode, inodeKey, inodeOf, NO_MARKER } from '../files/fingerprint.ts'
import { fileAt, isInode } from '../files/inodes.ts'
import { LISTINGS } from '../files/listings.ts'
import type { Habits } from '../files/names.ts'
import { type Bound, beside, type OpenFile, openRegular } from '../files/open.ts'
import type { Lineage } from '../generation/lineage.ts'
import type { Circumstances, Table } from '../generation/table.ts'
import type { Tailer } from '../generation/tailer.ts'
import type { Truncation } from '../generation/truncation.ts'
import type { SourceOptions } from '../options.ts'
import type { Pins } from '../state/pins.ts'
import type { SavedGeneration } from '../state/saved.ts'
import type { Archives } from './archives.ts'
import { Handles } from './handles.ts'
import type { Lent } from './lent.ts'
import {
  endsAs,
  evidenceOf,
  findCopy,
  findInode,
  identityOf,
  isGeneration,
  type Sibling,
  type Wanted,
} from './siblings.ts'
import type { Snapshot } from './snapshot.ts'
import type { Unpacked } from './unpack.ts'

/** Files that were renamed before there was a handle for them are waited for up to so many: an outage may be long. */
const MOST_AWAITED = 1024

/** Those that wait are looked for in turns of so long: milliseconds. */
const TURN = 25

export interface SearchParts {
  readonly table: Table
  readonly truncation: Truncation
  readonly lineage: Lineage
  readonly habits: Habits
  readonly sources: ReadonlyMap<string, SourceOptions>
  /** Where files of a source must really lie. */
  readonly boundsOf: (source: string) => readonly Bound[]
  readonly pins: Pins
  readonly unpacked: Unpacked
  readonly archives: Archives
  readonly lent: Lent
  readonly ledger: Ledger
  readonly log: Logger
  /** Whether there is a file descriptor for one more. */
  room(): boolean
  /** Files that are held back as copies and kept open; and takes over the descriptor of one. */
  heldCopies(): Iterable<HeldCopy>
  release(path: string): void
  /** Goes on with a generation in the file that was found. */
  found(path: string, opened: OpenFile, saved: SavedGeneration): void
  /** What stands in an open file belongs to another generation: its own is lost. */
  displaced(tailer: Tailer): void
  /** Something was found or given up. */
  onSettled(origin: string): void
}

/** A file that is held back as a copy. */
export interface HeldCopy extends Sibling {
  /** The key of the generation that it was compared with, and the size that it had then. */
  readonly of: string
  readonly compared: bigint
}

/** Later than anything. */
const LAST = BigInt(Number.MAX_SAFE_INTEGER) * 1_000_000n
const MOVED: Circumstances = { replaced: false, truncated: false }

/** One way to find a file. */
type Finder = (entry: SavedGeneration, wanted: Wanted, circumstances: Circumstances) => Sibling | undefined

export class Search {
  /** Where inodes are that have left their directory, by key: filled for a restart. */
  elsewhere: ReadonlyMap<string, string> = new Map()
  handles = new Handles()
  /** Inodes, by key, whose content is known to be that of a generation which is still to be found: for a restart. */
  standing: ReadonlySet<string> = new Set()
  /** What stands in the directories: for a restart. */
  snapshot: Snapshot | undefined
  /** `retry` has left some. */
  behind = false
  readonly #parts: SearchParts

  /**
   * In this order. A handle of the configuration before comes first, for the file may live through nothing else; what
   * was unpacked or pinned comes before its twin in the directory, which may be removed at any moment; an inode is
   * surer than a copy; and the walk below the roots has the weakest claim, for it is the dearest.
   */
  readonly #finders: readonly Finder[] = [
    (entry, wanted) => this.#handed(entry, wanted),
    (entry, wanted) => this.#parts.unpacked.before(entry.key, wanted),
    (entry, wanted) => this.#pinned(entry, wanted),
    (_, wanted, { replaced }) =>
      replaced ? undefined : findInode(wanted, key => this.#parts.table.isOpen(key), this.snapshot),
    (_, wanted, { truncated }) =>
      findCopy(wanted, (key, opened) => this.#isTracked(key, opened, truncated), this.snapshot),
    (entry, wanted, { truncated }) => this.#nameless(entry, wanted, truncated),
    (entry, wanted) => this.#heldBack(entry, wanted),
    (entry, wanted) => this.#movedAway(entry, wanted),
  ]

  constructor(parts: SearchParts) {
    this.#parts = parts
  }

  /** Whether a generation of a path is searched for: once it is found more may be known of the names there. */
  isSearching(origin: string): boolean {
    return this.holdsBack(origin, LAST)
  }

  get waiting(): boolean {
    return this.#parts.table.sought.size > 0 || this.#parts.archives.waiting
  }

  /** Whether a generation of `origin` that began before `begun` is searched for: how much it holds is not known yet. */
  holdsBack(origin: string, begun: bigint): boolean {
    if (this.#parts.archives.holdsBack(origin, begun)) return true
    for (const [entry, { kind }] of this.#parts.table.soughtOf(origin)) {
      if (kind !== 'room' && BigInt(entry.begun ?? entry.inode.birth) < begun) return true
    }
    return false
  }

  /** Looks again for those that had to wait, for a while; the next look goes on behind them. */
  retry(): void {
    const { table, room } = this.#parts
    const effort = new Effort().begin()
    this.behind = false
    for (const entry of table.unreadable) {
      const now = this.#stillUnreadable(entry)
      if (now === entry) continue
      table.dropUnreadable(inodeKey(entry.inode))
      if (now) table.keepUnreadable(now)
      else this.find(entry, { replaced: false, truncated: false })
    }
    for (const [entry, state] of table.sought) {
      if (state.kind !== 'descriptor') continue
      if (!room()) return
      table.unseek(entry)
      this.find(entry, state.circumstances)
      this.behind = effort.total >= TURN
      if (this.behind) return
    }
  }

  /** Looks for a generation that no followed name leads to. */
  find(entry: SavedGeneration, circumstances: Circumstances): void {
    const { table, room, unpacked, habits, archives, onSettled } = this.#parts
    if (entry.done) {
      if (!circumstances.replaced && this.#isThere(entry)) table.remember(entry)
      else table.rememberGone(entry)
      return
    }
    const wanted = this.#wantedOf(entry)
    // A handle that was left needs no other descriptor.
    if (!this.handles.has(entry.key) && !room()) {
      table.seek(entry, { kind: 'descriptor', circumstances })
      return
    }
    const { replaced, truncated } = circumstances
    const known = { removed: !replaced && !truncated, after: table.living(entry)?.after }
    const found = this.#first(entry, { ...wanted, ...known }, circumstances)
    if (found) {
      this.#continue(entry, found, circumstances)
      return
    }
    const unreadable = circumstances.replaced ? undefined : this.#stillUnreadable(entry)
    if (unreadable) {
      table.keepUnreadable(unreadable)
      return
    }
    const candidates = unpacked.candidates(wanted, habits, this.#namesFor(entry))
    if (candidates.length === 0) {
      this.#gone(entry, circumstances)
      return
    }
    table.seek(entry, { kind: 'archive', emptied: circumstances.truncated ? nanoseconds() : undefined })
    archives.find(entry, wanted, candidates, found => {
      table.unseek(entry)
      if (found) this.#continue(entry, found, circumstances)
      else this.#gone(entry, circumstances)
      onSettled(entry.origin)
    })
  }

  /**
   * Whether an open file is a copy that was made of a file of a path that `isOf` accepts, before that was emptied, and holds
   * less than had been read of it: nothing in it is new. What is younger than that is none, however alike.
   */
  isKnown(isOf: (origin: string) => boolean, opened: OpenFile): boolean {
    const size = Number(opened.stats.size)
    for (const { origin, head, cursors, ends = [], size: whole, emptied } of this.#emptied()) {
      if (emptied === undefined || opened.stats.birthtimeNs > BigInt(emptied)) continue
      if (!isOf(origin) || head.length === 0 || size > whole) continue
      const all = Object.values(cursors)
      // A backend that has not read all of it has to get the rest, even if others get it twice.
      if (all.some(({ offset, end = offset }) => end < size)) continue
      if (isGeneration(opened, { head, cursors: all.filter(({ offset }) => offset <= size) })) return true
      if (size < head.length && endsAs(opened, ends)) return true
    }
    return false
  }

  /** Generations whose files were emptied, without a copy, or as long as it is looked for in archives. */
  *#emptied(): Generator<SavedGeneration> {
    yield* this.#parts.table.gone
    for (const [entry, state] of this.#parts.table.sought) {
      if (state.kind !== 'descriptor' && state.emptied !== undefined) yield { ...entry, emptied: state.emptied }
    }
  }

  /**
   * A file that could not be opened yet, at `path` now and once at `origin`: once it may be opened it is found again,
   * also under another name.
   */
  unreadable(source: SourceOptions, origin: string, path = origin): void {
    const { table, lineage, onSettled } = this.#parts
    // Where a link leads does not count.
    const stats = fileAt(path)
    if (stats === undefined) return
    const inode = inodeOf(stats)
    const state = table.stateOf(inode)
    if (state === 'open' || state === 'unreadable' || state === 'done') return
    // Without birth times its id could not be told again.
    if (inode.birth === '0' || !table.mayKeepUnreadable) return
    table.keepUnreadable({ ...lineage.unopened(source, origin, inode, Number(stats.size)), path })
    onSettled(origin)
  }

  /** A file that was never opened has another name than the one that is followed: it waits for a handle. */
  awaitHandle(entry: SavedGeneration): void {
    if (this.#parts.table.sought.size < MOST_AWAITED) this.find(entry, MOVED)
    else this.missing(entry)
  }

  /** A file that was never opened has no name any more: what was seen of it is lost. */
  missing(entry: SavedGeneration): void {
    this.#gone(entry, MOVED)
  }

  #first(entry: SavedGeneration, wanted: Wanted, circumstances: Circumstances): Sibling | undefined {
    for (const find of this.#finders) {
      const found = find(entry, wanted, circumstances)
      if (found) return found
    }
    return undefined
  }

  /** Whether the file of an inode is read as what it is: what stands in it is no copy of something else. */
  #isTracked(key: string, opened: OpenFile, truncated: boolean): boolean {
    const { table } = this.#parts
    // It was copied over a rotation of before, which may not have been noticed yet; or it was, and is not read since.
    if (table.isOpen(key)) return !truncated || table.tailerIn(key)?.genuine === true
    if (this.standing.has(key)) return true
    const finished = table.doneByKey(key)
    if (finished === undefined || !truncated) return finished !== undefined
    // Whatever stands in a file that was empty is not told from it.
    const { head, cursors } = finished
    const isBlank = head.length === 0 && Object.values(cursors).every(({ offset }) => offset === 0)
    return !isBlank && isGeneration(opened, identityOf(finished))
  }

  #wantedOf(entry: SavedGeneration): Wanted {
    const { origin: path, source } = entry
    return { path, bounds: this.#parts.boundsOf(source), ...identityOf(entry) }
  }

  /** The entry, with what is to be seen of its file, if it is there but may not be opened now: its offset is kept. */
  #stillUnreadable(entry: SavedGeneration): SavedGeneration | undefined {
    const { inode, origin } = entry
    const known = fileAt(entry.path)
    const path = known && isInode(known, inode) ? entry.path : this.#nameOf(inode, origin)
    if (path === undefined || this.#parts.unpacked.holds(path) || this.#parts.pins.holds(path)) return undefined
    const opened = openRegular(path, beside(path, this.#parts.boundsOf(entry.source)))
    if (opened.kind === 'open') closeSync(opened.fd)
    if (opened.kind !== 'refused') return undefined
    const size = Math.max(entry.size, Number(fileAt(path)?.size ?? 0))
    return path === entry.path && size === entry.size ? entry : { ...entry, path, size }
  }

  /** Whether a finished file is where it was seen last, which may be another directory, or beside its origin. */
  #isThere({ inode, origin, path }: SavedGeneration): boolean {
    const known = fileAt(path)
    return (known !== undefined && isInode(known, inode)) || this.#nameOf(inode, origin) !== undefined
  }

  #nameOf(inode: Inode, path: string): string | undefined {
    return (this.snapshot ?? LISTINGS).nameOf(inode, path)
  }

  /** How directories are listed for a generation: a file that was there at the start may be an archive since. */
  #namesFor({ inode, origin }: SavedGeneration): (directory: string) => readonly string[] {
    const { snapshot } = this
    if (snapshot === undefined || this.#parts.habits.stemOf(origin) === '')
      return directory => LISTINGS.names(directory)
    const again = snapshot.placeOf(inode, dirname(origin)) !== undefined
    return directory => snapshot.mayHold(directory, origin, again)
  }

  /** What the configuration before had open: the file may have no name at all. */
  #handed(entry: SavedGeneration, wanted: Wanted): Sibling | undefined {
    const fd = this.handles.take(entry.key)
    if (fd === undefined) return undefined
    const opened: OpenFile = { kind: 'open', fd, stats: fstatSync(fd, { bigint: true }) }
    const open = this.#parts.table.isOpen(inodeKey(inodeOf(opened.stats)))
    if (!open && isGeneration(opened, wanted)) return { path: entry.path, opened }
    closeSync(fd)
    return undefined
  }

  /** As `find` for a file that had lost its name under the configuration before: true if its handle was left. */
  takeHandle(entry: SavedGeneration): boolean {
    const handed = this.#handed(entry, this.#wantedOf(entry))
    if (handed) this.#continue(entry, handed, { replaced: false, truncated: false })
    return handed !== undefined
  }

  /** What an earlier process pinned: the file may have no other name. */
  #pinned(entry: SavedGeneration, wanted: Wanted): Sibling | undefined {
    const { pins, table } = this.#parts
    const pinned = pins.open(entry.key, entry.inode)
    if (pinned === undefined) return undefined
    if (!table.isOpen(inodeKey(entry.inode)) && isGeneration(pinned.opened, wanted)) return pinned
    closeSync(pinned.opened.fd)
    return undefined
  }

  /** A copy that lost its name after it was opened, before it was known to be one. */
  #nameless(entry: SavedGeneration, wanted: Wanted, truncated: boolean): Sibling | undefined {
    const { lent } = this.#parts
    for (const sibling of this.snapshot?.lentLike(entry) ?? lent) {
      const { path, opened } = sibling
      if (!lent.has(sibling)) continue
      const stats = fstatSync(opened.fd, { bigint: true })
      const now: OpenFile = { ...opened, stats }
      const key = inodeKey(inodeOf(stats))
      if (dirname(path) !== dirname(wanted.path) || key === inodeKey(wanted.inode)) continue
      if (this.#isTracked(key, now, truncated) || evidenceOf(path, now, wanted) === 0) continue
      lent.take(sibling)
      return { path, opened: now }
    }
    return undefined
  }

  /** What was held back as its copy: it may have lost its name meanwhile, or a name that says nothing. */
  #heldBack({ key }: SavedGeneration, wanted: Wanted): Sibling | undefined {
    for (const { path, opened, of, compared } of this.#parts.heldCopies()) {
      const stats = fstatSync(opened.fd, { bigint: true })
      const sibling: Sibling = { path, opened: { ...opened, stats } }
      // It was compared with the whole file while that stood there, which says more than any end.
      const ends =
        of === key && stats.size === compared ? [{ offset: Number(compared), marker: NO_MARKER }] : wanted.ends
      const evidence = evidenceOf(path, sibling.opened, { ...wanted, ends })
      if (this.#parts.table.isOpen(inodeKey(inodeOf(stats))) || evidence === 0) continue
      this.#parts.release(path)
      return sibling
    }
    return undefined
  }

  /** Rotated into another directory. */
  #movedAway({ inode, source }: SavedGeneration, wanted: Wanted): Sibling | undefined {
    const path = this.elsewhere.get(inodeKey(inode))
    if (path === undefined || this.#parts.table.isOpen(inodeKey(inode))) return undefined
    const opened = openRegular(path, this.#parts.boundsOf(source))
    if (opened.kind !== 'open') return undefined
    if (inodeKey(inodeOf(opened.stats)) === inodeKey(inode) && isGeneration(opened, wanted)) return { path, opened }
    closeSync(opened.fd)
    return undefined
  }

  #continue(entry: SavedGeneration, { path, opened }: Sibling, { truncated }: Circumstances): void {
    const { table, displaced, found, habits, unpacked, pins, log } = this.#parts
    const former = table.tailerIn(inodeKey(inodeOf(opened.stats)))
    if (former) displaced(former)
    if (!unpacked.holds(path) && !pins.holds(path)) habits.learn(entry.origin, path)
    found(path, opened, entry)
    const { source, origin } = entry
    if (truncated)
      log.info(
        { event: 'file_truncated', source, path: origin, copy: path },
        'a file was truncated; its copy is read to the end',
      )
  }

  #gone(entry: SavedGeneration, { truncated }: Circumstances): void {
    const { table, truncation, lineage, ledger, log } = this.#parts
    const { source, origin } = entry
    if (truncated)
      log.info(
        { event: 'file_truncated', source, path: origin, copy: null },
        'a file was truncated; it is read from the start',
      )
    const living = table.living(entry)
    if (living) {
      truncation.lost(entry.origin, living)
      // A copy may hold less than was read of it: then it is not found, and is nothing new either.
      const emptied = truncated ? { emptied: nanoseconds() } : {}
      table.rememberGone({ ...living.save(entry.path, true), ...emptied })
      return
    }
    let most = 0
    for (const [backend, { offset, end }] of Object.entries(entry.cursors)) {
      if (!lineage.wants(backend, entry.source)) continue
      const account = ledger.account(entry.source, backend)
      let settled = offset
      for (const { from, to, outcome } of lineage.islandsOf(entry.key, backend, offset)) {
        account.commit(outcome)
        settled += to - from
      }
      const bytes = Math.max(0, (end ?? entry.size) - settled)
      account.lost(bytes)
      most = Math.max(most, bytes)
    }
    if (most === 0) return
    log.error(
      { event: 'data_lost', cause: 'gone', source: entry.source, path: entry.origin, bytes: most },
      'a file with unread bytes is gone; they are counted as lost',
    )
  }
}

/** The time, in nanoseconds since the epoch. */
function nanoseconds(): string {
  return String(BigInt(Date.now()) * 1_000_000n)
}
