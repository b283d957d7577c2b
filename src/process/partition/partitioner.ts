/**
 * The partitioner: gives each record that was kept the number of its partition, in one pipeline.
 *
 *     values of a record ─► book (kernel) ─► number, in its row
 *                             └─ not in it: what is their text? ─► the number that this text has, or the next one
 *
 * Each combination of values is looked at here once, and a number stands for it from then on; records are not. There are at
 * most so many numbers within a window of time. Beyond, a record has number 0, which says none of its values, and is counted.
 *
 * Guarantees: a record keeps its number for as long as it is in memory, so what is sent again is the same; a text has one
 * number; a record that has none for its time has that of its other values; neither the numbers nor what is kept for them grows beyond what was set aside.
 */
import type { Chunk, Origin, RecordShape, Slab } from '../../chunk.ts'
import { type Frames, type Kernel, NO_TIME } from '../../kernel/kernel.ts'
import { LAYOUT } from '../../kernel/module.ts'
import type { Partitioning, Partitions, RecordPartition } from '../../partition.ts'
import type { PartitionPlan } from './compile.ts'

/** Combinations for each number: a value may be written in several ways, and texts leave out what they cannot hold. */
const COMBINATIONS = 4
/** Bytes that are set aside for each number and for each combination. */
const TEXT_BYTES = 512
const ENTRY_BYTES = 128
/** And so that few of them have room, whatever they are. */
const SLACK = 16 * 1024
/** A text that is longer has no number: bytes. */
const LONGEST_TEXT = 8 * 1024
/** The place of a text, in the table before them. */
const PLACE = 8
/** A sixth of the severities of OpenTelemetry each. */
const WORDS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal']

/** Bytes that a partitioner takes beside its plans. */
export function partitionBytes(most: number): number {
  return align(bookBytes(most)) + align(textBytes(most))
}

const placesOf = (most: number): number => 2 ** Math.ceil(Math.log2(2 * COMBINATIONS * most + 2))
const headOf = (most: number): number => LAYOUT.PARTITION_BOOK_HEAD + 4 * placesOf(most)
const bookBytes = (most: number): number => headOf(most) + COMBINATIONS * most * ENTRY_BYTES + SLACK
// Number 0 may have a text too.
const textBytes = (most: number): number => (PLACE + TEXT_BYTES) * (most + 1) + SLACK
const align = (bytes: number): number => Math.ceil(bytes / 16) * 16

/** The numbers of one window. */
interface Window {
  readonly begun: number
  readonly numbers: Map<string, number>
  readonly texts: { readonly at: number; readonly bytes: Uint8Array }[]
  /** Where the next text goes. */
  end: number
  /** There are no further numbers. */
  closed: boolean
  /** What is said of records, by what else is known of them. */
  readonly shapes: WeakMap<RecordShape, RecordShape>
}

export class Partitioner {
  /** Called with records that have no number of their own, although they have values. */
  onBeyond: ((origin: Origin, records: number) => void) | undefined
  readonly #kernel: Kernel
  readonly #partitioning: Partitioning
  readonly #now: () => number
  /** By source. */
  readonly #plans = new Map<string, { readonly plan: PartitionPlan; readonly address: number }>()
  readonly #book: number
  readonly #texts: number
  #window: Window

  /** Lays the plans into the kernel. `now` as `performance.now`. */
  constructor(
    kernel: Kernel,
    partitioning: Partitioning,
    plans: ReadonlyMap<string, PartitionPlan>,
    now: () => number,
  ) {
    this.#kernel = kernel
    this.#partitioning = partitioning
    this.#now = now
    for (const [source, plan] of plans) this.#plans.set(source, { plan, address: kernel.lay(plan.table) })
    this.#book = kernel.reserve(bookBytes(partitioning.most))
    this.#texts = kernel.reserve(textBytes(partitioning.most))
    this.#window = this.#begin()
  }

  /** Numbers of the window, but for the first. */
  get count(): number {
    return this.#window.texts.length - 1
  }

