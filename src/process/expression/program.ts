/** Automata for captures as the bytes that the kernel follows: see layout.ts. */
import { type Alphabet, alphabetOf, NONE } from './alphabet.ts'
import { ANY } from './characters.ts'
import { type ExpressionError, outcome } from './failure.ts'
import * as layout from './layout.ts'
import { MOST_KINDS, MOST_MOVES, MOST_ROW_BYTES, MOST_STATES, tooLarge, Work } from './limits.ts'
import { build, EDGE, LETTER, NEWLINE, OTHER } from './nfa.ts'
import { parsed } from './parse.ts'
import { pointsOf } from './points.ts'
import { DEAD, type Move, QUIET, type Threads, threadsOf } from './threads.ts'
import type { Expression, Tree } from './tree.ts'

export interface Captures {
  readonly program: Uint8Array
  /** The names of the groups; '' where one has none. */
  readonly groups: readonly string[]
}

/** The program that finds the leftmost-first match of an expression in a text, and its groups. */
export function compileCaptures(text: string): Captures | ExpressionError {
  return outcome(() => captures(parsed(text)))
}

/** The contexts in which a match within a text may begin, in the order in which the kernel counts them. */
const WITHIN = [EDGE, NEWLINE, LETTER, OTHER]

/** The program for matches whose beginning is known, wherever it stands. Throws an `ExpressionError` if it is too large. */
export function capturesWithin({ tree, groups }: Expression, work = new Work()): Captures {
  const nfa = build([tree], work)
  const alphabet = alphabetOf(nfa, work)
  const threads = threadsOf(pointsOf(nfa, alphabet, work, WITHIN), alphabet, work)
  return { program: programOf(threads, alphabet, groups.length), groups }
}

/** The same of a tree. Throws an `ExpressionError` if it is too large. */
export function captures({ tree, groups }: Expression, work = new Work()): Captures {
  // A match begins as far to the left as it can.
  const anything: Tree = { kind: 'set', characters: ANY }
  const before: Tree = { kind: 'repeat', part: anything, least: 0, most: Number.POSITIVE_INFINITY, greedy: false }
  const nfa = build([{ kind: 'sequence', parts: [before, tree] }], work)
  const alphabet = alphabetOf(nfa, work)
  const threads = threadsOf(pointsOf(nfa, alphabet, work), alphabet, work)
  return { program: programOf(threads, alphabet, groups.length), groups }
}

function programOf(threads: Threads, alphabet: Alphabet, groups: number): Uint8Array {
  const { states, columns, next, moves } = threads
  if (states > MOST_STATES) throw tooLarge(`captures need ${states} states, and ${MOST_STATES} is the most`)
  const { columnOf, kept } = distinct(threads)
  if (kept.length > MOST_KINDS) throw tooLarge(`the expression tells more than ${MOST_KINDS} kinds of bytes apart`)
  const { offsets, words, said, masks } = movesOf(threads)
  const stride = 4 * (kept.length + 2)
  const rowBytes = states * stride
  const moveBytes = 4 * words.length
  if (rowBytes > MOST_ROW_BYTES) {
    throw tooLarge(`captures need a table of ${rowBytes} bytes, and ${MOST_ROW_BYTES} is the most`)
  }
  if (words.length > MOST_MOVES) throw tooLarge(`captures need ${words.length} moves, and ${MOST_MOVES} is the most`)
  // Loops come first, the dead state before them.
  const loops = Array.from({ length: states }, (_, state) => exits(threads, alphabet, state))
  const rank = (state: number) => (state === DEAD ? 0 : loops[state] === undefined ? 2 : 1)
  const order = [...loops.keys()].sort((a, b) => rank(a) - rank(b) || a - b)
  const offset = new Int32Array(states)
  for (const [row, state] of order.entries()) offset[state] = row * stride
  const movesAt = layout.ROWS + rowBytes
  const masksAt = movesAt + moveBytes
  const begins = threads.starts.length > 1 ? layout.BEGINS_BYTES : 0
  const program = new Uint8Array(masksAt + 4 * masks.length + begins)
  const view = new DataView(program.buffer)
  view.setUint16(layout.MODE, layout.CAPTURES, true)
  view.setUint16(layout.GROUPS, groups, true)
  view.setUint32(layout.PROGRAM_BYTES, program.length, true)
  view.setUint32(layout.MOVES, movesAt, true)
  view.setUint32(layout.MASKS, masksAt, true)
  view.setUint32(layout.START, offset[threads.starts[0]!]!, true)
  view.setUint16(layout.LAST, 4 * kept.length, true)
  view.setUint16(layout.SKIP, 4 * kept.length + 4, true)
  view.setUint32(layout.LOOPS, order.filter(state => rank(state) < 2).length * stride - 1, true)
  view.setUint16(layout.SAID, said, true)
  for (let byte = 0; byte < 256; byte++) program[layout.COLUMNS + byte] = 2 * columnOf[alphabet.classOf[byte]!]!
  for (let state = 0; state < states; state++) {
    const at = layout.ROWS + offset[state]!
    for (const [column, original] of [...kept, columns - 1].entries()) {
      const cell = state * columns + original
      const entry = (offset[next[cell]!]! | (offsets[moves[cell]!]! << layout.ROW_BITS)) >>> 0
      view.setUint32(at + 4 * column, entry, true)
    }
    program.set(loops[state] ?? [], at + 4 * kept.length + 4)
  }
  for (const [at, word] of words.entries()) view.setUint32(movesAt + 4 * at, word, true)
  for (const [at, mask] of masks.entries()) view.setInt32(masksAt + 4 * at, mask, true)
  if (begins > 0) {
    for (const [context, start] of threads.starts.entries()) {
      view.setUint32(program.length - begins + 4 * context, offset[start]!, true)
    }
  }
  return program
}

