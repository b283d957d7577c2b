/**
 * The JSON record: the template that JSON-shaped backends share.
 *
 *     {"timestamp":"…","message":"│frame│","source":"app","file":"/var/log/app/a.log", labels … │,"id":"…-│offset│"}
 *     └──────── literal ─────────┘     └────────────────────── literal ───────────────────────────────┘        └ literal
 *
 * Guarantees: every record is one valid JSON object in which each name stands once. A label that carries one of the
 * names above gives way: what the shipper says about a record is never forged by a label.
 */
import type { Chunk } from '../chunk.ts'
import type { Segment } from '../kernel/kernel.ts'
import { type Metadata, NO_METADATA } from '../metadata.ts'

const RESERVED = new Set(['timestamp', 'message', 'source', 'file', 'truncated', 'originalBytes', 'partial', 'id'])

/** What a record says of its origin besides text and time, by name, in order; nothing that is not known. */
export function facts({ origin }: Chunk, metadata: Metadata): [name: string, value: string][] {
  const { namespace, pod, podUid, node, serviceAccount, container, podLabels, podAnnotations } = metadata
  const own = { source: origin.source, file: origin.path, namespace, pod, podUid, node, serviceAccount, container }
  const all = new Map<string, string>()
  for (const [name, value] of Object.entries(own)) if (value !== undefined) all.set(name, value)
  for (const set of [origin.labels, podLabels, podAnnotations]) {
    // The first to name something has it: what we know, then what the configuration says, then the pod.
    for (const [name, value] of Object.entries(set)) if (!all.has(name)) all.set(name, value)
  }
  return [...all]
}

/** The template of a chunk's records; with `ids` each carries its generation and offset, which are stable. */
export function jsonRecord(chunk: Chunk, ids: boolean, metadata: Metadata = NO_METADATA): Segment[] {
  let tail = '"'
  for (const [name, value] of facts(chunk, metadata)) {
    if (name === 'source' || name === 'file' || !RESERVED.has(name))
      tail += `,${JSON.stringify(name)}:${JSON.stringify(value)}`
  }
  if (chunk.cutFrom > 0) tail += `,"truncated":true,"originalBytes":${chunk.cutFrom}`
  if (chunk.partial) tail += ',"partial":true'
  const head = `{"timestamp":"${isoTime(chunk)}","message":"`
  if (!ids) return [literal(head), { kind: 'message' }, literal(`${tail}}`)]
  return [
    literal(head),
    { kind: 'message' },
    literal(`${tail},"id":"${chunk.origin.generation}-`),
    // The kernel adds the frame's address, so the base is the file offset that address 0 would have.
    { kind: 'offset', base: chunk.fileStart - chunk.start },
    literal('"}'),
  ]
}

export const literal = (text: string): Segment => ({ kind: 'literal', bytes: Buffer.from(text) })

/** When the chunk was read, to the millisecond (RFC 3339). */
export function isoTime({ stamp }: Chunk): string {
  return new Date(Number(stamp / 1_000_000n)).toISOString()
}
