/** Marks in records: those for which a backend refuses the request, and those that filters drop. */
import type { Poison } from '../poison.ts'

export const MARK = /poison-(left|right)-(always|passing)/

export function poisonOf(text: string, backend: string): Poison | undefined {
  const [, whom, poison] = MARK.exec(text) ?? []
  return whom === backend ? (poison as Poison) : undefined
}

export const UNWANTED_TEXT = /DROPPED-RECORD/
