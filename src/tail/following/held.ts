/**
 * What deleted files take because a backend has not acknowledged them, of the volume and of the files that may be open,
 * and what is done about it.
 */
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
 * Those that must be given up so that the others stay below the limits, the oldest first: `tailers` stand in the order
 * in which they were taken up; `maxFiles` of them may be held. Under the policy `hold` there are none; the log says what
 * would be due.
 */
export function overLimit(
  tailers: Iterable<Tailer>,
  { maxBytes, policy, maxFiles }: HeldOptions & { readonly maxFiles: number },
  log: Logger,
): Tailer[] {
  const held = [...tailers].filter(isHeld)
  let bytes = heldBytes(held)
  let files = held.length
  if (bytes <= maxBytes && files <= maxFiles) return []
  if (policy === 'hold') {
    log.warn(
      { event: 'held_limit', bytes, maxBytes, files, maxFiles },
      bytes > maxBytes
        ? 'deleted files that are not acknowledged take more of the volume than they should'
        : 'deleted files that are not acknowledged take more than half of the files that may be open',
    )
    return []
  }
  return held.filter(({ size }) => {
    if (bytes <= maxBytes && files <= maxFiles) return false
    bytes -= size
    files--
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
  // All of it was read: what is in flight needs the file no more.
  if (most === 0) return
  log.error(
    { event: 'data_dropped', source: generation.origin.source, path, bytes: most },
    'unread bytes of a deleted file were dropped: deleted files take as much, or are as many, as they may (state.held)',
  )
}