  /** Numbers the records of the chunks from index `first` on. */
  apply(slab: Slab, first: number): void {
    if (this.#now() - this.#window.begun >= this.#partitioning.window) this.#window = this.#begin()
    for (let index = first; index < slab.chunks.length; index++) this.#number(slab, slab.chunks[index]!)
  }

  #begin(): Window {
    const { most, by, text } = this.#partitioning
    const { bytes } = this.#kernel
    const head = headOf(most)
    bytes.fill(0, this.#book, this.#book + head)
    bytes.writeUInt32LE(placesOf(most) - 1, this.#book)
    bytes.writeUInt32LE(head, this.#book + 4)
    bytes.writeUInt32LE(bookBytes(most), this.#book + 8)
    const window: Window = {
      ...{ begun: this.#now(), numbers: new Map(), texts: [], shapes: new WeakMap() },
      ...{ end: PLACE * (most + 1), closed: false },
    }
    this.#numberOf(window, text(by.map(() => undefined)))
    return window
  }

  #number(slab: Slab, chunk: Chunk): void {
    const laid = this.#plans.get(chunk.origin.source)
    if (laid === undefined || chunk.shape === undefined) return
    const { plan, address } = laid
    const kernel = this.#kernel
    const window = this.#window
    const end = chunk.firstFrame + chunk.frames
    let beyond = 0
    for (let at = chunk.firstFrame; at < end; ) {
      const { ends, column, rows, row } = slab
      const frames: Frames = { ends, first: at, count: end - at, start: slab.startOf(chunk, at), column, rows, row }
      at += kernel.partition(frames, address, this.#book, window.closed, chunk.readAt)
      beyond += kernel.beyond
      if (at === end) break
      const start = slab.startOf(chunk, at)
      const number = this.#numberFor(window, this.#valuesOf(plan, slab.rowOf(at), start, chunk.readAt))
      const one = { ...frames, first: at, start }
      if (number === undefined || !kernel.enlist(one, address, this.#book, number, chunk.readAt)) window.closed = true
    }
    chunk.shape = this.#shapeOf(chunk.shape, plan)
    if (beyond > 0) this.onBeyond?.(chunk.origin, beyond)
  }

  /** The number for these values, or else for those of them that are no time; undefined: there are none any more. */
  #numberFor(window: Window, values: readonly (string | undefined)[]): number | undefined {
    const { by, text } = this.#partitioning
    const number = this.#numberOf(window, text(values))
    const timed = by.some(({ kind }, index) => kind === 'time' && values[index] !== undefined)
    if (number !== undefined || !timed) return number
    const others = this.#numberOf(window, text(values.map((value, n) => (by[n]!.kind === 'time' ? undefined : value))))
    return others === undefined ? undefined : withBeyond(others)
  }

  /** The number of a text; undefined: there are none any more. */
  #numberOf(window: Window, text: string): number | undefined {
    const known = window.numbers.get(text)
    if (known !== undefined) return known
    const bytes = Buffer.from(text)
    if (bytes.length > LONGEST_TEXT) return withBeyond(0)
    const { most } = this.#partitioning
    if (window.texts.length > most || window.end + bytes.length > textBytes(most)) return undefined
    const number = window.texts.push({ at: window.end, bytes }) - 1
    window.end += bytes.length
    window.numbers.set(text, number)
    return number
  }

  /** What the record says, in the order in which it was asked for. */
  #valuesOf(
    { slots, level, period }: PartitionPlan,
    row: number,
    start: number,
    readAt: number,
  ): (string | undefined)[] {
    const { bytes } = this.#kernel
    const form = bytes[row + LAYOUT.ROW_FORM]!
    return this.#partitioning.by.map(({ kind }, index) => {
      if (kind === 'level') {
        const severity = bytes[row + LAYOUT.ROW_LEVEL]!
        return level && severity > 0 ? WORDS[(severity - 1) >> 2] : undefined
      }
      if (kind === 'time') {
        return period === undefined ? undefined : periodIn(bytes.readBigInt64LE(row + LAYOUT.ROW_TIME), period, readAt)
      }
      const slot = slots[index]
      if (slot === undefined) return undefined
      const at = row + LAYOUT.ROW_SLOTS + LAYOUT.SLOT * slot
      const from = bytes.readUInt16LE(at)
      if (from === LAYOUT.ABSENT) return undefined
      return saidBy(bytes.toString('utf8', start + from, start + from + bytes.readUInt16LE(at + 2)), form)
    })
  }

  #shapeOf(shape: RecordShape, plan: PartitionPlan): RecordShape {
    const { shapes, texts } = this.#window
    const known = shapes.get(shape)
    if (known !== undefined) return known
    const partitions: Partitions = { at: plan.at, address: this.#texts, texts }
    const slots = plan.slots.filter(slot => slot !== undefined)
    const partition: RecordPartition = { partitions, slots, level: plan.level }
    const made = { ...shape, partition }
    shapes.set(shape, made)
    return made
  }
}

/** A number that stands for values which have none of their own. */
function withBeyond(number: number): number {
  return (number | LAYOUT.PARTITION_BEYOND) >>> 0
}

/** When the period of a time began; undefined: there is no time, or it is the period of the reading. */
function periodIn(nanos: bigint, period: number, readAt: number): string | undefined {
  if (nanos === NO_TIME) return undefined
  const begun = (ms: number): number => Math.floor(ms / period) * period
  const own = begun(Number(nanos / 1_000_000n))
  return own === begun(readAt) ? undefined : new Date(own).toISOString()
}

/** What a value says that is written so, in a record of this form; undefined: nothing. */
function saidBy(written: string, form: number): string | undefined {
  const quotes = (form === LAYOUT.JSON || form === LAYOUT.PAIRS) && written.length >= 2 && written.startsWith('"')
  const text = quotes ? unquoted(written) : written
  return text === '' || (form === LAYOUT.JSON && written === 'null') ? undefined : text
}

/** Quotes of pairs may hold escapes that JSON does not have. */
function unquoted(written: string): string {
  try {
    return String(JSON.parse(written))
  } catch {
    return written.slice(1, -1)
  }
}
