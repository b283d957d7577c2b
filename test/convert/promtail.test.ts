/**
 * Promtail. The shapes stand for what public configurations hold: files with labels and a pipeline in front of one Loki, a
 * DaemonSet that finds pods, and clients with every kind of credential.
 */
import t from 'tap'
import { parse } from 'yaml'
import { converted, keepsSecrets, reported, SECRET, unchecked, withUnknown, withWrong } from './converted.ts'

const CONFIG = `server: { http_listen_port: 9080, log_level: info }
positions: { filename: /tmp/positions.yaml }
clients:
  - url: http://\${LOKI_HOST:-loki}:3100/loki/api/v1/push
    tenant_id: shop
    external_labels: { cluster: eu }
    batchwait: 1s
    batchsize: 1048576
    timeout: 10s
    backoff_config: { min_period: 100ms, max_period: 5m, max_retries: 10 }
    basic_auth: { username: u, password: ${SECRET} }
    tls_config: { ca_file: /etc/ca.crt, insecure_skip_verify: true }
  - url: https://user:${SECRET}@other/loki/api/v1/push
  - url: https://third/loki/api/v1/push
    bearer_token_file: /var/run/token
    headers: { X-Team: shop }
  - url: https://fourth/loki/api/v1/push
    oauth2: { token_url: 'https://t/token', client_id: me, client_secret: ${SECRET}, scopes: [a] }
scrape_configs:
  - job_name: app
    static_configs:
      - targets: [localhost]
        labels: { job: app, __path__: /var/log/app/*.log, __path_exclude__: /var/log/app/*.gz }
      - labels: { job: other, __path__: /var/log/other/*.log }
    pipeline_stages:
      - multiline: { firstline: '^\\d{4}-', max_wait_time: 3s }
      - json: { expressions: { level: , ts: timestamp, trace: ctx.trace_id } }
      - timestamp: { source: ts, format: '02/Jan/2006:15:04:05 -0700' }
      - labels: { level: , trace: }
      - static_labels: { team: shop }
      - drop: { source: level, value: debug }
      - drop: { expression: '.*kube-probe.*' }
      - drop: { longer_than: 8kb }
      - match: { selector: '{job="app"} |= "healthz"', action: drop, drop_counter_reason: probes }
      - match:
          selector: '{job="app"}'
          stages:
            - regex: { expression: '(?P<x>a)(?=b)' }
            - metrics: { m: { type: Counter } }
      - match: { selector: '{job="none"}', stages: [ { sampling: { rate: 0.1 } } ] }
      - replace: { expression: 'password=(\\S+)', replace: '****' }
      - replace: { expression: 'old(name)', replace: 'newname' }
      - limit: { rate: 500, burst: 1000, drop: true }
      - template: { source: level, template: '{{ ToLower .Value }}' }
      - output: { source: ts }
  - job_name: pods
    kubernetes_sd_configs: [ { role: pod } ]
    relabel_configs:
      - { source_labels: [uid, container], target_label: __path__, replacement: '/var/log/pods/*$1/*.log' }
    pipeline_stages:
      - cri: {}
      - json: { expressions: { level: } }
  - job_name: journal
    journal: { max_age: 12h }
`

t.test('jobs become sources, with their stages; clients become backends', async t => {
  const result = await converted('promtail', CONFIG)
  t.equal(result.kind, 'converted')
  keepsSecrets(t, result)
  const { sources, backends, log } = result.tree
  const common = {
    multiline: { start: '^\\d{4}-', flush: '3s' },
    redact: { match: { replaced: ['password=(?<secret>\\S+)'] } },
    parse: 'json',
    time: { field: 'timestamp', format: '%d/%b/%Y:%H:%M:%S %z' },
    limit: { records: 500, per: 'source', over: 'drop' },
  }
  const rules = { level: { drop: { level: 'debug' } } }
  t.strictSame(sources, [
    {
      name: 'app',
      paths: ['/var/log/app/*.log'],
      exclude: ['/var/log/app/*.gz'],
      labels: { job: 'app', team: 'shop', cluster: 'eu' },
      ...common,
      filter: { drop: ['healthz'], dropMatching: ['.*kube-probe.*'], rules },
    },
    {
      name: 'other',
      paths: ['/var/log/other/*.log'],
      labels: { job: 'other', team: 'shop', cluster: 'eu' },
      ...common,
      filter: { dropMatching: ['.*kube-probe.*'], rules },
    },
    { name: 'pods', paths: ['/var/log/pods/**/*.log'], labels: { cluster: 'eu' }, parse: 'cri' },
  ])
  const labels = ['source', 'job', 'team', 'cluster', 'level', { field: 'ctx.trace_id', as: 'trace' }]
  t.strictSame(backends[0], {
    type: 'loki',
    endpoint: 'http://${LOKI_HOST:-loki}:3100/loki/api/v1/push',
    tenant: 'shop',
    auth: { basic: { username: 'u', password: { env: 'LOKI_PASSWORD' } } },
    tls: { ca: '/etc/ca.crt', insecureSkipVerify: true },
    labels,
    batch: { maxBytes: '1MiB' },
    retry: { initial: '100ms', max: '300s' },
    timeout: { headers: '10s' },
  })
  t.match(backends[1], {
    name: 'loki-2',
    endpoint: 'https://other/loki/api/v1/push',
    auth: { basic: { username: 'user' } },
  })
  t.match(backends[2], { auth: { bearer: { file: '/var/run/token' } }, headers: { 'X-Team': 'shop' } })
  t.match(backends[3], { auth: { oauth2: { tokenUrl: 'https://t/token', clientId: 'me', scopes: ['a'] } } })
  t.strictSame(log, { level: 'info' })
  t.strictSame(
    result.lost.map(each => each.replace(/^\d+ scrape_configs/, '')),
    [
      '[0].pipeline_stages[7].drop',
      '[0].pipeline_stages[9].match.stages[0].regex.expression',
      '[0].pipeline_stages[9].match.stages[1].metrics',
      '[0].pipeline_stages[12].replace',
      '[0].pipeline_stages[14].template',
      '[0].pipeline_stages[15].output.source',
      '[1].kubernetes_sd_configs',
      '[1].relabel_configs',
      '[1].pipeline_stages[1].json',
      '[2].journal',
    ],
  )
})

t.test('nothing is ignored silently', async t => {
  for (const [where, text] of withUnknown(parse(CONFIG))) {
    // A name for a value that no stage asks for does nothing.
    if (!where.endsWith('.expressions')) reported(t, await unchecked('promtail', text), where)
  }
})

t.test('a dollar in an expression stays one, and is no variable', async t => {
  const config = `clients: [ { url: 'http://loki' } ]
scrape_configs:
  - static_configs: [ { labels: { __path__: '\${LOG_DIR}/a.log', x: '\${1}' } } ]
    pipeline_stages: [ { drop: { expression: 'x\${2,3}y$' } } ]
`
  const result = await converted('promtail', config)
  t.match(result.text, "'${LOG_DIR}/a.log'")
  t.strictSame(result.lost, [])
  t.equal(result.tree.sources[0].labels.x, '$${1}')
  t.strictSame(result.tree.sources[0].filter.dropMatching, ['x$${2,3}y$'])
})

t.test('a value of another kind than it should be is no reason to fail', async t => {
  for (const [where, text] of withWrong(parse(CONFIG))) await t.resolves(unchecked('promtail', text), where)
})
