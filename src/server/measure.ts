/** What the system tells of our own process. Nothing here throws; what is not told is absent. */
import { readdirSync, readFileSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { ProcessState } from './series/series.ts'

/** How often the delay of the event loop is sampled, and how long a delay is shown at the least: milliseconds. */
const RESOLUTION = 50
const WINDOW = 60_000

/**
 * The longest delay of the event loop in the last one to two minutes: whoever looks, and however many do, each sees a stall
 * that was less than a minute ago.
 */
export class LoopDelay {
  readonly #now: () => number
  readonly #samples = monitorEventLoopDelay({ resolution: RESOLUTION })
  #began = 0
  #before = 0

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

  /** Seconds. */
  get longest(): number {
    // What is sampled is the time between two ticks, and each is due one resolution after the other.
    const present = Math.max(0, this.#samples.max / 1e9 - RESOLUTION / 1000)
    const longest = Math.max(present, this.#before)
    if (this.#now() - this.#began >= WINDOW) {
      this.#before = present
      this.#began = this.#now()
      this.#samples.reset()
    }
    return longest
  }
}

const startedAt = Date.now() / 1000 - process.uptime()

export function processState(delay: LoopDelay): ProcessState {
  const { user, system } = process.cpuUsage()
  return {
    cpu: (user + system) / 1e6,
    startedAt,
    loopDelay: delay.longest,
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
