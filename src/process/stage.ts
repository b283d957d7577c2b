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
import type { Chunk, RecordShape, Slab } from '../chunk.ts'
import type { Kernel, RecordRule } from '../kernel/kernel.ts'
import { type Plans, roomBytes } from './plan.ts'

/** What is done with the records of one source, laid down. */
interface Steps {
  /** Address of what its records may be. */
  readonly parse: number
  readonly shape: RecordShape
}

export class Stage {
  readonly #kernel: Kernel
  readonly #rules = new Map<string, RecordRule>()
  readonly #steps = new Map<string, Steps>()
  readonly #unparsed = new Map<string, number>()
  /** Room for what expressions find. */
  readonly #spans: number

  /** Lays the tables of the plans into the kernel. */
  constructor(kernel: Kernel, plans: Plans) {
    this.#kernel = kernel
    this.#spans = kernel.reserve(roomBytes(plans))
    for (const [source, { multiline, parse }] of plans) {
      if (multiline) this.#rules.set(source, { ...multiline, table: kernel.lay(multiline.table) })
      if (parse === undefined) continue
      this.#steps.set(source, {
        parse: kernel.lay(parse.table),
        shape: { ...parse.shape, timed: false, levelled: false },
      })
      this.#unparsed.set(source, 0)
    }
  }

  /** Records of each source that no parser took, and that were sent as they are. */
  get unparsed(): ReadonlyMap<string, number> {
    return this.#unparsed
  }

  /** How lines of a source become records; undefined: each is one. */
  ruleOf(source: string): RecordRule | undefined {
    return this.#rules.get(source)
  }

  /** Processes the chunks from index `first` on, which were just added. */
  apply(slab: Slab, first: number): void {
    if (this.#steps.size === 0) return
    for (let index = first; index < slab.chunks.length; index++) this.#process(slab, slab.chunks[index]!)
  }

  /** Processes records that were kept before, and are sent again: none of them is dropped now. */
  revisit(slab: Slab): void {
    this.apply(slab, 0)
  }

  #process(slab: Slab, chunk: Chunk): void {
    const { source } = chunk.origin
    const steps = this.#steps.get(source)
    if (steps === undefined) return
    chunk.shape = steps.shape
    const { ends, rows, row } = slab
    const { firstFrame: first, frames: count, start } = chunk
    const atFileStart = slab.offsetOf(chunk, first) === 0
    const frames = { ends, first, count, start, rows, row, atFileStart }
    const unparsed = this.#kernel.extract({ ...frames, table: steps.parse, spans: this.#spans })
    if (unparsed > 0) this.#unparsed.set(source, this.#unparsed.get(source)! + unparsed)
  }
}
