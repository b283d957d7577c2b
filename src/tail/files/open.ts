/**
 * Opening a file of the shared volume, which is not trusted.
 *
 * The application may put anything there: FIFOs that block, devices that act, links that lead to our own secrets.
 * Only regular files are opened, without blocking, and an open file is used only if the kernel says that it really
 * lies below the source's directory (or one that was allowed by name), whatever links stand in the place of directories by
 * now, and if it is not where our own output goes. Every refusal is a value with a reason.
 */
import {
  type BigIntStats,
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readlinkSync,
  readSync,
  realpathSync,
  statSync,
} from 'node:fs'
import { basename, dirname, join, resolve, sep } from 'node:path'
import { codeOf } from '../../errors.ts'
import { ourUser } from '../../private.ts'
import { isOurState } from '../../state.ts'

/** The reason that may pass by itself once other files are closed. */
export const TOO_MANY = 'too many open files'

/** The reason that passes once the file's mode is changed. */
export const DENIED = 'permission denied'

/** Following the file that our own standard output or error is written to would never end. */
const OWN = new Set([1, 2].flatMap(fd => keyOf(fd) ?? []))

/** An open regular file: its owner closes `fd`. */
export interface OpenFile {
  readonly kind: 'open'
  readonly fd: number
  readonly stats: BigIntStats
}

export type Opened =
  | OpenFile
  /** Not there (any more): nothing to say. */
  | { readonly kind: 'absent' }
  | { readonly kind: 'refused'; readonly reason: string }

/** Where files must really lie. */
export interface Bound {
  /** Whether what really lies there is inside; `real`: as the kernel tells it, without links. */
  holds(real: string): boolean
}

/**
 * What may be opened beside other files of a directory: what lies where `bounds` allow, or in that directory itself, if
 * there is no link on the way to it. Where a link in its place leads says nothing.
 */
export function beside(path: string, bounds: readonly Bound[]): Bound[] {
  const directory = dirname(path)
  return [...bounds, { holds: real => isBelow(real, directory) }]
}

/**
 * A directory below which files must really lie, and others that their links may lead into: as they led at the start.
 *
 * The application may put a link in the place of the directory, before the start as well as after it. Where the directory
 * leads then counts only within the one that holds it, as with a link `current` that is switched from one release to the
 * next; or in one of the others.
 */
export class Root implements Bound {
  readonly directory: string
  readonly #real: string
  readonly #others: readonly string[]
  readonly #holder: string

  /** Both need not be there yet. */
  constructor(directory: string, others: readonly string[] = []) {
    this.directory = directory
    this.#real = expected(directory)
    this.#others = others.map(other => expected(other))
    this.#holder = holderOf(directory)
  }

