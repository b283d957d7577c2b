/** Outputs of Fluent Bit that are backends of ours. */
import { add, type BackendTree, basicOf, bearer, credential, endpoint, header, tls, without } from '../backends.ts'
import type { Conversion } from '../conversion.ts'
import { made } from '../made.ts'
import type { Setting } from '../setting.ts'
import type { SourceDraft } from '../source.ts'
import { duration, milliseconds } from '../times.ts'
import { address } from './address.ts'
import { elasticsearch } from './elasticsearch.ts'
import { keyList, lokiLabels } from './labels.ts'

const NEEDLESS: Readonly<Record<string, string>> = {
  retry_limit: 'a request is retried without end, or its records are rejected with a reason',
  workers: 'requests take no thread; concurrency says how many may be under way',
  'storage.total_limit_size': 'what waits stays in its file',
  alias: 'backends have names',
  log_level: 'log.level is that of the whole program',
  buffer_size: 'an answer is read as far as it is needed',
  suppress_type_name: 'types are not sent',
  type: 'types are not sent',
  trace_output: 'logshipper test prints requests',
  trace_error: 'errors are logged',
  log_response_payload: 'errors are logged',
  log_response_code: 'errors are logged',
  'tls.debug': 'errors are logged',
  allow_duplicated_headers: 'headers are sent once',
  auto_kubernetes_labels: 'pod.labels selects the labels of the pod',
}

const NET: Readonly<Record<string, string>> = {
  'net.keepalive': 'connections are kept',
  'net.keepalive_idle_timeout': 'idle connections are closed after 4 s',
  'net.keepalive_max_recycle': 'connections live at most 30 s',
  'net.max_worker_connections': 'concurrency says how many requests may be under way',
  'net.dns.mode': 'names are resolved by the system',
  'net.dns.resolver': 'names are resolved by the system',
  'net.dns.prefer_ipv4': 'all addresses of a name are tried',
  'net.connect_timeout_log_error': 'errors are logged',
}

const DATES: Readonly<Record<string, 'rfc3339' | 'epoch_s' | 'epoch_ms'>> = {
  double: 'epoch_s',
  epoch: 'epoch_s',
  epoch_ms: 'epoch_ms',
  iso8601: 'rfc3339',
}

type Output = (section: Setting, tree: BackendTree, sources: readonly SourceDraft[]) => string | undefined

export function output(section: Setting, sources: readonly SourceDraft[], conversion: Conversion): undefined {
  const kind = section.at('name')?.raw()?.toLowerCase() ?? ''
  if (kind === 'null') return section.needless('what is sent nowhere need not be read')
  const make = OUTPUTS[kind]
  if (make === undefined) return section.lose(without(KINDS[kind] ?? kind))
  const tree: BackendTree = {}
  const type = make(section, tree, sources)
  if (type === undefined) return
  shared(section, tree)
  add(conversion, type, tree, sources, section)
}

const KINDS: Readonly<Record<string, string>> = {
  cloudwatch_logs: 'cloudwatch',
  cloudwatch: 'cloudwatch',
  kafka: 'kafka',
  'kafka-rest': 'kafka',
  s3: 's3',
  forward: 'forward',
  file: 'file',
  syslog: 'syslog',
}

function shared(section: Setting, tree: BackendTree): undefined {
  for (const [key, why] of Object.entries({ ...NEEDLESS, ...NET })) section.needlessAll(why, key)
  const on = section.at('tls')?.flag() ?? false
  const verify = section.at('tls.verify')
  const checks = verify?.flag() ?? true
  tls(tree, {
    ca: section.at('tls.ca_file'),
    cert: section.at('tls.crt_file'),
    key: section.at('tls.key_file'),
    serverName: section.at('tls.vhost'),
    skip: verify,
    skips: on && !checks,
  })
  const oldest = section.at('tls.min_version')
  const version = oldest?.raw()?.replace(/^TLSv?/i, '')
  if (version === '1.2' || version === '1.3') {
    tree['tls'] = { ...(tree['tls'] as object | undefined), minVersion: made(version, oldest!) }
  } else if (version !== undefined) oldest!.lose('1.2 is the oldest version that is spoken')
  section.loseAll('the key must not have a passphrase', 'tls.key_passwd')
  section.loseAll('name one file of certificates', 'tls.ca_path')
  const connect = section.at('net.connect_timeout')
  const ms = milliseconds(connect?.raw() ?? '')
  if (ms !== undefined) tree['timeout'] = { connect: made(duration(ms), connect!) }
  const compress = section.at('compress')
  const compression = compress?.raw()?.toLowerCase()
  if (compression !== undefined && !['gzip', 'zstd', 'none', 'false', 'true', 'on', 'off'].includes(compression)) {
    compress!.lose('ours has no such compression: it sends gzip')
  } else if (compression === 'zstd') tree['compression'] = made('zstd', compress!)
  const proxy = section.at('proxy')
  const url = proxy?.text()
  if (url !== undefined) tree['proxy'] = made({ url }, proxy!)
}

