/** What was found in records, rendered: against what TypeScript makes of the same records, and within the limits. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import type { Slab } from '../../src/chunk.ts'
import { ANY_FIELDS, type FieldNames, packFieldNames } from '../../src/kernel/fields.ts'
import type { RecordLimits } from '../../src/kernel/kernel.ts'
import { LAYOUT } from '../../src/kernel/module.ts'
import type { FieldForm, Inner, Segment } from '../../src/kernel/template.ts'
import { finding, type Looking, membersOf } from '../backends/found.ts'
import { character } from '../character.ts'
import { Arena } from '../delivery/rig.ts'
import { seedOf } from '../support/seed.ts'

const MIB = 1 << 20
const MARK = 0xa7
const UNLIMITED = { messageBytes: 0xffffffff, recordBytes: 0xffffffff }
const PLAIN: FieldNames = { hidden: [], rules: [], others: 'kept', named: [], limits: ANY_FIELDS }

const literal = (text: string): Inner => ({ kind: 'literal', bytes: Buffer.from(text) })
const fields = (names: Partial<FieldNames> = {}, as: FieldForm = 'json'): Segment => ({
  kind: 'fields',
  as,
  names: packFieldNames({ ...PLAIN, ...names }),
})

/** Lines whose rows are filled, and a place behind them. */
class Bench {
  readonly arena: Arena
  readonly #out: number

  constructor(looking: Looking) {
    this.arena = new Arena(4 * MIB, 0, finding(looking))
    this.#out = this.arena.budget.grant(2 * MIB)!.address
  }

  place(lines: readonly (string | Buffer)[]): Slab {
    return this.arena.slab({ lines, fileStart: 1 })
  }

  free(slab: Slab): void {
    this.arena.budget.release(slab.extent)
  }

