/** What may be a copy is held back until a truncation explains it, but not for ever. */
import { appendFileSync, closeSync, fstatSync, openSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { OpenFile } from '../../../src/tail/files/open.ts'
import { PossibleCopies } from '../../../src/tail/following/possible-copies.ts'
import type { Found } from '../../../src/tail/watching/sweep.ts'
import { scratch } from '../../scratch.ts'

const ORIGINAL = { size: 1000, generation: { key: '0011223344556677' } }

function holding(t: Test) {
  const dir = scratch(t)
  const copies = new PossibleCopies()
  const descriptors: number[] = []
  t.teardown(() => {
    for (const path of copies.paths()) copies.clear(path)
  })
  return {
    dir,
    copies,
    descriptors,
    path: (name: string) => join(dir, name),
    /** Opens the file anew, as each look does, and holds it back. */
    hold: (name: string, now: number, original = ORIGINAL): boolean => {
      const path = join(dir, name)
      const fd = openSync(path, 'r')
      descriptors.push(fd)
      const opened: OpenFile = { kind: 'open', fd, stats: fstatSync(fd, { bigint: true }) } as OpenFile
      return copies.hold({ path } as Found, opened, original, now)
    },
  }
}

const isOpen = (fd: number): boolean => {
  try {
    return fstatSync(fd).size >= 0
  } catch {
    return false
  }
}

t.test('a file that does not grow is held back for five seconds', t => {
  const { hold, path, copies, descriptors } = holding(t)
  writeFileSync(path('app.log.1'), 'a copy')
  t.ok(hold('app.log.1', 10_000))
  t.ok(hold('app.log.1', 15_000))
  t.strictSame(descriptors.map(isOpen), [true, false], 'one is kept open')
  t.notOk(hold('app.log.1', 15_001))
  const third = descriptors.at(-1)!
  t.ok(isOpen(third), 'and this one is given back')
  closeSync(third)
  t.ok(copies.has(path('app.log.1')), 'until it is said what it is')
  t.ok(copies.clear(path('app.log.1')))
  t.notOk(isOpen(descriptors[0]!))
  t.notOk(copies.clear(path('app.log.1')))
  t.end()
})

t.test('one that grows towards the size of its original is waited for, for two minutes at the most', t => {
  const { hold, path } = holding(t)
  writeFileSync(path('app.log.1'), 'a copy')
  for (let now = 0; now <= 120_000; now += 4000) {
    t.ok(hold('app.log.1', now), `${now}`)
    appendFileSync(path('app.log.1'), '.')
  }
  t.notOk(hold('app.log.1', 120_001))
  t.end()
})

t.test('one that is as large as its original grows no more as a copy', t => {
  const { hold, path } = holding(t)
  writeFileSync(path('app.log.1'), 'x'.repeat(1000))
  t.ok(hold('app.log.1', 0))
  appendFileSync(path('app.log.1'), 'more')
  t.ok(hold('app.log.1', 5000))
  t.notOk(hold('app.log.1', 5001))
  t.end()
})

t.test('another file under the name begins anew, and the descriptor of the former is closed', t => {
  const { hold, path, descriptors } = holding(t)
  writeFileSync(path('app.log.1'), 'a copy')
  t.ok(hold('app.log.1', 0))
  writeFileSync(path('next'), 'another')
  renameSync(path('next'), path('app.log.1'))
  t.ok(hold('app.log.1', 60_000))
  t.strictSame(descriptors.map(isOpen), [false, true])
  t.end()
})

t.test('sixteen are kept open; of the others only the name is known', t => {
  const { hold, path, copies } = holding(t)
  for (let n = 0; n < 20; n++) {
    writeFileSync(path(`${n}.log`), 'a copy')
    t.ok(hold(`${n}.log`, 0))
  }
  const open = [...copies.open()]
  t.equal(open.length, 16)
  t.match(open[0], { path: path('0.log'), of: ORIGINAL.generation.key, compared: 6n })
  t.equal(copies.paths().length, 20)
  const { fd } = copies.get(path('0.log'))!.opened!
  copies.release(path('0.log'))
  t.ok(isOpen(fd), 'what is released is handed over')
  closeSync(fd)
  t.end()
})
