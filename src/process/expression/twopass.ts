/**
 * Captures of any expression, in two passes.
 *
 *     backwards   which ways could still be taken from each place to the end of a match: a state
 *     forwards    at each character the first choice that could: it is the one that RE2 takes
 *
 * Backwards the text is read byte by byte, so a state also has ways in the middle of a character. What follows no
 * character was U+FFFD: that, too, is known only from behind. Forwards goes by whole characters. Both are linear: there
 * is nothing to go back to. States of the way back in which all points make the same choices are one, so that there are
 * few of them and they hold for long runs, which the kernel passes at once.
 */
import { type Alphabet, NONE, TAILS } from './alphabet.ts'
import { MOST_ENTRIES, tooLarge, type Work } from './limits.ts'
import { blocksOf } from './minimal.ts'
import { CONTEXTS, EDGE } from './nfa.ts'
import { END, type Points } from './points.ts'
import { doubled, States } from './states.ts'

export interface TwoPass {
  readonly states: number
  readonly columns: number
  /** The state at the end of the text, and the one from which nothing leads to a match. */
  readonly start: number
  readonly dead: number
  /** Backwards: for each state and class of bytes the state before that byte. */
  readonly next: Int32Array
  /** For each state the words of its set of ways; the bit behind the last way is the end. */
  readonly words: number
  readonly sets: Int32Array
  /** Points from which no slot is written any more: who comes there with a match ahead knows all of it. */
  readonly settled: Uint8Array
}

/** The automata for both passes. `points` are of an expression that takes the whole text. */
export function twoPass(points: Points, alphabet: Alphabet, work: Work): TwoPass {
  const back = new Backwards(points, alphabet, work)
  const rows = back.run()
  const columns = alphabet.classes
  const says = new Int32Array(back.count)
  const distinct = new States()
  const made = new Int32Array(points.count)
  for (let state = 0; state < back.count; state++) {
    work.take(points.count)
    for (let point = 0; point < points.count; point++) made[point] = back.choice(point, state)
    says[state] = 1 + distinct.intern(made, points.count)
  }
  says[back.dead] = 0
  const count = back.count * columns
  const tails = Int32Array.from({ length: count }, (_, at) => (at / columns) | 0)
  const labels = Int32Array.from({ length: count }, (_, at) => at % columns)
  const block = blocksOf(back.count, says, { count, tails, labels, heads: rows }, work)
  let states = 0
  for (const each of block) states = Math.max(states, each + 1)
  const next = new Int32Array(states * columns)
  const sets = new Int32Array(states * back.words)
  for (let state = 0; state < back.count; state++) {
    const number = block[state]!
    for (let column = 0; column < columns; column++) {
      next[number * columns + column] = block[rows[state * columns + column]!]!
    }
    for (let word = 0; word < back.words; word++) sets[number * back.words + word] = back.word(state, word)
  }
  const [start, dead] = [block[back.start]!, block[back.dead]!]
  return { states, columns, start, dead, next, words: back.words, sets, settled: settledOf(points, work) }
}

function settledOf({ count, first, choices, slots, targetOf }: Points, work: Work): Uint8Array {
  const settled = new Uint8Array(count).fill(1)
  for (let changed = true; changed; ) {
    changed = false
    for (let point = count - 1; point >= 0; point--) {
      if (settled[point] === 0) continue
      for (let at = first[point * CONTEXTS]!; at < first[(point + 1) * CONTEXTS]!; at++) {
        work.take(1)
        const way = choices[at]!
        if (slots[at] === 0 && (way === END || settled[targetOf[way]!] === 1)) continue
        settled[point] = 0
        changed = true
        break
      }
    }
  }
  return settled
}

/**
 * The automaton that reads backwards. A state is sets of ways, each a few words:
 *
 *     │ at the beginning of a character │ in node 0 of the decoder │ in node 1 │ …
 *
 * so a step is a handful of operations on words: which ways have the character, and which lead to a point that goes on.
 */
class Backwards {
  readonly words: number
  readonly start: number
  readonly dead: number
  readonly #points: Points
  readonly #alphabet: Alphabet
  readonly #work: Work
  readonly #states = new States()
  readonly #nodes: number
  readonly #end: number
  readonly #key: Int32Array
  /** Sets of ways: those with characters of a kind, those that a point may choose, those that lead to a point. */
  readonly #ofKind: Int32Array
  readonly #ofPoint: Int32Array
  readonly #into: Int32Array
  readonly #targets: Int32Array
  /** For sets at beginnings, found again: the ways that lead to a point which may choose one of them. */
  readonly #heads = new States()
  #leading = new Int32Array(64)

