/**
 * The state directory: where positions, dead letters and what is unpacked are kept, as the configuration names it.
 *
 *     <state.dir>                     where it is a private directory (`private.ts`), or can be made one
 *     <state.dir>/private             where it belongs to another user, as the root of a volume does
 *     …/pins  …/unpacked  …/dead-letter
 *     <root>/.logshipper/TAG          pins, where the logs lie on another file system: see `pins.ts`
 *
 * Guarantees: everything goes through one descriptor of a directory that no other user may write to, unless the
 * configuration says that the volume keeps no owners; where there is none
 * every use throws, says why, and is retried at the next use. A directory that was removed, or has another one
 * in its place, is made again at its next use, and `onRenewed` is called.
 */
import { type BigIntStats, lstatSync } from 'node:fs'
import { join, sep } from 'node:path'
import { codeOf } from './errors.ts'
import type { Logger } from './log.ts'
import { type Others, PrivateDirectory, Refused } from './private.ts'

/** What lies in a directory that is not ours alone. */
const PRIVATE = 'private'
/** What an earlier version kept in a directory that was not. */
const FORMER = ['checkpoint', 'checkpoint.previous', 'checkpoint.tmp', 'pins', 'unpacked', 'dead-letter'] as const
export const CHECKPOINTS = ['checkpoint', 'checkpoint.previous', 'checkpoint.tmp'] as const
/** Where pins are kept beside logs. */
const BESIDE = '.logshipper'
/** Descriptors of directories that were replaced stay open for a while: something may be under way in them. */
const RETIRED = 4
const REMEMBERED = 256

/** A directory of logs, and where what is below it must really lie. */
export interface LogRoot {
  readonly directory: string
  /** `real`: as the kernel tells it, without links. */
  holds(real: string): boolean
}

type Sub = 'pins' | 'unpacked' | 'dead-letter'

/** All that are open in this process: what lies in one of them is never a log. */
const opened = new Set<StateDirectory>()

/** `strict`: ours alone. `ignore`: for volumes that keep neither owners nor modes. */
export type Permissions = 'strict' | 'ignore'

interface StateDirectoryOptions {
  readonly mend?: boolean
  readonly permissions?: Permissions
}

export class StateDirectory {
  /** As the configuration has it. */
  readonly path: string
  /** Called when the directory is another one than before. */
  onRenewed: () => void = () => {}
  /** Another program that uses it: while there is one, we do not. */
  holder: string | undefined
  readonly #log: Logger
  readonly #mend: boolean
  readonly #others: Others
  #directory: PrivateDirectory | undefined
  readonly #subs = new Map<Sub, PrivateDirectory>()
  /** By the directory that they lie in. */
  readonly #beside = new Map<string, PrivateDirectory>()
  readonly #retired: PrivateDirectory[] = []
  /** Files of ours that lost their last name here while they had another elsewhere. */
  readonly #former = new Set<string>()
  #shared: string | undefined

  /**
   * `mend`: a directory of ours that others may write to is closed to them, and one is made where there is none of ours.
   * `permissions` as the configuration has them. Touches nothing yet.
   */
  constructor(path: string, log: Logger, { mend = true, permissions = 'strict' }: StateDirectoryOptions = {}) {
    this.path = path.length > 1 ? path.replace(/\/+$/, '') : path
    this.#log = log
    this.#mend = mend
    this.#others = permissions === 'ignore' ? 'ignore' : mend ? 'close' : 'refuse'
  }

  /** The directory, open. Throws `Refused`, or what the system says. */
  get directory(): PrivateDirectory {
    const directory = this.open()
    if (this.holder === undefined) return directory
    throw new Refused('IN_USE', this.path, `the state of ${this.holder}`, 'a directory of its own for each logshipper')
  }

