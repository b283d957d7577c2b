/**
 * The automaton for captures: points that are alive at once, in order of preference, each a thread; and for each step
 * where each thread comes from.
 *
 *     text      4 2 ␣ m s     forwards: states and, where threads change places or write a slot, a note of the move
 *     threads   0─0─0─0─0     backwards: from the match along the notes, which thread it was; the slots of its moves
 *               └─1─1         are the groups
 *
 * Both directions are linear, and exact: the order is RE2's. Where no choice is open there is one thread, and its only
 * moves are those that write a slot.
 *
 * In the middle of a character threads are ways rather than points: what it is decides later which of them go on. A
 * byte that goes on no character ends it as U+FFFD and is then read anew: two moves, made one.
 */

import { invariant } from '../../errors.ts'
import { type Alphabet, NONE, TAILS } from './alphabet.ts'
import { MOST_ENTRIES, tooLarge, type Work } from './limits.ts'
import { blocksOf } from './minimal.ts'
import { CONTEXTS, EDGE, OTHER } from './nfa.ts'
import { END, type Points } from './points.ts'
import { doubled, States } from './states.ts'

/** The state that nothing comes of, and the move of which no note is needed. */
export const DEAD = 0
export const QUIET = 0

export interface Threads {
  readonly states: number
  /** Classes of bytes, and behind them the end of the text. */
  readonly columns: number
  /** States to begin with: one for each start of the points. */
  readonly starts: readonly number[]
  readonly next: Int32Array
  readonly moves: Int32Array
  /** What each move does, by its number. */
  readonly moved: readonly Move[]
}

export interface Move {
  /** Which thread matches before the byte, and its slots; `NONE` if none does. */
  readonly said: number
  readonly mask: number
  /** For each thread behind the byte, the one it comes from and the slots that get the byte's place: two numbers. */
  readonly origins: Int32Array
}

/** The minimal automaton. Throws an `ExpressionError` if it is too large. */
export function threadsOf(points: Points, alphabet: Alphabet, work: Work): Threads {
  return minimal(new Walk(points, alphabet, work).run(), work)
}

class Walk {
  readonly #points: Points
  readonly #alphabet: Alphabet
  readonly #work: Work
  readonly #columns: number
  /** A state's key: the node, or NONE, and then points, or ways within a character. */
  readonly #states = new States()
  /** A move's key: who matches, its slots, and then the origins. */
  readonly #moves = new States()
  #next: Int32Array
  #move: Int32Array
  /** The state and the move at hand. */
  readonly #key: Int32Array
  readonly #made: Int32Array
  #threads = 0
  readonly #taken: Int32Array
  #visit = 0

  constructor(points: Points, alphabet: Alphabet, work: Work) {
    const most = Math.max(points.count, points.ways)
    this.#points = points
    this.#alphabet = alphabet
    this.#work = work
    this.#columns = alphabet.classes + 1
    this.#next = new Int32Array(64 * this.#columns)
    this.#move = new Int32Array(64 * this.#columns)
    this.#key = new Int32Array(1 + most)
    this.#made = new Int32Array(2 + 2 * most)
    this.#taken = new Int32Array(most)
  }

