/** What the names of rotations tell: which differ in numbers and dates only, and what in them is the name of their file. */
import t from 'tap'
import { Habits, shapeOf } from '../../../src/tail/files/names.ts'

/** What is said of `names` once a file that was followed as `origin` was found as `found`. */
function learned(origin: string, found: string, names: readonly string[]) {
  const habits = new Habits()
  habits.learn(`/logs/${origin}`, `/logs/${found}`)
  return Object.fromEntries(names.map(name => [name, habits.says(name, `/logs/${origin}`)]))
}

t.test('names of one shape differ in their numbers and dates', t => {
  const shape = shapeOf('x-20260101.Mon.2')!
  for (const name of ['x-20270315.Tue.17', 'x-1.fri.0']) t.match(name, shape)
  for (const name of ['y-20260101.Mon.2', 'x-20260101.Mon', 'x-20260101.Man.2']) t.notMatch(name, shape)
  t.equal(shapeOf('old'), undefined)
  t.end()
})

t.test('the number in the name of a file is none in the names of its rotations', t => {
  const names = ['app1.log@7', 'app1.log@12', 'app2.log@7', 'app12.log@7']
  t.strictSame(learned('app1.log', 'app1.log@3', names), {
    'app1.log@7': 'learned',
    'app1.log@12': 'learned',
    'app2.log@7': 'nothing',
    'app12.log@7': 'nothing',
  })
  t.equal(learned('1.log', '1.log@3', ['2.log@3'])['2.log@3'], 'nothing')
  t.end()
})

t.test('where it stands within another number, or not at all, numbers are numbers', t => {
  const names = ['app-2021.x@2']
  t.equal(learned('0.log', 'app-2020.x@1', names)['app-2021.x@2'], 'learned')
  t.equal(learned('app-20260101.log', 'app-20260102.x@1', names)['app-2021.x@2'], 'learned')
  t.end()
})

t.test('the stem of a path stands in the names of its rotations, unless one was called in another way', t => {
  const habits = new Habits()
  t.equal(habits.stemOf('/logs/app1.log'), 'app1')
  habits.learn('/logs/app1.log', '/logs/app1.log.3')
  habits.learn('/logs/app1.log', '/logs/app1.log.old')
  t.equal(habits.stemOf('/logs/app1.log'), 'app1')
  habits.learn('/logs/app1.log', '/logs/@400000006567a1b23c4d5e6f.s')
  t.equal(habits.stemOf('/logs/app1.log'), '')
  t.end()
})
