/**
 * The follower: what happens to a file from the moment it is taken up until its handle is closed.
 *
 *     follow ─► poll ─┬─ more to read ─► offered to the readers, older generations of its name first
 *                     ├─ its name leads elsewhere ─► set aside, pinned until it is acknowledged
 *                     ├─ other content stands in it ─► a new generation; the old one goes on in a copy, or ends
 *                     └─ done and quiet ─► closed and remembered
 *
 * Guarantees: a generation whose id is not derived again is on disk before anything of it is sent; what can provably
 * not be read any more is counted as vanished.
 */
import { fstatSync } from 'node:fs'
import { inodeOf, readLines } from '../files/fingerprint.ts'
import { nameOfHandle } from '../files/inodes.ts'
import { type Habits, isRelated } from '../files/names.ts'
import { compressionOf, isNoise, type OpenFile } from '../files/open.ts'
import type { Done } from '../generation/done.ts'
import { begunAfter, type Generation } from '../generation/generation.ts'
import type { Lineage } from '../generation/lineage.ts'
import { Tailer } from '../generation/tailer.ts'
import type { Tailers } from '../generation/tailers.ts'
import type { Truncation } from '../generation/truncation.ts'
import type { SourceOptions } from '../options.ts'
import type { Missed } from '../rotation/missed.ts'
import { beginsLike } from '../rotation/siblings.ts'
import type { Unpacked } from '../rotation/unpack.ts'
import type { SavedGeneration } from '../state/checkpoint.ts'
import type { Pins } from '../state/pins.ts'
import type { Saver } from '../state/saver.ts'
import type { Lookout } from './lookout.ts'
import type { Pinning } from './pinning.ts'

/** An older file counts as one that is still written to for so long after a change: milliseconds. */
const ACTIVE_FOR = 10_000

export interface FollowerParts {
  readonly sources: ReadonlyMap<string, SourceOptions>
  readonly tailers: Tailers
  readonly done: Done
  readonly pins: Pins
  readonly pinning: Pinning
  readonly unpacked: Unpacked
  readonly lineage: Lineage
  readonly lookout: Lookout
  readonly missed: Missed
  readonly truncation: Truncation
  readonly saver: Saver
  readonly habits: Habits
  /** A path is no suspect any more: it is followed. */
  cleared(path: string): void
  /** A followed path leads to a compressed file. */
  compressed(path: string, source: string): void
  /** Looks for a generation that has just lost its content. */
  search(entry: SavedGeneration): void
  /** Whether an older generation of `origin` is being searched for. */
  holdsBack(origin: string, begun: bigint): boolean
  /** A file has lost its last name. */
  nameless(tailer: Tailer): void
}

export class Follower {
  /** Nobody writes any more, as far as we know: last lines without a line end are taken too. */
  final = false
  readonly #parts: FollowerParts
  /** Tailers whose new generation must be on disk before anything of it is sent: its id is not derived again. */
  readonly #held = new Set<Tailer>()
  /** Tailers whose new content is being compared with that of others. */
  readonly #replacing = new Set<Tailer>()
  /** Tailers that wait until older generations of their origin have been read. */
  readonly #blocked = new Set<Tailer>()
  #suspended = false

  constructor(parts: FollowerParts) {
    this.#parts = parts
  }

