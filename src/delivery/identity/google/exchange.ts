/**
 * Access tokens of Google Cloud.
 *
 *     metadata server   GET …/service-accounts/default/token ─────────────────────────────► token
 *     key               a JWT, signed with the key ─► token server (RFC 7523) ─────────────► token
 *     federation        the pod's token ─► STS (RFC 8693) ─┬──────────────────────────────► token
 *                                                          └─► iamcredentials, as a service account ─► token
 *
 * Guarantees: one exchange is a bounded number of requests; what goes wrong is a code that says at which of them. What
 * answers at the metadata server's address is believed only if it says that it is one. Keys, tokens and what servers say
 * of them are in no log line. A clock that is off is made up for by the server's, once.
 */
import { createPrivateKey, sign } from 'node:crypto'
import type { Environment } from '../../../environment.ts'
import { Reading, UnreadableError } from '../../transport/secrets.ts'
import type { Ask } from '../ask.ts'
import { type AccessToken, failure, fieldsOf, type Granted, held, reading, tokenOf } from '../token-answer.ts'
import { credentialsFile, type GoogleCredentials, readCredentials } from './credentials.ts'

type Reply = Awaited<ReturnType<Ask>>
type Key = Extract<GoogleCredentials, { kind: 'key' }>
type Federation = Extract<GoogleCredentials, { kind: 'federation' }>

/** The whole platform: what is allowed is for roles to say. */
export const CLOUD_PLATFORM = 'https://www.googleapis.com/auth/cloud-platform'
const METADATA_HOST = 'metadata.google.internal'
const METADATA_TOKEN = '/computeMetadata/v1/instance/service-accounts/default/token'
const FORM = { 'content-type': 'application/x-www-form-urlencoded' }
const JSON_BODY = { 'content-type': 'application/json' }
const POST = { method: 'POST', beside: false } as const
/** Seconds for which a JWT may be used, at the most an hour. */
const JWT_LIFE = 3600
/** A clock that is off by less is none of the reasons for a refusal: milliseconds. */
const SKEW = 60_000

export interface GoogleExchangeFields {
  readonly ask: Ask
  readonly credentialsFile?: string | undefined
  readonly scopes?: readonly string[] | undefined
  readonly env?: Environment
  /** Milliseconds since the epoch. */
  readonly wall?: () => number
}

export class GoogleExchange {
  readonly #fields: GoogleExchangeFields
  readonly #env: Environment
  readonly #scopes: readonly string[]
  readonly #wall: () => number
  /** How far the token server's clock is ahead of ours, where that mattered: milliseconds. */
  #ahead = 0

  constructor(fields: GoogleExchangeFields) {
    this.#fields = fields
    this.#env = fields.env ?? process.env
    this.#scopes = fields.scopes ?? [CLOUD_PLATFORM]
    this.#wall = fields.wall ?? Date.now
  }

