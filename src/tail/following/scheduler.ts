/**
 * The scheduler: when to look at what. Files that are being written when what is found there may be sent, others at every
 * tick, idle ones the more seldom the longer they are idle; the directories once a second, or at once when something
 * hints at a change, but the more seldom the longer such a look takes. A few timers in all, however many files there are.
 *
 *     a line after silence ─► a hint ─► look ─► sent ─── interval ───► look at all that is written ─► sent ─── …
 *                                                          └─ sooner, where that would be more than one request
 *
 * Looking follows sending. Between two requests nothing that was written could be sent, so nothing is looked at for its
 * content, whatever is reported meanwhile; what happens to names is not waited for, and looked for more often while they
 * change and that is not reported. Without an interval a file that is being written is looked at every few milliseconds.
 *
 * Guarantees: looks at thousands of files are made in short turns, between which everything else has its own.
 */
import { untilSecond } from '../../clock.ts'
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
/** Bytes between two looks from which on a file is written a lot; and those for which a look comes before its time. */
const A_LOT = 64 * 1024
const ENOUGH = 512 * 1024
/** Where names came or went, and that is not reported, looks are no more apart for a while: a rotation may be gone soon. */
const ROTATING = 32
const ROTATING_FOR = 3000
/** Milliseconds more for each hot file: two thousand looks a second are enough, however many files there are. */
const EACH = 0.5
/** What looks at files may take in one turn, and the pause before they go on: milliseconds. */
const SLICE = 50
const PAUSE = 5
/** What is left of a look at the directories has a slice of that length so often: a quarter of a core. Milliseconds. */
const APART = 3 * SLICE
/** Others are looked at with the hot ones while the system does not report what happens to them: four every few milliseconds. */
const OTHERS = 4
const MOST_OTHERS = 16
/** Of the interval: looks that are apart by less are one. */
const TOGETHER = 1 / 8
/** A look at the directories comes with a tick that is so much before its time: milliseconds. */
const EARLY = TICK

export interface Looks {
  /** Look at one file. */
  poll(tailer: Tailer, now: number): void
  /** Look at the directories. */
  sweep(): void
  /** Whether something of a look at the directories is left. */
  behind(): boolean
  /** Goes on with that for a turn. */
  goOn(): void
  /** After everything that was due. */
  ticked(): void
  /** Whether the system reports what happens, and otherwise whether names have come or gone. */
  news(): 'reported' | 'none' | 'some'
  /** No file is looked at all the time any more: reports are wanted. */
  calm(): void
}

export class Scheduler {
  readonly #table: Pick<Table, 'tailers'>
  readonly #looks: Looks
  readonly #hot = new Set<Tailer>()
  #round: Iterator<Tailer>
  /** Milliseconds from one request to the next, of those backends that are sent to the most often. */
  #interval = 0
  /** Milliseconds of the monotonic clock at which the loop last turned. */
  turnedAt = performance.now()
  #sweepDue = 0
  /** When the last look at the directories ended, and what it took: milliseconds. */
  #sweptAt = Number.NEGATIVE_INFINITY
  #sweepTook = 0
  #tick: NodeJS.Timeout | undefined
  #tickDue = 0
  /** The files that are still to be looked at in this tick, whether one of all was active, and when it goes on. */
  #due: Iterator<Tailer> | undefined
  #active = false
  #pause: NodeJS.Timeout | undefined
  /** When the next look at hot files was decided upon, and when it comes. */
  #hotTick: NodeJS.Timeout | undefined
  #hotFrom = 0
  #hotDue = 0
  /** The hot files that are still to be looked at, by how much those before them grew, and whether one is hot no more. */
  #hotRest: Iterator<Tailer> | undefined
  #growing = 0
  #left = false
  /** Names came or went, and that was not reported: until then it is looked for more often. */
  #newsUntil = Number.NEGATIVE_INFINITY
  /** Such a look is under way. */
  #looking = false
  /** When a file was last found to have changed. */
  #changedAt = Number.NEGATIVE_INFINITY
  /** Bytes by which hot files had grown at the last look, in all and a millisecond. */
  #grew = 0
  #rate = 0
  #hint: NodeJS.Timeout | undefined
  /** When what is left of a look at the directories goes on. */
  #rest: NodeJS.Timeout | undefined
  #held = false

  constructor(table: Pick<Table, 'tailers'>, looks: Looks) {
    this.#table = table
    this.#round = table.tailers
    this.#looks = looks
  }

  /** Milliseconds from one request to the next. However long that is, a truncation must not be missed. */
  set interval(ms: number) {
    this.#interval = Math.min(TICK, ms)
  }

  /** What was known is still being found again: nothing is looked at before `start`. */
  hold(): void {
    this.#held = true
  }

