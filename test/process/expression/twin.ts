/** The matcher in plain TypeScript, and a decoder that says where each character begins. */
import {
  COLUMNS,
  DEAD,
  DECIDED,
  EDGE_COLUMN,
  GROUPS,
  LAST,
  MASKS,
  MOVES,
  NOTHING,
  ROW_BITS,
  ROWS,
  SAYS_COLUMN,
  SPECIAL,
  START,
  STARTS,
} from '../../../src/process/expression/layout.ts'

const isLetter = (byte: number) => /\w/.test(String.fromCharCode(byte))

/** What a table says at each place of text[at …], the end included, until nothing can change. */
function* said(table: Uint8Array, text: Uint8Array, at: number): Generator<readonly [place: number, says: number]> {
  const view = new DataView(table.buffer, table.byteOffset)
  const field = (offset: number) => view.getUint16(offset, true)
  const before = text[at - 1]
  const context = before === undefined ? 0 : before === 10 ? 1 : isLetter(before) ? 2 : 3
  let state = field(STARTS + 2 * context)
  for (let place = at; place <= text.length; place++) {
    const column = place === text.length ? field(EDGE_COLUMN) : table[COLUMNS + text[place]!]!
    state = field(ROWS + state + column)
    if (state === field(DEAD)) return
    if (state >= field(SPECIAL)) yield [place, field(ROWS + state + field(SAYS_COLUMN))]
    if (state >= field(DECIDED)) return
  }
}

/** Where the match at `at` ends and whose it is. */
export function longest(table: Uint8Array, text: Uint8Array, at: number): { end: number; rule: number } | undefined {
  const last = [...said(table, text, at)].at(-1)
  return last && { end: last[0], rule: last[1] - 1 }
}

/** A bit for each expression that matches at the head. */
export function accepts(table: Uint8Array, text: Uint8Array): number {
  return [...said(table, text, 0)].reduce((mask, [, says]) => mask | says, 0)
}

/** The last place at which a table says something about a text. */
export function lastSaid(table: Uint8Array, text: Uint8Array): number | undefined {
  return [...said(table, text, 0)].at(-1)?.[0]
}

export type Span = readonly [from: number, to: number] | null

/** The spans of the groups, and how many steps it took to find them: bytes read, and notes read again. */
export function captured(program: Uint8Array, text: Uint8Array): { spans: Span[] | undefined; steps: number } {
  const view = new DataView(program.buffer, program.byteOffset)
  const moves = view.getUint32(MOVES, true)
  const notes: { place: number; move: number }[] = []
  let state = view.getUint32(START, true)
  let best = -1
  let steps = 0
  for (let place = 0; place <= text.length && state !== 0; place++, steps++) {
    const column = place === text.length ? view.getUint16(LAST, true) : 2 * program[COLUMNS + text[place]!]!
    const entry = view.getUint32(ROWS + state + column, true)
    const move = entry >>> ROW_BITS
    if (move !== 0) notes.push({ place, move })
    if (move !== 0 && view.getUint32(moves + 4 * move, true) !== NOTHING) best = notes.length - 1
    state = entry & ((1 << ROW_BITS) - 1)
  }
  if (best < 0) return { spans: undefined, steps }
  const slots = new Map<number, number>()
  let word = 0
  for (let note = best; note >= 0; note--, steps++) {
    const { place, move } = notes[note]!
    const origin = view.getUint32(moves + 4 * (move + word), true)
    const mask = view.getUint32(view.getUint32(MASKS, true) + 4 * (origin >>> 16), true)
    for (let slot = 0; slot < 32; slot++) if (((mask >>> slot) & 1) === 1 && !slots.has(slot)) slots.set(slot, place)
    word = (origin & 0xffff) + 1
  }
  const groups = view.getUint16(GROUPS, true)
  const span = (group: number): Span => {
    const [from, to] = [slots.get(2 * group), slots.get(2 * group + 1)]
    return from === undefined || to === undefined ? null : [from, to]
  }
  return { spans: Array.from({ length: groups }, (_, group) => span(group)), steps }
}

/** Where each character of a text begins, the end included; each maximal subpart that is no UTF-8 is one. */
export function boundaries(text: Uint8Array): number[] {
  const found: number[] = []
  let at = 0
  while (at < text.length) {
    found.push(at)
    const lead = text[at++]!
    const tails =
      lead >= 0xf0 && lead <= 0xf4 ? 3 : lead >= 0xe0 && lead < 0xf0 ? 2 : lead >= 0xc2 && lead < 0xe0 ? 1 : 0
    for (let tail = 0; tail < tails; tail++) {
      let [low, high] = [0x80, 0xbf]
      if (tail === 0 && lead === 0xe0) low = 0xa0
      if (tail === 0 && lead === 0xed) high = 0x9f
      if (tail === 0 && lead === 0xf0) low = 0x90
      if (tail === 0 && lead === 0xf4) high = 0x8f
      const byte = text[at]
      if (byte === undefined || byte < low || byte > high) break
      at++
    }
  }
  return [...found, at]
}

/** The text as it is delivered, and for each index of it the byte that it begins at. */
export function decoded(text: Uint8Array): { string: string; offsets: number[] } {
  const places = boundaries(text)
  const offsets: number[] = []
  let string = ''
  for (let index = 0; index + 1 < places.length; index++) {
    const character = new TextDecoder('utf-8', { ignoreBOM: true }).decode(
      text.subarray(places[index]!, places[index + 1]!),
    )
    for (let unit = 0; unit < character.length; unit++) offsets.push(places[index]!)
    string += character
  }
  return { string, offsets: [...offsets, text.length] }
}
