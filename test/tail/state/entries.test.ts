import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { membersOf } from '../../../src/tail/state/entries.ts'

const split = (text: string, most = 1000) => membersOf(Buffer.from(text), most)
const parsed = (bytes: Buffer | undefined) => (bytes === undefined ? undefined : JSON.parse(bytes.toString()))

t.test('members and elements are what JSON.parse finds', t => {
  const name = fc.stringMatching(/^\w{1,20}$/).filter(each => each !== '__proto__')
  fc.assert(
    fc.property(fc.dictionary(name, fc.jsonValue({ maxDepth: 4 })), value => {
      const { members } = split(JSON.stringify(value))!
      const found = [...members].map(([key, member]) => [
        key,
        member.kind === 'value' ? parsed(member.bytes) : member.elements.map(parsed),
      ])
      assert.deepEqual(Object.fromEntries(found), JSON.parse(JSON.stringify(value)))
    }),
    { numRuns: 500 },
  )
  t.end()
})

t.test('any bytes are members or nothing', t => {
  fc.assert(fc.property(fc.string({ unit: fc.constantFrom(...'{}[],:"\\a1 ') }), text => void split(text)))
  t.equal(split('{"a":[1,2]'), undefined)
  t.equal(split('{"a":"never ends}'), undefined)
  t.equal(split('{"a":1,"a":2}'), undefined, 'a name that stands twice')
  t.end()
})

t.test('of an array the last elements are kept, and the others counted', t => {
  const numbers = Array.from({ length: 50 }, (_, n) => n)
  const { members, dropped } = split(JSON.stringify({ all: numbers }), 10)!
  const all = members.get('all')
  t.strictSame(all?.kind === 'array' && all.elements.map(parsed), numbers.slice(-10))
  t.equal(dropped, 40)
  t.end()
})

t.test('what is nested too deep, or is too long, is no element; what stands beside it is', t => {
  const deep = `${'['.repeat(100)}${']'.repeat(100)}`
  const { members } = split(
    `{"all":[1,${deep},"${'x'.repeat(1 << 20)}",2],"deep":${'{"a":'.repeat(50)}1${'}'.repeat(50)}}`,
  )!
  const all = members.get('all')
  t.strictSame(all?.kind === 'array' && all.elements.map(parsed), [1, undefined, undefined, 2])
  t.strictSame(members.get('deep'), { kind: 'value', bytes: undefined })
  t.end()
})

t.test('ten megabytes of brackets, or of empty objects, cost a pass and nothing else', t => {
  t.equal(split(`{"generations":${'['.repeat(10_000_000)}`), undefined)
  const { members, dropped } = split(`{"generations":[${'{},'.repeat(3_000_000)}{}]}`)!
  const all = members.get('generations')
  t.equal(all?.kind === 'array' && all.elements.length, 1000)
  t.equal(dropped, 2_999_001)
  t.end()
})
