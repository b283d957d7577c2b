/**
 * The automaton without choices: places of the one with choices, all that are alive at once, as one state.
 *
 *     state     what stands before it, how far into a character it is, what it says, the places in order of preference
 *     step      a byte that ends a character moves each place whose set has it; a place that matches cuts what follows
 *
 * In FIRST the order of places is the preference, so what the automaton says last is the leftmost-first match. In EVERY
 * all expressions run side by side, and one that has matched is taken out: a text is decided as early as can be.
 *
 * A byte that goes on no character ends the one before it as U+FFFD, and is then read anew: such a state does with it
 * what the state behind the U+FFFD does, so its row is filled in from that one's when all are known.
 */

import { invariant } from '../../errors.ts'
import { type Alphabet, NONE, TAILS } from './alphabet.ts'
import { EVERY, type FIRST } from './layout.ts'
import { MOST_ENTRIES, tooLarge, type Work } from './limits.ts'
import { blocksOf, byHead } from './minimal.ts'
import { ASSERT, EDGE, holds, LETTER, MATCH, NEWLINE, type Nfa, OTHER, SAVE, SET, SPLIT } from './nfa.ts'
import { doubled, States } from './states.ts'

export interface Dfa {
  readonly states: number
  /** Classes of bytes, and behind them the end of the text. */
  readonly columns: number
  /** A row for each state; state 0 is the dead one. */
  readonly next: Int32Array
  readonly says: Int32Array
  /** The state to begin with, for each context. */
  readonly starts: readonly number[]
}

const DEAD = 0
/** Of a state's numbers: the context before it, its node, what it says, and then the places. */
const BEFORE = 0
const NODE = 1
const SAYS = 2
const PLACES = 3

/** The automaton with all states that come up, minimal. Throws an `ExpressionError` if they are too many. */
export function determinize(nfa: Nfa, alphabet: Alphabet, mode: typeof FIRST | typeof EVERY, work: Work): Dfa {
  return minimal(new Subsets(nfa, alphabet, mode, work).run(), work)
}

class Subsets {
  readonly #nfa: Nfa
  readonly #alphabet: Alphabet
  readonly #every: boolean
  readonly #work: Work
  readonly #columns: number
  readonly #states = new States()
  #rows: Int32Array
  /** What is being made up: the numbers of a state. */
  readonly #key: Int32Array
  /** Sets that are alive, in order of preference, and what matches here. */
  readonly #alive: Int32Array
  #live = 0
  #said = 0
  readonly #stack: Int32Array
  readonly #seen: Int32Array
  readonly #taken: Int32Array
  #visit = 0
  /** In EVERY, the rule that a place is of. */
  readonly #ruleOf: Uint8Array

  constructor(nfa: Nfa, alphabet: Alphabet, mode: typeof FIRST | typeof EVERY, work: Work) {
    this.#nfa = nfa
    this.#alphabet = alphabet
    this.#every = mode === EVERY
    this.#work = work
    this.#columns = alphabet.classes + 1
    this.#rows = new Int32Array(64 * this.#columns)
    this.#key = new Int32Array(nfa.count + PLACES)
    this.#alive = new Int32Array(nfa.count)
    this.#stack = new Int32Array(2 * nfa.count + 1)
    this.#seen = new Int32Array(nfa.count)
    this.#taken = new Int32Array(nfa.count)
    this.#ruleOf = rulesOf(nfa)
  }

