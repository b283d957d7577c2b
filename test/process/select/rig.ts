/** A selector over slabs of lines, and what it must decide, in plain TypeScript. */
import { Budget } from '../../../src/budget.ts'
import { type Chunk, type Origin, Slab } from '../../../src/chunk.ts'
import { Kernel } from '../../../src/kernel/kernel.ts'
import { emptyOutcome, merge, type Settled } from '../../../src/ledger.ts'
import type { Slots } from '../../../src/process/parse/slots.ts'
import { compileSelect, type SelectPlan } from '../../../src/process/select/compile.ts'
import type { RouteOptions, SelectOptions } from '../../../src/process/select/options.ts'
import { framesOf, Selector } from '../../../src/process/select/selector.ts'

export const ORIGIN: Origin = { source: 'app', path: '/logs/app.log', generation: 'a1b2c3d4e5f60718', labels: {} }
export const ROW = 48

/** A plan, or what is wrong with what is said. */
export function planned(
  options: SelectOptions,
  slots?: Slots,
  behind?: { source: SelectPlan | undefined },
): SelectPlan | undefined {
  const problems: unknown[] = []
  const plan = compileSelect(options, { slots, behind }, problem => void problems.push(problem))
  if (problems.length > 0) throw new Error(JSON.stringify(problems))
  return plan
}

export interface Line {
  readonly text: string | Buffer
  readonly level?: number
  /** Nanoseconds since the epoch. */
  readonly time?: bigint
  /** Values by slot. They stand in the text. */
  readonly values?: readonly (string | undefined)[]
}

export interface Part {
  readonly lines: readonly Line[]
  readonly origin?: Origin
  readonly fileStart?: number
  readonly readAt?: number
}

/** A kept record: what it says, where it stands in its file, and its row. */
export interface Kept {
  readonly text: string
  readonly offset: number
  readonly flags: number
  readonly repeated: number
}

export class Rig {
  readonly kernel: Kernel
  readonly budget: Budget
  readonly selector: Selector
  readonly settled: Chunk[] = []
  now = 0

  constructor(options: SelectOptions, slots?: Slots, route: RouteOptions = {}) {
    this.kernel = Kernel.create(8 << 20, 1 << 20)
    this.budget = new Budget(this.kernel.arena, this.kernel.arenaBytes)
    const source = planned(options, slots)
    const backend = planned(route, slots, { source })
    const selections = new Map(source || backend ? [['app', { source, backend }]] : [])
    this.selector = new Selector(this.kernel, selections, () => this.now)
  }

  /** A slab with these lines, as if they had just been read and parsed. */
  slab(...parts: Part[]): Slab {
    const owner = { settled: (chunk: Chunk) => void this.settled.push(chunk) }
    const written = parts.map(({ lines, origin = ORIGIN, fileStart = 0, readAt = 0 }) => ({
      lines: lines.map(({ text }) => Buffer.from(text)),
      ...{ owner, origin, fileStart, readAt, cutFrom: 0, partial: false },
    }))
    const slab = Slab.holding(this.kernel.memory.buffer, this.budget, written, ROW)!
    const { ends, rows, row, frames, window } = slab
    this.kernel.extract({
      table: 0,
      ends,
      first: 0,
      count: frames,
      start: window,
      rows,
      row,
      atFileStart: false,
      spans: 0,
    })
    for (const chunk of slab.chunks) this.kernel.link(framesOf(slab, chunk))
    const all = parts.flatMap(({ lines }) => lines)
    for (const [frame, { text, level = 0, time, values = [] }] of all.entries()) {
      const at = slab.rowOf(frame)
      this.kernel.bytes.writeUInt8(level, at + 8)
      if (time !== undefined) this.kernel.bytes.writeBigInt64LE(time, at)
      for (const [slot, value] of values.entries()) {
        if (value === undefined) continue
        this.kernel.bytes.writeUInt16LE(Buffer.from(text).indexOf(value), at + 16 + 4 * slot)
        this.kernel.bytes.writeUInt16LE(Buffer.byteLength(value), at + 18 + 4 * slot)
      }
    }
    return slab
  }

  kept(slab: Slab): Kept[] {
    const { bytes } = this.kernel
    return slab.chunks.flatMap(chunk =>
      Array.from({ length: chunk.frames }, (_, index) => {
        const frame = chunk.firstFrame + index
        const at = slab.rowOf(frame)
        return {
          text: bytes.toString('latin1', slab.startOf(chunk, frame), slab.endOf(frame)),
          offset: slab.offsetOf(chunk, frame),
          flags: bytes.readUInt16LE(at + 10),
          repeated: bytes.readUInt32LE(at + 12),
        }
      }),
    )
  }

  /** The texts that are kept of these, in one chunk; nothing of them stays. */
  texts(lines: readonly (string | Line)[]): string[] {
    const slab = this.slab({ lines: lines.map(line => (typeof line === 'string' ? { text: line } : line)) })
    this.selector.apply(slab, 0)
    const texts = this.kept(slab).map(({ text }) => text)
    this.budget.release(slab.extent)
    return texts
  }

  /** What became of chunks that have settled. */
  get outcome(): Settled {
    const all = emptyOutcome()
    for (const { outcome } of this.settled) merge(all, outcome)
    return all
  }
}
