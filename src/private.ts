/**
 * A private directory: opened once, and used through that descriptor only.
 *
 * The hazard: another user who may write to the directory above can rename ours away and put another one, or a link, in its
 * place; and one who may write into ours can put links, FIFOs and devices where we expect files. So the directory must
 * be a directory and no link, belong to our user, and let no other user write; everything in it is named relative to the
 * open descriptor (`/proc/self/fd/N/NAME`); a file is read only if it is a regular one of our own with one name, and
 * never beyond a bound; a file is written only if it was just made.
 *
 * Guarantees: nothing outside is read, written or removed, whatever stands in the directory; nothing here waits for a
 * FIFO or a device; a refusal says what was found and what is allowed.
 */
import {
  type BigIntStats,
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  renameSync,
  unlinkSync,
} from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { makeDirectory } from './directory.ts'
import { codeOf } from './errors.ts'

const { O_RDONLY, O_RDWR, O_APPEND, O_CREAT, O_EXCL, O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK } = constants
/** Who else may write: the group, and everybody. */
const OTHERS = 0o022
/** Node has no openat(2). Elsewhere than on Linux a path has to do. */
const DESCRIPTORS = existsSync('/proc/self/fd') ? '/proc/self/fd' : undefined

/**
 * What is done where our user is not the only one who may write. `close`: a directory of ours is closed to the others;
 * what belongs to another user is refused. `refuse`: nothing is changed. `ignore`: for a file system that keeps neither
 * owners nor modes, where every user who mounts it may write: neither is looked at.
 */
export type Others = 'close' | 'refuse' | 'ignore'

/**
 * What keeps a directory, or a file in one, from being used. `code`: `NOT_PRIVATE`, `NOT_OURS`, `LEADS_ELSEWHERE`, or the
 * system's.
 */
export class Refused extends Error {
  readonly code: string
  readonly path: string
  readonly found: string
  readonly allowed: string

  constructor(code: string, path: string, found: string, allowed: string) {
    super(`${path}: found ${found}; allowed: ${allowed}`)
    this.name = 'RefusedError'
    this.code = code
    this.path = path
    this.found = found
    this.allowed = allowed
  }
}

/** Who we are to the file system. */
export function ourUser(): number {
  return process.geteuid?.() ?? 0
}

/**
 * Who else may write to a directory, in words; undefined if no other user may, or there is none. In a sticky one no other user renames
 * what is not his.
 */
export function writersOf(path: string): string | undefined {
  const stats = lstatSync(path, { throwIfNoEntry: false })
  if (stats === undefined) return undefined
  const { uid, mode } = stats
  const open = (mode & OTHERS) !== 0 && (mode & 0o1000) === 0
  const foreign = uid !== 0 && uid !== ourUser()
  return open || foreign ? `a directory of user ${uid}, mode 0${(mode & 0o7777).toString(8)}` : undefined
}

const allowedDirectory = (): string => `a directory of user ${ourUser()} that no other user may write to`
/** Of a directory that belongs to another user, or cannot be closed to others: as volumes are that keep no owners. */
const allowedOwner = (): string =>
  `${allowedDirectory()}; or any, on a volume that keeps no owners, with state.permissions: ignore`
const allowedFile = (): string => `a regular file of user ${ourUser()} with one name`

export class PrivateDirectory {
  /** As it is called for people, and in checkpoints. */
  readonly path: string
  /** It was not there before. */
  readonly made: boolean
  /** It let others write, and was closed to them. */
  readonly tightened: boolean
  readonly #fd: number
  readonly #identity: string
  readonly #others: Others
  #closed = false

  /**
   * Opens `path`, and makes it if it is not there. One of our own that others may write to is closed to them by default:
   * the kubelet opens every directory of a claim to the pod's group. Throws `Refused`, or what the system says.
   */
  static open(path: string, others: Others = 'close'): PrivateDirectory {
    const made = lstatSync(path, { throwIfNoEntry: false }) === undefined
    if (made) makeDirectory(path)
    return new PrivateDirectory(path, openDirectory(path, path), others, made)
  }

  /**
   * The same of a directory called `name` within one that need not be ours. When it is made it takes in what is ours of
   * those that are called as `former` there.
   */
  static openWithin(path: string, name: string, former: readonly string[], others: Others = 'close'): PrivateDirectory {
    return PrivateDirectory.#openIn(openDirectory(path, path), path, name, former, others)
  }

