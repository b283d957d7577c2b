/**
 * The tap: records with their verdicts, for the viewers that read the stream of the admin port.
 *
 *     settlement, retries, selection ─► inlet, one per backend ─► viewers, four at the most ─► their streams
 *
 * Guarantees: without a viewer a verdict costs one comparison, however many records it is about. With one, a record is
 * copied in the turn in which its verdict is known, no more than `EXCERPT` bytes of it, and no address of a slab is kept
 * after that. A viewer gets at most `RATE` records of each verdict a second, so that many deliveries hide no rejection;
 * records beyond that are not looked at, and counted. What a viewer does never holds up delivery.
 */
import type { Chunk, FrameRange, Slab } from './chunk.ts'

export const MOST_VIEWERS = 4
/** Bytes of a record that are shown. */
export const EXCERPT = 1024
/** Records of each verdict that a viewer gets in a second. */
export const RATE = 100
const SECOND = 1000

/** `retried`: a request with the record failed or was refused, and the record is sent again. */
export type TapVerdict = 'delivered' | 'rejected' | 'dropped' | 'retried'

export interface TappedRecord {
  /** When the verdict was known: an ISO time. */
  readonly at: string
  readonly verdict: TapVerdict
  /** Null of what is delivered. */
  readonly reason: string | null
  readonly source: string
  readonly backend: string
  readonly file: string
  /** Offset of the record in its file. */
  readonly offset: number
  /** The record after redaction, as text; the beginning of it if it is longer than `EXCERPT`. */
  readonly text: string
  /** Bytes of all of it. */
  readonly bytes: number
}

/** Undefined: any. */
export interface TapFilter {
  readonly source: string | undefined
  readonly backend: string | undefined
  /** What the record holds, byte by byte. */
  readonly text: string | undefined
}

export interface ViewerEvents {
  /** Must not throw. */
  readonly onRecord: (record: TappedRecord) => void
  /** It is forbidden from now on: no record comes any more. */
  readonly onForbidden: () => void
}

export type Opened =
  | { readonly kind: 'open'; readonly viewer: Viewer }
  /** By the configuration; or there are `MOST_VIEWERS` already. */
  | { readonly kind: 'forbidden' | 'full' }

export class Viewer {
  readonly #filter: TapFilter
  readonly #needle: Buffer | undefined
  readonly #events: ViewerEvents
  readonly #now: () => number
  #began = Number.NEGATIVE_INFINITY
  readonly #shown: Record<TapVerdict, number> = { delivered: 0, rejected: 0, dropped: 0, retried: 0 }
  #skipped = 0

  constructor(filter: TapFilter, events: ViewerEvents, now: () => number) {
    this.#filter = filter
    this.#needle = filter.text === undefined ? undefined : Buffer.from(filter.text)
    this.#events = events
    this.#now = now
  }

  get needle(): Buffer | undefined {
    return this.#needle
  }

  wants(source: string, backend: string): boolean {
    const { source: only, backend: alone } = this.#filter
    return (only === undefined || only === source) && (alone === undefined || alone === backend)
  }

  /** Whether it gets one more record of this verdict now. */
  admits(verdict: TapVerdict): boolean {
    const now = this.#now()
    if (now - this.#began >= SECOND) {
      this.#began = now
      Object.assign(this.#shown, { delivered: 0, rejected: 0, dropped: 0, retried: 0 })
    }
    return this.#shown[verdict] < RATE
  }

  show(record: TappedRecord): void {
    this.#shown[record.verdict]++
    this.#events.onRecord(record)
  }

  skip(records: number): void {
    this.#skipped += records
  }

  /** How many records were not looked at since this was asked last. */
  takeSkipped(): number {
    const skipped = this.#skipped
    this.#skipped = 0
    return skipped
  }

  forbid(): void {
    this.#events.onForbidden()
  }
}

export class Tap {
  /** Undefined while there is none. */
  viewers: Set<Viewer> | undefined
  #allowed: boolean
  readonly #now: () => number

  /** `now` as `performance.now`. */
  constructor(allowed: boolean, now: () => number = () => performance.now()) {
    this.#allowed = allowed
    this.#now = now
  }

  /** What the configuration says from now on. */
  allow(allowed: boolean): void {
    this.#allowed = allowed
    if (allowed) return
    const viewers = this.viewers ?? []
    this.viewers = undefined
    for (const viewer of viewers) viewer.forbid()
  }

