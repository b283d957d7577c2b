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
