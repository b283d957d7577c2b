/**
 * Recovery: finding saved generations again, after a restart or when a parked file is not where it was.
 *
 * In this order: the inode under a followed name; a handle that the configuration before has left; what an earlier process unpacked or pinned; the inode under any name
 * of the folder; a copy with the same head and marker; the inode in any folder below the source's root; and last, in the
 * background, a compressed sibling. A generation that is nowhere is gone: what was seen of it and not read is counted as
 * vanished.
 */
import { closeSync, fstatSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Ledger } from '../ledger.ts'
import type { Logger } from '../log.ts'
import type { Checkpoint, SavedGeneration } from './checkpoint.ts'
import type { Done } from './done.ts'
import { type Inode, inodeKey, inodeOf } from './fingerprint.ts'
import type { Folders } from './folders.ts'
import type { Follower } from './follower.ts'
import { Handles } from './handover.ts'
import type { Lineage } from './lineage.ts'
import { type OpenFile, openRegular } from './open.ts'
import type { SourceOptions } from './options.ts'
import type { Pins } from './pins.ts'
import {
  fileAt,
  findSibling,
  identityOf,
  isGeneration,
  isInode,
  locate,
  nameOf,
  type Sibling,
  sameBirth,
  type Wanted,
} from './siblings.ts'
import type { Found } from './sweep.ts'
import { statPath } from './tailer.ts'
import type { Tailers } from './tailers.ts'
import type { Truncation } from './truncation.ts'
import type { Unpacked } from './unpack.ts'
import type { Vacated } from './vacated.ts'

/** Files that nobody could open yet are remembered beside those that are finished, and must not drive these out. */
const MOST_SHUT = 128

export interface RecoveryParts {
  readonly tailers: Tailers
  readonly done: Done
  readonly folders: Folders
  readonly follower: Follower
  readonly vacated: Vacated
  readonly truncation: Truncation
  readonly lineage: Lineage
  readonly sources: ReadonlyMap<string, SourceOptions>
  /** The folders in front of the first wildcards of a source's patterns. */
  readonly rootsOf: (source: string) => readonly string[]
  readonly pins: Pins
  readonly unpacked: Unpacked
  readonly ledger: Ledger
  readonly log: Logger
  /** Something was found or given up. */
  readonly onSettled: () => void
}

export class Recovery {
  /** Generations that are looked for among compressed files, or will be looked for when there is a handle for them. */
  readonly sought = new Set<SavedGeneration>()
  readonly #postponed = new Map<SavedGeneration, { readonly replaced: boolean }>()
  /** Those whose files are there and may not be opened, by inode; no followed name may lead to them any more. */
  readonly #shut = new Map<string, SavedGeneration>()
  /** Where the inodes are that have left their folder, by key. */
  #elsewhere: ReadonlyMap<string, string> = new Map()
  readonly #parts: RecoveryParts
  readonly #seeks = new Set<Promise<void>>()
  #handles = new Handles()
  #stopped = false

  constructor(parts: RecoveryParts) {
    this.#parts = parts
  }

  stop(): void {
    this.#stopped = true
  }

  /** Compressed files are being looked through. */
  get seeking(): boolean {
    return this.#seeks.size > 0
  }

