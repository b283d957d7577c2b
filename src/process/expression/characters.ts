/**
 * Sets of characters: sorted ranges of code points that neither touch nor overlap, first and last one after the other.
 *
 *     [a-cx]    97 99 120 120
 */

export type Characters = readonly number[]

export const HIGHEST = 0x10ffff
/** What stands for bytes that are no UTF-8. */
export const REPLACEMENT = 0xfffd

export const DIGIT: Characters = [0x30, 0x39]
export const SPACE: Characters = [0x09, 0x0a, 0x0c, 0x0d, 0x20, 0x20]
export const WORD: Characters = [0x30, 0x39, 0x41, 0x5a, 0x5f, 0x5f, 0x61, 0x7a]
export const ANY: Characters = [0, HIGHEST]
export const NOT_NEWLINE: Characters = [0, 0x09, 0x0b, HIGHEST]

/** The classes of POSIX, of ASCII only. */
export const POSIX: Readonly<Record<string, Characters>> = {
  alnum: [0x30, 0x39, 0x41, 0x5a, 0x61, 0x7a],
  alpha: [0x41, 0x5a, 0x61, 0x7a],
  ascii: [0, 0x7f],
  blank: [0x09, 0x09, 0x20, 0x20],
  cntrl: [0, 0x1f, 0x7f, 0x7f],
  digit: DIGIT,
  graph: [0x21, 0x7e],
  lower: [0x61, 0x7a],
  print: [0x20, 0x7e],
  punct: [0x21, 0x2f, 0x3a, 0x40, 0x5b, 0x60, 0x7b, 0x7e],
  space: [0x09, 0x0d, 0x20, 0x20],
  upper: [0x41, 0x5a],
  word: WORD,
  xdigit: [0x30, 0x39, 0x41, 0x46, 0x61, 0x66],
}

/** Ranges in any order, as a set. */
export function union(ranges: Characters): Characters {
  const pairs: [number, number][] = []
  for (let at = 0; at < ranges.length; at += 2) pairs.push([ranges[at]!, ranges[at + 1]!])
  pairs.sort((a, b) => a[0] - b[0])
  const set: number[] = []
  for (const [first, last] of pairs) {
    if (set.length > 0 && first <= set.at(-1)! + 1) set[set.length - 1] = Math.max(set.at(-1)!, last)
    else set.push(first, last)
  }
  return set
}

export function negated(set: Characters): Characters {
  const others: number[] = []
  let next = 0
  for (let at = 0; at < set.length; at += 2) {
    if (set[at]! > next) others.push(next, set[at]! - 1)
    next = set[at + 1]! + 1
  }
  if (next <= HIGHEST) others.push(next, HIGHEST)
  return others
}

export function contains(set: Characters, character: number): boolean {
  for (let at = 0; at < set.length; at += 2) {
    if (character < set[at]!) return false
    if (character <= set[at + 1]!) return true
  }
  return false
}

/** Where letters of two cases are; above and between there are none. */
const CASED: Characters = [
  0x41, 0x24ff, 0x2c00, 0x2dff, 0xa640, 0xa7ff, 0xab30, 0xabbf, 0xff21, 0xff5a, 0x10400, 0x1e943,
]
/** Letters that fold to the same one without being its upper or lower case. */
const KIN = ['Kk\u212a', 'Ssſ', 'Åå\u212b', 'Ωω\u2126', 'Μμµ', 'Σσς', 'Θθϑϴ', 'Ββϐ', 'Εεϵ', 'Κκϰ', 'Ππϖ', 'Ρρϱ', 'Φφϕ']
KIN.push('Ιι\u0345\u1fbe', 'ẞß', 'Ṡṡẛ', 'ǅǄǆ', 'ǈǇǉ', 'ǋǊǌ', 'ǲǱǳ')

let kin: Map<number, readonly number[]> | undefined

/** All that differs from `character` in case only, by simple folding. */
function cases(character: number): readonly number[] {
  kin ??= new Map(
    KIN.flatMap(text => {
      const all = [...text].map(each => each.codePointAt(0)!)
      return all.map(each => [each, all] as const)
    }),
  )
  const known = kin.get(character)
  if (known !== undefined) return known
  const text = String.fromCodePoint(character)
  const found: number[] = []
  for (const other of [text.toLowerCase(), text.toUpperCase()]) {
    const code = other.codePointAt(0)!
    // Simple folding only: ŉ is two letters in capitals, and those are not it.
    const single = other.length === (code > 0xffff ? 2 : 1)
    if (single && code !== character && (code > 0x7f || character <= 0x7f)) found.push(code)
  }
  return found
}

/** The set with all that differs from one of it in case only. */
export function folded(set: Characters): Characters {
  const more: number[] = []
  for (let at = 0; at < set.length; at += 2) {
    for (let cased = 0; cased < CASED.length; cased += 2) {
      const last = Math.min(set[at + 1]!, CASED[cased + 1]!)
      for (let character = Math.max(set[at]!, CASED[cased]!); character <= last; character++) {
        for (const other of cases(character)) more.push(other, other)
      }
    }
  }
  return more.length === 0 ? set : union([...set, ...more])
}
