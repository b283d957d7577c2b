/** The table of metrics, from what the metrics page is made of. */
import { METRICS } from '../../src/server/metrics.ts'

export function metrics(): string {
  const rows = METRICS.map(({ name, type, labels, help }) => {
    const keys = labels.map(label => `\`${label}\``).join(', ') || '–'
    return `| \`${name}\` | ${type} | ${keys} | ${help} |`
  })
  return ['| Metric | Type | Labels | Meaning |', '| --- | --- | --- | --- |', ...rows].join('\n')
}
