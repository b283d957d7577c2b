/**
 * The composition root. Read it top to bottom and you know the program:
 *
 *     sources ─► sweep ─► tail ─► pipelines (reader ► slab ► delivery ► transport), one per backend
 *                           │                            │
 *                           └── checkpoints ◄── ledger ◄─┘ settle
 *
 * It builds the parts in the order in which they lean on each other, starts them, and ends them: `drain` reads to the
 * end, sends what is left and saves, within the deadline. It never ends the process.
 *
 * When the configuration changes one shipper succeeds another (`handOver`, `succeed`): everything is built anew, and
 * goes on where the one before it stood.
 */

import type { BackendConfig, Config } from './config/config.ts'
import { Identities } from './delivery/identity/identities.ts'
import { StreamTransport } from './delivery/transport/stream.ts'
import { createDestination, type Destination } from './destination.ts'
import { ShipperError } from './errors.ts'
import { Ledger } from './ledger.ts'
import type { Logger } from './log.ts'
import { PodMetadata } from './metadata.ts'
import { Pipeline } from './pipeline.ts'
import { UnparsedNotices } from './process/unparsed.ts'
import { backlogBytes, ledgerLines, snapshotOf } from './report.ts'
import type { LedgerLine, ShipperSnapshot } from './server/shipper-view.ts'
import { StateDirectory } from './state.ts'
import { type Handover, type LastSave, type Left, Sources } from './tail/sources.ts'
import { type Claim, type Claimed, claim } from './tail/state/lock.ts'
import type { Tap } from './tap.ts'
import { Volume } from './volume.ts'

/** After everything is sent, files must stay unchanged for this long before the drain ends. */
const STABLE = 30
/** How much of the reserve second requests under way may use: milliseconds. The rest is for the last save. */
const LAST_ANSWERS = 600

/** How long a shipper that hands over waits for what is under way to settle, and then for its last answers. */
const SETTLE = 3_000
const ANSWERS = 10_000

/** Locking a state directory that another program uses is retried after so long: milliseconds. */
const RECLAIM = 10_000

export type { LastSave }

/** How it ended. */
export interface Drained {
  /** Everything that lay on the volume was read and settled. */
  readonly complete: boolean
  readonly left: readonly Left[]
}

export class Shipper {
  readonly #config: Config
  readonly #log: Logger
  readonly #tap: Tap | undefined
  readonly #ledger = new Ledger()
  readonly #state: StateDirectory | null
  readonly #sources: Sources
  readonly #pipelines: readonly Pipeline[]
  readonly #pod: PodMetadata
  readonly #volume: Volume | undefined
  readonly #unparsed: UnparsedNotices
  /** Of all backends, and of the shippers before this one. */
  readonly #identities: Identities
  #stdout: StreamTransport | undefined
  #claim: Claim | undefined
  #draining = false