  run(): Dfa {
    const { classes, kindOf, nodeOf, tailOf } = this.#alphabet
    const states = this.#states
    const edge = classes
    this.#state(EDGE, NONE, 0, 0)
    const starts = [EDGE, NEWLINE, LETTER, OTHER].map(before => {
      this.#key[PLACES] = this.#nfa.start
      return this.#state(this.#seenBefore(before), NONE, 0, 1)
    })
    for (let state = DEAD + 1; state < states.count; state++) {
      const row = state * this.#columns
      const begin = states.begin(state)
      if (states.begin(state + 1) - begin === PLACES) continue // nothing is alive: all lead to the dead state
      const node = states.pool[begin + NODE]!
      if (node !== NONE) {
        this.#within(state, node)
        continue
      }
      // What the state says of its places depends on what follows, as far as assertions see it.
      for (const behind of this.#nfa.asserts ? [NEWLINE, LETTER, OTHER] : [OTHER]) {
        this.#closure(state, behind)
        for (let column = 0; column < classes; column++) {
          const lead = nodeOf[column]!
          const kind = kindOf[column] === NONE ? this.#alphabet.replacement : kindOf[column]!
          if (this.#nfa.asserts && this.#alphabet.context[kind] !== behind) continue
          this.#put(row + column, lead === NONE ? this.#step(kind, this.#said) : this.#into(state, lead, this.#said))
        }
      }
      this.#closure(state, EDGE)
      this.#put(row + edge, this.#said === 0 ? DEAD : this.#state(EDGE, NONE, this.#said, 0))
    }
    invariant(tailOf.length === classes, 'each class of bytes has its row in the nodes')
    const rows = this.#rows
    for (let at = this.#columns; at < states.count * this.#columns; at++) {
      // The row of the state behind the U+FFFD: it is of no node, so nothing in it is open.
      if (rows[at]! < 0) rows[at] = rows[(-rows[at]! - 1) * this.#columns + (at % this.#columns)]!
    }
    const says = new Int32Array(states.count)
    for (let state = 0; state < states.count; state++) says[state] = states.pool[states.begin(state) + SAYS]!
    return { states: states.count, columns: this.#columns, next: rows, says, starts }
  }

  /** Not an assignment in place: the rows may have moved while the state was found. */
  #put(at: number, state: number): void {
    this.#rows[at] = state
  }

  /** Fills the row of a state in the middle of a character. */
  #within(state: number, node: number): void {
    const { classes, rows, last, tailOf, replacement } = this.#alphabet
    const row = state * this.#columns
    this.#closure(state, OTHER)
    const broken = this.#step(replacement, 0)
    this.#rows.fill(-1 - broken, row, row + this.#columns)
    for (let column = 0; column < classes; column++) {
      const tail = tailOf[column]!
      const next = tail === NONE ? NONE : rows[node * TAILS + tail]!
      if (next === NONE) continue
      this.#put(row + column, last[node] === 1 ? this.#step(next, 0) : this.#into(state, next, 0))
    }
  }

  /** The state in `node` of a character that begins at `state`: its places stay as they are. */
  #into(state: number, node: number, said: number): number {
    let wide = false
    for (let at = 0; at < this.#live && !wide; at++) {
      wide = this.#alphabet.wide[this.#nfa.what[this.#alive[at]!]!] === 1
    }
    if (!wide) return said === 0 ? DEAD : this.#state(EDGE, NONE, said, 0)
    const { pool } = this.#states
    const begin = this.#states.begin(state)
    const end = this.#states.begin(state + 1)
    for (let at = begin + PLACES; at < end; at++) this.#key[at - begin] = pool[at]!
    return this.#state(pool[begin + BEFORE]!, node, said, end - begin - PLACES)
  }

