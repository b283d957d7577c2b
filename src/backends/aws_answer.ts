/**
 * What the JSON services of AWS say when they refuse a request: a type, which is an exception of theirs, and a message.
 *
 * Guarantees: only what says so is about the records; a missing permission, a quota, a clock, a region are waited for.
 */
import type { Answer, Verdict } from './backend.ts'
import { judge } from './http.ts'

export interface AwsError {
  /** Without namespace and the word Exception, with underscores; undefined if there is none that could be a reason. */
  readonly reason: string | undefined
  readonly message: string | undefined
}

export function awsError({ headers, body }: Answer): AwsError {
  let type: unknown = headers['x-amzn-errortype']
  let message: unknown
  try {
    const said = Object(JSON.parse(body)) as Record<string, unknown>
    type ??= said['__type']
    message = said['message'] ?? said['Message']
  } catch {
    // Not JSON: not a word of the service itself.
  }
  return { reason: reasonOf(type), message: typeof message === 'string' ? message : undefined }
}

/** The name of an exception as a reason. */
export function reasonOf(type: unknown): string | undefined {
  const name = typeof type === 'string' ? /^(?:.*#)?([A-Z]\w{0,63})/.exec(type)?.[1] : undefined
  return name
    ?.replace(/Exception$/, '')
    .replace(/(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])/g, '_')
    .toLowerCase()
}

/** Who asks is not known, or may not. */
const UNAUTHORIZED = new Set([
  ...['access_denied', 'unrecognized_client', 'expired_token', 'invalid_signature', 'incomplete_signature'],
  ...['missing_authentication_token', 'missing_authentication_token_exception', 'invalid_client_token_id'],
  ...['opt_in_required', 'not_authorized', 'signature_does_not_match', 'request_expired'],
])

/** Passes by itself. */
const PASSING = new Set([
  ...['throttling', 'throttled', 'too_many_requests', 'provisioned_throughput_exceeded', 'request_limit_exceeded'],
  ...['service_unavailable', 'internal_failure', 'internal_server_error', 'internal_server', 'operation_aborted'],
  ...['limit_exceeded', 'service_quota_exceeded', 'concurrent_modification'],
])

/** It has to be mended in the configuration or the account. */
const MISCONFIGURED = new Set([
  ...['resource_not_found', 'unknown_operation', 'invalid_action', 'invalid_kms_resource', 'kms_access_denied'],
  ...['invalid_operation', 'invalid_parameter', 'invalid_argument', 'validation', 'validation_error'],
  ...['serialization', 'data_already_accepted', 'invalid_sequence_token', 'invalid_source'],
])

/** What every service says in the same words, and what is not AWS at all. */
export function judgeAws(answer: Answer): Verdict {
  const { reason, message } = awsError(answer)
  const general = judge(answer)
  const detail = message ?? (answer.body === '' ? undefined : answer.body)
  const words = detail === undefined ? {} : { detail }
  if (answer.status < 300) return general
  if (reason !== undefined && UNAUTHORIZED.has(reason)) return { kind: 'unauthorized', reason, ...words }
  if (reason !== undefined && PASSING.has(reason)) return { kind: 'retry', reason, ...words }
  const known = reason !== undefined && MISCONFIGURED.has(reason) ? reason : `http_${answer.status}`
  if (general.kind === 'retry') return { ...general, ...(known === reason && { reason }), ...words }
  if (general.kind === 'unauthorized' || general.kind === 'split') return general
  // Nothing is given up for a word that is not known to be about records.
  return { kind: 'retry', reason: known, ...words, misconfigured: true }
}

/** Whether the answer is an object of JSON, as each success of these services is. */
export function saidIn({ body }: Answer): Readonly<Record<string, unknown>> | undefined {
  try {
    const said: unknown = JSON.parse(body)
    return typeof said === 'object' && said !== null && !Array.isArray(said) ? { ...said } : undefined
  } catch {
    return undefined
  }
}
