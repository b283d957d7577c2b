/** Names of what was found: chosen by the configuration, given way where the shipper has them, none of them twice. */
import fc from 'fast-check'
import t from 'tap'
import type { Backend } from '../../src/backends/backend.ts'
import { namingOf } from '../../src/backends/naming.ts'
import { createStdout } from '../../src/backends/stdout.ts'
import type { FieldChoice, RecordShape } from '../../src/chunk.ts'
import { Encoder } from '../../src/delivery/encoding/encoder.ts'
import { Arena, READ_AT } from '../delivery/rig.ts'
import { finding, type Looking, membersOf } from './found.ts'

const MIB = 1 << 20

const choice = (own: Partial<FieldChoice>): FieldChoice => ({ rename: {}, drop: [], keep: [], ...own })

/** What a backend sends of these lines. */
function sent(
  lines: readonly string[],
  looking: Looking,
  backend: Backend = createStdout({ format: 'ndjson' }),
): string {
  const arena = new Arena(4 * MIB, 0, finding(looking))
  const slab = arena.slab({ lines })
  const { kernel, budget } = arena
  const encoder = new Encoder({ kernel, budget, backend, maxBytes: MIB, maxRecords: 1000 })
  const payload = encoder.encode(slab, [{ from: 0, to: slab.frames }], MIB)
  if (payload.kind !== 'payload') throw new Error(payload.kind)
  return payload.view.toString()
}

const records = (lines: readonly string[], looking: Looking): [string, string][][] =>
  sent(lines, looking)
    .trimEnd()
    .split('\n')
    .map(line => membersOf(line).filter(([name]) => !['timestamp', 'message', 'file'].includes(name)))

const SOURCE: [string, string] = ['source', '"app"']

t.test('values are renamed, dropped and kept by the names that the line has', async t => {
  const line = '{"msg":"m","lvl":1,"pid":2,"source":"x","user":"u"}'
  const of = (own: Partial<FieldChoice>, text = line) => records([text], { parse: 'json', choices: [choice(own)] })[0]
  t.same(of({ rename: { lvl: 'rank' }, drop: ['pid'] }), [
    ['rank', '1'],
    ['line_source', '"x"'],
    ['user', '"u"'],
    SOURCE,
  ])
  t.same(of({ keep: ['pid', 'source'], rename: { user: 'who' } }), [
    ['pid', '2'],
    ['line_source', '"x"'],
    ['who', '"u"'],
    SOURCE,
  ])
  t.same(
    of({ rename: { lvl: 'pid' } }),
    [['lvl', '1'], ['pid', '2'], ['line_source', '"x"'], ['user', '"u"'], SOURCE],
    'the record has a value of that name: both keep theirs',
  )
  t.same(of({ rename: { lvl: 'source' }, keep: ['nothing'] }), [['line_source', '1'], SOURCE])
  t.same(of({ drop: ['msg'] }, '{"msg":"m"}'), [SOURCE], 'a message is no field')
  t.match(sent(['{"msg":"m"}'], { parse: 'json', choices: [choice({ drop: ['msg'] })] }), /"message":"m"/)
})

t.test('one choice comes after the other, and goes by the names that the first gives', async t => {
  const choices = [choice({ rename: { a: 'b', c: 'd' }, drop: ['x'] }), choice({ rename: { b: 'e' }, drop: ['d'] })]
  t.same(records(['{"a":1,"c":2,"x":3,"y":4}'], { parse: 'json', choices })[0], [['e', '1'], ['y', '4'], SOURCE])
})

t.test('what an expression found and pairs obey the same choices', async t => {
  const choices = [choice({ rename: { n: 'number' }, drop: ['b'] })]
  const match = { match: '^(?<n>\\d+) (?<a>\\S+) (?<b>\\S+) (?<source>.*)', types: { n: 'number' as const } }
  const parse = { ...match, fields: [], else: 'keep' as const }
  t.same(records(['007 x y z', '7 x y z'], { parse, choices }), [
    [['number', '"007"'], ['a', '"x"'], ['line_source', '"z"'], SOURCE],
    [['number', '7'], ['a', '"x"'], ['line_source', '"z"'], SOURCE],
  ])
  t.same(records(['n=7 b=1 a=x'], { parse: 'logfmt', choices })[0], [['number', '"7"'], ['a', '"x"'], SOURCE])
})

t.test('no two values are given one name, whatever is chosen and whatever the shipper has', async t => {
  const name = fc.constantFrom('a', 'b', 'c', 'line_a', 'line_line_a', 'log.a', 'line_log.a', '')
  const names = fc.array(name, { maxLength: 4 })
  const chosen = fc.record({ rename: fc.dictionary(name, name, { maxKeys: 4 }), drop: names, keep: names })
  const slots = fc
    .uniqueArray(name.filter(Boolean))
    .map(all => all.map((name, slot) => ({ name, slot, number: false })))
  const property = fc.property(fc.array(chosen, { maxLength: 2 }), slots, names, (choices, slots, ours) => {
    const shape = { choices, slots } as unknown as RecordShape
    const { rules, named } = namingOf(shape, ours, ['log.'])
    const given = rules.flatMap(rule => ('other' in rule ? [rule.other] : []))
    const sentAs = named.map(({ name }) => name).filter(Boolean)
    for (const all of [given, sentAs]) {
      if (new Set(all).size < all.length) return false
      if (all.some(name => (ours as readonly string[]).includes(name) || name === '' || name.startsWith('log.')))
        return false
    }
    return true
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 1000 }))
})

