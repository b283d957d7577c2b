/**
 * Partitions: records of one chunk that go to different places of one backend, by values that were found in them. A stream
 * of Loki and an index of Elasticsearch are such places.
 *
 *     by       level, status                        what tells records apart
 *     text     ,"level":"error","status":"500"      what that becomes in a payload
 *     number   3                                    what stands in the record's row
 *
 * Number 0 is for records without any of the values, and for those for which there is no number: there are at most so many
 * numbers in a time, for what tells records apart may be anything. A record for whose time there is none has that of its
 * other values.
 */

/**
 * One value that tells records apart: the level, as a word; the value of this name; the record's own time, as RFC 3339 with
 * the beginning of its period (milliseconds), where it is not the period in which the record was read. `path`: the key that
 * says so.
 */
export type PartitionPart = { readonly path: readonly (string | number)[] } & (
  | { readonly kind: 'level' }
  | { readonly kind: 'value'; readonly name: string }
  | { readonly kind: 'time'; readonly period: number }
)

/** What a backend says of it. */
export interface Partitioning {
  readonly by: readonly PartitionPart[]
  /** The key that says how many there may be; so many texts within so long, in milliseconds. */
  readonly key: string
  readonly most: number
  readonly window: number
  /** The text for these values, in the order of `by`; its pieces have a NUL between them. Pure. */
  readonly text: (values: readonly (string | undefined)[]) => string
}

/** The texts of one time, by their numbers. Rows may have its numbers for as long as their slab is there. */
export interface Partitions {
  /** Where a row has the number. */
  readonly at: number
  /** Address of the room in which they are laid down, and where each begins there. */
  readonly address: number
  readonly texts: readonly { readonly at: number; readonly bytes: Uint8Array }[]
}

/** How the records of a source are told apart. */
export interface RecordPartition {
  readonly partitions: Partitions
  /** Slots of the values, and whether the level is one. */
  readonly slots: readonly number[]
  readonly level: boolean
}

/** The number that stands in a row. */
export function partitionIn(memory: Buffer, row: number, { partitions }: RecordPartition): number {
  return memory.readUInt32LE(row + partitions.at)
}
