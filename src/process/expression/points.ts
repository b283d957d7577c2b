/**
 * The automaton with choices for captures: points between characters, and from each the ways on in order of preference.
 *
 *     (?<a>\d+) x      point 0 ── digit, a begins ──► point 1 ┬─ digit ──► point 1
 *                                                             └─ space, a ends ──► point 2 …
 *
 * A way takes one character: it has a set, the point it leads to, and the slots (begins and ends of groups) that get
 * the place where it is taken. Assertions are settled here: a point knows what stands before it, and a way is only of
 * characters that an assertion cannot tell apart. So what is left is a choice among ways, and whether a way leads to a
 * match.
 */
import type { Alphabet } from './alphabet.ts'
import type { Work } from './limits.ts'
import { ASSERT, CONTEXTS, EDGE, holds, LETTER, MATCH, NEWLINE, type Nfa, OTHER, SAVE, SET, SPLIT } from './nfa.ts'
import { doubled, States } from './states.ts'

/** In place of a way: the match ends here. */
export const END = -1

export interface Points {
  readonly count: number
  /** Those to begin with, for each of the contexts that were asked for. */
  readonly starts: readonly number[]
  /** For each way its set, what its characters are to assertions, and the point it leads to. */
  readonly ways: number
  readonly setOf: Int32Array
  readonly contextOf: Int32Array
  readonly targetOf: Int32Array
  /**
   * Choices: those of a point, if `behind` follows it, are first[point * CONTEXTS + behind] up to the next. Each is a
   * way or `END`, and a mask of slots. Behind an edge of the text there is nothing but `END`.
   */
  readonly first: Int32Array
  readonly choices: Int32Array
  readonly slots: Int32Array
}

/** The points that can be reached and that lead to a match, if one of `contexts` stands before it. */
export function pointsOf(nfa: Nfa, alphabet: Alphabet, work: Work, contexts: readonly number[] = [EDGE]): Points {
  return new Expansion(nfa, alphabet, work).run(contexts)
}

class Expansion {
  readonly #nfa: Nfa
  readonly #alphabet: Alphabet
  readonly #work: Work
  readonly #points = new States()
  readonly #ways = new States()
  readonly #key = new Int32Array(3)
  readonly #stack: Int32Array
  readonly #masks: Int32Array
  readonly #seen: Int32Array
  #visit = 0
  #first = new Int32Array(64)
  #choices = new Int32Array(64)
  #slots = new Int32Array(64)
  #count = 0

  constructor(nfa: Nfa, alphabet: Alphabet, work: Work) {
    this.#nfa = nfa
    this.#alphabet = alphabet
    this.#work = work
    this.#stack = new Int32Array(2 * nfa.count + 1)
    this.#masks = new Int32Array(2 * nfa.count + 1)
    this.#seen = new Int32Array(nfa.count)
  }

  run(contexts: readonly number[]): Points {
    const starts = contexts.map(before => this.#point(this.#nfa.start, before))
    for (let point = 0; point < this.#points.count; point++) {
      for (let behind = 0; behind < CONTEXTS; behind++) {
        const cell = point * CONTEXTS + behind
        if (cell + 2 > this.#first.length) this.#first = doubled(this.#first, cell + 2)
        this.#first[cell] = this.#count
        this.#expand(point, behind)
        this.#first[cell + 1] = this.#count
      }
    }
    const ways = this.#ways.count
    const column = (index: number) => Int32Array.from({ length: ways }, (_, way) => this.#ways.pool[3 * way + index]!)
    return this.#productive({
      count: this.#points.count,
      starts,
      ways,
      setOf: column(0),
      contextOf: column(1),
      targetOf: column(2),
      first: this.#first,
      choices: this.#choices,
      slots: this.#slots,
    })
  }

  #point(place: number, before: number): number {
    this.#key[0] = place
    this.#key[1] = before
    return this.#points.intern(this.#key, 2)
  }

