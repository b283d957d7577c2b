/**
 * The ledger: the account of every byte and line.
 *
 * One account per (source, backend), which all files of the source book into. Conservation, at every moment and in every
 * account:
 *
 *     read = delivered + rejected + dropped + in flight
 *
 * In flight is never stored: it is what the others leave. Beside these stand the losses that happened before anyone
 * could read (`lost`) and what reading had to mend (`repaired`, `truncated`, `padding`); they are counted so that
 * the numbers add up to what was on the volume, and they are not part of the equation.
 *
 * Two views of the same account: *live* is what happened in this process; *committed* is what a checkpoint may save,
 * that is, only what lies before the committed offset. A process that is killed resumes from the committed view, so
 * that bytes it has to send again are not counted twice.
 */
import { invariant } from './errors.ts'

/** A number of lines and of the file's bytes they came from (their line ends included). */
export interface Tally {
  lines: number
  bytes: number
}

/**
 * What became of frames: `reason` is a short word from a fixed set, or the name of a rule in the configuration, never
 * content. The one drop that needs no policy is `padding`: the NUL bytes that fill a hole in a file.
 */
export type Outcome =
  | { readonly kind: 'delivered' }
  | { readonly kind: 'rejected'; readonly reason: string }
  | { readonly kind: 'dropped'; readonly reason: string }

/** Why something may be dropped: NULs of a hole, and what is unread of deleted files beyond `state.held`. */
export const DROPS = ['padding', 'held_limit'] as const
export type Drop = (typeof DROPS)[number]

export const DELIVERED: Outcome = { kind: 'delivered' }

/** Why a record has no time of its own: none was there; it was none; it lies before 1990, or more than a day ahead. */
export const TIME_FAULTS = ['missing', 'unreadable', 'old', 'ahead'] as const
/** Why a record has no level: none was there; it is not known. */
export const LEVEL_FAULTS = ['missing', 'unknown'] as const
export type Untimed = Record<(typeof TIME_FAULTS)[number], number>
export type Unlevelled = Record<(typeof LEVEL_FAULTS)[number], number>

/** The settled part of an account, as it is saved and shown. */
export interface Settled {
  delivered: Tally
  rejected: Record<string, Tally>
  dropped: Record<string, Tally>
}

export interface Statement extends Settled {
  read: Tally
  inFlight: Tally
  /** Bytes that are known to have been on the volume and could not be read: truncated or deleted before we looked. */
  lostBytes: number
  /** Lines cut to the size limit. */
  truncatedLines: number
  /** Invalid UTF-8 sequences replaced by U+FFFD. */
  repairedSequences: number
  /** Records that are not in any format that their source says. */
  unparsedRecords: number
  /** Records without the labels or the index that their values ask for: there are too many different ones. */
  unpartitionedRecords: number
  /** Records in which a time or a level was looked for and not found. */
  untimedRecords: Untimed
  unlevelledRecords: Unlevelled
  /** Generations of files that were begun. */
  generations: number
}

const tally = (): Tally => ({ lines: 0, bytes: 0 })

/** Shared by all that has none, and that is nearly everything: of thousands of files empty objects take megabytes. */
const NO_REASONS: Record<string, Tally> = Object.freeze({})

/** What nothing has settled in yet. */
export const emptyOutcome = (): Settled => ({ delivered: tally(), rejected: NO_REASONS, dropped: NO_REASONS })

/** Reasons of one account: of more than these, which takes names that changed for years, the others have one together. */
export const MOST_REASONS = 512

export function book(into: Settled, outcome: Outcome, lines: number, bytes: number): void {
  let entry: Tally
  if (outcome.kind === 'delivered') entry = into.delivered
  else {
    if (into[outcome.kind] === NO_REASONS) into[outcome.kind] = {}
    const reasons = into[outcome.kind]
    let { reason } = outcome
    // Reasons come from answers too: a name that every object has must not be found there.
    if (!Object.hasOwn(reasons, reason)) {
      if (Object.keys(reasons).length >= MOST_REASONS - 1) reason = 'other'
      if (!Object.hasOwn(reasons, reason)) reasons[reason] = tally()
    }
    entry = reasons[reason]!
  }
  entry.lines += lines
  entry.bytes += bytes
}

/** Adds all of `from` to `into`. */
export function merge(into: Settled, from: Settled): void {
  book(into, DELIVERED, from.delivered.lines, from.delivered.bytes)
  for (const kind of ['rejected', 'dropped'] as const) {
    for (const [reason, { lines, bytes }] of Object.entries(from[kind])) book(into, { kind, reason }, lines, bytes)
  }
}

