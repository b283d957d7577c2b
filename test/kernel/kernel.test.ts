import assert from 'node:assert/strict'
import { on, once } from 'node:events'
import { mkdtempSync, openSync, readSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { Kernel } from '../../src/kernel/kernel.ts'
import type { Segment } from '../../src/kernel/template.ts'
import { character } from '../character.ts'
import * as twin from './twin.ts'

const PAGE = 65536
const GUARD = 0xa5
const kernel = Kernel.create(8 * PAGE)
const WINDOW = kernel.arena
const ENDS = kernel.arena + 2 * PAGE
const OUT = kernel.arena + 3 * PAGE
const utf8 = (text: string) => Buffer.from(text)
const literal = (text: string): Segment => ({ kind: 'literal', bytes: utf8(text) })
const MESSAGE: Segment = { kind: 'message' }
const NDJSON = [literal('{"message":"'), MESSAGE, literal('"}')]

/** Puts a chunk into the window, at any distance from a 16-byte edge, and finds its frames. */
function place(chunk: Uint8Array, shift = 0): { start: number; count: number } {
  const start = WINDOW + shift
  kernel.bytes.set(chunk, start)
  return { start, count: kernel.frames(start, start + chunk.length, ENDS, 10_000) }
}

function ends(count: number): number[] {
  return [...new Uint32Array(kernel.memory.buffer, ENDS, count)]
}

/** Renders a chunk with all the room there is, and returns what was written. */
function rendered(chunk: Uint8Array, segments: readonly Segment[], treatment: 'text' | 'bytes' = 'text'): Buffer {
  const { start, count } = place(chunk)
  kernel.template(segments, treatment, utf8('\n'))
  const repair = !kernel.validUtf8(start, start + chunk.length)
  assert.equal(
    kernel.render({ ends: ENDS, first: 0, count, start, out: OUT, limit: OUT + 4 * PAGE, repair, atFileStart: true }),
    count,
  )
  return Buffer.from(kernel.bytes.subarray(OUT, kernel.end))
}

// Bytes that have broken programs: quotes, backslashes, controls, line ends, halves of characters, marks.
const piece = fc.oneof(
  fc
    .constantFrom('"', '\\', '\n', '\n\n', '\r\n', '\r', '\0', '\t', '\b', '\f', '\x01', '\x1f', '\x7f', ' ', '!')
    .map(utf8),
  fc.constantFrom('é', '漢', '😀', '\u2028', '\u2029', '\ufeff', '\ufffd', '\uffff').map(utf8),
  fc
    .constantFrom('c3', 'e2 82', 'f0 9f 98', 'ed a0 80', 'c0 af', 'f4 90 80 80', 'ff', 'f5', '80', 'e0 80 80')
    .map(hex => Buffer.from(hex.replaceAll(' ', ''), 'hex')),
  fc.nat(40).map(length => Buffer.alloc(length, 'plain text without anything in it ')),
  fc.uint8Array({ maxLength: 20 }).map(bytes => Buffer.from(bytes)),
)

/** Checks a property with assertions that throw, so that fast-check can cut a failure down to the smallest one. */
function holds<T>(t: Test, property: fc.IProperty<T>, numRuns = 300): void {
  t.doesNotThrow(() => fc.assert(property, { numRuns }))
}

const OBJECTS = [
  '{"a":1}',
  ' {"level":"info","msg":"said \\"hi\\" \\u00e9\\n","at":{"line":-7.5e+3,"tags":[[],{},true,false,null,0]}}',
  '{ "a" : [ 1 , 2 ] , "b" : { } }',
  '{"":""}',
  '{"a":"é漢😀 and more than sixteen bytes of plain text"}',
  '{"a":1,"a":2}',
]
const NO_OBJECTS = [
  '',
  '{}',
  '{ }',
  '[1]',
  '"text"',
  'null',
  '{"a":1',
  '{"a":1}}',
  '{"a":1} {"b":2}',
  '{"a":1,}',
  '{"a"}',
  '{"a":}',
  '{"a":[1,]}',
  '{"a":[1}]',
  '{a:1}',
  "{'a':1}",
  '{"a":01}',
  '{"a":+1}',
  '{"a":1.}',
  '{"a":.5}',
  '{"a":1e}',
  '{"a":-}',
  '{"a":tru}',
  '{"a":nul}',
  '{"a":"\\x"}',
  '{"a":"\\u12g4"}',
  '{"a":"\t"}',
  '{"a":"',
  '{"a":"\\',
  '{"a":1}x',
  '{"a":NaN}',
]

const hostile = fc.array(piece, { maxLength: 24, size: 'max' }).map(pieces => Buffer.concat([...pieces, utf8('\n')]))
const shift = fc.nat(17)
const segment: fc.Arbitrary<Segment> = fc.oneof(
  fc.string({ maxLength: 70 }).map(literal),
  fc.constantFrom<Segment>(MESSAGE, { kind: 'raw' }),
  fc.integer({ min: 0, max: 2 ** 47 }).map((offset): Segment => ({ kind: 'offset', base: offset - WINDOW })),
  fc.bigInt(0n, 10n ** 19n).map((value): Segment => ({ kind: 'counter', value })),
  fc.constantFrom(0n, 8n, 99n, 999_998n).map((value): Segment => ({ kind: 'counter', value })),
  fc.bigInt(0n, 2n ** 63n).map((value): Segment => ({ kind: 'fixed64', value })),
  fc.constant<Segment>({ kind: 'length' }),
  fc.constantFrom('"message":"', '').map((text): Segment => ({ kind: 'members', otherwise: utf8(text) })),
)
const rendering = fc.record({
  segments: fc.array(segment, { maxLength: 6 }),
  treatment: fc.constantFrom('text' as const, 'bytes' as const),
  separator: fc.constantFrom('', '\n', ',', ']]}\n').map(utf8),
  repair: fc.boolean(),
  atFileStart: fc.boolean(),
})

/** Objects as applications write them, and what is left of them when a byte was taken out, put in or changed. */
const nearlyObject = fc
  .tuple(
    fc.oneof(
      fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 4 }), { minKeys: 1 }).map(value => JSON.stringify(value)),
      fc
        .dictionary(fc.string(), fc.jsonValue(), { minKeys: 1 })
        .map(value => JSON.stringify(value, undefined, '\t').replaceAll('\n', '\r')),
      fc.json(),
      fc.constantFrom(...OBJECTS),
    ),
    fc.constantFrom('', ' ', '\t \r'),
    fc.constantFrom('', ' ', '\t \r'),
    fc.option(fc.tuple(fc.nat(), fc.constantFrom(...'"\\{}[]:,0.-eE+ u\x01é'.split(''), ''), fc.nat(1))),
  )
  .map(([text, before, behind, change]) => {
    const whole = before + text + behind
    if (change === null) return utf8(whole)
    const at = change[0] % (whole.length + 1)
    return utf8(whole.slice(0, at) + change[1] + whole.slice(at + change[2]))
  })
  .filter(bytes => !bytes.includes(twin.LF))

