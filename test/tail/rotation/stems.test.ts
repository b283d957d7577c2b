/** Which names may be those of rotations is told by their parts, for any number of them, in bounded time. */
import t from 'tap'
import { stemOf } from '../../../src/tail/files/names.ts'
import { Stems } from '../../../src/tail/rotation/stems.ts'

t.test('a name is told of each original whose stem it has, once', t => {
  const originals = ['/logs/app.log', '/logs/application.log', '/logs/a.log', '/logs/zz']
  const names = ['app.log', 'app.log.1', 'app-20260101.log.gz', 'old-application.log', 'aa', 'b.txt', 'app-app.log']
  const stems = new Stems(names, originals)
  for (const original of originals) {
    const name = stemOf(original)
    t.strictSame(
      stems.of(original),
      names.filter(each => each.includes(name)),
      original,
    )
  }
  t.strictSame(stems.of('/logs/unknown.log'), [])
  t.end()
})

t.test('a name that has thousands of parts, or the stems of thousands, is told of a few: the longest', t => {
  const originals = Array.from({ length: 200 }, (_, n) => `${'a'.repeat(n + 1)}.log`)
  const stems = new Stems([`${'a'.repeat(250)}.log`], originals)
  const told = originals.filter(original => stems.of(original).length > 0)
  t.equal(told.length, 16)
  t.ok(told.includes(originals.at(-1)!))
  t.end()
})

t.test('names may be added one after the other', t => {
  const stems = new Stems([], ['/logs/app.log', '/logs/b.log'])
  for (const name of ['app.log.1', 'bb', 'x-app', 'none']) stems.add(name)
  t.strictSame(stems.of('/logs/app.log'), ['app.log.1', 'x-app'])
  t.strictSame(stems.of('/logs/b.log'), ['bb'])
  t.ok(stems.has('/elsewhere/b.log'))
  t.notOk(stems.has('/logs/c.log'))
  t.end()
})
