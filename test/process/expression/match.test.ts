import t from 'tap'
import { LAYOUT } from '../../../src/kernel/module.ts'
import { compileEvery, compileFirst } from '../../../src/process/expression/compile.ts'
import * as layout from '../../../src/process/expression/layout.ts'
import { seedOf } from '../../support/seed.ts'
import { fuzz } from './fuzz.ts'
import { exports, layTable, layText } from './kernel.ts'
import * as twin from './twin.ts'

const first = (...expressions: string[]) => compileFirst(expressions) as Uint8Array
const every = (...expressions: string[]) => compileEvery(expressions) as Uint8Array
const utf8 = (text: string) => Buffer.from(text)

/** Where the match at `at` ends, or undefined; kernel and twin must agree. */
function matched(table: Uint8Array, text: string | Buffer, at = 0): number | undefined {
  const bytes = Buffer.from(text as string)
  const address = layTable(table)
  const start = layText(bytes, 5)
  const end = exports.longest(address, start + at, start + bytes.length, start)
  const found = end < 0 ? undefined : end - start
  t.equal(found, twin.longest(table, bytes, at)?.end, 'kernel and twin agree')
  return found
}

function accepted(table: Uint8Array, text: string | Buffer): number {
  const bytes = Buffer.from(text as string)
  const start = layText(bytes, 3)
  const mask = exports.accepts(layTable(table), start, start + bytes.length)
  t.equal(mask, twin.accepts(table, bytes), 'kernel and twin agree')
  return mask
}

t.test('both sides have the same layout of a table', t => {
  for (const [name, value] of Object.entries(LAYOUT)) {
    if (!name.startsWith('TABLE_')) continue
    t.equal((layout as Record<string, unknown>)[name.slice('TABLE_'.length)], value, name)
  }
  t.ok('TABLE_ROWS' in LAYOUT)
  t.end()
})

t.test('the engine finds what RE2 finds, on UTF-8 and on bytes that are none', t => {
  const seed = seedOf()
  const { differences, comparisons } = fuzz(2000, seed)
  t.strictSame(differences, [], `seed ${seed}`)
  t.ok(comparisons >= 2000)
  t.end()
})

t.test('the first alternative that leads to a match is taken, not the longest', t => {
  t.equal(matched(first('a|ab'), 'ab'), 1)
  t.equal(matched(first('(?:a|ab)(?:c|bcd)'), 'abcd'), 4)
  t.equal(matched(first('a*?'), 'aaa'), 0)
  t.equal(matched(first('a*?$'), 'aaa'), 3)
  t.equal(matched(first('(?:|a)*'), 'aa'), 0)
  t.equal(matched(first('(?:|a)+'), 'aa'), 0)
  t.equal(matched(first('x*'), 'aa'), 0)
  t.equal(matched(first('x'), 'aa'), undefined)
  t.equal(matched(first(''), ''), 0)
  t.end()
})

t.test('of several expressions the first that matches is said', t => {
  const table = first('ab', 'a', 'abc')
  t.equal(matched(table, 'abc'), 2)
  t.equal(exports.rule.value, 0)
  t.equal(matched(table, 'ac'), 1)
  t.equal(exports.rule.value, 1)
  t.end()
})

t.test('assertions see what stands before a place in the middle of a text', t => {
  t.equal(matched(first('^b'), 'ab', 1), undefined)
  t.equal(matched(first('(?m)^b'), 'a\nb', 2), 3)
  t.equal(matched(first('(?m)^b'), 'a b', 2), undefined)
  t.equal(matched(first('\\bb'), 'ab', 1), undefined)
  t.equal(matched(first('\\bb'), ' b', 1), 2)
  t.equal(matched(first('\\Bb'), 'ab', 1), 2)
  t.equal(matched(first('\\bé'), 'aé', 1), 3, 'é is no letter to \\b, as in RE2')
  t.equal(matched(first('a\\b'), 'aé'), 1)
  t.equal(matched(first('a$'), 'a\n'), undefined)
  t.equal(matched(first('(?m)a$'), 'a\n'), 1)
  t.end()
})

t.test('one character is one, however many bytes it has', t => {
  t.equal(matched(first('^.$'), 'é'), 2)
  t.equal(matched(first('^..$'), 'é'), undefined)
  t.equal(matched(first('^[^a]{3}$'), 'é漢😀'), 9)
  t.equal(matched(first('[é-漢]*'), 'éê漢😀'), 7)
  t.equal(matched(first('(?i)straße'), 'STRAẞE'), 8)
  t.equal(matched(first('[^a]*é'), 'xé\u00e8é'), 7, 'never ends within a character')
  t.end()
})

t.test('bytes that are no UTF-8 are the characters that a decoder makes of them', t => {
  const broken = Buffer.from('e282ff41', 'hex') // half of €, a byte that is never UTF-8, A
  t.equal(matched(first('^..A$'), broken), 4)
  t.equal(matched(first('\\x{FFFD}{2}'), broken), 3)
  t.equal(matched(first('[^\\x{FFFD}]'), broken), undefined)
  t.equal(matched(first('[a-z]'), broken), undefined)
  t.equal(matched(first('^.$'), Buffer.from('e282', 'hex')), 2, 'at the end of the text too')
  t.equal(matched(first('^.{3}$'), Buffer.from('eda080', 'hex')), 3, 'a surrogate is three')
  t.end()
})

t.test('expressions at the head of a text are decided as early as can be', t => {
  const table = every('\\s', '\\d{4}-', 'Caused by:', '$')
  t.equal(accepted(table, '\tat x'), 1)
  t.equal(accepted(table, '2026-11-27'), 2)
  t.equal(accepted(table, '20261127'), 0)
  t.equal(accepted(table, 'Caused by: x'), 4)
  t.equal(accepted(table, ''), 8)
  const both = every('a', 'ab', 'abc*d')
  t.equal(accepted(both, 'abcd'), 7)
  t.equal(accepted(both, 'abce'), 3)
  t.equal(accepted(both, 'b'), 0)
  t.equal(twin.lastSaid(every('ab*', 'ac'), utf8('abbbb')), 1, 'nothing more is said of what has matched')
  // What lies behind the place where it is decided is not looked at: bytes there change nothing, not even broken ones.
  const endless = layText(utf8(`2026-${'x'.repeat(1000)}`))
  t.equal(exports.accepts(layTable(table), endless, endless + 6), 2)
  t.end()
})

t.test('a table holds no address, and nothing outside of the text is read', t => {
  const table = first('^\\w+$')
  const text = layText(utf8('word'))
  for (const at of [0x10000, 0x10001, 0x1fff3]) {
    t.equal(exports.longest(layTable(table, at), text, text + 4, text), text + 4)
    t.equal(
      exports.longest(layTable(table, at), text, text + 3, text),
      text + 3,
      'the text ends before its last letter',
    )
  }
  t.end()
})
