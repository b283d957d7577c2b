/**
 * The table: the state of each generation, and the one place that knows it. Whatever follows, parks, seeks or ends a
 * file moves it from one state to another here; all else that is asked about files is a view of it.
 *
 *     open        its file is open: `Tailer` says under which kind of name
 *     unopened    there was no descriptor for its file yet: what was seen of it is known, and nothing is saved
 *     parked      a followed path leads to its file, whose descriptor was given to another
 *     sought      its file is to be found: it waits for a descriptor, for an archive that is looked into, or for room
 *     unreadable  its file is there and may not be opened
 *     finishing   its file is gone, or holds something else: what is in flight of it settles
 *     done        everything is settled: its file is there, and nothing of it is to be read again
 *     gone        as `done`, of a file that is there no more: its content may come back, as a copy or out of an archive
 *
 * Guarantees: an inode is open once, and never open and parked; a followed path leads to one open file at the most; what
 * is remembered of files that are over is bounded, the oldest is forgotten first; `saved` tells all of it, of several
 * generations of an inode the one last that its file holds.
 */
import { type Head, type Inode, inodeKey } from '../files/fingerprint.ts'
import { sameBirth } from '../files/inodes.ts'
import type { SavedCursor, SavedGeneration } from '../state/saved.ts'
import type { Generation } from './generation.ts'
import { Relatives } from './relatives.ts'
import type { Tailer } from './tailer.ts'
import { TailerIndex } from './tailer-index.ts'

/** So many are remembered: of files that are done, of those that may not be opened, of those that are gone. */
const MOST_DONE = 512
const MOST_UNREADABLE = 128
const MOST_GONE = 256

export type GenerationState = 'open' | 'parked' | 'sought' | 'unreadable' | 'done'

/** A file whose descriptor was given up: what to save of it, and how it looked. */
export interface Parked {
  readonly path: string
  /** While chunks of it are in flight it is a generation, for they settle there. */
  readonly who: { kind: 'saved'; saved: SavedGeneration } | { kind: 'living'; generation: Generation }
  readonly inode: string
  readonly size: number
  readonly modified: bigint
  readonly source: string
  /** By backend: everything before this offset has been read. */
  readonly read: ReadonlyMap<string, number>
  /** All there is to read of it is a last line without an end, at the most. */
  readonly rested: boolean
}

/** What is known of a generation that is sought, beside what was saved of it. */
export interface Circumstances {
  /** Its inode has other content now. */
  readonly replaced: boolean
  /** That has just happened, in an open file: what stands in another open file may be its copy. */
  readonly truncated: boolean
}

/** What the search for a generation waits for. */
export type Awaited =
  | { readonly kind: 'descriptor'; readonly circumstances: Circumstances }
  /** `emptied`: when its file was, in nanoseconds since the epoch. */
  | { readonly kind: 'archive'; readonly emptied: string | undefined }
  /** For others to be done, so that there is room to unpack it: those may be younger, and are not held back. */
  | { readonly kind: 'room'; readonly emptied: string | undefined }

/** A generation whose file is gone or has other content, while chunks of it are in flight. */
export interface Finishing {
  readonly generation: Generation
  readonly path: string
}

/** What is known of how a generation begins. Without a head it has no whole line, as far as is known. */
export interface Beginning {
  readonly head: Head
  /** Where it ended once, or was read to. */
  readonly ends: readonly SavedCursor[]
  /** Its file, while that is open. */
  readonly fd?: number
}

export class Table {
  /** By inode, in the order in which they were taken up; and by the followed path that leads there. */
  readonly #open = new Map<string, Tailer>()
  readonly #paths = new Map<string, Tailer>()
  /** By the path that their generations began under; and by the names that their rotations may have. */
  readonly #origins = new TailerIndex()
  /** By the same path, where there are several: the oldest first. There may be thousands of one. */
  readonly #ordered = new Map<string, Tailer[]>()
  readonly #relatives = new Relatives()
  /** By path. */
  readonly #unopened = new Map<string, SavedGeneration>()
  /** By path; and the paths by inode. */
  readonly #parked = new Map<string, Parked>()
  readonly #parkedAt = new Map<string, string>()
  readonly #sought = new Map<SavedGeneration, Awaited>()
  /** The same, by inode and by origin: there may be thousands. */
  readonly #soughtAt = new Map<string, Set<SavedGeneration>>()
  readonly #soughtOf = new Map<string, Set<SavedGeneration>>()
  /** What stands for a generation that is sought, or was parked, while chunks of it are in flight. */
  readonly #living = new WeakMap<SavedGeneration, Generation>()
  readonly #unreadable = new Map<string, SavedGeneration>()
  readonly #finishing = new Set<Finishing>()
  readonly #done = new Map<string, SavedGeneration>()
  /** By the generation's key. */
  readonly #gone = new Map<string, SavedGeneration>()