  start(): void {
    const now = performance.now()
    clearTimeout(this.#tick)
    this.#tick = undefined
    this.#held = false
    if (this.#hot.size > 0) this.#tickSoon()
    if (now >= this.#sweepDue - EARLY) this.#sweep()
    this.#active = false
    this.#due = this.#table.tailers
    // The directories may have taken a turn's time.
    if (performance.now() - now < SLICE / 2) this.#lookAtDue()
    else this.#pause = setTimeout(() => this.#lookAtDue(), PAUSE)
  }

  #lookAtDue(): void {
    const now = performance.now()
    this.turnedAt = now
    const all = this.#lookAt(this.#due!, tailer => {
      if (this.#hot.has(tailer)) return
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
    this.#tickIn(this.#active ? TICK : untilSecond(now))
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
    for (const timer of [this.#tick, this.#pause, this.#hotTick, this.#hint, this.#rest]) clearTimeout(timer)
    this.#tick = undefined
    this.#hotRest = undefined
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
    this.#goOnLater()
  }

  #goOnLater(): void {
    if (this.#held || !this.#looks.behind()) return
    this.#rest ??= setTimeout(() => {
      this.#rest = undefined
      this.#looks.goOn()
      this.#goOnLater()
    }, APART)
  }

  /** The file has just been looked at. */
  looked(tailer: Tailer, now: number): void {
    const quiet = now - tailer.changedAt
    tailer.due = quiet < ACTIVE_FOR ? now : now + Math.min(ASLEEP, quiet / 10) - TICK / 2
  }

  /** The file has just changed. */
  markActive(tailer: Tailer): void {
    this.#hot.add(tailer)
    this.#changedAt = performance.now()
    this.#tickSoon()
  }

  /** The file was written to, as is reported: it is looked at now, or with the others when something may be sent again. */
  hinted(tailer: Tailer): void {
    if (this.#held) return
    const now = performance.now()
    if (now - this.#changedAt < this.#interval) {
      this.#hot.add(tailer)
      this.#tickSoon()
    } else if (this.#interval > 0 || !this.#hot.has(tailer)) this.#looks.poll(tailer, now)
  }

  /** A request was begun: the next one may begin an interval later. */
  sent(): void {
    if (this.#hotTick === undefined || this.#hotRest !== undefined || this.#soon < this.#interval) return
    const due = performance.now() + this.#interval
    if (Math.abs(due - this.#hotDue) > this.#interval * TOGETHER) this.#hotTickIn(this.#interval)
  }

  /** The file cannot be read just now. */
  backOff(tailer: Tailer): void {
    this.#hot.delete(tailer)
    tailer.due = performance.now() + IDLE
  }

  forget(tailer: Tailer): void {
    this.#hot.delete(tailer)
  }

  #lookAtHot(): void {
    const now = performance.now()
    if (this.#hotRest === undefined) {
      this.#hotRest = this.#hot.values()
      this.#growing = 0
      this.#left = false
    }
    this.#looking = true
    const all = this.#lookAt(this.#hotRest, tailer => {
      const { size } = tailer
      if (!tailer.closed) this.#looks.poll(tailer, now)
      this.#growing += Math.max(0, tailer.size - size)
      if (!tailer.closed && now - tailer.changedAt <= HOT_FOR) return
      this.#hot.delete(tailer)
      this.#left = true
    })
    this.#looking = false
    this.#hotTick = undefined
    if (this.#held) return
    if (!all) {
      this.#hotTick = setTimeout(() => this.#lookAtHot(), PAUSE)
      return
    }
    this.#hotRest = undefined
    this.#grew = this.#growing
    // What is written a lot has just been rotated where nothing seems to be written any more.
    this.#rate = Math.max(this.#grew / Math.max(1, now - this.#hotFrom), this.#rate / 2)
    // What is looked at no more so often is looked at by each tick.
    if (this.#left && this.#tickDue - now > TICK) this.#tickIn(TICK)
    if (this.#hot.size === 0) {
      this.#looks.calm()
      return
    }
    const news = this.#looks.news()
    if (news === 'some') {
      this.#newsUntil = now + ROTATING_FOR
      this.sweepSoon()
    }
    this.#tickSoon()
    if (news !== 'reported') this.#lookAround(now)
    // One wake-up for both, unless that makes a long turn.
    const soon = this.#tick !== undefined && this.#tickDue - now < this.#interval
    if (soon && performance.now() - now < SLICE / 2) this.start()
  }

  /** Some others each time, in turn: with few files in all each of them is seen at once when it is written to. */
  #lookAround(now: number): void {
    const most = Math.min(MOST_OTHERS, Math.round((OTHERS * Math.max(HOT, this.#interval)) / HOT))
    for (let n = 0; n < most; n++) {
      const { value: tailer } = this.#round.next()
      if (tailer === undefined) {
        this.#round = this.#table.tailers
        return
      }
      if (!this.#hot.has(tailer)) this.#looks.poll(tailer, now)
    }
  }

  /** Milliseconds to the next look at hot files. */
  get #soon(): number {
    const each = EACH * (this.#hot.size - 1)
    if (this.#interval === 0) return Math.min(TICK, (this.#grew >= A_LOT ? BUSY : HOT) + each)
    const most = performance.now() < this.#newsUntil ? Math.min(ROTATING, this.#interval) : this.#interval
    return Math.min(TICK, Math.max(each, Math.min(most, Math.max(BUSY, ENOUGH / this.#rate))))
  }

  #tickSoon(): void {
    if (!this.#held && !this.#looking && this.#hotTick === undefined) this.#hotTickIn(this.#soon)
  }

  #hotTickIn(ms: number): void {
    clearTimeout(this.#hotTick)
    this.#hotFrom = performance.now()
    this.#hotDue = this.#hotFrom + ms
    this.#hotTick = setTimeout(() => this.#lookAtHot(), ms)
  }

  #tickIn(ms: number): void {
    if (this.#held) return
    clearTimeout(this.#tick)
    this.#tickDue = performance.now() + ms
    this.#tick = setTimeout(() => this.start(), ms)
  }
}
