/** Pairs: which records are some, and where the values of names stand, against a twin in TypeScript. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { MOST_MEMBERS } from '../../../src/process/parse/compile.ts'
import { character } from '../../character.ts'
import { Finder, planFor } from './found.ts'

const WANTED = ['a', 'ts', 'status', 'req.method', 'longer.than.eight', 'é', 'bare']
const { plan, slots } = planFor(
  { parse: 'logfmt' },
  WANTED.map(name => [name]),
)
const finder = new Finder(plan)

function values(record: string): Record<string, string> | undefined {
  const [found] = finder.find([record])
  if (found!.form !== 'pairs') return undefined
  return Object.fromEntries(
    WANTED.flatMap((name, index) => {
      const value = found!.values[slots[index]!]
      return value === undefined ? [] : [[name, Buffer.from(value, 'latin1').toString()]]
    }),
  )
}

/** The pairs of a record, or undefined: by one expression for each of them. */
function twin(record: string): [string, string][] | undefined {
  const pair = /[\0- ]*([^\0- ="]+)=("(?:[^"\\]|\\[\s\S])*"(?=[\0- ]|$)|(?!")[^\0- ]*)/y
  const pairs: [string, string][] = []
  let at = 0
  for (let found = pair.exec(record); found; found = pair.exec(record)) {
    pairs.push([found[1]!, found[2]!])
    at = pair.lastIndex
  }
  return pairs.length > 0 && /^[\0- ]*$/.test(record.slice(at)) ? pairs : undefined
}

function holds<T>(t: Test, property: fc.IProperty<T>, numRuns = 300): void {
  t.doesNotThrow(() => fc.assert(property, { numRuns }))
}

t.test('values stand as they were written, quoted ones with their quotes', async t => {
  t.strictSame(values('ts=2026-11-23T10:00:00Z status=200 a="said \\"hi\\"" req.method=GET é=è longer.than.eight=9'), {
    a: '"said \\"hi\\""',
    ts: '2026-11-23T10:00:00Z',
    status: '200',
    'req.method': 'GET',
    'longer.than.eight': '9',
    é: 'è',
  })
  t.strictSame(values('a=/x?b=c&d="e" status='), { a: '/x?b=c&d="e"', status: '' })
  t.strictSame(values('\t a="" \t status=9007199254740993\r'), { a: '""', status: '9007199254740993' })
  t.strictSame(values('a="two\nlines" status=1\nts=2'), { a: '"two\nlines"', status: '1', ts: '2' })
})

t.test('of a name that stands twice the last value holds, and it is said', async t => {
  t.strictSame(values('a=1 b=2 a=3'), { a: '3' })
  t.ok(finder.find(['a=1 b=2 a=3'])[0]!.clash)
  t.ok(finder.find(['b=1 c=2 b=3'])[0]!.clash, 'of one that nothing asked for, too')
  t.notOk(finder.find(['a=1 b=2 c=3'])[0]!.clash)
})

t.test('a sentence is none, even with a pair in it', async t => {
  const no = [
    'said hi',
    'level=info starting up',
    'starting level=info',
    '=1',
    'a=1 =2',
    'a="1',
    'a="1"2',
    'a"=1',
    '"a"=1',
  ]
  no.push('a=1 b', '{"a":1}', 'a="\\"', 'a=b="c" "', 'a')
  for (const record of no) {
    const [found] = finder.find([record])
    t.strictSame([found!.form, found!.unparsed], ['text', true], record)
    t.strictSame(twin(record), undefined)
  }
  const pairs = (count: number) => Array.from({ length: count }, (_, n) => `n${n}=${n}`).join(' ')
  t.equal(finder.find([pairs(MOST_MEMBERS)])[0]!.form, 'pairs')
  t.equal(finder.find([pairs(MOST_MEMBERS + 1)])[0]!.form, 'text', 'too many')
})

t.test('message and level have their usual names', async t => {
  const [found] = finder.find(['level=warn msg="slow query" log.level=x trace.id=abc'])
  const { message, level, traceId } = plan.shape
  t.strictSame(
    [message, level, traceId].map(slot => found!.values[slot!]),
    ['"slow query"', 'warn', 'abc'],
  )
})

t.test('pairs are those of a twin, for any text', async t => {
  const piece = fc.oneof(
    fc.constantFrom(...WANTED.flatMap(name => [`${name}=`, ` ${name}=`, `${name} `])),
    fc.constantFrom(
      '=',
      '"',
      '\\',
      '\\"',
      ' ',
      '  ',
      '\t',
      '\n',
      '="',
      '" ',
      'x',
      '"said hi"',
      'plain-text-of-more-than-16',
      'é',
      '\0',
    ),
    fc.string({ unit: character, maxLength: 20 }).map(text => text.replaceAll(/[\ud800-\udfff]/g, '')),
  )
  const pair = fc
    .tuple(fc.constantFrom(...WANTED, 'x', 'y'), fc.oneof(fc.constantFrom('', '1', '"a b"', '"\\""', 'a="b'), piece))
    .map(([name, value]) => `${name}=${value} `)
  const record = fc
    .oneof(fc.array(piece, { maxLength: 12 }), fc.array(pair, { maxLength: 12 }))
    .map(pieces => pieces.join(''))
  holds(
    t,
    fc.property(record, text => {
      // A rendering trims both: what is left is what is looked at.
      const trimmed = text.replace(/\r$/, '').replace(/^\0+/, '')
      const pairs = twin(trimmed)
      const found = values(text)
      assert.equal(found === undefined, pairs === undefined)
      if (pairs === undefined || found === undefined) return
      for (const name of WANTED) assert.equal(found[name], pairs.findLast(([each]) => each === name)?.[1])
      const names = pairs.map(([name]) => name)
      if (new Set(names).size < names.length) assert.ok(finder.find([text])[0]!.clash)
    }),
    5000,
  )
})
