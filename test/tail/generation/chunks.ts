/** A chunk as a read makes it, of lines of a file that lie nowhere in memory: for what reckons with offsets alone. */
import type { Chunk, Origin } from '../../../src/chunk.ts'
import { emptyOutcome } from '../../../src/ledger.ts'
import type { Cursor } from '../../../src/tail/generation/generation.ts'

export function chunkIn(origin: Origin, cursor: Cursor, fileStart: number, fileEnd: number, frames = 1): Chunk {
  return {
    owner: cursor,
    origin,
    start: 0,
    fileStart,
    fileEnd,
    firstFrame: 0,
    frames,
    readAt: 0,
    cutFrom: 0,
    partial: false,
    unsettled: 0,
    outcome: emptyOutcome(),
    islands: [],
    recordTimeNanos: 0n,
  }
}
