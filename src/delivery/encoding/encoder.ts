/**
 * Frames of a slab → one payload in the arena.
 *
 *     slab     │ a.log: frames 0..3 │ b.log: frames 4..21 │
 *                  │ template of a.log    │ template of b.log
 *     payload  │ prefix │ [group open] record , record , … [close] , [open] … record [close] │ suffix │
 *
 * Guarantees: a payload holds whole records of frames in their order, at least one, and at most what the limits say;
 * what does not fit is for the next payload. A record that is larger than a payload should be goes alone, and whole if
 * there is memory for it and the backend takes it; otherwise it is cut on a character's edge and says so. It is never
 * left out in silence. The same frames under the same limits give the same bytes and the same id, so a payload can be
 * made again from the slab, in which nothing is written.
 */
import { hash } from 'node:crypto'
import { FIELDS_AROUND } from '../../arena.ts'
import type { Backend } from '../../backends/backend.ts'
import type { Budget, Extent } from '../../budget.ts'
import type { Chunk, Origin, Slab } from '../../chunk.ts'
import { invariant } from '../../errors.ts'
import type { Kernel, RecordLimits } from '../../kernel/kernel.ts'
import type { FieldForm, Segment } from '../../kernel/template.ts'
import { Ascending } from './ascending.ts'
import { type FrameRange, upTo } from './frame-ranges.ts'
import { groupBehind, groupOf, type OpenGroup, type OwnGroup, partitionedBy } from './groups.ts'
import { ownTimes } from './record-times.ts'

/** What happened to the frames of one origin on the way; booked when they settle, for they may be encoded again. */
export interface Alteration {
  readonly origin: Origin
  /** Sequences replaced by U+FFFD. */
  readonly repaired: number
  /** Records cut to fit, but for those that were cut when they were read: a line counts once. */
  readonly cut: number
  /** Records that are their line, for the backend does not take all fields that they have. */
  readonly bared: number
  /** Records whose own time is older than the backend takes, or farther ahead: they have that of reading. */
  readonly retimed: number
}

export interface Payload {
  readonly kind: 'payload'
  /** The frames that are in it, and how many they are. */
  readonly ranges: readonly FrameRange[]
  readonly records: number
  /** It is larger than a payload should be, for its one record is: if it is refused for that, it can be cut. */
  readonly oversize: boolean
  /** Bytes of those frames, before they were encoded. */
  readonly frameBytes: number
  readonly extent: Extent
  /** The encoded bytes, a view of the arena. */
  readonly view: Buffer
  readonly id: string
  /** When its first record was read: milliseconds since the epoch. */
  readonly time: number
  readonly alterations: readonly Alteration[]
}

export type Encoded =
  | Payload
  /** No place in the arena now: to be retried when something was released. */
  | { readonly kind: 'no room' }
  /** The first frame cannot be sent at all: its template alone is larger than a payload may be. */
  | { readonly kind: 'unfit' }

const UNLIMITED = Number.MAX_SAFE_INTEGER
const NOTHING = Buffer.alloc(0)
/** A varint of five groups of seven bits, the later of which may say nothing (Protocol Buffers, Encoding). */
const LENGTH_BYTES = 5

/** Bytes that one of a line becomes: a quarter more is likely; `\u0001` is the most there is. */
const GROWTH = { usual: 1.25, most: 6 }
/** And where its fields are sent: behind commas, or as attributes of OTLP. */
const FIELDS_GROWTH: Readonly<Record<FieldForm, number>> = { json: 1.5, strings: 1.5, attributes: 2.5, keyvalues: 4 }

/** Room for what is not reckoned one by one: what a record says of itself when it was cut, or is the last one. */
const SLACK = 4096

export interface EncoderOptions {
  readonly kernel: Kernel
  readonly budget: Budget
  readonly backend: Backend
  readonly maxBytes: number
  readonly maxRecords: number
}

/** A payload while it is being filled. */
interface Filling {
  readonly slab: Slab
  readonly begin: number
  /** The first byte that may not be written: by the size that is wanted, and by the largest there may be. */
  readonly target: number
  readonly last: number
  readonly alterations: Alteration[]
  readonly first: { readonly chunk: Chunk; readonly frame: number }
  /** Every file range in it, however it was cut into chunks. */
  readonly extents: { readonly generation: string; readonly from: number; to: number }[]
  /** Where times must ascend. */
  readonly ascending: Ascending | undefined
  /** To what its record was cut down, or that it is without its fields; or nothing. */
  cut: string
  out: number
  records: number
  frameBytes: number
  group: OpenGroup | undefined
}

