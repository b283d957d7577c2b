/** The mutants have to follow the code that they break: what cannot be applied any more tests nothing. */
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import t from 'tap'
import { MUTANTS, misplaced, table } from './mutations.ts'
import { NAMED } from './processing/named.ts'
import { REGRESSIONS, SLOW_REGRESSIONS } from './regressions.ts'

const ROOT = resolve(import.meta.dirname, '../..')

t.test('the text that a mutant replaces stands in the program exactly once', async t => {
  t.same(misplaced(ROOT), [])
})

t.test('a mutant changes something, and has a name of its own', async t => {
  t.same(
    MUTANTS.filter(({ edits }) => edits.length === 0 || edits.some(([, before, after]) => before === after)),
    [],
  )
  t.equal(new Set(MUTANTS.map(({ name }) => name)).size, MUTANTS.length)
})

t.test('what is said to catch a mutant is there', async t => {
  const programs = [...REGRESSIONS, ...SLOW_REGRESSIONS].map(({ name }) => name)
  const ofProcessing = NAMED.map(({ name }) => name)
  for (const { name, test, program, processing } of MUTANTS) {
    if (test !== undefined) t.ok(existsSync(join(ROOT, test)), `${name}: ${test}`)
    if (program !== undefined) {
      t.ok(
        programs.some(each => each.includes(program)),
        `${name}: ${program}`,
      )
    }
    if (processing !== undefined) {
      t.ok(
        ofProcessing.some(each => each.includes(processing)),
        `${name}: ${processing}`,
      )
    }
  }
})

t.test('docs/development/testing.md lists the mutants as they are', async t => {
  t.ok(readFileSync(join(ROOT, 'docs/development/testing.md'), 'utf8').includes(`\n${table()}\n`))
})
