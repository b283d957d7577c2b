import t from 'tap'
import { formatSize, parseSize, size } from '../src/size.ts'

t.test('sizes are read as people write them', async t => {
  const table: [string, number | undefined][] = [
    ['0', 0],
    ['65536', 65536],
    ['512KiB', 524288],
    ['1MiB', 1048576],
    ['1Mi', 1048576],
    ['2GiB', 2147483648],
    ['10MB', 10_000_000],
    ['10kB', 10_000],
    ['10 kb', 10_000],
    ['1.5KiB', 1536],
    ['7b', 7],
    ['', undefined],
    ['MiB', undefined],
    ['1M', undefined],
    ['-1KiB', undefined],
    ['1e9', undefined],
    ['1 MiB 2', undefined],
    ['999999999999999GiB', undefined],
    ['1.0.0KiB', undefined],
    ['1constructor', undefined],
  ]
  for (const [text, bytes] of table) t.equal(parseSize(text), bytes, text)
})

t.test('a size is written so that reading it gives the same', async t => {
  for (const bytes of [0, 1, 1000, 1024, 65536, 1048577, 8 * 1048576, 2 ** 30])
    t.equal(parseSize(formatSize(bytes)), bytes)
})

t.test('a size out of bounds is refused, and the bounds are said', async t => {
  const schema = size({ min: 1024, max: 4096 })
  t.equal(schema.parse('1KiB'), 1024)
  t.equal(schema.parse(4096), 4096)
  for (const value of ['1023', 4097, '5KiB', 1024.5, Number.NaN, true, null, {}]) {
    const issue = schema.safeParse(value).error?.issues[0]
    t.match(issue?.message, /from 1KiB to 4KiB/, String(value))
  }
})
