/** Lines in a kernel with empty rows beside them: what the stage hands to those who fill rows. */
import { type Filling, Kernel, NO_TIME } from '../../src/kernel/kernel.ts'
import { LAYOUT } from '../../src/kernel/module.ts'

const MOST_LINES = 4096
const MOST_SLOTS = 4
const PAGE = 65536
const ROW = LAYOUT.ROW_SLOTS + LAYOUT.SLOT * MOST_SLOTS

/** Texts that stand in a line, by slot: the first that are the same are meant. */
export type Values = Readonly<Record<number, string>>

export class Bed {
  readonly kernel = Kernel.create(64 * PAGE, 128 * PAGE)
  readonly #ends = this.kernel.arena
  readonly #rows = this.kernel.arena + 4 * MOST_LINES
  readonly start = this.#rows + ROW * MOST_LINES
  readonly #tables = new Map<string, number>()
  #begins: number[] = []

  /** Lays a table down, once. */
  lay(key: string, make: () => Uint8Array): number {
    const known = this.#tables.get(key)
    if (known !== undefined) return known
    const address = this.kernel.lay(make())
    this.#tables.set(key, address)
    return address
  }

  /** Lays lines down, with line feeds behind them, and puts their values into slots. */
  place(lines: readonly (string | Uint8Array)[], values: readonly Values[] = [], form: number = LAYOUT.TEXT): Filling {
    const { bytes } = this.kernel
    const [ends, rows] = [this.#ends, this.#rows]
    const filling = { ends, first: 0, count: lines.length, start: this.start, rows, row: ROW }
    let at = this.start
    this.#begins = []
    for (const [index, line] of lines.entries()) {
      this.#begins.push(at)
      if (typeof line === 'string') at += bytes.write(line, at)
      else {
        bytes.set(line, at)
        at += line.length
      }
      bytes.writeUInt32LE(at, ends + 4 * index)
      bytes[at++] = 10
    }
    this.kernel.extract({ ...filling, table: 0, spans: 0, atFileStart: false })
    for (const [index, slots] of values.entries()) {
      bytes[this.#rowOf(index) + LAYOUT.ROW_FORM] = form
      for (const [slot, value] of Object.entries(slots)) {
        const begin = this.#begins[index]!
        const where = bytes.subarray(begin, bytes.readUInt32LE(ends + 4 * index)).indexOf(value)
        if (where < 0) throw new Error(`${value} does not stand in ${lines[index]}`)
        const place = this.#rowOf(index) + LAYOUT.ROW_SLOTS + LAYOUT.SLOT * Number(slot)
        bytes.writeUInt16LE(where, place)
        bytes.writeUInt16LE(Buffer.byteLength(value), place + 2)
      }
    }
    return filling
  }

  #rowOf(line: number): number {
    return this.#rows + ROW * line
  }

  /** Nanoseconds since the epoch, or undefined. */
  timeOf(line: number): bigint | undefined {
    const time = this.kernel.bytes.readBigInt64LE(this.#rowOf(line) + LAYOUT.ROW_TIME)
    return time === NO_TIME ? undefined : time
  }

  levelOf(line: number): number {
    return this.kernel.bytes[this.#rowOf(line) + LAYOUT.ROW_LEVEL]!
  }

  flagsOf(line: number): number {
    return this.kernel.bytes.readUInt16LE(this.#rowOf(line) + LAYOUT.ROW_FLAGS)
  }

  /** The text in a slot, or undefined. */
  textOf(line: number, slot: number): string | undefined {
    const { bytes } = this.kernel
    const at = this.#rowOf(line) + LAYOUT.ROW_SLOTS + LAYOUT.SLOT * slot
    const where = bytes.readUInt16LE(at)
    if (where === LAYOUT.ABSENT) return undefined
    const from = this.#begins[line]! + where
    return bytes.toString('utf8', from, from + bytes.readUInt16LE(at + 2))
  }
}
