/**
 * Looks: what is to be seen of an open file, and of those that it has to be compared with.
 *
 * This is the observing half of following: it reads and compares, and hands what follows (`decide.ts`), in turns
 * (`turns.ts`), to the follower, which does it.
 *
 * A file of a source that rests (`search-time.ts`) is owed a look, and has it before the source's others once it rests no
 * more. Until then nothing is known of what happened to it, so nothing is decided that would need that.
 */
import { fstatSync } from 'node:fs'
import { Effort } from '../directories/effort.ts'
import { isRelated } from '../files/names.ts'
import { compressionOf, isNoise, isPattern } from '../files/open.ts'
import type { Generation } from '../generation/generation.ts'
import type { Table } from '../generation/table.ts'
import type { Sight, Tailer } from '../generation/tailer.ts'
import { beginsLike } from '../rotation/siblings.ts'
import { type Change, decide, needsComparison } from './decide.ts'
import type { SearchTime } from './search-time.ts'
import { type Related, Turns } from './turns.ts'

/** An older file counts as one that is still written to for so long after a change: milliseconds. */
const ACTIVE_FOR = 10_000

/** What a look at a file showed; `begins`: its beginning was not known before. */
interface Seen {
  readonly sight: Sight
  readonly begins: boolean
}

/** What the follower does about a look. */
export interface Acts {
  /** The file has lost its name, or its last one. */
  moved(tailer: Tailer): void
  /** `now`: monotonic milliseconds of the look. */
  apply(tailer: Tailer, change: Change, now: number): void
}

const REPLACED: Seen = { sight: { kind: 'replaced' }, begins: false }

/** What was seen of a generation, and is not decided upon. */
interface Owed {
  readonly generation: Generation
  readonly seen: Seen
}

/** What files that are owed a look take before others: milliseconds. */
const TURN = 25
/** So many of those that come before a file are looked at before it: the last ones. */
const MOST_ELDERS = 8

export class Looks {
  /** Nothing is written any more, as far as is known: last lines without a line end count as unread. */
  final = false
  readonly #table: Table
  readonly #acts: Acts
  readonly #time: SearchTime
  readonly #turns: Turns<Tailer, Seen>
  /** By source: files that are owed a look, and what was seen of them already. */
  readonly #owed = new Map<string, Map<Tailer, Owed | undefined>>()
  /** Sources do not rest just now. */
  #urgent = false
  /** Monotonic milliseconds of the present look. */
  #now = 0

  constructor(table: Table, acts: Acts, time: SearchTime) {
    this.#table = table
    this.#acts = acts
    this.#time = time
    this.#turns = new Turns({
      identity: ({ closed, generation }) => (closed ? undefined : generation),
      observe: tailer => this.#observe(tailer),
      isDecisive: (tailer, { sight }) => needsComparison(sight, tailer.emptied),
      related: (tailer, { sight }) => (needsComparison(sight, tailer.emptied) ? [...this.#related(tailer)] : []),
      isLike: (tailer, other) => this.#isLike(tailer, other),
      conclude: (tailer, seen, copied) => this.#conclude(tailer, seen, copied),
      isTooLong: ({ generation }) => !this.#urgent && this.#time.rests(generation.origin.source),
      postpone: (tailer, seen) => this.#owe(tailer, seen),
    })
  }

  /** Looks at the file and at those that come before it, and does what follows from what it sees; later if its source rests. */
  look(tailer: Tailer, now = performance.now()): void {
    this.#now = now
    if (this.#mayLook(tailer)) this.#look(tailer)
    else this.#owe(tailer)
  }

  #look(tailer: Tailer): void {
    for (const elder of this.#eldersToLookAt(tailer)) this.#turns.take(elder)
    this.#turns.take(tailer)
  }

  /** Whether a file has its turn: those of its source that were owed one before it have had theirs. */
  #mayLook({ generation }: Tailer): boolean {
    // What is asked for within a decision belongs to it.
    if (this.#turns.running) return true
    const { source } = generation.origin
    const owed = this.#owed.get(source)
    if (owed === undefined) return !this.#time.rests(source)
    const effort = new Effort().begin()
    // What is owed again meanwhile stands behind them. There may be thousands, and this is asked for each file.
    let left = owed.size
    for (const [tailer, known] of owed) {
      if (left-- === 0 || this.#time.rests(source)) break
      if (effort.total >= TURN) return false
      owed.delete(tailer)
      if (tailer.closed) continue
      if (tailer.generation === known?.generation) this.#turns.take(tailer, known.seen)
      else this.#look(tailer)
    }
    if (owed.size === 0) this.#owed.delete(source)
    return !this.#time.rests(source)
  }

  /** Also if its source rests: without it nothing could be said of another one. */
  #lookNow(tailer: Tailer): void {
    const { source } = tailer.generation.origin
    const known = this.#owed.get(source)?.get(tailer)
    this.forget(tailer)
    this.#urgent = true
    if (known !== undefined && known.generation === tailer.generation) this.#turns.take(tailer, known.seen)
    else this.#look(tailer)
    this.#urgent = false
  }

  /** It has its turn as soon as may be. */
  #owe(tailer: Tailer, seen?: Seen): void {
    const { generation } = tailer
    const { source } = generation.origin
    const owed = this.#owed.get(source) ?? new Map<Tailer, Owed | undefined>()
    this.#owed.set(source, owed)
    owed.set(tailer, seen ? { generation, seen } : owed.get(tailer))
  }

