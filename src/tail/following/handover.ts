/**
 * The handover: what one room leaves to the next one of the same process when the configuration changes.
 *
 * It is a checkpoint that never was on a disk, and what a checkpoint cannot hold: open handles, for a file that the
 * application has deleted lives through nothing else, and what was settled beyond a committed offset, for no line that
 * was acknowledged is sent again.
 */
import type { Island } from '../../chunk.ts'
import type { Ledger } from '../../ledger.ts'
import type { FileEvents } from '../../progress.ts'
import type { Handles } from '../rotation/handles.ts'
import type { Checkpoint } from '../state/checkpoint.ts'
import type { PreviousEnd } from './previous.ts'

export interface Handover {
  readonly checkpoint: Checkpoint
  readonly handles: Handles
  /** By the generation's key and the backend: islands in the order of the file. */
  readonly islands: ReadonlyMap<string, ReadonlyMap<string, readonly Island[]>>
  /** What it has counted beyond what a checkpoint saves. */
  readonly ledger: Ledger
  /** What happened to files, by source. */
  readonly fileEvents: ReadonlyMap<string, Readonly<FileEvents>>
  /** How the process before this one ended. */
  readonly previous: PreviousEnd
  /** How many files may be open at the same time. */
  readonly mostFiles: number
}
