/**
 * What a backend lets a record say of its origin: attributes within its limits.
 *
 * Guarantees: nothing is left that the backend would refuse or leave out a record for, and the template of a record
 * stays small enough for the kernel's room. The message is never touched: only attributes about it are cut or left out, the
 * last ones first, for the first ones are those that tell where it comes from.
 */

type Attribute = readonly [name: string, value: string]

/** Bytes are of UTF-8; `bytes` counts names and values as they stand in JSON. */
export interface AttributeLimits {
  readonly count: number
  readonly bytes: number
  readonly valueBytes: number
}

export function fit(
  attributes: Iterable<Attribute>,
  { count, bytes, valueBytes }: AttributeLimits,
): [name: string, value: string][] {
  const fitting: [string, string][] = []
  let left = bytes
  for (const [name, text] of attributes) {
    if (fitting.length === count) break
    const value = headOf(text, valueBytes)
    const need = Buffer.byteLength(JSON.stringify(name)) + Buffer.byteLength(JSON.stringify(value)) + 2
    if (need > left) continue
    left -= need
    fitting.push([name, value])
  }
  return fitting
}

/** The longest head of the text that has at most so many bytes, cut on a character's edge. */
export function headOf(text: string, bytes: number): string {
  // A UTF-16 unit has three bytes at the most.
  if (text.length * 3 <= bytes) return text
  const encoded = Buffer.from(text)
  if (encoded.length <= bytes) return text
  let end = bytes
  while (end > 0 && (encoded[end]! & 0xc0) === 0x80) end--
  return encoded.toString('utf8', 0, end)
}
