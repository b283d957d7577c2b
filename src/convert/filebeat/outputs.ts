/** Outputs of Filebeat that are backends of ours. */
import {
  add,
  type BackendTree,
  basic,
  basicOf,
  cloudEndpoint,
  credential,
  endpoint,
  header,
  tls,
  without,
} from '../backends.ts'
import type { Conversion } from '../conversion.ts'
import { made } from '../made.ts'
import type { Setting } from '../setting.ts'
import type { SourceDraft } from '../source.ts'
import { duration, milliseconds } from '../times.ts'
import { dottedPairs } from './dotted.ts'

const ENDLESS = 'a request is retried without end, or its records are rejected with a reason'

const NEEDLESS: Readonly<Record<string, string>> = {
  compression_level: 'requests are compressed at level 1',
  max_retries: ENDLESS,
  loadbalance: 'a backend has one address',
  escape_html: 'text is sent as it is',
  allow_older_versions: 'the version is not asked for',
  preset: 'batch and concurrency say how requests are made',
  slow_start: 'requests begin with what there is',
  pipelining: 'concurrency says how many requests may be under way',
  idle_connection_timeout: 'idle connections are closed after 4 s',
  queue: 'what waits stays in its file',
  non_indexable_policy: 'what is refused is rejected with a reason; deadLetter keeps it',
  document_type: 'types are not sent',
}

export function output(
  name: string,
  body: Setting,
  root: Setting,
  sources: readonly SourceDraft[],
  conversion: Conversion,
): undefined {
  if (body.at('enabled')?.flag() === false) return body.needless('it is not enabled')
  switch (name) {
    case 'elasticsearch':
      return add(conversion, 'elasticsearch', elasticsearch(body, root, sources), sources, body)
    case 'console':
      return add(conversion, 'stdout', console(body, sources), sources, body)
    case 'discard':
      return body.needless('what is sent nowhere need not be read')
    default:
      return body.lose(without(name))
  }
}

function elasticsearch(body: Setting, root: Setting, sources: readonly SourceDraft[]): BackendTree {
  const tree: BackendTree = {}
  address(tree, body)
  cloud(tree, root)
  basicOf(tree, body.at('username'), body.at('password'), 'elasticsearch')
  const key = body.at('api_key')
  if (key !== undefined) {
    credential(tree, 'apiKey', key, 'elasticsearch_api_key')
    key.note('here it is id:key; ours is sent as it is, so give it in base64, as the API returns it under encoded')
  }
  tree['index'] = index(body, sources)
  const pipeline = body.at('pipeline')
  const name = pipeline?.text()
  if (name?.includes('%{')) pipeline!.lose('the pipeline is the same for all records')
  else if (name !== undefined) tree['pipeline'] = made(name, pipeline!)
  body.loseAll('which index a record goes to is said by index, with values of the record', 'indices', 'pipelines')
  for (const [header_, value] of body.at('headers')?.pairs() ?? []) {
    const raw = value.raw()
    if (raw !== undefined) header(tree, header_, raw, value, 'elasticsearch')
  }
  ssl(tree, body.at('ssl'))
  const size = body.at('bulk_max_size')
  const most = size?.number()
  if (most !== undefined && most > 0) tree['batch'] = { maxRecords: made(most, size!) }
  for (const key of ['worker', 'workers']) {
    const workers = body.at(key)
    const count = workers?.number()
    if (count !== undefined) tree['concurrency'] = made(count, workers!)
  }
  const timeout = body.at('timeout')
  const ms = milliseconds(timeout?.raw() ?? '')
  if (ms !== undefined) tree['timeout'] = { headers: made(duration(ms), timeout!) }
  const backoff = body.at('backoff')
  const retry: Record<string, unknown> = {}
  for (const [theirs, ours] of [
    ['init', 'initial'],
    ['max', 'max'],
  ] as const) {
    const setting = backoff?.at(theirs)
    const wait = milliseconds(setting?.raw() ?? '')
    if (wait !== undefined) retry[ours] = made(duration(wait), setting!)
  }
  if (Object.keys(retry).length > 0) tree['retry'] = retry
  const proxy = body.at('proxy_url')
  const url = proxy?.text()
  if (url !== undefined) tree['proxy'] = made({ url }, proxy!)
  else if (body.at('proxy_disable')?.flag() === true) tree['proxy'] = made('off', body.at('proxy_disable')!)
  for (const [each, why] of Object.entries(NEEDLESS)) body.needlessAll(why, each)
  return tree
}