const ENCODED = [
  literal('{"Data":"'),
  { kind: 'base64', edge: 'begin' } as const,
  ...NDJSON,
  { kind: 'base64', edge: 'end' } as const,
  literal('"}'),
]

t.test('what stands between the edges of base64 is what it decodes to, whatever its length', async () => {
  const lines = fc.array(piece, { maxLength: 12 }).map(parts => Buffer.concat(parts))
  fc.assert(
    fc.property(lines, chunk => {
      const plain = rendered(chunk, NDJSON)
      const encoded = rendered(chunk, ENCODED).toString('latin1')
      const decoded = [...encoded.matchAll(/\{"Data":"([^"]*)"\}\n/g)].map(([, data]) => {
        assert.equal(Buffer.from(data!, 'base64').toString('base64'), data)
        return Buffer.concat([Buffer.from(data!, 'base64'), utf8('\n')])
      })
      assert.deepEqual(Buffer.concat(decoded), plain)
    }),
    { numRuns: 200 },
  )
})

t.test('a record of base64 passes no limit, whole or cut', async t => {
  const { start } = place(utf8(`${'é"x'.repeat(300)}\n`))
  kernel.template(ENCODED, 'text', utf8('\n'))
  for (let room = 40; room < 2500; room += 61) {
    kernel.bytes.fill(GUARD, OUT, OUT + 4000)
    const frames = {
      ends: ENDS,
      first: 0,
      count: 1,
      start,
      out: OUT,
      limit: OUT + room,
      repair: false,
      atFileStart: true,
    }
    const whole = kernel.render(frames)
    const count = whole === 0 ? kernel.render({ ...frames, cut: true }) : whole
    t.equal(kernel.bytes[OUT + room], GUARD)
    if (count === 0) continue
    const data = /"Data":"([^"]*)"/.exec(Buffer.from(kernel.bytes.subarray(OUT, kernel.end)).toString())![1]!
    const { message } = JSON.parse(Buffer.from(data, 'base64').toString()) as { message: string }
    t.ok('é"x'.repeat(300).startsWith(message) && !message.includes('\ufffd'))
  }
})