  /** Whether what really lies there is inside. */
  holds(real: string): boolean {
    if ([this.#real, ...this.#others].some(each => isBelow(real, each))) return true
    const now = this.#switched()
    return now !== undefined && isBelow(real, now)
  }

  /** Whether the directory leads where it may now. */
  get sound(): boolean {
    const now = realOf(this.directory)
    if (now === undefined) return false
    return (
      now === this.#real || this.#others.some(each => isBelow(`${now}${sep}`, each)) || this.#switched() !== undefined
    )
  }

  /** Where the directory leads now, if it may. */
  #switched(): string | undefined {
    if (this.#holder === sep) return undefined
    const now = realOf(this.directory)
    return now !== undefined && isBelow(now, this.#holder) ? now : undefined
  }
}

/** What a file must be like to be opened, where there may be thousands and few of them are. */
export interface Likeness {
  /** By what is seen of it without opening it. */
  stats(stats: BigIntStats): boolean
  /** By what stands in it, asked before it is known where it really lies: nothing of it may be kept. */
  content(opened: OpenFile): boolean
}

/** Opens `path` for reading if it is a regular file that lies where one of `bounds` says. */
export function openRegular(path: string, bounds: readonly Bound[]): Opened {
  const opened = open(path, bounds)
  return opened.kind === 'unlike' ? { kind: 'absent' } : opened
}

/** The same for a file that is alike; undefined if it is not, or cannot be opened. */
export function openLike(path: string, bounds: readonly Bound[], likeness: Likeness): OpenFile | undefined {
  const opened = open(path, bounds, likeness)
  return opened.kind === 'open' ? opened : undefined
}

function open(path: string, bounds: readonly Bound[], likeness?: Likeness): Opened | { readonly kind: 'unlike' } {
  let fd: number | undefined
  let nofollow = false
  try {
    const link = lstatSync(path, { bigint: true })
    const stats = link.isSymbolicLink() ? statSync(path, { bigint: true, throwIfNoEntry: false }) : link
    if (stats === undefined) return { kind: 'refused', reason: 'a symbolic link that leads nowhere' }
    if (!stats.isFile()) return { kind: 'refused', reason: describe(stats) }
    if (likeness?.stats(stats) === false) return { kind: 'unlike' }
    // The path may have been swapped since. O_NONBLOCK so that not even a FIFO can block, O_NOFOLLOW so that what was no
    // link does not become one; then look again.
    nofollow = !link.isSymbolicLink()
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | (nofollow ? constants.O_NOFOLLOW : 0))
    const opened = fstatSync(fd, { bigint: true })
    if (!opened.isFile()) return refuse(fd, describe(opened))
    // Where it lies takes as many calls of the system again.
    if (likeness?.content({ kind: 'open', fd, stats: opened }) === false) {
      closeSync(fd)
      return { kind: 'unlike' }
    }
    if (OWN.has(`${opened.dev}:${opened.ino}`)) return refuse(fd, 'our own standard output or error is written to it')
    if (isOurState(fd, opened)) return refuse(fd, 'a file of our own state')
    if (!liesWithin(fd, path, bounds)) {
      return refuse(
        fd,
        'a link that leads out of the directory (followSymlinks lists the directories that are allowed)',
      )
    }
    return { kind: 'open', fd, stats: opened }
  } catch (error) {
    if (fd !== undefined) closeSync(fd)
    const code = codeOf(error)
    // It has become a link since it was looked at: what it is now is for the next look.
    if (code === 'ELOOP' && nofollow) return { kind: 'absent' }
    switch (code) {
      case 'ENOENT':
      case 'ENOTDIR':
        // Node turns what is not UTF-8 in a name into U+FFFD, and then nothing of that name is there.
        return path.includes('\ufffd') ? { kind: 'refused', reason: 'a name that is not UTF-8' } : { kind: 'absent' }
      case 'EACCES':
      case 'EPERM':
        return { kind: 'refused', reason: DENIED }
      case 'ELOOP':
        return { kind: 'refused', reason: 'symbolic links that go round in circles' }
      case 'EMFILE':
      case 'ENFILE':
        return { kind: 'refused', reason: TOO_MANY }
      default:
        return { kind: 'refused', reason: code }
    }
  }
}

/** How compressed files begin, by what they are called. */
const MAGIC: ReadonlyMap<string, Buffer> = new Map([
  ['gzip', Buffer.from([0x1f, 0x8b, 0x08])],
  ['zstd', Buffer.from([0x28, 0xb5, 0x2f, 0xfd])],
  ['bzip2', Buffer.from([0x42, 0x5a, 0x68])],
  ['xz', Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00])],
  ['lz4', Buffer.from([0x04, 0x22, 0x4d, 0x18])],
])
/** What stands behind the letters of bzip2 and a digit: text may begin with the former. */
const BZIP2_BLOCK = Buffer.from([0x31, 0x41, 0x59, 0x26, 0x53, 0x59])
const beginning = Buffer.alloc(10)

/** The format of an open file that is compressed, or undefined. */
export function compressionOf(fd: number): string | undefined {
  try {
    const bytes = beginning.subarray(0, readSync(fd, beginning, 0, beginning.length, 0))
    if (isSkippable(bytes)) return 'zstd'
    for (const [format, magic] of MAGIC) {
      if (bytes.length < magic.length || magic.compare(bytes, 0, magic.length) !== 0) continue
      if (format !== 'bzip2' || BZIP2_BLOCK.equals(bytes.subarray(4))) return format
    }
  } catch {
    // It cannot be read just now, which reading will tell.
  }
  return undefined
}

/** A frame of zstd that holds no content (RFC 8878 §3.1.2), as pzstd writes one before each of the others. */
function isSkippable(bytes: Buffer): boolean {
  return bytes.length >= 4 && (bytes.readUInt32LE(0) & ~0xf) >>> 0 === 0x184d2a50
}

