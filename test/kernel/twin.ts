/**
 * The kernel in plain TypeScript: what it must do, said as simply as the platform allows and as slowly as it likes.
 */
import type { Encoding } from '../../src/kernel/kernel.ts'
import type { Segment } from '../../src/kernel/template.ts'

export const LF = 10

/** Index of each line feed in `bytes`, at most `max`. */
export function frames(bytes: Uint8Array, max: number): number[] {
  const found: number[] = []
  for (let at = bytes.indexOf(LF); at !== -1 && found.length < max; at = bytes.indexOf(LF, at + 1)) found.push(at)
  return found
}

/** What text in another encoding says, as UTF-8. */
export function decode(encoding: Encoding, bytes: Uint8Array): Buffer {
  const text =
    encoding === 'latin-1'
      ? Buffer.from(bytes).toString('latin1')
      : new TextDecoder(encoding, { ignoreBOM: true }).decode(bytes)
  return Buffer.from(text)
}

/** Offsets behind each unit that is `lineEnd`. */
export function lineEnds(encoding: Encoding, bytes: Uint8Array, lineEnd: number): number[] {
  const wide = encoding === 'utf-16le' || encoding === 'utf-16be'
  const ends: number[] = []
  if (!wide) {
    for (let at = bytes.indexOf(lineEnd); at !== -1; at = bytes.indexOf(lineEnd, at + 1)) ends.push(at + 1)
    return ends
  }
  const low = encoding === 'utf-16be' ? 1 : 0
  for (let at = 0; at + 2 <= bytes.length; at += 2) {
    if (bytes[at + low] === lineEnd && bytes[at + 1 - low] === 0) ends.push(at + 2)
  }
  return ends
}

/** Cuts bytes into frames; what follows the last line feed is none. */
export function lines(bytes: Uint8Array): Uint8Array[] {
  let start = 0
  return frames(bytes, Number.POSITIVE_INFINITY).map(end => {
    const line = bytes.subarray(start, end)
    start = end + 1
    return line
  })
}

/** Index of the first line from `first` on that begins with a NUL, or how many lines there are. */
export function padded(bytes: Uint8Array, first: number): number {
  const all = lines(bytes)
  const at = all.findIndex((line, index) => index >= first && line[0] === 0)
  return at < 0 ? all.length : at
}

/** What is left of a frame under `text`. */
export function trim(frame: Uint8Array, atFileStart: boolean): Uint8Array {
  let text = frame.at(-1) === 13 ? frame.subarray(0, -1) : frame
  while (text[0] === 0) text = text.subarray(1)
  const mark = text[0] === 0xef && text[1] === 0xbb && text[2] === 0xbf
  return atFileStart && mark ? text.subarray(3) : text
}

/** Latin-1 maps bytes to characters one to one, and JSON.stringify leaves 0x80..0xff alone: so this escapes bytes. */
export function escaped(bytes: Uint8Array): Buffer {
  return Buffer.from(JSON.stringify(Buffer.from(bytes).toString('latin1')).slice(1, -1), 'latin1')
}

/** Replaces what is not UTF-8, as the platform's decoder does. */
export function repair(bytes: Uint8Array): Buffer {
  return Buffer.from(new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes))
}

/** How many U+FFFD `repair` puts in that were not there before. */
export function repairs(bytes: Uint8Array): number {
  const count = (hay: Buffer) => hay.toString('latin1').split('\xef\xbf\xbd').length - 1
  return count(repair(bytes)) - count(Buffer.from(bytes))
}

/** Objects and arrays that may stand open at once. */
const DEEPEST = 64

const depth = (value: unknown): number =>
  typeof value === 'object' && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depth)) : 0

/** The text between the braces of an object that has members; undefined if the bytes are anything else. */
export function members(bytes: Uint8Array): Buffer | undefined {
  // As with `escaped`: Latin-1 keeps bytes apart, and JSON allows any of them in texts and none outside.
  const text = Buffer.from(bytes).toString('latin1')
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
    if (Object.keys(value).length === 0 || depth(value) > DEEPEST) return undefined
    return Buffer.from(text.slice(text.indexOf('{') + 1, text.lastIndexOf('}')), 'latin1')
  } catch {
    return undefined
  }
}

export interface Rendering {
  readonly segments: readonly Segment[]
  readonly treatment: 'text' | 'bytes'
  readonly separator: Uint8Array
  readonly repair: boolean
  readonly atFileStart: boolean
}

interface Rendered {
  readonly bytes: Buffer
  readonly repaired: number
}

/** The records of a chunk that begins at address `start`, each with its separator, and the replacements in each. */
export function render(chunk: Uint8Array, start: number, how: Rendering): Rendered[] {
  let frameStart = start
  return lines(chunk).map((frame, index) => {
    const trimmed = how.treatment === 'text' ? trim(frame, how.atFileStart && index === 0) : frame
    const rendered = record(trimmed, { start: frameStart, length: frame.length, index }, how)
    frameStart += frame.length + 1
    return rendered
  })
}

