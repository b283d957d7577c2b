/**
 * The time that the shipper had: milliseconds, without those in which its threads waited for a processor.
 *
 * What it must have seen, or saved, by now depends on how long it could run, and on a machine with more to do than
 * processors that is a small part of the time that passes. The kernel counts the waiting (schedstats), so the model need
 * not guess. On an idle machine both times are the same, and nothing is asked less strictly.
 */
export class ProcessTime {
  /** By the monotonic clock: the time that it had had by then. */
  readonly #samples = [{ at: 0, had: 0, waited: 0 }]

  /** `waited`: what its threads have waited for a processor in all; the monotonic clock says `at`. */
  sample(at: number, waited: number): void {
    const last = this.#samples.at(-1)!
    // Several threads may wait at once: then it counts as held up by each of them.
    const had = Math.max(0, at - last.at - Math.max(0, waited - last.waited))
    this.#samples.push({ at, had: last.had + had, waited: Math.max(waited, last.waited) })
  }

  /** What it had from one moment to another; what was not sampled yet counts as had. */
  between(from: number, to: number): number {
    return from < to ? this.#hadBy(to) - this.#hadBy(from) : 0
  }

  /** The last moment from which on it had so much until `to`. */
  before(to: number, much: number): number {
    const wanted = this.#hadBy(to) - much
    if (wanted <= 0) return wanted
    const n = this.#samples.findLastIndex(({ had }) => had <= wanted)
    const { at, had } = this.#samples[n]!
    const next = this.#samples[n + 1]
    if (next === undefined) return at + wanted - had
    return at + ((wanted - had) / (next.had - had)) * (next.at - at)
  }

  #hadBy(at: number): number {
    const n = this.#samples.findLastIndex(sample => sample.at <= at)
    if (n < 0) return at
    const sample = this.#samples[n]!
    const next = this.#samples[n + 1]
    if (next === undefined) return sample.had + at - sample.at
    return sample.had + ((at - sample.at) / (next.at - sample.at)) * (next.had - sample.had)
  }
}
