/**
 * Groups: what records of a chunk are enclosed in, where a format has that; one for each partition, where the backend tells
 * its records apart.
 *
 *     group        │ open │ behind │ … records … │ close │
 *     partitioned  │ open │ text of the partition │ behind │ … records … │ close │ separator │ open │ text of the next │ …
 */
import type { Backend, Group } from '../../backends/backend.ts'
import type { Chunk, Slab } from '../../chunk.ts'
import type { Kernel, Partitioned } from '../../kernel/kernel.ts'
import { partitionIn } from '../../partition.ts'

const NOTHING = Buffer.alloc(0)

/** The group of some records: whose they are. */
export interface OwnGroup extends Group {
  readonly partition: number
}

/** One in a payload: where it begins. */
export interface OpenGroup extends OwnGroup {
  readonly at: number
}

/** The group of a chunk's frame. */
export function groupOf(
  backend: Backend,
  kernel: Kernel,
  slab: Slab,
  chunk: Chunk,
  frame: number,
): OwnGroup | undefined {
  const partition = backend.partitioning && chunk.shape?.partition
  return numbered(backend, chunk, partition ? partitionIn(kernel.bytes, slab.rowOf(frame), partition) : 0)
}

/** The group that is open behind records that were just rendered, the last of which is of this partition. */
export function groupBehind(
  backend: Backend,
  chunk: Chunk,
  group: OpenGroup | undefined,
  partition: number,
): OpenGroup | undefined {
  if (group?.behind === undefined || group.partition === partition) return group
  // Where it begins is asked for lengths, and groups that have those are not told apart.
  return { ...numbered(backend, chunk, partition)!, at: group.at }
}

/** How the records of a chunk are told apart when they are rendered; undefined: they are not. */
export function partitionedBy(backend: Backend, chunk: Chunk): Partitioned | undefined {
  const partition = backend.partitioning && chunk.shape?.partition
  if (partition === undefined) return undefined
  const { partitions } = partition
  const group = backend.group?.(chunk)
  if (group?.behind === undefined) return { partitions }
  const { groupSeparator = NOTHING } = backend.format
  const close = Buffer.concat([group.close, groupSeparator, group.open])
  return { partitions, between: { close, open: group.behind } }
}

function numbered(backend: Backend, chunk: Chunk, partition: number): OwnGroup | undefined {
  const group = backend.group?.(chunk)
  if (group?.behind === undefined) return group && { ...group, partition }
  const text = chunk.shape?.partition?.partitions.texts[partition]?.bytes ?? NOTHING
  return { ...group, open: Buffer.concat([group.open, text, group.behind]), partition }
}
