/**
 * The folders: what a sweep found, and which of it is followed.
 *
 * Guarantees: the state folder and our own output are never followed; what is refused is named once, counted, and
 * looked at again; what may be a copy of a followed file is held back until the truncation that explains it, but not
 * for ever; files beyond the number of handles wait for their turn, and what is unread of them is known.
 */
import { closeSync } from 'node:fs'
import type { Logger } from '../log.ts'
import type { CheckpointStore, SavedGeneration } from './checkpoint.ts'
import type { Done } from './done.ts'
import { inodeKey, inodeOf } from './fingerprint.ts'
import type { Follower } from './follower.ts'
import type { Lineage } from './lineage.ts'
import { DENIED, type Opened, type OpenFile, openRegular, TOO_MANY } from './open.ts'
import type { SourceOptions } from './options.ts'
import { Parking } from './parking.ts'
import { identityOf, isGeneration, isRelated, mayBeCopyOf } from './siblings.ts'
import type { Found, Sweep } from './sweep.ts'
import { statPath } from './tailer.ts'
import type { Tailers } from './tailers.ts'
import type { Vacated } from './vacated.ts'

/** What may be a copy of a followed file is held back for this long, counted from when it last grew: milliseconds. */
const HOLD = 5000
/** And for this long in all: a file that somebody writes beside the followed one, line by line, is no copy. */
const HOLD_GROWING = 600_000

export interface Refusal {
  readonly source: string
  readonly path: string
  readonly reason: string
}

/** A file that is followed but not open: bytes that no backend, or not every one, has settled. */
export interface Waiting {
  readonly source: string
  readonly path: string
  readonly size: number
  /** The committed offsets by backend; one that is not there has read nothing. */
  readonly offsets: Readonly<Record<string, number>>
}

/** What may be a copy: its size, when it was first seen, and when it last grew towards the size of the followed file. */
interface Suspect {
  readonly since: number
  readonly grown: number
  readonly size: bigint
}

export interface FoldersParts {
  readonly sweep: Sweep
  readonly store: CheckpointStore
  readonly log: Logger
  readonly tailers: Tailers
  readonly done: Done
  readonly lineage: Lineage
  readonly vacated: Vacated
  readonly follower: Follower
  /** Looks for a generation that no followed path leads to. `replaced`: its inode has other content now. */
  findAgain(saved: SavedGeneration, replaced: boolean): void
  /** Takes over a generation that was looked for in vain, because its inode was found. */
  recall(key: string): SavedGeneration | undefined
  /** A file that may not be opened now: it is looked for until it may, wherever it is renamed to. */
  shut(source: SourceOptions, path: string): void
}

export class Folders {
  readonly parking: Parking
  readonly #parts: FoldersParts
  readonly #refused = new Map<string, Refusal>()
  readonly #suspects = new Map<string, Suspect>()
  #strays = new Set<string>()
  /** How many files this look would like to open; and that it cannot open any more. */
  #wanted = 0
  #crowded = false
  /** Nobody writes any more, as far as we know: last lines without an end are wanted too, and nothing is held back. */
  final = false

  constructor(parts: FoldersParts) {
    this.#parts = parts
    this.parking = new Parking(parts.lineage)
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
    for (const { source, path, reason } of this.#refused.values()) {
      if (reason !== TOO_MANY || parking.has(path)) continue
      yield { source, path, size: Number(statPath(path)?.size ?? 0), offsets: {} }
    }
    for (const { source, path, size, cursors } of parking.saved()) {
      const offsets = Object.fromEntries(Object.entries(cursors).map(([backend, { offset }]) => [backend, offset]))
      yield { source, path, size: Math.max(size, Number(statPath(path)?.size ?? 0)), offsets }
    }
  }

  /** Follows the suspicion no further: it is followed. */
  cleared(path: string): void {
    this.#suspects.delete(path)
  }

  /** The first look: recovery takes up what is found. */
  first(): Iterable<Found> {
    const found = this.#swept(true)
    this.#wanted = found.size
    return found.values()
  }

