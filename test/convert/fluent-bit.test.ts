/**
 * Fluent Bit. The shapes stand for what public configurations hold: a ConfigMap of several files that include each other,
 * a sidecar that parses JSON, one that joins stack traces, and the YAML format with processors.
 */
import t from 'tap'
import { parse } from 'yaml'
import { converted, keepsSecrets, reported, SECRET, UNKNOWN, unchecked, withUnknown, withWrong } from './converted.ts'

const MAIN = `@SET app=shop
# a comment
[SERVICE]
    Flush         1
    Log_Level     warn
    Parsers_File  parsers.conf
    HTTP_Server   On
    storage.path  /buffers

@INCLUDE inputs.conf

[FILTER]
    Name    grep
    Match   app.*
    Exclude log GET /healthz
    Exclude level ^(debug|trace)$

[FILTER]
    Name       record_modifier
    Match      *
    Record     hostname \${HOSTNAME}
    Record     service \${app}
    Record     api_key ${SECRET}
    Remove_key pid

[FILTER]
    Name   modify
    Match  app.*
    Rename usr user

[FILTER]
    Name     throttle
    Match    app.*
    Rate     800
    Window   5
    Interval 2s

[FILTER]
    Name   lua
    Match  app.*
    script x.lua
    call   go

[OUTPUT]
    Name        loki
    Match       app.*
    Host        \${LOKI_HOST}
    Port        3100
    Tls         On
    Tls.Verify  Off
    Labels      job=shop, $level, zone=$ctx['zone']
    http_user   shop
    http_passwd ${SECRET}
    Retry_Limit False

[OUTPUT]
    Name            es
    Match           *
    Host            es
    Logstash_Format On
    Logstash_Prefix shop
    HTTP_User       elastic
    HTTP_Passwd     \${ES_PASSWORD}

[OUTPUT]
    Name    kafka
    Match   *
    Brokers k:9092
`

const OTHERS = {
  'inputs.conf': `[INPUT]
    Name           tail
    Tag            app.json
    Path           /var/log/app/*.log,/var/log/other/*.log
    Exclude_Path   *.gz,/var/log/app/debug.log
    DB             /state/x.db
    Parser         app
    Mem_Buf_Limit  5MB
    Read_from_Head On
[INPUT]
    Name             tail
    Tag              java
    Path             /var/log/java/*.log
    multiline.parser java
    Buffer_Max_Size  4MB
    Skip_Empty_Lines On
[INPUT]
    Name cpu
    Tag  cpu
`,
  'parsers.conf': `[PARSER]
    Name        app
    Format      json
    Time_Key    ts
    Time_Format %d/%b/%Y:%H:%M:%S %z
    Time_Keep   On
`,
}

t.test('files, filters and outputs become sources and backends; the rest is reported', async t => {
  const result = await converted('fluent-bit', MAIN, OTHERS)
  t.equal(result.kind, 'converted')
  keepsSecrets(t, result)
  t.strictSame(result.tree, {
    sources: [
      {
        name: 'app.json',
        paths: ['/var/log/app/*.log', '/var/log/other/*.log'],
        exclude: ['/**/*.gz', '/var/log/app/debug.log'],
        labels: { hostname: '${HOSTNAME}', service: 'shop', api_key: '${API_KEY}', job: 'shop' },
        parse: 'json',
        time: { field: 'ts', format: '%d/%b/%Y:%H:%M:%S %z' },
        filter: { dropMatching: ['GET /healthz'], rules: { level: { drop: { level: ['debug', 'trace'] } } } },
        limit: { records: 400, per: 'source', over: 'drop' },
        fields: { rename: { usr: 'user' }, drop: ['pid'] },
      },
      {
        name: 'java',
        paths: ['/var/log/java/*.log'],
        labels: { hostname: '${HOSTNAME}', service: 'shop', api_key: '${API_KEY}' },
        maxLineBytes: '4MiB',
        multiline: 'java',
        filter: { dropMatching: ['^\\s*$'] },
      },
    ],
    backends: [
      {
        type: 'loki',
        sources: ['app.json'],
        endpoint: 'https://${LOKI_HOST}:3100',
        auth: { basic: { username: 'shop', password: { env: 'LOKI_PASSWORD' } } },
        labels: ['source', 'job', 'level', { field: 'ctx.zone', as: 'zone' }],
        tls: { insecureSkipVerify: true },
      },
      {
        type: 'elasticsearch',
        endpoint: 'http://es:9200',
        auth: { basic: { username: 'elastic', password: { env: 'ES_PASSWORD' } } },
        index: 'shop-%{yyyy.MM.dd}',
      },
    ],
    log: { level: 'warn' },
  })
  t.strictSame(result.lost, ['38 [FILTER] lua', '65 [OUTPUT] kafka', '17 [INPUT] cpu'], 'by the line of their section')
})

