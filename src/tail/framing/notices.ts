/**
 * Notices: what looks wrong with a file's form, said once for each file with the option that would help.
 *
 * A file in another encoding, or with other line ends, is no error: its bytes are delivered as they are, and read as
 * noise. Only a glance at its beginning tells, and what has to be repaired later on.
 */
import { isUtf8 } from 'node:buffer'
import type { Origin } from '../../chunk.ts'
import type { Logger } from '../../log.ts'
import type { LineForm } from './form.ts'

export interface Hint {
  readonly key: 'encoding' | 'lineEnd'
  readonly value: string
  readonly sentence: string
}

/** Bytes of a file's beginning that are looked at, and of which there must be some to tell. */
export const GLANCE = { most: 1024, least: 64 } as const
/** Bytes that tell UTF-16 from other text: fewer might be anything. */
const TELLING = 8
/** Files that are remembered; when there are more all are forgotten, and named once more. */
const MOST = 1000
const [NUL, LINE_FEED, CR] = [0, 10, 13]

const UTF_16 = 'a file looks like UTF-16; unless its source says so its lines arrive with NULs between their letters'
const ORDER = 'a file looks like text in another encoding than its source says'
const NOT_UTF_8 = 'a file holds bytes that are not UTF-8; if it is Latin-1 or windows-1252 its source should say so'
const NO_LINES =
  'a file has no line feed yet, and looks as if something else ended its lines: they come as one at the end'

export class Notices {
  readonly #log: Logger
  readonly #said = new Set<string>()

  constructor(log: Logger) {
    this.#log = log
  }

  say({ source, path }: Origin, { key, value, sentence }: Hint): void {
    const what = `${key} ${path}`
    if (this.#said.has(what)) return
    if (this.#said.size >= MOST) this.#said.clear()
    this.#said.add(what)
    this.#log.warn({ event: 'line_form', source, path, key: `sources[].${key}`, value }, sentence)
  }

  /** Something of a file that should be UTF-8 had to be replaced. */
  repaired(origin: Origin): void {
    this.say(origin, { key: 'encoding', value: 'latin-1, windows-1252', sentence: NOT_UTF_8 })
  }
}

/** What the bytes at offset `at` of a file say of its form; `lines`: they hold line ends as their source has them. */
export function hintFor(bytes: Buffer, at: number, lines: boolean, form: LineForm): Hint | undefined {
  const mark = at === 0 ? markOf(bytes) : undefined
  if (mark !== undefined && mark !== form.encoding) {
    return { key: 'encoding', value: mark, sentence: form.encoding ? ORDER : UTF_16 }
  }
  if (form.encoding) return undefined
  const wide = form.end === NUL ? undefined : wideOf(bytes, at)
  if (wide) return { key: 'encoding', value: wide, sentence: UTF_16 }
  if (at === 0 && !lines && form.end === LINE_FEED) {
    if (separates(bytes, NUL)) return { key: 'lineEnd', value: 'nul', sentence: NO_LINES }
    if (separates(bytes, CR)) return { key: 'lineEnd', value: 'cr', sentence: NO_LINES }
  }
  // Only whole lines: a character may be cut in two where the bytes end.
  const whole = bytes.subarray(0, bytes.lastIndexOf(form.end) + 1)
  return isUtf8(whole) ? undefined : { key: 'encoding', value: 'latin-1, windows-1252', sentence: NOT_UTF_8 }
}

function markOf(bytes: Buffer): 'utf-16le' | 'utf-16be' | undefined {
  if (bytes.length < 2) return undefined
  const mark = bytes.readUInt16BE(0)
  return mark === 0xfffe ? 'utf-16le' : mark === 0xfeff ? 'utf-16be' : undefined
}

/** Letters of most scripts that logs are written in have a NUL in UTF-16: the second byte, or the first. */
function wideOf(bytes: Buffer, at: number): 'utf-16le' | 'utf-16be' | undefined {
  if (bytes.length < TELLING) return undefined
  const nuls = [0, 0]
  for (const [index, byte] of bytes.entries()) if (byte === NUL) nuls[(at + index) % 2]!++
  const [even, odd] = nuls as [number, number]
  const most = bytes.length / 2
  if (odd >= 0.8 * most && even <= 0.2 * most) return 'utf-16le'
  return even >= 0.8 * most && odd <= 0.2 * most ? 'utf-16be' : undefined
}

/** Whether the byte stands between, or behind, at least two stretches of others. */
function separates(bytes: Buffer, separator: number): boolean {
  let stretches = 0
  for (let at = 1; at < bytes.length; at++) if (bytes[at] === separator && bytes[at - 1] !== separator) stretches++
  return stretches >= 2
}