  /**
   * The directory called `name` within the one called `holder` within the one that `root` leads to, links followed, if
   * `isAllowed` says of the latter's real path that it may be that one. Both are made if `make` says so; otherwise
   * undefined is returned if one is missing. Whatever takes the place of `root` meanwhile, nothing is made elsewhere.
   */
  static openBelow(
    root: string,
    [holder, name]: readonly [string, string],
    { make: mayMake, others, isAllowed }: { make: boolean; others: Others; isAllowed: (real: string) => boolean },
  ): PrivateDirectory | undefined {
    const path = join(root, holder)
    let outer: number | undefined
    try {
      outer = openSync(root, O_RDONLY | O_DIRECTORY)
      const real = placeOf(outer) ?? realpathSync(root)
      if (!isAllowed(real)) {
        throw new Refused('LEADS_ELSEWHERE', root, `a link to ${real}`, 'the directory that it led to at the start')
      }
      if (mayMake) make(within(outer, root, holder))
      const held = openDirectory(within(outer, root, holder), path)
      if (mayMake || lstatSync(within(held, path, name), { throwIfNoEntry: false }) !== undefined) {
        return PrivateDirectory.#openIn(held, path, name, [], others)
      }
      closeSync(held)
      return undefined
    } catch (error) {
      if (!mayMake && codeOf(error) === 'ENOENT') return undefined
      throw error
    } finally {
      if (outer !== undefined) closeSync(outer)
    }
  }