t.test('a setting that is not known is reported, in whichever section it stands', async t => {
  for (const [file, text] of [['', MAIN], ...Object.entries(OTHERS)] as const) {
    const lines = text.split('\n')
    for (const [index, line] of lines.entries()) {
      if (!/^\[\w+\]$/.test(line)) continue
      const changed = lines.toSpliced(index + 2, 0, `    ${UNKNOWN} x`).join('\n')
      const plugin = /^\s*Name\s+(\S+)/.exec(lines[index + 1]!)?.[1]
      const where = `${line}${plugin === undefined ? '' : ` ${plugin}`}: ${UNKNOWN}`
      const result =
        file === ''
          ? await unchecked('fluent-bit', changed, OTHERS)
          : await unchecked('fluent-bit', MAIN, { ...OTHERS, [file]: changed })
      reported(t, result, where)
    }
  }
})

const YAML = `env: { team: shop }
service: { flush: 1, log_level: info }
parsers:
  - { name: access, format: regex, regex: '/^(?<client>\\S+) (?<status>\\d+) (?<message>.*)$/', types: 'status:integer' }
multiline_parsers:
  - name: dated
    type: regex
    flush_timeout: 1500
    rules:
      - { state: start_state, regex: '/^\\d{4}-/', next_state: cont }
      - { state: cont, regex: '/^(?!\\d{4}-).*/', next_state: cont }
pipeline:
  inputs:
    - name: tail
      tag: a
      path: /var/log/a/*.log
      multiline.parser: dated
      processors:
        logs:
          - { name: grep, regex: log ERROR }
    - { name: tail, tag: b, path: /var/log/b/access.log, parser: access }
    - { name: tail, tag: kube.*, path: '/var/log/containers/*.log', multiline.parser: 'docker, cri' }
  filters:
    - { name: kubernetes, match: 'kube.*', merge_log: on, labels: on, kube_url: 'https://k' }
    - { name: nest, match: '*', operation: lift }
  outputs:
    - name: http
      match: '[ab]'
    - name: http
      match: a
      host: collector
      port: 8080
      uri: /in?api_key=${SECRET}
      format: json_lines
      json_date_format: iso8601
      header: ['Authorization Bearer ${SECRET}', 'X-Team \${team}']
    - { name: splunk, match: b, host: splunk, splunk_token: ${SECRET}, event_index: app, tls: on }
    - { name: datadog, match: b, host: http-intake.logs.datadoghq.eu, apikey: ${SECRET}, dd_service: shop, dd_tags: 'env:prod,team:a' }
    - { name: opentelemetry, match: kube.*, host: otel, port: 4318, add_label: env prod }
    - { name: nrlogs, match: b, license_key: ${SECRET}, base_uri: 'https://log-api.eu.newrelic.com/log/v1' }
    - { name: stdout, match: a, format: json_lines }
    - { name: 's3', match: '*', bucket: x }
`

t.test('the YAML format says the same in other words', async t => {
  const result = await converted('fluent-bit', YAML)
  t.equal(result.kind, 'converted')
  keepsSecrets(t, result)
  const { sources, backends } = result.tree
  t.match(sources[0], {
    multiline: { start: ['^\\d{4}-'], flush: '1500ms' },
    filter: { keepMatching: ['ERROR'] },
  })
  t.match(sources[1], {
    parse: { match: ['^(?<client>\\S+) (?<status>\\d+) (?<message>.*)$'], types: { status: 'number' } },
  })
  t.match(sources[2], { parse: ['docker', 'cri'] })
  t.match(result.tree.pod, { labels: ['*'] })
  t.strictSame(
    backends.map((each: { type: string }) => each.type),
    ['http', 'splunk_hec', 'datadog', 'otlp', 'newrelic', 'stdout'],
  )
  t.match(backends[0], {
    sources: ['a'],
    endpoint: 'http://collector:8080/in',
    query: { api_key: '${HTTP_API_KEY}' },
    format: 'ndjson',
    compression: 'none',
    record: { message: 'log', time: 'date' },
    auth: { bearer: { env: 'HTTP_TOKEN' } },
    headers: { 'X-Team': 'shop' },
  })
  t.match(backends[1], { token: { env: 'SPLUNK_TOKEN' }, index: 'app', endpoint: 'https://splunk:8088' })
  t.match(backends[2], { site: 'datadoghq.eu', service: 'shop', tags: { env: 'prod', team: 'a' } })
  t.match(backends[3], { attributes: { env: 'prod' } })
  t.match(backends[4], { region: 'eu' })
  t.strictSame(result.lost.map(each => each.replace(/^\d+ /, '')).sort(), [
    'pipeline.filters[0].merge_log',
    'pipeline.filters[1]',
    'pipeline.outputs[0]',
    'pipeline.outputs[7]',
  ])
})

