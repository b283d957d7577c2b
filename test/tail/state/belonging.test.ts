import t from 'tap'
import { belonging } from '../../../src/tail/state/belonging.ts'
import type { SavedGeneration } from '../../../src/tail/state/saved.ts'

function asked(roots: readonly string[], entries: readonly { source?: string; origin: string; path: string }[]) {
  const generations = entries.map(entry => ({ source: 'app', ...entry })) as unknown as SavedGeneration[]
  return belonging(
    { epoch: 'ffffffffffffffff', generations, totals: [], clean: true },
    {
      has: source => source === 'app',
      matches: (_, path) => /^\/logs\/[^/]*\.log$/.test(path),
      reaches: (_, path) => roots.some(root => path.startsWith(`${root}/`)),
    },
  )
}

t.test('what a pattern of its source matches stands, and what none matches is refused and counted', t => {
  const { checkpoint, refused } = asked(
    ['/logs'],
    [
      { origin: '/logs/a.log', path: '/logs/old/a.log.1' },
      { origin: '/secrets/token', path: '/logs/b.log' },
      { origin: '/logs/sub/c.log', path: '/logs/sub/c.log' },
      { source: 'gone', origin: '/elsewhere/d.log', path: '/elsewhere/d.log' },
    ],
  )
  t.match(checkpoint.generations, [{ origin: '/logs/a.log', path: '/logs/old/a.log.1' }, { source: 'gone' }])
  t.equal(refused, 2)
  t.end()
})

t.test('a place outside of where its source may read is forgotten, and the file is looked for by its origin', t => {
  const { checkpoint, refused } = asked(
    ['/logs', '/shared'],
    [
      { origin: '/logs/a.log', path: '/secrets/token' },
      { origin: '/logs/b.log', path: '/logs-of-others/b.log' },
      { origin: '/logs/c.log', path: '/shared/c.log' },
    ],
  )
  t.strictSame(
    checkpoint.generations.map(({ path }) => path),
    ['/logs/a.log', '/logs/b.log', '/shared/c.log'],
  )
  t.equal(refused, 0)
  t.end()
})
