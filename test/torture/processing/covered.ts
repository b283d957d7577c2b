/** A set of offsets, as stretches that neither overlap nor touch, in order. */
export class Covered {
  readonly #from: number[] = []
  readonly #to: number[] = []

  /** Adds [from, to); says how many bytes of it were not there, and where the first of those is. */
  add(from: number, to: number): { bytes: number; first: number } {
    const gaps = this.missing(from, to)
    const bytes = gaps.reduce((sum, gap) => sum + gap.to - gap.from, 0)
    if (bytes === 0) return { bytes, first: to }
    let at = 0
    while (at < this.#from.length && this.#to[at]! < from) at++
    let [low, high] = [from, to]
    let count = 0
    while (at + count < this.#from.length && this.#from[at + count]! <= to) {
      low = Math.min(low, this.#from[at + count]!)
      high = Math.max(high, this.#to[at + count]!)
      count++
    }
    this.#from.splice(at, count, low)
    this.#to.splice(at, count, high)
    return { bytes, first: gaps[0]!.from }
  }

  /** Takes [from, to) out; says how many bytes of it were there. */
  remove(from: number, to: number): number {
    let bytes = 0
    for (let n = this.#from.length - 1; n >= 0; n--) {
      const [low, high] = [this.#from[n]!, this.#to[n]!]
      const [first, last] = [Math.max(low, from), Math.min(high, to)]
      if (first >= last) continue
      bytes += last - first
      const rest = [
        [low, first],
        [last, high],
      ].filter(([begin, end]) => begin! < end!)
      this.#from.splice(n, 1, ...rest.map(([begin]) => begin!))
      this.#to.splice(n, 1, ...rest.map(([, end]) => end!))
    }
    return bytes
  }

  /** What of [from, to) is not there. */
  missing(from: number, to: number): { from: number; to: number }[] {
    const gaps: { from: number; to: number }[] = []
    let at = from
    for (let n = 0; n < this.#from.length && at < to; n++) {
      if (this.#to[n]! <= at) continue
      if (this.#from[n]! > at) gaps.push({ from: at, to: Math.min(to, this.#from[n]!) })
      at = Math.max(at, this.#to[n]!)
    }
    if (at < to) gaps.push({ from: at, to })
    return gaps
  }

  /** How many there are. */
  get size(): number {
    return this.#from.reduce((sum, from, n) => sum + this.#to[n]! - from, 0)
  }

  get end(): number {
    return this.#to.at(-1) ?? 0
  }
}