t.test('in the YAML format too nothing is ignored silently', async t => {
  for (const [where, text] of withUnknown(parse(YAML))) {
    // A variable that nothing asks for does nothing.
    if (where !== 'env') reported(t, await unchecked('fluent-bit', text), where)
  }
})

t.test('a ConfigMap is taken apart, and its lines are those of the manifest', async t => {
  const indented = (text: string) => text.replaceAll(/^/gm, '    ')
  const manifest = `apiVersion: v1
kind: ConfigMap
metadata: { name: fluent-bit }
data:
  parsers.conf: |
${indented(OTHERS['parsers.conf'])}
  fluent-bit.conf: |
${indented(MAIN)}
  inputs.conf: |
${indented(OTHERS['inputs.conf'])}
`
  const result = await converted('fluent-bit', manifest)
  t.equal(result.kind, 'converted')
  t.equal(result.tree.sources[0].time.field, 'ts')
  const lua = result.remarks.find(({ key }) => key === '[FILTER] lua')
  t.match(manifest.split('\n')[lua!.line! - 1], '[FILTER]')
  t.match(manifest.split('\n')[lua!.line!], /Name\s+lua/)
})

t.test('an expression that cannot be one pass over a record is lost, and what is beside it is not', async t => {
  const result = await converted(
    'fluent-bit',
    `[INPUT]
    Name tail
    Path /var/log/a.log
[FILTER]
    Name    grep
    Match   *
    Exclude log (?<!a)b
    Exclude log plain
[OUTPUT]
    Name  stdout
    Match *
`,
  )
  t.strictSame(result.tree.sources[0].filter, { dropMatching: ['plain'] })
  t.strictSame(result.lost, ['7 [FILTER] grep: Exclude'])
  t.match(result.remarks.find(({ kind }) => kind === 'lost')!.why, /look/)
})

t.test('the older way of joining lines goes by the beginning of the first one', async t => {
  const input = (more: string) => `[PARSER]
    Name   first
    Format regex
    Regex  /^(?<time>\\d{4}-\\d\\d-\\d\\d) (?<message>.*)$/
[INPUT]
    Name tail
    Path /var/log/a.log
${more}
[OUTPUT]
    Name  es
    Match *
    Host  es
    cloud_auth \${LOGIN}
`
  const { tree, lost } = await converted('fluent-bit', input('    Multiline On\n    Parser_Firstline first'))
  t.match(tree.sources[0], { multiline: { start: ['^(?<time>\\d{4}-\\d\\d-\\d\\d)'] } })
  t.strictSame(lost, ['14 [OUTPUT] es: cloud_auth'], 'one variable is no user with a password')
  t.match((await converted('fluent-bit', input('    Multiline On'))).lost, ['8 [INPUT] tail: Multiline'])
  t.strictSame(
    (await converted('fluent-bit', input('    Parser_Firstline first'))).tree.sources[0].multiline,
    undefined,
  )
})

t.test('inputs that no output takes are left out, and files that cannot be included are lost', async t => {
  const result = await converted(
    'fluent-bit',
    `@INCLUDE none.conf
[INPUT]
    Name tail
    Tag  a
    Path /var/log/a.log
[INPUT]
    Name tail
    Tag  b
    Path relative.log
[INPUT]
    Name tail
    Tag  c
    Path /var/log/c.log
[OUTPUT]
    Name  stdout
    Match [ab]
[OUTPUT]
    Name  stdout
    Match_Regex ^[ab]$
`,
  )
  t.strictSame(
    result.tree.sources.map((each: { name: string }) => each.name),
    ['a'],
  )
  t.strictSame(result.lost, ['1 @INCLUDE none.conf', '9 [INPUT] tail: Path', '10 [INPUT] tail', '14 [OUTPUT] stdout'])
})

t.test('a value of another kind than it should be is no reason to fail', async t => {
  for (const [where, text] of withWrong(parse(YAML))) await t.resolves(unchecked('fluent-bit', text), where)
})
