/**
 * The reader: one pipeline's round robin over the cursors that have something to read.
 *
 * It pulls: the pipeline asks it to fill a slab when it has one, and nothing is read before. A cursor gets one quantum
 * a turn, so a noisy file cannot starve the others; many small files end up in one slab, and so in one request.
 */
import type { Slab } from '../chunk.ts'
import type { Framer } from './framer.ts'
import type { Cursor } from './generation.ts'
import type { Tailer } from './tailer.ts'

/** `full`: the slab has what it should hold. `dry`: nothing more to read. `yield`: more, after a turn of the loop. */
export type Fill = 'full' | 'dry' | 'yield'

/** What the room wants to hear about a file that was read. */
export interface ReaderEvents {
  replaced(tailer: Tailer): void
  failed(tailer: Tailer): void
  /** All there is to read of it has been read. */
  dry(tailer: Tailer): void
}

export class Reader {
  readonly backend: string
  /** Called when there is something to read again. */
  onReady: () => void = () => {}
  /** Unfinished last lines are taken too. */
  final = false
  readonly #framer: Framer
  readonly #events: ReaderEvents
  #ring: { tailer: Tailer; cursor: Cursor }[] = []

  constructor(backend: string, framer: Framer, events: ReaderEvents) {
    this.backend = backend
    this.#framer = framer
    this.#events = events
  }

  get ready(): boolean {
    return this.#ring.length > 0
  }

  /** Says that the cursor has something to read. */
  offer(tailer: Tailer, cursor: Cursor): void {
    if (cursor.queued) return
    cursor.queued = true
    this.#ring.push({ tailer, cursor })
    this.onReady()
  }

  /** Reads until `target` bytes of the slab are used, it is full, or nothing is left. */
  fill(slab: Slab, target: number): Fill {
    for (;;) {
      if (slab.used >= target || slab.frames >= slab.maxFrames) return this.#ring.length > 0 ? 'full' : 'dry'
      const turn = this.#ring.shift()
      if (turn === undefined) return 'dry'
      const { tailer, cursor } = turn
      const current = tailer.state.kind !== 'closed' && tailer.generation.cursors.includes(cursor)
      const framing = current ? this.#framer.read(tailer, cursor, slab, this.final || tailer.ending, target) : 'dry'
      switch (framing) {
        case 'took':
          this.#ring.push(turn)
          break
        case 'looked':
          this.#ring.push(turn)
          return 'yield'
        case 'full':
          this.#ring.unshift(turn)
          return 'full'
        case 'dry':
          cursor.queued = false
          this.#events.dry(tailer)
          break
        case 'replaced':
          cursor.queued = false
          this.#events.replaced(tailer)
          break
        case 'failed':
          cursor.queued = false
          this.#events.failed(tailer)
          break
      }
    }
  }
}
