/**
 * The tree: the directories that are known, and the names in them that match.
 *
 * Of a name that matches nothing nothing is kept. What matches is taken while there is room; the rest is withheld, which
 * means counted. From time to time what had its chance and came to nothing (a link that leads nowhere, a file that may
 * not be read, an empty directory) makes room for what is withheld.
 *
 * Work comes in steps, as generators that yield how much they have done, so that their driver can pause.
 */
import { type Dirent, lstatSync, type Stats, statSync } from 'node:fs'
import { codeOf } from '../../errors.ts'
import type { Logger } from '../../log.ts'
import type { Limits } from '../files/limits.ts'
import type { SourceOptions } from '../options.ts'
import { Directory, type Entry } from './directory.ts'
import { Effort } from './effort.ts'
import { type Pattern, Reaches } from './reach.ts'
import { type Names, Reading } from './reading.ts'
import { Shares, weightOf } from './share.ts'
import { Strays } from './strays.ts'
import { type Kind, Withheld } from './withheld.ts'

/** Steps count names that were read. A stat, and opening a directory, take as long as that many. */
export type Work = Generator<number, void>
export const STAT = 4
const OPEN = 16
/** Names between two steps. */
const STEP = 256
/** What was taken has its chance for so long: milliseconds. */
const CHANCE = 10_000
/** One in so many gives way at a time. */
const PART = 20
const LEADS_OUT =
  'a link that leads out of the directory in which it lies (followSymlinks lists the directories that are allowed)'

export interface TreeFields {
  readonly sources: readonly SourceOptions[]
  readonly limits: Limits
  readonly log: Logger
  /** Milliseconds of the monotonic clock. */
  readonly now: () => number
  /** A path leads to another directory than before. */
  readonly swapped: (directory: Directory) => void
}

interface Listing {
  readonly directory: Directory
  readonly number: number
  readonly withheld: Withheld
  names: number
}

export class Tree {
  readonly found = new Map<string, Entry>()
  readonly strays = new Strays()
  /** Where patterns begin. */
  readonly roots: readonly Directory[]
  readonly reaches: Reaches
  /** How many names may be taken until the next look. */
  credit = Number.POSITIVE_INFINITY
  /** Counts what was found and what left. */
  changes = 0
  readonly #fields: TreeFields
  /** By path. */
  readonly #directories = new Map<string, Directory>()
  readonly #reading = new Reading()
  readonly #shares: Readonly<Record<Kind, Shares>>
  /** What is withheld in which, the next one first. */
  readonly #hungry = new Map<Directory, Withheld>()
  /** Why some cannot be listed. */
  readonly #faults = new Map<Directory, string>()
  /** Pairs of sources that want the same file. */
  readonly #rivals = new Set<string>()
  #listings = 0

  constructor(fields: TreeFields) {
    this.#fields = fields
    const { sources, limits } = fields
    const shares = (limit: number) => new Shares(limit, sources.length)
    this.#shares = {
      files: shares(limits.files),
      others: shares(limits.others),
      directories: shares(limits.directories),
    }
    this.reaches = new Reaches(sources)
    for (const { directory } of this.reaches.patterns) {
      const reach = this.reaches.at(directory)
      if (reach) this.#directories.set(directory, new Directory(directory, undefined, reach))
    }
    this.roots = [...this.#directories.values()]
  }

  /** How many directories are known. */
  get size(): number {
    return this.#directories.size
  }

  /** Something is withheld. */
  get hungry(): boolean {
    return this.#hungry.size > 0
  }

