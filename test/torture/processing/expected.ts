/**
 * What a record must say that was made of a stretch of a file: its bytes, or what a parser takes for the message in them,
 * with nothing but planted secrets overwritten.
 */
import type { Arrival } from '../receiver.ts'
import type { Incarnation } from './model.ts'
import { MAX_LINE } from './sources.ts'

/** What is wrong with an arrival that was made of [from, to), without a line end; undefined: nothing. */
export function expectedOf(incarnation: Incarnation, from: number, to: number, arrival: Arrival): string | undefined {
  const { content, source } = incarnation
  const raw = content.subarray(from, to)
  const cut = raw.length > MAX_LINE
  if (cut !== (arrival.originalBytes !== undefined))
    return cut ? 'it does not say that it was cut' : 'it says that it was cut'
  if (cut && arrival.originalBytes !== raw.length) return `it says ${arrival.originalBytes} of ${raw.length} bytes`
  const got = Buffer.from(arrival.text)
  if (cut && (got.length > MAX_LINE || got.length < MAX_LINE - 3)) return `${got.length} bytes are left of a cut line`
  const extents = extentsIn(incarnation, from, to)
  // Where a text is cut, what might be the beginning of a secret is taken for one.
  if (cut || arrival.partial) extents.push({ from: lastWord(raw.subarray(0, got.length)), to: raw.length, extent: '' })
  const same = (text: Buffer, spans: readonly Span[]): string | undefined =>
    compare(cut ? text.subarray(0, got.length) : text, got, spans)
  if (source.twin !== undefined || cut || arrival.partial) return same(raw, extents)
  const parsed = messageOf(source.name, raw.toString())
  if (parsed === undefined) return same(raw, extents)
  const message = Buffer.from(parsed)
  const planted = incarnation.stretchesIn(from, to).flatMap(({ record }) => record.secrets.map(({ extent }) => extent))
  return same(message, spansOf(message, planted))
}

/** Where the last word of a text begins. */
function lastWord(text: Buffer): number {
  let at = text.length
  while (at > 0 && !' \t\n'.includes(String.fromCharCode(text[at - 1]!))) at--
  return at
}

interface Span {
  readonly from: number
  readonly to: number
  readonly extent: string
}

/** Where secrets stand in [from, to), which may hold a part of one only: relative to it. */
function extentsIn(incarnation: Incarnation, from: number, to: number): Span[] {
  const spans: Span[] = []
  for (const { record, from: begin, to: end } of incarnation.stretchesIn(from, to)) {
    const text = incarnation.content.subarray(begin, end)
    const extents = record.secrets.map(({ extent }) => extent)
    // In JSON quotes are escaped.
    const escaped = extents.map(extent => JSON.stringify(extent).slice(1, -1))
    for (const span of spansOf(text, [...new Set([...extents, ...escaped])])) {
      spans.push({ ...span, from: begin + span.from - from, to: begin + span.to - from })
    }
  }
  return spans
}

function spansOf(text: Buffer, extents: readonly string[]): Span[] {
  return extents.flatMap(extent => {
    const at = text.indexOf(extent)
    return at < 0 ? [] : [{ from: at, to: at + Buffer.byteLength(extent), extent }]
  })
}

function compare(expected: Buffer, got: Buffer, spans: readonly Span[]): string | undefined {
  if (expected.length !== got.length) return `it has ${got.length} bytes instead of ${expected.length}`
  if (expected.equals(got)) return undefined
  for (let at = 0; at < got.length; at++) {
    if (expected[at] === got[at] || spans.some(({ from, to }) => from <= at && at < to)) continue
    return `it differs at ${at}: ${JSON.stringify(got.toString('utf8', at, at + 20))} instead of ${JSON.stringify(expected.toString('utf8', at, at + 20))}`
  }
  return undefined
}

/** What a parser takes for the message of a line; undefined: it is none of its format. */
function messageOf(source: string, line: string): string | undefined {
  if (!['json', 'sampled', 'curbed'].includes(source)) return undefined
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null ? (value as { msg?: string }).msg : undefined
  } catch {
    return undefined
  }
}
