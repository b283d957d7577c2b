/**
 * The automaton with choices: a tree as places that lead to one another, in typed arrays.
 *
 *     a(b|c)*      0 match   1 split → 5, 0   2 save →1   3 set b → 2   4 set c → 2   …
 *
 * It is about characters; `alphabet.ts` says which bytes those are. A split prefers its first way, so the order in
 * which places are reached is the order in which a match is preferred (leftmost-first, as RE2 has it).
 */

import type { Characters } from './characters.ts'
import { WORD } from './characters.ts'
import { MOST_PLACES, tooLarge, type Work } from './limits.ts'
import { type Assertion, nullable, type Tree } from './tree.ts'

export const SET = 0
export const SPLIT = 1
export const SAVE = 2
export const ASSERT = 3
export const MATCH = 4

/** What stands before or behind a place in the text, as far as an assertion can see. */
export const EDGE = 0
export const NEWLINE = 1
export const LETTER = 2
export const OTHER = 3
export const CONTEXTS = 4

const ASSERTIONS: readonly Assertion[] = ['text-start', 'text-end', 'line-start', 'line-end', 'boundary', 'no-boundary']

export interface Nfa {
  readonly count: number
  readonly start: number
  readonly op: Uint8Array
  /** Where it leads, the preferred way first. */
  readonly to: Int32Array
  readonly or: Int32Array
  /** Number of a set, a slot, an assertion or a rule. */
  readonly what: Int32Array
  readonly sets: readonly Characters[]
  /** Whether some assertion looks at letters, and whether one looks at line feeds. */
  readonly letters: boolean
  readonly newlines: boolean
  readonly asserts: boolean
}

/** Whether an assertion holds between two contexts. */
export function holds(what: number, before: number, behind: number): boolean {
  switch (ASSERTIONS[what]!) {
    case 'text-start':
      return before === EDGE
    case 'text-end':
      return behind === EDGE
    case 'line-start':
      return before === EDGE || before === NEWLINE
    case 'line-end':
      return behind === EDGE || behind === NEWLINE
    case 'boundary':
      return (before === LETTER) !== (behind === LETTER)
    case 'no-boundary':
      return (before === LETTER) === (behind === LETTER)
  }
}

/** The context that a character is. */
export function contextOf(character: number): number {
  if (character === 0x0a) return NEWLINE
  for (let at = 0; at < WORD.length; at += 2) {
    if (character >= WORD[at]! && character <= WORD[at + 1]!) return LETTER
  }
  return OTHER
}

/** The automaton of several expressions, of which the first is preferred; rule `n` matches where the n-th does. */
export function build(trees: readonly Tree[], work: Work): Nfa {
  const builder = new Builder(work)
  let start = -1
  for (let rule = trees.length - 1; rule >= 0; rule--) {
    const entry = builder.tree(trees[rule]!, builder.place(MATCH, -1, -1, rule))
    start = start < 0 ? entry : builder.place(SPLIT, entry, start, 0)
  }
  return builder.finish(start)
}

class Builder {
  readonly #work: Work
  readonly #sets: Characters[] = []
  readonly #numbers = new Map<string, number>()
  #op = new Uint8Array(64)
  #to = new Int32Array(64)
  #or = new Int32Array(64)
  #what = new Int32Array(64)
  #count = 0

  constructor(work: Work) {
    this.#work = work
  }

  place(op: number, to: number, or: number, what: number): number {
    if (this.#count === MOST_PLACES) throw tooLarge(`the expression needs more than ${MOST_PLACES} places`)
    if (this.#count === this.#op.length) {
      const size = 2 * this.#count
      const grown = <T extends Uint8Array | Int32Array>(into: T, from: T): T => {
        into.set(from)
        return into
      }
      this.#op = grown(new Uint8Array(size), this.#op)
      this.#to = grown(new Int32Array(size), this.#to)
      this.#or = grown(new Int32Array(size), this.#or)
      this.#what = grown(new Int32Array(size), this.#what)
    }
    this.#op[this.#count] = op
    this.#to[this.#count] = to
    this.#or[this.#count] = or
    this.#what[this.#count] = what
    return this.#count++
  }

  /** The place where `tree` begins, if `next` is what follows it. */
  tree(tree: Tree, next: number): number {
    this.#work.take(1)
    switch (tree.kind) {
      case 'empty':
        return next
      case 'set':
        return this.place(SET, next, -1, this.#set(tree.characters))
      case 'sequence':
        return tree.parts.reduceRight((behind, part) => this.tree(part, behind), next)
      case 'choice': {
        let entry = this.tree(tree.parts.at(-1)!, next)
        for (let part = tree.parts.length - 2; part >= 0; part--) {
          entry = this.place(SPLIT, this.tree(tree.parts[part]!, next), entry, 0)
        }
        return entry
      }
      case 'repeat':
        return this.#repeat(tree, next)
      case 'group': {
        const inner = this.tree(tree.part, this.place(SAVE, next, -1, 2 * tree.index + 1))
        return this.place(SAVE, inner, -1, 2 * tree.index)
      }
      case 'assertion':
        return this.place(ASSERT, next, -1, ASSERTIONS.indexOf(tree.what))
    }
  }

  #repeat({ part, least, most, greedy }: Tree & { kind: 'repeat' }, next: number): number {
    const fork = (on: number) => this.place(SPLIT, greedy ? on : next, greedy ? next : on, 0)
    let entry = next
    let copies = least
    if (most === Number.POSITIVE_INFINITY) {
      const loop = fork(-1)
      const body = this.tree(part, loop)
      if (greedy) this.#to[loop] = body
      else this.#or[loop] = body
      // What matches without a character must be tried once before it is left, or its preference would be lost.
      if (least === 0) return nullable(part) ? fork(body) : loop
      entry = body
      copies--
    } else {
      for (let optional = most; optional > least; optional--) entry = fork(this.tree(part, entry))
    }
    for (; copies > 0; copies--) entry = this.tree(part, entry)
    return entry
  }

  #set(characters: Characters): number {
    const key = characters.join()
    let number = this.#numbers.get(key)
    if (number === undefined) {
      number = this.#sets.push(characters) - 1
      this.#numbers.set(key, number)
    }
    return number
  }

  finish(start: number): Nfa {
    const count = this.#count
    const asserted = new Set<Assertion>()
    for (let place = 0; place < count; place++) {
      if (this.#op[place] === ASSERT) asserted.add(ASSERTIONS[this.#what[place]!]!)
    }
    return {
      count,
      start,
      op: this.#op.subarray(0, count),
      to: this.#to.subarray(0, count),
      or: this.#or.subarray(0, count),
      what: this.#what.subarray(0, count),
      sets: this.#sets,
      letters: asserted.has('boundary') || asserted.has('no-boundary'),
      newlines: asserted.has('line-start') || asserted.has('line-end'),
      asserts: asserted.size > 0,
    }
  }
}
