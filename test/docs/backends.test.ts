/** Each backend has its guide, whose queries and reasons are those of the records and answers that are generated beside them. */
import t from 'tap'
import { exampleOf, GUIDES } from '../../docs/generate/backends.ts'
import { indented } from '../../docs/generate/json.ts'
import { BACKENDS, entryOf } from '../../src/backends/registry.ts'
import { DOCUMENTS, document } from './documents.ts'

const SECTIONS = [
  'Set-up',
  'Least privilege',
  'What a record looks like',
  'Limits',
  'What delivered means',
  'When something is wrong',
  'Sources',
]

/** Faults of the way to a backend, as the system and TLS name them. */
const OF_THE_WAY = [
  ...['ECONNREFUSED', 'UNREADABLE_ANSWER', 'CERT_HAS_EXPIRED', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
  'DEPTH_ZERO_SELF_SIGNED_CERT',
]

t.test('every backend has a guide, and every guide a backend', t => {
  const pages = DOCUMENTS.filter(({ file }) => file.startsWith('docs/backends/')).map(({ file }) => file)
  t.strictSame(
    pages.sort(),
    Object.keys(BACKENDS)
      .sort()
      .map(type => `docs/backends/${type}.md`),
  )
  t.end()
})

for (const type of GUIDES) {
  const { text, blocks } = document(`docs/backends/${type}.md`)
  const part = (name: string): string =>
    new RegExp(`<!-- generated: ${name} -->([\\s\\S]*)<!-- /generated: ${name} -->`).exec(text)?.[1] ?? ''

  t.test(`${type}: the guide has its parts, and configures that type alone`, t => {
    t.strictSame(
      [...text.matchAll(/^## (.*)$/gm)].map(([, title]) => title),
      SECTIONS,
    )
    t.strictSame(
      exampleOf(type).backends.map(each => each.type),
      [type],
    )
    t.end()
  })

  t.test(`${type}: what is asked for in the store stands in the record`, t => {
    const [query] = blocks.filter(({ text, language }) => language !== 'yaml' && /payment failed/.test(text)).slice(1)
    const record = part('record')
    t.match(record, 'payment failed')
    t.match(query?.text, 'payment failed')
    if (type === 'stdout') return t.end()
    let seen = 0
    for (const [, name, value] of query!.text.matchAll(/([\w.]+) ?(?:::|:==?|==?|:) ?["']?([\w:-]+)/g)) {
      // The server's own name of the window that is looked at.
      if (name === '_time') continue
      seen++
      // Loki has its own names of what OTLP calls service.name.
      for (const step of name!.split(/[._]/).filter(Boolean)) t.match(record, step, `${name}: ${value}`)
      t.match(record, value, `${name}: ${value}`)
    }
    t.ok(seen > 0, query!.text)
    t.end()
  })

  t.test(`${type}: reasons are those that its answers give`, t => {
    const [, wrong = ''] = /^## When something is wrong\n([\s\S]*?)(?:^Every answer|^## )/m.exec(text) ?? []
    const known = new Set<string>([...(entryOf(type).rejectReasons ?? []), ...OF_THE_WAY])
    for (const [, reason] of part('answers').matchAll(/\(`(\w+)`\)/g)) known.add(reason!)
    const rows = [...wrong.matchAll(/^\| (.*?) \|/gm)].slice(2)
    t.ok(rows.length > 3)
    if (type === 'stdout') return t.end()
    let seen = 0
    for (const [, cell] of rows)
      for (const [, reason] of cell!.matchAll(/`(\w+)`/g)) {
        seen++
        // What the general judge says of any status.
        t.ok(known.has(reason!) || /^http_\d{3}$/.test(reason!), `${reason}: ${[...known].join(' ')}`)
      }
    t.ok(seen > 2)
    t.end()
  })
}

t.test('JSON is indented where it has to be, and numbers stay as they are', t => {
  t.equal(
    indented('{"a":[1,{"b":"c, {d}: \\"e\\""}],"n":1767323045678000000}'),
    '{ "a": [1, { "b": "c, {d}: \\"e\\"" }], "n": 1767323045678000000 }',
  )
  t.equal(indented('plain text'), 'plain text')
  t.equal(indented('{}'), '{}')
  const long = indented(JSON.stringify({ list: Array.from({ length: 40 }, (_, n) => `item ${n}`), empty: [] }))
  t.match(long, /^\{\n {2}"list": \[\n {4}"item 0",\n/)
  t.strictSame(JSON.parse(long).list.length, 40)
  t.ok(long.split('\n').every(line => line.length <= 120))
  t.end()
})
