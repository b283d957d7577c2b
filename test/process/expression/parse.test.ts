import t from 'tap'
import { ExpressionError } from '../../../src/process/expression/failure.ts'
import { GROK } from '../../../src/process/expression/grok.ts'
import { parse } from '../../../src/process/expression/parse.ts'
import type { Expression } from '../../../src/process/expression/tree.ts'

const tree = (text: string) => {
  const parsed = parse(text)
  if (parsed instanceof ExpressionError) throw parsed
  return parsed.tree
}
const refusal = (text: string) => {
  const error = parse(text)
  return error instanceof ExpressionError ? error : t.fail(`${text} is parsed`)
}

t.test('two ways to write the same are the same tree', t => {
  const pairs: readonly (readonly [string, string])[] = [
    ['\\d', '[0-9]'],
    ['\\D', '[^0-9]'],
    ['\\s', '[\\t\\n\\f\\r ]'],
    ['\\w', '[A-Za-z0-9_]'],
    ['[[:alpha:]]', '[A-Za-z]'],
    ['[[:^digit:]]', '\\D'],
    ['[\\d\\-x]', '[-x0-9]'],
    ['[]a]', '[\\]a]'],
    ['[^]a]', '[^\\]a]'],
    ['[a-]', '[a\\-]'],
    ['.', '[^\\n]'],
    ['(?s).', '[\\x00-\\x{10FFFF}]'],
    ['\\x41\\x{42}\\103', 'ABC'],
    ['\\0', '\\x00'],
    ['\\Qa.b\\E+', 'a\\.b+'],
    ['\\Qa.b', 'a\\.b'],
    ['\\"\\/\\ \\_\\<', '"/ _<'],
    ['a{,3}', 'a\\{,3\\}'],
    ['a{x}', 'a\\{x}'],
    ['(?i)ab', '[Aa][Bb]'],
    ['(?i:a)b', '[Aa]b'],
    ['(?i)a(?-i)b', '[Aa]b'],
    ['(?:(?i)a)b', '[Aa]b'],
    ['(?i)[^a]', '[^Aa]'],
    ['(?i)k', '[Kk\u212a]'],
    ['(?i)é', '[Éé]'],
    ['(?i)\\W', '[^A-Za-z0-9_\u017f\u212a]'],
    ['(?U)a*b*?', 'a*?b*'],
    ['(?m)^$', '(?m:^)(?m:$)'],
    ['\\A\\z', '^$'],
    ['(?P<name>a)', '(?<name>a)'],
    ['a\\E', 'a'],
    ['%{YEAR}', '\\d{4}'],
    ['%{YEAR:year}', '(?<year>\\d{4})'],
    ['%{a}', '%\\{a\\}'],
  ]
  for (const [one, other] of pairs) t.strictSame(parse(one), parse(other), `${one} is ${other}`)
  t.end()
})

t.test('groups that capture have their names, in the order of their brackets', t => {
  const groups = (text: string) => (parse(text) as Expression).groups
  t.strictSame(groups('((?<a>x)(?:y)(z))%{IP:client}'), ['', 'a', '', 'client'])
  t.strictSame(groups('(?<@timestamp>x)%{IP:http.client-ip}'), ['@timestamp', 'http.client-ip'])
  t.end()
})

t.test('each name of grok is an expression without groups', t => {
  for (const [name, definition] of Object.entries(GROK)) {
    t.strictSame((parse(definition) as Expression).groups, [], name)
    t.strictSame(tree(`%{${name}}`), tree(definition))
  }
  t.end()
})

t.test('what other engines know is refused by its name, its column and what to write instead', t => {
  const cases: readonly (readonly [text: string, column: number, message: RegExp, hint: RegExp])[] = [
    ['ab(?=c)', 3, /^look-ahead is not supported/, /group/],
    ['(?!c)', 1, /^negative look-ahead/, /\[\^"\]/],
    ['a(?<=b)', 2, /^look-behind/, /group/],
    ['(?<!b)', 1, /^negative look-behind/, /\\b/],
    ['(?>a)', 1, /atomic group/, /\(\?: \)/],
    ['(a)\\1', 4, /back-reference/, /write out/],
    ['(?<x>a)\\k<x>', 8, /back-reference/, /write out/],
    ['(?P=x)', 1, /back-reference/, /write out/],
    ['a*+', 3, /possessive/, /leave the \+ out/],
    ['a{2}+', 5, /possessive/, /leave the \+ out/],
    ['(?x)a', 3, /no flag “x”/, /i, m, s or U/],
    ['a\\Z', 2, /\\Z/, /\\z/],
    ['\\u0041', 1, /\\u/, /\\x\{20AC\}/],
    ['\\pL', 1, /Unicode/, /\[\[:alpha:\]\]/],
    ['[\\b]', 2, /\\b/, /\\x08/],
    ['%{COMBINEDAPACHELOG}', 1, /%\{COMBINEDAPACHELOG\} is not known/, /HOSTNAME/],
    ['%{INT:n:int}', 1, /“:int”/, /%\{INT:n\}/],
    ['(?#note)', 1, /comment/, /leave it out/],
  ]
  for (const [text, column, message, hint] of cases) {
    const error = refusal(text)
    t.match(error, { code: 'unsupported', column, message, hint }, text)
  }
  t.end()
})

t.test('what is no expression is refused where it goes wrong', t => {
  const cases: readonly (readonly [text: string, column: number, message: RegExp])[] = [
    ['a(b', 2, /not closed/],
    ['ab)', 3, /closes no group/],
    ['[a', 1, /not closed/],
    ['[a\\', 3, /backslash/],
    ['*a', 1, /nothing to repeat/],
    ['a|+', 3, /nothing to repeat/],
    ['(?i)*', 6, /nothing to repeat/],
    ['{2}', 1, /nothing to repeat/],
    ['a**', 1, /two repetitions/],
    ['ab{3,2}', 3, /fewer/],
    ['[b-a]', 2, /ends before it begins/],
    ['[a-\\d]', 2, /ends before it begins/],
    ['[[:nope:]]', 2, /no such class/],
    ['a\\', 2, /backslash stands at the end/],
    ['\\y', 1, /\\y means nothing/],
    ['\\xg', 1, /two digits/],
    ['\\x{110000}', 1, /no such character/],
    ['(?<1a>b)', 4, /a name is/],
    ['(?<a', 4, /a name is/],
    ['(?<a>x)(?<a>y)', 8, /two groups are called a/],
    ['(?', 1, /not closed/],
    ['(?-)', 1, /flag is missing/],
    ['(?i', 1, /not closed/],
  ]
  for (const [text, column, message] of cases) t.match(refusal(text), { code: 'syntax', column, message }, text)
  t.end()
})

t.test('what is too large for a parser is refused with the number', t => {
  const cases: readonly (readonly [text: string, column: number, message: RegExp])[] = [
    ['a{1001}', 2, /1000 at most/],
    ['()'.repeat(17), 33, /more than 16 groups/],
    ['(?:'.repeat(100_000), 601, /200 deep/],
  ]
  for (const [text, column, message] of cases) t.match(refusal(text), { code: 'limit', column, message })
  t.end()
})
