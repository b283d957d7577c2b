/**
 * Truncation: what becomes of a generation whose content is not in its file any more, nor anywhere else.
 *
 * What was seen of it and not read is counted as lost, and what is in flight settles in its own time.
 */
import type { Logger } from '../../log.ts'
import type { Cursor, Generation } from './generation.ts'
import type { Table } from './table.ts'

export class Truncation {
  readonly #table: Table
  readonly #log: Logger

  constructor(table: Table, log: Logger) {
    this.#table = table
    this.#log = log
  }

  /** The generation is nowhere any more: what was seen of it and not read is lost. */
  lost(path: string, generation: Generation): void {
    this.countLost(path, generation, cursor => Math.max(0, generation.size - cursor.read - cursor.forgo()))
    this.#table.finish(generation, path)
  }

  /** Counts what can provably not be read any more. */
  countLost(path: string, generation: Generation, bytes: (cursor: Cursor) => number): void {
    let most = 0
    for (const cursor of generation.cursors) {
      const gone = bytes(cursor)
      cursor.account.lost(gone)
      most = Math.max(most, gone)
    }
    if (most === 0) return
    this.#log.error(
      { event: 'data_lost', cause: 'truncated', source: generation.origin.source, path, bytes: most },
      'bytes were truncated before they could be read; they are counted as lost',
    )
  }
}
