/**
 * Reports: how the parts stand, in the words of the server's contract. Nothing is kept here.
 *
 * Guarantees: what one snapshot shows is of one moment, and each number is taken once.
 */

import { DURATION_BOUNDS, SIZE_BOUNDS } from './delivery/outcome/stats.ts'
import type { Ledger } from './ledger.ts'
import { memoryLimit, memoryUse } from './memory.ts'
import type { Metadata } from './metadata.ts'
import type { Pipeline } from './pipeline.ts'
import type { FileStatus, SourceLag } from './progress.ts'
import type {
  BackendHealth,
  LedgerLine,
  MemoryHealth,
  PipelineStatus,
  ShipperHealth,
  ShipperSnapshot,
  SourceHealth,
  StateHealth,
  UnfollowedPath,
  VolumeHealth,
} from './server/shipper-view.ts'
import type { Sources, Waits } from './tail/sources.ts'
import { REVISION, VERSION } from './version.ts'
import type { Volume } from './volume.ts'

const iso = (at: number | undefined): string | null => (at === undefined ? null : new Date(at).toISOString())

/** A save that takes longer is shown: milliseconds. */
const LONG_SAVE = 5_000

function stateHealth({ dir, fault, savingFor }: Pick<Sources['store'], 'dir' | 'fault' | 'savingFor'>): StateHealth {
  if (dir === null) return { kind: 'memory' }
  if (savingFor >= LONG_SAVE) return { kind: 'saving', seconds: Math.floor(savingFor / 1000) }
  return fault ? { kind: 'failing', code: fault.code, since: new Date(fault.since).toISOString() } : { kind: 'saved' }
}

/** Bytes on the volume that the backend has not acknowledged. */
export function backlogBytes(pipeline: Pipeline, sources: Sources): number {
  return sources.lags(pipeline.parts).reduce((sum, { bytes }) => sum + bytes, 0)
}

function backendHealth(pipeline: Pipeline, lag: readonly SourceLag[]): BackendHealth {
  const { name, backend, delivery } = pipeline.parts
  const { health, stats } = delivery
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
    lastDelivered: iso(stats.lastDeliveredAt),
    lastError: stats.lastError ? { reason: stats.lastError.reason, at: iso(stats.lastError.at)! } : null,
    lagBytes: lag.reduce((sum, { bytes }) => sum + bytes, 0),
    lagSeconds: Math.max(0, ...lag.map(({ seconds }) => seconds)),
  }
}

function pipelineStatus(pipeline: Pipeline, lag: readonly SourceLag[]): PipelineStatus {
  const { name, budget, delivery, deadLetters, rejectReasons, dropReasons, endpoint, stage, transport } = pipeline.parts
  const { stats, health } = delivery
  const { lastError } = stats
  return {
    backend: name,
    up: health.kind === 'up',
    endpoint,
    lastError: lastError
      ? { reason: lastError.reason, detail: lastError.detail ?? null, at: iso(lastError.at)! }
      : null,
    budget: { total: budget.total, used: budget.used, peak: budget.peak },
    batchesInFlight: stats.inFlight,
    requests: [...stats.requests],
    retries: Object.fromEntries(stats.retries),
    rejectReasons,
    dropReasons,
    redactions: [...stage.redacted].flatMap(([source, counts]) => counts.map(count => ({ source, ...count }))),
    cardinality: stage.partitions ?? null,
    deadLetters: deadLetters ? { ...deadLetters.stats } : null,
    payloadBytes: stats.payloadBytes,
    baredRecords: stats.baredRecords,
    retimedRecords: stats.retimedRecords,
    wireBytes: stats.wireBytes,
    durations: { bounds: DURATION_BOUNDS, counts: [...stats.durations], sum: stats.durationSeconds },
    sizes: { bounds: SIZE_BOUNDS, counts: [...stats.sizes], sum: stats.sizeBytes },
    certificates: Object.fromEntries(Object.entries(transport.certificates ?? {}).map(([of, at]) => [of, iso(at)!])),
    lag,
  }
}

function sourceHealth(
  name: string,
  sources: Sources,
  files: readonly FileStatus[],
  waits: readonly Waits[],
): SourceHealth {
  const reasons: Record<string, number> = {}
  for (const { source, reason } of sources.tail.refused) {
    if (source === name) reasons[reason] = (reasons[reason] ?? 0) + 1
  }
  const waiting = { files: 0, directories: 0 }
  for (const { source, files, directories } of waits)
    if (source === name) Object.assign(waiting, { files, directories })
  return { name, files: files.filter(({ source }) => source === name).length, refused: reasons, waiting }
}

const NO_ROOM = 'no room to unpack an archive of it (state.unpacked.maxBytes, or the disk of state.dir)'

/** Paths that are not followed, and why. */
function* refused(waits: readonly Waits[], { tail }: Sources): Generator<UnfollowedPath> {
  for (const { source, path, files, directories } of waits) {
    const reason = `no memory for more: ${files} files and ${directories} directories wait, this one among them`
    yield { source, path, reason }
  }
  for (const { source, path, room } of tail.sought()) if (room) yield { source, path, reason: NO_ROOM }
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
  readonly names: readonly string[]
  /** `memory.budget`: bytes. */
  readonly budget: number
  readonly pipelines: readonly Pipeline[]
  readonly sources: Sources
  readonly volume: Volume | undefined
  readonly ledger: Ledger
}

export function snapshotOf(parts: Parts): ShipperSnapshot {
  const { sources, ledger, draining } = parts
  const { namespace = null, pod = null, node = null } = parts.metadata
  const lags = parts.pipelines.map(pipeline => ({ pipeline, lag: sources.lags(pipeline.parts) }))
  const waits = sources.waiting()
  const files = sources.files()
  return {
    identity: { namespace, pod, node },
    draining,
    health: healthOf(
      parts,
      lags.map(({ pipeline, lag }) => backendHealth(pipeline, lag)),
      parts.names.map(name => sourceHealth(name, sources, files, waits)),
      waits.length > 0 || [...sources.tail.sought()].some(({ room }) => room),
    ),
    pipelines: lags.map(({ pipeline, lag }) => pipelineStatus(pipeline, lag)),
    ledger: ledgerLines(ledger),
    fileEvents: [...sources.tail.fileEvents].map(([source, events]) => ({ source, ...events })),
    files,
    unopened: () => sources.unopened(parts.pipelines.map(({ parts }) => parts)),
    refused: [...refused(waits, sources)],
  }
}

function healthOf(
  { sources: { tail, sweep, store }, budget, volume }: Parts,
  backends: readonly BackendHealth[],
  sources: readonly SourceHealth[],
  waiting: boolean,
): ShipperHealth {
  const state = stateHealth(store)
  const saved = state.kind === 'saved' || state.kind === 'memory'
  const up = backends.every(({ state, stalledSince }) => state === 'up' && stalledSince === null)
  return {
    status: saved && up && !waiting ? 'ok' : 'degraded',
    version: VERSION,
    revision: REVISION,
    state,
    pins: tail.pins,
    heldBytes: tail.heldBytes,
    memory: memoryHealth(budget),
    volume: volumeHealth(volume),
    previous: tail.previous,
    watch: sweep.watching,
    directories: sweep.directories,
    backends,
    sources,
  }
}
