/**
 * What every match of an expression must have, so that most of a text need not be tried at all.
 *
 *     (?i)password\s*=      prefix      each match begins with p a s, in either case: look for those three
 *     \d+ ms: .*timeout     contains    somewhere in each match there is "timeout": a text without it has none
 *     \w+@\w+               everywhere  it must be tried at every byte
 *
 * A fingerprint is up to three bytes in a row, each one of a set. Which one is taken depends on how frequent its bytes
 * are in logs. It may let through what does not match, and never holds back what does.
 */
import { REPLACEMENT } from './characters.ts'
import type { Tree } from './tree.ts'

/** Up to three bytes in a row: for each, which bytes it may be. */
export interface Fingerprint {
  readonly sets: readonly Uint8Array[]
  /** One in so many bytes of a log begins it, about. */
  readonly rarity: number
}

/** A fingerprint that stands `offset` bytes behind the beginning of each match. */
export interface Prefix {
  readonly fingerprint: Fingerprint
  readonly offset: number
}

export type Analysis =
  /** Nothing but texts, one of which must be there; `anyCase`: in either case. */
  | {
      readonly kind: 'literal-only'
      readonly literals: readonly string[]
      readonly anyCase: boolean
      readonly fingerprint: Fingerprint
      readonly offset: number
    }
  /** The fingerprint stands `offset` bytes behind the beginning of each match. */
  | { readonly kind: 'prefix'; readonly fingerprint: Fingerprint; readonly offset: number }
  /** It stands somewhere in each match; `prefix` is what the match begins with, if it begins with anything. */
  | { readonly kind: 'contains'; readonly fingerprint: Fingerprint; readonly prefix: Prefix | undefined }
  /** There is none that would help much. */
  | { readonly kind: 'everywhere'; readonly prefix: Prefix | undefined }

/** Bytes of a fingerprint, and how far from the beginning one is looked for. */
const WIDTH = 3
const REACH = 16
/** A fingerprint that more than one in so many bytes begins is no help. */
const LEAST_RARITY = 8
/** What is inside must be so much rarer than what is at the beginning. */
const RARER_INSIDE = 16
const MOST_LITERALS = 16

export function analysis(tree: Tree): Analysis {
  const { head, inner } = factsOf(tree)
  const prefix = rarest(head)
  const inside = inner?.fingerprint
  if (prefix !== undefined && prefix.fingerprint.rarity >= LEAST_RARITY) {
    const texts = literalsOf(tree)
    if (texts !== undefined) return { kind: 'literal-only', ...texts, ...prefix }
    if (inside === undefined || inside.rarity < RARER_INSIDE * prefix.fingerprint.rarity)
      return { kind: 'prefix', ...prefix }
  }
  if (inside !== undefined && inside.rarity >= LEAST_RARITY) return { kind: 'contains', fingerprint: inside, prefix }
  return { kind: 'everywhere', prefix }
}

interface Facts {
  /** Sets of the bytes at the beginning of each match, as long as their places are known. */
  readonly head: readonly Uint8Array[]
  /** Whether those are all of its bytes: then what follows has known places, too. */
  readonly whole: boolean
  /** Sets of the bytes at the end of each match; of all of them if it is whole. */
  readonly tail: readonly Uint8Array[]
  /** The rarest fingerprint that is somewhere in each match. */
  readonly inner: { readonly fingerprint: Fingerprint } | undefined
}

const NOTHING: Facts = { head: [], whole: false, tail: [], inner: undefined }

function factsOf(tree: Tree): Facts {
  switch (tree.kind) {
    case 'empty':
    case 'assertion':
      return { ...NOTHING, whole: true }
    case 'set':
      return ofSet(tree.characters)
    case 'group':
      return factsOf(tree.part)
    case 'sequence':
      return joined(tree.parts.map(factsOf))
    case 'choice': {
      const all = tree.parts.map(factsOf)
      const length = all.reduce((least, { head }) => Math.min(least, head.length), REACH)
      const head = Array.from({ length }, (_, at) => united(all.map(facts => facts.head[at]!)))
      return facts(
        head,
        all.every(facts => facts.whole && facts.head.length === length),
      )
    }
    case 'repeat': {
      if (tree.least === 0) return tree.most === 0 ? { ...NOTHING, whole: true } : NOTHING
      const part = factsOf(tree.part)
      const copies = Array.from({ length: Math.min(tree.least, REACH) }, () => part)
      if (tree.least === tree.most && tree.least <= REACH) return joined(copies)
      return { ...joined([...copies, NOTHING]), tail: part.tail }
    }
  }
}

function facts(head: readonly Uint8Array[], whole: boolean, tail = whole ? head : []): Facts {
  return { head, whole, tail, inner: rarest(head) }
}

/** One behind the other. */
function joined(parts: readonly Facts[]): Facts {
  let run: Uint8Array[] = []
  let head: readonly Uint8Array[] | undefined
  let inner: Facts['inner']
  const better = (other: Facts['inner']) => {
    if (other !== undefined && other.fingerprint.rarity > (inner?.fingerprint.rarity ?? 0)) inner = other
  }
  for (const part of parts) {
    run.push(...part.head)
    better(part.inner)
    // A run may go on for as long as it likes: only its last bytes can be of a fingerprint that is not known yet.
    if (part.whole) {
      if (head === undefined && run.length > REACH) head = run.slice(0, REACH)
      if (run.length > 2 * REACH) {
        better(rarest(run))
        run = run.slice(1 - WIDTH)
      }
      continue
    }
    head ??= run.slice(0, REACH)
    better(rarest(run))
    run = [...part.tail]
  }
  better(rarest(run))
  const whole = head === undefined
  return { head: head ?? run, whole, tail: run.slice(-REACH), inner }
}

