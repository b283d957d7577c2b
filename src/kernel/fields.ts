/**
 * The names of fields, for the segment of that kind: which values are shown elsewhere, which names give way or are left
 * out, and what those are called that an expression found. assembly/process/fields.ts has the layout.
 */
import { invariant } from '../errors.ts'
import { LAYOUT } from './module.ts'

export interface FieldNames {
  /** Values that have a place of their own in a record: always, or if that is taken. */
  readonly hidden: readonly { readonly slot: number; readonly shown: keyof typeof SHOWN }[]
  /** Other names; an empty one leaves the value out. */
  readonly rules: ReadonlyMap<string, string>
  /** Values that an expression found. */
  readonly named: readonly { readonly name: string; readonly slot: number; readonly number: boolean }[]
}

/** Always; if the record has a time, or a level; if what was written is the word of the level. */
const SHOWN = {
  always: LAYOUT.SHOWN_ALWAYS,
  timed: LAYOUT.SHOWN_TIMED,
  levelled: LAYOUT.SHOWN_LEVELLED,
  sameLevel: LAYOUT.SHOWN_SAME_LEVEL,
} as const

/** Longer names are never changed: bytes as a JSON string. */
const LONGEST = 255

export function packFieldNames({ hidden, rules, named }: FieldNames): Uint8Array {
  const changed = [...rules].filter(
    ([name, other]) => quoted(name).length <= LONGEST && quoted(other).length <= LONGEST,
  )
  const head = Buffer.alloc(6)
  head.writeUInt16LE(hidden.length, 0)
  head.writeUInt16LE(changed.length, 2)
  head.writeUInt16LE(named.length, 4)
  const parts: Uint8Array[] = [head, Uint8Array.from(hidden.flatMap(({ slot, shown }) => [slot, SHOWN[shown]]))]
  for (const [name, other] of changed) {
    const [from, to] = [quoted(name), other === '' ? Buffer.alloc(0) : quoted(other)]
    parts.push(Uint8Array.of(other === '' ? 0 : 1, from.length, to.length), from, to)
  }
  for (const { name, slot, number } of named) {
    const text = quoted(name)
    invariant(text.length <= LONGEST, 'the name of a value is too long')
    parts.push(Uint8Array.of(slot, Number(number), text.length), text)
  }
  return Buffer.concat(parts)
}

function quoted(name: string): Buffer {
  return Buffer.from(JSON.stringify(name))
}
