/**
 * Templates: how a record looks, as the steps that the kernel's loops render frames by (assembly/render.ts).
 *
 * Guarantees: a template that needs more than its room is refused before anything of it is written.
 */
import { invariant } from '../errors.ts'
import { LAYOUT } from './module.ts'

export type Segment =
  /** The same bytes for every record. */
  | { readonly kind: 'literal'; readonly bytes: Uint8Array }
  /** The frame, escaped for a JSON string (RFC 8259 §7), without the quotes. */
  | { readonly kind: 'message' }
  /** The frame's bytes, not escaped. */
  | { readonly kind: 'raw' }
  /**
   * The members of the frame, as they are, if it is a JSON object that has some. Of any other frame `otherwise` (a name, a colon and
   * a quote), the frame as under `message`, and a quote: a member in either case. Frames are UTF-8, or repaired.
   */
  | { readonly kind: 'members'; readonly otherwise: Uint8Array }
  /**
   * The frame's offset in its file: 12 hexadecimal digits. `base` is what must be added to an address to get a file
   * offset, and may be negative: for a chunk, `fileStart - start`. So it is the same wherever in the chunk rendering
   * begins. Where frames lie otherwise in memory than in the file, `table` is the address of a table of u32 with a row
   * for each row of the table of frames: then it is `base` and the frame's row.
   */
  | { readonly kind: 'offset'; readonly base: number; readonly table?: number | undefined }
  /**
   * The frame's range in its file: the offset as above, a hyphen, and the bytes of the frame as 8 hexadecimal digits;
   * `cutFrom` are those of a frame that is longer in the file, or 0. So a record that was sent in half and then whole has
   * two names. Where there is a `table`, as under `offset`, none of its frames was cut.
   */
  | { readonly kind: 'range'; readonly base: number; readonly cutFrom: number; readonly table?: number | undefined }
  /** A decimal number that starts at `value`, below 10^20, and goes up by one per rendered record. */
  | { readonly kind: 'counter'; readonly value: bigint }
  /** The same as eight bytes, the lowest first (Protocol Buffers `fixed64`); `value` is below 2^64. */
  | { readonly kind: 'fixed64'; readonly value: bigint }
  /** The message of a record: the value in its slot if there is one, else the frame. */
  | {
      readonly kind: 'text'
      readonly slot: number | undefined
      readonly as: 'string' | 'bytes'
      /** A value of nothing but white space is none. */
      readonly refusesBlank?: boolean
    }
  /** The value in a slot; nothing if there is none. `number`: what stands there may be a number. */
  | {
      readonly kind: 'value'
      readonly slot: number
      readonly as: ValueForm
      readonly number?: boolean
      /** Of Protocol Buffers: its tag, behind which its length stands. */
      readonly field?: number
    }
  /** The time of a record; `fallback`, which goes up by one per rendered record, if it has none: ns since the epoch. */
  | { readonly kind: 'time'; readonly as: TimeForm; readonly fallback: bigint }
  /** The level of a record; `slot`: where it stands as it was written. */
  | { readonly kind: 'level'; readonly as: LevelForm; readonly slot?: number | undefined }
  /** What else was found, under the names that `names` gives: see fields.ts. */
  | { readonly kind: 'fields'; readonly as: FieldForm; readonly names: Uint8Array }
  /** For how many records this one stands: in digits, or as a varint of five bytes. */
  | { readonly kind: 'repeated'; readonly as?: RepeatedForm }
  /** A piece of the text of the record's partition: see `Partitions` in partition.ts. */
  | { readonly kind: 'partition'; readonly piece: number }
  /** A comma, unless an object begins before it. */
  | { readonly kind: 'comma' }
  /** What stands between the two edges is encoded (RFC 4648 §4). A record has one such piece at the most. */
  | { readonly kind: 'base64'; readonly edge: 'begin' | 'end' }
  /** These only if the record has that. */
  | { readonly kind: 'when'; readonly has: Has; readonly show: readonly Inner[] }
  /**
   * How many bytes of the record follow: a varint of five bytes (Protocol Buffers). The record's end is where the
   * separator behind it ends, so use it with a separator of no bytes.
   */
  | { readonly kind: 'length' }

