/**
 * The metrics, in the Prometheus text format. Nothing is counted here: at each scrape the numbers are read, once, from
 * the ledger and the pipelines. So they cannot disagree with `/ledger`, and within one scrape they add up.
 *
 * Labels are bounded: names of sources and backends come from the configuration, reasons from fixed sets (and at most
 * 100 of them), and there are no paths.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Counter, Gauge, Metric, Registry } from 'prom-client'
import type { Tally } from '../ledger.ts'
import type { Subject, VolumeHealth } from './subject.ts'

const PREFIX = 'logshipper_'
const MAX_REASONS = 100
const NANO = 1e9
/** How often the delay of the event loop is sampled, in milliseconds. */
const RESOLUTION = 50

type Labels = Record<string, string>
/** One value of a metric. */
type Sample = readonly [labels: Labels, value: number]

/** What one scrape shows. */
function moment(subject: Subject) {
  const files = { live: 0, rotated: 0, deleted: 0, closed: 0 }
  for (const { state } of subject.files()) files[state]++
  return { ledger: subject.ledger(), pipelines: subject.pipelines(), health: subject.health(), files }
}

export class Metrics {
  readonly #subject: Subject
  readonly #delay = monitorEventLoopDelay({ resolution: RESOLUTION })
  readonly #reasons = new Set<string>()
  #registry: Promise<Registry> | undefined
  /** Set by each scrape. */
  #now!: ReturnType<typeof moment>

  constructor(subject: Subject) {
    this.#subject = subject
  }

  async page(): Promise<{ type: string; body: string }> {
    // The library is loaded and the sampling begins at the first scrape: who never scrapes pays for neither.
    this.#registry ??= this.#register()
    const registry = await this.#registry
    // All of `collect` runs before `metrics` returns its promise: two scrapes at once do not mix.
    this.#now = moment(this.#subject)
    return { type: registry.contentType, body: await registry.metrics() }
  }

  close(): void {
    this.#delay.disable()
  }

  async #register(): Promise<Registry> {
    const { Counter, Gauge, Registry } = await import('prom-client')
    const registry = new Registry()
    this.#delay.enable()
    const define = (
      Kind: typeof Counter | typeof Gauge,
      name: string,
      help: string,
      labelNames: readonly string[],
      read: () => Iterable<Sample>,
    ): void => {
      /** What a counter showed last, by labels. */
      let shown = new Map<string, number>()
      const metric: Counter | Gauge = new Kind({
        // What every process has carries the name that dashboards know.
        name: name.startsWith('process_') ? name : PREFIX + name,
        help,
        labelNames: [...labelNames],
        registers: [registry],
        collect: () => {
          metric.reset()
          // Without labels a reset leaves a 0, which would be a value that nobody read.
          if (labelNames.length === 0) metric.remove()
          const before = shown
          shown = new Map()
          for (const [labels, value] of read()) {
            if (Kind === Gauge) {
              metric.inc(labels, value)
              continue
            }
            // What was in flight when the configuration changed is read again, and counts once: until then the counter
            // stands still, for one that goes back is taken for one that began anew.
            const key = JSON.stringify(labels)
            const most = Math.max(value, before.get(key) ?? 0)
            shown.set(key, most)
            metric.inc(labels, most)
          }
        },
      })
    }
    const counter = (name: string, help: string, labels: readonly string[], read: () => Iterable<Sample>) =>
      define(Counter, name, help, labels, read)
    const gauge = (name: string, help: string, labels: readonly string[], read: () => Iterable<Sample>) =>
      define(Gauge, name, help, labels, read)

