/** The dashboard of k8s/monitoring, and its queries as Grafana would send them. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from './render.ts'

export interface Target {
  readonly refId: string
  readonly expr: string
  readonly legendFormat: string
}

export interface Panel {
  readonly id: number
  readonly type: string
  readonly title: string
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number }
  readonly targets?: readonly Target[]
}

export interface Dashboard {
  readonly panels: readonly Panel[]
  readonly templating: { readonly list: readonly { readonly name: string; readonly definition?: string }[] }
}

export const DASHBOARD = join(ROOT, 'k8s/monitoring/dashboard.json')

export function dashboard(): Dashboard {
  return JSON.parse(readFileSync(DASHBOARD, 'utf8'))
}

/** With everything selected. `range`: what Grafana would choose for `rate`. */
export function filledIn(expression: string, range = '5m'): string {
  return expression
    .replaceAll('$__rate_interval', range)
    .replaceAll('$__range', range)
    .replaceAll(/\$(namespace|pod|backend)\b/g, '.*')
}

/** Every query, by the panel that it is in. */
export function queries(): { readonly at: string; readonly expr: string }[] {
  return dashboard().panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ refId, expr }) => ({ at: `${title} ${refId}`, expr: filledIn(expr) })),
  )
}
