/**
 * The follower: what happens to a file from the moment it is taken up until its handle is closed.
 *
 *     follow ─► look ─┬─ more to read ─► offered to the readers, older generations of its name first
 *                     ├─ its name leads elsewhere ─► set aside, pinned until it is acknowledged
 *                     ├─ other content stands in it ─► a new generation; the old one goes on in a copy, or ends
 *                     └─ done and quiet ─► closed and remembered
 *
 * Guarantees: a generation whose id is not derived again is on disk before anything of it is sent; what can provably
 * not be read any more is counted as lost.
 */
import { Effort } from '../directories/effort.ts'
import { inodeOf, NO_HEAD, readLines } from '../files/fingerprint.ts'
import { LISTINGS } from '../files/listings.ts'
import type { Habits } from '../files/names.ts'
import type { OpenFile } from '../files/open.ts'
import type { FileLog } from '../generation/file-log.ts'
import { begunAfter, type Generation } from '../generation/generation.ts'
import type { Lineage } from '../generation/lineage.ts'
import type { Table } from '../generation/table.ts'
import { Tailer } from '../generation/tailer.ts'
import type { Truncation } from '../generation/truncation.ts'
import type { SourceOptions } from '../options.ts'
import type { Missed } from '../rotation/missed.ts'
import type { Unpacked } from '../rotation/unpack.ts'
import type { Pins } from '../state/pins.ts'
import type { SavedGeneration } from '../state/saved.ts'
import type { Saver } from '../state/saver.ts'
import type { Change } from './decide.ts'
import { type Acts, Looks } from './looks.ts'
import { Order } from './order.ts'
import type { Pinning } from './pinning.ts'
import type { Scheduler } from './scheduler.ts'
import { SearchTime } from './search-time.ts'

/** Files that a look is asked for take so much of a turn, all together: milliseconds. */
const SLICE = 50

export interface FollowerParts {
  readonly sources: ReadonlyMap<string, SourceOptions>
  readonly table: Table
  readonly pins: Pins
  readonly pinning: Pinning
  readonly unpacked: Unpacked
  readonly lineage: Lineage
  readonly scheduler: Scheduler
  readonly missed: Missed
  readonly truncation: Truncation
  readonly saver: Saver
  readonly habits: Habits
  readonly fileLog: FileLog
  /** A path is no possible copy any more: it is followed. */
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
  readonly looks: Looks
  readonly order: Order
  readonly #parts: FollowerParts
  readonly #time = new SearchTime()
  /** What was spent in this turn on files that a look was asked for. */
  #asked: Effort | undefined

  constructor(parts: FollowerParts) {
    const { table, lineage } = parts
    this.#parts = parts
    this.order = new Order({ table, lineage, holdsBack: (...of) => parts.holdsBack(...of) })
    const acts: Acts = {
      moved: tailer => this.#moved(tailer),
      apply: (tailer, change, now) => this.#apply(tailer, change, now),
    }
    this.looks = new Looks(table, acts, this.#time)
  }

  /** From now on nothing is written any more, as far as is known. */
  finish(): void {
    this.looks.final = true
    this.order.final = true
    this.#time.final = true
  }

  #apply(tailer: Tailer, change: Change, now: number): void {
    const { scheduler, saver, truncation, compressed } = this.#parts
    switch (change.kind) {
      case 'genuine':
        tailer.emptied = false
        break
      case 'written':
        tailer.failing = false
        scheduler.markActive(tailer)
        // While nothing is acknowledged nothing else would: what was seen of the file would not outlive us.
        if (change.begins) saver.soon()
        else saver.later()
        break
      case 'packed':
        this.letGo(tailer)
        compressed(tailer.path, tailer.generation.origin.source)
        break
      case 'unread':
        this.order.offer(tailer)
        break
      case 'shortened':
        truncation.countLost(tailer.path, tailer.generation, ({ read }) =>
          // What some have read before it was cut off is not lost for them.
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
        if (tailer.finished(now)) this.close(tailer)
        else scheduler.looked(tailer, now)
    }
  }

  /** Takes up an open file, under the followed name that leads to it, or that did (`aside`). */
  follow(path: string, opened: OpenFile, generation: Generation, aside = false): Tailer {
    const tailer = new Tailer(opened.fd, path, opened.stats, generation, performance.now())
    tailer.pinned = this.#parts.pins.has(generation.key)
    // Of an empty file nothing tells yet whether it becomes a copy.
    tailer.emptied = tailer.size === 0 && !aside
    this.#parts.cleared(path)
    // Of a name that was never followed nothing tells where its file went; what was unpacked may be in no archive any more.
    const sync =
      (generation.fresh && !this.#parts.table.knows(generation.origin.path)) || this.#parts.unpacked.holds(path)
    this.#parts.table.open(tailer, aside)
    this.#parts.fileLog.followed(tailer)
    this.#parts.missed.followed(generation.origin.path, generation.begun)
    this.#learn(tailer)
    if (this.#parts.lineage.isTimed(generation)) this.#hold(tailer)
    this.order.offer(tailer)
    this.#parts.scheduler.markActive(tailer)
    this.#parts.saver.soon(sync)
    return tailer
  }

  /** Remembers what the file is really called: behind a link, or after a rotation. */
  #learn({ fd, inode, path, generation }: Tailer): void {
    const { habits, pins, unpacked } = this.#parts
    const name = LISTINGS.nameOfHandle(fd, inode, path)
    if (name !== undefined && !pins.holds(name) && !unpacked.holds(name)) habits.learn(generation.origin.path, name)
  }

  /** A file lost its name: another may carry it now. */
  #moved(tailer: Tailer): void {
    this.#parts.table.setAside(tailer)
    tailer.locate()
    this.#parts.fileLog.rotated(tailer)
    const { path, source } = tailer.generation.origin
    this.#learn(tailer)
    if (tailer.state.kind === 'deleted') this.#parts.nameless(tailer)
    this.#parts.missed.vacated(path, this.#parts.sources.get(source)!)
    this.#keepPinned(tailer)
    this.#parts.scheduler.sweepSoon()
    this.#parts.saver.later()
  }

  /** The old generation goes on in a copy if there is one, a new one begins here. */
  #beginAnew(tailer: Tailer): void {
    const { pinning, sources, lineage, table, missed, search } = this.#parts
    const old = tailer.generation
    this.#parts.fileLog.truncated(tailer)
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
    if (tailer.modifiedBefore < generation.after) generation.after = tailer.modifiedBefore
    table.begin(tailer, generation)
    // How it begins was read just now: what has come since the comparison may be a copy.
    tailer.emptied ||= tailer.stirred
    missed.followed(path, generation.begun)
    // The search may offer it.
    this.order.hold(tailer)
    this.#time.search(name, () => search(lineage.lost(old, tailer.path)))
    // What is saved at once has to say where the old one goes on: a process that is killed then saves nothing else.
    this.#hold(tailer)
  }

