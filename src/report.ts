/**
 * Reports: how the parts stand, in the words of the server's contract. Nothing is kept here.
 *
 * Guarantees: what one snapshot shows is of one moment, and each number is taken once.
 */
import { DURATION_BOUNDS } from './delivery/outcome/stats.ts'
import type { Ledger } from './ledger.ts'
import { memoryLimit, memoryUse } from './memory.ts'
import type { Metadata } from './metadata.ts'
import type { Pipeline } from './pipeline.ts'
import type {
  BackendHealth,
  FileStatus,
  Lag,
  LedgerLine,
  MemoryHealth,
  PipelineStatus,
  Refused,
  ShipperHealth,
  ShipperSnapshot,
  SourceHealth,
  StateHealth,
  VolumeHealth,
} from './server/subject.ts'
import type { Cursor, Generation } from './tail/generation/generation.ts'
import type { Tailer } from './tail/generation/tailer.ts'
import type { CheckpointStore } from './tail/state/checkpoint.ts'
import type { Tail } from './tail/tail.ts'
import type { Sweep, Waits } from './tail/watching/sweep.ts'
import { VERSION } from './version.ts'
import type { Volume } from './volume.ts'

const iso = (at: number | undefined): string | null => (at === undefined ? null : new Date(at).toISOString())

const NEVER = Number.POSITIVE_INFINITY

/** A save that takes longer is told: milliseconds. */
const LONG_SAVE = 5_000

export function stateHealth({
  dir,
  fault,
  savingFor,
}: Pick<CheckpointStore, 'dir' | 'fault' | 'savingFor'>): StateHealth {
  if (dir === null) return { kind: 'memory' }
  if (savingFor >= LONG_SAVE) return { kind: 'saving', seconds: Math.floor(savingFor / 1000) }
  return fault ? { kind: 'failing', code: fault.code, since: new Date(fault.since).toISOString() } : { kind: 'saved' }
}

/** How far the pipeline is behind each of its sources. */
function lags(pipeline: Pipeline, tail: Tail): Lag[] {
  const { name } = pipeline.parts
  const rows = new Map<string, { bytes: number; since: number; read: number }>()
  for (const source of pipeline.parts.sources) rows.set(source, { bytes: 0, since: NEVER, read: NEVER })
  for (const { generation, size } of tail.following()) {
    const row = rows.get(generation.origin.source)
    const cursor = generation.cursors.find(({ backend }) => backend === name)
    if (row === undefined || cursor === undefined) continue
    row.bytes += Math.max(0, size - cursor.committed.offset)
    row.read = Math.min(row.read, cursor.oldest ?? NEVER)
    row.since = Math.min(row.since, behindSince(generation, cursor, size))
  }
  for (const { source, size, offsets, since } of tail.waiting()) {
    const row = rows.get(source)
    const offset = offsets[name] ?? 0
    if (row === undefined || size <= offset) continue
    row.bytes += Math.max(0, size - offset)
    row.since = Math.min(row.since, since(offset) ?? NEVER)
  }
  const [now, wall] = [performance.now(), Date.now()]
  return [...rows].map(([source, { bytes, since, read }]) => ({
    source,
    bytes,
    seconds: secondsFrom(since, now),
    inFlightSeconds: secondsFrom(read, wall),
  }))
}

const secondsFrom = (since: number, now: number): number => (since === NEVER ? 0 : Math.max(0, (now - since) / 1000))

/** When the first byte came that is not settled: monotonic milliseconds. A last line without an end is not due yet. */
function behindSince({ growth }: Generation, cursor: Cursor, size: number): number {
  return cursor.caughtUp(size) ? NEVER : (growth.since(cursor.committed.offset) ?? NEVER)
}

/** Bytes on the volume that the backend has not acknowledged. */
export function backlogBytes(pipeline: Pipeline, tail: Tail): number {
  return lags(pipeline, tail).reduce((sum, { bytes }) => sum + bytes, 0)
}

function backendHealth(pipeline: Pipeline, lag: readonly Lag[]): BackendHealth {
  const { name, backend, delivery } = pipeline.parts
  const { health, numbers } = delivery
  const bad = health.kind === 'up' ? undefined : health
  return {
    name,
    type: backend.type,
    state: health.kind,
    reason: bad?.reason ?? null,
    since: iso(bad?.since),
    nextAttempt: iso(bad?.nextAttemptAt),
    attempts: bad?.attempts ?? 0,
    stalledSince: iso(pipeline.stalledSince),
    lastDelivered: iso(numbers.lastDeliveredAt),
    lastError: numbers.lastError ? { reason: numbers.lastError.reason, at: iso(numbers.lastError.at)! } : null,
    lagBytes: lag.reduce((sum, { bytes }) => sum + bytes, 0),
    lagSeconds: Math.max(0, ...lag.map(({ seconds }) => seconds)),
  }
}