  /** Looks at the folders, and takes up what is new. `all`: whatever is known about them. */
  look(all: boolean): void {
    const { tailers, vacated } = this.#parts
    const found = this.#swept(all)
    for (const path of this.#refused.keys()) if (!found.has(path)) this.#refused.delete(path)
    for (const path of this.#suspects.keys()) if (!found.has(path)) this.#suspects.delete(path)
    const unknown = [...found.values()].filter(({ path }) => tailers.at(path)?.state.kind !== 'live')
    const fresh = unknown.filter(({ path }) => !this.parking.has(path))
    this.#wanted = fresh.length
    // A file before its copies, whose names are longer: they can be told from new files only by it.
    for (const candidate of fresh.sort((a, b) => a.path.length - b.path.length)) this.#consider(candidate)
    for (const path of [...this.parking.paths]) this.#wake(path, found.get(path))
    vacated.catchUpAll()
  }

  /** Whether one more file may be opened; others that rest are parked for it. `more`: open, but not followed yet. */
  room(more = 0): boolean {
    const { tailers, follower, log } = this.#parts
    if (tailers.size + more < this.parking.most) return true
    if (this.#crowded) return false
    const count = Math.max(1, this.#wanted)
    for (const tailer of this.parking.choose(tailers, count, this.final)) {
      if (tailer.state.kind !== 'live') follower.close(tailer)
      else {
        this.parking.park(tailer)
        follower.letGo(tailer)
      }
    }
    this.#crowded = tailers.size + more >= this.parking.most
    log.warn(
      { parked: this.parking.size, open: tailers.size },
      'too many open files: handles of files that rest are closed meanwhile, the others wait for their turn',
    )
    return !this.#crowded
  }

  open({ path, root, source }: Found, more = 0): OpenFile | undefined {
    const { store, log, tailers } = this.#parts
    // The state folder may lie among the logs: shipping our own checkpoint would never end.
    if (store.owns(path)) return undefined
    let opened: Opened = this.room(more)
      ? openRegular(path, [root, ...source.followSymlinks])
      : { kind: 'refused', reason: TOO_MANY }
    if (opened.kind === 'open' && store.holds(opened.stats)) {
      closeSync(opened.fd)
      opened = { kind: 'refused', reason: 'a file of our own state' }
    }
    switch (opened.kind) {
      case 'open':
        this.#refused.delete(path)
        return opened
      case 'absent':
        return undefined
      case 'refused': {
        const { reason } = opened
        const known = this.#refused.get(path)?.reason
        this.#refused.set(path, { source: source.name, path, reason })
        // Too many open files are no fault of this path, and pass: the next sweep finds handles free.
        if (reason !== TOO_MANY) {
          if (reason !== known) log.warn({ about: path, source: source.name, path, reason }, 'a path is not followed')
        } else if (!this.#crowded) {
          this.parking.ranOut(tailers.size)
          this.room()
        }
        return undefined
      }
    }
  }

  #swept(all: boolean): Map<string, Found> {
    const { sweep, vacated } = this.#parts
    const found = sweep.look(all)
    this.#crowded = false
    for (const [path, { source, original }] of sweep.strays) {
      if (!this.#strays.has(path)) vacated.strayed(original, source)
    }
    this.#strays = new Set(sweep.strays.keys())
    return found
  }

  /** A path of the pattern that leads to no tailer of ours. */
  #consider(candidate: Found): void {
    const { tailers, done, lineage, follower } = this.#parts
    const { path, source } = candidate
    const opened = this.open(candidate)
    if (opened === undefined) {
      if (this.#refused.get(path)?.reason === DENIED) this.#parts.shut(source, path)
      return
    }
    const inode = inodeOf(opened.stats)
    const key = inodeKey(inode)
    const known = tailers.get(key)
    if (known) {
      // The same file under another name: renamed within the pattern, or a second link.
      closeSync(opened.fd)
      if (known.state.kind === 'live') return
      tailers.named(known, path)
      follower.poll(known)
      return
    }
    const parked = this.parking.pathOf(key)
    const waiting = parked === undefined ? this.#parts.recall(key) : this.parking.leave(parked)
    if (waiting) {
      this.#resume(candidate, opened, waiting)
      return
    }
    const saved = done.take(key)
    const same = saved && isGeneration(opened, identityOf(saved))
    // Of a file that could not be opened until now only the inode is known, so it may be a copy.
    if (same && !isUnread(saved)) {
      follower.follow(path, opened, lineage.restored(source, saved, inode))
      return
    }
    if (this.#isSuspect(path, opened)) {
      closeSync(opened.fd)
      if (saved) done.remember(saved)
      return
    }
    this.#parts.vacated.catchUp(source, path)
    // It may have been renamed since it was opened: then it was just found under its new name.
    if (tailers.has(key)) closeSync(opened.fd)
    else {
      const generation = same
        ? lineage.restored(source, saved, inode)
        : lineage.begun(source, path, inode, saved ? Date.now() : 0)
      follower.follow(path, opened, generation)
    }
  }

  /** Takes up a parked file that is due, and looks for one that has moved. */
  #wake(path: string, candidate: Found | undefined): void {
    const { findAgain } = this.#parts
    const rest = this.parking.look(path, this.final, backend => !this.#parts.lineage.readerOf(backend)?.ready)
    if (rest === 'asleep' || (rest === 'moved' && candidate && !this.room())) return
    if (rest === 'moved') {
      findAgain(this.parking.leave(path)!, false)
      if (candidate) this.#consider(candidate)
      return
    }
    const opened = candidate && this.open(candidate)
    if (opened === undefined) return
    const saved = this.parking.leave(path)!
    const inode = inodeOf(opened.stats)
    if (inodeKey(inode) !== inodeKey(saved.inode)) {
      // Swapped just now: the next look takes up what is there.
      closeSync(opened.fd)
      findAgain(saved, false)
    } else this.#resume(candidate!, opened, saved)
  }

  /** Goes on with what is known of the inode, unless other content stands there now. */
  #resume({ path, source }: Found, opened: OpenFile, saved: SavedGeneration): void {
    const { lineage, follower, findAgain } = this.#parts
    const inode = inodeOf(opened.stats)
    if (isGeneration(opened, identityOf(saved))) {
      follower.follow(path, opened, lineage.restored(source, saved, inode))
    } else {
      findAgain(saved, true)
      follower.follow(path, opened, lineage.begun(source, path, inode, Date.now()))
    }
  }

  #isSuspect(path: string, opened: OpenFile): boolean {
    if (this.final) return false
    const { tailers, follower } = this.#parts
    const key = inodeKey(inodeOf(opened.stats))
    for (const tailer of [...tailers]) {
      if (![tailer.path, tailer.generation.origin.path].some(other => isRelated(path, other))) continue
      // The truncation that explains the copy may have happened already: then it goes on in this file. However long ago
      // the copy was first seen: we may have stood still meanwhile.
      follower.poll(tailer)
      if (tailers.has(key)) return true
      if (tailer.state.kind === 'live' && mayBeCopyOf(path, opened, tailer)) {
        return this.#isHeld(path, opened.stats.size, BigInt(tailer.size))
      }
      // It may have been truncated while they were compared.
      follower.poll(tailer)
      if (tailers.has(key)) return true
    }
    return false
  }

  /** Whether what may be a copy is waited for: a large file takes its time to be copied. */
  #isHeld(path: string, size: bigint, whole: bigint): boolean {
    const now = performance.now()
    const known = this.#suspects.get(path)
    const { since, grown } = known ?? { since: now, grown: now }
    const growing = known === undefined || (known.size < size && size < whole)
    this.#suspects.set(path, { since, grown: growing ? now : grown, size })
    return now - (growing ? now : grown) <= HOLD && now - since <= HOLD_GROWING
  }
}

function isUnread({ head, cursors }: SavedGeneration): boolean {
  return head.length === 0 && Object.values(cursors).every(({ offset }) => offset === 0)
}
