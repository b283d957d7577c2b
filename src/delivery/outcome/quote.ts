/**
 * What may be repeated of a backend's own error message.
 *
 * The hazard: an error body often echoes what it objects to ("cannot parse '…'"), and log content must not appear in
 * our own log, metrics or status. So a message is quoted only if it is short and repeats nothing of the frames it is
 * about, in no form that is known (`echo.ts`). An answer to refused credentials is never quoted.
 */
import { echoes } from './echo.ts'

/** Where Elasticsearch and OpenSearch repeat the value of a field, however short it is. */
const VALUES = /\b(Preview of field's value: |For input string: )['"].*/s
const LONGEST_BODY = 400
const LONGEST_QUOTE = 200

/** `detail` in one line of at most 200 characters, or `undefined` if it had better not be shown. */
export function quote(detail: string | undefined, frames: Buffer): string | undefined {
  if (detail === undefined || detail.length > LONGEST_BODY) return undefined
  const line = detail
    .replace(VALUES, '$1…')
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .trim()
    .slice(0, LONGEST_QUOTE)
  return line === '' || echoes(detail, frames) ? undefined : line
}
