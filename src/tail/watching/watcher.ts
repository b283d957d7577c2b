/**
 * The watcher: what the system reports about directories becomes a hint to look at a path now.
 *
 *     listening ── more reports than are worth hearing ──► resting ── files are not looked at all the time ──► listening
 *         │        far too many, in any case ────────────► resting ── after a while, longer each time ─────────────┘
 *         └────── the system refuses (no inotify left, a network file system) ──► failed
 *
 * chokidar keeps the watches: one watcher of its for each directory, which it is to watch and no more, so that letting go
 * of one costs the others nothing and nothing is kept of what was in it. Which directories, and how many, others decide.
 * A file that is written all the time is looked at as often as something may be sent; to hear of each write as well would
 * cost more than to ship it, so while that lasts nothing is watched.
 *
 * Guarantees: nothing here throws; a failure is said once; after a rest the directories are hinted at, since what happened
 * meanwhile was not reported; reports that come faster than they can be dealt with end the watching, not the process.
 */
import { join } from 'node:path'
import { type FSWatcher, watch } from 'chokidar'
import { CLOCK, type Clock } from '../../clock.ts'
import { codeOf } from '../../errors.ts'
import type { Logger } from '../../log.ts'

export type WatchMode = { readonly mode: 'events' } | { readonly mode: 'polling'; readonly reason: string }

/** `name`: there may be another file now, or none. `content`: it was written to. */
export type Hint = (path: string, what: 'name' | 'content') => void

type State =
  | { readonly kind: 'idle' }
  | { readonly kind: 'listening' }
  /** `until`: whatever happens, to the end of a storm. */
  | { readonly kind: 'resting'; readonly since: number; readonly until: number | undefined }
  | { readonly kind: 'failed'; readonly reason: string }

/** So many reports in so many milliseconds are too many. */
const MANY = 15
const WHILE = 3000
/** A rest shorter than this was not worth it; then none is taken for so long: milliseconds. */
const SHORT = 10_000
const PATIENCE = 60_000
/** A directory that takes longer to be watched is left to itself, and the next one is taken: milliseconds. */
const PATIENT = 10_000
/** So many reports in a second are a storm. After it there is a rest of so long, after the next a longer one: milliseconds. */
const STORM = 3000
const SECOND = 1000
const SHELTER = 10_000
const LONGEST_SHELTER = 300_000

export class Watcher {
  readonly #log: Logger
  readonly #mayRest: () => boolean
  readonly #clock: Clock
  readonly #watchers = new Map<string, FSWatcher>()
  /** The one that is being opened. */
  #opening: { readonly directory: string; readonly cancel: () => void } | undefined
  /** How many the system lets us watch, once it has refused one. */
  #most = Number.POSITIVE_INFINITY
  /** Those that are to be watched. */
  #wanted: ReadonlySet<string> = new Set()
  #hint: Hint = () => {}
  #state: State = { kind: 'idle' }
  #reports = 0
  #countedFrom = 0
  #wakefulUntil = 0
  /** Reports of this second, and how long the next shelter is. */
  #gusts = 0
  #gustsFrom = 0
  #shelter = SHELTER
  #cancel = () => {}

  /** `mayRest`: whether files are looked at often enough for nothing to be missed meanwhile. */
  constructor(log: Logger, mayRest: () => boolean, clock: Clock = CLOCK) {
    this.#log = log
    this.#mayRest = mayRest
    this.#clock = clock
  }

