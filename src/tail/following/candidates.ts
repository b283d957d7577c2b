/**
 * The candidates: what a sweep found, and which of it is followed.
 *
 * Guarantees: the state directory and our own output are never followed; what is refused is named once, counted, and
 * looked at again; what may be a copy of a followed file is held back until the truncation that explains it, but not
 * for ever; files beyond the number of handles wait for their turn, and what is unread of them is known.
 */

import { closeSync, fstatSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import type { Logger } from '../../log.ts'
import { Effort } from '../directories/effort.ts'
import { type Inode, inodeKey, inodeOf, NO_HEAD, NO_MARKER, readHead, readMarker } from '../files/fingerprint.ts'
import { Growth, timesOf } from '../files/growth.ts'
import { fileAt, inodesIn, isInode, sameBirth, statPath } from '../files/inodes.ts'
import { isCompressed, isRelated } from '../files/names.ts'
import {
  type Bound,
  beside,
  compressionOf,
  DENIED,
  type Opened,
  type OpenFile,
  openRegular,
  TOO_MANY,
} from '../files/open.ts'
import { begunAfter } from '../generation/generation.ts'
import type { Lineage } from '../generation/lineage.ts'
import { savedOf, type Table } from '../generation/table.ts'
import type { SourceOptions } from '../options.ts'
import type { Lent } from '../rotation/lent.ts'
import { hasGrown, LateLines, type Missed } from '../rotation/missed.ts'
import type { HeldCopy, Search } from '../rotation/search.ts'
import { identityOf, isGeneration, mayBeCopyOf, type Sibling } from '../rotation/siblings.ts'
import type { CheckpointStore } from '../state/checkpoint.ts'
import type { SavedGeneration } from '../state/saved.ts'
import type { Found, Sweep } from '../watching/sweep.ts'
import type { Follower } from './follower.ts'
import { Parking } from './parking.ts'
import { PossibleCopies } from './possible-copies.ts'
import type { Waiting } from './previous.ts'

/** The reason that passes once the truncation explains it, or it is followed. */
const HELD_BACK = 'held back: so far it is a copy of a followed file, which may be about to be truncated'

export interface Refusal {
  readonly source: string
  readonly path: string
  readonly reason: string
}

export interface CandidatesParts {
  readonly sweep: Sweep
  readonly store: CheckpointStore
  readonly log: Logger
  readonly table: Table
  readonly lineage: Lineage
  readonly lent: Lent
  readonly missed: Missed
  readonly search: Search
  readonly follower: Follower
  /** Where files of a source must really lie. */
  boundsOf(source: string): readonly Bound[]
  readonly sources: ReadonlyMap<string, SourceOptions>
}

/** What a look takes in one turn, once so many files were looked at: milliseconds. The rest of it has another turn. */
const SLICE = 50
const LEAST = 4
/** Files whose handles are given to others at a time: to let go of each takes as long as to open one. */
const MOST_PARKED = 250

/** What a look has come to: of each the rest is still to be done. */
type Stage =
  | { readonly kind: 'ended' }
  | { readonly kind: 'unopened'; readonly rest: Generator<void, void, void> }
  | { readonly kind: 'fresh'; readonly rest: Iterator<Found> }
  | { readonly kind: 'parked'; readonly rest: Iterator<string> }
  | { readonly kind: 'missed'; readonly rest: Generator<void, void, void> }

const MOVED = { replaced: false, truncated: false } as const
const REPLACED = { replaced: true, truncated: false } as const

export class Candidates {
  readonly parking: Parking
  readonly #parts: CandidatesParts
  readonly #refused = new Map<string, Refusal>()
  readonly #copies = new PossibleCopies()
  readonly #late: LateLines
  #strays = new Set<string>()
  #stage: Stage = { kind: 'ended' }
  /** What the last sweep found, and whether that was asked for after the present look began. */
  #found: ReadonlyMap<string, Found> = new Map()
  #again = false
  /** How many files this look would like to open; and that it cannot open any more. */
  #wanted = 0
  #crowded = false
  /** Nothing is written any more, as far as is known: last lines without an end are wanted too, and nothing is held back. */
  final = false

  constructor(parts: CandidatesParts) {
    this.#parts = parts
    this.parking = new Parking(parts.table, parts.lineage, parts.sweep.limits.files)
    this.#late = new LateLines(parts.table)
  }

  get refused(): Iterable<Refusal> {
    return this.#refused.values()
  }

  /** Files are left that could not be opened for want of handles, or that would be read if they were open. */
  get crowded(): boolean {
    return this.#crowded
  }

  *waiting(): Generator<Waiting> {
    const { parking } = this
    const { table } = this.#parts
    for (const { source, path, reason } of this.#refused.values()) {
      if (reason !== TOO_MANY || table.parkedAt(path)) continue
      yield { source, path, offsets: {}, ...sizeOf(path, 0, new Growth(), 0) }
    }
    for (const parked of table.parked) {
      const { source, path, size, written, cursors } = savedOf(parked)
      const offsets = Object.fromEntries(Object.entries(cursors).map(([backend, { offset }]) => [backend, offset]))
      const settled = Math.min(size, ...Object.values(offsets))
      const known = sizeOf(path, size, new Growth(written), settled)
      yield {
        source,
        path,
        offsets,
        read: parked.read,
        ...known,
        ...(parking.isDone(path, known.size) && { since: () => undefined }),
      }
    }
  }

  /** Follows the suspicion no further: it is followed. */
  cleared(path: string): void {
    if (this.#copies.clear(path)) this.#refused.delete(path)
  }

  /** Files that are held back as copies and kept open. */
  heldCopies(): Iterable<HeldCopy> {
    return this.#copies.open()
  }

  /** Takes over the descriptor of a file that is held back. */
  release(path: string): void {
    this.#copies.release(path)
    this.#refused.delete(path)
  }

  /** A followed path leads to a compressed file. */
  compressed(path: string, source: string): void {
    this.#refuse(path, source, 'a compressed file')
  }

  close(): void {
    if (this.#stage.kind === 'missed') this.#stage.rest.return()
    this.#stage = { kind: 'ended' }
    for (const path of this.#copies.paths()) this.cleared(path)
  }

  /** The first look: recovery takes up what is found. */
  first(): Iterable<Found> {
    const found = this.#swept(true)
    this.#wanted = found.size
    return found.values()
  }

  /**
   * Looks at the candidates, and takes up what is new; `behind` says whether some of it is left for `goOn`. `all`: whatever
   * is known about them.
   */
  look(all: boolean): void {
    const found = this.#swept(all)
    this.#found = found
    for (const path of this.#refused.keys()) if (!found.has(path) && !this.#copies.has(path)) this.#refused.delete(path)
    for (const path of this.#copies.paths()) if (!found.has(path)) this.#unexplained(path)
    if (this.behind) this.#again = true
    else this.#begin()
    this.goOn()
  }

  /** A look has not come to its end. */
  get behind(): boolean {
    return this.#stage.kind !== 'ended'
  }

  /** Goes on with a look for a turn. */
  goOn(): void {
    const effort = new Effort().begin()
    for (let steps = 1; this.behind; steps++) {
      if (!this.#step()) this.#next()
      if (steps >= LEAST && effort.total >= SLICE) return
    }
  }

  #begin(): void {
    this.#again = false
    this.#stage = { kind: 'unopened', rest: this.#missUnopened() }
  }

  /** Looks at one more. Returns whether there was one. */
  #step(): boolean {
    const stage = this.#stage
    switch (stage.kind) {
      case 'ended':
        return false
      case 'fresh': {
        const { value, done } = stage.rest.next()
        // Much may have happened to it since this look began.
        if (!done && this.#found.get(value.path) === value && this.#isFresh(value)) this.#consider(value)
        return !done
      }
      case 'parked': {
        const { value, done } = stage.rest.next()
        if (!done && this.#parts.table.parkedAt(value)) this.#wake(value, this.#found.get(value))
        return !done
      }
      case 'unopened':
      case 'missed':
        return !stage.rest.next().done
    }
  }

  #next(): void {
    const { table, missed } = this.#parts
    switch (this.#stage.kind) {
      case 'ended':
        break
      case 'unopened': {
        const fresh = [...this.#found.values()].filter(candidate => this.#isFresh(candidate))
        this.#wanted = fresh.length
        // A file before its copies, whose names are longer: they can be told from new files only by it.
        fresh.sort((a, b) => a.path.length - b.path.length)
        this.#stage = { kind: 'fresh', rest: fresh.values() }
        break
      }
      case 'fresh': {
        const paths = [...table.parked].map(({ path }) => path)
        this.#stage = { kind: 'parked', rest: paths.values() }
        break
      }
      case 'parked':
        this.#stage = { kind: 'missed', rest: missed.catchingUp() }
        break
      case 'missed':
        for (const saved of this.#late.look(this.final)) this.#takeUp(saved)
        if (this.#again) this.#begin()
        else this.#stage = { kind: 'ended' }
    }
  }

  /** Whether it is to be taken up: nothing is followed there, and it need not wait until something is known. */
  #isFresh({ path }: Found): boolean {
    const { table } = this.#parts
    if (table.tailerAt(path)?.state.kind === 'live') return false
    return table.parkedAt(path) === undefined && !this.#mayBeExplained(path)
  }

  /** Whether one more file may be opened; others that rest are parked for it. `more`: open, but not followed yet. */
  room(more = 0): boolean {
    const { table, follower, log } = this.#parts
    if (table.openFiles + more < this.parking.limit) return true
    if (this.#crowded) return false
    const count = Math.min(MOST_PARKED, Math.max(1, this.#wanted))
    for (const tailer of this.parking.choose(count, this.final)) {
      if (tailer.state.kind !== 'live') follower.close(tailer)
      else {
        this.parking.park(tailer)
        follower.letGo(tailer)
      }
    }
    this.#crowded = table.openFiles + more >= this.parking.limit
    log.warn(
      { event: 'open_file_limit', parked: table.parkedFiles, open: table.openFiles },
      'too many open files: handles of files that rest are closed meanwhile, the others wait for their turn',
    )
    return !this.#crowded
  }

  open({ path, root, source }: Found, more = 0): OpenFile | undefined {
    const { store, table } = this.#parts
    // The state directory may lie among the logs: shipping our own checkpoint would never end.
    if (store.state?.ownsPath(path)) return undefined
    let opened: Opened = this.room(more) ? openRegular(path, [root]) : { kind: 'refused', reason: TOO_MANY }
    if (opened.kind === 'open') {
      const reason = compressionOf(opened.fd) && 'a compressed file'
      if (reason) {
        closeSync(opened.fd)
        opened = { kind: 'refused', reason }
      }
    }
    switch (opened.kind) {
      case 'open':
        this.#refused.delete(path)
        table.opened(path)
        return opened
      case 'absent':
        return undefined
      case 'refused': {
        this.#refuse(path, source.name, opened.reason)
        if (opened.reason === TOO_MANY) this.#seeUnopened(path, source)
        if (opened.reason === TOO_MANY && !this.#crowded) {
          this.parking.ranOut(table.openFiles)
          this.room()
        }
        return undefined
      }
    }
  }

  #refuse(path: string, source: string, reason: string): void {
    const known = this.#refused.get(path)?.reason
    this.#refused.set(path, { source, path, reason })
    // Too many open files are no fault of this path, and pass: the next sweep finds descriptors free.
    if (reason === TOO_MANY || reason === known) return
    this.#parts.log.warn({ event: 'path_refused', source, path, reason }, 'a path is not followed')
  }

  /** A file has to wait for a handle: what is seen of it is known if it is deleted before its turn. */
  #seeUnopened(path: string, source: SourceOptions): void {
    const { table, lineage } = this.#parts
    const stats = fileAt(path)
    if (stats === undefined || table.parkedAt(path)) return
    const known = table.unopened.get(path)
    const inode = inodeOf(stats)
    const size = Number(stats.size)
    if (known === undefined) table.leaveUnopened(path, lineage.unopened(source, path, inode, size))
    else if (isInode(stats, known.inode)) table.leaveUnopened(path, { ...known, size: Math.max(size, known.size) })
  }

  /** Files that waited for a handle and have lost their names: renamed, or gone with what was seen of them. */
  *#missUnopened(): Generator<void, void, void> {
    const { table, search } = this.#parts
    const moved: (readonly [string, SavedGeneration])[] = []
    for (const [path, entry] of [...table.unopened]) {
      yield
      if (table.unopened.get(path) !== entry) continue
      const stats = fileAt(path)
      if (stats === undefined || !isInode(stats, entry.inode)) moved.push([path, entry])
      else if (!this.#found.has(path)) table.opened(path)
    }
    // After they were seen to have moved, so that their new names are in it.
    const listed = new Map<string, ReadonlyMap<string, string>>()
    for (const [path, entry] of moved) {
      yield
      const directory = dirname(path)
      const names = listed.get(directory) ?? (yield* inodesIn(directory))
      listed.set(directory, names)
      if (table.unopened.get(path) !== entry) continue
      table.opened(path)
      const state = table.stateOf(entry.inode)
      if (state === 'open' || state === 'unreadable' || state === 'done') continue
      const name = names.get(inodeKey(entry.inode))
      const renamed = name === undefined ? undefined : fileAt(name)
      if (name !== undefined && renamed && isInode(renamed, entry.inode)) {
        // Under a name that is followed it waits again.
        if (!this.#found.has(name)) search.awaitHandle({ ...entry, path: name })
      } else search.missing(entry)
    }
  }

  /** Whether what stands there may be a copy of a file of which it is not known yet what happened to it. */
  #mayBeExplained(path: string): boolean {
    const { table, follower } = this.#parts
    return follower.looks.behind && table.relativesOf(path).some(tailer => follower.looks.owes(tailer))
  }

  /** What was held back as a copy lost its name before a truncation could explain it. */
  #unexplained(path: string): void {
    const { table, follower, lineage, search } = this.#parts
    if (this.#mayBeExplained(path)) return
    const { candidate, opened } = this.#copies.get(path)!
    // It may have been explained by now: then it is followed, or that takes it over.
    for (const tailer of table.relativesOf(path)) follower.looks.look(tailer)
    if (!this.#copies.has(path)) return
    const inode = opened && inodeOf(opened.stats)
    if (opened === undefined || inode === undefined || table.stateOf(inode) !== undefined) {
      this.cleared(path)
      return
    }
    this.release(path)
    const { source } = candidate
    const now: OpenFile = { ...opened, stats: fstatSync(opened.fd, { bigint: true }) }
    // The truncation may have explained it as a copy of what had been read already.
    const generation = search.isKnown(origin => isRelated(path, origin), now)
      ? lineage.restored(source, read(lineage.unopened(source, path, inode, 0), now), inode, Number(now.stats.size))
      : lineage.begun(source, path, inode, 0)
    follower.followAside(path, now, generation)
  }

  /** Lines were written to a file that was finished: its writer was never told of the rotation. */
  #takeUp(saved: SavedGeneration): void {
    const { table, follower, lineage, sources, boundsOf } = this.#parts
    const source = sources.get(saved.source)
    const key = inodeKey(saved.inode)
    if (!saved.done || source === undefined || table.isOpen(key) || isCompressed(basename(saved.path))) return
    // What has a followed path is a candidate: an empty file that a copy was written to has grown too.
    if (this.#copies.has(saved.path) || this.#found.has(saved.path)) return
    if (!this.room()) return
    const opened = openRegular(saved.path, beside(saved.path, boundsOf(source.name)))
    if (opened.kind !== 'open') return
    const inode = inodeOf(opened.stats)
    const isSame = inodeKey(inode) === key && isGeneration(opened, identityOf(saved))
    // Nothing is known of what stood in it: it may be a copy that is still being written.
    const copied = isSame && isUnread(saved) && this.#isCopy(saved.path, opened, key)
    if (table.isOpen(key)) {
      closeSync(opened.fd)
      return
    }
    if (isSame && !copied && hasGrown(saved)) {
      table.take(key)
      follower.followAside(saved.path, opened, lineage.restored(source, saved, inode, Number(opened.stats.size)))
      return
    }
    // Other content stands there, which was let go: it is not looked at again until it grows once more.
    if (inodeKey(inode) === key) table.remember({ ...saved, size: Number(opened.stats.size) })
    closeSync(opened.fd)
  }

  /** Whether a file that is not followed holds what stands in one that is, as far as it goes; or was explained by that. */
  #isCopy(path: string, opened: OpenFile, key: string): boolean {
    const { table, follower } = this.#parts
    const like = follower.looks.compare(
      table.relativesOf(path),
      other => other.state.kind === 'live' && mayBeCopyOf(path, opened, other),
      () => table.isOpen(key),
    )
    return like !== undefined
  }

  #swept(all: boolean): ReadonlyMap<string, Found> {
    const { sweep, missed } = this.#parts
    const found = sweep.look(all)
    this.#crowded = false
    for (const [path, { source, original, archive }] of sweep.strays) {
      if (this.#strays.has(path)) continue
      if (archive) missed.archived(path, original, source)
      else missed.strayed(original, source)
    }
    this.#strays = new Set(sweep.strays.keys())
    return found
  }

  /** A path of the pattern that leads to no tailer of ours. */
  #consider(candidate: Found): void {
    const { table, follower, search } = this.#parts
    const { path, source } = candidate
    const opened = this.open(candidate)
    if (opened === undefined) {
      if (this.#refused.get(path)?.reason === DENIED) search.unreadable(source, path)
      return
    }
    const inode = inodeOf(opened.stats)
    const key = inodeKey(inode)
    switch (table.stateOf(inode)) {
      case 'open': {
        // The same file under another name: renamed within the pattern, or a second link.
        closeSync(opened.fd)
        const known = table.tailerIn(key)!
        if (known.state.kind === 'live') return
        table.name(known, path)
        follower.looks.look(known)
        return
      }
      case 'parked':
        this.#resume(candidate, opened, table.unpark(table.parkedPathOf(key)!)!)
        return
      case 'sought':
        this.#resume(candidate, opened, table.recall(key)!)
        return
      case 'unreadable':
      case 'done':
      case undefined:
        this.#takeUpNew(candidate, opened, inode)
    }
  }

  /** A file of which nothing is known, or that it was read to its end, or that it could not be opened until now. */
  #takeUpNew(candidate: Found, opened: OpenFile, inode: Inode): void {
    const { table, lineage, follower, search, missed, lent } = this.#parts
    const { path, source } = candidate
    const key = inodeKey(inode)
    const saved = table.take(key)
    const same = saved && isGeneration(opened, identityOf(saved))
    // Of a file that could not be opened until now only the inode is known, so it may be a copy.
    if (same && !isUnread(saved)) {
      follower.follow(path, opened, lineage.restored(source, saved, inode, Number(opened.stats.size)))
      return
    }
    const file: Sibling = { path, opened }
    lent.lend(file)
    if (this.#isPossibleCopy(candidate, file)) {
      if (saved) table.remember(saved)
      return
    }
    missed.catchUp(source, path)
    if (!lent.take(file)) return
    // It may have been renamed since it was opened: then it was just found under its new name.
    if (table.isOpen(key)) closeSync(opened.fd)
    else {
      const size = Number(opened.stats.size)
      const generation = search.isKnown(origin => isRelated(path, origin), opened)
        ? lineage.restored(source, read(lineage.unopened(source, path, inode, 0), opened), inode, size)
        : same
          ? lineage.restored(source, saved, inode, size)
          : lineage.begun(source, path, inode, saved ? Date.now() : 0, sinceOf(opened, saved))
      follower.follow(path, opened, generation)
    }
  }

  /** Takes up a parked file that is due, and looks for one that has moved. */
  #wake(path: string, candidate: Found | undefined): void {
    const { search, table } = this.#parts
    const rest = this.parking.look(path, this.final, backend => !this.#parts.lineage.readerOf(backend)?.ready)
    if (rest === 'idle' || (rest === 'moved' && candidate && !this.room())) return
    if (rest === 'moved') {
      search.find(table.unpark(path)!, MOVED)
      if (candidate) this.#consider(candidate)
      return
    }
    const opened = candidate && this.open(candidate)
    if (opened === undefined) return
    const saved = table.unpark(path)!
    const inode = inodeOf(opened.stats)
    if (inodeKey(inode) !== inodeKey(saved.inode)) {
      // Swapped just now: the next look takes up what is there.
      closeSync(opened.fd)
      search.find(saved, MOVED)
    } else this.#resume(candidate!, opened, saved)
  }

  /** Goes on with what is known of the inode, unless other content stands there now. */
  #resume({ path, source }: Found, opened: OpenFile, saved: SavedGeneration): void {
    const { lineage, follower, search } = this.#parts
    const inode = inodeOf(opened.stats)
    if (isGeneration(opened, identityOf(saved))) {
      follower.follow(path, opened, lineage.restored(source, saved, inode, Number(opened.stats.size)))
    } else {
      search.find(saved, REPLACED)
      follower.follow(path, opened, lineage.begun(source, path, inode, Date.now(), sinceOf(opened, saved)))
    }
  }

  /** Whether the file may be a copy. If so its descriptor is kept or closed here, otherwise it is lent still. */
  #isPossibleCopy(candidate: Found, file: Sibling): boolean {
    if (this.final) return false
    const { table, follower, lent } = this.#parts
    const { path, opened } = file
    const key = inodeKey(inodeOf(opened.stats))
    // The truncation that explains the copy may have happened already: then it goes on in this file. However long ago
    // the copy was first seen: the process may have stood still meanwhile.
    const like = follower.looks.compare(
      table.relativesOf(path),
      other => other.state.kind === 'live' && mayBeCopyOf(path, opened, other),
      () => !lent.has(file) || table.isOpen(key),
      true,
    )
    if (like === 'claimed' || like === 'postponed') {
      if (lent.take(file)) closeSync(opened.fd)
      return true
    }
    if (like === undefined || !this.#copies.hold(candidate, opened, like, performance.now())) return false
    this.#refused.set(path, { source: candidate.source.name, path, reason: HELD_BACK })
    lent.take(file)
    return true
  }
}

function isUnread({ head, cursors }: SavedGeneration): boolean {
  return head.length === 0 && Object.values(cursors).every(({ offset }) => offset === 0)
}

/** How large a file is that is not open, and when that was written: `known` bytes at the least. */
function sizeOf(path: string, known: number, growth: Growth, settled: number): Pick<Waiting, 'size' | 'since'> {
  const stats = statPath(path)
  if (stats) growth.found(timesOf(stats), settled)
  return { size: Math.max(known, Number(stats?.size ?? 0)), since: offset => growth.since(offset) }
}

/** When what stands in an open file began, if its inode held something else before: otherwise 0. */
function sinceOf({ stats }: OpenFile, former: SavedGeneration | undefined): bigint {
  if (former === undefined || !sameBirth(former.inode, inodeOf(stats))) return 0n
  return begunAfter(BigInt(former.begun ?? former.inode.birth), stats.mtimeNs)
}

/** What is known of a file of which nothing is new: it counts as read to its end. */
function read(entry: SavedGeneration, { fd, stats }: OpenFile): SavedGeneration {
  const offset = Number(stats.size)
  const at = { offset, marker: readMarker(fd, offset) ?? NO_MARKER }
  const cursors = Object.fromEntries(Object.keys(entry.cursors).map(backend => [backend, at]))
  return { ...entry, size: offset, head: readHead(fd, offset) ?? NO_HEAD, cursors }
}
