import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { loadConfig } from '../../../src/config/load.ts'
import { scratch } from '../../scratch.ts'

async function load(t: Test, yaml: string, env: Record<string, string> = {}) {
  const file = join(scratch(t), 'config.yaml')
  writeFileSync(file, yaml)
  return loadConfig({ file, env, cwd: '/' })
}

const SOURCE = 'sources:\n  - paths: [/logs/*.log]\n'

t.test('one word, or one variable, says the simple case', async t => {
  const words = `${SOURCE}    filter: info\n    sample: 0.5\n    repeats: 30s\n    limit: 1MiB\n`
  const env = { LOGSHIPPER_SOURCE_FILTER: 'info', LOGSHIPPER_SOURCE_SAMPLE: '0.5' }
  const more = { LOGSHIPPER_SOURCE_REPEATS: '30s', LOGSHIPPER_SOURCE_LIMIT: '1MiB' }
  for (const loaded of [await load(t, words), await load(t, SOURCE, { ...env, ...more })]) {
    t.equal(loaded.kind, 'ok', JSON.stringify(loaded))
    if (loaded.kind !== 'ok') return
    const { steps, reasons, levels } = loaded.config.plans.get('app')!.select!
    t.match(steps, [
      { kind: 'filter' },
      { kind: 'sample', share: 0.5 },
      { kind: 'repeats', window: 30_000, flush: 2000 },
      { kind: 'limit', bytes: 1 << 20, records: 0, per: 'file', over: 'wait' },
    ])
    t.strictSame(reasons, ['filter:below', 'sample', 'repeats'])
    t.equal(levels, true)
  }
})

t.test('each key is a variable too', async t => {
  const loaded = await load(t, SOURCE, {
    LOGSHIPPER_SOURCE_FILTER_BELOW: 'warn',
    LOGSHIPPER_SOURCE_FILTER_DROP: 'GET /health,kube-probe/',
    LOGSHIPPER_SOURCE_LIMIT_RECORDS: '100',
    LOGSHIPPER_SOURCE_LIMIT_OVER: 'drop',
    LOGSHIPPER_BACKEND_FILTER: 'error',
  })
  t.equal(loaded.kind, 'ok', JSON.stringify(loaded))
  if (loaded.kind !== 'ok') return
  t.strictSame(loaded.config.plans.get('app')!.select!.reasons, ['filter:below', 'filter:drop', 'limit'])
  t.strictSame(loaded.config.backends[0]!.routes.get('app')!.select!.reasons, ['filter:below'])
})

t.test('a backend has routes for its sources only, and fields that it names are found', async t => {
  const loaded = await load(
    t,
    `sources:
  - { name: one, paths: [/logs/1.log], parse: json, filter: { drop: noise } }
  - { name: two, paths: [/logs/2.log] }
backends:
  - { name: all }
  - name: errors
    sources: [one]
    filter: { rules: { quiet: { drop: { logger: cache, status: [200, 204] } } } }
    sample: { keep: 0.1, by: trace_id }
`,
  )
  t.equal(loaded.kind, 'ok', JSON.stringify(loaded))
  if (loaded.kind !== 'ok') return
  const [all, errors] = loaded.config.backends
  t.equal(all!.routes.size, 0)
  t.strictSame([...errors!.routes.keys()], ['one'])
  t.strictSame(errors!.routes.get('one')!.select!.reasons, ['filter:quiet', 'sample'])
  const { slots } = loaded.config.plans.get('one')!
  const found = ['logger', 'status', 'trace_id'].map(name => slots!.slotFor(name))
  t.equal(new Set(found).size, 3)
  t.ok(
    found.every(slot => slot! < loaded.config.plans.get('one')!.parse!.slots),
    'they are laid down',
  )
})

t.test('which values a backend gets is said of those sources whose records are parsed', async t => {
  const sources = 'sources:\n  - { name: one, paths: [/logs/1], parse: json }\n  - { name: two, paths: [/logs/2] }\n'
  const both = await load(t, `${sources}backends: [{ fields: { drop: [pid] } }]\n`)
  t.equal(both.kind, 'ok', JSON.stringify(both))
  if (both.kind !== 'ok') return
  const [backend] = both.config.backends
  t.strictSame([...backend!.routes.keys()], ['one'])
  t.match(backend!.routes.get('one'), { select: undefined, fields: { drop: ['pid'] } })
  const none = await load(t, `${sources}backends: [{ sources: [two], fields: { drop: [pid] } }]\n`)
  t.match(none, { problems: [{ line: 4, key: 'backends[0].fields', found: /not parsed/, allowed: /parse/ }] })
  const twice = await load(t, `${sources}backends: [{ fields: { rename: { a: x, b: x } } }]\n`)
  t.match(twice, { problems: [{ key: 'backends[0].fields.rename.b', found: 'x, which a is called too' }] })
  const wrong = await load(
    t,
    `${sources}backends: [{ fields: { rename: { a: "" } } }, { name: b, fields: { drp: [] } }]\n`,
  )
  t.match(wrong, {
    problems: [
      { key: 'backends[0].fields.rename.a', allowed: /a name/ },
      { key: 'backends[1].fields.drp', found: /unknown key/, allowed: /rename/ },
    ],
  })
})

t.test('what is wrong says where, and what is allowed', async t => {
  for (const [keys, key, allowed] of [
    ['filter: loud', 'sources[0].filter', /none, one of trace, debug/],
    ['filter: { below: loud }', 'sources[0].filter.below', /trace/],
    ['filter: { drop: [] }', 'sources[0].filter.drop', /1 to 64/],
    ['filter: { drop: [""] }', 'sources[0].filter.drop[0]', /not empty/],
    ['filter: { dropMatching: ["a", "("] }', 'sources[0].filter.dropMatching[1]', /RE2/],
    [
      'filter: { rules: { drop: { drop: { text: x } } } }',
      'sources[0].filter.rules.drop',
      /other than below, drop, keep/,
    ],
    [
      'filter: { rules: { a: { drop: { path: /x } } } }',
      'sources[0].filter.rules.a.drop.path',
      /below, text, matching/,
    ],
    ['sample: 0', 'sources[0].sample', /greater than 0/],
    ['sample: 10%', 'sources[0].sample', /greater than 0/],
    ['sample: { keep: 0.1, by: trace_id }', 'sources[0].sample.by', /parse/],
    ['limit: { per: file }', 'sources[0].limit', /bytes or records/],
    ['limit: { bytes: 1 }', 'sources[0].limit.bytes', /1KiB/],
    ['repeats: soon', 'sources[0].repeats', /duration/],
    ['repeats: { flush: 1ms }', 'sources[0].repeats.flush', /10ms to 10m/],
  ] as const) {
    const loaded = await load(t, `${SOURCE}    ${keys}\n`)
    if (loaded.kind !== 'invalid') t.fail(`${keys} is taken`)
    else t.match(loaded.problems[0], { key, allowed }, keys)
  }
  const loaded = await load(t, `${SOURCE}backends:\n  - filter: { keepMatching: '[' }\n`)
  if (loaded.kind === 'invalid') t.match(loaded.problems, [{ key: 'backends[0].filter.keepMatching', line: 4 }])
  else t.fail('it is taken')
})
