/**
 * The form of a source's lines: how their text is encoded, what ends them and how long they may be.
 *
 * Offsets and lengths in a file are bytes of the file; text is UTF-8 from where it is decoded on. A unit is what the
 * encoding is made of: lines begin and end with whole ones.
 */
import type { RecordRule, RunRule } from '../../kernel/kernel.ts'
import { type SourceOptions, type TextForm, textFormOf } from '../options.ts'

export interface LineForm extends TextForm {
  /** How lines become records; undefined: each is one. Only for UTF-8. */
  readonly rule?: RecordRule | undefined
  /** Equal records that follow each other are read together: until when they may go on. Only for UTF-8. */
  readonly runs?: RunRule | undefined
  /** What a chunk has to know of the file before it; undefined: nothing. */
  readonly lookBack?: LookBack | undefined
}

/**
 * What stands before a chunk, for those who process it: as many bytes are read, in UTF-8, where the chunk before is not
 * at hand or ended in the middle of a line, and what matters of them goes with the chunk.
 */
export interface LookBack {
  readonly bytes: number
  readonly of: (bytes: Buffer, lineEnd: number) => Buffer | undefined
}

/** What the lines of a source are processed by. */
export interface Processing {
  readonly rule?: RecordRule | undefined
  readonly runs?: RunRule | undefined
  readonly lookBack?: LookBack | undefined
}

export function formOf(source: SourceOptions, processing: Processing = {}): LineForm {
  return { ...textFormOf(source), ...processing }
}

/** The index of the first unit in the bytes, which begin with a whole one, that is `value`; -1 if there is none. */
export function indexOfUnit(bytes: Buffer, { encoding, unit }: LineForm, value: number): number {
  if (unit === 1) return bytes.indexOf(value)
  // A search for UTF-16 text looks at whole units only.
  return bytes.indexOf(String.fromCharCode(encoding === 'utf-16be' ? value << 8 : value), 0, 'utf16le')
}

/** `bytes` less what is no whole unit. */
export function wholeUnits(bytes: number, { unit }: LineForm): number {
  return bytes - (bytes % unit)
}

/** How many of the bytes, in whole units, come before the NULs that they end with. */
export function dataLength(bytes: Buffer, { unit }: LineForm): number {
  const { length } = bytes
  if (length === 0 || bytes[length - 1] !== 0) return length
  // All of them are NULs if the first is and each is as the one before it.
  if (bytes[0] === 0 && bytes.compare(bytes, 1, length, 0, length - 1) === 0) return 0
  let data = length - 1
  while (bytes[data - 1] === 0) data--
  return Math.min(length, data + (data % unit))
}
