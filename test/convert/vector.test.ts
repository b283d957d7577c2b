/**
 * Vector. The shapes stand for what public configurations hold: TOML with a program of VRL, ways that part behind a filter,
 * and one sink of each kind that there is a backend for.
 */

import { parse as parseToml } from 'smol-toml'
import t from 'tap'
import { parse } from 'yaml'
import { dropping, keeping } from '../../src/convert/vector/conditions.ts'
import { converted, keepsSecrets, reported, SECRET, unchecked, withUnknown, withWrong } from './converted.ts'

const TOML = `data_dir = "/var/lib/vector"
[api]
enabled = true

[sources.app]
type = "file"
include = ["/var/log/app/*.log", "\${LOG_DIR}/*.log"]
exclude = ["*.gz"]
read_from = "beginning"
max_line_bytes = 102400
[sources.app.multiline]
start_pattern = '^\\d{4}'
mode = "halt_before"
condition_pattern = '^\\d{4}'
timeout_ms = 1000

[sources.sys]
type = "journald"

[transforms.parse]
type = "remap"
inputs = ["app"]
source = '''
# what is in a line
. = parse_json!(.message)
del(.pid)
.env = "prod" # constant
.node = get_env_var!("NODE")
.user = del(.usr)
.timestamp = parse_timestamp!(.ts, format: "%d.%m.%Y %H:%M:%S%.3f")
if .level == "debug" || contains(string!(.message), "healthz") {
  abort
}
.size = length(.y) ?? 0
'''

[transforms.only]
type = "filter"
inputs = ["parse"]
condition = """.level != "trace" && !match(.message, r'x')"""

[transforms.errors]
type = "filter"
inputs = ["only"]
condition = "match(string!(.message), r'ERR')"

[transforms.some]
type = "sample"
inputs = ["only"]
rate = 10

[transforms.nowhere]
type = "dedupe"
inputs = ["only"]

[sinks.loki]
type = "loki"
inputs = ["some"]
endpoint = "https://\${LOKI_HOST:-loki}:3100"
encoding.codec = "json"
labels.level = "{{ level }}"
labels.app = "shop"
labels.zone = "{{ ctx.zone }}"

[sinks.es]
type = "elasticsearch"
inputs = ["errors"]
endpoints = ["http://es:9200"]
bulk.index = "shop-{{ kind }}-%Y.%m.%d"
auth.strategy = "basic"
auth.user = "u"
auth.password = "$ES_PASSWORD"
[sinks.es.request.headers]
X-Token = "${SECRET}"

[sinks.s3]
type = "aws_s3"
inputs = ["app"]
bucket = "x"
`

t.test('what lies on all ways is said of the source, what lies on one of its backend', async t => {
  const result = await converted('vector', TOML)
  t.equal(result.kind, 'converted')
  keepsSecrets(t, result)
  t.strictSame(result.tree, {
    sources: [
      {
        name: 'app',
        paths: ['/var/log/app/*.log', '${LOG_DIR}/*.log'],
        exclude: ['/**/*.gz'],
        labels: { env: 'prod', node: '${NODE}', app: 'shop' },
        maxLineBytes: 102400,
        multiline: { start: '^\\d{4}', flush: '1s' },
        parse: 'json',
        time: { field: 'ts', format: '%d.%m.%Y %H:%M:%S.%f' },
        filter: {
          drop: ['healthz'],
          dropMatching: ['x'],
          rules: { level: { drop: { level: 'debug' } }, 'level-2': { drop: { level: 'trace' } } },
        },
        fields: { rename: { usr: 'user' }, drop: ['pid'] },
      },
    ],
    backends: [
      {
        type: 'loki',
        endpoint: 'https://${LOKI_HOST:-loki}:3100',
        labels: ['source', 'level', 'app', { field: 'ctx.zone', as: 'zone' }],
        sample: { keep: 0.1, unless: 'none' },
      },
      {
        type: 'elasticsearch',
        endpoint: 'http://es:9200',
        index: 'shop-%{[kind]}-%{yyyy.MM.dd}',
        headers: { 'X-Token': { env: 'ELASTICSEARCH_X_TOKEN' } },
        auth: { basic: { username: 'u', password: { env: 'ES_PASSWORD' } } },
        filter: { keepMatching: ['ERR'] },
      },
    ],
  })
  const lines = TOML.split('\n')
  t.strictSame(
    result.remarks.filter(({ kind }) => kind === 'lost').map(({ line, key }) => [lines[line! - 1], key]),
    [
      ['[sources.sys]', 'sources.sys'],
      ['.size = length(.y) ?? 0', 'transforms.parse.source: statement 8'],
      ['[sinks.s3]', 'sinks.s3'],
    ],
  )
})

