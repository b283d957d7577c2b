/**
 * Truncation: what becomes of a generation whose content is not in its file any more, nor anywhere else.
 *
 * What was seen of it and not read is counted as vanished, and what is in flight settles in its own time.
 */
import type { Logger } from '../../log.ts'
import type { Cursor, Generation } from './generation.ts'

/** A generation whose file is gone or has other content, while chunks of it are in flight. */
export interface Finishing {
  readonly generation: Generation
  readonly path: string
}

export class Truncation {
  readonly #log: Logger
  readonly #finishing = new Set<Finishing>()

  constructor(log: Logger) {
    this.#log = log
  }

  get finishing(): Iterable<Finishing> {
    return this.#finishing
  }

  /** The generation has lost its file: what is in flight of it goes on. */
  finish(generation: Generation, path: string): void {
    if (!generation.idle) this.#finishing.add({ generation, path })
  }

  /** Something has settled. */
  settled(): void {
    for (const entry of this.#finishing) if (entry.generation.idle) this.#finishing.delete(entry)
  }

  /** The generation is nowhere any more: what was seen of it and not read has vanished. */
  lost(path: string, generation: Generation): void {
    this.vanished(path, generation, cursor => Math.max(0, generation.size - cursor.read - cursor.forgo()))
    this.finish(generation, path)
  }

  /** Counts what can provably not be read any more. */
  vanished(path: string, generation: Generation, bytes: (cursor: Cursor) => number): void {
    let most = 0
    for (const cursor of generation.cursors) {
      const gone = bytes(cursor)
      cursor.account.vanished(gone)
      most = Math.max(most, gone)
    }
    if (most === 0) return
    this.#log.error(
      { event: 'data_lost', cause: 'truncated', source: generation.origin.source, path, bytes: most },
      'bytes were truncated before they could be read; they are counted as vanished',
    )
  }
}
