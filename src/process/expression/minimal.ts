/**
 * The smallest automaton that says the same, and none of its states that say nothing.
 *
 * Hopcroft's partition refinement as A. Valmari put it ("Fast brief practical DFA minimization", 2012): states and
 * transitions are two partitions that refine each other. n·log n, in a handful of typed arrays.
 */
import type { Work } from './limits.ts'

/** Transitions from `tails` by `labels` to `heads`; a state that has none for a label leads to the dead state. */
export interface Transitions {
  readonly count: number
  readonly tails: Int32Array
  readonly labels: Int32Array
  readonly heads: Int32Array
}

/**
 * For each state the number of its block, from 0; states are in one block if they say the same (`says`) and lead to the
 * same whatever comes.
 */
export function blocksOf(states: number, says: Int32Array, transitions: Transitions, work: Work): Int32Array {
  const { count, tails, labels, heads } = transitions
  work.take(states + 2 * count)
  const blocks = new Partition(states, says)
  const cords = new Partition(count, labels)
  const { first, at } = byHead(states, heads, count)
  // The first block need not split transitions unless there is one only: a transition has a head in one of them.
  let block = 0
  for (let cord = 0; cord < cords.sets; cord++) {
    for (let next = cords.begin(cord); next < cords.end(cord); next++) blocks.mark(tails[cords.element(next)]!)
    work.take(cords.end(cord) - cords.begin(cord))
    blocks.split()
    for (; block < blocks.sets; block++) {
      for (let next = blocks.begin(block); next < blocks.end(block); next++) {
        const state = blocks.element(next)
        work.take(1 + first[state + 1]! - first[state]!)
        for (let edge = first[state]!; edge < first[state + 1]!; edge++) cords.mark(at[edge]!)
      }
      cords.split()
    }
  }
  return blocks.setOf
}

/** Transitions grouped by their head: those into `state` are at[first[state]] to at[first[state + 1] - 1]. */
export function byHead(states: number, heads: Int32Array, count: number): { first: Int32Array; at: Int32Array } {
  const first = new Int32Array(states + 1)
  const at = new Int32Array(count)
  for (let edge = 0; edge < count; edge++) first[heads[edge]! + 1]!++
  for (let state = 0; state < states; state++) first[state + 1]! += first[state]!
  const next = first.slice(0, states)
  for (let edge = 0; edge < count; edge++) at[next[heads[edge]!]!++] = edge
  return { first, at }
}

/** A partition that is refined by marking elements and splitting what is marked in part off each set. */
class Partition {
  /** The set of each element. */
  readonly setOf: Int32Array
  sets = 0
  readonly #elements: Int32Array
  readonly #locations: Int32Array
  readonly #first: Int32Array
  readonly #past: Int32Array
  readonly #marked: Int32Array
  readonly #touched: Int32Array
  #touches = 0

  /** The sets to begin with are the elements of one key each. */
  constructor(count: number, keys: Int32Array) {
    this.setOf = new Int32Array(count)
    this.#elements = new Int32Array(count)
    this.#locations = new Int32Array(count)
    this.#first = new Int32Array(count + 1)
    this.#past = new Int32Array(count + 1)
    this.#marked = new Int32Array(count + 1)
    this.#touched = new Int32Array(count + 1)
    const numbers = new Map<number, number>()
    for (let element = 0; element < count; element++) {
      let set = numbers.get(keys[element]!)
      if (set === undefined) {
        set = numbers.size
        numbers.set(keys[element]!, set)
      }
      this.setOf[element] = set
      this.#past[set]!++
    }
    this.sets = numbers.size
    for (let set = 0, at = 0; set < this.sets; set++) {
      this.#first[set] = at
      at += this.#past[set]!
      this.#past[set] = this.#first[set]!
    }
    for (let element = 0; element < count; element++) {
      const at = this.#past[this.setOf[element]!]!++
      this.#elements[at] = element
      this.#locations[element] = at
    }
  }

  begin(set: number): number {
    return this.#first[set]!
  }

  end(set: number): number {
    return this.#past[set]!
  }

  element(at: number): number {
    return this.#elements[at]!
  }

  /** Moves an element to the front of its set; does nothing if it is there. */
  mark(element: number): void {
    const set = this.setOf[element]!
    const from = this.#locations[element]!
    const to = this.#first[set]! + this.#marked[set]!
    if (from < to) return
    const other = this.#elements[to]!
    this.#elements[from] = other
    this.#locations[other] = from
    this.#elements[to] = element
    this.#locations[element] = to
    if (this.#marked[set]!++ === 0) this.#touched[this.#touches++] = set
  }

  /** Makes the smaller part of each set that is marked in part a set of its own. */
  split(): void {
    while (this.#touches > 0) {
      const set = this.#touched[--this.#touches]!
      const middle = this.#first[set]! + this.#marked[set]!
      this.#marked[set] = 0
      if (middle === this.#past[set]) continue
      const made = this.sets++
      if (middle - this.#first[set]! <= this.#past[set]! - middle) {
        this.#first[made] = this.#first[set]!
        this.#past[made] = this.#first[set] = middle
      } else {
        this.#past[made] = this.#past[set]!
        this.#first[made] = this.#past[set] = middle
      }
      for (let at = this.#first[made]!; at < this.#past[made]!; at++) this.setOf[this.#elements[at]!] = made
    }
  }
}
