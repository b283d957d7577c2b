import fc from 'fast-check'
import t from 'tap'
import { LAYOUT } from '../../../src/kernel/module.ts'
import { Slots } from '../../../src/process/parse/slots.ts'
import { Clock, problemsOf, READ } from './clock.ts'

const clock = new Clock()
const NONE = { missing: 0, unreadable: 0, old: 0, ahead: 0 }
const SECOND = 1_000_000_000n

/** Nanoseconds of a text of ISO 8601. */
const nanos = (text: string) => BigInt(Date.parse(text)) * 1_000_000n

t.test('auto reads what stands at the head of a line', t => {
  const lines = {
    '2024-01-02T03:04:05Z said hi': '2024-01-02T03:04:05.000Z',
    '2024-01-02T03:04:05.123+02:00 said hi': '2024-01-02T01:04:05.123Z',
    '2024-01-02T03:04:05-0330 said hi': '2024-01-02T06:34:05.000Z',
    '2024-01-02T03:04Z no seconds': '2024-01-02T03:04:00.000Z',
    '2024-01-02 03:04:05,123 INFO [main] log4j': '2024-01-02T03:04:05.123Z',
    '2024-01-02 03:04:05.123 +0100 [12] behind a blank': '2024-01-02T02:04:05.123Z',
    '2024-01-02 03:04:05.123 UTC [12] LOG: postgres': '2024-01-02T03:04:05.123Z',
    '2024-01-02 03:04:05 - message': '2024-01-02T03:04:05.000Z',
    '2024-01-02 03:04:05 -5 degrees': '2024-01-02T03:04:05.000Z',
    '2024-01-02 03:04:05 Zebra': '2024-01-02T03:04:05.000Z',
    '[2024-01-02 03:04:05 +0000] [7] [INFO] gunicorn': '2024-01-02T03:04:05.000Z',
    '2024/01/02 03:04:05 go': '2024-01-02T03:04:05.000Z',
    '2024/01/02 03:04:05 [error] 7#7: nginx': '2024-01-02T03:04:05.000Z',
    '20240102T030405Z compact': '2024-01-02T03:04:05.000Z',
    'I0102 03:04:05.123456       1 main.go:7] klog': '2026-01-02T03:04:05.123Z',
    'Jan  2 03:04:05 host app[1]: syslog': '2026-01-02T03:04:05.000Z',
    'Jan 12 03:04:05 host app[1]: syslog': '2026-01-12T03:04:05.000Z',
    '<34>Jan  2 03:04:05 host app: with a priority': '2026-01-02T03:04:05.000Z',
    '<165>1 2024-01-02T03:04:05.003Z host app - RFC 5424': '2024-01-02T03:04:05.003Z',
    '10.0.0.1 - - [02/Jan/2024:03:04:05 +0100] "GET / HTTP/1.1"': '2024-01-02T02:04:05.000Z',
    '::1 - Jane Doe [02/Jan/2024:03:04:05 +0000] "GET / HTTP/1.1"': '2024-01-02T03:04:05.000Z',
    '[Tue Jan 02 03:04:05.123456 2024] [core:error] apache': '2024-01-02T03:04:05.123Z',
    'Tue, 02 Jan 2024 03:04:05 GMT RFC 1123': '2024-01-02T03:04:05.000Z',
    '02-Jan-2024 03:04:05.123 INFO [main] tomcat': '2024-01-02T03:04:05.123Z',
    'Jan 02, 2024 3:04:05 PM com.example.Main run': '2024-01-02T15:04:05.000Z',
    '1704164645.123    7 10.0.0.1 squid': '2024-01-02T03:04:05.123Z',
    'INFO  2024-01-02 03:04:05,123 level first': '2024-01-02T03:04:05.123Z',
    '[WARN ] [2024-01-02 03:04:05,123] level first': '2024-01-02T03:04:05.123Z',
    'info: 2024-01-02T03:04:05Z level first': '2024-01-02T03:04:05.000Z',
    '  2024-01-02T03:04:05Z behind blanks': '2024-01-02T03:04:05.000Z',
    '\0\0\x002024-01-02T03:04:05Z behind a hole': '2024-01-02T03:04:05.000Z',
    '\ufeff2024-01-02T03:04:05Z behind a byte order mark': '2024-01-02T03:04:05.000Z',
  }
  const found = clock.read('auto', Object.keys(lines))
  const dates = found.times.map(time => time && new Date(Number(time / 1_000_000n)).toISOString())
  t.strictSame(Object.fromEntries(Object.keys(lines).map((line, index) => [line, dates[index]])), lines)
  t.strictSame(found.untimed, NONE)
  t.ok(found.flags.every(flags => flags === 0))
  t.end()
})

