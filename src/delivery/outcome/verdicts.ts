/**
 * What a request came to: the verdicts of backends, one of delivery's own, and what follows from any of them.
 */
import type { Verdict } from '../../backends/backend.ts'

/**
 * A fault of these records, as far as is known, that may pass. `rejectAs`: under which reason they may be given up.
 * `within`: said inside of a success, in which others would have had answers of their own.
 */
export interface Failing {
  readonly kind: 'failing'
  readonly within: boolean
  readonly reason: string
  readonly detail?: string | undefined
  readonly rejectAs?: string | undefined
}

/** The same request is sent again, after a wait. */
export type RetryableFailure = Extract<Verdict, { kind: 'retry' | 'unauthorized' }>

/** The request is sent no more, as it is. */
export type Conclusion = Exclude<Verdict, RetryableFailure> | Failing

/** What a backend says of what it does not take. */
export interface Refusal {
  readonly reason: string
  readonly detail?: string | undefined
}

export function isRetryable(verdict: RetryableFailure | Conclusion): verdict is RetryableFailure {
  return verdict.kind === 'retry' || verdict.kind === 'unauthorized'
}

/** Whether something of a request of so many records was accepted. */
export function isAccepted(conclusion: Conclusion, records: number): boolean {
  switch (conclusion.kind) {
    case 'delivered':
    case 'pending':
      return true
    case 'counted':
      return conclusion.rejected < records
    case 'items': {
      const { rejected, retry, unread = [] } = conclusion
      return rejected.length + retry.length + unread.length < records
    }
    case 'rejected':
    case 'bisect':
    case 'split':
    case 'failing':
      return false
  }
}

/** Whether nothing of it was accepted, and it is not settled for that: its records are to be tried in another way. */
export function isRefused(conclusion: Conclusion, records: number): boolean {
  return conclusion.kind !== 'rejected' && conclusion.kind !== 'counted' && !isAccepted(conclusion, records)
}

/** What was said of what was not accepted. */
export function refusalOf(conclusion: Conclusion): Refusal {
  switch (conclusion.kind) {
    case 'items':
      return conclusion.rejected[0] ?? conclusion.retry[0] ?? { reason: 'refused' }
    case 'delivered':
    case 'pending':
      return { reason: 'refused' }
    default:
      return conclusion
  }
}
