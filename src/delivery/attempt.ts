/**
 * One attempt: a request goes out once, and what comes back is judged and counted.
 *
 * Guarantees: it never rejects. Whatever comes is a verdict, and so is no answer; a judge that fails on an answer costs
 * time and nothing else.
 */
import type { Backend, BatchInfo, Verdict } from '../backends/backend.ts'
import type { DeliveryStats } from './outcome/stats.ts'
import { retryAfter } from './retry.ts'
import { type HttpRequest, isLasting, type Reply, type Transport } from './transport/transport.ts'

export interface AttemptParts {
  readonly backend: Pick<Backend, 'judge'>
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
  const reply = await transport.send(request)
  if (reply.kind === 'failure' && stopped()) return undefined
  const verdict = judged(backend, reply, batch)
  const status = reply.kind === 'answer' ? reply.answer.status : undefined
  stats.request(status, verdict.kind, (performance.now() - before) / 1000, request.body.length)
  return { verdict, status }
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
