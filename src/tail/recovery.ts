/**
 * Recovery: finding saved generations again, after a restart or when a parked file is not where it was.
 *
 * In this order: the inode under a followed name; what an earlier process unpacked or pinned; the inode under any name
 * of the folder; a copy with the same head and marker; and last, in the background, a compressed sibling. A generation
 * that is nowhere is gone: what was seen of it and not read is counted as vanished.
 */
import { closeSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Ledger } from '../ledger.ts'
import type { Logger } from '../log.ts'
import type { Checkpoint, SavedGeneration } from './checkpoint.ts'
import { type Inode, inodeKey, inodeOf } from './fingerprint.ts'
import type { Generation } from './generation.ts'
import type { Lineage } from './lineage.ts'
import { type OpenFile, openRegular } from './open.ts'
import type { SourceOptions } from './options.ts'
import type { Pins } from './pins.ts'
import { findSibling, isGeneration, nameOf, type Sibling, sameBirth, type Wanted } from './siblings.ts'
import type { Found } from './sweep.ts'
import type { Unpacked } from './unpack.ts'

/** What recovery asks of the room. */
export interface Place {
  /** The inode is followed. */
  taken(key: string): boolean
  open(candidate: Found): OpenFile | undefined
  follow(path: string, opened: OpenFile, generation: Generation): void
  /** Goes on with a generation in a file that is not under its followed name. */
  continueIn(path: string, opened: OpenFile, generation: Generation): void
  /** A file of this birth was followed under the path; others may have come and gone since. */
  born(path: string, inode: Inode, source: SourceOptions): void
  catchUp(): void
  remember(key: string, saved: SavedGeneration): void
}

export interface RecoveryParts {
  readonly place: Place
  readonly lineage: Lineage
  readonly sources: ReadonlyMap<string, SourceOptions>
  readonly pins: Pins
  readonly unpacked: Unpacked
  readonly ledger: Ledger
  readonly log: Logger
  /** Something was found or given up. */
  readonly onSettled: () => void
}

export class Recovery {
  /** Generations that are looked for among compressed files. */
  readonly sought = new Set<SavedGeneration>()
  readonly #parts: RecoveryParts
  #stopped = false

  constructor(parts: RecoveryParts) {
    this.#parts = parts
  }

  stop(): void {
    this.#stopped = true
  }

  /** Finds every saved generation again, then takes up what is new among `candidates`. */
  resume({ generations }: Checkpoint, candidates: Iterable<Found>): void {
    const { place, lineage, sources, pins, unpacked } = this.#parts
    const keys = new Set(generations.map(({ key }) => key))
    pins.inherit(keys)
    unpacked.inherit(keys)
    const saved = new Map<string, SavedGeneration>()
    const orphans: SavedGeneration[] = []
    for (const entry of generations) {
      if (!sources.has(entry.source)) continue
      const key = inodeKey(entry.inode)
      // Two generations of one inode: the later one is the file's, the earlier one was waiting for its end.
      const other = saved.get(key)
      if (other) orphans.push(other)
      saved.set(key, entry)
    }
    const replaced = new Set<SavedGeneration>(orphans)
    const fresh: { candidate: Found; opened: OpenFile; inode: Inode }[] = []
    for (const candidate of candidates) {
      const opened = place.open(candidate)
      if (opened === undefined) continue
      const inode = inodeOf(opened.stats)
      const entry = saved.get(inodeKey(inode))
      if (place.taken(inodeKey(inode))) closeSync(opened.fd)
      else if (entry && sameBirth(entry.inode, inode) && isGeneration(opened, identityOf(entry))) {
        saved.delete(inodeKey(inode))
        place.follow(candidate.path, opened, lineage.restored(candidate.source, entry, inode))
      } else {
        fresh.push({ candidate, opened, inode })
        if (entry) replaced.add(entry)
      }
    }
    for (const { origin, source, inode } of generations) {
      const known = sources.get(source)
      if (known) place.born(origin, inode, known)
    }
    for (const entry of [...saved.values(), ...orphans]) this.findAgain(entry, replaced.has(entry))
    // What was rotated away from a followed name while we were down, and never seen under it.
    place.catchUp()
    for (const { candidate, opened, inode } of fresh) {
      if (place.taken(inodeKey(inode))) closeSync(opened.fd)
      else {
        const incarnation = saved.has(inodeKey(inode)) ? Date.now() : 0
        place.follow(candidate.path, opened, lineage.begun(candidate.source, candidate.path, inode, incarnation))
      }
    }
  }

  /** Looks for a generation that no followed name leads to. `replaced`: its inode has other content now. */
  findAgain(entry: SavedGeneration, replaced: boolean): void {
    const { place, unpacked } = this.#parts
    if (entry.done) {
      if (!replaced && nameOf(entry.inode, entry.origin) !== undefined) place.remember(inodeKey(entry.inode), entry)
      return
    }
    const wanted: Wanted = { path: entry.origin, inode: entry.inode, ...identityOf(entry) }
    const taken = (key: string) => place.taken(key)
    const kept = unpacked.before(entry.key, wanted) ?? this.#pinned(entry, wanted)
    const same = kept ?? (replaced ? undefined : findSibling(wanted, 'inode', taken))
    const found = same ?? findSibling(wanted, 'copy', taken)
    if (found) this.#continue(entry, found)
    else if (!replaced && this.#unreadable(entry)) place.remember(inodeKey(entry.inode), entry)
    else {
      this.sought.add(entry)
      void this.#seek(entry, wanted)
    }
  }

  /** It is there, but we may not open it now: its position is kept until we may. */
  #unreadable({ inode, origin }: SavedGeneration): boolean {
    const path = nameOf(inode, origin)
    if (path === undefined) return false
    const opened = openRegular(path, [dirname(path)])
    if (opened.kind === 'open') closeSync(opened.fd)
    return opened.kind === 'refused'
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

  /** What an earlier process pinned: the file may have no other name. */
  #pinned(entry: SavedGeneration, wanted: Wanted): Sibling | undefined {
    const { pins, place } = this.#parts
    const path = pins.has(entry.key) ? pins.path(entry.key) : undefined
    if (path === undefined) return undefined
    const opened = openRegular(path, [dirname(path)])
    if (opened.kind !== 'open') return undefined
    if (!place.taken(inodeKey(inodeOf(opened.stats))) && isGeneration(opened, wanted)) return { path, opened }
    closeSync(opened.fd)
    return undefined
  }

  #continue(entry: SavedGeneration, { path, opened }: Sibling): void {
    const { place, lineage, sources } = this.#parts
    place.continueIn(path, opened, lineage.restored(sources.get(entry.source)!, entry, entry.inode))
  }

  #gone(entry: SavedGeneration): void {
    const { lineage, ledger, log } = this.#parts
    let most = 0
    for (const [backend, { offset, end }] of Object.entries(entry.cursors)) {
      if (!lineage.wants(backend, entry.source)) continue
      const bytes = Math.max(0, (end ?? entry.size) - offset)
      ledger.account(entry.source, backend).vanished(bytes)
      most = Math.max(most, bytes)
    }
    if (most === 0) return
    log.error(
      { source: entry.source, path: entry.origin, bytes: most },
      'a file with unread bytes is gone since the last run; they are counted as vanished',
    )
  }
}

function identityOf({ head, cursors }: SavedGeneration): Pick<Wanted, 'head' | 'cursors'> {
  return { head, cursors: Object.values(cursors) }
}