  /** Renders within `limit` bytes; what lies behind it is not written to. */
  render(
    slab: Slab,
    segments: readonly Segment[],
    { limit = MIB, limits = UNLIMITED as RecordLimits, bare = false, cut = false, first = 0 } = {},
  ): { readonly count: number; readonly text: Buffer } {
    const { kernel } = this.arena
    const [chunk] = slab.chunks
    kernel.template(segments, 'text', Buffer.from('\n'), limits)
    kernel.bytes.fill(MARK, this.#out, this.#out + limit + 64)
    const start = slab.startOf(chunk!, first)
    const repair = !kernel.validUtf8(start, slab.endOf(slab.frames - 1))
    const { ends, rows, row } = slab
    const table = { ends, rows, rowBytes: row, first, count: slab.frames - first, start }
    const count = kernel.render({ ...table, out: this.#out, limit: this.#out + limit, repair, bare, cut })
    const behind = kernel.bytes.subarray(this.#out + limit, this.#out + limit + 64)
    assert.ok(
      behind.every(byte => byte === MARK),
      'nothing is written at the limit or behind it',
    )
    return { count, text: Buffer.from(kernel.bytes.subarray(this.#out, kernel.end)) }
  }

  /** The records of these lines. */
  records(lines: readonly (string | Buffer)[], segments: readonly Segment[], limits?: RecordLimits): string[] {
    const slab = this.place(lines)
    const { count, text } = this.render(slab, segments, limits && { limits })
    this.free(slab)
    assert.equal(count, lines.length)
    return text.toString().trimEnd().split('\n')
  }
}

function holds<T>(t: Test, property: fc.IPropertyWithHooks<T>): void {
  const seed = seedOf()
  t.doesNotThrow(() => fc.assert(property, { seed, numRuns: 300 }), `seed ${seed}`)
}

/** Few names, written in several ways, so that they meet. */
const name = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.constantFrom('a', 'b', 'source', 'line_source', 'lvl', 'level', 'log.x', 'line_log.x', 'ü"\\'),
  },
  { weight: 1, arbitrary: fc.string({ unit: character, maxLength: 6 }) },
)
const written = fc.tuple(name, fc.boolean()).map(([name, escapes]) => {
  const plain = JSON.stringify(name)
  if (!escapes) return plain
  const units = [...Array(name.length).keys()].map(at => name.charCodeAt(at).toString(16).padStart(4, '0'))
  return `"${units.map(unit => `\\u${unit}`).join('')}"`
})
const value = fc.oneof(
  fc.constantFrom('1', '-0.5e3', 'true', 'null', '9007199254740993', '1046.8333333333335', '{}', '[]', '""'),
  fc.string({ unit: character, maxLength: 12 }).map(text => JSON.stringify(text)),
  fc.json({ maxDepth: 2 }).map(text => JSON.stringify(JSON.parse(text))),
)
const member = fc.tuple(written, value)
const object = fc.array(member, { minLength: 1, maxLength: 12 })

const RULES: FieldNames['rules'] = [
  { name: 'b', is: 'out' },
  { name: 'lvl', is: 'other', other: 'level' },
  { name: 'source', is: 'line', other: 'line_source' },
  { name: 'log.', is: 'begin' },
]

/** What is left of members, by name: the last of a name, under the name that the rules above give. */
function twin(members: readonly (readonly [name: string, value: string])[]): Map<string, string> {
  const own = new Map(members)
  const sent = new Map<string, string>()
  for (const [name, value] of own) {
    if (name === 'b') continue
    if (name === 'lvl') sent.set(own.has('level') ? name : 'level', value)
    else if (name === 'source' || name.startsWith('log.')) {
      if (!own.has(`line_${name}`)) sent.set(`line_${name}`, value)
    } else sent.set(name, value)
  }
  return sent
}

/** JSON knows half a pair of a character, which no text in UTF-8 can have. */
const isWhole = (text: string): boolean => !/[\ud800-\udfff]/u.test(text)

t.test('members of an object keep their values as written, each name stands once, and rules hold', async t => {
  const bench = new Bench({ parse: 'json' })
  holds(
    t,
    fc.property(fc.array(object, { minLength: 1, maxLength: 4 }), objects => {
      const said = objects.map(members => members.map(([name, value]): [string, string] => [JSON.parse(name), value]))
      fc.pre(said.flat().every(([name]) => isWhole(name)))
      const lines = objects.map(members => `{${members.map(pair => pair.join(' : ')).join(',')}}`)
      const records = bench.records(lines, [literal('{'), fields({ rules: RULES }), literal('}')])
      for (const [index, record] of records.entries()) {
        const members = membersOf(record)
        assert.equal(new Set(members.map(([name]) => name)).size, members.length, `a name stands twice in ${record}`)
        assert.deepEqual(new Map(members), twin(said[index]!), `of ${lines[index]}`)
      }
    }),
  )
})

/** A rule that says its name with an escape: then all names are read. */
const READING: FieldNames['rules'][number] = { name: '\\', is: 'kept' }
const FORMS: readonly FieldForm[] = ['json', 'strings', 'attributes', 'keyvalues']

/** The same records, where names are compared as they are written and where they are read: within any limits. */
function sameRead(t: Test, bench: Bench, line: fc.Arbitrary<string>, hidden: FieldNames['hidden']): void {
  const most = fc.oneof({ weight: 3, arbitrary: fc.constant(0xffffffff) }, fc.nat(40))
  const limits = fc.record({ count: most, nameBytes: most, valueBytes: most, bytes: fc.constant(0xffffffff) })
  const others = fc.constantFrom('kept' as const, 'out' as const)
  holds(
    t,
    fc.property(fc.array(line, { minLength: 1, maxLength: 3 }), limits, others, (lines, limits, others) => {
      const slab = bench.place(lines)
      const names = { hidden, others, limits }
      for (const as of FORMS) {
        const segments = (rules: FieldNames['rules']) => [literal('{'), fields({ ...names, rules }, as), literal('}')]
        const kept: FieldNames['rules'] = [{ name: 'a', is: 'kept' }, ...RULES.slice(0, 3)]
        const [short, read] = [
          [...kept, ...RULES.slice(3)],
          [...kept, READING, ...RULES.slice(3)],
        ]
        const found = bench.render(slab, segments(short))
        assert.deepEqual(found, bench.render(slab, segments(read)), `${as} of ${lines.join('\n')}`)
      }
      bench.free(slab)
    }),
  )
}

const simple = fc.oneof(
  fc.constantFrom('a', 'b', 'source', 'line_source', 'lvl', 'level', 'log.x', 'line_log.x', 'ü', 'msg', ''),
  fc.string({ unit: fc.constantFrom(...'abcdefg_.'), maxLength: 20 }),
)
const long = fc.string({ unit: fc.constantFrom('a', '\\', '"', '{', ',', ':', 'ü', '\n'), maxLength: 150 })

t.test('names that need not be read give the same members', async t => {
  const space = fc.constantFrom('', '', '', ' ', '\t ')
  const text = fc.tuple(
    simple,
    fc.oneof(
      value,
      long.map(text => JSON.stringify(text)),
    ),
    space,
    space,
    space,
  )
  const objects = fc
    .uniqueArray(text, { selector: ([name]) => name, minLength: 1, maxLength: 30 })
    .map(all => all.map(([name, value, a, b, c]) => `${a}${JSON.stringify(name)}${b}:${c}${value}${a}`).join(','))
  const bench = new Bench({ parse: 'json', timed: true, levelled: true })
  sameRead(
    t,
    bench,
    objects.map(members => `{${members}}`),
    [
      { slot: 0, shown: 'always' },
      { slot: 1, shown: 'sameLevel' },
    ],
  )
})

t.test('names that need not be read give the same pairs', async t => {
  const bare = fc.string({ unit: fc.constantFrom('a', '=', '\\', '1', 'ü'), maxLength: 20 })
  const quoted = long.map(text => JSON.stringify(text).replaceAll('\\n', ' '))
  const lines = fc
    .uniqueArray(
      fc.tuple(
        simple.filter(name => name !== ''),
        fc.oneof(bare, quoted),
      ),
      {
        selector: ([name]) => name,
        minLength: 1,
        maxLength: 30,
      },
    )
    .map(all => all.map(pair => pair.join('=')).join(' '))
  sameRead(t, new Bench({ parse: 'logfmt' }), lines, [{ slot: 0, shown: 'always' }])
})

t.test('pairs are texts, the last of a name holds, and one of nothing is left out', async t => {
  const bench = new Bench({ parse: 'logfmt' })
  const text = fc.string({ unit: character, maxLength: 8 }).map(text => JSON.stringify(text))
  const plain = fc.stringMatching(/^[a-z0-9=/.{}[\]\\]{0,6}$/)
  const name = fc.constantFrom('a', 'b', 'source', 'line_source', 'lvl', 'level', 'x\\u0061', 'ü')
  holds(
    t,
    fc.property(fc.array(fc.tuple(name, fc.oneof(text, plain)), { minLength: 1, maxLength: 8 }), pairs => {
      const [record = ''] = bench.records(
        [pairs.map(pair => pair.join('=')).join('  ')],
        [literal('{'), fields({ rules: RULES }), literal('}')],
      )
      const said = [...twin(pairs)].filter(([, value]) => value !== '')
      const values = said.map(([name, value]): [string, string] => [
        name,
        value.startsWith('"') ? JSON.parse(value) : value,
      ])
      fc.pre(values.every(([, value]) => isWhole(value)))
      const members = membersOf(record)
      assert.equal(new Set(members.map(([name]) => name)).size, members.length, `a name stands twice in ${record}`)
      assert.deepEqual(new Map(members.map(([name, value]) => [name, JSON.parse(value)])), new Map(values))
    }),
  )
})

t.test('a value of pairs is a number where it was asked to be one, and is one', async t => {
  const types = { n: 'number', m: 'number', o: 'number', p: 'number' } as const
  const bench = new Bench({ parse: { format: 'logfmt', types, fields: [], else: 'keep' } })
  const slots = bench.place(['n=1']).chunks[0]!.shape!.slots
  const segments = [literal('{'), fields({ named: slots }), literal('}')]
  t.same(bench.records(['n=1 m=true o=007 p=-1.5e3 q=2', 'n="1"'], segments), [
    '{"n":1,"m":"true","o":"007","p":-1.5e3,"q":"2"}',
    '{"n":"1"}',
  ])
})

t.test('what is not UTF-8 is replaced in names and values, and names that become the same stand once', async t => {
  const bench = new Bench({ parse: 'json' })
  const line = Buffer.concat(
    ['{"a', 0xff, '":1,"a', 0xfe, '":"x', 0xe2, 0x82, 'y","b":{"c', 0xff, '":1}}'].map(part =>
      typeof part === 'number' ? Buffer.of(part) : Buffer.from(part),
    ),
  )
  const [record = ''] = bench.records([line, '{"a":1}'], [literal('{'), fields(), literal('}')])
  t.same(membersOf(record), [
    ['a\ufffd', '"x\ufffdy"'],
    ['b', '{"c\ufffd":1}'],
  ])
})

t.test('nothing is written at a limit or behind it, and what fits is the same within any', async t => {
  const looking = { parse: 'json', timed: true, levelled: true, repeated: [3] } as const
  const line = JSON.stringify({
    time: '2026-01-02T03:04:05.678Z',
    level: 'warn',
    msg: 'said "hi"\u0001',
    trace_id: '0af7651916cd43dd8448eb211c80319c',
    n: 12345,
    deep: { a: ['x', { b: null }] },
    'na"me': 'ü€😀\t',
  })
  for (const as of ['json', 'strings', 'attributes', 'keyvalues'] as const) {
    const bench = new Bench(looking)
    const slab = bench.place([line])
    const { message, level, traceId } = slab.chunks[0]!.shape!
    const segments: Segment[] = [
      literal('{'),
      { kind: 'length' },
      { kind: 'when', has: 'time', show: [literal('T'), { kind: 'time', as: 'rfc3339', fallback: 0n }] },
      { kind: 'text', slot: message, as: 'bytes' },
      { kind: 'text', slot: message, as: 'string' },
      { kind: 'when', has: 'level', show: [{ kind: 'level', as: 'written', slot: level }] },
      { kind: 'level', as: 'number' },
      { kind: 'value', slot: traceId!, as: 'id' },
      { kind: 'value', slot: traceId!, as: 'quoted', field: 26 },
      { kind: 'repeated' },
      { kind: 'repeated', as: 'varint' },
      { kind: 'comma' },
      fields({}, as),
      literal('}'),
    ]
    const { count, text } = bench.render(slab, segments)
    t.equal(count, 1)
    let fewest = 0
    for (let limit = 0; limit <= text.length + 64; limit++) {
      const within = bench.render(slab, segments, { limit })
      assert.ok(within.count === 0 || within.text.equals(text), `${as}: within ${limit} bytes`)
      if (within.count === 0) fewest = limit + 1
      assert.ok(within.count === (limit >= fewest ? 1 : 0))
    }
    t.ok(fewest >= text.length && fewest < text.length + 32, `${as}: ${text.length} bytes need ${fewest}`)
  }
})

t.test('times are written as the platform writes them', async t => {
  const bench = new Bench({ parse: 'json', timed: true })
  const slab = bench.place(['{"a":1}'])
  const { bytes } = bench.arena.kernel
  const write = (nanos: bigint, as: Extract<Segment, { kind: 'time' }>['as']): Buffer => {
    bytes.writeBigInt64LE(nanos, slab.rowOf(0) + LAYOUT.ROW_TIME)
    return bench.render(slab, [{ kind: 'time', as, fallback: 0n }]).text.subarray(0, -1)
  }
  holds(
    t,
    fc.property(fc.bigInt(0n, 2n ** 63n - 1n), fc.boolean(), (any, exact) => {
      const nanos = exact ? (any / 1_000_000n) * 1_000_000n : any
      const millis = nanos / 1_000_000n
      const iso = new Date(Number(millis)).toISOString()
      const digits = (nanos % 1_000_000_000n).toString().padStart(9, '0')
      const wanted = digits.endsWith('000000') ? iso : `${iso.slice(0, 19)}.${digits}Z`
      assert.equal(write(nanos, 'rfc3339').toString(), wanted)
      assert.equal(write(nanos, 'nanoseconds').toString(), `${nanos}`)
      assert.equal(write(nanos, 'milliseconds').toString(), `${millis}`)
      assert.equal(
        write(nanos, 'seconds').toString(),
        `${millis / 1000n}.${(millis % 1000n).toString().padStart(3, '0')}`,
      )
      assert.equal(write(nanos, 'fixed64').readBigInt64LE(), nanos)
      const parts = (['year', 'month', 'day', 'hour'] as const).map(part => write(nanos, part).toString())
      assert.deepEqual(parts, iso.split(/[-T:]/).slice(0, 4))
    }),
  )
  const before = Date.UTC(1969, 11, 31, 22, 58, 57, 1)
  t.equal(write(BigInt(before) * 1_000_000n, 'rfc3339').toString(), '1969-12-31T22:58:57.001Z')
})

t.test('a record without a time has the one that is given, which goes up by one for each record', async t => {
  const bench = new Bench({ parse: 'json', timed: true })
  const lines = ['{"time":"2026-01-01T00:00:00Z","a":1}', '{"a":1}', 'no object', '{"time":"2026-01-01T00:00:01Z"}']
  const time: Segment = { kind: 'time', as: 'nanoseconds', fallback: 100n }
  const when: Segment = { kind: 'when', has: 'time', show: [literal(' own')] }
  const own = (seconds: number): string => `${BigInt(Date.UTC(2026, 0, 1, 0, 0, seconds)) * 1_000_000n} own`
  t.same(bench.records(lines, [time, when]), [own(0), '101', '102', own(1)])
})

t.test('a time outside of what may be is none, and is counted', async t => {
  const bench = new Bench({ parse: 'json', timed: true })
  const at = (seconds: number): bigint => BigInt(Date.UTC(2026, 0, 1, 0, 0, seconds)) * 1_000_000n
  const lines = [0, 1, 2, 3].map(second => `{"time":"2026-01-01T00:00:0${second}Z"}`)
  const slab = bench.place(lines)
  const { time } = slab.chunks[0]!.shape!
  const segments: Segment[] = [
    { kind: 'time', as: 'nanoseconds', fallback: 7n },
    literal(' {'),
    fields({ hidden: [{ slot: time!, shown: 'timed' }] }),
    literal('}'),
  ]
  const { text } = bench.render(slab, segments, { limits: { ...UNLIMITED, oldest: at(1), newest: at(2) } })
  t.same(text.toString().trimEnd().split('\n'), [
    '7 {"time":"2026-01-01T00:00:00Z"}',
    `${at(1)} {}`,
    `${at(2)} {}`,
    '10 {"time":"2026-01-01T00:00:03Z"}',
  ])
  t.equal(bench.arena.kernel.retimed, 2)
})

t.test('levels are words, numbers, what was written, and what syslog and Google call them', async t => {
  const bench = new Bench({ parse: 'json', levelled: true })
  const slab = bench.place(['{"level":"Hinweis"}'])
  const { level } = slab.chunks[0]!.shape!
  const write = (number: number, as: Extract<Segment, { kind: 'level' }>['as'], slot?: number): Buffer => {
    bench.arena.kernel.bytes[slab.rowOf(0) + LAYOUT.ROW_LEVEL] = number
    return bench.render(slab, [{ kind: 'level', as, slot }]).text.subarray(0, -1)
  }
  const words = ['trace', 'debug', 'info', 'warn', 'error', 'fatal']
  for (let number = 1; number <= 24; number++) {
    t.equal(write(number, 'word').toString(), words[Math.floor((number - 1) / 4)])
    t.equal(write(number, 'number').toString(), `${number}`)
    t.equal(write(number, 'byte')[0], number)
    t.equal(write(number, 'written', level).toString(), 'Hinweis')
    t.equal(write(number, 'written').toString(), words[Math.floor((number - 1) / 4)])
  }
  t.equal(write(0, 'word').toString(), 'unknown')
  const syslog = [1, 5, 9, 10, 13, 17, 18, 21, 23].map(number => write(number, 'syslog').toString())
  t.same(syslog, ['7', '7', '6', '5', '4', '3', '2', '1', '0'])
  const google = Array.from({ length: 24 }, (_, n) => write(n + 1, 'severity').toString())
  t.same(google, [
    ...Array<string>(8).fill('DEBUG'),
    ...['INFO', 'NOTICE', 'INFO', 'INFO'],
    ...Array<string>(4).fill('WARNING'),
    ...['ERROR', 'CRITICAL', 'ALERT', 'ERROR'],
    ...['CRITICAL', 'CRITICAL', 'ALERT', 'ALERT'],
  ])
})

t.test('more fields than may be are not sent in part: the line is the message, with its time and level', async t => {
  const looking = { parse: 'json', timed: true, levelled: true } as const
  const few = '{"time":"2026-01-01T00:00:00Z","level":"info","msg":"m","a":1,"b":{"c":2}}'
  const segments = (bench: Bench, limits: Partial<FieldNames['limits']>): Segment[] => {
    const slab = bench.place([few])
    const { message, level, time } = slab.chunks[0]!.shape!
    bench.free(slab)
    const hidden = [message, level, time].map(slot => ({ slot: slot!, shown: 'always' }) as const)
    return [
      literal('{"time":"'),
      { kind: 'time', as: 'rfc3339', fallback: 0n },
      literal('","message":"'),
      { kind: 'text', slot: message, as: 'string' },
      literal('"'),
      { kind: 'when', has: 'level', show: [literal(',"level":"'), { kind: 'level', as: 'word' }, literal('"')] },
      fields({ hidden, limits: { ...ANY_FIELDS, ...limits } }),
      literal('}'),
    ]
  }
  const time = '2026-01-01T00:00:00.000Z'
  const [fits, over] = [
    { time, message: 'm', level: 'info', a: 1, b: { c: 2 } },
    { time, message: few, level: 'info' },
  ]
  const cases: [limits: Partial<FieldNames['limits']>, wanted: object][] = [
    [{}, fits],
    [{ count: 2 }, fits],
    [{ count: 1 }, over],
    // A name within a value is its name, a dot, and itself.
    [{ nameBytes: 3 }, fits],
    [{ nameBytes: 2 }, over],
    [{ valueBytes: 7 }, fits],
    [{ valueBytes: 6 }, over],
    [{ bytes: 18 }, fits],
    [{ bytes: 17 }, over],
  ]
  for (const [limits, wanted] of cases) {
    const bench = new Bench(looking)
    const said = bench.records([few, few], segments(bench, limits)).map(record => JSON.parse(record))
    t.same(said, [wanted, wanted], JSON.stringify(limits))
    t.equal(bench.arena.kernel.bared, wanted === over ? 2 : 0)
  }
})

t.test('a record with names that stand twice costs no more than a walk or two, however many they are', async t => {
  const bench = new Bench({ parse: 'json' })
  const filler = 'x'.repeat(200)
  const line = `{${Array.from({ length: 999 }, (_, n) => `"\\u006e${n % 500}":"${filler}"`).join(',')}}`
  const [record = ''] = bench.records([line], [literal('{'), fields(), literal('}')])
  t.equal(membersOf(record).length, 500)
})

t.test('a record that is cut, or shown bare, is its own message and has no fields', async t => {
  const bench = new Bench({ parse: 'json', levelled: true })
  const line = `{"level":"info","msg":"${'m'.repeat(50)}","a":"${'a'.repeat(50)}"}`
  const slab = bench.place([line, line])
  const { message } = slab.chunks[0]!.shape!
  const segments: Segment[] = [
    literal('{"m":"'),
    { kind: 'text', slot: message, as: 'string' },
    literal('",'),
    { kind: 'level', as: 'word' },
    fields(),
    literal('}'),
  ]
  const bare = bench.render(slab, segments, { bare: true }).text.toString().split('\n')
  t.equal(bare[0], `{"m":"${JSON.stringify(line).slice(1, -1)}",info}`)
  t.match(bare[1], /^\{"m":"m{50}",info,"level":"info","msg":"m+","a":"a+"\}$/)
  t.equal(bench.arena.kernel.bared, 1)
  for (let limit = 20; limit < 180; limit++) {
    const { count, text } = bench.render(slab, segments, { limit, cut: true })
    assert.equal(count, 1)
    assert.match(text.toString(), /^\{"m":"(\{.*)?",info\}\n$/)
    const said = JSON.parse(text.toString().replace(',info', ''))
    assert.ok(line.startsWith(said.m))
    assert.equal(bench.arena.kernel.bared, 0)
  }
})

t.test('a value that is not there leaves out what stands around it', async t => {
  const bench = new Bench({ parse: 'json' })
  const slab = bench.place(['{"trace_id":"0AF7651916CD43DD8448EB211C80319c","a":1}'])
  const { traceId, spanId } = slab.chunks[0]!.shape!
  bench.free(slab)
  const when = (slot: number): Inner => ({
    kind: 'when',
    has: { id: slot, bytes: 16 },
    show: [
      literal('['),
      { kind: 'when', has: { value: slot }, show: [{ kind: 'value', slot, as: 'string' }] },
      { kind: 'when', has: 'level', show: [literal('never')] },
      literal(']'),
    ],
  })
  const lines = [
    '{"trace_id":"0AF7651916CD43DD8448EB211C80319c"}',
    '{"trace_id":"00000000000000000000000000000000"}',
    '{"trace_id":"short"}',
    '{"trace_id":"0AF7651916CD43DD8448EB211C80319g"}',
    '{"a":1}',
    'no object',
  ]
  const records = bench.records(lines, [literal('<'), when(traceId!), when(spanId!), literal('>')])
  t.same(records, ['<[0AF7651916CD43DD8448EB211C80319c]>', '<>', '<>', '<>', '<>', '<>'])
})

t.test('a blank message is none where the receiver refuses such', async t => {
  const bench = new Bench({ parse: 'json' })
  const slab = bench.place(['{"msg":"x"}'])
  const { message } = slab.chunks[0]!.shape!
  bench.free(slab)
  const lines = ['{"msg":""}', '{"msg":" \\n\\t"}', '{"msg":"\\u0020"}', '{"msg":"x"}']
  const texts = (refusesBlank: boolean): string[] =>
    bench.records(lines, [{ kind: 'text', slot: message, as: 'bytes', refusesBlank }, literal('|')])
  t.same(texts(true), ['{"msg":""}|', '{"msg":" \\n\\t"}|', ' |', 'x|'])
  const slack = bench.place(lines)
  const { text } = bench.render(slack, [{ kind: 'text', slot: message, as: 'string' }, literal('|')])
  t.equal(text.toString(), '|\n \\n\\t|\n\\u0020|\nx|\n')
})
