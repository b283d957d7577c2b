/**
 * A pipeline: sources → one backend, with its own cursors, its own arena and its own budget.
 *
 *     reader ──► slab being filled ──► slabs under way, at most `concurrency` ──► settled, released
 *
 * It pulls. While nothing is under way, whatever can be read is sent at once, so an idle pipeline adds no delay; while
 * requests are under way, what comes is gathered until the batch is full or old enough and a request may start. When
 * the budget is used up, reading waits; there is no other queue. One pipeline shares nothing with another: a dead
 * backend holds back only itself.
 */
import { PAGE } from './budget.ts'
import { Slab } from './chunk.ts'
import type { BatchOptions } from './delivery/options.ts'
import type { Destination } from './destination.ts'
import { QUANTUM } from './tail/framer.ts'
import type { Reader } from './tail/reader.ts'

/** What a slab holds at the most and at the least before it is sent, however its records grow or shrink: bytes. */
const TARGET = { most: 1024 * 1024, least: 64 * 1024 }

export interface PipelineParts extends Destination {
  readonly name: string
  /** The names of its sources. */
  readonly sources: readonly string[]
  readonly reader: Reader
  readonly batch: BatchOptions
  readonly concurrency: number
  /** The longest line that any of its sources may have. */
  readonly maxLine: number
}

export class Pipeline {
  readonly parts: PipelineParts
  readonly #slabBytes: number
  readonly #maxFrames: number
  #filling: Slab | undefined
  /** Batches that are being sent, and those that have not been settled: the backend may confirm later. */
  #underWay = 0
  #unsettled = 0
  #pumping: NodeJS.Immediate | undefined
  #timer: NodeJS.Timeout | undefined
  #onIdle: (() => void) | undefined
  #stopped = false
  #paused = false
  /** While true nothing lingers. */
  #hurrying = false

  constructor(parts: PipelineParts) {
    this.parts = parts
    this.#maxFrames = Math.min(parts.batch.maxRecords, parts.backend.limits.records)
    this.#slabBytes = slabBytes(this.#maxFrames, parts.maxLine, Math.min(TARGET.most, parts.batch.maxBytes))
    parts.reader.onReady = () => this.#wake()
    parts.budget.onRelease = () => {
      parts.delivery.room.open()
      this.#wake()
    }
  }

  /** Batches that have not been settled. */
  get underWay(): number {
    return this.#unsettled
  }

  /** Nothing is being filled or sent, and nothing waits to be read. */
  get idle(): boolean {
    return this.#unsettled === 0 && this.#filling === undefined && !this.parts.reader.ready
  }

  /** Resolves when the pipeline is idle: now, or after what is left has settled. */
  whenIdle(): Promise<void> {
    if (this.idle) return Promise.resolve()
    return new Promise(resolve => {
      const others = this.#onIdle
      this.#onIdle = () => {
        others?.()
        resolve()
      }
    })
  }

  /** The end is near: no lingering, shorter waits between attempts. */
  hurry(): void {
    this.#hurrying = true
    this.parts.delivery.hurry()
    this.#wake()
  }

  /** Stops reading; what was read and sent goes on, with as many attempts as it takes. */
  pause(): void {
    this.#paused = true
  }

  /** Stops reading and begins no request any more; those under way go on. */
  halt(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
    clearImmediate(this.#pumping)
    this.parts.delivery.halt()
  }

  /** Stops reading and drops what is under way; its bytes stay uncommitted. */
  async stop(): Promise<void> {
    this.halt()
    this.parts.delivery.stop()
    await this.parts.transport.close()
    this.parts.deadLetters?.close()
  }

  /** Runs the pump once this turn of the event loop is over: files that grew together travel together. */
  #wake(): void {
    this.#pumping ??= setImmediate(() => {
      this.#pumping = undefined
      this.#pump()
    })
  }

  #pump(): void {
    if (this.#stopped || this.#paused) return
    const { reader, concurrency, budget } = this.parts
    while (reader.ready || this.#filling) {
      const slab = (this.#filling ??= this.#slab())
      // Without a free place in the arena reading waits: the next release wakes us.
      if (slab === undefined) return
      const fill = reader.fill(slab, this.#target)
      if (fill === 'yield') this.#wake()
      if (slab.frames === 0) {
        this.#filling = undefined
        budget.release(slab.extent)
        break
      }
      if (slab.since === 0) slab.since = performance.now()
      if (this.#underWay >= concurrency || !this.#mayGo(slab, fill === 'full')) return
      this.#filling = undefined
      void this.#ship(slab)
      if (fill === 'yield') return
    }
    if (this.idle) {
      this.#onIdle?.()
      this.#onIdle = undefined
    }
  }

  /** Whether the slab is sent now. If it is not, a timer or the end of a request looks again. */
  #mayGo(slab: Slab, full: boolean): boolean {
    const { batch } = this.parts
    if (full || this.#hurrying) return true
    const age = performance.now() - slab.since
    const patience = this.#underWay === 0 ? batch.linger : batch.maxAge
    if (age >= patience) return true
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      this.#wake()
    }, patience - age)
    return false
  }

  /** What a slab should hold: one full payload, as far as is known. */
  get #target(): number {
    return Math.min(TARGET.most, Math.max(TARGET.least, this.parts.delivery.wanted))
  }

  #slab(): Slab | undefined {
    const { budget, kernel } = this.parts
    const extent = budget.grant(this.#slabBytes)
    return extent && new Slab(kernel.memory.buffer, extent, this.#maxFrames)
  }

  async #ship(slab: Slab): Promise<void> {
    const { budget, delivery } = this.parts
    let sent = false
    const onSent = () => {
      if (sent) return
      sent = true
      this.#underWay--
      this.#wake()
    }
    this.#underWay++
    this.#unsettled++
    budget.shrink(slab.extent, slab.footprint)
    await delivery.ship(slab, onSent)
    onSent()
    this.#unsettled--
    budget.release(slab.extent)
    this.#wake()
  }
}

/** Bytes of a slab: table, and a window for its target, the largest single read, or the longest line. */
export function slabBytes(maxFrames: number, maxLine: number, target: number): number {
  return Math.ceil((4 * maxFrames + Math.max(target, QUANTUM, maxLine + 1)) / PAGE) * PAGE
}
