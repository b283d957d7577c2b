/**
 * What an answer of the Logs Ingestion API means.
 *
 *     {"error":{"code":"ContentLengthLimitExceeded","message":"…"}}
 *
 * Guarantees: only an answer with 204 is a delivery; a call is accepted or refused as a whole, and is bisected only where
 * the API says that its contents cannot be read. What a role, a rule or a stream is at fault for is retried until it is
 * corrected, and says what to correct.
 */
import type { Answer, Verdict } from './backend.ts'
import { judge } from './http.ts'

/** Codes of a 400 that are about what is in the call. */
const UNREADABLE = new Set(['InvalidJson', 'InvalidPayload', 'InvalidRequestBody', 'InvalidRequestContent'])

export function judgeIngestion(answer: Answer, rule: string, stream: string): Verdict {
  const { status, body } = answer
  if (status === 204) return { kind: 'delivered' }
  const { code, message } = errorOf(answer)
  const said = message ?? (body === '' ? undefined : body)
  const detail = said === undefined ? {} : { detail: said }
  switch (status) {
    case 400:
      if (code !== undefined && UNREADABLE.has(code)) return { kind: 'bisect', reason: 'unreadable_call', ...detail }
      if (code === 'InvalidStream' || /\bstream\b.*\b(?:not|isn't)\b/is.test(message ?? '')) {
        return misconfigured('no_such_stream', said, `does rule ${rule} declare the stream ${stream}?`)
      }
      return { kind: 'retry', reason: 'http_400', ...detail, misconfigured: true }
    case 401:
      return { kind: 'unauthorized', reason: 'http_401', ...detail }
    case 403: {
      if (code === undefined) return judge(answer)
      const role = `grant Monitoring Metrics Publisher on the data collection rule ${rule} to the identity`
      const advice = `${role}; it takes up to 30 minutes until it holds`
      return { kind: 'unauthorized', reason: 'not_permitted', ...detail, advice }
    }
    case 404:
      if (code === undefined) return { kind: 'retry', reason: 'http_404', ...detail, misconfigured: true }
      return misconfigured(
        'no_such_rule',
        said,
        `is there a rule ${rule}, in the region of the endpoint, with a stream ${stream}?`,
      )
    case 200:
    case 202:
      // Something else answers there.
      return { kind: 'retry', reason: 'unexpected_answer', misconfigured: true }
  }
  const verdict = judge(answer)
  if (verdict.kind === 'delivered') return { kind: 'retry', reason: 'unexpected_answer', misconfigured: true }
  if (verdict.kind !== 'bisect') return verdict
  return { kind: 'retry', reason: verdict.reason, ...detail, misconfigured: true }
}

function misconfigured(reason: string, detail: string | undefined, advice: string): Verdict {
  return { kind: 'retry', reason, ...(detail === undefined ? {} : { detail }), misconfigured: true, advice }
}

function errorOf({ body }: Answer): { readonly code?: string; readonly message?: string } {
  try {
    const { error } = JSON.parse(body) as { error?: { code?: unknown; message?: unknown } }
    const { code, message } = error ?? {}
    return {
      ...(typeof code === 'string' && /^\w{1,64}$/.test(code) ? { code } : {}),
      ...(typeof message === 'string' ? { message } : {}),
    }
  } catch {
    return {}
  }
}
