/** Names that the documentation uses are those of the program: metrics, events, types of backends and their examples. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { BACKENDS } from '../../src/backends/registry.ts'
import { EVENTS } from '../../src/events.ts'
import { METRICS } from '../../src/server/metrics.ts'
import { DOCUMENTS, document, ROOT } from './documents.ts'

const metrics = new Set(METRICS.map(({ name }) => name))

t.test('every metric that is named is there', t => {
  let seen = 0
  for (const { file, text } of DOCUMENTS) {
    for (const [name] of text.matchAll(/\blogshipper_[a-z_]+[a-z]/g)) {
      seen++
      t.ok(metrics.has(name), `${file}: ${name}`)
    }
  }
  t.ok(seen > 40)
  t.end()
})

/** In snake case too, and no events. */
const OTHERS = new Set([
  // Reasons of verdicts and drops, and states.
  ...[
    'http_400',
    'http_401',
    'http_500',
    'too_large',
    'proxy_407',
    'not_retried',
    'oauth2_invalid_client',
    'partial_success',
  ],
  // Types of backends and keys of theirs.
  ...['splunk_hec', 'epoch_s', 'epoch_ms', 'epoch_ns', 'max_line_size'],
  // What a tutorial names.
  ...['lag_seconds', 'in_flight_seconds', 'waiting_files', 'waiting_directories', 'read_lines_total', 'config_valid'],
])

t.test('every event that is named is one', t => {
  let seen = 0
  for (const file of ['operations', 'limits', 'configuration', 'rotation', 'symptoms', 'development/debugging'].map(
    name => `docs/${name}.md`,
  )) {
    const written = document(file).prose.replace(/<!-- generated: [\s\S]*?<!-- \/generated: /g, '')
    for (const [, name] of written.matchAll(/`([a-z]+(?:_[a-z]+)+)`/g)) {
      if (OTHERS.has(name!) || metrics.has(name!)) continue
      seen++
      t.ok(name! in EVENTS, `${file}: ${name}`)
    }
  }
  t.ok(seen > 15)
  t.end()
})

t.test(
  'every type of backend has its acknowledgement level, its example in config/ and its place in docs/backends.md',
  t => {
    const { text } = document('docs/backends.md')
    for (const type of Object.keys(BACKENDS)) {
      const rows = [...text.matchAll(/^\| (.*?) \| (.*?) \|$/gm)].filter(([, cell]) => cell!.includes(`\`${type}\``))
      t.match(rows[0]?.[2], /\*(stored|accepted|written)\*/, `${type}: what delivered means`)
      t.match(rows[1]?.[2], `(../config/${type}.yaml)`, `${type}: its example`)
      t.ok(existsSync(join(ROOT, `config/${type}.yaml`)), type)
    }
    t.end()
  },
)
