/**
 * The selector: decides in one pipeline which of the records that were just read are kept, and takes the others out.
 *
 *     chunk ─► filter ─► sample ─► repeats ─► limit (the source's) ─► filter ─► sample ─► limit (the backend's)
 *       │          └─────────┴────────┴──────────┴─────── verdicts ──────┴─────────┴────────┘
 *       └─► thinned: what is kept moves together, what is dropped settles
 *
 * It runs in the turn in which the records were read, as the last thing before others see them.
 *
 * Guarantees: a record that is dropped settles at once, with its reason; what is kept stays in order; where nothing is
 * dropped nothing moves and no record is looked at in JavaScript; a decision of `filter` and `sample` is the same whenever
 * the record is read again.
 */
import { type Chunk, type Origin, PLAIN_SHAPE, type RecordShape, type Slab, settleFrames } from '../../chunk.ts'
import type { Frames, Kernel, Sampling } from '../../kernel/kernel.ts'
import type { TapInlet } from '../../tap.ts'
import type { SelectPlan, SelectStep } from './compile.ts'
import { Buckets } from './limits.ts'

/** Frames that are thinned in one go, and bytes of the gaps that may be between them. */
const BLOCK = 1024
export const GAP_BYTES = 16 * BLOCK
/** Numbers of a gap, and bytes of a row of the column. */
const GAP = 4
const ROW = 4
/** Records are counted in the time of their reading: nanoseconds in a millisecond. */
const NANOS = 1_000_000n

/** A step whose table has been laid down, or that has buckets. */
type LaidStep =
  | { readonly kind: 'filter'; readonly table: number }
  | { readonly kind: 'sample'; readonly verdict: number; readonly sampling: Sampling }
  | { readonly kind: 'repeats'; readonly verdict: number; readonly window: bigint }
  | { readonly kind: 'wait'; readonly buckets: Buckets }
  | { readonly kind: 'drop'; readonly verdict: number; readonly buckets: Buckets }

interface Program {
  readonly steps: readonly LaidStep[]
  readonly reasons: readonly string[]
  /** What rows say because of it. */
  readonly marks: Pick<RecordShape, 'sampled' | 'repeats'> | undefined
  /** The shape of its records before, and with what this program adds. */
  shape: { readonly of: RecordShape; readonly with: RecordShape } | undefined
}

/** The plans of one source: its own, and the backend's. */
export interface Selection {
  readonly source: SelectPlan | undefined
  readonly backend: SelectPlan | undefined
}

export class Selector {
  /** Where records that are dropped are shown to viewers. */
  tap: TapInlet | undefined
  readonly #kernel: Kernel
  readonly #programs = new Map<string, Program>()
  /** As `performance.now`. */
  readonly #now: () => number
  readonly #gaps: number
  readonly #seeds = new WeakMap<Origin, bigint>()
  /** Nothing waits any more: the end is near. */
  #lifted = false

