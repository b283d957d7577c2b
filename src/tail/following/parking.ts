/**
 * Parking: more files than file handles. Handles of files that rest are closed; their positions are kept, and their
 * names are watched instead, until they change or somebody has a use for what is unread of them.
 *
 * Guarantees: a part of the handles is always left for sockets, folders and the checkpoint; positions are saved whether
 * a file is open or parked; what is in flight of a parked file settles as ever.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { inodeKey, inodeOf } from '../files/fingerprint.ts'
import { statPath } from '../files/inodes.ts'
import type { Generation } from '../generation/generation.ts'
import type { Lineage } from '../generation/lineage.ts'
import type { Tailer } from '../generation/tailer.ts'
import type { SavedGeneration } from '../state/checkpoint.ts'

/** Files are parked once nothing has happened to them for so long: milliseconds. */
const REST = 300
/** One that a backend has done with gives way after so long, even though another is behind on it: milliseconds. */
const TURN = 1000
/** One that lost its name and is done is closed early after so long: milliseconds. */
const LEAVE = 3000
/** Handles that files never take: for sockets, folders, the checkpoint, and looks at other files. */
const RESERVE = 16

/** A file whose handle was given up: what to save of it, and how it looked. */
interface Parked {
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

/** `asleep`: leave it. `due`: its path leads to it and there is something to read. `moved`: it does not. */
export type Rest = 'asleep' | 'due' | 'moved'

export class Parking {
  readonly #lineage: Lineage
  /** By path; and the paths by inode. */
  readonly #parked = new Map<string, Parked>()
  readonly #paths = new Map<string, string>()
  /** For how many open files there are handles, and memory. */
  most: number
  readonly #files: number

  /** `files`: for how many open files there is memory. */
  constructor(lineage: Lineage, files = Number.POSITIVE_INFINITY, most = handlesForFiles()) {
    this.#lineage = lineage
    this.#files = files
    this.most = most
  }

  /** How many files may be open at the same time, those that have no name any more among them. */
  get limit(): number {
    return Math.min(this.most, this.#files)
  }

  get size(): number {
    return this.#parked.size
  }

  /** The paths, the one that was parked first first. */
  get paths(): Iterable<string> {
    return this.#parked.keys()
  }

  *saved(): Generator<SavedGeneration> {
    for (const [path, { who }] of this.#parked) yield who.kind === 'saved' ? who.saved : who.generation.save(path)
  }

  /** Whether all that is not settled of the file, `size` bytes long now, is a last line without an end. */
  isDone(path: string, size: number): boolean {
    const parked = this.#parked.get(path)
    return parked?.rested === true && parked.who.kind === 'saved' && parked.size === size
  }

  /** Those of which chunks are in flight. */
  get living(): { generation: Generation }[] {
    return [...this.#parked.values()].flatMap(({ who }) => (who.kind === 'living' ? [who] : []))
  }

  /** The system had no handle when `open` files were open: from now on a part is left free below that. */
  ranOut(open: number): void {
    this.most = Math.max(1, Math.min(this.most, open - RESERVE))
  }

  /** Up to `count` files that can give their handles to others, those that have rested the longest first. */
  choose(tailers: Iterable<Tailer>, count: number, final: boolean): Tailer[] {
    const now = performance.now()
    return [...tailers]
      .filter(tailer => (tailer.state.kind === 'live' ? mayRest(tailer, now, final) : mayLeave(tailer, now, final)))
      .sort((one, other) => one.changedAt - other.changedAt)
      .slice(0, count)
  }

  park(tailer: Tailer): void {
    const { path, size, extent, modified, generation } = tailer
    const rested = generation.cursors.every(({ scanned }) => scanned >= size)
    // What is set aside behind the data is nothing to read.
    const read = new Map(generation.cursors.map(({ backend, read }) => [backend, read >= extent ? size : read]))
    const saved = tailer.saved()
    const who = generation.idle ? { kind: 'saved' as const, saved } : { kind: 'living' as const, generation }
    this.#put(path, { who, source: saved.source, inode: inodeKey(saved.inode), size, modified, read, rested })
  }

  /** Parks a file that was never opened. */
  keep(path: string, saved: SavedGeneration): void {
    const read = new Map(Object.entries(saved.cursors).map(([backend, { offset }]) => [backend, offset]))
    const who = { kind: 'saved', saved } as const
    this.#put(path, {
      who,
      source: saved.source,
      inode: inodeKey(saved.inode),
      size: -1,
      modified: 0n,
      read,
      rested: false,
    })
  }

  has(path: string): boolean {
    return this.#parked.has(path)
  }

  /** The path under which an inode is parked; `key` as by `inodeKey`. */
  pathOf(key: string): string | undefined {
    return this.#paths.get(key)
  }

  /** `hungry` tells whether a backend has nothing else to read. */
  look(path: string, final: boolean, hungry: (backend: string) => boolean): Rest {
    const parked = this.#parked.get(path)
    const stats = statPath(path)
    if (parked === undefined || stats === undefined) return 'moved'
    if (inodeKey(inodeOf(stats)) !== parked.inode) return 'moved'
    const size = Number(stats.size)
    if (size !== parked.size || stats.mtimeNs !== parked.modified) return 'due'
    if (parked.rested && !final) return 'asleep'
    const backends = this.#lineage.backendsOf(parked.source)
    const due = backends.some(backend => (parked.read.get(backend) ?? 0) < size && (final || hungry(backend)))
    return due ? 'due' : 'asleep'
  }

  /** Takes a file out, because it is taken up again or looked for elsewhere. */
  leave(path: string): SavedGeneration | undefined {
    const parked = this.#parked.get(path)
    if (parked === undefined) return undefined
    this.#parked.delete(path)
    this.#paths.delete(parked.inode)
    const { who } = parked
    if (who.kind === 'saved') return who.saved
    const saved = who.generation.save(path)
    this.#lineage.suspend(saved, who.generation)
    return saved
  }

  #put(path: string, parked: Parked): void {
    this.#parked.set(path, parked)
    this.#paths.set(parked.inode, path)
  }
}

function mayRest({ generation, size, extent, changedAt }: Tailer, now: number, final: boolean): boolean {
  if (final) return generation.cursors.every(({ read }) => read >= extent)
  const dry = generation.cursors.filter(({ scanned }) => scanned >= size).length
  return now - changedAt > (dry === generation.cursors.length ? REST : dry > 0 ? TURN : Number.POSITIVE_INFINITY)
}

function mayLeave({ generation, size, changedAt }: Tailer, now: number, final: boolean): boolean {
  return generation.doneAt(size) && (final || now - changedAt > LEAVE)
}

/** How many files may be open at once, as the system limits them (proc(5), /proc/pid/limits) and others use them. */
function handlesForFiles(): number {
  try {
    const limit = /^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1'))
    if (limit === null) return Number.POSITIVE_INFINITY
    // Of a large limit a larger part is left: there may be more backends, and more requests at the same time.
    const reserve = Math.max(RESERVE, Math.min(256, Number(limit[1]) / 8))
    return Math.max(4, Math.floor(Number(limit[1]) - readdirSync('/proc/self/fd').length - reserve))
  } catch {
    return Number.POSITIVE_INFINITY
  }
}
