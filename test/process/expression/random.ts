/** Random expressions and texts that fit them, from a seed: the same seed, the same run. */

export type Random = (below: number) => number

/** Mulberry32. */
export function random(seed: number): Random {
  let state = seed >>> 0
  return below => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

const pick = <T>(from: readonly T[], next: Random): T => from[next(from.length)]!

const ATOMS = [
  'a',
  'b',
  'c',
  'K',
  '[ab]',
  '[^a]',
  '.',
  '\\d',
  ' ',
  'é',
  '[a-c]',
  '\\S',
  '\\w',
  '\\W',
  '[^é]',
  '€',
  '😀',
]
ATOMS.push(
  '[é-€]',
  '[^\\n]',
  '\\n',
  '\\x{FFFD}',
  '[[:alpha:]]',
  '[[:^alpha:]b]',
  '(?i:k)',
  '(?s:.)',
  '(?i:[^s])',
  '\\s',
)
const REPEATS = ['', '', '', '', '*', '+', '?', '*?', '+?', '??', '{1,3}', '{2}', '{0,2}?', '{2,}']
const ASSERTIONS = ['^', '$', '\\b', '\\B', '\\A', '\\z', '(?m:^)', '(?m:$)']

/** An expression of at most six groups that capture. */
export function expression(next: Random): string {
  let groups = 0
  const some = (depth: number): string => {
    let text = ''
    for (let left = 1 + next(3); left > 0; left--) {
      const kind = next(20)
      if (kind < 9 || depth === 0) text += pick(ATOMS, next) + pick(REPEATS, next)
      else if (kind < 10) text += pick(ASSERTIONS, next)
      else if (kind < 14 && groups < 6) {
        groups++
        text += `(${some(depth - 1)})${pick(['', '', '?', '*', '+', '{0,2}'], next)}`
      } else if (kind < 17) text += `(?:${some(depth - 1)}|${next(5) === 0 ? '' : some(depth - 1)})`
      else text += `(?:${some(depth - 1)})${pick(['*', '+', '{0,2}', '*?', '+?', '??'], next)}`
    }
    return text
  }
  const flags = pick(['', '', '', '', '(?i)', '(?s)', '(?m)', '(?U)', '(?is)'], next)
  return `${flags}${next(4) === 0 ? '^' : ''}${some(2)}${next(4) === 0 ? '$' : ''}`
}

const PIECES = [
  'a',
  'b',
  'c',
  '1',
  ' ',
  'é',
  'x',
  'aa',
  'ab',
  'K',
  'k',
  '€',
  '😀',
  '\n',
  '_',
  'ſ',
  's',
  '\u212a',
  '\ufffd',
]
const BROKEN = ['c3', 'e282', 'f09f98', 'eda080', 'c0af', 'ff', '80', 'e0', 'f48f', 'a9', '82ac']

/** A text of at most 13 pieces, one in three of which has bytes that are no UTF-8. */
export function text(next: Random): Buffer {
  const broken = next(3) === 0
  const pieces: Buffer[] = []
  for (let left = next(14); left > 0; left--) {
    pieces.push(broken && next(3) === 0 ? Buffer.from(pick(BROKEN, next), 'hex') : Buffer.from(pick(PIECES, next)))
  }
  return Buffer.concat(pieces)
}
