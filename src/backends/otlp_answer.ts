/**
 * What an OTLP receiver's answers mean.
 *
 * Guarantees: a partial success is taken at its word, in either writing; an answer that breaks off is no success, and one
 * that is too long to be read is, by the specification; and records are given up only for an answer that speaks of records.
 */
import * as z from 'zod/mini'
import type { Answer, Verdict } from './backend.ts'
import { judge } from './http.ts'
import { fields } from './protobuf.ts'

/**
 * The specification's table ("OTLP/HTTP Response"), as far as it loses nothing.
 *
 * 400 is bad data, which may not be sent again as it is. One bad record spoils a request of thousands, so its parts are
 * sent; where a receiver had stored some of it all the same (Loki does), those come twice at the same time. It must come
 * with a `Status`: a server that says 400 in other words (VictoriaLogs to a wrong path) does not speak of records. A Collector
 * says in a 400 that a request was too large. 500 may not be retried by the letter, and then one crash of a Collector is
 * a loss: it is, unless it is among `bisected`. Statuses that OTLP does not know say nothing about the records.
 */
const TOO_LARGE = /^[\w: ]{0,60}\bbody too large$/

export function judgeOtlp(answer: Answer, bisected: ReadonlySet<number>): Verdict {
  const { status, headers, body } = answer
  const type = headers['content-type'] ?? ''
  const page = /^\s*text\/html\b/i.test(type)
  if (status >= 200 && status < 300) return page ? judge(answer) : success(answer, type)
  const reason = `http_${status}`
  const complaint = statusMessage(type, body)
  const words = complaint ?? body
  const detail = words === '' ? {} : { detail: words }
  const mistaken: Verdict = { kind: 'retry', reason, ...detail, misconfigured: true }
  if (status === 400 && TOO_LARGE.test(words.trim())) return { kind: 'split', reason }
  if (!page && (bisected.has(status) || (status === 400 && complaint !== undefined))) {
    return { kind: 'bisect', reason, ...detail }
  }
  if (status === 400) return page ? { kind: 'retry', reason: 'unexpected_html', misconfigured: true } : mistaken
  const general = judge({ status, headers, body: words })
  return general.kind === 'bisect' && status !== 422 ? mistaken : general
}

/** Some say so with an empty body or a 204, or in words that are no answer of OTLP. */
function success(answer: Answer, type: string): Verdict {
  // "OTLP/HTTP Response": what is longer than a client reads is an error that may not be retried. The request was
  // accepted; whether some of it was refused is not known.
  if (answer.unread) return { kind: 'delivered', warning: 'answer_too_long' }
  if (answer.body === '') return { kind: 'delivered' }
  let said: Refusal | undefined
  try {
    if (/^\s*application\/(\w+\+)?json\b/i.test(type)) said = fromJson(answer.body)
    else if (/^\s*application\/(x-|vnd\.google\.)?protobuf\b/i.test(type)) {
      said = fromProtobuf(answer.bytes ?? Buffer.from(answer.body))
    }
  } catch {
    // Whether some of it was refused cannot be known.
    return { kind: 'retry', reason: 'unreadable_answer', misconfigured: true }
  }
  if (said === undefined || said.rejected === 0) return { kind: 'delivered' }
  const detail = said.message === '' ? {} : { detail: said.message }
  return { kind: 'counted', rejected: said.rejected, reason: 'partial_success', ...detail }
}

/** What a partial success says. */
interface Refusal {
  readonly rejected: number
  readonly message: string
}

const answerSchema = z.object({
  partialSuccess: z.nullish(
    z.object({
      rejectedLogRecords: z.nullish(z.union([z.int(), z.string().check(z.regex(/^\d+$/))])),
      errorMessage: z.nullish(z.string()),
    }),
  ),
})

function fromJson(body: string): Refusal {
  const { partialSuccess } = answerSchema.parse(JSON.parse(body))
  return counted(Number(partialSuccess?.rejectedLogRecords ?? 0), partialSuccess?.errorMessage ?? '')
}

/** ExportLogsServiceResponse: partial_success (1) of rejected_log_records (1) and error_message (2). */
function fromProtobuf(bytes: Uint8Array): Refusal {
  let rejected = 0n
  let message = ''
  for (const outer of fields(bytes)) {
    if (outer.number !== 1 || outer.kind !== 'bytes') continue
    for (const inner of fields(outer.value)) {
      if (inner.number === 1 && inner.kind === 'varint') rejected = BigInt.asIntN(64, inner.value)
      if (inner.number === 2 && inner.kind === 'bytes') message = Buffer.from(inner.value).toString()
    }
  }
  return counted(Number(rejected), message)
}

function counted(rejected: number, message: string): Refusal {
  if (rejected < 0) throw new RangeError('fewer than none were refused')
  return { rejected, message }
}

/**
 * The message (2) of a google.rpc.Status, or nothing if the body is none. It has been made text, and maybe cleared of
 * secrets: its lengths are not to be trusted. Loki does not name its type.
 */
function statusMessage(type: string, body: string): string | undefined {
  if (/json\b/i.test(type)) return jsonMessage(body)
  if (!/protobuf|octet-stream/i.test(type)) return undefined
  if (body === '') return ''
  const [, message] = /^(?:\x08.{1,2})?\x12(?:\ufffd.|.)([^\x1a]*)/s.exec(body) ?? []
  return message
}

function jsonMessage(body: string): string | undefined {
  try {
    const { message } = JSON.parse(body) as { message?: unknown }
    return typeof message === 'string' ? message : undefined
  } catch {
    return undefined
  }
}
