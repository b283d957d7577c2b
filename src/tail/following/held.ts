/** What deleted files take of the volume because a backend has not acknowledged them, and what is done about it. */
import type { Logger } from '../../log.ts'
import { NO_MARKER, readMarker } from '../files/fingerprint.ts'
import type { Tailer } from '../generation/tailer.ts'
import type { HeldOptions } from '../options.ts'

/** It has no name any more, and is not done: only we keep its bytes from being freed. */
function isHeld(tailer: Tailer): boolean {
  return tailer.state.kind === 'deleted' && !tailer.generation.doneAt(tailer.size)
}

export function heldBytes(tailers: Iterable<Tailer>): number {
  let bytes = 0
  for (const tailer of tailers) if (isHeld(tailer)) bytes += tailer.size
  return bytes
}

/**
 * Those that must be given up so that the others stay below the limit, the oldest first: `tailers` stand in the order
 * in which they were taken up. Under the policy `hold` there are none; the log says what would be due.
 */
export function overLimit(tailers: Iterable<Tailer>, { maxBytes, policy }: HeldOptions, log: Logger): Tailer[] {
  const all = [...tailers]
  let excess = heldBytes(all) - maxBytes
  if (excess <= 0) return []
  if (policy === 'hold') {
    log.warn(
      { event: 'held_limit', bytes: maxBytes + excess, maxBytes },
      'deleted files that are not acknowledged take more of the volume than they should',
    )
    return []
  }
  return all.filter(tailer => {
    if (excess <= 0 || !isHeld(tailer)) return false
    excess -= tailer.size
    return true
  })
}

/** Drops what is unread of a file; what is in flight of it goes on. */
export function dropUnread({ generation, path, size, extent, fd }: Tailer, log: Logger): void {
  let most = 0
  for (const cursor of generation.cursors) {
    const bytes = extent - cursor.read
    most = Math.max(most, bytes)
    if (bytes > 0) cursor.skipped(bytes, readMarker(fd, extent) ?? NO_MARKER, 'held_limit')
    if (size > cursor.read) cursor.skipped(size - cursor.read, readMarker(fd, size) ?? NO_MARKER)
  }
  log.error(
    { event: 'data_dropped', source: generation.origin.source, path, bytes: most },
    'unread bytes of a deleted file were dropped: state.held.maxBytes is reached',
  )
}
