/**
 * The dead-letter file of one backend: what it refused for good, kept for people, and for `logshipper replay`.
 *
 *     <state.dir>/dead-letter/<backend>.ndjson    one JSON object per record, written before the record settles
 *
 * Guarantees: the file never grows beyond its limit; what finds no room, or cannot be written, is counted and said, and
 * holds nobody up: the ledger has it as rejected either way. A record is kept whole or not at all: what was written of
 * one that did not fit on the disk is taken back, and where it cannot be, as after a death in the middle of a line, the
 * next record begins a line of its own. The file may be moved away at any time, which is how a replay takes it; the next
 * record begins a new one. Text that is not UTF-8 is kept exactly.
 */
import { isUtf8 } from 'node:buffer'
import { closeSync, constants, fstatSync, ftruncateSync, openSync, readSync, statSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { makeDirectory } from '../directory.ts'
import { codeOf } from '../errors.ts'
import type { Logger } from '../log.ts'
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
  /** The line: as text if it is UTF-8, else in Base64. */
  readonly message?: string
  readonly messageBase64?: string
}

export interface DeadLetterNumbers {
  /** Records that were written, and those that were not because there was no room or they could not be. */
  written: number
  omitted: number
  /** Bytes of the file now. */
  bytes: number
}

const LINE_FEED = 10

/** As `fs.writeSync`: the bytes that were written, which may be fewer than there are. */
export type Write = (fd: number, bytes: Uint8Array, offset: number) => number

export class DeadLetterFile {
  readonly numbers: DeadLetterNumbers
  readonly path: string
  readonly #maxBytes: number
  readonly #log: Logger
  readonly #write: Write
  #fd: number | undefined
  /** Identity of what `#fd` is open on. */
  #inode = 0
  /** The file ends in the middle of a line. */
  #torn = false

  /** `before` is what was counted before, to go on from. */
  constructor(
    stateDir: string,
    backend: string,
    maxBytes: number,
    log: Logger,
    before?: DeadLetterNumbers,
    write: Write = writeSync,
  ) {
    this.numbers = { written: before?.written ?? 0, omitted: before?.omitted ?? 0, bytes: 0 }
    this.path = deadLetterPath(stateDir, backend)
    this.#maxBytes = maxBytes
    this.#log = log
    this.#write = write
    try {
      this.numbers.bytes = statSync(this.path).size
    } catch {
      // There is none yet.
    }
  }

  write(record: RejectedRecord): void {
    const text = `${JSON.stringify(letter(record))}\n`
    try {
      const fd = this.#open()
      const line = Buffer.from(this.#torn ? `\n${text}` : text)
      if (this.numbers.bytes + line.length > this.#maxBytes) {
        this.numbers.omitted++
        this.#log.error(
          { event: 'dead_letter_lost', file: this.path, maxBytes: this.#maxBytes, records: 1 },
          'the dead-letter file is full: rejected records are not kept',
        )
        return
      }
      this.#append(fd, line)
      this.numbers.written++
    } catch (error) {
      this.numbers.omitted++
      this.#log.error(
        { event: 'dead_letter_lost', file: this.path, code: codeOf(error), records: 1 },
        'the dead-letter file cannot be written: rejected records are not kept',
      )
    }
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd)
    this.#fd = undefined
  }

  /** Writes all of it, or throws and leaves the file as it was, as far as it can. */
  #append(fd: number, line: Buffer): void {
    const before = this.numbers.bytes
    let written = 0
    try {
      // A disk that is nearly full takes a part, and says so only of the next piece.
      while (written < line.length) {
        const taken = this.#write(fd, line, written)
        if (taken === 0) throw Object.assign(new Error('nothing was written'), { code: 'ENOSPC' })
        written += taken
        this.numbers.bytes += taken
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
      this.numbers.bytes = bytes
    } catch {
      this.#torn = true
    }
  }

  /** The file under its name, which may have been moved away since. */
  #open(): number {
    const there = statSync(this.path, { throwIfNoEntry: false })
    if (this.#fd !== undefined && there?.ino === this.#inode) return this.#fd
    this.close()
    makeDirectory(dirname(this.path))
    // Others may write into the folder: no link is followed, and what is no file must not hold us up.
    const { O_RDWR, O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = constants
    this.#fd = openSync(this.path, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o600)
    const stats = fstatSync(this.#fd)
    if (!stats.isFile()) {
      this.close()
      throw Object.assign(new Error('the dead-letter file is not a regular file'), { code: 'EINVAL' })
    }
    this.#inode = stats.ino
    this.numbers.bytes = stats.size
    const last = Buffer.alloc(1)
    this.#torn = stats.size > 0 && readSync(this.#fd, last, 0, 1, stats.size - 1) === 1 && last[0] !== LINE_FEED
    return this.#fd
  }
}

export function deadLetterPath(stateDir: string, backend: string): string {
  return join(deadLetterDirectory(stateDir), `${backend}.ndjson`)
}

export function deadLetterDirectory(stateDir: string): string {
  return join(stateDir, 'dead-letter')
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
    ...(isUtf8(frame) ? { message: frame.toString() } : { messageBase64: frame.toString('base64') }),
  }
}