/** Whether an open file is so short that more could be written behind it to make it one of these formats. */
export function isCutShort(fd: number, formats: readonly string[]): boolean {
  try {
    const bytes = beginning.subarray(0, readSync(fd, beginning, 0, beginning.length, 0))
    return formats.some(format => {
      const magic = MAGIC.get(format)!
      return bytes.length < magic.length && bytes.compare(magic, 0, bytes.length) === 0
    })
  } catch {
    return false
  }
}

const sample = Buffer.alloc(512)

/** What programs write over a file repeats itself after so many bytes, if it is not random (shred(1)). */
const PERIOD = 3

/** Whether an open file begins with nothing but the same few bytes again and again, and no NULs. */
export function isPattern(fd: number): boolean {
  try {
    const bytes = sample.subarray(0, readSync(fd, sample, 0, sample.length, 0))
    if (bytes.length < sample.length || bytes[0] === 0 || bytes.includes(10)) return false
    return bytes.every((byte, at) => byte === bytes[at % PERIOD])
  } catch {
    return false
  }
}

/** Whether an open file begins with what is no text in any encoding: control characters of every kind, but for NULs. */
export function isNoise(fd: number): boolean {
  try {
    const bytes = sample.subarray(0, readSync(fd, sample, 0, sample.length, 0))
    let control = 0
    for (const byte of bytes) if (byte > 0 && byte < 32 && (byte < 7 || byte > 13) && byte !== 27) control++
    return control * 20 > bytes.length
  } catch {
    return false
  }
}

function keyOf(fd: number): string | undefined {
  try {
    const stats = fstatSync(fd, { bigint: true })
    return stats.isFile() ? `${stats.dev}:${stats.ino}` : undefined
  } catch {
    // It is closed.
    return undefined
  }
}

function refuse(fd: number, reason: string): Opened {
  closeSync(fd)
  return { kind: 'refused', reason }
}

function describe(stats: BigIntStats): string {
  if (stats.isDirectory()) return 'a directory'
  if (stats.isFIFO()) return 'a FIFO'
  if (stats.isSocket()) return 'a socket'
  return 'a device'
}

/** Asks the kernel where the open file really is (proc(5), /proc/pid/fd). */
function liesWithin(fd: number, path: string, bounds: readonly Bound[]): boolean {
  let real: string
  try {
    real = readlinkSync(`/proc/self/fd/${fd}`)
    // A file that was deleted in between is gone from every directory; its handle came from the path all the same.
    if (real.endsWith(' (deleted)')) real = real.slice(0, -' (deleted)'.length)
  } catch {
    real = realpathSync(path)
  }
  return bounds.some(bound => bound.holds(real))
}

export function isBelow(path: string, directory: string): boolean {
  return directory === sep || path.startsWith(directory + sep)
}

function realOf(directory: string): string | undefined {
  try {
    return realpathSync(directory)
  } catch {
    return undefined
  }
}

/** Links that may follow one another (path_resolution(7)). */
const MAX_LINKS = 40

/**
 * Where a path leads, or will lead once what is missing is there. A link that the application may have put on the way leads
 * nowhere outside of the directory that holds it. `left`: links that are followed yet.
 */
function expected(path: string, left = { links: MAX_LINKS }): string {
  if (path === sep) return path
  const holder = expected(dirname(path), left)
  const place = join(holder, basename(path))
  const target = left.links > 0 ? targetOf(place) : undefined
  if (target === undefined) return place
  left.links--
  const leads = expected(resolve(holder, target), left)
  return isBelow(leads, holder) || isTrusted(place, holder) ? leads : place
}

/** Whether a link was put there by us or the administrator: not in a directory where everybody may. */
function isTrusted(link: string, holder: string): boolean {
  const [stats, around] = [link, holder].map(path => lstatSync(path, { throwIfNoEntry: false }))
  if (stats === undefined || around === undefined) return false
  const anybody = (around.mode & 0o002) !== 0 && (around.mode & 0o1000) === 0
  return stats.uid === ourUser() || (stats.uid === 0 && !anybody)
}

function targetOf(path: string): string | undefined {
  try {
    return readlinkSync(path)
  } catch {
    return undefined
  }
}

/** The closest directory above that is there. */
function holderOf(path: string): string {
  if (path === sep) return sep
  const parent = dirname(path)
  return realOf(parent) ?? holderOf(parent)
}