  constructor(points: Points, alphabet: Alphabet, work: Work) {
    const { ways, count, first, choices, setOf, contextOf, targetOf } = points
    const { kinds, has, context, wide } = alphabet
    this.#points = points
    this.#alphabet = alphabet
    this.#work = work
    this.#end = ways
    this.words = (ways + 1 + 31) >> 5
    this.#nodes = setOf.some(set => wide[set] === 1) ? alphabet.last.length : 0
    this.#key = new Int32Array(this.words * (1 + this.#nodes))
    this.#ofKind = new Int32Array(this.words * kinds)
    this.#ofPoint = new Int32Array(this.words * count)
    this.#into = new Int32Array(this.words * count)
    this.#targets = Int32Array.from(new Set(targetOf))
    work.take(ways * kinds + this.words * count)
    for (let way = 0; way < ways; way++) {
      for (let kind = 0; kind < kinds; kind++) {
        if (has[setOf[way]! * kinds + kind] === 0 || context[kind] !== contextOf[way]) continue
        this.#add(this.#ofKind, kind, way)
      }
      this.#add(this.#into, targetOf[way]!, way)
    }
    for (let point = 0; point < count; point++) {
      for (let at = first[point * CONTEXTS]!; at < first[(point + 1) * CONTEXTS]!; at++) {
        if (choices[at] !== END) this.#add(this.#ofPoint, point, choices[at]!)
        // A match of the whole text ends only where the text does.
        else if (at < first[point * CONTEXTS + EDGE + 1]!) this.#add(this.#ofPoint, point, this.#end)
      }
    }
    this.dead = this.#intern()
    // At the end there is nothing but the match, and characters of which the rest is missing.
    this.#add(this.#key, 0, this.#end)
    const leading = this.#lead(this.#key, 0)
    for (let node = 1; node <= this.#nodes; node++) this.#both(node, alphabet.replacement, leading)
    this.start = this.#intern()
  }

  get count(): number {
    return this.#states.count
  }

  /** A word of a state's set of ways. */
  word(state: number, word: number): number {
    return this.#states.pool[this.#states.begin(state) + word]!
  }

  /** The rows of all states: for each class of bytes the state before it. */
  run(): Int32Array {
    const { classes } = this.#alphabet
    let rows = new Int32Array(64 * classes)
    for (let state = 0; state < this.#states.count; state++) {
      if ((state + 1) * classes > MOST_ENTRIES) throw tooLarge('the expression has too many states for captures')
      if ((state + 1) * classes > rows.length) rows = doubled(rows, 0)
      const behind = this.#lead(this.#states.pool, this.#states.begin(state))
      for (let column = 0; column < classes; column++)
        rows[state * classes + column] = this.#step(state, column, behind)
    }
    return rows.subarray(0, this.#states.count * classes)
  }

  /** The first choice of a point that a state has, or `NONE`. */
  choice(point: number, state: number): number {
    const { first, choices } = this.#points
    const begin = this.#states.begin(state)
    for (let word = 0; ; word++) {
      if (word === this.words) return NONE
      if ((this.#states.pool[begin + word]! & this.#ofPoint[point * this.words + word]!) !== 0) break
    }
    for (let at = first[point * CONTEXTS]!; at < first[(point + 1) * CONTEXTS]!; at++) {
      this.#work.take(1)
      const way = choices[at]!
      if (way === END && at >= first[point * CONTEXTS + EDGE + 1]!) continue
      const bit = way === END ? this.#end : way
      if (((this.#states.pool[begin + (bit >> 5)]! >> (bit & 31)) & 1) === 1) return at
    }
    return NONE
  }

  /** The state before a byte of class `column`, if `state` is behind it; `behind`: the ways that lead on from there. */
  #step(state: number, column: number, behind: number): number {
    const { replacement, kindOf, nodeOf, tailOf, rows, last } = this.#alphabet
    this.#work.take(1 + (this.#key.length >> 1))
    const lead = nodeOf[column]!
    const tail = tailOf[column]!
    if (lead === NONE) this.#both(0, kindOf[column] === NONE ? replacement : kindOf[column]!, behind)
    else if (this.#nodes > 0) this.#copy(0, state, 1 + lead)
    else this.#key.fill(0, 0, this.words)
    if (this.#nodes > 0) {
      // Ways within a character that this byte does not go on end before it, as U+FFFD.
      const before = this.#lead(this.#key, 0)
      for (let node = 0; node < this.#nodes; node++) {
        const to = tail === NONE ? NONE : rows[node * TAILS + tail]!
        if (to === NONE) this.#both(1 + node, replacement, before)
        else if (last[node] === 1) this.#both(1 + node, to, behind)
        else this.#copy(1 + node, state, 1 + to)
      }
    }
    return this.#intern()
  }

  /** The number of the ways that lead to a point which may choose one of the set at `from`. */
  #lead(numbers: Int32Array, from: number): number {
    const { words } = this
    const head = from === 0 ? numbers : numbers.subarray(from, from + words)
    const known = this.#heads.count
    const number = this.#heads.intern(head, words)
    if (this.#heads.count === known) return number
    if ((number + 1) * words > this.#leading.length) this.#leading = doubled(this.#leading, (number + 1) * words)
    this.#work.take(this.#targets.length * words)
    for (const target of this.#targets) {
      for (let word = 0; word < words; word++) {
        if ((head[word]! & this.#ofPoint[target * words + word]!) === 0) continue
        for (let into = 0; into < words; into++) {
          this.#leading[number * words + into]! |= this.#into[target * words + into]!
        }
        break
      }
    }
    return number
  }

  /** The set with number `place` of the state at hand: ways of a kind that are among those with the number `leading`. */
  #both(place: number, kind: number, leading: number): void {
    const { words } = this
    for (let word = 0; word < words; word++) {
      this.#key[place * words + word] = this.#ofKind[kind * words + word]! & this.#leading[leading * words + word]!
    }
  }

  #copy(place: number, state: number, from: number): void {
    const begin = this.#states.begin(state) + from * this.words
    for (let word = 0; word < this.words; word++)
      this.#key[place * this.words + word] = this.#states.pool[begin + word]!
  }

  #add(sets: Int32Array, set: number, bit: number): void {
    sets[set * this.words + (bit >> 5)]! |= 1 << (bit & 31)
  }

  #intern(): number {
    return this.#states.intern(this.#key, this.#key.length)
  }
}
