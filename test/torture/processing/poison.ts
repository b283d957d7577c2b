/** Marks in records: those for which a backend refuses the request, and those that filters drop. */
import type { Poison } from '../poison.ts'

export const MARK = /poison-(left|right)-(always|passing)/

export function poisonOf(text: string, backend: string): Poison | undefined {
  const [, whom, poison] = MARK.exec(text) ?? []
  return whom === backend ? (poison as Poison) : undefined
}

/** The second is dropped for what redaction leaves of it. */
export const UNWANTED_MARKS = ['DROPPED-RECORD', 'DROPPED-MAIL=dropped@example.org'] as const
/** Texts of the filter. */
export const UNWANTED = ['DROPPED-RECORD', 'DROPPED-MAIL=[email]'] as const
export const UNWANTED_TEXT = /DROPPED-(?:RECORD|MAIL)/
