/** Lines of access logs, against expressions of JavaScript. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { Finder, planFor } from './found.ts'

const QUOTED = String.raw`(?:[^"\\]|\\.)*`
const HEAD = String.raw`(?<client>[^ [][^ ]*|\[[^ ]*|) [^ ]* (?<user>[^[]+) \[(?<time>[^\]]+)\] "(?<request>${QUOTED})" (?<status>\d+) (?<bytes>\d+|-)`
const twins = {
  nginx: new RegExp(
    `^${HEAD}(?: "(?<referer>${QUOTED})"(?: "(?<agent>${QUOTED})"(?: "(?<forwarded>${QUOTED})")?)?)?(?<more> .*)?$`,
    's',
  ),
  apache: new RegExp(`^${HEAD}(?: "(?<referer>${QUOTED})"(?: "(?<agent>${QUOTED})")?)?(?<more> .*)?$`, 's'),
}
const REQUEST = /^(?<method>[A-Z]+) (?<path>[^ ?]*)(?:\?(?<query>[^ ]*))?(?: (?<protocol>[^ ]+))?$/s

function twin(format: 'nginx' | 'apache', line: string): Record<string, string> | undefined {
  const host = format === 'apache' ? /^([^ []*) ([^ []*) ([^ []*) ([^ []+) \[/s.exec(line)?.[1] : undefined
  const groups = twins[format].exec(host === undefined ? line : line.slice(host.length + 1))?.groups
  if (groups === undefined) return undefined
  const { request, more, ...rest } = groups as Record<string, string>
  // A quote that could begin a value and does not end makes the line none.
  const quotes = format === 'nginx' ? ['referer', 'agent', 'forwarded'] : ['referer', 'agent']
  const missing = quotes.some(name => rest[name] === undefined)
  if (missing && more?.startsWith(' "')) return undefined
  const parts = REQUEST.exec(request!)?.groups ?? { request: request! }
  const all = { host, ...rest, ...parts, ...(more === undefined ? {} : { rest: more.slice(1) }) }
  return Object.fromEntries(Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined))
}

for (const format of ['nginx', 'apache'] as const) {
  const { plan } = planFor({ parse: format })
  const finder = new Finder(plan)
  const { slots } = plan.shape
  const read = (line: string) => {
    const [found] = finder.find([line])
    if (found!.form !== 'values') return undefined
    const values = slots.flatMap(({ name, slot }): [string, string][] => {
      const value = found!.values[slot]
      return value === undefined ? [] : [[name, Buffer.from(value, 'latin1').toString()]]
    })
    return Object.fromEntries(values)
  }

  t.test(`${format}: values are those of a twin, for lines that are nearly some`, async t => {
    const word = fc.constantFrom(
      '10.0.0.1',
      '::1',
      '-',
      'frank',
      'a b',
      'é',
      '',
      'www.example.com:443',
      'a-word-of-more-than-16-bytes',
    )
    const text = fc.constantFrom(
      '-',
      '',
      'x',
      'GET / HTTP/1.1',
      'GET /a?b=c?d HTTP/2',
      'POST /',
      'GET',
      'get / x',
      '\\"',
      '\\',
      'a "b',
      'A  B',
      'GET ? ',
      'é',
    )
    const quoted = fc.tuple(text, fc.constantFrom('"', '"', '"', '')).map(([is, end]) => `"${is}${end}`)
    const line = fc
      .tuple(
        fc.array(word, { minLength: 2, maxLength: 4 }),
        fc.constantFrom('[23/Nov/2026:10:00:00 +0000]', '[]', '[x', 'x]', '[a] [b]'),
        quoted,
        fc.constantFrom('200 5', '404 -', '200', '200 5x', 'x 5', ' 5', '200 -5', '200 12345678901234567890'),
        fc.array(fc.oneof(quoted, word), { maxLength: 5 }),
      )
      .map(([words, time, request, answer, rest]) => [...words, time, request, answer, ...rest].join(' '))
    t.doesNotThrow(() =>
      fc.assert(
        fc.property(line, each => {
          assert.deepEqual(read(each), twin(format, each) && { ...twin(format, each) })
        }),
        { numRuns: 2000 },
      ),
    )
  })
}