  #way(place: number, context: number): number {
    const target = this.#point(this.#nfa.to[place]!, context)
    this.#key[0] = this.#nfa.what[place]!
    this.#key[1] = context
    this.#key[2] = target
    return this.#ways.intern(this.#key, 3)
  }

  /** The choices of a point if `behind` follows it. */
  #expand(point: number, behind: number): void {
    const { op, to, or, what, asserts } = this.#nfa
    const place = this.#points.pool[2 * point]!
    const before = this.#points.pool[2 * point + 1]!
    // Without assertions all characters are alike.
    if (!asserts && behind !== EDGE && behind !== OTHER) return
    const visit = ++this.#visit
    const begin = this.#count
    const stack = this.#stack
    const masks = this.#masks
    let depth = 0
    stack[depth] = place
    masks[depth++] = 0
    while (depth > 0) {
      const at = stack[--depth]!
      const mask = masks[depth]!
      if (this.#seen[at] === visit) continue
      this.#seen[at] = visit
      this.#work.take(1)
      switch (op[at]) {
        case SET:
          if (behind !== EDGE && this.#has(what[at]!, behind)) this.#choose(this.#way(at, behind), mask, begin)
          break
        case SPLIT:
          stack[depth] = or[at]!
          masks[depth++] = mask
          stack[depth] = to[at]!
          masks[depth++] = mask
          break
        case SAVE:
          stack[depth] = to[at]!
          masks[depth++] = mask | (1 << what[at]!)
          break
        case ASSERT:
          if (!holds(what[at]!, before, behind)) break
          stack[depth] = to[at]!
          masks[depth++] = mask
          break
        case MATCH:
          this.#choose(END, mask, begin)
          // What follows is never preferred to a match.
          return
      }
    }
  }

  /** Adds a choice, unless the same way was chosen before. */
  #choose(way: number, mask: number, begin: number): void {
    for (let at = begin; at < this.#count; at++) {
      this.#work.take(1)
      if (this.#choices[at] === way) return
    }
    if (this.#count === this.#choices.length) {
      this.#choices = doubled(this.#choices, 0)
      this.#slots = doubled(this.#slots, 0)
    }
    this.#choices[this.#count] = way
    this.#slots[this.#count++] = mask
  }

  /** Whether a set has a character that is `context` to assertions. */
  #has(set: number, context: number): boolean {
    const { kinds, has, context: contexts } = this.#alphabet
    for (let kind = 0; kind < kinds; kind++) {
      if (has[set * kinds + kind] === 1 && contexts[kind] === context) return true
    }
    return false
  }

  /** Leaves out ways that never lead to a match. */
  #productive(points: Points): Points {
    const { count, targetOf, first, choices, slots } = points
    const alive = new Uint8Array(count)
    for (let changed = true; changed; ) {
      changed = false
      // Points are numbered as they were reached, so most are settled in one go from the last to the first.
      for (let point = count - 1; point >= 0; point--) {
        if (alive[point] === 1) continue
        for (let at = first[point * CONTEXTS]!; at < first[(point + 1) * CONTEXTS]!; at++) {
          this.#work.take(1)
          if (choices[at] !== END && alive[targetOf[choices[at]!]!] === 0) continue
          alive[point] = 1
          changed = true
          break
        }
      }
    }
    let kept = 0
    let from = 0
    for (let cell = 0; cell < count * CONTEXTS; cell++) {
      const to = first[cell + 1]!
      first[cell] = kept
      for (; from < to; from++) {
        const way = choices[from]!
        if (way !== END && alive[targetOf[way]!] === 0) continue
        choices[kept] = way
        slots[kept++] = slots[from]!
      }
    }
    first[count * CONTEXTS] = kept
    return points
  }
}

/** What a way's characters are to assertions, for each class of bytes that is a character. */
export const CHARACTER_CONTEXTS = [NEWLINE, LETTER, OTHER] as const
