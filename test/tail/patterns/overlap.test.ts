import fc from 'fast-check'
import t from 'tap'
import { globsOf, matchesPath } from '../../../src/tail/patterns/glob.ts'
import { commonPath, overlapsOf } from '../../../src/tail/patterns/overlap.ts'
import { source } from '../rig.ts'

const common = (one: string, other: string) => commonPath(globsOf(one)[0]!, globsOf(other)[0]!)

t.test('two globs have a path in common, or none', t => {
  const cases: [one: string, other: string, expected: string | undefined][] = [
    ['/a/*.log', '/a/*.log', '/a/x.log'],
    ['/a/app.log', '/a/*.log', '/a/app.log'],
    ['/a/app*', '/a/*.log', '/a/app.log'],
    ['/a/*.txt', '/a/*.log', undefined],
    ['/a/*', '/b/*', undefined],
    ['/a/**/*.log', '/a/b/c/*', '/a/b/c/x.log'],
    ['/a/**', '/a/b', '/a/b'],
    ['/a/**', '/a', undefined],
    ['/a/**/x', '/a/x', '/a/x'],
    ['/**/x', '/**/x', '/x'],
    ['/a/[ab]', '/a/[bc]', '/a/b'],
    ['/a/[ab]', '/a/[!ab]', undefined],
    ['/a/???', '/a/*bc', '/a/xbc'],
    ['/a/*', '/a/*/*', undefined],
    ['/*', '/*', '/x'],
    ['/a/.*', '/a/*.log', '/a/.log'],
  ]
  for (const [one, other, expected] of cases) {
    t.equal(common(one, other), expected, `${one} and ${other}`)
    t.equal(common(other, one) === undefined, expected === undefined, `${other} and ${one}`)
  }
  t.end()
})

t.test('what is said to be common is matched by both, and what both match is said to be common', t => {
  const segment = fc.constantFrom('a', 'ab', '*', '**', '*.log', 'a*', '?', '[ab]', '*a*')
  const glob = fc.array(segment, { minLength: 1, maxLength: 4 }).map(segments => `/${segments.join('/')}`)
  const names = fc.array(fc.constantFrom('a', 'b', 'ab', 'a.log', 'ba'), { minLength: 1, maxLength: 4 })
  const property = fc.property(glob, glob, names, (one, other, some) => {
    const both = (path: string) => [one, other].every(each => matchesPath(globsOf(each)[0]!, path))
    const path = common(one, other)
    if (path !== undefined) return both(path)
    return !both(`/${some.join('/')}`)
  })
  fc.assert(property, { numRuns: 1000 })
  t.end()
})

t.test('two sources that match the same file are named, with a file, in the order of precedence', t => {
  const found = overlapsOf([
    source('/logs/app.log', { name: 'app' }),
    source(['/other/*', '/logs/*.log'], { name: 'rest' }),
    source('/elsewhere/*', { name: 'alone' }),
  ])
  t.strictSame(found, [{ source: 'app', other: 'rest', path: '/logs/app.log' }])
  t.end()
})

t.test('what one of them excludes they do not both want, as far as that can be told', t => {
  const sources = [
    source('/logs/**/*.log', { name: 'app', exclude: ['/logs/audit/**'] }),
    source('/logs/audit/*.log', { name: 'audit' }),
  ]
  t.strictSame(overlapsOf(sources), [])
  t.end()
})
