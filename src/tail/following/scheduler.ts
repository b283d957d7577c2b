/**
 * The scheduler: when to look at what. Files that are being written every few milliseconds, others at every tick, idle
 * ones the more seldom the longer they are idle; the directories once a second, or at once when something hints at a
 * change, but the more seldom the longer such a look takes. A few timers in all, however many files there are.
 *
 * Guarantees: looks at thousands of files are made in short turns, between which everything else has its own.
 */
import { Effort, restAfter } from '../directories/effort.ts'
import type { Table } from '../generation/table.ts'
import type { Tailer } from '../generation/tailer.ts'

/**
 * Milliseconds between looks: at a file that is being written, at one that is being written a lot (each look at which
 * makes a request of a good size), at others, at idle ones, at those that have been idle for long, at the directories.
 */
const HOT = 8
const BUSY = 16
const TICK = 250
const IDLE = 1000
const ASLEEP = 4000
const SWEEP = 1000
/** A file counts as hot for this long after a change, as active for this long. */
const HOT_FOR = 1000
const ACTIVE_FOR = 10_000
/** Bytes between two looks from which on a file is written a lot. */
const A_LOT = 64 * 1024
/** Milliseconds more for each hot file: two thousand looks a second are enough, however many files there are. */
const EACH = 0.5
/** What looks at files may take in one turn, and the pause before they go on: milliseconds. */
const SLICE = 50
const PAUSE = 5
/** Other files that are looked at with the hot ones while the system does not report what happens to them. */
const OTHERS = 4

export interface Looks {
  /** Look at one file. */
  poll(tailer: Tailer, now: number): void
  /** Look at the directories. */
  sweep(): void
  /** After everything that was due. */
  ticked(): void
  /** Whether the system reports what happens, and otherwise whether names have come or gone. */
  news(): 'reported' | 'none' | 'some'
  /** No file is looked at every few milliseconds any more: reports are wanted. */
  calm(): void
}

export class Scheduler {
  readonly #table: Pick<Table, 'tailers'>
  readonly #looks: Looks
  readonly #hot = new Set<Tailer>()
  #round: Iterator<Tailer>
  /** Milliseconds of the monotonic clock at which the loop last turned. */
  turnedAt = performance.now()
  #sweepDue = 0
  /** When the last look at the directories ended, and what it took: milliseconds. */
  #sweptAt = Number.NEGATIVE_INFINITY
  #sweepTook = 0
  #tick: NodeJS.Timeout | undefined
  /** Milliseconds from one tick to the next. */
  #pace = TICK
  /** The files that are still to be looked at in this tick, whether one of all was active, and when it goes on. */
  #due: Iterator<Tailer> | undefined
  #active = false
  #pause: NodeJS.Timeout | undefined
  #hotTick: NodeJS.Timeout | undefined
  /** The hot files that are still to be looked at, and whether one of those before them grew by a lot. */
  #hotDue: Iterator<Tailer> | undefined
  #growing = false
  /** Between the last two looks at hot files one grew by a lot. */
  #busy = false
  #hint: NodeJS.Timeout | undefined
  #held = false

  constructor(table: Pick<Table, 'tailers'>, looks: Looks) {
    this.#table = table
    this.#round = table.tailers
    this.#looks = looks
  }

  /** What was known is still being found again: nothing is looked at before `start`. */
  hold(): void {
    this.#held = true
  }

  start(): void {
    const now = performance.now()
    this.#tick = undefined
    this.#held = false
    if (this.#hot.size > 0) this.#tickSoon()
    if (now >= this.#sweepDue) this.#sweep()
    this.#active = false
    this.#due = this.#table.tailers
    this.#lookAtDue()
  }

  #lookAtDue(): void {
    const now = performance.now()
    this.turnedAt = now
    const all = this.#lookAt(this.#due!, tailer => {
      if (tailer.due <= now) this.#looks.poll(tailer, now)
      this.#active ||= now - tailer.changedAt < ACTIVE_FOR
    })
    // It may have been stopped meanwhile.
    if (this.#held) return
    if (!all) {
      this.#pause = setTimeout(() => this.#lookAtDue(), PAUSE)
      return
    }
    this.#looks.ticked()
    this.#pace = this.#active ? TICK : IDLE
    this.#tick = setTimeout(() => this.start(), this.#pace)
  }

