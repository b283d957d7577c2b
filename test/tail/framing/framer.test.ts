import { ftruncateSync, unlinkSync, writeSync } from 'node:fs'
import fc from 'fast-check'
import t from 'tap'
import { layoutOf, Slab } from '../../../src/chunk.ts'
import { formOf } from '../../../src/tail/framing/form.ts'
import { Framer, QUANTUM } from '../../../src/tail/framing/framer.ts'
import { budget, check, checkRanges, each, kernel, Reading, show } from '../reading.ts'
import { source } from '../rig.ts'

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
  // What is known of its size ends behind a line of it.
  reading.append('quite another\nfile, longer than the first\n')
  const slab = Slab.take(kernel.memory.buffer, budget, layoutOf(64, QUANTUM))!
  const framer = new Framer(kernel, () => formOf(source('/*', { maxLineBytes: 1024 })))
  t.equal(framer.read({ tailer: reading.tailer, cursor: reading.cursor, slab, ending: 'open' }), 'replaced')
  t.strictSame([slab.frames, slab.used, reading.cursor.read], [0, 0, 8])
  budget.release(slab.extent)
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
  const slab = Slab.take(kernel.memory.buffer, budget, layoutOf(64, QUANTUM))!
  const framer = new Framer(kernel, () => formOf(source('/*', { maxLineBytes: 1024 })))
  t.equal(framer.read({ tailer: reading.tailer, cursor: reading.cursor, slab, ending: 'open' }), 'failed')
  unlinkSync(reading.path)
  t.equal(reading.tailer.poll(performance.now(), false).kind, 'intact', 'nor does looking at a stale handle throw')
  budget.release(slab.extent)
  t.end()
})