  /** While older files are still being found nothing is read: theirs comes first. */
  set suspended(suspended: boolean) {
    this.#suspended = suspended
    if (suspended) return
    for (const tailer of [...this.#blocked]) {
      this.#blocked.delete(tailer)
      if (!tailer.closed) this.#offer(tailer)
    }
  }

  /** Something of what was read may not be sent yet. */
  get holding(): boolean {
    return this.#held.size > 0
  }

  /** Looks at the file and at those that come before it, and does what follows from what it sees. */
  poll(tailer: Tailer, now = performance.now()): void {
    const elders = this.#parts.tailers.eldersOf(tailer)
    for (const [n, elder] of elders.entries()) {
      // What was written last to the file that had the name before comes first.
      if (n === elders.length - 1 || now - elder.changedAt < ACTIVE_FOR) this.#look(elder, now)
    }
    this.#look(tailer, now)
  }

  #look(tailer: Tailer, now: number): void {
    // What it saw last is not yet what is known of it: a look at another file has led back here.
    if (tailer.closed || this.#replacing.has(tailer)) return
    const before = tailer.state.kind
    const known = tailer.generation.head.length
    const sight = tailer.poll(now, this.final)
    if (tailer.state.kind !== before) this.#moved(tailer)
    switch (sight.kind) {
      case 'intact':
        if (tailer.emptied && sight.unread) {
          if (this.#isCopiedOver(tailer)) {
            this.giveUp(tailer)
            return
          }
          tailer.emptied = false
        }
        if (sight.changed) {
          tailer.failing = false
          this.#parts.lookout.heat(tailer)
          // While nothing is acknowledged nothing else would: what was seen of the file would not outlive us.
          if (known === 0 && tailer.generation.head.length > 0) this.#parts.saver.soon()
          else this.#parts.saver.later()
        }
        if (sight.unread) {
          if (this.#isCompressed(tailer)) return
          this.#offer(tailer)
        }
        break
      case 'shortened':
        this.#parts.truncation.vanished(tailer.path, tailer.generation, ({ read }) =>
          // What some have read before it was cut off has not vanished for them.
          Math.max(0, tailer.size + sight.bytes - Math.max(tailer.size, read)),
        )
        this.#offer(tailer)
        break
      case 'replaced':
        this.replaced(tailer)
        break
    }
    if (tailer.closed) return
    this.#keepPinned(tailer)
    if (tailer.finished(now)) this.close(tailer)
    this.#parts.lookout.seen(tailer, now)
  }

  /** What was written into it since it was taken up begins like an archive: it is let go. */
  #isCompressed(tailer: Tailer): boolean {
    const { generation, path } = tailer
    if (generation.furthest > 0 || !generation.idle || tailer.state.kind !== 'live') return false
    if (compressionOf(tailer.fd) === undefined) return false
    this.letGo(tailer)
    this.#parts.compressed(path, generation.origin.source)
    return true
  }

  #offer(tailer: Tailer): void {
    if (this.#held.has(tailer)) return
    if (this.#suspended) {
      this.#blocked.add(tailer)
      return
    }
    const { tailers, lineage, holdsBack } = this.#parts
    const { generation } = tailer
    const elders = tailers.eldersOf(tailer)
    for (const cursor of generation.cursors) {
      if (!tailer.hasUnread(cursor, this.final)) continue
      const { backend } = cursor
      // An older generation is read first: once that is done this one is offered again (`dry`, `unblock`).
      if (elders.some(elder => this.#isUnread(elder, backend)) || holdsBack(generation.origin.path, generation.begun)) {
        this.#blocked.add(tailer)
      } else lineage.readerOf(backend)?.offer(tailer, cursor)
    }
  }

  #isUnread(elder: Tailer, backend: string): boolean {
    const cursor = elder.generation.cursors.find(candidate => candidate.backend === backend)
    return cursor !== undefined && !elder.failing && elder.hasUnread(cursor, this.final)
  }