  /**
   * Every known directory, each followed by what is below it, also by what becomes known meanwhile: where there is room for
   * some only, these are whole.
   */
  *[Symbol.iterator](): Generator<Directory, void> {
    const stack = this.roots.toReversed()
    for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
      if (next.dropped) continue
      yield next
      for (let child = next.child; child !== undefined; child = child.sibling) stack.push(child)
    }
  }

  /** Of a source, by its place, how much is withheld. */
  withheld(order: number): { files: number; directories: number; example: string | undefined } {
    let [files, directories] = [0, 0]
    let example: string | undefined
    for (const withheld of this.#hungry.values()) {
      const part = withheld.of(order)
      if (part === undefined) continue
      files += part.files + part.others
      directories += part.directories
      example ??= part.example
    }
    return { files, directories, example }
  }

  /** Looks at a directory. Returns whether it has to be listed; `beyond` as by `Directory.isDue`. */
  check(directory: Directory, beyond?: number): boolean {
    const { path, parent } = directory
    const now = this.#fields.now()
    let stats: Stats | undefined
    try {
      // Links to directories are not walked into, they could lead anywhere, also back here; but one may be named.
      stats = (parent ? lstatSync : statSync)(path, { throwIfNoEntry: false })
    } catch (error) {
      this.#failed(directory, codeOf(error))
      return false
    }
    if (stats?.isDirectory() !== true) {
      this.#failed(directory, 'ENOENT')
      return false
    }
    if (directory.see(stats, now, Date.now())) this.#fields.swapped(directory)
    if (!parent && !directory.listed && !this.#isSound(path)) {
      this.#failed(directory, LEADS_OUT)
      return false
    }
    return !directory.busy && directory.isDue(now, beyond)
  }

  /** Lists a directory, and takes of what was withheld in it no more than `most`. */
  *list(directory: Directory, most = Number.POSITIVE_INFINITY): Work {
    const effort = new Effort().begin()
    const withheld = new Withheld(this.#hungry.get(directory), most)
    const listing: Listing = { directory, number: ++this.#listings, withheld, names: 0 }
    let names: Names | undefined
    let whole = false
    directory.begin(this.#fields.now())
    try {
      names = this.#reading.open(directory)
      for (let entry = names.next(); entry !== undefined; entry = names.next()) {
        if (++listing.names % STEP === 0 || this.credit <= 0) {
          effort.pause()
          do yield STEP
          while (this.credit <= 0)
          effort.begin()
        }
        if (entry.isDirectory()) this.#directory(listing, entry.name)
        this.#name(listing, entry)
      }
      whole = true
      this.#faults.delete(directory)
      this.#forget(listing)
    } catch (error) {
      this.#failed(directory, codeOf(error))
    } finally {
      // The work may have been given up.
      directory.end(whole)
      names?.close()
    }
    directory.names = listing.names
    directory.cost = Math.ceil(effort.total)
    yield OPEN + (listing.names % STEP)
  }

  /**
   * Makes room for what is withheld, and lists the directories in which something is. `followed` tells the paths that
   * are.
   */
  *rotate(followed: (path: string) => boolean): Work {
    const hungry = [...this.#hungry.keys()]
    // A part of them each time: what comes in their place has to be looked at.
    const sum = (kind: Kind) =>
      Math.min(
        Math.ceil(this.#shares[kind].limit / PART),
        this.#hungry.values().reduce((all, withheld) => all + withheld.sum(kind), 0),
      )
    const wanted: Record<Kind, number> = { files: sum('files'), others: sum('others'), directories: sum('directories') }
    const due = this.#fields.now() - CHANCE
    const given = new Set<Directory>()
    let steps = 0
    for (const directory of this) {
      if (++steps % STEP === 0) yield STEP
      this.#keep(directory, entry => {
        const kind = entry.other ? 'others' : 'files'
        if (wanted[kind] <= 0 || entry.since > due || followed(entry.path)) return true
        wanted[kind]--
        return false
      })
      if (wanted.directories > 0 && this.#isIdle(directory)) {
        this.#drop(directory)
        given.add(directory.parent!)
        wanted.directories--
      }
    }
    for (const parent of given) prune(parent)
    const free = Object.values(this.#shares).reduce((all, { limit, used }) => all + Math.max(0, limit - used), 0)
    const most = Math.max(1, Math.ceil(free / Math.max(1, hungry.length)))
    for (const directory of hungry) {
      const withheld = this.#hungry.get(directory)
      if (withheld === undefined || directory.busy) continue
      // Behind the others.
      this.#hungry.delete(directory)
      this.#hungry.set(directory, withheld)
      yield* this.list(directory, most)
    }
  }

  /** Where patterns begin: whether the directory that is there now is one in which files may be. */
  #isSound(path: string): boolean {
    return this.reaches.patterns.some(({ directory, root }) => directory === path && root.sound)
  }

  /** Nothing was found in it, and nothing has happened to it for a while. */
  #isIdle(directory: Directory): boolean {
    const { child, entries, busy, parent } = directory
    if (child || entries || busy || !parent || this.#hungry.has(directory)) return false
    return directory.listed && directory.steady(this.#fields.now()) > CHANCE
  }

  #directory({ directory: parent, number, withheld }: Listing, name: string): void {
    const path = join(parent.path, name)
    const known = this.#directories.get(path)
    if (known?.parent === parent) {
      known.listing = number
      withheld.pass('directories')
      return
    }
    const reach = this.reaches.below(parent.reach, name)
    if (reach === undefined) return
    if (known) {
      // Patterns begin there too: it is walked once, for all of them.
      const both = this.reaches.both(known.reach, reach)
      if (both !== known.reach) known.doubt()
      known.reach = both
      return
    }
    if (!withheld.offer('directories', reach.order, path, () => this.#take('directories', reach.order, path))) return
    const child = new Directory(path, parent, reach)
    child.listing = number
    child.sibling = parent.child
    parent.child = child
    this.#directories.set(path, child)
  }

  #name({ directory, number, withheld, names }: Listing, entry: Dirent): void {
    const { name } = entry
    const { reach } = directory
    const taker = entry.isDirectory() ? reach.namer(name) : reach.taker(name)
    if (taker === undefined) {
      if (!entry.isDirectory() && this.strays.meet(directory, name, number, names)) this.changes++
      return
    }
    const path = join(directory.path, name)
    const other = !entry.isFile()
    const kind = other ? 'others' : 'files'
    const known = this.found.get(path)
    if (known?.other === other) {
      known.listing = number
      withheld.pass(kind)
      return
    }
    // What it was before goes with this listing.
    const { source, root, order } = taker
    if (!withheld.offer(kind, order, path, () => this.#take(kind, order, path))) return
    const since = this.#fields.now()
    const taken: Entry = { source, path, root, order, other, since, listing: number, next: directory.entries }
    directory.entries = taken
    this.found.set(path, taken)
    this.credit--
    this.changes++
    const rival = reach.rival(name, taker)
    if (rival) this.#rival(taker, rival, path)
  }

  /** Everything that is known. */
  get #used(): number {
    const { files, others, directories } = this.#shares
    return files.used + others.used + directories.used
  }

  /** Takes one more of a source, if there is room. */
  #take(kind: Kind, order: number, path: string): boolean {
    const { files, directories } = this.#shares
    const { all, directoriesOfAFile } = this.#fields.limits
    return files.used + directories.used / directoriesOfAFile < all && this.#shares[kind].take(order, weightOf(path))
  }

  /** Two sources want the same file. */
  #rival(taker: Pattern, rival: Pattern, path: string): void {
    const pair = `${taker.order} ${rival.order}`
    if (this.#rivals.has(pair)) return
    this.#rivals.add(pair)
    const [source, other] = [taker.source.name, rival.source.name]
    this.#fields.log.warn(
      { event: 'file_wanted_twice', source, other, path },
      'a file is wanted by two sources: the one that is named first gets it, the other one does not',
    )
  }

  /** Forgets what the listing did not have, and notes what was withheld. */
  #forget({ directory, number, withheld }: Listing): void {
    const before = this.#used
    this.#keep(directory, entry => entry.listing === number)
    for (let child = directory.child; child !== undefined; child = child.sibling) {
      if (!child.dropped && child.listing !== number) this.#drop(child)
    }
    prune(directory)
    this.strays.forget(directory, number)
    // There is room for what was met before: what left has made it, or it was not its turn.
    if (withheld.some && (this.#used < before || withheld.early)) directory.doubt()
    if (withheld.some) this.#hungry.set(directory, withheld)
    else this.#hungry.delete(directory)
  }

  /** Forgets what was found in a directory but for what is `kept`. */
  #keep(directory: Directory, kept: (entry: Entry) => boolean): void {
    let last: Entry | undefined
    for (let entry = directory.entries; entry !== undefined; entry = entry.next) {
      if (kept(entry)) {
        last = entry
        continue
      }
      if (last) last.next = entry.next
      else directory.entries = entry.next
      // It may have come back as something else.
      if (this.found.get(entry.path) === entry) this.found.delete(entry.path)
      this.#shares[entry.other ? 'others' : 'files'].give(entry.order, weightOf(entry.path))
      this.changes++
    }
  }

  /** A directory is gone, or gives way, with all below it. Its parent's list has it until that is pruned. */
  #drop(directory: Directory): void {
    directory.drop()
    this.#directories.delete(directory.path)
    this.#shares.directories.give(directory.reach.order, weightOf(directory.path))
    this.#clear(directory)
  }

  /** Nothing is known of what is in it any more. */
  #clear(directory: Directory): void {
    const stack = [directory]
    for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
      this.#keep(next, () => false)
      this.#hungry.delete(next)
      this.#faults.delete(next)
      for (let child = next.child; child !== undefined; child = child.sibling) {
        stack.push(child)
        if (child.dropped) continue
        child.drop()
        this.#directories.delete(child.path)
        this.#shares.directories.give(child.reach.order, weightOf(child.path))
      }
      next.child = undefined
    }
    this.strays.clear(directory)
  }

  /** It cannot be looked into: the next look tries. */
  #failed(directory: Directory, code: string): void {
    const known = this.#faults.get(directory)
    const gone = code === 'ENOENT' || code === 'ENOTDIR'
    directory.doubt()
    // For want of handles or memory nothing is known to be gone.
    if (!['EMFILE', 'ENFILE', 'ENOMEM'].includes(code)) this.#clear(directory)
    if (!gone) this.#faults.set(directory, code)
    if (!gone && known !== code) {
      const { path } = directory
      this.#fields.log.warn(
        { event: 'directory_unreadable', path, code },
        'a directory cannot be listed; the next look lists it again',
      )
    }
  }
}

function join(directory: string, name: string): string {
  return directory === '/' ? `/${name}` : `${directory}/${name}`
}

/** Takes those that were dropped out of a directory's list. */
function prune(directory: Directory): void {
  let last: Directory | undefined
  for (let child = directory.child; child !== undefined; child = child.sibling) {
    if (!child.dropped) last = child
    else if (last) last.sibling = child.sibling
    else directory.child = child.sibling
  }
}
