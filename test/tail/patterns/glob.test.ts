/** What a glob means is what a shell would make of it, and no name makes it think for long. */
import fc from 'fast-check'
import picomatch from 'picomatch'
import t from 'tap'
import { globsOf, matchesPath, parseGlob, plainNames } from '../../../src/tail/patterns/glob.ts'

const matches = (glob: string, path: string): boolean => globsOf(glob).some(each => matchesPath(each, path))

t.test('a segment matches one name', t => {
  const cases: [glob: string, yes: string[], no: string[]][] = [
    ['*', ['a', '.a', '*'], []],
    ['*.log', ['a.log', '.log', 'a.b.log'], ['a.log.1', 'log', 'a.logs']],
    ['app*', ['app', 'app.log'], ['ap', 'xapp']],
    ['a*b*c', ['abc', 'aXbYc', 'abbcc'], ['acb', 'ab']],
    ['?.log', ['a.log', '日.log', '😀.log'], ['.log', 'ab.log']],
    ['[ab].log', ['a.log', 'b.log'], ['c.log', 'ab.log']],
    ['[!ab].log', ['c.log', '].log'], ['a.log']],
    ['[^0-9]', ['a', '-'], ['0', '5', '9']],
    ['[]a]', [']', 'a'], ['[']],
    ['[a-]', ['a', '-'], ['b']],
    ['app-[[:digit:]].log', ['app-1.log'], ['app-x.log', 'app-:.log']],
    ['[😀-😂]', ['😁'], ['😃']],
    ['[', ['['], ['a']],
    ['a[b', ['a[b'], ['ab']],
    ['**.log', ['a.log'], ['a.txt']],
    ['\\*', ['*'], ['a', '\\*']],
    ['\\[prod\\]', ['[prod]'], ['p']],
    ['a\\', ['a\\'], ['a']],
    ['app (1)', ['app (1)'], ['app 1']],
    ['a(b|c)', ['a(b|c)'], ['ab']],
    ['{a,b}.log', ['a.log', 'b.log'], ['c.log', '{a,b}.log']],
    ['{a,b{c,d}}', ['a', 'bc', 'bd'], ['b']],
    ['x{,.1}', ['x', 'x.1'], []],
    ['{web}', ['web', '{web}'], ['w']],
    ['{}', ['{}'], ['']],
    ['{a', ['{a'], ['a']],
    ['a}', ['a}'], ['a']],
    ['app{8..11}', ['app8', 'app10', 'app11'], ['app1', 'app12']],
    ['{08..10}', ['08', '09', '10'], ['8']],
    ['{c..a}', ['a', 'b', 'c'], ['d']],
    ['{1..9..4}', ['1', '5', '9'], ['2']],
    ['\\{a,b\\}', ['{a,b}'], ['a']],
    ['[{]a,b[}]', ['{a,b}'], ['a']],
    ['@(a|b).log', ['a.log', 'b.log'], ['c.log', '@(a|b).log']],
    ['app?(.old)', ['app', 'app.old'], ['appx']],
    ['[[]x[]]', ['[x]'], ['x']],
    ['[\\\\]', ['\\'], ['[']],
    ['line\nfeed*', ['line\nfeed\n.log'], ['line feed']],
  ]
  for (const [glob, yes, no] of cases) {
    for (const name of yes) t.ok(matches(`/d/${glob}`, `/d/${name}`), `${glob} matches ${name}`)
    for (const name of no) t.notOk(matches(`/d/${glob}`, `/d/${name}`), `${glob} does not match ${name}`)
  }
  t.end()
})

t.test('segments reach through directories', t => {
  t.ok(matches('/a/**/*.log', '/a/x.log'))
  t.ok(matches('/a/**/*.log', '/a/b/c/x.log'))
  t.notOk(matches('/a/**/*.log', '/b/x.log'))
  t.ok(matches('/a/**', '/a/b/c'))
  t.ok(matches('/a/**', '/a/b'))
  t.ok(matches('/**/a/**/b', '/x/a/y/z/b'))
  t.ok(matches('/**/a/**/b', '/a/b'))
  t.notOk(matches('/a/*/x', '/a/b/c/x'))
  t.ok(matches('/a/{b,c/d}/x', '/a/c/d/x'))
  t.ok(matches('/a//b/./x', '/a/b/x'))
  t.ok(matches('/a/b/../x', '/a/x'))
  t.ok(matches('/a/', '/a/x'), 'a slash at the end: the files in it')
  t.notOk(matches('/a/', '/a/x/y'))
  t.end()
})

