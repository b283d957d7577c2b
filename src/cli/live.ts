/**
 * The live configuration: the shipper that runs, and how another one takes its place without the process noticing.
 *
 *     shipping ─► a valid change ─► built ─► handed over ─► shipping, as the file says now
 *        ▲                            │
 *        └──────── refused ◄──────────┘ the previous one stays in use
 *
 * Ports, the lock of the state directory, the ledger's totals, all counters and viewers of the tap stay; files are read on from their
 * committed offsets. Guarantees: one change at a time; nothing is torn down before its successor was built; a drain that
 * begins in the middle of a change is not held up by it.
 */
import { isDeepStrictEqual } from 'node:util'
import type { Config } from '../config/config.ts'
import type { Problem } from '../config/problem.ts'
import { codeOf } from '../errors.ts'
import type { Logger } from '../log.ts'
import type { ConfigurationHealth, Reloads, ShipperView, Snapshot } from '../server/shipper-view.ts'
import type { Drained, LastSave, Shipper } from '../shipper.ts'
import type { Tap } from '../tap.ts'
import { type Caller, type Drain, Termination } from '../termination.ts'

/** How long a change waits for what could not be found again after it: milliseconds. */
const PATIENCE = 60_000
/** Between two looks at that. */
const LOOK = 100

/** A drain ends a second before the grace period: how much later the last save must have ended, and its least: milliseconds. */
const SAVED = 800
const LAST_SAVE = 300

export type Change =
  | { readonly kind: 'applied' }
  /** It says what runs already. */
  | { readonly kind: 'same' }
  | { readonly kind: 'refused'; readonly problems: readonly Pick<Problem, 'key' | 'found' | 'allowed'>[] }
  /** The end has begun. */
  | { readonly kind: 'late' }

export class Live implements ShipperView {
  readonly tap: Tap
  readonly #build: (config: Config, before?: Shipper) => Shipper
  readonly #log: Logger
  readonly #ending = new AbortController()
  readonly #termination = new Termination()
  #config: Config
  #shipper: Shipper
  #change: Promise<Change> | undefined
  /** When the drain must be over: monotonic milliseconds. */
  #until: number | undefined
  #configuration: ConfigurationHealth
  #problems: readonly string[] = []
  #reloads: Reloads = { applied: 0, refused: 0, appliedAt: new Date().toISOString() }
  #ready = false

  constructor(config: Config, build: (config: Config, before?: Shipper) => Shipper, log: Logger, tap: Tap) {
    this.tap = tap
    this.#build = build
    this.#log = log
    this.#config = config
    this.#shipper = build(config)
    this.#configuration = now('current', 0)
  }

  claim(): Promise<void> {
    return this.#shipper.claim()
  }

  start(): Promise<void> {
    return this.#shipper.start()
  }

  /** Puts `config` in the place of what runs. Never rejects. One at a time. */
  apply(config: Config): Promise<Change> {
    this.#change = this.#apply(config)
    return this.#change
  }

