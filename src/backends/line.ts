/**
 * The line of a record, where records are lines of text: a template of text and of what is known of the record.
 *
 *     {time} {message} pod={pod} file={file}
 *     2026-01-02T03:04:05.678Z GET /orders 200 pod=web-1 file=/var/log/app/access.log
 *
 * It is made into bytes once for each chunk of a file, never for a line; the kernel puts the record between them.
 *
 * Guarantees: what the shipper knows (a path, a label) has no line end and no other control character in a line, so that it
 * never begins another one; a name that is not known where the shipper runs is an empty text.
 */
import * as z from 'zod/mini'
import type { Chunk } from '../chunk.ts'
import { headOf } from '../head.ts'
import type { Segment } from '../kernel/template.ts'
import type { Metadata } from '../metadata.ts'
import { attributesOf, idPrefix, isoTime, joined, literal, offset } from './fields.ts'
import { levelIn, messageBytes, timeOf } from './found.ts'

/** Of the record itself. */
const OF_RECORD = ['message', 'line', 'time', 'level', 'id'] as const
/** Of where it comes from: see `attributesOf`. */
const OF_ORIGIN = ['source', 'file', 'namespace', 'pod', 'podUid', 'node', 'serviceAccount', 'container'] as const
/** A label of the source or the pod, or an annotation of it. */
const LABEL = 'labels.'

type OfRecord = (typeof OF_RECORD)[number]

type Piece =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'record'; readonly name: OfRecord }
  | { readonly kind: 'origin'; readonly name: string }

export type LineTemplate = readonly Piece[]

/** What may stand there, for a person. */
export const LINE = `one line of text with {message} or {line}, once, and up to 15 of ${[...OF_RECORD.slice(2), ...OF_ORIGIN].map(name => `{${name}}`).join(', ')}, {${LABEL}NAME}; {{ and }} are braces`

/** Bytes of a template, and of a value in it, and how many values: what stands around each record is bounded. */
const MOST = 2048
const MOST_VALUE = 512
const MOST_VALUES = 16
const PIECE = /\{\{|\}\}|\{([^{}]*)\}|[{}]/g
const CONTROL = /\p{Cc}/gu

/** The key of a backend that has such lines. */
export const lineSchema = z
  .optional(z.string().check(z.refine(text => lineTemplate(text) !== undefined, { error: LINE })))
  .check(
    z.describe(
      'format text: what a line is made of, such as {time} {message} pod={pod} file={file}. Default: the line as it is.',
    ),
  )

/** The template, or `undefined` if it is none. */
export function lineTemplate(text: string): LineTemplate | undefined {
  if (Buffer.byteLength(text) > MOST || /[\r\n]/.test(text)) return undefined
  const pieces: Piece[] = []
  let at = 0
  const plain = (more: string): void => {
    if (more !== '') pieces.push({ kind: 'text', text: more })
  }
  for (const match of text.matchAll(PIECE)) {
    plain(text.slice(at, match.index))
    at = match.index + match[0].length
    if (match[0] === '{{' || match[0] === '}}') {
      plain(match[0][0]!)
      continue
    }
    const piece = match[1] === undefined ? undefined : pieceOf(match[1])
    if (piece === undefined) return undefined
    pieces.push(piece)
  }
  plain(text.slice(at))
  const values = pieces.filter(({ kind }) => kind !== 'text')
  const lines = pieces.filter(piece => piece.kind === 'record' && (piece.name === 'message' || piece.name === 'line'))
  return lines.length === 1 && values.length <= MOST_VALUES ? pieces : undefined
}

function pieceOf(name: string): Piece | undefined {
  const ofRecord = OF_RECORD.find(each => each === name)
  if (ofRecord !== undefined) return { kind: 'record', name: ofRecord }
  if (OF_ORIGIN.some(each => each === name)) return { kind: 'origin', name }
  return name.startsWith(LABEL) && name.length > LABEL.length ? { kind: 'origin', name } : undefined
}

/** The template of a chunk's records. */
export function lineOf(template: LineTemplate, chunk: Chunk, metadata: Metadata): Segment[] {
  const attributes = new Map(attributesOf(chunk, metadata))
  return joined(
    template.flatMap((piece): Segment[] => {
      if (piece.kind === 'text') return [literal(piece.text)]
      if (piece.kind === 'record') return ofRecord(piece.name, chunk, metadata)
      const isLabel = piece.name.startsWith(LABEL)
      const value = attributes.get(isLabel ? piece.name.slice(LABEL.length) : piece.name) ?? ''
      return [literal(headOf(value.replace(CONTROL, '\uFFFD'), MOST_VALUE))]
    }),
  )
}

function ofRecord(name: OfRecord, chunk: Chunk, metadata: Metadata): Segment[] {
  switch (name) {
    case 'message':
      return [messageBytes(chunk)]
    case 'line':
      return [{ kind: 'raw' }]
    case 'time':
      return [timeOf(chunk, 'rfc3339', () => literal(isoTime(chunk)))]
    case 'level':
      return levelIn(chunk, '', 'word', '')
    case 'id':
      return [literal(idPrefix(chunk, metadata)), offset(chunk)]
  }
}