t.test('the members of what is a JSON object stand there as they are, and nothing else does', async t => {
  holds(
    t,
    fc.property(nearlyObject, shift, fc.boolean(), (line, shift, repair) => {
      const chunk = Buffer.concat([line, utf8('\n')])
      const segments: Segment[] = [
        literal('{"n":1,'),
        { kind: 'members', otherwise: utf8('"message":"') },
        literal('}'),
      ]
      const how = { segments, treatment: 'text' as const, separator: utf8('\n'), repair, atFileStart: false }
      const { start, count } = place(chunk, shift)
      kernel.template(segments, 'text', how.separator)
      kernel.render({ ends: ENDS, first: 0, count, start, out: OUT, limit: OUT + 4 * PAGE, repair })
      const record = kernel.bytes.subarray(OUT, kernel.end)
      assert.deepEqual(record, Buffer.concat(twin.render(chunk, start, how).map(({ bytes }) => bytes)))
      JSON.parse(record.toString())
    }),
    5000,
  )
  const deep = (n: number) => utf8(`{"a":${'['.repeat(n - 1)}${']'.repeat(n - 1)}}\n`)
  const members: Segment[] = [{ kind: 'members', otherwise: utf8('"message":"') }]
  for (const text of OBJECTS) {
    t.equal(rendered(utf8(`${text}\n`), members).toString(), `${text.trim().slice(1, -1)}\n`, text)
  }
  for (const text of NO_OBJECTS) {
    t.equal(rendered(utf8(`${text}\n`), members).toString(), `"message":${JSON.stringify(text)}\n`, text)
  }
  t.notMatch(rendered(deep(64), members).toString(), /message/, 'as deep as can be')
  t.match(rendered(deep(65), members).toString(), /message/, 'deeper')
  const broken = Buffer.from('{"a":"\xff"}\n', 'latin1')
  t.equal(rendered(broken, members).toString(), '"message":"{\\"a\\":\\"\ufffd\\"}"\n', 'a text that is not UTF-8')
})

t.test('frames end at every line feed, wherever it lies between 16-byte edges', async t => {
  holds(
    t,
    fc.property(hostile, shift, fc.nat(30), (chunk, shift, max) => {
      const start = WINDOW + shift
      // A line feed just outside on either side does not count.
      kernel.bytes.fill(twin.LF, WINDOW, start + chunk.length + 80)
      kernel.bytes.set(chunk, start)
      new Uint32Array(kernel.memory.buffer, ENDS, 200).fill(7)
      const expected = twin.frames(chunk, max).map(index => index + start)
      const count = kernel.frames(start, start + chunk.length, ENDS, max)
      assert.deepEqual([count, ends(count + 1)], [expected.length, [...expected, 7]])
    }),
  )
  t.equal(kernel.frames(WINDOW, WINDOW, ENDS, 10), 0, 'nothing has no frames')
  const all = Buffer.alloc(200, twin.LF)
  place(all)
  t.equal(kernel.frames(WINDOW, WINDOW + 200, ENDS, 150), 150, 'a full table is not written past')
})

t.test('the next frame that begins with a NUL is found, from any frame on', async t => {
  holds(
    t,
    fc.property(hostile, shift, fc.nat(30), (chunk, shift, from) => {
      const { start, count } = place(chunk, shift)
      const first = from % count
      const begin = first === 0 ? start : ends(first)[first - 1]! + 1
      assert.equal(kernel.padded(ENDS, first, count, begin), twin.padded(chunk, first))
    }),
  )
})

t.test('lines may end in another byte than a line feed', async t => {
  holds(
    t,
    fc.property(hostile, shift, fc.constantFrom(0, 10, 13, 255), (chunk, shift, lineEnd) => {
      const { start } = place(chunk, shift)
      const count = kernel.frames(start, start + chunk.length, ENDS, 10_000, lineEnd)
      const expected = [...chunk.keys()].filter(index => chunk[index] === lineEnd).map(index => index + start)
      assert.deepEqual(ends(count), expected)
    }),
  )
})

