/**
 * A pipeline: sources → one backend, with its own cursors, its own arena and its own budget.
 *
 *     reader ──► slab being filled ──► slabs under way, at most `concurrency` ──► settled, released
 *
 * It pulls. What can be read is gathered in one slab until that is sent: `delivery/batching.ts` says when. When the
 * budget is used up, reading waits; there is no other queue. A file of which records are searched for what is at fault is
 * read no further meanwhile, the others are. One pipeline shares nothing with another: a dead backend holds back only
 * itself.
 */
import { type Origin, Slab } from './chunk.ts'
import { CLOCK, type Clock } from './clock.ts'
import { NEVER_BEGUN, when } from './delivery/batching.ts'
import type { BatchOptions } from './delivery/options.ts'
import type { Destination } from './destination.ts'
import { codeOf, invariant } from './errors.ts'
import type { Logger } from './log.ts'
import type { Fill, Reader } from './tail/framing/reader.ts'

/** What a slab holds at the least before it is full, however its records grow: bytes. */
const LEAST_TARGET = 64 * 1024
/** What is read in one turn of the event loop: bytes. */
const TURN = 1024 * 1024

export interface PipelineParts extends Destination {
  readonly name: string
  /** The names of its sources. */
  readonly sources: readonly string[]
  readonly reader: Reader
  readonly batch: BatchOptions
  readonly concurrency: number
  readonly logger: Logger
  /** By default the real one. */
  readonly clock?: Clock
}

/**
 * `running`: reads and sends. `draining`: the same, without waiting for company. `paused`: reads no more; what was read and sent
 * goes on, with as many attempts as it takes. `failed`: the same, for what was read could not be processed, and is not to
 * be sent as it is. `halted`: begins no request any more.
 */
type Phase = 'running' | 'draining' | 'paused' | 'failed' | 'halted'

export class Pipeline {
  readonly parts: PipelineParts
  readonly #clock: Clock
  #filling: Slab | undefined
  /** A line comes next that only the largest slabs can hold. */
  #long = false
  /** When it was found that no slab can be had although none is held that could be released. */
  #stalledSince: number | undefined
  #phase: Phase = 'running'
  /** Batches with requests under way, and those that have not been settled: the backend may confirm later. */
  #sending = 0
  #unsettled = 0
  #pumping: NodeJS.Immediate | undefined
  /** When the last request was begun, by the clock; and when a batch that waits is looked at again. */
  #begunAt = NEVER_BEGUN
  #alarmAt: number | undefined
  #cancelAlarm = () => {}
  #idle: PromiseWithResolvers<void> | undefined

  /** When a file that is over its limit is looked at again, by the monotonic clock. */
  #limitedUntil: number | undefined
  #limitTimer: NodeJS.Timeout | undefined

