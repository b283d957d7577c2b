/** What the system tells of our own process. Nothing here throws; what is not told is absent. */
import { readdirSync, readFileSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Delays, ProcessState } from './series/series.ts'

/** How often the delay of the event loop is sampled, and how long a delay is shown at the least: milliseconds. */
const RESOLUTION = 50
const WINDOW = 60_000
/** The last of them is the longest delay. */
const QUANTILES = [0.5, 0.9, 0.99, 1] as const

/**
 * Delays of the event loop. The quantiles are of the last one to two minutes: every scraper, however many there are, sees
 * a stall that was less than a minute ago.
 */
export class LoopDelay {
  readonly #now: () => number
  readonly #samples = monitorEventLoopDelay({ resolution: RESOLUTION })
  #began = 0
  /** Of the window before. */
  #before: readonly number[] = QUANTILES.map(() => 0)
  /** Of all windows before. */
  #sum = 0
  #count = 0

  /** `now`: monotonic milliseconds. */
  constructor(now: () => number) {
    this.#now = now
  }

  start(): void {
    this.#began = this.#now()
    this.#samples.enable()
  }

  stop(): void {
    this.#samples.disable()
  }

  get delays(): Delays {
    const samples = this.#samples
    const { count } = samples
    const present = QUANTILES.map(quantile => (count === 0 ? 0 : delay(samples.percentile(quantile * 100))))
    const sum = count === 0 ? 0 : delay(samples.mean) * count
    const delays = {
      quantiles: QUANTILES.map((quantile, at) => [quantile, Math.max(present[at]!, this.#before[at]!)] as const),
      sum: this.#sum + sum,
      count: this.#count + count,
    }
    if (this.#now() - this.#began >= WINDOW) {
      this.#before = present
      this.#began = this.#now()
      this.#sum = delays.sum
      this.#count = delays.count
      samples.reset()
    }
    return delays
  }
}

/** Seconds. What is sampled is the time between two ticks in nanoseconds, and each is due one resolution after the other. */
function delay(sample: number): number {
  return Math.max(0, sample / 1e9 - RESOLUTION / 1000)
}

const startedAt = Date.now() / 1000 - process.uptime()

export function processState(delay: LoopDelay): ProcessState {
  const { user, system } = process.cpuUsage()
  return {
    cpu: (user + system) / 1e6,
    startedAt,
    loopDelay: delay.delays,
    resident: process.memoryUsage.rss(),
    fds: told(() => readdirSync('/proc/self/fd').length),
    maxFds: told(() => Number(/^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1])),
  }
}

function told(read: () => number): number | undefined {
  try {
    const value = read()
    return Number.isNaN(value) ? undefined : value
  } catch {
    return undefined
  }
}
