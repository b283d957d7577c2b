/** What is said about fields, checked before the first byte is read. */
import t from 'tap'
import { type PlanSubject, planOf } from '../../../src/process/plan.ts'

const plan = (own: Partial<PlanSubject>) => planOf({ name: 'app', maxLineBytes: 65536, encoding: 'utf-8', ...own })
const choice = { rename: {}, drop: [], keep: [], flatten: false }

t.test('what cannot hold is reported at its key', async t => {
  const problems = (own: Partial<PlanSubject>) => {
    const planned = plan(own)
    return planned.kind === 'problems' ? planned.problems.map(({ path, found }) => `${path.join('.')}: ${found}`) : []
  }
  t.same(problems({ fields: choice }), ['fields: fields of records that are not parsed'])
  t.same(problems({ parse: 'json', fields: { ...choice, rename: { a: 'x', b: 'x' } } }), [
    'fields.rename.b: x, which a is called too',
  ])
  t.same(problems({ parse: 'json', fields: { ...choice, rename: { a: 'x' }, drop: ['a'] } }), [
    'fields.rename.a: a, which is dropped',
  ])
  t.same(problems({ parse: 'json', fields: { ...choice, drop: ['a'] } }), [])
})

t.test('a source that says nothing about fields has no choice of them', async t => {
  const planned = plan({ parse: 'json' })
  t.match(planned, { kind: 'plan', plan: { fields: undefined } })
})
