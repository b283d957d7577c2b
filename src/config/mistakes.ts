/**
 * What is said of a syntax error that the YAML library found. Its own sentences quote the file, and a file can hold
 * secrets; the fixed part of a sentence says more than the error's code, so that is what is looked at.
 */

/** `found` and `allowed` as in a `Problem`. */
export type Words = readonly [found: string, allowed: string]

/** Levels of maps and lists. */
export const DEEPEST = 32

const SYNTAX = 'YAML 1.2 or JSON'
const QUOTED = 'a text with { } [ ] or quotes in it in quotes, all of it: "/a/{b,c}.log"'
const KEY = '"key: value", with a blank behind the colon'
const COLUMN = 'all keys of a map in one column'

/** The first that fits: the error's code, and what its sentence holds. */
const MISTAKES: readonly (readonly [code: string, sentence: RegExp, words: Words])[] = [
  ['TAB_AS_INDENT', /./, ['a tab as indentation', 'spaces']],
  ['DUPLICATE_KEY', /./, ['a key that is there twice', 'each key once']],
  ['MULTIPLE_DOCS', /./, ['a second document', 'one document']],
  ['BAD_INDENT', /end with a ]/, ['a [ that is not closed', 'a ] behind the last element']],
  ['BAD_INDENT', /end with a }/, ['a { that is not closed', 'a } behind the last element']],
  ['BAD_INDENT', /./, ['a line that is not indented as its neighbours are', COLUMN]],
  [
    'MISSING_CHAR',
    /without -/,
    ['a line that is indented less than the keys of its element, and more than its "-"', COLUMN],
  ],
  ['MISSING_CHAR', /closing/, ['a quote that is not closed', 'the same quote behind the text']],
  ['MISSING_CHAR', /^Missing , /, ['elements without a comma between them', `commas between elements, and ${QUOTED}`]],
  ['MISSING_CHAR', /Comments must/, ['a # right behind a value', 'a blank before a comment, or the text in quotes']],
  ['MISSING_CHAR', /Implicit map keys/, ['a line without "key: "', KEY]],
  ['MISSING_CHAR', /directives-end/, ['a line that begins with %', 'no directives']],
  ['MISSING_CHAR', /./, ['a quote, bracket or separator that is missing', SYNTAX]],
  ['BAD_SCALAR_START', /character @/, ['a text that begins with @', 'such a text in quotes']],
  ['BAD_SCALAR_START', /character `/, ['a text that begins with `', 'such a text in quotes']],
  ['BAD_SCALAR_START', /character %/, ['a text that begins with %', 'such a text in quotes']],
  ['UNEXPECTED_TOKEN', /Block scalar header/, ['text behind > or |', 'a text that begins so in quotes']],
  ['UNEXPECTED_TOKEN', /-end token/, ['a ] or } that was not opened', 'as many as [ and {']],
  ['UNEXPECTED_TOKEN', /at node end/, ['text behind a closing quote, ] or }', QUOTED]],
  ['BLOCK_AS_IMPLICIT_KEY', /./, ['a second ": " in one line', 'a text with ": " in quotes']],
  [
    'BLOCK_IN_FLOW',
    /./,
    ['a "key: value" or "- " without a comma before it', 'commas between elements in { } and [ ]'],
  ],
  ['MULTILINE_IMPLICIT_KEY', /./, ['a line without "key: "', KEY]],
  ['BAD_ALIAS', /./, ['an alias that cannot be used here', 'a text that begins with * in quotes']],
  ['BAD_DQ_ESCAPE', /./, ['an unknown escape in double quotes', 'a known escape, or single quotes']],
  ['RESOURCE_EXHAUSTION', /./, ['values nested too deeply', `at most ${DEEPEST} levels`]],
  ['TAG_RESOLVE_FAILED', /./, ['an unknown tag', 'values without tags, and a text that begins with ! in quotes']],
  ['BAD_DIRECTIVE', /./, ['an unknown directive', 'no directives']],
]

/** Of a key and a value in the line above, as the library sees it. */
export const TOO_FAR: Words = ['a line that is indented more than the key above it, which has a value already', COLUMN]

export function wordsFor({ code, message }: { readonly code: string; readonly message: string }): Words {
  const known = MISTAKES.find(([each, sentence]) => each === code && sentence.test(message))
  return known?.[2] ?? ['text that is not YAML', SYNTAX]
}
