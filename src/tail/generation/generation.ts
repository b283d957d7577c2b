/**
 * A generation: one incarnation of one file, and the cursors that follow it.
 *
 *      0 ─────────── committed ───────────── read ───────── size
 *      │  settled      │  chunks in flight     │  not read yet │
 *
 * A cursor is one pipeline's position in one generation. Invariants, per cursor:
 *   1. committed ≤ read; both are frame boundaries; committed is the end of the contiguous settled prefix, never beyond
 *      a chunk that has not settled.
 *   2. read = delivered + rejected + dropped + in flight, in the ledger's account of this cursor.
 * A generation knows no file handle: it may outlive the one it began with (the copy of a copytruncate goes on with it).
 */
import { readSync } from 'node:fs'
import type { Chunk, ChunkOwner, Island, Origin } from '../../chunk.ts'
import { invariant } from '../../errors.ts'
import { type Account, book, type Drop, emptyOutcome, merge, type Settled } from '../../ledger.ts'
import {
  HEAD_BYTES,
  type Head,
  type Inode,
  identifiedId,
  type Marker,
  NO_MARKER,
  saltedId,
} from '../files/fingerprint.ts'
import { Growth } from '../files/growth.ts'
import type { SavedCursor, SavedGeneration } from '../state/saved.ts'
import { MOST_ENDS } from '../state/saved.ts'
import { Ahead } from './ahead.ts'

/** A chunk, a hole that was passed over, or what has settled behind something that has not, in the order of the file. */
interface Pending {
  readonly chunk: Chunk | undefined
  readonly fileEnd: number
  readonly marker: Marker
  readonly readAt: number
  /** What became of it; undefined while it is in flight. */
  outcome: Settled | undefined
}

/** Shared by all that have none: nothing is ever put into it. */
const NO_ISLANDS: Island[] = []

export class Cursor implements ChunkOwner {
  readonly backend: string
  readonly account: Account
  /** Everything before this offset has been read into chunks. */
  read: number
  /** What is known of the file beyond that. */
  readonly ahead: Ahead
  /** The marker before `read`. */
  marker: Marker
  /** True while it waits in its reader's round robin. */
  queued = false
  /** The generation goes on in a copy that holds less than this one has read: nothing is there for it any more. */
  beyond = false
  /** What stands before `read` is in no chunk that was just read, or is a line without its end. */
  apart = true
  #committed: SavedCursor
  #pending: Pending[] = []
  readonly #onCommit: () => void
  /** What settled before the configuration changed, and has not been passed yet: in the order of the file. */
  readonly #islands: Island[]

  /** `islands` lie behind `at`, and are in the books already. */
  constructor(
    backend: string,
    account: Account,
    at: SavedCursor,
    onCommit: () => void,
    islands: readonly Island[] = [],
  ) {
    this.backend = backend
    this.account = account
    this.read = at.offset
    this.ahead = new Ahead(at.offset)
    this.marker = at.marker
    this.#committed = at
    this.#onCommit = onCommit
    this.#islands = islands.length > 0 ? [...islands] : NO_ISLANDS
  }

  /** What lies before this offset was read, or looked at: the unfinished line is at least this long. */
  get scanned(): number {
    return this.ahead.due
  }

  /** The committed offset and the marker before it: what a checkpoint saves. */
  get committed(): SavedCursor {
    return this.#committed
  }

  /** Nothing is in flight. */
  get idle(): boolean {
    return this.#pending.length === 0
  }

  /** All of a file of `size` bytes is settled, but for a last line without an end, which is not due yet. */
  caughtUp(size: number): boolean {
    return this.idle && Math.max(this.read, this.scanned) >= size
  }

  /** When the oldest chunk in flight was read, in milliseconds since the epoch, or undefined. */
  get oldest(): number | undefined {
    return this.#pending[0]?.readAt
  }