const ENCODINGS = ['utf-16le', 'utf-16be', 'latin-1', 'windows-1252'] as const
const encoded = fc
  .array(
    fc.oneof(
      fc.constantFrom('\n', '\0', '\r', 'é', '漢', '😀', '\u0a0a', '\u0a00', '\u000a', '\ufeff', '€'),
      fc.nat(40).map(length => 'plain text that is ASCII and no more '.slice(0, length)),
    ),
    { maxLength: 20 },
  )
  .chain(texts =>
    fc.oneof(
      fc.constant(Buffer.from(texts.join(''), 'utf16le')),
      fc.constant(Buffer.from(texts.join(''), 'utf16le').swap16()),
      fc.constant(Buffer.from(texts.join(''), 'latin1')),
      fc.uint8Array({ maxLength: 60 }).map(bytes => Buffer.from(bytes)),
      fc.array(fc.constantFrom(0xd83d, 0xde00, 0x41, 0xdc00, 0x0a), { maxLength: 20 }).map(units => {
        const bytes = Buffer.alloc(2 * units.length)
        for (const [at, unit] of units.entries()) bytes.writeUInt16LE(unit, 2 * at)
        return bytes
      }),
    ),
  )

t.test('text in another encoding becomes the UTF-8 that TextDecoder makes of it', async t => {
  holds(
    t,
    fc.property(fc.constantFrom(...ENCODINGS), encoded, shift, (encoding, bytes, shift) => {
      const start = WINDOW + shift
      kernel.bytes.fill(GUARD, start, start + bytes.length + 32)
      kernel.bytes.set(bytes, start)
      const expected = twin.decode(encoding, bytes)
      kernel.bytes.fill(GUARD, OUT, OUT + expected.length + 64)
      const end = kernel.decode({
        encoding,
        from: start,
        to: start + bytes.length,
        out: OUT,
        limit: OUT + expected.length,
        last: true,
      })
      assert.deepEqual(kernel.bytes.subarray(OUT, end), expected)
      assert.equal(kernel.consumed, start + bytes.length)
      assert.ok(kernel.bytes.subarray(OUT + expected.length, OUT + expected.length + 64).every(byte => byte === GUARD))
      const count = (text: Buffer) => text.toString().split('\ufffd').length - 1
      const meant = encoding.startsWith('utf-16') ? twin.lineEnds(encoding, bytes, 0xfffd).length : 0
      if (meant === 0) assert.equal(kernel.replaced, count(expected))
    }),
    2000,
  )
  const all = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))
  kernel.bytes.set(all, WINDOW)
  for (const encoding of ['latin-1', 'windows-1252'] as const) {
    const end = kernel.decode({ encoding, from: WINDOW, to: WINDOW + 256, out: OUT, limit: OUT + PAGE, last: true })
    t.same(kernel.bytes.subarray(OUT, end), twin.decode(encoding, all), encoding)
  }
})

t.test('text that is decoded in pieces, for want of bytes or of room, is what it is at once', async t => {
  holds(
    t,
    fc.property(
      fc.constantFrom(...ENCODINGS),
      encoded,
      fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }),
      fc.integer({ min: 4, max: 30 }),
      (encoding, bytes, pieces, room) => {
        kernel.bytes.set(bytes, WINDOW)
        const parts: Buffer[] = []
        let at = 0
        let to = 0
        for (let turn = 0; at < bytes.length; turn++) {
          to = Math.min(bytes.length, Math.max(to, at + pieces[turn % pieces.length]!))
          const last = to === bytes.length
          const end = kernel.decode({ encoding, from: WINDOW + at, to: WINDOW + to, out: OUT, limit: OUT + room, last })
          parts.push(Buffer.from(kernel.bytes.subarray(OUT, end)))
          // Nothing was taken: the rest of a character is missing.
          if (kernel.consumed === WINDOW + at) to = Math.min(bytes.length, to + 1)
          at = kernel.consumed - WINDOW
        }
        assert.deepEqual(Buffer.concat(parts), twin.decode(encoding, bytes))
      },
    ),
    1000,
  )
})

t.test('lines end in the encoded text where they end in the decoded one', async t => {
  holds(
    t,
    fc.property(
      fc.constantFrom(...ENCODINGS),
      encoded,
      shift,
      fc.constantFrom(0, 10, 13),
      fc.nat(30),
      (encoding, bytes, shift, lineEnd, max) => {
        const start = WINDOW + shift
        kernel.bytes.fill(lineEnd, start + bytes.length, start + bytes.length + 32)
        kernel.bytes.set(bytes, start)
        const expected = twin.lineEnds(encoding, bytes, lineEnd)
        const count = kernel.lineEnds(encoding, start, start + bytes.length, ENDS, max, lineEnd)
        assert.deepEqual(ends(count), expected.slice(0, max))
        const decoded = twin.decode(encoding, bytes)
        assert.equal(expected.length, [...decoded].filter(byte => byte === lineEnd).length)
      },
    ),
    1000,
  )
})

