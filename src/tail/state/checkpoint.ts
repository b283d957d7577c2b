/**
 * Checkpoints: what survives us. For each generation its fingerprint and, for each backend, the committed offset with
 * the marker before it; for each source and backend the committed view of the ledger.
 *
 * The file is one header line (format version, checksum, length of the body) and a JSON body. It is written as
 * temporary file and rename, which a death of the process cannot undo. For a power cut a copy is written before it and
 * synchronized, once a minute and when that is asked for:
 *
 *     each save                                   checkpoint.tmp ─► checkpoint
 *     a synchronized one      checkpoint.tmp, fsync ─► checkpoint.previous, then the same, then fsync of the directory
 *
 * So `checkpoint.previous` is always on the disk, and nothing that is not takes its place. What a power cut takes away
 * with the saves after it is sent again, under ids that were never used (`boot.ts`). Where the boot is not told each save
 * is synchronized.
 *
 * A damaged or newer file is never trusted and never fatal: the previous copy is used, else files are read again from the
 * start, and the log says so; of a whole one, entries that cannot be are dropped, one by one, and counted. A directory
 * that cannot be written, or is not ours alone, stops nothing: `fault` says why, and saving is retried each time. Nor does
 * a save that does not end, on a volume that does not answer: `savingFor` says for how long, and it is logged once.
 * `unsavedBytes` says how much is settled that no file knows of.
 */
import { randomBytes } from 'node:crypto'
import { fsync } from 'node:fs'
import { rename } from 'node:fs/promises'
import { promisify } from 'node:util'
import { crc32 } from 'node:zlib'
import { CLOCK, type Clock } from '../../clock.ts'
import { codeOf } from '../../errors.ts'
import { total } from '../../ledger.ts'
import type { Logger } from '../../log.ts'
import { type PrivateDirectory, Refused } from '../../private.ts'
import { Reminder } from '../../reminder.ts'
import type { StateDirectory } from '../../state.ts'
import { limitsFor } from '../files/limits.ts'
import { type Booted, currentBoot, isBoot } from './boot.ts'
import { type Member, membersOf } from './entries.ts'
import { generationOf, isEpoch, type SavedGeneration, type SavedTotals, totalsOf, writtenOf } from './saved.ts'

const VERSION = 1
/** How many generations a checkpoint may name beside files that are followed: finished ones, and those that are sought. */
const MORE = 2048
/** How long it may be: one takes some 400 bytes. */
const BYTES_EACH = 1024
const MOST_BYTES = 64 * 1024 * 1024
/** Totals: sources times backends; and reasons in all of them. */
const MOST_TOTALS = 10_000
const MOST_REASONS = 20_000

/** The body of the checkpoint file. */
export interface Checkpoint extends Booted {
  /** Random, as old as the state directory. Part of every generation's id. */
  readonly epoch: string
  readonly generations: readonly SavedGeneration[]
  readonly totals: readonly SavedTotals[]
  /** Set by the last save of a process that ended in order. */
  readonly clean: boolean
}

/** What is to be saved: generations are asked for one after the other while the file's content is made, within one turn. */
export interface Snapshot extends Omit<Checkpoint, 'generations'> {
  readonly generations: Iterable<SavedGeneration>
}

/** How the last save ended. Where there is no state directory there is nothing to save. */
export type LastSave =
  | { readonly kind: 'saved' }
  /** `unsavedBytes`: acknowledged, and sent again by the next process. */
  | { readonly kind: 'failed'; readonly code: string; readonly unsavedBytes: number }

/** Milliseconds after which a save hangs, and not only takes long. */
const HANGS = 30_000
/** Milliseconds from one synchronized save to the next: two calls each, of the file and of the directory. */
const SYNC_EVERY = 60_000
/** And at least so many from a save that is not to the synchronized one that follows it. */
const SYNC_AFTER = 1000

/** Why the state directory cannot be used, if it cannot. */
export type Fault = { readonly code: string; readonly since: number }

export class CheckpointStore {
  readonly dir: string | null
  readonly state: StateDirectory | null
  /** Null where the system does not tell. */
  readonly boot: string | null
  readonly #log: Logger
  readonly #clock: Clock
  #fault: Fault | undefined
  #reminder = new Reminder(0)
  #saving: Promise<boolean> | undefined
  #queued: Promise<boolean> | undefined
  #snapshot: (() => Snapshot) | undefined
  /** Whether the save that is queued is to be synchronized. */
  #sync = false
  /** Where the last synchronized save went, and when its snapshot was taken. */
  #synced: { readonly directory: PrivateDirectory; readonly at: number } | undefined
  /** Something was saved since. */
  #unsynced = false
  #savingSince: number | undefined
  /** Bytes that are settled by what is on the disk, by source and backend. */
  #kept: ReadonlyMap<string, number> = new Map()

