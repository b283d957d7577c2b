/** What a configuration costs is said before it is used. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { scratch } from '../scratch.ts'
import { inside } from './inside.ts'

async function validated(t: Test, text: string, ...args: string[]) {
  const file = join(scratch(t, { 'app.log': '' }), 'config.yaml')
  writeFileSync(file, text.replaceAll('DIR', join(file, '..')))
  return { ...(await inside(['validate', ...args, file])), file }
}

const CONFIG = `sources:
  - name: app
    paths: [DIR/app.log]
    multiline: { start: ['^\\d{4}-', 'Exception'] }
    parse:
      match: '^(?P<a>\\d+) (?P<b>.*)$'
    filter:
      dropMatching: ["kube-probe", '^\\s*$', '\\d+ ms: .*timeout']
      keepMatching: '\\w+\\d'
      rules: { odd: { drop: { matching: 'e[a-z]', below: error } } }
  - name: other
    paths: [DIR/app.log.1]
    parse: { match: ['(?P<x>\\w+)=', '^(?P<y>.*)z(?P<z>.*)'] }
    multiline: { continue: '^.*more' }
backends:
  - { type: stdout, filter: { dropMatching: '(?i)health' } }
`

t.test('of each own expression it is said what it costs, and how to make a slow one faster', async t => {
  const { code, out, err, file } = await validated(t, CONFIG)
  t.equal(code, 0, err)
  const [first, ...costs] = out.trim().split('\n')
  t.equal(first, 'valid: 2 sources, 1 backend')
  t.strictSame(
    costs.map(line => line.replaceAll(/\d+ bytes?/g, 'N bytes')),
    [
      `${file}:4: sources[0].multiline.start[0]: tried at the head only, a table of N bytes`,
      `${file}:4: sources[0].multiline.start[1]: tried at every byte, a table of N bytes`,
      `${file}:6: sources[0].parse.match: tried at the head only, a table of N bytes`,
      `${file}:8: sources[0].filter.dropMatching[0]: a text only, a table of N bytes`,
      `${file}:8: sources[0].filter.dropMatching[1]: tried at the head only, a table of N bytes`,
      `${file}:8: sources[0].filter.dropMatching[2]: tried about once in N bytes, where a few of its bytes stand, a table of N bytes`,
      `${file}:9: sources[0].filter.keepMatching: tried at every byte, a table of N bytes`,
      `${file}:10: sources[0].filter.rules.odd.drop.matching: tried about once in N bytes, where a few of its bytes stand, a table of N bytes`,
      `${file}:14: sources[1].multiline.continue: tried at every byte, a table of N bytes`,
      `${file}:13: sources[1].parse.match[0]: tried at every byte, a table of N bytes`,
      `${file}:13: sources[1].parse.match[1]: tried at the head only, a table of N bytes`,
      `${file}:16: backends[0].filter.dropMatching: a text only, a table of N bytes`,
    ],
  )
  t.ok(costs.every(line => Number(/(\d+) bytes$/.exec(line)![1]) > 200))
  t.strictSame(
    err
      .trim()
      .split('\n')
      .filter(line => !line.includes('matches nothing yet')),
    [
      `warning: ${file}:4: sources[0].multiline.start[1] scans every byte: begin it with ^ or a text`,
      `warning: ${file}:9: sources[0].filter.keepMatching scans every byte: begin it with ^ or a text`,
      `warning: ${file}:10: sources[0].filter.rules.odd.drop.matching is tried about once in 33 bytes: a longer text in it makes it faster`,
      `warning: ${file}:14: sources[1].multiline.continue scans every byte: begin it with ^ or a text`,
      `warning: ${file}:13: sources[1].parse.match[0] scans every byte: begin it with ^ or a text`,
    ],
  )
})

t.test('a program reads the same', async t => {
  const { code, out, file } = await validated(t, CONFIG, '--json')
  t.equal(code, 0)
  const { valid, problems, warnings, expressions } = JSON.parse(out)
  t.strictSame([valid, problems], [true, []])
  t.equal(expressions.length, 12)
  t.match(expressions[8], {
    ...{ file, line: 14, key: 'sources[1].multiline.continue', expression: '^.*more', kind: 'every byte' },
    bytes: Number,
  })
  t.match(warnings.join('\n'), 'sources[0].filter.keepMatching scans every byte')
})

t.test('an expression of redact says what it costs, and a slow one is a warning', async t => {
  const { code, out, err } = await validated(
    t,
    'sources: [{ paths: [DIR/app.log], redact: { match: { order: "order=(?<secret>\\\\d{8})", any: ["[a-z]+[0-9]+"] } } }]\n',
  )
  t.equal(code, 0)
  t.match(out, /sources\[0\]\.redact\.match\.order: tried about once in \d+ bytes/)
  t.match(err, /sources\[0\]\.redact\.match\.any\[0\] scans every byte/)
})

t.test(
  'an expression that cannot be compiled is a problem at its key, and none costs anything where none is written',
  async t => {
    const bad = await validated(t, CONFIG.replace("'^\\s*$'", "'(a'"))
    t.equal(bad.code, 2)
    t.equal(bad.out, '')
    t.match(bad.err, /config\.yaml:8: sources\[0\]\.filter\.dropMatching\[1\]/)
    const plain = 'sources: [{ paths: [DIR/app.log], parse: nginx, multiline: java, redact: secrets, filter: info }]\n'
    t.match(await validated(t, plain), { code: 0, out: 'valid: 1 source, 1 backend\n', err: '' })
  },
)
