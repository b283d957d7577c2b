/** What outputs of all peers have in common: addresses, credentials, certificates, and what there is no backend for. */
import type { Conversion } from './conversion.ts'
import { made } from './made.ts'
import { isSecretive } from './references.ts'
import type { Setting } from './setting.ts'
import type { SourceDraft } from './source.ts'

export type BackendTree = Record<string, unknown>

/** Why an output is lost, by what it is. */
const WITHOUT: Readonly<Record<string, string>> = {
  kafka: 'there is no backend for Kafka: type http reaches a REST proxy in front of it',
  s3: 'there is no backend for S3: type http reaches a receiver that stores what it gets',
  cloudwatch: 'requests that AWS signs are not made: CloudWatch takes type otlp with a bearer token',
  forward: 'there is no backend for the forward protocol: type http or otlp reaches an aggregator',
  logstash: 'there is no backend for the protocol of Beats: type http reaches Logstash’s http input',
  file: 'files are read and not written: type stdout writes to standard output',
  syslog: 'there is no backend for syslog: type http or otlp reaches a collector that speaks it',
}

export function without(kind: string): string {
  return WITHOUT[kind] ?? 'there is no backend of this kind: docs/backends.md lists those that there are'
}

/** An address whose credentials, if it holds some, become `auth`. */
export function endpoint(tree: BackendTree, address: string, from: Setting, name: string): undefined {
  const { references } = from.context
  const [, scheme, credentials, rest] = /^(\w+:\/\/)([^/@]*)@(.*)$/s.exec(address) ?? []
  const plain = credentials === undefined ? address : `${scheme}${rest}`
  references.example(plain, 'http://1')
  const [path = '', query] = plain.split('?')
  tree['endpoint'] = made(path, from)
  if (query !== undefined) parameters(tree, query, from, name)
  if (credentials === undefined) return
  const [username = '', password = ''] = credentials.split(':')
  basic(tree, decoded(username), { raw: decoded(password), from }, from, name)
}

/** A cloud id of Elastic: `name:` and, in base64, host, cluster and Kibana with `$` between them. */
export function cloudEndpoint(tree: BackendTree, id: string, from: Setting): undefined {
  const [host, cluster] = Buffer.from(id.split(':').at(-1)!, 'base64').toString().split('$')
  if (host === undefined || !/^[\w.:-]+$/.test(host) || !cluster)
    from.lose('it is no cloud id that can be read: name the endpoint')
  else endpoint(tree, `https://${cluster}.${host}`, from, 'elasticsearch')
}

/** Parameters of an address, of which those that may be secrets are not written. */
function parameters(tree: BackendTree, query: string, from: Setting, name: string): undefined {
  const { references } = from.context
  const all = [...new URLSearchParams(query)].map(([key, value]) => {
    if (!isSecretive(key)) return [key, value]
    return [key, references.variable(references.secretOf(value, from, `${name}_${key}`).env)]
  })
  tree['query'] = made(Object.fromEntries(all), from)
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

export function basic(
  tree: BackendTree,
  username: string | undefined,
  password: { readonly raw: string; readonly from: Setting } | undefined,
  from: Setting,
  name: string,
): undefined {
  if (username === undefined || username === '') {
    if (password !== undefined) from.lose('a password without the name of a user')
    return
  }
  const { references } = from.context
  const secret = references.secretOf(password?.raw ?? '', password?.from ?? from, `${name}_password`)
  tree['auth'] = made({ basic: { username, password: secret } }, password?.from ?? from)
}

/** User and password, each a setting of its own. */
export function basicOf(
  tree: BackendTree,
  user: Setting | undefined,
  password: Setting | undefined,
  name: string,
): undefined {
  const username = user?.text()
  const raw = password?.raw()
  if (user === undefined && password === undefined) return
  basic(tree, username, raw === undefined ? undefined : { raw, from: password! }, user ?? password!, name)
}

export function bearer(tree: BackendTree, token: Setting | undefined, name: string): undefined {
  const secret = token?.context.references.secret(token, `${name}_token`)
  if (secret !== undefined) tree['auth'] = made({ bearer: secret }, token!)
}

/** A secret under a key of the backend's type. */
export function credential(tree: BackendTree, key: string, value: Setting | undefined, variable: string): undefined {
  const secret = value?.context.references.secret(value, variable)
  if (secret !== undefined) tree[key] = made(secret, value!)
}

/** A header; `Authorization` becomes `auth`. */
export function header(tree: BackendTree, name: string, value: string, from: Setting, variable: string): undefined {
  const { references } = from.context
  if (/^(content-type|content-encoding)$/i.test(name)) return from.needless('the backend sets this header itself')
  if (/^authorization$/i.test(name)) {
    const [, word, secret = ''] = /^(\S+)\s+(.*)$/s.exec(value) ?? []
    const reference = references.secretOf(word === undefined ? value : secret, from, `${variable}_token`)
    const prefix = word === undefined ? {} : { prefix: `${word} ` }
    const auth =
      word === 'Bearer' ? { bearer: reference } : { apiKey: { header: 'Authorization', ...prefix, value: reference } }
    tree['auth'] = made(auth, from)
    return
  }
  const headers = (tree['headers'] ??= {}) as Record<string, unknown>
  const secret = isSecretive(name)
  headers[name] = made(
    secret ? references.secretOf(value, from, `${variable}_${name}`) : references.written(value, from),
    from,
  )
}

/** Certificates, and what is checked of them. */
export interface TlsSettings {
  readonly ca?: Setting | undefined
  readonly cert?: Setting | undefined
  readonly key?: Setting | undefined
  readonly serverName?: Setting | undefined
  /** Whether any certificate is accepted. */
  readonly skip?: Setting | undefined
  readonly skips?: boolean | undefined
}

export function tls(tree: BackendTree, { skip, skips, ...files }: TlsSettings): undefined {
  const options: Record<string, unknown> = {}
  for (const [key, setting] of Object.entries(files) as [string, Setting | undefined][]) {
    const text = setting?.text()
    if (text?.includes('-----BEGIN')) setting!.lose('a certificate in the configuration itself: mount it as a file')
    else if (text !== undefined && text !== '') options[key] = made(text, setting!)
  }
  if (skip !== undefined && skips) options['insecureSkipVerify'] = made(true, skip)
  if (Object.keys(options).length > 0) tree['tls'] = options
}

/** Labels that a backend's output gives to all of its records are labels of its sources. */
export function labelled(sources: readonly SourceDraft[], name: string, value: string, from: Setting): undefined {
  for (const source of sources) source.label(name, value, from)
}

/** Adds the backend, and says so where an output takes records of no source. */
export function add(
  { draft }: Conversion,
  type: string,
  tree: BackendTree,
  sources: readonly SourceDraft[],
  from: Setting,
): undefined {
  if (sources.length === 0) from.lose('no input that is carried over leads to it')
  else draft.backend(type, tree, sources, from)
}
