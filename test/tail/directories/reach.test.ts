/** What names mean is told from names alone, directory by directory, and comes to what the whole path means. */
import fc from 'fast-check'
import t from 'tap'
import type { Reach } from '../../../src/tail/directories/reach.ts'
import { Reaches } from '../../../src/tail/directories/reach.ts'
import { globsOf, matchesPath } from '../../../src/tail/patterns/glob.ts'
import { source } from '../rig.ts'

/** The reach in a directory below one where patterns begin. */
function down(reaches: Reaches, root: string, ...names: string[]): Reach | undefined {
  return names.reduce<Reach | undefined>((reach, name) => reach && reaches.below(reach, name), reaches.at(root))
}

t.test('where nothing below can match no reach is left', t => {
  const reaches = new Reaches([source(['/logs/*/app/*.log', '/logs/**/audit/x.log'])])
  t.equal(down(reaches, '/logs')?.taker('a.log'), undefined)
  t.ok(down(reaches, '/logs', 'x', 'app')?.taker('a.log'))
  t.equal(down(reaches, '/logs', 'x', 'app', 'y')?.taker('a.log'), undefined)
  t.ok(down(reaches, '/logs', 'a', 'b', 'c', 'audit')?.taker('x.log'))
  const narrow = new Reaches([source('/logs/*/app/*.log')])
  t.equal(down(narrow, '/logs', 'x', 'other'), undefined)
  t.equal(down(narrow, '/logs', 'x', 'app', 'y'), undefined)
  t.equal(narrow.at('/elsewhere'), undefined)
  t.end()
})

t.test('what is excluded down to the bottom is not walked into', t => {
  const reaches = new Reaches([
    source('/logs/**/*.log', { exclude: ['/logs/old/**', '/logs/tmp/', '/logs/*.debug.log'] }),
  ])
  t.equal(down(reaches, '/logs', 'old'), undefined)
  t.equal(down(reaches, '/logs', 'tmp'), undefined, 'a directory that is excluded is excluded with all that is in it')
  t.equal(down(reaches, '/logs')?.taker('a.debug.log'), undefined)
  t.ok(down(reaches, '/logs', 'x')?.taker('a.debug.log'))
  const two = new Reaches([
    source('/logs/**/*.log', { exclude: ['/logs/audit/**'] }),
    source('/logs/**/*.log', { name: 'rest' }),
  ])
  t.equal(down(two, '/logs', 'audit')?.taker('a.log')?.source.name, 'rest', 'what one excludes another may have')
  t.end()
})

t.test('the first source that wants a name gets it, and the other one is told', t => {
  const reaches = new Reaches([source('/logs/a.log'), source('/logs/*', { name: 'rest' })])
  const reach = reaches.at('/logs')!
  const taker = reach.taker('a.log')!
  t.equal(taker.source.name, 'app')
  t.equal(reach.rival('a.log', taker)?.source.name, 'rest')
  t.equal(reach.rival('b.log', reach.taker('b.log')!), undefined)
  t.end()
})

t.test('a directory is named as if it were a file only by what says more than any', t => {
  const reaches = new Reaches([source(['/logs/*', '/logs/*.log', '/logs/**'])])
  t.ok(reaches.at('/logs')?.namer('x.log'))
  t.equal(new Reaches([source('/logs/*')]).at('/logs')?.namer('x'), undefined)
  t.equal(new Reaches([source('/logs/**')]).at('/logs')?.namer('x'), undefined)
  t.end()
})

t.test('many directories have the same few reaches', t => {
  const reaches = new Reaches([source(['/logs/**/*.log', '/logs/*/x/*.txt'])])
  const met = new Set<Reach | undefined>()
  for (let n = 0; n < 100; n++)
    for (const deep of [[], ['x'], ['y'], ['x', 'z']]) met.add(down(reaches, '/logs', `d${n}`, ...deep))
  t.ok(met.size <= 4, `${met.size}`)
  t.end()
})

const name = fc.constantFrom('a', 'b', 'x.log', 'y.log', 'old')
const segment = fc.constantFrom('a', 'b', '*', '**', '*.log', '{a,b}', '[ab]', 'x.log', 'old', '?')
const glob = fc.array(segment, { minLength: 1, maxLength: 4 }).map(segments => `/${segments.join('/')}`)

t.test('step by step it comes to what the whole path means', t => {
  const property = fc.property(
    fc.array(glob, { minLength: 1, maxLength: 3 }),
    fc.array(glob, { maxLength: 2 }),
    fc.array(name, { minLength: 1, maxLength: 4 }),
    (paths, exclude, names) => {
      const any = (globs: readonly string[], path: string) =>
        globs.flatMap(globsOf).some(each => matchesPath(each, path))
      const path = `/${names.join('/')}`
      const wanted = any(paths, path) && !any(exclude, path)
      const reaches = new Reaches([source(paths, { exclude })])
      // Whichever directory the walk begins in.
      const found = names.some((_, from) => {
        const root = `/${names.slice(0, from).join('/')}`
        return down(reaches, root, ...names.slice(from, -1))?.taker(names.at(-1)!) !== undefined
      })
      return found === wanted
    },
  )
  fc.assert(property, { numRuns: 3000 })
  t.end()
})
