/** The alerts of k8s/monitoring, as the operator would hand them to Prometheus, and as tests need them. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse, stringify } from 'yaml'
import { ROOT } from './render.ts'

export interface Alert {
  readonly alert: string
  readonly expr: string
  readonly for: string
  readonly labels: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
}

interface Groups {
  readonly groups: readonly { readonly name: string; readonly rules: readonly Alert[] }[]
}

export const RULES = join(ROOT, 'k8s/monitoring/rules.yaml')

/** The whole resource. */
export function resource(): { readonly spec: Groups } & Readonly<Record<string, unknown>> {
  return parse(readFileSync(RULES, 'utf8'))
}

export function alerts(): readonly Alert[] {
  return resource().spec.groups.flatMap(({ rules }) => rules)
}

/** A rule file in which each alert is what `change` makes of it. */
export function ruleFile(change: (alert: Alert) => Alert = alert => alert): string {
  const { groups } = resource().spec
  return stringify({ groups: groups.map(({ name, rules }) => ({ name, rules: rules.map(change) })) })
}