t.test('a label that is called as what is found gives way', async t => {
  const arena = new Arena(MIB, 0, finding({ parse: 'json', levelled: true, repeated: [2] }))
  const slab = arena.slab({
    lines: ['{"level":"info","a":1}'],
    origin: {
      source: 'app',
      path: '/a.log',
      generation: '0'.repeat(16),
      labels: { level: 'x', repeated: 'y', team: 't' },
    },
  })
  const { kernel, budget } = arena
  const backend = createStdout({ format: 'ndjson' })
  const encoder = new Encoder({ kernel, budget, backend, maxBytes: MIB / 4, maxRecords: 10 })
  const payload = encoder.encode(slab, [{ from: 0, to: 1 }], MIB / 4)
  t.equal(payload.kind, 'payload')
  const members = payload.kind === 'payload' ? membersOf(payload.view.toString()) : []
  t.same(members.slice(2), [
    ['level', '"info"'],
    ['repeated', '2'],
    ['a', '1'],
    SOURCE,
    ['file', '"/a.log"'],
    ['team', '"t"'],
  ])
})

/** A backend that takes records of a day, and no longer. */
const old: Backend = {
  ...createStdout({ format: 'ndjson' }),
  limits: { payloadBytes: MIB, records: 1000, age: 24 * 3_600_000 },
}

t.test('a time that the backend does not take any more is a field, and the record has that of reading', async t => {
  const at = (hours: number): string => new Date(READ_AT + hours * 3_600_000).toISOString()
  const lines = [-17, -19, 0.1, 1].map(hours => `{"ts":"${at(hours)}","msg":"m"}`)
  const shown = sent(lines, { parse: 'json', timed: true }, old).trimEnd().split('\n')
  const said = shown.map(line => JSON.parse(line))
  t.same(
    said.map(({ timestamp }) => timestamp.slice(0, 19)),
    [at(-17), at(0), at(0.1), at(0)].map(at => at.slice(0, 19)),
  )
  t.same(
    said.map(({ ts }) => ts),
    [undefined, at(-19), undefined, at(1)],
  )
})

t.test('a record whose fields are longer than its line may be goes as its line, whole', async t => {
  const arena = new Arena(
    MIB,
    0,
    finding({ parse: { match: '^(?<a>(?<b>(?<c>(?<d>.*))))', types: {}, fields: [], else: 'keep' } }),
  )
  const line = 'x'.repeat(3000)
  const slab = arena.slab({ lines: ['y', line] })
  const backend = {
    ...createStdout({ format: 'ndjson' }),
    limits: { payloadBytes: MIB, records: 10, recordBytes: 4096 },
  }
  const { kernel, budget } = arena
  const encoder = new Encoder({ kernel, budget, backend, maxBytes: MIB / 4, maxRecords: 10 })
  const payload = encoder.encode(slab, [{ from: 1, to: 2 }], MIB / 4)
  if (payload.kind !== 'payload') throw new Error(payload.kind)
  const record = JSON.parse(payload.view.toString())
  t.same([record.message, record.a, record.truncated], [line, undefined, undefined])
  t.match(payload.alterations, [{ bared: 1, cut: 0 }])
})

const FLAT = { parse: 'json', choices: [choice({ flatten: true })] } as const

t.test('members of objects are values of their own, and what is none stays one value', async t => {
  const of = (line: object | string, own: Partial<FieldChoice> = {}) => {
    const text = typeof line === 'string' ? line : JSON.stringify(line)
    const [record] = records([text], { parse: 'json', choices: [choice({ flatten: true, ...own })] })
    return record!.filter(([name]) => name !== 'source').map(([name, value]) => `${name}=${value}`)
  }
  const http = { http: { method: 'GET', url: { path: '/', query: {} }, codes: [{ a: 1 }] }, x: null }
  t.same(of(http), ['http.method="GET"', 'http.url.path="/"', 'http.url.query={}', 'http.codes=[{"a":1}]', 'x=null'])
  t.same(of(' { "a" : { "b" : 1 , "c" : { } } , "d" : 2 } '), ['a.b=1', 'a.c={ }', 'd=2'])
  t.same(of(http, { drop: ['http.url', 'http.codes'] }), ['http.method="GET"', 'x=null'])
  t.same(of(http, { keep: ['http.url.path', 'x'] }), ['http.url.path="/"', 'x=null'])
  t.same(of(http, { keep: ['http.url'] }), ['http.url={"path":"/","query":{}}'])
  t.same(of(http, { rename: { 'http.method': 'verb' }, keep: ['x'] }), ['verb="GET"', 'x=null'])
  t.same(of({ source: { a: 1 }, b: { source: 2 } }), ['line_source={"a":1}', 'b.source=2'], 'a name that is ours')
  t.same(of('{"a":{"b":1},"a.b":2}'), ['a.b=2'], 'of two that are equal the last holds')
  t.same(of('{"a.b":2,"c":3,"\\u0061":{"b":1},"a":{"b":5}}'), ['c=3', 'a.b=5'])
  t.same(of('{"a":{"b":1,"b":2,"b.c":3},"a.b.c":4}'), ['a.b=2', 'a.b.c=4'])
  const [pairs] = records(['a={"b":1} c=2 d=3'], { parse: 'logfmt', choices: [choice({ flatten: true, drop: ['d'] })] })
  t.same(pairs!.slice(0, 2), [
    ['a', '"{\\"b\\":1}"'],
    ['c', '"2"'],
  ])
  t.notOk(
    pairs!.some(([name]) => name === 'd'),
    'pairs hold no objects, and obey the other choices',
  )
})

