/**
 * What the APIs of Google Cloud say when something is wrong: `google.rpc.Status` as JSON, and what is told by its details.
 *
 *     {"error":{"code":403,"message":"…","status":"PERMISSION_DENIED","details":[{"@type":"…/google.rpc.ErrorInfo","reason":"…"}]}}
 *
 * Guarantees: an answer of another form is none of Google's, and reads as `undefined`; a reason is one of a bounded set.
 */

/** google.rpc.Code, by number. */
const CODES = [
  ...['ok', 'cancelled', 'unknown', 'invalid_argument', 'deadline_exceeded', 'not_found', 'already_exists'],
  ...['permission_denied', 'resource_exhausted', 'failed_precondition', 'aborted', 'out_of_range', 'unimplemented'],
  ...['internal', 'unavailable', 'data_loss', 'unauthenticated'],
] as const

export type GoogleCode = (typeof CODES)[number]

export interface GoogleError {
  readonly code: GoogleCode
  readonly message: string
  readonly details: readonly Readonly<Record<string, unknown>>[]
}

type Fields = Readonly<Record<string, unknown>>

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The error that an answer's body tells. */
export function googleError(body: string): GoogleError | undefined {
  let said: unknown
  try {
    said = JSON.parse(body)
  } catch {
    return undefined
  }
  const error = isFields(said) ? said['error'] : undefined
  if (!isFields(error) || typeof error['status'] !== 'string') return undefined
  const code = CODES.find(each => each === (error['status'] as string).toLowerCase())
  if (code === undefined) return undefined
  const { message, details } = error
  return {
    code,
    message: typeof message === 'string' ? message : '',
    details: Array.isArray(details) ? details.filter(isFields) : [],
  }
}

export function codeOfNumber(number: unknown): GoogleCode {
  return (typeof number === 'number' && CODES[number]) || 'unknown'
}

/** The detail of this type, such as `google.rpc.ErrorInfo`. */
export function detailOf({ details }: GoogleError, type: string): Fields | undefined {
  return details.find(each => each['@type'] === `type.googleapis.com/${type}`)
}

/** Why an API refuses to serve, in the words of `google.rpc.ErrorInfo`: those that are known. */
const REFUSALS = new Set([
  ...['SERVICE_DISABLED', 'BILLING_DISABLED', 'CONSUMER_INVALID', 'CONSUMER_SUSPENDED', 'USER_PROJECT_DENIED'],
  ...[
    'ACCESS_TOKEN_SCOPE_INSUFFICIENT',
    'IAM_PERMISSION_DENIED',
    'SECURITY_POLICY_VIOLATED',
    'LOCATION_POLICY_VIOLATED',
  ],
])

export function refusalOf(error: GoogleError): string | undefined {
  const reason = detailOf(error, 'google.rpc.ErrorInfo')?.['reason']
  return typeof reason === 'string' && REFUSALS.has(reason) ? reason.toLowerCase() : undefined
}

/** Milliseconds after which the request may come again (`google.rpc.RetryInfo`), where it says so. */
export function retryDelayOf(error: GoogleError): number | undefined {
  const delay = detailOf(error, 'google.rpc.RetryInfo')?.['retryDelay']
  const seconds = typeof delay === 'string' ? /^(\d{1,6}(?:\.\d{1,9})?)s$/.exec(delay)?.[1] : undefined
  return seconds === undefined ? undefined : Math.round(Number(seconds) * 1000)
}
