/**
 * How the process before this one ended, as far as its checkpoint says. An orderly end marks the checkpoint; whatever
 * else left one was killed.
 */

import type { Generation } from '../generation/generation.ts'
import type { Checkpoint } from '../state/checkpoint.ts'
import type { SavedGeneration } from '../state/saved.ts'

/** A file that is followed but not open: bytes that no backend, or not every one, has settled. */
export interface Waiting {
  readonly source: string
  readonly path: string
  readonly size: number
  /** The committed offsets by backend; one that is not there has read nothing. */
  readonly offsets: Readonly<Record<string, number>>
  /** Everything before these offsets has been read, by backend; absent if nothing has. */
  readonly read?: ReadonlyMap<string, number>
  /** Since when there has been something behind an offset: monotonic milliseconds. */
  readonly since: (offset: number) => number | undefined
}

/**
 * Bytes: what it had not seen acknowledged, and is sent now, some of it perhaps again; what was on the volume then and
 * cannot be found any more.
 */
export interface PreviousEnd {
  readonly kind: 'none' | 'clean' | 'unclean'
  readonly unsettledBytes: number
  readonly lostBytes: number
}

export const NO_PREVIOUS: PreviousEnd = { kind: 'none', unsettledBytes: 0, lostBytes: 0 }

/**
 * Right after everything was looked for, before anything more is settled. `following` and `waiting` are all files that
 * were found; `lostBytes` is what was counted as lost since the checkpoint.
 */
export function previousEnd(
  { clean, generations, totals }: Checkpoint,
  following: Iterable<{ readonly generation: Generation; readonly size: number }>,
  waiting: Iterable<Waiting>,
  lostBytes: number,
): PreviousEnd {
  // A checkpoint that says nothing and is not clean is one that was lost: whatever is there may have been sent.
  const empty = generations.length === 0 && totals.length === 0
  if (empty && clean) return NO_PREVIOUS
  const known = new Set(generations.map(({ key }) => key))
  let unsettledBytes = 0
  for (const { generation, size } of following) {
    if (!empty && !known.has(generation.key)) continue
    for (const { committed } of generation.cursors) unsettledBytes += Math.max(0, size - committed.offset)
  }
  for (const { size, offsets } of waiting) {
    for (const offset of Object.values(offsets)) unsettledBytes += Math.max(0, size - offset)
  }
  return { kind: clean ? 'clean' : 'unclean', unsettledBytes, lostBytes }
}

/** What was unsettled of generations that were found only after a while, in the files that they were found in. */
export function unsettledLater(
  entries: Iterable<SavedGeneration>,
  following: Iterable<{ readonly generation: Generation; readonly size: number }>,
): number {
  const saved = new Map([...entries].map(entry => [entry.key, entry]))
  let bytes = 0
  for (const { generation, size } of following) {
    const entry = saved.get(generation.key)
    if (entry === undefined) continue
    // What was saved, not what is committed: some of it may have been sent by now.
    for (const { backend } of generation.cursors) bytes += Math.max(0, size - (entry.cursors[backend]?.offset ?? 0))
  }
  return bytes
}