t.test('objects that are too deep, or have a name that is too long, stay one value', async t => {
  const deep = (levels: number): object => (levels === 0 ? { end: 1 } : { k: deep(levels - 1) })
  const [nine] = records([JSON.stringify(deep(8))], FLAT)
  t.same(nine![0], ['k.k.k.k.k.k.k.k.end', '1'])
  const [ten] = records([JSON.stringify(deep(9))], FLAT)
  t.same(ten![0], ['k.k.k.k.k.k.k.k.k', '{"end":1}'])
  const [fits, not] = [470, 480].map(bytes => records([JSON.stringify({ a: { ['n'.repeat(bytes)]: 1 } })], FLAT)[0]!)
  t.equal(fits![0]![0], `a.${'n'.repeat(470)}`)
  t.same(not![0]![0], 'a')
  const wide = JSON.stringify({ [`top${'x'.repeat(2000)}`]: 1, b: { c: 2 } })
  t.same(
    records([wide], FLAT)[0]!
      .slice(0, 2)
      .map(([name]) => name.length),
    [2003, 3],
  )
})

t.test('a record has its flattened values once each, whatever it is', async t => {
  const names = ['a', 'b', 'a.b', 'b.a', 'c', 'ä', 'say "hi"', 'a\n']
  const { value } = fc.letrec(tie => ({
    value: fc.oneof(
      { maxDepth: 10 },
      fc.oneof(fc.integer(), fc.string({ maxLength: 3 }), fc.constant(null), fc.constant([{ a: 1 }]), fc.constant({})),
      { weight: 3, arbitrary: tie('object') },
    ),
    object: fc.dictionary(fc.constantFrom(...names), tie('value'), { maxKeys: 4, noNullPrototype: true }),
  }))
  const wanted = (members: object, path = '', depth = 0): [string, string][] =>
    Object.entries(members).flatMap(([name, each]) => {
      const opens = typeof each === 'object' && each !== null && !Array.isArray(each) && depth < 8
      if (opens && Object.keys(each).length > 0) return wanted(each, `${path}${name}.`, depth + 1)
      return [[`${path}${name}`, JSON.stringify(each)]]
    })
  const objects = fc.sample(fc.dictionary(fc.constantFrom(...names), value, { maxKeys: 6, noNullPrototype: true }), 400)
  const lines = objects.map(each => JSON.stringify(each))
  const flat = Array.from({ length: 20 }, (_, n) => records(lines.slice(20 * n, 20 * n + 20), FLAT)).flat()
  for (const [at, members] of objects.entries()) {
    const all = wanted(members)
    const last = all.filter(([name], index) => all.findLastIndex(([other]) => other === name) === index)
    t.strictSame(
      flat[at]!.filter(([name]) => name !== 'source'),
      last,
      lines[at]!,
    )
  }
})

t.test('a record with more flattened values than there may be is its line', async t => {
  const many = Object.fromEntries(Array.from({ length: 900 }, (_, n) => [`n${n}`, n]))
  t.equal(records([JSON.stringify({ msg: 'm', a: many })], FLAT)[0]!.length, 901)
  const line = JSON.stringify({ msg: 'm', a: many, b: many })
  t.same(records([line], FLAT), [[SOURCE]])
  t.equal(JSON.parse(sent([line], FLAT)).message, line)
})

t.test('of flattened values that are equal the last is sent, of however many', async t => {
  const equal = Array.from({ length: 900 }, (_, n) => `"n":${n}`).join(',')
  t.strictSame(records([`{"msg":"m","o":{${equal}},"z":1}`], FLAT)[0]!.slice(0, 2), [
    ['o.n', '899'],
    ['z', '1'],
  ])
  const few = Array.from({ length: 40 }, (_, n) => `"n${n % 20}":{"m":${n}}`).join(',')
  t.equal(records([`{${few}}`], FLAT)[0]!.length, 21)
})

t.test('a record with very many pairs of equal names among its flattened values is its line', async t => {
  const names = Array.from({ length: 990 }, (_, n) => `"n${n % 495}":${n}`).join(',')
  const line = `{"msg":"m","o":{${names}}}`
  t.same(records([line], FLAT), [[SOURCE]])
  t.equal(JSON.parse(sent([line], FLAT)).message, line)
})
