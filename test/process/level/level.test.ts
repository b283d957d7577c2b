import fc from 'fast-check'
import t from 'tap'
import { LAYOUT } from '../../../src/kernel/module.ts'
import { LEVELS, PLAIN, WORDS } from '../../../src/process/level/words.ts'
import { Slots } from '../../../src/process/parse/slots.ts'
import { problemsOf, Scale } from './scale.ts'

const scale = new Scale()
const { trace, debug, info, warn, error, fatal } = LEVELS

t.test('a text has the level of the first word that is written as one', t => {
  const lines: Record<string, [number, string]> = {
    '2024-01-02 03:04:05,123 INFO  [main] no ERROR here': [info, 'INFO'],
    '2024-01-02 03:04:05,123 [main] WARN  com.example - x': [warn, 'WARN'],
    '[2024-01-02 03:04:05 +0000] [7] [WARNING] gunicorn': [warn, 'WARNING'],
    '2024/01/02 03:04:05 [error] 7#7: nginx': [error, 'error'],
    '2024/01/02 03:04:05 [crit] 7#7: nginx': [18, 'crit'],
    '2024/01/02 03:04:05 [emerg] 7#7: nginx': [fatal, 'emerg'],
    '2024/01/02 03:04:05 [notice] 7#7: nginx': [10, 'notice'],
    'time="2024-01-02T03:04:05Z" level=warning msg="an error"': [warn, 'warning'],
    'time=2024-01-02T03:04:05Z level=DEBUG msg=x': [debug, 'DEBUG'],
    'INFO:     Started server process [7]': [info, 'INFO'],
    'warn: Microsoft.Hosting[0]': [warn, 'warn'],
    'fail to say it, but error: x': [error, 'error'],
    'error while reading': [error, 'error'],
    'Error while reading': [error, 'Error'],
    '2024-01-02T03:04:05.678Z error while reading': [error, 'error'],
    '2024-01-02T03:04:05.678Z\tinfo\tzap': [info, 'info'],
    '[03:04:05 INF] serilog': [info, 'INF'],
    '3:04AM WRN zerolog': [warn, 'WRN'],
    'SEVERE: java.util.logging': [error, 'SEVERE'],
    'FINEST: java.util.logging': [trace, 'FINEST'],
    'panic: runtime error: index out of range': [fatal, 'panic'],
    'npm WARN deprecated': [warn, 'WARN'],
    '{"level":"error","msg":"x"}': [error, 'error'],
    '03:04:05,error,x': [error, 'error'],
    'I0102 03:04:05.123456       1 main.go:7] klog': [info, 'I'],
    'W0102 03:04:05.123456       1 main.go:7] no ERROR': [warn, 'W'],
    'E0102 03:04:05.123456       1 main.go:7] klog': [error, 'E'],
    'F0102 03:04:05.123456       1 main.go:7] klog': [fatal, 'F'],
    '2024-01-02 03:04:05.123 UTC [12] FATAL:  postgres': [fatal, 'FATAL'],
  }
  for (const how of ['auto', 'text'] as const) {
    const { levels, texts, unlevelled } = scale.read(how, Object.keys(lines))
    const found = Object.keys(lines).map((line, index) => [line, [levels[index], texts[index]]])
    t.strictSame(Object.fromEntries(found), lines, how)
    t.strictSame(unlevelled, { missing: 0, unknown: 0 })
  }
  t.end()
})

t.test('a word that is part of a sentence, of a word or of a name is no level', t => {
  const lines = [
    '',
    'there was no error in it',
    'Everything is fine, no need to alert anyone or to panic',
    'Alert manager started',
    'Notice that this is prose',
    'debug mode is on',
    'Trace of the reactor',
    'success',
    'informed of warnings and errors',
    'ERRORS 0',
    'INFO2 x',
    'INFO_1 x',
    'MY_INFO x',
    'X1INFO x',
    'IN FO',
    '<3>priorities are not asked for',
    'I1234567 is a name',
    `${'x'.repeat(128)} ERROR`,
    `${'x'.repeat(125)} ERROR`,
    'ER',
  ]
  const { levels, texts, flags, unlevelled } = scale.read('auto', lines)
  t.strictSame(
    lines.filter((_, index) => levels[index] !== 0),
    [`${'x'.repeat(125)} ERROR`],
    'it begins within the first 128 bytes',
  )
  t.equal(texts.filter(text => text !== undefined).length, 1)
  t.ok(flags.every(each => each === 0))
  t.strictSame(unlevelled, { missing: lines.length - 1, unknown: 0 })
  t.end()
})

