/**
 * What may be repeated of a backend's own error message.
 *
 * The hazard: an error body often echoes what it objects to ("cannot parse '…'"), and log content must not appear in
 * our own log, metrics or status. So a message is quoted only if it is short and shares no run of sixteen bytes with
 * the frames it is about; an echo shorter than that can slip through. An answer to refused credentials is never quoted.
 */
const LONGEST_BODY = 400
const LONGEST_QUOTE = 200
const WINDOW = 12
const STRIDE = 4

/** `detail` in one line of at most 200 characters, or `undefined` if it had better not be shown. */
export function quote(detail: string | undefined, frames: Buffer): string | undefined {
  if (detail === undefined || detail.length > LONGEST_BODY) return undefined
  const line = detail
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .trim()
    .slice(0, LONGEST_QUOTE)
  if (line === '') return undefined
  const bytes = Buffer.from(detail)
  // A run of sixteen bytes holds a whole window that begins at a multiple of the stride, wherever the run begins.
  for (let at = 0; at + WINDOW <= bytes.length; at += STRIDE) {
    if (frames.indexOf(bytes.subarray(at, at + WINDOW)) !== -1) return undefined
  }
  return line
}
