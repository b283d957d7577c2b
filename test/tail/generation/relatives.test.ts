/** Which open files another one may be a rotation of, by name, however many there are. */
import { closeSync, openSync, statSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import t, { type Test } from 'tap'
import { inodeOf, NO_HEAD } from '../../../src/tail/files/fingerprint.ts'
import { isRelated } from '../../../src/tail/files/names.ts'
import { Generation } from '../../../src/tail/generation/generation.ts'
import { Relatives } from '../../../src/tail/generation/relatives.ts'
import { Tailer } from '../../../src/tail/generation/tailer.ts'
import { scratch } from '../../scratch.ts'

/** Tailers that share one descriptor: what counts is how they are called. */
function named(t: Test): (path: string, origin?: string) => Tailer {
  const file = join(scratch(t), 'file')
  writeFileSync(file, 'a line\n')
  const stats = statSync(file, { bigint: true })
  const fd = openSync(file, 'r')
  t.teardown(() => closeSync(fd))
  return (path, origin = path) => {
    const begun = { source: 'app', path: origin, generation: path, labels: {} }
    return new Tailer(fd, path, stats, new Generation(begun, inodeOf(stats), NO_HEAD, 7, [], path, 1n), 0)
  }
}

t.test('of all files of a directory those are told whose rotation a name may be, as names tell', t => {
  const tailer = named(t)
  const relatives = new Relatives()
  const originals = ['app.log', 'app', 'api.log', 'api-v2.log', 'log', 'a.log', 'app.log.1', '@4000.s', 'x']
  const all = originals.map(name => tailer(`/logs/${name}`))
  for (const each of all) relatives.add(each.path, each)
  relatives.add('/other/app.log', tailer('/other/app.log'))
  for (const name of ['app.log.1', 'app-20260101.log', 'app.log.2.gz', 'old-app.log', 'api-v2.log.3', 'x.bak', 'q']) {
    const expected = all.filter(({ path }) => isRelated(`/logs/${name}`, path)).map(({ path }) => basename(path))
    const found = relatives.of(`/logs/${name}`).map(({ path }) => basename(path))
    t.strictSame(found.toSorted(), expected.toSorted(), name)
  }
  t.end()
})

t.test('a file is told by the path that leads to it and by the one it began under, until both are taken out', t => {
  const tailer = named(t)
  const relatives = new Relatives()
  const moved = tailer('/logs/new.log', '/logs/app.log')
  relatives.add('/logs/app.log', moved)
  relatives.add('/logs/new.log', moved)
  relatives.add('/logs/new.log', moved)
  t.strictSame(relatives.of('/logs/app.log.1'), [moved])
  t.strictSame(relatives.of('/logs/new.log.1'), [moved])
  relatives.delete('/logs/new.log', moved)
  t.strictSame(relatives.of('/logs/new.log.1'), [])
  t.strictSame(relatives.of('/logs/app.log.1'), [moved])
  relatives.delete('/logs/app.log', moved)
  relatives.delete('/logs/app.log', moved)
  t.strictSame(relatives.of('/logs/app.log.1'), [])
  t.end()
})

t.test('names that all look like rotations of each other do not make a file be compared with all', t => {
  const tailer = named(t)
  const relatives = new Relatives()
  const most = 5000
  for (let n = 0; n < most; n++) relatives.add(`/logs/${n}.log`, tailer(`/logs/${n}.log`))
  const some = tailer('/logs/1234567.log')
  relatives.add(some.path, some)
  const found = relatives.of('/logs/1234567.log.1')
  t.ok(found.length <= 16, `${found.length}`)
  t.equal(found[0], some, 'the one whose stem is the longest is first')
  const x = 'x'.repeat(120)
  for (let n = 1; n <= 120; n++) relatives.add(`/long/${x.slice(0, n)}.log`, tailer(`/long/${x.slice(0, n)}.log`))
  t.ok(relatives.of(`/long/${x}${x}.log.1`).length <= 16)
  t.end()
})
