/** A text that was named on a command line: a file, or `-` for standard input. */
import { resolve } from 'node:path'
import { readText } from '../config/read.ts'

/** As much as a person would call a manifest. */
const LIMIT = 16 * 1024 ** 2

export type Named =
  | { readonly kind: 'text'; readonly text: string }
  /** `found` and `allowed` in words. */
  | { readonly kind: 'unreadable'; readonly found: string; readonly allowed: string }

export async function readNamed(name: string): Promise<Named> {
  if (name !== '-') {
    const read = readText(resolve(name), LIMIT)
    return read.kind === 'text' ? read : { ...read, kind: 'unreadable' }
  }
  const parts: Buffer[] = []
  let bytes = 0
  for await (const part of process.stdin) {
    parts.push(part as Buffer)
    bytes += (part as Buffer).length
    if (bytes > LIMIT) return { kind: 'unreadable', found: 'more than 16MiB', allowed: 'a manifest' }
  }
  return { kind: 'text', text: Buffer.concat(parts).toString() }
}
