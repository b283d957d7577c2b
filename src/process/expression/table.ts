/** An automaton as the bytes that the kernel follows: see layout.ts. */
import type { Alphabet } from './alphabet.ts'
import type { Dfa } from './dfa.ts'
import {
  BYTES,
  COLUMNS,
  DEAD,
  DECIDED,
  EDGE_COLUMN,
  type EVERY,
  type FIRST,
  MODE,
  ROWS,
  SAYS_COLUMN,
  SPECIAL,
  STARTS,
  STRIDE,
} from './layout.ts'
import { MOST_KINDS, MOST_STATES, MOST_TABLE_BYTES, tooLarge } from './limits.ts'

/** The table of an automaton. Throws an `ExpressionError` if it is too large. */
export function tableOf(dfa: Dfa, alphabet: Alphabet, mode: typeof FIRST | typeof EVERY): Uint8Array {
  const { states, columns, next, says } = dfa
  if (states > MOST_STATES) throw tooLarge(`the expression needs ${states} states, and ${MOST_STATES} is the most`)
  const { columnOf, kept } = distinct(dfa)
  const edge = kept.length
  if (edge > MOST_KINDS) throw tooLarge(`the expression tells more than ${MOST_KINDS} kinds of bytes apart`)
  const stride = 2 * (edge + 2)
  const size = ROWS + states * stride
  if (size > MOST_TABLE_BYTES) {
    throw tooLarge(`the expression needs a table of ${size} bytes, and ${MOST_TABLE_BYTES} is the most`)
  }
  const order = ordered(dfa)
  const offset = new Int32Array(states)
  for (const [row, state] of order.states.entries()) offset[state] = row * stride
  const table = new Uint8Array(size)
  const view = new DataView(table.buffer)
  const put = (at: number, value: number) => view.setUint16(at, value, true)
  put(MODE, mode)
  put(SPECIAL, order.special * stride)
  put(DECIDED, order.decided * stride)
  put(DEAD, offset[0]!)
  put(EDGE_COLUMN, 2 * edge)
  put(SAYS_COLUMN, 2 * edge + 2)
  for (const [context, start] of dfa.starts.entries()) put(STARTS + 2 * context, offset[start]!)
  put(STRIDE, stride)
  view.setUint32(BYTES, size, true)
  for (let byte = 0; byte < 256; byte++) table[COLUMNS + byte] = 2 * columnOf[alphabet.classOf[byte]!]!
  for (let state = 0; state < states; state++) {
    const row = ROWS + offset[state]!
    for (const [column, original] of kept.entries()) put(row + 2 * column, offset[next[state * columns + original]!]!)
    put(row + 2 * edge, offset[next[state * columns + columns - 1]!]!)
    put(row + 2 * edge + 2, says[state]!)
  }
  return table
}

/** Columns that are the same in every row are one: which each class of bytes has, and which are kept. */
function distinct({ states, columns, next }: Dfa): { columnOf: Int32Array; kept: number[] } {
  const columnOf = new Int32Array(columns)
  const kept: number[] = []
  for (let column = 0; column < columns - 1; column++) {
    let same = 0
    for (; same < kept.length; same++) {
      let state = 0
      while (state < states && next[state * columns + column] === next[state * columns + kept[same]!]) state++
      if (state === states) break
    }
    if (same === kept.length) kept.push(column)
    columnOf[column] = same
  }
  return { columnOf, kept }
}

/** States in the order of their rows: those that say nothing, those that do, those that are the end, the dead one. */
function ordered({ states, columns, next, says }: Dfa): { states: number[]; special: number; decided: number } {
  const rank = (state: number): number => {
    if (state === 0) return 3
    if (says[state] === 0) return 0
    for (let column = 0; column < columns; column++) if (next[state * columns + column] !== 0) return 1
    return 2
  }
  const ranks = Array.from({ length: states }, (_, state) => rank(state))
  const rows = [...ranks.keys()].sort((a, b) => ranks[a]! - ranks[b]! || a - b)
  const before = (limit: number) => ranks.filter(each => each < limit).length
  return { states: rows, special: before(1), decided: before(2) }
}
