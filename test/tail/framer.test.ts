import assert from 'node:assert/strict'
import { closeSync, fstatSync, ftruncateSync, openSync, unlinkSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { Budget } from '../../src/budget.ts'
import { Slab } from '../../src/chunk.ts'
import { Kernel } from '../../src/kernel/kernel.ts'
import { Account, DELIVERED } from '../../src/ledger.ts'
import { inodeOf, NO_HEAD, NO_MARKER } from '../../src/tail/fingerprint.ts'
import { Framer, type Framing, QUANTUM } from '../../src/tail/framer.ts'
import { Cursor, Generation } from '../../src/tail/generation.ts'
import { Tailer } from '../../src/tail/tailer.ts'
import { scratch } from '../scratch.ts'

const dir = scratch(t)
const kernel = Kernel.create(2 << 20)
const budget = new Budget(kernel.arena, kernel.arenaBytes)
let files = 0

interface Frame {
  /** Offset in the file of its first byte, which is no NUL. */
  readonly offset: number
  readonly bytes: Buffer
  readonly cutFrom: number
  readonly partial: boolean
}

/** One file with one cursor, read into slabs as small as a pipeline may have them. */
class Reading {
  readonly path = join(dir, `${files++}.log`)
  readonly fd = openSync(this.path, 'w+')
  readonly frames: Frame[] = []
  /** The file ranges that chunks covered, in order. */
  readonly ranges: { from: number; to: number }[] = []
  /** The most chunks that one slab had. */
  mostChunks = 0
  readonly cursor: Cursor
  readonly tailer: Tailer
  readonly account = new Account()
  readonly #framer: Framer
  readonly #maxLine: number
  readonly #maxFrames: number

  constructor(maxLine: number, maxFrames = 64) {
    this.#maxLine = maxLine
    this.#maxFrames = maxFrames
    this.#framer = new Framer(kernel, () => maxLine)
    this.cursor = new Cursor('main', this.account, { offset: 0, marker: NO_MARKER }, () => {})
    const stats = fstatSync(this.fd, { bigint: true })
    const origin = { source: 'app', path: this.path, generation: '0'.repeat(16), labels: {} }
    const generation = new Generation(origin, inodeOf(stats), NO_HEAD, 0, [this.cursor])
    this.tailer = new Tailer(this.fd, this.path, stats, generation, performance.now())
  }

  append(bytes: Uint8Array | string): void {
    writeSync(this.fd, Buffer.from(bytes), 0, undefined, fstatSync(this.fd).size)
  }

  /** Looks, then reads until nothing more can be had; returns how the last turn ended. */
  read(final = false): Framing {
    const sight = this.tailer.poll(performance.now(), final)
    if (sight.kind === 'replaced') return 'replaced'
    for (let turn = 0; turn < 10_000; turn++) {
      const extent = budget.grant(4 * this.#maxFrames + Math.max(QUANTUM, this.#maxLine + 1))!
      const slab = new Slab(kernel.memory.buffer, extent, this.#maxFrames)
      let framing: Framing
      do framing = this.#framer.read(this.tailer, this.cursor, slab, final)
      while (framing === 'took')
      this.#keep(slab)
      budget.release(extent)
      if (framing !== 'full' && framing !== 'looked') return framing
    }
    throw new Error('reading does not end')
  }

  close(): void {
    closeSync(this.fd)
  }

  #keep(slab: Slab): void {
    assert.ok(slab.used <= slab.capacity, 'a slab holds no more than it has room for')
    assert.ok(slab.frames <= slab.maxFrames)
    this.mostChunks = Math.max(this.mostChunks, slab.chunks.length)
    for (const chunk of slab.chunks) {
      const { cutFrom, partial, fileStart: from, fileEnd: to } = chunk
      this.ranges.push({ from, to })
      for (let frame = chunk.firstFrame; frame < chunk.firstFrame + chunk.frames; frame++) {
        const bytes = Buffer.from(kernel.bytes.subarray(slab.startOf(chunk, frame), slab.endOf(frame)))
        this.frames.push({ offset: slab.offsetOf(chunk, frame), bytes, cutFrom, partial })
      }
    }
    if (slab.frames > 0) slab.settle(0, slab.frames, DELIVERED)
  }
}

function withoutPadding(bytes: Buffer): Buffer {
  let n = 0
  while (bytes[n] === 0) n++
  return bytes.subarray(n)
}

/** The longest head of `line` of at most `maxLine` bytes that does not end within a UTF-8 sequence. */
function cut(line: Buffer, maxLine: number): Buffer {
  if (line.length <= maxLine) return line
  for (let at = maxLine; at > maxLine - 4; at--) if ((line[at]! & 0xc0) !== 0x80) return line.subarray(0, at)
  return line.subarray(0, maxLine)
}

/** What should come of a whole file: the definition, with none of the machinery. */
function model(file: Buffer, maxLine: number): Frame[] {
  const frames: Frame[] = []
  for (let at = 0; at < file.length; ) {
    const feed = file.indexOf(10, at)
    const raw = file.subarray(at, feed < 0 ? file.length : feed)
    const line = withoutPadding(raw)
    const offset = at + raw.length - line.length
    at += raw.length + 1
    if (feed < 0 && line.length === 0) break
    const cutFrom = line.length > maxLine ? line.length : 0
    frames.push({ offset, bytes: cut(line, maxLine), cutFrom, partial: feed < 0 })
  }
  return frames
}

const show = (frames: readonly Frame[]) =>
  frames.map(
    ({ offset, bytes, cutFrom, partial }) =>
      `${offset}: ${bytes.length} ${bytes.toString('latin1').slice(0, 40)} ${cutFrom} ${partial}`,
  )

/** Every byte belongs to exactly one chunk, or is padding. */
function checkRanges(file: Buffer, reading: Reading): void {
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
function check(file: Buffer, maxLine: number, steps: Iterable<number>, maxFrames?: number): void {
  const reading = new Reading(maxLine, maxFrames)
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
    reading.read(true)
    assert.deepEqual(show(reading.frames), show(model(file, maxLine)))
    assert.ok(reading.frames.every(({ bytes }, at) => bytes.equals(model(file, maxLine)[at]!.bytes)))
    checkRanges(file, reading)
  } finally {
    reading.close()
  }
}

function* each(step: number): Generator<number> {
  for (;;) yield step
}

const HOSTILE: Record<string, string | Buffer> = {
  'plain lines': 'one\ntwo\nthree\n',
  'CRLF and a lone CR': 'one\r\ntwo\r\n\r\nth\rree\r\n',
  'empty lines': '\n\n\n',
  'no line end at the end': 'one\ntwo',
  'a byte order mark': '\ufeffone\n\ufefftwo\n',
  'NULs between, before and instead of lines': '\0\0one\ntw\0o\n\0\0\n\0\0\0',
  'what is no UTF-8': Buffer.from([0xff, 0x80, 10, 0xc3, 10, 0xf0, 0x9f, 10]),
  'a line of exactly the limit': `${'x'.repeat(1024)}\n`,
  'a line of one byte more': `${'x'.repeat(1025)}\nafter\n`,
  'a limit within a character of two bytes': `${'x'.repeat(1023)}é and more\nafter\n`,
  'a limit within a character of four bytes': `${'x'.repeat(1021)}🚢 and more\nafter\n`,
  'a long line of continuation bytes': Buffer.concat([Buffer.alloc(1500, 0x80), Buffer.from('\nafter\n')]),
  'a long last line without a line end': `before\n${'é'.repeat(800)}`,
  'NULs before every line': '\0one\n\0\0two\n\0\0\0\n\0three\n\n\0four',
  'a hole smaller than a read before a short line': Buffer.concat([Buffer.alloc(3000), Buffer.from('after\n')]),
}

t.test('the shape of growth does not matter: byte by byte gives what one read gives', t => {
  for (const [what, text] of Object.entries(HOSTILE)) {
    const file = Buffer.from(text)
    t.doesNotThrow(() => check(file, 1024, []), `${what}, at once`)
    t.doesNotThrow(() => check(file, 1024, each(1)), `${what}, byte by byte`)
    t.doesNotThrow(() => check(file, 1024, each(7), 1), `${what}, one frame per slab`)
  }
  t.end()
})

t.test('any file, in any steps, gives the records of its definition', t => {
  const piece = fc.oneof(
    fc.constantFrom('\n', '\r\n', '\0', '\0\0\0\0', '\ufeff', 'é', '🚢', 'a line\n', '{"a":1}\n'),
    fc.string({ unit: 'grapheme', maxLength: 12 }),
    fc.integer({ min: 1, max: 3000 }).map(n => 'x'.repeat(n)),
    fc.integer({ min: 300, max: 1200 }).map(n => 'é'.repeat(n)),
  )
  const file = fc.array(
    fc.oneof(
      piece.map(text => Buffer.from(text)),
      fc.uint8Array({ maxLength: 6 }).map(Buffer.from),
    ),
    {
      maxLength: 25,
    },
  )
  fc.assert(
    fc.property(
      file,
      fc.array(fc.integer({ min: 1, max: 900 }), { maxLength: 20 }),
      fc.integer({ min: 1, max: 5 }),
      (pieces, steps, frames) => check(Buffer.concat(pieces), 1024, steps, frames),
    ),
    { numRuns: 200 },
  )
  t.end()
})

t.test('lines around the size of one read and around the limit are whole, or cut and counted', t => {
  const limit = QUANTUM + 64 * 1024
  for (const length of [QUANTUM - 1, QUANTUM, QUANTUM + 1, limit - 1, limit, limit + 1, limit + 2, 3 * QUANTUM]) {
    const file = Buffer.from(`before\n${'é'.repeat(length >> 1)}${length & 1 ? 'x' : ''}\nafter\n`)
    t.doesNotThrow(() => check(file, limit, []), `${length} bytes, at once`)
    t.doesNotThrow(() => check(file, limit, each(100_000)), `${length} bytes, growing`)
    t.doesNotThrow(
      () => check(file.subarray(0, 7 + length), limit, each(100_000)),
      `${length} bytes, without a line end`,
    )
  }
  t.end()
})

t.test('holes of any size cost no line, whatever the limit', t => {
  for (const hole of [1, 1025, 32 * 1024, 100_000, QUANTUM - 3, QUANTUM, 2 * QUANTUM + 5]) {
    const file = Buffer.concat([Buffer.from('before\n'), Buffer.alloc(hole), Buffer.from('after the hole\nand on\n')])
    t.doesNotThrow(() => check(file, 1024, []), `${hole} NULs, at once`)
    t.doesNotThrow(() => check(file, 1024, each(30_001)), `${hole} NULs, growing`)
  }
  t.end()
})

t.test('a file with NULs before every line costs as many chunks as a slab may have, and no line', t => {
  const file = Buffer.from('\0\0a line\n'.repeat(5000))
  const reading = new Reading(1024, 8192)
  reading.append(file)
  reading.read()
  t.equal(reading.frames.length, 5000)
  t.ok(reading.mostChunks <= 1024, `${reading.mostChunks} chunks`)
  checkRanges(file, reading)
  reading.close()
  t.end()
})

t.test('an unfinished last line is taken only at the end, and marked', t => {
  const reading = new Reading(1024)
  reading.append('one\ntwo')
  t.equal(reading.read(), 'dry')
  t.equal(reading.frames.length, 1)
  t.equal(reading.cursor.read, 4, 'the cursor stands on a frame boundary')
  t.equal(reading.cursor.scanned, 7)
  reading.read(true)
  t.strictSame([reading.frames[1]!.bytes.toString(), reading.frames[1]!.partial], ['two', true])
  reading.close()
  t.end()
})

t.test('a truncation between the look and the read takes nothing of the new content', t => {
  const reading = new Reading(1024)
  reading.append('one\ntwo\n')
  reading.read()
  reading.append('three\n')
  reading.tailer.poll(performance.now(), false)
  ftruncateSync(reading.fd, 0)
  reading.append('quite another file, longer than the first\n')
  const extent = budget.grant(QUANTUM + 256)!
  const slab = new Slab(kernel.memory.buffer, extent, 64)
  const framer = new Framer(kernel, () => 1024)
  t.equal(framer.read(reading.tailer, reading.cursor, slab, false), 'replaced')
  t.strictSame([slab.frames, slab.used, reading.cursor.read], [0, 0, 8])
  budget.release(extent)
  reading.close()
  t.end()
})

t.test('a line whose end is written over the unfinished part is seen without growth', t => {
  const reading = new Reading(1024)
  reading.append('one\ntwo_three')
  reading.read()
  writeSync(reading.fd, '\n', 7)
  reading.read()
  t.strictSame(show(reading.frames).length, 2)
  t.equal(reading.frames[1]!.bytes.toString(), 'two')
  reading.close()
  t.end()
})

t.test('a file that cannot be read is a value, not an end', t => {
  const reading = new Reading(1024)
  reading.append('one\n')
  reading.tailer.poll(performance.now(), false)
  reading.close()
  const extent = budget.grant(QUANTUM + 256)!
  const framer = new Framer(kernel, () => 1024)
  t.equal(framer.read(reading.tailer, reading.cursor, new Slab(kernel.memory.buffer, extent, 64), false), 'failed')
  unlinkSync(reading.path)
  t.equal(reading.tailer.poll(performance.now(), false).kind, 'intact', 'nor does looking at a stale handle throw')
  budget.release(extent)
  t.end()
})