t.test('nothing is ignored silently', async t => {
  for (const [where, text] of withUnknown(parseToml(TOML))) reported(t, await unchecked('vector', text), where)
})

const YAML = `sources:
  a: { type: file, include: [/var/log/a.log] }
  pods: { type: kubernetes_logs, extra_label_selector: x=y }
  in: { type: stdin }
transforms:
  split: { type: route, inputs: [a], route: { probes: 'contains(.message, "probe")', rest: '!contains(.message, "probe")' } }
  slow: { type: throttle, inputs: [split.rest], threshold: 1000, window_secs: 2 }
sinks:
  http: { type: http, inputs: [slow], uri: 'https://c/in?token=${SECRET}', encoding: { codec: json, except_fields: [.x] }, framing: { method: newline_delimited }, tls: { ca_file: /ca.crt, verify_certificate: false } }
  splunk: { type: splunk_hec_logs, inputs: [split.probes], endpoint: 'https://s:8088', default_token: ${SECRET}, index: app, encoding: { codec: text }, acknowledgements: { indexer_acknowledgements_enabled: true } }
  datadog: { type: datadog_logs, inputs: ['p*'], default_api_key: '\${DD_KEY}', site: datadoghq.eu, compression: zstd }
  relic: { type: new_relic, inputs: [pods], license_key: ${SECRET}, account_id: 1, region: eu, api: logs }
  otel: { type: opentelemetry, inputs: [pods], protocol: { type: http, uri: 'http://otel:4318/v1/logs', encoding: { codec: json }, auth: { strategy: bearer, token: ${SECRET} } } }
  click: { type: clickhouse, inputs: [pods], endpoint: 'http://ch:8123', database: d, table: t, skip_unknown_fields: true, batch: { max_bytes: 1048576, max_events: 5000, timeout_secs: 1 } }
  axiom: { type: axiom, inputs: [pods], dataset: shop, token: ${SECRET}, org_id: o }
  out: { type: console, inputs: [pods], encoding: { codec: json }, target: stdout }
  kafka: { type: kafka, inputs: [pods], bootstrap_servers: 'k:9092', topic: x }
`

t.test('each kind of sink that there is a backend for becomes one', async t => {
  const result = await converted('vector', YAML)
  t.equal(result.kind, 'converted')
  keepsSecrets(t, result)
  const { sources, backends } = result.tree
  t.strictSame(
    sources.map(({ paths, parse }: { paths: string[]; parse?: string }) => [paths[0], parse]),
    [
      ['/var/log/a.log', undefined],
      ['/var/log/pods/**/*.log', 'cri'],
    ],
  )
  t.match(backends, [
    {
      ...{
        type: 'http',
        sources: ['a'],
        endpoint: 'https://c/in',
        query: { token: '${HTTP_TOKEN}' },
        format: 'ndjson',
      },
      ...{ filter: { drop: ['probe'] }, limit: { records: 500, per: 'source', over: 'drop' } },
      ...{ tls: { ca: '/ca.crt', insecureSkipVerify: true } },
    },
    { type: 'splunk_hec', token: { env: 'SPLUNK_TOKEN' }, index: 'app', ack: true, filter: { keep: ['probe'] } },
    { type: 'datadog', apiKey: { env: 'DD_KEY' }, site: 'datadoghq.eu', compression: 'zstd', sources: ['pods'] },
    { type: 'newrelic', apiKey: { env: 'NEW_RELIC_LICENSE_KEY' }, region: 'eu' },
    { type: 'otlp', endpoint: 'http://otel:4318/v1/logs', auth: { bearer: { env: 'OTLP_TOKEN' } } },
    { type: 'clickhouse', database: 'd', table: 't', batch: { maxBytes: '1MiB', maxRecords: 5000 } },
    { type: 'http', endpoint: 'https://api.axiom.co/v1/datasets/shop/ingest', record: { time: '_time' } },
    { type: 'stdout', format: 'ndjson' },
  ])
  t.strictSame(result.lost, [
    '3 sources.pods.extra_label_selector',
    '4 sources.in',
    '9 sinks.http.encoding.except_fields',
    '17 sinks.kafka',
  ])
})

