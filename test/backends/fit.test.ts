import t from 'tap'
import { fit } from '../../src/backends/fit.ts'
import { headOf } from '../../src/head.ts'

t.test('a text is cut on a character’s edge', async t => {
  t.equal(headOf('abc', 3), 'abc')
  t.equal(headOf('abcd', 3), 'abc')
  t.equal(headOf('a€b', 3), 'a')
  t.equal(headOf('a€b', 4), 'a€')
  t.equal(headOf('😀😀', 7), '😀')
  t.equal(headOf('😀', 3), '')
})

t.test('attributes that do not fit are left out, the others stay in their order', async t => {
  const limits = { count: 2, bytes: 100, valueBytes: 10 }
  t.same(
    fit(
      [
        ['a', '1'],
        ['b', 'x'.repeat(20)],
        ['c', '3'],
      ],
      limits,
    ),
    [
      ['a', '1'],
      ['b', 'x'.repeat(10)],
    ],
  )
  t.same(
    fit(
      [
        ['a', '\u0000'.repeat(10)],
        ['b', '\u0000'.repeat(10)],
        ['c', '3'],
      ],
      { ...limits, count: 9 },
    ),
    [
      ['a', '\u0000'.repeat(10)],
      ['c', '3'],
    ],
    'counted as they stand in JSON',
  )
})
