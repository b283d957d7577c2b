/**
 * Unpacking: a file that was rotated and compressed before it was read to its end, made readable again.
 *
 * A known generation is in the `.gz` or `.zst` file whose decompressed content is its own: head, markers, and the end
 * that was seen last. A generation that was never seen is one whose head is that of no generation that is known. What
 * is not acknowledged yet is written to the state directory, at the offsets it had, with a hole in place of the rest;
 * there it is followed like any other rotated file, and removed when it is done.
 *
 * Guarantees: nothing is written before the head has been verified; an archive that is something else is given up at
 * its first bytes; one archive is unpacked at a time, and its content and its window are bounded; a new file is made
 * for it, never one that is there written to; nothing here blocks or throws; after a death in the middle it begins anew.
 */
import { hash } from 'node:crypto'
import { closeSync, constants, createReadStream, fsync, openSync, renameSync, unlinkSync, writeSync } from 'node:fs'
import { dirname, join, sep } from 'node:path'
import type { Readable } from 'node:stream'
import { promisify } from 'node:util'
import { constants as codec, createGunzip, createZstdDecompress } from 'node:zlib'
import { makeDirectory } from '../directory.ts'
import { HEAD_BYTES, type Head, type Inode, inodeKey, inodeOf, MARKER_BYTES } from './fingerprint.ts'
import { fileAt, namesIn } from './inodes.ts'
import { type Habits, isCompressed, withoutCompression } from './names.ts'
import { compressionOf, type OpenFile, openRegular } from './open.ts'
import { evidenceOf, isGeneration, type Sibling, type Wanted } from './siblings.ts'

/** More than this is not unpacked: bytes. */
const MOST = 2 * 1024 ** 3
/** Archives that are looked into for one generation at the most. */
const MOST_ARCHIVES = 256
/** The largest window of a zstd frame, as a power of two: 8 MiB, which the format asks every decoder to take. */
const WINDOW_LOG = 23
/** Archives keep the time of what they hold, some in whole seconds. */
const TOLERANCE = 1_000_000_000n

/**
 * `incomplete`: an archive begins like the generation and is not whole, perhaps because it is being written. `moved`:
 * another file has its name.
 */
export type UnpackResult =
  | { readonly kind: 'found'; readonly sibling: Sibling; readonly archive?: string }
  | { readonly kind: 'incomplete' }
  | { readonly kind: 'moved' }
  | { readonly kind: 'none' }

export class Unpacked {
  readonly #dir: string | undefined
  #last: Promise<unknown> = Promise.resolve()

  constructor(stateDir: string | null) {
    this.#dir = stateDir === null ? undefined : join(stateDir, 'unpacked')
  }