  /**
   * `onClosed`: our standard output has no reader any more. `before` is the shipper that this one is to succeed; it goes
   * on until it is told to hand over. `tap`: where records are shown.
   */
  constructor(config: Config, log: Logger, onClosed: () => void, before?: Shipper, tap?: Tap) {
    this.#config = config
    this.#log = log
    this.#tap = tap
    this.#pod = new PodMetadata(config.pod)
    this.#identities = before ? before.#identities : new Identities()
    this.#unparsed = before ? before.#unparsed : new UnparsedNotices(log)
    const { dir, permissions } = config.state
    if (before) this.#state = before.#state
    else this.#state = dir === null ? null : new StateDirectory(dir, this.#log, { permissions })
    const { held, unpacked } = config.state
    this.#sources = new Sources({
      sources: config.sources,
      budget: config.memory.budget,
      state: this.#state,
      held,
      unpacked,
      ledger: this.#ledger,
      log,
    })
    const { sizeLimit } = config.volume
    if (sizeLimit !== undefined)
      this.#volume = new Volume({ directories: this.#sources.volume(dir), limit: sizeLimit, log })
    const streams = config.backends.some(({ endpoint }) => endpoint === undefined)
    if (before) this.#stdout = before.#stdout
    if (streams) this.#stdout ??= new StreamTransport({ fd: 1, closed: onClosed })
    this.#pipelines = config.backends.map(backend => this.#pipeline(backend, onClosed, before))
  }

  /**
   * Takes the state directory for this program alone. Before `start`; throws `ERR_START` if another program has it.
   */
  async claim(): Promise<void> {
    const state = this.#state
    if (state === null) return
    this.#warnOfShared(state.path)
    const claimed = await claim(state)
    this.#watchClaim(state)
    if (claimed.kind !== 'held') {
      this.#claimed(state, claimed)
      return
    }
    const message = `state.dir: ${state.path} is in use by another logshipper (${claimed.by}); each instance needs its own directory`
    throw new ShipperError('ERR_START', message)
  }

  /** A user who may rename the state directory can take the checkpoint away, and read what is in it. */
  #warnOfShared(dir: string): void {
    const shared = this.#sources.sharing(dir)
    if (shared === undefined) return
    const { path, found } = shared
    this.#log.warn(
      { event: 'state_shared', dir, path, found },
      'the application can rename state.dir; put it on a volume that only logshipper mounts',
    )
  }

  /** A state directory that was removed, or has another one in its place, is claimed again. */
  #watchClaim(state: StateDirectory): void {
    state.onRenewed = () => {
      void claim(state).then(claimed => this.#claimed(state, claimed))
    }
  }

  #claimed(state: StateDirectory, claimed: Claimed): void {
    const dir = state.path
    switch (claimed.kind) {
      case 'claimed':
        this.#claim?.release()
        this.#claim = claimed.claim
        state.holder = undefined
        break
      case 'held':
        state.holder = `another logshipper (${claimed.by})`
        this.#log.error(
          { event: 'state_contended', dir, by: claimed.by },
          'another program uses the state directory; no checkpoint is written until it has ended',
        )
        setTimeout(state.onRenewed, RECLAIM).unref()
        break
      case 'unknown':
        state.holder = undefined
        this.#log.info(
          { event: 'state_unlocked', dir, code: claimed.code },
          'cannot lock state.dir; not checking for a second instance',
        )
    }
  }

  /** Finds everything again and begins to ship. Touches no backend until there is something to send. Never rejects. */
  async start(): Promise<void> {
    await this.#sources.tail.start()
    this.#openAccounts()
    this.#volume?.start()
  }

  /** Each source's account at each backend is there from the start: a count that begins with an event hides it. */
  #openAccounts(): void {
    for (const { parts } of this.#pipelines)
      for (const source of parts.sources) this.#ledger.account(source, parts.name)
  }

  /** What is in flight of files that are gone could not be found again: better to wait until it has settled. */
  get unfinished(): boolean {
    return this.#sources.tail.unfinished
  }

  /**
   * Ends, and leaves everything to another shipper of this process: nothing is read any more, what is under way settles
   * if it can within a bound, and no request is begun after that. Once `hurry` is aborted there is no time for that.
   */
  async handOver(hurry: AbortSignal): Promise<Handover> {
    this.#volume?.stop()
    for (const pipeline of this.#pipelines) pipeline.pause()
    await this.#quiet(SETTLE, hurry)
    for (const pipeline of this.#pipelines) pipeline.halt()
    await this.#quiet(ANSWERS, hurry)
    await Promise.all(this.#pipelines.map(pipeline => pipeline.stop()))
    await this.#quiet(1000)
    return this.#sources.tail.handOver()
  }

  /** Goes on where `before` stood, which has handed over. Never rejects. */
  async succeed(before: Shipper, handover: Handover): Promise<void> {
    this.#claim = before.#claim
    before.#claim = undefined
    if (this.#state) this.#watchClaim(this.#state)
    this.#sources.store.succeed(before.#sources.store)
    await this.#sources.tail.start(handover)
    this.#openAccounts()
    this.#volume?.start()
  }

  /** Waits until nothing is under way, but no longer than `ms` milliseconds. */
  async #quiet(ms: number, hurry?: AbortSignal): Promise<void> {
    const until = performance.now() + ms
    while (this.#pipelines.some(({ unsettled }) => unsettled > 0) && performance.now() < until && !hurry?.aborted) {
      await new Promise(resolve => setTimeout(resolve, STABLE))
    }
  }

  /**
   * Reads every file to its end, sends and settles it, and saves. At `until`, in monotonic milliseconds, what is left
   * stays on disk; by default that is a second before the grace period ends, to save and say goodbye.
   */
  async drain(until = performance.now() + this.#config.drain.gracePeriod - 1000): Promise<Drained> {
    this.#draining = true
    const timeout = AbortSignal.timeout(Math.max(1, Math.round(until - performance.now())))
    const late = new Promise<'late'>(resolve => timeout.addEventListener('abort', () => resolve('late')))
    for (const pipeline of this.#pipelines) pipeline.hurry()
    this.#sources.tail.finish()
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
    await this.#quiet(until - performance.now())
  }

  /** What has not been settled now. */
  remains(): Drained {
    const left = [...this.#sources.left(this.#pipelines.map(({ parts }) => parts))]
    return { complete: left.length === 0, left }
  }

  /**
   * Ends all parts. What has not settled stays uncommitted. A volume that does not answer holds it up: the caller waits
   * as long as there is time.
   */
  async stop(): Promise<LastSave> {
    this.#volume?.stop()
    await Promise.all(this.#pipelines.map(pipeline => pipeline.stop()))
    await this.#stdout?.close()
    const lastSave = await this.#sources.tail.stop(true, this.remains().complete)
    this.#claim?.release()
    this.#state?.close()
    return lastSave
  }

  ledger(): LedgerLine[] {
    return ledgerLines(this.#ledger)
  }

  get draining(): boolean {
    return this.#draining
  }

  startup(): { ready: boolean; waiting: string[] } {
    const waiting = this.#sources.tail.swept ? [] : ['the first sweep']
    return { ready: waiting.length === 0, waiting }
  }

  sinceTurn(): number {
    return performance.now() - this.#sources.tail.turnedAt
  }

  snapshot(): ShipperSnapshot {
    const { sources, memory } = this.#config
    return snapshotOf({
      metadata: this.#pod.metadata,
      draining: this.#draining,
      names: sources.map(({ name }) => name),
      budget: memory.budget,
      pipelines: this.#pipelines,
      sources: this.#sources,
      volume: this.#volume,
      ledger: this.#ledger,
    })
  }

  async #settled(): Promise<'done'> {
    await Promise.all(this.#pipelines.map(pipeline => pipeline.whenIdle()))
    return 'done'
  }

  async #grew(): Promise<boolean> {
    await new Promise(resolve => setTimeout(resolve, STABLE))
    // What became readable meanwhile may be on its way already.
    return this.#sources.tail.look() || this.#pipelines.some(({ idle }) => !idle)
  }

  /** The destination that has a backend's name, if it is one of the same kind. */
  #destination({ name, type }: BackendConfig): Destination | undefined {
    return this.#pipelines.find(({ parts }) => parts.name === name && parts.backend.type === type)?.parts
  }

  #pipeline(config: BackendConfig, onClosed: () => void, before: Shipper | undefined): Pipeline {
    const { name, delivery: options } = config
    const destination = createDestination(this.#config, config, {
      metadata: () => this.#pod.metadata,
      log: this.#log,
      state: this.#state ?? undefined,
      behind: () => backlogBytes(pipeline, this.#sources),
      onClosed,
      before: before ? before.#destination(config) : undefined,
      stream: this.#stdout,
      tap: this.#tap,
      identities: this.#identities,
      onRepaired: (origin, sequences) => {
        this.#ledger.account(origin.source, name).repaired(sequences)
        this.#sources.repaired(origin)
      },
      onTruncated: (origin, records) => this.#ledger.account(origin.source, name).truncated(records),
    })
    destination.stage.onUnparsed = (origin, records) => {
      this.#ledger.account(origin.source, name).unparsed(records)
      this.#unparsed.say(origin)
    }
    destination.stage.onBeyond = (origin, records) => {
      this.#ledger.account(origin.source, name).unpartitioned(records)
      const { key, most } = destination.backend.partitioning!
      this.#unparsed.limited(origin, { backend: name, key, most })
    }
    destination.stage.onUntimed = (origin, records) => {
      this.#ledger.account(origin.source, name).untimed(records)
      if (records.unreadable + records.old + records.ahead > 0) this.#unparsed.say(origin, 'times_unread')
    }
    destination.stage.onUnlevelled = (origin, records) => {
      this.#ledger.account(origin.source, name).unlevelled(records)
    }
    const { batch, concurrency } = options
    const { kernel, stage } = destination
    const reader = this.#sources.reader(config, kernel, source => stage.readingOf(source), batch.interval)
    const pipeline: Pipeline = new Pipeline({
      ...destination,
      name,
      sources: config.sources,
      reader,
      batch,
      concurrency,
      logger: this.#log,
    })
    return pipeline
  }
}
