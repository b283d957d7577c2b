/** Objects: which records are some, and where the values of names stand, against JSON.parse. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { MOST_MEMBERS } from '../../../src/process/parse/compile.ts'
import { MESSAGE_NAMES } from '../../../src/process/parse/names.ts'
import { character } from '../../character.ts'
import { Finder, planFor } from './found.ts'

function holds<T>(t: Test, property: fc.IProperty<T>, numRuns = 300): void {
  t.doesNotThrow(() => fc.assert(property, { numRuns }))
}

const WANTED = [
  'a',
  'b',
  'a.b',
  'status',
  'req.method',
  'longer.than.eight',
  'more than eight bytes',
  'é😀',
  '__proto__',
]
const { plan, slots } = planFor(
  { parse: 'json' },
  WANTED.map(name => [name]),
)
const finder = new Finder(plan)
const { message, level, traceId } = plan.shape

/** The values of the wanted names of one record, as they stand there. */
function values(record: string | Uint8Array): Record<string, string> {
  const [found] = finder.find([record])
  return Object.fromEntries(
    WANTED.flatMap((name, index) => {
      const value = found!.values[slots[index]!]
      return value === undefined ? [] : [[name, value]]
    }),
  )
}

function form(record: string | Uint8Array): string {
  const [found] = finder.find([record])
  return found!.unparsed ? 'unparsed' : found!.form
}

t.test('values stand as they were written', async t => {
  const record = '{"status": 9007199254740993 ,"a":1046.8333333333335,"b":-0.10E+400,"a.b":"said \\"hi\\" \\u00e9"}'
  t.strictSame(values(record), {
    status: '9007199254740993',
    a: '1046.8333333333335',
    b: '-0.10E+400',
    'a.b': '"said \\"hi\\" \\u00e9"',
  })
  t.strictSame(values('{"a":{"c":[1,{"b":2}]},"b":[ ],"status":null,"req":{"method":true}}'), {
    a: '{"c":[1,{"b":2}]}',
    b: '[ ]',
    status: 'null',
    'req.method': 'true',
  })
})

t.test('a dot names a member of a member, and a name with a dot', async t => {
  t.strictSame(values('{"req":{"method":"GET"}}'), { 'req.method': '"GET"' })
  t.strictSame(values('{"req.method":"GET"}'), { 'req.method': '"GET"' })
  for (const record of [
    '{"longer":{"than":{"eight":1}}}',
    '{"longer.than":{"eight":1}}',
    '{"longer":{"than.eight":1}}',
    '{"longer.than.eight":1}',
  ]) {
    t.strictSame(values(record), { 'longer.than.eight': '1' })
  }
  t.strictSame(values('{"req":[{"method":"GET"}],"x":{"req":{"method":1},"status":2}}'), {}, 'not within an array')
})

t.test('of a name that stands twice the last value holds, and it is said', async t => {
  t.strictSame(values('{"status":1,"b":0,"status":2}'), { status: '2', b: '0' })
  t.ok(finder.find(['{"status":1,"b":0,"status":2}'])[0]!.clash)
  t.notOk(finder.find(['{"status":1,"x":{"status":2,"status":3}}'])[0]!.clash, 'at the top only')
  t.ok(finder.find(['{"status":1,"st\\u0061tus":2}'])[0]!.clash)
})

t.test('names are compared as what they say', async t => {
  t.strictSame(values('{"\\u0073tatus":1}'), { status: '1' })
  t.strictSame(values('{"\\u00e9\\ud83d\\ude00":1}'), { 'é😀': Buffer.from('1').toString('latin1') })
  t.strictSame(values('{"\\u00E9\\ud83d":1,"\\ude00":2,"stat\\us":3}'), {})
  t.strictSame(values('{"more than eight\\u0020bytes":1}'), { 'more than eight bytes': '1' })
  t.strictSame(values('{"more than eight bites":1,"more than eight bytes":2}'), { 'more than eight bytes': '2' })
  t.strictSame(values(`{"${'\\u0061'.repeat(400)}":1,"a":2}`), { a: '2' })
})

t.test('what is no object is sent as it is', async t => {
  const no = [
    '',
    ' ',
    '{',
    '{"a":1',
    '{"a":1}}',
    '{"a":1} x',
    '[{"a":1}]',
    '"a"',
    '1',
    'null',
    'said {"a":1}',
    '{"a":01}',
  ]
  no.push('{"a":1,}', '{a:1}', "{'a':1}", '{"a":"\t"}', '{"a":"\\x"}', '{"a":.5}', '{"a":1.}', '{"a":+1}', '{"a":NaN}')
  for (const record of no) t.equal(form(record), record.trim() === '' ? 'text' : 'unparsed', record)
  t.equal(form('{}'), 'text', 'an object without members is valid, and has nothing to send but itself')
  t.equal(form(' { } '), 'text')
  t.equal(form(`{"a":${'['.repeat(63)}${']'.repeat(63)}}`), 'json')
  t.equal(form(`{"a":${'['.repeat(64)}${']'.repeat(64)}}`), 'unparsed', 'too deep')
  const members = (count: number) => `{"a":{${Array.from({ length: count }, (_, n) => `"n${n}":${n}`).join()}}}`
  t.equal(form(members(MOST_MEMBERS - 1)), 'json')
  t.equal(form(members(MOST_MEMBERS)), 'unparsed', 'too many members')
})

