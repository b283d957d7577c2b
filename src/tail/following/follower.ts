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
import { begunAfter, type Generation } from '../generation/generation.ts'
import type { Lineage } from '../generation/lineage.ts'
import type { Table } from '../generation/table.ts'
import { type Sight, Tailer } from '../generation/tailer.ts'
import type { Truncation } from '../generation/truncation.ts'
import type { SourceOptions } from '../options.ts'
import type { Missed } from '../rotation/missed.ts'
import { beginsLike } from '../rotation/siblings.ts'
import type { Unpacked } from '../rotation/unpack.ts'
import type { SavedGeneration } from '../state/checkpoint.ts'
import type { Pins } from '../state/pins.ts'
import type { Saver } from '../state/saver.ts'
import { type Change, decide, needsComparison } from './decide.ts'
import type { Lookout } from './lookout.ts'
import type { Pinning } from './pinning.ts'
import { type Related, Turns } from './turns.ts'

/** An older file counts as one that is still written to for so long after a change: milliseconds. */
const ACTIVE_FOR = 10_000

/** What a look at a file showed; `begins`: its beginning was not known before. */
interface Seen {
  readonly sight: Sight
  readonly begins: boolean
}

export interface FollowerParts {
  readonly sources: ReadonlyMap<string, SourceOptions>
  readonly table: Table
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
  readonly #turns: Turns<Tailer, Seen>
  /** Monotonic milliseconds of the present look. */
  #now = 0
  /** Tailers that wait until older generations of their origin have been read. */
  readonly #blocked = new Set<Tailer>()
  #suspended = false

  constructor(parts: FollowerParts) {
    this.#parts = parts
    this.#turns = new Turns({
      identity: ({ closed, generation }) => (closed ? undefined : generation),
      observe: tailer => this.#observe(tailer),
      isDecisive: (tailer, { sight }) => needsComparison(sight, tailer.emptied),
      related: (tailer, { sight }) => (needsComparison(sight, tailer.emptied) ? [...this.#related(tailer)] : []),
      isLike: (tailer, other) => this.#isLike(tailer, other),
      conclude: (tailer, seen, copied) => this.#conclude(tailer, seen, copied),
    })
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
    this.#now = now
    for (const elder of this.#eldersToLookAt(tailer)) this.#turns.take(elder)
    this.#turns.take(tailer)
  }

  /** What was written last to the file that had the name before comes first. */
  #eldersToLookAt(tailer: Tailer): Tailer[] {
    const elders = this.#parts.table.eldersOf(tailer)
    return elders.filter((elder, n) => n === elders.length - 1 || this.#now - elder.changedAt < ACTIVE_FOR)
  }

  #observe(tailer: Tailer): Seen {
    const before = tailer.state.kind
    const known = tailer.generation.head.length
    const sight = tailer.poll(this.#now, this.final)
    // Its name is not what stands in it: that it has lost it is taken note of at once.
    if (tailer.state.kind !== before) this.#moved(tailer)
    return { sight, begins: known === 0 && tailer.generation.head.length > 0 }
  }

  /** The followed files that what stands in this one may have been copied from, each behind those that come before it. */
  *#related(tailer: Tailer): Generator<Related<Tailer>> {
    // A stale handle of a network file system: nothing can be compared.
    if (sizeOf(tailer) === undefined) return
    const { table } = this.#parts
    const near = new Set(table.relativesOf(tailer.path))
    // What was renamed is still known by the name that another one carries now.
    const heir = tailer.state.kind === 'live' ? undefined : table.tailerAt(tailer.generation.origin.path)
    if (heir) near.add(heir)
    for (const other of near) {
      if (other.state.kind !== 'live' || other === tailer) continue
      if (other !== heir && !isRelated(tailer.path, other.path)) continue
      for (const elder of this.#eldersToLookAt(other)) yield { file: elder, compare: false }
      yield { file: other, compare: true }
    }
  }

  #isLike(tailer: Tailer, other: Tailer): boolean {
    // When nobody writes any more no truncation is to come that would explain it.
    if (this.final || other.closed) return false
    try {
      const stats = fstatSync(tailer.fd, { bigint: true })
      // No followed name may lead to a rotated one again: an empty file is not enough to let go of it (see `emptied`).
      if (tailer.state.kind !== 'live' && stats.size === 0n) return false
      return beginsLike({ kind: 'open', fd: tailer.fd, stats }, other)
    } catch {
      return false
    }
  }