  readonly #withholds = (origin: Origin): boolean => {
    if (this.parts.delivery.withholds(origin)) return true
    const ms = this.parts.stage.waitOf(origin)
    if (ms > 0) this.#resumeIn(ms)
    return ms > 0
  }

  constructor(parts: PipelineParts) {
    this.parts = parts
    this.#clock = parts.clock ?? CLOCK
    invariant(parts.slab.longest.bytes <= parts.budget.slabs, 'the budget has no place for the longest line')
    parts.reader.onReady = () => this.#wake()
    parts.delivery.onEased = () => parts.reader.resume(this.#withholds)
    parts.budget.onRelease = () => {
      parts.delivery.released()
      this.#wake()
    }
  }

  /** Batches that have not been settled. */
  get unsettled(): number {
    return this.#unsettled
  }

  /** Nothing is being filled or sent, and nothing waits to be read. */
  get idle(): boolean {
    const { reader } = this.parts
    // What was not processed stays in its file.
    if (this.#phase === 'failed') return this.#unsettled === 0
    return this.#unsettled === 0 && this.#filling === undefined && !reader.ready && !reader.withholds
  }

  /**
   * Since when nothing is read, for want of memory that nothing will release or because processing failed: milliseconds
   * since the epoch.
   */
  get stalledSince(): number | undefined {
    return this.#stalledSince
  }

  /** Resolves when the pipeline is idle: now, or after what is left has settled. */
  whenIdle(): Promise<void> {
    if (this.idle) return Promise.resolve()
    this.#idle ??= Promise.withResolvers()
    return this.#idle.promise
  }

  /** The end is near: nothing waits for company, shorter waits between attempts. */
  hurry(): void {
    if (this.#phase === 'running') this.#phase = 'draining'
    this.parts.stage.lift()
    this.parts.reader.resume(this.#withholds)
    this.parts.delivery.hurry()
    this.#wake()
  }

  /** Stops reading; what was read and sent goes on. */
  pause(): void {
    if (this.#phase !== 'halted' && this.#phase !== 'failed') this.#phase = 'paused'
  }

  /** Stops reading and begins no request any more; those under way go on. */
  halt(): void {
    this.#phase = 'halted'
    this.#alarm(undefined)
    clearTimeout(this.#limitTimer)
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
      switch (this.#phase) {
        case 'running':
        case 'draining':
          this.#pump()
          break
        case 'failed':
          this.#noteIdle()
          break
        case 'paused':
        case 'halted':
      }
    })
  }

  #pump(): void {
    const { reader, budget } = this.parts
    while (reader.ready || this.#filling) {
      const slab = (this.#filling ??= this.#slab())
      // Without a free place in the arena reading waits: the next release wakes us.
      if (slab === undefined) return
      const fill = this.#fill(slab)
      if (fill === 'failed') {
        // What is in it was not all processed. It stays uncommitted, and is read anew by the next program.
        this.#filling = undefined
        budget.release(slab.extent)
        break
      }
      if (fill === 'yield' || fill === 'more') this.#wake()
      if (slab.frames === 0) {
        this.#filling = undefined
        budget.release(slab.extent)
        invariant(fill !== 'full' || !this.#long, 'a line does not fit into the largest slab')
        this.#long = fill === 'full'
        if (this.#long) continue
        break
      }
      this.#long = false
      if (fill === 'more') return
      if (!this.#mayGo(slab, fill)) return
      this.#filling = undefined
      void this.#ship(slab)
      if (fill === 'yield') return
    }
    this.#noteIdle()
  }

  #noteIdle(): void {
    if (!this.idle) return
    this.#idle?.resolve()
    this.#idle = undefined
  }

  /** Whether the slab is sent now. If it is not, a timer or the end of a request looks again. */
  #mayGo(slab: Slab, fill: Fill): boolean {
    const filled = fill === 'full' || slab.used >= this.#target || slab.frames >= slab.maxFrames
    const full = filled || this.#phase === 'draining'
    const departure = when(full, this.#sending, this.#begunAt, this.#clock.now(), this.parts)
    this.#alarm(typeof departure === 'object' ? departure.at : undefined)
    return departure === 'now'
  }

  /** Looks again at a time of the clock; there is one such time. */
  #alarm(at: number | undefined): void {
    if (this.#alarmAt === at) return
    this.#alarmAt = at
    this.#cancelAlarm()
    if (at === undefined) return
    this.#cancelAlarm = this.#clock.after(at - this.#clock.now(), () => {
      this.#alarmAt = undefined
      this.#wake()
    })
  }

  /**
   * Reads until the slab is full; `more`: that takes another turn of the event loop; `failed`: what was read could not be
   * processed, and nothing is read any more.
   */
  #fill(slab: Slab): Fill | 'failed' {
    const { reader } = this.parts
    const target = this.#target
    const before = slab.used
    const chunks = slab.chunks.length
    const fill = reader.fill(slab, Math.min(target, before + TURN), this.#withholds)
    const read = slab.used
    // In the same turn: nothing may see what was read before this.
    const freed = this.#process(slab, chunks)
    if (freed === 'failed') return 'failed'
    // What was dropped has left room: the slab is full once what is kept fills it.
    if (freed) return fill === 'full' && slab.used < target && slab.frames < slab.maxFrames ? 'more' : fill
    return fill === 'full' && before + TURN < target && read > before ? 'more' : fill
  }

  /** Whether what was dropped has left room. Fails closed: what is not processed is not sent. */
  #process(slab: Slab, first: number): boolean | 'failed' {
    try {
      return this.parts.stage.apply(slab, first)
    } catch (error) {
      const { name: backend, logger } = this.parts
      this.#phase = 'failed'
      this.#stalledSince ??= Date.now()
      const stack = error instanceof Error ? error.stack : undefined
      const sentence = 'bug: processing failed; nothing more is read, so that nothing is sent that is not redacted'
      logger.error({ event: 'processing_failed', backend, code: codeOf(error), stack }, sentence)
      return 'failed'
    }
  }

  /** Looks once more at the files that are over their limit, when the first of them may be read again. */
  #resumeIn(ms: number): void {
    const due = performance.now() + ms
    if (this.#limitedUntil !== undefined && this.#limitedUntil <= due) return
    clearTimeout(this.#limitTimer)
    this.#limitedUntil = due
    this.#limitTimer = setTimeout(
      () => {
        this.#limitedUntil = undefined
        this.parts.reader.resume(this.#withholds)
      },
      Math.max(1, ms),
    )
  }

  /** What a slab should hold: one full payload, as far as is known. */
  get #target(): number {
    return Math.max(LEAST_TARGET, this.parts.delivery.wanted)
  }

  #slab(): Slab | undefined {
    const { budget, kernel, slab } = this.parts
    const most = Math.min(slab.full.bytes, budget.slabs)
    const extent = budget.grant(most, this.#long ? slab.longest.bytes : Math.min(most, slab.small.bytes))
    this.#noteStall(extent === undefined)
    // All slabs are kept by what waits for something else than a request.
    if (extent === undefined && this.#sending === 0) this.parts.delivery.makeRoom()
    return extent && Slab.within(kernel.memory.buffer, extent, slab.maxFrames, slab.row)
  }

  /** Nothing that is under way, and no slab: nothing will be released. By the way arenas are divided this cannot be. */
  #noteStall(without: boolean): void {
    const stalled = without && this.#unsettled === 0
    if (stalled === (this.#stalledSince !== undefined)) return
    this.#stalledSince = stalled ? Date.now() : undefined
    const { name, budget, logger } = this.parts
    if (!stalled) logger.warn({ event: 'reading_resumed', backend: name }, 'reading resumed: memory is available again')
    else {
      const { used, total } = budget
      const fields = { event: 'reading_stalled', backend: name, used, total } as const
      logger.error(fields, 'bug: reading stalled, for no memory is free and nothing will release any')
    }
  }

  async #ship(slab: Slab): Promise<void> {
    const { budget, delivery, reader } = this.parts
    const onSent = once(() => {
      this.#sending--
      this.#wake()
    })
    const onFree = once(() => budget.release(slab.extent))
    this.#sending++
    this.#unsettled++
    this.#begunAt = this.#clock.now()
    reader.sent()
    budget.shrink(slab.extent, slab.footprint)
    await delivery.ship(slab, { onSent, onFree })
    onSent()
    this.#unsettled--
    onFree()
    this.#wake()
  }
}

/** The same, but only the first time. */
function once(act: () => void): () => void {
  let done = false
  return () => {
    if (done) return
    done = true
    act()
  }
}