  /** What stands in the file is not ours to read, or not yet; what was unread of what had stood there is gone. */
  giveUp(tailer: Tailer): void {
    if (tailer.closed) return
    // What a file says that was empty belongs to the one it was copied from.
    if (!tailer.emptied) this.#parts.truncation.lost(tailer.path, tailer.generation)
    // So that whatever begins in this inode has another id than what was in it before.
    const { seen, ...saved } = tailer.generation.save(tailer.path)
    // What has been seen of how it begins is not its own.
    this.#parts.table.remember(
      tailer.emptied ? { ...saved, head: NO_HEAD, done: true } : { ...saved, ...(seen && { seen }), done: true },
    )
    this.letGo(tailer)
    this.#parts.scheduler.sweepSoon()
    this.#parts.saver.later()
  }

  /** Its id holds the time: it must be saved before anything of it leaves, or a restart would make another. */
  #hold(tailer: Tailer): void {
    this.order.hold(tailer)
    void this.#parts.saver.now().then(() => {
      this.order.release(tailer)
      if (tailer.closed) return
      // Its source may rest. What it was begun with can be read all the same, unless it has to be compared first.
      if (!tailer.emptied) this.order.offer(tailer)
      this.lookSoon(tailer)
    })
  }

  /**
   * Looks at a file at once, or where many are to be looked at in this turn with those that are being written: all that are
   * asked for together take a slice of it at the most.
   */
  lookSoon(tailer: Tailer): void {
    if (this.#asked === undefined) {
      this.#asked = new Effort().begin()
      setImmediate(() => {
        this.#asked = undefined
      })
    }
    if (this.#asked.total < SLICE) this.looks.look(tailer)
    else this.#parts.scheduler.markActive(tailer)
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
    this.#parts.scheduler.sweepSoon()
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
    const { unpacked, table, fileLog } = this.#parts
    fileLog.finished(tailer)
    unpacked.release(tailer.generation.key)
    const saved = { ...tailer.generation.save(tailer.path), done: true }
    if (kind === 'deleted' || unpacked.holds(tailer.path)) table.rememberGone(saved)
    else table.remember(saved)
    this.#parts.saver.later()
  }

  /** Its descriptor is closed; what becomes of the generation is decided elsewhere. */
  letGo(tailer: Tailer): void {
    this.#parts.pinning.release(tailer)
    this.#parts.table.close(tailer)
    this.#parts.scheduler.forget(tailer)
    tailer.close()
    this.order.forget(tailer)
    this.looks.forget(tailer)
  }

  /** A rotated file's name may not last: a rotation that keeps three files deletes the fourth. */
  #keepPinned(tailer: Tailer): void {
    // It must be saved too, and outlive a power cut: a pin that no checkpoint names is cleared away by the next process.
    if (!this.#parts.pinning.keep(tailer)) return
    const { saver, pins } = this.#parts
    const { key, takenUpAt } = tailer.generation
    void saver.now(!saver.isSynced(takenUpAt)).then(saved => saved && pins.saved(key))
  }
}