t.test('frames are found up to the last byte of the arena', async t => {
  const to = kernel.arena + kernel.arenaBytes
  kernel.bytes.fill(twin.LF, to - 3, to)
  t.equal(kernel.frames(to - 3, to, ENDS, 10), 3)
})

t.test('records are what the twin renders, for any template and any bytes', async t => {
  holds(
    t,
    fc.property(hostile, shift, rendering, (chunk, shift, how) => {
      const { start, count } = place(chunk, shift)
      const expected = twin.render(chunk, start, how)
      kernel.template(how.segments, how.treatment, how.separator)
      const done = kernel.render({
        ends: ENDS,
        first: 0,
        count,
        start,
        out: OUT,
        limit: OUT + 4 * PAGE,
        repair: how.repair,
        atFileStart: how.atFileStart,
      })
      assert.equal(done, expected.length)
      assert.deepEqual(kernel.bytes.subarray(OUT, kernel.end), Buffer.concat(expected.map(record => record.bytes)))
      assert.equal(
        kernel.repaired,
        expected.reduce((sum, record) => sum + record.repaired, 0),
      )
    }),
    1000,
  )
})

t.test(
  'rendering stops before the first record that does not fit, at any limit, and touches nothing beyond',
  async t => {
    holds(
      t,
      fc.property(hostile, rendering, shift, fc.nat(4095), (chunk, how, shift, cut) => {
        const { start, count } = place(chunk, shift)
        const expected = twin.render(chunk, start, how)
        const total = expected.reduce((sum, record) => sum + record.bytes.length, 0)
        const room = cut % (total + 2)
        let fitting = 0
        let length = 0
        while (fitting < count && length + expected[fitting]!.bytes.length <= room)
          length += expected[fitting++]!.bytes.length
        kernel.bytes.fill(GUARD, OUT - 64, OUT + total + 128)
        kernel.template(how.segments, how.treatment, how.separator)
        const done = kernel.render({
          ends: ENDS,
          first: 0,
          count,
          start,
          out: OUT,
          limit: OUT + room,
          repair: how.repair,
          atFileStart: how.atFileStart,
        })
        assert.equal(done, fitting)
        assert.deepEqual(
          kernel.bytes.subarray(OUT, kernel.end),
          Buffer.concat(expected.slice(0, fitting).map(record => record.bytes)),
        )
        assert.equal(
          kernel.repaired,
          expected.slice(0, fitting).reduce((sum, record) => sum + record.repaired, 0),
        )
        assert.ok(
          kernel.bytes.subarray(OUT - 64, OUT).every(byte => byte === GUARD),
          'before',
        )
        assert.ok(
          kernel.bytes.subarray(OUT + room, OUT + total + 128).every(byte => byte === GUARD),
          'behind',
        )
      }),
      1000,
    )
  },
)

t.test('a record fits exactly when its last byte does', async t => {
  const line = utf8(`a "quote", a tab\t, a control\x02 and then plain text that runs on for a while é漢\\\n`)
  const { start } = place(line)
  const expected = twin.escaped(line.subarray(0, -1))
  kernel.template([MESSAGE], 'text', new Uint8Array(0))
  for (let room = 0; room <= expected.length + 20; room++) {
    kernel.bytes.fill(GUARD, OUT, OUT + 256)
    t.equal(
      kernel.render({ ends: ENDS, first: 0, count: 1, start, out: OUT, limit: OUT + room }),
      room < expected.length ? 0 : 1,
      `${room} bytes of room`,
    )
    t.equal(kernel.end, room < expected.length ? OUT : OUT + expected.length)
    t.ok(kernel.bytes.subarray(OUT + room, OUT + 256).every(byte => byte === GUARD))
  }
})

t.test('a chunk rendered in several calls reads as if rendered in one, counters and offsets included', async t => {
  holds(
    t,
    fc.property(hostile, rendering, fc.infiniteStream(fc.nat(300)), (chunk, how, rooms) => {
      const { start, count } = place(chunk)
      const expected = Buffer.concat(twin.render(chunk, start, how).map(record => record.bytes))
      const table = ends(count)
      kernel.template(how.segments, how.treatment, how.separator)
      const parts: Buffer[] = []
      for (let first = 0, room = 0; first < count; ) {
        // A call that renders nothing is followed by one with more room.
        room += rooms.next().value
        const from = first === 0 ? start : table[first - 1]! + 1
        const mark = how.atFileStart && first === 0
        const done = kernel.render({
          ends: ENDS,
          first,
          count: count - first,
          start: from,
          out: OUT,
          limit: OUT + room,
          repair: how.repair,
          atFileStart: mark,
        })
        parts.push(Buffer.from(kernel.bytes.subarray(OUT, kernel.end)))
        if (done > 0) room = 0
        first += done
      }
      assert.deepEqual(Buffer.concat(parts), expected)
    }),
  )
})