t.test('every known word is a level as a value, in any case, with quotes or without', t => {
  for (const [word, level] of Object.entries(WORDS)) {
    const capital = word[0]!.toUpperCase() + word.slice(1)
    const spellings = [word, word.toUpperCase(), capital, `"${word}"`, `" ${word.toUpperCase()} "`]
    t.strictSame(
      scale.valueLevels('auto', spellings),
      spellings.map(() => level),
      word,
    )
  }
  t.end()
})

t.test('every known word of three letters is found in capitals and in brackets, the plain ones at the head', t => {
  for (const [word, level] of Object.entries(WORDS)) {
    if (!/^[a-z]{3,}$/.test(word)) continue
    const lines = [`so ${word.toUpperCase()} b`, `so [${word}] b`, `said ${word} b`, `${word} b`]
    t.strictSame(scale.read('text', lines).levels, [level, level, 0, PLAIN.includes(word) ? level : 0], word)
  }
  t.end()
})

t.test('numbers are those of pino unless something else is said', t => {
  const numbers = [
    '10',
    '20',
    '30',
    '35',
    '40',
    '50',
    '60',
    '"30"',
    '30.0',
    '9',
    '70',
    '100',
    '-10',
    '30x',
    '3e1',
    '0',
    '30.5',
  ]
  const pino = [trace, debug, info, info, warn, error, fatal, info, info, 0, 0, 0, 0, 0, 0, 0, 0]
  t.strictSame(scale.valueLevels('level', numbers), pino)
  t.strictSame(scale.valueLevels({ field: 'level', map: 'pino' }, numbers), pino)
  const eight = ['0', '1', '2', '3', '4', '5', '6', '7', '8']
  t.strictSame(scale.valueLevels('level', eight), [0, 0, 0, 0, 0, 0, 0, 0, 0])
  t.strictSame(scale.valueLevels({ field: 'level', map: 'syslog' }, eight), [21, 19, 18, 17, 13, 10, 9, 5, 0])
  t.strictSame(scale.valueLevels({ field: 'level', map: 'otel' }, ['0', '1', '17', '24', '25']), [0, 1, 17, 24, 0])
  t.strictSame(scale.valueLevels({ map: 'syslog' }, ['3']), [17])
  t.end()
})

t.test('a severityNumber is one of OpenTelemetry', t => {
  const { levels } = scale.read('auto', ['x 17', 'info 17'], [{ 1: '17' }, { 0: 'info', 1: '17' }])
  t.strictSame(levels, [17, info], 'the level comes first')
  t.end()
})

t.test('a priority of syslog is read where it is asked for', t => {
  const lines = ['<34>Jan  2 03:04:05 host app: INFO', '<191>x', '<192>x', '<3>x', '<>x', '<3', '<3x>INFO']
  const { levels, texts } = scale.read({ map: 'syslog' }, lines)
  t.strictSame(levels, [18, debug, 0, error, 0, 0, info])
  t.strictSame(texts.slice(0, 2), ['34', '191'])
  t.end()
})

t.test('a map names what we do not know, and goes before what we do', t => {
  const map = { Hinweis: 'info', '3': 'error', notice: 'warn', 'sev 1': 'fatal', 'Ünruh!': 'warn2' } as const
  const values = ['hinweis', 'HINWEIS', '3', '"3"', 'Notice', 'SEV 1', '"Ünruh!"', 'error', 'nonsense', '4', '30']
  t.strictSame(scale.valueLevels({ field: 'level', map }, values), [9, 9, 17, 17, 13, 21, 14, 17, 0, 0, 9])
  const lines = ['2024-01-02 HINWEIS x', '2024-01-02 [hinweis] x', '2024-01-02 hinweis x']
  t.strictSame(scale.read({ map }, lines).levels, [info, info, 0])
  t.end()
})

t.test('a value that is no level is counted and marked, and the text is not asked', t => {
  const lines = ['{"level":"odd","msg":"ERROR"}', '{"level":"","msg":"ERROR"}', '{"msg":"ERROR"}', '{"x":"ERROR"}']
  const values = [{ 0: '"odd"' }, { 0: '""' }, { 2: '"ERROR"' }, {}]
  const { levels, texts, flags, unlevelled } = scale.read('auto', lines, values)
  t.strictSame(levels, [0, 0, error, 0], 'the message is, where there is no value')
  t.strictSame(texts, ['"odd"', '""', undefined, undefined], 'no part of a message stands for a value of an object')
  t.strictSame(flags, [LAYOUT.LEVEL_UNREAD, LAYOUT.LEVEL_UNREAD, 0, 0])
  t.strictSame(unlevelled, { missing: 1, unknown: 2 })
  const pairs = scale.read('auto', ['msg=ERROR'], [{ 2: 'ERROR' }], LAYOUT.PAIRS)
  t.strictSame([pairs.levels, pairs.texts], [[error], ['ERROR']])
  const taken = scale.read('auto', ['ERROR: 7'], [{ 1: '7' }], LAYOUT.VALUES)
  t.strictSame(taken.levels, [7])
  t.end()
})

