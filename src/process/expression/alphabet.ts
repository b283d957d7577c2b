/**
 * Which bytes a character is: the kinds of characters that an automaton tells apart, and how UTF-8 spells them.
 *
 *     é is c3 a9        c3 ─► node ─ a9 ─► kind of é        a node has a row for each of the 64 bytes that may go on
 *     bytes c3 41       c3 ─► node ─ 41 ─► nothing: c3 was no character, and counts as one U+FFFD
 *
 * A text is read as a decoder reads it (WHATWG Encoding Standard): each maximal subpart that is no UTF-8 is one U+FFFD.
 * So an expression sees what is delivered, a character is never split, and a set contains what is no UTF-8 if and only
 * if it contains U+FFFD: `.` and `[^a]` do, `[a-z]` does not.
 *
 * Characters that every set has, or that none has, are of one kind; bytes that every node treats alike are of one
 * class.
 */
import { HIGHEST, REPLACEMENT, WORD } from './characters.ts'
import type { Work } from './limits.ts'
import { contextOf, LETTER, type Nfa, OTHER } from './nfa.ts'

/** Bytes that may go on: 80 to bf. */
export const TAILS = 64
export const NONE = -1

export interface Alphabet {
  readonly kinds: number
  /** Whether a set has a kind: `set * kinds + kind`. */
  readonly has: Uint8Array
  /** What an assertion sees of a kind. */
  readonly context: Uint8Array
  /** The kind of what is no UTF-8. */
  readonly replacement: number
  /** Whether a set has any character that is not ASCII. */
  readonly wide: Uint8Array
  /** For each node 64 rows: the next node, or the kind of a character that ends here; `NONE` if this is no UTF-8. */
  readonly rows: Int32Array
  /** Whether the rows of a node are kinds. */
  readonly last: Uint8Array
  readonly classes: number
  readonly classOf: Uint8Array
  /** For each class: the kind of a byte that is a character, or `NONE`; the node of one that begins one, or `NONE`. */
  readonly kindOf: Int32Array
  readonly nodeOf: Int32Array
  /** Its row in a node, or `NONE` if it never goes on. */
  readonly tailOf: Int32Array
}

export function alphabetOf(nfa: Nfa, work: Work): Alphabet {
  const { starts, kindOf: kindAt, kinds, has } = kindsOf(nfa, work)
  /** The segment that `character` is in. */
  const segmentOf = (character: number): number => {
    let low = 0
    let high = starts.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (starts[middle]! <= character) low = middle
      else high = middle - 1
    }
    return low
  }
  const context = new Uint8Array(kinds).fill(OTHER)
  for (let segment = 0; segment < starts.length; segment++) {
    const seen = contextOf(starts[segment]!)
    if (seen === LETTER ? nfa.letters : nfa.newlines) context[kindAt[segment]!] = seen
  }
  const replacement = kindAt[segmentOf(REPLACEMENT)]!
  const wide = new Uint8Array(nfa.sets.length)
  for (const [set, characters] of nfa.sets.entries()) wide[set] = Number((characters.at(-1) ?? 0) > 0x7f)

  const nodes = new Nodes(starts, kindAt, segmentOf, work)
  const leads = new Int32Array(256).fill(NONE)
  for (let byte = 0xc2; byte <= 0xdf; byte++) leads[byte] = nodes.node((byte & 0x1f) << 6, 1, 0x80)
  for (let byte = 0xe0; byte <= 0xef; byte++) leads[byte] = nodes.node((byte & 0x0f) << 12, 2, 0x800)
  for (let byte = 0xf0; byte <= 0xf4; byte++) leads[byte] = nodes.node((byte & 0x07) << 18, 3, 0x10000)

  // Classes: bytes are split by what they are, then by the rows of each node.
  const classOf = new Uint8Array(256)
  let classes = 1
  const split = (keyOf: (byte: number) => number) => {
    const known = new Map<number, number>()
    work.take(256)
    for (let byte = 0; byte < 256; byte++) {
      const key = keyOf(byte) * 256 + classOf[byte]!
      if (!known.has(key)) known.set(key, known.size)
      classOf[byte] = known.get(key)!
    }
    classes = known.size
  }
  split(byte => (byte < 0x80 ? 1 + kindAt[segmentOf(byte)]! : 0))
  split(byte => (byte >= 0x80 && byte < 0xc0 ? 1 : 2 + leads[byte]! + 1))
  for (let node = 0; node < nodes.count; node++) {
    split(byte => (byte >= 0x80 && byte < 0xc0 ? 2 + nodes.rows[node * TAILS + byte - 0x80]! : 0))
  }
  const kindOf = new Int32Array(classes).fill(NONE)
  const nodeOf = new Int32Array(classes).fill(NONE)
  const tailOf = new Int32Array(classes).fill(NONE)
  for (let byte = 0; byte < 256; byte++) {
    const known = classOf[byte]!
    if (byte < 0x80) kindOf[known] = kindAt[segmentOf(byte)]!
    else if (byte < 0xc0) tailOf[known] = byte - 0x80
    else nodeOf[known] = leads[byte]!
  }
  const { rows, last } = nodes.finish()
  return { kinds, has, context, replacement, wide, rows, last, classes, classOf, kindOf, nodeOf, tailOf }
}