  #conclude(tailer: Tailer, { sight, begins }: Seen, copied: boolean): void {
    const { emptied } = tailer
    const noise = sight.kind === 'replaced' && !copied && isShredded(tailer)
    const packed = sight.kind === 'intact' && sight.unread && isPacked(tailer)
    for (const change of decide({ sight, begins, emptied, copied, noise, packed })) this.#apply(tailer, change)
  }

  #apply(tailer: Tailer, change: Change): void {
    const { lookout, saver, truncation, compressed } = this.#parts
    switch (change.kind) {
      case 'genuine':
        tailer.emptied = false
        break
      case 'written':
        tailer.failing = false
        lookout.heat(tailer)
        // While nothing is acknowledged nothing else would: what was seen of the file would not outlive us.
        if (change.begins) saver.soon()
        else saver.later()
        break
      case 'packed':
        this.letGo(tailer)
        compressed(tailer.path, tailer.generation.origin.source)
        break
      case 'unread':
        this.#offer(tailer)
        break
      case 'shortened':
        truncation.vanished(tailer.path, tailer.generation, ({ read }) =>
          // What some have read before it was cut off has not vanished for them.
          Math.max(0, tailer.size + change.bytes - Math.max(tailer.size, read)),
        )
        break
      case 'replaced':
        this.#beginAnew(tailer)
        break
      case 'displaced':
        this.giveUp(tailer)
        break
      case 'looked':
        this.#keepPinned(tailer)
        if (tailer.finished(this.#now)) this.close(tailer)
        else lookout.seen(tailer, this.#now)
    }
  }

  #offer(tailer: Tailer): void {
    if (this.#held.has(tailer)) return
    if (this.#suspended) {
      this.#blocked.add(tailer)
      return
    }
    const { table, lineage, holdsBack } = this.#parts
    const { generation } = tailer
    const elders = table.eldersOf(tailer)
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
    this.#parts.table.open(tailer, aside)
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
    this.#parts.table.setAside(tailer)
    tailer.locate()
    const { path, source } = tailer.generation.origin
    this.#learn(tailer)
    if (tailer.state.kind === 'deleted') this.#parts.nameless(tailer)
    this.#parts.missed.vacated(path, this.#parts.sources.get(source)!)
    this.#keepPinned(tailer)
    this.#parts.lookout.sweepSoon()
    this.#parts.saver.later()
  }

  /** A reader has seen that other content stands in the file. */
  replaced(tailer: Tailer): void {
    this.#now = performance.now()
    this.#turns.take(tailer, { sight: { kind: 'replaced' }, begins: false })
  }

  /** The old generation goes on in a copy if there is one, a new one begins here. */
  #beginAnew(tailer: Tailer): void {
    const { pinning, sources, lineage, table, missed, search } = this.#parts
    const old = tailer.generation
    // The pin holds the inode, whose content is another now.
    pinning.release(tailer)
    tailer.emptied = tailer.size === 0
    const { source: name, path: origin } = old.origin
    const source = sources.get(name)!
    const path = tailer.state.kind === 'live' ? tailer.path : origin
    // Another truncation may have come before this one was seen.
    missed.vacated(origin, source)
    const since = begunAfter(old.begun, tailer.modified)
    const generation = lineage.begun(source, path, tailer.inode, Date.now(), since)
    table.begin(tailer, generation)
    missed.followed(path, generation.begun)
    this.#hold(tailer)
    search(lineage.lost(old, tailer.path))
  }

  /**
   * Whether a file of which nothing is known is like one that is followed, the first of `others` for which `isLike` is
   * true. `claimed`: what had happened to one of them explains the file, which is followed by now as `isClaimed` says.
   */
  compare(
    others: Iterable<Tailer>,
    isLike: (other: Tailer) => boolean,
    isClaimed: () => boolean,
  ): Tailer | 'claimed' | undefined {
    for (const other of others) {
      this.poll(other)
      if (isClaimed()) return 'claimed'
      if (isLike(other)) return other
      // It may have been truncated while they were compared.
      this.poll(other)
      if (isClaimed()) return 'claimed'
    }
    return undefined
  }

  /** What stands in the file is not ours to read, or not yet; what was unread of what had stood there is gone. */
  giveUp(tailer: Tailer): void {
    if (tailer.closed) return
    // What a file says that was empty belongs to the one it was copied from.
    if (!tailer.emptied) this.#parts.truncation.lost(tailer.path, tailer.generation)
    // So that whatever begins in this inode has another id than what was in it before.
    this.#parts.table.remember({ ...tailer.generation.save(tailer.path), done: true })
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
    this.#parts.table.setAside(tailer)
    this.#keepPinned(tailer)
    this.#parts.lookout.sweepSoon()
  }

  /** A committed offset has moved. */
  committed(): void {
    this.#parts.table.settled()
    this.#parts.saver.later()
  }

  /** The file is done. */
  close(tailer: Tailer): void {
    // A file without a name cannot come back under one.
    const { kind } = tailer.state
    tailer.locate()
    this.letGo(tailer)
    const { unpacked, table } = this.#parts
    unpacked.release(tailer.generation.key)
    const saved = { ...tailer.generation.save(tailer.path), done: true }
    if (kind === 'deleted' || unpacked.holds(tailer.path)) table.rememberGone(saved)
    else table.remember(saved)
    this.#parts.saver.later()
  }

  /** Its handle is closed; what becomes of the generation is somebody else's affair. */
  letGo(tailer: Tailer): void {
    this.#parts.pinning.release(tailer)
    this.#parts.table.close(tailer)
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

function sizeOf({ fd }: Tailer): bigint | undefined {
  try {
    return fstatSync(fd, { bigint: true }).size
  } catch {
    return undefined
  }
}

/** What was written into it since it was taken up begins like an archive, and nothing of it was read. */
function isPacked({ generation, state, fd }: Tailer): boolean {
  return generation.furthest === 0 && generation.idle && state.kind === 'live' && compressionOf(fd) !== undefined
}

/** A file that has lost its name and is written over in place, with what is no text: `shred`, before it is removed. */
function isShredded({ state, size, fd, generation }: Tailer): boolean {
  return state.kind !== 'live' && size > 0 && size >= generation.size && isNoise(fd)
}
