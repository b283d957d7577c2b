/** Where Promtail and Alloy send to: a client, and what every client of theirs may say. */
import { type BackendTree, basicOf, bearer, endpoint, header, tls } from '../backends.ts'
import { made } from '../made.ts'
import type { Setting } from '../setting.ts'
import { bytesOf, sizeText } from '../sizes.ts'
import type { SourceDraft } from '../source.ts'
import { duration, milliseconds } from '../times.ts'
import type { Streams } from './stages.ts'

const KIB = 1024

/** One client; its labels are those of its sources. */
export function client(
  settings: Setting,
  sources: readonly (readonly [SourceDraft, Streams])[],
  outside: Setting | undefined,
): BackendTree {
  const tree: BackendTree = {}
  const url = settings.at('url')
  const address = url?.text()
  if (address !== undefined) endpoint(tree, address, url!, 'loki')
  const tenant = settings.at('tenant_id')
  const id = tenant?.text()
  if (id) tree['tenant'] = made(id, tenant!)
  for (const [, { tenant }] of sources) {
    if (tenant === undefined) continue
    if (id && id !== tenant.value) tenant.from.lose('the tenant is the same for all records of a backend')
    else tree['tenant'] = made(tenant.value, tenant.from)
  }
  credentials(tree, settings, 'loki')
  const external = settings.at('external_labels') ?? outside
  for (const [name, value] of external?.pairs() ?? []) {
    const text = value.text()
    if (text !== undefined) for (const [source] of sources) source.label(name, text, value)
  }
  streams(tree, sources)
  timing(tree, settings)
  return tree
}

/** Credentials, certificates, headers and the proxy, under the names that all of Prometheus has. */
export function credentials(tree: BackendTree, settings: Setting, name: string): undefined {
  const basic = settings.at('basic_auth')
  if (basic !== undefined) {
    const file = basic.at('password_file')
    const path = file?.text()
    const user = basic.at('username')
    const username = user?.text()
    if (path !== undefined && username !== undefined) {
      tree['auth'] = made({ basic: { username, password: { file: path } } }, file!)
    } else basicOf(tree, user, basic.at('password'), name)
  }
  bearer(tree, settings.at('bearer_token'), name)
  const authorization = settings.at('authorization')
  const type = authorization?.at('type')?.raw() ?? 'Bearer'
  if (/^bearer$/i.test(type)) bearer(tree, authorization?.at('credentials'), name)
  else authorization?.lose('of authorization only Bearer is known: auth.apiKey sends any other header')
  const tokenFile = settings.at('bearer_token_file') ?? authorization?.at('credentials_file')
  const path = tokenFile?.text()
  if (path) tree['auth'] = made({ bearer: { file: path } }, tokenFile!)
  oauth2(tree, settings.at('oauth2'), name)
  // In Alloy all of it stands beside the address, and certificates in a block.
  const certificates = settings.at('tls_config')
  const skip = certificates?.at('insecure_skip_verify')
  tls(tree, {
    ca: certificates?.at('ca_file') ?? certificates?.at('ca_pem'),
    cert: certificates?.at('cert_file') ?? certificates?.at('cert_pem'),
    key: certificates?.at('key_file') ?? certificates?.at('key_pem'),
    serverName: certificates?.at('server_name'),
    skip,
    skips: skip?.flag(),
  })
  certificates?.needlessAll('1.2 is the oldest version that is spoken', 'min_version')
  for (const [key, value] of settings.at('headers')?.pairs() ?? []) {
    const raw = value.raw()
    if (raw !== undefined) header(tree, key, raw, value, name)
  }
  const proxy = settings.at('proxy_url')
  const url = proxy?.text()
  if (url) tree['proxy'] = made({ url }, proxy!)
  settings.needlessAll('HTTPS_PROXY, HTTP_PROXY and NO_PROXY are known', 'proxy_from_environment', 'no_proxy')
  settings.needlessAll('a redirect is not followed', 'follow_redirects')
  settings.needlessAll('HTTP/1.1 is spoken', 'enable_http2')
}

function oauth2(tree: BackendTree, settings: Setting | undefined, name: string): undefined {
  if (settings === undefined) return undefined
  const { references } = settings.context
  const [url, id, secret, file] = ['token_url', 'client_id', 'client_secret', 'client_secret_file'].map(key =>
    settings.at(key),
  )
  const tokenUrl = url?.text()
  const clientId = id?.text()
  const path = file?.text()
  const clientSecret =
    path === undefined ? secret && references.secret(secret, `${name}_client_secret`) : { file: path }
  if (tokenUrl === undefined || clientId === undefined || clientSecret === undefined) {
    return settings.lose('it takes token_url, client_id and client_secret')
  }
  const scopes = (settings.at('scopes')?.values() ?? []).flatMap(each => each.text() ?? [])
  const parameters = (settings.at('endpoint_params')?.pairs() ?? []).flatMap(([key, value]) => {
    const text = value.text()
    return text === undefined ? [] : [[key, text]]
  })
  const more = {
    ...(scopes.length > 0 ? { scopes } : {}),
    ...(parameters.length > 0 ? { parameters: Object.fromEntries(parameters) } : {}),
  }
  tree['auth'] = made({ oauth2: { tokenUrl, clientId, clientSecret, ...more } }, settings)
}

/** What is a label of a stream, besides the labels of its source. */
function streams(tree: BackendTree, sources: readonly (readonly [SourceDraft, Streams])[]): undefined {
  const values = new Map(sources.flatMap(([, { labels }]) => [...labels]))
  if (values.size === 0) return
  const names = sources.flatMap(([source]) => Object.keys(source.labels))
  const labels = [...values].map(([label, { path, from }]) => {
    if (label === 'level') return made('level', from)
    return made({ field: path, ...(label === path ? {} : { as: label }) }, from)
  })
  tree['labels'] = ['source', ...new Set(names), ...labels]
}

function timing(tree: BackendTree, settings: Setting): undefined {
  settings.needlessAll(
    'a batch is sent when it is full or batch.interval is over; a line after silence at once',
    'batchwait',
    'batch_wait',
  )
  for (const key of ['batchsize', 'batch_size']) {
    const size = settings.at(key)
    const bytes = bytesOf(size?.raw() ?? '')
    if (bytes !== undefined) tree['batch'] = { maxBytes: made(sizeText(Math.max(64 * KIB, bytes)), size!) }
  }
  const backoff = settings.at('backoff_config')
  backoff?.needlessAll('a request is retried without end, or its records are rejected with a reason', 'max_retries')
  const times = { min_period: 'initial', max_period: 'max', min_backoff_period: 'initial', max_backoff_period: 'max' }
  const retry: Record<string, unknown> = {}
  for (const [theirs, ours] of Object.entries(times)) {
    const setting = backoff?.at(theirs) ?? settings.at(theirs)
    const ms = milliseconds(setting?.raw() ?? '')
    if (ms !== undefined) retry[ours] = made(duration(ms), setting!)
  }
  if (Object.keys(retry).length > 0) tree['retry'] = retry
  const timeout = settings.at('timeout') ?? settings.at('remote_timeout')
  const ms = milliseconds(timeout?.raw() ?? '')
  if (ms !== undefined) tree['timeout'] = { headers: made(duration(ms), timeout!) }
  const endless = ['max_backoff_retries', 'retry_on_http_429', 'drop_rate_limited_batches']
  settings.needlessAll('a request is retried without end, or its records are rejected with a reason', ...endless)
  settings.needlessAll('metrics have labels of their own', 'stream_lag_labels')
  settings.needlessAll('backends are named by their type', 'name')
}
