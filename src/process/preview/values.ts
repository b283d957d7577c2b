/**
 * Which of several names a value stands under in a record: the kernel notes where it stands, and not which name it has.
 * The first name of a list that has a value is the one that was taken.
 */
import type { RecordShape } from '../../chunk.ts'
import { LAYOUT } from '../../kernel/module.ts'
import { pathsOf } from '../parse/table.ts'

export interface Holder {
  /** What the record is: a form of its row. */
  readonly form: number
  readonly text: string
  /** Of what an expression found: the value of this name. */
  readonly value: (name: string) => string | undefined
}

/** What stands in a slot, without quotes; undefined: nothing. */
export function slotText(row: Uint8Array, slot: number, text: Buffer): string | undefined {
  const view = Buffer.from(row.buffer, row.byteOffset, row.length)
  const at = LAYOUT.ROW_SLOTS + LAYOUT.SLOT * slot
  const from = view.readUInt16LE(at)
  if (from === LAYOUT.ABSENT) return undefined
  const value = text.toString('utf8', from, from + view.readUInt16LE(at + 2))
  return value.length >= 2 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value
}

/** The value that an expression found under a name. */
export function valueIn(
  shape: Pick<RecordShape, 'slots'> | undefined,
  name: string,
  row: Uint8Array,
  text: Buffer,
): string | undefined {
  const slot = shape?.slots.find(each => each.name === name)?.slot
  return slot === undefined ? undefined : slotText(row, slot, text)
}

/** The name that a value has in a record, of those that it may have. */
export function nameOf(names: readonly string[], { form, text, value }: Holder): string | undefined {
  switch (form) {
    case LAYOUT.JSON: {
      const object = objectIn(text)
      return names.find(name => pathsOf(name).some(path => isScalar(memberOf(object, path))))
    }
    case LAYOUT.PAIRS:
      return names.find(name => ` ${text}`.includes(` ${name}=`))
    case LAYOUT.VALUES:
      return names.find(name => value(name) !== undefined)
    default:
      return undefined
  }
}

function objectIn(text: string): unknown {
  try {
    return JSON.parse(text.slice(text.indexOf('{')))
  } catch {
    return undefined
  }
}

function memberOf(object: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (value, name) =>
      typeof value === 'object' && value !== null && Object.hasOwn(value, name)
        ? (value as Record<string, unknown>)[name]
        : undefined,
    object,
  )
}

function isScalar(value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'number'
}