  // All states

  /** Where the generation is that an inode holds: `undefined` if nothing is known of it. */
  stateOf(inode: Inode): GenerationState | undefined {
    const key = inodeKey(inode)
    if (this.#open.has(key)) return 'open'
    if (this.#parkedAt.has(key)) return 'parked'
    if (this.#soughtIn(key)) return 'sought'
    const unreadable = this.#unreadable.get(key)
    if (unreadable && sameBirth(unreadable.inode, inode)) return 'unreadable'
    return this.doneIn(inode) && 'done'
  }

  /** Whether a file is followed under the path now. */
  isFollowed(path: string): boolean {
    return this.#paths.has(path) || this.#parked.has(path)
  }

  /** What a checkpoint says: of several generations of an inode the last one is the one that its file holds. */
  *saved(): Generator<SavedGeneration> {
    yield* this.#gone.values()
    yield* this.#done.values()
    yield* this.#unreadable.values()
    for (const entry of this.#sought.keys()) yield this.living(entry)?.save(entry.path) ?? entry
    for (const parked of this.#parked.values()) yield savedOf(parked)
    for (const { generation, path } of this.#finishing) yield generation.save(path, true)
    for (const tailer of this.#open.values()) yield tailer.saved()
  }

  /** Generations that chunks are in flight of, or may be. */
  *generations(): Generator<Generation> {
    for (const { generation } of this.#open.values()) yield generation
    for (const { generation } of this.#finishing) yield generation
    for (const { who } of this.#parked.values()) if (who.kind === 'living') yield who.generation
  }

  /** How the generations begin that began under a path, but for one that is sought. */
  *beginningsOf(origin: string, except?: SavedGeneration): Generator<Beginning> {
    for (const each of [this.#done, this.#gone, this.#unreadable])
      for (const entry of each.values()) if (entry.origin === origin) yield beginningOf(entry)
    for (const [entry] of this.soughtOf(origin)) if (entry !== except) yield beginningOf(entry)
    for (const { generation, fd } of this.tailersOf(origin)) yield { ...beginningOfLiving(generation), fd }
    for (const { generation } of this.#finishing)
      if (generation.origin.path === origin) yield beginningOfLiving(generation)
  }

  /** Whether anything is known of a file that began under a path. */
  knows(origin: string): boolean {
    for (const _ of this.tailersOf(origin)) return true
    if (this.#soughtOf.has(origin) || this.#parked.has(origin)) return true
    for (const each of [this.#done, this.#gone, this.#unreadable])
      for (const entry of each.values()) if (entry.origin === origin) return true
    return false
  }

  /** When the youngest of the generations of a path began that had begun by `at`: nanoseconds since the epoch, or 0. */
  youngestOf(origin: string, at: bigint): bigint {
    let youngest = 0n
    const consider = (begun: bigint): void => {
      if (begun <= at && begun > youngest) youngest = begun
    }
    for (const { generation } of this.tailersOf(origin)) consider(generation.begun)
    for (const each of [this.#done, this.#unreadable])
      for (const { origin: path, begun, inode } of each.values())
        if (path === origin) consider(BigInt(begun ?? inode.birth))
    return youngest
  }

  // Open

  get openFiles(): number {
    return this.#open.size
  }

  /** In the order in which they were taken up. */
  get tailers(): IterableIterator<Tailer> {
    return this.#open.values()
  }

  /** `key` as by `inodeKey`. */
  isOpen(key: string): boolean {
    return this.#open.has(key)
  }

  tailerIn(key: string): Tailer | undefined {
    return this.#open.get(key)
  }

  /** The open file that a followed path leads to, as far as is known. */
  tailerAt(path: string): Tailer | undefined {
    return this.#paths.get(path)
  }

  /** Those whose generations began under a path. */
  tailersOf(origin: string): Iterable<Tailer> {
    return this.#origins.of(origin)
  }

  /** Those that a file at a path may have been rotated from or copied from, as the names tell: a bounded number. */
  relativesOf(path: string): Tailer[] {
    return this.#relatives.of(path)
  }

  /**
   * Those whose generations began under the same path before this one's: what they hold is read first. The last so many of
   * them, the oldest first.
   */
  eldersOf({ generation }: Tailer, most = Number.POSITIVE_INFINITY): Tailer[] {
    const family = this.#ordered.get(generation.origin.path)
    if (family === undefined) return []
    const place = placeIn(family, generation)
    return family.slice(Math.max(0, place - most), place)
  }

  /** `aside`: its path leads elsewhere, perhaps to another open file. */
  open(tailer: Tailer, aside = false): void {
    const key = inodeKey(tailer.inode)
    this.#open.set(key, tailer)
    if (!aside) this.#lead(tailer.path, tailer)
    this.#index(tailer)
  }

  /** Another generation begins in the file. */
  begin(tailer: Tailer, generation: Generation): void {
    this.#unindex(tailer)
    tailer.begin(generation)
    this.#index(tailer)
  }

  /** A followed path leads to it again. */
  name(tailer: Tailer, path: string): void {
    tailer.path = path
    tailer.state = { kind: 'live' }
    this.#lead(path, tailer)
  }

  /** Its path leads elsewhere: another file may carry that name now, and comes after this one. */
  setAside(tailer: Tailer): void {
    if (this.#paths.get(tailer.path) !== tailer) return
    this.#paths.delete(tailer.path)
    if (tailer.path !== tailer.generation.origin.path) this.#relatives.delete(tailer.path, tailer)
  }

  /** It is open no more. */
  close(tailer: Tailer): void {
    this.#open.delete(inodeKey(tailer.inode))
    this.setAside(tailer)
    this.#relatives.delete(tailer.path, tailer)
    this.#unindex(tailer)
  }

  // Parked

  get parkedFiles(): number {
    return this.#parked.size
  }

  /** The one that was parked first first. */
  get parked(): IterableIterator<Parked> {
    return this.#parked.values()
  }

  parkedAt(path: string): Parked | undefined {
    return this.#parked.get(path)
  }

  /** The path under which an inode is parked; `key` as by `inodeKey`. */
  parkedPathOf(key: string): string | undefined {
    return this.#parkedAt.get(key)
  }

  park(parked: Parked): void {
    this.#parked.set(parked.path, parked)
    this.#parkedAt.set(parked.inode, parked.path)
  }

  /** Takes a file out, because it is taken up again or sought elsewhere. */
  unpark(path: string): SavedGeneration | undefined {
    const parked = this.#parked.get(path)
    if (parked === undefined) return undefined
    this.#parked.delete(path)
    this.#parkedAt.delete(parked.inode)
    const saved = savedOf(parked)
    if (parked.who.kind === 'living') this.suspend(saved, parked.who.generation)
    return saved
  }

  // Unopened

  /** By path, as they were seen last. */
  get unopened(): ReadonlyMap<string, SavedGeneration> {
    return this.#unopened
  }

  leaveUnopened(path: string, entry: SavedGeneration): void {
    this.#unopened.set(path, entry)
  }

  /** There was a descriptor for the file at the path, or it is not there any more. */
  opened(path: string): void {
    this.#unopened.delete(path)
  }

  // Sought

  get sought(): ReadonlyMap<SavedGeneration, Awaited> {
    return this.#sought
  }

  /** Those whose generations began under a path. */
  *soughtOf(origin: string): Generator<readonly [SavedGeneration, Awaited]> {
    for (const entry of this.#soughtOf.get(origin) ?? []) yield [entry, this.#sought.get(entry)!]
  }

  seek(entry: SavedGeneration, awaited: Awaited): void {
    this.#sought.set(entry, awaited)
    addTo(this.#soughtAt, inodeKey(entry.inode), entry)
    addTo(this.#soughtOf, entry.origin, entry)
  }

  /** It was found, or given up. */
  unseek(entry: SavedGeneration): void {
    this.#sought.delete(entry)
    deleteFrom(this.#soughtAt, inodeKey(entry.inode), entry)
    deleteFrom(this.#soughtOf, entry.origin, entry)
  }

  /** Takes out what is known of an inode that could not be opened, because its file was found. */
  recall(key: string): SavedGeneration | undefined {
    const entry = this.#soughtIn(key)
    if (entry) this.unseek(entry)
    return entry
  }

  /** `saved` stands for a generation of which chunks are in flight: it goes on with those. */
  suspend(saved: SavedGeneration, generation: Generation): void {
    this.#living.set(saved, generation)
  }

  living(saved: SavedGeneration): Generation | undefined {
    return this.#living.get(saved)
  }

  #soughtIn(key: string): SavedGeneration | undefined {
    for (const entry of this.#soughtAt.get(key) ?? []) {
      const awaited = this.#sought.get(entry)
      if (awaited?.kind === 'descriptor' && !awaited.circumstances.replaced) return entry
    }
    return undefined
  }

  // Unreadable

  get unreadable(): readonly SavedGeneration[] {
    return [...this.#unreadable.values()]
  }

  get mayKeepUnreadable(): boolean {
    return this.#unreadable.size < MOST_UNREADABLE
  }

  keepUnreadable(entry: SavedGeneration): void {
    const key = inodeKey(entry.inode)
    const former = this.#done.get(key)
    if (former && former.key !== entry.key) this.rememberGone(former)
    this.#done.delete(key)
    this.#unreadable.set(key, entry)
  }

  dropUnreadable(key: string): void {
    this.#unreadable.delete(key)
  }

  // Finishing

  get finishing(): Iterable<Finishing> {
    return this.#finishing
  }

  get isFinishing(): boolean {
    return this.#finishing.size > 0
  }

  /** The generation has lost its file: what is in flight of it goes on. */
  finish(generation: Generation, path: string): void {
    if (!generation.idle) this.#finishing.add({ generation, path })
  }

  /** Something has settled. */
  settled(): void {
    for (const entry of this.#finishing) if (entry.generation.idle) this.#finishing.delete(entry)
  }

  // Done

  /** Finished files that may still be there. */
  get done(): IterableIterator<SavedGeneration> {
    return this.#done.values()
  }

  get gone(): IterableIterator<SavedGeneration> {
    return this.#gone.values()
  }

  /** The number of an inode that was freed is given to the next file at once: that is another one. */
  doneIn(inode: Inode): SavedGeneration | undefined {
    const saved = this.#done.get(inodeKey(inode))
    return saved && sameBirth(saved.inode, inode) ? saved : undefined
  }

  /** As `doneIn`, by the key of an inode alone, also if it could not be opened until now. */
  doneByKey(key: string): SavedGeneration | undefined {
    return this.#unreadable.get(key) ?? this.#done.get(key)
  }

  remember(saved: SavedGeneration): void {
    const key = inodeKey(saved.inode)
    const former = this.#done.get(key)
    if (former && former.key !== saved.key) this.rememberGone(former)
    this.#unreadable.delete(key)
    this.#done.set(key, saved)
    forgetOldest(this.#done, MOST_DONE)
  }

  /** Its inode is gone, or holds something else: what is known of its content stays. */
  rememberGone(saved: SavedGeneration): void {
    if (saved.head.length === 0) return
    this.#gone.delete(saved.key)
    this.#gone.set(saved.key, { ...saved, done: true, gone: true })
    forgetOldest(this.#gone, MOST_GONE)
  }

  /** Takes out what is known of an inode whose file is looked after again: done, or could not be opened until now. */
  take(key: string): SavedGeneration | undefined {
    const saved = this.#unreadable.get(key) ?? this.#done.get(key)
    this.#unreadable.delete(key)
    this.#done.delete(key)
    return saved
  }

  #lead(path: string, tailer: Tailer): void {
    this.#paths.set(path, tailer)
    if (path !== tailer.generation.origin.path) this.#relatives.add(path, tailer)
  }

  #index(tailer: Tailer): void {
    const { path } = tailer.generation.origin
    const [only] = this.#origins.of(path)
    if (this.#origins.add(path, tailer) && only) {
      const family = this.#ordered.get(path) ?? [only]
      family.splice(placeIn(family, tailer.generation), 0, tailer)
      this.#ordered.set(path, family)
    }
    this.#relatives.add(path, tailer)
  }

  #unindex(tailer: Tailer): void {
    const { path } = tailer.generation.origin
    const family = this.#ordered.get(path)
    if (this.#origins.delete(path, tailer) && family) {
      family.splice(family.indexOf(tailer), 1)
      if (family.length === 1) this.#ordered.delete(path)
    }
    this.#relatives.delete(path, tailer)
  }
}

/** How many of a family, the oldest first, are older than a generation. */
function placeIn(family: readonly Tailer[], generation: Generation): number {
  let from = 0
  let to = family.length
  while (from < to) {
    const middle = (from + to) >> 1
    if (family[middle]!.generation.isOlderThan(generation)) from = middle + 1
    else to = middle
  }
  return from
}

export function savedOf({ path, who }: Parked): SavedGeneration {
  return who.kind === 'saved' ? who.saved : who.generation.save(path)
}

function forgetOldest(entries: Map<string, unknown>, most: number): void {
  const oldest = entries.keys().next().value
  if (entries.size > most && oldest !== undefined) entries.delete(oldest)
}

function addTo<T>(sets: Map<string, Set<T>>, key: string, value: T): void {
  const set = sets.get(key)
  if (set) set.add(value)
  else sets.set(key, new Set([value]))
}

function deleteFrom<T>(sets: Map<string, Set<T>>, key: string, value: T): void {
  const set = sets.get(key)
  set?.delete(value)
  if (set?.size === 0) sets.delete(key)
}

function beginningOf({ head, seen, cursors }: SavedGeneration): Beginning {
  return { head, ends: seen ? [seen, ...Object.values(cursors)] : Object.values(cursors) }
}

function beginningOfLiving({ head, seen, cursors }: Generation): Beginning {
  return { head, ends: [seen, ...cursors.map(({ read, marker }) => ({ offset: read, marker }))] }
}
