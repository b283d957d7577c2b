/**
 * Unpacking: a file that was rotated and compressed before it was read to its end, made readable again.
 *
 * A known generation is in the `.gz` or `.zst` file whose decompressed content is its own: head, markers, and the end
 * that was seen last. A generation that was never seen is one that begins as no generation that is known. What
 * is not acknowledged yet is written to the state directory, at the offsets it had, with a hole in place of the rest;
 * there it is followed like any other rotated file, and removed when it is done.
 *
 * Guarantees: an archive that ends before its head can be told, or cannot be decoded that far, is damaged where its
 * name is that of a rotation, and something else where it is not; one archive is unpacked at a time (`extraction.ts`),
 * and what all of them take of the disk is bounded: what does not fit waits until others are done; those that begin
 * like what is wanted and are not, which cost the most, are tried a bounded number of times a minute; a new file is
 * made for each, never one that is there written to; nothing here blocks or throws; after a death in the middle, or
 * without room, it begins anew.
 */
import { hash } from 'node:crypto'
import { closeSync, renameSync, statfsSync } from 'node:fs'
import { dirname, join, sep } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { PrivateDirectory } from '../../private.ts'
import type { StateDirectory } from '../../state.ts'
import { HEAD_BYTES, type Inode, MARKER_BYTES, markerOf, readHead } from '../files/fingerprint.ts'
import { fileAt } from '../files/inodes.ts'
import { LISTINGS } from '../files/listings.ts'
import { type Habits, isCompressed, mayBeCompressed, withoutCompression } from '../files/names.ts'
import { type Bound, beside, compressionOf, type OpenFile, openRegular } from '../files/open.ts'
import type { Beginning } from '../generation/table.ts'
import { decompress, Extraction, type Failure, type Plan } from './extraction.ts'
import { evidenceOf, isGeneration, type Sibling, type Wanted } from './siblings.ts'

/** What all unpacked files may take of the disk, unless the configuration says otherwise: bytes. */
const MOST = 1024 ** 3
/** And of what is free there: one part in so many. */
const SHARE = 2
/** After each archive as long a rest as it took, within these (milliseconds): thousands cost a part of a core. */
const REST = { least: 1, most: 25 }
/** So many of a directory are unpacked in vain within a minute, then they wait. */
const VAIN = 16
const MINUTE = 60_000
/** st_blocks counts in these (stat(2)). */
const BLOCK = 512n
/** Archives that are looked into for one generation at the most. */
const MOST_ARCHIVES = 256
/** Archives keep the time of what they hold, some in whole seconds. */
const TOLERANCE = 1_000_000_000n

/**
 * `incomplete`: an archive begins like the generation, or is called as its rotations are and cannot be decoded as far as
 * that could be told, and is not whole, perhaps because it is being written. `moved`:
 * another file has its name. `later`: there is no room for it now, or too many were unpacked in vain. `large`: it holds
 * more than may be unpacked.
 */
export type UnpackResult =
  | { readonly kind: 'found'; readonly sibling: Sibling; readonly archive?: string }
  | { readonly kind: 'moved' | 'later' }
  | { readonly kind: 'incomplete' | 'large'; readonly archive: string }
  | { readonly kind: 'none' }

export interface UnpackLimits {
  /** What all unpacked files may take of the disk: bytes. */
  readonly maxBytes?: number | undefined
  /** Bytes that are free where they lie. */
  readonly free?: ((place: string) => number) | undefined
  /** Monotonic milliseconds. */
  readonly now?: (() => number) | undefined
}

export class Unpacked {
  readonly #state: StateDirectory | null
  readonly #maxBytes: number
  readonly #free: (place: string) => number
  readonly #now: () => number
  /** When archives of a directory were unpacked in vain. */
  readonly #vain = new Map<string, number[]>()
  #last: Promise<unknown> = Promise.resolve()
  #rest: Promise<unknown> = Promise.resolve()
  #stopped = false

