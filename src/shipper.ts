/**
 * The composition root. Read it top to bottom and you know the program:
 *
 *     sources ─► sweep ─► tail ─► pipelines (reader ► slab ► delivery ► transport), one per backend
 *                           │                            │
 *                           └── checkpoints ◄── ledger ◄─┘ settle
 *
 * It builds the parts in the order in which they lean on each other, starts them, and ends them: `drain` reads to the
 * end, sends what is left and saves, within the deadline. It never ends the process.
 */

import type { BackendConfig, Config } from './config/config.ts'
import { createDestination } from './destination.ts'
import { ShipperError } from './errors.ts'
import { Ledger } from './ledger.ts'
import { type Logger, rateLimited } from './log.ts'
import { Surroundings } from './metadata.ts'
import { Pipeline } from './pipeline.ts'
import { backendHealth, pipelineStatus, sourceHealth } from './report.ts'
import type { FileStatus, Health, LedgerLine, PipelineStatus, Refused, Subject } from './server/subject.ts'
import { CheckpointStore } from './tail/checkpoint.ts'
import { type Claim, claim } from './tail/claim.ts'
import { Framer } from './tail/framer.ts'
import { Reader } from './tail/reader.ts'
import { Sweep } from './tail/sweep.ts'
import { Tail } from './tail/tail.ts'
import { VERSION } from './version.ts'

/** Sentences about one thing are said once in this many milliseconds. */
const SAY_AGAIN = 60_000
/** After everything is sent, files must stay as they are for this long before we believe that nobody writes. */
const STABLE = 30
/** How much of the reserve second requests under way may use: milliseconds. The rest is for the last save. */
const LAST_ANSWERS = 600

/** How it ended. */
export interface Drained {
  /** Everything that lay on the volume was read and settled. */
  readonly complete: boolean
  readonly left: readonly { source: string; path: string; backend: string; bytes: number }[]
}

export class Shipper implements Subject {
  readonly #config: Config
  readonly #log: Logger
  readonly #ledger = new Ledger()
  readonly #store: CheckpointStore
  readonly #sweep: Sweep
  readonly #tail: Tail
  readonly #pipelines: readonly Pipeline[]
  readonly #surroundings: Surroundings
  #claim: Claim | undefined
  #draining = false
  #terminationBegan: number | undefined

  /** `onClosed`: our standard output has no reader any more. */
  constructor(config: Config, log: Logger, onClosed: () => void) {
    this.#config = config
    this.#log = rateLimited(log, SAY_AGAIN)
    this.#surroundings = new Surroundings(config.pod)
    this.#store = new CheckpointStore(config.state.dir, this.#log)
    this.#sweep = new Sweep(config.sources, this.#log)
    this.#tail = new Tail(config.sources, this.#sweep, this.#store, this.#ledger, this.#log, config.state.held)
    this.#pipelines = config.backends.map(backend => this.#pipeline(backend, onClosed))
  }

  /**
   * Takes the state folder for this program alone. Before `start`; throws `ERR_START` if another program has it.
   */
  async claim(): Promise<void> {
    const { dir } = this.#store
    if (dir === null) return
    const claimed = await claim(dir)
    switch (claimed.kind) {
      case 'claimed':
        this.#claim = claimed.claim
        break
      case 'taken': {
        const message = `state.dir: ${dir} is in use by another logshipper (${claimed.by}); each needs a folder of its own`
        throw new ShipperError('ERR_START', message)
      }
      case 'unknown':
        this.#log.info({ dir, code: claimed.code }, 'whether another program uses the state folder cannot be told')
    }
  }

  /** Finds everything again and begins to ship. Touches no backend until there is something to send. Never rejects. */
  async start(): Promise<void> {
    await this.#tail.start()
  }

  /** Marks the start of the pod's termination, from which the grace period counts. */
  terminationBegan(): void {
    this.#terminationBegan = this.#markedBegin() ?? performance.now()
  }

