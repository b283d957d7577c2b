/**
 * Missed rotations: finding the files that were rotated away from a followed path before they were seen under it.
 *
 * When a path loses its file, its directory is looked through for a while: what is not known, was born after the
 * youngest file that was followed under the path, and is called as rotations are (`siblings.ts` says how sure that has
 * to be) must have been written under that path meanwhile. Where no file was ever followed under it, everything that
 * was born since the start was; older files were there before, and are none of what was asked for. What was compressed
 * at once is unpacked. A file that is finished and has grown since is taken up again: its writer was never told.
 */
import { type BigIntStats, closeSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { type Inode, inodeKey, inodeOf } from '../files/fingerprint.ts'
import { fileAt, namesIn, partsOf, statPath } from '../files/inodes.ts'
import { LISTINGS } from '../files/listings.ts'
import { type Habits, isRelated, stemOf } from '../files/names.ts'
import { type Bound, isNoise, type OpenFile } from '../files/open.ts'
import { Recent } from '../files/recent.ts'
import type { Generation } from '../generation/generation.ts'
import type { Lineage } from '../generation/lineage.ts'
import type { Table } from '../generation/table.ts'
import type { Tailer } from '../generation/tailer.ts'
import type { SourceOptions } from '../options.ts'
import type { SavedGeneration } from '../state/saved.ts'
import type { Lent } from './lent.ts'
import { beginsLike, findMissed, mayBeCopyOf, type Sibling } from './siblings.ts'
import { Stems } from './stems.ts'

/** For so long after a path lost its file, what was rotated away from it is looked for: milliseconds. */
const LOOK_AGAIN = 3000
/** What is asked for in between ends after so long: milliseconds. */
const TURN = 50
/** Names that are looked at in one step. */
const STEP = 64
/** Of the files that were followed under one path so many are compared with another one. */
const MOST_COMPARED = 16

/** What was missed of a path was taken up; there was no descriptor for all; some has to wait for its source. */
type Reached = 'all' | 'some' | 'postponed'

/** A look may miss a name that is being changed just then, so one look is not enough. */
interface Vacancy {
  readonly source: SourceOptions
  /** What is in the names of its rotations: there may be thousands of these, and of files that are compared with each. */
  readonly stem: string
  /** When the youngest generation that had been followed there began; undefined: none was. */
  readonly begun: bigint | undefined
  readonly until: number
  /** It was looked for what was rotated away since. */
  looked: boolean
}

export interface MissedParts {
  readonly table: Table
  readonly lineage: Lineage
  readonly habits: Habits
  readonly lent: Lent
  /** Where files of a source must really lie. */
  boundsOf(source: string): readonly Bound[]
  /** Whether an inode is known. */
  known(inode: Inode): boolean
  /** Whether a file is the copy of a generation of `origin` that is over. */
  isCopy(origin: string, opened: OpenFile): boolean
  /** Whether a generation of a path is being searched for. */
  isSearching(origin: string): boolean
  /** Whether there is a file descriptor for one more beside so many that are not followed yet. */
  room(open?: number): boolean
  /** A file that was rotated away from `origin` and may not be opened now: it is looked for until it may. */
  unreadable(source: SourceOptions, origin: string, path: string): void
  /** A file that was rotated away from `origin` and compressed, before the one that was born there by now. */
  archive(source: SourceOptions, origin: string, path: string, born: () => bigint | undefined): void
  /** Whether an archive has been looked into, as it is now. */
  knownArchive(stats: BigIntStats): boolean
  /** Looks at a file now. */
  poll(tailer: Tailer): void
  /**
   * The first of those that are followed which a file is like; `claimed` if what happened to one of them explains it,
   * `postponed` if that has to be found out later, and may be.
   */
  compare(
    others: Iterable<Tailer>,
    isLike: (other: Tailer) => boolean,
    isClaimed: () => boolean,
    mayWait: boolean,
  ): Tailer | 'claimed' | 'postponed' | undefined
  /** Follows a file that is not under a followed path. */
  follow(path: string, opened: OpenFile, generation: Generation): void
}

export class Missed {
  /** What was missed has to be found now: at the start, and once nothing is written any more. */
  urgent = false
  readonly #parts: MissedParts
  readonly #youngest: Recent<bigint>
  /** The inodes of which a checkpoint told. What stands in one of them and is not known by that has been written anew. */
  readonly #former = new Set<string>()
  readonly #vacancies = new Map<string, Vacancy>()
  /** When the youngest generation of each directory began. */
  readonly #youngestIn = new Recent<bigint>(() => false)
  /** Archives that were not there at the last look, by path, with what they would be called. */
  readonly #archives = new Map<string, { readonly source: SourceOptions; readonly original: string }>()
  /** Nanoseconds since the epoch, as birth times are. */
  readonly #startedAt = BigInt(Date.now()) * 1_000_000n

  constructor(parts: MissedParts) {
    this.#parts = parts
    this.#youngest = new Recent(path => parts.table.isFollowed(path) || this.#vacancies.has(path))
  }

  /** A generation is, or was, followed under the path. */
  followed(path: string, begun: bigint): void {
    const youngest = this.#youngest.get(path)
    this.#youngest.set(path, youngest === undefined || begun > youngest ? begun : youngest)
    const directory = dirname(path)
    if (begun > (this.#youngestIn.get(directory) ?? 0n)) this.#youngestIn.set(directory, begun)
  }

  /** As `followed`, of a file that was followed before the start. */
  followedBefore({ origin, inode, begun }: SavedGeneration): void {
    this.#former.add(`${inodeKey(inode)}:${inode.birth}`)
    this.followed(origin, BigInt(begun ?? inode.birth))
  }

  /** The path has just lost its file. */
  vacated(path: string, source: SourceOptions): void {
    const begun = this.#vacancies.get(path)?.begun ?? this.#youngest.get(path)
    this.#vacate(path, { source, begun, until: performance.now() + LOOK_AGAIN })
  }

  /**
   * The path may have lost files before the start. What had been followed there by then counts, and not the copy in
   * which one of them is found again: a file that was emptied after that copy is older than it.
   */
  mayHaveBeenVacated(path: string, source: SourceOptions): void {
    this.#vacate(path, { source, begun: this.#youngest.get(path), until: 0 })
  }

  /** What looks like a rotation of a path that was never followed has appeared. */
  strayed(path: string, source: SourceOptions): void {
    if (!this.#youngest.has(path)) this.vacated(path, source)
  }

  /** An archive has appeared whose content the pattern would have matched as `original`. */
  archived(path: string, original: string, source: SourceOptions): void {
    this.#archives.set(path, { source, original })
  }

  /** Looks at paths that lost their file lately, those first that were not looked at for the longest time, for a while. */
  catchUpAll(): void {
    const until = performance.now() + TURN
    const looks = this.catchingUp()
    while (!looks.next().done) if (performance.now() >= until) break
    looks.return()
  }

  /**
   * Looks at each path that lost its file lately, in steps between which anything else may happen. Names are those that
   * stand in the directories at some time after it began.
   */
  *catchingUp(): Generator<void, void, void> {
    for (const [path, { source, original }] of this.#archives) {
      this.#archives.delete(path)
      this.#takeArchive(path, original, source)
      yield
    }
    if (this.#vacancies.size === 0 || !this.#parts.room()) return
    const now = performance.now()
    const { habits } = this.#parts
    const names = new Names([...this.#vacancies.keys()], habits)
    for (const [path, vacancy] of [...this.#vacancies]) {
      for (const directory of habits.directoriesOf(path)) yield* names.list(directory)
      // It has lost another file, or was looked at, meanwhile.
      if (this.#vacancies.get(path) !== vacancy) continue
      const { source, begun, until } = vacancy
      vacancy.looked = true
      const reached = yield* this.#catchingUp(source, path, begun, (...of) => names.of(...of))
      if (this.#vacancies.get(path) !== vacancy) continue
      this.#vacancies.delete(path)
      // Once it is found more may be known of what rotations are called. It stands behind those that were not looked at.
      if (reached !== 'all' || now < until || this.#parts.isSearching(path)) this.#vacancies.set(path, vacancy)
      if (reached === 'some') break
      yield
    }
  }

  /** Before another file is followed under `path`: it may be a rotation of a path that has just lost its file. */
  catchUp(source: SourceOptions, path: string): void {
    const name = basename(path)
    for (const [origin, vacancy] of this.#vacancies) {
      if (vacancy.looked || !name.includes(vacancy.stem) || !isRelated(path, origin)) continue
      vacancy.looked = this.#catchUp(vacancy.source, origin, vacancy.begun)
    }
    // A directory of many new files must not be listed for each of them.
    if (!this.#youngest.has(path) && !this.#vacancies.has(path)) return
    const begun = this.#vacancies.get(path)?.begun ?? this.#youngest.get(path)
    if (this.#catchUp(source, path, begun) || this.#vacancies.has(path)) return
    this.#vacate(path, { source, begun, until: 0 })
  }

  #vacate(path: string, vacancy: Pick<Vacancy, 'source' | 'begun' | 'until'>): void {
    this.#vacancies.set(path, { ...vacancy, stem: stemOf(basename(path)), looked: false })
  }

  /** Returns whether all of them were taken up: there may be no file descriptor for the others. */
  #catchUp(source: SourceOptions, origin: string, begun = this.#youngest.get(origin)): boolean {
    const looks = this.#catchingUp(source, origin, begun, directory => LISTINGS.names(directory))
    for (;;) {
      const { done, value } = looks.next()
      if (done) return value === 'all'
    }
  }

  *#catchingUp(
    source: SourceOptions,
    origin: string,
    begun: bigint | undefined,
    names: NamesOf,
  ): Generator<void, Reached, void> {
    const { table, known, knownArchive, habits, boundsOf, unreadable, archive } = this.#parts
    // A copy must not be taken for a rotated file: the truncation that explains it may have happened already.
    for (const tailer of [...table.tailersOf(origin)]) this.#parts.poll(tailer)
    const born = birthOf(origin)
    const { missed, whole } = findMissed({
      origin,
      after: begun ?? this.#startedAt,
      ended: this.#endOf(origin, begun),
      // A file that was truncated is older than what was copied from it.
      before: begun !== undefined && born !== undefined && born > begun ? born : undefined,
      habits,
      names,
      bounds: boundsOf(source.name),
      strict: begun === undefined,
      known,
      followed: path => path !== origin && this.#youngest.has(path),
      knownArchive,
      room: open => this.#parts.room(open),
      denied: path => unreadable(source, origin, path),
      compressed: path => {
        archive(source, origin, path, () => {
          const at = birthOf(origin)
          // A file that was truncated may be older than what was copied from it, and so is no measure.
          return at !== undefined && at > (begun ?? 0n) ? at : undefined
        })
      },
    })
    const { lent } = this.#parts
    let reached: Reached = whole ? 'all' : 'some'
    for (const sibling of missed) lent.lend(sibling)
    try {
      for (const sibling of missed) {
        if (!this.#take(source, origin, sibling) && whole) reached = 'postponed'
        yield
      }
    } finally {
      // This may have been given up.
      for (const sibling of missed) if (lent.take(sibling)) closeSync(sibling.opened.fd)
    }
    return reached
  }

  /** Unpacks an archive whose content was written after everything that was followed in its directory began. */
  #takeArchive(path: string, original: string, source: SourceOptions): void {
    const { knownArchive, archive } = this.#parts
    // What was followed under its name is known, and is looked for if something of it was unread.
    if (this.#youngest.has(original)) return
    const after = this.#youngestIn.get(dirname(path))
    const stats = fileAt(path)
    if (after === undefined || stats === undefined || knownArchive(stats)) return
    if (stats.mtimeNs >= after) archive(source, original, path, () => undefined)
  }

  /** When the youngest generation of the path that had been followed was written to last. */
  #endOf(origin: string, begun: bigint | undefined): bigint {
    for (const { generation, modified } of this.#parts.table.tailersOf(origin))
      if (generation.begun === begun) return modified
    return 0n
  }

  /**
   * A file that had been followed under `origin` has other content than that: it was emptied, written to and renamed while
   * it was not looked at. It began at `since`: nanoseconds since the epoch.
   */
  rewritten(source: SourceOptions, origin: string, sibling: Sibling, since: bigint): void {
    this.#parts.lent.lend(sibling)
    this.#take(source, origin, sibling, since)
  }

  /** `sibling` is lent. Returns false if it has to wait. */
  #take(source: SourceOptions, origin: string, sibling: Sibling, since?: bigint): boolean {
    const { lineage, follow, lent } = this.#parts
    const { path, opened } = sibling
    // It may have been taken up under a name of its own since it was opened.
    const isOpen = this.#parts.table.isOpen(inodeKey(inodeOf(opened.stats)))
    const isNew = !isOpen && lent.has(sibling) && this.#isNew(origin, sibling)
    if (!lent.take(sibling)) return true
    if (isNew !== true) {
      closeSync(opened.fd)
      return isNew !== 'postponed'
    }
    const inode = inodeOf(opened.stats)
    const incarnation = this.#former.has(`${inodeKey(inode)}:${inode.birth}`) ? Date.now() : 0
    follow(path, opened, lineage.begun(source, origin, inode, incarnation, since))
    return true
  }

  /** Whether nothing is known of what stands in a lent file. */
  #isNew(origin: string, sibling: Sibling): boolean | 'postponed' {
    const { table, compare, lent } = this.#parts
    const { path, opened } = sibling
    const key = inodeKey(inodeOf(opened.stats))
    // What was written over before it is removed is no log any more.
    if (this.#parts.isCopy(origin, opened) || isNoise(opened.fd)) return false
    // What was copied and then truncated goes on in this file.
    const like = compare(
      new Set([...table.relativesOf(path), ...likeliest(table.tailersOf(origin), opened)]),
      tailer => mayBeCopyOf(path, opened, tailer) || isBackupOf(opened, tailer, origin),
      () => !lent.has(sibling) || table.isOpen(key),
      !this.urgent,
    )
    return like === 'postponed' ? like : like === undefined
  }
}

type NamesOf = (directory: string, origin: string) => readonly string[]

/**
 * The names in directories, each listed once: all of them for an origin whose rotations are known to be called in a way of
 * their own, a bounded number, and otherwise those that have its stem.
 */
class Names {
  readonly #habits: Habits
  /** By directory: origins whose rotations may be there, and have their stem. */
  readonly #origins = new Map<string, string[]>()
  /** By directory: the names with a stem, and all names. */
  readonly #stems = new Map<string, Stems>()
  readonly #all = new Map<string, readonly string[]>()

  constructor(origins: readonly string[], habits: Habits) {
    this.#habits = habits
    for (const origin of origins) {
      if (habits.stemOf(origin) === '') continue
      for (const directory of habits.directoriesOf(origin)) {
        const others = this.#origins.get(directory)
        if (others) others.push(origin)
        else this.#origins.set(directory, [origin])
      }
    }
  }

  /** Lists a directory, in steps. */
  *list(directory: string): Generator<void, void, void> {
    if (this.#stems.has(directory)) return
    const stems = new Stems([], this.#origins.get(directory) ?? [])
    for (const names of partsOf(directory)) {
      for (const [n, name] of names.entries()) {
        stems.add(name)
        if (n % STEP === 0) yield
      }
      yield
    }
    this.#stems.set(directory, stems)
  }

  /** Of a directory that was listed. */
  of(directory: string, origin: string): readonly string[] {
    const stems = this.#stems.get(directory)
    // What rotations are called may have been learned since.
    if (stems?.has(origin) && this.#habits.stemOf(origin) !== '') return stems.of(origin)
    const all = this.#all.get(directory) ?? namesIn(directory)
    this.#all.set(directory, all)
    return all
  }
}

/** Those that a file may be a copy of, whatever it is called: a bounded number, the youngest first. */
function likeliest(tailers: Iterable<Tailer>, { stats }: OpenFile): Tailer[] {
  const size = Number(stats.size)
  const likely = [...tailers].filter(({ state, size: other }) => state.kind === 'live' || other === size)
  return likely.slice(-MOST_COMPARED).reverse()
}

/** When the file was born that is at a path now; where the file system does not say, when it was changed last. */
function birthOf(path: string): bigint | undefined {
  const stats = statPath(path)
  return stats && (stats.birthtimeNs === 0n ? stats.ctimeNs : stats.birthtimeNs)
}

/** Whether a file is a copy that was made of a rotation of the same path. */
function isBackupOf(opened: OpenFile, tailer: Tailer, origin: string): boolean {
  if (tailer.generation.origin.path !== origin || Number(opened.stats.size) !== tailer.size) return false
  return beginsLike(opened, tailer)
}

/** A finished file as it is seen by its name now: whether something was written to it since. */
export function hasGrown(saved: SavedGeneration): boolean {
  const stats = statPath(saved.path)
  if (stats === undefined || inodeKey(inodeOf(stats)) !== inodeKey(saved.inode)) return false
  return Number(stats.size) > Math.max(saved.size, ...Object.values(saved.cursors).map(({ offset }) => offset))
}

/** Finished files are looked at in turn, so many at a time. */
const LOOKED_AT = 32

/** Looks at finished files whose names are known, for lines that came late. */
export class LateLines {
  readonly #table: Table
  #turn: Iterator<SavedGeneration>

  constructor(table: Table) {
    this.#table = table
    this.#turn = table.done
  }

  /** Some of those that have grown. `all`: look at every one. */
  *look(all: boolean): Generator<SavedGeneration> {
    if (all) {
      yield* [...this.#table.done].filter(hasGrown)
      return
    }
    for (let n = 0; n < LOOKED_AT; n++) {
      const { value } = this.#turn.next()
      if (value === undefined) {
        this.#turn = this.#table.done
        return
      }
      if (hasGrown(value)) yield value
    }
  }
}