t.test('a line without a time at its head has none, and is counted', t => {
  const lines = [
    '',
    '\tat com.example.Main.run(Main.java:7)',
    'Backup 2024-01-02 03:04:05 done',
    'said hi at 2024-01-02T03:04:05Z',
    '1704164645 a number that may be anything',
    '{"time":"2024-01-02T03:04:05Z"}',
    '[main] started',
    'Marching on',
    'Jan left',
    'Tue, it rains',
    '2024',
    '192.168.10.254 - - [x] "GET /"',
  ]
  const { times, flags, untimed } = clock.read('auto', lines)
  t.ok(times.every(time => time === undefined))
  t.equal(untimed.missing + untimed.unreadable, lines.length)
  t.equal(untimed.unreadable, 0)
  t.ok(flags.every(each => each === 0))
  t.end()
})

t.test('what looks like a time and is none is not taken for one', t => {
  const lines = [
    '2024-13-02T03:04:05Z month',
    '2024-00-02T03:04:05Z month',
    '2024-01-32T03:04:05Z day',
    '2024-01-00T03:04:05Z day',
    '2023-02-29T03:04:05Z day',
    '2100-02-29T03:04:05Z day',
    '2024-04-31 03:04:05 day',
    '2024-01-02T24:04:05Z hour',
    '2024-01-02T03:60:05Z minute',
    '2024-01-02T03:04:61Z second',
    '2024-01-02T03:04:05+25:00 zone',
    '2024-01-02T03:04:05+01:60 zone',
    '2024-01-02T03:04:5 half',
    '2024-01-02T03:04:0555 too long',
    '10.0.0.1 - - [32/Jan/2024:03:04:05 +0100] "GET /"',
    'Jan 32 03:04:05 host',
    'Feb 30 03:04:05 host',
    'Jan 02, 2024 13:04:05 PM com.example',
    'I1234 is a name',
    '2024-01-02',
  ]
  const { times, flags, untimed } = clock.read('auto', lines)
  t.strictSame(
    times.map((time, index) => (time === undefined ? '' : lines[index])).filter(line => line !== ''),
    [],
  )
  t.strictSame(untimed, { ...NONE, unreadable: lines.length })
  t.ok(flags.every(each => each === LAYOUT.TIME_UNREAD))
  t.end()
})

t.test('a time before 1990 or more than a day ahead is none', t => {
  const lines = [
    '1989-12-31T23:59:59Z',
    '1990-01-01T00:00:00Z',
    '2026-11-28T12:00:00Z',
    '2026-11-28T12:00:01Z',
    '9999-12-31T23:59:59Z',
    '0000-01-01T00:00:00Z',
  ]
  const { flags, untimed } = clock.read('auto', lines)
  t.strictSame(untimed, { ...NONE, old: 2, ahead: 2 })
  const bad = LAYOUT.TIME_UNREAD
  t.strictSame(flags, [bad, 0, 0, bad, bad, bad])
  t.strictSame(clock.dates('auto', lines), [
    null,
    '1990-01-01T00:00:00.000Z',
    '2026-11-28T12:00:00.000Z',
    null,
    null,
    null,
  ])
  t.end()
})

t.test('a leap second is the second that follows it', t => {
  t.strictSame(clock.dates('auto', ['2016-12-31T23:59:60Z']), ['2017-01-01T00:00:00.000Z'])
  t.end()
})

