/**
 * What an answer of an AWS service says of the identity: whether it is refused, whether our clock is, and what it may
 * not do. Services say it in three forms: JSON with a `__type`, XML with a `Code`, and a `message` alone.
 */
import type { Answer } from '../../../backends/backend.ts'

/** The credential has ended, or is not known: another one may be. */
const ENDED = new Set([
  ...['ExpiredToken', 'ExpiredTokenException', 'TokenRefreshRequired', 'InvalidToken', 'InvalidClientTokenId'],
  ...['UnrecognizedClientException', 'InvalidAccessKeyId', 'AuthFailure'],
])

/** The time of the signature is too far from the service's clock. */
const SKEWED = new Set(['RequestTimeTooSkewed', 'RequestExpired', 'RequestInTheFuture'])

/** How far the clocks may be apart without a word about it: milliseconds. Signatures hold for five minutes. */
const TOLERATED = 4 * 60_000

export type Meaning =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'ended' }
  /** `time`: on the service's clock. */
  | { readonly kind: 'skewed'; readonly time: number }
  /** It may have been said by something in between. */
  | { readonly kind: 'unknown' }

/** `now`: what we take the service's clock for, in milliseconds since the epoch. */
export function meaningOf(answer: Answer, now: number): Meaning {
  const { status } = answer
  if (status < 300) return { kind: 'accepted' }
  if (status !== 400 && status !== 401 && status !== 403) return { kind: 'unknown' }
  const code = errorOf(answer)
  const text = answer.body
  const time = timeOf(answer)
  const late = time !== undefined && Math.abs(time - now) > TOLERATED
  const signature = /Signature/.test(code ?? '') || /\bsignature (expired|not yet current)\b/i.test(text)
  if (time !== undefined && (SKEWED.has(code ?? '') || (late && (signature || status !== 400)))) {
    return { kind: 'skewed', time }
  }
  if (ENDED.has(code ?? '') || /security token included in the request is (expired|invalid)/i.test(text)) {
    return { kind: 'ended' }
  }
  // What is refused for itself, or for want of a permission, was refused to someone who is known.
  return { kind: code === undefined || signature ? 'unknown' : 'accepted' }
}

/** The name of the error, without what stands before it (`com.amazonaws.logs#`) or behind it. */
export function errorOf({ headers, body }: Answer): string | undefined {
  const name =
    headers['x-amzn-errortype'] ??
    /"__type"\s*:\s*"([^"]{1,200})"/.exec(body)?.[1] ??
    /<Code>([^<]{1,200})<\/Code>/.exec(body)?.[1]
  return name && /^(?:.*#)?(\w+)/.exec(name)?.[1]
}

/** When the answer was given, on the service's clock. */
export function timeOf({ headers }: Answer): number | undefined {
  const time = Date.parse(headers['date'] ?? '')
  return Number.isNaN(time) ? undefined : time
}