const OUTPUTS: Readonly<Record<string, Output>> = {
  http(section, tree, sources) {
    endpoint(tree, address(section, 80, section.at('uri')?.text()), section.at('host') ?? section, 'http')
    const format = section.at('format')
    const formats: Readonly<Record<string, string>> = { json: 'json', json_lines: 'ndjson', json_stream: 'ndjson' }
    const known = formats[format?.raw() ?? 'msgpack']
    if (known === undefined) (format ?? section).note('MessagePack is not written: records are sent as JSON lines')
    tree['format'] = made(known ?? 'ndjson', format ?? section)
    const verb = section.at('http_method') ?? section.at('method')
    const method = verb?.raw()?.toUpperCase()
    if (method !== undefined && method !== 'POST') tree['method'] = made(method, verb!)
    record(section, tree, sources, 'date')
    for (const each of section.each('header').flatMap(each => each.values())) {
      const [, name = '', value = ''] = /^(\S+)\s+(.*)$/s.exec(each.raw()?.trim() ?? '') ?? []
      if (name === '') each.lose('it has no value')
      else header(tree, name, value, each, 'http')
    }
    basicOf(tree, section.at('http_user'), section.at('http_passwd'), 'http')
    // A receiver that got them uncompressed may take nothing else.
    if (section.at('compress')?.raw() === undefined) tree['compression'] = 'none'
    section.loseAll('there are no tags', 'header_tag')
    section.loseAll('the body of a request is made of whole records', 'body_key', 'headers_key')
    return 'http'
  },
  es: elasticsearch,
  opensearch: elasticsearch,
  loki(section, tree, sources) {
    endpoint(tree, address(section, 3100, section.at('uri')?.text()), section.at('host') ?? section, 'loki')
    const tenant = section.at('tenant_id')
    const id = tenant?.text()
    if (id) tree['tenant'] = made(id, tenant!)
    lokiLabels(section, tree, sources)
    basicOf(tree, section.at('http_user'), section.at('http_passwd'), 'loki')
    bearer(tree, section.at('bearer_token'), 'loki')
    const removed = section.at('remove_keys')
    const keys = keyList(removed?.raw())
    if (keys.length > 0) tree['fields'] = { drop: made(keys, removed!) }
    section.needlessAll(
      'values of a record are structured metadata',
      'line_format',
      'drop_single_key',
      'structured_metadata',
    )
    section.needlessAll('values of a record are structured metadata', 'structured_metadata_map_keys')
    section.loseAll('labels are listed in the configuration', 'label_map_path', 'tenant_id_key')
    return 'loki'
  },
  splunk(section, tree) {
    endpoint(tree, address(section, 8088), section.at('host') ?? section, 'splunk')
    credential(tree, 'token', section.at('splunk_token'), 'splunk_token')
    const raw = section.at('splunk_send_raw')
    if (raw?.flag() === true) tree['format'] = made('json', raw)
    const names = { event_index: 'index', event_host: 'host', event_source: 'source', event_sourcetype: 'sourcetype' }
    for (const [theirs, ours] of Object.entries(names)) {
      const setting = section.at(theirs)
      const text = setting?.text()
      if (text !== undefined) tree[ours] = made(text, setting!)
    }
    section.loseAll('values that decide where an event goes are constants', 'event_index_key', 'event_sourcetype_key')
    section.loseAll('add what is constant as labels of a source', 'event_field')
    section.needlessAll('the message is the event', 'event_key')
    section.needlessAll('one that fits is sent with ack: true', 'channel')
    return 'splunk_hec'
  },
  datadog(section, tree) {
    const host = section.at('host')
    const name = host?.text()
    const site = /^http-intake\.logs\.(.+)$/.exec(name ?? '')?.[1]
    if (site !== undefined) tree['site'] = made(site, host!)
    else if (name !== undefined) endpoint(tree, `https://${name}`, host!, 'datadog')
    credential(tree, 'apiKey', section.at('apikey'), 'datadog_api_key')
    const names = { dd_service: 'service', dd_source: 'source', dd_hostname: 'hostname' }
    for (const [theirs, ours] of Object.entries(names)) {
      const setting = section.at(theirs)
      const text = setting?.text()
      if (text !== undefined) tree[ours] = made(text, setting!)
    }
    const tags = section.at('dd_tags')
    const pairs = (tags?.text() ?? '').split(',').flatMap(each => {
      const [, key, value] = /^\s*([^:]+):(.*)$/.exec(each) ?? []
      return key === undefined ? [] : [[key, value!.trim()]]
    })
    if (pairs.length > 0) tree['tags'] = made(Object.fromEntries(pairs), tags!)
    section.needlessAll('the message has a place of its own', 'dd_message_key')
    section.needlessAll('the time has a place of its own', 'json_date_key')
    section.needlessAll('records say their source and file', 'include_tag_key', 'tag_key')
    section.loseAll('the integration is not told', 'provider')
    return 'datadog'
  },
  nrlogs: newrelic,
  newrelic,
  opentelemetry(section, tree) {
    endpoint(tree, address(section, 80, section.at('logs_uri')?.text()), section.at('host') ?? section, 'otlp')
    for (const each of section.each('header').flatMap(each => each.values())) {
      const [, name = '', value = ''] = /^(\S+)\s+(.*)$/s.exec(each.raw()?.trim() ?? '') ?? []
      header(tree, name, value, each, 'otlp')
    }
    for (const each of section.each('add_label').flatMap(each => each.values())) {
      const [, name = '', value = ''] = /^(\S+)\s+(.*)$/s.exec(each.text()?.trim() ?? '') ?? []
      tree['attributes'] = { ...(tree['attributes'] as object | undefined), [name]: made(value, each) }
    }
    basicOf(tree, section.at('http_user'), section.at('http_passwd'), 'otlp')
    const grpc = section.at('grpc')
    if (grpc?.flag() === true) grpc.lose('OTLP is sent over HTTP: port 4318 of a collector')
    section.needlessAll('only logs are sent', 'metrics_uri', 'traces_uri', 'profiles_uri')
    section.needlessAll('what was found in a record has its place', 'logs_body_key', 'logs_body_key_attributes')
    section.needlessAll(
      'what was found in a record has its place',
      'logs_trace_id_message_key',
      'logs_span_id_message_key',
    )
    section.needlessAll('what was found in a record has its place', 'logs_severity_text_message_key')
    const size = section.at('batch_size')
    const count = size?.number()
    if (count !== undefined) tree['batch'] = { maxRecords: made(count, size!) }
    return 'otlp'
  },
  stdout(section, tree, sources) {
    const format = section.at('format')?.raw() ?? 'msgpack'
    if (format !== 'msgpack' || sources.some(each => each.parses)) tree['format'] = 'ndjson'
    section.needlessAll('records of standard output have a field timestamp', 'json_date_key', 'json_date_format')
    return 'stdout'
  },
}

