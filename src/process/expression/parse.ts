/**
 * RE2's syntax to a tree.
 *
 * A recursive descent over the text, one method for each level of it:
 *
 *     choice    a|b            alternatives
 *     sequence  ab             what follows one another
 *     repeat    a*  a{2,3}?    one piece and how often
 *     piece     a  [ab]  (a)   a character, a class, a group, an assertion
 *
 * Guarantees: whatever the text is, there is a tree or an `ExpressionError`; nothing recurses deeper than groups may
 * nest. What other engines know and this one does not is refused by its name, with what to write instead.
 */
import {
  ANY,
  type Characters,
  DIGIT,
  folded,
  HIGHEST,
  NOT_NEWLINE,
  negated,
  POSIX,
  SPACE,
  union,
  WORD,
} from './characters.ts'
import { type ExpressionCode, ExpressionError, outcome } from './failure.ts'
import { GROK } from './grok.ts'
import { MOST_DEPTH, MOST_GROUPS, MOST_REPEATS } from './limits.ts'
import type { Assertion, Expression, Tree } from './tree.ts'

/** The tree of `text`, or why there is none. */
export function parse(text: string): Expression | ExpressionError {
  return outcome(() => new Parser(text).expression())
}

/** The same for what cannot fail by rights, and inside of builders: throws the `ExpressionError`. */
export function parsed(text: string): Expression {
  return new Parser(text).expression()
}

/** `(?i)` and the like: they hold until their group ends. */
interface Flags {
  readonly anyCase: boolean
  readonly lines: boolean
  readonly dotAll: boolean
  readonly lazy: boolean
}

const NO_FLAGS: Flags = { anyCase: false, lines: false, dotAll: false, lazy: false }
const FLAG_NAMES: Readonly<Record<string, keyof Flags>> = { i: 'anyCase', m: 'lines', s: 'dotAll', U: 'lazy' }

const PERL: Readonly<Record<string, Characters>> = { d: DIGIT, s: SPACE, w: WORD }
const CONTROLS: Readonly<Record<string, number>> = { a: 7, f: 12, n: 10, r: 13, t: 9, v: 11 }
const ASSERTIONS: Readonly<Record<string, Assertion>> = {
  A: 'text-start',
  z: 'text-end',
  b: 'boundary',
  B: 'no-boundary',
}

/** Escapes of other engines, with what to write instead. */
const FOREIGN: Readonly<Record<string, readonly [what: string, hint: string]>> = {
  C: ['a single byte', 'write . for a character'],
  G: ['the end of the last match', 'leave it out'],
  H: ['a class of its own in some engines', 'write [^ \\t], or [^[:xdigit:]]'],
  K: ['a reset of the match', 'put what is wanted into a group'],
  N: ['all but a line feed', 'write [^\\n]'],
  R: ['any line end', 'write \\r?\\n'],
  X: ['a cluster of characters', 'write . for a character'],
  Z: ['the end, or a line feed before it', 'write \\z'],
  c: ['a control character', 'write it as \\x01'],
  e: ['the escape character', 'write \\x1b'],
  g: ['a back-reference', 'write out what may stand there'],
  h: ['a class of its own in some engines', 'write [ \\t], or [[:xdigit:]]'],
  k: ['a back-reference', 'write out what may stand there'],
  p: ['a property of Unicode', 'write the letters, [[:alpha:]], or [^\\x00-\\x7F] for all but ASCII'],
  P: ['a property of Unicode', 'write the letters, [[:alpha:]], or [^\\x00-\\x7F] for all but ASCII'],
  u: ['a character by its number', 'write \\x{20AC}'],
  U: ['a character by its number', 'write \\x{20AC}'],
}

