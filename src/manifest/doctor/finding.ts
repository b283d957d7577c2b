/** What a rule of the doctor says: where, what was found, what should stand there, and why, in one sentence each. */
import type { KeyPath } from '../../config/problem.ts'
import type { Platform } from '../../platform.ts'
import type { Patient } from './patient.ts'

/** `error`: lines are lost, or nothing works. `warning`: they are, when something else goes wrong. `hint`: could be better. */
export type Severity = 'error' | 'warning' | 'hint'

export interface Finding {
  readonly severity: Severity
  /** Within the pod. */
  readonly path: KeyPath
  readonly found: string
  readonly wanted: string
  readonly why: string
}

/** Looks at one thing of a pod with a shipper. */
export type Rule = (patient: Patient, facts: Facts) => Iterable<Finding>

/** What is known besides the manifest. */
export interface Facts {
  /** How long a drain was seen to take. */
  readonly drainSeconds: number | undefined
  /** Where the pods are to run, if it was said. */
  readonly platform?: Platform | undefined
}

/** Bytes or a plain number, as the API writes quantities (`128Mi`, `1G`, `500m`, `1e9`). */
export function quantity(value: unknown): number | undefined {
  const match = /^(\d+(?:\.\d*)?(?:[eE][+-]?\d+)?)([numkKMGTPE]?i?)$/.exec(String(value ?? ''))
  if (!match) return undefined
  const [, amount, unit] = match
  const scale = unit === '' ? 1 : unit === 'm' ? 1e-3 : unit === 'u' ? 1e-6 : unit === 'n' ? 1e-9 : undefined
  if (scale !== undefined) return Number(amount) * scale
  const power = 'kmgtpe'.indexOf(unit![0]!.toLowerCase()) + 1
  return Number(amount) * (unit!.endsWith('i') ? 1024 : 1000) ** power
}