  constructor(state: StateDirectory | null, { maxBytes = MOST, free = freeAt, now }: UnpackLimits = {}) {
    this.#state = state
    this.#maxBytes = maxBytes
    this.#free = free
    this.#now = now ?? (() => performance.now())
  }

  /** Removes what an earlier process unpacked and `generations` do not name. */
  inherit(generations: ReadonlySet<string>): void {
    const directory = this.#state?.existing('unpacked')
    for (const name of directory?.names() ?? []) if (!generations.has(name)) this.release(name)
  }

  release(generation: string): void {
    try {
      this.#state?.existing('unpacked')?.remove(generation)
    } catch {
      // A directory has its name, or the disk is read-only: it stays.
    }
  }

  /** Whether the path is that of an unpacked file. */
  holds(path: string): boolean {
    if (!path.includes('/unpacked/')) return false
    const directory = this.#state?.existing('unpacked')
    return directory !== undefined && [directory.path, directory.real].some(each => path.startsWith(each + sep))
  }

  /** The unpacked file if there is one from before. */
  before(generation: string, wanted: Wanted): Sibling | undefined {
    const directory = this.#state?.existing('unpacked')
    return directory && opened(directory, generation, file => isGeneration(file, wanted))
  }

  /**
   * The archives that may hold the generation, those that are called as its rotations are first, the oldest first.
   * `names`: those in a directory.
   */
  candidates(wanted: Wanted, habits: Habits, names = (directory: string) => LISTINGS.names(directory)): string[] {
    if (this.#state === null) return []
    const blank = wanted.head.length === 0
    const { path: origin } = wanted
    const begun = BigInt(wanted.begun ?? 0)
    const related: { readonly path: string; readonly mtime: bigint }[] = []
    const others: { readonly path: string; readonly mtime: bigint }[] = []
    // There may be thousands of names, and as many generations that this is asked for.
    const stem = habits.stemOf(origin)
    for (const directory of habits.directoriesOf(origin)) {
      for (const name of names(directory)) {
        const likely = name.includes(stem) && habits.says(withoutCompression(name), origin) !== 'nothing'
        if (!likely && (blank || !mayBeCompressed(name))) continue
        const path = join(directory, name)
        // Its content was written after the generation began.
        const stats = fileAt(path)
        if (stats === undefined || stats.mtimeNs + TOLERANCE < begun || path === origin) continue
        // A processor of svlogd compresses in place of the file.
        if (isCompressed(name) || formatOf(path, wanted.bounds) !== undefined)
          (likely ? related : others).push({ path, mtime: stats.mtimeNs })
      }
    }
    related.sort((a, b) => Number(a.mtime - b.mtime))
    return [...related, ...others].slice(0, MOST_ARCHIVES).map(({ path }) => path)
  }

  /**
   * The wanted generation out of one of the archives, open; `nearest` is the offset up to which every backend has
   * acknowledged it, and `isRotation` says which of them are called as its rotations are. Never rejects.
   */
  find(
    generation: string,
    wanted: Wanted,
    archives: readonly string[],
    nearest: number,
    isRotation: (archive: string) => boolean = () => false,
  ): Promise<UnpackResult> {
    const isHead = (head: Buffer) => head.length === wanted.head.length && digest(head) === wanted.head.hash
    const keepFrom = Number.isFinite(nearest) ? Math.max(0, nearest - MARKER_BYTES) : 0
    const plan: Plan = { headBytes: wanted.head.length, isHead, keepFrom, bounds: wanted.bounds }
    return this.#inTurn(async directory => {
      let incomplete: string | undefined
      for (const archive of archives) {
        const outcome = await this.#unpack(directory, generation, archive, plan)
        switch (outcome) {
          case 'unpacked': {
            const name = withoutCompression(archive)
            const sibling = opened(directory, generation, file => evidenceOf(name, file, wanted) > 0)
            if (sibling) return { kind: 'found', sibling, archive }
            this.release(generation)
            this.#wasVain(archive)
            break
          }
          case 'damaged':
            incomplete = archive
            break
          case 'undecodable':
            if (isRotation(archive)) incomplete ??= archive
            break
          case 'later':
            return { kind: 'later' }
          case 'large':
            return { kind: 'large', archive }
          case 'moved':
          case 'other':
            break
        }
      }
      return incomplete === undefined ? { kind: 'none' } : { kind: 'incomplete', archive: incomplete }
    })
  }

  /**
   * An archive, called as rotations are, of which nothing is known, unless it begins as one of `others`. `bounds`: where
   * archives must really lie. `inode` is the file that is meant: by the time its turn comes another may have its name.
   * Never rejects.
   */
  take(
    generation: string,
    archive: string,
    bounds: readonly Bound[],
    others: () => Iterable<Beginning>,
    inode?: Inode,
  ): Promise<UnpackResult> {
    const isHead = (head: Buffer) => {
      for (const other of others()) if (isOf(head, other)) return false
      return head.length > 0
    }
    return this.#inTurn(async directory => {
      const plan: Plan = { headBytes: HEAD_BYTES, isHead, keepFrom: 0, bounds, inode }
      const outcome = await this.#unpack(directory, generation, archive, plan)
      switch (outcome) {
        case 'unpacked': {
          const sibling = opened(directory, generation, () => true)
          return sibling === undefined ? { kind: 'none' } : { kind: 'found', sibling }
        }
        case 'damaged':
        case 'undecodable':
          return { kind: 'incomplete', archive }
        case 'other':
          return { kind: 'none' }
        case 'large':
          return { kind: 'large', archive }
        case 'moved':
        case 'later':
          return { kind: outcome }
      }
    })
  }

  /** The first of the archives that `take` takes. Never rejects. */
  async takeFirst(
    generation: string,
    archives: readonly string[],
    bounds: readonly Bound[],
    others: () => Iterable<Beginning>,
  ): Promise<UnpackResult> {
    let incomplete: UnpackResult | undefined
    for (const archive of archives) {
      const result = await this.take(generation, archive, bounds, others)
      if (result.kind === 'found') return { ...result, archive }
      if (result.kind === 'later') return result
      if (result.kind === 'incomplete') incomplete ??= result
    }
    return incomplete ?? { kind: 'none' }
  }

  /** Whether the content of an archive begins like the wanted generation. Never rejects. */
  async beginsLike(archive: string, { head, bounds }: Wanted): Promise<boolean> {
    const source = openRegular(archive, beside(archive, bounds))
    if (source.kind !== 'open') return false
    const plain = decompress(source.fd)
    if (typeof plain === 'string') return false
    let bytes = Buffer.alloc(0)
    try {
      for await (const part of plain.stream as AsyncIterable<Buffer>) {
        bytes = Buffer.concat([bytes, part])
        if (bytes.length >= head.length) break
      }
    } catch {
      // Damaged: what could be read tells.
    } finally {
      plain.end()
    }
    return bytes.length >= head.length && digest(bytes.subarray(0, head.length)) === head.hash
  }

  /** Nothing is unpacked any more: what waits for its turn ends. */
  stop(): void {
    this.#stopped = true
  }

  /**
   * One at a time: however many archives there are, so much and no more is written at once. Between two of them all else
   * has its turn, for many of them can be told without waiting for anything.
   */
  #inTurn(work: (directory: PrivateDirectory) => Promise<UnpackResult>): Promise<UnpackResult> {
    const result = this.#last.then(async (): Promise<UnpackResult> => {
      if (this.#state === null) return { kind: 'none' }
      if (this.#stopped) return { kind: 'later' }
      await this.#rest
      const began = performance.now()
      try {
        return await work(this.#state.sub('unpacked'))
      } catch {
        // It is not ours, or cannot be made now: what is in the archive stays there.
        return { kind: 'later' }
      } finally {
        const took = performance.now() - began
        this.#rest = sleep(Math.min(REST.most, Math.max(REST.least, took)))
      }
    })
    this.#last = result
    return result
  }

  async #unpack(
    directory: PrivateDirectory,
    generation: string,
    archive: string,
    plan: Plan,
  ): Promise<'unpacked' | Failure> {
    if (this.#isVain(archive)) return 'later'
    // Under its own name only when it is whole: a death in the middle must not leave what looks like all of it.
    const part = `${generation}.part`
    const extraction = new Extraction(directory, part, this.#room(directory), this.#now)
    try {
      if (await extraction.run(archive, plan)) {
        extraction.unwritable = true
        renameSync(directory.at(part), directory.at(generation))
        return 'unpacked'
      }
    } catch {
      // Not what its name says, cut off, damaged; or what it holds cannot be written.
    }
    let { failure } = extraction
    this.release(part)
    if (failure === 'later' && extraction.written > this.#maxBytes) failure = 'large'
    if (failure === 'damaged' || failure === 'large' || extraction.unwritable) this.#wasVain(archive)
    return failure
  }

  /** Bytes that one more file may take. */
  #room(directory: PrivateDirectory): number {
    let held = 0n
    for (const name of directory.names()) held += (directory.stat(name)?.blocks ?? 0n) * BLOCK
    const taken = Number(held)
    return Math.min(this.#maxBytes, (this.#free(directory.at('.')) + taken) / SHARE) - taken
  }

  #isVain(archive: string): boolean {
    const since = this.#now() - MINUTE
    for (const [directory, times] of this.#vain) {
      const recent = times.filter(time => time > since)
      if (recent.length === 0) this.#vain.delete(directory)
      else this.#vain.set(directory, recent)
    }
    return (this.#vain.get(dirname(archive))?.length ?? 0) >= VAIN
  }

  #wasVain(archive: string): void {
    const directory = dirname(archive)
    this.#vain.set(directory, [...(this.#vain.get(directory) ?? []), this.#now()])
  }
}

/** Bytes that are free where `place` is. */
function freeAt(place: string): number {
  try {
    const { bavail, bsize } = statfsSync(place)
    return bavail * bsize
  } catch {
    return Number.POSITIVE_INFINITY
  }
}

/** The format of the file at `path`, if it is compressed. */
function formatOf(path: string, bounds: readonly Bound[]): string | undefined {
  const file = openRegular(path, beside(path, bounds))
  if (file.kind !== 'open') return undefined
  const format = compressionOf(file.fd)
  closeSync(file.fd)
  return format
}

/** Whether content that begins with `bytes`, which are as many as a head has or all there are, is that of a generation. */
function isOf(bytes: Buffer, { head, ends, fd }: Beginning): boolean {
  if (head.length > 0) return head.length <= bytes.length && digest(bytes.subarray(0, head.length)) === head.hash
  // All that there is of it is a line without an end, as many logs begin: nothing but the whole of it tells.
  if (fd !== undefined && bytes.length > 0 && readHead(fd, bytes.length)?.hash === digest(bytes)) return true
  const { crc } = markerOf(bytes.subarray(-MARKER_BYTES))
  return bytes.length < HEAD_BYTES && ends.some(({ offset, marker }) => offset === bytes.length && marker.crc === crc)
}

function digest(head: Buffer): string {
  return hash('sha1', head, 'hex').slice(0, 20)
}

/** An unpacked file, open, if it is there, is ours and is what is wanted. */
function opened(directory: PrivateDirectory, name: string, isWanted: (file: OpenFile) => boolean): Sibling | undefined {
  try {
    if (directory.stat(name) === undefined) return undefined
    const file: OpenFile = { kind: 'open', ...directory.openFile(name) }
    if (isWanted(file)) return { path: directory.pathOf(name), opened: file }
    closeSync(file.fd)
  } catch {
    // It is none of ours.
  }
  return undefined
}