  /** Where the pod has its identity, in words without secrets. */
  readonly source = (): string => {
    const path = credentialsFile(this.#fields.credentialsFile, this.#env)
    return path === undefined ? `metadata server ${this.#metadataHost}` : `credentials file ${path}`
  }

  /** Never rejects. */
  readonly exchange = (): Promise<Granted> =>
    reading('google', async () => {
      const files = new Reading(this.#env)
      const path = credentialsFile(this.#fields.credentialsFile, this.#env)
      if (path === undefined) return this.#metadata()
      const read = readCredentials(files.file(path))
      if (read.kind === 'unusable') throw new UnreadableError(path, read.code)
      const { credentials } = read
      return credentials.kind === 'key' ? this.#key(credentials, path) : this.#federation(credentials, files)
    })

  get #metadataHost(): string {
    return this.#env['GCE_METADATA_HOST'] || METADATA_HOST
  }

  async #metadata(): Promise<Granted> {
    const url = URL.parse(`http://${this.#metadataHost}${METADATA_TOKEN}`)
    if (url === null) throw new UnreadableError('$GCE_METADATA_HOST', 'NO_ADDRESS')
    const headers = { 'metadata-flavor': 'Google' }
    const reply = await this.#fields.ask({ url, method: 'GET', headers, body: '', beside: true })
    // A login page, or another cloud's server at the same address.
    if (reply.kind === 'answer' && reply.answer.headers['metadata-flavor'] !== 'Google') {
      return failure('google_metadata', 'unexpected_server')
    }
    return tokenOf(reply, 'google_metadata')
  }

  async #key(key: Key, path: string): Promise<Granted> {
    const first = await this.#asked(key, path)
    const token = tokenOf(first, 'google_token')
    if (token.kind === 'value' || token.code !== 'google_token_invalid_grant') return token
    const ahead = aheadOf(first, this.#wall())
    if (ahead === undefined || Math.abs(ahead - this.#ahead) < SKEW) return token
    this.#ahead = ahead
    return tokenOf(await this.#asked(key, path), 'google_token')
  }

  #asked({ email, key, keyId, tokenUrl }: Key, path: string): Promise<Reply> {
    const now = Math.floor((this.#wall() + this.#ahead) / 1000)
    const claims = {
      iss: email,
      scope: this.#scopes.join(' '),
      aud: tokenUrl.href,
      iat: now,
      exp: now + JWT_LIFE,
    }
    const header = { alg: 'RS256', typ: 'JWT', ...(keyId === undefined ? {} : { kid: keyId }) }
    const signed = [header, claims].map(part => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
    let signature: Buffer
    try {
      signature = sign('RSA-SHA256', Buffer.from(signed), createPrivateKey(key))
    } catch {
      throw new UnreadableError(path, 'NO_PRIVATE_KEY')
    }
    const form = new URLSearchParams({
      grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
      assertion: `${signed}.${signature.toString('base64url')}`,
    })
    return this.#fields.ask({ ...POST, url: tokenUrl, headers: FORM, body: form.toString() })
  }

  async #federation(federation: Federation, files: Reading): Promise<Granted> {
    const { audience, subjectTokenType, tokenUrl, impersonationUrl } = federation
    const form = new URLSearchParams({
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      audience,
      scope: impersonationUrl === undefined ? this.#scopes.join(' ') : CLOUD_PLATFORM,
      requested_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      subject_token: subjectToken(federation, files),
      subject_token_type: subjectTokenType,
    })
    const body = form.toString()
    const reply = await this.#fields.ask({ ...POST, url: tokenUrl, headers: FORM, body })
    const token = tokenOf(reply, 'google_sts')
    if (token.kind === 'failure' || impersonationUrl === undefined) return token
    return this.#impersonated(impersonationUrl, token.value, federation.lifetime)
  }

  /** "generateAccessToken" of the IAM Service Account Credentials API. */
  async #impersonated(url: URL, { token }: AccessToken, lifetime: number): Promise<Granted> {
    const headers = { ...JSON_BODY, authorization: `Bearer ${token}` }
    const body = JSON.stringify({ scope: this.#scopes, lifetime: `${lifetime / 1000}s` })
    const reply = await this.#fields.ask({ ...POST, url, headers, body })
    const from = 'google_impersonation'
    if (reply.kind === 'failure') return failure(from, reply.code)
    const { status, body: said } = reply.answer
    if (status < 200 || status > 299) return failure(from, `http_${status}`)
    const { accessToken, expireTime } = fieldsOf(said)
    const now = this.#wall() + (aheadOf(reply, this.#wall()) ?? 0)
    return held(accessToken, Date.parse(String(expireTime)) - now, from)
  }
}

/** The pod's own token. Read each time: the kubelet replaces it. */
function subjectToken({ source: { file, field } }: Federation, files: Reading): string {
  const text = files.file(file).trim()
  const token = field === undefined ? text : fieldsOf(text)[field]
  if (typeof token === 'string' && token !== '') return token
  throw new UnreadableError(file, text === '' ? 'EMPTY' : 'NO_TOKEN')
}

/** How far the server's clock is ahead of this one, as its answer says (RFC 9110 §6.6.1): milliseconds. */
function aheadOf(reply: Reply, now: number): number | undefined {
  const date = reply.kind === 'answer' ? Date.parse(reply.answer.headers['date'] ?? '') : Number.NaN
  return Number.isNaN(date) ? undefined : date - now
}
