import t from 'tap'
import { ExpressionError } from '../../../src/process/expression/failure.ts'
import { TRIED_BYTES, TRIED_TIMES } from '../../../src/process/expression/layout.ts'
import { type Analysis, analysis } from '../../../src/process/expression/literals.ts'
import { parsed } from '../../../src/process/expression/parse.ts'
import { compileSearch, type Search } from '../../../src/process/expression/search.ts'
import { exports, layTable, layText, searched } from './kernel.ts'

const of = (text: string) => analysis(parsed(text).tree)
const bytes = (set: Uint8Array) =>
  [...set.keys()].filter(byte => set[byte] === 1).map(byte => String.fromCharCode(byte))
/** The bytes of a fingerprint: of each place those that it may have. */
const shown = (found: Analysis) =>
  found.kind === 'everywhere' ? [] : found.fingerprint.sets.map(set => bytes(set).join(''))

const find = (expression: string, text: string | Buffer, shift = 0) => {
  const content = Buffer.from(text as string)
  return searched(layTable((compileSearch(expression) as Search).program), layText(content, shift), content.length)
}

t.test('an expression that is nothing but texts says which', t => {
  t.match(of('GET /healthz'), { kind: 'literal-only', literals: ['GET /healthz'], anyCase: false })
  t.match(of('kube-probe|ELB-HealthChecker'), { kind: 'literal-only', literals: ['kube-probe', 'ELB-HealthChecker'] })
  t.match(of('(?i)Password='), { kind: 'literal-only', literals: ['password='], anyCase: true })
  t.match(of('café'), { kind: 'literal-only', literals: ['café'] })
  for (const more of ['abc+d', '\\babc', '(?i:abc)def', 'ab[cd]x', 'abc(d)']) t.not(of(more).kind, 'literal-only', more)
  t.end()
})

t.test('the least frequent bytes at a known place are looked for', t => {
  t.match(of('eyJ[\\w-]{5,}\\.'), { kind: 'prefix', offset: 0 })
  t.strictSame(shown(of('eyJ[\\w-]{5,}\\.')), ['e', 'y', 'J'])
  t.match(of('ab\\d{3}XYZ\\d+'), { kind: 'prefix', offset: 5 })
  t.strictSame(shown(of('ab\\d{3}XYZ\\d+')), ['X', 'Y', 'Z'])
  t.strictSame(shown(of('(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}\\b')), ['A', 'BCKS', 'CI'])
  t.strictSame(shown(of('(?i)bearer\\s+\\w+')), ['Bb', 'Ee', 'Aa'])
  t.strictSame(shown(of('é+')), ['\u00c3', '\u00a9'])
  t.end()
})

t.test('what stands somewhere in each match is looked for where the beginning is no help', t => {
  t.equal(of('.*(?:Exception)').kind, 'contains')
  t.strictSame(shown(of('.*OutOfMemoryError')), ['O', 'f', 'M'])
  t.strictSame(shown(of('\\d+@[a-c]+')), ['0123456789', '@', 'abc'])
  t.match(of('\\w+ timeout=\\d+'), { kind: 'contains' })
  t.match(of('(?:\\d+|x) WARN .*'), { kind: 'contains' })
  t.end()
})

t.test('an expression without anything that must be there is tried everywhere', t => {
  for (const text of ['\\d+', '\\w+', 'a*', '', '.', '(?:abc)?', 'abc|', '[^a]{3}', '(?:xyz|\\d)']) {
    t.equal(of(text).kind, 'everywhere', text)
  }
  t.end()
})

t.test('a match is found wherever it lies against the 16 bytes that are looked at together', t => {
  for (const expression of ['eyJ\\w+', '.*eyJ', 'eyJ$', '\\beyJ', '(?i)EYJx?']) {
    for (let before = 0; before < 40; before++) {
      const found = find(expression, `${'.'.repeat(before)}eyJ`, before % 7)
      const at = expression === '.*eyJ' ? 0 : before
      if (expression !== 'eyJ\\w+') t.strictSame(found, [at, before + 3], `${expression} behind ${before}`)
      else t.equal(found, 'none', 'what lies behind the text is not part of it')
    }
  }
  t.end()
})

t.test('a match begins before a character, not within one', t => {
  t.equal(find('\\x{FFFD}', 'é€\u{1f600}'), 'none')
  t.strictSame(find('[\\x{FFFD}]', Buffer.from('c3a9a9', 'hex')), [2, 3])
  t.strictSame(find('[^é]', 'éa'), [2, 3])
  t.end()
})

t.test('a text in which everything looks like a beginning is given up, and the next one is not', t => {
  const { program, analysis: found } = compileSearch('eyJ[\\w-]{5,}\\.[\\w-]{5,}') as Search
  t.equal(found.kind, 'prefix')
  const address = layTable(program)
  const hostile = Buffer.from('eyJ-'.repeat(64 * 1024))
  const start = layText(hostile)
  t.equal(searched(address, start, hostile.length), 'gave up')
  t.equal(exports.search(address, start, start + hostile.length, start), -2, 'nothing is tried once it is used up')
  // One that fits: the tries are 4 bytes apart, and each reads to the end.
  const size = 1024
  t.ok((size * size) / 8 > TRIED_TIMES * size, 'quadratic')
  t.ok((size * size) / 8 < TRIED_TIMES * size + TRIED_BYTES * 2)
  t.equal(find('eyJ[\\w-]{5,}\\.[\\w-]{5,}', 'eyJ-'.repeat(128)), 'none')
  t.end()
})

t.test('matches that are found are paid for too, if finding their ends reads on', t => {
  const { program } = compileSearch('xyz.*!|xyz') as Search
  const address = layTable(program)
  const text = Buffer.from('xyz'.repeat(20_000))
  const start = layText(text)
  exports.allow(text.length)
  let [at, found] = [start, 0]
  for (; at >= 0; found++) {
    at = exports.search(address, at, start + text.length, start)
    if (at >= 0) at = exports.matchEnd.value
  }
  t.equal(at, -2)
  t.ok(found < 20_000)
  t.end()
})

t.test('what cannot be compiled is refused as everywhere else', t => {
  t.ok(compileSearch('(a') instanceof ExpressionError)
  t.match(compileSearch('a|'.repeat(30_000)), { code: 'limit' })
  t.end()
})
