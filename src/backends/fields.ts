/**
 * Fields: what every backend knows of a chunk's records besides their text, in the pieces that templates are made of.
 *
 * Guarantees: a name is given to the first that claims it: what we know, then what the configuration says, then the pod;
 * an id is the same whenever a record is sent, and another one for the same file in another pod.
 */
import type { Chunk } from '../chunk.ts'
import type { Segment } from '../kernel/template.ts'
import type { Metadata } from '../metadata.ts'

type Names = Readonly<Record<string, string | undefined>>

/** All names of the sets that have a value, each once, in order: the first set that has it wins. */
export function firstOf(...sets: readonly Names[]): [name: string, value: string][] {
  const all = new Map<string, string>()
  for (const set of sets) {
    for (const [name, value] of Object.entries(set)) if (value !== undefined && !all.has(name)) all.set(name, value)
  }
  return [...all]
}

/** What a record says of its origin, by name, in order; nothing that is not known. */
export function attributesOf({ origin }: Chunk, metadata: Metadata): [name: string, value: string][] {
  const { namespace, pod, podUid, node, serviceAccount, container, podLabels, podAnnotations } = metadata
  const own = { source: origin.source, file: origin.path, namespace, pod, podUid, node, serviceAccount, container }
  return firstOf(own, origin.labels, podLabels, podAnnotations)
}

/** What may be special about a record. Said only if it applies, so no label may say it. */
export const FLAGS: ReadonlySet<string> = new Set(['truncated', 'originalBytes', 'partial', 'continued'])

/** What is special about the record of a chunk: it was cut, it is the last line of a file without a line end, or it goes on with another. */
export function flags({ cutFrom, partial, continued }: Chunk): [name: string, value: number | boolean][] {
  const all: [string, number | boolean][] = []
  if (cutFrom > 0) all.push(['truncated', true], ['originalBytes', cutFrom])
  if (partial) all.push(['partial', true])
  if (continued) all.push(['continued', true])
  return all
}

/** The same, where values are texts. */
export function flagTexts(chunk: Chunk): [name: string, value: string][] {
  return flags(chunk).map(([name, value]) => [name, String(value)])
}

/**
 * What stands before an id that is the same after a restart. Two pods can hold the same file under the same generation
 * (an image's own log, say): the pod's id keeps them apart.
 */
export function podPrefix({ podUid }: Metadata): string {
  return podUid ? `${podUid}-` : ''
}

/** What stands before the offset in a record's id. */
export function idPrefix({ origin }: Chunk, metadata: Metadata): string {
  return `${podPrefix(metadata)}${origin.generation}-`
}

/**
 * The record's offset in its file. The kernel adds the frame's address: the base is what address 0 would have. Or it looks
 * into the column of a chunk whose frames lie otherwise in memory, by the frame's row in its slab. A record that may be
 * several lines names its length too: it may have been sent in half before.
 */
export function offset({ fileStart, start, offsets, firstFrame, joined, cutFrom }: Chunk): Segment {
  const table = offsets && offsets.table - 4 * firstFrame
  const base = offsets?.base ?? fileStart - start
  return joined ? { kind: 'range', base, cutFrom, table } : { kind: 'offset', base, table }
}

/** When the chunk was read, to the millisecond (RFC 3339). */
export function isoTime(chunk: Chunk): string {
  return new Date(epochMilliseconds(chunk)).toISOString()
}

export function epochMilliseconds({ recordTimeNanos }: Chunk): number {
  return Number(recordTimeNanos / 1_000_000n)
}

/** Seconds with three decimals. */
export function epochSeconds(chunk: Chunk): string {
  const ms = epochMilliseconds(chunk)
  return `${Math.floor(ms / 1000)}.${String(ms % 1000).padStart(3, '0')}`
}

export const literal = (text: string): Extract<Segment, { kind: 'literal' }> => ({
  kind: 'literal',
  bytes: Buffer.from(text),
})

/** The text as it stands in a JSON string, without the quotes. */
export const quoted = (text: string): string => JSON.stringify(text).slice(1, -1)

/** Fewer steps per record: literals that follow each other are one. */
export function joined(segments: readonly Segment[]): Segment[] {
  const all: Segment[] = []
  for (const segment of segments) {
    const last = all.at(-1)
    if (segment.kind !== 'literal' || last?.kind !== 'literal') all.push(segment)
    else all[all.length - 1] = { kind: 'literal', bytes: Buffer.concat([last.bytes, segment.bytes]) }
  }
  return all
}