  /** After `stop`: resolves when nothing here writes to the state folder any more. */
  async ended(): Promise<void> {
    await Promise.all(this.#seeks)
  }

  /**
   * Finds every saved generation again, then takes up what is new among `candidates`. `handles` are those of the
   * configuration before, if there was one.
   */
  resume({ generations }: Checkpoint, candidates: Iterable<Found>, handles = new Handles()): void {
    this.#handles = handles
    const { tailers, folders, follower, vacated, lineage, sources, pins, unpacked } = this.#parts
    const keys = new Set(generations.map(({ key }) => key))
    pins.inherit(keys)
    unpacked.inherit(keys)
    const saved = new Map<string, SavedGeneration>()
    const orphans: SavedGeneration[] = []
    for (const entry of generations) {
      if (!sources.has(entry.source)) continue
      // Before the files that have their names now: what was written to them first is read first.
      const handed = handles.isAside(entry.key) ? this.#handed(entry, wantedOf(entry)) : undefined
      if (handed) {
        this.#continue(entry, handed)
        continue
      }
      const key = inodeKey(entry.inode)
      // Two generations of one inode: the later one is the file's, the earlier one was waiting for its end.
      const other = saved.get(key)
      if (other) orphans.push(other)
      saved.set(key, entry)
    }
    const replaced = new Set<SavedGeneration>(orphans)
    const fresh: { candidate: Found; opened: OpenFile; inode: Inode }[] = []
    for (const candidate of candidates) {
      const opened = folders.open(candidate, fresh.length)
      if (opened === undefined) {
        const waiting = folders.crowded ? savedAt(candidate.path, saved) : undefined
        if (waiting === undefined) continue
        saved.delete(inodeKey(waiting.inode))
        folders.parking.keep(candidate.path, waiting)
        continue
      }
      const inode = inodeOf(opened.stats)
      const entry = saved.get(inodeKey(inode))
      if (tailers.has(inodeKey(inode))) closeSync(opened.fd)
      else if (entry && sameBirth(entry.inode, inode) && isGeneration(opened, identityOf(entry))) {
        saved.delete(inodeKey(inode))
        handles.drop(entry.key)
        follower.follow(candidate.path, opened, lineage.restored(candidate.source, entry, inode))
      } else {
        fresh.push({ candidate, opened, inode })
        if (entry) replaced.add(entry)
      }
    }
    for (const { origin, inode } of generations) vacated.bornBefore(origin, inode)
    for (const { origin, source } of generations) {
      const known = sources.get(source)
      if (known) vacated.mayHaveLeft(origin, known)
    }
    this.#elsewhere = this.#locate([...saved.values()].filter(entry => !entry.done && !replaced.has(entry)))
    for (const entry of [...saved.values(), ...orphans]) this.findAgain(entry, replaced.has(entry))
    this.#elsewhere = new Map()
    handles.close()
    // What was rotated away from a followed name while we were down, and never seen under it.
    vacated.catchUpAll()
    for (const { candidate, opened, inode } of fresh) {
      if (tailers.has(inodeKey(inode))) closeSync(opened.fd)
      else {
        const incarnation = saved.has(inodeKey(inode)) ? Date.now() : 0
        follower.follow(candidate.path, opened, lineage.begun(candidate.source, candidate.path, inode, incarnation))
      }
    }
  }

  /** Whether an inode is that of a generation that has to wait; `key` as by `inodeKey`. */
  awaits(key: string): boolean {
    return this.#postponedAt(key) !== undefined
  }

  /** Takes out the generation of an inode that has to wait, because its file was found. */
  recall(key: string): SavedGeneration | undefined {
    this.#shut.delete(key)
    const entry = this.#postponedAt(key)
    if (entry) {
      this.#postponed.delete(entry)
      this.sought.delete(entry)
    }
    return entry
  }

  /** Looks for those that had to wait. */
  retry(): void {
    const { done } = this.#parts
    for (const [key, entry] of [...this.#shut]) {
      const shut = this.#unreadable(entry)
      if (shut === entry) continue
      const saved = done.take(key)
      if (saved === entry && shut) {
        this.#shutOut(shut)
        continue
      }
      this.#shut.delete(key)
      if (saved === entry) this.findAgain(entry, false)
      // Otherwise its name led to it, and somebody else looks after it now.
      else if (saved) done.remember(saved)
    }
    for (const [entry, { replaced }] of this.#postponed) {
      if (!this.#parts.folders.room()) return
      this.#postponed.delete(entry)
      this.sought.delete(entry)
      this.findAgain(entry, replaced)
    }
  }

  /** Looks for a generation that no followed name leads to. `replaced`: its inode has other content now. */
  findAgain(entry: SavedGeneration, replaced: boolean): void {
    const { tailers, done, folders, unpacked } = this.#parts
    if (entry.done) {
      if (!replaced && nameOf(entry.inode, entry.origin) !== undefined) done.remember(entry)
      return
    }
    const wanted = wantedOf(entry)
    const handed = this.#handed(entry, wanted)
    if (handed) {
      this.#continue(entry, handed)
      return
    }
    if (!folders.room()) {
      this.sought.add(entry)
      this.#postponed.set(entry, { replaced })
      return
    }
    const taken = (key: string) => tailers.has(key)
    const kept = unpacked.before(entry.key, wanted) ?? this.#pinned(entry, wanted)
    const same = kept ?? (replaced ? undefined : findSibling(wanted, 'inode', taken))
    const found = same ?? findSibling(wanted, 'copy', taken) ?? this.#movedAway(entry, wanted)
    if (found) this.#continue(entry, found)
    else {
      const shut = replaced ? undefined : this.#unreadable(entry)
      if (shut) {
        this.#shutOut(shut)
        return
      }
      this.sought.add(entry)
      const seek = this.#seek(entry, wanted).finally(() => this.#seeks.delete(seek))
      this.#seeks.add(seek)
    }
  }

  /**
   * A file that nobody could open yet, at `path` now and once at `origin`: once it may be opened it is found again, also
   * under another name.
   */
  shut(source: SourceOptions, origin: string, path = origin): void {
    const { tailers, done, lineage, onSettled } = this.#parts
    // Where a link leads is not ours to count.
    const stats = fileAt(path)
    if (stats === undefined) return
    const inode = inodeOf(stats)
    const key = inodeKey(inode)
    if (tailers.has(key) || done.has(inode)) return
    // Without birth times its id could not be told again.
    if (inode.birth === '0' || this.#shut.size >= MOST_SHUT) return
    this.#shutOut({ ...lineage.unopened(source, origin, inode, Number(stats.size)), path })
    onSettled()
  }

  #shutOut(entry: SavedGeneration): void {
    this.#parts.done.remember(entry)
    this.#shut.set(inodeKey(entry.inode), entry)
  }

  #postponedAt(key: string): SavedGeneration | undefined {
    for (const [entry, { replaced }] of this.#postponed) {
      if (!replaced && inodeKey(entry.inode) === key) return entry
    }
    return undefined
  }

  /** The entry, with what is to be seen of its file, if it is there but may not be opened now: its position is kept. */
  #unreadable(entry: SavedGeneration): SavedGeneration | undefined {
    const { inode, origin } = entry
    const known = fileAt(entry.path)
    const path = known && isInode(known, inode) ? entry.path : nameOf(inode, origin)
    if (path === undefined) return undefined
    const opened = openRegular(path, [dirname(path)])
    if (opened.kind === 'open') closeSync(opened.fd)
    if (opened.kind !== 'refused') return undefined
    const size = Math.max(entry.size, Number(fileAt(path)?.size ?? 0))
    return path === entry.path && size === entry.size ? entry : { ...entry, path, size }
  }

  /** The last resort: it may have been compressed. */
  async #seek(entry: SavedGeneration, wanted: Wanted): Promise<void> {
    const found = await this.#parts.unpacked.find(entry.key, wanted)
    this.sought.delete(entry)
    if (this.#stopped) {
      if (found) closeSync(found.opened.fd)
      return
    }
    if (found) this.#continue(entry, found)
    else this.#gone(entry)
    this.#parts.onSettled()
  }

