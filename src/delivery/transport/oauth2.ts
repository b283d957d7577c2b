/**
 * Access tokens by the client credentials grant (RFC 6749 §4.4).
 *
 *     none ──► asked for, once for all who wait ──► kept ─┬─ soon over ──► asked for anew, kept meanwhile
 *       ▲                                                 ├─ over ─┐
 *       └─────────────────────────────────────────────────┴─ refused by the backend
 *
 * Guarantees: at most one question is under way; a token that has run out or was refused is not shown again; what goes
 * wrong is a value, and asking goes on with the next request. Neither the secret, nor a token, nor what the server says
 * (it may repeat either) is in a log line: only the error's code, if RFC 6749 §5.2 knows it. The secret is read from its
 * file each time.
 */

import type { Environment } from '../../environment.ts'
import type { Logger } from '../../log.ts'
import type { OAuth2Options } from '../options.ts'
import { basicAuthorization } from './credentials.ts'
import { Reading, UnreadableError } from './secrets.ts'
import type { HttpRequest, Reply, Transport } from './transport.ts'

/** A token is renewed so long before its end, or at nine tenths of a short life: milliseconds. */
const AHEAD = 60_000

/** As long as the present token holds, a question that failed is not repeated sooner: milliseconds. */
const ASK_AGAIN = 5_000

/** RFC 6749 §5.2, RFC 8707 §2. */
const ERRORS = new Set([
  ...['invalid_request', 'invalid_client', 'invalid_grant', 'unauthorized_client', 'unsupported_grant_type'],
  ...['invalid_scope', 'invalid_target'],
])

export type Asked =
  | { readonly kind: 'token'; readonly token: string }
  /** `code` is bounded: it becomes a metric label. */
  | { readonly kind: 'failure'; readonly code: string }

interface Token {
  readonly text: string
  /** Monotonic milliseconds. Infinite if the server did not say. */
  readonly renew: number
  readonly end: number
  worked: boolean
}

export interface TokenOptions {
  readonly oauth2: OAuth2Options
  /** To the origin of the token's address. */
  readonly transport: Transport
  readonly logger: Logger
  readonly env?: Environment
  /** Monotonic milliseconds. */
  readonly now?: () => number
}

export class Tokens {
  readonly #oauth2: OAuth2Options
  readonly #transport: Transport
  readonly #log: Logger
  readonly #env: Environment
  readonly #now: () => number
  #token: Token | undefined
  /** The latest that was refused. */
  #dropped: Token | undefined
  #asking: Promise<Asked> | undefined
  #askedAt = Number.NEGATIVE_INFINITY

  constructor({ oauth2, transport, logger, env = process.env, now = () => performance.now() }: TokenOptions) {
    this.#oauth2 = oauth2
    this.#transport = transport
    this.#log = logger
    this.#env = env
    this.#now = now
  }

