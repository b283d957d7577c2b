/** Records of several lines, as they are read from a file that grows: in any pieces, at any time, to any end. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { compileMultiline } from '../../../src/process/multiline/compile.ts'
import { type Frame, kernel, Reading } from '../reading.ts'

const FLUSH = 1000
const MAX = 1024
const plan = compileMultiline(
  {
    multiline: { preset: 'indent', flush: FLUSH, maxLines: 0, maxBytes: MAX },
    maxLineBytes: 1 << 20,
    encoding: 'utf-8',
  },
  problem => assert.fail(JSON.stringify(problem)),
)!
const rule = { ...plan, table: kernel.lay(plan.table) }

const texts = (frames: readonly Frame[]): string[] => frames.map(({ bytes }) => bytes.toString())

/** The definition: a line that is indented goes on, unless the record would be too long with it. */
function recordsOf(text: string): string[] {
  const records: string[] = []
  for (const line of text.split('\n').slice(0, -1)) {
    const last = records.at(-1)
    if (last !== undefined && /^[ \t]+\S/.test(line) && last.length + 1 + line.length <= MAX)
      records[records.length - 1] = `${last}\n${line}`
    else records.push(line)
  }
  return records
}

const line = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('a', 'bc', '', 'x'.repeat(100), ' ') },
  { weight: 4, arbitrary: fc.constantFrom(' a', '\tb', '  at c', ` ${'y'.repeat(200)}`) },
  { weight: 1, arbitrary: fc.nat({ max: 2500 }).map(length => ` ${'z'.repeat(length)}`) },
)

t.test('records are the same in whatever pieces their lines arrive', t => {
  fc.assert(
    fc.property(fc.array(line, { maxLength: 40 }), fc.array(fc.nat({ max: 300 }), { maxLength: 30 }), (lines, cuts) => {
      const text = lines.map(each => `${each}\n`).join('')
      const reading = new Reading(1 << 20, 64, { rule })
      let at = 0
      for (const bytes of [...cuts, text.length]) {
        reading.append(text.slice(at, at + bytes))
        at += bytes
        reading.read()
        // Less than it takes to be complete.
        reading.now += FLUSH / 50
      }
      reading.read('quiet')
      assert.deepEqual(texts(reading.frames), recordsOf(text))
      const [first] = reading.ranges
      assert.equal(first?.from ?? 0, 0)
      for (const [index, { from }] of reading.ranges.entries()) {
        assert.equal(from, index === 0 ? 0 : reading.ranges[index - 1]!.to, 'no byte is left out or taken twice')
      }
      assert.equal(reading.cursor.read, text.length)
      reading.close()
    }),
    { numRuns: 300 },
  )
  t.end()
})

t.test('a record that is split goes on in one that says so, and one that begins anew does not', t => {
  const reading = new Reading(1 << 20, 64, { rule })
  reading.append('a\n b\n')
  t.equal(reading.read(), 'open')
  t.strictSame(texts(reading.frames), [], 'more may come')
  reading.now += FLUSH
  t.equal(reading.read(), 'dry')
  t.strictSame(texts(reading.frames), ['a\n b'])
  reading.append(' c\n')
  reading.now += 10
  t.equal(reading.read(), 'open')
  reading.append('d\n')
  reading.now += 10
  reading.read()
  t.strictSame(
    reading.frames.map(({ bytes, continued }) => [bytes.toString(), continued]),
    [
      ['a\n b', false],
      [' c', true],
    ],
  )
  reading.read('quiet')
  t.strictSame(reading.frames.at(-1), {
    offset: 8,
    bytes: Buffer.from('d'),
    cutFrom: 0,
    partial: false,
    continued: false,
  })
  reading.close()
  t.end()
})

t.test('a record is not complete while its file grows, however long it takes', t => {
  const reading = new Reading(1 << 20, 64, { rule })
  reading.append('a\n')
  for (let n = 0; n < 20; n++) {
    reading.now += FLUSH * 0.9
    reading.append(` ${n}\n`)
    t.equal(reading.read(), 'open')
  }
  t.equal(reading.frames.length, 0)
  reading.now += FLUSH
  reading.read()
  t.equal(reading.frames.length, 1)
  reading.close()
  t.end()
})

t.test('what was written since the last look is looked at before a record is complete', t => {
  const reading = new Reading(1 << 20, 64, { rule })
  reading.append('a\n')
  t.equal(reading.read(), 'open')
  reading.now += 2 * FLUSH
  // The look at the file is late: nothing has told the tailer of this yet.
  reading.append(' b\n')
  t.equal(reading.turn(), 'open')
  t.strictSame(texts(reading.frames), [])
  reading.read()
  reading.now += FLUSH
  reading.read()
  t.strictSame(texts(reading.frames), ['a\n b'])
  reading.close()
  t.end()
})

t.test('a backlog is never split by time', t => {
  const lines = Array.from({ length: 3000 }, (_, n) => (n % 9 === 0 ? `record ${n}` : `  line ${n}`))
  const text = `${lines.join('\n')}\n`
  const reading = new Reading(1 << 20, 64, { rule })
  reading.append(text)
  reading.now += 3_600_000
  let framing = reading.read()
  t.equal(framing, 'open')
  t.strictSame(texts(reading.frames), recordsOf(text).slice(0, -1))
  reading.now += FLUSH
  framing = reading.read()
  t.strictSame(texts(reading.frames), recordsOf(text))
  reading.close()
  t.end()
})

t.test('a line of which the end is missing is a record of its own at the end, behind the one that is complete', t => {
  const reading = new Reading(1 << 20, 64, { rule })
  reading.append('a\n b\n c')
  reading.read('drain')
  t.strictSame(
    reading.frames.map(({ bytes, partial, continued }) => [bytes.toString(), partial, continued]),
    [
      ['a\n b', false, false],
      [' c', true, true],
    ],
  )
  t.equal(reading.cursor.read, 7)
  reading.close()
  t.end()
})

t.test('a line that is longer than a record may be stands alone', t => {
  const reading = new Reading(1 << 20, 64, { rule })
  const long = ` ${'x'.repeat(600_000)}`
  reading.append(`a\n b\n${long}\nc\n`)
  reading.read('quiet')
  t.strictSame(
    reading.frames.map(({ bytes, continued }) => [bytes.length, continued]),
    [
      [4, false],
      [long.length, true],
      [1, false],
    ],
  )
  reading.close()
  t.end()
})

t.test('a file with room that was set aside ends where its data does', t => {
  const reading = new Reading(1 << 20, 64, { rule })
  reading.append(Buffer.concat([Buffer.from('a\n b\nc\n'), Buffer.alloc(100_000)]))
  reading.read()
  reading.now += FLUSH
  reading.read()
  t.strictSame(texts(reading.frames), ['a\n b', 'c'])
  reading.close()
  t.end()
})
