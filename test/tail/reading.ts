/**
 * What the framer's tests stand on: one file with one cursor, read into real slabs, and the definition of what should come
 * of it, with none of the machinery.
 */
import assert from 'node:assert/strict'
import { closeSync, fstatSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { Budget } from '../../src/budget.ts'
import { layoutOf, Slab } from '../../src/chunk.ts'
import { Kernel, type RecordRule, type RunRule } from '../../src/kernel/kernel.ts'
import { Account, DELIVERED } from '../../src/ledger.ts'
import { inodeOf, NO_HEAD, NO_MARKER } from '../../src/tail/files/fingerprint.ts'
import { Allowance } from '../../src/tail/framing/allowance.ts'
import { formOf } from '../../src/tail/framing/form.ts'
import { Framer, type Framing, QUANTUM } from '../../src/tail/framing/framer.ts'
import { Cursor, Generation } from '../../src/tail/generation/generation.ts'
import { type Ending, Tailer } from '../../src/tail/generation/tailer.ts'
import { lineRoom, type SourceOptions } from '../../src/tail/options.ts'
import * as twin from '../kernel/twin.ts'
import { scratch } from '../scratch.ts'
import { source } from './rig.ts'

const dir = scratch(t)
export const kernel = Kernel.create(2 << 20, 256 * 1024)
export const budget = new Budget(kernel.arena, kernel.arenaBytes)
let files = 0

export interface Frame {
  /** Offset in the file of its first byte, which is no NUL. */
  readonly offset: number
  readonly bytes: Buffer
  readonly cutFrom: number
  readonly partial: boolean
  readonly continued: boolean
}

export type Lines = Pick<SourceOptions, 'maxLineBytes' | 'encoding' | 'lineEnd'>

/** What is done with the records of a file, besides reading them. */
export interface Handling {
  readonly rule?: RecordRule | undefined
  readonly runs?: RunRule | undefined
  /** Bytes of a row, and what processes the chunks of a slab; what it keeps is what comes of the file. */
  readonly row?: number
  readonly process?: (slab: Slab) => void
}

/** The clock goes on by so many milliseconds whenever it is looked at. */
const TICK = 0.05

/** One file with one cursor, read into slabs as small as a pipeline may have them. */
export class Reading {
  readonly path = join(dir, `${files++}.log`)
  readonly fd = openSync(this.path, 'w+')
  readonly frames: Frame[] = []
  /** The file ranges that chunks covered, in order. */
  readonly ranges: { from: number; to: number }[] = []
  /** Milliseconds of the clock that the framer sees. */
  now = 0
  /** The most chunks that one slab had. */
  mostChunks = 0
  readonly cursor: Cursor
  readonly tailer: Tailer
  readonly account = new Account()
  readonly #framer: Framer
  readonly #room: number
  readonly #maxFrames: number
  readonly #handling: Handling
  /** For how many records each frame stands, by its row. */
  readonly repeated: number[] = []

  constructor(lines: number | Lines, maxFrames = 64, handling: Handling = {}) {
    const options = source('/*', typeof lines === 'number' ? { maxLineBytes: lines } : lines)
    this.#room = lineRoom(options)
    this.#maxFrames = maxFrames
    this.#handling = handling
    this.#framer = new Framer(kernel, () => formOf(options, handling), new Allowance(() => (this.now += TICK)))
    this.cursor = new Cursor('main', this.account, { offset: 0, marker: NO_MARKER }, () => {})
    const stats = fstatSync(this.fd, { bigint: true })
    const origin = { source: 'app', path: this.path, generation: '0'.repeat(16), labels: {} }
    const generation = new Generation(origin, inodeOf(stats), NO_HEAD, 0, [this.cursor])
    this.tailer = new Tailer(this.fd, this.path, stats, generation, this.now)
  }

  append(bytes: Uint8Array | string): void {
    writeSync(this.fd, Buffer.from(bytes), 0, undefined, fstatSync(this.fd).size)
  }

  /** Looks, then reads until nothing more can be had; returns how the last turn ended. The clock goes on where it must. */
  read(ending: Ending = 'open', patient = true): Framing {
    const sight = this.tailer.poll(this.now, ending !== 'open')
    if (sight.kind === 'replaced') return 'replaced'
    for (let turn = 0; turn < 20_000; turn++) {
      const framing = this.turn(ending)
      if (framing === 'rest' && patient) this.now += this.#framer.restMs
      else if (framing !== 'full' && framing !== 'looked') return framing
    }
    throw new Error('reading does not end')
  }

  get restMs(): number {
    return this.#framer.restMs
  }

  /** Reads one slab. */
  turn(ending: Ending = 'open'): Framing {
    const layout = layoutOf(this.#maxFrames, Math.max(QUANTUM, this.#room + 1), this.#handling.row)
    const slab = Slab.take(kernel.memory.buffer, budget, layout)!
    let framing: Framing
    do framing = this.#framer.read({ tailer: this.tailer, cursor: this.cursor, slab, ending })
    while (framing === 'took')
    this.#handling.process?.(slab)
    this.#keep(slab)
    budget.release(slab.extent)
    return framing
  }

  close(): void {
    closeSync(this.fd)
  }

  #keep(slab: Slab): void {
    assert.ok(slab.used <= slab.capacity, 'a slab holds no more than it has room for')
    assert.ok(slab.frames <= slab.maxFrames)
    this.mostChunks = Math.max(this.mostChunks, slab.chunks.length)
    for (const chunk of slab.chunks) {
      const { cutFrom, partial, continued = false, fileStart: from, fileEnd: to } = chunk
      this.ranges.push({ from, to })
      for (let frame = chunk.firstFrame; frame < chunk.firstFrame + chunk.frames; frame++) {
        const bytes = Buffer.from(kernel.bytes.subarray(slab.startOf(chunk, frame), slab.endOf(frame)))
        if (slab.row > 0) this.repeated.push(kernel.repeatedAt(slab.rowOf(frame)))
        this.frames.push({ offset: slab.offsetOf(chunk, frame), bytes, cutFrom, partial, continued })
      }
    }
    if (slab.frames > 0) slab.settle(0, slab.frames, DELIVERED)
  }
}

export function withoutPadding(bytes: Buffer): Buffer {
  let n = 0
  while (bytes[n] === 0) n++
  return bytes.subarray(n)
}

export function trailing(bytes: Buffer): number {
  let n = 0
  while (n < bytes.length && bytes[bytes.length - 1 - n] === 0) n++
  return n
}

/** The longest head of `line` of at most `maxLine` bytes that does not end within a UTF-8 sequence. */
export function cut(line: Buffer, maxLine: number): Buffer {
  if (line.length <= maxLine) return line
  for (let at = maxLine; at > maxLine - 4; at--) if ((line[at]! & 0xc0) !== 0x80) return line.subarray(0, at)
  return line.subarray(0, maxLine)
}

/** What should come of a whole file: the definition, with none of the machinery. */
export function model(file: Buffer, lines: number | Lines): Frame[] {
  const { maxLineBytes, encoding, lineEnd } = source('/*', typeof lines === 'number' ? { maxLineBytes: lines } : lines)
  const wide = encoding.startsWith('utf-16')
  const unit = wide ? 2 : 1
  const zeros = (bytes: Buffer) => Math.floor((bytes.length - withoutPadding(bytes).length) / unit) * unit
  const end = { lf: 10, cr: 13, nul: 0 }[lineEnd]
  // Where lines end is the same in any encoding of one byte.
  const ends = twin.lineEnds(encoding === 'utf-8' ? 'latin-1' : encoding, file, end)
  const data = Math.ceil((file.length - trailing(file)) / unit) * unit
  const frames: Frame[] = []
  let line = 0
  for (let at = 0; at < data; ) {
    const head = end === 0 ? at + zeros(file.subarray(at)) : at
    while (ends[line] !== undefined && ends[line]! <= head) line++
    const next = ends[line]
    const stop = next === undefined ? Math.min(file.length, data) : next - unit
    const offset = Math.min(stop, at + zeros(file.subarray(at, stop)))
    at = next ?? stop
    const raw = file.subarray(offset, stop)
    const decoded = encoding === 'utf-8' ? raw : twin.decode(encoding, raw)
    const mark = wide && offset === 0 && decoded.toString().startsWith('\ufeff') ? 3 : 0
    const text = decoded.subarray(mark)
    if (next === undefined && text.length === 0) break
    const cutFrom = text.length > maxLineBytes ? raw.length : 0
    frames.push({ offset, bytes: cut(text, maxLineBytes), cutFrom, partial: next === undefined, continued: false })
  }
  return frames
}

export const show = (frames: readonly Frame[]) =>
  frames.map(
    ({ offset, bytes, cutFrom, partial }) =>
      `${offset}: ${bytes.length} ${bytes.toString('latin1').slice(0, 40)} ${cutFrom} ${partial}`,
  )

/** Every byte belongs to exactly one chunk, or is padding. */
export function checkRanges(file: Buffer, reading: Reading): void {
  let at = 0
  let padding = 0
  for (const { from, to } of [...reading.ranges, { from: file.length, to: file.length + 1 }]) {
    assert.ok(from >= at && to > from)
    assert.equal(withoutPadding(file.subarray(at, from)).length, 0, 'only NULs lie between chunks')
    padding += from - at
    at = to
  }
  assert.equal(reading.cursor.read, file.length)
  assert.equal(reading.cursor.committed.offset, file.length)
  const { read, delivered, dropped, inFlight, truncatedLines } = reading.account.statement()
  assert.equal(read.bytes, file.length)
  assert.deepEqual([delivered.bytes, dropped.padding?.bytes ?? 0], [file.length - padding, padding])
  assert.equal(inFlight.bytes, 0)
  assert.equal(truncatedLines, reading.frames.filter(({ cutFrom }) => cutFrom > 0).length)
}

/** Reads a file that grows in the given steps and compares with the definition. */
export function check(file: Buffer, lines: number | Lines, steps: Iterable<number>, maxFrames?: number): void {
  const reading = new Reading(lines, maxFrames)
  try {
    let written = 0
    for (const step of steps) {
      if (written >= file.length) break
      reading.append(file.subarray(written, written + step))
      written += step
      reading.read()
    }
    if (written < file.length) reading.append(file.subarray(written))
    reading.read()
    reading.read('quiet')
    const expected = model(file, lines)
    assert.deepEqual(show(reading.frames), show(expected))
    assert.ok(reading.frames.every(({ bytes }, at) => bytes.equals(expected[at]!.bytes)))
    checkRanges(file, reading)
  } finally {
    reading.close()
  }
}

export function* each(step: number): Generator<number> {
  for (;;) yield step
}
