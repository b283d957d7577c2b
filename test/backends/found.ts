/**
 * Records in which something was found: the parser of the product fills their rows; time and level are put there by hand, so
 * that a test says itself what they are.
 */
import type { Chunk, RecordShape, Slab } from '../../src/chunk.ts'
import type { Kernel } from '../../src/kernel/kernel.ts'
import { LAYOUT } from '../../src/kernel/module.ts'
import type { Partitioning } from '../../src/partition.ts'
import { compileParse, parsingOf } from '../../src/process/parse/compile.ts'
import { TIME_NAMES } from '../../src/process/parse/names.ts'
import type { ParseOptions } from '../../src/process/parse/options.ts'
import { compilePartition } from '../../src/process/partition/compile.ts'
import { Partitioner, partitionBytes } from '../../src/process/partition/partitioner.ts'
import type { Found } from '../delivery/rig.ts'

/** What is looked for. */
export interface Looking {
  readonly parse: NonNullable<ParseOptions['parse']>
  /** Records have times and levels of their own, which stand in a value. */
  readonly timed?: boolean
  readonly levelled?: boolean
  readonly choices?: RecordShape['choices']
  /** For how many records each stands, in the order in which they were written. */
  readonly repeated?: readonly number[]
  /** Shares that sampling keeps: then all records were chosen by that of the source. */
  readonly sampled?: RecordShape['sampled']
  /** How their backend tells them apart. */
  readonly partitioning?: Partitioning | undefined
  /** Called with records that are not told apart. */
  readonly onBeyond?: (records: number) => void
}

const LEVELS: Readonly<Record<string, number>> = {
  trace: 1,
  debug: 5,
  info: 9,
  warn: 13,
  warning: 13,
  error: 17,
  '30': 9,
}

export function finding(looking: Looking): Found {
  const { parse, timed = false, levelled = false, choices, repeated = [], sampled, partitioning, onBeyond } = looking
  const report = (problem: object): never => {
    throw new Error(JSON.stringify(problem))
  }
  const parsing = parsingOf({ parse }, report)!
  const time = timed ? parsing.slots.slotFor(TIME_NAMES, 'scalar') : undefined
  for (const part of partitioning?.by ?? []) if (part.kind === 'value') parsing.slots.slotFor(part.name)
  const plan = compileParse(parsing, report)!
  const subject = { slots: parsing.slots, levelled, timed, count: plan.slots }
  const partition = partitioning && compilePartition(partitioning, subject)
  const row = Math.ceil((LAYOUT.ROW_SLOTS + LAYOUT.SLOT * (plan.slots + (partition ? 1 : 0))) / 8) * 8
  const shape: RecordShape = { ...plan.shape, time, timed, levelled, choices, repeats: repeated.length > 0, sampled }
  let laid: { table: number; spans: number } | undefined
  let partitioner: Partitioner | undefined
  const fill = (kernel: Kernel, slab: Slab): void => {
    laid ??= { table: kernel.lay(plan.table), spans: kernel.reserve(plan.room) }
    for (const chunk of slab.chunks) {
      chunk.shape = shape
      const { firstFrame: first, frames: count, start } = chunk
      const atFileStart = slab.offsetOf(chunk, first) === 0
      kernel.extract({ ...laid, ends: slab.ends, first, count, start, rows: slab.rows, row, atFileStart })
      for (let frame = first; frame < first + count; frame++) complete(kernel, slab, chunk, frame)
    }
    if (partitioning === undefined || partition === undefined) return
    partitioner ??= new Partitioner(kernel, partitioning, new Map([['app', partition]]), () => 0)
    partitioner.onBeyond = (_, records) => onBeyond?.(records)
    partitioner.apply(slab, 0)
  }
  /** The row's time and level, by what stands in their slots. */
  const complete = ({ bytes }: Kernel, slab: Slab, chunk: Chunk, frame: number): void => {
    const at = slab.rowOf(frame)
    const said = (slot: number | undefined): string => {
      const place = at + LAYOUT.ROW_SLOTS + LAYOUT.SLOT * (slot ?? 0)
      if (slot === undefined || bytes.readUInt16LE(place) === LAYOUT.ABSENT) return ''
      const from = slab.startOf(chunk, frame) + bytes.readUInt16LE(place)
      return bytes.toString('utf8', from, from + bytes.readUInt16LE(place + 2)).replace(/^"|"$/g, '')
    }
    const millis = Date.parse(said(time))
    if (timed && millis > 0) bytes.writeBigInt64LE(BigInt(millis) * 1_000_000n, at + LAYOUT.ROW_TIME)
    if (levelled) bytes[at + LAYOUT.ROW_LEVEL] = LEVELS[said(shape.level).toLowerCase()] ?? 0
    if (sampled) bytes.writeUInt16LE(bytes.readUInt16LE(at + LAYOUT.ROW_FLAGS) | LAYOUT.SAMPLED, at + LAYOUT.ROW_FLAGS)
    bytes.writeUInt32LE(repeated[frame] ?? 0, at + LAYOUT.ROW_REPEATED)
  }
  const partitions = partitioning ? partitionBytes(partitioning.most) + 256 : 0
  return { tableBytes: plan.table.length + plan.room + 64 + partitions, row, fill }
}

/** The members of a JSON object as they stand there: names as what they say, values as they are written. */
export function membersOf(text: string): [name: string, value: string][] {
  const all: [string, string][] = []
  let at = text.indexOf('{') + 1
  const string = (): string => {
    const from = at
    for (at++; text[at] !== '"'; at++) if (text[at] === '\\') at++
    return text.slice(from, ++at)
  }
  const blank = (): void => {
    while (/\s/.test(text[at] ?? '')) at++
  }
  for (blank(); text[at] === '"'; blank()) {
    const name: string = JSON.parse(string())
    blank()
    at++
    blank()
    const from = at
    for (let depth = 0; depth > 0 || !/[,}]/.test(text[at]!); ) {
      if (text[at] === '"') {
        string()
        continue
      }
      if (/[[{]/.test(text[at]!)) depth++
      if (/[\]}]/.test(text[at]!)) depth--
      at++
    }
    all.push([name, text.slice(from, at).trim()])
    if (text[at] === ',') at++
  }
  return all
}
