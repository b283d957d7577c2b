/**
 * Withheld: what of a directory matches and was not taken, for want of room. It is counted, not kept.
 *
 * Each listing of such a directory goes on behind the last name that the one before took, so that everything gets its
 * turn: a directory tells its names in the same order as long as they stay the same.
 */

export type Kind = 'files' | 'others' | 'directories'

interface Counts {
  files: number
  others: number
  directories: number
  /** The first path that was counted. */
  readonly example: string
}

/** Of one kind: places in the order of the directory, from where on it is the turn, how many are known, which was taken last. */
interface Turn {
  from: number
  met: number
  behindLast: number
  taken: number
  full: boolean
}

export class Withheld {
  /** Most of each kind that may be taken now. */
  readonly #most: number
  readonly #turns: Readonly<Record<Kind, Turn>>
  /** By the source's place. */
  readonly #counts = new Map<number, Counts>()

  /** `before`: what the listing before had to withhold. */
  constructor(before: Withheld | undefined, most: number) {
    this.#most = most
    const turn = (kind: Kind): Turn => ({
      from: before ? before.#next(kind) : 0,
      met: 0,
      behindLast: 0,
      taken: 0,
      full: false,
    })
    this.#turns = { files: turn('files'), others: turn('others'), directories: turn('directories') }
  }

  get some(): boolean {
    return this.#counts.size > 0
  }

  /** Something was passed over, and there was room for it. */
  get early(): boolean {
    return Object.values(this.#turns).some(({ from, full, taken }) => from > 0 && !full && taken < this.#most)
  }

  of(order: number): Readonly<Counts> | undefined {
    return this.#counts.get(order)
  }

  sum(kind: Kind): number {
    let sum = 0
    for (const counts of this.#counts.values()) sum += counts[kind]
    return sum
  }

  /** One is met that has been taken already. */
  pass(kind: Kind): void {
    this.#turns[kind].met++
  }

  /** Offers one. Returns whether it was taken: it may be its turn, and `take` may find room for it. */
  offer(kind: Kind, order: number, path: string, take: () => boolean): boolean {
    const turn = this.#turns[kind]
    const due = turn.met++ >= turn.from && turn.taken < this.#most
    if (due && take()) {
      turn.taken++
      turn.behindLast = turn.met
      return true
    }
    if (due) turn.full = true
    let counts = this.#counts.get(order)
    if (counts === undefined) {
      counts = { files: 0, others: 0, directories: 0, example: path }
      this.#counts.set(order, counts)
    }
    counts[kind]++
    return false
  }

  /** From where on it is the turn in the next listing. */
  #next(kind: Kind): number {
    const { from, met, behindLast, taken, full } = this.#turns[kind]
    // A turn that reached the end with room left begins anew.
    if (!full && taken < this.#most) return 0
    const next = taken > 0 ? behindLast : from
    return next < met ? next : 0
  }
}
