/** Redacts texts as a pipeline does: the stage over a slab that holds them. */
import { Budget } from '../../../src/budget.ts'
import { type Origin, Slab, type WrittenChunk } from '../../../src/chunk.ts'
import { Kernel } from '../../../src/kernel/kernel.ts'
import { planOf, type SourcePlan, tableBytes } from '../../../src/process/plan.ts'
import type { RedactOptions } from '../../../src/process/redact/options.ts'
import type { RedactCount } from '../../../src/process/redact/redactor.ts'
import { Stage } from '../../../src/process/stage.ts'

const ORIGIN: Origin = { source: 'app', path: '/var/log/app.log', generation: '0123456789abcdef', labels: {} }
export type Say = NonNullable<RedactOptions['redact']>

/** The plan of a source that says this; throws what is wrong with it. */
export function planFor(redact: Say): SourcePlan {
  const planned = planOf({ name: 'app', maxLineBytes: 1024 ** 2, encoding: 'utf-8', redact })
  if (planned.kind === 'problems') throw new Error(JSON.stringify(planned.problems))
  return planned.plan!
}

export type Piece = Partial<Omit<WrittenChunk, 'lines'>>

export class Rig {
  readonly #kernel: Kernel
  readonly #stage: Stage

  constructor(redact: Say, arenaBytes = 4 * 1024 ** 2) {
    const plans = new Map([['app', planFor(redact)]])
    this.#kernel = Kernel.create(arenaBytes, tableBytes(plans))
    this.#stage = new Stage(this.#kernel, plans)
  }

  /** What is left of records, as one chunk of a file of its own, unless they have an owner. */
  records(records: readonly Uint8Array[], piece: Piece = {}): Buffer[] {
    const budget = new Budget(this.#kernel.arena, this.#kernel.arenaBytes, 0)
    const chunk: WrittenChunk = {
      owner: { settled: () => {} },
      origin: ORIGIN,
      fileStart: 1000,
      readAt: 0,
      cutFrom: 0,
      partial: false,
      ...piece,
      lines: records,
    }
    const slab = Slab.holding(this.#kernel.memory.buffer, budget, [chunk])
    if (slab === undefined) throw new Error('the arena is too small')
    this.#stage.apply(slab, 0)
    const [added] = slab.chunks
    return records.map((_, frame) =>
      Buffer.from(this.#kernel.bytes.subarray(slab.startOf(added!, frame), slab.endOf(frame))),
    )
  }

  /** What is left of a text that is one record. */
  text(text: string | Uint8Array, piece: Piece = {}): string {
    const [record] = this.records([typeof text === 'string' ? Buffer.from(text) : text], piece)
    return record!.toString()
  }

  /** What is left of a text, of which each line is a record. */
  lines(text: string, piece: Piece = {}): string {
    const lines = text.split('\n').map(line => Buffer.from(line))
    return this.records(lines, piece).join('\n')
  }

  get counts(): Record<string, RedactCount> {
    return Object.fromEntries(this.#stage.redacted.get('app')!.map(count => [count.rule, { ...count }]))
  }
}
