/**
 * The sweep: which files exist. Polling is the truth; watch events only bring a look forward.
 *
 * A pattern is split into the folder in front of its first wildcard and a matcher; the sweep walks from that folder,
 * no deeper than the pattern reaches. A folder is listed again only if its modification time says so (or is so recent
 * that it could not: file systems stamp in ticks of some milliseconds). Folders that do not exist yet cost one stat.
 *
 * A watcher brings looks forward (`watcher.ts`). Where it cannot the sweep carries on alone: that costs latency, never
 * lines.
 */
import { readdirSync, statSync } from 'node:fs'
import { basename, dirname, join, normalize, sep } from 'node:path'
import picomatch from 'picomatch'
import { codeOf } from '../errors.ts'
import type { Logger } from '../log.ts'
import { statPath } from './inodes.ts'
import { isCompressed, originalsOf, withoutCompression } from './names.ts'
import type { SourceOptions } from './options.ts'
import { type Hint, Watcher, type WatchMode } from './watcher.ts'

/** A path that a source's pattern matches. What it is has not been looked at yet. */
export interface Found {
  readonly source: SourceOptions
  readonly path: string
  /** The folder in front of the pattern's first wildcard: the file must really lie below it. */
  readonly root: string
}

/** A path that no pattern matches, but that looks like a rotation of `original`, which one does, or an archive of it. */
export interface Stray {
  readonly source: SourceOptions
  readonly original: string
  /** It would be called `original` without the suffix of a compressor. */
  readonly archive: boolean
}

interface Pattern {
  readonly source: SourceOptions
  readonly root: string
  /** Its last part says more than `*`. */
  readonly particular: boolean
  /** How many folders below the root may hold matches. */
  readonly depth: number
  readonly matches: (path: string) => boolean
  readonly excludes: (path: string) => boolean
}

interface Listing {
  readonly mtime: bigint
  readonly listedAt: number
  readonly files: readonly string[]
  readonly folders: readonly string[]
}

/** A folder changed within this many milliseconds before it was listed is listed again. */
const RACY = 100
/** Folders one sweep lists at the most: a pattern such as /** must not eat the machine. */
const MAX_FOLDERS = 10_000
/** Folders that can be asked for news every few milliseconds. */
const FEW = 8

export class Sweep {
  readonly #patterns: readonly Pattern[]
  readonly #log: Logger
  readonly #listings = new Map<string, Listing>()
  /** What the last look found beside the patterns, by path. */
  readonly strays = new Map<string, Stray>()
  readonly #watcher: Watcher

