/**
 * The sweep: which files exist. Polling is the truth; watch events only bring a look forward.
 *
 *     look ─► directories of which something was reported ─► a walk through all of them ─► what is found now
 *                                                               │ goes on between looks, in short turns
 *                                                               └─► crowded directories, one at a time
 *
 * A walk looks at every known directory, and lists those that have changed (`directory.ts`, `tree.ts`). It is repeated the
 * more seldom the longer it takes, and so is the listing of a crowded directory: looking takes a small part of a core,
 * however many names there are. The first walk is made to its end before anything is read.
 *
 * A watcher brings looks forward (`watcher.ts`). It watches a limited number of directories, those that changed last first;
 * where it cannot, the sweep carries on alone: that costs latency, never lines.
 */
import { dirname } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { CLOCK, type Clock } from '../../clock.ts'
import type { Logger } from '../../log.ts'
import type { Directory } from '../directories/directory.ts'
import { Effort, restAfter } from '../directories/effort.ts'
import type { Found, Stray } from '../directories/found.ts'
import { STAT, Tree, type Work } from '../directories/tree.ts'
import { type Limits, limitsFor } from '../files/limits.ts'
import type { Root } from '../files/open.ts'
import type { SourceOptions } from '../options.ts'
import { matchesPath } from '../patterns/glob.ts'
import { chooseWatched, statDirectory } from './watched.ts'
import { type Hint, Watcher, type WatchMode } from './watcher.ts'

export type { Found, Stray } from '../directories/found.ts'

/** What matches of a source and waits, because there is no memory for more. */
export interface Waits {
  readonly source: string
  readonly files: number
  /** Directories that are not looked into. */
  readonly directories: number
  /** One of them. */
  readonly path: string
}

/** Directories that can be asked for news every few milliseconds. */
const FEW = 8
/** So many are looked at with each look. */
const SMALL = 256
/** A directory of more names is listed beside the walk. */
const CROWDED = 2000
/** Names, or what takes as long, in one turn; and milliseconds after which a turn ends once so many are done. */
const TURN = 16_384
const TURN_MS = 50
const LEAST = 512
/** Milliseconds between two turns. */
const PAUSE = 10
/** Names that one look may bring: each is opened and may be compared with others, up to half a millisecond in all. */
const AT_ONCE = 250
/** What is withheld gets its turn, and which directories are watched is thought over: milliseconds. */
const ROTATE = 10_000
/** That something is withheld is said again after so long: milliseconds. */
const SAY_AGAIN = 600_000
/** Directories are listed again however they look, the more seldom the more there are: milliseconds for each. */
const EACH = 10
const SURE = 30_000

export class Sweep {
  readonly #sources: readonly SourceOptions[]
  readonly limits: Limits
  readonly #log: Logger
  readonly #clock: Clock
  readonly #tree: Tree
  readonly #watcher: Watcher
  /** Those of which something was reported. */
  readonly #reported = new Set<Directory>()
  /** Watched directories by path. */
  #watched: ReadonlyMap<string, Directory> = new Map()
  /** How many directories there were when these were chosen; -1: there are others to choose from. */
  #chosen = -1
  #walk: { readonly work: Work; readonly effort: Effort } | undefined
  /** Listings of crowded directories, one after the other. */
  readonly #crowded: Work[] = []
  /** The walk that trusts nothing: none, wanted or under way, or done and not asked for yet. */
  #sure: 'none' | 'walking' | 'done' = 'none'
  #walked = false
  #walkDue = 0
  #rotateDue = 0
  #announced = 0
  /** Takes back the turn that is to come. */
  #cancel: (() => void) | undefined
  #hint: Hint | undefined
  #followed: (path: string) => boolean = () => true
  /** By the source's place: when it was said last that something of it is withheld. */
  readonly #said = new Map<number, number>()
  #closed = false

  constructor(sources: readonly SourceOptions[], log: Logger, limits = limitsFor(), clock: Clock = CLOCK) {
    this.#sources = sources
    this.limits = limits
    this.#log = log
    this.#clock = clock
    this.#watcher = new Watcher(log, () => this.#tree.size <= FEW, clock)
    const now = () => this.#now()
    this.#tree = new Tree({ sources, limits, log, now, swapped: ({ path }) => this.#watcher.again(path) })
    this.#rotateDue = this.#now() + ROTATE
  }

  get watching(): WatchMode {
    return this.#watcher.mode
  }

