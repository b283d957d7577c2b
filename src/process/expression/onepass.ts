/**
 * Captures where no choice is ever open: each byte says which way is taken, so slots are written as the text is read.
 *
 *     ^(?<host>\S+) (?<status>\d+)      at a space the host has ended, and there is no other way to see it
 *
 * A state is a point, or a way in the middle of a character. It is an automaton with actions on its steps, made minimal
 * with them, so that a loop such as [^"]* is one state again and the kernel can skip through it.
 *
 * An expression without `$` ends at its first point where nothing better follows. Where something might, and could still
 * fail, a choice is open: such an expression has no table here.
 */

import { invariant } from '../../errors.ts'
import { type Alphabet, NONE, TAILS } from './alphabet.ts'
import { DONE, FAILED } from './layout.ts'
import { MOST_ENTRIES, tooLarge, type Work } from './limits.ts'
import { blocksOf } from './minimal.ts'
import { CONTEXTS, EDGE } from './nfa.ts'
import { END, type Points } from './points.ts'
import { States } from './states.ts'

export interface OnePass {
  readonly states: number
  /** Classes of bytes, and behind them the end of the text. */
  readonly columns: number
  readonly start: number
  /** For each state and column the state it leads to, and the slots that get the place of the byte. */
  readonly next: Int32Array
  readonly slots: Int32Array
}

/** The automaton, or undefined if a choice is open somewhere. */
export function onePass(points: Points, alphabet: Alphabet, work: Work): OnePass | undefined {
  const made = new Walk(points, alphabet, work).run()
  return made && minimal(made, work)
}

/** What a point does with characters of a kind. */
type Step = { readonly way: number; readonly mask: number } | typeof FAILED | typeof DONE | 'open'

class Walk {
  readonly #points: Points
  readonly #alphabet: Alphabet
  readonly #work: Work
  /** A state's key: a point and NONE, or a way and its node. */
  readonly #states = new States()
  readonly #key = new Int32Array(2)
  readonly #safe: Uint8Array
  /** For each node, the kinds of the characters that may come of it, what is no UTF-8 included. */
  readonly #kindsOf: Uint8Array

  constructor(points: Points, alphabet: Alphabet, work: Work) {
    this.#points = points
    this.#alphabet = alphabet
    this.#work = work
    this.#kindsOf = this.#reachable()
    this.#safe = this.#neverFailing()
  }

  run(): OnePass | undefined {
    const { classes, kindOf, nodeOf, tailOf, rows, last, replacement, has, kinds } = this.#alphabet
    const { targetOf, setOf } = this.#points
    const columns = classes + 1
    const edge = classes
    const next: number[] = []
    const slots: number[] = []
    this.#state(NONE, FAILED)
    this.#state(NONE, DONE)
    const start = this.#state(this.#points.start, NONE)
    for (let state = start; state < this.#states.count; state++) {
      if (this.#states.count * columns > MOST_ENTRIES) throw tooLarge('the expression has too many states')
      this.#work.take(columns)
      const row = state * columns
      const of = this.#states.pool[2 * state]!
      const node = this.#states.pool[2 * state + 1]!
      if (node === NONE) {
        for (let column = 0; column < classes; column++) {
          const lead = nodeOf[column]!
          const kind = kindOf[column] === NONE ? replacement : kindOf[column]!
          const step = lead === NONE ? this.#step(of, kind) : this.#lead(of, lead)
          if (step === 'open') return undefined
          if (typeof step === 'number') {
            next[row + column] = step
            slots[row + column] = step === DONE ? this.#ending(of, this.#alphabet.context[kind]!)! : 0
          } else {
            next[row + column] = lead === NONE ? this.#state(targetOf[step.way]!, NONE) : this.#state(step.way, lead)
            slots[row + column] = step.mask
          }
        }
        const ends = this.#ending(of, EDGE)
        next[row + edge] = ends === undefined ? FAILED : DONE
        slots[row + edge] = ends ?? 0
        continue
      }
      // What follows no character ends this one as U+FFFD: then the byte is the next point's, filled in below.
      const broken = has[setOf[of]! * kinds + replacement] === 1 ? -1 - this.#state(targetOf[of]!, NONE) : FAILED
      for (let column = 0; column <= classes; column++) {
        const tail = column === edge ? NONE : tailOf[column]!
        const to = tail === NONE ? NONE : rows[node * TAILS + tail]!
        slots[row + column] = 0
        if (to === NONE) next[row + column] = broken
        else if (last[node] === 0) next[row + column] = this.#state(of, to)
        else next[row + column] = has[setOf[of]! * kinds + to] === 1 ? this.#state(targetOf[of]!, NONE) : FAILED
      }
    }
    for (let at = start * columns; at < next.length; at++) {
      if (next[at]! >= 0) continue
      const from = (-next[at]! - 1) * columns + (at % columns)
      next[at] = next[from]!
      slots[at] = slots[from]!
    }
    for (let at = 0; at < start * columns; at++) next[at] = slots[at] = 0
    const count = this.#states.count
    invariant(next.length === count * columns, 'each state of one pass has a row')
    return { states: count, columns, start, next: Int32Array.from(next), slots: Int32Array.from(slots) }
  }

  #state(of: number, node: number): number {
    this.#key[0] = of
    this.#key[1] = node
    return this.#states.intern(this.#key, 2)
  }