  /** Takes note of a chunk that was just read; `marker` is the one before its end. */
  took(chunk: Chunk, marker: Marker): void {
    invariant(chunk.fileStart === this.read && chunk.fileEnd > this.read, 'a chunk must begin where the last one ended')
    this.#append({ chunk, fileEnd: chunk.fileEnd, marker, readAt: chunk.readAt, outcome: undefined })
    this.account.read(chunk.frames, chunk.fileEnd - chunk.fileStart)
    if (chunk.cutFrom > 0) this.account.truncated(1)
    this.apart = chunk.partial
    this.#moved(chunk.fileEnd, marker)
  }

  /**
   * Passes over bytes that are not shipped: read and dropped at once, in their place in the order. `padding`: the NULs
   * of a hole. `held_limit`: the rest of a deleted file, given up by the configured policy.
   */
  skipped(bytes: number, marker: Marker, reason: Drop = 'padding'): void {
    const outcome = emptyOutcome()
    book(outcome, { kind: 'dropped', reason }, 0, bytes)
    this.account.read(0, bytes)
    this.account.settle(outcome)
    this.#append({ chunk: undefined, fileEnd: this.read + bytes, marker, readAt: Date.now(), outcome })
    this.#moved(this.read + bytes, marker)
    this.#advance()
    this.#join(this.#pending.at(-1))
  }