t.test('a message is what JSON.stringify makes of it', async t => {
  const stringified = (text: string) => {
    const { start } = place(utf8(text))
    // The whole text is one frame, its line feeds included: so it is under multiline.
    new Uint32Array(kernel.memory.buffer, ENDS, 1)[0] = start + Buffer.byteLength(text)
    kernel.template([literal('"'), MESSAGE, literal('"')], 'bytes', new Uint8Array(0))
    kernel.render({ ends: ENDS, first: 0, count: 1, start, out: OUT, limit: OUT + 4 * PAGE })
    return kernel.bytes.toString('utf8', OUT, kernel.end)
  }
  holds(
    t,
    fc.property(fc.string({ unit: character, maxLength: 100, size: 'max' }), text => {
      assert.equal(stringified(text), JSON.stringify(text))
    }),
  )
  const all = Array.from({ length: 0x3000 }, (_, code) => String.fromCharCode(code)).join('')
  t.equal(stringified(all), JSON.stringify(all))
})

t.test('bytes that are not UTF-8 become U+FFFD, one for each maximal subpart', async t => {
  // The Unicode Standard, section 3.9, tables 3-8 to 3-11.
  const cases = {
    'c0 af e0 80 bf f0 81 82 41': '��������A',
    'ed a0 80 ed bf bf ed af 41': '��������A',
    'f4 91 92 93 ff 41 80 bf 42': '�����A��B',
    'e1 80 e2 f0 91 92 f1 bf 41': '����A',
    'f0 9f 98 80 f4 8f bf bf ed 9f bf': '😀\u{10ffff}\ud7ff',
  }
  for (const [hex, text] of Object.entries(cases)) {
    const chunk = Buffer.concat([Buffer.from(hex.replaceAll(' ', ''), 'hex'), utf8('\n')])
    t.equal(rendered(chunk, [{ kind: 'raw' }]).toString(), `${text}\n`, hex)
    t.equal(kernel.repaired, text.split('�').length - 1)
  }
})

t.test('a frame that was cut anywhere, within a character too, is rendered without a look behind the cut', async t => {
  const cutAt = (chunk: Uint8Array, cut: number) => {
    const { start } = place(chunk)
    new Uint32Array(kernel.memory.buffer, ENDS, 1)[0] = start + cut
    kernel.template([{ kind: 'raw' }], 'text', new Uint8Array(0))
    assert.equal(
      kernel.render({
        ends: ENDS,
        first: 0,
        count: 1,
        start,
        out: OUT,
        limit: OUT + PAGE,
        repair: true,
        atFileStart: true,
      }),
      1,
    )
    assert.deepEqual(
      Buffer.from(kernel.bytes.subarray(OUT, kernel.end)),
      twin.repair(twin.trim(chunk.subarray(0, cut), true)),
    )
  }
  holds(
    t,
    fc.property(hostile, fc.nat(4095), (chunk, cut) => cutAt(chunk, cut % chunk.length)),
  )
  const characters = utf8('\ufeffé漢😀\u2028')
  t.doesNotThrow(() => {
    for (let cut = 0; cut <= characters.length; cut++) cutAt(characters, cut)
  })
})

t.test(
  'text loses one CR, the NULs before it and a byte order mark at the head of the file; bytes lose nothing',
  async t => {
    const chunk = utf8('\0\0\ufeffone\r\n\ufefftwo\r\r\n\0\n\r\n\0three\0\n')
    t.equal(
      rendered(chunk, NDJSON).toString().replaceAll('\ufeff', 'BOM'),
      [
        '{"message":"one"}',
        '{"message":"BOMtwo\\r"}',
        '{"message":""}',
        '{"message":""}',
        '{"message":"three\\u0000"}',
        '',
      ].join('\n'),
    )
    t.same(rendered(chunk, [{ kind: 'raw' }], 'bytes'), chunk)
  },
)

t.test('a record is JSON although its line tries to break out of it', async t => {
  const lines = ['","admin":true,"x":"', '\\', '\\"', '\\\\u0022', '"}\r{"', '\u2028</script>']
  const records = rendered(utf8(`${lines.join('\n')}\n`), NDJSON)
    .toString()
    .trimEnd()
    .split('\n')
  t.strictSame(
    records.map(record => JSON.parse(record)),
    lines.map(message => ({ message })),
  )
})