function address(tree: BackendTree, body: Setting): undefined {
  const [first, ...more] = body.at('hosts')?.values() ?? []
  for (const each of more) each.lose('a backend has one address: that of a service or a balancer')
  const host = first?.text()
  const scheme = body.at('protocol')?.text() ?? 'http'
  const path = body.at('path')?.text() ?? ''
  if (host === undefined) return
  // A variable alone may well be a whole address.
  const alone = /^\uE000[^\uE001]*\uE001$/.test(host)
  const whole = /^\w+:\/\//.test(host) || alone ? host : `${scheme}://${host}`
  const port = /^\w+:\/\/[^/]*:(\d+|\uE000)/.test(whole) || alone ? '' : ':9200'
  const [, origin = whole, rest = ''] = /^(\w+:\/\/[^/]+)(\/.*)?$/.exec(whole) ?? []
  endpoint(tree, `${origin}${port}${rest}${path}`, first!, 'elasticsearch')
}

/** `cloud.id` and `cloud.auth` of the top. */
function cloud(tree: BackendTree, root: Setting): undefined {
  const id = root.find('cloud', 'id')
  const written = id?.raw()
  const login = root.find('cloud', 'auth')
  if (written !== undefined) cloudEndpoint(tree, written, id!)
  const [user, password] = login?.raw()?.split(':') ?? []
  if (user === undefined) return
  if (password === undefined) login!.lose('it is no user with a password: name them under auth.basic')
  else basic(tree, user, { raw: password, from: login! }, login!, 'elasticsearch')
}

function index(body: Setting, sources: readonly SourceDraft[]): unknown {
  const setting = body.at('index')
  const written = setting?.text()
  if (written === undefined) {
    body.note('records go to the data stream logs-app-default, not to that of Filebeat')
    return undefined
  }
  const name = written
    .replaceAll(/-?%\{\[(?:agent|beat)\.version\]\}/g, '')
    .replaceAll(/%\{\[(?:agent|beat)\.(?:name|type)\]\}/g, 'filebeat')
    .replaceAll(/%\{\+([^}]*)\}/g, (_, date: string) => `%{${date}}`)
    .replaceAll(/%\{\[([^\]]+)\](:[^}]*)?\}/g, (_, field: string, or = '') => {
      const label = field.replace(/^fields\./, '')
      const values = new Set(sources.map(each => each.labels[label]?.value))
      const [value] = values
      if (values.size === 1 && typeof value === 'string') return value
      return `%{${label
        .split('.')
        .map(each => `[${each}]`)
        .join('')}${or}}`
    })
  return made(name, setting!)
}

export function ssl(tree: BackendTree, settings: Setting | undefined): undefined {
  if (settings === undefined) return
  if (settings.at('enabled')?.flag() === false) return settings.needless('it is not enabled')
  const [ca, ...more] = settings.at('certificate_authorities')?.values() ?? []
  for (const each of more) each.lose('name one file of certificates')
  const mode = settings.at('verification_mode')
  const how = mode?.raw()
  if (how === 'certificate' || how === 'strict') mode!.needless('certificates and names are checked')
  tls(tree, { ca, cert: settings.at('certificate'), key: settings.at('key'), skip: mode, skips: how === 'none' })
  settings.loseAll('the key must not have a passphrase', 'key_passphrase')
  settings.loseAll('certificates are checked by who signed them', 'ca_sha256', 'ca_trusted_fingerprint')
  settings.needlessAll(
    '1.2 is the oldest version that is spoken',
    'supported_protocols',
    'cipher_suites',
    'curve_types',
    'renegotiation',
  )
}

function console(body: Setting, sources: readonly SourceDraft[]): BackendTree {
  const format = body.find('codec', 'format', 'string')
  const written = format?.raw()
  body.needlessAll('a record is one line', 'pretty')
  if (written !== undefined) {
    if (!/^%\{\[message\]\}$/.test(written.trim()))
      format!.lose('lines are written as they are, or as JSON with all that is known of them: format')
    return { format: /^%\{\[message\]\}$/.test(written.trim()) ? 'text' : 'ndjson' }
  }
  for (const [, each] of dottedPairs(body.at('codec'))) each.needless('a record is one line of JSON')
  body.at('codec')?.open()
  return sources.length > 0 ? { format: 'ndjson' } : {}
}
