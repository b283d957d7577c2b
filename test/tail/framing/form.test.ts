import fc from 'fast-check'
import t from 'tap'
import { check, checkRanges, each, Reading } from '../reading.ts'

const ENCODINGS = ['utf-8', 'utf-16le', 'utf-16be', 'latin-1', 'windows-1252'] as const

function encode(text: string, encoding: (typeof ENCODINGS)[number]): Buffer {
  if (encoding === 'utf-8') return Buffer.from(text)
  if (encoding === 'latin-1' || encoding === 'windows-1252') return Buffer.from(text, 'latin1')
  const bytes = Buffer.from(text, 'utf16le')
  return encoding === 'utf-16be' ? bytes.swap16() : bytes
}

t.test('files in any encoding, with any line end, give the records of their definition, in any steps', t => {
  const piece = fc.oneof(
    fc.constantFrom(
      '\n',
      '\r\n',
      '\r',
      '\0',
      '\0\0\0',
      '\ufeff',
      'é',
      '漢字',
      '🚢',
      '\u0a0a',
      '\u0d00',
      'a line\n',
      '\ud83d',
    ),
    fc.string({ unit: 'grapheme', maxLength: 12 }),
    fc.integer({ min: 1, max: 1500 }).map(n => 'x'.repeat(n)),
    fc.integer({ min: 100, max: 600 }).map(n => '漢'.repeat(n)),
  )
  const file = fc.record({
    mark: fc.boolean(),
    pieces: fc.array(piece, { maxLength: 25 }),
    half: fc.boolean(),
  })
  const form = fc.record({
    maxLineBytes: fc.constantFrom(1024, 4096),
    encoding: fc.constantFrom(...ENCODINGS),
    lineEnd: fc.constantFrom('lf' as const, 'cr' as const, 'nul' as const),
  })
  const steps = fc.array(fc.integer({ min: 1, max: 900 }), { maxLength: 20 })
  fc.assert(
    fc.property(file, form, steps, fc.integer({ min: 1, max: 5 }), ({ mark, pieces, half }, form, steps, frames) => {
      const text = encode(`${mark ? '\ufeff' : ''}x${pieces.join('')}`, form.encoding)
      check(half ? Buffer.concat([text, Buffer.of(0x41)]) : text, form, steps, frames)
    }),
    { numRuns: 250 },
  )
  t.end()
})

t.test('lines in another encoding around the size of a piece and around the limit are whole, or cut and counted', t => {
  const limit = 100_000
  for (const encoding of ENCODINGS) {
    for (const units of [16_383, 16_384, 16_385, 32_767, 32_768, 50_000, 99_999, 100_000, 100_001, 300_000]) {
      for (const letter of ['x', 'é']) {
        const text = encode(`\ufeffbefore\n${letter.repeat(units)}\nafter\n`, encoding)
        const form = { maxLineBytes: limit, encoding, lineEnd: 'lf' as const }
        t.doesNotThrow(() => check(text, form, []), `${units} ${letter} in ${encoding}, at once`)
        t.doesNotThrow(() => check(text, form, each(50_001)), `${units} ${letter} in ${encoding}, growing`)
      }
    }
  }
  t.end()
})

t.test('many lines in another encoding fill slabs as others do, each with its offset in the file', t => {
  for (const encoding of ENCODINGS) {
    const lines = Array.from({ length: 15_000 }, (_, n) => (n % 7 === 0 ? '' : `line ${n} é`)).join('\n')
    const form = { maxLineBytes: 1024, encoding, lineEnd: 'lf' as const }
    t.doesNotThrow(() => check(encode(`${lines}\n`, encoding), form, [], 10_000), encoding)
  }
  t.end()
})

t.test('holes of any size, and room that is set aside, are what they are in any encoding', t => {
  for (const encoding of ENCODINGS) {
    for (const hole of [2, 1000, 40_000, 300_000]) {
      const text = Buffer.concat([
        encode('one\n', encoding),
        Buffer.alloc(hole),
        encode('two\n', encoding),
        Buffer.alloc(hole),
      ])
      const form = { maxLineBytes: 1024, encoding, lineEnd: 'lf' as const }
      t.doesNotThrow(() => check(text, form, []), `${hole} NULs in ${encoding}, at once`)
      t.doesNotThrow(() => check(text, form, each(30_001)), `${hole} NULs in ${encoding}, growing`)
    }
  }
  t.end()
})

t.test('NUL-terminated records need no NUL behind the last of them, and many NULs are padding', t => {
  const form = { maxLineBytes: 1024, encoding: 'utf-8', lineEnd: 'nul' } as const
  const file = Buffer.from(`one\0two\nstill two\0\0\0three\0${'\0'.repeat(300_000)}four\0`)
  const reading = new Reading(form)
  reading.append(file)
  reading.read()
  t.strictSame(
    reading.frames.map(({ bytes }) => bytes.toString()),
    ['one', 'two\nstill two', 'three', 'four'],
  )
  t.equal(reading.account.statement().dropped['padding']!.bytes, 300_002)
  checkRanges(file, reading)
  reading.close()
  t.end()
})

t.test('a file of nothing but a byte order mark has no record', t => {
  const reading = new Reading({ maxLineBytes: 1024, encoding: 'utf-16le', lineEnd: 'lf' })
  reading.append(Buffer.of(0xff, 0xfe))
  reading.read()
  reading.read('drain')
  t.strictSame([reading.frames.length, reading.cursor.read], [0, 2])
  reading.close()
  t.end()
})
