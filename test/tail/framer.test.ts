import assert from 'node:assert/strict'
import {
  closeSync,
  fstatSync,
  ftruncateSync,
  futimesSync,
  openSync,
  readFileSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { Budget } from '../../src/budget.ts'
import { Slab } from '../../src/chunk.ts'
import { Kernel } from '../../src/kernel/kernel.ts'
import { Account, DELIVERED } from '../../src/ledger.ts'
import { Allowance } from '../../src/tail/allowance.ts'
import { inodeOf, NO_HEAD, NO_MARKER } from '../../src/tail/fingerprint.ts'
import { Framer, type Framing, QUANTUM } from '../../src/tail/framer.ts'
import { Cursor, Generation } from '../../src/tail/generation.ts'
import { type Ending, Tailer } from '../../src/tail/tailer.ts'
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

/** The clock goes on by so many milliseconds whenever somebody looks at it. */
const TICK = 0.05

/** One file with one cursor, read into slabs as small as a pipeline may have them. */
class Reading {
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
  readonly #maxLine: number
  readonly #maxFrames: number

  constructor(maxLine: number, maxFrames = 64) {
    this.#maxLine = maxLine
    this.#maxFrames = maxFrames
    this.#framer = new Framer(kernel, () => maxLine, new Allowance(() => (this.now += TICK)))
    this.cursor = new Cursor('main', this.account, { offset: 0, marker: NO_MARKER }, () => {})
    const stats = fstatSync(this.fd, { bigint: true })
    const origin = { source: 'app', path: this.path, generation: '0'.repeat(16), labels: {} }
    const generation = new Generation(origin, inodeOf(stats), NO_HEAD, 0, [this.cursor])
    this.tailer = new Tailer(this.fd, this.path, stats, generation, performance.now())
  }

  append(bytes: Uint8Array | string): void {
    writeSync(this.fd, Buffer.from(bytes), 0, undefined, fstatSync(this.fd).size)
  }

  /** Looks, then reads until nothing more can be had; returns how the last turn ended. The clock goes on where it must. */
  read(ending: Ending = 'open', patient = true): Framing {
    const sight = this.tailer.poll(performance.now(), ending !== 'open')
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
    const extent = budget.grant(4 * this.#maxFrames + Math.max(QUANTUM, this.#maxLine + 1))!
    const slab = new Slab(kernel.memory.buffer, extent, this.#maxFrames)
    let framing: Framing
    do framing = this.#framer.read(this.tailer, this.cursor, slab, ending)
    while (framing === 'took')
    this.#keep(slab)
    budget.release(extent)
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

function trailing(bytes: Buffer): number {
  let n = 0
  while (n < bytes.length && bytes[bytes.length - 1 - n] === 0) n++
  return n
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
    const line = withoutPadding(feed < 0 ? raw.subarray(0, raw.length - trailing(raw)) : raw)
    const offset = at + raw.length - withoutPadding(raw).length
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
    reading.read('quiet')
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
  'NULs behind an unfinished last line': 'one\ntw\0o\0\0',
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
  reading.read('quiet')
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
  t.equal(framer.read(reading.tailer, reading.cursor, slab, 'open'), 'replaced')
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

/** Bytes that this process has read so far, from any file. */
const bytesRead = () => Number(/rchar: (\d+)/.exec(readFileSync('/proc/self/io', 'latin1'))![1])

t.test('room that was set aside is read as it is written into, and not looked through for each line', t => {
  const reading = new Reading(1024)
  const size = 8 << 20
  ftruncateSync(reading.fd, size)
  t.equal(reading.read(), 'dry')
  const before = bytesRead()
  let at = 0
  for (let n = 0; n < 200; n++) {
    const line = `line ${n}\n`
    writeSync(reading.fd, line, at)
    at += line.length
    t.equal(reading.read(), 'dry')
    if (reading.frames.length !== n + 1) t.fail(`line ${n} was not read`)
  }
  t.ok(bytesRead() - before < 200 * 100_000, 'what lies behind it is not read each time')
  t.equal(reading.tailer.extent, at, 'its data ends where the lines do')
  t.equal(reading.read('drain'), 'dry')
  t.equal(reading.cursor.read, at, 'at the end it stays, for somebody may write there yet')
  ftruncateSync(reading.fd, at)
  t.match(reading.tailer.poll(0, false), { kind: 'intact' }, 'and nothing has vanished when it is cut off')
  reading.append('grown\n')
  reading.read()
  t.equal(reading.frames.at(-1)!.bytes.toString(), 'grown')
  checkRanges(readFileSync(reading.path), reading)
  reading.close()
  t.end()
})

t.test('what is written through a mapping is read although neither size nor time tell of it', t => {
  const reading = new Reading(1024)
  ftruncateSync(reading.fd, 1 << 20)
  futimesSync(reading.fd, 1, 1)
  t.equal(reading.read(), 'dry')
  const lines = ['one\n', 'two, which is ', 'longer\n', `${'x'.repeat(9000)}\n`]
  let at = 0
  for (const text of lines) {
    writeSync(reading.fd, text, at)
    at += text.length
    futimesSync(reading.fd, 1, 1)
    t.match(reading.tailer.poll(0, false), { kind: 'intact', changed: true, unread: true })
    t.ok(reading.tailer.extent >= at, 'all of it counts as data before it is read')
    t.equal(reading.read(), 'dry')
    t.match(reading.tailer.poll(0, false), { kind: 'intact', changed: false, unread: false })
  }
  t.strictSame(
    reading.frames.map(({ bytes }) => bytes.length),
    [3, 20, 1024],
  )
  reading.close()
  t.end()
})

t.test('a line that is seen half written waits until it is whole', t => {
  const reading = new Reading(1024)
  ftruncateSync(reading.fd, 1 << 20)
  writeSync(reading.fd, 'before\n', 0)
  reading.read()
  // Whoever copies from the end to the start, or overtakes a reader, shows the end first.
  writeSync(reading.fd, 'first\n\0\0\0\0\0tail\n', 7)
  t.equal(reading.read('open', false), 'rest')
  t.equal(reading.frames.at(-1)!.bytes.toString(), 'first', 'what stands before it does not wait')
  writeSync(reading.fd, 'head ', 13)
  t.equal(reading.read('open', false), 'dry')
  t.equal(reading.frames.at(-1)!.bytes.toString(), 'head tail')
  writeSync(reading.fd, 'a\0b\n\0\0c\n', 23)
  reading.read()
  t.strictSame(
    reading.frames.slice(-2).map(({ bytes }) => bytes.toString()),
    ['a\0b', 'c'],
    'NULs that stay are meant',
  )
  t.equal(reading.account.statement().dropped['padding']!.bytes, 2)
  const before = reading.now
  writeSync(reading.fd, 'a\0b\n'.repeat(1000), 31)
  reading.read()
  t.equal(reading.frames.length, 5 + 1000)
  t.ok(reading.now - before < 300, 'and many of them wait no longer than one')
  reading.close()
  t.end()
})

t.test('lines written into room that was set aside come whole, however they and the room grow', t => {
  const step = fc.record({
    text: fc.oneof(
      fc.constantFrom('\n', 'a line\n', 'half', '\r\n', 'é\nü'),
      fc.integer({ min: 1, max: 400_000 }).map(n => 'x'.repeat(n)),
    ),
    room: fc.constantFrom(0, 0, 100, 5000, 700_000),
    hidden: fc.boolean(),
    read: fc.boolean(),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), fc.constantFrom(1024, 500_000), (steps, limit) => {
      const reading = new Reading(limit)
      try {
        let text = Buffer.alloc(0)
        let size = 0
        for (const { text: more, room, hidden, read } of steps) {
          const at = text.length
          text = Buffer.concat([text, Buffer.from(more)])
          size = Math.max(size, text.length) + room
          ftruncateSync(reading.fd, size)
          writeSync(reading.fd, text, at, text.length - at, at)
          if (hidden) futimesSync(reading.fd, 1, 1)
          if (!read) continue
          reading.read()
          assert.equal(reading.frames.length, model(text, limit).filter(({ partial }) => !partial).length)
          assert.equal(reading.tailer.extent, text.length)
        }
        reading.read('drain')
        assert.deepEqual(show(reading.frames), show(model(text, limit)))
        assert.equal(reading.cursor.read, text.length)
        reading.read('quiet')
        checkRanges(Buffer.concat([text, Buffer.alloc(size - text.length)]), reading)
      } finally {
        reading.close()
      }
    }),
    { numRuns: 150 },
  )
  t.end()
})

t.test('a line end that is written deep into a long line is found, in its own time', t => {
  const reading = new Reading(1024)
  reading.append(Buffer.alloc(40 << 20, 'x'))
  reading.read()
  t.equal(reading.frames.length, 0)
  writeSync(reading.fd, '\n', 30 << 20)
  reading.read()
  t.strictSame(show(reading.frames), [`0: 1024 ${'x'.repeat(40)} ${30 << 20} false`])
  const before = reading.now
  for (let n = 0; n < 20; n++) {
    writeSync(reading.fd, 'y', 35 << 20)
    reading.read()
  }
  t.ok(reading.now > before, 'looking through it again and again waits for its turn')
  reading.close()
  t.end()
})

t.test('lines behind a hole of gigabytes come, and their offsets are those in the file', t => {
  const reading = new Reading(1024)
  const hole = 5 * 1024 ** 3 + 17
  writeSync(reading.fd, 'one\ntwo\n', hole)
  reading.read()
  t.strictSame(
    reading.frames.map(({ offset, bytes }) => [offset, bytes.toString()]),
    [
      [hole, 'one'],
      [hole + 4, 'two'],
    ],
  )
  t.strictSame(reading.account.statement().dropped, { padding: { lines: 0, bytes: hole } })
  reading.close()
  t.end()
})

t.test('a sparse file of terabytes is given up again and again for a while, and never looked through at once', t => {
  const reading = new Reading(1024)
  ftruncateSync(reading.fd, 8 * 1024 ** 4)
  writeSync(reading.fd, 'a record without a line end', 1000)
  reading.tailer.poll(0, false)
  let framing: Framing = 'looked'
  for (let turn = 0; turn < 5000 && framing === 'looked'; turn++) framing = reading.turn()
  t.equal(framing, 'rest')
  t.ok(reading.restMs > 0)
  t.equal(reading.frames.length, 0)
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
  t.equal(framer.read(reading.tailer, reading.cursor, new Slab(kernel.memory.buffer, extent, 64), 'open'), 'failed')
  unlinkSync(reading.path)
  t.equal(reading.tailer.poll(performance.now(), false).kind, 'intact', 'nor does looking at a stale handle throw')
  budget.release(extent)
  t.end()
})