t.test('a text has the same level whatever stands around it, and nothing behind its end counts', t => {
  const piece = fc.oneof(
    fc.constantFrom(
      ...Object.keys(WORDS),
      'INFO',
      'ERROR',
      ' ',
      '[',
      ']',
      ':',
      '=',
      '"',
      '1',
      '_',
      '2024-01-02',
      'INF',
    ),
    fc.string({ maxLength: 5 }).map(text => text.replaceAll('\n', ' ')),
  )
  const line = fc.array(piece, { maxLength: 40 }).map(pieces => pieces.join(''))
  const property = fc.property(fc.array(line, { minLength: 2, maxLength: 6 }), lines => {
    const together = scale.read('auto', lines)
    return lines.every((each, index) => {
      const alone = scale.read('auto', [each])
      const text = alone.texts[0]
      const said = text === undefined || WORDS[text.toLowerCase()] === alone.levels[0]
      return said && alone.levels[0] === together.levels[index] && text === together.texts[index]
    })
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 500 }))
  t.end()
})

t.test('a line has the level that it has alone, where others begin with other digits and the same bytes', t => {
  const heads = ['', '2', '<34>1 ', '<134> ', 'I0102 ', 'E', 'D1', 'abc ', 'at 1 ', '[', '2024-01-02 03:04:05,123 ']
  const more = ['2024-01-02 03:04:05.123456789Z ', '2024-01-02 03:04:05.123456789+0100 at ', '\0', '\ufeff', '_', '1_']
  const words = [
    'INFO',
    'WARN',
    'ERROR',
    'DEBUG',
    'info',
    'error',
    'E',
    'OK',
    'NO',
    'INFORM',
    'Error:',
    'INFO7',
    'IN',
    '',
  ]
  const ends = ['', ' ', ' [main] x', ':', '] ERROR', '_', ' warn: x', '1', ' INFO']
  const pick = (texts: readonly string[]) => fc.constantFrom(...texts)
  const digits = fc.array(fc.nat({ max: 9 }), { minLength: 12, maxLength: 12 })
  const group = fc
    .tuple(
      pick([...heads, ...more]),
      fc.array(fc.tuple(digits, pick(words), pick(ends)), { minLength: 2, maxLength: 5 }),
    )
    .map(([head, rests]) =>
      rests.map(([numbers, word, end]) => {
        let n = 0
        return `${head.replace(/\d/g, digit => String(numbers[n++] ?? digit))}${word}${end}`
      }),
    )
  const lines = fc.array(group, { minLength: 1, maxLength: 3 }).map(groups => groups.flat())
  for (const level of ['text', { map: { ok: 'info', no: 'error', e: 'fatal' } }, { map: 'syslog' }] as const) {
    const property = fc.property(lines, texts => {
      const together = scale.read(level, texts)
      for (const [index, text] of texts.entries()) {
        const alone = scale.read(level, [text])
        const [was, is] = [alone.levels[0], together.levels[index]]
        if (was !== is || alone.texts[0] !== together.texts[index]) throw new Error(`${text}: ${is}, alone ${was}`)
      }
    })
    t.doesNotThrow(() => fc.assert(property, { numRuns: 500 }), JSON.stringify(level))
  }
  t.end()
})

t.test('what cannot be found or told apart is reported at its key', t => {
  t.match(problemsOf('severity'), [{ path: ['level'], found: 'the name severity', hint: /parse/ }])
  t.match(problemsOf({ field: ['a', 'b'] }, new Slots(['time'])), [
    { path: ['level', 'field'], found: 'the name a, b', allowed: 'one of time' },
  ])
  t.match(problemsOf({ map: { 'seventeen letters': 'info' } }), [
    { path: ['level', 'map', 'seventeen letters'], found: 'a word of 17 bytes' },
  ])
  t.match(problemsOf({ map: { Odd: 'info', odd: 'warn' } }), [
    { path: ['level', 'map', 'odd'], found: 'odd beside Odd' },
  ])
  t.match(problemsOf({ map: { ' ': 'info' } }), [{ found: 'a word of 0 bytes' }])
  t.strictSame(problemsOf('auto', new Slots(['time'])), [])
  t.strictSame(problemsOf('text'), [])
  t.end()
})
