/** What is said about formats becomes a table, or problems at their keys. */
import t from 'tap'
import { compileParse, parsingOf } from '../../../src/process/parse/compile.ts'
import type { ParseOptions, ParseRule } from '../../../src/process/parse/options.ts'
import { MOST_SLOTS } from '../../../src/process/parse/slots.ts'
import { pathsOf } from '../../../src/process/parse/table.ts'
import { planOf } from '../../../src/process/plan.ts'
import type { ProcessProblem } from '../../../src/process/problem.ts'
import { Finder, planFor } from './found.ts'

const RULE: ParseRule = { types: {}, fields: [], else: 'keep' }
const SOURCE = { name: 'app', maxLineBytes: 1 << 20, encoding: 'utf-8' }

function problemsOf(parse: ParseOptions['parse']): readonly ProcessProblem[] {
  const planned = planOf({ ...SOURCE, parse })
  return planned.kind === 'problems' ? planned.problems : []
}

t.test('nothing is looked for where nothing is said', async t => {
  t.strictSame(planOf(SOURCE), { kind: 'plan', plan: undefined })
  t.strictSame(planOf({ ...SOURCE, parse: 'none' }), { kind: 'plan', plan: undefined })
})

t.test('a problem names its key, what was found and what is allowed', async t => {
  t.strictSame(problemsOf(RULE), [{ path: ['parse'], found: 'neither of them', allowed: 'a map with format or match' }])
  t.match(problemsOf({ ...RULE, match: ['(?P<a>.)', '(?P<b>a(b)'] }), [
    { path: ['parse', 'match', 1], found: /^an expression, at character 1: /, allowed: /RE2/ },
  ])
  t.match(problemsOf({ ...RULE, match: 'a(?=b)(?P<c>.)' }), [
    { path: ['parse', 'match'], found: /^an expression, at character 2: / },
  ])
  t.match(problemsOf({ ...RULE, match: 'a(b)' }), [
    { path: ['parse', 'match'], found: 'an expression without a named group', hint: /\(\?P<name>…\)/ },
  ])
  t.match(problemsOf({ ...RULE, match: '(?P<ms>\\d+)', types: { m: 'number' }, fields: ['ms', 'path'] }), [
    { path: ['parse', 'types', 'm'], found: 'm', allowed: 'one of ms' },
    { path: ['parse', 'fields', 1], found: 'path', allowed: 'one of ms' },
  ])
  t.match(problemsOf({ ...RULE, format: 'json', fields: Array.from({ length: MOST_SLOTS }, (_, n) => `f${n}`) }), [
    { path: ['parse'], found: /^\d+ values that are looked for$/, allowed: `no more than ${MOST_SLOTS}` },
  ])
  t.strictSame(problemsOf({ ...RULE, format: 'json', fields: ['any.name'] }), [])
})

t.test('the same question has the same slot, and none is asked for in vain', async t => {
  const parsing = parsingOf({ parse: 'json' }, () => {})!
  const { slots } = parsing
  const status = slots.slotFor('status')
  t.equal(slots.slotFor('status'), status)
  t.equal(slots.slotFor(['status']), status)
  t.not(slots.slotFor('status', 'scalar'), status)
  t.not(slots.slotFor(['status', 'code']), status)
  t.equal(compileParse(parsing, () => {})!.slots, 3 + 4)
})

t.test('the same question gives the same bytes', async t => {
  const tables = [1, 2].map(() => planFor({ parse: ['json', 'nginx'] }, [[['a', 'b.c']]]).plan.table)
  t.strictSame(tables[0], tables[1])
})

t.test('a name with dots may be taken apart at each of them', async t => {
  t.strictSame(pathsOf('a'), [['a']])
  t.strictSame(pathsOf('a.b'), [['a', 'b'], ['a.b']])
  t.strictSame(pathsOf('a.b.c'), [['a', 'b', 'c'], ['a', 'b.c'], ['a.b', 'c'], ['a.b.c']])
  for (const name of ['a..b', '.a', 'a.', 'a.b.c.d.e']) t.strictSame(pathsOf(name), [[name]])
})

t.test('names that no multiplier tells apart are told apart all the same', async t => {
  // Of one length, with the same first eight bytes and the same last eight: one key.
  const names = Array.from({ length: 40 }, (_, n) => `prefix__${String(n).padStart(2, '0')}__suffix`)
  const { plan, slots } = planFor(
    { parse: 'json' },
    names.map(name => [name]),
  )
  const record = `{${names.map((name, n) => `"${name}":${n}`).join()}}`
  const [found] = new Finder(plan).find([record])
  t.strictSame(
    slots.map(slot => found!.values[slot!]),
    names.map((_, n) => String(n)),
  )
})
