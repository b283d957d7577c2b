/**
 * The model: which bytes were written at which offset of which incarnation, when, and which records they are.
 *
 * An incarnation is what stands under a file's name between two rotations. Nothing is ever deleted, so everything in it
 * has to arrive.
 */
import { ProcessTime } from '../process-time.ts'
import type { Written } from './records.ts'
import { SOURCE, type Source, type SourceName } from './sources.ts'

/** A stretch of a record within one incarnation: all of it, unless a rotation came in between. */
export interface Stretch {
  readonly record: Written
  /** Offsets: of its first byte, and behind its last line end. */
  readonly from: number
  to: number
}

interface Write {
  /** Size behind it. */
  readonly size: number
  readonly before: number
  readonly after: number
}

/** When the process was ending, or it was not running. */
export interface Spell {
  readonly from: number
  to: number
}

const LINE_FEED = 10

export class Incarnation {
  readonly source: Source
  readonly number: number
  readonly stretches: Stretch[] = []
  /** Copies of its content under other names, by copytruncate. */
  copies = 0
  readonly #writes: Write[] = [{ size: 0, before: performance.now(), after: performance.now() }]
  readonly #parts: Buffer[] = []
  #content = Buffer.alloc(0)
  #size = 0

  constructor(source: SourceName, number: number) {
    this.source = SOURCE[source]
    this.number = number
  }

  /** When the first of it was written. */
  get writtenAt(): number {
    return this.#writes[1]?.before ?? this.#writes[0]!.before
  }

  get size(): number {
    return this.#size
  }

  get content(): Buffer {
    if (this.#content.length < this.#size) this.#content = Buffer.concat(this.#parts)
    return this.#content
  }

  write(bytes: Buffer, before: number, after: number): void {
    this.#parts.push(bytes)
    this.#size += bytes.length
    this.#writes.push({ size: this.#size, before, after })
  }

  /** Behind the line that begins at, or before, an offset: its line feed included, or where the content ends. */
  lineEnd(offset: number): number {
    const at = this.content.indexOf(LINE_FEED, offset)
    return at < 0 ? this.#size : at + 1
  }

  /** Where the line begins in which an offset lies. */
  lineStart(offset: number): number {
    return offset === 0 ? 0 : this.content.lastIndexOf(LINE_FEED, offset - 1) + 1
  }

  isLineStart(offset: number): boolean {
    return offset === 0 || this.content[offset - 1] === LINE_FEED
  }

  stretchAt(offset: number): Stretch | undefined {
    return this.stretchesIn(offset, offset + 1)[0]
  }

  /** The stretches that [from, to) has something of. */
  stretchesIn(from: number, to: number): Stretch[] {
    let [low, high] = [0, this.stretches.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.stretches[middle]!.to <= from) low = middle + 1
      else high = middle
    }
    const found: Stretch[] = []
    for (let n = low; n < this.stretches.length && this.stretches[n]!.from < to; n++) found.push(this.stretches[n]!)
    return found
  }

  /** Whether a record may end at a line's beginning in the middle of it: the file stayed as it was, or the process ended. */
  mayPause(offset: number, quiet: number, ends: readonly Spell[], time: ProcessTime): boolean {
    const behind = this.lineEnd(offset)
    return this.#writes.some((write, n) => {
      const later = this.#writes[n + 1]
      const former = this.#writes[n - 1]?.size ?? -1
      // While this write was under way, or until the next one was done, the file could end there.
      if (write.size < offset || former >= behind) return false
      const to = later?.after ?? Number.POSITIVE_INFINITY
      if (ends.some(end => end.from <= to && end.to >= write.before)) return true
      if (write.size >= behind) return false
      // The shipper reads its clock before it looks: held up in between, it takes the file for older than that.
      const [from, until] = [write.before - quiet, Math.min(to, write.before + quiet)]
      const held = until - from - time.between(from, until)
      return to - write.before + held >= quiet
    })
  }

  /** Whether a last line without an end may have been taken up to an offset: the process ended while the file did. */
  mayEnd(offset: number, ends: readonly Spell[]): boolean {
    return this.#writes.some((write, n) => {
      const former = this.#writes[n - 1]?.size ?? -1
      if (write.size < offset || former >= offset) return false
      const to = this.#writes[n + 1]?.after ?? Number.POSITIVE_INFINITY
      return ends.some(end => end.from <= to && end.to >= write.before)
    })
  }
}

