/**
 * A look at the signs of a YAML text before it is parsed. The parser makes some hundred bytes of each sign and calls
 * itself for each level, so a text that is small enough to be read can still be too much for it: 200 KB of `[` take
 * more memory than a container has.
 *
 * Guarantees: takes no memory that depends on the text; what it lets through can be parsed with 20 MB of heap, our own
 * included, which is less than a running shipper leaves free in the image.
 */
import { DEEPEST, type Words } from './mistakes.ts'

/** Keys and values, for each of which there are some three signs (`key`, `:`, `value`, `,`). */
export const MOST_VALUES = 10_000
const MOST_SIGNS = 3 * MOST_VALUES
const MOST_LINES = 50_000

export type Outline =
  /** Offsets of a bracket that is not closed, and of the last quote that was opened. */
  | { readonly kind: 'fits'; readonly open: number | undefined; readonly quote: number | undefined }
  | { readonly kind: 'exceeds'; readonly offset: number; readonly words: Words }

/** What the lexer puts between pieces of the text: a document, or a scalar, follows; a bracket was not closed. */
const DOCUMENT = '\x02'
const SCALAR = '\x1f'
const UNCLOSED = '\x18'

export function outline(yaml: typeof import('yaml'), text: string): Outline {
  const brackets: number[] = []
  let open: number | undefined
  let quote: number | undefined
  let signs = 0
  let lines = 0
  let offset = 0
  let scalar = false
  const exceeds = (found: string, allowed: string): Outline => ({ kind: 'exceeds', offset, words: [found, allowed] })
  for (const sign of new yaml.Lexer().lex(text)) {
    if (sign === DOCUMENT) continue
    if (sign === SCALAR) {
      scalar = true
      continue
    }
    if (sign === UNCLOSED) {
      open ??= brackets.at(-1)
      brackets.length = 0
      continue
    }
    const first = scalar ? '' : sign[0]
    switch (first) {
      case '\n':
      case '\r':
        if (++lines > MOST_LINES) return exceeds('too many lines', `at most ${MOST_LINES} lines`)
        break
      case ' ':
      case '\t':
      case '#':
      case undefined:
        break
      case '[':
      case '{':
        brackets.push(offset)
        if (brackets.length > DEEPEST) return exceeds('values nested too deeply', `at most ${DEEPEST} levels`)
        break
      case ']':
      case '}':
        brackets.pop()
        break
      case '"':
      case "'":
        quote = offset
    }
    const counts = first !== '\n' && first !== '\r' && first !== ' ' && first !== '\t' && first !== '#'
    if (counts && ++signs > MOST_SIGNS) return exceeds('too many keys and values', `at most ${MOST_VALUES} of them`)
    scalar = false
    offset += sign.length
  }
  return { kind: 'fits', open: open ?? brackets.at(-1), quote }
}
