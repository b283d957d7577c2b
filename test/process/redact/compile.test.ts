import t from 'tap'
import type { ProcessProblem } from '../../../src/process/problem.ts'
import { compileRedact } from '../../../src/process/redact/compile.ts'
import { planFor, type Say } from './rig.ts'

const problem = (redact: Say): ProcessProblem | undefined => {
  const problems: ProcessProblem[] = []
  compileRedact({ redact }, each => problems.push(each))
  return problems[0]
}

t.test('what is wrong is reported at its key', async t => {
  t.same(problem({}), { path: ['redact'], found: 'none of them', allowed: 'rules, keys, match, or several of them' })
  t.match(problem({ rules: 'pan', how: 'replace', keep: 4 }), {
    path: ['redact', 'keep'],
    found: 'keep beside how: replace',
  })
  t.match(problem({ rules: 'pan', how: 'hash' }), { path: ['redact', 'key'], found: 'no key' })
  t.match(problem({ rules: 'pan', how: 'mask', key: { env: 'K' } }), { path: ['redact', 'key'] })
  t.equal(problem({ rules: 'pan', keep: 4 }), undefined, 'keep says how')
})

t.test('a rule is compiled once, whatever it is asked for by, and all of them take few bytes', async t => {
  const { redact } = planFor(['secrets', 'password', 'pii', 'email'])
  t.equal(new Set(redact!.rules).size, redact!.rules.length)
  t.same(redact!.rules, planFor(['email', 'pii', 'secrets']).redact!.rules, 'their order is always the same')
  t.ok(redact!.table.length <= 4864, `${redact!.table.length} bytes`)
  t.equal(planFor({ keys: Array.from({ length: 64 }, (_, n) => `key-${n}`) }).redact!.rules.length, 64)
})

t.test('nothing is compiled where nothing is said', async t => {
  t.equal(
    compileRedact({}, () => t.fail()),
    undefined,
  )
  t.equal(
    compileRedact({ redact: 'none' }, () => t.fail()),
    undefined,
  )
})

t.test('what is wrong with an expression is said with its column and what to write instead', async t => {
  t.match(problem({ match: { order: 'order=(?=x)' } }), {
    path: ['redact', 'match', 'order'],
    found: /look.*column 7/i,
    allowed: 'an expression in the syntax of RE2',
    hint: /./,
  })
  t.match(problem({ match: { order: ['a', '(b'] } }), { path: ['redact', 'match', 'order', 1], found: /column 1/ })
  t.match(problem({ match: { order: 'order=(?<id>[0-9]+)' } }), {
    found: 'the group id means nothing here, column 7',
    hint: /\(\?<secret> \)/,
  })
  t.match(problem({ match: { order: 'x*' } }), {
    found: 'the expression also matches where nothing stands, column 1',
    hint: /\+/,
  })
  t.match(problem({ match: { order: '(?:a{1000}){1000}' } }), { path: ['redact', 'match', 'order'], hint: /shorten/ })
  t.match(problem({ keys: 'Order', match: { order: 'a' } }), {
    path: ['redact', 'match', 'order'],
    found: 'a name that another rule or key has',
  })
  const large = Object.fromEntries(Array.from({ length: 12 }, (_, n) => [`r${n}`, `${n}(?<secret>.{200}[a-z].{5})x`]))
  t.match(problem({ match: large }), { path: ['redact', 'match'], allowed: 'tables of 524288 bytes' })
})

t.test('expressions have numbers behind those of rules and keys', async t => {
  const { redact } = planFor({ rules: 'pan', keys: 'id', match: { one: 'a', two: ['b', 'c(?<secret>d)'] } })
  t.same(redact!.rules, ['pan', 'id', 'one', 'two'])
  t.ok(redact!.room > planFor({ match: { one: 'a' } }).redact!.room, 'a group needs room')
  t.equal(planFor('pan').redact!.room, 0)
})