/** The record of a chunk's frame, of which `trimmed` is left. */
function record(
  trimmed: Uint8Array,
  { start: frameStart, length: frameLength, index }: { start: number; length: number; index: number },
  how: Rendering,
): Rendered {
  const mends = how.treatment === 'text' && how.repair
  const body = mends ? repair(trimmed) : Buffer.from(trimmed)
  let repaired = 0
  // Bytes that had to be repaired are no object, whatever they look like afterwards.
  const object = mends && !body.equals(trimmed) ? undefined : members(body)
  const parts = how.segments.map((segment): Uint8Array => {
    const whole = segment.kind === 'message' || segment.kind === 'raw' || (segment.kind === 'members' && !object)
    if (mends && whole) repaired += repairs(trimmed)
    if (segment.kind === 'members') {
      return object ?? Buffer.concat([segment.otherwise, escaped(body), Buffer.from('"')])
    }
    if (segment.kind === 'literal') return segment.bytes
    if (segment.kind === 'message') return escaped(body)
    if (segment.kind === 'raw') return body
    if (segment.kind === 'offset') return Buffer.from((segment.base + frameStart).toString(16).padStart(12, '0'))
    if (segment.kind === 'range') {
      const length = segment.cutFrom || frameLength
      const at = (segment.base + frameStart).toString(16).padStart(12, '0')
      return Buffer.from(`${at}-${length.toString(16).padStart(8, '0')}`)
    }
    if (segment.kind === 'fixed64') return fixed64(segment.value + BigInt(index))
    if (segment.kind === 'length') return new Uint8Array(5)
    if (segment.kind !== 'counter') throw new Error(`the twin renders no ${segment.kind}`)
    return Buffer.from((segment.value + BigInt(index)).toString())
  })
  const bytes = Buffer.concat([...parts, how.separator])
  let at = 0
  for (const [index, part] of parts.entries()) {
    at += part.length
    if (how.segments[index]!.kind === 'length') varint(bytes.length - at).copy(bytes, at - 5)
  }
  return { bytes, repaired }
}

/**
 * The record of a frame that is cut to at most `room` bytes, with a message of at most `messageBytes`; and where in the
 * frame it was cut. One head after the other is tried; `members` stands for an object or for a message, whichever is longer.
 */
export function cut(
  frame: Uint8Array,
  frameStart: number,
  how: Rendering,
  room: number,
  messageBytes: number,
): (Rendered & { readonly cutAt: number }) | undefined {
  const text = how.treatment === 'text'
  const trimmed = text ? trim(frame, how.atFileStart) : frame
  const from = trimmed.byteOffset - frame.byteOffset
  const messages = how.segments.filter(({ kind }) => kind === 'message' || kind === 'raw' || kind === 'members').length
  const segments = how.segments.flatMap((segment): Segment[] =>
    segment.kind === 'members'
      ? [
          { kind: 'literal', bytes: segment.otherwise },
          { kind: 'message' },
          { kind: 'literal', bytes: Buffer.from('"') },
        ]
      : [segment],
  )
  const fits = (end: number): boolean => {
    const part = trimmed.subarray(0, end)
    // A replacement is taken for two bytes longer than what it stands for.
    const message = end + (text && how.repair ? 2 * messages * repairs(part) : 0)
    return (
      message <= messageBytes &&
      record(part, { start: frameStart, length: frame.length, index: 0 }, { ...how, segments }).bytes.length <= room
    )
  }
  if (!fits(0)) return undefined
  let end = 0
  for (const next of characters(trimmed)) {
    if (!fits(next)) break
    end = next
  }
  return {
    ...record(trimmed.subarray(0, end), { start: frameStart, length: frame.length, index: 0 }, how),
    cutAt: from + end,
  }
}

/** Where each character ends, or each maximal subpart of what is none. */
function* characters(bytes: Uint8Array): Generator<number> {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  const strict = new TextDecoder('utf-8', { ignoreBOM: true, fatal: true })
  const isOne = (part: Uint8Array) => {
    try {
      return [...strict.decode(part)].length === 1
    } catch {
      return false
    }
  }
  for (let at = 0; at < bytes.length; ) {
    const part = (n: number) => bytes.subarray(at, at + n)
    const lengths = [1, 2, 3, 4].filter(n => at + n <= bytes.length)
    const whole = lengths.find(n => isOne(part(n)))
    at += whole ?? lengths.findLast(n => decoder.decode(part(n)) === '\ufffd')!
    yield at
  }
}

function fixed64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(value)
  return bytes
}

/** Five groups of seven bits, the lowest first; all but the last say that another follows. */
function varint(value: number): Buffer {
  return Buffer.from([0, 7, 14, 21, 28].map(shift => (Math.floor(value / 2 ** shift) % 128) | (shift < 28 ? 128 : 0)))
}
