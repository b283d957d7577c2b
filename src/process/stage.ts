/**
 * The stage: what is done with records between reading and delivery, in one pipeline.
 *
 *     read ─► records ─► redact ─► parse, time, level ─► filter, sample, limit ─► kept ─► delivery
 *             (framer)   (in place) (rows)               (dropped frames settle at once)     (partitions)
 *
 * It runs in the turn of the event loop in which the bytes were read, so nothing behind it ever sees what was redacted.
 * A mask is as long as what it hides, what was found in a record stands in its row, and a record that is dropped settles
 * with the name of its policy. Only then, and only once, do bytes move: those that are kept move together.
 *
 * Guarantees: no frame is looked at twice; a source without a plan is not looked at; of a slab without plans nothing is
 * changed.
 */
import type { Chunk, Origin, RecordShape, Slab } from '../chunk.ts'
import type { Kernel, RecordRule, RunRule, Timing, Unlevelled, Untimed } from '../kernel/kernel.ts'
import type { Partitioning } from '../partition.ts'
import type { TapInlet } from '../tap.ts'
import type { PartitionPlan } from './partition/compile.ts'
import { Partitioner } from './partition/partitioner.ts'
import { type Plans, roomBytes, type SourcePlan } from './plan.ts'
import { contextOf, LOOK_BACK } from './redact/context.ts'
import { type RedactCount, Redactor } from './redact/redactor.ts'
import { framesOf, type Selection, Selector } from './select/selector.ts'

/** What a redactor needs of the file before a chunk. */
const REDACT_CONTEXT = { bytes: LOOK_BACK, of: contextOf } as const

/** What is done with the records of one source, laid down. */
interface Steps {
  /** Runs of equal records are looked for, as the records stand in the file. */
  readonly runs: RunRule | undefined
  readonly redactor: Redactor | undefined
  /** The lines of a record are parts of one. */
  readonly parts: boolean
  /** Nothing is found in its records, and they have no rows. */
  readonly found: Found | undefined
}

/** What is found in records. */
interface Found {
  /** Addresses: of what its records may be, and of where their times and levels stand. 0: nothing is looked for. */
  readonly parse: number
  readonly time: number
  readonly level: number
  readonly shape: RecordShape
}

/** Lines, in which nothing has a name. */
const PLAIN = { slots: [], message: undefined, level: undefined, traceId: undefined, spanId: undefined }

export class Stage {
  /** Called with records that are not in any format that their source says. */
  onUnparsed: ((origin: Origin, records: number) => void) | undefined
  /** Called with records in which no time or no level was found, by why, where there are some. */
  onUntimed: ((origin: Origin, records: Untimed) => void) | undefined
  onUnlevelled: ((origin: Origin, records: Unlevelled) => void) | undefined
  /** Called with records that its backend does not tell apart, for there are too many different ones. */
  onBeyond: ((origin: Origin, records: number) => void) | undefined
  readonly #kernel: Kernel
  readonly #rules = new Map<string, RecordRule>()
  readonly #steps = new Map<string, Steps>()
  readonly #redactors = new Map<string, Redactor>()
  /** Room for what expressions find. */
  readonly #spans: number
  readonly #selector: Selector | undefined
  readonly #partitioner: Partitioner | undefined