t.test('what a rendering trims is no part of a record', async t => {
  t.equal(form('{"a":1}\r'), 'json')
  t.equal(form('\0\0{"a":1}'), 'json')
  t.equal(form('{"a":1}\0'), 'unparsed')
  const marked = Buffer.from('\ufeff{"a":1}')
  t.equal(form(marked), 'unparsed')
  const [first, second] = finder.find([marked, marked], true)
  t.strictSame(
    [first!.form, first!.values[slots[0]!], second!.form],
    ['json', '1', 'text'],
    'only at the head of a file',
  )
})

t.test('bytes that are no UTF-8 stand as they are', async t => {
  t.strictSame(values(Buffer.from('7b2261223a22c3ff227d', 'hex')), { a: '"\xc3\xff"' })
})

t.test('a value that is far from the head or long has no slot', async t => {
  const pad = (bytes: number) => `{"x":"${'x'.repeat(bytes - 13)}","a":`
  t.strictSame(values(`${pad(65535)}1}`), { a: '1' }, 'begins at 65534')
  t.strictSame(values(`${pad(65536)}1}`), {})
  t.strictSame(values(`{"a":"${'x'.repeat(65532)}"}`), { a: `"${'x'.repeat(65532)}"` })
  t.strictSame(values(`{"a":"${'x'.repeat(65533)}"}`), {})
  t.strictSame(values(`{"a":1,"a":"${'x'.repeat(65533)}"}`), {}, 'the last of the name holds')
  t.equal(form(`${pad(300_000)}1}`), 'json')
})

t.test('the message is the first of its names that is a text', async t => {
  const said = (record: string) => finder.find([record])[0]!.values[message!]
  t.equal(said('{"log":"c","msg":"b","message":"a"}'), '"a"')
  t.equal(said('{"message":"a","msg":"b"}'), '"a"')
  t.equal(said('{"message":{"text":1},"msg":"b"}'), '"b"')
  t.equal(said('{"message":1,"log":{"level":"info"}}'), undefined)
  for (const name of MESSAGE_NAMES) t.equal(said(`{"${name}":"said"}`), '"said"')
})

t.test('levels and trace ids have their usual names', async t => {
  const found = (record: string, slot?: number) => finder.find([record])[0]!.values[slot!]
  t.equal(found('{"level":30}', level), '30')
  t.equal(found('{"log":{"level":"warn"}}', level), '"warn"')
  t.equal(found('{"log.level":"warn","severity":"high"}', level), '"high"', 'the first name, not the first member')
  t.equal(found('{"level":{"name":"x"},"lvl":"warn"}', level), '"warn"')
  t.equal(found('{"trace":{"id":"abc"}}', traceId), '"abc"')
  t.equal(found('{"traceId":"abc"}', traceId), '"abc"')
})

t.test('each row is filled anew', async t => {
  const rows = finder.find(['{"a":1}', 'text', '{"b":2}', ' ', '{"a":1,"a":2}'])
  t.strictSame(
    rows.map(({ form: is, unparsed, clash, values: all }) => [is, unparsed, clash, all[slots[0]!], all[slots[1]!]]),
    [
      ['json', false, false, '1', undefined],
      ['text', true, false, undefined, undefined],
      ['json', false, false, undefined, '2'],
      ['text', false, false, undefined, undefined],
      ['json', false, true, '2', undefined],
    ],
  )
  t.equal(finder.unparsed, 1)
})

t.test('no name of another record counts as seen', async t => {
  // More records than a stamp has values.
  const records = Array.from({ length: 1000 }, (_, n) => `{"a":${n},"b":${n}}`)
  for (let n = 0; n < 140; n++) t.notOk(finder.find(records).some(({ clash }) => clash))
})

// An object as it is written: names and values in order, with what JSON allows between and in them.
type Written = {
  readonly text: string
  readonly kind: string
  readonly members?: readonly (readonly [string, Written])[]
}
const space = fc.constantFrom('', '', '', ' ', '\t', '\r\n')
const escaped = (text: string, mask: number) =>
  `"${[...text]
    .flatMap((character, index) =>
      (mask >> (index % 31)) & 1
        ? Array.from(
            { length: character.length },
            (_, n) => `\\u${character.charCodeAt(n).toString(16).padStart(4, '0')}`,
          )
        : [JSON.stringify(character).slice(1, -1)],
    )
    .join('')}"`
