/**
 * Archives: compressed files beside a log that are looked into in the background, for a generation that is known, for one
 * that was never seen, or to learn what rotations of a path are called.
 *
 * Guarantees: one that is written to is waited for, one that does not change and cannot be read is named; what there is
 * no room for waits; a search ends in exactly one answer, or in none once `stop` was called; nothing here rejects.
 */
import { type BigIntStats, closeSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import type { Logger } from '../../log.ts'
import { inodeKey, inodeOf } from '../files/fingerprint.ts'
import { fileAt } from '../files/inodes.ts'
import { LISTINGS } from '../files/listings.ts'
import { type Habits, withoutCompression } from '../files/names.ts'
import type { Bound, OpenFile } from '../files/open.ts'
import { Recent } from '../files/recent.ts'
import type { Lineage } from '../generation/lineage.ts'
import type { Beginning, Table } from '../generation/table.ts'
import type { Tailer } from '../generation/tailer.ts'
import type { SourceOptions } from '../options.ts'
import type { SavedGeneration } from '../state/saved.ts'
import { identityOf, type Sibling, type Wanted } from './siblings.ts'
import type { Unpacked } from './unpack.ts'

/** One that is not whole yet is looked into again after so long: milliseconds. */
const AGAIN = 500
/** One that has not changed for so many looks never will be whole. */
const STEADY = 3
/** So many are looked into to learn what rotations of a path are called; and how often that is tried. */
const LOOKED_INTO = 16
const TRIES = 3
/** So many of these wait for each other. */
const MOST_LESSONS = 64

const TOO_LARGE =
  'an archive holds more than may be unpacked; what it holds of a rotated file is not shipped (state.unpacked.maxBytes)'
const WAITS = 'there is no room to unpack an archive; what it holds of a rotated file is shipped once there is'
const DAMAGED = 'an archive cannot be unpacked to its end; what it holds of a rotated file is not shipped'

export interface ArchiveParts {
  readonly table: Table
  readonly lineage: Lineage
  readonly habits: Habits
  readonly unpacked: Unpacked
  readonly log: Logger
  /** Where files of a source must really lie. */
  readonly boundsOf: (source: string) => readonly Bound[]
  /** Goes on with a generation in the file that was unpacked. */
  found(path: string, opened: OpenFile, saved: SavedGeneration): void
  /**
   * A search for something of a path has ended, or waits for room: it holds nothing else back any more. `more`: another
   * archive of the path is still being looked into.
   */
  onSettled(origin: string, more?: boolean): void
}

/** An archive of which nothing was known. `room`: it waits for that. */
interface Unseen {
  readonly source: string
  readonly origin: string
  readonly path: string
  /** Bytes, as it is compressed. */
  readonly size: number
  readonly begun: bigint
  room?: boolean
}

export class Archives {
  readonly #parts: ArchiveParts
  readonly #seeks = new Set<Promise<void>>()
  readonly #pauses = new Set<() => void>()
  /** By the key of their inode. */
  readonly #unseen = new Map<string, Unseen>()
  readonly #learned = new Recent<number>(() => false)
  /**
   * Those that hold nothing that is wanted, by the key of their inode, as they were then. There may be thousands of them:
   * what is remembered of generations must not be forgotten for them, nor they be looked into again and again.
   */
  readonly #others = new Recent<string>(() => false)
  /** Lessons that wait for the one before them, and the last of them. */
  #lessons = 0
  #learning = Promise.resolve()
  #stopped = false
  #held: Promise<void> | undefined
  #release = (): void => {}

  constructor(parts: ArchiveParts) {
    this.#parts = parts
  }

  stop(): void {
    this.#stopped = true
    this.#parts.unpacked.stop()
    this.release()
    for (const end of this.#pauses) end()
  }

  /** What is known is still being found again: no search begins before `release`, for it may end meanwhile. */
  hold(): void {
    this.#held = new Promise(resolve => {
      this.#release = resolve
    })
  }

  release(): void {
    this.#held = undefined
    this.#release()
  }

  /** Some are being looked into. */
  get seeking(): boolean {
    return this.#seeks.size > 0
  }

  /** After `stop`: resolves when nothing here writes to the state directory any more. */
  async ended(): Promise<void> {
    await Promise.all(this.#seeks)
  }

  /** What was never seen is being looked for. */
  get waiting(): boolean {
    return this.#unseen.size > 0
  }

  /** Archives of which nothing is known yet. */
  get unseen(): Iterable<Readonly<Unseen>> {
    return this.#unseen.values()
  }

  /** Whether what was never seen of `origin`, and began before `begun`, is being looked for. */
  holdsBack(origin: string, begun: bigint): boolean {
    for (const archive of this.#unseen.values()) {
      if (archive.origin === origin && archive.begun < begun && !archive.room) return true
    }
    return false
  }

  /** Whether an inode is that of an archive that is looked into; `key` as by `inodeKey`. */
  isLookingInto(key: string): boolean {
    return this.#unseen.has(key)
  }

  /** Whether an archive has been looked into, as it is now: some are written over by the next one. */
  knows(stats: BigIntStats): boolean {
    const inode = inodeOf(stats)
    const key = inodeKey(inode)
    if (this.#unseen.has(key) || this.#others.get(key) === looks(stats)) return true
    const known = this.#parts.table.doneIn(inode)
    return known?.begun === String(stats.mtimeNs) && known.size === Number(stats.size)
  }

  /**
   * Reads an archive whose content was never seen under `origin`, unless it is that of a generation that is known. It is
   * younger than the generations that had begun when it was written to last, and older than the file that was born there
   * when `born` says: what has the name once the archive was seen.
   */
  take(source: SourceOptions, origin: string, path: string, born: () => bigint | undefined): void {
    const { table, lineage } = this.#parts
    const stats = fileAt(path)
    if (stats === undefined) return
    const inode = inodeOf(stats)
    const key = inodeKey(inode)
    if (this.knows(stats)) return
    const before = born()
    // Its content is older than the archive, which keeps the time of the last line; unless it was written over another.
    const made = stats.mtimeNs < BigInt(inode.birth) ? stats.mtimeNs : BigInt(inode.birth)
    const after = table.youngestOf(origin, stats.mtimeNs)
    const least = made > after ? made : after + 1n
    const begun = before !== undefined && before <= least ? before - 1n : least
    this.#unseen.set(key, { source: source.name, origin, path, size: Number(stats.size), begun })
    const entry = { ...lineage.unopened(source, origin, inode, 0), begun: String(begun) }
    this.#seek(() => this.#take(entry, path, stats).finally(() => this.#unseen.delete(key)))
  }

  async #take(entry: SavedGeneration, path: string, seen: BigIntStats): Promise<void> {
    const { table, unpacked, log, onSettled } = this.#parts
    const { origin, source, inode } = entry
    let stats = seen
    for (let steady = 0; steady < STEADY; steady++) {
      const result = await unpacked.take(
        entry.key,
        path,
        this.#parts.boundsOf(source),
        () => this.#beginningsOf(origin, [path]),
        inode,
      )
      if (this.#stopped) {
        if (result.kind === 'found') closeSync(result.sibling.opened.fd)
        return
      }
      if (result.kind === 'later') {
        const known = this.#unseen.get(inodeKey(inode))
        if (known && !known.room) {
          known.room = true
          log.warn({ event: 'archive_waiting', source, path: origin, archive: path }, WAITS)
          onSettled(origin, this.#isMore(origin))
        }
        await this.#pause()
        steady = -1
        continue
      }
      if (result.kind === 'incomplete' && steady + 1 < STEADY) {
        await this.#pause()
        const now = fileAt(path)
        if (now && (now.size !== stats.size || now.mtimeNs !== stats.mtimeNs)) {
          stats = now
          steady = -1
        }
        continue
      }
      this.#unseen.delete(inodeKey(inode))
      if (result.kind === 'none') this.#others.set(inodeKey(inode), looks(stats))
      else if (result.kind !== 'moved') {
        // So that it is not unpacked again, whatever becomes of what it held.
        table.remember({ ...entry, path, size: Number(stats.size), begun: String(stats.mtimeNs), done: true })
      }
      if (result.kind === 'incomplete')
        log.warn({ event: 'archive_damaged', source, path: origin, archive: path }, DAMAGED)
      if (result.kind === 'large')
        log.error({ event: 'archive_too_large', source, path: origin, archive: path }, TOO_LARGE)
      if (result.kind === 'found') this.#parts.found(result.sibling.path, result.sibling.opened, entry)
      onSettled(origin, this.#isMore(origin))
      return
    }
  }

  /**
   * How the generations begin that began under a path, or under the names that its archives had before they were
   * compressed: a copy that was followed as a file of its own is no rotation's.
   */
  *#beginningsOf(origin: string, archives: readonly string[], except?: SavedGeneration): Generator<Beginning> {
    const { table } = this.#parts
    for (const path of new Set([origin, ...archives.map(withoutCompression)])) yield* table.beginningsOf(path, except)
  }

  /** Another archive of the path is looked into, and does not wait for room. */
  #isMore(origin: string): boolean {
    for (const archive of this.#unseen.values()) if (archive.origin === origin && !archive.room) return true
    return false
  }

  /**
   * A file that was followed under a path has lost its last name, and what rotations are called there is not known: the
   * archive that was made of it tells.
   */
  learn({ generation }: Tailer): void {
    const { habits, unpacked } = this.#parts
    const { path: origin } = generation.origin
    const tries = this.#learned.get(origin) ?? 0
    if (generation.head.length === 0 || tries >= TRIES || habits.knows(origin)) return
    // Thousands of files may lose their names at once.
    if (this.#lessons >= MOST_LESSONS) return
    this.#learned.set(origin, tries + 1)
    const saved = generation.save(origin)
    const wanted = { path: origin, bounds: this.#parts.boundsOf(saved.source), ...identityOf(saved) }
    this.#lessons++
    const before = this.#learning
    const learn = async () => {
      await before
      // One in each turn: all names of the directory are looked at.
      await new Promise(setImmediate)
      this.#lessons--
      if (this.#stopped || !LISTINGS.mayOpen(LISTINGS.names(dirname(origin)).length)) return
      for (const archive of unpacked.candidates(wanted, habits).slice(0, LOOKED_INTO)) {
        if (this.#stopped) return
        if (await unpacked.beginsLike(archive, wanted)) {
          habits.learn(origin, archive)
          return
        }
      }
    }
    this.#learning = this.#seek(learn)
  }

  /** Looks for a known generation in archives that may hold it; `end` gets where it is, or undefined if it is in none. */
  find(
    entry: SavedGeneration,
    wanted: Wanted,
    archives: readonly string[],
    end: (found: Sibling | undefined) => void,
  ): void {
    this.#seek(() => this.#find(entry, wanted, archives, end))
  }

  async #find(
    entry: SavedGeneration,
    wanted: Wanted,
    archives: readonly string[],
    end: (found: Sibling | undefined) => void,
  ): Promise<void> {
    const { table, unpacked, habits, log, onSettled } = this.#parts
    const { source, origin } = entry
    // What is in flight has to be sent again if the process is killed.
    const offsets = table.living(entry)?.cursors.map(({ committed }) => committed.offset)
    const nearest = Math.min(...(offsets ?? wanted.cursors.map(({ offset }) => offset)))
    const isRotation = (archive: string) => habits.says(withoutCompression(basename(archive)), origin) !== 'nothing'
    let before = ''
    let damaged: string | undefined
    for (let steady = 0; steady < STEADY && !this.#stopped; steady++) {
      // Nothing is known of what it held: the oldest archive whose content is not that of another generation.
      const blank = wanted.head.length === 0
      const others = () => this.#beginningsOf(entry.origin, archives, entry)
      const result = blank
        ? await unpacked.takeFirst(entry.key, archives, wanted.bounds, others)
        : await unpacked.find(entry.key, wanted, archives, nearest, isRotation)
      if (this.#stopped && result.kind !== 'found') return
      damaged = result.kind === 'incomplete' ? result.archive : undefined
      if (result.kind === 'found') {
        if (this.#stopped) {
          closeSync(result.sibling.opened.fd)
          return
        }
        if (result.archive !== undefined) habits.learn(entry.origin, result.archive)
        end(result.sibling)
        return
      }
      if (result.kind === 'large') {
        log.error({ event: 'archive_too_large', source, path: origin, archive: result.archive }, TOO_LARGE)
        break
      }
      if (result.kind === 'none') break
      if (result.kind === 'later') {
        const state = table.sought.get(entry)
        if (state?.kind === 'archive') {
          table.seek(entry, { ...state, kind: 'room' })
          log.warn({ event: 'archive_waiting', source, path: origin, archive: archives[0] }, WAITS)
          onSettled(origin)
        }
        await this.#pause()
        steady = -1
        continue
      }
      const now = archives.map(path => `${fileAt(path)?.mtimeNs} ${fileAt(path)?.size}`).join()
      if (now !== before) steady = 0
      before = now
      await this.#pause()
    }
    if (this.#stopped) return
    if (damaged !== undefined) log.warn({ event: 'archive_damaged', source, path: origin, archive: damaged }, DAMAGED)
    end(undefined)
  }

  #seek(work: () => Promise<void>): Promise<void> {
    const begun = this.#held ? this.#held.then(() => (this.#stopped ? undefined : work())) : work()
    const seek = begun.finally(() => this.#seeks.delete(seek))
    this.#seeks.add(seek)
    return seek
  }

  /** Ends at once once `stop` is called. */
  #pause(): Promise<void> {
    if (this.#stopped) return Promise.resolve()
    return new Promise(resolve => {
      const end = () => {
        clearTimeout(timer)
        this.#pauses.delete(end)
        resolve()
      }
      const timer = setTimeout(end, AGAIN)
      this.#pauses.add(end)
    })
  }
}

/** What tells that a file has changed. */
function looks({ mtimeNs, size }: BigIntStats): string {
  return `${mtimeNs}:${size}`
}
