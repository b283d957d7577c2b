/** Automata for captures as the bytes that the kernel follows: see layout.ts. */
import { type Alphabet, alphabetOf } from './alphabet.ts'
import { ANY } from './characters.ts'
import { type ExpressionError, outcome } from './failure.ts'
import * as layout from './layout.ts'
import { MOST_KINDS, MOST_TABLE_BYTES, tooLarge, Work } from './limits.ts'
import { build, CONTEXTS, EDGE } from './nfa.ts'
import { type OnePass, onePass } from './onepass.ts'
import { parsed } from './parse.ts'
import { END, type Points, pointsOf } from './points.ts'
import type { Expression, Tree } from './tree.ts'
import { type TwoPass, twoPass } from './twopass.ts'

export interface Captures {
  readonly program: Uint8Array
  /** The names of the groups; '' where one has none. */
  readonly groups: readonly string[]
  readonly passes: 1 | 2
}

/** The program that finds the leftmost-first match of an expression in a text, and its groups. */
export function compileCaptures(text: string): Captures | ExpressionError {
  return outcome(() => captures(parsed(text)))
}

/** The same of a tree. Throws an `ExpressionError` if it is too large; `passes` is for tests of one or the other. */
export function captures({ tree, groups }: Expression, work = new Work(), passes?: 2): Captures {
  const anything: Tree = { kind: 'set', characters: ANY }
  const many = (greedy: boolean): Tree => {
    return { kind: 'repeat', part: anything, least: 0, most: Number.POSITIVE_INFINITY, greedy }
  }
  // A match begins as far to the left as it can.
  const found: Tree = { kind: 'sequence', parts: [many(false), tree] }
  if (passes !== 2) {
    const nfa = build([found], work)
    const alphabet = alphabetOf(nfa, work)
    const one = onePass(pointsOf(nfa, alphabet, work), alphabet, work)
    const program = one && onePassProgram(one, alphabet, groups.length)
    if (program !== undefined) return { program, groups, passes: 1 }
  }
  const nfa = build([{ kind: 'sequence', parts: [found, many(true)] }], work)
  const alphabet = alphabetOf(nfa, work)
  const points = pointsOf(nfa, alphabet, work)
  const two = twoPass(points, alphabet, work)
  return { program: twoPassProgram(two, points, alphabet, groups.length), groups, passes: 2 }
}

/** Which columns of `columns` are the same, row by row; those behind `merged` are kept as they are. */
function distinct(
  columns: number,
  merged: number,
  rows: readonly Int32Array[],
): { columnOf: number[]; kept: number[] } {
  const columnOf: number[] = []
  const kept: number[] = []
  for (let column = 0; column < columns; column++) {
    let number = column < merged ? kept.findIndex(other => equal(rows, columns, column, other)) : -1
    if (number < 0) number = kept.push(column) - 1
    columnOf.push(number)
  }
  return { columnOf, kept }
}

function equal(rows: readonly Int32Array[], columns: number, one: number, other: number): boolean {
  return rows.every(row => {
    for (let at = 0; at < row.length; at += columns) if (row[at + one] !== row[at + other]) return false
    return true
  })
}

/** The bytes that lead out of a loop, if there are at most three; the first fills up what is missing. */
function exits(leaves: (byte: number) => boolean): readonly number[] | undefined {
  const found: number[] = []
  for (let byte = 0; byte < 256; byte++) {
    if (leaves(byte) && found.push(byte) > 3) return undefined
  }
  while (found.length < 3) found.push(found[0] ?? 0x0a)
  return found
}

function onePassProgram(one: OnePass, alphabet: Alphabet, groups: number): Uint8Array | undefined {
  const { states, columns, next, slots } = one
  const { columnOf, kept } = distinct(columns, columns - 1, [next, slots])
  if (kept.length > MOST_KINDS) return undefined
  // Loops come first. What is no row at all has none.
  const rowsFrom = layout.DONE + 1
  const loops: (readonly number[] | undefined)[] = []
  for (let state = rowsFrom; state < states; state++) {
    loops[state] = exits(byte => {
      const at = state * columns + alphabet.classOf[byte]!
      return next[at] !== state || slots[at] !== 0
    })
  }
  const order = [...loops.keys()].slice(rowsFrom).sort((a, b) => Number(!loops[a]) - Number(!loops[b]) || a - b)
  const stride = 4 * (kept.length + 1)
  const last = layout.FIRST_ROW + order.length * stride
  const masks = new Map<number, number>([[0, 0]])
  for (const mask of slots) if (!masks.has(mask)) masks.set(mask, masks.size)
  const masksAt = layout.ROWS + order.length * stride
  const size = masksAt + 4 * masks.size
  if (last > 0xffff || size > MOST_TABLE_BYTES) return undefined
  const offset = new Map<number, number>([
    [layout.FAILED, layout.FAILED],
    [layout.DONE, layout.DONE],
  ])
  for (const [row, state] of order.entries()) offset.set(state, layout.FIRST_ROW + row * stride)
  const program = new Uint8Array(size)
  const view = new DataView(program.buffer)
  view.setUint16(layout.MODE, layout.ONE_PASS, true)
  view.setUint16(layout.GROUPS, groups, true)
  view.setUint32(layout.PROGRAM_BYTES, size, true)
  view.setUint32(layout.PROGRAM_ROWS, layout.ROWS - layout.FIRST_ROW, true)
  view.setUint32(layout.MASKS, masksAt, true)
  view.setUint16(layout.START, offset.get(one.start)!, true)
  view.setUint16(layout.LAST, 4 * (kept.length - 1), true)
  view.setUint16(layout.SKIP, 4 * kept.length, true)
  view.setUint16(layout.LOOPS, layout.FIRST_ROW + loops.filter(each => each !== undefined).length * stride, true)
  for (let byte = 0; byte < 256; byte++) program[layout.COLUMNS + byte] = 2 * columnOf[alphabet.classOf[byte]!]!
  for (const [row, state] of order.entries()) {
    const at = layout.ROWS + row * stride
    for (const [column, original] of kept.entries()) {
      view.setUint16(at + 4 * column, offset.get(next[state * columns + original]!)!, true)
      view.setUint16(at + 4 * column + 2, masks.get(slots[state * columns + original]!)!, true)
    }
    program.set(loops[state] ?? [], at + 4 * kept.length)
  }
  for (const [mask, number] of masks) view.setUint32(masksAt + 4 * number, mask >>> 0, true)
  return program
}