  /** Whether a file is owed a look: what has happened to it is not known yet. */
  owes(tailer: Tailer): boolean {
    return this.#owed.get(tailer.generation.origin.source)?.has(tailer) === true
  }

  /** Whether any file is. */
  get behind(): boolean {
    for (const owed of this.#owed.values()) for (const { closed } of owed.keys()) if (!closed) return true
    return false
  }

  /** It is open no more. */
  forget(tailer: Tailer): void {
    this.#owed.get(tailer.generation.origin.source)?.delete(tailer)
  }

  /** What was written last to the file that had the name before comes first. */
  #eldersToLookAt(tailer: Tailer): Tailer[] {
    // There may be hundreds of them, each of which is looked at in its own time.
    const elders = this.#table.eldersOf(tailer, MOST_ELDERS)
    return elders.filter((elder, n) => n === elders.length - 1 || this.#now - elder.changedAt < ACTIVE_FOR)
  }

  #observe(tailer: Tailer): Seen {
    const before = tailer.state.kind
    const known = tailer.generation.head.length
    const sight = tailer.poll(this.#now, this.final)
    // Its name is not what stands in it: that it has lost it is taken note of at once.
    if (tailer.state.kind !== before) this.#acts.moved(tailer)
    return { sight, begins: known === 0 && tailer.generation.head.length > 0 }
  }

  /** The followed files that what stands in this one may have been copied from, each behind those that come before it. */
  *#related(tailer: Tailer): Generator<Related<Tailer>> {
    // A stale handle of a network file system: nothing can be compared.
    if (sizeOf(tailer) === undefined) return
    const table = this.#table
    const near = new Set(table.relativesOf(tailer.path))
    // What was renamed is still known by the name that another one carries now.
    const heir = tailer.state.kind === 'live' ? undefined : table.tailerAt(tailer.generation.origin.path)
    if (heir) near.add(heir)
    for (const other of near) {
      if (other.state.kind !== 'live' || other === tailer) continue
      if (other !== heir && !isRelated(tailer.path, other.path)) continue
      for (const elder of this.#eldersToLookAt(other)) yield { file: elder, compare: false }
      yield { file: other, compare: true }
    }
  }

  #isLike(tailer: Tailer, other: Tailer): boolean {
    // When nothing is written any more no truncation is to come that would explain it.
    if (this.final || other.closed) return false
    try {
      const stats = fstatSync(tailer.fd, { bigint: true })
      // No followed name may lead to a rotated one again: an empty file is not enough to let go of it (see `emptied`).
      if (tailer.state.kind !== 'live' && stats.size === 0n) return false
      return beginsLike({ kind: 'open', fd: tailer.fd, stats }, other)
    } catch {
      return false
    }
  }

  #conclude(tailer: Tailer, { sight, begins }: Seen, copied: boolean): void {
    const { emptied } = tailer
    const noise = sight.kind === 'replaced' && !copied && isShredded(tailer)
    const packed = sight.kind === 'intact' && sight.unread && isPacked(tailer)
    for (const change of decide({ sight, begins, emptied, copied, noise, packed }))
      this.#acts.apply(tailer, change, this.#now)
  }

  /** A reader has seen that other content stands in the file. */
  replaced(tailer: Tailer): void {
    this.#now = performance.now()
    if (this.#mayLook(tailer)) this.#turns.take(tailer, REPLACED)
    else this.#owe(tailer, REPLACED)
  }

  /**
   * Whether a file of which nothing is known is like one that is followed, the first of `others` for which `isLike` is
   * true. `claimed`: what had happened to one of them explains the file, which is followed by now as `isClaimed` says.
   * `postponed`, if that `mayWait`: the source of another one rests, since what was found out before took its time.
   */
  compare(
    others: Iterable<Tailer>,
    isLike: (other: Tailer) => boolean,
    isClaimed: () => boolean,
    mayWait = false,
  ): Tailer | 'claimed' | 'postponed' | undefined {
    this.#now = performance.now()
    for (const other of others) {
      if (mayWait && this.#time.rests(other.generation.origin.source)) return 'postponed'
      this.#lookNow(other)
      if (isClaimed()) return 'claimed'
      if (isLike(other)) return other
      // It may have been truncated while they were compared.
      this.#lookNow(other)
      if (isClaimed()) return 'claimed'
    }
    return undefined
  }
}

function sizeOf({ fd }: Tailer): bigint | undefined {
  try {
    return fstatSync(fd, { bigint: true }).size
  } catch {
    return undefined
  }
}

/** What was written into it since it was taken up begins like an archive, and nothing of it was read. */
function isPacked({ generation, state, fd }: Tailer): boolean {
  return generation.furthest === 0 && generation.idle && state.kind === 'live' && compressionOf(fd) !== undefined
}

/** A file that has lost its name and is written over in place, with what is no text: `shred`, before it is removed. */
function isShredded({ state, size, fd, generation }: Tailer): boolean {
  return state.kind !== 'live' && size > 0 && size >= generation.size && (isNoise(fd) || isPattern(fd))
}