interface Kinds {
  /** Where each segment of code points begins: its characters are of one kind. */
  readonly starts: Int32Array
  readonly kindOf: Int32Array
  readonly kinds: number
  readonly has: Uint8Array
}

function kindsOf(nfa: Nfa, work: Work): Kinds {
  const cuts = new Set([0, 0x80])
  const cut = (characters: readonly number[]) => {
    for (let at = 0; at < characters.length; at += 2) cuts.add(characters[at]!).add(characters[at + 1]! + 1)
  }
  for (const set of nfa.sets) cut(set)
  if (nfa.letters) cut(WORD)
  if (nfa.newlines) cut([0x0a, 0x0a])
  cuts.delete(HIGHEST + 1)
  const starts = Int32Array.from(cuts).sort()
  let kindOf = new Int32Array(starts.length)
  let kinds = 1
  const split = (keyOf: (segment: number) => number) => {
    const known = new Map<number, number>()
    work.take(starts.length)
    kindOf = kindOf.map((kind, segment) => {
      const key = kind * 8 + keyOf(segment)
      if (!known.has(key)) known.set(key, known.size)
      return known.get(key)!
    })
    kinds = known.size
  }
  if (nfa.letters || nfa.newlines) split(segment => contextOf(starts[segment]!))
  const inside = new Uint8Array(starts.length)
  for (const set of nfa.sets) {
    members(set, starts, inside)
    split(segment => inside[segment]!)
  }
  const has = new Uint8Array(nfa.sets.length * kinds)
  for (const [number, set] of nfa.sets.entries()) {
    members(set, starts, inside)
    for (let segment = 0; segment < starts.length; segment++) has[number * kinds + kindOf[segment]!] = inside[segment]!
  }
  return { starts, kindOf, kinds, has }
}

/** Which segments are in `set`; both are sorted, and no segment is half in it. */
function members(set: readonly number[], starts: Int32Array, inside: Uint8Array): void {
  let range = 0
  for (let segment = 0; segment < starts.length; segment++) {
    while (range < set.length && set[range + 1]! < starts[segment]!) range += 2
    inside[segment] = Number(range < set.length && set[range]! <= starts[segment]!)
  }
}

/** The nodes of the decoder, each once however many bytes lead there. */
class Nodes {
  readonly #starts: Int32Array
  readonly #kindOf: Int32Array
  readonly #segmentOf: (character: number) => number
  readonly #work: Work
  /** Nodes of which every row leads to one kind, by how many bytes are missing and the kind. */
  readonly #uniform = new Map<number, number>()
  readonly #last: number[] = []
  #rows = new Int32Array(8 * TAILS)

  constructor(starts: Int32Array, kindOf: Int32Array, segmentOf: (character: number) => number, work: Work) {
    this.#starts = starts
    this.#kindOf = kindOf
    this.#segmentOf = segmentOf
    this.#work = work
  }

  get count(): number {
    return this.#last.length
  }

  get rows(): Int32Array {
    return this.#rows
  }

  finish(): { rows: Int32Array; last: Uint8Array } {
    return { rows: this.#rows.subarray(0, this.count * TAILS), last: Uint8Array.from(this.#last) }
  }

  /**
   * The node for the characters from `base` on of which `missing` bytes are missing; those below `lowest` are shorter.
   */
  node(base: number, missing: number, lowest: number): number {
    this.#work.take(TAILS)
    const size = 1 << (6 * (missing - 1))
    const row = new Int32Array(TAILS)
    for (let tail = 0; tail < TAILS; tail++) {
      const first = base + tail * size
      row[tail] = this.#row(first, first + size - 1, missing - 1, lowest)
    }
    return this.#intern(row, missing === 1)
  }

  #row(first: number, last: number, missing: number, lowest: number): number {
    if (first < lowest || first > HIGHEST || (first >= 0xd800 && last <= 0xdfff)) return NONE
    const segment = this.#segmentOf(first)
    const kind = this.#kindOf[segment]!
    if (missing === 0) return kind
    for (let other = segment + 1; other < this.#starts.length && this.#starts[other]! <= last; other++) {
      this.#work.take(1)
      if (this.#kindOf[other] !== kind) return this.node(first, missing, lowest)
    }
    const key = kind * 4 + missing
    let known = this.#uniform.get(key)
    if (known === undefined) {
      known = this.node(first, missing, lowest)
      this.#uniform.set(key, known)
    }
    return known
  }

  #intern(row: Int32Array, last: boolean): number {
    const end = Number(last)
    for (let node = 0; node < this.count; node++) {
      if (this.#last[node] !== end) continue
      let tail = 0
      while (tail < TAILS && this.#rows[node * TAILS + tail] === row[tail]) tail++
      this.#work.take(1 + (tail >> 3))
      if (tail === TAILS) return node
    }
    if ((this.count + 1) * TAILS > this.#rows.length) {
      const grown = new Int32Array(2 * this.#rows.length)
      grown.set(this.#rows)
      this.#rows = grown
    }
    this.#rows.set(row, this.count * TAILS)
    return this.#last.push(end) - 1
  }
}
