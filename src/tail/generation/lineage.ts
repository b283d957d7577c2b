/**
 * The lineage: where generations come from, and how they get their ids.
 *
 * An id is derived from the file and the epoch of the state directory, so it is the same after a restart; after a power cut
 * a salt goes into it (`boot.ts`). One that holds
 * the time (a truncated file, a reused inode) is not derived again: such a generation is `timed`, and must be on disk
 * before anything of it leaves the house.
 */
import type { Island } from '../../chunk.ts'
import type { Ledger } from '../../ledger.ts'
import { generationId, type Inode, NO_HEAD, NO_MARKER } from '../files/fingerprint.ts'
import { Growth } from '../files/growth.ts'
import type { SourceOptions } from '../options.ts'
import type { SavedGeneration } from '../state/saved.ts'
import { Cursor, Generation } from './generation.ts'
import type { Table } from './table.ts'
import type { Tailer } from './tailer.ts'

/** What is known here of a pipeline's reader: files are offered to it that have something to read. */
export interface Offers {
  readonly backend: string
  /** It has something to read. */
  readonly ready: boolean
  offer(tailer: Tailer, cursor: Cursor): void
  /** From now on unfinished last lines are taken too. Returns the files that waited for their turn: they are to be offered anew. */
  finish(): readonly Tailer[]
}

/** A pipeline's part in the room: its reader, and the sources it wants. */
export interface Member {
  readonly reader: Offers
  readonly sources: ReadonlySet<string>
  /** Milliseconds from one request to the next, where they are not full: more often nothing need be looked at. Default: 0. */
  readonly interval?: number
}

export class Lineage {
  /** Random, as old as the state directory. */
  epoch = ''
  /** Goes into every id: empty until the power was cut for the first time. */
  salt = ''
  readonly members: Member[] = []
  /** Of the configuration before: the keys of its generations, and their islands by key and backend. */
  inherited: ReadonlySet<string> = new Set()
  islands: ReadonlyMap<string, ReadonlyMap<string, readonly Island[]>> = new Map()
  readonly #table: Table
  readonly #ledger: Ledger
  readonly #onCommit: () => void
  readonly #timed = new WeakSet<Generation>()

  /** `onCommit` is called whenever a cursor's committed offset has moved. */
  constructor(table: Table, ledger: Ledger, onCommit: () => void) {
    this.#table = table
    this.#ledger = ledger
    this.#onCommit = onCommit
  }

  /**
   * A generation that begins now. `incarnation`: 0, or the time if its inode may have had another before. `since`: when
   * it began, in nanoseconds since the epoch, if that was after its inode was born.
   */
  begun(source: SourceOptions, path: string, inode: Inode, incarnation: number, since = 0n): Generation {
    // Without birth times a reused inode would get the id of the file it belonged to before.
    const time = inode.birth === '0' ? Date.now() : incarnation
    const id = generationId(this.epoch, inode, time)
    const generation = this.#generation(source, {
      origin: path,
      id,
      key: id,
      inode,
      head: NO_HEAD,
      size: 0,
      begun: String(since || (inode.birth === '0' ? BigInt(time) * 1_000_000n : BigInt(inode.birth))),
      cursors: {},
    })
    if (time !== 0) this.#timed.add(generation)
    generation.fresh = true
    return generation
  }

  /** What is known of a file that cannot be opened yet: it is the one that `begun` will begin, wherever it is then. */
  unopened(source: SourceOptions, path: string, inode: Inode, size: number): SavedGeneration {
    const id = generationId(this.epoch, inode, 0)
    const unread = { offset: 0, marker: NO_MARKER }
    const cursors = Object.fromEntries(this.backendsOf(source.name).map(backend => [backend, unread]))
    const begun = inode.birth
    return { source: source.name, origin: path, path, inode, id, key: id, head: NO_HEAD, size, begun, cursors }
  }

  /** Goes on with what is known of a generation, in a file of `size` bytes that was found to be its own. */
  restored(source: SourceOptions, saved: SavedGeneration, inode: Inode, size: number): Generation {
    const living = this.#table.living(saved)
    if (living) {
      living.inode = inode
      for (const cursor of living.cursors) cursor.again()
    }
    const generation = living ?? this.#generation(source, { ...saved, inode })
    for (const cursor of generation.cursors) {
      cursor.beyond = cursor.read > size
      // What was in flight of it was in no copy when the process ended.
      const { offset, end = offset } = (living ? undefined : saved.cursors[cursor.backend]) ?? cursor.committed
      cursor.account.lost(Math.max(0, end - Math.max(size, offset)))
    }
    return generation
  }

  /** What is known of a generation whose content is not in its file any more: it goes on where that is found. */
  lost(generation: Generation, path: string): SavedGeneration {
    const read = Object.fromEntries(
      generation.cursors.map(({ backend, read, marker }) => [backend, { offset: read, marker }]),
    )
    const saved = { ...generation.save(path), cursors: read }
    this.#table.suspend(saved, generation)
    return saved
  }

  /** The backends that get a source. */
  backendsOf(source: string): string[] {
    return this.members.filter(({ sources }) => sources.has(source)).map(({ reader }) => reader.backend)
  }

  /** What settled under the configuration before, behind an offset that all before it had settled up to. */
  islandsOf(key: string, backend: string, offset: number): readonly Island[] {
    return (this.islands.get(key)?.get(backend) ?? []).filter(({ from }) => from >= offset)
  }

  isTimed(generation: Generation): boolean {
    return this.#timed.has(generation)
  }

  /** The reader of one backend. */
  readerOf(backend: string): Offers | undefined {
    return this.members.find(({ reader }) => reader.backend === backend)?.reader
  }

  /** Whether the backend is there and gets this source. */
  wants(backend: string, source: string): boolean {
    return this.members.some(({ reader, sources }) => reader.backend === backend && sources.has(source))
  }

  #generation(
    { name, labels }: SourceOptions,
    saved: Pick<
      SavedGeneration,
      'origin' | 'id' | 'key' | 'inode' | 'head' | 'size' | 'begun' | 'seen' | 'ends' | 'written' | 'cursors'
    >,
  ): Generation {
    const origin = { source: name, path: saved.origin, generation: saved.id, labels }
    const cursors = this.members
      .filter(({ sources }) => sources.has(name))
      .map(({ reader: { backend } }) => {
        const account = this.#ledger.account(name, backend)
        const known = saved.cursors[backend]
        if (known === undefined || !this.inherited.has(saved.key)) account.generation()
        const at = known ?? { offset: 0, marker: NO_MARKER }
        return new Cursor(backend, account, at, this.#onCommit, this.islandsOf(saved.key, backend, at.offset))
      })
    const begun = BigInt(saved.begun ?? saved.inode.birth)
    const generation = new Generation(origin, saved.inode, saved.head, saved.size, cursors, saved.key, begun, this.salt)
    if (saved.seen) generation.seen = saved.seen
    if (saved.ends) generation.ends = saved.ends
    if (saved.written) generation.growth = new Growth(saved.written)
    return generation
  }
}