/**
 * The bytes that the characters of a set begin with; all of their bytes if there is one character, or they are ASCII.
 */
function ofSet(characters: readonly number[]): Facts {
  const [first = 0, last = 0] = characters
  if (characters.length === 2 && first === last && first !== REPLACEMENT) {
    return facts(
      [...Buffer.from(String.fromCodePoint(first))].map(byte => new Uint8Array(256).fill(1, byte, byte + 1)),
      true,
    )
  }
  const set = new Uint8Array(256)
  let wide = false
  for (let at = 0; at < characters.length; at += 2) {
    const [low, high] = [characters[at]!, characters[at + 1]!]
    if (low <= 0x7f) set.fill(1, low, Math.min(high, 0x7f) + 1)
    if (high <= 0x7f) continue
    wide = true
    // What is no UTF-8 may be any byte; of characters only the first one counts.
    if (low <= REPLACEMENT && high >= REPLACEMENT) set.fill(1, 0x80)
    else set.fill(1, leadOf(Math.max(low, 0x80)), leadOf(high) + 1)
  }
  return facts([set], !wide)
}

function leadOf(character: number): number {
  if (character < 0x800) return 0xc0 | (character >> 6)
  return character < 0x10000 ? 0xe0 | (character >> 12) : 0xf0 | (character >> 18)
}

function united(sets: readonly Uint8Array[]): Uint8Array {
  return sets[0]!.map((_, byte) => Number(sets.some(set => set[byte] === 1)))
}

/** How many of a thousand bytes of a log are this one, about: JSON, access logs and stack traces taken together. */
function frequency(byte: number): number {
  const character = String.fromCharCode(byte)
  if (character === ' ') return 90
  if (/[etaoinsr]/.test(character)) return 45
  if (/[a-z]/.test(character)) return 17
  if (/[0-9]/.test(character)) return 26
  if (/["/.:,-]/.test(character)) return 22
  if (/[A-Z]/.test(character)) return 5
  if (/[_=@[\](){}?&+]/.test(character)) return 5
  return byte < 0x80 ? 1 : 0.5
}

const SHARES = Float64Array.from({ length: 256 }, (_, byte) => frequency(byte) / 1000)

function shareOf(set: Uint8Array): number {
  let share = 0
  for (let byte = 0; byte < 256; byte++) if (set[byte] === 1) share += SHARES[byte]!
  return Math.min(1, share)
}

/** The three bytes in a row that are the least frequent, and how far they are from the beginning. */
function rarest(sets: readonly Uint8Array[]): Prefix | undefined {
  const shares = sets.map(shareOf)
  let best: Prefix | undefined
  for (let offset = 0; offset < Math.max(1, sets.length - WIDTH + 1) && offset < sets.length; offset++) {
    const share = shares.slice(offset, offset + WIDTH).reduce((product, each) => product * each, 1)
    const rarity = 1 / Math.max(share, 1e-9)
    if (best !== undefined && rarity <= best.fingerprint.rarity) continue
    best = { fingerprint: { sets: sets.slice(offset, offset + WIDTH), rarity }, offset }
  }
  return best
}

/** The texts of an expression that is nothing else. */
function literalsOf(tree: Tree): { literals: readonly string[]; anyCase: boolean } | undefined {
  const texts = (tree.kind === 'choice' ? tree.parts : [tree]).map(literalOf)
  if (texts.length > MOST_LITERALS) return undefined
  const literals: string[] = []
  let cased = false
  let plain = false
  for (const text of texts) {
    if (text === undefined) return undefined
    literals.push(text.text)
    cased ||= text.cased
    plain ||= text.letters && !text.cased
  }
  return cased && plain ? undefined : { literals, anyCase: cased }
}

function literalOf(tree: Tree): { text: string; cased: boolean; letters: boolean } | undefined {
  let text = ''
  let cased = false
  let letters = false
  for (const part of tree.kind === 'sequence' ? tree.parts : [tree]) {
    if (part.kind !== 'set') return undefined
    const { characters } = part
    const character = String.fromCodePoint(characters.at(-2) ?? 0)
    if (characters.length === 2 && characters[0] === characters[1]) letters ||= /\p{L}/u.test(character)
    else if (isCase(characters)) cased = true
    else return undefined
    const last = isCase(characters) ? String.fromCodePoint(characters[0]!).toLowerCase() : character
    text += last
  }
  return { text, cased, letters: letters && !cased }
}

/** Whether a set is one letter in either case. */
function isCase(characters: readonly number[]): boolean {
  if (characters.length < 4) return false
  const folded = new Set<string>()
  for (let at = 0; at < characters.length; at += 2) {
    if (characters[at] !== characters[at + 1]) return false
    folded.add(String.fromCodePoint(characters[at]!).toUpperCase())
  }
  return folded.size === 1 || (folded.size === 2 && folded.has('\u212a'))
}