  /** The slots that the match takes if it ends at this point before `behind`. */
  #ending(point: number, behind: number): number | undefined {
    const { first, choices, slots } = this.#points
    const end = first[point * CONTEXTS + behind + 1]!
    return end > first[point * CONTEXTS + behind]! && choices[end - 1] === END ? slots[end - 1] : undefined
  }

  /** The one way that a character of `kind` may take from a point. */
  #step(point: number, kind: number): Step {
    const { first, choices, slots, setOf, targetOf } = this.#points
    const { has, kinds, context } = this.#alphabet
    const behind = context[kind]!
    let found: Step | undefined
    const end = first[point * CONTEXTS + behind + 1]!
    for (let at = first[point * CONTEXTS + behind]!; at < end; at++) {
      this.#work.take(1)
      const way = choices[at]!
      if (way === END) {
        if (found === undefined) return DONE
        if (typeof found === 'object' && this.#safe[targetOf[found.way]!] === 0) return 'open'
      } else if (has[setOf[way]! * kinds + kind] === 1) {
        if (found !== undefined) return 'open'
        found = { way, mask: slots[at]! }
      }
    }
    return found ?? FAILED
  }

  /** The one way that whatever character begins with `node` takes. */
  #lead(point: number, node: number): Step {
    const { kinds } = this.#alphabet
    let all: Step | undefined
    for (let kind = 0; kind < kinds; kind++) {
      if (this.#kindsOf[node * kinds + kind] === 0) continue
      const step = this.#step(point, kind)
      if (all === undefined) all = step
      else if (!same(all, step)) {
        // A way that some of them cannot take fails in their midst. That is right if it could only fail.
        const [one, other] = [all, step]
        if (one === FAILED && typeof other === 'object') all = other
        else if (!(other === FAILED && typeof one === 'object')) return 'open'
      }
    }
    return all ?? FAILED
  }

  #reachable(): Uint8Array {
    const { kinds, last, rows, replacement } = this.#alphabet
    const nodes = last.length
    const found = new Uint8Array(nodes * kinds)
    // A node's children were made before it.
    for (let node = 0; node < nodes; node++) {
      this.#work.take(TAILS)
      found[node * kinds + replacement] = 1
      for (let tail = 0; tail < TAILS; tail++) {
        const to = rows[node * TAILS + tail]!
        if (to === NONE) continue
        if (last[node] === 1) found[node * kinds + to] = 1
        else for (let kind = 0; kind < kinds; kind++) found[node * kinds + kind]! |= found[to * kinds + kind]!
      }
    }
    return found
  }

  /** Points from which every text leads to a match. */
  #neverFailing(): Uint8Array {
    const { count, targetOf } = this.#points
    const { kinds } = this.#alphabet
    const safe = new Uint8Array(count).fill(1)
    for (let changed = true; changed; ) {
      changed = false
      for (let point = 0; point < count; point++) {
        if (safe[point] === 0) continue
        let holds = this.#ending(point, EDGE) !== undefined
        for (let kind = 0; kind < kinds && holds; kind++) {
          const step = this.#plain(point, kind)
          holds = step !== undefined && (step === END || safe[targetOf[step]!] === 1)
        }
        if (holds) continue
        safe[point] = 0
        changed = true
      }
    }
    return safe
  }

  /** The first way that a character of `kind` may take, `END`, or undefined. */
  #plain(point: number, kind: number): number | undefined {
    const { first, choices, setOf } = this.#points
    const { has, kinds, context } = this.#alphabet
    const cell = point * CONTEXTS + context[kind]!
    for (let at = first[cell]!; at < first[cell + 1]!; at++) {
      this.#work.take(1)
      const way = choices[at]!
      if (way === END || has[setOf[way]! * kinds + kind] === 1) return way
    }
    return undefined
  }
}

function same(one: Step, other: Step): boolean {
  if (typeof one !== 'object' || typeof other !== 'object') return one === other
  return one.way === other.way && one.mask === other.mask
}

/** The smallest automaton with the same steps and actions. */
function minimal({ states, columns, start, next, slots }: OnePass, work: Work): OnePass {
  const actions = new Map<number, number>()
  let count = 0
  for (let at = 0; at < next.length; at++) {
    if (next[at] === FAILED) continue
    count++
    if (!actions.has(slots[at]!)) actions.set(slots[at]!, actions.size)
  }
  const tails = new Int32Array(count)
  const labels = new Int32Array(count)
  const heads = new Int32Array(count)
  for (let at = 0, edge = 0; at < next.length; at++) {
    if (next[at] === FAILED) continue
    tails[edge] = (at / columns) | 0
    labels[edge] = (at % columns) + columns * actions.get(slots[at]!)!
    heads[edge++] = next[at]!
  }
  const says = Int32Array.from({ length: states }, (_, state) => Math.min(state, DONE + 1))
  const block = blocksOf(states, says, { count, tails, labels, heads }, work)
  // The first three keep their numbers: each is alone in its block to begin with, or the first of it.
  const numbers = new Map<number, number>([
    [block[FAILED]!, FAILED],
    [block[DONE]!, DONE],
  ])
  for (const each of block) if (!numbers.has(each)) numbers.set(each, numbers.size)
  const rows = new Int32Array(numbers.size * columns)
  const acts = new Int32Array(numbers.size * columns)
  for (let at = 0; at < next.length; at++) {
    const to = numbers.get(block[(at / columns) | 0]!)! * columns + (at % columns)
    rows[to] = numbers.get(block[next[at]!]!)!
    acts[to] = slots[at]!
  }
  return { states: numbers.size, columns, start: numbers.get(block[start]!)!, next: rows, slots: acts }
}