export class Encoder {
  readonly #kernel: Kernel
  readonly #budget: Budget
  readonly #backend: Backend
  /** Bytes that a payload should have at the most, and that one with a single record may have. */
  readonly maxBytes: number
  readonly mostBytes: number
  readonly #maxRecords: number
  readonly #limits: RecordLimits
  /** The template of the chunk that was asked for last: it is needed more than once. */
  #latest:
    | { readonly chunk: Chunk; readonly recordTimeNanos: bigint; readonly segments: readonly Segment[] }
    | undefined

  constructor({ kernel, budget, backend, maxBytes, maxRecords }: EncoderOptions) {
    const { payloadBytes, records, messageBytes = UNLIMITED, recordBytes = UNLIMITED } = backend.limits
    this.#kernel = kernel
    this.#budget = budget
    this.#backend = backend
    this.maxBytes = Math.min(maxBytes, payloadBytes)
    this.mostBytes = Math.min(budget.payloads, payloadBytes)
    invariant(this.maxBytes <= this.mostBytes, 'the budget has no place for a full payload')
    this.#maxRecords = Math.min(maxRecords, records)
    this.#limits = { messageBytes, recordBytes }
  }

  /**
   * A payload of the first of these frames, at most `bytes` long; a first record that is longer than that goes alone,
   * and is cut if it is longer than `alone`. Give it back with `release`.
   */
  encode(slab: Slab, ranges: readonly FrameRange[], bytes: number, alone = UNLIMITED): Encoded {
    const wanted = upTo(ranges, this.#maxRecords)
    const target = Math.min(bytes, this.maxBytes)
    const most = Math.min(alone, this.mostBytes)
    const { likely, largest } = this.#places(slab, wanted, most)
    for (const want of likely < largest ? [likely, largest] : [largest]) {
      const extent = this.#budget.grantPayload(want)
      if (extent === undefined) return { kind: 'no room' }
      const payload = this.#fill(slab, wanted, target, Math.min(most, extent.bytes), extent, want === largest)
      if (payload !== undefined) {
        this.#budget.shrink(extent, payload.view.length)
        return payload
      }
      this.#budget.release(extent)
    }
    return { kind: 'unfit' }
  }

  release(payload: Payload): void {
    this.#budget.release(payload.extent)
  }

  /** `bytes` is what is wanted, `most` what one record may have. `largest`: no place is larger. */
  #fill(
    slab: Slab,
    ranges: readonly FrameRange[],
    bytes: number,
    most: number,
    extent: Extent,
    largest: boolean,
  ): Payload | undefined {
    const { prefix, suffix } = this.#backend.format
    const { ascending } = this.#backend.limits
    const begin = extent.address
    const frame = ranges[0]!.from
    const filling: Filling = {
      slab,
      begin,
      target: begin + Math.min(bytes, extent.bytes) - suffix.length,
      last: begin + most - suffix.length,
      extents: [],
      ascending: ascending === undefined ? undefined : new Ascending(this.#kernel.memory.buffer, ascending),
      cut: '',
      alterations: [],
      first: { chunk: chunkOf(slab, frame), frame },
      out: begin + prefix.length,
      records: 0,
      frameBytes: 0,
      group: undefined,
    }
    this.#kernel.bytes.set(prefix, begin)
    this.#fillRanges(filling, ranges, largest)
    if (filling.records === 0) return undefined
    const end = this.#close(filling)
    this.#kernel.bytes.set(suffix, end)
    const view = this.#kernel.bytes.subarray(begin, end + suffix.length)
    return {
      kind: 'payload',
      ranges: upTo(ranges, filling.records),
      records: filling.records,
      oversize: filling.records === 1 && view.length > this.maxBytes,
      frameBytes: filling.frameBytes,
      extent,
      view,
      id: this.#id(filling),
      time: Number(filling.first.chunk.recordTimeNanos / 1_000_000n),
      alterations: filling.alterations,
    }
  }

  #fillRanges(filling: Filling, ranges: readonly FrameRange[], largest: boolean): void {
    for (const { from, to } of ranges) {
      let at = from
      for (const chunk of filling.slab.chunks) {
        const stop = Math.min(to, chunk.firstFrame + chunk.frames)
        if (at < chunk.firstFrame || at >= stop) continue
        const taken = this.#fillChunk(filling, chunk, at, stop, largest)
        at += taken
        if (at < stop) return
      }
    }
  }