  /** The next stretch that has settled already: reading ends in front of it, and passes it over. */
  get island(): Island | undefined {
    while (this.#islands[0] && this.#islands[0].from < this.read) this.#islands.shift()
    return this.#islands[0]
  }

  /** Passes over the island that begins where the cursor is; `marker` is the one before its end. */
  passed(marker: Marker): void {
    const island = this.#islands.shift()
    invariant(island?.from === this.read, 'an island is passed where it begins')
    const { to, outcome } = island
    this.apart = true
    this.#append({ chunk: undefined, fileEnd: to, marker, readAt: Date.now(), outcome })
    this.#moved(to, marker)
    this.#advance()
    this.#join(this.#pending.at(-1))
  }

  /** The file is gone: what has settled of it is committed, and needs no passing. Returns how many bytes that are. */
  forgo(): number {
    const islands = this.#islands.splice(0)
    for (const { outcome } of islands) this.account.commit(outcome)
    return islands.reduce((bytes, { from, to }) => bytes + to - from, 0)
  }

  /** Everything beyond the committed offset that has settled, in the order of the file. */
  islands(): Island[] {
    const islands: Island[] = []
    let from = this.#committed.offset
    for (const { chunk, outcome, fileEnd } of this.#pending) {
      if (outcome) islands.push({ from, to: fileEnd, outcome })
      else islands.push(...(chunk?.islands ?? []))
      from = fileEnd
    }
    return [...islands, ...this.#islands].sort((a, b) => a.from - b.from)
  }

  /** A chunk has settled, perhaps before others that stand in front of it. */
  settled(chunk: Chunk): void {
    const pending = this.#pending.find(candidate => candidate.chunk === chunk)
    invariant(pending !== undefined && pending.outcome === undefined, 'a chunk settled twice')
    pending.outcome = chunk.outcome
    this.account.settle(chunk.outcome)
    this.#advance()
    this.#join(pending)
  }

  /** It goes on under another handle: no reader has it queued, and nothing is known of what follows. */
  again(): void {
    this.queued = false
    this.ahead.restart()
  }

  #append(pending: Pending): void {
    // An empty array that is pushed to takes room for many, and of most files one chunk is under way at a time.
    if (this.#pending.length === 0) this.#pending = [pending]
    else this.#pending.push(pending)
  }

  #moved(read: number, marker: Marker): void {
    this.read = read
    this.ahead.moved(read)
    this.marker = marker
  }

  /**
   * Joins what has settled with what has settled around it: a single record may be in flight for long, and what is kept of
   * those behind it must not grow with their number.
   */
  #join(pending: Pending | undefined): void {
    const at = pending === undefined ? -1 : this.#pending.indexOf(pending)
    if (at < 0) return
    let first = at
    let last = at
    while (this.#pending[first - 1]?.outcome !== undefined) first--
    while (this.#pending[last + 1]?.outcome !== undefined) last++
    if (first === last) return
    const joined = this.#pending.slice(first, last + 1)
    const outcome = emptyOutcome()
    for (const part of joined) merge(outcome, part.outcome!)
    const { fileEnd, marker } = joined.at(-1)!
    const { readAt } = joined[0]!
    this.#pending.splice(first, joined.length, { chunk: undefined, fileEnd, marker, readAt, outcome })
  }

  #advance(): void {
    let end = 0
    for (const { outcome, fileEnd, marker } of this.#pending) {
      if (outcome === undefined) break
      this.account.commit(outcome)
      this.#committed = { offset: fileEnd, marker }
      end++
    }
    if (end === 0) return
    this.#pending.splice(0, end)
    this.#onCommit()
  }
}

/**
 * When other content began in the file of a generation: after that one did, and not after `modified`, when the file was
 * written to last. Others may have been made since that carry its name now. Nanoseconds since the epoch.
 */
export function begunAfter(former: bigint, modified: bigint, now = BigInt(Date.now()) * 1_000_000n): bigint {
  const at = modified > 0n && modified < now ? modified : now
  return at > former ? at : former + 1n
}

let made = 0
/** Shared by all that have none. */
const NO_ENDS: readonly SavedCursor[] = []
const NOTHING_SEEN: SavedCursor = { offset: 0, marker: NO_MARKER }

export class Generation {
  /** Where it was begun. Its id is complete once the first line is known: see `identify`. */
  #origin: Origin
  /** The id before the first line was known: what is kept for it on disk is named so, for it never changes. */
  readonly key: string
  /** The id without the salt: that is the same for all, and saved once. */
  #id: string
  readonly #salt: string
  /** Where it is now: the copy of a copytruncate has another inode than the file it was begun in. */
  inode: Inode
  readonly cursors: readonly Cursor[]
  /** The beginning of its content, as far as whole lines were seen, whether they were read or not. */
  head: Head
  /**
   * The largest size that was seen, without NULs at the end (`extent`): what lies behind `read` up to here is known to
   * have existed.
   */
  size: number
  /** Its beginning was looked at for what its source might have to say of its form. */
  examined = false
  /** The end that was seen last while something was unread: a copy of a file that was never read is known by it. */
  seen: SavedCursor = NOTHING_SEEN
  /**
   * Ends that it had before, the latest first, while something in front of them is not settled or the file is shorter than
   * a head. A copy that was made then ends there: what was written between it and the truncation is not in it.
   */
  ends: readonly SavedCursor[] = NO_ENDS
  /**
   * When it began, in nanoseconds since the epoch: the birth of its inode, or the truncation that it began with. Of
   * generations with one origin the one that began first is read first.
   */
  readonly begun: bigint
  /**
   * It did not begin before this, in nanoseconds since the epoch. That other content stands in a file shows when more of
   * it may have been written, and copied, already: then `begun` is late.
   */
  after: bigint
  /** When its bytes were written. */
  growth = new Growth()
  readonly #made = made++
  /** When that was, in milliseconds of the monotonic clock. */
  readonly takenUpAt = performance.now()
  /** It began in this process: nothing was known of it before. */
  fresh = false

  constructor(
    origin: Origin,
    inode: Inode,
    head: Head,
    size: number,
    cursors: readonly Cursor[],
    key = origin.generation,
    begun = BigInt(inode.birth),
    salt = '',
  ) {
    this.#id = origin.generation
    this.#salt = salt
    this.#origin = { ...origin, generation: saltedId(origin.generation, salt) }
    this.key = key
    this.inode = inode
    this.head = head
    this.size = size
    this.cursors = cursors
    this.begun = begun
    this.after = begun
  }

  get origin(): Origin {
    return this.#origin
  }

  /** A look showed `size`. */
  saw(size: number, now: number): void {
    this.size = size
    if (this.growth.saw(size, now)) this.growth.passed(this.settled, now)
  }

  /** Everything before this offset is settled, for every cursor. */
  get settled(): number {
    return Math.min(this.size, ...this.cursors.map(({ committed }) => committed.offset))
  }

