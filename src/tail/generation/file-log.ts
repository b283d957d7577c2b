/**
 * The log of files: opened, resumed, rotated, finished. Truncations are logged where it is known what became of the old
 * content (`rotation/search.ts`).
 *
 * Rotations are at info; the others are at debug, for thousands of files would say little else at every start.
 */
import type { Logger } from '../../log.ts'
import type { Generation } from './generation.ts'
import type { Tailer } from './tailer.ts'

export class FileLog {
  readonly #log: Logger

  constructor(log: Logger) {
    this.#log = log
  }

  /** A file is followed from now on: from its start, or from where it was acknowledged. */
  followed({ path, size, generation }: Tailer): void {
    const offset = acknowledged(generation)
    const fields = { ...nameOf(generation), path, offset, size }
    if (offset === 0) this.#log.debug({ event: 'file_opened', ...fields }, 'file opened, read from its start')
    else this.#log.debug({ event: 'file_resumed', ...fields }, 'file resumed at an offset')
  }

  /** The followed path leads to the file no more. */
  rotated({ path, size, state, generation }: Tailer): void {
    if (state.kind !== 'rotated' && state.kind !== 'deleted') return
    const to = state.kind === 'rotated' ? path : null
    const offset = acknowledged(generation)
    const fields = { ...nameOf(generation), path: generation.origin.path, to, offset, size }
    this.#log.info({ event: 'file_rotated', ...fields }, to === null ? 'file deleted' : 'file rotated')
  }

  /** Everything of the file is read and acknowledged, and its descriptor is closed. */
  finished({ path, size, generation }: Tailer): void {
    const fields = { ...nameOf(generation), path, offset: acknowledged(generation), size }
    this.#log.debug({ event: 'file_finished', ...fields }, 'file finished: acknowledged to its end and closed')
  }
}

/** The lowest offset that a backend has acknowledged. */
function acknowledged({ cursors }: Generation): number {
  return cursors.reduce((least, { committed }) => Math.min(least, committed.offset), Number.POSITIVE_INFINITY)
}

/** The id of a generation is made of its first line: it is known once something was read. */
function nameOf({ origin, inode, furthest }: Generation) {
  const known = furthest > 0 && { generation: origin.generation }
  return { source: origin.source, inode: Number(inode.ino), ...known }
}
