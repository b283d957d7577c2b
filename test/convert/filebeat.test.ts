/**
 * Filebeat. The shapes stand for what public configurations hold: names with dots and maps mixed, several inputs with
 * processors of their own, Elasticsearch behind TLS, and the sidecar that writes lines to standard output.
 */
import t from 'tap'
import { parse } from 'yaml'
import { fromTokenizer } from '../../src/convert/filebeat/dissect.ts'
import { converted, keepsSecrets, reported, SECRET, unchecked, withUnknown, withWrong } from './converted.ts'

const CONFIG = `filebeat.inputs:
- type: filestream
  id: shop-log
  enabled: true
  paths: [/var/log/shop/*.log]
  prospector.scanner.exclude_files: ['\\.gz$']
  parsers:
    - multiline: { type: pattern, pattern: '^\\d{4}', negate: true, match: after, timeout: 3s }
    - ndjson: { target: "", message_key: msg, overwrite_keys: true }
  fields: { env: prod }
  fields_under_root: true
  processors:
    - drop_event.when.equals.level: debug
    - drop_fields: { fields: [agent, pid] }
    - rename: { fields: [ { from: usr, to: user.name } ], ignore_missing: true }
    - timestamp: { field: ts, layouts: ['02/01/2006 15:04:05.000'], timezone: Europe/Berlin }
- type: log
  paths: [/var/log/plain/*.log]
  fields: { env: prod }
  fields_under_root: true
  exclude_lines: ['^DBG']
  include_lines: ['ERR', 'WARN']
  multiline.pattern: '^\\s'
  multiline.match: after
  max_bytes: 204800
  tail_files: true
  ignore_older: 24h
  scan_frequency: 1s
- type: container
  paths: ['/var/log/containers/*.log']
  stream: stderr
  json.keys_under_root: true
- { type: udp, host: "0.0.0.0:1" }
- { type: log, enabled: false, paths: [/x] }
filebeat.config.modules: { path: '\${path.config}/modules.d/*.yml', reload.enabled: false }
filebeat.registry.path: /data
processors:
  - add_host_metadata: ~
  - add_cloud_metadata: ~
  - script: { lang: javascript, source: "${SECRET}" }
  - add_fields: { target: app, fields: { name: shop } }
  - drop_event:
      when:
        or:
          - contains: { message: "GET /health" }
          - regexp: { message: "kube-probe" }
  - drop_event: { when: { range: { status: { gte: 400 } } } }
output.elasticsearch:
  hosts: ['\${ES_HOST:elastic}:9200', other:9200]
  protocol: https
  username: elastic
  password: ${SECRET}
  index: "shop-%{[fields.env]}-%{[agent.version]}-%{+yyyy.MM.dd}"
  pipeline: shop
  ssl.certificate_authorities: [/etc/ca.crt]
  ssl.verification_mode: none
  bulk_max_size: 2048
  worker: 2
setup.template.enabled: false
setup.ilm.policy_name: shop
setup.kibana: ~
logging.level: warning
logging.to_files: false
queue.mem.events: 4096
`

t.test('inputs become sources, the output a backend; the rest is reported', async t => {
  const result = await converted('filebeat', CONFIG)
  t.equal(result.kind, 'converted')
  keepsSecrets(t, result)
  const labels = { env: 'prod', 'app.name': 'shop' }
  t.strictSame(result.tree, {
    sources: [
      {
        name: 'shop-log',
        paths: ['/var/log/shop/*.log'],
        exclude: ['/**/*.gz'],
        labels,
        multiline: { start: '^\\d{4}', flush: '3s' },
        parse: 'json',
        time: { field: 'ts', format: '%d/%m/%Y %H:%M:%S.%f', zone: 'Europe/Berlin' },
        filter: {
          drop: ['GET /health'],
          dropMatching: ['kube-probe'],
          rules: { level: { drop: { level: 'debug' } } },
        },
        fields: { rename: { usr: 'user.name' }, drop: ['pid'] },
      },
      {
        name: 'app-2',
        paths: ['/var/log/plain/*.log'],
        labels,
        maxLineBytes: '200KiB',
        multiline: { continue: '^\\s' },
        filter: {
          drop: ['GET /health'],
          dropMatching: ['^DBG', 'kube-probe'],
          keepMatching: ['ERR', 'WARN'],
        },
      },
      {
        name: 'app-3',
        paths: ['/var/log/containers/*.log'],
        labels: { 'app.name': 'shop' },
        parse: ['cri', 'docker'],
        filter: {
          drop: ['GET /health'],
          dropMatching: ['kube-probe'],
          rules: { stream: { drop: { stream: 'stdout' } } },
        },
      },
    ],
    backends: [
      {
        type: 'elasticsearch',
        endpoint: 'https://${ES_HOST:-elastic}:9200',
        auth: { basic: { username: 'elastic', password: { env: 'ELASTICSEARCH_PASSWORD' } } },
        index: 'shop-%{[env]}-%{yyyy.MM.dd}',
        pipeline: 'shop',
        tls: { ca: '/etc/ca.crt', insecureSkipVerify: true },
        batch: { maxRecords: 2048 },
        concurrency: 2,
      },
    ],
    log: { level: 'warn' },
  })
  t.strictSame(
    result.lost.map(each => each.replace(/^\d+ /, '')),
    [
      'filebeat.inputs[1].tail_files',
      'filebeat.inputs[1].ignore_older',
      'filebeat.inputs[2].json.keys_under_root',
      'filebeat.inputs[3]',
      'filebeat.config.modules',
      'processors[1].add_cloud_metadata',
      'processors[2].script',
      'processors[5].drop_event.when.range',
      'output.elasticsearch.hosts[1]',
      'setup.ilm.policy_name',
    ],
  )
})