  run(): Threads {
    const { classes, kindOf, nodeOf, replacement } = this.#alphabet
    this.#open(NONE)
    invariant(this.#state() === DEAD, 'the dead state is the first')
    this.#made[0] = NONE
    invariant(this.#moves.intern(this.#made, 2) === QUIET, 'the quiet move is the first')
    const starts = this.#points.starts.map(start => {
      this.#open(NONE)
      this.#add(start, 0, 0)
      return this.#state()
    })
    for (let state = DEAD + 1; state < this.#states.count; state++) {
      const row = state * this.#columns
      const node = this.#states.pool[this.#states.begin(state)]!
      if (node !== NONE) {
        this.#within(state, node)
        continue
      }
      for (let column = 0; column < classes; column++) {
        const lead = nodeOf[column]!
        if (lead !== NONE) this.#lead(state, lead)
        else this.#step(state, kindOf[column] === NONE ? replacement : kindOf[column]!)
        this.#put(row + column)
      }
      this.#open(NONE)
      this.#choose(state, EDGE, () => undefined)
      this.#put(row + classes)
    }
    this.#reread()
    const moved = Array.from({ length: this.#moves.count }, (_, move): Move => {
      const begin = this.#moves.begin(move)
      const [said, mask] = [this.#moves.pool[begin]!, this.#moves.pool[begin + 1]!]
      return { said, mask, origins: this.#moves.pool.slice(begin + 2, this.#moves.begin(move + 1)) }
    })
    const size = this.#states.count * this.#columns
    const [next, moves] = [this.#next.subarray(0, size), this.#move.subarray(0, size)]
    return { states: this.#states.count, columns: this.#columns, starts, next, moves, moved }
  }

  /** Begins a state and the move to it. */
  #open(node: number): void {
    this.#key[0] = node
    this.#made[0] = NONE
    this.#made[1] = 0
    this.#threads = 0
    this.#visit++
  }

  /** Adds a thread, unless one that is preferred is there already. */
  #add(thread: number, origin: number, mask: number): void {
    if (this.#taken[thread] === this.#visit) return
    this.#taken[thread] = this.#visit
    this.#key[1 + this.#threads] = thread
    this.#made[2 + 2 * this.#threads] = origin
    this.#made[3 + 2 * this.#threads++] = mask
  }

  /** Goes through the choices of all threads of a state, if `behind` follows, up to a match. */
  #choose(state: number, behind: number, take: (way: number, origin: number, mask: number) => void): void {
    const { first, choices, slots } = this.#points
    const begin = this.#states.begin(state) + 1
    const end = this.#states.begin(state + 1)
    for (let thread = begin; thread < end; thread++) {
      const cell = this.#states.pool[thread]! * CONTEXTS + behind
      for (let at = first[cell]!; at < first[cell + 1]!; at++) {
        this.#work.take(1)
        if (choices[at] === END) {
          this.#made[0] = thread - begin
          this.#made[1] = slots[at]!
          return
        }
        take(choices[at]!, thread - begin, slots[at]!)
      }
    }
  }

  /** A character of one kind. */
  #step(state: number, kind: number): void {
    const { has, kinds, context } = this.#alphabet
    const { setOf, targetOf } = this.#points
    this.#open(NONE)
    this.#choose(state, context[kind]!, (way, origin, mask) => {
      if (has[setOf[way]! * kinds + kind] === 1) this.#add(targetOf[way]!, origin, mask)
    })
  }

  /** The first byte of a character: all ways that take some of more than one byte. */
  #lead(state: number, node: number): void {
    const { wide } = this.#alphabet
    this.#open(node)
    this.#choose(state, OTHER, (way, origin, mask) => {
      if (wide[this.#points.setOf[way]!] === 1) this.#add(way, origin, mask)
    })
  }

  /** Fills the row of a state within a character. */
  #within(state: number, node: number): void {
    const { classes, tailOf, rows, last, replacement } = this.#alphabet
    const row = state * this.#columns
    this.#ended(state, replacement)
    this.#put(row + classes)
    const [behind, move] = [this.#next[row + classes]!, this.#move[row + classes]!]
    for (let column = 0; column < classes; column++) {
      const tail = tailOf[column]!
      const next = tail === NONE ? NONE : rows[node * TAILS + tail]!
      if (next === NONE) {
        // To be read anew, behind the U+FFFD.
        this.#next[row + column] = -1 - behind
        this.#move[row + column] = move
        continue
      }
      if (last[node] === 1) this.#ended(state, next)
      else this.#further(state, next)
      this.#put(row + column)
    }
    this.#next[row + classes] = -1 - behind
  }

  /** The character of the state is of `kind`. */
  #ended(state: number, kind: number): void {
    const { has, kinds } = this.#alphabet
    const { setOf, targetOf } = this.#points
    const begin = this.#states.begin(state) + 1
    const end = this.#states.begin(state + 1)
    this.#open(NONE)
    this.#work.take(end - begin)
    for (let thread = begin; thread < end; thread++) {
      const way = this.#states.pool[thread]!
      if (has[setOf[way]! * kinds + kind] === 1) this.#add(targetOf[way]!, thread - begin, 0)
    }
  }

  #further(state: number, node: number): void {
    const begin = this.#states.begin(state) + 1
    const end = this.#states.begin(state + 1)
    this.#open(node)
    this.#work.take(end - begin)
    for (let thread = begin; thread < end; thread++) this.#add(this.#states.pool[thread]!, thread - begin, 0)
  }

  /** Enters the step to the state at hand. */
  #put(at: number): void {
    const next = this.#state()
    const move = this.#moveTo()
    this.#next[at] = next
    this.#move[at] = move
  }

  #state(): number {
    if (this.#threads === 0) this.#key[0] = NONE
    const known = this.#states.count
    const state = this.#states.intern(this.#key, 1 + this.#threads)
    if (this.#states.count === known) return state
    this.#work.take(this.#columns)
    const entries = (state + 1) * this.#columns
    if (entries > MOST_ENTRIES) throw tooLarge('the expression has too many states for captures')
    if (entries > this.#next.length) {
      this.#next = doubled(this.#next, entries)
      this.#move = doubled(this.#move, entries)
    }
    return state
  }

  /** The move at hand: quiet if each thread stays where it is. */
  #moveTo(): number {
    let quiet = this.#made[0] === NONE
    for (let thread = 0; thread < this.#threads && quiet; thread++) {
      quiet = this.#made[2 + 2 * thread] === thread && this.#made[3 + 2 * thread] === 0
    }
    this.#work.take(1 + (quiet ? 0 : this.#threads))
    return quiet ? QUIET : this.#moves.intern(this.#made, 2 + 2 * this.#threads)
  }

  /** Fills in what is read anew: the move that ends the character and the one of the byte, as one. */
  #reread(): void {
    for (let at = 0; at < this.#states.count * this.#columns; at++) {
      if (this.#next[at]! >= 0) continue
      const from = (-this.#next[at]! - 1) * this.#columns + (at % this.#columns)
      this.#next[at] = this.#next[from]!
      const [ending, move] = [this.#move[at]!, this.#move[from]!]
      if (ending === QUIET) {
        this.#move[at] = move
        continue
      }
      const before = this.#moves.begin(ending) + 2
      const origin = (thread: number) => this.#moves.pool[before + 2 * thread]!
      const begin = this.#moves.begin(move)
      const end = this.#moves.begin(move + 1)
      const said = this.#moves.pool[begin]!
      this.#made[0] = said === NONE ? NONE : origin(said)
      this.#made[1] = this.#moves.pool[begin + 1]!
      this.#threads = (end - begin - 2) >> 1
      // Of a quiet move nothing is known but that threads stay where they are.
      if (move === QUIET)
        this.#threads = this.#states.begin(this.#next[at]! + 1) - this.#states.begin(this.#next[at]!) - 1
      for (let thread = 0; thread < this.#threads; thread++) {
        const index = begin + 2 + 2 * thread
        this.#made[2 + 2 * thread] = origin(move === QUIET ? thread : this.#moves.pool[index]!)
        this.#made[3 + 2 * thread] = move === QUIET ? 0 : this.#moves.pool[index + 1]!
      }
      this.#move[at] = this.#moveTo()
    }
  }
}

/** The smallest automaton with the same moves. */
function minimal(threads: Threads, work: Work): Threads {
  const { states, columns, starts, next, moves, moved } = threads
  let count = 0
  const leads = (at: number) => next[at] !== DEAD || moves[at] !== QUIET
  for (let at = 0; at < next.length; at++) count += Number(leads(at))
  const tails = new Int32Array(count)
  const labels = new Int32Array(count)
  const heads = new Int32Array(count)
  for (let at = 0, edge = 0; at < next.length; at++) {
    if (!leads(at)) continue
    tails[edge] = (at / columns) | 0
    labels[edge] = (at % columns) + columns * moves[at]!
    heads[edge++] = next[at]!
  }
  const block = blocksOf(states, new Int32Array(states), { count, tails, labels, heads }, work)
  const numbers = new Map<number, number>([[block[DEAD]!, DEAD]])
  for (const each of block) if (!numbers.has(each)) numbers.set(each, numbers.size)
  const to = new Int32Array(numbers.size * columns)
  const by = new Int32Array(numbers.size * columns)
  for (let at = 0; at < next.length; at++) {
    const cell = numbers.get(block[(at / columns) | 0]!)! * columns + (at % columns)
    to[cell] = numbers.get(block[next[at]!]!)!
    by[cell] = moves[at]!
  }
  const begins = starts.map(start => numbers.get(block[start]!)!)
  return { states: numbers.size, columns, starts: begins, next: to, moves: by, moved }
}
