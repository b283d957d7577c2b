/**
 * Search time: how long the files of one source may be searched for before others have their turn.
 *
 * A file that was emptied is searched for among all files of its directory, and the application chooses how many there are
 * of both. So a source whose searches took a while rests, for as long as they took and more; until then none of its
 * files is looked at, so that what happened to them is found out later, but by then as it is at that moment.
 *
 * Guarantees: between two rests a source takes `SLICE` and one search more; it has a bounded part of the time, however
 * many of its files are emptied; one that is searched for no more than that part does not rest; other sources do not wait
 * for it.
 */
import { Effort } from '../directories/effort.ts'

/** What a source may take between two rests: milliseconds. How often as long it rests then, and when the process ends. */
const SLICE = 50
const REST = 3
const LAST_REST = 1

interface Taken {
  spent: number
  /** When the last search ended. */
  at: number
  restsUntil: number
}

export class SearchTime {
  /** Nothing is written any more, as far as is known: what has happened has to be known soon. */
  final = false
  readonly #now: () => number
  readonly #measured: (work: () => void) => number
  readonly #bySource = new Map<string, Taken>()

  /** `now`: monotonic milliseconds. `measured` does some work, and says what it cost: milliseconds. */
  constructor(now = () => performance.now(), measured = costOf) {
    this.#now = now
    this.#measured = measured
  }

  /** Whether nothing is to be searched for a source just now. */
  rests(source: string): boolean {
    const taken = this.#bySource.get(source)
    return taken !== undefined && this.#now() < taken.restsUntil
  }

  /** Does what is a search for a file of the source. */
  search(source: string, work: () => void): void {
    const began = this.#now()
    const taken = this.#bySource.get(source) ?? { spent: 0, at: began, restsUntil: Number.NEGATIVE_INFINITY }
    this.#bySource.set(source, taken)
    // What passed since is a rest as well.
    taken.spent = Math.max(0, taken.spent - (began - taken.at) / REST)
    taken.spent += this.#measured(work)
    taken.at = this.#now()
    if (taken.spent < SLICE) return
    taken.restsUntil = taken.at + taken.spent * (this.final ? LAST_REST : REST)
    taken.spent = 0
  }
}

function costOf(work: () => void): number {
  const effort = new Effort().begin()
  work()
  return effort.total
}