/** Groups of other engines, by how they begin. */
const GROUPS: readonly (readonly [start: string, what: string, hint: string])[] = [
  ['(?=', 'look-ahead', 'match what follows as part of the expression, and put what is wanted into a group'],
  ['(?!', 'negative look-ahead', 'write what may stand there, such as [^"], or use a second rule that excludes'],
  ['(?<=', 'look-behind', 'match what comes before as part of the expression, and put what is wanted into a group'],
  ['(?<!', 'negative look-behind', 'write what may come before, or \\b'],
  ['(?>', 'an atomic group', 'write (?: ): the engine never goes back over the text, so nothing is lost'],
  ['(?#', 'a comment', 'leave it out'],
  ['(?|', 'a group with several beginnings', 'write (?: )'],
  ['(?(', 'a condition', 'write both cases with |'],
  ['(?P=', 'a back-reference', 'write out what may stand there'],
  ['(?P>', 'a recursion', 'write out what may stand there'],
  ['(?&', 'a recursion', 'write out what may stand there'],
  ['(?R', 'a recursion', 'write out what may stand there'],
]

const GROK_NAME = /%\{([A-Z][A-Z0-9_]*)(?::([^}:]*))?(:[^}]*)?\}/y
const NAME = /^[A-Za-z_@][A-Za-z0-9_.@-]*$/
const COUNTS = /\{(\d+)(,(\d*))?\}/y

class Parser {
  readonly #text: string
  readonly #groups: string[] = []
  #at = 0
  #flags = NO_FLAGS
  #depth = 0

  constructor(text: string) {
    this.#text = text
  }

