/**
 * A segment: the part of a glob between two slashes. It matches one name.
 *
 *     `*` any signs   `?` one   `[a-z]` `[!a-z]` one of, one not of   `[[:digit:]]`   `\x` x itself   `**` alone: directories
 *
 * Guarantees: a name is matched in time proportional to its length times the segment's at the most, whatever both hold:
 * the names are chosen by the application.
 */

/** `any`: whatever it is. `deep`: any number of directories. `affixes`: one star, as in most globs. */
export type Segment =
  | { readonly kind: 'literal'; readonly name: string }
  | { readonly kind: 'any' }
  | { readonly kind: 'deep' }
  | { readonly kind: 'affixes'; readonly prefix: string; readonly suffix: string }
  | { readonly kind: 'tokens'; readonly tokens: readonly Token[] }

/** A code point, one of a set of them, or any number of any. */
export type Token = number | Signs | typeof STAR

export interface Signs {
  /** Pairs of first and last code point. */
  readonly ranges: readonly number[]
  readonly negated: boolean
}

export const STAR = 'star'
const ANY_SIGN: Signs = { ranges: [], negated: true }

/** Within a set, as `[:name:]`. */
const CLASSES: Readonly<Record<string, readonly number[]>> = {
  alnum: [48, 57, 65, 90, 97, 122],
  alpha: [65, 90, 97, 122],
  blank: [9, 9, 32, 32],
  cntrl: [0, 31, 127, 127],
  digit: [48, 57],
  graph: [33, 126],
  lower: [97, 122],
  print: [32, 126],
  punct: [33, 47, 58, 64, 91, 96, 123, 126],
  space: [9, 13, 32, 32],
  upper: [65, 90],
  word: [48, 57, 65, 90, 95, 95, 97, 122],
  xdigit: [48, 57, 65, 70, 97, 102],
}

export function segmentOf(text: string): Segment {
  if (text === '**') return { kind: 'deep' }
  const tokens = tokensIn(text)
  const star = tokens.indexOf(STAR)
  const plain = tokens.filter(token => typeof token === 'number')
  if (star === 0 && tokens.length === 1) return { kind: 'any' }
  if (plain.length === tokens.length) return { kind: 'literal', name: String.fromCodePoint(...plain) }
  if (star === -1 || plain.length < tokens.length - 1) return { kind: 'tokens', tokens }
  const [prefix, suffix] = [plain.slice(0, star), plain.slice(star)].map(signs => String.fromCodePoint(...signs))
  return { kind: 'affixes', prefix: prefix!, suffix: suffix! }
}

/** Whether the segment matches the name. A `deep` one does, as any directory. */
export function matchesName(segment: Segment, name: string): boolean {
  switch (segment.kind) {
    case 'literal':
      return segment.name === name
    case 'any':
    case 'deep':
      return true
    case 'affixes': {
      const { prefix, suffix } = segment
      return name.length >= prefix.length + suffix.length && name.endsWith(suffix) && name.startsWith(prefix)
    }
    case 'tokens':
      return matchesTokens(segment.tokens, name)
  }
}

/** The segment in its longest form. */
export function tokensOf(segment: Segment): readonly Token[] {
  switch (segment.kind) {
    case 'literal':
      return signsIn(segment.name)
    case 'any':
    case 'deep':
      return [STAR]
    case 'affixes':
      return [...signsIn(segment.prefix), STAR, ...signsIn(segment.suffix)]
    case 'tokens':
      return segment.tokens
  }
}

export function matchesSign(token: Exclude<Token, typeof STAR>, sign: number): boolean {
  if (typeof token === 'number') return token === sign
  const { ranges, negated } = token
  for (let pair = 0; pair < ranges.length; pair += 2) {
    if (sign >= ranges[pair]! && sign <= ranges[pair + 1]!) return !negated
  }
  return negated
}

/** Where the set that begins at `from` ends within its segment, or `from` if that bracket is nothing but a bracket. */
export function endOfSet(text: string, from: number): number {
  const end = text.indexOf('/', from)
  return from + (setIn(text.slice(from, end === -1 ? undefined : end).split(''), 0)?.end ?? 0)
}

/** Two pointers and one place to go back to: the last star, which takes one sign more each time. */
function matchesTokens(tokens: readonly Token[], name: string): boolean {
  let token = 0
  let at = 0
  let star = -1
  let retry = 0
  while (at < name.length) {
    const wanted = tokens[token]
    if (wanted === STAR) {
      star = token++
      retry = at
      continue
    }
    const sign = name.codePointAt(at)!
    if (wanted !== undefined && matchesSign(wanted, sign)) {
      token++
      at += widthOf(sign)
      continue
    }
    if (star === -1) return false
    retry += widthOf(name.codePointAt(retry)!)
    at = retry
    token = star + 1
  }
  while (tokens[token] === STAR) token++
  return token === tokens.length
}

/** UTF-16 code units of a code point. */
function widthOf(sign: number): number {
  return sign > 0xffff ? 2 : 1
}

function signsIn(text: string): number[] {
  return Array.from(text, sign => sign.codePointAt(0)!)
}

function tokensIn(text: string): Token[] {
  const signs = [...text]
  const tokens: Token[] = []
  for (let at = 0; at < signs.length; at++) {
    const sign = signs[at]!
    const set = sign === '[' ? setIn(signs, at) : undefined
    if (set) {
      tokens.push(set.signs)
      at = set.end
    } else if (sign === '*') {
      if (tokens.at(-1) !== STAR) tokens.push(STAR)
    } else if (sign === '?') tokens.push(ANY_SIGN)
    else if (sign === '\\' && at + 1 < signs.length) tokens.push(signs[++at]!.codePointAt(0)!)
    else tokens.push(sign.codePointAt(0)!)
  }
  return tokens
}

/** The set that begins with the bracket at `from`, and where it ends; undefined if none does. */
function setIn(text: readonly string[], from: number): { signs: Signs; end: number } | undefined {
  let at = from + 1
  const negated = text[at] === '!' || text[at] === '^'
  if (negated) at++
  const ranges: number[] = []
  for (const first = at; at < text.length; at++) {
    // A closing bracket that comes first is one of the set.
    if (text[at] === ']' && at > first) return { signs: { ranges, negated }, end: at }
    const [named = '', name = ''] = /^\[:([a-z]+):\]/.exec(text.slice(at, at + 12).join('')) ?? []
    if (CLASSES[name]) {
      ranges.push(...CLASSES[name])
      at += named.length - 1
      continue
    }
    if (text[at] === '\\' && at + 1 < text.length) at++
    const low = text[at]!.codePointAt(0)!
    let high = low
    if (text[at + 1] === '-' && at + 2 < text.length && text[at + 2] !== ']') {
      at += 2
      if (text[at] === '\\' && at + 1 < text.length) at++
      high = text[at]!.codePointAt(0)!
    }
    ranges.push(low, high)
  }
  return undefined
}
