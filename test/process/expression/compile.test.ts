import t from 'tap'
import { compileEvery, compileFirst, table } from '../../../src/process/expression/compile.ts'
import { ExpressionError } from '../../../src/process/expression/failure.ts'
import { BYTES, FIRST } from '../../../src/process/expression/layout.ts'
import { MOST_TABLE_BYTES, Work } from '../../../src/process/expression/limits.ts'
import { parsed } from '../../../src/process/expression/parse.ts'

const refused = (...expressions: string[]) => {
  const error = compileFirst(expressions)
  return error instanceof ExpressionError ? error : t.fail(`${expressions} compiles`)
}

t.test('an expression that is too large is refused with the number and what to do', t => {
  const cases: readonly (readonly [expression: string, message: RegExp])[] = [
    ['(?:(?:a{1,100}){1,100}){1,100}', /more than 20000 places/],
    ['[^a]{1000}', /needs \d+ states, and 4096 is the most/],
    ['.{500}x', /a table of \d+ bytes, and 65536 is the most/],
    ['(a|b)*a(a|b){14}', /more than 2000000 steps/],
    ['(?:(?:(?:){1000}){1000}){1000}', /more than 2000000 steps/],
  ]
  for (const [expression, message] of cases) {
    t.match(refused(expression), { code: 'limit', column: 1, message, hint: /shorten the expression/ }, expression)
  }
  t.match(refused(...Array.from({ length: 17 }, () => 'a')), { code: 'limit', hint: /16 at most/ })
  t.end()
})

t.test('compiling is bounded by steps, so the same expression takes the same anywhere', t => {
  const steps = () => {
    const work = new Work()
    table([parsed('%{IPORHOST:host} %{NUMBER:took}').tree], FIRST, work)
    return work.left
  }
  t.equal(steps(), steps())
  t.throws(() => table([parsed('abc').tree], FIRST, new Work(100)), { code: 'limit' })
  t.end()
})

t.test('an error says which of several expressions it is about', t => {
  t.match(compileEvery(['a', 'b', '(c']), { code: 'syntax', index: 2, column: 1 })
  t.end()
})

t.test('the same expressions become the same bytes, and a table knows its size', t => {
  const one = compileFirst(['^(?i)caused by: .*é']) as Uint8Array
  t.strictSame(compileFirst(['^(?i)caused by: .*é']), one)
  t.equal(new DataView(one.buffer).getUint32(BYTES, true), one.length)
  t.ok(one.length <= MOST_TABLE_BYTES)
  t.end()
})

t.test('expressions that say the same become tables of the same size', t => {
  const size = (expression: string) => (compileFirst([expression]) as Uint8Array).length
  t.equal(size('a|b|c'), size('[a-c]'))
  t.equal(size('(?:(?:a*)*)*'), size('a*'))
  t.equal(size('ab|ac'), size('a(?:b|c)'))
  t.equal(size('[^"]*"'), size('(?:[^\\x80-\\x{10FFFF}"]|[\\x80-\\x{10FFFF}])*"'))
  t.end()
})
