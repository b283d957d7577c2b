/** Finds values in records the way the stage does: lays a table into a kernel, and reads the rows. */

import { Kernel } from '../../../src/kernel/kernel.ts'
import { LAYOUT } from '../../../src/kernel/module.ts'
import { compileParse, type ParsePlan, parsingOf } from '../../../src/process/parse/compile.ts'
import type { ParseOptions } from '../../../src/process/parse/options.ts'
import type { Kind } from '../../../src/process/parse/slots.ts'
import type { ProcessProblem } from '../../../src/process/problem.ts'

const PAGE = 65536
const FORMS: Record<number, string> = {
  [LAYOUT.TEXT]: 'text',
  [LAYOUT.JSON]: 'json',
  [LAYOUT.PAIRS]: 'pairs',
  [LAYOUT.VALUES]: 'values',
}

export interface Found {
  readonly form: string
  readonly unparsed: boolean
  /** Names stand twice, or may. */
  readonly clash: boolean
  /** By slot: as it stands in the record, a character for each byte; undefined: nowhere. */
  readonly values: readonly (string | undefined)[]
  /** The record as it lies there afterwards. */
  readonly record: Buffer
}

/** Compiles, with these slots asked for beside what is asked for always. Throws if something is reported. */
export function planFor(options: ParseOptions, wanted: readonly (readonly [string | readonly string[], Kind?])[] = []) {
  const report = (problem: ProcessProblem) => {
    throw new Error(JSON.stringify(problem))
  }
  const parsing = parsingOf(options, report)!
  const slots = wanted.map(([names, kind]) => parsing.slots.slotFor(names, kind))
  const plan = compileParse(parsing, report)!
  return { plan, slots }
}

/** One kernel with room for the records, and one table in it. */
export class Finder {
  readonly #kernel: Kernel
  readonly #table: number
  readonly #slots: number
  readonly #spans: number
  /** What the last call said that no parser took. */
  unparsed = 0

  constructor(plan: Pick<ParsePlan, 'table' | 'slots' | 'room'>, arenaBytes = 32 * PAGE) {
    this.#kernel = Kernel.create(arenaBytes, plan.table.length + plan.room + PAGE)
    this.#table = this.#kernel.lay(plan.table)
    this.#slots = plan.slots
    this.#spans = this.#kernel.reserve(plan.room)
  }

  find(records: readonly (Uint8Array | string)[], atFileStart = false, shift = 0): Found[] {
    const { bytes, arena, memory } = this.#kernel
    const all = records.map(each => Buffer.from(each))
    const ends = arena
    const row = Math.ceil((LAYOUT.ROW_SLOTS + LAYOUT.SLOT * this.#slots) / 8) * 8
    const rows = ends + 8 * Math.ceil(all.length / 2)
    const start = rows + row * all.length + shift
    // Rows hold what was in them before.
    bytes.fill(0x5a, rows, start)
    const table = new Uint32Array(memory.buffer, ends, all.length)
    let at = start
    for (const [index, record] of all.entries()) {
      bytes.set(record, at)
      at += record.length
      table[index] = at
      bytes[at++] = 10
    }
    // Whatever lies behind is not looked at.
    bytes.write('"}],=true 123', at, 'latin1')
    this.unparsed = this.#kernel.extract({
      ...{ table: this.#table, ends, first: 0, count: all.length, start, rows, row, atFileStart, spans: this.#spans },
    })
    return all.map((record, index) => {
      const from = index === 0 ? start : table[index - 1]! + 1
      return this.#read(rows + row * index, from, record.length)
    })
  }

  #read(row: number, from: number, length: number): Found {
    const { bytes } = this.#kernel
    const flags = bytes.readUInt16LE(row + LAYOUT.ROW_FLAGS)
    const values = Array.from({ length: this.#slots }, (_, slot) => {
      const at = bytes.readUInt16LE(row + LAYOUT.ROW_SLOTS + LAYOUT.SLOT * slot)
      const size = bytes.readUInt16LE(row + LAYOUT.ROW_SLOTS + LAYOUT.SLOT * slot + 2)
      if (at === LAYOUT.ABSENT) return undefined
      return bytes.toString('latin1', from + at, from + at + size)
    })
    return {
      form: FORMS[bytes[row + LAYOUT.ROW_FORM]!]!,
      unparsed: (flags & LAYOUT.UNPARSED) !== 0,
      clash: (flags & LAYOUT.NAMES_CLASH) !== 0,
      values,
      record: Buffer.from(bytes.subarray(from, from + length)),
    }
  }
}