  /** A reader has read all there is of a file. */
  dry(tailer: Tailer): void {
    if (this.#blocked.size > 0) this.unblock(tailer.generation.origin.path)
  }

  /** A file cannot be read now: it is no reason for others to wait. */
  failed(tailer: Tailer): void {
    tailer.failing = true
    this.dry(tailer)
  }

  /** Older generations of the path may have been read to their end, or been given up. */
  unblock(origin: string): void {
    for (const tailer of [...this.#blocked]) {
      if (tailer.generation.origin.path !== origin) continue
      this.#blocked.delete(tailer)
      if (!tailer.closed) this.#offer(tailer)
    }
  }

  /** Takes up an open file, under the followed name that leads to it, or that did (`aside`). */
  follow(path: string, opened: OpenFile, generation: Generation, aside = false): Tailer {
    const tailer = new Tailer(opened.fd, path, opened.stats, generation, performance.now())
    tailer.pinned = this.#parts.pins.has(generation.key)
    this.#parts.cleared(path)
    this.#parts.tailers.add(tailer, aside)
    this.#parts.missed.followed(generation.origin.path, generation.begun)
    this.#learn(tailer)
    if (this.#parts.lineage.isTimed(generation)) this.#hold(tailer)
    this.#offer(tailer)
    this.#parts.lookout.heat(tailer)
    this.#parts.saver.soon()
    return tailer
  }

  /** Remembers what the file is really called: behind a link, or after a rotation. */
  #learn({ fd, inode, path, generation }: Tailer): void {
    const { habits, pins, unpacked } = this.#parts
    const name = nameOfHandle(fd, inode, path)
    if (name !== undefined && !pins.holds(name) && !unpacked.holds(name)) habits.learn(generation.origin.path, name)
  }

  /** A file lost its name: another may carry it now. */
  #moved(tailer: Tailer): void {
    this.#parts.tailers.setAside(tailer)
    tailer.locate()
    const { path, source } = tailer.generation.origin
    this.#learn(tailer)
    if (tailer.state.kind === 'deleted') this.#parts.nameless(tailer)
    this.#parts.missed.vacated(path, this.#parts.sources.get(source)!)
    this.#keepPinned(tailer)
    this.#parts.lookout.sweepSoon()
    this.#parts.saver.later()
  }

  /** Other content stands in the file: the old generation goes on in a copy if there is one, a new one begins here. */
  replaced(tailer: Tailer): void {
    const { pinning, sources, lineage, tailers, missed, search } = this.#parts
    const old = tailer.generation
    // The pin holds the inode, whose content is another now.
    pinning.release(tailer)
    if (this.#isCopiedOver(tailer) || isShredded(tailer)) {
      this.giveUp(tailer)
      return
    }
    tailer.emptied = tailer.size === 0
    const { source: name, path: origin } = old.origin
    const source = sources.get(name)!
    const path = tailer.state.kind === 'live' ? tailer.path : origin
    // Another truncation may have come before this one was seen.
    missed.vacated(origin, source)
    const since = begunAfter(old.begun, tailer.modified)
    const generation = lineage.begun(source, path, tailer.inode, Date.now(), since)
    tailers.begin(tailer, generation)
    missed.followed(path, generation.begun)
    this.#hold(tailer)
    search(lineage.lost(old, tailer.path))
  }

  /**
   * Whether what stands in a rotation now may be a copy of the file it was rotated from. Then it is that one's, which
   * goes on in it once it is truncated, or has done so already.
   */
  #isCopiedOver(tailer: Tailer): boolean {
    this.#replacing.add(tailer)
    try {
      return this.#isLikeOriginal(tailer)
    } catch {
      // A stale handle of a network file system: nothing can be compared.
      return false
    } finally {
      this.#replacing.delete(tailer)
    }
  }

  #isLikeOriginal(tailer: Tailer): boolean {
    const rotated = tailer.state.kind !== 'live'
    for (const other of [...this.#parts.tailers]) {
      if (other.state.kind !== 'live' || other === tailer) continue
      // What was renamed is still known by the name that the other one carries now.
      const wasThere = rotated && tailer.generation.origin.path === other.path
      if (!isRelated(tailer.path, other.path) && !wasThere) continue
      this.poll(other)
      if (tailer.closed) return true
      const opened: OpenFile = { kind: 'open', fd: tailer.fd, stats: fstatSync(tailer.fd, { bigint: true }) }
      // No followed name may lead to a rotated one again: an empty file is not enough to let go of it (see `emptied`).
      // And when nobody writes any more no truncation is to come that would explain it.
      if (!this.final && (!rotated || opened.stats.size > 0n) && beginsLike(opened, other)) return true
      // It may have been truncated while they were compared.
      this.poll(other)
      if (tailer.closed) return true
    }
    return false
  }