  /** Lays the tables of the plans into the kernel. */
  constructor(kernel: Kernel, selections: ReadonlyMap<string, Selection>, now: () => number) {
    this.#kernel = kernel
    this.#now = now
    this.#gaps = selections.size > 0 ? kernel.reserve(GAP_BYTES) : 0
    for (const [name, { source, backend }] of selections) {
      const steps = [...(source?.steps ?? []), ...(backend?.steps ?? [])].map(step => this.#laid(step))
      const reasons = [...(source?.reasons ?? []), ...(backend?.reasons ?? [])]
      this.#programs.set(name, { steps, reasons, marks: marksOf(source, backend), shape: undefined })
    }
  }

  #laid(step: SelectStep): LaidStep {
    switch (step.kind) {
      case 'filter':
        return { kind: 'filter', table: this.#kernel.lay(step.table) }
      case 'sample':
        return { kind: 'sample', verdict: step.verdict, sampling: step.sampling }
      case 'repeats':
        return { kind: 'repeats', verdict: step.verdict, window: BigInt(step.window) * NANOS }
      case 'limit':
        return { kind: step.over, verdict: step.verdict, buckets: new Buckets(step) }
    }
  }

  /** Selects among the records of the chunks from index `first` on. Returns whether any of them has left the slab. */
  apply(slab: Slab, first: number): boolean {
    let lifted: readonly Chunk[] = []
    for (let index = first; index < slab.chunks.length; index++) {
      const chunk = slab.chunks[index]!
      const program = this.#programs.get(chunk.origin.source)
      if (program === undefined || this.#judge(slab, chunk, program) === 0) continue
      // From here on all that follows moves.
      lifted = slab.lift(index)
      break
    }
    for (const [index, chunk] of lifted.entries()) {
      const program = this.#programs.get(chunk.origin.source)
      if (index > 0) {
        if (program === undefined) this.#kernel.acquit(framesOf(slab, chunk))
        else this.#judge(slab, chunk, program)
      }
      this.#thin(slab, chunk, program?.reasons ?? [])
    }
    return lifted.length > 0
  }

  /** A file is passed over until its limits have something left: milliseconds. */
  waitOf(origin: Origin): number {
    let ms = 0
    for (const step of this.#lifted ? [] : (this.#programs.get(origin.source)?.steps ?? [])) {
      if (step.kind === 'wait') ms = Math.max(ms, step.buckets.waitOf(origin, this.#now()))
    }
    return ms
  }

  /** What waits may go on, whatever its limit says: there will be no later. */
  lift(): void {
    this.#lifted = true
  }

  /** Gives verdicts to the frames of a chunk; returns how many are dropped. */
  #judge(slab: Slab, chunk: Chunk, program: Program): number {
    const kernel = this.#kernel
    const frames = framesOf(slab, chunk)
    if (program.marks?.repeats) kernel.unlink(frames)
    kernel.acquit(frames)
    let dropped = 0
    for (const step of program.steps) {
      if (dropped === chunk.frames) break
      switch (step.kind) {
        case 'filter':
          dropped += kernel.filter(frames, step.table)
          break
        case 'sample':
          dropped += kernel.sample(frames, step.verdict, step.sampling, this.#placeOf(chunk))
          break
        case 'repeats':
          dropped += kernel.repeats(frames, step.verdict, step.window)
          break
        case 'wait': {
          const now = this.#now()
          kernel.limit(frames, 0, step.buckets.of(chunk.origin, now), now, false)
          break
        }
        case 'drop': {
          const bucket = step.buckets.of(chunk.origin, chunk.readAt)
          dropped += kernel.limit(frames, step.verdict, bucket, chunk.readAt, chunk.shape?.timed ?? false)
          break
        }
      }
    }
    if (program.marks !== undefined) chunk.shape = marked(program, chunk.shape ?? PLAIN_SHAPE)
    return dropped
  }

  #placeOf({ origin, offsets, fileStart, start }: Chunk): { seed: bigint; base: number; table: number } {
    let seed = this.#seeds.get(origin)
    if (seed === undefined) {
      seed = BigInt(`0x${origin.generation}`)
      this.#seeds.set(origin, seed)
    }
    return { seed, base: offsets?.base ?? fileStart - start, table: offsets?.table ?? 0 }
  }

  /** Those that are dropped, before anything moves. The slab does not have the chunk now. */
  #show(tap: TapInlet, slab: Slab, chunk: Chunk, reasons: readonly string[]): void {
    const { bytes } = this.#kernel
    const verdictOf = (frame: number): number => bytes.readUInt32LE(slab.column + ROW * frame) & 0xff
    const end = chunk.firstFrame + chunk.frames
    for (let from = chunk.firstFrame, to = from; from < end; from = to) {
      const verdict = verdictOf(from)
      while (to < end && verdictOf(to) === verdict) to++
      if (verdict !== 0) tap.run(slab, chunk, { from, to }, 'dropped', reasons[verdict - 1])
    }
  }

  /** Puts a chunk that was lifted back, without the frames that have a verdict. */
  #thin(slab: Slab, chunk: Chunk, reasons: readonly string[]): void {
    const kernel = this.#kernel
    const { firstFrame, frames, fileStart, fileEnd, offsets } = chunk
    const end = firstFrame + frames
    if (this.tap?.open) this.#show(this.tap, slab, chunk, reasons)
    const gaps: Uint32Array[] = []
    let kept = 0
    let out = slab.window + slab.used
    let start = slab.startOf(chunk, firstFrame)
    let head = slab.offsetOf(chunk, firstFrame) - fileStart
    for (let first = firstFrame; first < end; first += BLOCK) {
      const next = Math.min(first + BLOCK, end)
      // Before anything moves that it is reckoned from.
      const nextStart = slab.endOf(next - 1) + 1
      const tail = (next === end ? fileEnd : slab.offsetOf(chunk, next)) - fileStart
      const some = { ...framesOf(slab, chunk), first, count: next - first, start }
      const source = offsets === undefined ? 0 : offsets.table + 4 * (first - firstFrame)
      const origin = offsets === undefined ? 0 : fileStart - offsets.base
      const to = slab.frames + kept
      kept += kernel.thin(some, { to, out, head, tail, source, origin, gaps: this.#gaps })
      out = kernel.stop
      if (kernel.written > 0) {
        gaps.push(new Uint32Array(kernel.memory.buffer, this.#gaps, GAP * kernel.written).slice())
      }
      start = nextStart
      head = tail
    }
    // One frame may be longer than a gap can be.
    if (frames === 1 && kept === 0) {
      const reason = reasons[gaps[0]![3]!]!
      settleFrames(chunk, fileStart, fileEnd, 1, { kind: 'dropped', reason })
    } else slab.keep(chunk, kept, gaps.length > 0 ? { rows: joined(gaps), reasons } : undefined)
  }
}

/** The frames of a chunk, and what belongs to them. */
export function framesOf(slab: Slab, { firstFrame, frames, start }: Chunk): Frames {
  const { ends, column, rows, row } = slab
  return { ends, first: firstFrame, count: frames, start, column, rows, row }
}

function joined(parts: readonly Uint32Array[]): Uint32Array {
  if (parts.length === 1) return parts[0]!
  const all = new Uint32Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}

function marksOf(source: SelectPlan | undefined, backend: SelectPlan | undefined): Program['marks'] {
  const share = (plan: SelectPlan | undefined): number => {
    const step = plan?.steps.find(({ kind }) => kind === 'sample')
    return step?.kind === 'sample' ? step.share : 1
  }
  const shares = [share(source), share(backend)] as const
  const repeats = source?.steps.some(({ kind }) => kind === 'repeats') ?? false
  const sampled = shares.some(one => one < 1)
  return sampled || repeats ? { ...(sampled && { sampled: shares }), ...(repeats && { repeats }) } : undefined
}

/** A shape with what the rows say because of a program: one object for all chunks. */
function marked(program: Program, shape: RecordShape): RecordShape {
  if (program.shape?.with === shape) return shape
  if (program.shape?.of !== shape) program.shape = { of: shape, with: { ...shape, ...program.marks } }
  return program.shape.with
}