/** A length would measure what was not written. */
export type Inner = Exclude<Segment, { kind: 'length' }>

/** How a value is written: as JSON, inside of a JSON string, as one, its bytes, the bytes of its hexadecimal digits. */
export type ValueForm = keyof typeof VALUE_FORMS
/** RFC 3339 in UTC, seconds with three decimals, milliseconds, nanoseconds, and these as `fixed64`; or a part, in UTC. */
export type TimeForm = keyof typeof TIME_FORMS
/** JSON members, such whose values are texts, attributes of OTLP, the same as JSON. */
export type FieldForm = keyof typeof FIELD_FORMS
/** A word, the number of OpenTelemetry, as it was written or else the word, the number of syslog, a byte, Google's word. */
export type LevelForm = keyof typeof LEVEL_FORMS
export type RepeatedForm = keyof typeof REPEATED_FORMS
/** A time, a level, more records than one, no partition but the first, nothing in a piece of its text; it was chosen by sampling; a value in a slot, one of 16 or 8 bytes in hexadecimal digits, one that is none of 16. */
export type Has =
  | 'time'
  | 'level'
  | 'repeated'
  | 'no partition'
  | { readonly noPiece: number }
  | { readonly sampled: keyof typeof SAMPLINGS }
  | { readonly value: number }
  | { readonly id: number; readonly bytes: 8 | 16 }
  | { readonly otherThanId: number }

const VALUE_FORMS = {
  json: LAYOUT.AS_JSON,
  string: LAYOUT.AS_STRING,
  quoted: LAYOUT.AS_QUOTED,
  bytes: LAYOUT.AS_BYTES,
  id: LAYOUT.AS_ID,
} as const
const TIME_FORMS = {
  rfc3339: LAYOUT.TIME_RFC3339,
  seconds: LAYOUT.TIME_SECONDS,
  milliseconds: LAYOUT.TIME_MILLISECONDS,
  nanoseconds: LAYOUT.TIME_NANOSECONDS,
  fixed64: LAYOUT.TIME_FIXED64,
  year: LAYOUT.TIME_YEAR,
  month: LAYOUT.TIME_MONTH,
  day: LAYOUT.TIME_DAY,
  hour: LAYOUT.TIME_HOUR,
} as const
const LEVEL_FORMS = {
  word: LAYOUT.LEVEL_WORD,
  number: LAYOUT.LEVEL_NUMBER,
  written: LAYOUT.LEVEL_WRITTEN,
  syslog: LAYOUT.LEVEL_SYSLOG,
  byte: LAYOUT.LEVEL_BYTE,
  severity: LAYOUT.LEVEL_SEVERITY,
} as const
/** What chose the record. */
const SAMPLINGS = {
  source: LAYOUT.SAMPLED,
  backend: LAYOUT.RESAMPLED,
  both: LAYOUT.SAMPLED | LAYOUT.RESAMPLED,
} as const
const REPEATED_FORMS = { digits: LAYOUT.REPEATED_DIGITS, varint: LAYOUT.REPEATED_VARINT } as const
const FIELD_FORMS = {
  json: LAYOUT.AS_JSON,
  strings: LAYOUT.AS_QUOTED,
  attributes: LAYOUT.AS_ATTRIBUTE,
  keyvalues: LAYOUT.AS_KEY_VALUE,
} as const

