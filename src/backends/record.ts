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

const RESERVED = new Set(['timestamp', 'message', 'source', 'file', 'truncated', 'originalBytes', 'partial', 'id'])

/** The template of a chunk's records; with `ids` each carries its generation and offset, which are stable. */
export function jsonRecord(chunk: Chunk, ids: boolean): Segment[] {
  const { source, path, generation, labels } = chunk.origin
  let tail = `","source":${JSON.stringify(source)},"file":${JSON.stringify(path)}`
  for (const [name, value] of Object.entries(labels)) {
    if (!RESERVED.has(name)) tail += `,${JSON.stringify(name)}:${JSON.stringify(value)}`
  }
  if (chunk.cutFrom > 0) tail += `,"truncated":true,"originalBytes":${chunk.cutFrom}`
  if (chunk.partial) tail += ',"partial":true'
  const head = `{"timestamp":"${new Date(chunk.readAt).toISOString()}","message":"`
  if (!ids) return [literal(head), { kind: 'message' }, literal(`${tail}}`)]
  return [
    literal(head),
    { kind: 'message' },
    literal(`${tail},"id":"${generation}-`),
    // The kernel adds the frame's address, so the base is the file offset that address 0 would have.
    { kind: 'offset', base: chunk.fileStart - chunk.start },
    literal('"}'),
  ]
}

const literal = (text: string): Segment => ({ kind: 'literal', bytes: Buffer.from(text) })
