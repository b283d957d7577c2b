/** An expression as the program of a search: its table, and the fingerprint of what every match must have. */

import { table } from './compile.ts'
import { type ExpressionError, outcome } from './failure.ts'
import * as layout from './layout.ts'
import { Work } from './limits.ts'
import { type Analysis, analysis, type Fingerprint } from './literals.ts'
import { parsed } from './parse.ts'

export interface Search {
  readonly program: Uint8Array
  readonly analysis: Analysis
}

/** The program that finds matches of an expression anywhere in a text. */
export function compileSearch(text: string): Search | ExpressionError {
  return outcome(() => {
    const { tree } = parsed(text)
    const automaton = table([tree], layout.FIRST, new Work())
    const found = analysis(tree)
    const program = new Uint8Array(layout.TABLE + automaton.length)
    const view = new DataView(program.buffer)
    view.setUint16(layout.MODE, layout.SEARCH, true)
    view.setUint32(layout.PROGRAM_BYTES, program.length, true)
    const prefix = found.kind === 'contains' || found.kind === 'everywhere' ? found.prefix : found
    if (prefix !== undefined) {
      view.setUint16(layout.OFFSET, prefix.offset, true)
      view.setUint16(layout.WIDTH, prefix.fingerprint.sets.length, true)
      program.set(nibbles(prefix.fingerprint), layout.NIBBLES)
    }
    if (found.kind === 'contains') {
      view.setUint16(layout.INNER_WIDTH, found.fingerprint.sets.length, true)
      program.set(nibbles(found.fingerprint), layout.INNER)
    }
    program.set(automaton, layout.TABLE)
    return { program, analysis: found }
  })
}

/**
 * For each byte of a fingerprint the lower and the upper halves that it may have, in the bits of `bucket`; 96 bytes.
 */
export function nibbles({ sets }: Fingerprint, bucket = 1): Uint8Array {
  const bits = new Uint8Array(96)
  for (let place = 0; place < 3; place++) {
    for (let byte = 0; byte < 256; byte++) {
      // A byte that is not looked at may be any.
      if (sets[place]?.[byte] === 0) continue
      bits[32 * place + (byte & 15)]! |= bucket
      bits[32 * place + 16 + (byte >> 4)]! |= bucket
    }
  }
  return bits
}