  /**
   * Renders the frames [from, to) of one chunk, as far as there is room; returns how many. `largest`: no payload has
   * more room than this one.
   */
  #fillChunk(filling: Filling, chunk: Chunk, from: number, to: number, largest: boolean): number {
    const kernel = this.#kernel
    const { slab } = filling
    const entered = this.#enter(filling, chunk, from)
    if (entered === undefined) return 0
    let { group } = entered
    const closing = group?.close.length ?? 0
    const text = this.#backend.format.treatment === 'text'
    const repair = text && !kernel.validUtf8(slab.startOf(chunk, from), slab.endOf(to - 1))
    let { out } = entered
    let at = from
    const altered = { repaired: 0, cut: 0, bared: 0, retimed: 0 }
    this.#template(chunk, at)
    for (;;) {
      const alone = filling.records === 0 && at === from
      const room = filling.target - closing
      if (at === to || (!alone && out >= room)) break
      const run = filling.ascending?.next(slab, chunk, at, to, this.#limitsOf(chunk))
      if (run?.kind === 'stop') break
      const until = run === undefined ? to : run.kind === 'run' ? at + run.frames : at + 1
      if (run?.kind === 'raised') this.#template(chunk, at, run.milliseconds)
      const last = filling.last - closing
      const atFileStart = slab.offsetOf(chunk, at) === 0
      const table = { ends: slab.ends, rows: slab.rows, rowBytes: chunk.shape ? slab.row : 0 }
      const opened = group?.partition ?? 0
      const frames = { ...table, first: at, start: slab.startOf(chunk, at), out, repair, atFileStart, opened }
      let count = out < room ? kernel.render({ ...frames, count: until - at, limit: room }) : 0
      if (alone && count === 0) count = kernel.render({ ...frames, count: 1, limit: last })
      // Fields may be longer than what they are made of: then the line may still fit.
      if (alone && count === 0 && largest && chunk.shape) {
        count = kernel.render({ ...frames, count: 1, limit: last, bare: true })
        if (count === 1) filling.cut = 'bare\n'
      }
      // What is too long begins a payload of its own, so that it is cut for its own sake and not for want of room.
      if (alone && count === 0 && largest) {
        // Its template says that it was cut, and how long it was.
        this.#template({ ...chunk, cutFrom: chunk.cutFrom || slab.endOf(at) - slab.startOf(chunk, at) }, at)
        count = kernel.render({ ...frames, count: 1, limit: last, cut: true })
        if (count === 1 && chunk.cutFrom === 0) altered.cut = 1
        // The same record, cut shorter, is another request.
        filling.cut = `cut to ${filling.last - filling.begin}\n`
        this.#template(chunk, at + 1)
      }
      if (count === 0) break
      out = kernel.end
      group = groupBehind(this.#backend, chunk, group, kernel.partitioned)
      altered.repaired += kernel.repaired
      altered.bared += kernel.bared
      altered.retimed += kernel.retimed
      filling.ascending?.took(slab, chunk, at, count, this.#limitsOf(chunk))
      at += count
      if (run?.kind === 'raised') this.#template(chunk, at)
    }
    if (at === from) return 0
    filling.out = out
    filling.group = group
    filling.records += at - from
    filling.frameBytes += slab.endOf(at - 1) - slab.startOf(chunk, from)
    if (Object.values(altered).some(count => count > 0)) {
      filling.alterations.push({ origin: chunk.origin, ...altered })
    }
    const fileEnd = at === chunk.firstFrame + chunk.frames ? chunk.fileEnd : slab.offsetOf(chunk, at)
    const { generation } = chunk.origin
    const last = filling.extents.at(-1)
    if (last?.generation === generation && last.to === slab.offsetOf(chunk, from)) last.to = fileEnd
    else filling.extents.push({ generation, from: slab.offsetOf(chunk, from), to: fileEnd })
    return at - from
  }

  #segments(chunk: Chunk): readonly Segment[] {
    if (this.#latest?.chunk !== chunk || this.#latest.recordTimeNanos !== chunk.recordTimeNanos) {
      this.#latest = { chunk, recordTimeNanos: chunk.recordTimeNanos, segments: this.#backend.segments(chunk) }
    }
    return this.#latest.segments
  }

  /** `at`: the time that the record is shown with, whatever its own is: milliseconds. */
  #template(chunk: Chunk, frame: number, at?: bigint): void {
    const { treatment, separator } = this.#backend.format
    const moved = movedOn(this.#segments(chunk), frame - chunk.firstFrame)
    const segments = at === undefined ? moved : moved.map(segment => timedAt(segment, at))
    this.#kernel.template(segments, treatment, separator, this.#limitsOf(chunk), partitionedBy(this.#backend, chunk))
  }

  #groupOf(slab: Slab, chunk: Chunk, frame: number): OwnGroup | undefined {
    return groupOf(this.#backend, this.#kernel, slab, chunk, frame)
  }

  /** What its records may be: times of their own that the backend takes now, and will take for a while. */
  #limitsOf({ shape, recordTimeNanos }: Chunk): RecordLimits {
    const { age } = this.#backend.limits
    if (age === undefined || !shape?.timed) return this.#limits
    return { ...this.#limits, ...ownTimes(recordTimeNanos, age) }
  }

  /** Where the chunk's first record goes: behind the last one, or into a group of its own. Writes, but changes nothing yet. */
  #enter(filling: Filling, chunk: Chunk, frame: number): Pick<Filling, 'out' | 'group'> | undefined {
    const { bytes } = this.#kernel
    const next = this.#groupOf(filling.slab, chunk, frame)
    const { group } = filling
    if (next === undefined) return { out: filling.out, group }
    if (group && Buffer.compare(group.open, next.open) === 0) {
      return { out: filling.out, group: { ...group, partition: next.partition } }
    }
    const between = this.#backend.format.groupSeparator ?? NOTHING
    const at = filling.records === 0 ? filling.out : this.#close(filling) + between.length
    const out = at + next.open.length
    if (out + next.close.length >= filling.last) return undefined
    if (filling.records > 0) bytes.set(between, at - between.length)
    bytes.set(next.open, at)
    return { out, group: { ...next, at } }
  }