  /** `state` null: nothing is loaded or saved. */
  constructor(state: StateDirectory | null, log: Logger, clock: Clock = CLOCK, boot = currentBoot()) {
    this.state = state
    this.boot = boot
    this.dir = state?.path ?? null
    this.#log = log
    this.#clock = clock
  }

  get fault(): Fault | undefined {
    return this.#fault
  }

  /** How long the save takes already that has not ended: milliseconds, 0 if there is none. */
  get savingFor(): number {
    return this.#savingSince === undefined ? 0 : this.#clock.now() - this.#savingSince
  }

  /** Milliseconds until what was saved should be synchronized; undefined if it is, or cannot be saved. */
  get syncDue(): number | undefined {
    if (!this.#unsynced || this.#fault !== undefined) return undefined
    return Math.max(SYNC_AFTER, (this.#synced?.at ?? 0) + SYNC_EVERY - this.#clock.now())
  }

  /** Whether what was there at a moment of the clock is on the disk, whatever happens to the power. */
  isSynced(at: number): boolean {
    return this.#synced !== undefined && at < this.#synced.at
  }

  /** Goes on where another store for the same directory ended. */
  succeed(before: CheckpointStore): void {
    this.#kept = before.#kept
  }

  /** Bytes that are settled by `totals` and not by what is on the disk: the next process sends them again. */
  unsavedBytes(totals: readonly SavedTotals[]): number {
    let bytes = 0
    for (const [key, settled] of bytesOf(totals)) bytes += Math.max(0, settled - (this.#kept.get(key) ?? 0))
    return bytes
  }

  /** The last good checkpoint, or a fresh one. */
  async load(): Promise<Checkpoint> {
    const fresh: Checkpoint = { epoch: randomBytes(8).toString('hex'), generations: [], totals: [], clean: true }
    if (this.state === null) return fresh
    const current = await this.#read('checkpoint')
    // A death in the middle of a save: what is whole is later than what it was to replace, and as true.
    const unfinished = await this.#read('checkpoint.tmp')
    if (
      unfinished.kind === 'ok' &&
      (current.kind !== 'ok' || current.checkpoint.epoch === unfinished.checkpoint.epoch)
    ) {
      return this.#accept(unfinished)
    }
    if (current.kind === 'ok') return this.#accept(current)
    const previous = await this.#read('checkpoint.previous')
    if (previous.kind === 'ok') {
      this.#log.warn(
        { event: 'checkpoint_fallback', dir: this.dir, found: current.kind === 'bad' ? current.why : 'none' },
        'the checkpoint cannot be used; the previous copy is, and lines since then are sent again',
      )
      // Whatever it says of the end of its process, something was saved after it.
      return { ...this.#accept(previous), clean: false }
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

  #accept({ checkpoint, refused }: Extract<ReadResult, { kind: 'ok' }>): Checkpoint {
    if (refused > 0) this.refused(refused, 'entries that this program never writes')
    this.#kept = bytesOf(checkpoint.totals)
    return checkpoint
  }

  /** Says that entries of the checkpoint are not used. */
  refused(entries: number, found: string): void {
    this.#log.warn(
      { event: 'checkpoint_entry_refused', dir: this.dir, entries, found },
      'entries of the checkpoint are not used; their files are read from the start',
    )
  }

  async #read(name: string): Promise<ReadResult> {
    const most = mostGenerations()
    try {
      const content = await this.state!.directory.read(name, Math.min(MOST_BYTES, most * BYTES_EACH))
      return content === undefined ? { kind: 'none' } : await inTurns(parsing(content, most))
    } catch (error) {
      return { kind: 'bad', why: whyOf(error) }
    }
  }

  /**
   * Saves what `snapshot` returns; a save that is asked for while one is running follows it. `sync`: not even a power cut
   * may undo it. Resolves to whether it is saved; never rejects.
   */
  save(snapshot: () => Snapshot, sync = false): Promise<boolean> {
    const { state } = this
    if (state === null) return Promise.resolve(false)
    if (this.#saving) {
      // Everybody who asks meanwhile is served by one save that begins when this one has ended, and takes the latest
      // snapshot: the one of an orderly end must not be lost to one that was asked for before.
      this.#snapshot = snapshot
      this.#sync ||= sync
      this.#queued ??= this.#saving.then(() => {
        const together = this.#sync
        this.#queued = undefined
        this.#sync = false
        return this.save(this.#snapshot ?? snapshot, together)
      })
      return this.#queued
    }
    this.#savingSince = this.#clock.now()
    const cancel = this.#sayIfItHangs(state.path)
    const checkpoint = snapshot()
    // The totals are those of the accounts, which go on.
    const settled = bytesOf(checkpoint.totals)
    // Only the bytes live on while they are written.
    this.#saving = this.#write(state, encode(checkpoint), sync, this.#savingSince)
      .then(saved => {
        if (saved) this.#kept = settled
        return saved
      })
      .finally(() => {
        cancel()
        this.#saving = undefined
        this.#savingSince = undefined
      })
    return this.#saving
  }

  #mustSync(directory: PrivateDirectory, now: number): boolean {
    if (this.boot === null || this.#synced === undefined) return true
    return directory !== this.#synced.directory || now - this.#synced.at >= SYNC_EVERY
  }

  #sayIfItHangs(dir: string): () => void {
    return this.#clock.after(HANGS, () =>
      this.#log.error(
        { event: 'state_write_hangs', dir, seconds: HANGS / 1000 },
        'a save of the state has not ended; shipping goes on, a restart would send again',
      ),
    )
  }