  /** The state behind a character of `kind`. */
  #step(kind: number, said: number): number {
    const { has, kinds, context } = this.#alphabet
    const { to, what } = this.#nfa
    const visit = ++this.#visit
    this.#work.take(1 + this.#live)
    let length = 0
    for (let at = 0; at < this.#live; at++) {
      const place = this.#alive[at]!
      if (has[what[place]! * kinds + kind] === 0) continue
      // In EVERY what has matched is done with, whether it was said just now or is said by this very state.
      if (this.#every && ((this.#said >> this.#ruleOf[place]!) & 1) === 1) continue
      const next = to[place]!
      if (this.#taken[next] === visit) continue
      this.#taken[next] = visit
      this.#key[PLACES + length++] = next
    }
    if (length === 0 && said === 0) return DEAD
    return this.#state(length === 0 ? EDGE : this.#seenBefore(context[kind]!), NONE, said, length)
  }

  /** Contexts that no assertion tells apart are one. */
  #seenBefore(before: number): number {
    if (!this.#nfa.asserts) return OTHER
    if (before === LETTER) return this.#nfa.letters ? LETTER : OTHER
    if (before === NEWLINE) return this.#nfa.newlines ? NEWLINE : OTHER
    return before
  }

  /** Finds the sets that are alive in a state, and what it says, if `behind` is what follows. */
  #closure(state: number, behind: number): void {
    const { op, to, or, what } = this.#nfa
    const { pool } = this.#states
    const begin = this.#states.begin(state)
    const end = this.#states.begin(state + 1)
    const before = pool[begin + BEFORE]!
    const visit = ++this.#visit
    const stack = this.#stack
    this.#live = 0
    this.#said = 0
    for (let at = begin + PLACES; at < end; at++) {
      let depth = 0
      stack[depth++] = pool[at]!
      while (depth > 0) {
        const place = stack[--depth]!
        if (this.#seen[place] === visit) continue
        this.#seen[place] = visit
        this.#work.take(1)
        switch (op[place]) {
          case SET:
            this.#alive[this.#live++] = place
            break
          case SPLIT:
            stack[depth++] = or[place]!
            stack[depth++] = to[place]!
            break
          case SAVE:
            stack[depth++] = to[place]!
            break
          case ASSERT:
            if (holds(what[place]!, before, behind)) stack[depth++] = to[place]!
            break
          case MATCH:
            if (this.#every) this.#said |= 1 << what[place]!
            else {
              this.#said = what[place]! + 1
              return
            }
        }
      }
    }
  }

  #state(before: number, node: number, said: number, places: number): number {
    this.#key[BEFORE] = before
    this.#key[NODE] = node
    this.#key[SAYS] = said
    const states = this.#states
    const known = states.count
    const state = states.intern(this.#key, PLACES + places)
    if (states.count > known) {
      this.#work.take(this.#columns + places)
      const entries = states.count * this.#columns
      if (entries > MOST_ENTRIES) throw tooLarge(`the expression needs more than ${known} states to begin with`)
      if (entries > this.#rows.length) this.#rows = doubled(this.#rows, entries)
    }
    return state
  }
}

/** For each place the rule that it leads to: in a list each expression has places of its own. */
function rulesOf(nfa: Nfa): Uint8Array {
  const rules = new Uint8Array(nfa.count)
  // Places are numbered from the end: each expression's begin with its match.
  let rule = 0
  for (let place = 0; place < nfa.count; place++) {
    if (nfa.op[place] === MATCH) rule = nfa.what[place]!
    rules[place] = rule
  }
  return rules
}

/** The smallest automaton that says the same. */
function minimal(dfa: Dfa, work: Work): Dfa {
  const { states, columns, next, says, starts } = dfa
  const total = states * columns
  // Transitions that lead somewhere.
  const alive = productive(dfa, work)
  let count = 0
  for (let at = 0; at < total; at++) count += alive[next[at]!]!
  const tails = new Int32Array(count)
  const labels = new Int32Array(count)
  const heads = new Int32Array(count)
  let edge = 0
  for (let at = 0; at < total; at++) {
    if (alive[next[at]!] === 0) continue
    tails[edge] = (at / columns) | 0
    labels[edge] = at % columns
    heads[edge++] = next[at]!
  }
  const keys = says.map((said, state) => (alive[state] === 1 ? said : -1))
  const block = blocksOf(states, keys, { count, tails, labels, heads }, work)
  // The dead state's block becomes 0.
  let blocks = 0
  for (const each of block) blocks = Math.max(blocks, each + 1)
  const numberOf = (state: number) =>
    block[state] === block[DEAD] ? 0 : block[state]! < block[DEAD]! ? block[state]! + 1 : block[state]!
  const rows = new Int32Array(blocks * columns)
  const said = new Int32Array(blocks)
  for (let state = 0; state < states; state++) {
    const number = numberOf(state)
    if (number !== DEAD) said[number] = says[state]!
  }
  for (edge = 0; edge < count; edge++) rows[numberOf(tails[edge]!) * columns + labels[edge]!] = numberOf(heads[edge]!)
  return { states: blocks, columns, next: rows, says: said, starts: starts.map(numberOf) }
}

/** Which states can still come to say something, themselves included. */
function productive({ states, columns, next, says }: Dfa, work: Work): Uint8Array {
  const alive = new Uint8Array(states)
  work.take(states * columns)
  const { first, at } = byHead(states, next, states * columns)
  const found = new Int32Array(states)
  let count = 0
  for (let state = 0; state < states; state++) {
    if (says[state] === 0) continue
    alive[state] = 1
    found[count++] = state
  }
  for (let each = 0; each < count; each++) {
    const state = found[each]!
    for (let edge = first[state]!; edge < first[state + 1]!; edge++) {
      const tail = (at[edge]! / columns) | 0
      if (alive[tail] === 1) continue
      alive[tail] = 1
      found[count++] = tail
    }
  }
  return alive
}
