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
import type { Labels, Scrape, Series } from './series/series.ts'
import type { ShipperView } from './shipper-view.ts'

/** Of one metric. */
const MAX_REASONS = 100
const SERIES: readonly Series[] = [...ACCOUNTS, ...BACKENDS, ...PROCESS]

/** What each metric is, without its values: the reference is made of it. */
export const METRICS: readonly Pick<Series, 'name' | 'type' | 'help' | 'labels'>[] = SERIES
/** The names of all metrics. */
export const NAMES: readonly string[] = SERIES.map(({ name }) => name)

export class Metrics {
  readonly #shipper: ShipperView
  readonly #delay: LoopDelay
  /** By metric. */
  readonly #reasons = new Map<string, Set<string>>()
  #registry: Promise<Registry> | undefined
  /** Set by each scrape. */
  #now!: Scrape

  /** `now`: monotonic milliseconds. */
  constructor(shipper: ShipperView, now: () => number) {
    this.#shipper = shipper
    this.#delay = new LoopDelay(now)
  }

  async page(): Promise<{ type: string; body: string }> {
    // The library is loaded and the sampling begins at the first scrape: without a scrape neither costs anything.
    this.#registry ??= this.#register()
    const registry = await this.#registry
    // All of `collect` runs before `metrics` returns its promise: two scrapes at once do not mix.
    this.#now = { ...this.#shipper.snapshot(), process: processState(this.#delay) }
    return { type: registry.contentType, body: await registry.metrics() }
  }

  close(): void {
    this.#delay.stop()
  }

  async #register(): Promise<Registry> {
    const { Counter, Gauge, Registry } = await import('prom-client')
    const registry = new Registry()
    this.#delay.start()
    for (const series of SERIES) {
      if (series.type === 'counter') this.#define(series, Counter, registry)
      else if (series.type === 'gauge') this.#define(series, Gauge, registry)
      else this.#show(series, registry)
    }
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
        // Without labels a reset leaves a 0, which would be a value that was never read.
        if (labels.length === 0) metric.remove()
        const before = shown
        shown = new Map()
        for (const [sample, value] of rows(this.#now)) {
          const bounded = this.#bounded(name, sample)
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

  /** The library's own histograms and summaries can only be fed, one value after the other; these show what was counted. */
  #show({ type, name, help, rows }: Series, registry: Registry): void {
    const get = async () => ({
      name,
      help,
      type,
      values: [...rows(this.#now)].map(([labels, value, suffix = '']) => ({
        labels,
        value,
        metricName: `${name}${suffix}`,
      })),
    })
    // All that the registry asks of a metric is its name and `get`.
    registry.registerMetric({ name, get } as unknown as Metric)
  }

  #bounded(name: string, labels: Labels): Labels {
    const { reason } = labels
    if (reason === undefined) return labels
    const known = this.#reasons.get(name) ?? new Set()
    this.#reasons.set(name, known)
    if (known.has(reason)) return labels
    if (known.size >= MAX_REASONS) return { ...labels, reason: 'other' }
    known.add(reason)
    return labels
  }
}