const word = fc.oneof(
  fc.string({ unit: character, maxLength: 30 }).map(text => ({ text: JSON.stringify(text), kind: 'text' })),
  fc
    .constantFrom('\\ud800', '\\"', '\\\\', '\\u005c', '\\/', '/*', '"'.slice(1))
    .map(text => ({ text: `"${text}"`, kind: 'text' })),
  fc
    .constantFrom('0', '-0', '12', '9007199254740993', '1046.8333333333335', '1e400', '-1.5E-7')
    .map(text => ({ text, kind: 'number' })),
  fc.constantFrom('true', 'false', 'null').map(text => ({ text, kind: 'word' })),
)
const name = fc.oneof(
  fc.constantFrom(
    ...WANTED,
    'req',
    'method',
    'longer',
    'than',
    'eight',
    'message',
    'msg',
    'level',
    'more than eight bites',
  ),
  fc.string({ maxLength: 12 }),
)
const { object } = fc.letrec<{ object: Written; value: Written }>(tie => ({
  object: fc
    .array(fc.tuple(name, fc.oneof(fc.constant(0), fc.nat()), space, space, tie('value'), space), { maxLength: 8 })
    .map(entries => ({
      text: `{${entries.map(([key, mask, a, b, { text }, c]) => `${a}${escaped(key, mask)}${b}:${a}${text}${c}`).join()}}`,
      kind: 'object',
      members: entries.map(([key, , , , value]) => [key, value] as const),
    })),
  value: fc.oneof(
    { maxDepth: 4 },
    word,
    tie('object'),
    fc
      .array(tie('value'), { maxLength: 3 })
      .map(all => ({ text: `[${all.map(({ text }) => text).join(' ,')}]`, kind: 'array' })),
  ),
}))

/** Values by all paths on which they can be reached, in the order in which they end. */
function reached({ members = [] }: Written, path?: string): [string, Written][] {
  return members.flatMap(([key, value]) => {
    const here = path === undefined ? key : `${path}.${key}`
    return [...reached(value, here), [here, value] as [string, Written]]
  })
}

t.test('values are those of JSON.parse, for any object', async t => {
  const property = fc.property(object, space, (written, around) => {
    const record = around + written.text + around
    const [found] = finder.find([record])
    const parsed = JSON.parse(record) as Record<string, unknown>
    assert.equal(found!.form, written.members!.length > 0 ? 'json' : 'text')
    const all = reached(written)
    for (const [index, wanted] of WANTED.entries()) {
      const last = all.findLast(([path]) => path === wanted)?.[1]
      const value = found!.values[slots[index]!]
      assert.equal(value && Buffer.from(value, 'latin1').toString(), last?.text)
      // An own member of no other path: what JSON.parse says.
      const others = all.filter(([path]) => path === wanted).length
      if (others === 1 && Object.hasOwn(parsed, wanted)) assert.deepEqual(JSON.parse(last!.text), parsed[wanted])
    }
    const texts = all.filter(([, { kind }]) => kind === 'text')
    const named = MESSAGE_NAMES.map(each => texts.findLast(([path]) => path === each)?.[1].text)
    const said = found!.values[message!]
    assert.equal(
      said && Buffer.from(said, 'latin1').toString(),
      named.find(each => each !== undefined),
    )
    const names = written.members!.map(([key]) => key)
    if (new Set(names).size < names.length) assert.ok(found!.clash)
  })
  holds(t, property, 1000)
})

t.test('a record is an object if and only if JSON.parse takes it as one', async t => {
  const broken = fc.tuple(
    object,
    fc.nat(),
    fc.constantFrom('', '"', '\\', '{', '}', ',', ':', '1', 'x', '\u0001', '[', ']'),
    fc.nat(2),
  )
  const property = fc.property(broken, ([{ text }, at, put, cut]) => {
    const place = at % (text.length + 1)
    const record = text.slice(0, place) + put + text.slice(place + cut)
    // Bytes of halves of characters are no matter here.
    const bytes = Buffer.from(record)
    let parsed: unknown
    try {
      parsed = JSON.parse(bytes.toString())
    } catch {}
    const is = typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)
    const [found] = finder.find([bytes])
    assert.equal(found!.unparsed, !is && bytes.toString().trim() !== '')
    if (is) assert.equal(found!.form, /^\s*\{\s*\}\s*$/.test(record) ? 'text' : 'json')
  })
  holds(t, property, 1000)
})

t.test('any bytes in any place are looked at, and nothing else', async t => {
  const piece = fc.constantFrom(
    '{',
    '}',
    '[',
    ']',
    '"',
    '"a":',
    ',',
    ':',
    '\\',
    '\\u00',
    '1',
    'true',
    'nul',
    ' ',
    '\n',
    '\xff',
    '\0',
  )
  const property = fc.property(
    fc.array(fc.array(piece, { maxLength: 20 }), { maxLength: 6 }),
    fc.nat(15),
    (all, shift) => {
      const records = all.map(pieces => Buffer.from(pieces.join(''), 'latin1'))
      const together = finder.find(records, false, shift)
      for (const [index, record] of records.entries()) {
        const [alone] = finder.find([record])
        assert.deepEqual(together[index], alone)
        assert.deepEqual(alone!.record, record)
      }
    },
  )
  holds(t, property, 500)
})
