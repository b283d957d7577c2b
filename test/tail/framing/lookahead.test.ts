import assert from 'node:assert/strict'
import { ftruncateSync, futimesSync, readFileSync, writeSync } from 'node:fs'
import fc from 'fast-check'
import t from 'tap'
import { type Framing, QUANTUM } from '../../../src/tail/framing/framer.ts'
import { checkRanges, model, Reading, show } from '../reading.ts'

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
  t.equal(reading.cursor.read, at, 'at the end it stays, for a writer may go on there')
  ftruncateSync(reading.fd, at)
  t.match(reading.tailer.poll(0, false), { kind: 'intact' }, 'and nothing is lost when it is cut off')
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

t.test('what is written where a read ends, amid room that was set aside, is passed', t => {
  // A glance is 64 bytes: what was written is known to reach to some place behind its last byte.
  for (let short = 56; short <= 72; short++) {
    const reading = new Reading(1024)
    const text = `\n${'x'.repeat(QUANTUM - short)}`
    ftruncateSync(reading.fd, 3 * QUANTUM)
    writeSync(reading.fd, text, 0)
    reading.read()
    writeSync(reading.fd, 'half', text.length)
    reading.read()
    reading.read('drain')
    t.equal(reading.cursor.read, text.length + 4)
    reading.close()
  }
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
    { numRuns: 60 },
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
