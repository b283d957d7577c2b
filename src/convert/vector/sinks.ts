/** Sinks of Vector that are backends of ours. */
import { type BackendTree, bearer, credential, endpoint, header, labelled, without } from '../backends.ts'
import { made } from '../made.ts'
import { refers } from '../references.ts'
import type { Setting } from '../setting.ts'
import type { SourceDraft } from '../source.ts'
import { shared } from './requests.ts'

export interface Sink {
  readonly type: string
  readonly tree: BackendTree
}

type Make = (body: Setting, tree: BackendTree, sources: readonly SourceDraft[]) => string | undefined

const KINDS: Readonly<Record<string, string>> = {
  aws_cloudwatch_logs: 'cloudwatch',
  aws_s3: 's3',
  kafka: 'kafka',
  file: 'file',
  vector: 'forward',
  socket: 'syslog',
  papertrail: 'syslog',
}

/** Whether there may be a backend for it. */
export function isKnown(kind: string): boolean {
  return SINKS[kind] !== undefined
}

export function lostSink(kind: string): string {
  return without(KINDS[kind] ?? kind)
}

/** `undefined`: it is lost. */
export function sink(kind: string, body: Setting, sources: readonly SourceDraft[]): Sink | undefined {
  const tree: BackendTree = {}
  const type = SINKS[kind]!(body, tree, sources)
  if (type === undefined) return undefined
  shared(body, tree, kind)
  return { type, tree }
}

