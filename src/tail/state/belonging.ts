/**
 * Whether what a checkpoint says of a file belongs to the sources that are configured: it is read from nowhere but where
 * the configuration lets files be read.
 *
 * A generation whose origin no pattern of its source matches is none of ours. Where a file was last seen is only a hint
 * (it may have been rotated out of the directory): outside of where its source may read it is forgotten.
 */
import type { Checkpoint } from './checkpoint.ts'
import type { SavedGeneration } from './saved.ts'

export interface ConfiguredSources {
  has(source: string): boolean
  /** Whether a pattern of the source matches the path. */
  matches(source: string, path: string): boolean
  /** Whether a file of the source may lie there. */
  reaches(source: string, path: string): boolean
}

/** The checkpoint with what belongs to the sources; and how many generations of these sources do not. */
export function belonging(
  checkpoint: Checkpoint,
  sources: ConfiguredSources,
): { checkpoint: Checkpoint; refused: number } {
  const generations: SavedGeneration[] = []
  let refused = 0
  for (const entry of checkpoint.generations) {
    const { source, origin, path } = entry
    if (!sources.has(source)) {
      generations.push(entry)
      continue
    }
    if (!sources.matches(source, origin)) {
      refused++
      continue
    }
    generations.push(sources.reaches(source, path) ? entry : { ...entry, path: origin })
  }
  return { checkpoint: { ...checkpoint, generations }, refused }
}
