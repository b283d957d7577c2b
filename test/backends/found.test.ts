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