  /**
   * Lays the tables of the plans into the kernel. `now` as `performance.now`. What was redacted in the stage `before` is
   * counted on. `partitioning`: how the backend tells records apart.
   */
  constructor(
    kernel: Kernel,
    plans: Plans,
    now: () => number = () => performance.now(),
    before?: Stage,
    partitioning?: Partitioning,
  ) {
    this.#kernel = kernel
    this.#spans = kernel.reserve(roomBytes(plans))
    const selections = new Map<string, Selection>()
    const partitions = new Map<string, PartitionPlan>()
    const lay = (part: { readonly table: Uint8Array } | undefined): number => (part ? kernel.lay(part.table) : 0)
    for (const [source, plan] of plans) {
      const { multiline, redact, parse, time, level, select, route } = plan
      if (multiline) this.#rules.set(source, { ...multiline, table: lay(multiline) })
      if (select || route?.select) selections.set(source, { source: select, backend: route?.select })
      if (route?.partition) partitions.set(source, route.partition)
      const redactor = redact && new Redactor(kernel, redact, this.#spans, before?.redacted.get(source))
      if (redactor) this.#redactors.set(source, redactor)
      // For how many records one stands is found too.
      const finds = [parse, time, level, select, route?.select].some(part => part !== undefined)
      const found = finds ? { parse: lay(parse), time: lay(time), level: lay(level), shape: shapeOf(plan) } : undefined
      if (redactor || found)
        this.#steps.set(source, { parts: multiline?.alone ?? false, runs: runsOf(plan), redactor, found })
    }
    this.#selector = selections.size > 0 ? new Selector(kernel, selections, now) : undefined
    if (partitioning && partitions.size > 0) {
      this.#partitioner = new Partitioner(kernel, partitioning, partitions, now)
      this.#partitioner.onBeyond = (origin, records) => this.onBeyond?.(origin, records)
    }
    // A context of a chunk may lie before the arena for a moment: tables are further away.
    if (this.#redactors.size > 0) kernel.reserve(LOOK_BACK)
  }

  /** Where records that are dropped are shown to viewers. */
  set tap(tap: TapInlet | undefined) {
    if (this.#selector) this.#selector.tap = tap
  }

  /** What was redacted so far, by source and rule. */
  get redacted(): ReadonlyMap<string, readonly RedactCount[]> {
    return new Map([...this.#redactors].map(([source, { counts }]) => [source, counts]))
  }

  /**
   * What reading has to know: how lines of a source become records, what a chunk needs of the file before it, and when a
   * run of equal records has ended.
   */
  readingOf(source: string): {
    readonly rule: RecordRule | undefined
    readonly lookBack: typeof REDACT_CONTEXT | undefined
    readonly runs: RunRule | undefined
  } {
    return {
      rule: this.#rules.get(source),
      lookBack: this.#redactors.has(source) ? REDACT_CONTEXT : undefined,
      runs: this.#steps.get(source)?.runs,
    }
  }

  /**
   * Processes the chunks from index `first` on, which were just added. Returns whether something of them was dropped, and
   * what follows it has moved: there is more room then.
   */
  apply(slab: Slab, first: number): boolean {
    if (this.#steps.size === 0) return false
    for (let index = first; index < slab.chunks.length; index++) {
      const chunk = slab.chunks[index]!
      if (this.#steps.get(chunk.origin.source)?.runs) this.#kernel.link(framesOf(slab, chunk))
      this.#process(slab, chunk)
    }
    const freed = this.#selector?.apply(slab, first) ?? false
    this.#partitioner?.apply(slab, first)
    return freed
  }

  /** Processes records that were kept before, and are sent again: none of them is dropped now. */
  revisit(slab: Slab): void {
    if (this.#steps.size === 0) return
    for (const chunk of slab.chunks) this.#process(slab, chunk)
    this.#partitioner?.apply(slab, 0)
  }

  /** How many different records its backend tells apart now; undefined: it tells none. */
  get partitions(): number | undefined {
    return this.#partitioner?.count
  }

  /** Milliseconds until a file may be read again of which more was read than its limit allows; 0: it may be read. */
  waitOf(origin: Origin): number {
    return this.#selector?.waitOf(origin) ?? 0
  }

  /** No file is passed over any more: there will be no later. */
  lift(): void {
    this.#selector?.lift()
  }

  #process(slab: Slab, chunk: Chunk): void {
    const { source } = chunk.origin
    const steps = this.#steps.get(source)
    if (steps === undefined) return
    const { redactor, found, parts } = steps
    if (parts && chunk.frames === 1 && !chunk.partial) {
      const { firstFrame: frame, start } = chunk
      slab.setEnd(frame, this.#kernel.joinParts(start, slab.endOf(frame)))
    }
    redactor?.redact(slab, chunk)
    if (found === undefined) return
    chunk.shape = found.shape
    const { ends, rows, row } = slab
    const { firstFrame: first, frames: count, start } = chunk
    const kernel = this.#kernel
    const atFileStart = slab.offsetOf(chunk, first) === 0
    const filling = { ends, first, count, start, rows, row }
    const { parse: table, time, level } = found
    const unparsed = kernel.extract({ ...filling, table, atFileStart, spans: this.#spans })
    if (unparsed > 0) this.onUnparsed?.(chunk.origin, unparsed)
    if (time !== 0) {
      const untimed = kernel.times(time, filling, timingOf(chunk))
      if (any(untimed)) this.onUntimed?.(chunk.origin, untimed)
    }
    if (level !== 0) {
      const unlevelled = kernel.levels(level, filling)
      if (any(unlevelled)) this.onUnlevelled?.(chunk.origin, unlevelled)
    }
  }
}

/** Of a source of which equal records are one: when a run has ended. */
function runsOf({ select }: SourcePlan): RunRule | undefined {
  const step = select?.steps.find(({ kind }) => kind === 'repeats')
  return step?.kind === 'repeats' ? { flush: step.flush, window: step.window } : undefined
}

/** What is found in the records of a source. */
function shapeOf({ parse, time, level, fields, route }: SourcePlan): RecordShape {
  const values = parse?.shape ?? PLAIN
  const choices = [fields, route?.fields].filter(choice => choice !== undefined)
  const places = { time: time?.slot, level: level?.slot ?? values.level, ...(choices.length > 0 && { choices }) }
  return { ...values, ...places, timed: time !== undefined, levelled: level !== undefined }
}

function timingOf({ offsets, fileStart, start, origin, readAt }: Chunk): Timing {
  const place = offsets ? { base: offsets.base, column: offsets.table } : { base: fileStart - start, column: 0 }
  return { ...place, salt: saltOf(origin.generation), readAt }
}

/** A number below 2^32 for a generation: those of two files, and two files' in two pods, are seldom the same. */
export function saltOf(generation: string): number {
  let salt = 0x811c9dc5
  for (let at = 0; at < generation.length; at++) salt = Math.imul(salt ^ generation.charCodeAt(at), 0x01000193)
  return salt >>> 0
}

function any(records: Untimed | Unlevelled): boolean {
  return Object.values(records).some(number => number > 0)
}
