/** Why records stand apart from those of their file. */
import type { Verdict } from '../../backends/backend.ts'
import { TOO_LARGE } from '../outcome/settlement.ts'
import type { Failing } from '../outcome/verdicts.ts'

/** Why records stand apart: they were refused alone (`byName`: among others), or they fail for themselves. */
export type RecordFailure =
  | { readonly kind: 'refused'; readonly reason: string; readonly status: number | undefined; readonly byName: boolean }
  | {
      readonly kind: 'failing'
      readonly reason: string
      readonly byName: boolean
      /** The reason under which they may be given up. */
      readonly rejectAs: string | undefined
    }

/** Why a record stands apart that was refused alone, or seems to fail for itself. */
export function failureOf(
  verdict: Extract<Verdict, { kind: 'split' | 'bisect' }> | Failing,
  status: number | undefined,
): RecordFailure {
  switch (verdict.kind) {
    case 'split':
      return { kind: 'refused', reason: TOO_LARGE, status, byName: false }
    case 'bisect':
      return { kind: 'refused', reason: verdict.reason, status, byName: false }
    case 'failing':
      return { kind: 'failing', reason: verdict.reason, byName: false, rejectAs: verdict.rejectAs }
  }
}