  expression(): Expression {
    const tree = this.#choice()
    if (this.#at < this.#text.length)
      this.#fail('syntax', 'this bracket closes no group', 'write \\) for the character')
    return { tree, groups: this.#groups }
  }

  #choice(): Tree {
    const parts = [this.#sequence()]
    while (this.#takes('|')) parts.push(this.#sequence())
    return parts.length === 1 ? parts[0]! : { kind: 'choice', parts }
  }

  #sequence(): Tree {
    const parts: Tree[] = []
    while (this.#at < this.#text.length && !this.#sees('|') && !this.#sees(')')) {
      if (this.#takes('\\Q')) {
        while (this.#at < this.#text.length && !this.#takes('\\E')) {
          const character = this.#literal(this.#character())
          // A repetition behind \E is of the last character.
          const last = this.#at === this.#text.length || this.#takes('\\E')
          parts.push(last ? this.#repeated(character) : character)
          if (last) break
        }
        continue
      }
      if (this.#takes('\\E')) continue
      const start = this.#at
      const piece = this.#piece()
      if (piece === undefined) {
        // Flags for the rest of the group: nothing that could be repeated.
        if (this.#repetition()) this.#fail('syntax', 'there is nothing to repeat here', 'write \\* for the character')
        continue
      }
      parts.push(this.#repeated(piece, start))
    }
    if (parts.length === 0) return { kind: 'empty' }
    return parts.length === 1 ? parts[0]! : { kind: 'sequence', parts }
  }

  /** The piece with the repetition behind it, if there is one. */
  #repeated(part: Tree, start = this.#at): Tree {
    const counts = this.#repetition()
    if (counts === undefined) return part
    const { least, most } = counts
    const lazy = this.#takes('?')
    if (this.#sees('+')) {
      this.#fail(
        'unsupported',
        'a possessive repetition is not supported',
        'leave the + out: the engine never goes back over the text, so nothing is lost',
      )
    }
    if (this.#repetition() !== undefined) {
      this.#fail('syntax', 'two repetitions stand one behind the other', 'put the first into a group: (?:a*){2}', start)
    }
    return { kind: 'repeat', part, least, most, greedy: lazy === this.#flags.lazy }
  }

  /** Takes `*`, `+`, `?` or `{n,m}`. */
  #repetition(): { least: number; most: number } | undefined {
    if (this.#takes('*')) return { least: 0, most: Number.POSITIVE_INFINITY }
    if (this.#takes('+')) return { least: 1, most: Number.POSITIVE_INFINITY }
    if (this.#takes('?')) return { least: 0, most: 1 }
    COUNTS.lastIndex = this.#at
    const found = COUNTS.exec(this.#text)
    if (found === null) return undefined // `{` is a character like any other, then
    const start = this.#at
    this.#at += found[0].length
    const least = Number(found[1])
    const most = found[2] === undefined ? least : found[3] === '' ? Number.POSITIVE_INFINITY : Number(found[3])
    if (least > MOST_REPEATS || (most > MOST_REPEATS && most !== Number.POSITIVE_INFINITY)) {
      this.#fail(
        'limit',
        `a repetition may ask for ${MOST_REPEATS} at most`,
        'write a smaller number, or * or +',
        start,
      )
    }
    if (most < least)
      this.#fail('syntax', `${found[0]} asks for at most fewer than at least`, 'swap the numbers', start)
    return { least, most }
  }

  /** One piece; undefined for flags that hold from here on. */
  #piece(): Tree | undefined {
    const start = this.#at
    const text = this.#text[start]!
    switch (text) {
      case '(':
        return this.#group()
      case '[':
        return { kind: 'set', characters: this.#class() }
      case '.':
        this.#at++
        return { kind: 'set', characters: this.#flags.dotAll ? ANY : NOT_NEWLINE }
      case '^':
        this.#at++
        return { kind: 'assertion', what: this.#flags.lines ? 'line-start' : 'text-start' }
      case '$':
        this.#at++
        return { kind: 'assertion', what: this.#flags.lines ? 'line-end' : 'text-end' }
      case '\\':
        return this.#escape()
      case '%': {
        const grok = this.#grok()
        if (grok !== undefined) return grok
        break
      }
      case '*':
      case '+':
      case '?':
        this.#fail('syntax', 'there is nothing to repeat here', `write \\${text} for the character`)
    }
    COUNTS.lastIndex = start
    if (COUNTS.test(this.#text)) this.#fail('syntax', 'there is nothing to repeat here', 'write \\{ for the character')
    return this.#literal(this.#character())
  }

  #group(): Tree | undefined {
    const start = this.#at
    const outer = this.#flags
    for (const [begin, what, hint] of GROUPS) {
      if (this.#sees(begin)) this.#fail('unsupported', `${what} is not supported`, hint)
    }
    if (++this.#depth > MOST_DEPTH) {
      this.#fail('limit', `groups may stand ${MOST_DEPTH} deep within one another`, 'leave brackets out')
    }
    let index: number | undefined
    if (this.#takes('(?P<') || this.#takes('(?<')) index = this.#capture(this.#name(), start)
    else if (this.#takes('(?')) {
      this.#flags = this.#flagged(start)
      if (this.#takes(')')) {
        this.#depth--
        return undefined
      }
      this.#at++ // the colon
    } else {
      this.#at++
      index = this.#capture('', start)
    }
    const part = this.#choice()
    if (!this.#takes(')')) this.#fail('syntax', 'this group is not closed', 'write ) where it ends', start)
    this.#flags = outer
    this.#depth--
    return index === undefined ? part : { kind: 'group', index, part }
  }

  #capture(name: string, start: number): number {
    if (this.#groups.length === MOST_GROUPS) {
      this.#fail('limit', `more than ${MOST_GROUPS} groups capture`, 'write (?: ) for those that need not', start)
    }
    if (name !== '' && this.#groups.includes(name)) {
      this.#fail('syntax', `two groups are called ${name}`, 'give each a name of its own', start)
    }
    return this.#groups.push(name) - 1
  }

  /** The name behind `(?<`, with the bracket that ends it. */
  #name(): string {
    const end = this.#text.indexOf('>', this.#at)
    const name = this.#text.slice(this.#at, end < 0 ? this.#at : end)
    this.#named(name, this.#at)
    this.#at = end + 1
    return name
  }

  #named(name: string, at: number): void {
    if (NAME.test(name)) return
    this.#fail('syntax', 'a name is letters, digits, _ . - and @, and no digit first', 'write (?<name> )', at)
  }

  /** Flags, up to the colon or the bracket behind them. */
  #flagged(start: number): Flags {
    const flags: Record<keyof Flags, boolean> = { ...this.#flags }
    let set = true
    let seen = 0
    for (; this.#at < this.#text.length && !this.#sees(':') && !this.#sees(')'); this.#at++) {
      const letter = this.#text[this.#at]!
      if (letter === '-' && set) {
        set = false
        seen = 0
        continue
      }
      const flag = FLAG_NAMES[letter]
      if (flag === undefined) {
        this.#fail('unsupported', `there is no flag ${quoted(letter)}`, 'write i, m, s or U, such as (?i)')
      }
      flags[flag] = set
      seen++
    }
    if (this.#at === this.#text.length) this.#fail('syntax', 'this group is not closed', 'write (?: ) or (?i)', start)
    if (seen === 0 && !(set && this.#sees(':')))
      this.#fail('syntax', 'a flag is missing', 'write (?i), or (?: )', start)
    return flags
  }

  #grok(): Tree | undefined {
    const start = this.#at
    GROK_NAME.lastIndex = start
    const found = GROK_NAME.exec(this.#text)
    if (found === null) return undefined
    const [whole, pattern, name, type] = found
    const definition = Object.hasOwn(GROK, pattern!) ? GROK[pattern!] : undefined
    if (definition === undefined) {
      this.#fail('unsupported', `%{${pattern}} is not known`, `write it out, or one of ${Object.keys(GROK).join(', ')}`)
    }
    if (type !== undefined) {
      this.#fail('unsupported', `${quoted(type)} converts nothing here`, `write %{${pattern}:${name}}`, start)
    }
    this.#at += whole.length
    if (name !== undefined) this.#named(name, start + pattern!.length + 3)
    const index = name === undefined ? undefined : this.#capture(name, start)
    const part = new Parser(definition).expression().tree
    return index === undefined ? part : { kind: 'group', index, part }
  }

  #escape(): Tree {
    const letter = this.#text[this.#at + 1]
    const what = letter === undefined ? undefined : ASSERTIONS[letter]
    if (what !== undefined) {
      this.#at += 2
      return { kind: 'assertion', what }
    }
    const found = this.#escaped()
    return typeof found === 'number' ? this.#literal(found) : { kind: 'set', characters: found }
  }

  /** Takes an escape that means characters, within a class or outside. */
  #escaped(): number | Characters {
    const start = this.#at
    const letter = this.#text[start + 1]
    if (letter === undefined) this.#fail('syntax', 'a backslash stands at the end', 'write \\\\ for the character')
    const set = PERL[letter.toLowerCase()]
    if (set !== undefined) {
      this.#at += 2
      return this.#cased(set, letter !== letter.toLowerCase())
    }
    const control = CONTROLS[letter]
    if (control !== undefined) {
      this.#at += 2
      return control
    }
    if (letter === 'x') return this.#hexadecimal()
    const octal = /\\(0[0-7]{0,2}|[1-7][0-7]{1,2})/y
    octal.lastIndex = start
    const digits = octal.exec(this.#text)?.[1]
    if (digits !== undefined) {
      this.#at += 1 + digits.length
      return Number.parseInt(digits, 8)
    }
    if (/[1-9]/.test(letter)) {
      this.#fail('unsupported', 'a back-reference is not supported', 'write out what may stand there')
    }
    const foreign = FOREIGN[letter]
    if (foreign !== undefined) {
      this.#fail('unsupported', `\\${letter} (${foreign[0]}) is not supported`, foreign[1])
    }
    if (/[A-Za-z\x80-\uffff]/.test(letter)) {
      this.#fail('syntax', `\\${letter} means nothing`, `write ${letter}, or \\\\ for the backslash`)
    }
    this.#at += 2
    return letter.charCodeAt(0)
  }

  #hexadecimal(): number {
    const start = this.#at
    const pattern = /\\x(?:([0-9A-Fa-f]{2})|\{([0-9A-Fa-f]{1,8})\})/y
    pattern.lastIndex = start
    const found = pattern.exec(this.#text)
    if (found === null) this.#fail('syntax', '\\x wants two digits, or some in braces', 'write \\x0a, or \\x{20AC}')
    const character = Number.parseInt(found[1] ?? found[2]!, 16)
    if (character > HIGHEST) this.#fail('syntax', 'there is no such character', 'write at most \\x{10FFFF}')
    this.#at += found[0].length
    return character
  }

  /** A class in brackets. */
  #class(): Characters {
    const start = this.#at++
    const inverted = this.#takes('^')
    const ranges: number[] = []
    for (let first = true; first || !this.#sees(']'); first = false) {
      if (this.#at >= this.#text.length)
        this.#fail('syntax', 'this class is not closed', 'write ] where it ends', start)
      const set = this.#posix()
      if (set !== undefined) {
        ranges.push(...set)
        continue
      }
      const from = this.#at
      const low = this.#member()
      const ranged = this.#sees('-') && this.#text[this.#at + 1] !== ']' && this.#at + 1 < this.#text.length
      if (typeof low !== 'number') {
        ranges.push(...low)
        continue
      }
      let high: number | Characters = low
      if (ranged) {
        this.#at++
        high = this.#member()
      }
      if (typeof high !== 'number' || high < low) {
        this.#fail('syntax', 'this range ends before it begins', 'write the lower character first, or \\- for -', from)
      }
      ranges.push(...this.#cased([low, high]))
    }
    this.#at++
    const set = union(ranges)
    return inverted ? negated(set) : set
  }

  /** A set as the flags have it. Case is left out before a set is inverted: `\W` has no k in either case. */
  #cased(set: Characters, inverted = false): Characters {
    const cased = this.#flags.anyCase ? folded(set) : set
    return inverted ? negated(cased) : cased
  }

  /** One character within a class, or the set that an escape means. */
  #member(): number | Characters {
    if (!this.#sees('\\')) return this.#character()
    if (this.#text[this.#at + 1] === 'b') {
      this.#fail('unsupported', '\\b (a backspace in a class) is not supported', 'write \\x08')
    }
    return this.#escaped()
  }

  /** `[:alpha:]` within a class. */
  #posix(): Characters | undefined {
    if (!this.#sees('[:')) return undefined
    const end = this.#text.indexOf(':]', this.#at + 2)
    if (end < 0) return undefined
    const name = this.#text.slice(this.#at + 2, end)
    const inverted = name.startsWith('^')
    const set = POSIX[inverted ? name.slice(1) : name]
    if (set === undefined) {
      this.#fail('syntax', 'there is no such class', `write one of ${Object.keys(POSIX).join(', ')}, as in [[:alpha:]]`)
    }
    this.#at = end + 2
    return this.#cased(set, inverted)
  }

  /** The character at hand, as it stands there. */
  #character(): number {
    const character = this.#text.codePointAt(this.#at)!
    this.#at += character > 0xffff ? 2 : 1
    return character
  }

  #literal(character: number): Tree {
    return { kind: 'set', characters: this.#cased([character, character]) }
  }

  #sees(text: string): boolean {
    return this.#text.startsWith(text, this.#at)
  }

  #takes(text: string): boolean {
    if (!this.#sees(text)) return false
    this.#at += text.length
    return true
  }

  #fail(code: ExpressionCode, message: string, hint: string, at = this.#at): never {
    throw new ExpressionError(code, at + 1, message, hint)
  }
}

const quoted = (text: string) => `“${text}”`