  /** How many directories are known, and how many of them are watched. */
  get directories(): { readonly known: number; readonly watched: number } {
    return { known: this.#tree.size, watched: this.#watcher.size }
  }

  get strays(): ReadonlyMap<string, Stray> {
    return this.#tree.strays.byPath
  }

  /** Walks for the first time, in short turns. */
  async ready(): Promise<void> {
    if (this.#walked) return
    this.#begin(true)
    while (!this.#closed && !this.#work()) await turn()
    this.#sure = 'done'
  }

  /**
   * Every path that matches now, each once: the first source that wants it gets it. `all`: trust no listing; while
   * `behind` says so this takes more looks.
   */
  look(all = false): ReadonlyMap<string, Found> {
    if (!this.#walked) {
      this.#begin(true)
      while (!this.#work()) {}
      return this.#tree.found
    }
    this.#tree.credit = AT_ONCE
    if (all && this.#sure === 'done') this.#sure = 'none'
    else if (all && this.#sure === 'none') {
      this.#giveUp()
      this.#begin(true)
    }
    const small = this.#tree.size <= SMALL
    // Where patterns begin a look is never late.
    if (!small) for (const root of this.#tree.roots.slice(0, SMALL)) this.#reported.add(root)
    this.#listReported()
    const due = small || this.#now() >= this.#walkDue
    if (this.#walk === undefined && due) this.#begin(false)
    if (!this.#work()) this.#continue()
    // Who asked for it has it.
    else if (all) this.#sure = 'none'
    this.#announced = this.#tree.changes
    return this.#tree.found
  }

  /** A look that trusts nothing is still under way. */
  get behind(): boolean {
    return this.#sure === 'walking'
  }

  /** Of each source of which something waits how much. */
  *waiting(): Generator<Waits> {
    for (const [place, { name }] of this.#sources.entries()) {
      const { files, directories, example } = this.#tree.withheld(place)
      if (example !== undefined) yield { source: name, files, directories, path: example }
    }
  }

  /** The directories in front of the first wildcards of a source's patterns. */
  rootsOf(source: string): string[] {
    const patterns = this.#tree.reaches.patterns.filter(pattern => pattern.source.name === source)
    return [...new Set(patterns.map(({ root }) => root.directory))]
  }

  /** Whether a pattern of the source matches the path. */
  matches(source: string, path: string): boolean {
    return this.#tree.reaches.patterns.some(each => each.source.name === source && matchesPath(each.glob, path))
  }

  /** Where files of a source must really lie. */
  boundsOf(source: string): Root[] {
    const patterns = this.#tree.reaches.patterns.filter(pattern => pattern.source.name === source)
    return [...new Set(patterns.map(({ root }) => root))]
  }

  /**
   * Starts watching; `hint` is called with each path that something happened to. `followed` tells the paths that are
   * followed: what is not gives way once there is more than fits.
   */
  watch(hint: Hint, followed: (path: string) => boolean): void {
    this.#hint = hint
    this.#followed = followed
    this.#choose()
    this.#watcher.start((path, what) => {
      if (what === 'name') this.#report(path)
      hint(path, what)
    })
  }

  /** Files are not looked at every few milliseconds any more: reports matter again. */
  listen(): void {
    this.#watcher.wake()
  }

  /** Whether what happens now is reported by the system. */
  get listening(): boolean {
    return this.#watcher.listening
  }

  /** Whether what happens now is reported by the system, and otherwise whether a name may have come or gone since. */
  get news(): 'reported' | 'none' | 'some' {
    if (this.#watcher.listening && this.#watcher.size >= this.#tree.size) return 'reported'
    if (this.#tree.size > FEW) return 'none'
    for (const directory of this.#tree) {
      if (this.#isTooSoon(directory)) continue
      const stats = statDirectory(directory.path)
      if (stats === undefined ? directory.listed : !directory.looks(stats) || !directory.isFinal) return 'some'
    }
    return 'none'
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#cancel?.()
    this.#giveUp()
    await this.#watcher.close()
  }

  #begin(sure: boolean): void {
    if (sure) this.#sure = 'walking'
    this.#walk = { work: this.#walking(sure), effort: new Effort() }
  }

  /** Whatever is under way began before it was known that nothing is to be trusted. */
  #giveUp(): void {
    for (const work of [this.#walk?.work, ...this.#crowded.splice(0)]) work?.return()
    this.#walk = undefined
  }

  /** Works for a turn. Returns whether nothing is left to do. */
  #work(): boolean {
    if (this.#walk) {
      const { work, effort } = this.#walk
      effort.begin()
      const ended = this.#step(work)
      effort.pause()
      if (ended) {
        this.#walk = undefined
        this.#walkDue = this.#now() + restAfter(effort.total)
        this.#wasWalked()
      }
    }
    const [first] = this.#crowded
    if (first && this.#step(first)) this.#crowded.shift()
    const done = this.#walk === undefined && this.#crowded.length === 0
    if (done) {
      this.#walked = true
      if (this.#sure === 'walking') this.#sure = 'done'
    }
    return done
  }

  /** Drives some work for a turn. Returns whether it has ended. */
  #step(work: Work): boolean {
    const from = this.#now()
    for (let done = 0; done < TURN; ) {
      const { done: ended = false, value } = work.next()
      if (ended) return true
      done += value ?? 0
      if (this.#tree.credit <= 0 || (done >= LEAST && this.#now() - from > TURN_MS)) return false
    }
    return false
  }

  /** Goes on a little later, and hints at what was found. */
  #continue(): void {
    if (this.#cancel || this.#closed) return
    this.#cancel = this.#clock.after(PAUSE, () => {
      this.#cancel = undefined
      const done = this.#work()
      // Without credit nothing goes on before the next look.
      const spent = this.#tree.credit <= 0
      if (spent || this.#tree.changes !== this.#announced) this.#hint?.(this.#tree.roots[0]?.path ?? '/', 'name')
      this.#announced = this.#tree.changes
      if (!done && !spent) this.#continue()
    })
  }

  /** Whole milliseconds: what is kept for each directory is small then. */
  #now(): number {
    return Math.floor(this.#clock.now())
  }

  *#walking(sure: boolean): Work {
    const beyond = Math.max(SURE, this.#tree.size * EACH)
    for (const directory of this.#tree) {
      yield STAT
      if (sure) directory.doubt()
      if (this.#tree.check(directory, beyond) && (sure || !this.#isTooSoon(directory))) yield* this.#list(directory)
    }
    if (this.#walked && this.#tree.hungry && this.#now() >= this.#rotateDue) yield* this.#tree.rotate(this.#followed)
  }

  /** Lists a directory; what turns out to be crowded is gone on with beside. */
  *#list(directory: Directory): Work {
    const work = this.#tree.list(directory)
    let names = 0
    let left = false
    try {
      for (let next = work.next(); !next.done && !left; next = work.next()) {
        yield next.value
        names += next.value
        left = names > CROWDED && directory.busy
      }
    } finally {
      if (left) this.#crowded.push(work)
      else work.return()
    }
  }

  #isTooSoon(directory: Directory): boolean {
    const { names, cost } = directory
    return names > CROWDED && directory.age(this.#now()) < restAfter(cost)
  }

  /** Something was reported of a path. */
  #report(path: string): void {
    const directory = this.#watched.get(path) ?? this.#watched.get(dirname(path))
    if (directory && !directory.dropped) this.#reported.add(directory)
    for (const root of this.#tree.roots) {
      // It may be what was missing on the way to it.
      if (root.listed || !(root.path === path || root.path.startsWith(`${path}/`))) continue
      this.#reported.add(root)
      this.#chosen = -1
    }
  }

  #listReported(): void {
    for (const directory of this.#reported) {
      this.#reported.delete(directory)
      if (directory.dropped || !this.#tree.check(directory) || this.#isTooSoon(directory)) continue
      const work = this.#list(directory)
      if (!this.#step(work)) this.#crowded.push(work)
    }
  }

  /** A walk has come to its end. */
  #wasWalked(): void {
    const now = this.#now()
    const { size } = this.#tree
    const few = size <= this.limits.watches
    if (this.#hint && (now >= this.#rotateDue || (few && size !== this.#chosen))) this.#choose()
    if (now >= this.#rotateDue) this.#rotateDue = now + ROTATE
    for (const [place, source] of this.#sources.entries()) this.#say(source, place, now)
  }

  #choose(): void {
    const { watched, ways } = chooseWatched(this.#tree, this.limits)
    this.#watched = watched
    this.#chosen = this.#tree.size
    this.#watcher.watch(new Set([...watched.keys(), ...ways]))
  }

  /** Says that there is no room for what a source wants, and when there is again. */
  #say({ name }: SourceOptions, place: number, now: number): void {
    const { files, directories, example } = this.#tree.withheld(place)
    const said = this.#said.get(place)
    if (files + directories === 0) {
      if (said !== undefined)
        this.#log.info({ event: 'file_limit_past', source: name }, 'there is room again for all that matches')
      this.#said.delete(place)
    } else if (said === undefined || now - said > SAY_AGAIN) {
      this.#said.set(place, now)
      this.#log.warn(
        { event: 'file_limit', source: name, files, directories, path: example, limits: this.limits },
        'more matches than there is memory for: what waits is not read before other files are gone',
      )
    }
  }
}
