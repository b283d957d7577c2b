/**
 * Any character of Unicode, for properties: `fc.string({ unit: character })` gives what the unit `binary` of fast-check
 * does, for the same seeds. To know a character again fast-check's own builds a map of all 1.1 million of them, which
 * takes a second in each process; here it is arithmetic.
 */
import fc from 'fast-check'

/** The surrogates, which are no characters, are from here on. */
const GAP = 0xd800
const GAP_LENGTH = 0x800

export const character: fc.Arbitrary<string> = fc.integer({ min: 0, max: 0x10ffff - GAP_LENGTH }).map(
  n => String.fromCodePoint(n < GAP ? n : n + GAP_LENGTH),
  text => {
    const code = typeof text === 'string' ? (text.codePointAt(0) ?? GAP) : GAP
    if (text !== String.fromCodePoint(code) || (code >= GAP && code < GAP + GAP_LENGTH)) {
      throw new Error('no single character')
    }
    return code < GAP ? code : code - GAP_LENGTH
  },
)