t.test('numbers are times in seconds, milliseconds, microseconds and nanoseconds', t => {
  const wanted = '2024-01-02T03:04:05.000Z'
  const values = {
    '1704164645': wanted,
    '1704164645000': wanted,
    '1704164645000000': wanted,
    '1704164645000000000': wanted,
    '1704164645.5': '2024-01-02T03:04:05.500Z',
    '1704164645500.25': '2024-01-02T03:04:05.500Z',
    '"1704164645.5"': '2024-01-02T03:04:05.500Z',
    '1.704164645e9': wanted,
    '1.7041646455E+9': '2024-01-02T03:04:05.500Z',
    '17041646455e-1': '2024-01-02T03:04:05.500Z',
    '00000000000000000000000001704164645': wanted,
    '"2024-01-02T03:04:05Z"': wanted,
    '2024-01-02T03:04:05Z': wanted,
    '"2024\\/01\\/02 03:04:05"': wanted,
    '"2024-01-02T05:04:05+02:00[Europe/Berlin]"': wanted,
    '"2024-01-02 03:04:05.000 +0000 UTC m=+0.01"': wanted,
    '"02/Jan/2024:03:04:05 +0000"': wanted,
  }
  t.strictSame(clock.valueDates('auto', Object.keys(values)), Object.values(values))
  for (const [format, number] of [
    ['epoch_s', '1704164645'],
    ['epoch_ms', '1704164645000'],
    ['epoch_us', '1704164645000000'],
    ['epoch_ns', '1704164645000000000'],
  ] as const) {
    t.strictSame(clock.valueDates({ field: 'at', format }, [number, `"${number}"`]), [wanted, wanted], format)
  }
  t.strictSame(clock.valueDates({ field: 'at', format: 'epoch_ms' }, ['1704164645']), [null], 'not by its size')
  t.end()
})

t.test('a value that is no time is not taken for one', t => {
  const values = [
    '-1',
    '-1704164645',
    '0',
    '1',
    '9999999999999999999999999999999999999999',
    '1e400',
    '1e-400',
    '0.000000000000000000000000000000000000000001',
    '-',
    '""',
    '" "',
    'null',
    'yesterday',
    '"2024-01-02T03:04:05Zulu"',
    '1704164645s',
    '1704164645.',
    '2024-01-02T03:04:05Z2024-01-02T03:04:05Z',
  ]
  t.strictSame(
    clock.valueDates('auto', values),
    values.map(() => null),
  )
  t.end()
})

t.test('a named value counts alone, and one that is not there is missing', t => {
  const lines = ['2024-01-02T03:04:05Z at=nothing', '2024-01-02T03:04:05Z at=2025-01-02T03:04:05Z']
  const { times, untimed } = clock.read({ field: 'at' }, lines, {}, [{}, { 0: '2025-01-02T03:04:05Z' }])
  t.equal(times[0], undefined)
  t.equal(times[1]! / SECOND, nanos('2025-01-02T03:04:05Z') / SECOND)
  t.strictSame(untimed, { ...NONE, missing: 1 })
  const auto = clock.read('auto', lines, {}, [{}, { 0: '2025-01-02T03:04:05Z' }])
  t.strictSame(
    auto.times.map(time => time! / SECOND),
    [nanos('2024-01-02T03:04:05Z') / SECOND, nanos('2025-01-02T03:04:05Z') / SECOND],
    'auto looks at the head where there is none',
  )
  t.end()
})

t.test('a local time that comes twice is the first, one that does not exist is shifted', t => {
  const zone = 'Europe/Berlin'
  const lines = {
    '2024-03-31 01:59:59': '2024-03-31T00:59:59.000Z',
    '2024-03-31 02:00:00': '2024-03-31T01:00:00.000Z',
    '2024-03-31 02:30:00': '2024-03-31T01:30:00.000Z',
    '2024-03-31 03:00:00': '2024-03-31T01:00:00.000Z',
    '2024-10-27 01:59:59': '2024-10-26T23:59:59.000Z',
    '2024-10-27 02:30:00': '2024-10-27T00:30:00.000Z',
    '2024-10-27 03:00:00': '2024-10-27T02:00:00.000Z',
    '2024-10-27 02:30:00 +01:00': '2024-10-27T01:30:00.000Z',
    '2024-07-01 12:00:00 UTC': '2024-07-01T12:00:00.000Z',
  }
  t.strictSame(clock.dates({ zone }, Object.keys(lines)), Object.values(lines))
  t.strictSame(clock.dates({ zone }, Object.keys(lines).reverse()), Object.values(lines).reverse())
  t.end()
})

