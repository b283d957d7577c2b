/**
 * The times that records get: nanoseconds since the epoch, one later for each record of a pipeline.
 *
 * A clock read per chunk is all there is; within it records are kept apart by counting. So no two records of a pipeline
 * have the same time, and a backend that takes equal text at an equal time for a repetition (Loki) never loses a line
 * that was written twice; a request that is sent again has the times it had. The digits below the millisecond begin at
 * random, for the same text may come from other pods at the same moment.
 *
 * Guarantees: times ascend while the clock does; a clock that was set back by more than two seconds is followed, so
 * that one that was ahead for a moment is not believed until the real time has caught up.
 */
import type { Slab } from '../../chunk.ts'

const MILLISECOND = 1_000_000n

/** A clock that jitters by no more than this is not followed back: milliseconds. */
const JITTER = 2_000

/** A time that the clock has not reached: it comes from another clock, or from this one before it was set back. */
export function isAhead(nanos: bigint, now: number): boolean {
  return nanos > BigInt(now + JITTER) * MILLISECOND
}

/** Backends take no time that is farther ahead (Loki's `creation_grace_period`): milliseconds, a little less. */
const AHEAD = 9 * 60_000
/**
 * Times go on getting older while a record waits. So one that is found in a record is used only up to a part of what the
 * backend takes, and records wait for no longer than the rest of it until it is asked again.
 */
const OWN = { share: 3 / 4 }

/** The times of their own that records may have which are read at that time, for a backend that takes none older than `age`. */
export function ownTimes(readNanos: bigint, age: number): { readonly oldest: bigint; readonly newest: bigint } {
  return {
    oldest: readNanos - BigInt(Math.floor(age * OWN.share)) * MILLISECOND,
    newest: readNanos + BigInt(AHEAD) * MILLISECOND,
  }
}

/** How long records may wait until their times must be looked at again: milliseconds. `timed`: some have their own. */
export function patience(age: number, timed: boolean): number {
  return timed ? age - Math.floor(age * OWN.share) : age
}

export class RecordTimes {
  readonly #random: () => number
  readonly #now: () => number
  #salt: bigint
  #next = 0n

  /** `random` as `Math.random`, `now` as `Date.now`. */
  constructor(random: () => number = Math.random, now: () => number = Date.now) {
    this.#random = random
    this.#now = now
    this.#salt = this.#digits()
  }

  /** Assigns every chunk of the slab its time. `at`: milliseconds since the epoch, if not when it was read. */
  assign(slab: Slab, at?: number): void {
    for (const chunk of slab.chunks) chunk.recordTimeNanos = this.next(chunk.frames, at ?? chunk.readAt)
  }

  /** The time of the first of so many records; each further one is a nanosecond later. */
  next(records: number, at: number): bigint {
    const now = this.#now()
    if (isAhead(this.#next, now)) {
      // These moments come a second time: other digits keep their records apart from those that had them first.
      this.#salt = this.#digits()
      this.#next = 0n
    }
    // Nothing was read in the future.
    const read = BigInt(at > now + JITTER ? now : at) * MILLISECOND + this.#salt
    // A clock that jitters, a slab that waited while a later one was given new times, or more records than nanoseconds.
    const nanos = read > this.#next ? read : this.#next
    this.#next = nanos + BigInt(records)
    return nanos
  }

  #digits(): bigint {
    return BigInt(Math.floor(this.#random() * 900_000))
  }
}
