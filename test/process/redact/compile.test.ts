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
  t.same(problem({}), { path: ['redact'], found: 'none of them', allowed: 'rules, keys, or both' })
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
  t.ok(redact!.table.length < 4096, `${redact!.table.length} bytes`)
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