t.test('nothing is ignored silently', async t => {
  for (const [where, text] of withUnknown(parse(CONFIG))) reported(t, await unchecked('filebeat', text), where)
})

const sidecar = (output: string) =>
  `filebeat.prospectors: [ { input_type: log, paths: [/var/log/app.log] } ]\n${output}`

t.test('a sidecar for standard output is one of ours', async t => {
  const plain = await converted('filebeat', sidecar("output.console: { codec.format: { string: '%{[message]}' } }"))
  t.strictSame([plain.tree.backends, plain.lost], [[{ type: 'stdout', format: 'text' }], []])
  const named = await converted(
    'filebeat',
    sidecar("output.console: { codec.format: { string: '%{[message]} %{[x]}' } }"),
  )
  t.strictSame([named.tree.backends[0].format, named.lost], ['ndjson', ['2 output.console.codec.format.string']])
  const pretty = await converted('filebeat', sidecar('output.console: { pretty: true }'))
  t.strictSame([pretty.tree.backends, pretty.lost], [[{ type: 'stdout', format: 'ndjson' }], []])
})

t.test('an output that there is no backend for is lost, with what does in its place', async t => {
  const result = await converted('filebeat', sidecar('output.logstash: { hosts: ["logstash:5044"] }'))
  t.match(result.remarks, [
    { kind: 'note', why: /standard output/ },
    { kind: 'lost', line: 2, key: 'output.logstash', why: /Logstash’s http input/ },
  ])
  t.equal(result.kind, 'converted')
  t.equal(result.tree.backends, undefined)
})

t.test('an address of the cloud and a key become an endpoint and a variable', async t => {
  const id = `shop:${Buffer.from('eu.example.com$abc$def').toString('base64')}`
  const result = await converted(
    'filebeat',
    sidecar(`cloud: { id: '${id}' }\noutput.elasticsearch: { api_key: 'id:${SECRET}', index: x }`),
  )
  keepsSecrets(t, result)
  t.match(result.tree.backends[0], { endpoint: 'https://abc.eu.example.com', apiKey: { env: 'ELASTICSEARCH_API_KEY' } })
  t.match(result.remarks.map(({ why }) => why).join(), 'base64')
})

t.test('conditions that are joined are one rule, or are lost', async t => {
  const when = async (condition: string) => {
    const config = `filebeat.inputs: [ { type: log, paths: [/a], json: {}, processors: [ { drop_event: { when: ${condition} } } ] } ]
output.console: { pretty: false }
`
    const { tree, lost } = await converted('filebeat', config)
    return lost.length > 0 ? 'lost' : tree.sources[0].filter
  }
  t.strictSame(await when('{ and: [ { equals: { status: 200 } }, { contains: { message: ping } } ] }'), {
    rules: { drop_event: { drop: { status: '200', text: 'ping' } } },
  })
  t.strictSame(await when('{ not: { contains: { message: a } } }'), { keep: ['a'] })
  t.strictSame(await when('{ not: { regexp: { message: a.c } } }'), { keepMatching: ['a.c'] })
  t.strictSame(await when('{ equals: { message: "a.c" } }'), { dropMatching: ['^a\\.c$'] })
  t.equal(await when('{ not: { equals: { level: error } } }'), 'lost')
  t.equal(await when('{ has_fields: [a] }'), 'lost')
})

t.test('a level may be a variable, with a default or without one', async t => {
  const level = async (text: string) => {
    const { tree, lost } = await converted(
      'filebeat',
      sidecar(`output.console: { pretty: true }\nlogging.level: ${text}`),
    )
    return [tree.log.level, lost.length]
  }
  t.strictSame(await level('${LEVEL:error}'), ['${LEVEL:-error}', 0])
  t.strictSame(await level('${LEVEL}'), ['${LEVEL}', 0])
  t.strictSame(await level('warning'), ['warn', 0])
})

t.test('a tokenizer is an expression', t => {
  t.strictSame(fromTokenizer('%{time} [%{level}] %{?skipped} took %{ms|integer} ms: %{message}'), {
    expression: '^(?P<time>[^ ]*) \\[(?P<level>[^\\]]*)\\] [^ ]* took (?P<ms>[^ ]*) ms: (?P<message>.*)',
    types: { ms: 'number' },
  })
  t.equal(fromTokenizer('%{a} %{+a}'), undefined)
  t.equal(fromTokenizer('no key'), undefined)
  t.end()
})

t.test('a value of another kind than it should be is no reason to fail', async t => {
  for (const [where, text] of withWrong(parse(CONFIG))) await t.resolves(unchecked('filebeat', text), where)
})
