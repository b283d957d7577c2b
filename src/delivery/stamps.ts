/**
 * The times that records get: nanoseconds since the epoch, one later for each record of a pipeline.
 *
 * A clock read per chunk is all there is; within it records are told apart by counting. So no two records of a pipeline
 * have the same time, and a backend that takes equal text at an equal time for a repetition (Loki) never loses a line
 * that was written twice; a request that is sent again has the times it had. The digits below the millisecond begin at
 * random, for the same text may come from other pods at the same moment.
 */
import type { Slab } from '../chunk.ts'

const MILLISECOND = 1_000_000n

export class Stamps {
  readonly #salt: bigint
  #next = 0n

  /** `random` as `Math.random`. */
  constructor(random: () => number = Math.random) {
    this.#salt = BigInt(Math.floor(random() * 900_000))
  }

  /** Gives every chunk of the slab its time. `at`: milliseconds since the epoch, if not when it was read. */
  give(slab: Slab, at?: number): void {
    for (const chunk of slab.chunks) {
      const read = BigInt(at ?? chunk.readAt) * MILLISECOND + this.#salt
      // A clock that was set back, or more records than nanoseconds.
      chunk.stamp = read > this.#next ? read : this.#next
      this.#next = chunk.stamp + BigInt(chunk.frames)
    }
  }
}
