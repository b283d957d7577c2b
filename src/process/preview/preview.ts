/**
 * A preview: what the stage makes of records of one source, one by one, and how it came to that. Nothing is sent.
 *
 *     record ─► stage (redact, parse, time, level; drops nothing) ─► its row, read back ─► finding
 *
 * It has a kernel of its own, so that it needs nothing of what the budget of a backend is for.
 *
 * Guarantees: the stage is the one that runs in a pipeline; a finding holds no byte that was redacted, for it is made of
 * the record as it is afterwards, and of notes that say where a mask stands and whose it is.
 */
import { Budget, PAGE } from '../../budget.ts'
import { type ChunkOwner, layoutOf, type Origin, Slab } from '../../chunk.ts'
import { Kernel, NO_TIME, NOTE_BYTES, type RecordRule, type Unlevelled, type Untimed } from '../../kernel/kernel.ts'
import { LAYOUT } from '../../kernel/module.ts'
import { LEVEL_FAULTS, TIME_FAULTS } from '../../ledger.ts'
import { rowBytes, type SourcePlan, tableBytes } from '../plan.ts'
import { contextOf } from '../redact/context.ts'
import { Stage } from '../stage.ts'
import { Cutter, type FileRecord, type Read, type TextForm } from './cutter.ts'
import { nameOf, slotText, valueIn } from './values.ts'

export type TimeFault = (typeof TIME_FAULTS)[number]
export type LevelFault = (typeof LEVEL_FAULTS)[number]

/** Where something was found, or looked for last: the value of this name; the head of the text, or a word in it. */
export type Place = { readonly kind: 'value'; readonly name: string } | { readonly kind: 'text' }

export type Found<Value, Fault> =
  | { readonly kind: 'found'; readonly value: Value; readonly place: Place }
  /** `written`: what stands there, and is none. */
  | { readonly kind: 'fault'; readonly fault: Fault; readonly place: Place; readonly written: string | undefined }
  /** It was not looked for. */
  | { readonly kind: 'unasked' }

/** A mask that was written over [from, to) of the text. */
export interface Masked {
  readonly rule: string
  readonly from: number
  readonly to: number
  /** The rule could not say what stands there. */
  readonly gaveUp: boolean
}

export type Parsed =
  | { readonly kind: 'parsed'; readonly by: string }
  | { readonly kind: 'unparsed'; readonly tried: readonly string[] }
  /** There was nothing to parse it. */
  | { readonly kind: 'unasked' }

export interface Finding {
  readonly record: FileRecord
  /** As it is behind the redaction. */
  readonly text: Buffer
  readonly redacted: readonly Masked[]
  readonly parsed: Parsed
  /** Nanoseconds since the epoch. */
  readonly time: Found<bigint, TimeFault>
  /** A severity of OpenTelemetry. */
  readonly level: Found<number, LevelFault>
}

/** Masks of one record that are shown. */
const MOST_MASKS = 4096

export interface PreviewFields {
  readonly origin: Origin
  readonly form: TextForm
  readonly plan: SourcePlan | undefined
  /** Milliseconds since the epoch. */
  readonly readAt: number
}

export class Preview {
  readonly #kernel: Kernel
  readonly #fields: PreviewFields
  readonly #stage: Stage
  readonly #budget: Budget
  readonly #row: number
  readonly #cutter: Cutter
  readonly #notes: number
  /** Tables of single parsers, and a row for what they find. */
  readonly #parsers: readonly { readonly name: string; readonly table: number }[]
  readonly #scratch: number
  readonly #spans: number
  readonly #owner: ChunkOwner = { settled: () => {} }
  #untimed: Untimed | undefined
  #unlevelled: Unlevelled | undefined