t.test('in YAML too nothing is ignored silently', async t => {
  for (const [where, text] of withUnknown(parse(YAML))) reported(t, await unchecked('vector', text), where)
})

t.test('programs are statements, each of which is known or reported', async t => {
  const program = async (source: string) => {
    const config = {
      sources: { a: { type: 'file', include: ['/a'] } },
      transforms: { t: { type: 'remap', inputs: ['a'], source } },
    }
    const sinks = { out: { type: 'console', inputs: ['t'], encoding: { codec: 'json' } } }
    const { tree, lost } = await converted('vector', JSON.stringify({ ...config, sinks }))
    const { name: _, paths: __, ...rest } = tree.sources[0]
    return [rest, lost.length]
  }
  const table: [string, object, number][] = [
    ['. = parse_json(.message) ?? {}', { parse: 'json' }, 0],
    ['. |= parse_logfmt!(string!(.message))', { parse: 'logfmt' }, 0],
    ['. = merge(., parse_syslog!(.message))', { parse: 'syslog' }, 0],
    ['., err = parse_json(.message)', { parse: 'json' }, 0],
    [". |= parse_regex!(.message, r'^(?P<a>\\d+)')", { parse: { match: ['^(?P<a>\\d+)'] } }, 0],
    ['. = parse_nginx_log!(.message, format: "combined")', { parse: 'nginx' }, 0],
    [
      ". |= parse_regex!(.message, r'^(?P<a>\\d+)')\n.a = to_int!(.a)\n.dt = del(.timestamp)",
      { parse: { match: ['^(?P<a>\\d+)'], types: { a: 'number' } } },
      1,
    ],
    ['del(.source_type)\ndel(.message)', {}, 0],
    ['. = parse_json!(.message)\n.level = downcase!(.level)', { parse: 'json' }, 0],
    [
      '. = parse_json!(.message)\n.timestamp = from_unix_timestamp!(.t, unit: "milliseconds")',
      { parse: 'json', time: { field: 't', format: 'epoch_ms' } },
      0,
    ],
    ['for_each(.a) -> |k, v| {\n  del(.x)\n}', {}, 1],
    ['if exists(.a) {\n  .b = 1\n} else {\n  .b = 2\n}', {}, 1],
    ['.message = redact(.message, filters: ["pattern"])', {}, 1],
  ]
  for (const [source, options, lost] of table) t.strictSame(await program(source), [options, lost], source)
})

t.test('conditions are a few comparisons', t => {
  const none = { drop: [], dropMatching: [], keep: [], keepMatching: [], rules: [] }
  t.strictSame(keeping('.level != "debug" && !includes(["a", "b"], .kind)'), {
    ...none,
    rules: [{ level: 'debug' }, { kind: ['a', 'b'] }],
  })
  t.strictSame(keeping('(contains(string!(.message), "a\\"b"))'), { ...none, keep: ['a"b'] })
  t.strictSame(dropping('starts_with(string!(.message), "a.") || match(.message, r\'x|y\')'), {
    ...none,
    dropMatching: ['^a\\.', 'x|y'],
  })
  t.type(keeping('.level == "error"'), 'string')
  t.type(keeping('.status > 400'), 'string')
  t.type(dropping('.a == "x" && .b == "y"'), 'string')
  t.end()
})

t.test('a transform whose inputs are all components is not its own', async t => {
  const all = (name: string) =>
    `[transforms.${name}]\ntype = "filter"\ninputs = ["*"]\ncondition = 'contains(.message, "${name}")'\n`
  const source = '[sources.a]\ntype = "file"\ninclude = ["/a"]\n'
  const sink = '[sinks.out]\ntype = "console"\ninputs = ["*"]\nencoding.codec = "text"\n'
  const { kind, tree } = await converted('vector', `${source}${['x', 'y', 'z'].map(all).join('')}${sink}`)
  t.equal(kind, 'converted')
  t.strictSame(tree.backends, [{ type: 'stdout', format: 'text' }])
})

t.test('TOML that is none is named with its line', async t => {
  const { kind } = await converted('vector', '[sources.a]\ninclude = [ $PATHS ]\n')
  t.equal(kind, 'unreadable')
})

t.test('a value of another kind than it should be is no reason to fail', async t => {
  for (const [where, text] of withWrong(parseToml(TOML))) await t.resolves(unchecked('vector', text), where)
})
