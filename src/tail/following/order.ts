/**
 * The order of reading: a file is offered to the readers once it may be read.
 *
 * Guarantees: what was written to a path first is read first; nothing is read of a generation whose id is not derived
 * again before it is on disk; a file that cannot be read holds nothing back.
 */
import type { Cursor } from '../generation/generation.ts'
import type { Lineage } from '../generation/lineage.ts'
import type { Table } from '../generation/table.ts'
import type { Tailer } from '../generation/tailer.ts'

export interface OrderParts {
  readonly table: Table
  readonly lineage: Lineage
  /** Whether an older generation of `origin` is being searched for. */
  holdsBack(origin: string, begun: bigint): boolean
}

export class Order {
  /** Nothing is written any more, as far as is known: last lines without a line end are taken too. */
  final = false
  readonly #parts: OrderParts
  /** Those whose new generation must be on disk before anything of it is sent. */
  readonly #held = new Set<Tailer>()
  /** Those that wait until older generations of their origin have been read, by origin: there may be thousands of each. */
  readonly #blocked = new Map<string, Set<Tailer>>()
  readonly #origins = new Map<Tailer, string>()
  /** Origins of which a file is open no more. */
  readonly #due = new Set<string>()
  #unblocking: NodeJS.Immediate | undefined
  #suspended = false

  constructor(parts: OrderParts) {
    this.#parts = parts
  }

  /** While older files are still being found nothing is read: theirs comes first. */
  set suspended(suspended: boolean) {
    this.#suspended = suspended
    if (suspended) return
    const blocked = [...this.#origins.keys()]
    this.#origins.clear()
    this.#blocked.clear()
    for (const tailer of blocked) if (!tailer.closed) this.offer(tailer)
  }

  /** Something may not be read yet, and will be. */
  get holding(): boolean {
    return this.#held.size > 0 || this.#due.size > 0
  }

  /** Nothing is read of the file until it is released. */
  hold(tailer: Tailer): void {
    this.#held.add(tailer)
  }

  release(tailer: Tailer): void {
    this.#held.delete(tailer)
  }

  /** It is open no more: it holds nothing back. */
  forget(tailer: Tailer): void {
    this.#free(tailer)
    this.#unblockSoon(tailer.generation.origin.path)
  }

  /** At the end of this turn: thousands of files may be closed in one. */
  #unblockSoon(origin: string): void {
    if (!this.#blocked.has(origin)) return
    this.#due.add(origin)
    this.#unblocking ??= setImmediate(() => {
      this.#unblocking = undefined
      const due = [...this.#due]
      this.#due.clear()
      for (const path of due) this.unblock(path)
    })
  }

  #block(tailer: Tailer): void {
    const { path } = tailer.generation.origin
    // Another generation may have begun in it since.
    if (this.#origins.get(tailer) !== path) this.#free(tailer)
    this.#origins.set(tailer, path)
    const blocked = this.#blocked.get(path)
    if (blocked) blocked.add(tailer)
    else this.#blocked.set(path, new Set([tailer]))
  }

  #free(tailer: Tailer): void {
    const origin = this.#origins.get(tailer)
    if (origin === undefined) return
    this.#origins.delete(tailer)
    const blocked = this.#blocked.get(origin)
    if (blocked?.delete(tailer) && blocked.size === 0) this.#blocked.delete(origin)
  }

  /** There is something to read in the file. */
  offer(tailer: Tailer): void {
    if (this.#held.has(tailer)) return
    if (this.#suspended) {
      this.#block(tailer)
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
        this.#block(tailer)
      } else lineage.readerOf(backend)?.offer(tailer, cursor)
    }
  }

  #isUnread(elder: Tailer, backend: string): boolean {
    const cursor = elder.generation.cursors.find(candidate => candidate.backend === backend)
    return cursor !== undefined && !elder.failing && elder.hasUnread(cursor, this.final)
  }

  /** A reader has read all there is of a file. */
  dry(tailer: Tailer): void {
    this.unblock(tailer.generation.origin.path)
  }

  /** A file cannot be read now: it is no reason for others to wait. */
  failed(tailer: Tailer): void {
    tailer.failing = true
    this.dry(tailer)
  }

  /** Older generations of the path may have been read to their end, or been given up. */
  unblock(origin: string): void {
    const blocked = this.#blocked.get(origin)
    if (blocked === undefined) return
    // There may be thousands, and this is asked after each of them.
    const oldest = this.#oldestUnread(origin)
    for (const tailer of [...blocked]) {
      const { begun, cursors } = tailer.generation
      const waits = ({ backend }: Cursor): boolean => (oldest.get(backend) ?? begun) < begun
      if (!tailer.closed && cursors.some(cursor => tailer.hasUnread(cursor, this.final)) && cursors.every(waits))
        continue
      this.#free(tailer)
      if (!tailer.closed) this.offer(tailer)
    }
  }

  /** For each backend, when the oldest generation of a path began of which it has something to read. */
  #oldestUnread(origin: string): ReadonlyMap<string, bigint> {
    const oldest = new Map<string, bigint>()
    for (const elder of this.#parts.table.tailersOf(origin)) {
      if (elder.failing) continue
      const { begun, cursors } = elder.generation
      for (const cursor of cursors) {
        const known = oldest.get(cursor.backend)
        if ((known === undefined || begun < known) && elder.hasUnread(cursor, this.final)) {
          oldest.set(cursor.backend, begun)
        }
      }
    }
    return oldest
  }
}