const { STEP, COUNTER_BYTES, COUNTER_DIGITS } = LAYOUT
const KINDS: Record<Segment['kind'], number> = {
  literal: LAYOUT.LITERAL,
  message: LAYOUT.MESSAGE,
  raw: LAYOUT.RAW,
  offset: LAYOUT.OFFSET,
  counter: LAYOUT.COUNTER,
  fixed64: LAYOUT.FIXED64,
  length: LAYOUT.LENGTH,
  members: LAYOUT.MEMBERS,
  range: LAYOUT.RANGE,
  when: LAYOUT.WHEN,
  text: LAYOUT.TEXT_VALUE,
  value: LAYOUT.VALUE,
  time: LAYOUT.TIME,
  level: LAYOUT.LEVEL,
  fields: LAYOUT.FIELDS,
  repeated: LAYOUT.REPEATED,
  comma: LAYOUT.COMMA,
  partition: LAYOUT.PARTITION,
  base64: LAYOUT.BASE64,
}
/** Bytes that the program of a template may take, with what it names. */
const ROOM = LAYOUT.NAMES - LAYOUT.PROGRAM

/** Bytes of the room that a segment takes, its step included. */
function roomFor(segment: Segment): number {
  if (segment.kind === 'literal') return STEP + segment.bytes.length
  if (segment.kind === 'members') return STEP + segment.otherwise.length
  if (segment.kind === 'fields') return STEP + segment.names.length
  if (segment.kind !== 'counter') return STEP
  invariant(segment.value >= 0n && segment.value < 10n ** BigInt(COUNTER_DIGITS), 'a counter begins out of range')
  return STEP + COUNTER_BYTES
}

/** All steps in their order: those of a condition stand behind it. */
function flat(segments: readonly Segment[]): readonly Segment[] {
  if (segments.every(({ kind }) => kind !== 'when')) return segments
  return segments.flatMap(segment => (segment.kind === 'when' ? [segment, ...flat(segment.show)] : [segment]))
}

function stepsOf(segments: readonly Segment[]): number {
  return segments.reduce((sum, segment) => sum + 1 + (segment.kind === 'when' ? stepsOf(segment.show) : 0), 0)
}

/** Bytes that stand behind the steps. */
function dataOf(segment: Extract<Segment, { kind: 'literal' | 'members' | 'fields' }>): Uint8Array {
  switch (segment.kind) {
    case 'literal':
      return segment.bytes
    case 'members':
      return segment.otherwise
    case 'fields':
      return segment.names
  }
}

function conditionOf(has: Has): [what: number, slot: number] {
  if (has === 'time') return [LAYOUT.HAS_TIME, LAYOUT.NO_SLOT]
  if (has === 'level') return [LAYOUT.HAS_LEVEL, LAYOUT.NO_SLOT]
  if (has === 'repeated') return [LAYOUT.HAS_REPEATED, LAYOUT.NO_SLOT]
  if (has === 'no partition') return [LAYOUT.HAS_NO_PARTITION, LAYOUT.NO_SLOT]
  if ('noPiece' in has) return [LAYOUT.HAS_NO_PIECE, has.noPiece]
  if ('sampled' in has) return [LAYOUT.HAS_SAMPLED, SAMPLINGS[has.sampled]]
  if ('value' in has) return [LAYOUT.HAS_VALUE, has.value]
  if ('otherThanId' in has) return [LAYOUT.HAS_OTHER_16, has.otherThanId]
  return [has.bytes === 16 ? LAYOUT.HAS_ID_16 : LAYOUT.HAS_ID_8, has.id]
}
/** What the loops must know of a template beside its steps. */
export interface Written {
  readonly steps: number
  /** Something in it changes from record to record. */
  readonly counts: boolean
  readonly measures: boolean
  /** The slot of the value that takes the message's place, or `NO_SLOT`. */
  readonly messageSlot: number
  readonly refusesBlank: boolean
}

/**
 * Writes the steps of `segments`, and of the literals `behind` them, into the room of a kernel's memory. Throws
 * `ERR_INVARIANT`, and writes nothing, if they need more than it has.
 */
