/**
 * Whether a client takes gzip: its `Accept-Encoding` (RFC 9110 §12.5.3), with weights.
 *
 * Guarantees: what cannot be read, and what is longer than any client sends, is an answer as it is. Never throws.
 */

/** Characters; a client may send a header of 16 KiB with each of many requests. */
const MOST = 256

/** A coding and its weight (§12.4.2): at most three digits behind the point. */
const ITEM = /^([!#$%&'*+.^_`|~\w-]+)(?:[ \t]*;[ \t]*q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?))?$/i

/** Without a weight a coding has the weight 1; one that is not named has that of `*`, or else is not accepted. */
export function acceptsGzip(header: string | undefined): boolean {
  if (header === undefined || header.length > MOST) return false
  let any = 0
  let gzip: number | undefined
  let identity: number | undefined
  for (const item of header.split(',')) {
    const [, coding, weight = '1'] = ITEM.exec(item.trim()) ?? []
    switch (coding?.toLowerCase()) {
      // The same coding by its older name (§8.4.1.3).
      case 'gzip':
      case 'x-gzip':
        gzip = Math.max(gzip ?? 0, Number(weight))
        break
      case 'identity':
        identity = Number(weight)
        break
      case '*':
        any = Number(weight)
        break
    }
  }
  const weight = gzip ?? any
  return weight > 0 && weight >= (identity ?? 0)
}
