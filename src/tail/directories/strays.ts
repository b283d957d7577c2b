/**
 * Strays: names that match nothing, but look like a rotation of something that would, or an archive of it.
 *
 * Each rotation makes its directory be read again, so there are few at a time, and the fewer the more names there are; one
 * that is older than we are was never meant to be read. An archive may hold what was written while we were down.
 */
import { lstatSync } from 'node:fs'
import { isCompressed, originalsOf, withoutCompression } from '../files/names.ts'
import type { Directory } from './directory.ts'
import type { Stray } from './found.ts'
import type { Pattern } from './reach.ts'
import { Remembered, saltOf } from './remembered.ts'

/** Archives at a time. */
const MOST_ARCHIVES = 4096
/** Rotations at a time, and how many names may be read again on account of those of one directory. */
const MOST = 256
const MOST_NAMES = 50_000
/** In a directory of more names only those that are new are looked at. */
const CROWDED = 1000
/** A name may have had so many before, of which the last ones are tried: a time has no more parts. */
const ORIGINALS = 8
/** Numbers that a rotation may have in its name. */
const MOST_NUMBERS = 16

interface Sighting extends Stray {
  readonly directory: Directory
  listing: number
}

export class Strays {
  readonly byPath = new Map<string, Sighting>()
  readonly #seen = new Remembered()
  /** Milliseconds since the epoch, in whole seconds: birth times may have no more. */
  readonly #startedAt = Math.floor(Date.now() / 1000) * 1000
  /** Of the directory that was looked at last. */
  #salt = { path: '', value: 0 }
  #archives = 0
  /** Those that have some. */
  readonly #directories = new Set<Directory>()

  /** A name that matches nothing, met in the listing of this number as the `names`th. Returns whether it is a new stray. */
  meet(directory: Directory, name: string, listing: number, names: number): boolean {
    const compressed = isCompressed(name)
    if (!compressed && !holdsNumber(name)) return false
    const { path, reach } = directory
    const known = this.byPath.size > 0 ? this.byPath.get(`${path}/${name}`) : undefined
    if (known) {
      known.listing = listing
      return false
    }
    const many = Math.max(names, directory.names)
    const archived = compressed && this.#archives < MOST_ARCHIVES
    const rotated = this.byPath.size - this.#archives < Math.min(MOST, Math.max(1, MOST_NAMES / many))
    if (!archived && !rotated) return false
    if (many > CROWDED && !this.#seen.add(this.#saltOf(path), name)) return false
    const plain = withoutCompression(name)
    const taker = archived ? reach.taker(plain) : undefined
    if (taker) return this.#add(directory, name, plain, taker, listing, true)
    if (!rotated) return false
    for (const original of originalsOf(plain).slice(-ORIGINALS)) {
      const rotatedFrom = reach.taker(original)
      if (rotatedFrom === undefined || reach.excluded(rotatedFrom.order, name)) continue
      return bornAt(`${path}/${name}`) >= this.#startedAt && this.#add(directory, name, original, rotatedFrom, listing)
    }
    return false
  }

  #add(
    directory: Directory,
    name: string,
    original: string,
    { source, order }: Pattern,
    listing: number,
    archive = false,
  ): boolean {
    if (directory.reach.excluded(order, name)) return false
    const { path } = directory
    this.byPath.set(`${path}/${name}`, { source, original: `${path}/${original}`, archive, directory, listing })
    this.#directories.add(directory)
    if (archive) this.#archives++
    return true
  }

  /** Forgets what the listing of this number did not have. */
  forget(directory: Directory, listing: number): void {
    if (!this.#directories.has(directory)) return
    this.#directories.delete(directory)
    for (const [path, stray] of this.byPath) {
      if (stray.directory === directory && stray.listing === listing) this.#directories.add(directory)
      else if (stray.directory === directory || stray.directory.dropped) {
        this.byPath.delete(path)
        if (stray.archive) this.#archives--
      }
    }
  }

  /** Nothing is known of the directory any more, nor of those below it. */
  clear(directory: Directory): void {
    for (const each of this.#directories) if (each === directory || each.dropped) this.forget(each, -1)
  }

  #saltOf(path: string): number {
    if (this.#salt.path !== path) this.#salt = { path, value: saltOf(path) }
    return this.#salt.value
  }
}

/**
 * Whether a digit follows a separator, and not more often than in the name of a rotation. Without a regular
 * expression: this is asked of every name.
 */
function holdsNumber(name: string): boolean {
  let numbers = 0
  for (let at = name.length - 1; at > 0; at--) {
    const unit = name.charCodeAt(at)
    if (unit < 48 || unit > 57) continue
    const before = name.charCodeAt(at - 1)
    if (before === 45 || before === 46 || before === 95) numbers++
  }
  return numbers > 0 && numbers <= MOST_NUMBERS
}

/** Milliseconds since the epoch; 0 where that cannot be told. */
function bornAt(path: string): number {
  try {
    return lstatSync(path).birthtimeMs
  } catch {
    return 0
  }
}
