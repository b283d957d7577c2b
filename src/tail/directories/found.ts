/** What a look at the volume finds. */
import type { Root } from '../files/open.ts'
import type { SourceOptions } from '../options.ts'

/** A path that a source's pattern matches. What it is has not been looked at yet. */
export interface Found {
  readonly source: SourceOptions
  readonly path: string
  /** Where the file must really lie. */
  readonly root: Root
}

/** A path that no pattern matches, but that looks like a rotation of `original`, which one does, or an archive of it. */
export interface Stray {
  readonly source: SourceOptions
  readonly original: string
  /** It would be called `original` without the suffix of a compressor. */
  readonly archive: boolean
}