export interface Death {
  readonly at: number
  /** `done`: in order, with nothing left in flight. `deadline`: in order, but its time was up. */
  readonly kind: 'kill' | 'deadline' | 'done'
  /** What was acknowledged since then need not have been saved. */
  readonly unsaved: number
}

/** Milliseconds of its own time before a death in which what was acknowledged may not be saved yet. */
const UNSAVED = { kill: 4000, deadline: 500, done: 0 } as const
/** After so many the sender gives up on an answer. */
export const TIMEOUT = 3000
/** Held up for so long about an answer, it may have given up on it although it had come. */
const HELD_UP = TIMEOUT / 2

/** A record that was begun, and what is not written of it. */
interface Begun {
  readonly record: Written
  rest: Buffer
}

/** Everything that was written, and everything that happened to the program. */
export class Model {
  readonly incarnations: Incarnation[] = []
  /** By serial: where its records are, in the order in which they were written. */
  readonly bySerial = new Map<number, { incarnation: Incarnation; stretch: Stretch }[]>()
  readonly records: Written[] = []
  readonly deaths: Death[] = []
  /** When the process was ending in order. */
  readonly drains: Spell[] = []
  readonly reloads: number[] = []
  /** The receivers were held up, or the sender was. */
  readonly stalls: Spell[] = []
  /** How much of the time the shipper could run. */
  readonly time = new ProcessTime()
  readonly #files = new Map<SourceName, Incarnation>()
  readonly begun = new Map<SourceName, Begun>()

  died(kind: Death['kind']): void {
    const at = performance.now()
    this.deaths.push({ at, kind, unsaved: kind === 'done' ? at : this.time.before(at, UNSAVED[kind]) })
  }

  /** Whether a death explains that what was acknowledged at `first` came again. */
  diedBetween(first: number, again: number): boolean {
    return this.deaths.some(({ at, unsaved }) => at < again && first > unsaved)
  }

  /** Whether the sender need not have heard of what was acknowledged at `first`, and came again: one of both was held up. */
  mayBeUnheard(first: number, again: number): boolean {
    if (this.stalls.some(({ from, to }) => from < again && to > first - TIMEOUT)) return true
    const [from, to] = [first - TIMEOUT, Math.min(again, first + TIMEOUT)]
    return to - from - this.time.between(from, to) > HELD_UP
  }

  /** What stands under the source's name now; undefined: no file. */
  fileOf(source: SourceName): Incarnation | undefined {
    return this.#files.get(source)
  }

  create(source: SourceName): Incarnation {
    const incarnation = new Incarnation(source, this.incarnations.length)
    this.incarnations.push(incarnation)
    this.#files.set(source, incarnation)
    return incarnation
  }

  /** The name is free: what is written next begins another incarnation. */
  parted(source: SourceName): void {
    this.#files.delete(source)
  }

  /** Notes that a part of a record, or all of it, was written to the file. */
  wrote(
    source: SourceName,
    pieces: readonly { record: Written; bytes: Buffer }[],
    before: number,
    after: number,
  ): void {
    const incarnation = this.#files.get(source) ?? this.create(source)
    let at = incarnation.size
    for (const { record, bytes } of pieces) {
      const last = incarnation.stretches.at(-1)
      if (last?.record === record) last.to = at + bytes.length
      else {
        const stretch: Stretch = { record, from: at, to: at + bytes.length }
        incarnation.stretches.push(stretch)
        const known = this.bySerial.get(record.serial)
        if (known) known.push({ incarnation, stretch })
        else this.bySerial.set(record.serial, [{ incarnation, stretch }])
      }
      at += bytes.length
    }
    incarnation.write(Buffer.concat(pieces.map(({ bytes }) => bytes)), before, after)
  }
}
