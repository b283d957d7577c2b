/**
 * The names of fields, for the segment of that kind: which values are shown elsewhere, which names give way, are left out or
 * changed, and what those are called that an expression found. assembly/process/fields.ts has the layout.
 */
import { invariant } from '../errors.ts'
import { LAYOUT } from './module.ts'

export interface FieldNames {
  /** Values that have a place of their own in a record: always, or if that is taken. */
  readonly hidden: readonly { readonly slot: number; readonly shown: keyof typeof SHOWN }[]
  /** What becomes of values by their names: the first that fits holds. */
  readonly rules: readonly NameRule[]
  /** What becomes of all others. */
  readonly others: 'kept' | 'out'
  /** Members of objects are values of their own, `a.b`, unless a rule is for the object. */
  readonly flattens?: boolean
  /** Values that an expression found, under an empty name left out; of pairs, those that are numbers. */
  readonly named: readonly { readonly name: string; readonly slot: number; readonly number: boolean }[]
  /** What a backend takes of one record: with more it gets the line. */
  readonly limits: FieldLimits
}

export type NameRule =
  /** Left out, or sent as it is. */
  | { readonly name: string; readonly is: 'out' | 'kept' }
  /** Sent under this name; under its own, if the record has a value of that name. */
  | { readonly name: string; readonly is: 'other'; readonly other: string }
  /** Sent under this name; left out, if the record has a value of that name. */
  | { readonly name: string; readonly is: 'line'; readonly other: string }
  /** All names that begin so are sent behind `line_`. Not of attributes. */
  | { readonly name: string; readonly is: 'begin' }

/** Values, bytes of a name and of a value as they are written in the line, and of all of them as they are sent. */
export interface FieldLimits {
  readonly count: number
  readonly nameBytes: number
  readonly valueBytes: number
  readonly bytes: number
}

export const ANY_FIELDS: FieldLimits = {
  count: 0xffffffff,
  nameBytes: 0xffffffff,
  valueBytes: 0xffffffff,
  bytes: 0xffffffff,
}

/**
 * Always; if the record has a time, or a level; if what was written is the word of the level; if it is a part of what tells
 * the record apart.
 */
const SHOWN = {
  always: LAYOUT.SHOWN_ALWAYS,
  timed: LAYOUT.SHOWN_TIMED,
  levelled: LAYOUT.SHOWN_LEVELLED,
  sameLevel: LAYOUT.SHOWN_SAME_LEVEL,
  partitioned: LAYOUT.SHOWN_PARTITIONED,
  id16: LAYOUT.SHOWN_ID_16,
  id8: LAYOUT.SHOWN_ID_8,
} as const

const RULES: Record<NameRule['is'], number> = {
  out: LAYOUT.NAME_OUT,
  other: LAYOUT.NAME_OTHER,
  kept: LAYOUT.NAME_KEPT,
  line: LAYOUT.NAME_LINE,
  begin: LAYOUT.NAMES_LINE,
}

const LONGEST = 0xffff

/** As assembly/process/rules.ts lays them down. */
const HEAD = 40
const RULE = 5
const SPREADING = 0x9e3779b97f4a7c15n
const PLACING = 0xd6e8feb86659fd93n
const U64 = (1n << 64n) - 1n
/** A name in which this stands may be written otherwise, or be what something that is no UTF-8 becomes. */
const READ = /[\\\ufffd]/

export function packFieldNames({ hidden, rules, others, flattens = false, named, limits }: FieldNames): Uint8Array {
  invariant(hidden.length <= LAYOUT.MOST_HIDDEN, 'more values have a place of their own than there may be')
  const singles = rules.filter(({ is }) => is !== 'begin')
  invariant(
    rules.every(({ is }, index) => (is === 'begin') === index >= singles.length),
    'rules for one name stand first',
  )
  const head = Buffer.alloc(HEAD)
  const counts = [hidden.length, rules.length, named.length, RULES[others] | (flattens ? LAYOUT.FLATTENS << 8 : 0)]
  for (const [index, count] of counts.entries()) head.writeUInt16LE(count, 2 * index)
  const most = [limits.count, limits.nameBytes, limits.valueBytes, limits.bytes]
  for (const [index, bytes] of most.entries()) head.writeUInt32LE(Math.max(0, bytes), 8 + 4 * index)
  const parts: Uint8Array[] = [head, Uint8Array.from(hidden.flatMap(({ slot, shown }) => [slot, SHOWN[shown]]))]
  let at = HEAD + 2 * hidden.length
  const put = (part: Uint8Array): number => {
    parts.push(part)
    at += part.length
    return at - part.length
  }
  const places = rules.map(rule => put(packed(rule)))
  head.writeUInt32LE(places[singles.length] ?? 0, 32)
  head.writeUInt32LE(at, 36)
  for (const { name, slot, number } of named) {
    const text = name === '' ? Buffer.alloc(0) : Buffer.concat([Buffer.from(','), quoted(name), Buffer.from(':"')])
    put(Buffer.concat([Uint8Array.of(slot, Number(number), text.length & 255, text.length >> 8), text]))
  }
  const texts = rules.flatMap(rule => [rule.name, 'other' in rule ? rule.other : ''])
  if (!texts.some(text => READ.test(JSON.stringify(text)))) {
    const { index, shift } = indexOf(singles, places)
    head.writeUInt32LE(put(index), 24)
    head.writeUInt32LE(shift, 28)
  }
  return Buffer.concat(parts)
}

function packed(rule: NameRule): Buffer {
  const from = quoted(rule.name)
  const to = 'other' in rule ? quoted(rule.other) : Buffer.alloc(0)
  const lengths = Buffer.alloc(RULE)
  lengths[0] = RULES[rule.is]
  lengths.writeUInt16LE(from.length, 1)
  lengths.writeUInt16LE(to.length, 3)
  return Buffer.concat([lengths, from, to])
}

/** Where each rule stands, by its name: no more than half of all places are taken. */
function indexOf(rules: readonly NameRule[], places: readonly number[]): { index: Buffer; shift: number } {
  const bits = Math.ceil(Math.log2(2 * rules.length + 2))
  const index = Buffer.alloc(4 * 2 ** bits)
  for (const [at, { name }] of rules.entries()) {
    const bytes = Buffer.from(name)
    const hash = ((keyOf(bytes) + BigInt(bytes.length)) * PLACING) & U64
    let place = Number(hash >> BigInt(64 - bits))
    while (index.readUInt32LE(4 * place) !== 0) place = (place + 1) % 2 ** bits
    index.writeUInt32LE(places[at]!, 4 * place)
  }
  return { index, shift: 64 - bits }
}

/** The kernel's key of a name (assembly/process/names.ts). */
export function keyOf(name: Buffer): bigint {
  if (name.length < 8) return Buffer.concat([name, Buffer.alloc(8 - name.length)]).readBigUInt64LE()
  const key = name.readBigUInt64LE()
  return name.length === 8 ? key : key ^ ((name.readBigUInt64LE(name.length - 8) * SPREADING) & U64)
}

function quoted(name: string): Buffer {
  const text = Buffer.from(JSON.stringify(name))
  invariant(text.length <= LONGEST, 'the name of a value is too long')
  return text
}
