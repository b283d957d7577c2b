/**
 * What stands before a chunk in its file, and matters to its redaction: a private key that is open there, and the head of
 * a line of which the chunk begins with the rest.
 */

/** Bytes of a file that are looked at before a chunk whose predecessor is not at hand. */
export const LOOK_BACK = 16 * 1024

const KEY = '-----BEGIN '
const TITLE = 'PRIVATE KEY'
/** Bytes that what stands between may have. */
const MOST_TITLE = 64

/** The end of `bytes` that matters, or undefined. `lineEnd` is the byte that ends lines. */
export function contextOf(bytes: Buffer, lineEnd: number): Buffer | undefined {
  const line = bytes.lastIndexOf(lineEnd) + 1
  const from = Math.min(line, openKey(bytes))
  return from < bytes.length ? bytes.subarray(from) : undefined
}

/** Where the last private key begins if it does not end; otherwise, behind the bytes. */
function openKey(bytes: Buffer): number {
  for (let at = bytes.lastIndexOf(KEY); at >= 0; at = at === 0 ? -1 : bytes.lastIndexOf(KEY, at - 1)) {
    if (!bytes.subarray(at, at + MOST_TITLE).includes(TITLE)) continue
    return bytes.indexOf('-----END ', at) < 0 ? at : bytes.length
  }
  return bytes.length
}