function newrelic(section: Setting, tree: BackendTree): string {
  const base = section.at('base_uri')
  const uri = base?.text()
  const region =
    /log-api\.(eu|jp)\.newrelic/.exec(uri ?? '')?.[1] ??
    (/gov-log-api\.newrelic/.test(uri ?? '') ? 'fedramp' : undefined)
  if (region !== undefined) tree['region'] = made(region, base!)
  else if (uri !== undefined && !uri.includes('log-api.newrelic.com')) endpoint(tree, uri, base!, 'newrelic')
  credential(
    tree,
    'apiKey',
    section.at('license_key') ?? section.at('licensekey') ?? section.at('api_key') ?? section.at('apikey'),
    'new_relic_license_key',
  )
  return 'newrelic'
}

/** How records of `http` are called by whoever received those of Fluent Bit. */
function record(section: Setting, tree: BackendTree, sources: readonly SourceDraft[], date: string): undefined {
  const key = section.at('json_date_key')
  const format = section.at('json_date_format')
  const written = format?.raw()?.toLowerCase() ?? 'double'
  const timeFormat = DATES[written]
  if (timeFormat === undefined) format!.lose('ours has no such form of a time: rfc3339, epoch_s, epoch_ms, epoch_ns')
  const name = key?.raw() ?? date
  const parsed = sources.some(each => each.parses)
  tree['record'] = {
    ...(parsed ? {} : { message: made('log', section) }),
    time: made(/^(false|off)$/i.test(name) ? '' : name, key ?? section),
    ...(timeFormat === undefined || timeFormat === 'rfc3339'
      ? {}
      : { timeFormat: made(timeFormat, format ?? section) }),
  }
}