  /** Looks at files until the turn has been long enough. Returns whether all were looked at. */
  #lookAt(files: Iterator<Tailer>, look: (tailer: Tailer) => void): boolean {
    const until = performance.now() + SLICE
    for (let next = files.next(); next.done !== true; next = files.next()) {
      look(next.value)
      if (performance.now() >= until) return false
    }
    return true
  }

  /** Nothing is looked at any more, whatever still ends and asks for it: descriptors are closed, or are another's by now. */
  stop(): void {
    this.#held = true
    for (const timer of [this.#tick, this.#pause, this.#hotTick, this.#hint]) clearTimeout(timer)
    this.#tick = undefined
    this.#hotDue = undefined
    this.#hot.clear()
  }

  /** Look at the directories soon: at once, but not for each of a burst of events. */
  sweepSoon(): void {
    if (this.#held) return
    const wait = this.#sweptAt + Math.max(HOT, restAfter(this.#sweepTook)) - performance.now()
    this.#hint ??= setTimeout(() => this.#sweep(), Math.min(SWEEP, Math.max(0, wait)))
  }

  #sweep(): void {
    clearTimeout(this.#hint)
    this.#hint = undefined
    const effort = new Effort().begin()
    this.#looks.sweep()
    this.#sweptAt = performance.now()
    this.#sweepTook = effort.total
    this.#sweepDue = this.#sweptAt + SWEEP
  }

  /** The file has just been looked at. */
  looked(tailer: Tailer, now: number): void {
    const quiet = now - tailer.changedAt
    tailer.due = quiet < ACTIVE_FOR ? now : now + Math.min(ASLEEP, quiet / 10) - TICK / 2
  }

  /** The file has just changed. */
  markActive(tailer: Tailer): void {
    this.#hot.add(tailer)
    this.#tickSoon()
    this.#active = true
    if (this.#pace === TICK || this.#tick === undefined) return
    this.#pace = TICK
    clearTimeout(this.#tick)
    this.#tick = setTimeout(() => this.start(), TICK)
  }

  /** The file cannot be read just now. */
  backOff(tailer: Tailer): void {
    this.#hot.delete(tailer)
    tailer.due = performance.now() + IDLE
  }

  /** It is looked at every few milliseconds anyhow. */
  isActive(tailer: Tailer): boolean {
    return this.#hot.has(tailer)
  }

  forget(tailer: Tailer): void {
    this.#hot.delete(tailer)
  }

  #lookAtHot(): void {
    const now = performance.now()
    this.#hotDue ??= this.#hot.values()
    const all = this.#lookAt(this.#hotDue, tailer => {
      const { size } = tailer
      if (now - tailer.changedAt > HOT_FOR || tailer.state.kind === 'closed') this.#hot.delete(tailer)
      else this.#looks.poll(tailer, now)
      this.#growing ||= tailer.size - size >= A_LOT
    })
    this.#hotTick = undefined
    if (this.#held) return
    if (!all) {
      this.#hotTick = setTimeout(() => this.#lookAtHot(), PAUSE)
      return
    }
    this.#hotDue = undefined
    this.#busy = this.#growing
    this.#growing = false
    if (this.#hot.size === 0) {
      this.#looks.calm()
      return
    }
    this.#tickSoon()
    const news = this.#looks.news()
    if (news === 'some') this.sweepSoon()
    if (news !== 'reported') this.#lookAround(now)
  }

  /** A few others each time, in turn: with few files in all each of them is seen at once when it is written to. */
  #lookAround(now: number): void {
    for (let n = 0; n < OTHERS; n++) {
      const { value: tailer } = this.#round.next()
      if (tailer === undefined) {
        this.#round = this.#table.tailers
        return
      }
      if (!this.#hot.has(tailer)) this.#looks.poll(tailer, now)
    }
  }

  #tickSoon(): void {
    if (this.#held) return
    const soon = (this.#busy ? BUSY : HOT) + EACH * (this.#hot.size - 1)
    this.#hotTick ??= setTimeout(() => this.#lookAtHot(), Math.min(soon, TICK))
  }
}