  /**
   * Takes the separator behind the last record away and closes its group; returns the address behind that. May be done
   * again, when the group that should have followed found no room.
   */
  #close({ out, group }: Filling): number {
    const end = out - this.#backend.format.separator.length
    if (group === undefined) return end
    const { bytes } = this.#kernel
    bytes.set(group.close, end)
    const behind = end + group.close.length
    for (const place of group.lengths ?? []) {
      const address = group.at + place
      let rest = behind - address - LENGTH_BYTES
      for (let n = 0; n < LENGTH_BYTES; n++, rest = Math.floor(rest / 128)) {
        bytes[address + n] = (rest % 128) | (n < LENGTH_BYTES - 1 ? 128 : 0)
      }
    }
    return behind
  }

  /**
   * What these frames will probably take, and the most that the first of them can, for it goes into this payload in any
   * case: a place of that size is larger than any that would help.
   */
  #places(slab: Slab, ranges: readonly FrameRange[], most: number): { likely: number; largest: number } {
    const { from } = ranges[0]!
    const { format } = this.#backend
    const { messageBytes, recordBytes } = this.#limits
    const chunk = chunkOf(slab, from)
    const bytes = slab.endOf(from) - slab.startOf(chunk, from)
    const group = this.#groupOf(slab, chunk, from)
    const enclosing = [format.prefix, format.suffix, group?.open, group?.close]
    const around =
      enclosing.reduce((sum, part) => sum + (part?.length ?? 0), SLACK) +
      length(this.#segments(chunk)) +
      format.separator.length
    const largest = Math.min(
      encodedGrowth(this.#segments(chunk)) *
        (GROWTH.most * Math.min(bytes, messageBytes) + aroundFields(this.#segments(chunk))),
      recordBytes,
    )
    const likely = Math.max(this.#estimate(slab, ranges), around + usualGrowth(this.#segments(chunk)) * bytes)
    return { likely, largest: Math.min(most, Math.max(around + largest, likely)) }
  }

  /** Bytes that these frames will probably take, as far as one payload takes them. */
  #estimate(slab: Slab, ranges: readonly FrameRange[]): number {
    const { format } = this.#backend
    let bytes = SLACK
    let perRecord: number | undefined
    let growth: number | undefined
    for (const range of ranges) {
      for (const chunk of slab.chunks) {
        const first = Math.max(range.from, chunk.firstFrame)
        const stop = Math.min(range.to, chunk.firstFrame + chunk.frames)
        if (first >= stop) continue
        perRecord ??= length(this.#segments(chunk)) + format.separator.length
        growth ??= usualGrowth(this.#segments(chunk))
        const group = this.#groupOf(slab, chunk, first)
        const enclosing = (group?.open.length ?? 0) + (group?.close.length ?? 0)
        // Of records that are told apart, every second may begin another group.
        bytes += enclosing * (group?.behind === undefined ? 1 : Math.ceil((stop - first) / 2))
        bytes += (stop - first) * perRecord + growth * (slab.endOf(stop - 1) - slab.startOf(chunk, first))
        if (bytes >= this.maxBytes) return this.maxBytes
      }
    }
    return Math.ceil(bytes)
  }

  /**
   * The generation and offset of the first record and the number of records, for humans; and a digest of every file
   * range in it, for those would be equal for two payloads that begin alike and go on with different files.
   */
  #id({ slab, first: { chunk, frame }, records, extents, cut }: Filling): string {
    const offset = slab.offsetOf(chunk, frame).toString(16).padStart(12, '0')
    const ranges = extents.map(({ generation, from, to }) => `${generation} ${from} ${to}\n`).join('')
    return `${chunk.origin.generation}-${offset}-${records}-${hash('sha256', cut + ranges, 'hex').slice(0, 16)}`
  }
}

function chunkOf(slab: Slab, frame: number): Chunk {
  return slab.chunks.find(({ firstFrame, frames }) => frame >= firstFrame && frame < firstFrame + frames)!
}

/** The template for the chunk's frame number `by`: what counts begins later. */
function movedOn<S extends Segment>(segments: readonly S[], by: number): readonly S[] {
  return by === 0 ? segments : segments.map(segment => moved(segment, by))
}

function moved<S extends Segment>(segment: S, by: number): S {
  switch (segment.kind) {
    case 'counter':
    case 'fixed64':
      return { ...segment, value: segment.value + BigInt(by) }
    case 'time':
      return { ...segment, fallback: segment.fallback + BigInt(by) }
    case 'when':
      return { ...segment, show: movedOn(segment.show, by) }
    default:
      return segment
  }
}

function timedAt(segment: Segment, at: bigint): Segment {
  return segment.kind === 'time' ? { kind: 'literal', bytes: Buffer.from(String(at)) } : segment
}

/**
 * Bytes that one of a line probably becomes. A line without a message among its values is sent beside its fields: a place
 * for one of them alone would be full before its slab is empty, and each slab would be two payloads.
 */
function usualGrowth(segments: readonly Segment[]): number {
  const fields = segments.find(({ kind }) => kind === 'fields')
  const usual = fields?.kind === 'fields' ? FIELDS_GROWTH[fields.as] + GROWTH.usual : GROWTH.usual
  return usual * encodedGrowth(segments)
}

/** Base64 makes four bytes of three, of what stands around a record too. */
function encodedGrowth(segments: readonly Segment[]): number {
  return segments.some(({ kind }) => kind === 'base64') ? 4 / 3 : 1
}

/** Bytes that may stand around the fields of one record: their names and values grow as any byte does. */
function aroundFields(segments: readonly Segment[]): number {
  return segments.some(({ kind }) => kind === 'fields') ? FIELDS_AROUND : 0
}

/** Bytes of a record around an empty frame; numbers are taken at their longest. */
function length(segments: readonly Segment[]): number {
  const bytes = segments.reduce((sum, segment) => {
    if (segment.kind === 'when') return sum + length(segment.show)
    return sum + (segment.kind === 'literal' ? segment.bytes.length : segment.kind === 'time' ? 30 : 20)
  }, 0)
  return Math.ceil(bytes * encodedGrowth(segments))
}
