/** What there is no room for is counted by source and kind, and gets its turn in the listings that follow. */
import t from 'tap'
import { Withheld } from '../../../src/tail/directories/withheld.ts'

/** One listing of a directory of so many files, of which `free` more may be taken. Returns what was taken. */
function list(withheld: Withheld, names: number, known: ReadonlySet<number>, free: number): number[] {
  const taken: number[] = []
  for (let name = 0; name < names; name++) {
    if (known.has(name)) withheld.pass('files')
    else if (withheld.offer('files', 0, `/logs/${name}`, () => taken.length < free)) taken.push(name)
  }
  return taken
}

t.test('what is not taken is counted by source and kind, with the first of it', t => {
  const withheld = new Withheld(undefined, Number.POSITIVE_INFINITY)
  t.notOk(withheld.some)
  t.ok(withheld.offer('files', 0, '/logs/a', () => true))
  t.notOk(withheld.offer('files', 0, '/logs/b', () => false))
  t.notOk(withheld.offer('others', 0, '/logs/c', () => false))
  t.notOk(withheld.offer('directories', 1, '/logs/d', () => false))
  t.ok(withheld.some)
  t.strictSame(withheld.of(0), { files: 1, others: 1, directories: 0, example: '/logs/b' })
  t.strictSame(withheld.of(1), { files: 0, others: 0, directories: 1, example: '/logs/d' })
  t.equal(withheld.of(2), undefined)
  t.equal(withheld.sum('files') + withheld.sum('others') + withheld.sum('directories'), 3)
  t.end()
})

t.test('each listing goes on behind what the one before took, and begins anew at the end', t => {
  let before = new Withheld(undefined, Number.POSITIVE_INFINITY)
  t.strictSame(list(before, 10, new Set(), 4), [0, 1, 2, 3])
  const turns: number[][] = []
  for (let turn = 0; turn < 4; turn++) {
    const next = new Withheld(before, Number.POSITIVE_INFINITY)
    // What was taken before was given up again.
    turns.push(list(next, 10, new Set(), 4))
    before = next
  }
  t.strictSame(turns, [
    [4, 5, 6, 7],
    [8, 9],
    [0, 1, 2, 3],
    [4, 5, 6, 7],
  ])
  t.end()
})

t.test('no more is taken at a time than it may be, and room that was passed over is told', t => {
  const first = new Withheld(undefined, 2)
  t.strictSame(list(first, 6, new Set(), 6), [0, 1])
  t.notOk(first.early, 'it took what it might')
  const second = new Withheld(first, 5)
  t.strictSame(list(second, 6, new Set([0, 1]), 6), [2, 3, 4, 5])
  t.ok(second.early, 'it began behind the first ones and had room left')
  t.end()
})
