/**
 * Effort: what a piece of work cost, in milliseconds, to decide how soon it may be done again.
 *
 * It is the CPU time of our thread, for on a busy machine the clock says more than we took. But while a slow disk is
 * waited for nothing else is done either, so a part of that counts too.
 */

/** So many milliseconds of waiting count as one. */
const WAITED = 4

/** What is done again and again takes a twentieth of a core; where that would make it rare, a tenth. */
const REST = 19
const SHORT_REST = 9
/** Milliseconds that it may be apart without being rare, and those that it is apart at the most. */
const RARE = 1000
const LONGEST = 10_000

/** For how long after a piece of work it is not done again: milliseconds. */
export function restAfter(effort: number): number {
  return Math.min(LONGEST, REST * effort, Math.max(RARE, SHORT_REST * effort))
}

export class Effort {
  #spent = 0
  #cpu = 0
  #wall = 0

  /** Begins, or goes on after `pause`. */
  begin(): this {
    this.#cpu = cpuTime()
    this.#wall = performance.now()
    return this
  }

  pause(): void {
    this.#spent = this.total
    this.begin()
  }

  /** Of all that was done between `begin` and `pause`, and since the last `begin`. */
  get total(): number {
    return this.#spent + Math.max(cpuTime() - this.#cpu, (performance.now() - this.#wall) / WAITED)
  }
}

/** Milliseconds. Older releases of Node tell it of all threads only. */
function cpuTime(): number {
  const { user, system } = process.threadCpuUsage?.() ?? process.cpuUsage()
  return (user + system) / 1000
}