/** Columns of bytes that are the same in every row are one. */
function distinct({ columns, next, moves }: Threads): { columnOf: number[]; kept: number[] } {
  const equal = (one: number, other: number) => {
    for (let at = 0; at < next.length; at += columns) {
      if (next[at + one] !== next[at + other] || moves[at + one] !== moves[at + other]) return false
    }
    return true
  }
  const columnOf: number[] = []
  const kept: number[] = []
  for (let column = 0; column < columns - 1; column++) {
    const same = kept.findIndex(other => equal(column, other))
    columnOf.push(same < 0 ? kept.push(column) - 1 : same)
  }
  return { columnOf, kept }
}

/** The bytes that lead out of a loop, if there are at most four; the first fills up what is missing. */
function exits({ columns, next, moves }: Threads, { classOf }: Alphabet, state: number): number[] | undefined {
  const found: number[] = []
  for (let byte = 0; byte < 256; byte++) {
    const at = state * columns + classOf[byte]!
    if ((next[at] !== state || moves[at] !== QUIET) && found.push(byte) > 4) return undefined
  }
  while (found.length < 4) found.push(found[0] ?? 0x0a)
  return found
}

/** The words of all moves: where each begins, and the first that says that something matches. */
function movesOf({ next, moves, moved }: Threads) {
  const used = new Set<number>([QUIET])
  for (let at = 0; at < next.length; at++) used.add(moves[at]!)
  const numbers = new Map<number, number>()
  const numberOf = (mask: number) => {
    let number = numbers.get(mask)
    if (number === undefined) {
      number = numbers.size
      numbers.set(mask, number)
    }
    return number
  }
  // The quiet move is a word that is never read: nothing else has its place.
  const words: number[] = [0]
  const offsets: number[] = []
  const lay = (move: number, { said, mask, origins }: Move) => {
    offsets[move] = words.length
    words.push(said === NONE ? layout.NOTHING : word(said, numberOf(mask)))
    for (let at = 0; at < origins.length; at += 2) words.push(word(origins[at]!, numberOf(origins[at + 1]!)))
  }
  for (const move of used) if (move !== QUIET && moved[move]!.said === NONE) lay(move, moved[move]!)
  const said = words.length
  for (const move of used) if (move !== QUIET && moved[move]!.said !== NONE) lay(move, moved[move]!)
  offsets[QUIET] = 0
  return { offsets, words, said, masks: [...numbers.keys()] }
}

const word = (thread: number, mask: number) => (thread | (mask << 16)) >>> 0