  /** Never rejects. */
  async token(): Promise<Asked> {
    const now = this.#now()
    const token = this.#token
    if (token === undefined || now >= token.end) return this.#ask()
    if (now < token.renew || now - this.#askedAt < ASK_AGAIN) return { kind: 'token', token: token.text }
    const asked = await this.#ask()
    return asked.kind === 'token' || this.#now() >= token.end ? asked : { kind: 'token', token: token.text }
  }

  /** A request with this token was not refused. */
  worked(text: string): void {
    if (this.#token?.text === text) this.#token.worked = true
  }

  /** It was: the token is dropped. Returns whether it had been good before, so that a new one may well be accepted. */
  refused(text: string): boolean {
    if (this.#token?.text === text) {
      this.#dropped = this.#token
      this.#token = undefined
    }
    // Several requests may have gone out with it.
    return this.#dropped?.text === text ? this.#dropped.worked : this.#token !== undefined
  }

  abort(): void {
    this.#transport.abort()
  }

  close(): Promise<void> {
    return this.#transport.close()
  }

  #ask(): Promise<Asked> {
    this.#asking ??= this.#fetch().finally(() => {
      this.#asking = undefined
    })
    return this.#asking
  }

  async #fetch(): Promise<Asked> {
    this.#askedAt = this.#now()
    const made = this.#request()
    if (made.kind === 'unreadable') {
      const { place, code } = made.error
      this.#log.error({ event: 'credentials_unreadable', place, code }, 'credentials cannot be read')
      return { kind: 'failure', code: 'CREDENTIALS_UNREADABLE' }
    }
    const reply = await this.#transport.send(made.request)
    const token = readToken(reply, this.#now())
    if (token.kind === 'token') {
      this.#token = token.token
      return { kind: 'token', token: token.token.text }
    }
    const { origin, pathname } = new URL(this.#oauth2.tokenUrl)
    const fields = { tokenUrl: origin + pathname, reason: token.code }
    if (token.lasting)
      this.#log.error({ event: 'token_refused', ...fields }, 'the token server refuses an access token')
    else if (token.code !== 'oauth2_ABORTED') {
      this.#log.warn({ event: 'token_unavailable', ...fields }, 'the token server is unavailable; retrying')
    }
    return { kind: 'failure', code: token.code }
  }

  #request(): { kind: 'request'; request: HttpRequest } | { kind: 'unreadable'; error: UnreadableError } {
    const { tokenUrl, clientId, clientSecret, scopes, audience, parameters, clientAuth } = this.#oauth2
    const reading = new Reading(this.#env)
    try {
      const [id, secret] = [reading.secret(clientId), reading.secret(clientSecret)]
      const form = new URLSearchParams({ grant_type: 'client_credentials' })
      if (scopes.length > 0) form.set('scope', scopes.join(' '))
      if (audience !== undefined) form.set('audience', audience)
      for (const [name, value] of Object.entries(parameters)) form.set(name, value)
      if (clientAuth === 'post') {
        form.set('client_id', id)
        form.set('client_secret', secret)
      }
      const { pathname, search } = new URL(tokenUrl)
      const head = {
        method: 'POST',
        path: pathname + search,
        headers: {
          accept: 'application/json',
          ...(clientAuth === 'basic' ? { authorization: basicAuthorization(encoded(id), encoded(secret)) } : {}),
        },
      }
      const contentType = 'application/x-www-form-urlencoded'
      return {
        kind: 'request',
        request: { head, contentType, encoding: undefined, body: Buffer.from(form.toString()) },
      }
    } catch (error) {
      if (error instanceof UnreadableError) return { kind: 'unreadable', error }
      throw error
    }
  }
}

/** Both are encoded before they are put together (RFC 6749 §2.3.1, appendix B). */
function encoded(text: string): string {
  return new URLSearchParams({ '': text }).toString().slice(1)
}

type Read =
  | { readonly kind: 'token'; readonly token: Token }
  /** `lasting`: someone has to mend it. */
  | { readonly kind: 'failure'; readonly code: string; readonly lasting: boolean }

function readToken(reply: Reply, now: number): Read {
  const failed = (code: string, lasting: boolean): Read => ({ kind: 'failure', code: `oauth2_${code}`, lasting })
  if (reply.kind === 'failure') return failed(reply.code, false)
  const { status, body } = reply.answer
  const said = object(body)
  if (status < 200 || status > 299) {
    const error = typeof said['error'] === 'string' && ERRORS.has(said['error']) ? said['error'] : `http_${status}`
    return failed(error, status < 500 && status !== 408 && status !== 429)
  }
  const { access_token: text, token_type: type = 'Bearer', expires_in: life } = said
  // RFC 6750 §2.1. What another type would ask for, we cannot do.
  if (typeof text !== 'string' || !/^[\x21-\x7e]+$/.test(text)) return failed('unreadable_answer', true)
  if (typeof type !== 'string' || type.toLowerCase() !== 'bearer') return failed('unsupported_token_type', true)
  const ms = Number(life) > 0 ? Number(life) * 1000 : Number.POSITIVE_INFINITY
  return {
    kind: 'token',
    token: { text, renew: now + ms - Math.min(AHEAD, ms / 10), end: now + ms, worked: false },
  }
}

function object(body: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(body)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}