/** A text in which a template stands: `{{ kubernetes.pod_name }}`. */
const TEMPLATE = /^\{\{\s*\.?([\w.@"]+)\s*\}\}$/
const OF_POD: Readonly<Record<string, string>> = {
  'kubernetes.pod_name': 'pod',
  'kubernetes.pod_namespace': 'namespace',
  'kubernetes.container_name': 'container',
  'kubernetes.pod_node_name': 'node',
  file: 'file',
  host: 'pod',
}

function text(
  body: Setting,
  tree: BackendTree,
  theirs: string,
  ours: string,
  why = 'it is the same for all records of a backend',
): undefined {
  const setting = body.at(theirs)
  const written = setting?.text()
  if (written === undefined) return
  if (written.includes('{{')) setting!.lose(why)
  else tree[ours] = made(written, setting!)
}

const SINKS: Readonly<Record<string, Make>> = {
  http(body, tree) {
    const uri = body.at('uri')
    const url = uri?.text()
    if (url !== undefined) endpoint(tree, url, uri!, 'http')
    const encoding = body.at('encoding')
    const codec = encoding?.content.kind === 'map' ? encoding.at('codec')?.raw() : encoding?.raw()
    const framing = body.find('framing', 'method')?.raw()
    if (codec === 'text' || codec === 'raw_message') tree['format'] = 'text'
    else tree['format'] = codec === 'ndjson' || framing === 'newline_delimited' ? 'ndjson' : 'json'
    if (codec !== undefined && !['json', 'ndjson', 'text', 'raw_message'].includes(codec))
      encoding!.lose('records are written as JSON or as they are')
    const verb = body.at('method')
    const method = verb?.raw()?.toUpperCase()
    if (method !== undefined && method !== 'POST') tree['method'] = made(method, verb!)
    const wrap: Record<string, unknown> = {}
    for (const [theirs, ours] of [
      ['payload_prefix', 'prefix'],
      ['payload_suffix', 'suffix'],
    ] as const)
      text(body, wrap, theirs, ours)
    if (Object.keys(wrap).length > 0) tree['wrap'] = wrap
    for (const [name, value] of body.at('headers')?.pairs() ?? []) header(tree, name, value.raw() ?? '', value, 'http')
    // A receiver that got them uncompressed may take nothing else.
    if (!body.has('compression')) tree['compression'] = 'none'
    return 'http'
  },
  elasticsearch(body, tree) {
    const strategy = body.find('auth', 'strategy')?.raw()
    if (strategy === 'aws')
      return body.lose('requests are not signed: a domain with fine-grained access control takes basic authentication')
    const [first, ...more] = [...(body.at('endpoints')?.values() ?? []), ...body.each('endpoint'), ...body.each('host')]
    for (const each of more) each.lose('a backend has one address: that of a service or a balancer')
    const url = first?.text()
    if (url !== undefined) endpoint(tree, url, first!, 'elasticsearch')
    const stream = body.at('data_stream')
    const index = body.find('bulk', 'index') ?? body.at('index')
    if (body.at('mode')?.raw() === 'data_stream') {
      const part = (name: string, or: string): string => indexName(stream?.at(name)?.text() ?? or)
      const name = `${part('type', 'logs')}-${part('dataset', 'generic')}-${part('namespace', 'default')}`
      tree['index'] = made(name, stream ?? body)
      stream?.needlessAll('the name is all that is sent', 'auto_routing', 'sync_fields')
    } else tree['index'] = made(indexName(index?.text() ?? 'vector-%Y.%m.%d'), index ?? body)
    const action = body.find('bulk', 'action')
    const verb = action?.raw()
    if (verb !== undefined && verb !== 'index' && verb !== 'create') action!.lose('records are created, not changed')
    text(body, tree, 'pipeline', 'pipeline')
    body.loseAll('ids are those of logshipper', 'id_key')
    body.needlessAll(
      'the version is not asked for',
      'api_version',
      'suppress_type_name',
      'doc_type',
      'opensearch_service_type',
    )
    body.needlessAll('only what was not stored is sent again', 'request_retry_partial')
    body.loseAll('the query of a request is its own', 'query')
    return 'elasticsearch'
  },
  loki(body, tree, sources) {
    const address = body.at('endpoint')
    const url = address?.text()
    if (url !== undefined) endpoint(tree, `${url.replace(/\/$/, '')}${body.at('path')?.text() ?? ''}`, address!, 'loki')
    text(body, tree, 'tenant_id', 'tenant')
    const labels = body.at('labels')
    const names: unknown[] = []
    let values = false
    for (const [name, value] of labels?.pairs() ?? []) {
      const written = value.text() ?? ''
      const field = TEMPLATE.exec(written)?.[1]?.replaceAll('"', '')
      if (field === undefined && (written.includes('{{') || name.includes('*')))
        value.lose('a label is a text or the value of one field')
      else if (field === undefined) {
        labelled(sources, name, written, value)
        names.push(name)
      } else {
        values = true
        if (OF_POD[field] !== undefined) names.push(OF_POD[field])
        else
          names.push(
            made(
              field === 'level' && name === 'level' ? 'level' : { field, ...(name === field ? {} : { as: name }) },
              value,
            ),
          )
      }
    }
    if (values) tree['labels'] = ['source', ...names]
    body.needlessAll('lines that are too old get the time of their reading', 'out_of_order_action')
    body.needlessAll('the time has a place of its own', 'remove_timestamp')
    body.needlessAll(
      'what is a label is no structured metadata',
      'remove_label_fields',
      'remove_structured_metadata_fields',
    )
    body.needlessAll('values of a record are structured metadata', 'structured_metadata')
    return 'loki'
  },
  splunk_hec_logs: splunk,
  splunk_hec: splunk,
  datadog_logs(body, tree) {
    text(body, tree, 'site', 'site')
    const address = body.at('endpoint')
    const url = address?.text()
    if (url !== undefined) endpoint(tree, url, address!, 'datadog')
    credential(tree, 'apiKey', body.at('default_api_key') ?? body.at('api_key'), 'datadog_api_key')
    body.needlessAll('the site says it', 'region')
    body.needlessAll('records are sent to the version 2 of the API', 'conforms_as_agent')
    return 'datadog'
  },
  new_relic: newrelic,
  new_relic_logs: newrelic,
  opentelemetry(body, tree) {
    const protocol = body.at('protocol')
    const type = protocol?.at('type')?.raw() ?? 'http'
    if (type !== 'http') return body.lose('OTLP is sent over HTTP: port 4318 of a collector')
    const uri = protocol?.at('uri')
    const url = uri?.text()
    if (url !== undefined) endpoint(tree, url, uri!, 'otlp')
    if (protocol !== undefined) {
      shared(protocol, tree, 'otlp')
      protocol.needlessAll('records are written as OTLP', 'method', 'framing', 'payload_prefix', 'payload_suffix')
    }
    return 'otlp'
  },
  console(body, tree) {
    const encoding = body.at('encoding')
    const codec = encoding?.content.kind === 'map' ? encoding.at('codec')?.raw() : encoding?.raw()
    tree['format'] = codec === 'text' || codec === 'raw_message' ? 'text' : 'ndjson'
    if (body.at('target')?.raw() === 'stderr') body.at('target')!.lose('records are written to standard output')
    body.needlessAll('a record is one line', 'framing')
    return 'stdout'
  },
  clickhouse(body, tree) {
    const address = body.at('endpoint')
    const url = address?.text()
    if (url !== undefined) endpoint(tree, url, address!, 'clickhouse')
    text(body, tree, 'database', 'database')
    text(body, tree, 'table', 'table')
    body.needlessAll('columns that the table does not have are not sent, or see settings', 'skip_unknown_fields')
    body.needlessAll('times are written so that the server reads them', 'date_time_best_effort')
    body.needlessAll('rows are written as JSON', 'format')
    body.note('docs/backends.md shows the table that ours writes to: its columns have other names than those of Vector')
    return 'clickhouse'
  },
  axiom(body, tree) {
    const dataset = body.at('dataset')
    const name = dataset?.text() ?? ''
    const base = body.at('url') ?? body.at('region')
    const url = base?.text() ?? 'https://api.axiom.co'
    endpoint(
      tree,
      `${url.startsWith('http') || refers(url) ? url : `https://${url}`}/v1/datasets/${name}/ingest`,
      dataset ?? body,
      'axiom',
    )
    bearer(tree, body.at('token'), 'axiom')
    const organization = body.at('org_id')
    const id = organization?.text()
    if (id !== undefined) tree['headers'] = { 'X-Axiom-Org-Id': made(id, organization!) }
    tree['format'] = 'ndjson'
    tree['record'] = { time: '_time' }
    return 'http'
  },
}

function splunk(body: Setting, tree: BackendTree): string {
  const address = body.at('endpoint')
  const url = address?.text()
  if (url !== undefined) endpoint(tree, url, address!, 'splunk')
  credential(tree, 'token', body.at('default_token') ?? body.at('token'), 'splunk_token')
  for (const name of ['index', 'source', 'sourcetype']) text(body, tree, name, name)
  const acknowledged = body.find('acknowledgements', 'indexer_acknowledgements_enabled')
  if (acknowledged?.flag() === true) tree['ack'] = made(true, acknowledged)
  body.needlessAll('an offset is saved when the backend has acknowledged what lies before it', 'acknowledgements')
  body.needlessAll('the host is the pod', 'host_key')
  body.needlessAll('values of a record are indexed fields', 'indexed_fields')
  body.needlessAll('the time has a place of its own', 'timestamp_key', 'timestamp_nanos_key', 'auto_extract_timestamp')
  if (body.at('endpoint_target')?.raw() === 'raw') tree['format'] = made('raw', body.at('endpoint_target')!)
  return 'splunk_hec'
}

function newrelic(body: Setting, tree: BackendTree): string {
  credential(tree, 'apiKey', body.at('license_key') ?? body.at('insert_key'), 'new_relic_license_key')
  text(body, tree, 'region', 'region')
  body.needlessAll('the key says it', 'account_id')
  const api = body.at('api')
  if (api?.raw() !== undefined && api.raw() !== 'logs') api.lose('only logs are shipped')
  return 'newrelic'
}

const DATES: Readonly<Record<string, string>> = { Y: 'yyyy', m: 'MM', d: 'dd', H: 'HH' }

/** `logs-{{ service }}-%Y.%m.%d` */
function indexName(written: string): string {
  return written
    .replaceAll(
      /\{\{\s*\.?([\w.@]+)\s*\}\}/g,
      (_, field: string) =>
        `%{${field
          .split('.')
          .map(each => `[${each}]`)
          .join('')}}`,
    )
    .replaceAll('%F', '%Y-%m-%d')
    .replaceAll(/(?:%[YmdH][.\-_]?)+/g, date => {
      const tail = /[.\-_]$/.exec(date)?.[0] ?? ''
      return `%{${date.slice(0, date.length - tail.length).replaceAll(/%([YmdH])/g, (_, sign: string) => DATES[sign]!)}}${tail}`
    })
}