t.test('a time without a year is the last one that is not more than a day ahead', t => {
  const dates = (readAt: string, lines: string[]) => clock.dates('auto', lines, { readAt: Date.parse(readAt) })
  t.strictSame(dates('2026-01-01T00:00:10Z', ['Dec 31 23:59:59 a', 'Jan  1 00:00:05 a', 'Jan  2 00:00:10 a']), [
    '2025-12-31T23:59:59.000Z',
    '2026-01-01T00:00:05.000Z',
    '2026-01-02T00:00:10.000Z',
  ])
  t.strictSame(dates('2026-01-01T00:00:10Z', ['Jan  2 00:00:11 a']), ['2025-01-02T00:00:11.000Z'])
  t.strictSame(dates('2025-12-31T23:59:50Z', ['Jan  1 00:00:05 a', 'Feb 29 00:00:00 a']), [
    '2026-01-01T00:00:05.000Z',
    '2024-02-29T00:00:00.000Z',
  ])
  t.end()
})

t.test('digits that a text does not have come from the offset of its line', t => {
  const times = (text: string, offset: number, salt = 0) =>
    clock.read('auto', [text], { base: offset - clock.bed.start, salt }).times[0]! % SECOND
  t.equal(times('2024-01-02T03:04:05Z', 1_234_567), 234_567n)
  t.equal(times('2024-01-02T03:04:05.1Z', 1_234_567), 100_234_567n)
  t.equal(times('2024-01-02T03:04:05.123Z', 1_234_567), 123_234_567n)
  t.equal(times('2024-01-02T03:04:05.1234Z', 1_234_567), 123_434_567n)
  t.equal(times('2024-01-02T03:04:05.123456Z', 1_234_567), 123_456_567n)
  t.equal(times('2024-01-02T03:04:05.12345678Z', 1_234_567), 123_456_787n)
  t.equal(times('2024-01-02T03:04:05.123456789Z', 1_234_567), 123_456_789n)
  t.equal(times('2024-01-02T03:04:05.1234567891234Z', 1_234_567), 123_456_789n)
  t.equal(times('2024-01-02T03:04:05Z', 1_234_567, 1), 234_568n, 'and from the generation')
  t.equal(times('2024-01-02T03:04:05Z', 2 ** 47, 2 ** 32 - 1), (2n ** 47n + 2n ** 32n - 1n) % 1_000_000n)
  t.end()
})

t.test('an offset may stand in a table', t => {
  const { bed } = clock
  const column = bed.start + 500_000
  bed.kernel.bytes.writeUInt32LE(7, column)
  bed.kernel.bytes.writeUInt32LE(4_000_000_009, column + 4)
  const lines = ['2024-01-02T03:04:05Z', '2024-01-02T03:04:05Z']
  const { times } = clock.read('auto', lines, { base: 100, column })
  t.strictSame(
    times.map(time => time! % SECOND),
    [107n, 109n],
  )
  t.end()
})

const instant = fc.integer({ min: Date.UTC(1990, 0, 1), max: READ }).map(at => new Date(at).toISOString())

t.test('the same bytes, offset and generation have the same time whatever stands before them', t => {
  const other = fc.oneof(
    instant,
    fc.string({ maxLength: 30 }),
    fc.constantFrom('Jan  2 03:04:05 a', 'I0102 03:04:05 a'),
  )
  const property = fc.property(fc.array(other, { maxLength: 5 }), instant, fc.nat(2 ** 31), (before, text, offset) => {
    const lines = [...before.map(line => line.replaceAll('\n', ' ')), text]
    const start =
      offset - clock.bed.start - lines.slice(0, -1).reduce((sum, line) => sum + Buffer.byteLength(line) + 1, 0)
    const alone = clock.read('auto', [text], { base: offset - clock.bed.start, salt: 7 }).times[0]
    const behind = clock.read('auto', lines, { base: start, salt: 7 }).times.at(-1)
    return alone !== undefined && alone === behind
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 300 }))
  t.end()
})

t.test('equal lines stay two and keep their order, but where the offset wraps', t => {
  const property = fc.property(instant, fc.integer({ min: 2, max: 50 }), fc.nat(2 ** 31), (text, count, offset) => {
    const base = offset - clock.bed.start
    const { times } = clock.read('auto', Array<string>(count).fill(text), { base })
    const wraps = times.filter((time, index) => index > 0 && time! < times[index - 1]!).length
    return new Set(times).size === count && wraps <= 1
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 200 }))
  t.end()
})

