/**
 * A clock that can be handed in: what waits for minutes is tested in no time.
 */
export interface Clock {
  /** Monotonic milliseconds. */
  now(): number
  /** Calls `run` after `ms` milliseconds, once, unless the returned function is called before. Keeps no process alive. */
  after(ms: number, run: () => void): () => void
}

export const CLOCK: Clock = {
  now: () => performance.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, ms).unref()
    return () => clearTimeout(timer)
  },
}

/**
 * Milliseconds until a full second of the monotonic clock, half of one at the least: what is done once a second, by
 * whichever part, is done in one wake-up of the process.
 */
export function untilSecond(now = performance.now()): number {
  const rest = 1000 - (Math.floor(now) % 1000)
  return rest < 500 ? rest + 1000 : rest
}