function twoPassProgram(two: TwoPass, points: Points, alphabet: Alphabet, groups: number): Uint8Array {
  const { states, columns, next, words } = two
  const { columnOf, kept } = distinct(columns, columns, [next])
  if (kept.length > MOST_KINDS) throw tooLarge(`the expression tells more than ${MOST_KINDS} kinds of bytes apart`)
  const stride = 2 * (kept.length + 3)
  const lists = listsOf(points, two.settled)
  const setsAt = layout.ROWS + states * stride
  const choicesAt = setsAt + 4 * states * words
  const size = choicesAt + 8 * lists.count
  const tables = [states * stride, 4 * states * words, 8 * lists.count]
  if (tables.some(bytes => bytes > MOST_TABLE_BYTES)) {
    throw tooLarge(`captures need tables of ${tables.join(' and ')} bytes, and ${MOST_TABLE_BYTES} is the most`)
  }
  const program = new Uint8Array(size)
  const view = new DataView(program.buffer)
  view.setUint16(layout.MODE, layout.TWO_PASS, true)
  view.setUint16(layout.GROUPS, groups, true)
  view.setUint32(layout.PROGRAM_BYTES, size, true)
  view.setUint32(layout.PROGRAM_ROWS, layout.ROWS, true)
  view.setUint32(layout.SETS, setsAt, true)
  view.setUint16(layout.START, two.start * stride, true)
  view.setUint16(layout.LAST, two.dead * stride, true)
  view.setUint16(layout.SKIP, 2 * kept.length, true)
  view.setUint16(layout.LOOPS, 2 * kept.length + 4, true)
  view.setUint32(layout.CHOICES, choicesAt, true)
  view.setUint16(layout.HEAD, lists.first[points.start]!, true)
  view.setUint16(layout.SET_BYTES, 4 * words, true)
  for (let byte = 0; byte < 256; byte++) program[layout.COLUMNS + byte] = 2 * columnOf[alphabet.classOf[byte]!]!
  for (let state = 0; state < states; state++) {
    const at = layout.ROWS + state * stride
    for (const [column, original] of kept.entries()) {
      view.setUint16(at + 2 * column, next[state * columns + original]! * stride, true)
    }
    const leaves = exits(byte => next[state * columns + alphabet.classOf[byte]!] !== state)
    if (leaves !== undefined) program.set([...leaves, 1], at + 2 * kept.length)
    view.setUint16(at + 2 * kept.length + 4, state, true)
  }
  for (const [at, word] of two.sets.entries()) view.setInt32(setsAt + 4 * at, word, true)
  for (let choice = 0; choice < lists.count; choice++) {
    const at = choicesAt + 8 * choice
    view.setUint16(at, lists.bits[choice]!, true)
    view.setUint16(at + 2, lists.targets[choice]!, true)
    view.setInt32(at + 4, lists.slots[choice]!, true)
  }
  return program
}

/** The choices of all points, one list behind the other: the bit of a way, where it leads, its slots. */
function listsOf(points: Points, settled: Uint8Array) {
  const bits: number[] = []
  const leads: (number | undefined)[] = []
  const slots: number[] = []
  const first: number[] = []
  for (let point = 0; point < points.count; point++) {
    first.push(bits.length)
    for (let at = points.first[point * CONTEXTS]!; at < points.first[(point + 1) * CONTEXTS]!; at++) {
      const way = points.choices[at]!
      if (way === END && at >= points.first[point * CONTEXTS + EDGE + 1]!) continue
      const target = way === END ? undefined : points.targetOf[way]!
      bits.push(way === END ? points.ways : way)
      leads.push(target !== undefined && settled[target] === 0 ? target : undefined)
      slots.push(points.slots[at]!)
    }
    bits.push(layout.NO_WAY)
    leads.push(undefined)
    slots.push(0)
  }
  // Where a list is too far, there are too many for a table anyway.
  const targets = leads.map(target =>
    target === undefined ? layout.FINISHED : Math.min(first[target]!, layout.FINISHED),
  )
  return { count: bits.length, bits, targets, slots, first }
}