t.test('counters carry, and a new template begins anew', async t => {
  const counted = () =>
    rendered(utf8('\n\n\n'), [
      { kind: 'counter', value: 98n },
      literal('/'),
      { kind: 'counter', value: 10n ** 20n - 2n },
    ]).toString()
  const expected = '98/99999999999999999998\n99/99999999999999999999\n100/100000000000000000000\n'
  t.equal(counted(), expected)
  t.equal(counted(), expected)
})

t.test('rendering stops at a record or a message that is longer than it may be', async t => {
  const limits = fc.record({
    messageBytes: fc.integer({ min: 0, max: 40 }),
    recordBytes: fc.integer({ min: 0, max: 90 }),
  })
  holds(
    t,
    fc.property(hostile, rendering, limits, (chunk, how, limits) => {
      const { start, count } = place(chunk)
      const text = how.treatment === 'text'
      const records = twin.render(chunk, start, how).map(record => record.bytes)
      const messages = twin.lines(chunk).map((line, index) => {
        const trimmed = text ? twin.trim(line, how.atFileStart && index === 0) : line
        return text && how.repair && how.segments.some(({ kind }) => kind === 'message' || kind === 'raw')
          ? twin.repair(trimmed)
          : trimmed
      })
      const fits = (index: number) =>
        messages[index]!.length <= limits.messageBytes && records[index]!.length <= limits.recordBytes
      kernel.template(how.segments, how.treatment, how.separator, limits)
      const done = kernel.render({
        ends: ENDS,
        first: 0,
        count,
        start,
        out: OUT,
        limit: OUT + PAGE,
        repair: how.repair,
        atFileStart: how.atFileStart,
      })
      for (let index = 0; index < done; index++) assert.ok(fits(index))
      // A replacement is taken for two bytes longer than what it stands for, which may be too much.
      if (done < count && !how.repair) assert.ok(!fits(done))
    }),
  )
})

t.test('a frame that is too long is cut to the longest head of whole characters that fits', async t => {
  const limits = fc.record({
    messageBytes: fc.oneof(fc.integer({ min: 0, max: 60 }), fc.constant(0xffffffff)),
    recordBytes: fc.oneof(fc.integer({ min: 0, max: 120 }), fc.constant(0xffffffff)),
  })
  holds(
    t,
    fc.property(hostile, shift, rendering, limits, fc.nat(200), (chunk, shift, how, limits, room) => {
      const { start } = place(chunk, shift)
      const [frame] = twin.lines(chunk) as [Uint8Array]
      // Text that need not be repaired is UTF-8 already.
      const repair = how.repair || twin.repairs(frame) > 0
      const expected = twin.cut(
        frame,
        start,
        { ...how, repair },
        Math.min(room, limits.recordBytes),
        limits.messageBytes,
      )
      kernel.bytes.fill(GUARD, OUT, OUT + room + 128)
      kernel.template(how.segments, how.treatment, how.separator, limits)
      const { atFileStart } = how
      const frames = { ends: ENDS, first: 0, count: 1, start, out: OUT, limit: OUT + room, repair, atFileStart }
      const done = kernel.render({ ...frames, cut: true })
      assert.equal(done, expected === undefined ? 0 : 1)
      if (expected !== undefined) {
        assert.deepEqual(kernel.bytes.subarray(OUT, kernel.end), expected.bytes)
        assert.equal(kernel.cutAt, start + expected.cutAt)
        assert.equal(kernel.repaired, expected.repaired)
      }
      assert.ok(kernel.bytes.subarray(OUT + room, OUT + room + 128).every(byte => byte === GUARD))
      assert.deepEqual(kernel.bytes.subarray(start, start + chunk.length), chunk)
    }),
    1000,
  )
})

t.test('an offset is that of the frame in its file, before anything is trimmed', async t => {
  const base = 0xabcdef012345 - WINDOW
  t.equal(rendered(utf8('\0\0one\n\n'), [{ kind: 'offset', base }]).toString(), 'abcdef012345\nabcdef01234b\n')
  t.equal(rendered(utf8('\n'), [{ kind: 'offset', base: -WINDOW }]).toString(), '000000000000\n')
})

