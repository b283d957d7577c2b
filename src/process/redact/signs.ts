/** Kinds of bytes by their halves: see kernel/assembly/process/signs.ts. */
import { LAYOUT } from '../../kernel/module.ts'

/** Of each kind the bytes that it is about. */
const KINDS: readonly [kind: number, bytes: RegExp][] = [
  [LAYOUT.SIGN_DIGIT, /[0-9]/],
  [LAYOUT.SIGN_LEAD, /[2-6]/],
  [LAYOUT.SIGN_DOT, /[.]/],
  [LAYOUT.SIGN_BETWEEN, /[ -]/],
  [LAYOUT.SIGN_UPPER, /[A-Z]/],
  [LAYOUT.SIGN_COLON, /[:]/],
  [LAYOUT.SIGN_HEX_LETTER, /[A-Fa-f]/],
  [LAYOUT.SIGN_AT, /[@]/],
]

/** By lower half, and by upper half, which kinds a byte may be of: the top bit is the kind 0. */
export function signTable(): Uint8Array {
  const table = new Uint8Array(32)
  for (const [kind, bytes] of KINDS) {
    for (let byte = 0; byte < 128; byte++) {
      if (!bytes.test(String.fromCharCode(byte))) continue
      table[byte & 15]! |= 128 >> kind
      table[16 + (byte >> 4)]! |= 128 >> kind
    }
  }
  return table
}
