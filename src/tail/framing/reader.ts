/**
 * The reader: one pipeline's round robin over the cursors that have something to read.
 *
 * It pulls: the pipeline asks it to fill a slab when it has one, and nothing is read before. A cursor gets one quantum
 * a turn, so a noisy file cannot starve the others; many small files end up in one slab, and so in one request. Those that
 * look for something far ahead of them have a round of their own, with one short turn for each slab: they must not be in
 * the way of those that have lines. A file that delivery cannot take more of for now is passed over until it can: what is
 * not read lies in the file.
 *
 *     offered ──► ring ◄──► ahead ──► resting, until the framer looks on
 *                   ├──► open, until the last record is due
 *                   └──► withheld, until `resume`
 */
import type { Origin, Slab } from '../../chunk.ts'
import type { Cursor } from '../generation/generation.ts'
import type { Tailer } from '../generation/tailer.ts'
import type { Framer, Framing } from './framer.ts'

/**
 * `full`: the slab has what it should hold. `dry`: nothing more to read. `yield`: what looks ahead goes on after a turn of
 * the loop. `more`: so do others, for many files were read.
 */
export type Fill = 'full' | 'dry' | 'yield' | 'more'

/** Whether no more should be read of a file for now. */
export type Withholds = (origin: Origin) => boolean

interface ReadTarget {
  readonly tailer: Tailer
  readonly cursor: Cursor
}

/** What `tail.ts` is told of a file that was read. */
export interface ReaderEvents {
  replaced(tailer: Tailer): void
  failed(tailer: Tailer): void
  /** All there is to read of it has been read. */
  dry(tailer: Tailer): void
  /** A request with what was read was begun. */
  sent(): void
}

/**
 * Files that are read in one turn of the loop, however little stands in each; and pieces of files in one slab, each of which
 * is encoded for itself, and all of them in one turn.
 */
const MOST = { files: 1000, chunks: 2000 }
/** Of those that rest so many are offered together: what they may use is for all of them. */
const AT_ONCE = 16
/** Last records are looked at together: milliseconds. */
const OPEN_STEP = 20