  /** `at`: when the snapshot was taken. */
  async #write(state: StateDirectory, content: readonly Uint8Array[], asked: boolean, at: number): Promise<boolean> {
    const { dir } = this
    try {
      const { directory } = state
      const take = async (name: string): Promise<void> => {
        state.replaces(name)
        await rename(directory.at('checkpoint.tmp'), directory.at(name))
      }
      const sync = asked || this.#mustSync(directory, at)
      if (sync) {
        await writeNew(directory, 'checkpoint.tmp', content, sync)
        await take('checkpoint.previous')
      }
      await writeNew(directory, 'checkpoint.tmp', content)
      await take('checkpoint')
      if (sync) {
        await promisify(fsync)(directory.descriptor)
        this.#synced = { directory, at }
      }
      this.#unsynced = !sync
    } catch (error) {
      const code = codeOf(error)
      const now = performance.now()
      const news = this.#fault?.code !== code
      if (news) {
        this.#fault = { code, since: Date.now() }
        this.#reminder = new Reminder(now)
      }
      if (news || this.#reminder.due(now)) {
        const failingSeconds = Math.round((now - this.#reminder.began) / 1000)
        const refused = error instanceof Refused && { path: error.path, found: error.found, allowed: error.allowed }
        this.#log.error(
          { event: 'state_write_failed', dir, code, ...refused, failingSeconds },
          'the state directory cannot be written; shipping goes on, a restart would send again',
        )
      }
      return false
    }
    if (this.#fault) this.#log.info({ event: 'state_written_again', dir }, 'the state directory can be written again')
    this.#fault = undefined
    return true
  }
}

/** Bytes that are settled, by source and backend. */
function bytesOf(totals: readonly SavedTotals[]): Map<string, number> {
  return new Map(totals.map(({ source, backend, settled }) => [`${source}\0${backend}`, total(settled).bytes]))
}

/** Generations that are written into one piece, and bytes up to which all of it is. */
const PIECE = 64
const AT_ONCE = 64 * 1024

/**
 * The content of the file, in pieces, each made of a few generations at a time: as one text, or one list of thousands of
 * files, it would take as much of V8's heap as everything else.
 */
function encode({ generations, ...rest }: Snapshot): Uint8Array[] {
  const pieces: Buffer[] = []
  let some: object[] = []
  const add = (): void => {
    const list = JSON.stringify(some).slice(1, -1)
    pieces.push(Buffer.from(pieces.length === 0 ? list : `,${list}`))
    some = []
  }
  for (const generation of generations) if (some.push(writtenOf(generation)) === PIECE) add()
  if (some.length > 0) add()
  const before = '{"generations":['
  const after = `],${JSON.stringify(rest).slice(1)}`
  const body = [Buffer.from(before), ...pieces, Buffer.from(after)]
  const sum = body.reduce((crc, piece) => crc32(piece, crc), 0)
  const length = body.reduce((all, piece) => all + piece.length, 0)
  const content = [Buffer.from(`logshipper-checkpoint ${VERSION} ${sum} ${length}\n`), ...body]
  // Each piece is a call of its own, for which another thread and then this one are woken.
  return length <= AT_ONCE ? [Buffer.concat(content)] : content
}

/** A new file; or nothing of it. `sync`: all of it is on the disk. */
async function writeNew(directory: PrivateDirectory, name: string, content: readonly Uint8Array[], sync = false) {
  const handle = await directory.createAsync(name)
  try {
    await handle.writeFile(content)
    if (sync) await handle.sync()
    // Network file systems say only here that there was no room.
    await handle.close()
  } catch (error) {
    directory.remove(name)
    await handle.close()
    throw error
  }
}

/** How many generations a checkpoint may name: as many as could be followed within the memory that there is. */
function mostGenerations(): number {
  return limitsFor().all + MORE
}

function whyOf(error: unknown): string {
  return error instanceof Refused ? error.message : codeOf(error)
}

type ReadResult =
  /** `refused`: entries that cannot be, and are not used. */
  { kind: 'ok'; checkpoint: Checkpoint; refused: number } | { kind: 'none' } | { kind: 'bad'; why: string }

/** Milliseconds of one turn that is spent on reading. */
const TURN = 25

/** Entries of thousands of files are read in several turns. */
async function inTurns(parse: Generator<void, ReadResult>): Promise<ReadResult> {
  for (let until = performance.now() + TURN; ; ) {
    const { done, value } = parse.next()
    if (done) return value
    if (performance.now() < until) continue
    await new Promise(setImmediate)
    until = performance.now() + TURN
  }
}

/** Exported for the tests: every byte string is either a whole checkpoint or a reason. */
export function parseCheckpoint(content: Buffer, most = mostGenerations()): ReadResult {
  const parse = parsing(content, most)
  for (;;) {
    const { done, value } = parse.next()
    if (done) return value
  }
}

function* parsing(content: Buffer, most: number): Generator<void, ReadResult> {
  const line = content.subarray(0, 100).indexOf(10)
  const header = /^logshipper-checkpoint (\d+) (\d+) (\d+)$/.exec(content.toString('latin1', 0, Math.max(0, line)))
  if (!header) return { kind: 'bad', why: 'not a checkpoint' }
  if (Number(header[1]) !== VERSION) return { kind: 'bad', why: `format ${header[1]}, this program reads ${VERSION}` }
  const body = content.subarray(line + 1)
  if (body.length !== Number(header[3]) || crc32(body) !== Number(header[2])) return { kind: 'bad', why: 'damaged' }
  const parts = membersOf(body, Math.max(most, MOST_TOTALS))
  const epoch = scalarOf(parts?.members.get('epoch'))
  const boot = optional(parts?.members.get('boot'), isBoot)
  const salt = optional(parts?.members.get('salt'), isEpoch)
  const generations = parts?.members.get('generations')
  const totals = parts?.members.get('totals')
  const fits = isEpoch(epoch) && boot.fits && salt.fits
  if (parts === undefined || !fits || generations?.kind !== 'array' || totals?.kind !== 'array') {
    return { kind: 'bad', why: 'not what a checkpoint holds' }
  }
  let refused = parts.dropped
  let reasons = 0
  const counted = (value: unknown): SavedTotals | undefined => {
    const each = totalsOf(value)
    if (each === undefined) return undefined
    const more = Object.keys(each.settled.rejected).length + Object.keys(each.settled.dropped).length
    if (reasons + more > MOST_REASONS) return undefined
    reasons += more
    return each
  }
  const accepted = function* <T>(elements: readonly (Buffer | undefined)[], of: (value: unknown) => T | undefined) {
    const all: T[] = []
    for (const [n, bytes] of elements.entries()) {
      const each = of(parsed(bytes))
      if (each === undefined) refused++
      else all.push(each)
      if (n % PIECE === 0) yield
    }
    return all
  }
  const checkpoint: Checkpoint = {
    epoch,
    generations: yield* accepted(generations.elements, generationOf),
    totals: yield* accepted(totals.elements, counted),
    clean: scalarOf(parts.members.get('clean')) === true,
    ...(boot.value !== undefined && { boot: boot.value }),
    ...(salt.value !== undefined && { salt: salt.value }),
  }
  return { kind: 'ok', checkpoint, refused }
}

/** A member that need not be there, but is what it should be if it is. */
function optional(member: Member | undefined, is: (value: unknown) => value is string): Optional {
  if (member === undefined) return { fits: true, value: undefined }
  const value = scalarOf(member)
  return is(value) ? { fits: true, value } : { fits: false, value: undefined }
}

type Optional = { readonly fits: boolean; readonly value: string | undefined }

function scalarOf(member: Member | undefined): unknown {
  return member?.kind === 'value' ? parsed(member.bytes) : undefined
}

function parsed(bytes: Buffer | undefined): unknown {
  try {
    return bytes === undefined ? undefined : JSON.parse(bytes.toString())
  } catch {
    return undefined
  }
}
