import t from 'tap'
import { duration, formatDuration, parseDuration } from '../src/duration.ts'

t.test('durations are read as people write them', async t => {
  const table: [string, number | undefined][] = [
    ['0', 0],
    ['0s', 0],
    ['500ms', 500],
    ['1s', 1000],
    ['1.5s', 1500],
    ['2m', 120_000],
    ['1m30s', 90_000],
    ['1h', 3_600_000],
    ['', undefined],
    ['5', undefined],
    ['s', undefined],
    ['-1s', undefined],
    ['1 s', undefined],
    ['1d', undefined],
    ['1s1', undefined],
    ['1..5s', undefined],
  ]
  for (const [text, milliseconds] of table) t.equal(parseDuration(text), milliseconds, text)
})

t.test('a duration is written so that reading it gives the same', async t => {
  for (const each of [0, 1, 999, 1000, 90_000, 120_000, 3_600_000]) t.equal(parseDuration(formatDuration(each)), each)
})

t.test('a number without a unit is refused, except nothing at all', async t => {
  const schema = duration({ min: 0, max: 60_000 })
  t.equal(schema.parse(0), 0)
  t.equal(schema.parse('1m'), 60_000)
  for (const value of [5, '5', '61s', true, null, []]) {
    t.match(schema.safeParse(value).error?.issues[0]?.message, /a duration from 0s to 1m/, String(value))
  }
})
