/**
 * What a backend lets a record say of its origin: attributes within its limits.
 *
 * Guarantees: nothing is left that the backend would refuse or leave out a record for, and the template of a record
 * stays small enough for the kernel's room. The message is never touched: only attributes about it are cut or left out, the
 * last ones first, for the first ones are those that tell where it comes from.
 */

import { headOf } from '../head.ts'

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
