/**
 * The watcher: what the system reports about folders becomes a hint to look at a path now.
 *
 *     listening ── more reports than are worth hearing ──► resting ── whoever looked all the time stops ──► listening
 *         └────── the system refuses (no inotify left, a network file system) ──► failed
 *
 * chokidar keeps the watches. Of files it is told to keep nothing and to look at nothing, since we do. A file that is
 * written a hundred times a second is looked at every few milliseconds anyhow; to hear of each write as well would cost
 * more than to ship it, so while that lasts nothing is watched.
 *
 * Guarantees: nothing here throws; a failure is said once; after a rest the folders are hinted at, since what happened
 * meanwhile was reported by nobody.
 */
import { join } from 'node:path'
import { type FSWatcher, watch } from 'chokidar'
import { codeOf } from '../errors.ts'
import type { Logger } from '../log.ts'

export type WatchMode = { readonly mode: 'events' } | { readonly mode: 'polling'; readonly reason: string }

/** `name`: there may be another file now, or none. `content`: it was written to. */
export type Hint = (path: string, what: 'name' | 'content') => void

type State =
  | { readonly kind: 'idle' }
  | { readonly kind: 'listening'; readonly watcher: FSWatcher }
  | { readonly kind: 'resting'; readonly since: number }
  | { readonly kind: 'failed'; readonly reason: string }

/** So many reports in so many milliseconds are too many. */
const MANY = 150
const WHILE = 3000
/** A rest shorter than this was not worth it; then none is taken for so long: milliseconds. */
const SHORT = 10_000
const PATIENCE = 60_000

export class Watcher {
  readonly #folders: readonly string[]
  readonly #depth: number
  readonly #log: Logger
  readonly #mayRest: () => boolean
  #hint: Hint = () => {}
  #followed: (path: string) => boolean = () => false
  #state: State = { kind: 'idle' }
  #reports = 0
  #countedFrom = 0
  #wakefulUntil = 0

  /**
   * `folders`: with how many levels below each may hold what is wanted. `mayRest`: whether somebody can look often
   * enough for nothing to be missed meanwhile.
   */
  constructor(folders: ReadonlyMap<string, number>, log: Logger, mayRest: () => boolean) {
    this.#folders = [...folders.keys()]
    this.#depth = Math.min(32, Math.max(0, ...folders.values()))
    this.#log = log
    this.#mayRest = mayRest
  }

  get mode(): WatchMode {
    const { kind } = this.#state
    if (kind === 'listening' || kind === 'resting') return { mode: 'events' }
    return { mode: 'polling', reason: kind === 'failed' ? this.#state.reason : 'not started' }
  }

  /** Whether something that happens now is reported. */
  get listening(): boolean {
    return this.#state.kind === 'listening'
  }

  /** `followed` tells the files that are looked at anyhow. */
  start(hint: Hint, followed: (path: string) => boolean): void {
    this.#hint = hint
    this.#followed = followed
    this.#listen()
  }

  /** Nobody looks all the time any more: if this rests, it goes on. */
  wake(): void {
    if (this.#state.kind !== 'resting') return
    const now = performance.now()
    if (now - this.#state.since < SHORT) this.#wakefulUntil = now + PATIENCE
    this.#listen()
  }

  async close(): Promise<void> {
    const { watcher } = { watcher: undefined, ...this.#state }
    if (this.#state.kind !== 'failed') this.#state = { kind: 'idle' }
    await watcher?.close().catch(() => {})
  }

  #listen(): void {
    this.#reports = 0
    this.#countedFrom = performance.now()
    try {
      // A root that is not there yet is reached through the closest folder that is: the sweep finds it, and so do we.
      const watcher = watch([...this.#folders], {
        ignoreInitial: true,
        followSymlinks: false,
        alwaysStat: false,
        depth: this.#depth,
        ignorePermissionErrors: true,
        ignored: (path, stats) => stats?.isFile() ?? this.#followed(path),
      })
      this.#state = { kind: 'listening', watcher }
      watcher.on('raw', (event, name, details) => {
        const { watchedPath } = details as { readonly watchedPath: string }
        if (name !== null) this.#hint(join(watchedPath, name), event === 'rename' ? 'name' : 'content')
        this.#count(watcher)
      })
      watcher.on('all', (_event, path) => this.#hint(path, 'name'))
      // What came between the last look and the watches was reported by nobody.
      watcher.on('ready', () => {
        for (const folder of this.#folders) this.#hint(folder, 'name')
      })
      watcher.on('error', error => this.#failed(codeOf(error)))
    } catch (error) {
      this.#failed(codeOf(error))
    }
  }

  #count(watcher: FSWatcher): void {
    if (++this.#reports < MANY) return
    const now = performance.now()
    const many = now - this.#countedFrom <= WHILE && now >= this.#wakefulUntil && this.#mayRest()
    this.#reports = 0
    this.#countedFrom = now
    if (!many || this.#state.kind !== 'listening' || this.#state.watcher !== watcher) return
    this.#state = { kind: 'resting', since: now }
    // Not in the middle of a report.
    setImmediate(() => void watcher.close().catch(() => {}))
  }

  #failed(reason: string): void {
    const { watcher } = { watcher: undefined, ...this.#state }
    if (this.#state.kind !== 'failed') {
      this.#log.warn(
        { event: 'watch_failed', code: reason },
        'watching folders failed; polling carries on, lines are seen a little later',
      )
    }
    this.#state = { kind: 'failed', reason }
    void watcher?.close().catch(() => {})
  }
}