export function write(
  memory: Buffer,
  view: DataView,
  segments: readonly Segment[],
  behind: readonly Uint8Array[],
): Written {
  const literals = behind.map(bytes => ({ kind: 'literal', bytes }) as const)
  const all = flat([...segments, ...literals])
  // Before anything is written: a template that is refused leaves the last one whole.
  invariant(all.reduce((sum, segment) => sum + roomFor(segment), 0) <= ROOM, 'a template is larger than its room')
  let step: number = LAYOUT.PROGRAM
  let data = step + all.length * STEP
  let counts = false
  let measures = false
  let messageSlot: number = LAYOUT.NO_SLOT
  let refusesBlank = false
  for (const segment of all) {
    const inTable = segment.kind === 'range' && segment.table !== undefined
    view.setUint32(step, inTable ? LAYOUT.RANGE_IN : KINDS[segment.kind], true)
    if (segment.kind === 'literal' || segment.kind === 'members' || segment.kind === 'fields') {
      const own = dataOf(segment)
      memory.set(own, data)
      view.setUint32(step + 4, own.length, true)
      view.setUint32(step + 8, data, true)
      data += own.length
      if (segment.kind === 'fields') view.setUint32(step + 4, FIELD_FORMS[segment.as], true)
    } else if (segment.kind === 'when') {
      const [what, slot] = conditionOf(segment.has)
      view.setUint32(step + 4, what, true)
      view.setUint32(step + 8, slot, true)
      view.setUint32(step + 12, STEP * stepsOf(segment.show), true)
    } else if (segment.kind === 'text') {
      view.setUint32(step + 4, VALUE_FORMS[segment.as], true)
      view.setUint32(step + 8, segment.slot ?? LAYOUT.NO_SLOT, true)
      messageSlot = segment.slot ?? LAYOUT.NO_SLOT
      refusesBlank = segment.refusesBlank ?? false
    } else if (segment.kind === 'value') {
      view.setUint32(step + 4, VALUE_FORMS[segment.as], true)
      view.setUint32(step + 8, segment.slot, true)
      view.setUint32(step + 12, Number(segment.number ?? false) | ((segment.field ?? 0) << 8), true)
    } else if (segment.kind === 'time') {
      view.setUint32(step + 4, TIME_FORMS[segment.as], true)
      view.setBigInt64(step + 8, segment.fallback, true)
      counts = true
    } else if (segment.kind === 'level') {
      view.setUint32(step + 4, LEVEL_FORMS[segment.as], true)
      view.setUint32(step + 8, segment.slot ?? LAYOUT.NO_SLOT, true)
    } else if (segment.kind === 'offset') {
      view.setUint32(step + 4, segment.table ?? 0, true)
      view.setBigInt64(step + 8, BigInt(segment.base), true)
    } else if (segment.kind === 'range') {
      view.setUint32(step + 4, segment.table ?? segment.cutFrom, true)
      view.setBigInt64(step + 8, BigInt(segment.base), true)
    } else if (segment.kind === 'counter') {
      const digits = segment.value.toString()
      data += COUNTER_BYTES
      memory.write(digits, data - digits.length, 'latin1')
      view.setUint32(step + 4, digits.length, true)
      view.setUint32(step + 8, data, true)
      counts = true
    } else if (segment.kind === 'fixed64') {
      view.setBigUint64(step + 8, segment.value, true)
      counts = true
    } else if (segment.kind === 'partition') {
      view.setUint32(step + 4, segment.piece, true)
    } else if (segment.kind === 'repeated') {
      view.setUint32(step + 4, REPEATED_FORMS[segment.as ?? 'digits'], true)
    } else if (segment.kind === 'base64') {
      view.setUint32(step + 4, segment.edge === 'begin' ? LAYOUT.BASE64_BEGIN : LAYOUT.BASE64_END, true)
    } else if (segment.kind === 'length') measures = true
    step += STEP
  }
  return { steps: all.length, counts, measures, messageSlot, refusesBlank }
}