  constructor(fields: PreviewFields) {
    const { origin, form, plan } = fields
    this.#fields = fields
    const plans = new Map(plan ? [[origin.source, plan]] : [])
    const single = plan?.parse?.parsers.map(({ name, table }) => ({ name, table: table() })) ?? []
    const row = (this.#row = rowBytes(plans))
    const spans = plan?.parse?.room ?? 0
    const more = single.reduce((sum, { table }) => sum + table.length + 16, MOST_MASKS * NOTE_BYTES + row + spans + 64)
    const arena = layoutOf(1, form.maxBytes + PAGE, row).bytes
    const kernel = Kernel.create(arena, tableBytes(plans) + more + Cutter.bytes(form))
    this.#kernel = kernel
    // Before what the stage lays down: a context of a chunk may lie over what stands behind it for a moment.
    this.#notes = kernel.reserve(MOST_MASKS * NOTE_BYTES)
    this.#stage = new Stage(kernel, plans)
    this.#stage.onUntimed = (_, records) => void (this.#untimed = records)
    this.#stage.onUnlevelled = (_, records) => void (this.#unlevelled = records)
    this.#parsers = single.map(({ name, table }) => ({ name, table: kernel.lay(table) }))
    this.#scratch = kernel.reserve(row)
    this.#spans = kernel.reserve(spans)
    this.#cutter = new Cutter(kernel, form, this.rule)
    this.#budget = new Budget(kernel.arena, kernel.arenaBytes)
  }

  /** How lines become records; undefined: each is one. */
  get rule(): RecordRule | undefined {
    return this.#stage.readingOf(this.#fields.origin.source).rule
  }

  /** The records of a file, or of a sample of one. */
  records(read: Read): Generator<FileRecord> {
    return this.#cutter.records(read)
  }

  /** What is found in a record. `before`: what stands before it in the file, if the records before were not looked at. */
  look(record: FileRecord, before?: Buffer): Finding {
    const { origin, form, readAt } = this.#fields
    const { text, from, cutFrom, partial, continued } = record
    const kernel = this.#kernel
    const context = before && form.encoding === undefined ? contextOf(before, form.end) : undefined
    const chunk = {
      ...{ lines: [text], owner: this.#owner, origin, fileStart: from, readAt, cutFrom, partial, continued },
      ...{ joined: this.rule !== undefined, before: context },
    }
    const slab = Slab.holding(kernel.memory.buffer, this.#budget, [chunk], this.#row)!
    this.#untimed = this.#unlevelled = undefined
    kernel.noteMasks(this.#notes, MOST_MASKS)
    this.#stage.revisit(slab)
    const finding = this.#read(record, slab)
    this.#budget.release(slab.extent)
    return finding
  }

  #read(record: FileRecord, slab: Slab): Finding {
    const kernel = this.#kernel
    const start = slab.window
    const text = Buffer.from(kernel.bytes.subarray(start, slab.endOf(0)))
    const rules = this.#fields.plan?.redact?.rules ?? []
    const redacted = kernel
      .masks()
      .map(({ rule, from, to, gaveUp }) => ({ rule: rules[rule]!, from: from - start, to: to - start, gaveUp }))
    const parsed = this.#parsedBy(slab, text)
    return { record, text, redacted, parsed, time: this.#time(slab, text), level: this.#level(slab, text) }
  }

  /** The first parser that takes a record by itself is the one that took it. */
  #parsedBy(slab: Slab, text: Buffer): Parsed {
    if (this.#parsers.length === 0 || text.toString('latin1').trim() === '') return { kind: 'unasked' }
    const atFileStart = slab.chunks[0]!.fileStart === 0
    const frames = { ends: slab.ends, first: 0, count: 1, start: slab.window, rows: this.#scratch, row: this.#row }
    const taker = this.#parsers.find(
      ({ table }) => this.#kernel.extract({ ...frames, table, atFileStart, spans: this.#spans }) === 0,
    )
    if (taker !== undefined) return { kind: 'parsed', by: taker.name }
    return { kind: 'unparsed', tried: [...new Set(this.#parsers.map(({ name }) => name))] }
  }

  #time(slab: Slab, text: Buffer): Found<bigint, TimeFault> {
    const table = this.#fields.plan?.time?.table
    if (table === undefined) return { kind: 'unasked' }
    const view = Buffer.from(table.buffer, table.byteOffset, table.length)
    const slots = Array.from({ length: view.readUInt16LE(LAYOUT.TIMES_COUNT) }, (_, index) =>
      view.readUInt16LE(LAYOUT.TIMES_SLOTS + 2 * index),
    )
    const inText = (view.readUInt8(LAYOUT.TIMES_FLAGS) & LAYOUT.TIMES_HEAD) !== 0
    const { place, written } = this.#placeOf(slots, inText, slab, text)
    const value = this.#kernel.bytes.readBigInt64LE(slab.rowOf(0) + LAYOUT.ROW_TIME)
    if (value !== NO_TIME) return { kind: 'found', value, place }
    return { kind: 'fault', fault: faultIn(TIME_FAULTS, this.#untimed), place, written }
  }

  #level(slab: Slab, text: Buffer): Found<number, LevelFault> {
    const table = this.#fields.plan?.level?.table
    if (table === undefined) return { kind: 'unasked' }
    const view = Buffer.from(table.buffer, table.byteOffset, table.length)
    const slots = Array.from({ length: view.readUInt8(LAYOUT.LEVELS_COUNT) }, (_, index) =>
      view.readUInt16LE(LAYOUT.LEVELS_SLOTS + 2 * index),
    )
    const inText = (view.readUInt8(LAYOUT.LEVELS_FLAGS) & LAYOUT.LEVELS_IN_TEXT) !== 0
    const { place, written } = this.#placeOf(slots, inText, slab, text)
    const value = this.#kernel.bytes[slab.rowOf(0) + LAYOUT.ROW_LEVEL]!
    if (value > 0) return { kind: 'found', value, place }
    return { kind: 'fault', fault: faultIn(LEVEL_FAULTS, this.#unlevelled), place, written }
  }

  /** The first of these slots that has a value, by its name. The level has a slot even where it is a word of a text. */
  #placeOf(
    slots: readonly number[],
    inText: boolean,
    slab: Slab,
    text: Buffer,
  ): { place: Place; written: string | undefined } {
    const { bytes } = this.#kernel
    const row = bytes.subarray(slab.rowOf(0), slab.rowOf(0) + this.#row)
    const plan = this.#fields.plan!
    for (const slot of slots) {
      const written = slotText(row, slot, text)
      if (written === undefined) continue
      const name = nameOf(plan.slots?.wanted[slot]?.names ?? [], {
        form: row[LAYOUT.ROW_FORM]!,
        text: text.toString('utf8'),
        value: candidate => valueIn(plan.parse?.shape, candidate, row, text),
      })
      if (name !== undefined) return { place: { kind: 'value', name }, written }
    }
    const [slot] = slots
    const names = slot === undefined ? undefined : plan.slots?.wanted[slot]?.names
    if (inText || names === undefined) return { place: { kind: 'text' }, written: undefined }
    return { place: { kind: 'value', name: names.join(' or ') }, written: undefined }
  }
}

function faultIn<Fault extends string>(faults: readonly Fault[], counted: Record<Fault, number> | undefined): Fault {
  return faults.find(fault => (counted?.[fault] ?? 0) > 0) ?? faults[0]!
}