t.test('the root is the directory in front of the first segment that is no plain name', t => {
  const roots = (glob: string) => globsOf(glob).map(each => `/${plainNames(each).join('/')}`)
  t.strictSame(roots('/var/log/app/*.log'), ['/var/log/app'])
  t.strictSame(roots('/var/log/app/a.log'), ['/var/log/app'])
  t.strictSame(roots('/var/log/\\[prod\\]/*.log'), ['/var/log/[prod]'])
  t.strictSame(roots('/var/log/app (1)/*.log'), ['/var/log/app (1)'])
  t.strictSame(roots('/var/log/{a,b}/x.log'), ['/var/log/a', '/var/log/b'])
  t.strictSame(roots('/**'), ['/'])
  t.strictSame(roots('/a.log'), ['/'])
  t.strictSame(roots('/var/log/'), ['/var/log'])
  t.end()
})

t.test('what cannot be written out is refused with what is meant instead', t => {
  for (const glob of ['/a/!(b).log', '/a/+(b|c)', '/a/*(b)']) {
    const parsed = parseGlob(glob)
    t.equal(parsed.kind, 'unusable', glob)
    if (parsed.kind === 'unusable') t.match(parsed.allowed, /exclude/)
  }
  for (const glob of ['/a/[!(]b', '/a/\\!(b)', '/a/*[(]1[)].log']) t.equal(parseGlob(glob).kind, 'globs', glob)
  t.equal(parseGlob('/{1..2000}').kind, 'unusable')
  t.equal(parseGlob('/{1..999999999}').kind, 'unusable')
  t.equal(parseGlob(`/${'{a,b}'.repeat(60)}`).kind, 'unusable', 'and it does not take long')
  t.equal(parseGlob('/{1..1000}').kind, 'globs')
  t.end()
})

t.test('names that were chosen to be hard take no longer than others', t => {
  const long = 'a'.repeat(255)
  for (const glob of ['/*a*a*a*a*a*a*a*a*b', '/*-*-*-*-*-*.log', '/?*?*?*?*?*b', '/[a-c]*[a-c]*[a-c]*[a-c]*x']) {
    for (const name of [long, '1-'.repeat(127)]) {
      // What takes cubic time takes minutes for this, and the test is ended.
      let matched = 0
      for (let n = 0; n < 5000; n++) if (matches(glob, `/${name}`)) matched++
      t.equal(matched, 0, `${glob} on ${name.slice(0, 4)}…`)
    }
  }
  t.end()
})

const name = fc
  .string({ unit: fc.constantFrom('a', 'b', 'c', '.', '-', '1'), minLength: 1, maxLength: 8 })
  .filter(text => !/^\.+$/.test(text))
const piece = fc.oneof(
  { weight: 4, arbitrary: name },
  // picomatch reads `[!a]` as a set of two.
  fc.constantFrom('*', '?', '[ab]', '[^a]', '[a-c]', '{a,b}', '{a,b.c}', '*.log', '.log', '\\*', '\\a'),
)
const segment = fc.oneof(
  { weight: 4, arbitrary: fc.array(piece, { minLength: 1, maxLength: 4 }).map(parts => parts.join('')) },
  fc.constant('**'),
)

t.test('on patterns and names that people write it says what picomatch says', t => {
  const property = fc.property(
    fc.array(segment, { minLength: 1, maxLength: 4 }),
    fc.array(name, { minLength: 1, maxLength: 4 }),
    (segments, names) => {
      const glob = `/d/${segments.join('/')}`
      const path = `/d/${names.join('/')}`
      // Two stars in a row within a name mean one.
      fc.pre(!segments.some(each => each !== '**' && each.includes('**')))
      // Of `**` at the end picomatch says that the directory itself matches too, which is no file.
      fc.pre(segments.at(-1) !== '**')
      const expected = picomatch(glob, { dot: true, strictSlashes: true, flags: 's' })(path)
      return matches(glob, path) === expected
    },
  )
  fc.assert(property, { numRuns: 2000 })
  t.end()
})