  /** The same, whatever else uses it. */
  open(): PrivateDirectory {
    const known = this.#directory
    if (known?.isAt(known.path)) return known
    const next = this.#open()
    for (const former of [...this.#subs.values(), ...(known ? [known] : [])]) this.#retired.push(former)
    this.#subs.clear()
    while (this.#retired.length > RETIRED) this.#retired.shift()!.close()
    this.#directory = next
    opened.add(this)
    if (next.tightened) {
      this.#log.info(
        { event: 'state_closed', dir: next.path },
        'other users could write to the state directory; it was closed to them',
      )
    }
    if (known) {
      this.#log.warn(
        { event: 'state_replaced', dir: next.path },
        'the state directory was removed or replaced while it was used; it is used as it is now',
      )
      // What was there already may be the state of another program.
      if (!next.made) this.holder = 'a program that is not known yet'
      this.onRenewed()
    }
    return next
  }

  /** One of its directories, open, and made if it is not there. Throws as `directory` does. */
  sub(name: Sub): PrivateDirectory {
    const { directory } = this
    const known = this.#subs.get(name)
    if (known?.isAt(directory.at(name))) return known
    const next = directory.sub(name)
    if (known) this.#retired.push(known)
    this.#subs.set(name, next)
    return next
  }

  /** The same if it is there and can be used: nothing is made. */
  existing(name: Sub): PrivateDirectory | undefined {
    try {
      if (lstatSync(this.path, { throwIfNoEntry: false }) === undefined) return undefined
      return this.directory.stat(name) === undefined ? undefined : this.sub(name)
    } catch {
      return undefined
    }
  }

  /**
   * A directory of ours beside logs, in the directory `root`. It is made if `make` says so. Others may rename it away and
   * put there what they like: what is found in it proves nothing, and where it leads elsewhere nothing is made.
   */
  beside(root: LogRoot, tag: string, make: boolean): PrivateDirectory | undefined {
    const outer = join(root.directory, BESIDE)
    const known = this.#beside.get(outer)
    if (known?.isAt(known.path)) return known
    const isAllowed = (real: string) => root.holds(join(real, BESIDE))
    // The volume of the logs is another one, and the application's.
    const options = { make, others: this.#mend ? 'close' : 'refuse', isAllowed } as const
    const next = PrivateDirectory.openBelow(root.directory, [BESIDE, tag], options)
    if (next === undefined) return undefined
    if (known) this.#retired.push(known)
    this.#beside.set(outer, next)
    return next
  }

  /** The file of this name in the directory is about to be replaced: under another name it is still none to be shipped. */
  replaces(name: string): void {
    const stats = this.#directory?.stat(name)
    if (stats === undefined || !stats.isFile() || stats.nlink < 2n) return
    const known = incarnation(stats)
    if (known !== '') this.#former.add(known)
    const [oldest] = this.#former
    if (this.#former.size > REMEMBERED) this.#former.delete(oldest!)
  }

  /** Whether a path is that of a file of ours: the directory may lie among the logs. */
  ownsPath(path: string): boolean {
    for (const each of this.#places()) if (isOurName(nameBelow(path, each))) return true
    for (const { path: each } of this.#beside.values()) if (nameBelow(path, each) !== undefined) return true
    return false
  }

  /** Whether an open file is one of ours, whatever link or pattern names it. */
  owns(fd: number, stats: BigIntStats): boolean {
    const directory = this.#directory
    if (directory === undefined) return false
    if (isOurName(directory.nameOf(fd))) return true
    for (const each of this.#beside.values()) if (each.nameOf(fd) !== undefined) return true
    if (this.#former.has(incarnation(stats))) return true
    for (const ours of this.#inodes(stats.nlink > 1n)) if (ours.dev === stats.dev && ours.ino === stats.ino) return true
    return false
  }

  *#places(): Generator<string> {
    yield this.path
    if (this.#directory !== undefined && this.#directory.path !== this.path) yield this.#directory.path
  }

  close(): void {
    opened.delete(this)
    for (const each of [...this.#subs.values(), ...this.#beside.values(), ...this.#retired.splice(0)]) each.close()
    this.#subs.clear()
    this.#beside.clear()
    this.#directory?.close()
    this.#directory = undefined
  }

  /** Our files, under whatever path the directory is mounted. Pins are not ours, but the application's. `all`: others too. */
  *#inodes(all: boolean): Generator<BigIntStats> {
    const stat = (directory: PrivateDirectory, name: string) => {
      const stats = directory.stat(name)
      return stats === undefined ? [] : [stats]
    }
    for (const name of CHECKPOINTS) yield* stat(this.#directory!, name)
    if (!all) return
    for (const sub of ['unpacked', 'dead-letter'] as const) {
      const directory = this.#subs.get(sub)
      for (const name of directory?.names() ?? []) yield* stat(directory!, name)
    }
  }

  #open(): PrivateDirectory {
    try {
      return PrivateDirectory.open(this.path, this.#others)
    } catch (error) {
      if (!(error instanceof Refused) || !lstatSync(this.path).isDirectory()) throw error
      return this.#openWithin(error)
    }
  }

  /** It belongs to another user: what we make in it is ours all the same. */
  #openWithin(refused: Refused): PrivateDirectory {
    const { found, allowed } = refused
    let directory: PrivateDirectory
    if (!this.#mend && lstatSync(join(this.path, PRIVATE), { throwIfNoEntry: false }) === undefined) throw refused
    try {
      directory = PrivateDirectory.openWithin(this.path, PRIVATE, FORMER, this.#others)
    } catch (error) {
      // Nothing may be made in it: who owns it says more than that.
      throw codeOf(error) === 'EACCES' ? refused : error
    }
    if (this.#shared !== found) {
      this.#log.info(
        { event: 'state_within', dir: this.path, found, allowed, used: directory.path },
        'state.dir is not a directory of ours alone: the state is kept in one that is, within it',
      )
    }
    this.#shared = found
    return directory
  }
}

/** The number of an inode that was freed is given to the next file: only its birth tells them apart. */
function incarnation({ dev, ino, birthtimeNs }: BigIntStats): string {
  return birthtimeNs === 0n ? '' : `${dev}:${ino}:${birthtimeNs}`
}

/** What `path` is called from `directory`; undefined if it lies elsewhere. */
function nameBelow(path: string, directory: string): string | undefined {
  const prefix = directory === sep ? sep : directory + sep
  return path.startsWith(prefix) ? path.slice(prefix.length) : undefined
}

/** Whether what has this name in the directory is ours: it may be the directory of the logs, too. */
function isOurName(name: string | undefined): boolean {
  if (name === undefined) return false
  return FORMER.some(each => name === each || name.startsWith(each + sep)) || name.startsWith('claim.')
}

/** Whether an open file lies in, or is one of, a state directory of this process. */
export function isOurState(fd: number, stats: BigIntStats): boolean {
  for (const state of opened) if (state.owns(fd, stats)) return true
  return false
}