  constructor(sources: readonly SourceOptions[], log: Logger) {
    this.#patterns = sources.flatMap(source => source.paths.map(glob => compile(source, glob)))
    this.#log = log
    const roots = new Map<string, number>()
    for (const { root, depth } of this.#patterns) roots.set(root, Math.max(depth, roots.get(root) ?? 0))
    this.#watcher = new Watcher(roots, log, () => this.#listings.size <= FEW)
  }

  get watching(): WatchMode {
    return this.#watcher.mode
  }

  /** Every path that matches now, each once: the first source that wants it gets it. `all`: trust no listing. */
  look(all = false): Map<string, Found> {
    if (all) this.#listings.clear()
    const found = new Map<string, Found>()
    this.strays.clear()
    let folders = 0
    for (const pattern of this.#patterns) {
      const queue = [{ folder: pattern.root, depth: 0 }]
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        if (++folders > MAX_FOLDERS) {
          this.#log.warn(
            { event: 'directory_limit', source: pattern.source.name, directories: MAX_FOLDERS },
            'a pattern reaches too many folders; the rest is not followed',
          )
          return found
        }
        const { folder, depth } = next
        const listing = this.#list(folder)
        if (listing === undefined) continue
        // `*` means files. A folder that is called as logs are deserves to be refused by name.
        for (const name of pattern.particular ? [...listing.files, ...listing.folders] : listing.files) {
          const path = join(folder, name)
          if (found.has(path)) continue
          if (pattern.matches(path)) found.set(path, { source: pattern.source, path, root: pattern.root })
          else if (/[._-]\d/.test(name) || isCompressed(name)) this.#stray(pattern, folder, name)
        }
        if (depth < pattern.depth) {
          for (const name of listing.folders) queue.push({ folder: join(folder, name), depth: depth + 1 })
        }
      }
    }
    return found
  }

  /** The folders in front of the first wildcards of a source's patterns. */
  rootsOf(source: string): string[] {
    return this.#patterns.filter(pattern => pattern.source.name === source).map(({ root }) => root)
  }

  /** Starts watching; `hint` is called with each path that something happened to. */
  watch(hint: Hint, followed: (path: string) => boolean): void {
    this.#watcher.start(hint, followed)
  }

  /** Whoever looked all the time has stopped: to be told matters again. */
  listen(): void {
    this.#watcher.wake()
  }

  /** Whether what happens now is reported by the system. */
  get listening(): boolean {
    return this.#watcher.listening
  }

  /** Whether what happens now is reported by the system, and otherwise whether a name may have come or gone since. */
  get news(): 'reported' | 'none' | 'some' {
    if (this.#watcher.listening) return 'reported'
    if (this.#listings.size > FEW) return 'none'
    for (const [folder, { mtime, listedAt }] of this.#listings) {
      if (statPath(folder)?.mtimeNs !== mtime || isRacy(mtime, listedAt)) return 'some'
    }
    return 'none'
  }

  async close(): Promise<void> {
    await this.#watcher.close()
  }

  #stray({ source, matches, excludes }: Pattern, folder: string, name: string): void {
    const path = join(folder, name)
    const plain = withoutCompression(name)
    if (plain !== name && matches(join(folder, plain))) {
      if (!excludes(path)) this.strays.set(path, { source, original: join(folder, plain), archive: true })
      return
    }
    const original = originalsOf(plain)
      .map(original => join(folder, original))
      .find(matches)
    if (original !== undefined && !excludes(path)) this.strays.set(path, { source, original, archive: false })
  }

  #list(folder: string): Listing | undefined {
    try {
      const { mtimeNs } = statSync(folder, { bigint: true })
      const known = this.#listings.get(folder)
      if (known && known.mtime === mtimeNs && !isRacy(mtimeNs, known.listedAt)) return known
      const listedAt = Date.now()
      const files: string[] = []
      const folders: string[] = []
      for (const entry of readdirSync(folder, { withFileTypes: true })) {
        // Links to folders are not walked into: they could lead anywhere, also back here.
        ;(entry.isDirectory() ? folders : files).push(entry.name)
      }
      const listing = { mtime: mtimeNs, listedAt, files, folders }
      this.#listings.set(folder, listing)
      return listing
    } catch (error) {
      this.#listings.delete(folder)
      const code = codeOf(error)
      if (code !== 'ENOENT' && code !== 'ENOTDIR') {
        this.#log.warn(
          { event: 'directory_unreadable', path: folder, code },
          'a folder cannot be listed; it is tried again',
        )
      }
      return undefined
    }
  }
}

function isRacy(mtime: bigint, listedAt: number): boolean {
  return listedAt - Number(mtime / 1_000_000n) <= RACY
}

function compile(source: SourceOptions, written: string): Pattern {
  const glob = normalize(written)
  const { base, glob: wild } = picomatch.scan(glob)
  // `s`: a name may hold a line feed.
  const options = { dot: true, strictSlashes: true, flags: 's' }
  const excluded = source.exclude.map(pattern => picomatch(normalize(pattern), options))
  const excludes = (path: string) => excluded.some(matches => matches(path))
  const root = wild === '' ? dirname(glob) : base === '' ? sep : base
  const wanted = wild === '' ? (path: string) => path === glob : picomatch(glob, options)
  return {
    source,
    root,
    particular: /[^*]/.test(basename(glob)),
    depth: wild.includes('**') ? Number.POSITIVE_INFINITY : wild === '' ? 0 : wild.split('/').length - 1,
    matches: path => wanted(path) && !excludes(path),
    excludes,
  }
}
