/**
 * How far a backend is behind each of its sources, and where each file stands. Nothing is kept here.
 */
import type { FileProgress, FileStatus, SourceLag } from '../progress.ts'
import type { Cursor, Generation } from './generation/generation.ts'
import type { Tail } from './tail.ts'

const NEVER = Number.POSITIVE_INFINITY

export function lagsOf(tail: Tail, backend: string, sources: readonly string[]): SourceLag[] {
  const rows = new Map<string, { bytes: number; since: number; read: number }>()
  for (const source of sources) rows.set(source, { bytes: 0, since: NEVER, read: NEVER })
  for (const { generation, size } of tail.following()) {
    const row = rows.get(generation.origin.source)
    const cursor = generation.cursors.find(cursor => cursor.backend === backend)
    if (row === undefined || cursor === undefined) continue
    row.bytes += Math.max(0, size - cursor.committed.offset)
    row.read = Math.min(row.read, cursor.oldest ?? NEVER)
    row.since = Math.min(row.since, behindSince(generation, cursor, size))
  }
  for (const { source, size, offsets, since } of tail.waiting()) {
    const row = rows.get(source)
    const offset = offsets[backend] ?? 0
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

export function* filesOf(tail: Tail): Generator<FileStatus> {
  const now = performance.now()
  for (const { path, size, state, generation } of tail.tailers) {
    if (state.kind === 'closed') continue
    const { source, generation: id } = generation.origin
    const cursors = generation.cursors.map(cursor => ({
      backend: cursor.backend,
      read: cursor.read,
      committed: cursor.committed.offset,
      lagSeconds: secondsFrom(behindSince(generation, cursor, size), now),
    }))
    yield { source, path, generation: id, state: state.kind, size, cursors }
  }
}

/** Whoever reads sources, by its name. */
interface Consumer {
  readonly name: string
  readonly sources: readonly string[]
}

/**
 * Files that are not open and of which something is left: they wait for a descriptor, or are gone (`deleted`) while
 * chunks of them are in flight. Each that waits costs a stat.
 */
export function* unopenedOf(tail: Tail, consumers: readonly Consumer[]): Generator<FileProgress> {
  const now = performance.now()
  const open = new Set<Generation>()
  for (const { generation } of tail.tailers) open.add(generation)
  for (const { generation, path, size } of tail.following()) {
    if (open.has(generation)) continue
    const { source, generation: id } = generation.origin
    const cursors = generation.cursors.flatMap(cursor => {
      if (cursor.idle) return []
      const lagSeconds = secondsFrom(behindSince(generation, cursor, size), now)
      return [{ backend: cursor.backend, read: cursor.read, committed: cursor.committed.offset, lagSeconds }]
    })
    if (cursors.length > 0) yield { source, path, generation: id, state: 'deleted', size, cursors }
  }
  for (const { source, path, size, offsets, read, since } of tail.waiting()) {
    const cursors = consumers.flatMap(({ name: backend, sources }) => {
      const offset = offsets[backend] ?? 0
      if (!sources.includes(source) || size <= offset) return []
      const lagSeconds = secondsFrom(since(offset) ?? NEVER, now)
      return [{ backend, read: Math.max(offset, read?.get(backend) ?? 0), committed: offset, lagSeconds }]
    })
    if (cursors.length > 0) yield { source, path, generation: null, state: 'waiting', size, cursors }
  }
}

const secondsFrom = (since: number, now: number): number => (since === NEVER ? 0 : Math.max(0, (now - since) / 1000))

/** When the first byte came that is not settled: monotonic milliseconds. A last line without an end is not due yet. */
function behindSince({ growth }: Generation, cursor: Cursor, size: number): number {
  return cursor.caughtUp(size) ? NEVER : (growth.since(cursor.committed.offset) ?? NEVER)
}
