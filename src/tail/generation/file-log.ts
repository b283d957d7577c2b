/**
 * The log of files: opened, resumed, rotated, finished. Truncations are logged where it is known what became of the old
 * content (`rotation/search.ts`).
 *
 * Rotations are at info; the others are at debug, for thousands of files would say little else at every start. Each is
 * counted by its source, truncations too.
 */
import type { Logger } from '../../log.ts'
import type { FileEvents } from '../../progress.ts'
import type { Generation } from './generation.ts'
import type { Tailer } from './tailer.ts'

export class FileLog {
  readonly #log: Logger
  readonly #events: Map<string, FileEvents>

  constructor(sources: Iterable<string>, log: Logger) {
    this.#log = log
    this.#events = new Map([...sources].map(source => [source, { opened: 0, rotated: 0, truncated: 0, deleted: 0 }]))
  }

  /** By source. */
  get events(): ReadonlyMap<string, Readonly<FileEvents>> {
    return this.#events
  }

  /** Goes on from what another one has counted. */
  resume(before: ReadonlyMap<string, Readonly<FileEvents>>): void {
    for (const [source, events] of this.#events) Object.assign(events, before.get(source))
  }

  /** A file is followed from now on: from its start, or from where it was acknowledged. */
  followed({ path, size, generation }: Tailer): void {
    this.#count(generation, 'opened')
    const offset = acknowledged(generation)
    const fields = { ...nameOf(generation), path, offset, size }
    if (offset === 0) this.#log.debug({ event: 'file_opened', ...fields }, 'file opened, read from its start')
    else this.#log.debug({ event: 'file_resumed', ...fields }, 'file resumed at an offset')
  }

  /** The followed path leads to the file no more. */
  rotated({ path, size, state, generation }: Tailer): void {
    if (state.kind !== 'rotated' && state.kind !== 'deleted') return
    this.#count(generation, state.kind)
    const to = state.kind === 'rotated' ? path : null
    const offset = acknowledged(generation)
    const fields = { ...nameOf(generation), path: generation.origin.path, to, offset, size }
    this.#log.info({ event: 'file_rotated', ...fields }, to === null ? 'file deleted' : 'file rotated')
  }

  /** Other content stands in the file. */
  truncated({ generation }: Tailer): void {
    this.#count(generation, 'truncated')
  }

  /** Everything of the file is read and acknowledged, and its descriptor is closed. */
  finished({ path, size, generation }: Tailer): void {
    const fields = { ...nameOf(generation), path, offset: acknowledged(generation), size }
    this.#log.debug({ event: 'file_finished', ...fields }, 'file finished: acknowledged to its end and closed')
  }

  #count({ origin }: Generation, event: keyof FileEvents): void {
    const events = this.#events.get(origin.source)
    if (events) events[event]++
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
