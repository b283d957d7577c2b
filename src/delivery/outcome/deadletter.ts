/**
 * The dead-letter file of one backend: what it refused for good, kept for people, and for `logshipper replay`.
 *
 *     <state.dir>/dead-letter/<backend>.ndjson    one JSON object per record, written before the record settles
 *
 * Guarantees: the file never grows beyond its limit; what finds no room, or cannot be written, is counted and logged, and
 * delays nothing: the ledger has it as rejected either way. A record is kept whole or not at all: what was written of
 * one that did not fit on the disk is taken back, and where it cannot be, as after a death in the middle of a line, the
 * next record begins a line of its own. Some of the volume stays free for checkpoints, without which nothing that was
 * acknowledged would be known after a restart. The file may be moved away at any time, which is how a replay takes it; the next
 * record begins a new one. Text that is not UTF-8 is kept exactly. The file is one of ours in a directory of ours
 * (`private.ts`): what else has its name is neither written to nor waited for.
 */
import { isUtf8 } from 'node:buffer'
import { closeSync, ftruncateSync, readSync, statfsSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { codeOf } from '../../errors.ts'
import type { Logger } from '../../log.ts'
import { Refused } from '../../private.ts'
import type { StateDirectory } from '../../state.ts'
import type { RejectedRecord } from './settlement.ts'

/** One line of the file. Everything that is needed to send the record again under the same id. */
export interface DeadLetter {
  /** When it was rejected (RFC 3339), and why. */
  readonly rejectedAt: string
  readonly reason: string
  readonly status: number | null
  readonly source: string
  readonly file: string
  readonly generation: string
  /** Offset of the line in its file. */
  readonly offset: number
  readonly labels: Readonly<Record<string, string>>
  /** When it was read: milliseconds since the epoch. */
  readonly readAt: number
  /** Bytes that the line had before it was cut; 0 if it was not. */
  readonly cutFrom: number
  readonly partial: boolean
  /** It may be several lines, and goes on with another record. */
  readonly joined?: boolean
  readonly continued?: boolean
  /** The line: as text if it is UTF-8, else in Base64. */
  readonly message?: string
  readonly messageBase64?: string
}

export interface DeadLetterStats {
  /** Records that were written, and those that were not because there was no room or they could not be. */
  written: number
  omitted: number
  /** Bytes of the file now. */
  bytes: number
  /** Bytes that it may have. */
  readonly limit: number
}

const LINE_FEED = 10

/** As `fs.writeSync`: the bytes that were written, which may be fewer than there are. */
export type Write = (fd: number, bytes: Uint8Array, offset: number) => number

/** Bytes of the volume at a path that are free, and that there are; undefined if they are not known. */
export type Room = (path: string) => { readonly free: number; readonly total: number } | undefined

/** What stays free, as two checkpoints of ten thousand files take, and no more of a small volume than this share. */
const RESERVE = 16 << 20
const MOST_RESERVED = 1 / 4

export class DeadLetterFile {
  readonly stats: DeadLetterStats
  readonly #state: StateDirectory
  readonly #name: string
  readonly #maxBytes: number
  readonly #log: Logger
  readonly #write: Write
  readonly #room: Room
  #fd: number | undefined
  /** Identity of what `#fd` is open on. */
  #inode = 0n
  /** The file ends in the middle of a line. */
  #torn = false

  /** `before` is what was counted before, to go on from. */
  constructor(
    state: StateDirectory,
    backend: string,
    maxBytes: number,
    log: Logger,
    before?: DeadLetterStats,
    write: Write = writeSync,
    room: Room = roomAt,
  ) {
    this.stats = { written: before?.written ?? 0, omitted: before?.omitted ?? 0, bytes: 0, limit: maxBytes }
    this.#state = state
    this.#name = deadLetterName(backend)
    this.#maxBytes = maxBytes
    this.#log = log
    this.#write = write
    this.#room = room
    try {
      this.stats.bytes = Number(state.existing('dead-letter')?.stat(this.#name)?.size ?? 0)
    } catch {
      // It is not known yet.
    }
  }

  /** Where it is, or would be. */
  get path(): string {
    const directory = this.#state.existing('dead-letter')
    return directory?.pathOf(this.#name) ?? join(this.#state.path, 'dead-letter', this.#name)
  }

  write(record: RejectedRecord): void {
    const text = `${JSON.stringify(letter(record))}\n`
    try {
      const fd = this.#open()
      const line = Buffer.from(this.#torn ? `\n${text}` : text)
      if (this.stats.bytes + line.length > this.#maxBytes) {
        this.stats.omitted++
        this.#log.error(
          { event: 'dead_letter_lost', file: this.path, maxBytes: this.#maxBytes, records: 1 },
          'dead-letter file is full; rejected records are not kept',
        )
        return
      }
      this.#append(fd, line)
      this.stats.written++
    } catch (error) {
      this.stats.omitted++
      const found = error instanceof Refused ? { found: error.found, allowed: error.allowed } : {}
      this.#log.error(
        { event: 'dead_letter_lost', file: this.path, code: codeOf(error), ...found, records: 1 },
        'dead-letter file cannot be written; rejected records are not kept',
      )
    }
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd)
    this.#fd = undefined
  }

  /** Writes all of it, or throws and leaves the file as it was, as far as it can. */
  #append(fd: number, line: Buffer): void {
    const before = this.stats.bytes
    const room = this.#room(this.#state.path)
    if (room && room.free - line.length < Math.min(RESERVE, room.total * MOST_RESERVED)) throw full()
    let written = 0
    try {
      // A disk that is nearly full takes a part, and says so only of the next piece.
      while (written < line.length) {
        const taken = this.#write(fd, line, written)
        if (taken === 0) throw full()
        written += taken
        this.stats.bytes += taken
      }
      this.#torn = false
    } catch (error) {
      if (written > 0) this.#takeBack(fd, before)
      throw error
    }
  }

  #takeBack(fd: number, bytes: number): void {
    try {
      ftruncateSync(fd, bytes)
      this.stats.bytes = bytes
    } catch {
      this.#torn = true
    }
  }

  /** The file under its name, which may have been moved away since. */
  #open(): number {
    const directory = this.#state.sub('dead-letter')
    const there = directory.stat(this.#name)
    if (this.#fd !== undefined && there?.ino === this.#inode) return this.#fd
    this.close()
    const { fd, stats } = directory.openToAppend(this.#name)
    const size = Number(stats.size)
    this.#fd = fd
    this.#inode = stats.ino
    this.stats.bytes = size
    const last = Buffer.alloc(1)
    this.#torn = size > 0 && readSync(fd, last, 0, 1, size - 1) === 1 && last[0] !== LINE_FEED
    return fd
  }
}

function full(): NodeJS.ErrnoException {
  return Object.assign(new Error('no space left on the volume'), { code: 'ENOSPC' })
}

function roomAt(path: string): ReturnType<Room> {
  try {
    const { bavail, blocks, bsize } = statfsSync(path)
    return { free: bavail * bsize, total: blocks * bsize }
  } catch {
    return undefined
  }
}

export function deadLetterName(backend: string): string {
  return `${backend}.ndjson`
}

function letter({ chunk, offset, frame, reason, status }: RejectedRecord): DeadLetter {
  const { source, path, generation, labels } = chunk.origin
  return {
    rejectedAt: new Date().toISOString(),
    reason,
    status: status ?? null,
    source,
    file: path,
    generation,
    offset,
    labels,
    readAt: chunk.readAt,
    cutFrom: chunk.cutFrom,
    partial: chunk.partial,
    ...(chunk.joined && { joined: true }),
    ...(chunk.continued && { continued: true }),
    ...(isUtf8(frame) ? { message: frame.toString() } : { messageBase64: frame.toString('base64') }),
  }
}
