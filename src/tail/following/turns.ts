/**
 * Turns: in which order looks at files are decided upon.
 *
 * What stands in a file may have to be compared with what others hold. Those are looked at before and after the
 * comparison: what had happened to them in between is decided first, and then the file has its turn again with what was
 * seen of it, if it is still what it was. So a decision always stands on facts of one moment, nothing is decided within
 * a decision, and whether a file is still followed is asked in one place.
 *
 * Guarantees: what is seen of a file is decided upon exactly once, unless it stopped being what it was; a file that
 * waits for its turn is not looked at again; turns end, also if the others change with every look, and before that if
 * they take too long: then those that are left are postponed, with what was seen.
 */

/** A file that has to be looked at to decide about another one; `compare`: and to be compared with it. */
export interface Related<File> {
  readonly file: File
  readonly compare: boolean
}

export interface Steps<File, Seen> {
  /** What is followed in the file now: once it is something else, what was seen of it is void. `undefined`: nothing. */
  identity(file: File): unknown
  /** Looks at the file. What it returns is returned once. */
  observe(file: File): Seen
  /** Whether it has to be decided upon before anything that was seen of others. */
  isDecisive(file: File, seen: Seen): boolean
  /** What has to be looked at before it can be decided, in that order. */
  related(file: File, seen: Seen): readonly Related<File>[]
  /** Whether what stands in the file may be a copy of the other one. */
  isLike(file: File, other: File): boolean
  /** Decides, and does what follows. */
  conclude(file: File, seen: Seen, copied: boolean): void
  /** Whether the file had better have its turn later. */
  isTooLong(file: File): boolean
  /** It is to be taken again, with what was seen of it. */
  postpone(file: File, seen: Seen | undefined): void
}

interface Turn<File, Seen> {
  readonly file: File
  readonly identity: unknown
  seen: Seen | undefined
  rounds: number
}

/** Others may change with every look: after so many rounds what was seen is good enough. */
const MOST_ROUNDS = 8

export class Turns<File, Seen extends object> {
  readonly #steps: Steps<File, Seen>
  /** The last one has its turn. */
  readonly #turns: Turn<File, Seen>[] = []
  #running = false

  constructor(steps: Steps<File, Seen>) {
    this.#steps = steps
  }

  /** Within a turn: what is taken now has its turn after that. */
  get running(): boolean {
    return this.#running
  }

  /** Looks at the file, and does what follows; or does that with what was seen of it. From within a turn: after that. */
  take(file: File, seen?: Seen): void {
    const turn = this.#turn(file, seen)
    if (this.#running) {
      if (!this.#waits(file)) this.#turns.unshift(turn)
      return
    }
    this.#turns.push(turn)
    this.#running = true
    try {
      for (let next = this.#turns.at(-1); next !== undefined; next = this.#turns.at(-1)) {
        this.#have(next)
        // All of them: those that are left wait for each other.
        if (this.#turns.some(({ file: each }) => this.#steps.isTooLong(each))) this.#postpone()
      }
    } finally {
      this.#running = false
      this.#turns.length = 0
    }
  }

  #postpone(): void {
    for (const { file, identity, seen } of this.#turns.splice(0).reverse()) {
      if (identity !== undefined && this.#steps.identity(file) === identity) this.#steps.postpone(file, seen)
    }
  }

  #have(turn: Turn<File, Seen>): void {
    const { file, identity } = turn
    if (identity === undefined || this.#steps.identity(file) !== identity) {
      this.#drop(turn)
      return
    }
    turn.seen ??= this.#steps.observe(file)
    const copied = this.#compared(turn, turn.seen)
    if (copied === 'later') return
    this.#drop(turn)
    this.#steps.conclude(file, turn.seen, copied)
  }

  /** Whether the file is like one of those that it has to be compared with; `later`: others have their turn first. */
  #compared(turn: Turn<File, Seen>, seen: Seen): boolean | 'later' {
    const { isLike, related } = this.#steps
    const settled = turn.rounds++ >= MOST_ROUNDS
    for (const { file: other, compare } of related(turn.file, seen)) {
      if (!settled && this.#isNews(other)) return 'later'
      if (!compare) continue
      if (isLike(turn.file, other)) return true
      // It may have changed while they were compared.
      if (!settled && this.#isNews(other)) return 'later'
    }
    return false
  }

  /** Looks at another file. What does not come first is done with at once. */
  #isNews(file: File): boolean {
    if (this.#waits(file) || this.#steps.identity(file) === undefined) return false
    const seen = this.#steps.observe(file)
    if (this.#steps.isDecisive(file, seen)) {
      this.#turns.push(this.#turn(file, seen))
      return true
    }
    this.#steps.conclude(file, seen, false)
    return false
  }

  #turn(file: File, seen?: Seen): Turn<File, Seen> {
    return { file, identity: this.#steps.identity(file), seen, rounds: 0 }
  }

  #waits(file: File): boolean {
    return this.#turns.some(turn => turn.file === file)
  }

  #drop(turn: Turn<File, Seen>): void {
    this.#turns.splice(this.#turns.indexOf(turn), 1)
  }
}
