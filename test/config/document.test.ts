/** A file's text becomes a tree, or the mistake in it is said where it was made and in a way that mends it. */
import t from 'tap'
import { copy, parseDocument, TOO_DEEP, TOO_MANY } from '../../src/config/document.ts'

const table: [says: string, text: string, line: number, found: RegExp, allowed: RegExp][] = [
  ['a list that is not closed', 'sources:\n  - paths: [/x\n', 2, /^a \[ that is not closed$/, /a \] behind/],
  ['and something behind it', 'sources:\n  - paths: [/x, /y\n    labels: {a: b}\nlog: {}\n', 2, /a \[ that/, /\]/],
  ['a map that is not closed', 'log: {level: info\nstate: {dir: /x}\n', 1, /^a \{ that is not closed$/, /a \} behind/],
  ['a quote that is not closed', "a: 1\nb: 'x\nc: d\n", 2, /^a quote that is not closed$/, /same quote/],
  ['a bracket too many', 'a: [b]]\n', 1, /a \] or \} that was not opened/, /as many/],
  ['a key one column too far left in a list', 'sources:\n  - name: a\n   paths: [/x]\n', 3, /indented less/, /column/],
  ['a key one column too far left in a map', 'a:\n  b:\n    c: 1\n   d: 2\n', 4, /as its neighbours/, /one column/],
  ['a key one column too far right', 'a:\n  - name: a\n     paths: [/x]\n', 3, /indented more than the key/, /column/],
  ['a key too far right behind a list', 'a:\n  - b: [c]\n     d: e\n', 3, /neighbours/, /column/],
  ['a colon in a text', 'a: b: c\n', 1, /second ": "/, /in quotes/],
  ['no blank behind a colon', 'a:b\nc: d\n', 1, /without "key: "/, /blank behind the colon/],
  ['a glob that begins with a brace', 'a:\n  - {a,b}.log\n', 2, /text behind a closing quote, \] or \}/, /in quotes/],
  ['a glob with braces in a list', 'a: [/x/{a,b}.log]\n', 1, /without a comma/, /in quotes/],
  ['a glob that begins with a star', 'a:\n  - *.log\n', 2, /begins with \*.*without its anchor/, /in quotes/],
  ['a variable in a list', 'a: [${X}]\n', 1, /without a comma/, /in quotes/],
  ['a date that begins with a per cent', 'a: %{yyyy}\n', 1, /begins with %/, /in quotes/],
  ['a handle', 'a: @x\n', 1, /begins with @/, /in quotes/],
  ['an exclamation mark', 'a: !x\n', 1, /unknown tag/, /in quotes/],
  ['a comment right behind a list', 'a: [b]#c\n', 1, /a # right behind a value/, /blank before a comment/],
  ['a missing comma in JSON', '{"a": 1 "b": 2}', 1, /without a comma before it/, /commas/],
  ['another program’s configuration', '[SERVICE]\n    Flush 1\n', 2, /text behind a closing/, /in quotes/],
]

for (const [says, text, line, found, allowed] of table) {
  t.test(`${says} is said where it was written`, async t => {
    const parsed = await parseDocument('c.yaml', text)
    if (parsed.kind !== 'invalid') return t.fail(parsed.kind)
    t.match(parsed.problems[0], { file: 'c.yaml', line, found, allowed })
    for (const problem of parsed.problems)
      t.ok(problem.line! <= text.trimEnd().split('\n').length, 'a line that is there')
  })
}

t.test('what is too much for the parser is refused before it is parsed', async t => {
  const many = (text: string, times: number) => text.repeat(times)
  const cases: [text: string, line: number, found: RegExp][] = [
    [many('[', 200_000), 1, /nested too deeply/],
    [`a: 1\nb: ${many('{a: ', 40)}`, 2, /nested too deeply/],
    [many('- ', 100_000), 1, /too many keys and values/],
    [many('? ', 100_000), 1, /too many keys and values/],
    [`sources:\n${many('  - {paths: [/a]}\n', 20_000)}`, 3751, /too many keys and values/],
    [`a: [${many(',', 100_000)}]`, 1, /too many keys and values/],
    [many('\n', 200_000), 1, /too many lines/],
    [many('# comment\n', 60_000), 50_001, /too many lines/],
  ]
  for (const [text, line, found] of cases) {
    const parsed = await parseDocument('c.yaml', text)
    t.match(parsed, { kind: 'invalid', problems: [{ line, found }] }, text.slice(0, 20))
  }
  const aliases = `a: &a [${many('1,', 2000)}]\nb: [${many('*a,', 90)}]\n`
  t.match(await parseDocument('c.yaml', aliases), { problems: [{ found: /too many/ }] }, 'values by alias count too')
  t.match(await parseDocument('c.yaml', many('- ', 8000)), { kind: 'invalid' })
})

t.test('brackets in texts and comments open nothing', async t => {
  const text = `a: "[[[" # {{{\nb: '[['\nc: x[[[[\nd: |\n  [\n  [\n`
  t.match(await parseDocument('c.yaml', text), { kind: 'parsed', tree: { a: '[[[', b: '[[', c: 'x[[[[', d: '[\n[\n' } })
})

t.test('a copy knows its bounds', t => {
  const limits = { deepest: 2, most: 4 }
  t.same(copy({ a: [1] }, limits), { a: [1] })
  t.equal(copy([[[1]]], limits), TOO_DEEP)
  t.equal(copy([1, 2, 3, 4], limits), TOO_MANY)
  t.end()
})
