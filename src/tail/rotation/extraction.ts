/**
 * An extraction: one archive, decompressed into a new file of the state directory.
 *
 * Guarantees: nothing is written before the head has been verified; an archive that is something else is given up at its
 * first bytes; its window, its time and what it takes of the disk are bounded; the offsets in the new file are those of
 * the content, with a hole in place of what is acknowledged; every descriptor that was opened is closed.
 */
import { closeSync, createReadStream, fsync, writeSync } from 'node:fs'
import type { Readable } from 'node:stream'
import { promisify } from 'node:util'
import { constants as codec, createGunzip, createZstdDecompress } from 'node:zlib'
import type { PrivateDirectory } from '../../private.ts'
import { type Inode, inodeKey, inodeOf } from '../files/fingerprint.ts'
import { type Bound, beside, compressionOf, isCutShort, openRegular, TOO_MANY } from '../files/open.ts'

/** One that takes longer than this is given up: milliseconds. */
const LONGEST = 600_000
/** The largest window of a zstd frame, as a power of two: 8 MiB, which the format asks every decoder to take. */
const WINDOW_LOG = 23
/**
 * Bytes that are read and decoded at a time. What is done with stays in memory until V8 collects, which it does by what
 * objects take and not by what their buffers do: a hundred archives that are looked at, or one that holds a lot, would
 * leave tens of megabytes.
 */
const STEP = 8 * 1024
/** What archives are called that can be unpacked. */
const UNPACKABLE = /\.(gz|zst)$/

/**
 * `other`: not what is wanted. `damaged`: it begins so, and cannot be read to its end. `undecodable`: compressed, and
 * cannot be decoded so far that its head could be compared. `moved`: another file has its name. `later`: there is no room
 * for what it holds now, or it cannot be written; `large`: and there never will be.
 */
export type Failure = 'other' | 'damaged' | 'undecodable' | 'moved' | 'later' | 'large'

/** What is wanted of an archive. */
export interface Plan {
  readonly headBytes: number
  /** Called once, with the first `headBytes` bytes, or all there are. */
  isHead(head: Buffer): boolean
  /** Bytes before this offset, the head excepted, are acknowledged. */
  readonly keepFrom: number
  /** Where archives must really lie. */
  readonly bounds: readonly Bound[]
  /** The archive, if it is known which one. */
  readonly inode?: Inode | undefined
}

function isSame(one: Inode, other: Inode): boolean {
  return inodeKey(one) === inodeKey(other) && one.birth === other.birth
}

/**
 * What an open archive holds, as a stream; it takes the descriptor over. `other`: it is none that can be unpacked. `short`:
 * it may become one, or was cut off before that could be told.
 */
export function decompress(fd: number): { readonly stream: Readable; end(): void } | 'other' | 'short' {
  const format = compressionOf(fd)
  if (format !== 'gzip' && format !== 'zstd') {
    const short = isCutShort(fd, ['gzip', 'zstd'])
    closeSync(fd)
    return short ? 'short' : 'other'
  }
  const file = createReadStream('', { fd, start: 0, highWaterMark: STEP })
  const params = { [codec.ZSTD_d_windowLogMax]: WINDOW_LOG }
  const decoder =
    format === 'gzip' ? createGunzip({ chunkSize: STEP }) : createZstdDecompress({ chunkSize: STEP, params })
  const stream = file.pipe(decoder)
  file.on('error', error => stream.destroy(error))
  const end = () => {
    stream.destroy()
    file.destroy()
  }
  return { stream, end }
}

export class Extraction {
  readonly #directory: PrivateDirectory
  readonly #target: string
  readonly #room: number
  readonly #now: () => number
  readonly #until: number
  #file: number | undefined
  #verified = false
  #moved = false
  /** There is no file descriptor for it. */
  #crowded = false
  /** The end came, or an error, before the head. */
  #undecodable = false
  /** Bytes of the disk that it takes. */
  written = 0
  /** There is no room for more. */
  full = false
  /** The new file cannot be made or written, which is no fault of the archive. */
  unwritable = false

  constructor(directory: PrivateDirectory, target: string, room: number, now: () => number) {
    this.#directory = directory
    this.#target = target
    this.#room = room
    this.#now = now
    this.#until = now() + LONGEST
  }

  get failure(): Failure {
    if (this.#moved) return 'moved'
    if (this.#crowded) return 'later'
    if (this.#undecodable) return 'undecodable'
    if (!this.#verified) return 'other'
    return this.full || this.unwritable ? 'later' : 'damaged'
  }

  /** Writes what the plan wants of the archive. Returns false if the head is another, or there is no room or time. */
  async run(path: string, plan: Plan): Promise<boolean> {
    const source = openRegular(path, beside(path, plan.bounds))
    if (source.kind !== 'open') {
      this.#crowded = source.kind === 'refused' && source.reason === TOO_MANY
      return false
    }
    if (plan.inode && !isSame(inodeOf(source.stats), plan.inode)) {
      this.#moved = true
      closeSync(source.fd)
      return false
    }
    const plain = decompress(source.fd)
    if (typeof plain === 'string') {
      this.#undecodable = plain === 'short' && UNPACKABLE.test(path)
      return false
    }
    let head: Buffer[] | undefined = []
    let at = 0
    const verify = (first: Buffer): boolean => {
      head = undefined
      return this.#begin(first, plan)
    }
    try {
      for await (const part of plain.stream as AsyncIterable<Buffer>) {
        if (head === undefined) this.#write(part, at, plan.keepFrom)
        else {
          head.push(part)
          if (at + part.length >= plan.headBytes && !verify(Buffer.concat(head))) return false
        }
        at += part.length
        if (this.full || this.#now() > this.#until) return false
      }
      if (head !== undefined && !verify(Buffer.concat(head))) return false
      if (this.full) return false
      await this.#ours(() => promisify(fsync)(this.#file!))
      return true
    } catch (error) {
      this.#undecodable = head !== undefined
      throw error
    } finally {
      plain.end()
      if (this.#file !== undefined) closeSync(this.#file)
    }
  }

  /** Nothing is written before the head has been verified. */
  #begin(first: Buffer, plan: Plan): boolean {
    const beginning = first.subarray(0, plan.headBytes)
    if (!plan.isHead(beginning)) return false
    this.#verified = true
    const file = this.#ours(() => this.#directory.create(this.#target))
    this.#file = file
    this.#ours(() => writeSync(file, beginning, 0, beginning.length, 0))
    this.#write(first, 0, plan.keepFrom)
    return true
  }

  /** Bytes before `keepFrom` are acknowledged: there is a hole in their place. */
  #write(bytes: Buffer, offset: number, keepFrom: number): void {
    const skip = Math.max(0, keepFrom - offset)
    if (skip >= bytes.length) return
    this.written += bytes.length - skip
    this.full = this.written > this.#room
    for (let from = skip; !this.full && from < bytes.length; ) {
      from += this.#ours(() => writeSync(this.#file!, bytes, from, bytes.length - from, offset + from))
    }
  }

  /** What is done to the new file. That it fails says nothing of the archive. */
  #ours<T>(work: () => T): T {
    const failed = (error: unknown): never => {
      this.unwritable = true
      throw error
    }
    try {
      const result = work()
      return result instanceof Promise ? (result.catch(failed) as T) : result
    } catch (error) {
      return failed(error)
    }
  }
}
