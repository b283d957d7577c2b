/** Lines that begin as the one before them: what is read by that one is what is read without it. */
import fc from 'fast-check'
import t from 'tap'
import { Clock, isoOf } from './clock.ts'

const clock = new Clock()
const two = fc.integer({ min: 0, max: 61 }).map(value => String(value).padStart(2, '0'))
const TIMES = ['2024-01-02T03:04', '2024-01-02 03:04', '2024-01-02T03', '2024-01-02 03', '02/Jan/2024:03']
/** As a value these may be numbers. */
const NUMBERS = ['20240102T0304', '20240102', '2', '2 Jan 2024 03', '2 Jan 2024 03:04']
const HEADS = [...TIMES, '10.0.0.1 - - [02/Jan/2024:03', 'I0102 03:04', '20240102T0304']
const FRACTIONS = ['', '.', ',', '.5', ',123', '.000123', '.123456789', '.1234567891']
const ZONES = ['', 'Z', 'z', '+01:00', '-0330', '+02', ' +0000', ' UTC', ' GMT', ' Z', ' CET']
const ENDS = [
  '',
  ' ',
  ' INFO x',
  ' - app - x',
  ' -5 degrees',
  ' +0100',
  ' Zebra',
  ' UTC',
  ' good',
  ']',
  ',x',
  '7',
  ':30',
  '\t',
]
const pick = (texts: readonly string[]) => fc.constantFrom(...texts)
/** Lines of one head that differ in digits, and in what stands behind them. */
const linesOf = (heads: readonly string[]) => {
  const head = fc.tuple(pick(heads), pick([':', '']), pick([':', '']), pick(FRACTIONS))
  const rests = fc.array(fc.tuple(two, two, pick(ZONES), pick(ENDS)), { minLength: 2, maxLength: 6 })
  const group = fc
    .tuple(head, rests)
    .map(([[start, first, second, fraction], all]) =>
      all.map(([one, other, zone, end]) => `${start}${first}${one}${second}${other}${fraction}${zone}${end}`),
    )
  return fc.array(group, { minLength: 1, maxLength: 3 }).map(groups => groups.flat())
}

t.test('a line has the time that it has alone, whatever lines stand before it', t => {
  for (const time of [
    'auto',
    { format: '%Y-%m-%d %H:%M:%S,%f' },
    { format: 'clf' },
    { zone: 'Europe/Berlin' },
  ] as const) {
    const alone = (text: string) => clock.read(time, [text])
    fc.assert(
      fc.property(linesOf(HEADS), texts => {
        const together = clock.read(time, texts)
        for (const [index, text] of texts.entries()) {
          const own = alone(text)
          const [was, is] = [isoOf(own.times[0]), isoOf(together.times[index])]
          if (was !== is || own.flags[0] !== together.flags[index]) throw new Error(`${text}: ${is}, alone ${was}`)
        }
      }),
      { numRuns: 1000 },
    )
  }
  t.strictSame(
    clock.dates('auto', ['2024-01-02 03:04:05,123 INFO', '2024-01-02 03:04:06,789 WARN', '2024-01-02 03:04:60,000 x']),
    ['2024-01-02T03:04:05.123Z', '2024-01-02T03:04:06.789Z', '2024-01-02T03:05:00.000Z'],
  )
  t.end()
})

t.test('a value has the time that it has alone, whatever values and lines stand before it', async () => {
  const isValue = fc.array(fc.boolean(), { minLength: 1, maxLength: 6 })
  fc.assert(
    fc.property(linesOf([...TIMES, ...NUMBERS]), isValue, (texts, are) => {
      const values = texts.map((text, index) => (are[index % are.length]! ? { 0: text } : {}))
      const together = clock.read('auto', texts, {}, values).times
      for (const [index, text] of texts.entries()) {
        const [own] = clock.read('auto', [text], {}, [values[index]!]).times
        const [was, is] = [isoOf(own), isoOf(together[index])]
        if (was !== is) throw new Error(`${text}: ${is}, alone ${was}`)
      }
    }),
    { numRuns: 2000 },
  )
})