t.test('what is written elsewhere in a line is never read', t => {
  const bytes = fc.uint8Array({ maxLength: 60 }).map(each => Buffer.from(each.map(byte => (byte === 10 ? 11 : byte))))
  const head = fc.constantFrom(
    '',
    '2024-01-02T03:04:0',
    '[02/Jan/2024:03:04',
    'Jan  2 03',
    'I0102 03:04',
    '<34>',
    '170416464',
  )
  const line = fc.tuple(head, bytes).map(([text, rest]) => Buffer.concat([Buffer.from(text), rest]))
  const formats = ['auto', { format: '%Y-%m-%dT%H:%M:%S.%f%z' }, { format: 'clf' }, { format: 'epoch_s' }] as const
  const property = fc.property(
    fc.array(line, { minLength: 1, maxLength: 8 }),
    fc.constantFrom(...formats),
    (lines, format) => {
      const together = clock.read(format, lines).times
      // Alone each has nothing behind it but what the last call left there.
      const apart = lines.map(each => clock.read(format, [each]).times[0])
      return together.every((time, index) => (time === undefined) === (apart[index] === undefined))
    },
  )
  t.doesNotThrow(() => fc.assert(property, { numRuns: 400 }))
  t.end()
})

t.test('formats with % are followed to the letter', t => {
  const read = (format: string, text: string) => clock.dates({ format }, [text])[0]
  t.equal(read('%d.%m.%y %I:%M:%S %p', '2.1.24 12:04:05 am'), '2024-01-02T00:04:05.000Z')
  t.equal(read('%d.%m.%y %I:%M:%S %p', '2.1.24 12:04:05 P.M.'), '2024-01-02T12:04:05.000Z')
  t.equal(read('%y%m%d', '680102'), null, 'the year 2068 lies ahead')
  t.equal(read('%y%m%d', '990102'), '1999-01-02T00:00:00.000Z')
  t.equal(read('%F%n%T', '2024-01-02   03:04:05'), '2024-01-02T03:04:05.000Z')
  t.equal(read('%Y-%j', '2024-366'), '2024-12-31T00:00:00.000Z')
  t.equal(read('%Y-%j', '2023-366'), null)
  t.equal(read('100%% %F', '100% 2024-01-02'), '2024-01-02T00:00:00.000Z')
  t.equal(read('ts=%F', 'ts=2024-01-02'), '2024-01-02T00:00:00.000Z')
  t.equal(read('ts=%F', ' ts=2024-01-02'), null)
  t.equal(read('%F', ' [2024-01-02]'), '2024-01-02T00:00:00.000Z')
  t.equal(read('%F %T %Z', '2024-01-02 03:04:05 GMT'), '2024-01-02T03:04:05.000Z')
  t.strictSame(clock.dates({ format: '%F %T %Z', zone: 'Europe/Berlin' }, ['2024-01-02 03:04:05 CET']), [
    '2024-01-02T02:04:05.000Z',
  ])
  t.end()
})

t.test('what cannot be followed is reported at its key', t => {
  t.match(problemsOf({ format: 'rfc' }), [{ path: ['time', 'format'], found: 'the unknown format "rfc"' }])
  t.match(problemsOf({ format: '%H:%M' }), [{ path: ['time', 'format'], found: /does not say the day/ }])
  t.match(problemsOf({ format: '%Y-%m-%d %Q' }), [{ path: ['time', 'format'], found: /the unknown %Q in/ }])
  t.match(problemsOf({ format: '%Y-%m-%d %1' }), [{ path: ['time', 'format'], found: /the unknown %1 in/ }])
  t.match(problemsOf({ format: '%Y-%m-%d %' }), [{ path: ['time', 'format'], found: /a % with nothing behind it/ }])
  t.match(problemsOf({ format: '%F %I' }), [{ path: ['time', 'format'], found: /with one of %I and %p/ }])
  t.match(problemsOf({ format: `${'x'.repeat(200)}%F` }), [
    { path: ['time', 'format'], found: 'a format of 205 steps' },
  ])
  t.match(problemsOf({ zone: 'Mars/Olympus' }), [{ path: ['time', 'zone'], found: 'the unknown zone "Mars/Olympus"' }])
  t.match(problemsOf('ts'), [{ path: ['time'], found: 'the name ts', hint: /parse/ }])
  t.match(problemsOf({ field: ['a', 'b'] }), [{ path: ['time', 'field'], found: 'the name a, b' }])
  t.match(problemsOf('ts', new Slots(['time', 'stream'])), [{ path: ['time'], allowed: 'one of time, stream' }])
  t.strictSame(problemsOf('ts', new Slots('any')), [])
  t.strictSame(problemsOf('auto'), [])
  t.end()
})
