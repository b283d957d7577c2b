/**
 * One attempt: a request goes out once, and what comes back is judged and counted.
 *
 * Where an answer says that something is missing that can be made, it is made, and the same request goes out again.
 *
 * Guarantees: it never rejects. Whatever is made is asked for once in an attempt, so that an attempt has an end. Whatever comes is a verdict, and so is no answer; a judge that fails on an answer costs
 * time and nothing else.
 */
import type { Backend, BatchInfo, Remedy, Verdict } from '../backends/backend.ts'
import type { DeliveryStats } from './outcome/stats.ts'
import { isRetryable, refusalOf } from './outcome/verdicts.ts'
import { retryAfter } from './retry.ts'
import { type HttpRequest, isLasting, type Reply, type Transport } from './transport/transport.ts'

export interface AttemptParts {
  readonly backend: Pick<Backend, 'judge' | 'remedies'>
  readonly transport: Pick<Transport, 'send'>
  readonly stats: DeliveryStats
  /** Whether requests under way are being dropped. */
  readonly stopped: () => boolean
}

export interface Attempted {
  readonly verdict: Verdict
  /** Of the answer, if there was one. */
  readonly status: number | undefined
}

/** `undefined`: a stop dropped it, which says nothing of the backend. */
export async function attempt(
  { backend, transport, stats, stopped }: AttemptParts,
  request: HttpRequest,
  batch: BatchInfo,
): Promise<Attempted | undefined> {
  const before = performance.now()
  let reply = await transport.send(request)
  let verdict = judged(backend, reply, batch)
  const remedy =
    verdict.kind === 'retry' && verdict.remedy !== undefined ? backend.remedies?.[verdict.remedy] : undefined
  if (remedy !== undefined) {
    const refused = await mended(transport, remedy)
    reply = refused ?? (await transport.send(request))
    verdict = judged(backend, reply, batch)
    // It says nothing of the records, whatever it would mean if it did.
    if (refused !== undefined && !isRetryable(verdict)) {
      const { reason, detail } = refusalOf(verdict)
      verdict = { kind: 'retry', reason, ...(detail !== undefined && { detail }), misconfigured: true }
    }
  }
  if (reply.kind === 'failure' && stopped()) return undefined
  const status = reply.kind === 'answer' ? reply.answer.status : undefined
  stats.request(status, verdict.kind, (performance.now() - before) / 1000, request.body.length)
  return { verdict, status }
}

/** The reply that says why something cannot be made; `undefined`: all of it is there. */
async function mended(transport: AttemptParts['transport'], remedies: readonly Remedy[]): Promise<Reply | undefined> {
  for (const { head, contentType, body, done } of remedies) {
    const reply = await transport.send({ head, contentType, encoding: undefined, body: Buffer.from(body) })
    if (reply.kind === 'failure' || !done(reply.answer)) return reply
  }
  return undefined
}

function judged(backend: AttemptParts['backend'], reply: Reply, batch: BatchInfo): Verdict {
  if (reply.kind === 'failure') return { kind: 'retry', reason: reply.code, misconfigured: isLasting(reply.code) }
  let verdict: Verdict
  try {
    verdict = backend.judge(reply.answer, batch)
  } catch {
    // No answer may end the process. What a judge fails on is not a delivery.
    return { kind: 'retry', reason: 'unreadable_answer' }
  }
  if (verdict.kind !== 'retry' || verdict.after !== undefined) return verdict
  const after = retryAfter(reply.answer.headers['retry-after'], Date.now())
  return after === undefined ? verdict : { ...verdict, after }
}
