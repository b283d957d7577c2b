/**
 * Any HTTP receiver: records as lines or as an array, judged by the meaning that RFC 9110 gives each status.
 *
 * Guarantees: only a 2xx that is not a web page counts as delivered, and only an answer that says "this request is
 * wrong" gives records up. Everything that a human can mend on the other side (credentials, a moved address, an
 * overloaded or half-configured server) is tried again for as long as it takes.
 */
import * as z from 'zod/mini'
import type { Answer, Backend, BackendContext, Format, Verdict } from './backend.ts'
import { jsonRecord } from './record.ts'

export const httpSchema = z.object({
  /** Where requests go. */
  endpoint: z.string().check(
    z.refine(text => parsed(text) !== undefined, { error: 'an http:// or https:// URL', abort: true }),
    z.refine(text => !parsed(text)?.username && !parsed(text)?.password, {
      error: 'a URL without credentials: give them under auth',
    }),
  ),
  method: z._default(z.enum(['POST', 'PUT']), 'POST'),
  /** Added to the endpoint's query. */
  query: z._default(z.record(z.string(), z.string()), {}),
  /** `ndjson`: a JSON object per line. `json`: one array of such objects. `text`: the lines as they are. */
  format: z._default(z.enum(['ndjson', 'json', 'text']), 'ndjson'),
  /** Gives each JSON record an `id` that stays the same when it is sent again. */
  ids: z._default(z.boolean(), false),
})

export type HttpOptions = z.infer<typeof httpSchema>

const bytes = (text: string): Uint8Array => Buffer.from(text)

const FORMATS: Readonly<Record<HttpOptions['format'], Format>> = {
  ndjson: {
    contentType: 'application/x-ndjson',
    prefix: bytes(''),
    separator: bytes('\n'),
    suffix: bytes('\n'),
    treatment: 'text',
  },
  json: {
    contentType: 'application/json',
    prefix: bytes('['),
    separator: bytes(','),
    suffix: bytes(']'),
    treatment: 'text',
  },
  text: {
    contentType: 'text/plain',
    prefix: bytes(''),
    separator: bytes('\n'),
    suffix: bytes('\n'),
    treatment: 'bytes',
  },
}

const RAW = [{ kind: 'raw' }] as const

export function createHttp(options: HttpOptions, context: BackendContext): Backend {
  const url = new URL(options.endpoint)
  for (const [name, value] of Object.entries(options.query)) url.searchParams.append(name, value)
  const path = url.pathname + url.search
  // Two pods can hold the same file under the same generation (an image's own log, say); the pod's id tells them apart.
  const { podUid } = context.metadata()
  const pod = podUid ? `${podUid}-` : ''
  return {
    type: 'http',
    strength: 'accepted',
    format: FORMATS[options.format],
    limits: { payloadBytes: Number.MAX_SAFE_INTEGER, records: Number.MAX_SAFE_INTEGER },
    segments: chunk => (options.format === 'text' ? RAW : jsonRecord(chunk, options.ids, context.metadata())),
    request: batch => ({ method: options.method, path, headers: { 'idempotency-key': `${pod}${batch.id}` } }),
    judge,
  }
}

/**
 * The general table (RFC 9110 §15). A redirect is not followed, for a request with a body and credentials may not go
 * where an answer says; it is a wrong endpoint, so it costs time and no data. So does a page of HTML with status 200,
 * which is what a login page or a captive proxy answers, and so does every other answer that is about the address and
 * not about the records (404, 405 …). `Retry-After` is delivery's to read: it has a clock.
 */
export function judge({ status, headers, body }: Answer): Verdict {
  const reason = `http_${status}`
  const detail = body === '' ? {} : { detail: body }
  if (status >= 200 && status < 300) {
    const page = /^\s*text\/html\b/i.test(headers['content-type'] ?? '')
    return page ? { kind: 'retry', reason: 'unexpected_html', misconfigured: true } : { kind: 'delivered' }
  }
  if (status >= 300 && status < 400) return { kind: 'retry', reason: 'redirect', misconfigured: true }
  switch (status) {
    case 400:
    case 422:
      return { kind: 'suspect', reason, ...detail }
    case 401:
    case 403:
      return { kind: 'unauthorized', reason, ...detail }
    case 413:
      return { kind: 'split', reason }
    case 408:
    case 425:
    case 429:
      return { kind: 'retry', reason, ...detail }
    case 409:
    case 410:
    case 431:
    case 451:
      return { kind: 'rejected', reason, ...detail }
  }
  if (status >= 400 && status < 500) return { kind: 'retry', reason, ...detail, misconfigured: true }
  return { kind: 'retry', reason, ...detail }
}

function parsed(text: string): URL | undefined {
  const url = URL.parse(text)
  return url && (url.protocol === 'http:' || url.protocol === 'https:') && url.hostname !== '' ? url : undefined
}
