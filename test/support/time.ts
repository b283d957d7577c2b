/**
 * Time that passes when a test says so: timers, `performance.now` and the date. Everything else, sockets too, goes on
 * as it does; so a test that waits for an order of events does not depend on how busy the machine is.
 */
import { mock } from 'node:test'
import type { Test } from 'tap'

export class Time {
  #passed = 0

  /** From now on, until the test ends. */
  static stop(t: Test): Time {
    const time = new Time()
    const began = performance.now()
    mock.timers.enable({ apis: ['setTimeout', 'Date'], now: Date.now() })
    t.teardown(() => mock.timers.reset())
    t.intercept(performance, 'now', { value: () => began + time.#passed })
    return time
  }

  /** Milliseconds, one after the other: what a timer sets off may set the next one. */
  async pass(ms: number): Promise<void> {
    for (let n = 0; n < ms; n++) {
      this.#passed++
      mock.timers.tick(1)
      await new Promise(setImmediate)
    }
  }
}
