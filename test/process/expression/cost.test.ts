import t from 'tap'
import { costOf, type Use } from '../../../src/process/expression/cost.ts'

const kindOf = (text: string, use: Use) => costOf(text, use)?.kind

t.test('what begins with ^ in each of its alternatives is tried at the head only', t => {
  for (const text of ['^a', '(?:^a|^b)', '(^\\d+)x', '\\b^a', '\\Ax', '^\\s*$', '^a.*']) {
    t.equal(kindOf(text, 'lines'), 'head', text)
    t.equal(kindOf(text, 'captures'), 'head', text)
  }
  for (const text of ['a', '^a|b', '(?:^a)?b', '(?m)^a', 'a^', '\\ba']) {
    t.equal(kindOf(text, 'lines'), 'every byte', text)
    t.equal(kindOf(text, 'captures'), 'every byte', text)
  }
  t.end()
})

t.test('what passes over anything is not decided at the head, unless its groups have to be found anyway', t => {
  for (const text of ['^.*a', '^x(.*)a', '^(?:.|\\n)*a', '^[^"]*"']) {
    t.equal(kindOf(text, 'lines'), 'every byte', text)
    t.equal(kindOf(text, 'captures'), 'head', text)
  }
  t.end()
})

t.test('a search goes by what each match has', t => {
  t.equal(kindOf('kube-probe', 'search'), 'text')
  t.equal(kindOf('(?i)health|probe', 'search'), 'text')
  t.match(costOf('\\d+ ms: .*timeout', 'search'), { kind: 'prefilter', every: Number })
  t.equal(kindOf('^\\s*$', 'search'), 'head')
  t.equal(kindOf('\\w+\\d', 'search'), 'every byte')
  t.end()
})

t.test('a table has the size of what is compiled, and what does not compile costs nothing', t => {
  t.ok(costOf('a[bc]{1,50}d', 'search')!.bytes > costOf('a', 'search')!.bytes)
  t.equal(costOf('(a', 'lines'), undefined)
  t.equal(costOf('\\pL{1000}', 'captures'), undefined)
  t.end()
})