  /** Removes what an earlier process unpacked and `generations` do not name. */
  inherit(generations: ReadonlySet<string>): void {
    if (this.#dir === undefined) return
    for (const name of namesIn(this.#dir)) if (!generations.has(name)) this.release(name)
  }

  release(generation: string): void {
    if (this.#dir === undefined) return
    try {
      unlinkSync(join(this.#dir, generation))
    } catch {
      // It was never unpacked.
    }
  }

  /** Whether the path is that of an unpacked file. */
  holds(path: string): boolean {
    return this.#dir !== undefined && path.startsWith(this.#dir + sep)
  }

  /** The unpacked file if there is one from before. */
  before(generation: string, wanted: Wanted): Sibling | undefined {
    return this.#dir === undefined ? undefined : opened(join(this.#dir, generation), file => isGeneration(file, wanted))
  }

  /** The archives that may hold the generation, those that are called as its rotations are first, the oldest first. */
  candidates(wanted: Wanted, habits: Habits): string[] {
    if (this.#dir === undefined) return []
    const blank = wanted.head.length === 0
    const { path: origin } = wanted
    const begun = BigInt(wanted.begun ?? 0)
    const related: { readonly path: string; readonly mtime: bigint }[] = []
    const others: { readonly path: string; readonly mtime: bigint }[] = []
    for (const directory of habits.directoriesOf(origin)) {
      for (const name of namesIn(directory)) {
        const path = join(directory, name)
        const likely = habits.says(withoutCompression(name), origin) !== 'nothing'
        if (!likely && (blank || !isCompressed(name))) continue
        // Its content was written after the generation began.
        const stats = fileAt(path)
        if (stats === undefined || stats.mtimeNs + TOLERANCE < begun || path === origin) continue
        // A processor of svlogd compresses in place of the file.
        if (isCompressed(name) || formatOf(path) !== undefined)
          (likely ? related : others).push({ path, mtime: stats.mtimeNs })
      }
    }
    related.sort((a, b) => Number(a.mtime - b.mtime))
    return [...related, ...others].slice(0, MOST_ARCHIVES).map(({ path }) => path)
  }

  /**
   * The wanted generation out of one of the archives, open; `nearest` is the offset up to which every backend has
   * acknowledged it. Never rejects.
   */
  find(generation: string, wanted: Wanted, archives: readonly string[], nearest: number): Promise<UnpackResult> {
    const isHead = (head: Buffer) => head.length === wanted.head.length && digest(head) === wanted.head.hash
    const keepFrom = Number.isFinite(nearest) ? Math.max(0, nearest - MARKER_BYTES) : 0
    const plan: Plan = { headBytes: wanted.head.length, isHead, keepFrom }
    return this.#inTurn(async () => {
      let incomplete = false
      for (const archive of archives) {
        switch (await this.#unpack(generation, archive, plan)) {
          case 'unpacked': {
            const name = withoutCompression(archive)
            const sibling = opened(join(this.#dir!, generation), file => evidenceOf(name, file, wanted) > 0)
            if (sibling) return { kind: 'found', sibling, archive }
            this.release(generation)
            break
          }
          case 'damaged':
            incomplete = true
            break
          case 'moved':
          case 'other':
            break
        }
      }
      return { kind: incomplete ? 'incomplete' : 'none' }
    })
  }

  /**
   * An archive of which nothing is known, unless its head is one of `heads`. `inode` is the file that is meant: by the
   * time its turn comes another may have its name. Never rejects.
   */
  take(generation: string, archive: string, heads: () => Iterable<Head>, inode?: Inode): Promise<UnpackResult> {
    const isHead = (head: Buffer) => {
      for (const { length, hash } of heads()) {
        if (length > 0 && length <= head.length && digest(head.subarray(0, length)) === hash) return false
      }
      return head.length > 0
    }
    return this.#inTurn(async () => {
      switch (await this.#unpack(generation, archive, { headBytes: HEAD_BYTES, isHead, keepFrom: 0, inode })) {
        case 'moved':
          return { kind: 'moved' }
        case 'unpacked': {
          const path = join(this.#dir!, generation)
          const file = openRegular(path, [dirname(path)])
          return file.kind === 'open' ? { kind: 'found', sibling: { path, opened: file } } : { kind: 'none' }
        }
        case 'damaged':
          return { kind: 'incomplete' }
        case 'other':
          return { kind: 'none' }
      }
    })
  }

  /** The first of the archives that `take` takes. Never rejects. */
  async takeFirst(generation: string, archives: readonly string[], heads: () => Iterable<Head>): Promise<UnpackResult> {
    let incomplete = false
    for (const archive of archives) {
      const result = await this.take(generation, archive, heads)
      if (result.kind === 'found') return { ...result, archive }
      incomplete ||= result.kind === 'incomplete'
    }
    return { kind: incomplete ? 'incomplete' : 'none' }
  }

  /** Whether the content of an archive begins with a head. Never rejects. */
  async beginsLike(archive: string, head: Head): Promise<boolean> {
    const source = openRegular(archive, [dirname(archive)])
    if (source.kind !== 'open') return false
    const plain = decompress(source.fd)
    if (plain === undefined) return false
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

  /** One at a time: however many archives there are, so much and no more is written at once. */
  #inTurn(work: () => Promise<UnpackResult>): Promise<UnpackResult> {
    const result = this.#last.then(() => (this.#dir === undefined ? { kind: 'none' as const } : work()))
    this.#last = result
    return result
  }

  /** `other`: not what is wanted. `damaged`: it begins so, and cannot be read or written to its end. */
  async #unpack(generation: string, archive: string, plan: Plan): Promise<'unpacked' | 'other' | 'damaged' | 'moved'> {
    const target = join(this.#dir!, generation)
    // Under its own name only when it is whole: a death in the middle must not leave what looks like all of it.
    const part = `${target}.part`
    const progress = { verified: false, moved: false }
    try {
      this.release(`${generation}.part`)
      makeDirectory(this.#dir!)
      if (await unpack(archive, plan, part, progress)) {
        renameSync(part, target)
        return 'unpacked'
      }
    } catch {
      // Not what its name says, cut off, damaged, or no room.
    }
    this.release(`${generation}.part`)
    if (progress.moved) return 'moved'
    return progress.verified ? 'damaged' : 'other'
  }
}

/** What is wanted of an archive. */
interface Plan {
  readonly headBytes: number
  /** Called once, with the first `headBytes` bytes, or all there are. */
  isHead(head: Buffer): boolean
  /** Bytes before this offset, the head excepted, are acknowledged. */
  readonly keepFrom: number
  /** The archive, if it is known which one. */
  readonly inode?: Inode | undefined
}

interface Progress {
  verified: boolean
  moved: boolean
}

function isSame(one: Inode, other: Inode): boolean {
  return inodeKey(one) === inodeKey(other) && one.birth === other.birth
}

/** The format of the file at `path`, if it is compressed. */
function formatOf(path: string): string | undefined {
  const file = openRegular(path, [dirname(path)])
  if (file.kind !== 'open') return undefined
  const format = compressionOf(file.fd)
  closeSync(file.fd)
  return format
}

function digest(head: Buffer): string {
  return hash('sha1', head, 'hex').slice(0, 20)
}

function opened(path: string, isWanted: (file: OpenFile) => boolean): Sibling | undefined {
  const file = openRegular(path, [dirname(path)])
  if (file.kind !== 'open') return undefined
  if (isWanted(file)) return { path, opened: file }
  closeSync(file.fd)
  return undefined
}

/** What an open archive holds, as a stream; it takes the descriptor over. Undefined if it is none that can be unpacked. */
function decompress(fd: number): { readonly stream: Readable; end(): void } | undefined {
  const format = compressionOf(fd)
  if (format !== 'gzip' && format !== 'zstd') {
    closeSync(fd)
    return undefined
  }
  const file = createReadStream('', { fd, start: 0 })
  const window = { params: { [codec.ZSTD_d_windowLogMax]: WINDOW_LOG } }
  const stream = file.pipe(format === 'gzip' ? createGunzip() : createZstdDecompress(window))
  file.on('error', error => stream.destroy(error))
  const end = () => {
    stream.destroy()
    file.destroy()
  }
  return { stream, end }
}

/** Writes what the plan wants of an archive into a new file. Returns false if the head is another. */
async function unpack(path: string, plan: Plan, target: string, progress: Progress): Promise<boolean> {
  const source = openRegular(path, [dirname(path)])
  if (source.kind !== 'open') return false
  if (plan.inode && !isSame(inodeOf(source.stats), plan.inode)) {
    progress.moved = true
    closeSync(source.fd)
    return false
  }
  const plain = decompress(source.fd)
  if (plain === undefined) return false
  let file: number | undefined
  let head: Buffer[] | undefined = []
  let at = 0
  const write = (bytes: Buffer, offset: number): void => {
    const skip = Math.max(0, plan.keepFrom - offset)
    if (skip < bytes.length) writeSync(file!, bytes, skip, bytes.length - skip, offset + skip)
  }
  const verify = (first: Buffer): boolean => {
    const beginning = first.subarray(0, plan.headBytes)
    if (!plan.isHead(beginning)) return false
    progress.verified = true
    file = openSync(target, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o600)
    writeSync(file, beginning, 0, beginning.length, 0)
    write(first, 0)
    head = undefined
    return true
  }
  try {
    for await (const part of plain.stream as AsyncIterable<Buffer>) {
      if (head === undefined) write(part, at)
      else {
        head.push(part)
        if (at + part.length >= plan.headBytes && !verify(Buffer.concat(head))) return false
      }
      at += part.length
      if (at > MOST) return false
    }
    if (head !== undefined && !verify(Buffer.concat(head))) return false
    await promisify(fsync)(file!)
    return true
  } finally {
    plain.end()
    if (file !== undefined) closeSync(file)
  }
}