  /** What the configuration before had open: the file may have no name at all. */
  #handed(entry: SavedGeneration, wanted: Wanted): Sibling | undefined {
    const fd = this.#handles.take(entry.key)
    if (fd === undefined) return undefined
    const opened: OpenFile = { kind: 'open', fd, stats: fstatSync(fd, { bigint: true }) }
    const taken = this.#parts.tailers.has(inodeKey(inodeOf(opened.stats)))
    if (!taken && isGeneration(opened, wanted)) return { path: entry.path, opened }
    closeSync(fd)
    return undefined
  }

  /** What an earlier process pinned: the file may have no other name. */
  #pinned(entry: SavedGeneration, wanted: Wanted): Sibling | undefined {
    const { pins, tailers } = this.#parts
    const path = pins.has(entry.key) ? pins.path(entry.key) : undefined
    if (path === undefined) return undefined
    const opened = openRegular(path, [dirname(path)])
    if (opened.kind !== 'open') return undefined
    if (!tailers.has(inodeKey(inodeOf(opened.stats))) && isGeneration(opened, wanted)) return { path, opened }
    closeSync(opened.fd)
    return undefined
  }

  /** Where the inodes are now that are not in their folders any more: below their sources' roots, if anywhere. */
  #locate(entries: readonly SavedGeneration[]): ReadonlyMap<string, string> {
    const roots = new Set<string>()
    const keys = new Set<string>()
    for (const { inode, origin, source } of entries) {
      if (nameOf(inode, origin) !== undefined) continue
      keys.add(inodeKey(inode))
      for (const root of this.#parts.rootsOf(source)) roots.add(root)
    }
    return locate(roots, keys)
  }

  /** Rotated into another folder. */
  #movedAway({ inode, source }: SavedGeneration, wanted: Wanted): Sibling | undefined {
    const path = this.#elsewhere.get(inodeKey(inode))
    if (path === undefined || this.#parts.tailers.has(inodeKey(inode))) return undefined
    const opened = openRegular(path, this.#parts.rootsOf(source))
    if (opened.kind !== 'open') return undefined
    if (inodeKey(inodeOf(opened.stats)) === inodeKey(inode) && isGeneration(opened, wanted)) return { path, opened }
    closeSync(opened.fd)
    return undefined
  }

  #continue(entry: SavedGeneration, { path, opened }: Sibling): void {
    const { follower, lineage, sources } = this.#parts
    follower.continueIn(path, opened, lineage.restored(sources.get(entry.source)!, entry, entry.inode))
  }

  #gone(entry: SavedGeneration): void {
    const { truncation, lineage, ledger, log } = this.#parts
    const living = lineage.living(entry)
    if (living) {
      truncation.lost(entry.origin, living)
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
      account.vanished(bytes)
      most = Math.max(most, bytes)
    }
    if (most === 0) return
    log.error(
      { source: entry.source, path: entry.origin, bytes: most },
      'a file with unread bytes is gone; they are counted as vanished',
    )
  }
}

function wantedOf(entry: SavedGeneration): Wanted {
  return { path: entry.origin, inode: entry.inode, ...identityOf(entry) }
}

/** What is known of the file that the path leads to. */
function savedAt(path: string, saved: ReadonlyMap<string, SavedGeneration>): SavedGeneration | undefined {
  const stats = statPath(path)
  return stats && saved.get(inodeKey(inodeOf(stats)))
}