    const ledger = (value: (line: ReturnType<Subject['ledger']>[number]) => number) => () =>
      this.#now.ledger.map(line => [{ source: line.source, backend: line.backend }, value(line)] as const)
    const both = ['source', 'backend']
    counter(
      'read_lines_total',
      'Lines read from files.',
      both,
      ledger(({ statement }) => statement.read.lines),
    )
    counter(
      'read_bytes_total',
      'Bytes read from files.',
      both,
      ledger(({ statement }) => statement.read.bytes),
    )
    counter(
      'delivered_lines_total',
      'Lines acknowledged by the backend.',
      both,
      ledger(({ statement }) => statement.delivered.lines),
    )
    counter(
      'delivered_bytes_total',
      'Bytes of acknowledged lines.',
      both,
      ledger(({ statement }) => statement.delivered.bytes),
    )
    gauge(
      'in_flight_lines',
      'Lines read and not settled.',
      both,
      ledger(({ statement }) => statement.inFlight.lines),
    )
    gauge(
      'in_flight_bytes',
      'Bytes read and not settled.',
      both,
      ledger(({ statement }) => statement.inFlight.bytes),
    )
    counter(
      'vanished_bytes_total',
      'Bytes truncated or deleted before they could be read.',
      both,
      ledger(({ statement }) => statement.vanishedBytes),
    )
    counter(
      'truncated_lines_total',
      'Lines cut to a size limit.',
      both,
      ledger(({ statement }) => statement.truncatedLines),
    )
    counter(
      'repaired_sequences_total',
      'Invalid UTF-8 sequences replaced.',
      both,
      ledger(({ statement }) => statement.repairedSequences),
    )
    counter(
      'generations_total',
      'Generations of files begun.',
      both,
      ledger(({ statement }) => statement.generations),
    )
    for (const kind of ['rejected', 'dropped'] as const) {
      const what = kind === 'rejected' ? 'refused by the backend' : 'dropped by a policy'
      const rows = (unit: keyof Tally) => () =>
        this.#now.ledger.flatMap(({ source, backend, statement }) =>
          Object.entries(statement[kind]).map(
            ([reason, tally]) => [{ source, backend, reason: this.#bounded(reason) }, tally[unit]] as const,
          ),
        )
      counter(`${kind}_lines_total`, `Lines ${what}, by reason.`, [...both, 'reason'], rows('lines'))
      counter(`${kind}_bytes_total`, `Bytes of lines ${what}, by reason.`, [...both, 'reason'], rows('bytes'))
    }

    type Pipeline = ReturnType<Subject['pipelines']>[number]
    const pipeline = (value: (status: Pipeline) => number) => () =>
      this.#now.pipelines.map(status => [{ backend: status.backend }, value(status)] as const)
    const lag = (value: (row: Pipeline['lag'][number]) => number) => () =>
      this.#now.pipelines.flatMap(({ backend, lag }) =>
        lag.map(row => [{ source: row.source, backend }, value(row)] as const),
      )
    gauge(
      'lag_bytes',
      'Bytes on the volume that are not acknowledged.',
      both,
      lag(({ bytes }) => bytes),
    )
    gauge(
      'in_flight_seconds',
      'How long ago the oldest line in flight was read.',
      both,
      lag(({ inFlightSeconds }) => inFlightSeconds),
    )
    gauge(
      'lag_seconds',
      'Age of the first byte on the volume that is not acknowledged, an estimate; 0 when all are.',
      both,
      lag(({ seconds }) => seconds),
    )
    const backend = ['backend']
    gauge(
      'backend_up',
      'Whether the last request to the backend succeeded.',
      backend,
      pipeline(({ up }) => Number(up)),
    )
    gauge(
      'batches_in_flight',
      'Payloads under way or waiting to be sent again.',
      backend,
      pipeline(({ batchesInFlight }) => batchesInFlight),
    )
    gauge(
      'budget_bytes',
      'Bytes that may be in flight.',
      backend,
      pipeline(({ budget }) => budget.total),
    )
    gauge(
      'budget_used_bytes',
      'Bytes of the budget in use.',
      backend,
      pipeline(({ budget }) => budget.used),
    )
    gauge(
      'budget_peak_bytes',
      'Most bytes of the budget ever in use.',
      backend,
      pipeline(({ budget }) => budget.peak),
    )
    const dead = (value: (letters: NonNullable<Pipeline['deadLetters']>) => number) => () =>
      this.#now.pipelines.flatMap(({ backend, deadLetters }) =>
        deadLetters ? [[{ backend }, value(deadLetters)] as const] : [],
      )
    counter(
      'dead_letter_records_total',
      'Rejected records that were kept for a replay.',
      backend,
      dead(({ written }) => written),
    )
    counter(
      'dead_letter_omitted_total',
      'Rejected records that were not kept: no room, or the file cannot be written.',
      backend,
      dead(({ omitted }) => omitted),
    )
    gauge(
      'dead_letter_bytes',
      'Bytes of the dead-letter file.',
      backend,
      dead(({ bytes }) => bytes),
    )
    counter(
      'payload_bytes_total',
      'Bytes of delivered payloads before compression.',
      backend,
      pipeline(({ payloadBytes }) => payloadBytes),
    )
    counter(
      'wire_bytes_total',
      'Bytes of delivered payloads as sent.',
      backend,
      pipeline(({ wireBytes }) => wireBytes),
    )
    counter('requests_total', 'Requests by class of status and verdict.', [...backend, 'status', 'verdict'], () =>
      this.#now.pipelines.flatMap(({ backend, requests }) =>
        requests.map(({ status, verdict, count }) => [{ backend, status, verdict }, count] as const),
      ),
    )
    counter('retries_total', 'Attempts that had to be repeated, by reason.', [...backend, 'reason'], () =>
      this.#now.pipelines.flatMap(({ backend, retries }) =>
        Object.entries(retries).map(([reason, count]) => [{ backend, reason: this.#bounded(reason) }, count] as const),
      ),
    )
    this.#durations(registry)

    gauge('files', 'Open files by state.', ['state'], () => {
      return Object.entries(this.#now.files).map(([state, count]) => [{ state }, count] as const)
    })
    gauge('refused_paths', 'Paths that match and are not followed.', ['source'], () =>
      this.#now.health.sources.map(
        ({ name, refused }) => [{ source: name }, Object.values(refused).reduce((a, b) => a + b, 0)] as const,
      ),
    )
    gauge('state_writable', 'Whether positions can be saved; 0 too when nothing is saved by configuration.', [], () => [
      [{}, Number(this.#now.health.state.kind === 'saved')],
    ])
    counter('config_reloads_total', 'Changes of the configuration, by what came of them.', ['result'], () =>
      Object.entries(this.#subject.reloads()).map(([result, count]) => [{ result }, count] as const),
    )
    gauge('config_valid', 'Whether what stands in the configuration file is what runs.', [], () => [
      [{}, Number(this.#now.health.configuration.kind === 'current')],
    ])
    gauge('held_bytes', 'Bytes of deleted files that are kept because they are not acknowledged.', [], () => [
      [{}, this.#now.health.heldBytes],
    ])
    gauge('memory_limit_bytes', 'Memory that the container may have; absent without a limit.', [], () => {
      const { limit } = this.#now.health.memory
      return limit === null ? [] : [[{}, limit]]
    })
    const volume = (value: (volume: VolumeHealth) => number | null) => () => {
      const { volume } = this.#now.health
      const known = volume && value(volume)
      return known === null ? [] : [[{}, known] as const]
    }
    gauge(
      'volume_bytes',
      'Bytes on the volume that holds the logs, if its limit is configured.',
      [],
      volume(({ bytes }) => bytes),
    )
    gauge(
      'volume_limit_bytes',
      'Bytes at which the pod is evicted.',
      [],
      volume(({ limit }) => limit),
    )
    gauge(
      'volume_seconds_left',
      'Seconds until the volume is full at the rate of the last minutes; absent while it does not grow.',
      [],
      volume(({ secondsLeft }) => secondsLeft),
    )
    gauge('previous_unclean', 'Whether the process before this one ended without saying so.', [], () => [
      [{}, Number(this.#now.health.previous.kind === 'unclean')],
    ])
    gauge('previous_unsettled_bytes', 'Bytes that it had not seen acknowledged, as far as it saved that.', [], () => [
      [{}, this.#now.health.previous.unsettledBytes],
    ])
    gauge('watch_events', 'Whether watch events bring looks forward; polling goes on either way.', [], () => [
      [{}, Number(this.#now.health.watch.mode === 'events')],
    ])
    gauge('event_loop_delay_seconds', 'Delay of the event loop since the last scrape.', ['percentile'], () => {
      // What is sampled is the time between two ticks, and each is due one resolution after the other.
      const late = (p: number) => Math.max(0, this.#delay.percentile(p) / NANO - RESOLUTION / 1000)
      const samples = [50, 99, 100].map((p): Sample => [{ percentile: String(p) }, late(p)])
      this.#delay.reset()
      return samples
    })
    gauge('build_info', 'The version that runs.', ['version'], () => [[{ version: this.#now.health.version }, 1]])
    counter('process_cpu_seconds_total', 'CPU time of the process.', [], () => {
      const { user, system } = process.cpuUsage()
      return [[{}, (user + system) / 1e6]]
    })
    gauge('process_resident_memory_bytes', 'Resident memory, clean pages of the executable included.', [], () => [
      [{}, process.memoryUsage.rss()],
    ])
    gauge('process_anonymous_memory_bytes', 'Resident memory that is the process’s own.', [], () => [
      [{}, this.#now.health.memory.anonymous ?? 0],
    ])
    return registry
  }

  /** The library's own histogram can only be fed, one request after the other; this one shows what was counted. */
  #durations(registry: Registry): void {
    const name = `${PREFIX}request_duration_seconds`
    const get = async () => ({
      name,
      help: 'Time from the first byte of a request to the end of its answer.',
      type: 'histogram',
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

  #bounded(reason: string): string {
    if (this.#reasons.has(reason)) return reason
    if (this.#reasons.size >= MAX_REASONS) return 'other'
    this.#reasons.add(reason)
    return reason
  }
}
