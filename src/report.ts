/**
 * Reports: how the parts stand, in the words of the server's contract. Nothing is kept here but the moment since when
 * a backend has been behind, which nobody else needs.
 */
import { DURATION_BOUNDS } from './delivery/numbers.ts'
import type { Pipeline } from './pipeline.ts'
import type { BackendHealth, Lag, PipelineStatus, SourceHealth } from './server/subject.ts'
import type { Tail } from './tail/tail.ts'

const iso = (at: number | undefined): string | null => (at === undefined ? null : new Date(at).toISOString())

/** How far the pipeline is behind each of its sources. */
function lags(pipeline: Pipeline, tail: Tail): Lag[] {
  const { name } = pipeline.parts
  const rows = new Map<string, { bytes: number; oldest: number; behindSince: number }>()
  for (const source of pipeline.parts.sources) {
    rows.set(source, { bytes: 0, oldest: Number.POSITIVE_INFINITY, behindSince: Number.POSITIVE_INFINITY })
  }
  for (const { generation, size } of tail.following()) {
    const row = rows.get(generation.origin.source)
    const cursor = generation.cursors.find(({ backend }) => backend === name)
    if (row === undefined || cursor === undefined) continue
    row.bytes += Math.max(0, size - cursor.committed.offset)
    row.oldest = Math.min(row.oldest, cursor.oldest ?? row.oldest)
    if (size > cursor.committed.offset) row.behindSince = Math.min(row.behindSince, cursor.caughtUpAt)
  }
  for (const { source, size, offsets } of tail.waiting()) {
    const row = rows.get(source)
    if (row) row.bytes += Math.max(0, size - (offsets[name] ?? 0))
  }
  const now = Date.now()
  const age = (since: number) => (since === Number.POSITIVE_INFINITY ? 0 : Math.max(0, (now - since) / 1000))
  return [...rows].map(([source, { bytes, oldest, behindSince }]) => ({
    source,
    bytes,
    oldestUnacknowledged: age(oldest),
    seconds: age(behindSince),
  }))
}

/** Bytes on the volume that the backend has not acknowledged. */
export function behindBytes(pipeline: Pipeline, tail: Tail): number {
  return lags(pipeline, tail).reduce((sum, { bytes }) => sum + bytes, 0)
}

export function backendHealth(pipeline: Pipeline, tail: Tail): BackendHealth {
  const { name, backend, delivery } = pipeline.parts
  const { health, numbers } = delivery
  const lag = lags(pipeline, tail)
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
    oldestUnacknowledgedSeconds: Math.max(0, ...lag.map(({ oldestUnacknowledged }) => oldestUnacknowledged)),
  }
}

export function pipelineStatus(pipeline: Pipeline, tail: Tail): PipelineStatus {
  const { name, budget, delivery, deadLetters } = pipeline.parts
  const { numbers, health } = delivery
  return {
    backend: name,
    up: health.kind === 'up',
    budget: { total: budget.total, used: budget.used, peak: budget.peak },
    batchesInFlight: numbers.inFlight,
    requests: [...numbers.requests],
    retries: Object.fromEntries(numbers.retries),
    deadLetters: deadLetters ? { ...deadLetters.numbers } : null,
    payloadBytes: numbers.payloadBytes,
    wireBytes: numbers.wireBytes,
    durations: { bounds: DURATION_BOUNDS, counts: [...numbers.durations], sum: numbers.durationSeconds },
    lag: lags(pipeline, tail),
  }
}

export function sourceHealth(name: string, tail: Tail): SourceHealth {
  const refused: Record<string, number> = {}
  for (const { source, reason } of tail.refused) {
    if (source === name) refused[reason] = (refused[reason] ?? 0) + 1
  }
  const files = [...tail.tailers].filter(({ generation }) => generation.origin.source === name).length
  return { name, files, refused }
}