function pipelineStatus(pipeline: Pipeline, lag: readonly Lag[]): PipelineStatus {
  const { name, budget, delivery, deadLetters, refusals, endpoint } = pipeline.parts
  const { numbers, health } = delivery
  const { lastError } = numbers
  return {
    backend: name,
    up: health.kind === 'up',
    endpoint,
    lastError: lastError
      ? { reason: lastError.reason, detail: lastError.detail ?? null, at: iso(lastError.at)! }
      : null,
    budget: { total: budget.total, used: budget.used, peak: budget.peak },
    batchesInFlight: numbers.inFlight,
    requests: [...numbers.requests],
    retries: Object.fromEntries(numbers.retries),
    refusals,
    deadLetters: deadLetters ? { ...deadLetters.numbers } : null,
    payloadBytes: numbers.payloadBytes,
    wireBytes: numbers.wireBytes,
    durations: { bounds: DURATION_BOUNDS, counts: [...numbers.durations], sum: numbers.durationSeconds },
    lag,
  }
}

function sourceHealth(name: string, tail: Tail, waits: Iterable<Waits>): SourceHealth {
  const refused: Record<string, number> = {}
  for (const { source, reason } of tail.refused) {
    if (source === name) refused[reason] = (refused[reason] ?? 0) + 1
  }
  const files = [...tail.tailers].filter(({ generation }) => generation.origin.source === name).length
  const waiting = { files: 0, directories: 0 }
  for (const { source, files, directories } of waits)
    if (source === name) Object.assign(waiting, { files, directories })
  return { name, files, refused, waiting }
}

function* fileStatus({ path, size, state, generation }: Tailer, now: number): Generator<FileStatus> {
  if (state.kind === 'closed') return
  yield {
    source: generation.origin.source,
    path,
    generation: generation.origin.generation,
    state: state.kind,
    size,
    cursors: generation.cursors.map(cursor => ({
      backend: cursor.backend,
      read: cursor.read,
      committed: cursor.committed.offset,
      lagSeconds: secondsFrom(behindSince(generation, cursor, size), now),
    })),
  }
}

/** Paths that are not followed, and why. */
function* refused(waits: Iterable<Waits>, tail: Tail): Generator<Refused> {
  for (const { source, path, files, directories } of waits) {
    const reason = `no memory for more: ${files} files and ${directories} directories wait, this one among them`
    yield { source, path, reason }
  }
  yield* tail.refused
}

export function ledgerLines(ledger: Ledger): LedgerLine[] {
  return [...ledger].map(({ source, backend, account }) => ({ source, backend, statement: account.statement() }))
}

function memoryHealth(budget: number): MemoryHealth {
  const { resident = null, anonymous = null } = memoryUse() ?? {}
  return { resident, anonymous, limit: memoryLimit() ?? null, budget }
}

function volumeHealth(volume: Volume | undefined): VolumeHealth | null {
  const status = volume?.status
  if (status === undefined) return null
  const { bytes, limit, growth, secondsLeft } = status
  return {
    bytes,
    limit,
    growthPerSecond: Math.round(growth),
    secondsLeft: secondsLeft === undefined ? null : Math.round(secondsLeft),
  }
}

/** What a snapshot is made of. */
export interface Parts {
  readonly metadata: Metadata
  readonly draining: boolean
  /** Names, in the order of the configuration. */
  readonly sources: readonly string[]
  /** `memory.budget`: bytes. */
  readonly budget: number
  readonly pipelines: readonly Pipeline[]
  readonly tail: Tail
  readonly sweep: Sweep
  readonly store: CheckpointStore
  readonly volume: Volume | undefined
  readonly ledger: Ledger
}

export function snapshotOf(parts: Parts): ShipperSnapshot {
  const { tail, sweep, ledger, draining } = parts
  const { namespace = null, pod = null, node = null } = parts.metadata
  const waits = [...sweep.waiting()]
  const pipelines = parts.pipelines.map(pipeline => ({ pipeline, lag: lags(pipeline, tail) }))
  const now = performance.now()
  return {
    identity: { namespace, pod, node },
    draining,
    health: health(
      parts,
      waits,
      pipelines.map(({ pipeline, lag }) => backendHealth(pipeline, lag)),
    ),
    pipelines: pipelines.map(({ pipeline, lag }) => pipelineStatus(pipeline, lag)),
    ledger: ledgerLines(ledger),
    files: [...tail.tailers].flatMap(tailer => [...fileStatus(tailer, now)]),
    refused: [...refused(waits, tail)],
  }
}

function health(parts: Parts, waits: readonly Waits[], backends: readonly BackendHealth[]): ShipperHealth {
  const { tail, sweep } = parts
  const state = stateHealth(parts.store)
  const saved = state.kind === 'saved' || state.kind === 'memory'
  const up = backends.every(({ state, stalledSince }) => state === 'up' && stalledSince === null)
  return {
    status: saved && up && waits.length === 0 ? 'ok' : 'degraded',
    version: VERSION,
    state,
    pins: tail.pins,
    heldBytes: tail.heldBytes,
    memory: memoryHealth(parts.budget),
    volume: volumeHealth(parts.volume),
    previous: tail.previous,
    watch: sweep.watching,
    directories: sweep.directories,
    backends,
    sources: parts.sources.map(name => sourceHealth(name, tail, waits)),
  }
}
