/**
 * How far reading and delivery have come: what the tail tells of its files and sources, and what the server shows.
 */

/** Where an open file stands. */
export interface FileStatus {
  readonly source: string
  readonly path: string
  readonly generation: string
  readonly state: 'live' | 'rotated' | 'deleted'
  readonly size: number
  readonly cursors: readonly {
    readonly backend: string
    readonly read: number
    readonly committed: number
    readonly lagSeconds: number
  }[]
}

/**
 * What happened to the files of a source. `opened`: taken up, also at a start and a reload; `truncated`: or written over
 * in place; `rotated`, `deleted`: they lost the name that they were followed under, or their last one.
 */
export const FILE_EVENTS = ['opened', 'rotated', 'truncated', 'deleted'] as const
export type FileEvents = Record<(typeof FILE_EVENTS)[number], number>

/** A file that something is left of: open, or `waiting` for a descriptor. */
export interface FileProgress extends Omit<FileStatus, 'state' | 'generation'> {
  /** Null while it waits. */
  readonly generation: string | null
  readonly state: FileStatus['state'] | 'waiting'
}

/** How far a backend is behind one source. */
export interface SourceLag {
  readonly source: string
  /** Bytes on the volume that are not committed. */
  readonly bytes: number
  /**
   * Age of the first byte on the volume that is not committed; 0 if there is none but those of a line without an end.
   * An estimate: see `tail/files/growth.ts`.
   */
  readonly seconds: number
  /** How long ago the oldest line in flight was read; 0 if there is none. */
  readonly inFlightSeconds: number
}
