/**
 * Signature Version 4 in header fields, as AWS publishes it: a hash of the request, signed with a key that holds for a
 * day, a region and a service.
 *
 *     method, path, query, header fields, hash of the body ─► canonical request ─► hash ┐
 *     secret ─► day ─► region ─► service ─► signing key ────────────────────────────────┴─► HMAC ─► authorization
 *
 * Guarantees: what is signed are the bytes that go out, after compression, and of the header fields those that AWS asks
 * for and no others: a proxy may change the rest. Pure, but for the signing key that is kept.
 */
import { createHmac, hash } from 'node:crypto'
import type { Outgoing } from '../../transport/identity.ts'

export interface Keys {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string | undefined
}

export interface Scope {
  readonly region: string
  readonly service: string
}

const ALGORITHM = 'AWS4-HMAC-SHA256'

/** What a service asks for that others do not. */
export interface Scheme {
  /** It takes a path as it is; others want it normalized, and what is encoded in it encoded once more. */
  readonly asItIs: boolean
  /** It wants the hash of the body in a field of its own. */
  readonly saysHash: boolean
  /** Whether a field is signed besides `host` and those that are added. */
  readonly signs: (name: string) => boolean
}

const signs = (name: string): boolean => /^(content-type|content-md5|x-amz-.*)$/.test(name)

/** S3 and OpenSearch Serverless refuse a request that does not say the hash of its body. */
export function schemeOf(service: string): Scheme {
  return { asItIs: service === 's3', saysHash: service === 's3' || service === 'aoss', signs }
}

/** Signs with one set of keys. */
export class Signer {
  readonly #keys: Keys
  readonly #scope: Scope
  readonly #scheme: Scheme
  #day = ''
  #key: Buffer = Buffer.alloc(0)

  constructor(keys: Keys, scope: Scope, scheme = schemeOf(scope.service)) {
    this.#keys = keys
    this.#scope = scope
    this.#scheme = scheme
  }

  /** The fields that a request goes out with besides its own. `time`: as AWS's clock shows it, in milliseconds since the epoch. */
  sign(request: Outgoing, time: number): Record<string, string> {
    const { accessKeyId, sessionToken } = this.#keys
    const { region, service } = this.#scope
    const stamp = stampOf(time)
    const day = stamp.slice(0, 8)
    const payload = hash('sha256', request.body, 'hex')
    const added = {
      'x-amz-date': stamp,
      ...(sessionToken !== undefined && { 'x-amz-security-token': sessionToken }),
      ...(this.#scheme.saysHash && { 'x-amz-content-sha256': payload }),
    }
    const signed = signedFields(request, added, this.#scheme)
    const canonical = canonicalRequest(request, { signed, payload, asItIs: this.#scheme.asItIs })
    const scope = `${day}/${region}/${service}/aws4_request`
    const text = [ALGORITHM, stamp, scope, hash('sha256', canonical, 'hex')].join('\n')
    const signature = createHmac('sha256', this.#keyOf(day)).update(text).digest('hex')
    const names = signed.map(([name]) => name).join(';')
    return {
      ...added,
      authorization: `${ALGORITHM} Credential=${accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${signature}`,
    }
  }

  #keyOf(day: string): Buffer {
    if (this.#day === day) return this.#key
    const { region, service } = this.#scope
    let key: Buffer = Buffer.from(`AWS4${this.#keys.secretAccessKey}`)
    for (const part of [day, region, service, 'aws4_request']) key = createHmac('sha256', key).update(part).digest()
    this.#day = day
    this.#key = key
    return key
  }
}

/** As AWS writes a time: `20150830T123600Z`. */
function stampOf(time: number): string {
  return new Date(time).toISOString().replace(/[-:]|\.\d+/g, '')
}

type Field = readonly [name: string, value: string]

function signedFields(
  { host, headers }: Outgoing,
  added: Readonly<Record<string, string>>,
  { signs }: Scheme,
): Field[] {
  const own = Object.entries(headers).filter(([name]) => signs(name))
  const all = { host: headers['host'] ?? host, ...Object.fromEntries(own), ...added }
  return Object.entries(all)
    .map(([name, value]): Field => [name, value.trim().replace(/\s+/g, ' ')])
    .sort(([one], [other]) => (one < other ? -1 : 1))
}

interface Canonical {
  readonly signed: readonly Field[]
  readonly payload: string
  readonly asItIs: boolean
}

function canonicalRequest({ method, path: target }: Outgoing, { signed, payload, asItIs }: Canonical): string {
  const at = target.indexOf('?')
  const path = at === -1 ? target : target.slice(0, at)
  const query = at === -1 ? '' : target.slice(at + 1)
  return [
    method,
    asItIs ? path.split('/').map(decoded).map(encoded).join('/') : normalized(path).split('/').map(encoded).join('/'),
    canonicalQuery(query),
    ...signed.map(([name, value]) => `${name}:${value}`),
    '',
    signed.map(([name]) => name).join(';'),
    payload,
  ].join('\n')
}

/** Without empty and relative segments (RFC 3986 §5.2.4). */
function normalized(path: string): string {
  const kept: string[] = []
  const segments = path.split('/')
  for (const segment of segments) {
    if (segment === '..') kept.pop()
    else if (segment !== '' && segment !== '.') kept.push(segment)
  }
  const ends = ['', '.', '..'].includes(segments.at(-1)!) && kept.length > 0
  return `/${kept.join('/')}${ends ? '/' : ''}`
}

function canonicalQuery(query: string): string {
  if (query === '') return ''
  const parts = query.split('&').map(part => {
    const at = part.indexOf('=')
    const [name, value] = at === -1 ? [part, ''] : [part.slice(0, at), part.slice(at + 1)]
    return `${encoded(decoded(name))}=${encoded(decoded(value))}`
  })
  return parts.sort(byName).join('&')
}

/** By name, then by value: an equals sign must not sort before what may follow in a longer name. */
function byName(one: string, other: string): number {
  const [a, b] = [one.split('='), other.split('=')]
  const [first, second] = a[0] === b[0] ? [a[1]!, b[1]!] : [a[0]!, b[0]!]
  return first < second ? -1 : first > second ? 1 : 0
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** All but the unreserved characters of RFC 3986. */
function encoded(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, sign => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`)
}
