/**
 * Parking: more files than file handles. Handles of files that rest are closed; their positions are kept, and their
 * names are watched instead, until they change or a backend has nothing else to read.
 *
 * Guarantees: a part of the handles is always left for sockets, directories and the checkpoint; positions are saved whether
 * a file is open or parked; what is in flight of a parked file settles as ever.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { inodeKey, inodeOf } from '../files/fingerprint.ts'
import { statPath } from '../files/inodes.ts'
import type { Lineage } from '../generation/lineage.ts'
import type { Table } from '../generation/table.ts'
import type { Tailer } from '../generation/tailer.ts'
import type { SavedGeneration } from '../state/saved.ts'

/** Files are parked once nothing has happened to them for so long: milliseconds. */
const REST = 300
/** One that a backend has done with gives way after so long, even though another is behind on it: milliseconds. */
const TURN = 1000
/** One that lost its name and is done is closed early after so long: milliseconds. */
const LEAVE = 3000
/** Handles that files never take: for sockets, directories, the checkpoint, and looks at other files. */
const RESERVE = 16

/** `idle`: leave it. `due`: its path leads to it and there is something to read. `moved`: it does not. */
export type Rest = 'idle' | 'due' | 'moved'

export class Parking {
  readonly #table: Table
  readonly #lineage: Lineage
  /** For how many open files there are handles, and memory. */
  most: number
  readonly #files: number

  /** `files`: for how many open files there is memory. */
  constructor(table: Table, lineage: Lineage, files = Number.POSITIVE_INFINITY, most = handlesForFiles()) {
    this.#table = table
    this.#lineage = lineage
    this.#files = files
    this.most = most
  }

  /** How many files may be open at the same time, those that have no name any more among them. */
  get limit(): number {
    return Math.min(this.most, this.#files)
  }

  /** Whether all that is not settled of the file, `size` bytes long now, is a last line without an end. */
  isDone(path: string, size: number): boolean {
    const parked = this.#table.parkedAt(path)
    return parked?.rested === true && parked.who.kind === 'saved' && parked.size === size
  }

  /** The system had no handle when `open` files were open: from now on a part is left free below that. */
  ranOut(open: number): void {
    this.most = Math.max(1, Math.min(this.most, open - RESERVE))
  }

  /** Up to `count` files that can give their handles to others, those that have rested the longest first. */
  choose(count: number, final: boolean): Tailer[] {
    const now = performance.now()
    return [...this.#table.tailers]
      .filter(tailer => (tailer.state.kind === 'live' ? mayRest(tailer, now, final) : mayLeave(tailer, now, final)))
      .sort((one, other) => one.changedAt - other.changedAt)
      .slice(0, count)
  }

  park(tailer: Tailer): void {
    const { path, size, extent, modified, generation } = tailer
    const rested = generation.cursors.every(({ scanned, ahead }) => scanned >= size && !ahead.open)
    // What is set aside behind the data is nothing to read.
    const read = new Map(generation.cursors.map(({ backend, read }) => [backend, read >= extent ? size : read]))
    const saved = tailer.saved()
    const who = generation.idle ? { kind: 'saved' as const, saved } : { kind: 'living' as const, generation }
    const { source, inode } = saved
    this.#table.park({ path, who, source, inode: inodeKey(inode), size, modified, read, rested })
  }

  /** Parks a file that was never opened. */
  keep(path: string, saved: SavedGeneration): void {
    const read = new Map(Object.entries(saved.cursors).map(([backend, { offset }]) => [backend, offset]))
    const who = { kind: 'saved', saved } as const
    this.#table.park({
      path,
      who,
      source: saved.source,
      inode: inodeKey(saved.inode),
      size: -1,
      modified: 0n,
      read,
      rested: false,
    })
  }

  /** `hungry` tells whether a backend has nothing else to read. */
  look(path: string, final: boolean, hungry: (backend: string) => boolean): Rest {
    const parked = this.#table.parkedAt(path)
    const stats = statPath(path)
    if (parked === undefined || stats === undefined) return 'moved'
    if (inodeKey(inodeOf(stats)) !== parked.inode) return 'moved'
    const size = Number(stats.size)
    if (size !== parked.size || stats.mtimeNs !== parked.modified) return 'due'
    if (parked.rested && !final) return 'idle'
    const backends = this.#lineage.backendsOf(parked.source)
    const due = backends.some(backend => (parked.read.get(backend) ?? 0) < size && (final || hungry(backend)))
    return due ? 'due' : 'idle'
  }
}

function mayRest({ generation, size, extent, changedAt }: Tailer, now: number, final: boolean): boolean {
  if (final) return generation.cursors.every(({ read }) => read >= extent)
  const dry = generation.cursors.filter(({ scanned, ahead }) => scanned >= size && !ahead.open).length
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
