/**
 * A snapshot: what stands in directories at one moment, for a start.
 *
 * Thousands of generations may be looked for at once, each among thousands of names, and the application chooses how many:
 * looked through for each of them anew, a directory would keep everything waiting for minutes. So each is listed once,
 * each of its files is opened once, and what begins as a wanted generation does is found by that. Names go on moving
 * meanwhile: once one that is asked for has, its directory is listed again, which all that is asked for pays for together.
 *
 * Guarantees: a bounded number of files is opened for each directory, and of names told for each generation; what is
 * looked at is linear in what is asked for, however often names move; of what was read nothing is kept but which files
 * begin alike; nothing throws.
 */
import { hash } from 'node:crypto'
import { closeSync, readSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { HEAD_BYTES, type Head, type Inode, inodeKey, inodeOf } from '../files/fingerprint.ts'
import { fileAt, isInode, namesIn, sameBirth } from '../files/inodes.ts'
import { mayBeCompressed } from '../files/names.ts'
import { type Bound, compressionOf, openRegular } from '../files/open.ts'
import type { Sibling } from './siblings.ts'
import { Stems } from './stems.ts'

/** Files opened in one directory at the most. */
const MOST_OPENED = 20_000
/** How often a directory is looked through for what has no beginning that is known. */
const MOST_BLANK = 64
/** Of files that begin alike so many are looked at, those that are called as rotations are first. */
const MOST_ALIKE = 16
/** Files that are noted for all heads together, before only so many are for each. */
const MOST_NOTED = 500_000
/** Of names that may be those of rotations; and of archives that say nothing by their names. */
const MOST_RELATED = 256
const MOST_ARCHIVES = 64
/**
 * A directory of so few names is listed again whenever a name has moved. Those of others are paid for: so many names may be
 * looked at anyhow, and so many more for each question.
 */
const FEW = 128
const AT_FIRST = 100_000
const EACH = 32

/** What is looked for. */
export interface Sought {
  readonly origin: string
  readonly head: Head
}

/** A number of looks, so that the caller can do something else in between. */
export type Looks = Generator<void, void, void>

interface InodePath {
  readonly path: string
  readonly inode: Inode
}

export class Snapshot {
  readonly #wanted: Wanted
  /** By directory. */
  readonly #origins = new Map<string, string[]>()
  readonly #names = new Map<string, readonly string[]>()
  readonly #stems = new Map<string, Stems>()
  readonly #archives = new Map<string, readonly string[]>()
  /** By directory, and the key of the inode. */
  readonly #inodes = new Map<string, Map<string, InodePath>>()
  /** By directory, and what a head says: the paths. */
  readonly #alike = new Map<string, Map<string, string[]>>()
  readonly #blank = new Map<string, number>()
  /** By directory: names of files that were opened and do not begin like archives. */
  readonly #plain = new Map<string, Set<string>>()
  /** By what a head says. */
  readonly #lent = new Map<string, Sibling[]>()
  /** Of the two above: files, of all heads together. */
  #noted = 0
  /** Names that may be looked at again. */
  #credit = AT_FIRST

  constructor(sought: Iterable<Sought>) {
    const heads: Head[] = []
    for (const { origin, head } of sought) {
      heads.push(head)
      const origins = remembered(this.#origins, dirname(origin), () => [])
      origins.push(origin)
    }
    this.#wanted = new Wanted(heads)
  }

  /** Looks at everything in a directory. What is asked for before it was driven to its end is looked at then. */
  *look(directory: string, bounds: readonly Bound[]): Looks {
    yield* this.#listInodes(directory)
    yield* this.#readBeginnings(directory, bounds)
  }

  /** Before something is asked of a generation: looks at its directory again if its file has another name there by now. */
  *catchUp(inode: Inode, origin: string): Looks {
    const directory = dirname(origin)
    yield* this.#listInodes(directory)
    if (this.#hasMoved(inode, directory) && this.#pays(directory)) yield* this.#listAgain(directory)
  }

  /** The names in a directory that may be those of rotations of a file, as far as they have its stem. */
  related(directory: string, origin: string): readonly string[] {
    const stems = remembered(
      this.#stems,
      directory,
      () => new Stems(this.#namesIn(directory), this.#origins.get(dirname(origin)) ?? []),
    )
    return stems.of(origin).slice(0, MOST_RELATED)
  }

  /**
   * Those that may be archives, and a number of archives that may have been made of anything. `again`: since the directory
   * was listed.
   */
  mayHold(directory: string, origin: string, again: boolean): readonly string[] {
    if (again && this.#pays(directory)) this.#forgetNames(directory)
    const plain = this.#plain.get(directory)
    const archives = remembered(this.#archives, directory, () =>
      this.#namesIn(directory).filter(mayBeCompressed).slice(0, MOST_ARCHIVES),
    )
    const related = this.related(directory, origin).filter(name => mayBeCompressed(name) || !plain?.has(name))
    return [...new Set([...related, ...archives])]
  }

  /** Where the inode was in a directory. */
  placeOf(inode: Inode, directory: string): string | undefined {
    if (!this.#inodes.has(directory)) drive(this.#listInodes(directory))
    const place = this.#inodes.get(directory)?.get(inodeKey(inode))
    return place && sameBirth(place.inode, inode) ? place.path : undefined
  }

  /** The name that an inode has in the directory where it was last seen. */
  nameOf(inode: Inode, path: string): string | undefined {
    const directory = dirname(path)
    // It may have been renamed meanwhile.
    if (this.#hasMoved(inode, directory)) {
      if (!this.#pays(directory)) return undefined
      drive(this.#listAgain(directory))
      if (this.#hasMoved(inode, directory)) return undefined
    }
    return this.placeOf(inode, directory)
  }

  /**
   * The files in the directory of `origin` that begin as `head` says, a bounded number. Undefined where that says nothing,
   * so that all are to be looked at; after that was often done, none are.
   */
  beginLike(origin: string, head: Head, bounds: readonly Bound[]): ReadonlySet<string> | undefined {
    const directory = dirname(origin)
    if (head.length === 0) {
      const times = (this.#blank.get(directory) ?? 0) + 1
      this.#blank.set(directory, times)
      return times > MOST_BLANK && this.#namesIn(directory).length > MOST_BLANK ? new Set() : undefined
    }
    if (!this.#alike.has(directory)) drive(this.#readBeginnings(directory, bounds))
    const alike = this.#alike.get(directory)?.get(keyOf(head)) ?? []
    if (alike.length <= MOST_ALIKE) return new Set(alike)
    const all = new Set(alike)
    const related = this.related(directory, origin).map(name => join(directory, name))
    const first = new Set([...related.filter(path => all.has(path)), ...alike.slice(0, MOST_ALIKE)])
    return new Set([...first].slice(0, MOST_ALIKE))
  }

  /** An open file of which it is not decided yet what it is. */
  lent(file: Sibling): void {
    for (const key of this.#wanted.in(beginningOf(file.opened.fd))) this.#note(this.#lent, key, file)
  }

  /** Those that begin as `head` says; undefined where that says nothing. */
  lentLike({ head, origin }: Sought): readonly Sibling[] | undefined {
    if (head.length === 0) return undefined
    const alike = this.#lent.get(keyOf(head)) ?? []
    if (alike.length <= MOST_ALIKE) return alike
    const related = new Set(this.related(dirname(origin), origin))
    const first = alike.filter(({ path }) => related.has(basename(path)))
    return [...new Set([...first, ...alike.slice(0, MOST_ALIKE)])].slice(0, MOST_ALIKE)
  }

  /** Each of thousands of files may begin like each of thousands of heads: beyond a limit only some are noted for each. */
  #note<T>(alike: Map<string, T[]>, key: string, file: T): void {
    const files = remembered(alike, key, () => [])
    if (this.#noted >= MOST_NOTED && files.length >= MOST_ALIKE) return
    files.push(file)
    this.#noted++
  }

  #namesIn(directory: string): readonly string[] {
    return remembered(this.#names, directory, () => namesIn(directory))
  }

  /** Whether an inode that was in a directory is not under the name any more that it had there. */
  #hasMoved(inode: Inode, directory: string): boolean {
    const name = this.placeOf(inode, directory)
    if (name === undefined) return false
    const stats = fileAt(name)
    return stats === undefined || !isInode(stats, inode)
  }

  /** Whether a directory may be listed again, which is reckoned with if so. */
  #pays(directory: string): boolean {
    const { length } = this.#namesIn(directory)
    if (length <= FEW) return true
    this.#credit += EACH
    if (this.#credit < length) return false
    this.#credit -= length
    return true
  }

  #forgetNames(directory: string): void {
    for (const known of [this.#names, this.#stems, this.#archives]) known.delete(directory)
  }

  *#listAgain(directory: string): Looks {
    this.#forgetNames(directory)
    this.#inodes.delete(directory)
    yield* this.#listInodes(directory)
  }

  *#listInodes(directory: string): Looks {
    if (this.#inodes.has(directory)) return
    const inodes = new Map<string, InodePath>()
    for (const name of this.#namesIn(directory)) {
      const path = join(directory, name)
      const stats = fileAt(path)
      if (stats) inodes.set(inodeKey(inodeOf(stats)), { path, inode: inodeOf(stats) })
      yield
    }
    this.#inodes.set(directory, inodes)
  }

  *#readBeginnings(directory: string, bounds: readonly Bound[]): Looks {
    if (this.#alike.has(directory)) return
    const alike = new Map<string, string[]>()
    const plain = remembered(this.#plain, directory, () => new Set<string>())
    for (const name of this.#namesIn(directory).slice(0, MOST_OPENED)) {
      const path = join(directory, name)
      const opened = openRegular(path, bounds)
      if (opened.kind === 'open') {
        for (const key of this.#wanted.in(beginningOf(opened.fd))) this.#note(alike, key, path)
        if (compressionOf(opened.fd) === undefined) plain.add(name)
        closeSync(opened.fd)
      }
      yield
    }
    this.#alike.set(directory, alike)
  }
}

/**
 * The heads that are looked for. There may be one of each length, and they may be looked for in thousands of files: so a
 * checksum of what a file begins with grows by a byte, and a hash is made only where it is that of a head.
 */
class Wanted {
  /** By length: the checksums of heads; undefined if one has none. */
  readonly #sums: (Set<number> | 'unknown' | undefined)[] = []
  readonly #heads = new Set<string>()

  constructor(heads: Iterable<Head>) {
    for (const head of heads) {
      if (head.length === 0) continue
      const { length, crc } = head
      this.#heads.add(keyOf(head))
      const sums = this.#sums[length]
      if (crc === undefined || sums === 'unknown') this.#sums[length] = 'unknown'
      else this.#sums[length] = (sums ?? new Set()).add(crc)
    }
  }

  /** What those heads say that the bytes begin with. */
  in(bytes: Buffer): string[] {
    const found: string[] = []
    let sum = -1
    for (let at = 0; at < bytes.length && at + 1 < this.#sums.length; at++) {
      sum = TABLE[(sum ^ bytes[at]!) & 255]! ^ (sum >>> 8)
      const sums = this.#sums[at + 1]
      if (sums === undefined || (sums !== 'unknown' && !sums.has(~sum >>> 0))) continue
      const key = keyOf({ length: at + 1, hash: hashOf(bytes.subarray(0, at + 1)) })
      if (this.#heads.has(key)) found.push(key)
    }
    return found
  }
}

/** Of CRC-32, by the byte. */
const TABLE = Int32Array.from({ length: 256 }, (_, byte) => {
  let sum = byte
  for (let bit = 0; bit < 8; bit++) sum = sum & 1 ? (sum >>> 1) ^ 0xedb88320 : sum >>> 1
  return sum
})

const scratch = Buffer.allocUnsafe(HEAD_BYTES)

/** What an open file begins with, until the next call. */
function beginningOf(fd: number): Buffer {
  try {
    return scratch.subarray(0, readSync(fd, scratch, 0, HEAD_BYTES, 0))
  } catch {
    // It cannot be read, so it is no copy of anything.
    return scratch.subarray(0, 0)
  }
}

function keyOf({ length, hash }: Head): string {
  return `${length}:${hash}`
}

/** As a head has it. */
function hashOf(bytes: Buffer): string {
  return hash('sha1', bytes, 'buffer').toString('hex', 0, 10)
}

function drive(looks: Looks): void {
  while (!looks.next().done) {}
}

function remembered<T>(known: Map<string, T>, key: string, make: () => T): T {
  const before = known.get(key)
  if (before !== undefined) return before
  const made = make()
  known.set(key, made)
  return made
}
