/**
 * Alloy. The shapes stand for what public configurations hold: files with labels in one pipeline, targets that are listed
 * in place, an exporter of OTLP, and components for metrics beside them.
 */
import t from 'tap'
import { readRiver } from '../../src/convert/alloy/river.ts'
import { References } from '../../src/convert/references.ts'
import { Remarks } from '../../src/convert/remarks.ts'
import { converted, keepsSecrets, reported, SECRET, UNKNOWN, unchecked } from './converted.ts'

const CONFIG = `logging {
  level  = "warn"
  format = "logfmt"
}
/* files */
local.file_match "app" {
  path_targets = [
    { __path__ = "/var/log/app/*.log", "job" = "app", host = sys.env("HOSTNAME") },
    {
      __path__ = "/var/log/other/*.log",
      job      = "other",
    },
  ]
  sync_period = "5s"
}
loki.source.file "app" {
  targets       = local.file_match.app.targets
  forward_to    = [loki.process.app.receiver]
  tail_from_end = true
}
loki.process "app" {
  forward_to = [loki.relabel.app.receiver]
  stage.multiline {
    firstline = "^\\\\d{4}-\\\\d{2}" // a date
  }
  stage.json {
    expressions = { level = "", ts = "'@timestamp'" }
  }
  stage.timestamp {
    source = "ts"
    format = "RFC3339Nano"
  }
  stage.labels {
    values = { level = "level" }
  }
  stage.match {
    selector = "{job=\\"app\\"}"
    stage.drop {
      expression = \`.*probe.*\`
    }
  }
  stage.geoip {
    db = "x"
  }
}
loki.relabel "app" {
  forward_to = [loki.write.default.receiver, otelcol.receiver.loki.out.receiver]
  rule {
    action = "labeldrop"
  }
}
loki.write "default" {
  endpoint {
    url       = "http://" + sys.env("LOKI_HOST") + ":3100/loki/api/v1/push"
    tenant_id = "shop"
    basic_auth {
      username = "u"
      password = "${SECRET}"
    }
  }
  external_labels = { cluster = "eu" }
}
otelcol.receiver.loki "out" {
  output {
    logs = [otelcol.processor.batch.out.input]
  }
}
otelcol.processor.batch "out" {
  timeout = "1s"
  output {
    logs = [otelcol.exporter.otlphttp.out.input]
  }
}
otelcol.exporter.otlphttp "out" {
  client {
    endpoint = "http://otel:4318"
    headers  = { "X-Api-Key" = "${SECRET}" }
    tls {
      insecure = true
    }
  }
}
loki.source.file "more" {
  targets = [
    { __path__ = "/var/log/more.log" },
  ]
  forward_to = [loki.write.default.receiver]
}
prometheus.scrape "x" {
  targets    = concat(discovery.kubernetes.pods.targets, [])
  forward_to = []
}
loki.source.file "pods" {
  targets    = discovery.relabel.pods.output
  forward_to = [loki.write.default.receiver]
}
`

t.test('components become sources and backends along the way from files', async t => {
  const result = await converted('alloy', CONFIG)
  t.equal(result.kind, 'converted')
  keepsSecrets(t, result)
  const stages = {
    multiline: { start: '^\\d{4}-\\d{2}' },
    parse: 'json',
    time: { field: '@timestamp', format: 'rfc3339' },
  }
  t.strictSame(result.tree, {
    sources: [
      {
        name: 'app',
        paths: ['/var/log/app/*.log'],
        labels: { job: 'app', host: '${HOSTNAME}', cluster: 'eu' },
        ...stages,
        filter: { dropMatching: ['.*probe.*'] },
      },
      { name: 'other', paths: ['/var/log/other/*.log'], labels: { job: 'other', cluster: 'eu' }, ...stages },
      { name: 'more', paths: ['/var/log/more.log'], labels: { cluster: 'eu' } },
    ],
    backends: [
      {
        type: 'loki',
        endpoint: 'http://${LOKI_HOST}:3100/loki/api/v1/push',
        tenant: 'shop',
        auth: { basic: { username: 'u', password: { env: 'LOKI_PASSWORD' } } },
        labels: ['source', 'job', 'host', 'cluster', 'level'],
      },
      {
        type: 'otlp',
        sources: ['app', 'other'],
        endpoint: 'http://otel:4318',
        headers: { 'X-Api-Key': { env: 'OTLP_X_API_KEY' } },
      },
    ],
    log: { level: 'warn' },
  })
  t.strictSame(
    result.lost.map(each => each.replace(/^\d+ /, '')),
    [
      'loki.source.file "app": tail_from_end',
      'loki.process "app": stage.geoip',
      'loki.relabel "app": rule',
      'prometheus.scrape "x"',
      'loki.source.file "pods"',
      'loki.source.file "pods": targets',
    ],
  )
})

/** The blocks that a line lies in, its own with it, by their indentation. */
function blocksAround(lines: readonly string[], at: number): string[] {
  const depth = (line: string): number => /^ */.exec(line)![0].length
  const names = [lines[at]!]
  for (let line = at - 1; line >= 0; line--) {
    if (lines[line] !== '' && depth(lines[line]!) < depth(names[0]!)) names.unshift(lines[line]!)
  }
  return names.map(each => each.trim().replace(/\s*(= )?[[{]+$/, ''))
}

t.test('nothing is ignored silently', async t => {
  const lines = CONFIG.split('\n')
  let seen = 0
  for (const [index, line] of lines.entries()) {
    if (!/\{\s*$/.test(line)) continue
    seen++
    const object = /^\s*\{$/.test(line)
    const changed = lines.toSpliced(index + 1, 0, `${UNKNOWN} = "x"${object ? ',' : ''}`).join('\n')
    // What is reported as a whole is named by its block.
    const name = blocksAround(lines, index).join(': ')
    reported(t, await unchecked('alloy', changed), `${name}: ${UNKNOWN}`)
  }
  t.ok(seen > 20)
})

function river(text: string) {
  return readRiver(text, 'x', 0, {
    remarks: new Remarks(),
    references: new References({ fallback: 'marked' }),
  })
}

t.test('a text that is none of its language is named with its line', t => {
  const table: [string, number, RegExp][] = [
    ['a "b" {\n  c = 1', 2, /end of the file/],
    ['a {\n  = 1\n}', 2, /= where a name belongs/],
    ['a {\n\n  b = "x\n}', 3, /sign/],
    ['a {\n  b = [1, 2\n}', 3, /where , belongs/],
    ['}', 1, /} where a name belongs/],
    ['a = ', 1, /end of the file/],
    [`a = ${'['.repeat(100)}`, 1, /too deeply/],
  ]
  for (const [text, line, found] of table) t.match(river(text), { kind: 'unreadable', line, found }, text)
  t.end()
})

t.test('values are read as they are meant, and expressions are kept', t => {
  const read = river(
    'a = [true, null, 1.5, "x\\ty\\u00e9", `r\\n`]\nb = a.b.c + "x"\nc = f(1, {\n  d = 2,\n})\ne = sys.env("E") + "-${f}"\n',
  )
  if (read.kind !== 'river') return t.fail('it is read')
  const [a, b, c, e] = read.attributes
  t.strictSame(
    a!.items().map(({ content }) => content),
    [true, null, 1.5, 'x\tyé', 'r\\n'].map(value => ({ kind: 'value', value })),
  )
  t.strictSame(b!.content, { kind: 'expression', text: 'a.b.c + "x"' })
  t.match(c!.content, { kind: 'expression', text: /^f\(1/ })
  t.strictSame(e!.content, { kind: 'value', value: '\uE000E\uE001-${f}' })
  t.end()
})
