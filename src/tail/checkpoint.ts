/**
 * Checkpoints: what survives us. For each generation its fingerprint and, for each backend, the committed offset with
 * the marker before it; for each source and backend the committed view of the ledger.
 *
 * The file is one header line (format version, checksum, length of the body) and a JSON body. It is written as
 * temporary file, fsync, rename, fsync of the folder, and the copy before it is kept. A damaged or newer file is
 * never trusted and never fatal: the previous copy is used, else files are read again from the start, and the log says
 * so. A folder that cannot be written stops nothing: `fault` says why, and saving is tried again each time. Nor does a
 * save that does not end, on a volume that does not answer: `savingFor` says for how long, and it is logged once.
 */
import { randomBytes } from 'node:crypto'
import { type BigIntStats, statSync } from 'node:fs'
import { type FileHandle, open, readFile, rename, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { CLOCK, type Clock } from '../clock.ts'
import { makeDirectory } from '../directory.ts'
import { codeOf } from '../errors.ts'
import type { Settled } from '../ledger.ts'
import type { Logger } from '../log.ts'
import { Reminder } from '../reminder.ts'
import type { Head, Inode, Marker } from './fingerprint.ts'
import type { SavedStretch } from './growth.ts'

const VERSION = 1
const FILES = ['checkpoint', 'checkpoint.previous', 'checkpoint.tmp'] as const
const OURS = ['pins/', 'unpacked/', 'dead-letter/', 'claim.'] as const
/** Larger files are not ours: 100,000 generations take about 40 MiB. */
const MAX_BYTES = 64 * 1024 * 1024

export interface SavedCursor {
  readonly offset: number
  readonly marker: Marker
  /** Nothing behind this offset will be read, and it has been accounted for: the file is gone or was replaced. */
  readonly end?: number
}

/** One generation, as saved. */
export interface SavedGeneration {
  readonly source: string
  /** The path it was first seen under, and the one it was last seen under. */
  readonly origin: string
  readonly path: string
  readonly inode: Inode
  /** The generation's id, and what it was before its first line was known: its pin is named so. */
  readonly id: string
  readonly key: string
  readonly head: Head
  /** The largest size that was seen. */
  readonly size: number
  /** When it began, in nanoseconds since the epoch: see `Generation`. Absent: when its inode was born. */
  readonly begun?: string
  /** The end that was seen last, if it lies beyond what was read. */
  readonly seen?: SavedCursor
  /** When what is not settled was written: see `growth.ts`. Absent if that is not long ago. */
  readonly written?: readonly SavedStretch[]
  /** It was read to its end and closed: it is remembered only in case its name comes back. */
  readonly done?: boolean
  /** Beside `done`: its inode is gone, and what is known of its content is kept for archives that were made of it. */
  readonly gone?: boolean
  /** By backend name. */
  readonly cursors: Readonly<Record<string, SavedCursor>>
}

export interface SavedTotals {
  readonly source: string
  readonly backend: string
  readonly settled: Settled
  readonly vanishedBytes?: number
}

/** The body of the checkpoint file. */
export interface Checkpoint {
  /** Random, as old as the state folder. Part of every generation's id. */
  readonly epoch: string
  readonly generations: readonly SavedGeneration[]
  readonly totals: readonly SavedTotals[]
  /** Set by the last save of a process that ended in order. */
  readonly clean: boolean
}

/** Milliseconds after which a save hangs, and not only takes long. */
const HANGS = 30_000

/** Why the state folder cannot be used, if it cannot. */
export type Fault = { readonly code: string; readonly since: number }

export class CheckpointStore {
  readonly dir: string | null
  readonly #log: Logger
  readonly #clock: Clock
  #fault: Fault | undefined
  #reminder = new Reminder(0)
  #saving: Promise<boolean> | undefined
  #queued: Promise<boolean> | undefined
  #snapshot: (() => Checkpoint) | undefined
  #savingSince: number | undefined

  /** `dir` null: nothing is loaded or saved. */
  constructor(dir: string | null, log: Logger, clock: Clock = CLOCK) {
    this.dir = dir
    this.#log = log
    this.#clock = clock
  }

  /** Whether the path is one of ours: the state folder may lie among the logs. */
  owns(path: string): boolean {
    const { dir } = this
    return (
      dir !== null &&
      (FILES.some(name => path === join(dir, name)) || OURS.some(name => path.startsWith(join(dir, name))))
    )
  }

  /** Whether an open file is one of ours under another name: who links it into a followed folder must not have it shipped. */
  holds({ dev, ino, nlink }: BigIntStats): boolean {
    const { dir } = this
    if (dir === null || nlink < 2n) return false
    return FILES.some(name => {
      const ours = statSync(join(dir, name), { bigint: true, throwIfNoEntry: false })
      return ours?.dev === dev && ours.ino === ino
    })
  }

  get fault(): Fault | undefined {
    return this.#fault
  }

  /** How long the save takes already that has not ended: milliseconds, 0 if there is none. */
  get savingFor(): number {
    return this.#savingSince === undefined ? 0 : this.#clock.now() - this.#savingSince
  }

  /** The last good checkpoint, or a fresh one. */
  async load(): Promise<Checkpoint> {
    const fresh: Checkpoint = { epoch: randomBytes(8).toString('hex'), generations: [], totals: [], clean: true }
    if (this.dir === null) return fresh
    const current = await readCheckpoint(join(this.dir, 'checkpoint'))
    // A death in the middle of a save: what is whole is later than what it was to replace, and as true.
    const unfinished = await readCheckpoint(join(this.dir, 'checkpoint.tmp'))
    if (
      unfinished.kind === 'ok' &&
      (current.kind !== 'ok' || current.checkpoint.epoch === unfinished.checkpoint.epoch)
    ) {
      return unfinished.checkpoint
    }
    if (current.kind === 'ok') return current.checkpoint
    const previous = await readCheckpoint(join(this.dir, 'checkpoint.previous'))
    if (previous.kind === 'ok') {
      this.#log.warn(
        { event: 'checkpoint_fallback', dir: this.dir, found: current.kind === 'bad' ? current.why : 'none' },
        'the checkpoint cannot be used; the previous copy is, and lines since then are sent again',
      )
      // Whatever it says of the end of its process, something was saved after it.
      return { ...previous.checkpoint, clean: false }
    }
    if (current.kind === 'bad' || previous.kind === 'bad') {
      const found = [current, previous].flatMap(result => (result.kind === 'bad' ? [result.why] : [])).join('; ')
      this.#log.error(
        { event: 'checkpoint_unusable', dir: this.dir, found },
        'no checkpoint can be used; all files are read again from the start',
      )
      return { ...fresh, clean: false }
    }
    return fresh
  }

  /**
   * Saves what `snapshot` returns; a save that is asked for while one is running follows it. Resolves to whether the
   * state is on disk; never rejects.
   */
  save(snapshot: () => Checkpoint): Promise<boolean> {
    if (this.dir === null) return Promise.resolve(false)
    if (this.#saving) {
      // Everybody who asks meanwhile is served by one save that begins when this one has ended, and takes the latest
      // snapshot: the one of an orderly end must not be lost to one that was asked for before.
      this.#snapshot = snapshot
      this.#queued ??= this.#saving.then(() => {
        this.#queued = undefined
        return this.save(this.#snapshot ?? snapshot)
      })
      return this.#queued
    }
    this.#savingSince = this.#clock.now()
    const cancel = this.#sayIfItHangs(this.dir)
    // Only the bytes live on while they are written.
    this.#saving = this.#write(this.dir, encode(snapshot())).finally(() => {
      cancel()
      this.#saving = undefined
      this.#savingSince = undefined
    })
    return this.#saving
  }

  #sayIfItHangs(dir: string): () => void {
    return this.#clock.after(HANGS, () =>
      this.#log.error(
        { event: 'state_write_hangs', dir, seconds: HANGS / 1000 },
        'a save of the state has not ended; shipping goes on, a restart would send again',
      ),
    )
  }

  async #write(dir: string, content: readonly Uint8Array[]): Promise<boolean> {
    try {
      makeDirectory(dir)
      const temporary = join(dir, 'checkpoint.tmp')
      await withHandle(temporary, 'w', async handle => {
        await handle.writeFile(content)
        await handle.sync()
      })
      // Between the two renames there is no `checkpoint`: a death just here finds `checkpoint.previous`.
      await rename(join(dir, 'checkpoint'), join(dir, 'checkpoint.previous')).catch((error: unknown) => {
        if (codeOf(error) !== 'ENOENT') throw error
      })
      await rename(temporary, join(dir, 'checkpoint'))
      await withHandle(dir, 'r', handle => handle.sync())
    } catch (error) {
      const code = codeOf(error)
      const now = performance.now()
      const news = this.#fault?.code !== code
      if (news) {
        this.#fault = { code, since: Date.now() }
        this.#reminder = new Reminder(now)
      }
      if (news || this.#reminder.due(now)) {
        this.#log.error(
          { event: 'state_write_failed', dir, code, failingSeconds: Math.round((now - this.#reminder.began) / 1000) },
          'the state folder cannot be written; shipping goes on, a restart would send again',
        )
      }
      return false
    }
    if (this.#fault) this.#log.info({ event: 'state_written_again', dir }, 'the state folder can be written again')
    this.#fault = undefined
    return true
  }
}

/** Generations that are written into one piece. */
const PIECE = 256

/**
 * The content of the file, in pieces: as one text, of thousands of files it would take as much of V8's heap as everything
 * else.
 */
function encode({ generations, ...rest }: Checkpoint): Uint8Array[] {
  const pieces: Buffer[] = []
  for (let from = 0; from < generations.length; from += PIECE) {
    const list = JSON.stringify(generations.slice(from, from + PIECE)).slice(1, -1)
    pieces.push(Buffer.from(from === 0 ? list : `,${list}`))
  }
  const before = '{"generations":['
  const after = `],${JSON.stringify(rest).slice(1)}`
  const body = [Buffer.from(before), ...pieces, Buffer.from(after)]
  const sum = body.reduce((crc, piece) => crc32(piece, crc), 0)
  const length = body.reduce((all, piece) => all + piece.length, 0)
  return [Buffer.from(`logshipper-checkpoint ${VERSION} ${sum} ${length}\n`), ...body]
}

async function withHandle(path: string, flags: string, work: (handle: FileHandle) => Promise<void>): Promise<void> {
  const handle = await open(path, flags, 0o600)
  try {
    await work(handle)
  } finally {
    await handle.close()
  }
}

type ReadResult = { kind: 'ok'; checkpoint: Checkpoint } | { kind: 'none' } | { kind: 'bad'; why: string }

async function readCheckpoint(path: string): Promise<ReadResult> {
  let content: Buffer
  try {
    const { size } = await stat(path)
    if (size > MAX_BYTES) return { kind: 'bad', why: `${size} bytes, at most ${MAX_BYTES} are allowed` }
    content = await readFile(path)
  } catch (error) {
    const code = codeOf(error)
    return code === 'ENOENT' ? { kind: 'none' } : { kind: 'bad', why: code }
  }
  return parseCheckpoint(content)
}

/** Exported for the tests: every byte string is either a whole checkpoint or a reason. */
export function parseCheckpoint(content: Buffer): ReadResult {
  const line = content.indexOf(10)
  const header = /^logshipper-checkpoint (\d+) (\d+) (\d+)$/.exec(content.toString('latin1', 0, Math.max(0, line)))
  if (!header) return { kind: 'bad', why: 'not a checkpoint' }
  if (Number(header[1]) !== VERSION) return { kind: 'bad', why: `format ${header[1]}, this program reads ${VERSION}` }
  const body = content.subarray(line + 1)
  if (body.length !== Number(header[3]) || crc32(body) !== Number(header[2])) return { kind: 'bad', why: 'damaged' }
  try {
    const checkpoint: unknown = JSON.parse(body.toString())
    return isCheckpoint(checkpoint) ? { kind: 'ok', checkpoint } : { kind: 'bad', why: 'not what a checkpoint holds' }
  } catch {
    return { kind: 'bad', why: 'not JSON' }
  }
}

/** Others may write to the volume: what resuming leans on is checked, however right the checksum is. */
function isCheckpoint(value: unknown): value is Checkpoint {
  if (!isRecord(value) || typeof value.epoch !== 'string') return false
  const { generations, totals } = value
  return (
    Array.isArray(generations) && generations.every(isGeneration) && Array.isArray(totals) && totals.every(isTotals)
  )
}

function isGeneration(value: unknown): boolean {
  if (!isRecord(value) || !isRecord(value.inode) || !isRecord(value.head) || !isRecord(value.cursors)) return false
  const { source, origin, path, id, key, inode, head, size, begun, seen, written, cursors } = value
  return (
    [source, origin, path, id, key, head.hash].every(text => typeof text === 'string') &&
    [inode.dev, inode.ino, inode.birth].every(number => typeof number === 'string' && /^\d{1,20}$/.test(number)) &&
    [size, head.length, head.crc ?? 0].every(isCount) &&
    (begun === undefined || (typeof begun === 'string' && /^\d{1,20}$/.test(begun))) &&
    (seen === undefined || isCursor(seen)) &&
    (written === undefined || Array.isArray(written)) &&
    Object.values(cursors).every(isCursor)
  )
}

function isCursor(value: unknown): boolean {
  return isRecord(value) && isCount(value.offset) && isRecord(value.marker) && isCount(value.marker.length)
}

function isTotals(value: unknown): boolean {
  if (!isRecord(value) || typeof value.source !== 'string' || typeof value.backend !== 'string') return false
  const { settled } = value
  if (!isRecord(settled) || !isRecord(settled.rejected) || !isRecord(settled.dropped)) return false
  return [settled.delivered, ...Object.values(settled.rejected), ...Object.values(settled.dropped)].every(
    tally => isRecord(tally) && isCount(tally.lines) && isCount(tally.bytes),
  )
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0
}