  /** `outer`: the descriptor of the directory at `path`; it is closed here. */
  static #openIn(outer: number, path: string, name: string, former: readonly string[], others: Others) {
    const at = (each: string) => within(outer, path, each)
    try {
      const made = make(at(name))
      const inner = new PrivateDirectory(join(path, name), openDirectory(at(name), join(path, name)), others, made)
      for (const each of made ? former : []) {
        const stats = lstatSync(at(each), { throwIfNoEntry: false })
        if (stats?.uid === ourUser() && (stats.isFile() || stats.isDirectory())) renameSync(at(each), inner.at(each))
      }
      return inner
    } finally {
      closeSync(outer)
    }
  }

  private constructor(path: string, fd: number, others: Others, made: boolean) {
    this.path = path
    this.made = made
    this.#fd = fd
    this.#others = others
    try {
      const stats = fstatSync(fd, { bigint: true })
      const mode = Number(stats.mode) & 0o7777
      this.#identity = identity(stats)
      const ours = Number(stats.uid) === ourUser()
      const open = (mode & OTHERS) !== 0
      this.tightened = ours && open && others === 'close' && closeToOthers(fd)
      if (others !== 'ignore' && (!ours || (open && !this.tightened))) {
        const found = `a directory of user ${stats.uid}, mode 0${mode.toString(8)}`
        throw new Refused('NOT_PRIVATE', path, found, allowedOwner())
      }
    } catch (error) {
      closeSync(fd)
      throw error
    }
  }

  /** Where the system finds what is called `name` in this directory. It must be opened without following links. */
  at(name: string): string {
    if (this.#closed) throw Object.assign(new Error(`${this.path} is closed`), { code: 'EBADF' })
    return within(this.#fd, this.path, name)
  }

  /** What `name` is called for people, and in checkpoints. */
  pathOf(name: string): string {
    return join(this.path, name)
  }

  /** The descriptor, to synchronize what was named. */
  get descriptor(): number {
    return this.#fd
  }

  /** Whether the path that it was opened by still leads to it. `place`: how the system finds that now. */
  isAt(place: string): boolean {
    const stats = lstatSync(place, { bigint: true, throwIfNoEntry: false })
    return stats !== undefined && identity(stats) === this.#identity
  }

  names(): string[] {
    return readdirSync(this.at('.'))
  }

  /** What is called so, links not followed; undefined if nothing is. */
  stat(name: string): BigIntStats | undefined {
    return lstatSync(this.at(name), { bigint: true, throwIfNoEntry: false })
  }

  /** A directory in this one, made if it is not there. Throws as `open` does. */
  sub(name: string): PrivateDirectory {
    const path = this.pathOf(name)
    const made = make(this.at(name))
    return new PrivateDirectory(path, openDirectory(this.at(name), path), this.#others, made)
  }

  /** Whether what is in it and belongs to a user counts as ours. */
  isOurs(stats: BigIntStats): boolean {
    return this.#others === 'ignore' || Number(stats.uid) === ourUser()
  }

  /** Opens a file of ours for reading. Throws `Refused`, or what the system says. */
  openFile(name: string): { fd: number; stats: BigIntStats } {
    this.#look(name)
    return this.#checked(name, openSync(this.at(name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK))
  }

  /** Opens a regular file for reading, whosever it is and however many names it has. Throws as `openFile` does. */
  openLinked(name: string): { fd: number; stats: BigIntStats } {
    const fd = openSync(this.at(name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
    const stats = fstatSync(fd, { bigint: true })
    if (stats.isFile()) return { fd, stats }
    closeSync(fd)
    throw new Refused('NOT_OURS', this.pathOf(name), kindOf(stats), 'a regular file')
  }

  /** Opens a file of ours to append to it, and makes it if it is not there. */
  openToAppend(name: string): { fd: number; stats: BigIntStats } {
    this.#look(name)
    return this.#checked(name, openSync(this.at(name), O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o600))
  }

  /** Makes a new file in the place of whatever is called so. */
  create(name: string): number {
    this.remove(name)
    return openSync(this.at(name), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600)
  }

  /** The same, to be written without keeping anything else waiting. */
  createAsync(name: string): Promise<FileHandle> {
    this.remove(name)
    return open(this.at(name), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600)
  }

  /**
   * The content of a file of ours, or undefined if there is none. More than `most` bytes are refused, whatever its size
   * is said to be.
   */
  async read(name: string, most: number): Promise<Buffer | undefined> {
    if (!this.#look(name)) return undefined
    const handle = await open(this.at(name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
    try {
      const stats = await handle.stat({ bigint: true })
      this.#check(name, stats)
      const size = Number(stats.size)
      const bytes = Buffer.allocUnsafe(size <= most ? size + 1 : 0)
      let length = 0
      while (length < bytes.length) {
        const { bytesRead } = await handle.read(bytes, length, bytes.length - length, length)
        if (bytesRead === 0) break
        length += bytesRead
      }
      if (size > most || length > size) {
        const found = size > most ? `${size} bytes` : 'a file that grows'
        throw new Refused('TOO_LARGE', this.pathOf(name), found, `at most ${most} bytes`)
      }
      return bytes.subarray(0, length)
    } finally {
      await handle.close()
    }
  }

  /** Takes the name away; of a link that is the link. Nothing happens if there is none. */
  remove(name: string): void {
    try {
      unlinkSync(this.at(name))
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error
    }
  }

  /** What an open file is called from here, by whatever name or link it was opened; undefined if it lies elsewhere. */
  nameOf(fd: number): string | undefined {
    const path = placeOf(fd)
    const { real } = this
    return path?.startsWith(real + sep) ? path.slice(real.length + 1) : undefined
  }

  /** Where the directory is now, links resolved. */
  get real(): string {
    return (this.#closed ? undefined : placeOf(this.#fd)) ?? this.path
  }

  close(): void {
    if (!this.#closed) closeSync(this.#fd)
    this.#closed = true
  }

  #checked(name: string, fd: number): { fd: number; stats: BigIntStats } {
    try {
      const stats = fstatSync(fd, { bigint: true })
      this.#check(name, stats)
      return { fd, stats }
    } catch (error) {
      closeSync(fd)
      throw error
    }
  }

  #check(name: string, stats: BigIntStats): void {
    const found = !stats.isFile()
      ? kindOf(stats)
      : !this.isOurs(stats)
        ? `a file of user ${stats.uid}`
        : stats.nlink !== 1n
          ? `a file with ${stats.nlink} names`
          : undefined
    if (found !== undefined) throw new Refused('NOT_OURS', this.pathOf(name), found, allowedFile())
  }

  /** Before it is opened, for that alone may act on a device, and fails for a socket. Returns whether it is there. */
  #look(name: string): boolean {
    const stats = this.stat(name)
    if (stats !== undefined) this.#check(name, stats)
    return stats !== undefined
  }
}

/** Where an open file is, as the kernel tells it. */
function placeOf(fd: number): string | undefined {
  try {
    return DESCRIPTORS === undefined ? undefined : readlinkSync(`${DESCRIPTORS}/${fd}`)
  } catch {
    return undefined
  }
}

/** Returns whether it is closed to others now: file systems that keep no modes refuse that, or do nothing. */
function closeToOthers(fd: number): boolean {
  try {
    fchmodSync(fd, 0o700)
  } catch (error) {
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'].includes(codeOf(error))) throw error
  }
  return (fstatSync(fd).mode & OTHERS) === 0
}

/** Where the system finds what is called `name` in an open directory. */
function within(fd: number, path: string, name: string): string {
  return DESCRIPTORS === undefined ? join(path, name) : `${DESCRIPTORS}/${fd}/${name}`
}

/** Returns whether it was not there. */
function make(place: string): boolean {
  try {
    mkdirSync(place, { mode: 0o700 })
    return true
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error
    return false
  }
}

/** `place`: how the system finds `path`. */
function openDirectory(place: string, path: string): number {
  try {
    return openSync(place, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
  } catch (error) {
    const stats = lstatSync(place, { bigint: true, throwIfNoEntry: false })
    if (stats === undefined || stats.isDirectory()) throw error
    throw new Refused('NOT_PRIVATE', path, kindOf(stats), allowedDirectory())
  }
}

function identity({ dev, ino }: BigIntStats): string {
  return `${dev}:${ino}`
}

function kindOf(stats: BigIntStats): string {
  if (stats.isSymbolicLink()) return 'a symbolic link'
  if (stats.isDirectory()) return 'a directory'
  if (stats.isFIFO()) return 'a FIFO'
  if (stats.isSocket()) return 'a socket'
  return stats.isFile() ? 'a file' : 'a device'
}