export function sum(reasons: Record<string, Tally>): Tally {
  const total = tally()
  for (const { lines, bytes } of Object.values(reasons)) {
    total.lines += lines
    total.bytes += bytes
  }
  return total
}

/** All that settled, whatever became of it. */
export function total(account: Settled): Tally {
  const rejected = sum(account.rejected)
  const dropped = sum(account.dropped)
  return {
    lines: account.delivered.lines + rejected.lines + dropped.lines,
    bytes: account.delivered.bytes + rejected.bytes + dropped.bytes,
  }
}

export class Account {
  readonly #read: Tally
  readonly #live: Settled
  readonly #committed: Settled
  lostBytes = 0
  truncatedLines = 0
  repairedSequences = 0
  unparsedRecords = 0
  unpartitionedRecords = 0
  readonly untimedRecords: Untimed = { missing: 0, unreadable: 0, old: 0, ahead: 0 }
  readonly unlevelledRecords: Unlevelled = { missing: 0, unknown: 0 }
  generations = 0

  /** `saved` is the committed view of an earlier process: what it settled counts as read here. */
  constructor(saved: Settled = emptyOutcome()) {
    this.#live = emptyOutcome()
    this.#committed = emptyOutcome()
    merge(this.#live, saved)
    merge(this.#committed, saved)
    this.#read = total(saved)
  }

  read(lines: number, bytes: number): void {
    this.#read.lines += lines
    this.#read.bytes += bytes
  }

  /** Books what became of a chunk. */
  settle(part: Settled): void {
    merge(this.#live, part)
  }

  /** Moves what a chunk settled into the committed view. */
  commit(part: Settled): void {
    merge(this.#committed, part)
  }

  lost(bytes: number): void {
    this.lostBytes += bytes
  }

  truncated(lines: number): void {
    this.truncatedLines += lines
  }

  repaired(sequences: number): void {
    this.repairedSequences += sequences
  }

  unparsed(records: number): void {
    this.unparsedRecords += records
  }

  unpartitioned(records: number): void {
    this.unpartitionedRecords += records
  }

  untimed(records: Readonly<Untimed>): void {
    for (const why of TIME_FAULTS) this.untimedRecords[why] += records[why]
  }

  unlevelled(records: Readonly<Unlevelled>): void {
    for (const why of LEVEL_FAULTS) this.unlevelledRecords[why] += records[why]
  }

  generation(): void {
    this.generations++
  }

  /** Goes on from what another account has counted beside the equation. */
  resume(before: Account): void {
    const { truncatedLines, repairedSequences, unparsedRecords, unpartitionedRecords, generations } = before
    Object.assign(this.untimedRecords, before.untimedRecords)
    Object.assign(this.unlevelledRecords, before.unlevelledRecords)
    this.truncatedLines = truncatedLines
    this.unparsedRecords = unparsedRecords
    this.unpartitionedRecords = unpartitionedRecords
    this.repairedSequences = repairedSequences
    this.generations = generations
  }

  get inFlight(): Tally {
    const done = total(this.#live)
    return { lines: this.#read.lines - done.lines, bytes: this.#read.bytes - done.bytes }
  }

  /** What a checkpoint may save. */
  get committed(): Settled {
    return structuredClone(this.#committed)
  }

  statement(): Statement {
    const inFlight = this.inFlight
    invariant(inFlight.bytes >= 0 && inFlight.lines >= 0, 'more was settled than was read')
    return {
      read: { ...this.#read },
      ...structuredClone(this.#live),
      inFlight,
      lostBytes: this.lostBytes,
      truncatedLines: this.truncatedLines,
      repairedSequences: this.repairedSequences,
      unparsedRecords: this.unparsedRecords,
      unpartitionedRecords: this.unpartitionedRecords,
      untimedRecords: { ...this.untimedRecords },
      unlevelledRecords: { ...this.unlevelledRecords },
      generations: this.generations,
    }
  }
}

/** All accounts of the process, by source and backend. */
export class Ledger {
  readonly #accounts = new Map<string, { source: string; backend: string; account: Account }>()

  /** The account of one source at one backend, opened on first use. */
  account(source: string, backend: string, saved?: Settled, lostBytes = 0): Account {
    const key = JSON.stringify([source, backend])
    const known = this.#accounts.get(key)
    if (known) return known.account
    const account = new Account(saved)
    account.lost(lostBytes)
    this.#accounts.set(key, { source, backend, account })
    return account
  }

  *[Symbol.iterator](): Generator<{ source: string; backend: string; account: Account }> {
    yield* this.#accounts.values()
  }
}