  /** What stands in the file is not ours to read, or not yet; what was unread of what had stood there is gone. */
  giveUp(tailer: Tailer): void {
    if (tailer.closed) return
    // What a file says that was empty belongs to the one it was copied from.
    if (!tailer.emptied) this.#parts.truncation.lost(tailer.path, tailer.generation)
    // So that whatever begins in this inode has another id than what was in it before.
    this.#parts.done.remember({ ...tailer.generation.save(tailer.path), done: true })
    this.letGo(tailer)
    this.#parts.lookout.sweepSoon()
    this.#parts.saver.later()
  }

  /** Its id holds the time: it must be on disk before anything of it leaves, or a restart would make another. */
  #hold(tailer: Tailer): void {
    this.#held.add(tailer)
    void this.#parts.saver.now().then(() => {
      this.#held.delete(tailer)
      if (tailer.state.kind !== 'closed') this.poll(tailer)
    })
  }

  /** Goes on with a generation in another file than the one it was begun in. */
  continueIn(path: string, opened: OpenFile, generation: Generation): void {
    generation.inode = inodeOf(opened.stats)
    // The copy may be shorter than what was seen of the beginning.
    const size = Number(opened.stats.size)
    if (size < generation.head.length) generation.head = readLines(opened.fd, size)
    for (const cursor of generation.cursors) cursor.again()
    this.followAside(path, opened, generation)
  }

  /** Takes up an open file that is not under a followed name. */
  followAside(path: string, opened: OpenFile, generation: Generation): void {
    this.#aside(this.follow(path, opened, generation, true))
  }

  /** The name it was taken up by is not one that is followed, and may not last. */
  #aside(tailer: Tailer): void {
    tailer.state = { kind: 'rotated', since: performance.now() }
    this.#parts.tailers.setAside(tailer)
    this.#keepPinned(tailer)
    this.#parts.lookout.sweepSoon()
  }

  /** A committed offset has moved. */
  committed(): void {
    this.#parts.truncation.settled()
    this.#parts.saver.later()
  }

  /** The file is done. */
  close(tailer: Tailer): void {
    // A file without a name cannot come back under one.
    const { kind } = tailer.state
    tailer.locate()
    this.letGo(tailer)
    const { unpacked, done } = this.#parts
    unpacked.release(tailer.generation.key)
    const saved = { ...tailer.generation.save(tailer.path), done: true }
    if (kind === 'deleted' || unpacked.holds(tailer.path)) done.rememberGone(saved)
    else done.remember(saved)
    this.#parts.saver.later()
  }

  /** Its handle is closed; what becomes of the generation is somebody else's affair. */
  letGo(tailer: Tailer): void {
    this.#parts.pinning.release(tailer)
    this.#parts.tailers.delete(tailer)
    this.#parts.lookout.forget(tailer)
    tailer.close()
    this.#blocked.delete(tailer)
    this.dry(tailer)
  }

  /** A rotated file's name may not last: whoever keeps three files deletes the fourth. */
  #keepPinned(tailer: Tailer): void {
    // Its positions must be on disk too: a pin that no checkpoint names is cleared away by the next process.
    if (!this.#parts.pinning.keep(tailer)) return
    const { key } = tailer.generation
    void this.#parts.saver.now().then(saved => saved && this.#parts.pins.saved(key))
  }
}

/** A file that has lost its name and is written over in place, with what is no text: `shred`, before it is removed. */
function isShredded({ state, size, fd, generation }: Tailer): boolean {
  return state.kind !== 'live' && size > 0 && size >= generation.size && isNoise(fd)
}