  /** What stands in the file is what runs. */
  accept(applied: boolean): void {
    if (applied)
      this.#reloads = { ...this.#reloads, applied: this.#reloads.applied + 1, appliedAt: new Date().toISOString() }
    if (applied || this.#configuration.kind === 'refused') this.#configuration = now('current', 0)
    this.#problems = []
  }

  /** What stands in the file cannot be used. */
  refuse(problems: readonly string[]): void {
    this.#reloads = { ...this.#reloads, refused: this.#reloads.refused + 1 }
    this.#configuration = now('refused', problems.length)
    this.#problems = problems
  }

  terminationBegan(caller: Caller): void {
    this.#termination.mark(caller)
  }

  /** How long a drain may take now that SIGTERM has come. */
  terminated(): Drain {
    this.#termination.signal()
    const drain = this.#termination.drain(this.gracePeriod)
    this.#until = drain.until
    return drain
  }

  /** A change that is under way is brought to its end first, and quickly; a save in it that hangs is not waited for. */
  async drain(): Promise<Drained> {
    const { until } = this.terminated()
    this.#ending.abort()
    await within(until, this.#change)
    return this.#shipper.drain(this.terminated().until)
  }

  remains(): Drained {
    return this.#shipper.remains()
  }

  /** Ends all parts, within what is left of the grace period. `late`: the last save did not end before that. */
  async stop(): Promise<LastSave | { readonly kind: 'late' }> {
    const until = Math.max((this.#until ?? this.terminated().until) + SAVED, performance.now() + LAST_SAVE)
    this.#ending.abort()
    const stopped = (async () => {
      await this.#change
      return this.#shipper.stop()
    })()
    return (await within(until, stopped)) ? stopped : { kind: 'late' }
  }

  get draining(): boolean {
    return this.#ending.signal.aborted
  }

  /** Milliseconds. */
  get gracePeriod(): number {
    return this.#config.drain.gracePeriod
  }

  startup(): ReturnType<ShipperView['startup']> {
    const startup = this.#shipper.startup()
    this.#ready ||= startup.ready
    // A reload is no start: what was ready stays ready.
    return this.#ready ? { ready: true, waiting: [] } : startup
  }

  sinceTurn(): number {
    return this.#shipper.sinceTurn()
  }

  /** What the shipper shows, and the configuration. */
  snapshot(): Snapshot {
    const snapshot = this.#shipper.snapshot()
    const configuration = this.#configuration
    const status = configuration.kind === 'refused' ? 'degraded' : snapshot.health.status
    return {
      ...snapshot,
      draining: this.draining,
      health: { ...snapshot.health, status, configuration },
      problems: this.#problems,
      reloads: this.#reloads,
    }
  }

  /** The account of the whole process, also when everything has ended. */
  ledger(): Snapshot['ledger'] {
    return this.#shipper.ledger()
  }

  async #apply(config: Config): Promise<Change> {
    if (same(config, this.#config)) return { kind: 'same' }
    const problems = lasting(this.#config, config)
    if (problems.length > 0) return { kind: 'refused', problems }
    await this.#finished()
    if (this.draining) return { kind: 'late' }
    const before = this.#shipper
    let next: Shipper
    try {
      next = this.#build(config, before)
    } catch (error) {
      return { kind: 'refused', problems: [{ key: '', found: codeOf(error), allowed: 'what can be built' }] }
    }
    this.#sayWhatIsLeft(config)
    const handover = await before.handOver(this.#ending.signal)
    this.#shipper = next
    this.#config = config
    this.tap.allow(config.server.tap)
    await next.succeed(before, handover)
    return { kind: 'applied' }
  }

  /** What is in flight of files that are gone, and what is being unpacked, is given time. */
  async #finished(): Promise<void> {
    const until = performance.now() + PATIENCE
    while (this.#shipper.unfinished && !this.draining) {
      if (performance.now() > until) {
        this.#log.warn(
          { event: 'reload_incomplete' },
          'data of deleted files is still in flight after a minute; what is not acknowledged now is lost',
        )
        return
      }
      await new Promise(resolve => setTimeout(resolve, LOOK))
    }
  }

  /** Offsets of a backend that gets a source no more are discarded, as they are at a start. */
  #sayWhatIsLeft(config: Config): void {
    const left = new Map<string, number>()
    for (const { source, backend, bytes } of this.#shipper.remains().left) {
      const kept = config.backends.some(({ name, sources }) => name === backend && sources.includes(source))
      if (!kept) left.set(backend, (left.get(backend) ?? 0) + bytes)
    }
    for (const [backend, bytes] of left) {
      this.#log.warn(
        { event: 'backend_removed', backend, bytes },
        'backend or source removed by the reload; discarding its offsets and unsent bytes',
      )
    }
  }
}

function now(kind: ConfigurationHealth['kind'], problems: number): ConfigurationHealth {
  return { kind, since: new Date().toISOString(), problems }
}

/** Addresses have no fields of their own to compare; their texts have. */
function same(one: Config, other: Config): boolean {
  // Plans follow from sources and backends, and hold functions, of which no two are equal.
  const written = ({ plans: _, ...rest }: Config) => rest
  return isDeepStrictEqual(written(one), written(other)) && JSON.stringify(one) === JSON.stringify(other)
}

/** What the process is built around. */
function lasting(before: Config, after: Config): Extract<Change, { kind: 'refused' }>['problems'] {
  const keys = {
    'state.dir': [before.state.dir, after.state.dir],
    'state.permissions': [before.state.permissions, after.state.permissions],
    'server.port': [before.server.port, after.server.port],
    'server.admin': [before.server.admin, after.server.admin],
  }
  return Object.entries(keys)
    .filter(([, [one, other]]) => !isDeepStrictEqual(one, other))
    .map(([key]) => ({
      key,
      found: 'a value that differs from that at start',
      allowed: 'a change with a restart only',
    }))
}

/** Waits for `work`, but no longer than `until` in monotonic milliseconds. Returns whether it ended. */
async function within(until: number, work: Promise<unknown> | undefined): Promise<boolean> {
  const late = Promise.withResolvers<boolean>()
  const timer = setTimeout(() => late.resolve(false), Math.max(0, until - performance.now()))
  try {
    return await Promise.race([Promise.resolve(work).then(() => true), late.promise])
  } finally {
    clearTimeout(timer)
  }
}
