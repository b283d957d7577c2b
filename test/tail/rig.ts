/**
 * What the tail's tests stand on: a logger that remembers, and a member of the room that reads into
 * real slabs of a real kernel and keeps every frame it saw.
 */
import type { Test } from 'tap'
import { Budget } from '../../src/budget.ts'
import { type Chunk, layoutFor, Slab } from '../../src/chunk.ts'
import { Kernel } from '../../src/kernel/kernel.ts'
import { DELIVERED, Ledger, type Statement } from '../../src/ledger.ts'
import type { Logger } from '../../src/log.ts'
import { StateDirectory } from '../../src/state.ts'
import { limitsFor } from '../../src/tail/files/limits.ts'
import { formOf } from '../../src/tail/framing/form.ts'
import { Framer } from '../../src/tail/framing/framer.ts'
import { Reader } from '../../src/tail/framing/reader.ts'
import type { HeldOptions, SourceOptions } from '../../src/tail/options.ts'
import type { UnpackLimits } from '../../src/tail/rotation/unpack.ts'
import { CheckpointStore } from '../../src/tail/state/checkpoint.ts'
import { Tail } from '../../src/tail/tail.ts'
import { Sweep } from '../../src/tail/watching/sweep.ts'

export interface Said {
  readonly level: keyof Logger
  readonly fields: Record<string, unknown>
  readonly sentence: string
}

export class Journal implements Logger {
  readonly said: Said[] = []

  error(fields: Record<string, unknown>, sentence: string): void {
    this.said.push({ level: 'error', fields, sentence })
  }
  warn(fields: Record<string, unknown>, sentence: string): void {
    this.said.push({ level: 'warn', fields, sentence })
  }
  info(fields: Record<string, unknown>, sentence: string): void {
    this.said.push({ level: 'info', fields, sentence })
  }
  debug(fields: Record<string, unknown>, sentence: string): void {
    this.said.push({ level: 'debug', fields, sentence })
  }
}

export const source = (paths: string | readonly string[], more: Partial<SourceOptions> = {}): SourceOptions => ({
  name: 'app',
  paths: typeof paths === 'string' ? [paths] : paths,
  exclude: [],
  labels: {},
  maxLineBytes: 1024 ** 2,
  encoding: 'utf-8',
  lineEnd: 'lf',
  followSymlinks: [],
  ...more,
})

export interface Line {
  readonly text: string
  readonly generation: string
  readonly offset: number
  readonly partial: boolean
}

/** The frame's bytes as the backends that take text see them: without leading NULs and the CR at the end. */
function textOf(kernel: Kernel, slab: Slab, chunk: Chunk, frame: number): string {
  const bytes = kernel.bytes.subarray(slab.startOf(chunk, frame), slab.endOf(frame))
  return bytes.toString().replace(/^\0+/, '').replace(/\r$/, '')
}

export interface RoomOptions {
  readonly sources: readonly SourceOptions[]
  readonly state?: string | null
  readonly backend?: string
  readonly held?: HeldOptions
  readonly unpack?: UnpackLimits
  /** For how many files there is memory. */
  readonly files?: number
}

const LAYOUT = layoutFor((1 << 20) + 1, 4096)

/** The whole room with one member, which delivers at once unless told to hold. */
export class Room {
  readonly lines: Line[] = []
  readonly journal = new Journal()
  readonly ledger = new Ledger()
  readonly tail: Tail
  readonly sweep: Sweep
  /** While true nothing settles. */
  holding = false
  readonly #backend: string
  readonly #kernel = Kernel.create(4 << 20)
  readonly #budget = new Budget(this.#kernel.arena, this.#kernel.arenaBytes)
  readonly #reader: Reader
  readonly #held: Slab[] = []
  #pumping: NodeJS.Immediate | undefined
  #stopped = false

  constructor({ sources, state = null, backend = 'main', held, unpack, files }: RoomOptions) {
    this.#backend = backend
    const sweep = new Sweep(sources, this.journal, { ...limitsFor(), ...(files !== undefined && { files }) })
    this.sweep = sweep
    const directory = state === null ? null : new StateDirectory(state, this.journal)
    const store = new CheckpointStore(directory, this.journal)
    this.tail = new Tail(sources, sweep, store, this.ledger, this.journal, held, unpack)
    const forms = new Map(sources.map(each => [each.name, formOf(each)]))
    this.#reader = new Reader(backend, new Framer(this.#kernel, name => forms.get(name)!), this.tail.events)
    this.#reader.onReady = () => this.#wake()
    this.tail.join({ reader: this.#reader, sources: new Set(forms.keys()) })
  }

  get texts(): string[] {
    return this.lines.map(({ text }) => text)
  }

  statement(name = 'app'): Statement {
    return this.ledger.account(name, this.#backend).statement()
  }

  /** Settles everything that was held. */
  settle(): void {
    for (const slab of this.#held.splice(0)) this.#settle(slab)
    this.#wake()
  }

  /** Waits until `holds`, at most `seconds`; returns whether it does. */
  async until(holds: () => boolean, seconds = 30): Promise<boolean> {
    const end = performance.now() + seconds * 1000
    while (!holds() && performance.now() < end) await new Promise(resolve => setTimeout(resolve, 5))
    return holds()
  }

  /** Waits until that many lines came, then a little for any that should not. */
  async came(count: number, seconds?: number): Promise<string[]> {
    await this.until(() => this.lines.length >= count, seconds)
    await new Promise(resolve => setTimeout(resolve, 60))
    return this.texts
  }

  async stop(clean = true): Promise<void> {
    if (this.#stopped) return
    this.#stopped = true
    this.#reader.onReady = () => {}
    clearImmediate(this.#pumping)
    await this.tail.stop(clean)
  }

  #wake(): void {
    this.#pumping ??= setImmediate(() => {
      this.#pumping = undefined
      this.#pump()
    })
  }

  #pump(): void {
    while (this.#reader.ready) {
      const slab = Slab.take(this.#kernel.memory.buffer, this.#budget, LAYOUT)
      if (slab === undefined) return
      const fill = this.#reader.fill(slab, 256 * 1024)
      for (const chunk of slab.chunks) {
        for (let frame = chunk.firstFrame; frame < chunk.firstFrame + chunk.frames; frame++) {
          this.lines.push({
            text: textOf(this.#kernel, slab, chunk, frame),
            generation: chunk.origin.generation,
            offset: slab.offsetOf(chunk, frame),
            partial: chunk.partial,
          })
        }
      }
      if (this.holding && slab.frames > 0) this.#held.push(slab)
      else this.#settle(slab)
      if (fill === 'yield') this.#wake()
      if (fill !== 'full') return
    }
  }

  #settle(slab: Slab): void {
    if (slab.frames > 0) slab.settle(0, slab.frames, DELIVERED)
    this.#budget.release(slab.extent)
  }
}

/** A started room that ends with its test. */
export async function room(t: Test, options: RoomOptions): Promise<Room> {
  const started = new Room(options)
  t.teardown(() => started.stop())
  await started.tail.start()
  return started
}