  get mode(): WatchMode {
    const { kind } = this.#state
    if (kind === 'listening' || kind === 'resting') return { mode: 'events' }
    return { mode: 'polling', reason: kind === 'failed' ? this.#state.reason : 'not started' }
  }

  /** Whether something that happens now in one of the watched directories is reported. */
  get listening(): boolean {
    return this.#state.kind === 'listening'
  }

  /** How many directories are watched now. */
  get size(): number {
    return this.#watchers.size
  }

  start(hint: Hint): void {
    this.#hint = hint
    this.#listen()
  }

  /** Watches these directories, which are there, and no others. */
  watch(directories: ReadonlySet<string>): void {
    this.#wanted = directories
    if (this.listening) this.#adjust()
  }

  /** The path leads to another directory than before. */
  again(directory: string): void {
    if (!this.#watchers.has(directory)) return
    this.#close(directory)
    this.#adjust()
  }

  /** Files are not looked at all the time any more: if this rests, it goes on. */
  wake(): void {
    if (this.#state.kind !== 'resting' || this.#state.until !== undefined) return
    const now = this.#clock.now()
    if (now - this.#state.since < SHORT) this.#wakefulUntil = now + PATIENCE
    this.#listen()
  }

  async close(): Promise<void> {
    this.#cancel()
    if (this.#state.kind !== 'failed') this.#state = { kind: 'idle' }
    const watchers = [...this.#watchers.values()]
    this.#watchers.clear()
    await Promise.all(watchers.map(watcher => watcher.close().catch(() => {})))
  }

  #listen(): void {
    this.#reports = 0
    this.#countedFrom = this.#clock.now()
    this.#state = { kind: 'listening' }
    this.#adjust()
  }

  #adjust(): void {
    for (const directory of [...this.#watchers.keys()]) if (!this.#wanted.has(directory)) this.#close(directory)
    this.#openNext()
  }

  /** Opens one after the other: each lists its directory and looks at all that is in it before it is ready. */
  #openNext(): void {
    if (this.#opening || !this.listening || this.#watchers.size >= this.#most) return
    for (const directory of this.#wanted) {
      if (this.#watchers.has(directory)) continue
      this.#opening = { directory, cancel: this.#clock.after(PATIENT, () => this.#opened(directory)) }
      this.#open(directory)
      return
    }
  }

  /** It is watched, or will not be. */
  #opened(directory: string): void {
    if (this.#opening?.directory !== directory) return
    this.#opening.cancel()
    this.#opening = undefined
    this.#openNext()
  }

  #open(directory: string): void {
    try {
      const watcher = watch([directory], {
        ignoreInitial: true,
        followSymlinks: true,
        alwaysStat: false,
        depth: 0,
        atomic: false,
        ignorePermissionErrors: true,
        ignored: path => path !== directory,
      })
      this.#watchers.set(directory, watcher)
      watcher.on('raw', (event, name, details) => {
        const { watchedPath } = details as { readonly watchedPath: string }
        if (name !== null && this.#count()) {
          this.#hint(join(watchedPath, name), event === 'rename' ? 'name' : 'content')
        }
      })
      // It came or went itself.
      watcher.on('all', () => this.#hint(directory, 'name'))
      // What came between the last look and the watch was not reported.
      watcher.on('ready', () => {
        this.#hint(directory, 'name')
        this.#opened(directory)
      })
      watcher.on('error', error => this.#refused(directory, codeOf(error)))
    } catch (error) {
      this.#refused(directory, codeOf(error))
    }
  }

  /** Counts a report. Returns whether it is still to be heard. */
  #count(): boolean {
    const now = this.#clock.now()
    if (now - this.#gustsFrom > SECOND) {
      this.#gusts = 0
      this.#gustsFrom = now
    }
    if (!this.listening) return false
    if (++this.#gusts > STORM) {
      this.#shelterFrom(now)
      return false
    }
    if (++this.#reports < MANY) return true
    const many = now - this.#countedFrom <= WHILE && now >= this.#wakefulUntil && this.#mayRest()
    this.#reports = 0
    this.#countedFrom = now
    if (many) this.#rest({ kind: 'resting', since: now, until: undefined })
    return true
  }

  #shelterFrom(now: number): void {
    const ms = this.#shelter
    this.#shelter = Math.min(LONGEST_SHELTER, ms * 2)
    this.#log.info(
      { event: 'watch_paused', pauseMs: ms, directories: this.#watchers.size },
      'more changes are reported than are worth hearing; looking takes the place of watching for a while',
    )
    this.#rest({ kind: 'resting', since: now, until: now + ms })
    this.#cancel = this.#clock.after(ms, () => this.#listen())
  }

  #rest(state: State): void {
    this.#state = state
    // Not in the middle of a report, and before the next one: in a storm there is always a next one.
    queueMicrotask(() => {
      if (this.#state === state) this.#closeAll()
    })
  }

  /** The system refuses to watch one more. */
  #refused(directory: string, reason: string): void {
    const others = this.#watchers.size - Number(this.#watchers.has(directory))
    if (this.#most === Number.POSITIVE_INFINITY) {
      this.#log.warn(
        { event: 'watch_failed', code: reason },
        'watching directories failed; polling carries on, lines are seen a little later',
      )
    }
    this.#most = Math.min(this.#most, others)
    if (others === 0) this.#state = { kind: 'failed', reason }
    this.#close(directory)
  }

  #closeAll(): void {
    for (const directory of [...this.#watchers.keys()]) this.#close(directory)
  }

  #close(directory: string): void {
    const watcher = this.#watchers.get(directory)
    this.#watchers.delete(directory)
    void watcher?.close().catch(() => {})
    this.#opened(directory)
  }
}