t.test('where frames lie otherwise in the file an offset is the row of a table, wherever rendering begins', async t => {
  const { start, count } = place(utf8('one\ntwo\n\nfour\n'))
  const table = ENDS + 4096
  new Uint32Array(kernel.memory.buffer, table, count).set([0, 8, 0xffffffff, 20])
  const segments: Segment[] = [{ kind: 'offset', base: 2 ** 33, table }]
  kernel.template(segments, 'text', utf8(' '))
  const text = (first: number, from: number) => {
    kernel.render({ ends: ENDS, first, count: count - first, start: from, out: OUT, limit: OUT + PAGE })
    return kernel.bytes.toString('latin1', OUT, kernel.end)
  }
  t.equal(text(0, start), '000200000000 000200000008 0002ffffffff 000200000014 ')
  t.equal(text(2, start + 8), '0002ffffffff 000200000014 ')
})

t.test('where frames lie otherwise in the file a range begins at the row of a table', async t => {
  const { start, count } = place(utf8('one\ntwo\n\nfour\n'))
  const table = ENDS + 4096
  new Uint32Array(kernel.memory.buffer, table, count).set([0, 8, 0xffffffff, 20])
  kernel.template([{ kind: 'range', base: 2 ** 33, cutFrom: 0, table }], 'text', utf8(' '))
  kernel.render({ ends: ENDS, first: 1, count: 3, start: start + 4, out: OUT, limit: OUT + PAGE })
  const text = kernel.bytes.toString('latin1', OUT, kernel.end)
  t.equal(text, '000200000008-00000003 0002ffffffff-00000000 000200000014-00000004 ')
  const base = 0xabcdef012345 - WINDOW
  const whole: Segment = { kind: 'range', base, cutFrom: 0 }
  t.equal(rendered(utf8('one\n\n'), [whole]).toString(), 'abcdef012345-00000003\nabcdef012349-00000000\n')
  t.equal(rendered(utf8('one\n'), [{ ...whole, cutFrom: 0x12345678 }]).toString(), 'abcdef012345-12345678\n')
})

t.test('a template larger than its room is refused, and the one before goes on', async t => {
  kernel.template(NDJSON, 'text', utf8('\n'))
  const large = [literal('x'.repeat(60_000)), literal('y'.repeat(60_000))]
  t.throws(() => kernel.template(large, 'text', utf8('\n')), { code: 'ERR_INVARIANT' })
  t.throws(() => kernel.template([{ kind: 'counter', value: -1n }], 'text', utf8('\n')), { code: 'ERR_INVARIANT' })
  const { start } = place(utf8('still\n'))
  kernel.render({ ends: ENDS, first: 0, count: 1, start, out: OUT, limit: OUT + PAGE })
  t.equal(kernel.bytes.toString('utf8', OUT, kernel.end), '{"message":"still"}\n')
  const fits = 'z'.repeat(100_000)
  t.equal(rendered(utf8('\n'), [literal(fits)]).toString(), `${fits}\n`)
})

t.test('UTF-8 is told from what is not', async t => {
  holds(
    t,
    fc.property(hostile, shift, (chunk, shift) => {
      const { start } = place(chunk, shift)
      assert.equal(kernel.validUtf8(start, start + chunk.length), twin.repairs(chunk) === 0)
    }),
  )
})

t.test('the arena is as large as asked for, in pages, and kernels do not share it', async t => {
  const other = Kernel.create(PAGE + 1)
  t.equal(other.arenaBytes, 2 * PAGE)
  t.equal(other.arena % PAGE, 0)
  t.equal(other.bytes.length, other.arena + other.arenaBytes + PAGE)
  other.bytes[other.arena] = 1
  kernel.bytes[kernel.arena] = 2
  t.equal(other.bytes[other.arena], 1)
})

t.test('a file is read into the memory and sent from it, without a copy in between', async t => {
  const path = join(mkdtempSync(join(tmpdir(), 'kernel-')), 'app.log')
  const content = 'a line that goes all the way\n'.repeat(4000)
  writeFileSync(path, content)
  const read = readSync(openSync(path, 'r'), kernel.bytes, WINDOW, 2 * PAGE, 0)
  const server = createServer().listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  const sockets = on(server, 'connection')
  const client = connect(port, '127.0.0.1')
  await once(client, 'connect')
  client.end(kernel.bytes.subarray(WINDOW, WINDOW + read))
  for await (const [socket] of sockets) {
    // Whoever looks for a server that had this port before is none of ours.
    if (socket.remotePort !== client.localPort) {
      socket.on('error', () => {}).destroy()
      continue
    }
    t.equal(Buffer.concat(await socket.toArray()).toString(), content)
    break
  }
})