  /**
   * When the pod's termination began, if the preStop hook said so. A mark that is older than two grace periods was not
   * the hook's: the pod would be gone by now. It must not shorten the drain.
   */
  #markedBegin(): number | undefined {
    const mark = this.#terminationBegan
    return mark !== undefined && performance.now() - mark <= 2 * this.#config.drain.gracePeriod ? mark : undefined
  }

  /**
   * Reads every file to its end, sends and settles it, and saves; at the deadline what is left stays on disk. The
   * grace period is shared with the application: it counts from the preStop mark, if there was one.
   */
  async drain(): Promise<Drained> {
    this.#draining = true
    const began = this.#markedBegin() ?? performance.now()
    const deadline = began + this.#config.drain.gracePeriod
    // A second in reserve to save and say goodbye. The kubelet leaves two seconds at the least, so one is always ours.
    const until = Math.max(deadline - 1000, performance.now() + 1000)
    const timeout = AbortSignal.timeout(Math.max(1, Math.round(until - performance.now())))
    const late = new Promise<'late'>(resolve => timeout.addEventListener('abort', () => resolve('late')))
    for (const pipeline of this.#pipelines) pipeline.hurry()
    this.#tail.finish()
    let outcome: 'done' | 'late' = 'done'
    do {
      outcome = await Promise.race([late, this.#settled()])
      // Another writer may live on: it is given as long as there is, and no longer.
    } while (outcome !== 'late' && (await this.#grew()))
    if (outcome === 'late') await this.#lastAnswers(until + LAST_ANSWERS)
    return this.remains()
  }

  /** No request is begun any more; those under way may have their answer in what is left of the reserve. */
  async #lastAnswers(until: number): Promise<void> {
    for (const pipeline of this.#pipelines) pipeline.halt()
    while (this.#pipelines.some(({ underWay }) => underWay > 0) && performance.now() < until) {
      await new Promise(resolve => setTimeout(resolve, STABLE))
    }
  }

  /** What has not been settled now. */
  remains(): Drained {
    const left = [...this.#left()]
    return { complete: left.length === 0, left }
  }

  /** Ends all parts. What has not settled stays uncommitted. */
  async stop(): Promise<void> {
    await Promise.all(this.#pipelines.map(pipeline => pipeline.stop()))
    await this.#tail.stop(true)
    this.#claim?.release()
  }

  ledger(): LedgerLine[] {
    return [...this.#ledger].map(({ source, backend, account }) => ({
      source,
      backend,
      statement: account.statement(),
    }))
  }

  get draining(): boolean {
    return this.#draining
  }

  startup(): { ready: boolean; waiting: string[] } {
    const waiting = this.#tail.swept ? [] : ['the first sweep']
    return { ready: waiting.length === 0, waiting }
  }

  sinceTurn(): number {
    return performance.now() - this.#tail.turnedAt
  }

  health(): Health {
    const { fault, dir } = this.#store
    const backends = this.#pipelines.map(pipeline => backendHealth(pipeline, this.#tail))
    const sources = this.#config.sources.map(({ name }) => sourceHealth(name, this.#tail))
    const well = fault === undefined && backends.every(({ state }) => state === 'up')
    return {
      status: well ? 'ok' : 'degraded',
      version: VERSION,
      state: fault
        ? { kind: 'failing', code: fault.code, since: new Date(fault.since).toISOString() }
        : { kind: dir === null ? 'memory' : 'saved' },
      pins: this.#tail.pins,
      heldBytes: this.#tail.heldBytes,
      watch: this.#sweep.watching,
      backends,
      sources,
    }
  }

  pipelines(): PipelineStatus[] {
    return this.#pipelines.map(pipeline => pipelineStatus(pipeline, this.#tail))
  }

  files(): FileStatus[] {
    return [...this.#tail.tailers].map(({ path, size, state, generation }) => ({
      source: generation.origin.source,
      path,
      generation: generation.origin.generation,
      state: state.kind,
      size,
      cursors: generation.cursors.map(({ backend, read, committed }) => ({
        backend,
        read,
        committed: committed.offset,
      })),
    }))
  }

  refused(): Refused[] {
    return [...this.#tail.refused]
  }

  async #settled(): Promise<'done'> {
    await Promise.all(this.#pipelines.map(pipeline => pipeline.whenIdle()))
    return 'done'
  }

  async #grew(): Promise<boolean> {
    await new Promise(resolve => setTimeout(resolve, STABLE))
    // What became readable meanwhile may be on its way already.
    return this.#tail.look() || this.#pipelines.some(({ idle }) => !idle)
  }

  *#left(): Generator<Drained['left'][number]> {
    for (const { path, size, generation } of this.#tail.following()) {
      for (const cursor of generation.cursors) {
        const bytes = size - cursor.committed.offset
        if (bytes > 0) yield { source: generation.origin.source, path, backend: cursor.backend, bytes }
      }
    }
    for (const { source, path, size, offsets } of this.#tail.waiting()) {
      for (const { parts } of this.#pipelines) {
        const bytes = size - (offsets[parts.name] ?? 0)
        if (bytes > 0 && parts.sources.includes(source)) yield { source, path, backend: parts.name, bytes }
      }
    }
  }

  #pipeline(config: BackendConfig, onClosed: () => void): Pipeline {
    const { name, delivery: options } = config
    const destination = createDestination(this.#config, config, {
      metadata: () => this.#surroundings.metadata,
      log: this.#log,
      onClosed,
      onRepaired: (origin, sequences) => this.#ledger.account(origin.source, name).repaired(sequences),
      onTruncated: (origin, records) => this.#ledger.account(origin.source, name).truncated(records),
    })
    const sources = this.#config.sources.filter(source => config.sources.includes(source.name))
    const lines = new Map(sources.map(source => [source.name, source.maxLineBytes]))
    const reader = new Reader(name, new Framer(destination.kernel, source => lines.get(source)!), this.#tail.events)
    this.#tail.join({ reader, sources: new Set(config.sources) })
    const maxLine = Math.max(...lines.values())
    const { batch, concurrency } = options
    return new Pipeline({ ...destination, name, sources: config.sources, reader, batch, concurrency, maxLine })
  }
}
