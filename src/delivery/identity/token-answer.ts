/**
 * What a token server answers (RFC 6749 §5): a token and how long it holds, or why there is none.
 *
 * Guarantees: a code is one of a bounded set, for it becomes a metric label; nothing that the server says besides is
 * repeated, for it may hold what it was sent.
 */
import { UnreadableError } from '../transport/secrets.ts'
import type { Ask } from './ask.ts'

type Reply = Awaited<ReturnType<Ask>>

/** What was obtained. Two exchanges yield different objects, even with the same text. */
export interface AccessToken {
  readonly token: string
}

/** What an exchange came to. `life`: milliseconds, infinite if it does not end. */
export type Granted =
  | { readonly kind: 'value'; readonly value: AccessToken; readonly life: number }
  /** `code` is bounded. `place`: what could not be used, and `what` is wrong with it. */
  | { readonly kind: 'failure'; readonly code: string; readonly place?: string; readonly what?: string }

/** RFC 6749 §5.2, RFC 8693 §2.2.2. */
const ERRORS = new Set([
  ...['invalid_request', 'invalid_client', 'invalid_grant', 'unauthorized_client', 'unsupported_grant_type'],
  ...['invalid_scope', 'invalid_target', 'access_denied'],
])

export type Fields = Readonly<Record<string, unknown>>

/** The object that a body is; none: an empty one. */
export function fieldsOf(body: string): Fields {
  try {
    const value: unknown = JSON.parse(body)
    return typeof value === 'object' && value !== null ? (value as Fields) : {}
  } catch {
    return {}
  }
}

/** `code` begins with `prefix`, which says of whom it was asked: `google_sts`. */
export function tokenOf(reply: Reply, prefix: string): Granted {
  if (reply.kind === 'failure') return failure(prefix, reply.code)
  const { status, body } = reply.answer
  const said = fieldsOf(body)
  if (status < 200 || status > 299) {
    const error = said['error']
    return failure(prefix, typeof error === 'string' && ERRORS.has(error) ? error : `http_${status}`)
  }
  return held(said['access_token'], Number(said['expires_in']) * 1000, prefix)
}

/** A token that holds for so many milliseconds; a life that is none does not end. */
export function held(token: unknown, life: number, prefix: string): Granted {
  if (typeof token !== 'string' || !/^[\x21-\x7e]+$/.test(token)) return failure(prefix, 'unreadable_answer')
  return { kind: 'value', value: { token }, life: life > 0 ? life : Number.POSITIVE_INFINITY }
}

/** A stop is one, whatever server was asked. */
export function failure(prefix: string, code: string): Granted {
  return { kind: 'failure', code: code === 'ABORTED' ? code : `${prefix}_${code}` }
}

/** What `exchange` comes to, or what it could not read. */
export async function reading(prefix: string, exchange: () => Promise<Granted>): Promise<Granted> {
  try {
    return await exchange()
  } catch (error) {
    if (!(error instanceof UnreadableError)) throw error
    return { kind: 'failure', code: `${prefix}_CREDENTIALS_UNREADABLE`, place: error.place, what: error.code }
  }
}
