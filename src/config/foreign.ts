/**
 * Whether a text is the configuration of another shipper: what people have at hand when they come over, and give to
 * `validate` or `run` as it is. A look at how its lines begin; nothing is parsed.
 *
 * Guarantees: a configuration of ours that is valid is never taken for another's, for nothing asks of one that is.
 */
import type { Problem } from './problem.ts'

export const PEERS = ['fluent-bit', 'promtail', 'alloy', 'filebeat', 'vector'] as const
export type Peer = (typeof PEERS)[number]

/** How each is known; the first that fits. */
const SIGNS: readonly (readonly [Peer, RegExp])[] = [
  ['fluent-bit', /^\s*\[(SERVICE|INPUT|OUTPUT|FILTER|PARSER|MULTILINE_PARSER)\]\s*$/im],
  ['fluent-bit', /^\s*["']?pipeline["']?:\s*\n(?:\s*#.*\n|\s*\n)*\s+(inputs|filters|outputs):/m],
  ['alloy', /^\s*(loki|local|discovery|otelcol|prometheus)\.[\w.]+(\s+"[^"]*")?\s*\{/m],
  ['vector', /^\s*\[(sources|transforms|sinks)\.["']?[\w-]+["']?\]\s*$/m],
  ['promtail', /^\s*["']?(scrape_configs|clients)["']?:\s*$/m],
  ['filebeat', /^\s*["']?(filebeat\.(inputs|prospectors|autodiscover|config|modules)[\w.]*|filebeat)["']?:/m],
  ['vector', /^\s*["']?(sinks|transforms)["']?:\s*\n(?:\s*#.*\n|\s*\n)*\s+["']?[\w-]+["']?:/m],
  ['vector', /^\s*\{[\s\S]*"sources"\s*:\s*\{[\s\S]*"sinks"\s*:\s*\{/],
]

export function looksLike(text: string): Peer | undefined {
  return SIGNS.find(([, sign]) => sign.test(text))?.[0]
}

/** What is wrong with a file that is another shipper's. */
export function foreign(file: string, text: string): Problem | undefined {
  const peer = looksLike(text)
  if (peer === undefined) return undefined
  const hint = `logshipper convert --from ${peer} ${file} prints one`
  return { file, key: '', found: `a configuration of ${peer}`, allowed: 'a configuration of logshipper', hint }
}
