/**
 * What the tail's tests stand on: a logger that remembers, and the tail with a real pipeline, which reads into real
 * slabs of a real kernel. Only what takes the slabs is not real: it keeps every frame, and settles when it is told to.
 */
import type { Test } from 'tap'
import type { Backend } from '../../src/backends/backend.ts'
import { Budget } from '../../src/budget.ts'
import { type Chunk, layoutFor, type Slab } from '../../src/chunk.ts'
import { CLOCK } from '../../src/clock.ts'
import type { Delivery } from '../../src/delivery/delivery.ts'
import type { Transport } from '../../src/delivery/transport/transport.ts'
import { Kernel } from '../../src/kernel/kernel.ts'
import { DELIVERED, Ledger, type Statement } from '../../src/ledger.ts'
import type { Logger } from '../../src/log.ts'
import { Pipeline } from '../../src/pipeline.ts'
import { NO_PLANS } from '../../src/process/plan.ts'
import { Stage } from '../../src/process/stage.ts'
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
  /** The boot of the machine. */
  readonly boot?: string
  /** Called with each line as it leaves the tail. */
  readonly onLine?: (line: Line) => void
}

/** Bytes of a slab that is sent, and its frames. */
const FULL = 256 * 1024
const FRAMES = 4096
const SLAB = {
  full: layoutFor(FULL, FRAMES),
  longest: layoutFor((1 << 20) + 1, FRAMES),
  small: layoutFor(64 * 1024, FRAMES),
  row: 0,
  maxFrames: FRAMES,
}

/** Where slabs go instead of a delivery: every frame is kept, and is delivered at once unless nothing is to settle. */
class Taker implements Pick<Delivery, 'withholds' | 'wanted' | 'onEased' | 'released' | 'hurry' | 'halt' | 'stop'> {
  readonly lines: Line[] = []
  /** While true nothing settles. */
  holding = false
  readonly wanted = FULL
  onEased = () => {}
  readonly #kernel: Kernel
  readonly #onLine: (line: Line) => void
  #held: (() => void)[] = []

  constructor(kernel: Kernel, onLine: (line: Line) => void) {
    this.#kernel = kernel
    this.#onLine = onLine
  }

  async ship(slab: Slab): Promise<void> {
    for (const chunk of slab.chunks) {
      for (let frame = chunk.firstFrame; frame < chunk.firstFrame + chunk.frames; frame++) {
        const line: Line = {
          text: textOf(this.#kernel, slab, chunk, frame),
          generation: chunk.origin.generation,
          offset: slab.offsetOf(chunk, frame),
          partial: chunk.partial,
        }
        this.lines.push(line)
        this.#onLine(line)
      }
    }
    if (this.holding) await new Promise<void>(resolve => this.#held.push(resolve))
    slab.settle(0, slab.frames, DELIVERED)
  }

  settle(): void {
    for (const end of this.#held.splice(0)) end()
  }

  withholds(): boolean {
    return false
  }

  released(): void {}
  hurry(): void {}
  halt(): void {}
  stop(): void {}
}

/** The whole room with one member, which delivers at once unless told to hold. */
export class Room {
  readonly journal = new Journal()
  readonly ledger = new Ledger()
  readonly tail: Tail
  readonly sweep: Sweep
  readonly #backend: string
  readonly #taker: Taker
  readonly #pipeline: Pipeline
  #stopped = false

  constructor({ sources, state = null, backend = 'main', held, unpack, files, boot, onLine = () => {} }: RoomOptions) {
    this.#backend = backend
    const sweep = new Sweep(sources, this.journal, { ...limitsFor(), ...(files !== undefined && { files }) })
    this.sweep = sweep
    const directory = state === null ? null : new StateDirectory(state, this.journal)
    const store = new CheckpointStore(directory, this.journal, CLOCK, boot)
    this.tail = new Tail(sources, sweep, store, this.ledger, this.journal, held, unpack)
    const forms = new Map(sources.map(each => [each.name, formOf(each)]))
    const kernel = Kernel.create(2 << 20)
    const reader = new Reader(backend, new Framer(kernel, name => forms.get(name)!), this.tail.events)
    this.#taker = new Taker(kernel, onLine)
    this.#pipeline = new Pipeline({
      name: backend,
      sources: [...forms.keys()],
      reader,
      kernel,
      budget: new Budget(kernel.arena, kernel.arenaBytes),
      slab: SLAB,
      stage: new Stage(kernel, NO_PLANS),
      // What is read goes at once, however much is under way.
      batch: { maxBytes: FULL, maxRecords: FRAMES, interval: 0 },
      concurrency: Number.POSITIVE_INFINITY,
      delivery: this.#taker as unknown as Delivery,
      transport: { close: async () => {} } as unknown as Transport,
      backend: undefined as unknown as Backend,
      deadLetters: undefined,
      endpoint: null,
      rejectReasons: [],
      dropReasons: {},
      logger: this.journal,
    })
    this.tail.join({ reader, sources: new Set(forms.keys()) })
  }

  get lines(): readonly Line[] {
    return this.#taker.lines
  }

  /** While true nothing settles. */
  set holding(holding: boolean) {
    this.#taker.holding = holding
  }

  get texts(): string[] {
    return this.lines.map(({ text }) => text)
  }

  statement(name = 'app'): Statement {
    return this.ledger.account(name, this.#backend).statement()
  }

  /** Settles everything that was held. */
  settle(): void {
    this.#taker.settle()
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

  async stop(clean = true, complete = false): Promise<void> {
    if (this.#stopped) return
    this.#stopped = true
    await this.#pipeline.stop()
    await this.tail.stop(clean, complete)
  }
}

/** A started room that ends with its test. */
export async function room(t: Test, options: RoomOptions): Promise<Room> {
  const started = new Room(options)
  t.teardown(() => started.stop())
  await started.tail.start()
  return started
}
