/** What all sinks of Vector may say about their requests. */
import { type BackendTree, basicOf, bearer, header, tls } from '../backends.ts'
import { made } from '../made.ts'
import type { Setting } from '../setting.ts'
import { bytesOf, sizeText } from '../sizes.ts'

/** Compression, batches, requests, credentials, certificates and which values are sent. */
export function shared(body: Setting, tree: BackendTree, name: string): undefined {
  body.needlessAll('what waits stays in its file', 'buffer')
  body.needlessAll('a backend that does not answer is retried without end', 'healthcheck')
  body.needlessAll('an offset is saved when the backend has acknowledged what lies before it', 'acknowledgements')
  const compression = body.at('compression')
  const algorithm = compression?.content.kind === 'map' ? compression.at('algorithm')?.raw() : compression?.raw()
  if (algorithm !== undefined && ['none', 'gzip', 'zlib', 'zstd'].includes(algorithm))
    tree['compression'] = made(algorithm, compression!)
  else if (algorithm !== undefined) compression!.lose('ours has no such compression: it sends gzip')
  compression?.needlessAll('requests are compressed at level 1', 'level')
  const batch = body.at('batch')
  const size = batch?.at('max_bytes')
  const bytes = bytesOf(size?.raw() ?? '')
  const events = batch?.at('max_events')
  const records = events?.number()
  batch?.needlessAll(
    'a batch is sent when it is full or batch.interval is over; a line after silence at once',
    'timeout_secs',
  )
  if (bytes !== undefined || records !== undefined) {
    tree['batch'] = {
      ...(bytes === undefined ? {} : { maxBytes: made(sizeText(bytes), size!) }),
      ...(records === undefined ? {} : { maxRecords: made(records, events!) }),
    }
  }
  request(body.at('request'), tree, name)
  authorize(body.at('auth'), tree, name)
  certificates(body.at('tls'), tree)
  const encoding = body.at('encoding')
  if (encoding?.content.kind === 'map') {
    const chosen: Record<string, unknown> = {}
    for (const [theirs, ours] of [
      ['except_fields', 'drop'],
      ['only_fields', 'keep'],
    ] as const) {
      const list = encoding.at(theirs)
      const names = (list?.values() ?? []).flatMap(each => each.raw()?.replace(/^\./, '') ?? [])
      if (names.length > 0) chosen[ours] = made(names, list!)
    }
    if (Object.keys(chosen).length > 0) tree['fields'] = chosen
    encoding.needlessAll('what the backend takes is written', 'codec', 'json', 'metric_tag_values')
    encoding.needlessAll('times are written as the backend takes them', 'timestamp_format')
  } else encoding?.needless('what the backend takes is written')
  const proxy = body.at('proxy')
  if (proxy !== undefined) proxied(proxy, tree)
}

function proxied(proxy: Setting, tree: BackendTree): undefined {
  if (proxy.at('enabled')?.flag() === false) tree['proxy'] = made('off', proxy.at('enabled')!)
  const address = proxy.at('https') ?? proxy.at('http')
  const url = address?.text()
  if (url !== undefined) tree['proxy'] = made({ url }, address!)
  proxy.needlessAll('a backend has one address', 'http', 'https', 'no_proxy')
}

function request(settings: Setting | undefined, tree: BackendTree, name: string): undefined {
  if (settings === undefined) return
  const concurrency = settings.at('concurrency')
  const written = concurrency?.raw()
  if (written !== undefined && /^\d+$/.test(written)) tree['concurrency'] = made(Number(written), concurrency!)
  else if (written !== undefined)
    concurrency!.needless('one request at a time keeps lines in order; concurrency allows more')
  const timeout = settings.at('timeout_secs')
  const seconds = timeout?.number()
  if (seconds !== undefined) tree['timeout'] = { headers: made(`${seconds}s`, timeout!) }
  const retry: Record<string, unknown> = {}
  for (const [theirs, ours] of [
    ['retry_initial_backoff_secs', 'initial'],
    ['retry_max_duration_secs', 'max'],
  ] as const) {
    const setting = settings.at(theirs)
    const wait = setting?.number()
    if (wait !== undefined) retry[ours] = made(`${wait}s`, setting!)
  }
  if (Object.keys(retry).length > 0) tree['retry'] = retry
  settings.needlessAll(
    'a request is retried without end, or its records are rejected with a reason',
    'retry_attempts',
    'retry_jitter_mode',
  )
  settings.needlessAll('concurrency says how many requests may be under way', 'adaptive_concurrency')
  settings.loseAll('limit says how much is sent', 'rate_limit_num', 'rate_limit_duration_secs')
  for (const [key, value] of settings.at('headers')?.pairs() ?? []) {
    const raw = value.raw()
    if (raw !== undefined) header(tree, key, raw, value, name)
  }
}

function authorize(auth: Setting | undefined, tree: BackendTree, name: string): undefined {
  if (auth === undefined) return
  const strategy = auth.at('strategy')?.raw() ?? 'basic'
  if (strategy === 'basic') basicOf(tree, auth.at('user'), auth.at('password'), name)
  else if (strategy === 'bearer') bearer(tree, auth.at('token'), name)
  else auth.lose('requests are not signed: basic and bearer are known')
}

function certificates(settings: Setting | undefined, tree: BackendTree): undefined {
  if (settings === undefined) return
  const verify = settings.at('verify_certificate')
  const checks = verify?.flag() ?? true
  tls(tree, {
    ca: settings.at('ca_file') ?? settings.at('ca_path'),
    cert: settings.at('crt_file') ?? settings.at('crt_path'),
    key: settings.at('key_file') ?? settings.at('key_path'),
    serverName: settings.at('server_name'),
    skip: verify,
    skips: !checks,
  })
  if (settings.at('verify_hostname')?.flag() === false)
    settings.at('verify_hostname')!.lose('the name is checked with the certificate: tls.serverName')
  settings.loseAll('the key must not have a passphrase', 'key_pass')
  settings.needlessAll('the address says whether TLS is spoken', 'enabled', 'options')
  settings.needlessAll('HTTP/1.1 is spoken', 'alpn_protocols')
}
