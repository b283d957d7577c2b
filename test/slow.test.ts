/** Every test is run by `npm test` or by `npm run test:slow`, and by one of them only. */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import t from 'tap'
import { suites } from './slow.ts'

const ROOT = join(import.meta.dirname, '..')
const { all, slow } = suites()
const tap = (...args: string[]) =>
  execFileSync(join(ROOT, 'node_modules/.bin/tap'), ['list', ...args], { cwd: ROOT, encoding: 'utf8' })
    .trim()
    .split('\n')

t.test('no pattern of slow tests is out of date', t => {
  for (const [pattern, paths] of slow) t.not(paths.length, 0, pattern)
  t.end()
})

t.test('the two suites are all tests, and have none in common', t => {
  const theirs = [...slow.values()].flat()
  t.equal(new Set(theirs).size, theirs.length, 'one pattern for each')
  const others = tap()
  t.strictSame([...theirs, ...others].toSorted(), all)
  t.strictSame(tap('--exclude=none').toSorted(), all, 'npm run test:all')
  t.end()
})