export class Reader {
  readonly backend: string
  /** Called when there is something to read again. */
  onReady: () => void = () => {}
  readonly #framer: Framer
  readonly #events: ReaderEvents
  readonly #most: typeof MOST
  readonly #ring: ReadTarget[] = []
  readonly #ahead: ReadTarget[] = []
  readonly #resting = new Map<Cursor, Tailer>()
  /** Files of which the last record may go on, and when it is complete if it does not. */
  readonly #open = new Map<Cursor, { tailer: Tailer; due: number }>()
  #withheld: ReadTarget[] = []
  /** Unfinished last lines are taken too. */
  #final = false
  #openTimer: NodeJS.Timeout | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(backend: string, framer: Framer, events: ReaderEvents, most = MOST) {
    this.backend = backend
    this.#most = most
    this.#framer = framer
    this.#events = events
  }

  get ready(): boolean {
    return this.#ring.length > 0 || this.#ahead.length > 0
  }

  /** Something could be read that is passed over for now. */
  get withholds(): boolean {
    return this.#withheld.length > 0
  }

  /** Files that are withheld no more have their turn again. */
  resume(withholds: Withholds): void {
    const ready = this.#withheld.filter(({ tailer }) => !withholds(tailer.generation.origin))
    if (ready.length === 0) return
    this.#withheld = this.#withheld.filter(place => !ready.includes(place))
    this.#ring.push(...ready)
    this.onReady()
  }

  /** A request with what was read was begun. */
  sent(): void {
    this.#events.sent()
  }

  /**
   * From now on unfinished last lines are taken too. Returns the files that waited for their turn, which they have lost:
   * one was offered because older ones had nothing but such a line left, and that comes first now.
   */
  finish(): readonly Tailer[] {
    this.#final = true
    const waited = [...this.#ring.splice(0), ...this.#ahead.splice(0)]
    for (const [cursor, tailer] of this.#resting) waited.push({ tailer, cursor })
    for (const [cursor, { tailer }] of this.#open) waited.push({ tailer, cursor })
    this.#resting.clear()
    this.#open.clear()
    for (const { cursor } of waited) cursor.queued = false
    return waited.map(({ tailer }) => tailer)
  }

  /** Says that the cursor has something to read. */
  offer(tailer: Tailer, cursor: Cursor): void {
    if (cursor.queued) return
    cursor.queued = true
    this.#resting.delete(cursor)
    this.#open.delete(cursor)
    this.#ring.push({ tailer, cursor })
    this.onReady()
  }

  /** Reads until `target` bytes of the slab are used, it is full, or nothing is left. */
  fill(slab: Slab, target: number, withholds: Withholds = () => false): Fill {
    const first = this.#ahead.shift()
    if (first && this.#turn(first, slab, target, withholds) === 'full') return 'full'
    for (let files = 0; ; files++) {
      const full = slab.used >= target || slab.frames >= slab.maxFrames || slab.chunks.length >= this.#most.chunks
      if (full) return this.ready ? 'full' : 'dry'
      if (files >= this.#most.files && this.#ring.length > 0) return 'more'
      const place = this.#ring.shift()
      if (place === undefined) return this.#ahead.length > 0 ? 'yield' : 'dry'
      if (this.#turn(place, slab, target, withholds) === 'full') return 'full'
    }
  }

  #turn(place: ReadTarget, slab: Slab, target: number, withholds: Withholds): Framing | 'withheld' {
    const { tailer, cursor } = place
    const current = tailer.state.kind !== 'closed' && tailer.generation.cursors.includes(cursor)
    if (current && withholds(tailer.generation.origin)) {
      this.#withheld.push(place)
      return 'withheld'
    }
    const ending = tailer.endingIf(this.#final)
    const framing = current ? this.#framer.read({ tailer, cursor, slab, ending, target }) : 'dry'
    cursor.queued = framing === 'took' || framing === 'looked' || framing === 'full'
    switch (framing) {
      case 'took':
        this.#ring.push(place)
        break
      case 'looked':
        this.#ahead.push(place)
        break
      case 'full':
        this.#ring.unshift(place)
        break
      case 'rest':
        this.#rest(place, this.#framer.restMs)
        break
      case 'open':
        this.#open.set(cursor, { tailer, due: performance.now() + this.#framer.restMs })
        this.#watchOpen(this.#framer.restMs)
        this.#events.dry(tailer)
        break
      case 'dry':
        this.#events.dry(tailer)
        break
      case 'replaced':
        this.#events.replaced(tailer)
        break
      case 'failed':
        this.#events.failed(tailer)
        break
    }
    return framing
  }

  /** It is offered again after a while, if it is not offered before. */
  #rest({ tailer, cursor }: ReadTarget, ms: number): void {
    this.#resting.set(cursor, tailer)
    this.#wakeIn(ms)
  }

  /** Looks once more at the files whose last record is due by then. */
  #watchOpen(ms: number): void {
    this.#openTimer ??= setTimeout(
      () => {
        this.#openTimer = undefined
        const now = performance.now()
        let next = Number.POSITIVE_INFINITY
        for (const [cursor, { tailer, due }] of this.#open) {
          if (due <= now) this.offer(tailer, cursor)
          else next = Math.min(next, due)
        }
        if (this.#open.size > 0) this.#watchOpen(Math.max(OPEN_STEP, next - performance.now()))
      },
      Math.max(OPEN_STEP, ms),
    ).unref()
  }

  #wakeIn(ms: number): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      for (const [cursor, tailer] of [...this.#resting].slice(0, AT_ONCE)) this.offer(tailer, cursor)
      if (this.#resting.size > 0) this.#wakeIn(ms)
    }, ms).unref()
  }
}