  /** The file goes on behind `size`, where it had ended at the last look. */
  grew(size: number): void {
    const end = this.#endAt(size)
    const ends = end === undefined ? this.ends : [end, ...this.ends]
    const needed = ends.length > 0 ? this.#needed(ends) : []
    this.ends = needed.length > 0 ? needed.slice(0, MOST_ENDS) : NO_ENDS
  }

  /** What is known of the file in front of `size`, if it had been looked at or read up to there. */
  #endAt(size: number): SavedCursor | undefined {
    if (this.seen.offset === size) return size > 0 ? this.seen : undefined
    const cursor = this.cursors.find(({ read, beyond }) => read === size && !beyond)
    return cursor && cursor.marker.length > 0 ? { offset: size, marker: cursor.marker } : undefined
  }

  #needed(ends: readonly SavedCursor[]): SavedCursor[] {
    const { settled } = this
    // A copy that is shorter than a head is known by nothing else.
    const isShort = (ends[0]?.offset ?? 0) < HEAD_BYTES
    return isShort ? [...ends] : ends.filter(({ offset }) => offset > settled)
  }

  /** All that was seen has been read: markers of offsets say more. */
  forgetSeen(): void {
    this.seen = NOTHING_SEEN
  }

  /** Whether it comes before another one of the same origin. */
  isOlderThan(other: Generation): boolean {
    return this.begun < other.begun || (this.begun === other.begun && this.#made < other.#made)
  }

  /**
   * Takes the first line, or the beginning of it, into the id, before anything of the generation is sent. A process
   * that dies before its first checkpoint leaves no trace of what it sent; a file that was emptied and written anew
   * meanwhile must not send other lines under the ids of that.
   */
  identify(line: Uint8Array): void {
    if (this.#id !== this.key) return
    this.#id = identifiedId(this.key, line)
    const generation = saltedId(this.#id, this.#salt)
    this.#origin = { ...this.#origin, generation }
  }

  /** The furthest offset that any cursor has read to in the file where it is now. */
  get furthest(): number {
    return Math.max(0, ...this.cursors.map(({ read, beyond }) => (beyond ? 0 : read)))
  }

  /** Where the data of a file of this size ends, as far as any cursor knows: NULs behind that are room set aside. */
  extent(size: number): number {
    const known = this.cursors.map(({ ahead }) => ahead.extent(size)).filter(extent => extent < size)
    return known.length > 0 ? Math.max(...known) : size
  }

  /** Looks where the data had ended. Returns whether something was written there since. Never throws. */
  probe(fd: number): boolean {
    let written = false
    try {
      for (const { ahead } of this.cursors) {
        if (ahead.probe((bytes, position) => readSync(fd, bytes, 0, bytes.length, position))) written = true
      }
    } catch {
      // It cannot be read just now; the next look asks again.
    }
    return written
  }

  /** Every cursor has read `size` bytes and has nothing in flight. */
  doneAt(size: number): boolean {
    return this.cursors.every(cursor => cursor.read >= size && cursor.idle)
  }

  /** Nothing is in flight, however much is left unread. */
  get idle(): boolean {
    return this.cursors.every(cursor => cursor.idle)
  }

  /** `ended`: what is not read yet never will be, and has been accounted for. */
  save(path: string, ended = false): SavedGeneration {
    const written = this.growth.save(this.settled)
    const ends = this.ends.length > 0 ? this.#needed(this.ends) : NO_ENDS
    return {
      source: this.origin.source,
      origin: this.origin.path,
      path,
      inode: this.inode,
      id: this.head.length > 0 ? this.#id : this.key,
      key: this.key,
      head: this.head,
      size: this.size,
      begun: String(this.begun),
      ...(written && { written }),
      ...(this.seen.offset > this.furthest && !ended ? { seen: this.seen } : {}),
      ...(ends.length > 0 && { ends }),
      cursors: Object.fromEntries(
        this.cursors.map(({ backend, committed, read, beyond }) => [
          backend,
          ended || beyond ? { ...committed, end: read } : committed,
        ]),
      ),
    }
  }
}