  /** To be ended by `close`. */
  open(filter: TapFilter, events: ViewerEvents): Opened {
    if (!this.#allowed) return { kind: 'forbidden' }
    if ((this.viewers?.size ?? 0) >= MOST_VIEWERS) return { kind: 'full' }
    const viewer = new Viewer(filter, events, this.#now)
    this.viewers ??= new Set()
    this.viewers.add(viewer)
    return { kind: 'open', viewer }
  }

  close(viewer: Viewer): void {
    this.viewers?.delete(viewer)
    if (this.viewers?.size === 0) this.viewers = undefined
  }
}

/** Where one backend's verdicts go in. */
export class TapInlet {
  readonly #tap: Tap
  readonly #backend: string
  readonly #memory: Buffer

  /** `memory`: the arena that its slabs lie in. */
  constructor(tap: Tap, backend: string, memory: Buffer) {
    this.#tap = tap
    this.#backend = backend
    this.#memory = memory
  }

  get open(): boolean {
    return this.#tap.viewers !== undefined
  }

  /** Frames of a slab, which must still hold them. */
  frames(slab: Slab, ranges: readonly FrameRange[], verdict: TapVerdict, reason: string | null = null): void {
    const { viewers } = this.#tap
    if (viewers === undefined) return
    for (const { from, to } of ranges) {
      for (let index = slab.chunkAt(from); index < slab.chunks.length; index++) {
        const chunk = slab.chunks[index]!
        if (chunk.firstFrame >= to) break
        const some = { from: Math.max(from, chunk.firstFrame), to: Math.min(to, chunk.firstFrame + chunk.frames) }
        this.run(slab, chunk, some, verdict, reason)
      }
    }
  }

  /** Frames of one chunk, which the slab need not have among its chunks. */
  run(slab: Slab, chunk: Chunk, range: FrameRange, verdict: TapVerdict, reason: string | null = null): void {
    for (const viewer of this.#tap.viewers ?? []) this.#offer(viewer, slab, chunk, range, verdict, reason)
  }

  /** A record that is in no slab. */
  record(chunk: Chunk, offset: number, bytes: Buffer, verdict: TapVerdict, reason: string | null = null): void {
    const { viewers } = this.#tap
    if (viewers === undefined) return
    const { source } = chunk.origin
    for (const viewer of viewers) {
      if (!viewer.wants(source, this.#backend)) continue
      if (!viewer.admits(verdict)) viewer.skip(1)
      else if (viewer.needle === undefined || bytes.includes(viewer.needle)) {
        viewer.show(this.#tapped(chunk, offset, bytes, verdict, reason))
      }
    }
  }

  #offer(
    viewer: Viewer,
    slab: Slab,
    chunk: Chunk,
    { from, to }: FrameRange,
    verdict: TapVerdict,
    reason: string | null,
  ): void {
    if (!viewer.wants(chunk.origin.source, this.#backend)) return
    for (let frame = from; frame < to; frame++) {
      if (!viewer.admits(verdict)) {
        viewer.skip(to - frame)
        return
      }
      if (viewer.needle !== undefined) frame = this.#find(viewer.needle, slab, chunk, { from: frame, to })
      if (frame === to) return
      const bytes = this.#memory.subarray(slab.startOf(chunk, frame), slab.endOf(frame))
      viewer.show(this.#tapped(chunk, slab.offsetOf(chunk, frame), bytes, verdict, reason))
    }
  }

  /** The first of these frames that holds the needle, or `to`: the bytes of all of them are searched at once. */
  #find(needle: Buffer, slab: Slab, chunk: Chunk, { from, to }: FrameRange): number {
    const start = slab.startOf(chunk, from)
    const bytes = this.#memory.subarray(start, slab.endOf(to - 1))
    let frame = from
    for (let at = bytes.indexOf(needle); at >= 0; at = bytes.indexOf(needle, at + 1)) {
      frame = frameAt(slab, frame, to, start + at)
      // It may begin in one frame and end in the next.
      if (start + at + needle.length <= slab.endOf(frame)) return frame
    }
    return to
  }

  #tapped({ origin }: Chunk, offset: number, bytes: Buffer, verdict: TapVerdict, reason: string | null): TappedRecord {
    const { source, path: file } = origin
    const at = new Date().toISOString()
    return {
      ...{ at, verdict, reason, source, backend: this.#backend, file, offset },
      ...{ text: textOf(bytes), bytes: bytes.length },
    }
  }
}

/** The frame in [from, to) in which an address lies. */
function frameAt(slab: Slab, from: number, to: number, address: number): number {
  let [low, high] = [from, to - 1]
  while (low < high) {
    const middle = (low + high) >> 1
    if (slab.endOf(middle) < address) low = middle + 1
    else high = middle
  }
  return low
}

const [CR, NUL] = [0x0d, 0]

/** Without what ends the line; cut between two characters. */
function textOf(bytes: Buffer): string {
  let end = bytes.length
  while (end > 0 && (bytes[end - 1] === CR || bytes[end - 1] === NUL)) end--
  if (end > EXCERPT) {
    end = EXCERPT
    // No more than the three bytes that continue a character.
    while (end > EXCERPT - 3 && (bytes[end]! & 0xc0) === 0x80) end--
  }
  return bytes.toString('utf8', 0, end)
}
