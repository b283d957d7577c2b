/**
 * The metrics page, in the Prometheus text format. Nothing is counted here: at each scrape the numbers are read, once,
 * from the ledger and the pipelines. So they cannot disagree with `/ledger`, and within one scrape they add up.
 *
 * Labels are bounded: names of sources and backends come from the configuration, reasons from fixed sets (and at most
 * 100 of them), and there are no paths. No counter goes back. What there is stands in `series/`.
 */
import type { Counter, Gauge, Metric, Registry } from 'prom-client'
import { LoopDelay, processState } from './measure.ts'
import { ACCOUNTS } from './series/accounts.ts'
import { BACKENDS } from './series/backends.ts'
import { PROCESS } from './series/process.ts'
import { type Labels, type Moment, PREFIX, type Series } from './series/series.ts'
import type { Subject } from './subject.ts'

const MAX_REASONS = 100
const DURATIONS = `${PREFIX}request_duration_seconds`
const SERIES = [...ACCOUNTS, ...BACKENDS, ...PROCESS]

const HISTOGRAM = {
  type: 'histogram',
  name: DURATIONS,
  help: 'Time from the first byte of a request to the end of its answer.',
  labels: ['backend'],
} as const

/** What each metric is, without its values: the reference is made of it. */
export const METRICS: readonly (Pick<Series, 'name' | 'help' | 'labels'> & { readonly type: string })[] = [
  ...SERIES,
  HISTOGRAM,
]

export class Metrics {
  readonly #subject: Subject
  readonly #delay: LoopDelay
  readonly #reasons = new Set<string>()
  #registry: Promise<Registry> | undefined
  /** Set by each scrape. */
  #now!: Moment

  /** `now`: monotonic milliseconds. */
  constructor(subject: Subject, now: () => number) {
    this.#subject = subject
    this.#delay = new LoopDelay(now)
  }

  async page(): Promise<{ type: string; body: string }> {
    // The library is loaded and the sampling begins at the first scrape: who never scrapes pays for neither.
    this.#registry ??= this.#register()
    const registry = await this.#registry
    // All of `collect` runs before `metrics` returns its promise: two scrapes at once do not mix.
    this.#now = this.#moment()
    return { type: registry.contentType, body: await registry.metrics() }
  }

  close(): void {
    this.#delay.stop()
  }

  #moment(): Moment {
    const files = { live: 0, rotated: 0, deleted: 0 }
    for (const { state } of this.#subject.files()) if (state !== 'closed') files[state]++
    return {
      ledger: this.#subject.ledger(),
      pipelines: this.#subject.pipelines(),
      health: this.#subject.health(),
      files,
      reloads: this.#subject.reloads(),
      process: processState(this.#delay),
    }
  }

  async #register(): Promise<Registry> {
    const { Counter, Gauge, Registry } = await import('prom-client')
    const registry = new Registry()
    this.#delay.start()
    for (const series of SERIES) this.#define(series, series.type === 'counter' ? Counter : Gauge, registry)
    this.#durations(registry)
    return registry
  }

  #define({ type, name, help, labels, rows }: Series, Kind: typeof Counter | typeof Gauge, registry: Registry): void {
    /** What a counter showed last, by labels. */
    let shown = new Map<string, number>()
    const metric: Counter | Gauge = new Kind({
      name,
      help,
      labelNames: [...labels],
      registers: [registry],
      collect: () => {
        metric.reset()
        // Without labels a reset leaves a 0, which would be a value that nobody read.
        if (labels.length === 0) metric.remove()
        const before = shown
        shown = new Map()
        for (const [sample, value] of rows(this.#now)) {
          const bounded = this.#bounded(sample)
          if (type === 'gauge') {
            metric.inc(bounded, value)
            continue
          }
          // What was in flight when the configuration changed is read again, and counts once: until then the counter
          // stands still, for one that goes back is taken for one that began anew.
          const key = JSON.stringify(sample)
          const most = Math.max(value, before.get(key) ?? 0)
          shown.set(key, most)
          metric.inc(bounded, most)
        }
      },
    })
  }

  /** The library's own histogram can only be fed, one request after the other; this one shows what was counted. */
  #durations(registry: Registry): void {
    const name = DURATIONS
    const get = async () => ({
      name,
      help: HISTOGRAM.help,
      type: HISTOGRAM.type,
      values: this.#now.pipelines.flatMap(({ backend, durations }) => {
        let count = 0
        const buckets = [...durations.bounds, '+Inf'].map((le, at) => {
          count += durations.counts[at] ?? 0
          return { labels: { le, backend }, value: count, metricName: `${name}_bucket` }
        })
        return [
          ...buckets,
          { labels: { backend }, value: durations.sum, metricName: `${name}_sum` },
          { labels: { backend }, value: count, metricName: `${name}_count` },
        ]
      }),
    })
    // All that the registry asks of a metric is its name and `get`.
    registry.registerMetric({ name, get } as unknown as Metric)
  }

  #bounded(labels: Labels): Labels {
    const { reason } = labels
    if (reason === undefined || this.#reasons.has(reason)) return labels
    if (this.#reasons.size >= MAX_REASONS) return { ...labels, reason: 'other' }
    this.#reasons.add(reason)
    return labels
  }
}
