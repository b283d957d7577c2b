/**
 * The name of an index: a template of text, dates and values that were found in a record.
 *
 *     logs-%{[service]:none}-%{yyyy.MM.dd}      │ logs- │ service │ - │ date │
 *     {"service":"Check Out"}, 2026-01-02       logs-check_out-2026.01.02     the record's own time, or that of reading
 *     {}                                        logs-none-2026.01.02
 *
 * Guarantees: whatever a value is, Elasticsearch takes the name ("Create index API"): small letters, none of the signs that
 * it refuses, no `-`, `_`, `+` or `.` of a value's at the beginning, at most 255 bytes.
 */

import { headOf } from '../head.ts'
import type { Partitioning, PartitionPart } from '../partition.ts'

type Piece =
  | { readonly kind: 'text'; readonly text: string }
  /** Fields of a time, in UTC. */
  | { readonly kind: 'date'; readonly pattern: string }
  /** `otherwise`: in the place of a value that is not there. */
  | { readonly kind: 'level'; readonly otherwise: string }
  | { readonly kind: 'value'; readonly name: string; readonly otherwise: string }

export type IndexTemplate = readonly Piece[]

/** What may stand there, for a person. */
export const INDEX =
  'the name of an index in lower case; dates as %{yyyy.MM.dd}, up to 4 values as %{[service]} or %{[service]:none}'

/** Bytes of a name, and of one without its values. */
const MOST = 255
const MOST_FIXED = 200
const MOST_VALUES = 4
/** Bytes of a value: as many as the processor `reroute` leaves of one. */
const MOST_VALUE = 100
const OTHERWISE = 'default'

/** Milliseconds. Names are counted in a day. */
const HOUR = 3_600_000
const DAY = 24 * HOUR

const PIECE = /%\{([^}]*)\}/g
const DATE = /^[yMdH._-]+$/
const DATE_FIELDS = /yyyy|MM|dd|HH/g
/** As Logstash and Beats write them: `[service][name]` and `[service.name]`, and what stands for one that is not there. */
const VALUE = /^\[([^[\]]+(?:\]\[[^[\]]+)*)\](?::(.+))?$/
const PLAIN = /^[^\\/*?"<>| ,#:%{}\sA-Z_+-][^\\/*?"<>| ,#:%{}\sA-Z]*$/
/** What no name may have; and a NUL stands for a date in a text. */
const REFUSED = /[\\/*?"<>|,#:\s\u0000-\u001f\u007f]/g

/** The template, or `undefined` if it is none. */
export function indexTemplate(text: string): IndexTemplate | undefined {
  const pieces: Piece[] = []
  let at = 0
  const plain = (to: number): void => {
    if (to > at) pieces.push({ kind: 'text', text: text.slice(at, to) })
  }
  for (const match of text.matchAll(PIECE)) {
    const piece = pieceOf(match[1]!)
    if (piece === undefined) return undefined
    plain(match.index)
    pieces.push(piece)
    at = match.index + match[0].length
  }
  plain(text.length)
  const fixed = pieces.map(piece => (piece.kind === 'text' ? piece.text : '0')).join('')
  const fits = valuesIn(pieces).length <= MOST_VALUES && Buffer.byteLength(fixed) <= MOST_FIXED
  return PLAIN.test(fixed) && fits ? pieces : undefined
}

function pieceOf(inside: string): Piece | undefined {
  if (DATE.test(inside)) {
    return /[a-z]/i.test(inside.replace(DATE_FIELDS, '')) ? undefined : { kind: 'date', pattern: inside }
  }
  const [, path, otherwise = OTHERWISE] = VALUE.exec(inside) ?? []
  if (path === undefined || cleaned(otherwise, false) !== otherwise) return undefined
  const name = path.replaceAll('][', '.')
  return name === 'level' ? { kind: 'level', otherwise } : { kind: 'value', name, otherwise }
}

function valuesIn(pieces: IndexTemplate): Extract<Piece, { otherwise: string }>[] {
  return pieces.filter(piece => 'otherwise' in piece)
}

/** How records are told apart by the values and dates of a template, if it has some. */
export function partitioningBy(template: IndexTemplate, most: number): Partitioning | undefined {
  const path = ['index']
  const by = valuesIn(template).map((piece): PartitionPart => {
    return piece.kind === 'level' ? { kind: 'level', path } : { kind: 'value', name: piece.name, path }
  })
  const dates = template.flatMap(piece => (piece.kind === 'date' ? [piece.pattern] : []))
  const period = dates.some(pattern => pattern.includes('HH')) ? HOUR : DAY
  if (dates.length > 0) by.push({ kind: 'time', period, path })
  if (by.length === 0) return undefined
  const text = (values: readonly (string | undefined)[]): string => {
    const time = dates.length > 0 ? values.at(-1) : undefined
    return filled(template, values, time).join('\0')
  }
  return { by, key: 'maxIndices', most, window: DAY, text }
}

/**
 * The name for these values in pieces: what stands before the first date of the template, that date, what stands between it
 * and the second, and so on. Without a time dates are empty.
 */
export function filled(template: IndexTemplate, values: readonly (string | undefined)[], time?: string): string[] {
  const dates = time === undefined ? [] : datesIn(template, time)
  const fixed = template.reduce((sum, piece) => sum + fixedBytes(piece), 0)
  const most = Math.min(MOST_VALUE, Math.floor((MOST - fixed) / Math.max(1, valuesIn(template).length)))
  const parts = ['']
  let next = 0
  for (const piece of template) {
    if (piece.kind === 'date') {
      parts.push(dates[(parts.length - 1) / 2] ?? '', '')
      continue
    }
    const isFirst = parts.length === 1 && parts[0] === ''
    parts[parts.length - 1] +=
      piece.kind === 'text' ? piece.text : shown(piece.otherwise, values[next++], most, isFirst)
  }
  return parts
}

/** The dates of the template, at that time (RFC 3339). */
function datesIn(template: IndexTemplate, time: string): string[] {
  const [yyyy, MM, dd, HH] = time.split(/[-T:]/)
  const fields: Readonly<Record<string, string | undefined>> = { yyyy, MM, dd, HH }
  return template.flatMap(piece =>
    piece.kind === 'date' ? [piece.pattern.replace(DATE_FIELDS, name => fields[name]!)] : [],
  )
}

function fixedBytes(piece: Piece): number {
  if (piece.kind === 'text') return Buffer.byteLength(piece.text)
  return piece.kind === 'date' ? piece.pattern.length : 0
}

function shown(otherwise: string, value: string | undefined, most: number, isFirst: boolean): string {
  const text = value === undefined ? '' : headOf(cleaned(value, isFirst), most)
  return text === '' ? headOf(otherwise, most) : text
}

function cleaned(value: string, isFirst: boolean): string {
  const text = value.toLowerCase().replace(REFUSED, '_')
  return isFirst ? text.replace(/^[-_+.]+/, '') : text
}
